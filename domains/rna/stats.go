package rna

import (
	"math"
	"slices"
)

// lowQuantile is the value at rank floor(q (n-1)) of the sorted values, counted from 0: at most a share q lies below.
func lowQuantile[T int | float64](values []T, q float64) T {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Floor(q*float64(len(v)-1)))]
}

// highQuantile is the value at rank ceil(q (n-1)).
func highQuantile[T int | float64](values []T, q float64) T {
	v := slices.Sorted(slices.Values(values))
	return v[int(math.Ceil(q*float64(len(v)-1)))]
}

// homopolymer is the length of the longest run of one letter.
func homopolymer(seq string) int {
	best, run := 0, 0
	for i := range len(seq) {
		if i > 0 && seq[i] == seq[i-1] {
			run++
		} else {
			run = 1
		}
		best = max(best, run)
	}
	return best
}

// complexity is the Shannon entropy in bits of the overlapping dinucleotides, 0 to 4; 0 below two letters. seq is over
// A C G U.
func complexity(seq string) float64 {
	if len(seq) < 2 {
		return 0
	}
	var counts [channels * channels]int
	for i := 1; i < len(seq); i++ {
		counts[int(index(seq[i-1]))*channels+int(index(seq[i]))]++
	}
	h, n := 0.0, float64(len(seq)-1)
	for _, c := range counts {
		if c > 0 {
			p := float64(c) / n
			h -= p * math.Log2(p)
		}
	}
	return h
}

// gcShare is the share of G and C.
func gcShare(seq string) float64 {
	n := 0
	for i := range len(seq) {
		if seq[i] == 'G' || seq[i] == 'C' {
			n++
		}
	}
	return float64(n) / float64(len(seq))
}
