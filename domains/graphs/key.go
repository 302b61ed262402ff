package graphs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"pfgmgen/internal/graph"
)

// isomorphismKey is equal for isomorphic graphs, labels and edge types included, and different for others unless colour
// refinement with one node individualised cannot tell them apart, which strongly regular graphs need and no molecule or
// random graph has been seen to do. Where that takes more than maxWork, distances and common neighbours tell, which is
// not sharper on strongly regular graphs either.
func isomorphismKey(g *graph.Graph) string {
	base := newPartition(g)
	prints := []uint64{base.fingerprint(g)}
	if c := base.target(); c >= 0 {
		for _, v := range base.at[c:base.end[c]] {
			if base.spent() {
				break
			}
			p := base.clone()
			p.individualise(v)
			prints = append(prints, p.fingerprint(g))
		}
		if slices.Sort(prints[1:]); base.spent() { // which nodes came first depends on the numbering
			prints = append(prints[:1], base.profile())
		}
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(g.N))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(g.Edges)))
	for _, f := range prints {
		b = binary.LittleEndian.AppendUint64(b, f)
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// fingerprint hashes the cells with the labels of their nodes and the edges between them. It does not depend on the order
// of the nodes in a cell; of a partition into single nodes it is a hash of the whole graph.
func (p *partition) fingerprint(g *graph.Graph) uint64 {
	*p.left -= len(p.at) + len(g.Edges)
	sum := uint64(0)
	for v, c := range p.cell {
		label := uint64(0)
		if g.Labels != nil {
			label = uint64(g.Labels[v])
		}
		sum += mix(mix(uint64(c))<<8 ^ label)
	}
	for _, e := range g.Edges {
		a, b := p.cell[e.U], p.cell[e.V]
		if a > b {
			a, b = b, a
		}
		sum += mix(mix(mix(uint64(a))+uint64(b)) + uint64(e.Type))
	}
	return sum
}

// profile hashes what each node sees: the distance to every other one within its component, the number of their common
// neighbours, and both their cells.
func (p *partition) profile() uint64 {
	w := newWalker(p.arcs)
	sum := uint64(0)
	for v, c := range p.cell {
		seen := uint64(0)
		w.walk(v, func(distance, u int) {
			seen += mix(mix(uint64(distance)<<32|uint64(w.common(u, v))) + uint64(p.cell[u]))
		})
		sum += mix(mix(uint64(c)) + seen)
	}
	return sum
}
