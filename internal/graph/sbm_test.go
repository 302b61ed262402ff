package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFitBlocks finds the blocks that graphs were drawn with, in random order of nodes.
func TestFitBlocks(t *testing.T) {
	agree, pairs, shorter := 0, 0, 0
	const draws = 60
	for k := range uint64(draws) {
		r := rand.New(rand.NewPCG(k, 1))
		g, sizes := blocks(r)
		var truth []int
		for b, n := range sizes {
			truth = append(truth, slices.Repeat([]int{b}, n)...)
		}
		f := fitBlocks(g)
		if f.length() <= newFit(g, truth).length()+1e-6 {
			shorter++
		}
		for v := range truth {
			for w := range v {
				pairs++
				if (truth[v] == truth[w]) == (f.block[v] == f.block[w]) {
					agree++
				}
			}
		}
		h := fitBlocks(shuffled(r, g))
		if math.Abs(h.length()-f.length()) > 0.02*f.length() {
			t.Errorf("the length %v becomes %v in another order", f.length(), h.length())
		}
	}
	// A node with few edges may fit another block better than its own, so the best description is not always the truth; but
	// it must be as short, and agree on nearly all pairs of nodes.
	if shorter < draws {
		t.Errorf("%d of %d graphs described as shortly as by the truth", shorter, draws)
	}
	if share := float64(agree) / float64(pairs); share < 0.98 {
		t.Errorf("the blocks agree with the truth on %.4f of the pairs of nodes", share)
	}
}

// TestFitLength compares what moves and merges say that they gain with the length computed anew.
func TestFitLength(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	g := random(r, 40, 0.2, 0, 1)
	block := make([]int, g.N)
	for v := range block {
		block[v] = r.IntN(4)
	}
	f := newFit(g, block)
	for range 100 {
		v, to := r.IntN(g.N), r.IntN(4)
		from := f.block[v]
		if to == from || f.size[from] == 1 {
			continue
		}
		length := f.length()
		said := f.touching(from, to) - math.Log(float64(f.size[from])) + math.Log(float64(f.size[to]+1))
		f.move(v, to)
		said -= f.touching(from, to)
		// Lengths are some 500 nats, sums of tens of terms with 16 digits.
		if math.Abs(length-f.length()-said) > 1e-8 {
			t.Fatalf("moving gains %v, said %v", length-f.length(), said)
		}
		again := newFit(g, f.block)
		if math.Abs(again.length()-f.length()) > 1e-8 {
			t.Fatalf("length %v, computed anew %v", f.length(), again.length())
		}
	}
	f.recount()
	gain := f.touching(0, 2) - f.choiceMerged(0, 2) + f.choose(f.size[0]+f.size[2], f.size[0])
	merged := slices.Clone(f.block)
	for v, b := range merged {
		if b == 2 {
			merged[v] = 0
		}
	}
	h := newFit(g, merged)
	prior := func(b, m int) float64 { return f.choose(g.N-1, b-1) + f.choose(b*(b+1)/2+m-1, m) }
	m := len(g.Edges)
	if got := f.length() - h.length(); math.Abs(got-gain-prior(4, m)+prior(3, m)) > 1e-8 {
		t.Errorf("merging gains %v, said %v", got, gain)
	}
}

func TestIsSBM(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	passed, graphs := 0, draw(t, "sbm", 100)
	for _, g := range graphs {
		if shuffled(r, g).IsSBM() {
			passed++
		}
	}
	t.Logf("%d of %d draws of the family pass", passed, len(graphs))
	if passed < 75 {
		t.Errorf("%d of 100 draws of the family pass", passed)
	}
	// The formula is lax: parts of a plane fall into three blocks about as dense as wanted. Trees are too thin.
	for name, most := range map[string]int{"planar-64": 10, "tree-64": 0, "lobster": 0, "community-small": 0} {
		passed := 0
		for _, g := range draw(t, name, 40) {
			if g.IsSBM() {
				passed++
			}
		}
		if t.Logf("%d of 40 of %s pass", passed, name); passed > most {
			t.Errorf("%d of 40 graphs of %s pass, want at most %d", passed, name, most)
		}
	}
	for range 20 { // as many edges, without blocks
		g := graphs[r.IntN(len(graphs))]
		if random(r, g.N, g.Density(), 0, 1).IsSBM() {
			t.Error("a graph without blocks passes")
		}
	}
	// A third of the edges moved at random.
	for _, g := range graphs[:20] {
		moved := slices.Clone(g.Edges)
		a := matrix(g)
		for i := 0; i < len(moved); i += 3 {
			u, v := r.IntN(g.N), r.IntN(g.N)
			if u != v && !a[u][v] {
				a[u][v], a[v][u] = true, true
				moved[i] = Edge{u, v, 1}
			}
		}
		h, err := New(g.N, nil, moved)
		if err != nil {
			t.Fatal(err)
		}
		if h.IsSBM() {
			t.Error("a graph with a third of its edges moved passes")
		}
	}
	if union(slices.Repeat([]*Graph{complete(30)}, 3)...).IsSBM() {
		t.Error("three complete graphs pass")
	}
	for _, n := range []int{0, 1, 40, 200} {
		if must(n).IsSBM() {
			t.Errorf("%d nodes without edges pass", n)
		}
	}
	if pairs := union(slices.Repeat([]*Graph{path(2)}, 99)...); pairs.IsSBM() { // as many groups to merge as can be
		t.Error("99 single edges pass")
	}
}

func BenchmarkIsSBM(b *testing.B) {
	graphs, err := Family("sbm", 20, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, g := range graphs {
			g.IsSBM()
		}
	}
}
