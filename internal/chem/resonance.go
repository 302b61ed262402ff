package chem

import (
	"cmp"
	"slices"
)

// Normal is m in a form that depends neither on the numbering of its atoms nor on the Kekulé structure drawn for its
// fused six-membered rings: both drawings of o-xylene become the same. Atoms are in canonical order, bonds sorted. exact
// is false when the search for the order was cut off (see Canonical).
//
// What may be drawn differently are the double bonds of rings of six atoms that all have their one double bond within
// such rings: benzene, pyridine, naphthalene, the benzo ring of indole; not quinone, cyclooctatetraene or azulene.
func (m *Molecule) Normal() (normal *Molecule, exact bool) {
	mobile := m.mobile()
	kinds := make([]uint8, len(m.Bonds))
	for k, b := range m.Bonds {
		kinds[k] = b.Order
		if mobile[k] {
			kinds[k] = 4 // no bond order
		}
	}
	order, exact := m.canonical(kinds)
	place := make([]int, len(order))
	for k, i := range order {
		place[i] = k
	}
	type bond struct {
		Bond
		mobile bool
	}
	bonds := make([]bond, len(m.Bonds))
	for k, b := range m.Bonds {
		i, j := place[b.I], place[b.J]
		bonds[k] = bond{Bond{min(i, j), max(i, j), b.Order}, mobile[k]}
	}
	slices.SortFunc(bonds, func(a, b bond) int { return cmp.Or(a.I-b.I, a.J-b.J) })
	g := newMatching(len(order))
	for _, b := range bonds {
		if b.mobile {
			g.join(b.I, b.J)
			if b.Order == 2 {
				g.mate[b.I], g.mate[b.J] = b.J, b.I
			}
		}
	}
	// The first mobile bond that can be double is, then the next beside it, and so on.
	for _, b := range bonds {
		if !b.mobile || g.kept[b.I] || g.kept[b.J] {
			continue
		}
		if g.mate[b.I] == b.J || g.force(b.I, b.J) {
			g.kept[b.I], g.kept[b.J] = true, true
		}
	}
	normal = &Molecule{Atoms: make([]Atom, len(order)), Bonds: make([]Bond, len(bonds))}
	for k, i := range order {
		normal.Atoms[k] = m.Atoms[i]
	}
	for k, b := range bonds {
		if b.mobile {
			b.Order = 1
			if g.mate[b.I] == b.J {
				b.Order = 2
			}
		}
		normal.Bonds[k] = b.Bond
	}
	return normal, exact
}

// mobile marks the bonds that are single in one drawing and double in another.
func (m *Molecule) mobile() []bool {
	out := make([]bool, len(m.Bonds))
	rings := m.conjugatedSixRings()
	var inRings []bool
	for {
		inRings = make([]bool, len(m.Bonds))
		for _, ring := range rings {
			for _, k := range ring {
				inRings[k] = true
			}
		}
		outside := make([]bool, len(m.Atoms)) // its double bond is in none of the rings
		for k, b := range m.Bonds {
			if b.Order == 2 && !inRings[k] {
				outside[b.I], outside[b.J] = true, true
			}
		}
		n := len(rings)
		rings = slices.DeleteFunc(rings, func(ring []int) bool {
			return slices.ContainsFunc(ring, func(k int) bool { return outside[m.Bonds[k].I] || outside[m.Bonds[k].J] })
		})
		if len(rings) == n {
			break
		}
	}
	if len(rings) == 0 {
		return out
	}
	g := newMatching(len(m.Atoms))
	pair := func() {
		for k, b := range m.Bonds {
			if inRings[k] && b.Order == 2 {
				g.mate[b.I], g.mate[b.J] = b.J, b.I
			}
		}
	}
	for k, b := range m.Bonds {
		if inRings[k] {
			g.join(b.I, b.J)
		}
	}
	moves := make([]bool, len(m.Atoms)) // it may have its double bond elsewhere
	for k, b := range m.Bonds {
		if !inRings[k] || b.Order == 2 {
			continue
		}
		pair()
		if g.force(b.I, b.J) {
			out[k], moves[b.I], moves[b.J] = true, true, true
		}
	}
	for k, b := range m.Bonds {
		if inRings[k] && b.Order == 2 && moves[b.I] {
			out[k] = true
		}
	}
	return out
}

// conjugatedSixRings lists the bonds of every ring of six atoms that have one double bond and at most three bonds each,
// without a bond across.
func (m *Molecule) conjugatedSixRings() [][]int {
	next := m.Neighbours()
	double := make([]int, len(m.Atoms))
	for _, b := range m.Bonds {
		if b.Order > 1 {
			// A triple bond counts as two double ones: no such atom takes part.
			double[b.I] += int(b.Order) - 1
			double[b.J] += int(b.Order) - 1
		}
	}
	takesPart := func(i int) bool { return double[i] == 1 && len(next[i]) >= 2 && len(next[i]) <= 3 }
	var rings [][]int
	var atoms [6]int
	var bonds [6]int
	var walk func(length int)
	walk = func(length int) {
		for _, n := range next[atoms[length-1]] {
			if length == 6 {
				if n.Atom == atoms[0] && atoms[1] < atoms[5] && !m.crossed(next, atoms) {
					bonds[5] = n.Bond
					rings = append(rings, slices.Clone(bonds[:]))
				}
				continue
			}
			if n.Atom > atoms[0] && takesPart(n.Atom) && !slices.Contains(atoms[:length], n.Atom) {
				atoms[length], bonds[length-1] = n.Atom, n.Bond
				walk(length + 1)
			}
		}
	}
	for i := range m.Atoms {
		if takesPart(i) {
			atoms[0] = i
			walk(1)
		}
	}
	return rings
}

// crossed says whether a bond joins two atoms of a ring that are not beside each other.
func (m *Molecule) crossed(next [][]Neighbour, ring [6]int) bool {
	for k, i := range ring {
		for _, n := range next[i] {
			if p := slices.Index(ring[:], n.Atom); p >= 0 && p != (k+1)%6 && p != (k+5)%6 {
				return true
			}
		}
	}
	return false
}
