package graph

import (
	"math"
	"slices"
)

// The stochastic block model of SPECTRE (Martinkus et al. 2022): probabilities of an edge within and across blocks.
const (
	sbmWithin = 0.3
	sbmAcross = 0.005
)

// IsSBM says whether g looks like the family sbm, approximately as SPECTRE and its followers do: blocks are found by
// describing g in the fewest bits; there must be 2 to 5 of 20 to 40 nodes; and for the share p of joined pairs in each
// block and between each two, the probability of a chi-squared value above (p-q)^2 / (p(1-p)+1e-6), with q the family's 0.3
// or 0.005, must be above 0.9 on average over the matrix of blocks.
//
// That is their formula: the number of pairs is not in it, so it is no test at a level of 0.9, and two blocks without an
// edge between them count as 0; some draws of the family fail for that. Approximate because they search blocks by Markov
// chains of graph-tool with correction for degrees; here modularity, merges and moves of single nodes do, without.
func (g *Graph) IsSBM() bool {
	if g.N < 2*20 || g.N > 5*40 || len(g.Edges) == 0 {
		return false
	}
	f := fitBlocks(g)
	if f.blocks < 2 || f.blocks > 5 {
		return false
	}
	sum := 0.0
	for r := range f.blocks {
		if f.size[r] < 20 || f.size[r] > 40 {
			return false
		}
		for s := range f.blocks {
			want := sbmAcross
			if r == s {
				want = sbmWithin
			}
			p := float64(f.edges[r][s]) / (float64(f.pairs(r, s)) + 1e-6)
			w := (p - want) * (p - want) / (p*(1-p) + 1e-6)
			sum += math.Erfc(math.Sqrt(w / 2))
		}
	}
	return sum/float64(f.blocks*f.blocks) > 0.9
}

// A fit is a partition of the nodes into blocks.
type fit struct {
	neighbours [][]int
	block      []int // by node
	blocks     int
	size       []int
	edges      [][]int   // within a block once
	factorials []float64 // logarithms
}

// fitBlocks seeks the partition of least description length. It takes memory and time for small graphs, hundreds of nodes.
func fitBlocks(g *Graph) *fit {
	f := newFit(g, modules(g))
	f.mergeAll()
	for before := math.Inf(1); ; {
		f.moveAll()
		f.mergeAll()
		if now := f.length(); now >= before-1e-9 { // rounding of some hundred terms of up to 1e4
			return f
		} else {
			before = now
		}
	}
}

// newFit numbers the blocks by their first nodes.
func newFit(g *Graph, block []int) *fit {
	f := &fit{neighbours: g.Neighbours(), block: make([]int, g.N)}
	number := make(map[int]int)
	for v, b := range block {
		if _, ok := number[b]; !ok {
			number[b] = len(number)
		}
		f.block[v] = number[b]
	}
	f.recount()
	// Up to the pairs of n nodes, and the pairs of n blocks with as many edges.
	f.factorials = make([]float64, 1+g.N*(g.N+1)/2+g.N*(g.N-1)/2)
	for i := 2; i < len(f.factorials); i++ {
		f.factorials[i] = f.factorials[i-1] + math.Log(float64(i))
	}
	return f
}

func (f *fit) count(r, s, n int) {
	f.edges[r][s] += n
	if r != s {
		f.edges[s][r] += n
	}
}

// pairs is the number of pairs of nodes that edges between two blocks, or in one, can join.
func (f *fit) pairs(r, s int) int {
	if r == s {
		return f.size[r] * (f.size[r] - 1) / 2
	}
	return f.size[r] * f.size[s]
}

// choose is the logarithm of a binomial coefficient.
func (f *fit) choose(n, k int) float64 {
	return f.factorials[n] - f.factorials[k] - f.factorials[n-k]
}

// choice is what it takes to say which pairs of two blocks are joined.
func (f *fit) choice(r, s int) float64 {
	return f.choose(f.pairs(r, s), f.edges[r][s])
}

// length is the description length in nats (Peixoto 2017, without correction for degrees): the number, sizes and members
// of the blocks, the number of edges between each two, and which these are.
func (f *fit) length() float64 {
	n, b, m := len(f.block), f.blocks, 0
	sum := math.Log(float64(n)) + f.factorials[n]
	for r := range f.blocks {
		sum -= f.factorials[f.size[r]]
		for s := range r + 1 {
			sum += f.choice(r, s)
			m += f.edges[r][s]
		}
	}
	return sum + f.choose(n-1, b-1) + f.choose(b*(b+1)/2+m-1, m)
}

// touching sums choice over the pairs of blocks with r or s in them.
func (f *fit) touching(r, s int) float64 {
	sum := f.choice(r, r) + f.choice(r, s) + f.choice(s, s)
	for t := range f.blocks {
		if t != r && t != s {
			sum += f.choice(r, t) + f.choice(s, t)
		}
	}
	return sum
}

// mergeAll joins two blocks at a time, the best two, down to one, and keeps the best of all stages.
func (f *fit) mergeAll() {
	best, shortest := slices.Clone(f.block), f.length()
	for f.blocks > 1 {
		a, b, gain := 0, 1, math.Inf(-1)
		for r := range f.blocks {
			for s := range r {
				// The choice of edges, and what the members take less.
				if g := f.touching(r, s) - f.choiceMerged(r, s) + f.choose(f.size[r]+f.size[s], f.size[r]); g > gain {
					a, b, gain = s, r, g
				}
			}
		}
		for v, block := range f.block {
			switch {
			case block == b:
				f.block[v] = a
			case block == f.blocks-1:
				f.block[v] = b
			}
		}
		f.recount()
		if l := f.length(); l < shortest {
			best, shortest = slices.Clone(f.block), l
		}
	}
	f.block = best
	f.recount()
}

// choiceMerged sums choice over the pairs of blocks with the union of r and s in them.
func (f *fit) choiceMerged(r, s int) float64 {
	n := f.size[r] + f.size[s]
	sum := f.choose(n*(n-1)/2, f.edges[r][r]+f.edges[r][s]+f.edges[s][s])
	for t := range f.blocks {
		if t != r && t != s {
			sum += f.choose(n*f.size[t], f.edges[r][t]+f.edges[s][t])
		}
	}
	return sum
}

// recount computes everything from the blocks of nodes, which are 0 to some number without gaps.
func (f *fit) recount() {
	f.blocks = 0
	for _, b := range f.block {
		f.blocks = max(f.blocks, b+1)
	}
	f.size, f.edges = make([]int, f.blocks), make([][]int, f.blocks)
	for r := range f.edges {
		f.edges[r] = make([]int, f.blocks)
	}
	for v, list := range f.neighbours {
		f.size[f.block[v]]++
		for _, w := range list {
			if v < w {
				f.count(f.block[v], f.block[w], 1)
			}
		}
	}
}

// moveAll moves single nodes to other blocks while that shortens the description, at most 20 times round.
func (f *fit) moveAll() {
	for range 20 {
		moved := false
		for v := range f.block {
			from := f.block[v]
			if f.size[from] == 1 {
				continue // merges do that
			}
			best, gain := from, 1e-9
			for to := range f.blocks {
				if to == from {
					continue
				}
				// Only factorials of the sizes change beside the choice of edges.
				before := f.touching(from, to) - math.Log(float64(f.size[from])) + math.Log(float64(f.size[to]+1))
				f.move(v, to)
				if g := before - f.touching(from, to); g > gain {
					best, gain = to, g
				}
				f.move(v, from)
			}
			if best != from {
				f.move(v, best)
				moved = true
			}
		}
		if !moved {
			return
		}
	}
}

func (f *fit) move(v, to int) {
	from := f.block[v]
	for _, w := range f.neighbours[v] {
		f.count(from, f.block[w], -1)
		f.count(to, f.block[w], 1)
	}
	f.size[from]--
	f.size[to]++
	f.block[v] = to
}

// modules groups nodes by moving each to the group of its neighbours that raises modularity most, from single nodes until
// nothing moves or 50 times round: the first phase of Blondel et al. (2008). The groups are smaller than blocks. Nodes
// without neighbours are one group.
func modules(g *Graph) []int {
	neighbours := g.Neighbours()
	group, total := make([]int, g.N), make([]int, g.N) // the sum of degrees by group
	for v, list := range neighbours {
		group[v], total[v] = v, len(list)
		if len(list) == 0 {
			group[v] = slices.IndexFunc(neighbours, func(list []int) bool { return len(list) == 0 })
		}
	}
	twice := float64(2 * len(g.Edges))
	links := make([]int, g.N)
	for range 50 {
		moved := false
		for v, list := range neighbours {
			d := float64(len(list))
			for _, w := range list {
				links[group[w]]++
			}
			from := group[v]
			total[from] -= len(list)
			best, most := from, float64(links[from])-d*float64(total[from])/twice
			for _, w := range list {
				to := group[w]
				if gain := float64(links[to]) - d*float64(total[to])/twice; gain > most+1e-12 {
					best, most = to, gain
				}
			}
			for _, w := range list {
				links[group[w]] = 0
			}
			total[best] += len(list)
			if best != from {
				group[v], moved = best, true
			}
		}
		if !moved {
			break
		}
	}
	return group
}
