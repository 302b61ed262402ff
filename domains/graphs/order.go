package graphs

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"pfgmgen/internal/graph"
)

// maxStarts bounds the start nodes that an order is sought from; graphs up to this size try all.
const maxStarts = 64

// An ordering is an order of the nodes and what it makes of the graph.
type ordering struct {
	nodes     []int // the node at each position
	bandwidth int   // longest reach of an edge, in positions
	profile   int   // sum over the positions of the longest reach back
	code      []int // labels and edges back, position by position: equal codes are equal graphs
}

// canonicalOrder puts the components one after the other, the largest first, each in the breadth-first order
// (Cuthill-McKee: neighbours with few edges first) whose start gives the smallest bandwidth, then the smallest profile,
// then the least code. Ties within an order are broken by refined colours with the start and what was placed before
// individualised, so isomorphic graphs get the same order up to automorphism as far as colours tell. A graph that takes more
// than maxWork gets the best order of the starts tried by then, its first one at least, from colours as far as they are
// refined: still breadth-first, but another numbering may give another order.
func canonicalOrder(g *graph.Graph) ordering {
	base := newPartition(g)
	var parts []ordering
	for _, nodes := range g.Components() {
		var best ordering
		for i, start := range starts(base, nodes) {
			if i > 0 && base.spent() {
				break
			}
			*base.left -= sorting * len(g.Edges)
			o := describe(g, base.clone().breadthFirst(start))
			if i == 0 || o.compare(best) < 0 {
				best = o
			}
		}
		parts = append(parts, best)
	}
	slices.SortStableFunc(parts, func(a, b ordering) int {
		return cmp.Or(len(b.nodes)-len(a.nodes), slices.Compare(a.code, b.code))
	})
	return join(parts)
}

func (o ordering) compare(b ordering) int {
	return cmp.Or(cmp.Compare(o.bandwidth, b.bandwidth), cmp.Compare(o.profile, b.profile), slices.Compare(o.code, b.code))
}

func join(parts []ordering) ordering {
	var all ordering
	for _, o := range parts {
		all.nodes = append(all.nodes, o.nodes...)
		all.code = append(all.code, o.code...)
		all.bandwidth = max(all.bandwidth, o.bandwidth)
		all.profile += o.profile
	}
	return all
}

// starts are the nodes of a component to begin an order with: all of a small one, else the most eccentric ones, which
// give long, narrow levels.
func starts(p *partition, nodes []int) []int {
	if len(nodes) <= maxStarts {
		return nodes
	}
	depth := make(map[int]int, len(nodes))
	w := newWalker(p.arcs)
	for _, v := range nodes {
		w.walk(v, func(distance, _ int) { depth[v] = distance })
	}
	out := slices.Clone(nodes)
	slices.SortStableFunc(out, func(a, b int) int {
		return cmp.Or(cmp.Compare(depth[b], depth[a]), cmp.Compare(p.cell[a], p.cell[b]))
	})
	return out[:maxStarts]
}

// breadthFirst is the Cuthill-McKee order of the component of start; it refines p.
func (p *partition) breadthFirst(start int) []int {
	p.individualise(start)
	placed := make([]bool, len(p.at))
	placed[start] = true
	order := []int{start}
	var next []int
	for i := 0; i < len(order); i++ {
		next = next[:0]
		for _, a := range p.arcs[order[i]] {
			if !placed[a.to] {
				placed[a.to] = true
				next = append(next, a.to)
			}
		}
		for len(next) > 0 {
			*p.left -= len(next)
			best := 0
			for j, v := range next {
				if p.cell[v] < p.cell[next[best]] {
					best = j
				}
			}
			v := next[best]
			next = slices.Delete(next, best, best+1)
			p.individualise(v)
			order = append(order, v)
		}
	}
	return order
}

// randomOrder is a breadth-first order from any node of each component, with the components, and neighbours of equal
// degree, in any order.
func randomOrder(g *graph.Graph, rng *rand.Rand) ordering {
	near := g.Neighbours()
	placed := make([]bool, g.N)
	var order []int
	for _, start := range rng.Perm(g.N) {
		if placed[start] {
			continue
		}
		first := len(order)
		order = append(order, start)
		placed[start] = true
		for i := first; i < len(order); i++ {
			var next []int
			for _, v := range near[order[i]] {
				if !placed[v] {
					placed[v] = true
					next = append(next, v)
				}
			}
			rng.Shuffle(len(next), func(a, b int) { next[a], next[b] = next[b], next[a] })
			slices.SortStableFunc(next, func(a, b int) int { return len(near[a]) - len(near[b]) })
			order = append(order, next...)
		}
	}
	return describe(g, order)
}

// describe measures an order of all nodes, or of those of one component.
func describe(g *graph.Graph, nodes []int) ordering {
	o := ordering{nodes: nodes}
	position := make([]int, g.N)
	for i := range position {
		position[i] = -1
	}
	for i, v := range nodes {
		position[v] = i
	}
	back := make([][]int, len(nodes))
	for _, e := range g.Edges {
		i, j := position[e.U], position[e.V]
		if i < 0 {
			continue
		}
		if i < j {
			i, j = j, i
		}
		back[i] = append(back[i], (i-j)<<8|int(e.Type))
	}
	for i, v := range nodes {
		label := 0
		if g.Labels != nil {
			label = int(g.Labels[v])
		}
		slices.Sort(back[i])
		if k := len(back[i]); k > 0 {
			reach := back[i][k-1] >> 8
			o.bandwidth = max(o.bandwidth, reach)
			o.profile += reach
		}
		o.code = append(append(o.code, label, len(back[i])), back[i]...)
	}
	return o
}
