package rna

import (
	"fmt"

	"pfgmgen/domains"
)

var _ domains.Examples = (*examples)(nil)

// examples hold one symbol per column.
type examples struct {
	layout layout
	rows   [][]uint8 // symbols; the rest of the columns is gaps
	labels []int     // nil when unconditional
}

func (e *examples) Len() int { return len(e.rows) }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.layout.size() {
		panic(fmt.Sprintf("rna: Encode into %d values, the shape has %d", len(dst), e.layout.size()))
	}
	e.layout.encode(dst, e.rows[i])
	return e.label(i)
}

func (e *examples) Key(i int) string { return residues(e.rows[i]) }

func (e *examples) label(i int) int {
	if e.labels == nil {
		return -1
	}
	return e.labels[i]
}

// symbols are the channels of a text over the alphabet.
func symbols(text []byte) []uint8 {
	out := make([]uint8, len(text))
	for i, c := range text {
		out[i] = index(c)
	}
	return out
}

// residues is the sequence that symbols spell without their gaps.
func residues(symbols []uint8) string {
	out := make([]byte, 0, len(symbols))
	for _, k := range symbols {
		if k != gapIndex {
			out = append(out, alphabet[k])
		}
	}
	return string(out)
}
