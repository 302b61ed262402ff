package graphs

import (
	"fmt"
	"slices"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/graph"
	"pfgmgen/io/smiles"
)

// mobileBond is the edge type of a bond that is single in one drawing and double in another, while orders are sought.
const mobileBond = 4

// moleculeOf is the molecule of a graph whose labels are atom codes, charged by the rule of chem.AssignCharges: an N
// with four bonds and an O with three are +1.
func moleculeOf(g *graph.Graph) *chem.Molecule {
	m := &chem.Molecule{Atoms: make([]chem.Atom, g.N), Bonds: make([]chem.Bond, len(g.Edges))}
	for i, code := range g.Labels {
		m.Atoms[i] = atomOf(code)
	}
	for k, e := range g.Edges {
		m.Bonds[k] = chem.Bond{I: e.U, J: e.V, Order: e.Type}
	}
	m.AssignCharges()
	return m
}

// moleculeKey is equal for equal molecules, in any order of their atoms and any Kekulé drawing: a canonical SMILES.
// Where a molecule, as a network may spell it, has too many rings for SMILES, it is equal for equal drawings.
func moleculeKey(g *graph.Graph, m *chem.Molecule) string {
	s, err := smiles.Canonical(m)
	if err != nil {
		return isomorphismKey(g)
	}
	return s
}

// addMolecule keeps a molecule, or drops it and counts why.
func (in *input) addMolecule(r *record, m *chem.Molecule) error {
	if err := m.Check(); err != nil {
		return err
	}
	m = m.FoldHydrogens()
	if in.largest && len(m.Fragments()) > 1 {
		m = m.LargestFragment()
		in.cut++
	}
	switch {
	case len(m.Atoms) > maxNodes:
		in.drop(fmt.Sprintf("of more than %d atoms", maxNodes))
		return nil
	case len(m.Faults()) > 0:
		in.drop("that break the rules of valence")
		return nil
	case slices.ContainsFunc(m.Atoms, func(a chem.Atom) bool { return a.Radical > 0 }):
		in.drop("with unpaired electrons")
		return nil
	}
	bare := m.Clone()
	for i := range bare.Atoms {
		bare.Atoms[i].Charge = 0
	}
	bare.AssignCharges()
	g := &graph.Graph{N: len(m.Atoms), Labels: make([]uint8, len(m.Atoms))}
	known := true
	for i, a := range m.Atoms {
		if a.Charge == bare.Atoms[i].Charge {
			a.Charge = 0 // the bonds say it
		}
		code, ok := atomCode(a)
		g.Labels[i], known = code, known && ok
	}
	edges := make([]graph.Edge, len(m.Bonds))
	for k, b := range m.Bonds {
		edges[k] = graph.Edge{U: b.I, V: b.J, Type: b.Order}
	}
	g, err := graph.New(g.N, g.Labels, edges)
	if err != nil {
		return err
	}
	if !known || !slices.Equal(moleculeOf(g).Atoms, m.Atoms) {
		in.drop("with an element or a charge that the encoding cannot say")
		return nil
	}
	r.g = g
	return in.add(molecules, r)
}

// implicit are the hydrogens of each atom as their class in the encoding.
func implicit(m *chem.Molecule) []uint8 {
	out := make([]uint8, len(m.Atoms))
	for i, h := range m.Hydrogens() {
		out[i] = uint8(min(h, hydrogens-1))
	}
	return out
}

// maxDrawings bounds the Kekulé structures that are looked at; graphene flakes have more.
const maxDrawings = 256

// drawings are the bond orders of g and of the Kekulé structures that follow from it by moving the three double bonds of
// a ring of six, again and again: those that differ in nothing but how they are drawn.
func drawings(g *graph.Graph) [][]uint8 {
	first := make([]uint8, len(g.Edges))
	for k, e := range g.Edges {
		first[k] = e.Type
	}
	out := [][]uint8{first}
	seen := map[string]bool{string(first): true}
	rings := sixRings(g)
	for i := 0; i < len(out); i++ {
		for _, ring := range rings {
			next := flip(out[i], ring)
			if next == nil || seen[string(next)] {
				continue
			}
			if len(out) == maxDrawings {
				return out[:1]
			}
			seen[string(next)] = true
			out = append(out, next)
		}
	}
	return out
}

// flip moves the double bonds of a ring, nil when they do not alternate with single ones.
func flip(orders []uint8, ring [6]int) []uint8 {
	for i, k := range ring {
		if a, b := orders[k], orders[ring[(i+1)%6]]; a+b != 3 || a < 1 || a > 2 {
			return nil
		}
	}
	next := slices.Clone(orders)
	for _, k := range ring {
		next[k] = 3 - next[k]
	}
	return next
}

// sixRings lists the edges of each ring of six atoms, in the order of the ring.
func sixRings(g *graph.Graph) [][6]int {
	type step struct{ node, edge int }
	next := make([][]step, g.N)
	for k, e := range g.Edges {
		next[e.U] = append(next[e.U], step{e.V, k})
		next[e.V] = append(next[e.V], step{e.U, k})
	}
	var rings [][6]int
	var nodes, edges [6]int
	var walk func(length int)
	walk = func(length int) {
		for _, s := range next[nodes[length-1]] {
			switch {
			case length == 6:
				if s.node == nodes[0] && nodes[1] < nodes[5] {
					edges[5] = s.edge
					rings = append(rings, edges)
				}
			case s.node > nodes[0] && !slices.Contains(nodes[:length], s.node):
				nodes[length], edges[length-1] = s.node, s.edge
				walk(length + 1)
			}
		}
	}
	for v := range g.N {
		nodes[0] = v
		walk(1)
	}
	return rings
}

// orderMolecule finds the canonical order of the atoms, in which it does not matter how the molecule is drawn, and
// draws it so that double bonds stand as early in that order as they can: the same molecule is then always encoded
// alike, and the network has nothing to guess.
func orderMolecule(g *graph.Graph) ordering {
	all := drawings(g)
	o := canonicalOrder(mobile(g, all))
	draw(g, all, o.nodes)
	return describe(g, o.nodes)
}

// mobile is g with mobileBond for the bonds that the drawings differ in.
func mobile(g *graph.Graph, all [][]uint8) *graph.Graph {
	blank := &graph.Graph{N: g.N, Labels: g.Labels, Edges: slices.Clone(g.Edges)}
	for _, orders := range all[1:] {
		for k, order := range orders {
			if order != all[0][k] {
				blank.Edges[k].Type = mobileBond
			}
		}
	}
	return blank
}

// draw gives g, of these drawings, the one with the greatest bond orders in the order of the nodes.
func draw(g *graph.Graph, all [][]uint8, nodes []int) {
	position := make([]int, g.N)
	for i, v := range nodes {
		position[v] = i
	}
	rank := make([]int, len(g.Edges)) // the edges by their later, then by their earlier end
	for k := range rank {
		rank[k] = k
	}
	slices.SortFunc(rank, func(a, b int) int {
		ends := func(k int) (int, int) {
			u, v := position[g.Edges[k].U], position[g.Edges[k].V]
			return max(u, v), min(u, v)
		}
		lateA, earlyA := ends(a)
		lateB, earlyB := ends(b)
		if lateA != lateB {
			return lateA - lateB
		}
		return earlyA - earlyB
	})
	best := slices.MaxFunc(all, func(a, b []uint8) int {
		for _, k := range rank {
			if a[k] != b[k] {
				return int(a[k]) - int(b[k])
			}
		}
		return 0
	})
	for k, order := range best {
		g.Edges[k].Type = order
	}
}
