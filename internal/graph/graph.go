package graph

import (
	"fmt"
	"slices"
)

// An Edge joins two different nodes, U < V. Type is 1 or more: the bond order of a molecule, 1 in a plain graph.
type Edge struct {
	U, V int
	Type uint8
}

// A Graph is simple and undirected. The zero value is the empty graph.
type Graph struct {
	N      int
	Labels []uint8 // of the nodes, nil when they have none
	Edges  []Edge  // sorted by U, then V, no pair twice
}

// New makes a graph of edges in any order and direction. Loops, repeated pairs, ends outside 0..n-1, and labels that
// are not n are errors.
func New(n int, labels []uint8, edges []Edge) (*Graph, error) {
	if n < 0 {
		return nil, fmt.Errorf("graph: %d nodes", n)
	}
	if labels != nil && len(labels) != n {
		return nil, fmt.Errorf("graph: %d labels for %d nodes", len(labels), n)
	}
	sorted := make([]Edge, len(edges))
	for i, e := range edges {
		if e.U > e.V {
			e.U, e.V = e.V, e.U
		}
		switch {
		case e.U == e.V:
			return nil, fmt.Errorf("graph: edge %d joins node %d to itself", i, e.U)
		case e.U < 0 || e.V >= n:
			return nil, fmt.Errorf("graph: edge %d joins %d and %d, the nodes are 0 to %d", i, e.U, e.V, n-1)
		case e.Type == 0:
			return nil, fmt.Errorf("graph: edge %d has type 0, want 1 or more", i)
		}
		sorted[i] = e
	}
	slices.SortFunc(sorted, compareEdges)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].U == sorted[i-1].U && sorted[i].V == sorted[i-1].V {
			return nil, fmt.Errorf("graph: nodes %d and %d are joined twice", sorted[i].U, sorted[i].V)
		}
	}
	return &Graph{N: n, Labels: labels, Edges: sorted}, nil
}

func compareEdges(a, b Edge) int {
	if a.U != b.U {
		return a.U - b.U
	}
	return a.V - b.V
}

// Neighbours lists the neighbours of each node in rising order.
func (g *Graph) Neighbours() [][]int {
	degree := make([]int, g.N)
	for _, e := range g.Edges {
		degree[e.U]++
		degree[e.V]++
	}
	flat, list := make([]int, 0, 2*len(g.Edges)), make([][]int, g.N)
	for i, d := range degree {
		list[i] = flat[len(flat) : len(flat) : len(flat)+d]
		flat = flat[:len(flat)+d]
	}
	// Edges are sorted, so the smaller neighbours of a node come first, then the larger ones, each in rising order.
	for _, e := range g.Edges {
		list[e.V] = append(list[e.V], e.U)
	}
	for _, e := range g.Edges {
		list[e.U] = append(list[e.U], e.V)
	}
	return list
}
