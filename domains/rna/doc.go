// Package rna is the domain of RNA sequences, free or on the columns of a family alignment.
//
// # Loading
//
// Load takes these steps, and says in Data.Notes what each of them left out:
//
//  1. Read every file (read.go, table.go). The format is seen from the content: FASTA, Stockholm or TSV, each perhaps
//     compressed. Letters are normalised: T is U, lower case is upper case, "-._~" are gaps.
//  2. Choose the representation: aligned when the records are one Stockholm alignment, or have gaps and equal lengths.
//  3. Drop, refuse or resolve records with IUPAC ambiguity letters.
//  4. Split by the split table (matched by ungapped sequence, then by id), by the data's own split column, or by a hash
//     of the sequence that holds out about a tenth. Test records are never used.
//  5. Drop exact repeats, and training records whose sequence is held out or a test record.
//  6. Name the classes: when every record names a family and there are at least two, each is a label.
//  7. Lay out the columns, and measure the thresholds of the gates on the training part.
//
// # Representations
//
// aligned: the alignment columns in which at least min_column of the training records have a residue. Residues in other
// columns are lost, and Notes give their share. The fifth symbol is the gap. The consensus structure SS_cons is carried
// over to the kept columns: a pair is kept when both of its columns are; pseudoknots (letters in WUSS) are left out. In
// a decoded row a pair exists when both of its columns hold a residue.
//
// unaligned: the sequence from its 5' end, padded to the longest training record rounded up to even. The fifth symbol
// is the pad, and what follows the first pad is dropped with a warning. There is no structure.
//
// The tensor is [columns, 5], channels A C G U and gap or pad. Its column count is even, since networks take two columns
// to a token: an odd alignment gets one column more, always a gap in the data and not looked at when decoding.
//
// With a consensus structure (pairs=joint, the default) it is [positions, 25] instead: a position for each pair, one choice
// among the 25 combinations of its two symbols, and then positions of five columns each for those that do not pair. What
// two paired columns have to do with each other is then in the code itself, and need not be learnt from two noisy columns far
// apart (the pair track of domains.md 5.1, with all combinations, so that nothing is lost).
//
// Every coordinate is free, pads included. Choice k of K is encoded as s (e_k - 1/K), s = K / (2 sqrt(K-1)): the mean over its
// channels is 0 and the standard deviation exactly 0.5, whatever the choice.
//
// # Structure without a fold
//
// Structure and pair checks are those of the family's consensus: whether the bases that should pair can. Nothing here
// folds a sequence or computes an energy.
package rna
