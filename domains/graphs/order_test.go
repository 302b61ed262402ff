package graphs

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
)

// shuffled is g with its nodes in another order.
func shuffled(g *graph.Graph, rng *rand.Rand) *graph.Graph {
	to := rng.Perm(g.N)
	h := &graph.Graph{N: g.N}
	if g.Labels != nil {
		h.Labels = make([]uint8, g.N)
		for v, l := range g.Labels {
			h.Labels[to[v]] = l
		}
	}
	for _, e := range g.Edges {
		h.Edges = append(h.Edges, graph.Edge{U: min(to[e.U], to[e.V]), V: max(to[e.U], to[e.V]), Type: e.Type})
	}
	h, err := graph.New(h.N, h.Labels, h.Edges)
	if err != nil {
		panic(err)
	}
	return h
}

// TestOrderIsCanonical encodes molecules and proteins again from another numbering and another drawing.
func TestOrderIsCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tc := range []struct {
		options domains.LoadOptions
		order   func(*graph.Graph) ordering
	}{
		{optionsFor(moleculeFile), orderMolecule},
		{enzymes, canonicalOrder},
	} {
		in := read(t, tc.options.Paths[0])
		others, tried := 0, 0
		for i, r := range in.records {
			if in.kind == molecules && i%4 != 0 {
				continue // a quarter takes two seconds
			}
			tried++
			g := shuffled(r.g, rng)
			if in.kind == molecules {
				all := drawings(g)
				for k, order := range all[rng.IntN(len(all))] {
					g.Edges[k].Type = order
				}
				if moleculeKey(g, moleculeOf(g)) != moleculeKey(r.g, moleculeOf(r.g)) {
					t.Fatalf("record %s: another key from another numbering", r.id)
				}
			} else if isomorphismKey(g) != isomorphismKey(r.g) {
				t.Fatalf("record %s: another key from another numbering", r.id)
			}
			if !slices.Equal(tc.order(g).code, tc.order(r.g).code) {
				others++
			}
		}
		t.Logf("%s: %d of %d graphs are encoded otherwise from another numbering", in.kind, others, tried)
		if 1000*others > tried {
			t.Errorf("%d of %d graphs are encoded otherwise from another numbering, want at most one in a thousand", others, tried)
		}
	}
}
