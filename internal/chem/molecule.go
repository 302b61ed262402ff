// Package chem holds molecules as Kekulé graphs and the rules of valence: what a molecule may be, its hydrogens, rings,
// mass and fragments. Reading and writing SMILES and SDF is in io/smiles and io/sdf.
//
// Hydrogens are implicit. What an atom may bond follows from its element and charge (Element.Valences), and what its
// bonds leave free of the least valence that holds them is filled with hydrogens, less its unpaired electrons. There is
// no stereochemistry, no isotope and no position in space.
//
// Methods other than Check expect a molecule that Check accepts; the readers and FromGraph give only such. They do not
// expect its valences to be possible: that is what Faults is for.
package chem

import "fmt"

// An Atom of a molecule. Hydrogens are implicit: a free valence is filled with them.
type Atom struct {
	Element Element
	Charge  int8  // formal, in units of the elementary charge
	Radical uint8 // unpaired electrons: hydrogens that the atom lacks, 1 in the methyl radical
}

// A Bond joins atoms I < J. Order is 1, 2 or 3; aromatic bonds are written as alternating single and double ones.
type Bond struct {
	I, J  int
	Order uint8
}

// A Molecule is a Kekulé graph, possibly of several fragments. The zero value has no atoms.
type Molecule struct {
	Atoms []Atom
	Bonds []Bond // in any order, no pair twice
}

// Check says what keeps m from being a graph: an element that does not exist, a bond to itself, outside the atoms,
// backwards, repeated, or of an order other than 1, 2 and 3.
func (m *Molecule) Check() error {
	for i, a := range m.Atoms {
		if a.Element == 0 || a.Element > MaxElement {
			return fmt.Errorf("chem: atom %d has atomic number %d, want 1 to %d", i, a.Element, MaxElement)
		}
	}
	seen := make(map[[2]int]int, len(m.Bonds))
	for k, b := range m.Bonds {
		if b.I < 0 || b.I >= b.J || b.J >= len(m.Atoms) {
			return fmt.Errorf("chem: bond %d joins atoms %d and %d, want the lower first, of 0 to %d", k, b.I, b.J, len(m.Atoms)-1)
		}
		if b.Order < 1 || b.Order > 3 {
			return fmt.Errorf("chem: bond %d has order %d, want 1 to 3", k, b.Order)
		}
		if first, twice := seen[[2]int{b.I, b.J}]; twice {
			return fmt.Errorf("chem: bonds %d and %d both join atoms %d and %d", first, k, b.I, b.J)
		}
		seen[[2]int{b.I, b.J}] = k
	}
	return nil
}

// Clone is a copy that shares nothing with m.
func (m *Molecule) Clone() *Molecule {
	return &Molecule{Atoms: append([]Atom(nil), m.Atoms...), Bonds: append([]Bond(nil), m.Bonds...)}
}

// Reorder is m with atom order[k] as its atom k. order holds every atom once, or some of them: then the others and
// their bonds are left out.
func (m *Molecule) Reorder(order []int) *Molecule {
	out := &Molecule{Atoms: make([]Atom, len(order))}
	place := make([]int, len(m.Atoms))
	for i := range place {
		place[i] = -1
	}
	for k, i := range order {
		out.Atoms[k], place[i] = m.Atoms[i], k
	}
	for _, b := range m.Bonds {
		if i, j := place[b.I], place[b.J]; i >= 0 && j >= 0 {
			out.Bonds = append(out.Bonds, Bond{min(i, j), max(i, j), b.Order})
		}
	}
	return out
}

// A Neighbour of an atom: the other end of one of its bonds.
type Neighbour struct {
	Atom, Bond int // indices into Atoms and Bonds
}

// Neighbours lists the bonds of every atom, in the order of Bonds.
func (m *Molecule) Neighbours() [][]Neighbour {
	degree := make([]int, len(m.Atoms))
	for _, b := range m.Bonds {
		degree[b.I]++
		degree[b.J]++
	}
	flat, list := make([]Neighbour, 0, 2*len(m.Bonds)), make([][]Neighbour, len(m.Atoms))
	for i, d := range degree {
		list[i] = flat[len(flat) : len(flat) : len(flat)+d]
		flat = flat[:len(flat)+d]
	}
	for k, b := range m.Bonds {
		list[b.I] = append(list[b.I], Neighbour{b.J, k})
		list[b.J] = append(list[b.J], Neighbour{b.I, k})
	}
	return list
}

// Bonded is the sum of the orders of each atom's bonds.
func (m *Molecule) Bonded() []int {
	sum := make([]int, len(m.Atoms))
	for _, b := range m.Bonds {
		sum[b.I] += int(b.Order)
		sum[b.J] += int(b.Order)
	}
	return sum
}

// HeavyAtoms counts the atoms other than hydrogen.
func (m *Molecule) HeavyAtoms() int {
	n := 0
	for _, a := range m.Atoms {
		if a.Element != Hydrogen {
			n++
		}
	}
	return n
}
