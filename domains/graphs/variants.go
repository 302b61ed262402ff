package graphs

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
)

// Bounds on the search for variants: changes in one of them, and attempts for each that is wanted.
const (
	maxChanges      = 3
	variantAttempts = 5
)

// addVariants adds molecules that are near to the training molecules and that no part of the data has. A network that
// learns from them first knows what an atom can be bound to from ten times as many molecules as there are, and the real
// ones need not be shown so often afterwards that it knows them by heart.
func (l *loader) addVariants() error {
	if l.variants == 0 {
		return nil
	}
	if l.s.Kind != molecules {
		return fmt.Errorf("%w variants=%d is for molecules, the data are graphs without valences", domains.ErrSetting, l.variants)
	}
	seen := make(map[string]bool, len(l.records))
	for _, r := range l.records {
		seen[r.key] = true
	}
	v := newVaried(l.train)
	var added []*record
	for _, r := range l.train {
		if err := l.stopped(); err != nil {
			return err
		}
		h := fnv.New64a()
		h.Write([]byte(r.key))
		rng := rand.New(rand.NewPCG(uint64(l.seed), h.Sum64()))
		for attempt, made := 0, 0; made < l.variants && attempt < variantAttempts*l.variants; attempt++ {
			g := v.of(r.g, rng)
			if g == nil || g.N < l.minNodes {
				continue
			}
			if key := moleculeKey(g, moleculeOf(g)); !seen[key] {
				seen[key] = true
				made++
				added = append(added, &record{id: fmt.Sprintf("%s variant %d", r.id, made), g: g, class: r.class, key: key})
			}
		}
	}
	l.train = append(l.train, added...)
	l.note("%d variants of training molecules added", len(added))
	return nil
}

// varied is what variants may be made of: what the training molecules have.
type varied struct {
	atoms   []uint8 // codes of neutral atoms
	highest uint8   // bond order
	largest int     // atoms
}

func newVaried(train []*record) varied {
	var v varied
	for _, r := range train {
		v.largest = max(v.largest, r.g.N)
		for _, code := range r.g.Labels {
			if a := atomOf(code); a.Charge == 0 && !slices.Contains(v.atoms, code) {
				v.atoms = append(v.atoms, code)
			}
		}
		for _, e := range r.g.Edges {
			v.highest = max(v.highest, e.Type)
		}
	}
	slices.Sort(v.atoms)
	return v
}

// of is g after one to three changes, nil when they lead to no molecule with its charge. Hydrogens fill up what the bonds
// leave free.
func (v varied) of(g *graph.Graph, rng *rand.Rand) *graph.Graph {
	charge := moleculeOf(g).NetCharge()
	g = &graph.Graph{N: g.N, Labels: slices.Clone(g.Labels), Edges: slices.Clone(g.Edges)}
	for range 1 + rng.IntN(maxChanges) {
		switch p := rng.Float64(); {
		case p < 0.6:
			v.exchange(g, rng)
		case p < 0.75:
			takeLeaf(g, rng)
		case p < 0.9:
			v.addLeaf(g, rng)
		default:
			v.changeBond(g, rng)
		}
	}
	m := moleculeOf(g)
	if m.NetCharge() != charge || len(m.Faults()) > 0 || len(m.Fragments()) != 1 {
		return nil
	}
	g, err := graph.New(g.N, g.Labels, g.Edges)
	if err != nil {
		return nil
	}
	return g
}

// exchange makes an atom one of another element that has room for its bonds.
func (v varied) exchange(g *graph.Graph, rng *rand.Rand) {
	i, code := rng.IntN(g.N), v.atoms[rng.IntN(len(v.atoms))]
	allowed, ok := atomOf(code).Element.Valences(0)
	if ok && slices.Max(allowed) >= moleculeOf(g).Bonded()[i] {
		g.Labels[i] = code
	}
}

// takeLeaf takes away an atom with one neighbour.
func takeLeaf(g *graph.Graph, rng *rand.Rand) {
	i := rng.IntN(g.N)
	bonds := slices.DeleteFunc(slices.Clone(g.Edges), func(e graph.Edge) bool { return e.U == i || e.V == i })
	if g.N < 3 || len(bonds) != len(g.Edges)-1 {
		return
	}
	for k, e := range bonds { // the atoms behind it move up
		if e.U > i {
			bonds[k].U--
		}
		if e.V > i {
			bonds[k].V--
		}
	}
	g.N, g.Labels, g.Edges = g.N-1, slices.Delete(g.Labels, i, i+1), bonds
}

// addLeaf binds an atom, of an element that the molecule has, to one with a hydrogen.
func (v varied) addLeaf(g *graph.Graph, rng *rand.Rand) {
	i, code := rng.IntN(g.N), g.Labels[rng.IntN(g.N)]
	if g.N < v.largest && atomOf(code).Charge == 0 && moleculeOf(g).Hydrogens()[i] > 0 {
		g.Edges = append(g.Edges, graph.Edge{U: i, V: g.N, Type: 1})
		g.N, g.Labels = g.N+1, append(g.Labels, code)
	}
}

// changeBond makes a bond of one order more, or one less.
func (v varied) changeBond(g *graph.Graph, rng *rand.Rand) {
	k := rng.IntN(len(g.Edges))
	e, free := &g.Edges[k], moleculeOf(g).Hydrogens()
	switch {
	case e.Type > 1 && rng.IntN(2) == 0:
		e.Type--
	case e.Type < v.highest && free[e.U] > 0 && free[e.V] > 0:
		e.Type++
	}
}
