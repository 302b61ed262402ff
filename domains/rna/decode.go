package rna

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// softness is the standard deviation per coordinate of the noise that Confidence's entropy supposes, in model space.
const softness = 0.25

// Decode takes the largest channel of each column, the first one among equals. A column that holds NaN counts it as
// the lowest; a tensor with any NaN or infinity fails RN_NAN whatever it spells. The column that makes an odd number
// even is not looked at otherwise. It panics when x has not the length of the shape.
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
	columns := make([]uint8, a.s.Columns)
	var margin, entropy float64
	for c := range columns {
		k, m, h := argmax(x[c*channels : (c+1)*channels])
		columns[c] = k
		margin += m
		entropy += h
	}
	r.margin = float32(margin / float64(len(columns)))
	r.entropy = float32(entropy / float64(len(columns)))
	if a.s.Representation == unaligned {
		columns, r.dropped = cutAtPad(columns)
	}
	a.describe(r, columns)
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// argmax returns the best channel, its lead over the second best, and the entropy in bits of the symbol given x under
// Gaussian noise: p_k is proportional to exp(-|x - code_k|^2 / (2 softness^2)), which is exp(codeScale x_k/softness^2)
// since all codes have the same norm. Values beyond +-1000 count as that in the lead and the entropy, and NaN as -1000:
// codes are within +-1.
func argmax(x []float64) (best uint8, margin, entropy float64) {
	const bound = 1000
	var v [channels]float64
	highest := math.Inf(-1)
	for k := range v {
		if x[k] > highest {
			best, highest = uint8(k), x[k]
		}
		v[k] = max(-bound, min(bound, x[k]))
		if math.IsNaN(x[k]) {
			v[k] = -bound
		}
	}
	second, sum := -float64(bound), 0.0
	var p [channels]float64
	for k := range v {
		if k != int(best) {
			second = max(second, v[k])
		}
		p[k] = math.Exp(codeScale / (softness * softness) * (v[k] - v[best]))
		sum += p[k]
	}
	for k := range p {
		if q := p[k] / sum; q > 0 {
			entropy -= q * math.Log2(q)
		}
	}
	return best, v[best] - second, entropy
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
