package graphs

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
	"pfgmgen/io/graph6"
)

// where joins the pairs of n nodes that a rule names.
func where(n int, joined func(u, v int) bool) *graph.Graph {
	g := &graph.Graph{N: n}
	for u := range n {
		for v := u + 1; v < n; v++ {
			if joined(u, v) {
				g.Edges = append(g.Edges, graph.Edge{U: u, V: v, Type: 1})
			}
		}
	}
	return g
}

// ring joins n nodes to a cycle.
func ring(n int) func(u, v int) bool {
	return func(u, v int) bool { return v-u == 1 || v-u == n-1 }
}

type named struct {
	name string
	g    *graph.Graph
}

// symmetric are graphs of the largest size that colours tell little or nothing about, or only after many rounds.
func symmetric() []named {
	square := make(map[int]bool) // of the field with 1,009 elements, in which -1 is one
	for x := 1; x < 1009; x++ {
		square[x*x%1009] = true
	}
	rook := func(u, v int) bool { return u/32 == v/32 || u%32 == v%32 }
	return []named{
		{"complete", where(1024, func(int, int) bool { return true })},
		{"star", where(1024, func(u, _ int) bool { return u == 0 })},
		{"cycle", where(1024, ring(1024))},
		{"two cycles", where(1024, func(u, v int) bool { return u/512 == v/512 && ring(512)(u%512, v%512) })},
		{"complement of a cycle", where(1024, func(u, v int) bool { return !ring(1024)(u, v) })},
		{"complement of a path", where(1024, func(u, v int) bool { return v-u != 1 })},
		{"rook's graph", where(1024, rook)}, // strongly regular, as is the next
		{"Paley graph", where(1009, func(u, v int) bool { return square[v-u] })},
		{"complete bipartite", where(1024, func(u, v int) bool { return (u^v)&1 == 1 })},
		{"pairs", where(1024, func(u, v int) bool { return u/2 == v/2 })},
		{"hypercube", where(1024, func(u, v int) bool { return (u^v)&(u^v-1) == 0 })},
		{"a half at random", func() *graph.Graph {
			r := rand.New(rand.NewPCG(1, 2))
			return where(1024, func(int, int) bool { return r.IntN(2) == 0 })
		}()},
	}
}

// prompt is how long one graph, or stopping, may take. Key and order take under half a second of a core together; the rest is
// for the race detector, and for other programs on the machine.
const prompt = 20 * time.Second

// TestSymmetricGraphs: whatever the graph, its key and order are found soon, the key is that of the graph in any numbering
// and of no other graph here, and the order is breadth-first.
func TestSymmetricGraphs(t *testing.T) {
	keys := make(map[string]string)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range symmetric() {
		began := time.Now()
		key, o := isomorphismKey(n.g), canonicalOrder(n.g)
		took := time.Since(began)
		if t.Logf("%s: %v", n.name, took.Round(time.Millisecond)); took > prompt {
			t.Errorf("%s: %v for key and order, want at most %v", n.name, took, prompt)
		}
		if keys[key] != "" {
			t.Errorf("%s has the key of %s", n.name, keys[key])
		}
		keys[key] = n.name
		if isomorphismKey(shuffled(n.g, r)) != key {
			t.Errorf("%s: another key from another numbering", n.name)
		}
		nodes := slices.Clone(o.nodes)
		slices.Sort(nodes)
		if len(nodes) != n.g.N || len(slices.Compact(nodes)) != n.g.N {
			t.Fatalf("%s: the order is no permutation", n.name)
		}
		position := make([]int, n.g.N)
		for i, v := range o.nodes {
			position[v] = i
		}
		parent, behind := slices.Repeat([]int{n.g.N}, n.g.N), 0 // by position, the first neighbour
		for _, e := range n.g.Edges {
			i, j := position[e.U], position[e.V]
			parent[max(i, j)] = min(parent[max(i, j)], min(i, j))
			behind = max(behind, max(i, j)-min(i, j))
		}
		roots, last := 0, 0
		for i, p := range parent {
			if p == n.g.N {
				roots++
				p = i
			}
			if p < last {
				t.Fatalf("%s: position %d comes from %d, an earlier one from %d: not breadth-first", n.name, i, p, last)
			}
			last = p
		}
		if pieces := len(n.g.Components()); roots != pieces || o.bandwidth != behind {
			t.Errorf("%s: %d positions without an earlier neighbour for %d components, bandwidth %d, want %d", n.name, roots, pieces, o.bandwidth, behind)
		}
	}
}

// TestLoadStops cancels work of minutes: reading and ordering, drawing a family, and encoding in many orders.
func TestLoadStops(t *testing.T) {
	var text strings.Builder
	r := rand.New(rand.NewPCG(5, 6))
	dense := where(600, func(int, int) bool { return r.IntN(2) == 0 })
	line := graph6.Encode(dense)
	for range 300 {
		text.WriteString(line + "\n")
	}
	path := file(t, "dense.g6", text.String())
	for _, tc := range []struct {
		what string
		o    domains.LoadOptions
	}{
		{"graphs of a file", optionsFor(path)},
		{"a family", optionsFor("family:planar-64", "count=1000000")},
		{"orders", optionsFor("family:sbm", "count=500", "orders=64")},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		var stopped time.Time
		timer := time.AfterFunc(time.Second, func() { stopped = time.Now(); cancel() })
		_, err := Domain{}.Load(ctx, tc.o)
		ended := time.Now()
		timer.Stop()
		cancel()
		if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "graphs: ") {
			t.Errorf("%s: %v, want an error of graphs that wraps context.Canceled", tc.what, err)
			continue
		}
		if late := ended.Sub(stopped); late > prompt {
			t.Errorf("%s: Load ended %v after its context, want at most %v", tc.what, late, prompt)
		} else {
			t.Logf("%s: Load ended %v after its context: %v", tc.what, late.Round(time.Millisecond), err)
		}
	}
}
