package graphs

import (
	"math"

	"pfgmgen/internal/graph"
)

// What the graphs of the SBM benchmark are drawn from (Martinkus et al., SPECTRE, ICML 2022).
const (
	sbmWithin, sbmBetween = 0.3, 0.005 // edge probabilities
	sbmBlocks             = 5          // at most; at least 2
	sbmSmall, sbmLarge    = 20, 40     // nodes of a block
	sbmMean               = 0.9        // the mean p must be above
)

// isSBM finds blocks and holds them to the benchmark's rule: 2 to 5 blocks of 20 to 40 nodes, and a mean above 0.9 of the
// p values of Wald tests, one for each ordered pair of blocks, of its edge probability against the true one. The benchmark
// finds blocks by description length and Markov chains (graph-tool), here it is done greedily, which on graphs with such
// probabilities finds the true blocks all but always. The rule is strict: it rejects one in nine of the graphs of the
// model itself, by the true blocks too.
func isSBM(g *graph.Graph) bool {
	block := mergeBlocks(g, communities(g))
	sizes := make([]int, 0, sbmBlocks)
	for _, b := range block {
		if b >= sbmBlocks {
			return false
		}
		for len(sizes) <= b {
			sizes = append(sizes, 0)
		}
		sizes[b]++
	}
	if len(sizes) < 2 {
		return false
	}
	for _, n := range sizes {
		if n < sbmSmall || n > sbmLarge {
			return false
		}
	}
	edges := make([][]float64, len(sizes))
	for i := range edges {
		edges[i] = make([]float64, len(sizes))
	}
	for _, e := range g.Edges {
		edges[block[e.U]][block[e.V]]++
		edges[block[e.V]][block[e.U]]++
	}
	sum := 0.0
	for i, row := range edges {
		for j, m := range row {
			pairs, p := float64(sizes[i]*sizes[j]), sbmBetween
			if i == j {
				pairs, p = float64(sizes[i]*(sizes[i]-1)), sbmWithin
			}
			share := m / (pairs + 1e-6)
			w := (share - p) * (share - p) / (share*(1-share) + 1e-6)
			sum += math.Erfc(math.Sqrt(w / 2)) // 1 - CDF of chi-squared with one degree of freedom
		}
	}
	return sum/float64(len(sizes)*len(sizes)) > sbmMean
}

// mergeBlocks joins two blocks as long as that shortens the description of the graph: modularity splits blocks that are
// large against the graph.
func mergeBlocks(g *graph.Graph, block []int) []int {
	for {
		best, length := block, descriptionLength(g, block)
		count := 0
		for _, b := range block {
			count = max(count, b+1)
		}
		if count > 4*sbmBlocks { // so many are no graph of the model, and joining them takes count^3 steps
			return block
		}
		for i := range count {
			for j := i + 1; j < count; j++ {
				joined := make([]int, len(block))
				for v, b := range block {
					switch {
					case b == j:
						b = i
					case b > j:
						b--
					}
					joined[v] = b
				}
				if l := descriptionLength(g, joined); l < length {
					best, length = joined, l
				}
			}
		}
		if len(best) == 0 || &best[0] == &block[0] {
			return block
		}
		block = best
	}
}

// descriptionLength is that of the graph and its blocks in nats: the edges of each pair of blocks, given their number;
// these numbers; and the blocks of the nodes (Peixoto 2013, without a correction for degrees).
func descriptionLength(g *graph.Graph, block []int) float64 {
	var sizes []float64
	for _, b := range block {
		for len(sizes) <= b {
			sizes = append(sizes, 0)
		}
		sizes[b]++
	}
	count := len(sizes)
	edges := make([]float64, count*count)
	for _, e := range g.Edges {
		a, b := block[e.U], block[e.V]
		edges[min(a, b)*count+max(a, b)]++
	}
	length := logFactorial(float64(len(block)))
	for i, n := range sizes {
		length -= logFactorial(n)
		for j := i; j < count; j++ {
			pairs, m := n*sizes[j], edges[i*count+j]
			if i == j {
				pairs = n * (n - 1) / 2
			}
			length += logFactorial(pairs) - logFactorial(m) - logFactorial(pairs-m) + math.Log(pairs+1)
		}
	}
	return length
}

func logFactorial(n float64) float64 {
	v, _ := math.Lgamma(n + 1)
	return v
}

// communities numbers the nodes' communities from 0 by the Louvain method (Blondel et al. 2008): nodes move to the
// neighbouring community that raises modularity most, then communities become nodes, until nothing moves. Nodes are
// visited in rising order, and the first of equal gains is taken.
func communities(g *graph.Graph) []int {
	of := make([]int, g.N) // the current node of each node of g
	type link map[int]float64
	links := make([]link, g.N)
	for v := range links {
		of[v], links[v] = v, link{}
	}
	for _, e := range g.Edges {
		links[e.U][e.V]++
		links[e.V][e.U]++
	}
	total := 2 * float64(len(g.Edges))
	for total > 0 {
		home, degree, weight := make([]int, len(links)), make([]float64, len(links)), make([]float64, len(links))
		for v, l := range links {
			home[v] = v
			for _, w := range l {
				degree[v] += w // whole numbers, so the order of a map's keys does not matter
			}
			weight[v] = degree[v]
		}
		moved := false
		for again := true; again; {
			again = false
			for v, l := range links {
				to := make([]float64, len(links))
				for u, w := range l {
					if u != v {
						to[home[u]] += w
					}
				}
				weight[home[v]] -= degree[v]
				best, gain := home[v], to[home[v]]-degree[v]*weight[home[v]]/total
				for c, w := range to {
					if x := w - degree[v]*weight[c]/total; w > 0 && x > gain+1e-9 { // rounding must not move a node for ever
						best, gain = c, x
					}
				}
				weight[best] += degree[v]
				if best != home[v] {
					home[v], again, moved = best, true, true
				}
			}
		}
		number, next := make(map[int]int), []link(nil)
		for _, c := range home {
			if _, ok := number[c]; !ok {
				number[c] = len(number)
				next = append(next, link{})
			}
		}
		for v, l := range links {
			for u, w := range l {
				next[number[home[v]]][number[home[u]]] += w
			}
		}
		for v := range of {
			of[v] = number[home[of[v]]]
		}
		if links = next; !moved {
			return of
		}
	}
	return of
}
