package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// orbitOf names the orbit of a node of an induced connected subgraph by the degrees, of all and its own, which tell the
// graphs of up to four nodes and their orbits apart but for the nodes of degree 2 in a triangle with a tail.
func orbitOf(degrees []int, own int) int {
	sorted := slices.Clone(degrees)
	slices.Sort(sorted)
	key := 0
	for _, d := range sorted {
		key = 10*key + d
	}
	return map[[2]int]int{
		{11, 1}: 0, {112, 1}: 1, {112, 2}: 2, {222, 2}: 3, {1122, 1}: 4, {1122, 2}: 5, {1113, 1}: 6, {1113, 3}: 7, {2222, 2}: 8,
		{1223, 1}: 9, {1223, 2}: 10, {1223, 3}: 11, {2233, 2}: 12, {2233, 3}: 13, {3333, 3}: 14,
	}[[2]int{key, own}]
}

// bruteOrbits looks at all sets of two to four nodes.
func bruteOrbits(g *Graph) [][Orbits]int64 {
	out := make([][Orbits]int64, g.N)
	var set []int
	var walk func(from int)
	walk = func(from int) {
		if sub := g.Induced(set); len(set) >= 2 && sub.IsConnected() {
			degrees := sub.Degrees()
			for i, v := range set {
				out[v][orbitOf(degrees, degrees[i])]++
			}
		}
		if len(set) == 4 {
			return
		}
		for v := from; v < g.N; v++ {
			set = append(set, v)
			walk(v + 1)
			set = set[:len(set)-1]
		}
	}
	walk(0)
	return out
}

func TestOrbits(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 120 {
		g := random(r, r.IntN(13), r.Float64(), 0, 1)
		got, want := g.CountOrbits(), bruteOrbits(g)
		for v := range want {
			if got[v] != want[v] {
				t.Fatalf("%+v: node %d has %v, want %v", g, v, got[v], want[v])
			}
		}
	}
}

// TestOrbitsClosed has graphs whose counts are known: of n nodes, C(n-1, 3) complete graphs at each of K_n, and so on.
func TestOrbitsClosed(t *testing.T) {
	for _, tc := range []struct {
		name string
		g    *Graph
		want [Orbits]int64 // of node 0
	}{
		{"K20", complete(20), [Orbits]int64{0: 19, 3: 171, 14: 969}},
		{"C9", cycle(9), [Orbits]int64{0: 2, 1: 2, 2: 1, 4: 2, 5: 2}},
		{"star of 10", star(10), [Orbits]int64{0: 10, 2: 45, 7: 120}},
		// K(5,7), seen from the five: 4 others, 7 beyond; paths of 4 and more always have chords.
		{"K(5,7)", bipartite(5, 7), [Orbits]int64{0: 7, 1: 28, 2: 21, 6: 7 * 6, 7: 35, 8: 4 * 21}},
		// Petersen: girth 5, cubic; every path of 4 is induced.
		{"Petersen", petersen(), [Orbits]int64{0: 3, 1: 6, 2: 3, 4: 12, 5: 12, 6: 3, 7: 1}},
		{"no edges", must(3), [Orbits]int64{}},
	} {
		if got := tc.g.CountOrbits()[0]; got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func BenchmarkOrbits(b *testing.B) {
	graphs, err := Family("sbm", 20, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, g := range graphs {
			g.CountOrbits()
		}
	}
}
