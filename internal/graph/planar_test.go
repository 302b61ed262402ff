package graph

import (
	"math/rand/v2"
	"testing"
)

// TestPlanarCounts looks at all labelled graphs of up to 6 nodes: 1, 2, 8, 64, 1023, 32071 are planar (OEIS A066537).
func TestPlanarCounts(t *testing.T) {
	for n, want := range []int{1, 1, 2, 8, 64, 1023, 32071} {
		all, planar := complete(n).Edges, 0
		for set := range 1 << len(all) {
			g := &Graph{N: n}
			for i, e := range all {
				if set>>i&1 == 1 {
					g.Edges = append(g.Edges, e)
				}
			}
			if g.IsPlanar() {
				planar++
			}
		}
		if planar != want {
			t.Errorf("%d planar graphs of %d nodes, want %d", planar, n, want)
		}
	}
}

// product is the Cartesian product, grids and the like.
func product(a, b *Graph) *Graph {
	g := &Graph{N: a.N * b.N}
	for u := range a.N {
		for _, e := range b.Edges {
			g.Edges = append(g.Edges, Edge{u*b.N + e.U, u*b.N + e.V, 1})
		}
	}
	for _, e := range a.Edges {
		for v := range b.N {
			g.Edges = append(g.Edges, Edge{e.U*b.N + v, e.V*b.N + v, 1})
		}
	}
	g, err := New(g.N, nil, g.Edges)
	if err != nil {
		panic(err)
	}
	return g
}

// moebius is the cycle of 2n nodes with all its longest chords.
func moebius(n int) *Graph {
	g := cycle(2 * n)
	edges := g.Edges
	for v := range n {
		edges = append(edges, Edge{v, v + n, 1})
	}
	g, err := New(2*n, nil, edges)
	if err != nil {
		panic(err)
	}
	return g
}

func TestPlanarKnown(t *testing.T) {
	cube := product(product(path(2), path(2)), path(2))
	apex := func(g *Graph) *Graph { // a new node joined to all: planar when g is outerplanar
		edges := g.Edges
		for v := range g.N {
			edges = append(edges, Edge{v, g.N, 1})
		}
		h, err := New(g.N+1, nil, edges)
		if err != nil {
			panic(err)
		}
		return h
	}
	for _, tc := range []struct {
		name string
		g    *Graph
		want bool
	}{
		{"empty", &Graph{}, true},
		{"K4", complete(4), true}, {"K5", complete(5), false}, {"K(3,3)", bipartite(3, 3), false}, {"K(2,50)", bipartite(2, 50), true},
		{"Petersen", petersen(), false}, {"cube", cube, true}, {"4-cube", product(cube, path(2)), false},
		{"grid", product(path(30), path(40)), true}, {"cylinder", product(path(30), cycle(40)), true}, {"torus", product(cycle(3), cycle(40)), false},
		{"Möbius ladder", moebius(20), false}, {"prism", product(path(2), cycle(20)), true},
		{"wheel", apex(cycle(20)), true}, {"apex over a grid", apex(product(path(3), path(3))), false}, {"fan", apex(path(50)), true},
		{"long path", path(200000), true}, {"long cycle", cycle(200000), true},
	} {
		if got := tc.g.IsPlanar(); got != tc.want {
			t.Errorf("%s: planar %v", tc.name, got)
		}
	}
}

// subdivided replaces edges by paths, as Kuratowski's theorem allows.
func subdivided(r *rand.Rand, g *Graph, more int) *Graph {
	n, edges := g.N, append([]Edge(nil), g.Edges...)
	for range more {
		i := r.IntN(len(edges))
		e := edges[i]
		edges[i] = Edge{e.U, n, 1}
		edges = append(edges, Edge{n, e.V, 1})
		n++
	}
	h, err := New(n, nil, edges)
	if err != nil {
		panic(err)
	}
	return h
}

// TestPlanarKuratowski hides subdivisions of K5 and K(3,3) in planar graphs; without one of their edges the same graphs are
// planar.
func TestPlanarKuratowski(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for round := range 400 {
		core := complete(5)
		if round%2 == 0 {
			core = bipartite(3, 3)
		}
		for _, planar := range []bool{false, true} {
			g := core
			if planar {
				i := r.IntN(len(core.Edges))
				g = &Graph{N: core.N, Edges: append(append([]Edge(nil), core.Edges[:i]...), core.Edges[i+1:]...)}
			}
			g = subdivided(r, g, r.IntN(30))
			// Glue planar graphs on at one node, which changes nothing.
			for range r.IntN(3) {
				piece := planarPiece(r)
				at := r.IntN(g.N)
				edges := append([]Edge(nil), g.Edges...)
				for _, e := range piece.Edges {
					place := func(v int) int {
						if v == 0 {
							return at
						}
						return g.N + v - 1
					}
					edges = append(edges, Edge{place(e.U), place(e.V), 1})
				}
				joined, err := New(g.N+piece.N-1, nil, edges)
				if err != nil {
					t.Fatal(err)
				}
				g = joined
			}
			g = shuffled(r, g)
			if g.IsPlanar() != planar {
				t.Fatalf("planar %v, want %v: %+v", !planar, planar, g)
			}
		}
	}
}

func planarPiece(r *rand.Rand) *Graph {
	g := planar(r, 4+r.IntN(20))
	h := &Graph{N: g.N}
	for _, e := range g.Edges {
		if r.IntN(4) > 0 {
			h.Edges = append(h.Edges, e)
		}
	}
	return h
}

// TestPlanarDelaunay: triangulations of points are planar, and so are their parts; a triangulation whose points on the hull
// are all joined to one more node has all 3n-6 edges, and any exchange of one edge for another between far nodes breaks it.
func TestPlanarDelaunay(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	broken := 0
	for range 200 {
		points := scatter(r, 10+r.IntN(60))
		edges := delaunay(points)
		n := len(points)
		for i, a := range points {
			for _, b := range points {
				if a != b && onHull(points, a, b) {
					edges = append(edges, Edge{i, n, 1})
					break
				}
			}
		}
		g, err := New(n+1, nil, edges)
		if err != nil {
			t.Fatal(err)
		}
		g = shuffled(r, g)
		if len(g.Edges) != 3*g.N-6 || !g.IsPlanar() {
			t.Fatalf("a triangulation with %d edges of %d nodes is not planar", len(g.Edges), g.N)
		}
		// A maximal planar graph has one embedding (Whitney), so with an edge less one face has four corners: an edge can
		// be added only between these.
		i := r.IntN(len(g.Edges))
		gone := g.Edges[i]
		less := &Graph{N: g.N, Edges: append(append([]Edge(nil), g.Edges[:i]...), g.Edges[i+1:]...)}
		u, v := r.IntN(g.N), r.IntN(g.N)
		a := matrix(g)
		if u == v || a[u][v] {
			continue
		}
		corners := a[u][gone.U] && a[u][gone.V] && a[v][gone.U] && a[v][gone.V]
		more, err := New(g.N, nil, append(less.Edges, Edge{u, v, 1}))
		if err != nil {
			t.Fatal(err)
		}
		if corners {
			continue // may be the other diagonal
		}
		broken++
		if more.IsPlanar() {
			t.Fatalf("planar with %d-%d instead of %d-%d: %+v", u, v, gone.U, gone.V, g)
		}
	}
	if broken < 100 {
		t.Errorf("only %d exchanges tried", broken)
	}
	for _, g := range draw(t, "planar-64", 100) {
		if !shuffled(r, g).IsPlanar() {
			t.Fatal("a graph of the planar family is not planar")
		}
	}
}

func BenchmarkPlanar(b *testing.B) {
	graphs, err := Family("planar-64", 20, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, g := range graphs {
			g.IsPlanar()
		}
	}
}
