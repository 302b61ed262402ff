package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Small graphs with known figures.

func must(n int, pairs ...[2]int) *Graph {
	edges := make([]Edge, len(pairs))
	for i, p := range pairs {
		edges[i] = Edge{p[0], p[1], 1}
	}
	g, err := New(n, nil, edges)
	if err != nil {
		panic(err)
	}
	return g
}

func path(n int) *Graph {
	var e [][2]int
	for i := 1; i < n; i++ {
		e = append(e, [2]int{i - 1, i})
	}
	return must(n, e...)
}

func cycle(n int) *Graph {
	g := path(n)
	e := slices.Clone(g.Edges)
	g, err := New(n, nil, append(e, Edge{n - 1, 0, 1}))
	if err != nil {
		panic(err)
	}
	return g
}

func star(leaves int) *Graph {
	var e [][2]int
	for i := range leaves {
		e = append(e, [2]int{0, i + 1})
	}
	return must(leaves+1, e...)
}

func complete(n int) *Graph {
	var e [][2]int
	for v := range n {
		for u := range v {
			e = append(e, [2]int{u, v})
		}
	}
	return must(n, e...)
}

func bipartite(a, b int) *Graph {
	var e [][2]int
	for u := range a {
		for v := range b {
			e = append(e, [2]int{u, a + v})
		}
	}
	return must(a+b, e...)
}

func petersen() *Graph {
	var e [][2]int
	for i := range 5 {
		e = append(e, [2]int{i, (i + 1) % 5}, [2]int{i, i + 5}, [2]int{5 + i, 5 + (i+2)%5})
	}
	return must(10, e...)
}

// union is the disjoint union.
func union(parts ...*Graph) *Graph {
	out := new(Graph)
	for _, g := range parts {
		for _, e := range g.Edges {
			out.Edges = append(out.Edges, Edge{e.U + out.N, e.V + out.N, e.Type})
		}
		out.N += g.N
	}
	return out
}

// random is G(n, p), with labels below labels and edge types up to types.
func random(r *rand.Rand, n int, p float64, labels, types int) *Graph {
	g := &Graph{N: n}
	for u := range n {
		if labels > 0 {
			g.Labels = append(g.Labels, uint8(r.IntN(labels)))
		}
		for v := u + 1; v < n; v++ {
			if r.Float64() < p {
				g.Edges = append(g.Edges, Edge{u, v, uint8(1 + r.IntN(types))})
			}
		}
	}
	return g
}

// shuffled renames the nodes.
func shuffled(r *rand.Rand, g *Graph) *Graph {
	to := r.Perm(g.N)
	edges := slices.Clone(g.Edges)
	for i, e := range edges {
		edges[i].U, edges[i].V = to[e.U], to[e.V]
	}
	var labels []uint8
	if g.Labels != nil {
		labels = make([]uint8, g.N)
		for v, l := range g.Labels {
			labels[to[v]] = l
		}
	}
	h, err := New(g.N, labels, edges)
	if err != nil {
		panic(err)
	}
	return h
}

// matrix is the adjacency, what the oracles of the tests work on.
func matrix(g *Graph) [][]bool {
	a := make([][]bool, g.N)
	for i := range a {
		a[i] = make([]bool, g.N)
	}
	for _, e := range g.Edges {
		a[e.U][e.V], a[e.V][e.U] = true, true
	}
	return a
}

func TestMeasures(t *testing.T) {
	for _, tc := range []struct {
		name       string
		g          *Graph
		components []int // sizes
		triangles  int64
		clustering float64
		r          float64 // assortativity, NaN when not defined
		density    float64
		tree       bool
		lobster    bool
	}{
		{"empty", &Graph{}, nil, 0, 0, math.NaN(), 0, false, false},
		{"one node", must(1), []int{1}, 0, 0, math.NaN(), 0, true, true},
		{"two nodes apart", must(2), []int{1, 1}, 0, 0, math.NaN(), 0, false, false},
		{"K2", path(2), []int{2}, 0, 0, math.NaN(), 1, true, true},
		{"P4", path(4), []int{4}, 0, 0, -0.5, 0.5, true, true}, // ends (1,2) (2,2) (2,1), both ways: mean 5/3, -2/9 over 4/9
		{"C5", cycle(5), []int{5}, 0, 0, math.NaN(), 0.5, false, false},
		{"K5", complete(5), []int{5}, 10, 1, math.NaN(), 1, false, false},
		{"star of 4", star(4), []int{5}, 0, 0, -1, 0.4, true, true},
		{"Petersen", petersen(), []int{10}, 0, 0, math.NaN(), 1.0 / 3, false, false},
		{"K3 and P2", union(path(2), complete(3)), []int{3, 2}, 1, 0.6, 1, 0.4, false, false},
		// A triangle with a tail: degrees 2, 2, 3, 1; clustering 1, 1, 1/3, 0; ends: mean 2.25.
		{"paw", must(4, [2]int{0, 1}, [2]int{0, 2}, [2]int{1, 2}, [2]int{2, 3}), []int{4}, 1, 7.0 / 12, -5.0 / 7, 2.0 / 3, false, false},
		// Three legs of length 3 from one node: two rounds leave the star of 3.
		{"spider", must(10, [2]int{0, 1}, [2]int{1, 2}, [2]int{2, 3}, [2]int{0, 4}, [2]int{4, 5}, [2]int{5, 6}, [2]int{0, 7}, [2]int{7, 8}, [2]int{8, 9}),
			[]int{10}, 0, 0, math.NaN(), 0.2, true, false},
		{"lobster", must(7, [2]int{0, 1}, [2]int{1, 2}, [2]int{0, 3}, [2]int{3, 4}, [2]int{0, 5}, [2]int{5, 6}), []int{7}, 0, 0, math.NaN(), 2.0 / 7, true, true},
		// As many edges as a tree, but a cycle and a node apart.
		{"C3 and a node", union(complete(3), must(1)), []int{3, 1}, 1, 0.75, math.NaN(), 0.5, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sizes, seen := []int(nil), map[int]bool{}
			for _, c := range tc.g.Components() {
				sizes = append(sizes, len(c))
				for _, v := range c {
					seen[v] = true
				}
			}
			if !slices.Equal(sizes, tc.components) || len(seen) != tc.g.N {
				t.Errorf("components of %v nodes, %d in all; want %v of %d", sizes, len(seen), tc.components, tc.g.N)
			}
			if tc.g.IsConnected() != (len(tc.components) == 1) {
				t.Errorf("IsConnected is %v", tc.g.IsConnected())
			}
			if _, n := tc.g.Triangles(); n != tc.triangles {
				t.Errorf("%d triangles, want %d", n, tc.triangles)
			}
			// Sums of at most 10 terms of order 1 round to some 1e-16.
			if c := tc.g.AverageClustering(); math.Abs(c-tc.clustering) > 1e-14 {
				t.Errorf("clustering %v, want %v", c, tc.clustering)
			}
			if d := tc.g.Density(); math.Abs(d-tc.density) > 1e-15 {
				t.Errorf("density %v, want %v", d, tc.density)
			}
			if tc.g.IsTree() != tc.tree || tc.g.IsLobster() != tc.lobster {
				t.Errorf("tree %v, lobster %v", tc.g.IsTree(), tc.g.IsLobster())
			}
			r, ok := tc.g.Assortativity()
			if tc.name == "spider" || tc.name == "lobster" {
				return // no closed form wanted here; TestAssortativity has the definition
			}
			if ok == math.IsNaN(tc.r) || ok && math.Abs(r-tc.r) > 1e-14 {
				t.Errorf("assortativity %v, %v; want %v", r, ok, tc.r)
			}
		})
	}
}

// TestAgainstDefinitions compares with the definitions, spelled out on the adjacency matrix.
func TestAgainstDefinitions(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		g := random(r, 1+r.IntN(25), r.Float64(), 0, 1)
		a, degree := matrix(g), g.Degrees()
		at, total := g.Triangles()
		local := g.Clustering()
		sum := int64(0)
		for v := range g.N {
			n, pairs := int64(0), 0
			for i := range g.N {
				for j := range i {
					if a[v][i] && a[v][j] {
						pairs++
						if a[i][j] {
							n++
						}
					}
				}
			}
			if at[v] != n || pairs > 0 && math.Abs(local[v]-float64(n)/float64(pairs)) > 1e-15 || pairs == 0 && local[v] != 0 {
				t.Fatalf("node %d: %d triangles, clustering %v; want %d of %d", v, at[v], local[v], n, pairs)
			}
			sum += n
		}
		if sum != 3*total {
			t.Fatalf("%d triangles at nodes, %d in all", sum, total)
		}
		// Newman's formula with exact integers: (M*sum(xy) - sum(x)^2) / (M*sum(x^2) - sum(x)^2) over the M = 2m ends.
		var m, x, xx, xy int
		for u := range g.N {
			for v := range g.N {
				if a[u][v] {
					m, x, xx, xy = m+1, x+degree[u], xx+degree[u]*degree[u], xy+degree[u]*degree[v]
				}
			}
		}
		got, ok := g.Assortativity()
		if ok != (m*xx != x*x) {
			t.Fatalf("assortativity defined: %v", ok)
		}
		// The variance is at least 1/M^2 times an integer above 0, so up to 600 ends lose less than 6 of 16 digits.
		if want := float64(m*xy-x*x) / float64(m*xx-x*x); ok && math.Abs(got-want) > 1e-9 {
			t.Fatalf("assortativity %v, want %v", got, want)
		}
	}
}

func TestInduced(t *testing.T) {
	g, err := New(5, []uint8{5, 6, 7, 8, 9}, []Edge{{0, 1, 1}, {1, 3, 2}, {3, 4, 3}, {1, 4, 1}})
	if err != nil {
		t.Fatal(err)
	}
	sub := g.Induced([]int{1, 3, 4})
	if sub.N != 3 || !slices.Equal(sub.Labels, []uint8{6, 8, 9}) || !slices.Equal(sub.Edges, []Edge{{0, 1, 2}, {0, 2, 1}, {1, 2, 3}}) {
		t.Errorf("got %+v", sub)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, edges := range map[string][]Edge{
		"loop": {{1, 1, 1}}, "outside": {{0, 3, 1}}, "negative": {{-1, 0, 1}}, "type 0": {{0, 1, 0}}, "twice": {{0, 1, 1}, {1, 0, 2}},
	} {
		if g, err := New(3, nil, edges); err == nil {
			t.Errorf("%s: %+v", name, g)
		}
	}
	if _, err := New(-1, nil, nil); err == nil {
		t.Error("-1 nodes")
	}
	if _, err := New(2, []uint8{1}, nil); err == nil {
		t.Error("one label for two nodes")
	}
}
