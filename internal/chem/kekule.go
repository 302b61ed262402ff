package chem

import "slices"

// Kekulise writes aromatic bonds as single and double ones. aromatic marks such atoms, mobile such bonds: their order is
// 1, and becomes 2 where needed. hydrogens are those stated for an atom, -1 where the valence decides. An aromatic atom
// takes a double bond when its single bonds and stated hydrogens leave no allowed valence as they are and it has none
// yet: c, n between two bonds, [nH+], [o+]; not [nH], o, s, [n-], [cH-], nor c(=O).
//
// It returns -1, or the first atom for which no double bond is left; then no bond is changed.
func (m *Molecule) Kekulise(aromatic, mobile []bool, hydrogens []int) (stuck int) {
	bonded := m.Bonded()
	needs := make([]bool, len(m.Atoms))
	for i, a := range m.Atoms {
		if !aromatic[i] {
			continue
		}
		sum := bonded[i] + max(0, hydrogens[i]) + int(a.Radical)
		allowed, _ := a.Element.Valences(a.Charge)
		needs[i] = !slices.Contains(allowed, sum) && fill(allowed, sum+1) >= 0
	}
	for _, b := range m.Bonds {
		if b.Order > 1 {
			needs[b.I], needs[b.J] = false, false
		}
	}
	g := newMatching(len(m.Atoms))
	for k, b := range m.Bonds {
		if mobile[k] && needs[b.I] && needs[b.J] {
			g.join(b.I, b.J)
		}
	}
	g.greedy()
	for i, need := range needs {
		if need && g.mate[i] < 0 && !g.augment(i) {
			return i
		}
	}
	for k, b := range m.Bonds {
		if mobile[k] && g.mate[b.I] == b.J {
			m.Bonds[k].Order = 2
		}
	}
	return -1
}
