// Package sdf reads and writes MDL molfiles V2000 and SD files, records of a molfile and named data with "$$$$" after each
// (BIOVIA, CTfile Formats, 2020).
//
// Read are elements, charges, unpaired electrons (M CHG, M RAD, or the atom block when there are neither), valences and
// bonds of order 1 to 3; aromatic bonds (type 4) become single and double ones. Hydrogen atoms become implicit ones where
// the valence brings them back. Coordinates are checked to be numbers and dropped, like isotopes, stereochemistry and
// what else a molfile may say. The rules of valence are those of internal/chem; an atom over its valence is an error.
// Query atoms and bonds, and V3000, are errors.
//
// Written files have all atoms at the origin: who needs a drawing computes one.
package sdf
