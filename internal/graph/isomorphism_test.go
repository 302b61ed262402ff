package graph

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestHashForEver holds values computed from the definition by other code (Python). They may be stored: they never change.
func TestHashForEver(t *testing.T) {
	labelled, err := New(3, []uint8{6, 8, 7}, []Edge{{0, 1, 2}, {0, 2, 1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		g    *Graph
		want uint64
	}{
		{"empty", &Graph{}, 0xa706dd2f4d197e6f}, {"one node", must(1), 0x767fd92a1e7a408d}, {"P4", path(4), 0x2e98ef027efe8740}, {"C6", cycle(6), 0xc2c0c4b21df362fb}, {"Petersen", petersen(), 0x3d337509a9fcb375}, {"labelled", labelled, 0x8a2d7705ac9cca48},
	} {
		if h := tc.g.Hash(); h != tc.want {
			t.Errorf("%s: hash %#x, want %#x", tc.name, h, tc.want)
		}
	}
}

func TestHash(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		g := random(r, r.IntN(40), r.Float64(), r.IntN(3), 3)
		if g.Hash() != shuffled(r, g).Hash() {
			t.Fatalf("renaming the nodes changes the hash of %+v", g)
		}
		if g.Labels == nil {
			zeros := *g
			zeros.Labels = make([]uint8, g.N)
			if zeros.Hash() != g.Hash() {
				t.Fatalf("labels 0 change the hash of %+v", g)
			}
		}
	}
	a := &Graph{N: 3, Labels: []uint8{1, 2, 2}, Edges: []Edge{{0, 1, 1}, {1, 2, 2}}}
	label, kind := *a, *a
	label.Labels = []uint8{1, 2, 1}
	kind.Edges = []Edge{{0, 1, 2}, {1, 2, 1}}
	if a.Hash() == label.Hash() || a.Hash() == kind.Hash() {
		t.Error("a label or an edge type does not count")
	}
	if cycle(6).Hash() != union(cycle(3), cycle(3)).Hash() {
		t.Error("colour refinement cannot tell C6 from two triangles, the hash does")
	}
}

// rook and shrikhande are the two strongly regular graphs with parameters 16, 6, 2, 2.
func rook() *Graph {
	var e [][2]int
	for i := range 16 {
		for j := range i {
			if i/4 == j/4 || i%4 == j%4 {
				e = append(e, [2]int{j, i})
			}
		}
	}
	return must(16, e...)
}

func shrikhande() *Graph {
	var e [][2]int
	for i := range 16 {
		for j := range i {
			switch [2]int{(i/4 - j/4 + 4) % 4, (i%4 - j%4 + 4) % 4} {
			case [2]int{0, 1}, [2]int{0, 3}, [2]int{1, 0}, [2]int{3, 0}, [2]int{1, 1}, [2]int{3, 3}:
				e = append(e, [2]int{j, i})
			}
		}
	}
	return must(16, e...)
}

func TestIsomorphicKnown(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	many := make([]*Graph, 20)
	for i := range many {
		many[i] = petersen()
	}
	for _, tc := range []struct {
		name string
		g, h *Graph
		want bool
	}{
		{"empty", &Graph{}, &Graph{}, true},
		{"C6 and two triangles", cycle(6), union(cycle(3), cycle(3)), false},
		{"rook and Shrikhande", rook(), shrikhande(), false},
		{"rook and itself", rook(), shuffled(r, rook()), true},
		{"Shrikhande and itself", shrikhande(), shuffled(r, shrikhande()), true},
		{"20 Petersen graphs", union(many...), shuffled(r, union(many...)), true},
		{"2000 nodes without edges", must(2000), must(2000), true},
		{"star of 2000", star(2000), shuffled(r, star(2000)), true},
		{"100 edges apart", union(slices.Repeat([]*Graph{path(2)}, 100)...), shuffled(r, union(slices.Repeat([]*Graph{path(2)}, 100)...)), true},
		{"edge types", &Graph{N: 2, Edges: []Edge{{0, 1, 1}}}, &Graph{N: 2, Edges: []Edge{{0, 1, 2}}}, false},
		{"labels", &Graph{N: 2, Labels: []uint8{0, 1}}, &Graph{N: 2}, false},
		{"labels 0 and none", &Graph{N: 2, Labels: []uint8{0, 0}}, &Graph{N: 2}, true},
	} {
		if got, err := Isomorphic(tc.g, tc.h); got != tc.want || err != nil {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
	}
}

// TestIsomorphicAgainstAll compares with trying all renamings, on pairs that are often nearly isomorphic.
func TestIsomorphicAgainstAll(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	yes := 0
	for range 1500 {
		n := 1 + r.IntN(6)
		g := random(r, n, 0.5, r.IntN(3), 1+r.IntN(2))
		h := shuffled(r, g)
		if r.IntN(2) == 0 && len(h.Edges) > 0 { // move one edge
			i, u, v := r.IntN(len(h.Edges)), r.IntN(n), r.IntN(n)
			edges := slices.Clone(h.Edges)
			edges[i].U, edges[i].V = u, v
			if moved, err := New(n, h.Labels, edges); err == nil {
				h = moved
			}
		}
		want := false
		permutations(n, func(to []int) {
			edges := slices.Clone(g.Edges)
			labels := make([]uint8, n)
			for i, e := range edges {
				edges[i].U, edges[i].V = to[e.U], to[e.V]
			}
			for v := range n {
				labels[to[v]] = g.label(v)
			}
			renamed, err := New(n, labels, edges)
			if err != nil {
				t.Fatal(err)
			}
			same := slices.Equal(renamed.Edges, h.Edges)
			for v := range n {
				same = same && renamed.label(v) == h.label(v)
			}
			want = want || same
		})
		if got, err := Isomorphic(g, h); got != want || err != nil {
			t.Fatalf("%+v and %+v: %v, %v; want %v", g, h, got, err, want)
		}
		if want {
			yes++
		}
	}
	if yes < 500 || yes > 1400 {
		t.Errorf("%d of 1500 pairs isomorphic: the test has too few of one kind", yes)
	}
}

func permutations(n int, f func([]int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var walk func(int)
	walk = func(k int) {
		if k == n {
			f(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			walk(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	walk(0)
}

// TestUndecided shows that a hard pair ends at the limit rather than never.
func TestUndecided(t *testing.T) {
	p := &pairing{a: newColouring(rook()), b: newColouring(shrikhande()), left: 500}
	if same, err := p.search(); same || !errors.Is(err, ErrUndecided) {
		t.Errorf("%v, %v", same, err)
	}
}

func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	x := new(Index)
	kinds := []*Graph{cycle(6), union(cycle(3), cycle(3)), rook(), shrikhande(), path(6)}
	for round := range 3 {
		for want, g := range kinds {
			if round == 0 {
				if class, err := x.Find(g); class != -1 || err != nil {
					t.Errorf("found graph %d as %d, %v before it was added", want, class, err)
				}
			}
			if class, err := x.Add(shuffled(r, g)); class != want || err != nil {
				t.Errorf("graph %d has class %d, %v", want, class, err)
			}
		}
	}
	if x.Len() != len(kinds) {
		t.Errorf("%d classes, want %d", x.Len(), len(kinds))
	}
}

// TestAllGraphs counts the graphs of up to 5 nodes: 1, 2, 4, 11, 34 (OEIS A000088).
func TestAllGraphs(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 4, 4: 11, 5: 34} {
		x, all := new(Index), complete(n).Edges
		for set := range 1 << len(all) {
			g := &Graph{N: n}
			for i, e := range all {
				if set>>i&1 == 1 {
					g.Edges = append(g.Edges, e)
				}
			}
			if _, err := x.Add(g); err != nil {
				t.Fatal(err)
			}
		}
		if x.Len() != want {
			t.Errorf("%d graphs of %d nodes, want %d", x.Len(), n, want)
		}
	}
}
