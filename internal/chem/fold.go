package chem

// FoldHydrogens removes the hydrogen atoms that an implicit hydrogen says as well: neutral, with one single bond to an atom
// other than hydrogen. Hydrogens of an atom stay when its valence would not bring all of them back, as in NaH or SH4.
// m itself is returned when nothing is removed.
func (m *Molecule) FoldHydrogens() *Molecule {
	next := m.Neighbours()
	bonded := m.Bonded()
	drop := make([]bool, len(m.Atoms))
	left := len(m.Atoms)
	for i, a := range m.Atoms {
		if a.Element == Hydrogen {
			continue
		}
		var own []int
		for _, n := range next[i] {
			if h := m.Atoms[n.Atom]; h == (Atom{Element: Hydrogen}) && len(next[n.Atom]) == 1 && m.Bonds[n.Bond].Order == 1 {
				own = append(own, n.Atom)
			}
		}
		if _, bad := a.fault(bonded[i]); bad || a.hydrogens(bonded[i]-len(own)) != a.hydrogens(bonded[i])+len(own) {
			continue
		}
		for _, h := range own {
			drop[h] = true
			left--
		}
	}
	if left == len(m.Atoms) {
		return m
	}
	kept := make([]int, 0, left)
	for i, d := range drop {
		if !d {
			kept = append(kept, i)
		}
	}
	return m.Reorder(kept)
}

// StateHydrogens settles the hydrogens of atom i when they are known to be n: unpaired electrons make up for fewer than
// the valence leaves room for. Hydrogens that no valence would fill in, as in NaH or SH4, are added as atoms. It reports
// false, and changes nothing, when the element at its charge cannot bond so much. bonded is the sum of the atom's bonds.
func (m *Molecule) StateHydrogens(i, n, bonded int) bool {
	a := &m.Atoms[i]
	allowed, ok := a.Element.Valences(a.Charge)
	radical := 0
	if ok {
		v := fill(allowed, bonded+n)
		if v < 0 {
			return false
		}
		radical = v - bonded - n
	}
	a.Radical = uint8(radical)
	if a.hydrogens(bonded) == n {
		return true
	}
	for range n {
		m.Atoms = append(m.Atoms, Atom{Element: Hydrogen})
		m.Bonds = append(m.Bonds, Bond{i, len(m.Atoms) - 1, 1})
	}
	return true
}
