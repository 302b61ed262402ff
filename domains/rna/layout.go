package rna

import "math"

// A layout is where the choices of a row lie in the tensor [positions, channels].
//
// Without pairs a position is one column: a choice among the five symbols. With pairs the first positions are one
// consensus pair each, a choice among the 25 combinations of two symbols, and each of the others holds five columns that do
// not pair, in their order.
type layout struct {
	positions int
	pairs     []pair // one choice each; nil when every column is a choice of its own
	single    []int  // the columns that are a choice of their own
	columns   int
}

const combinations = channels * channels // of the symbols of a pair

// newLayout makes the number of positions even, and with pairs a multiple of 4 above 64, so that networks can take several to a
// token. Choices that are added are always gaps, and not looked at.
func newLayout(columns int, pairs []pair) layout {
	l := layout{columns: columns, pairs: pairs}
	paired := make([]bool, columns)
	for _, p := range pairs {
		paired[p.i], paired[p.j] = true, true
	}
	for c := range columns {
		if !paired[c] {
			l.single = append(l.single, c)
		}
	}
	if len(pairs) == 0 {
		l.positions = (columns + 1) / 2 * 2
		return l
	}
	l.positions = len(pairs) + (len(l.single)+channels-1)/channels
	if l.positions = (l.positions + 1) / 2 * 2; l.positions > 64 {
		l.positions = (l.positions + 3) / 4 * 4
	}
	return l
}

// channels is the number of coordinates of a position.
func (l *layout) channels() int {
	if len(l.pairs) > 0 {
		return combinations
	}
	return channels
}

// size is the number of coordinates; all of them are free.
func (l *layout) size() int { return l.positions * l.channels() }

// encode writes the code of each symbol, gaps after the last.
func (l *layout) encode(dst []float64, symbols []uint8) {
	at := func(column int) uint8 {
		if column < len(symbols) {
			return symbols[column]
		}
		return gapIndex
	}
	for _, p := range l.pairs {
		oneHot(dst[:combinations], int(at(p.i))*channels+int(at(p.j)))
		dst = dst[combinations:]
	}
	for k := range len(dst) / channels {
		symbol := uint8(gapIndex)
		if k < len(l.single) {
			symbol = at(l.single[k])
		}
		oneHot(dst[k*channels:(k+1)*channels], int(symbol))
	}
}

// decode reads the symbols of the columns, and the means over the choices of the lead over the second best and of the
// entropy in bits.
func (l *layout) decode(x []float64) (symbols []uint8, margin, entropy float64) {
	symbols = make([]uint8, l.columns)
	add := func(m, h float64) { margin, entropy = margin+m, entropy+h }
	for _, p := range l.pairs {
		k, m, h := argmax(x[:combinations])
		symbols[p.i], symbols[p.j] = uint8(k/channels), uint8(k%channels)
		add(m, h)
		x = x[combinations:]
	}
	for k, column := range l.single {
		best, m, h := argmax(x[k*channels : (k+1)*channels])
		symbols[column] = uint8(best)
		add(m, h)
	}
	n := float64(len(l.pairs) + len(l.single))
	return symbols, margin / n, entropy / n
}

// codeScale is s of the encoding s (e_k - 1/K) of a choice among K: over its channels the mean is 0 and the standard
// deviation exactly 0.5, whatever the choice.
func codeScale(k int) float64 { return float64(k) / (2 * math.Sqrt(float64(k-1))) }

func oneHot(dst []float64, k int) {
	s := codeScale(len(dst))
	for j := range dst {
		dst[j] = -s / float64(len(dst))
	}
	dst[k] = s * (1 - 1/float64(len(dst)))
}

// argmax returns the best channel, its lead over the second best, and the entropy in bits of the choice given x under
// Gaussian noise: p_k is proportional to exp(-|x - code_k|^2 / (2 softness^2)), which is exp(s x_k/softness^2) since all
// codes have the same norm. Values beyond +-1000 count as that in the lead and the entropy, and NaN as -1000: codes are
// within +-3.
func argmax(x []float64) (best int, margin, entropy float64) {
	const bound = 1000
	clip := func(v float64) float64 {
		if math.IsNaN(v) {
			return -bound
		}
		return max(-bound, min(bound, v))
	}
	highest := math.Inf(-1)
	for k, v := range x {
		if v > highest {
			best, highest = k, v
		}
	}
	top, second, sum := clip(x[best]), -float64(bound), 0.0
	scale := codeScale(len(x)) / (softness * softness)
	for k, v := range x {
		v = clip(v)
		if k != best {
			second = max(second, v)
		}
		sum += math.Exp(scale * (v - top))
	}
	for _, v := range x {
		if q := math.Exp(scale*(clip(v)-top)) / sum; q > 0 {
			entropy -= q * math.Log2(q)
		}
	}
	return best, top - second, entropy
}
