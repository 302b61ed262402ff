// Package chem holds molecules as Kekulé graphs and the rules of valence: what a molecule may be, its hydrogens, rings,
// mass and fragments. Reading and writing SMILES and SDF is in io/smiles and io/sdf.
package chem

// An Element is an atomic number.
type Element uint8

// An Atom of a molecule. Hydrogens are implicit: a free valence is filled with them.
type Atom struct {
	Element Element
	Charge  int8
}

// A Bond joins atoms I < J. Order is 1, 2 or 3; aromatic bonds are written as alternating single and double ones.
type Bond struct {
	I, J  int
	Order uint8
}

// A Molecule is a Kekulé graph, possibly of several fragments.
type Molecule struct {
	Atoms []Atom
	Bonds []Bond
}
