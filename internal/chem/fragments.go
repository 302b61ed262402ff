package chem

// Fragments lists the atoms of each connected part, rising; the parts are in the order of their first atoms.
func (m *Molecule) Fragments() [][]int {
	next := m.Neighbours()
	seen := make([]bool, len(m.Atoms))
	var out [][]int
	part := make([]int, len(m.Atoms)) // of each atom
	var stack []int
	for i := range m.Atoms {
		if seen[i] {
			continue
		}
		seen[i] = true
		stack = append(stack[:0], i)
		for len(stack) > 0 {
			a := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			part[a] = len(out)
			for _, n := range next[a] {
				if !seen[n.Atom] {
					seen[n.Atom] = true
					stack = append(stack, n.Atom)
				}
			}
		}
		out = append(out, nil)
	}
	for a, p := range part {
		out[p] = append(out[p], a)
	}
	return out
}

// LargestFragment is the part with the most heavy atoms, at equal numbers the heavier one, then the one with the first
// atom. A connected molecule is its own largest fragment and is returned itself.
func (m *Molecule) LargestFragment() *Molecule {
	parts := m.Fragments()
	if len(parts) <= 1 {
		return m
	}
	var best *Molecule
	for _, p := range parts {
		f := m.Reorder(p)
		if best == nil || f.HeavyAtoms() > best.HeavyAtoms() || f.HeavyAtoms() == best.HeavyAtoms() && f.Mass() > best.Mass() {
			best = f
		}
	}
	return best
}
