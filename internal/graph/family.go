package graph

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A family draws graphs the way that papers on graph generation define their data sets.
type family struct {
	name, about string
	draw        func(*rand.Rand) *Graph
}

var families = []family{
	{"community-small", "12 to 20 nodes in two communities of equal size, within which edges have probability 0.7, joined by 0.05 n edges; each community is connected (You et al. 2018, GraphRNN)",
		func(r *rand.Rand) *Graph { return communities(r, 6+r.IntN(5)) }},
	{"lobster", "a path with about 0 to 160 nodes, each with a geometric number of leaves (probability 0.7 of one more), each of these with the same; those with 10 to 100 nodes in all (Liao et al. 2019, GRAN)",
		func(r *rand.Rand) *Graph { return lobster(r, 80, 0.7, 0.7, 10, 100) }},
	{"planar-64", "Delaunay triangulation of 64 uniform points in a square (Martinkus et al. 2022, SPECTRE)",
		func(r *rand.Rand) *Graph { return planar(r, 64) }},
	{"sbm", "2 to 5 blocks of 20 to 40 nodes, edges of probability 0.3 within and 0.005 between blocks; connected (Martinkus et al. 2022, SPECTRE)",
		func(r *rand.Rand) *Graph { g, _ := blocks(r); return g }},
	{"tree-64", "uniform among the labelled trees of 64 nodes (Bergmeister et al. 2024)",
		func(r *rand.Rand) *Graph { return tree(r, 64) }},
}

// Families lists the names that Family takes, in order, and what each is.
func Families() (names, about []string) {
	for _, f := range families {
		names, about = append(names, f.name), append(about, f.about)
	}
	return names, about
}

// Draw returns what draws the graphs of a family, which depend on the name, the seed and their number alone.
func Draw(name string, seed uint64) (func(number int) *Graph, error) {
	i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if i < 0 {
		names, _ := Families()
		return nil, fmt.Errorf("graph: no family %.40q, want one of %s", name, strings.Join(names, ", "))
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	stream := mix(seed ^ h.Sum64())
	return func(number int) *Graph {
		// Mixed, because PCG streams from neighbouring states begin alike.
		return families[i].draw(rand.New(rand.NewPCG(stream, mix(uint64(number)))))
	}, nil
}

// Family draws the first count graphs of a family, so more graphs extend fewer.
func Family(name string, count int, seed uint64) ([]*Graph, error) {
	draw, err := Draw(name, seed)
	if err != nil {
		return nil, err
	}
	if count < 0 {
		return nil, fmt.Errorf("graph: %d graphs of family %s", count, name)
	}
	graphs := make([]*Graph, count)
	for k := range graphs {
		graphs[k] = draw(k)
	}
	return graphs, nil
}

// independent joins each two of n nodes with probability p.
func independent(r *rand.Rand, n int, p float64) *Graph {
	g := &Graph{N: n}
	for u := range n {
		for v := u + 1; v < n; v++ {
			if r.Float64() < p {
				g.Edges = append(g.Edges, Edge{u, v, 1})
			}
		}
	}
	return g
}

func communities(r *rand.Rand, size int) *Graph {
	g := &Graph{N: 2 * size}
	for half := range 2 {
		part := independent(r, size, 0.7)
		for !part.IsConnected() {
			part = independent(r, size, 0.7)
		}
		for _, e := range part.Edges {
			g.Edges = append(g.Edges, Edge{e.U + half*size, e.V + half*size, 1})
		}
	}
	bridges := make(map[int]bool)
	for want := max(1, int(math.Round(0.05*float64(g.N)))); len(bridges) < want; {
		pair := r.IntN(size * size)
		if !bridges[pair] {
			bridges[pair] = true
			g.Edges = append(g.Edges, Edge{pair / size, size + pair%size, 1})
		}
	}
	slices.SortFunc(g.Edges, compareEdges)
	return g
}

// lobster is networkx's random_lobster of today, in which each node may carry several leaves; versions before 2020 gave
// it at most one.
func lobster(r *rand.Rand, mean, p1, p2 float64, smallest, largest int) *Graph {
	for {
		g := &Graph{N: int(float64(2*r.Float64()*mean) + 0.5)} // the conversion forbids a fused multiply-add, which rounds differently
		for v := 1; v < g.N; v++ {
			g.Edges = append(g.Edges, Edge{v - 1, v, 1})
		}
		grow := func(from int) int {
			g.Edges = append(g.Edges, Edge{from, g.N, 1})
			g.N++
			return g.N - 1
		}
		for v, spine := 0, g.N; v < spine && g.N <= largest; v++ {
			for g.N <= largest && r.Float64() < p1 {
				leg := grow(v)
				for g.N <= largest && r.Float64() < p2 {
					grow(leg)
				}
			}
		}
		if g.N >= smallest && g.N <= largest {
			slices.SortFunc(g.Edges, compareEdges)
			return g
		}
	}
}

func planar(r *rand.Rand, n int) *Graph {
	g := &Graph{N: n, Edges: delaunay(scatter(r, n))}
	slices.SortFunc(g.Edges, compareEdges)
	return g
}

// scatter draws different points on the grid.
func scatter(r *rand.Rand, n int) []point {
	var points []point
	for len(points) < n {
		if p := (point{r.Int64N(delaunayGrid), r.Int64N(delaunayGrid)}); !slices.Contains(points, p) {
			points = append(points, p)
		}
	}
	return points
}

// blocks is the stochastic block model, with the sizes of its blocks, whose nodes follow each other.
func blocks(r *rand.Rand) (*Graph, []int) {
	for {
		sizes := make([]int, 2+r.IntN(4))
		var block []int
		for b := range sizes {
			sizes[b] = 20 + r.IntN(21)
			block = append(block, slices.Repeat([]int{b}, sizes[b])...)
		}
		g := &Graph{N: len(block)}
		for u := range block {
			for v := u + 1; v < g.N; v++ {
				p := sbmAcross
				if block[u] == block[v] {
					p = sbmWithin
				}
				if r.Float64() < p {
					g.Edges = append(g.Edges, Edge{u, v, 1})
				}
			}
		}
		if g.IsConnected() {
			return g, sizes
		}
	}
}

// tree draws a sequence of n-2 nodes and makes the tree that has it as its code (Prüfer 1918); all n^(n-2) labelled trees
// have one.
func tree(r *rand.Rand, n int) *Graph {
	g := &Graph{N: n}
	if n < 2 {
		return g
	}
	code, degree := make([]int, n-2), make([]int, n)
	for v := range degree {
		degree[v] = 1
	}
	for i := range code {
		code[i] = r.IntN(n)
		degree[code[i]]++
	}
	join := func(u, v int) {
		g.Edges = append(g.Edges, Edge{min(u, v), max(u, v), 1})
		degree[u]--
		degree[v]--
	}
	for _, v := range code {
		join(slices.Index(degree, 1), v)
	}
	u := slices.Index(degree, 1)
	join(u, u+1+slices.Index(degree[u+1:], 1))
	slices.SortFunc(g.Edges, compareEdges)
	return g
}
