// Package antibody is the domain of the variable domains of human antibodies: heavy chains, light chains, and pairs of
// both.
//
// # Loading
//
// Load takes these steps, and says in Data.Notes what each of them left out:
//
//  1. Read every file (read.go, table.go): FASTA of single chains or VH:VL, AIRR Rearrangement TSV, OAS data units, and
//     tables of pairs. The format is seen from the content. Rows marked as not productive, and chains with letters
//     other than the 20 amino acids, are left out.
//  2. Place every chain on IMGT's columns (place.go). Columns that the file gives are taken when they spell the sequence
//     and have Cys 23, Trp 41 and Cys 104. All others are aligned: nucleotides are translated in three frames first, what
//     lies before or behind the domain is cut off, and chains without a whole domain (column 3 or earlier to 126 or
//     later) are left out: a frame shift or a stop codon leaves none. Single chains go to the side of their locus;
//     those of one cell_id are paired.
//  3. Choose the chains: the setting chains, or pairs when there are any, or the side that the data have.
//  4. Leave out records with a region that is longer than its width in the tensor.
//  5. Split by the split table (matched by VH:VL, then by either chain, then by id), by the data's own split, or by a hash
//     of the chains in use. Test records are never used. Exact repeats go, and training records that are held out.
//  6. Name the classes for the setting condition, from the training part. A class has at least half a percent of it and
//     30 records: rarer families are the class "other", rarer lengths of CDR3 join at either end.
//
// # Representation
//
// The tensor is [positions, 21], channels A C D E F G H I K L M N P Q R S T V W Y and gap. Each region of IMGT has a fixed
// number of positions (IgCraft's; domains.md 4.1). The first half of its residues stands at their beginning, the second half at
// their end, and gaps fill the middle:
//
//	         FR1 CDR1 FR2 CDR2 FR3 CDR3 FR4
//	heavy     30   15  20   15  42   30  12   164 positions
//	light     26   12  18    8  38   14  11   127, and one that is always a gap: 128
//	paired   the heavy chain's, then the light one's: 292
//
// Of 28,765 pairs (Jaffe et al. 2022), 75 have a longer region, mostly CDR3, and are left out. Every coordinate is free. A
// symbol k is encoded as 2.348 (e_k - 1/21): over the channels of a position the mean is 0 and the standard deviation 0.5.
// Decode takes the largest channel; residues between gaps of a region move up to the others, with a warning.
//
// Gaps in the middle are IMGT's rule for the loops. IgCraft has them at the end; then the last residues of CDR3, which the J
// gene decides, stand somewhere else for each length, and a network blurs them: of the distance between generated and held-out
// residues per position (JS), 60 % lay in CDR3, nine tenths of that in IMGT 113 to 117 (1,500 chains of a model with gaps at the end).
//
// # Numbering
//
// A decoded chain is numbered from its sequence alone, as any other would be: Viterbi alignment with a hidden Markov model
// of each locus over IMGT's 128 columns (align.go), the locus with the best score, then IMGT's rule for the loops, gaps and
// insertions (111A, 112A) in the middle (number.go). Insertions in CDR1 and CDR2 go between 32 and 33, and 60 and 61. The
// models and the germlines for v_call are in profiles/, with the program that makes them from the training part of two sets
// of Observed Antibody Space (CC BY 4.0; Olsen, Boyles, Deane 2022, doi 10.1002/pro.4205; Jaffe et al. 2022, doi
// 10.1038/s41586-022-05371-z; Bernat et al. 2019, doi 10.3389/fimmu.2019.00660). They hold aggregates, no record.
//
// Measured on held-out and test records by TestAgreement and TestRecognition: the columns of anchors 23, 41, 89, 104 and 118
// agree with the recorded ones in 99.5 % of 1,001 heavy chains (Bernat) and 100 % of 1,927 chains up to 104 (Jaffe), CDR3 in
// 99.4 % and 99.9 %, framework residues in 99.98 %. Where they differ the J motif is mutated, or the recorded columns are off
// by an indel. Every chain had its locus, by at least 130 bits; shuffled chains score under 10 bits, domains over 200.
// Scores are in bits over the composition of proteins; they are not HMMER's, whose models and background differ.
//
// The nearest germline is a consensus of this data's nearest genes: its family is right in 99.9 % of held-out chains and its
// gene in 96 %, by the same measure that the data were annotated with (ungapped identity), which is not IgBLAST's.
//
// # Columns
//
// Columns without a suffix are those of the heavy chain of a pair, or of the only chain; those in _light are of the light
// chain of a pair. Lengths and counts are residues, scores bits, mw Da. Names are the AIRR standard's where it has one. There
// is no j_call: the columns hold amino acids only.
//
// # Gates
//
// Codes and thresholds are those of domains.md 4.3, which TestRejects measures on 1,918 heavy and 1,933 light chains of the held-out
// and test parts: the hard gates reject 1.04 % and 1.29 %, nearly all by AB_J_MOTIF (.83 % and 1.29 %) and AB_NO_TRP41 (.21 % and
// 0), which are mutations of memory cells that the recorded columns show as well. So pairs pass at about 97.7 %. Of 10,000
// other chains .06 % had no J motif. Warnings: AB_NGLYC 9.2 % and 3.2 % (15.0 and 7.6 there), AB_ODD_CYS 6.9 % and 9.9 % (10.2
// and 11.7), AB_HYD89 none (.8 and .6).
//
// A gate on a residue fails when the chain has none in that column. Properties of structure, such as the surface patches of the
// therapeutic antibody profiler, are not computed: they need a model in three dimensions.
package antibody
