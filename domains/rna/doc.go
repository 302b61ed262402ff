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
// to a token: an odd alignment gets one column more, always a gap in the data and not looked at when decoding. Every
// coordinate is free, pads included.
//
// A symbol k is encoded as 1.25 (e_k - 1/5). The mean over the five channels is then 0 and the standard deviation
// exactly 0.5, whatever the symbols: sqrt((0.8^2 + 4 0.2^2)/5) = 0.4, times 1.25.
//
// # Structure without a fold
//
// Structure and pair checks are those of the family's consensus: whether the bases that should pair can. Nothing here
// folds a sequence or computes an energy.
package rna
