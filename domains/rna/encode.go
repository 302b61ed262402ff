package rna

import (
	"fmt"

	"pfgmgen/domains"
)

// codeScale is s of the encoding s (e_k - 1/5): over the five channels of a column its mean is 0 and its standard
// deviation exactly 0.5, whatever the symbol.
const codeScale = 1.25

const (
	codeOn  = codeScale * (1 - 1.0/channels)
	codeOff = -codeScale / channels
)

// encode writes the code of each symbol, gaps after the last.
func encode(dst []float64, symbols []uint8) {
	for i := range dst {
		dst[i] = codeOff
	}
	for column := range len(dst) / channels {
		symbol := uint8(gapIndex)
		if column < len(symbols) {
			symbol = symbols[column]
		}
		dst[column*channels+int(symbol)] = codeOn
	}
}

var _ domains.Examples = (*examples)(nil)

// examples hold one symbol per column.
type examples struct {
	size   int       // coordinates of one sample
	rows   [][]uint8 // symbols; the rest of the columns is gaps
	labels []int     // nil when unconditional
}

func (e *examples) Len() int { return len(e.rows) }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.size {
		panic(fmt.Sprintf("rna: Encode into %d values, the shape has %d", len(dst), e.size))
	}
	encode(dst, e.rows[i])
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
