package graphs

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
)

var _ domains.Examples = (*examples)(nil)

// examples hold the codes of the layout for each node.
type examples struct {
	layout layout
	rows   [][]uint8
	labels []int // nil when unconditional
	keys   []string
}

func (e *examples) Len() int         { return len(e.rows) }
func (e *examples) Key(i int) string { return e.keys[i] }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.layout.size() {
		panic(fmt.Sprintf("graphs: Encode into %d values, the shape has %d", len(dst), e.layout.size()))
	}
	e.layout.encode(dst, e.rows[i])
	if e.labels == nil {
		return -1
	}
	return e.labels[i]
}

// examples encodes one part, each graph in up to the given number of different orders, the canonical one first.
func (l *loader) examples(a *adapter, part []*record, orders int) (*examples, error) {
	e := &examples{layout: a.layout}
	for _, r := range part {
		if err := l.stopped(); err != nil {
			return nil, err
		}
		for _, o := range l.ordersOf(r, orders) {
			e.rows = append(e.rows, a.codes(o.g, o.nodes))
			e.keys = append(e.keys, r.key)
			if len(l.s.Classes) > 0 {
				e.labels = append(e.labels, slices.Index(l.s.Classes, r.class))
			}
		}
	}
	return e, nil
}

// An ordered is a graph with an order of its nodes. The drawing of a molecule goes with the order.
type ordered struct {
	g *graph.Graph
	ordering
}

// ordersOf are different orders of one graph within the bandwidth. Small and symmetric graphs have few, so the search
// ends after as many attempts as would find most of them.
func (l *loader) ordersOf(r *record, orders int) []ordered {
	out := []ordered{{r.g, r.order}}
	if orders == 1 {
		return out
	}
	h := fnv.New64a()
	h.Write([]byte(r.key))
	rng := rand.New(rand.NewPCG(uint64(l.seed), h.Sum64()))
	var drawn [][]uint8
	if l.s.Kind == molecules {
		drawn = drawings(r.g)
	}
	for attempt := 0; len(out) < orders && attempt < 8*orders; attempt++ {
		o := ordered{r.g, randomOrder(r.g, rng)}
		if o.bandwidth > l.s.Bandwidth {
			continue
		}
		if len(drawn) > 1 {
			o.g = &graph.Graph{N: r.g.N, Labels: r.g.Labels, Edges: slices.Clone(r.g.Edges)}
			draw(o.g, drawn, o.nodes)
			o.ordering = describe(o.g, o.nodes)
		}
		if !slices.ContainsFunc(out, func(p ordered) bool { return slices.Equal(o.code, p.code) }) {
			out = append(out, o)
		}
	}
	return out
}

// codes are those of a graph whose nodes stand in the given order.
func (a *adapter) codes(g *graph.Graph, order []int) []uint8 {
	step := a.layout.codes()
	codes := make([]uint8, len(order)*step)
	var free []uint8
	if a.s.Kind == molecules {
		free = implicit(moleculeOf(g))
	}
	position := make([]int, len(order))
	for i, v := range order {
		position[v] = i
		if g.Labels != nil {
			codes[i*step] = uint8(slices.Index(a.nodes, g.Labels[v]))
		}
		if free != nil {
			codes[i*step+1] = free[v]
		}
	}
	for _, e := range g.Edges {
		i, j := position[e.U], position[e.V]
		if i < j {
			i, j = j, i
		}
		codes[i*step+1+i-j] = uint8(1 + slices.Index(a.s.EdgeTypes, int(e.Type)))
	}
	return codes
}
