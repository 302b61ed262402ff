package antibody

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// softness is the standard deviation per coordinate of the noise that Confidence's entropy supposes, on the adapter's
// scale.
const softness = 0.25

// Decode takes the largest channel of each position, the first one among equals. NaN counts as the lowest; a tensor
// with any NaN or infinity fails AB_NAN whatever it spells. It panics when x has not the length of the shape.
func (a *adapter) Decode(x []float64, label int) domains.Row {
	if len(x) != a.Free() {
		panic(fmt.Sprintf("antibody: Decode of %d values, the shape has %d", len(x), a.Free()))
	}
	r := &row{label: -1, finite: true}
	if label >= 0 && label < len(a.s.Labels)+len(a.s.Bins) {
		r.label = label
	}
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.finite = false
			break
		}
	}
	symbols := make([]uint8, a.s.positions())
	var margin, entropy float64
	for i := range symbols {
		k, m, h := argmax(x[i*channels : (i+1)*channels])
		symbols[i] = k
		margin += m
		entropy += h
	}
	r.margin = float32(margin / float64(len(symbols)))
	r.entropy = float32(entropy / float64(len(symbols)))
	at := 0
	for _, s := range a.s.sides() {
		p, disordered := takeParts(symbols[at:at+positions[s]], s)
		r.disordered += disordered
		r.chains = append(r.chains, newDomain(s, p))
		at += positions[s]
	}
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// argmax returns the best channel, its lead over the second best, and the entropy in bits of the symbol given x under
// Gaussian noise: p_k is proportional to exp(-|x - code_k|^2 / (2 softness^2)), which is exp(codeScale x_k/softness^2)
// since all codes have the same norm. Values beyond +-1000 count as that in the lead and the entropy, and NaN as -1000:
// codes are within +-2.3.
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
