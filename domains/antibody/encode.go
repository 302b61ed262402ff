package antibody

import (
	"fmt"

	"pfgmgen/domains"
)

// codeScale is s of the encoding s (e_k - 1/21), K/(2 sqrt(K-1)) for K = 21: over the channels of a position its mean
// is 0 and its standard deviation 0.5 whatever the symbol.
const codeScale = 2.348

const (
	codeOn  = codeScale * (1 - 1.0/channels)
	codeOff = -codeScale / channels
)

func encode(dst []float64, symbols []uint8) {
	for i := range dst {
		dst[i] = codeOff
	}
	for i, k := range symbols {
		dst[i*channels+int(k)] = codeOn
	}
}

var _ domains.Examples = (*examples)(nil)

// examples hold one symbol per position of the tensor.
type examples struct {
	size   int // coordinates of one sample
	rows   [][]uint8
	keys   []string
	labels []int // nil when unconditional
}

func (e *examples) Len() int         { return len(e.rows) }
func (e *examples) Key(i int) string { return e.keys[i] }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.size {
		panic(fmt.Sprintf("antibody: Encode into %d values, the shape has %d", len(dst), e.size))
	}
	encode(dst, e.rows[i])
	if e.labels == nil {
		return -1
	}
	return e.labels[i]
}
