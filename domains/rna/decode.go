package rna

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// softness is the standard deviation per coordinate of the noise that Confidence's entropy supposes, in model space.
const softness = 0.25

// Decode takes the largest channel of each choice, the first one among equals. NaN counts as the lowest; a tensor with any
// NaN or infinity fails RN_NAN whatever it spells. What is added to fill the tensor is not looked at otherwise. It panics
// when x has not the length of the shape.
func (a *adapter) Decode(x []float64, label int) domains.Row {
	if len(x) != a.Free() {
		panic(fmt.Sprintf("rna: Decode of %d values, the shape has %d", len(x), a.Free()))
	}
	r := &row{family: a.family(label), lengths: a.lengths(label), finite: true}
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.finite = false
			break
		}
	}
	columns, margin, entropy := a.layout.decode(x)
	r.margin, r.entropy = float32(margin), float32(entropy)
	if a.s.Representation == unaligned {
		columns, r.dropped = cutAtPad(columns)
	}
	a.describe(r, columns)
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// cutAtPad cuts at the first pad and counts the residues behind it.
func cutAtPad(columns []uint8) (kept []uint8, dropped int) {
	for i, k := range columns {
		if k != gapIndex {
			continue
		}
		for _, rest := range columns[i:] {
			if rest != gapIndex {
				dropped++
			}
		}
		return columns[:i], dropped
	}
	return columns, 0
}

// describe fills in what the symbols say.
func (a *adapter) describe(r *row, columns []uint8) {
	r.seq = residues(columns)
	r.homopolymer = homopolymer(r.seq)
	r.complexity = complexity(r.seq)
	if a.partner == nil {
		return
	}
	r.pairs = countPairs(columns, a.pairs)
	structure := make([]byte, 0, len(r.seq))
	for c, k := range columns {
		if k == gapIndex {
			continue
		}
		p := a.partner[c]
		switch {
		case p < 0 || columns[p] == gapIndex:
			structure = append(structure, '.')
		case p > c:
			structure = append(structure, '(')
		default:
			structure = append(structure, ')')
		}
	}
	r.structure, r.folded = string(structure), true
}
