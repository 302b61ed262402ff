package rna

import (
	"fmt"
	"math"
)

// layOut chooses the columns, and carries the consensus structure over to them.
func (l *loader) layOut() error {
	if l.s.Representation == unaligned {
		return l.layOutUnaligned()
	}
	width := len(l.train[0].text)
	filled, all := make([]int, width), 0
	for _, r := range l.train {
		for c, symbol := range r.text {
			if symbol != gap {
				filled[c]++
				all++
			}
		}
	}
	kept, at := 0, make(map[int]int)
	for c, n := range filled {
		if n > 0 && float64(n) >= l.minColumn*float64(len(l.train)) {
			at[c] = len(l.kept)
			l.kept = append(l.kept, c)
			kept += n
		}
	}
	l.s.Columns = len(l.kept)
	switch {
	case len(l.kept) == 0:
		return fmt.Errorf("rna: no column has residues in %g of the training records; lower min_column", l.minColumn)
	case len(l.kept) > maxColumns:
		return fmt.Errorf("rna: %d alignment columns, at most %d are supported; raise min_column", len(l.kept), maxColumns)
	}
	l.note("%d of %d alignment columns kept (at least %g %% filled), %.3g %% of the training residues lost",
		len(l.kept), width, 100*l.minColumn, 100*float64(all-kept)/float64(all))
	if l.dropAlike(); len(l.train) == 0 {
		return fmt.Errorf("rna: no training record is left that differs from the held-out ones in the kept columns; lower min_column")
	}
	if len(l.alignments) == 0 || l.alignments[0].structure == "" {
		l.note("no consensus structure: rows get none, and their pairs are not checked")
		return nil
	}
	pairs, err := parsePairs(l.alignments[0].structure)
	if err != nil {
		return fmt.Errorf("rna: %s: SS_cons: %w", l.alignments[0].file, err)
	}
	var carried []pair
	for _, p := range pairs {
		i, okI := at[p.i]
		j, okJ := at[p.j]
		if okI && okJ {
			carried = append(carried, pair{i, j})
		}
	}
	if len(carried) == 0 {
		l.note("no pair of the consensus structure lies on kept columns: rows get none, and their pairs are not checked")
		return nil
	}
	l.s.Structure = dotBracket(carried, len(l.kept))
	if l.pairs == joint {
		l.s.Pairs = joint
	}
	return nil
}

// dropAlike leaves out records that have no residue in the kept columns, and those that the dropped columns alone told
// apart from another.
func (l *loader) dropAlike() {
	empty, alike := 0, 0
	seen := make(map[[2]string]bool)
	for _, part := range []*[]*record{&l.valid, &l.train} { // the held-out one first: it keeps its records
		out := (*part)[:0]
		for _, r := range *part {
			key := [2]string{residues(l.symbols(r)), r.family}
			switch {
			case key[0] == "":
				empty++
			case seen[key]:
				alike++
			default:
				seen[key] = true
				out = append(out, r)
			}
		}
		*part = out
	}
	if empty > 0 {
		l.note("%d records without a residue in the kept columns dropped", empty)
	}
	if alike > 0 {
		l.note("%d records dropped that equal another one in the kept columns", alike)
	}
}

func (l *loader) layOutUnaligned() error {
	longest := l.train[0]
	for _, r := range l.train {
		if len(r.seq) > len(longest.seq) {
			longest = r
		}
	}
	l.s.Columns = (len(longest.seq) + 1) / 2 * 2
	if l.s.Columns > maxColumns {
		return fmt.Errorf("rna: record %s has %d nt, at most %d are supported", longest.id, len(longest.seq), maxColumns)
	}
	fitting := l.valid[:0]
	for _, r := range l.valid {
		if len(r.seq) <= l.s.Columns {
			fitting = append(fitting, r)
		}
	}
	if n := len(l.valid) - len(fitting); n > 0 {
		l.note("%d held-out records longer than the longest training record left out", n)
	}
	l.valid = fitting
	return nil
}

// fit measures the thresholds of the gates on the training part.
func (l *loader) fit() error {
	s := &l.s
	s.Version, s.Alphabet = settingsVersion, alphabet
	pairs, err := parsePairs(s.Structure)
	if err != nil {
		return fmt.Errorf("rna: %w", err)
	}
	byFamily := make(map[string][]int)
	var lengths, runs, halves []int
	var entropies, shares []float64
	for _, r := range l.train {
		columns := l.symbols(r)
		seq, counts := residues(columns), countPairs(columns, pairs)
		lengths = append(lengths, len(seq))
		byFamily[r.family] = append(byFamily[r.family], len(seq))
		runs = append(runs, homopolymer(seq))
		entropies = append(entropies, complexity(seq))
		halves = append(halves, counts.half)
		shares = append(shares, counts.share())
	}
	s.Lengths = append(s.Lengths, lengthRange(lengths))
	if s.classes() > 0 {
		for _, f := range s.Families {
			s.Lengths = append(s.Lengths, lengthRange(byFamily[f]))
		}
	}
	s.Homopolymer = highQuantile(runs, 0.999)
	s.Complexity = lowQuantile(entropies, 0.001)
	if s.Structure != "" {
		s.HalfPairs = highQuantile(halves, 0.999)
		s.PairShare = min(0.9, lowQuantile(shares, 0.005))
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("rna: the data give settings that cannot be used: %w", err)
	}
	return nil
}

// lengthRange is the 0.1 % to 99.9 % quantile, 10 % wider on both sides.
func lengthRange(lengths []int) [2]int {
	return [2]int{
		int(math.Floor(0.9 * float64(lowQuantile(lengths, 0.001)))),
		int(math.Ceil(1.1 * float64(highQuantile(lengths, 0.999)))),
	}
}
