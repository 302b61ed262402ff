package graphs

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
	"pfgmgen/validate"
)

// Decode takes the number of nodes from the zeros and the largest channel of each choice. It panics when x has not the
// length of the shape.
func (a *adapter) Decode(x []float64, label int) domains.Row {
	if len(x) != a.layout.size() {
		panic(fmt.Sprintf("graphs: Decode of %d values, the shape has %d", len(x), a.layout.size()))
	}
	r := &row{finite: true}
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.finite = false
			break
		}
	}
	codes, sure := a.layout.decode(x, a.layout.nodesOf(x))
	r.margin, r.entropy = sure.confidence()
	a.build(r, codes)
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// build makes the graph that the codes spell.
func (a *adapter) build(r *row, codes []uint8) {
	step := a.layout.codes()
	n := len(codes) / step
	r.g = &graph.Graph{N: n}
	for i := range n {
		c := codes[i*step : (i+1)*step]
		if a.nodes != nil {
			r.g.Labels = append(r.g.Labels, a.nodes[c[0]])
		}
		r.hydrogens = append(r.hydrogens, c[1])
	}
	for u := range n { // in the order that a Graph wants
		for v := u + 1; v < min(n, u+1+a.layout.bandwidth); v++ {
			if t := codes[v*step+1+v-u]; t > 0 {
				r.g.Edges = append(r.g.Edges, graph.Edge{U: u, V: v, Type: uint8(a.s.EdgeTypes[t-1])})
			}
		}
	}
	a.finish(r)
}

// finish fills in what follows from the graph.
func (a *adapter) finish(r *row) {
	parts := r.g.Components()
	if r.pieces = len(parts); r.pieces > 0 {
		r.size = len(parts[0])
	}
	if r.pieces > 1 && a.s.Fragments == largest {
		r.g = r.g.Induced(parts[0])
		for i, v := range parts[0] {
			r.hydrogens[i] = r.hydrogens[v] // v is i or later
		}
		r.hydrogens = r.hydrogens[:r.g.N]
	}
	if a.s.Kind == molecules {
		r.m = moleculeOf(r.g)
	}
}
