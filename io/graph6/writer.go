package graph6

import (
	"slices"

	"pfgmgen/internal/graph"
)

// Encode returns the graph6 of g, without a line end: n(n-1)/12 bytes for n nodes. Labels and edge types are lost.
func Encode(g *graph.Graph) string {
	out := appendSize(nil, g.N)
	start := len(out)
	pairs := g.N * max(0, g.N-1) / 2
	for range (pairs + 5) / 6 {
		out = append(out, 0)
	}
	for _, e := range g.Edges {
		bit := e.V*(e.V-1)/2 + e.U
		out[start+bit/6] |= 1 << (5 - bit%6)
	}
	for i := start; i < len(out); i++ {
		out[i] += 63
	}
	return string(out)
}

// EncodeSparse returns the sparse6 of g, without a line end. Labels and edge types are lost.
func EncodeSparse(g *graph.Graph) string {
	edges := slices.Clone(g.Edges)
	slices.SortFunc(edges, func(a, b graph.Edge) int {
		if a.V != b.V {
			return a.V - b.V
		}
		return a.U - b.U
	})
	w := &packer{out: appendSize([]byte(":"), g.N)}
	width, current := nodeBits(g.N), 0
	for _, e := range edges {
		switch e.V {
		case current:
			w.put(0, 1)
		case current + 1:
			w.put(1, 1)
		default:
			w.put(1, 1)
			w.put(uint64(e.V), width)
			w.put(0, 1)
		}
		current = e.V
		w.put(uint64(e.U), width)
	}
	// Padding is of ones, which a reader may take for a step to node n-1 and a loop at it when n is a power of two and
	// the current node is n-2: one zero makes that a step without an edge.
	if pad := (6 - w.have) % 6; pad > 0 {
		if g.N == 1<<width && current == g.N-2 && pad > width {
			w.put(0, 1)
			pad--
		}
		w.put(1<<pad-1, pad)
	}
	return string(w.out)
}

// A packer collects bits into bytes of six.
type packer struct {
	out  []byte
	word byte
	have int // bits in word
}

func (p *packer) put(value uint64, width int) {
	for i := width - 1; i >= 0; i-- {
		p.word = p.word<<1 | byte(value>>i&1)
		if p.have++; p.have == 6 {
			p.out = append(p.out, p.word+63)
			p.word, p.have = 0, 0
		}
	}
}

func appendSize(out []byte, n int) []byte {
	digits := 1
	switch {
	case n > 258047:
		out, digits = append(out, 126, 126), 6
	case n > 62:
		out, digits = append(out, 126), 3
	}
	for i := digits - 1; i >= 0; i-- {
		out = append(out, byte(n>>(6*i)&63)+63)
	}
	return out
}
