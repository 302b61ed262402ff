package chem

import (
	"fmt"

	"pfgmgen/internal/graph"
)

// Graph is m with one label per node, the place of its element in elements, and the bond order as the type of an edge.
// Charges and unpaired electrons have no place there; AssignCharges finds those of N+ and O+ again. An element that is
// not listed is an error.
func (m *Molecule) Graph(elements []Element) (*graph.Graph, error) {
	var label [256]int
	for k, e := range elements {
		label[e] = k + 1
	}
	if len(elements) > 256 {
		return nil, fmt.Errorf("chem: %d elements, a node label holds 256", len(elements))
	}
	labels := make([]uint8, len(m.Atoms))
	for i, a := range m.Atoms {
		if label[a.Element] == 0 {
			return nil, fmt.Errorf("chem: atom %d is %v, want one of %v", i, a.Element, elements)
		}
		labels[i] = uint8(label[a.Element] - 1)
	}
	edges := make([]graph.Edge, len(m.Bonds))
	for k, b := range m.Bonds {
		edges[k] = graph.Edge{U: b.I, V: b.J, Type: b.Order}
	}
	g, err := graph.New(len(m.Atoms), labels, edges)
	if err != nil {
		return nil, fmt.Errorf("chem: %w", err)
	}
	return g, nil
}

// FromGraph is the neutral molecule of a graph whose labels count in elements and whose edge types are bond orders. It
// errs on other labels and types, not on impossible valences.
func FromGraph(g *graph.Graph, elements []Element) (*Molecule, error) {
	if g.N != len(g.Labels) {
		return nil, fmt.Errorf("chem: a graph of %d nodes with %d labels", g.N, len(g.Labels))
	}
	m := &Molecule{Atoms: make([]Atom, g.N), Bonds: make([]Bond, len(g.Edges))}
	for i, l := range g.Labels {
		if int(l) >= len(elements) {
			return nil, fmt.Errorf("chem: node %d has label %d, the elements are %d", i, l, len(elements))
		}
		m.Atoms[i].Element = elements[l]
	}
	for k, e := range g.Edges {
		m.Bonds[k] = Bond{I: min(e.U, e.V), J: max(e.U, e.V), Order: e.Type}
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}
