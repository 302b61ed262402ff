package graphs

import "math"

// A layout is where the coordinates of a graph lie in the tensor [positions, channels]. Position i has, in this order,
// the one-hot of its node's class (when there are two classes or more), the one-hot of its hydrogens (molecules), and
// for k = 1..bandwidth the edge between positions i and i-k: the one-hot of none and the edge types, or with one type
// a single channel, +1 for an edge and -1 for none. Positions behind the last node, and edges to positions below 0, are
// absent: exactly 0.
type layout struct {
	positions int
	largest   int // nodes of the largest graph, at most positions
	bandwidth int
	nodes     int // channels of the node's class, 0 or at least 2
	hydrogens int // channels of the hydrogens, 0 or at least 2
	edges     int // channels of one edge, 1 or at least 3
	channels  int // of a position
}

// newLayout rounds the number of positions up to an even one, and to a multiple of 4 above 64, so that networks can take
// several to a token; what is behind the largest graph is always absent.
func newLayout(largest, bandwidth, nodeClasses, hydrogens, edgeTypes int) layout {
	positions := (largest + 1) / 2 * 2
	if positions > 64 {
		positions = (positions + 3) / 4 * 4
	}
	l := layout{positions: positions, largest: largest, bandwidth: bandwidth, hydrogens: hydrogens, edges: 1}
	if nodeClasses > 1 {
		l.nodes = nodeClasses
	}
	if edgeTypes > 1 {
		l.edges = 1 + edgeTypes
	}
	l.channels = l.nodes + l.hydrogens + bandwidth*l.edges
	return l
}

// size is the number of coordinates, absent ones included.
func (l layout) size() int { return l.positions * l.channels }

// present is the number of channels that position i has when there is a node.
func (l layout) present(i int) int { return l.nodes + l.hydrogens + min(i, l.bandwidth)*l.edges }

// free is the number of coordinates of a graph of n nodes.
func (l layout) free(n int) int {
	sum := 0
	for i := range n {
		sum += l.present(i)
	}
	return sum
}

// mask sets to 0 what a graph of n nodes has not.
func (l layout) mask(x []float64, n int) {
	for i := range l.positions {
		from := i * l.channels
		if i < n {
			from += l.present(i)
		}
		clear(x[from : (i+1)*l.channels])
	}
}

// nodesOf is the number of nodes of a sample: positions up to the last that is not absent.
func (l layout) nodesOf(x []float64) int {
	for i := l.largest - 1; i >= 0; i-- {
		for _, v := range x[i*l.channels : i*l.channels+l.present(i)] {
			if v != 0 {
				return i + 1
			}
		}
	}
	return 0
}

// codes is the number of codes per node: its class, its hydrogens, its edges back.
func (l layout) codes() int { return 2 + l.bandwidth }

// encode writes the codes of a graph's nodes.
func (l layout) encode(dst []float64, codes []uint8) {
	clear(dst)
	step := l.codes()
	for i := range len(codes) / step {
		c, x := codes[i*step:(i+1)*step], dst[i*l.channels:(i+1)*l.channels]
		x = oneHot(x, l.nodes, c[0])
		x = oneHot(x, l.hydrogens, c[1])
		for k := range min(i, l.bandwidth) {
			if l.edges > 1 {
				x = oneHot(x, l.edges, c[2+k])
				continue
			}
			x[0] = -1
			if c[2+k] > 0 {
				x[0] = 1
			}
			x = x[1:]
		}
	}
}

// oneHotScale is s of the one-hot code s (e_k - 1/K): mean 0 and standard deviation 0.5 over its K channels.
func oneHotScale(k int) float64 { return float64(k) / (2 * math.Sqrt(float64(k-1))) }

// oneHot writes class c of k classes, nothing when k is 0, and returns the rest of x.
func oneHot(x []float64, k int, c uint8) []float64 {
	if k == 0 {
		return x
	}
	s := oneHotScale(k)
	for j := range k {
		x[j] = -s / float64(k)
	}
	x[c] = s * (1 - 1/float64(k))
	return x[k:]
}

// choices sums up how decided the choices of a decoding were.
type choices struct {
	margin, entropy float64
	n               int
}

// softness is the standard deviation per coordinate of the noise that the entropy supposes.
const softness = 0.25

// bound is where values are cut for margin and entropy; codes are within +-2.
const bound = 1000

// decode reads the codes of the first n positions. NaN counts as the lowest value, and the first of equals is taken.
func (l layout) decode(x []float64, n int) (codes []uint8, all choices) {
	step := l.codes()
	codes = make([]uint8, n*step)
	for i := range n {
		c, x := codes[i*step:(i+1)*step], x[i*l.channels:(i+1)*l.channels]
		c[0], x = all.choose(x, l.nodes)
		c[1], x = all.choose(x, l.hydrogens)
		for k := range min(i, l.bandwidth) {
			if l.edges > 1 {
				c[2+k], x = all.choose(x, l.edges)
				continue
			}
			c[2+k] = all.sign(x[0])
			x = x[1:]
		}
	}
	return codes, all
}

func clip(v float64) float64 {
	if math.IsNaN(v) {
		return -bound
	}
	return max(-bound, min(bound, v))
}

// choose takes the largest of k channels. Under Gaussian noise the probability of class j is proportional to
// exp(s x_j / softness^2), since all codes have the same norm.
func (a *choices) choose(x []float64, k int) (best uint8, rest []float64) {
	if k == 0 {
		return 0, x
	}
	highest := math.Inf(-1)
	for j, v := range x[:k] {
		if v > highest {
			best, highest = uint8(j), v
		}
	}
	top, second, sum := clip(x[best]), -float64(bound), 0.0
	scale := oneHotScale(k) / (softness * softness)
	for j, v := range x[:k] {
		v = clip(v)
		if j != int(best) {
			second = max(second, v)
		}
		sum += math.Exp(scale * (v - top))
	}
	for _, v := range x[:k] {
		if p := math.Exp(scale*(clip(v)-top)) / sum; p > 0 {
			a.entropy -= p * math.Log2(p)
		}
	}
	a.margin += top - second
	a.n++
	return best, x[k:]
}

// sign takes a channel of +-1: an edge above 0. Its margin is how much further the other code is away.
func (a *choices) sign(x float64) uint8 {
	v := clip(x)
	p := 1 / (1 + math.Exp(2*math.Abs(v)/(softness*softness))) // of the other choice
	if p > 0 {
		a.entropy -= p*math.Log2(p) + (1-p)*math.Log2(1-p)
	}
	a.margin += 2 * math.Abs(v)
	a.n++
	if v > 0 {
		return 1
	}
	return 0
}

// confidence is the mean over the choices.
func (a choices) confidence() (margin, entropy float32) {
	if a.n == 0 {
		return 0, 0
	}
	return float32(a.margin / float64(a.n)), float32(a.entropy / float64(a.n))
}
