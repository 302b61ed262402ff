// Package smiles reads and writes SMILES, molecules as one line of text (opensmiles.org, version 1.0).
//
// Read are the organic subset, bracket atoms with any element, hydrogen counts and charges of -15 to +15, the bonds - = # :
// / \, branches, ring closures including %nn, and fragments. Aromatic lower-case atoms (b c n o p s, in brackets also si as
// se te) become single and double bonds. Isotopes, atom classes, and all stereochemistry are checked and dropped;
// hydrogen atoms become implicit ones where the valence brings them back. The rules of valence are those of
// internal/chem: an atom over its valence is an error at its place, also where other programs make an exception (neutral
// five-valent nitrogen, chlorine and iodine with more than one bond).
//
// Not read: the wildcard *, quadruple bonds $, reactions, and more than MaxAtoms atoms.
//
// Written are Kekulé structures, without lower case, so that no reader's idea of aromaticity matters. The text depends on
// the molecule and not on the numbering of its atoms. Write keeps the given double bonds; Canonical also gives all
// Kekulé structures of fused six-membered rings one text. It is not the canonical SMILES of another program.
package smiles
