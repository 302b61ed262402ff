package chem

import (
	"cmp"
	"slices"
)

// canonWork bounds the search for the canonical order of one fragment, in atoms looked at by refinement. Molecules need
// thousands; only graphs that refinement cannot tell apart for a long time, such as large regular ones, come near it.
const canonWork = 20_000_000

// Canonical is an order of the atoms that depends on the molecule and not on how its atoms were numbered: Reorder by it
// gives the same Atoms, and after sorting the same Bonds, for every numbering. Equal molecules, and only those, become
// equal. exact is false when the search was cut off; then the order may depend on the numbering.
//
// Colours are refined by their neighbours until nothing changes; while atoms share a colour, each atom of the first such
// class in turn is set apart, and the order with the least code is taken. Orders with equal codes differ by a symmetry of
// the molecule, which spares trying what it maps onto something tried (McKay's method). Fragments are ordered on their
// own, then by code.
func (m *Molecule) Canonical() (order []int, exact bool) {
	kinds := make([]uint8, len(m.Bonds))
	for k, b := range m.Bonds {
		kinds[k] = b.Order
	}
	return m.canonical(kinds)
}

// canonical orders the atoms with kinds in place of the bond orders.
func (m *Molecule) canonical(kinds []uint8) (order []int, exact bool) {
	type part struct {
		order []int
		code  []uint64
	}
	next := m.Neighbours()
	local := make([]int, len(m.Atoms))
	var parts []part
	exact = true
	for _, atoms := range m.Fragments() {
		for k, i := range atoms {
			local[i] = k
		}
		s := labelling{next: make([][]arc, len(atoms)), work: canonWork}
		for k, i := range atoms {
			for _, n := range next[i] {
				s.next[k] = append(s.next[k], arc{local[n.Atom], uint64(kinds[n.Bond])})
			}
		}
		colour := make([]uint64, len(atoms))
		for k, i := range atoms {
			a := m.Atoms[i]
			colour[k] = uint64(len(next[i]))<<32 | uint64(a.Element)<<16 | uint64(uint8(a.Charge))<<8 | uint64(a.Radical)
		}
		s.run(colour)
		exact = exact && s.work > 0
		p := part{order: make([]int, len(atoms))}
		p.code = append(p.code, uint64(len(atoms)))
		for place, k := range s.best {
			p.order[place] = atoms[k]
			p.code = append(p.code, colour[k])
		}
		p.code = append(p.code, s.code...)
		parts = append(parts, p)
	}
	slices.SortStableFunc(parts, func(a, b part) int { return slices.Compare(a.code, b.code) })
	for _, p := range parts {
		order = append(order, p.order...)
	}
	return order, exact
}

// An arc leads to another atom of the fragment over a bond of a kind.
type arc struct {
	to   int
	kind uint64
}

// labelling is the search for the canonical order of one fragment. A class is a set of atoms with equal rank, and the
// rank is the number of atoms in classes before it; atoms with a class of their own have their place as rank.
type labelling struct {
	next [][]arc
	work int // what is left of canonWork

	path  []int    // the atoms set apart above the present node
	trace []uint64 // a summary of the refinement at each node of the path, itself included
	found bool
	best  []int // atom at each place
	code  []uint64
	// Of the node at which best was found.
	bestPath  []int
	bestTrace []uint64

	symmetries [][][2]int // each the atoms that it moves, and where to
	signature  []uint64
	sorted     []int
}

func (s *labelling) run(colour []uint64) {
	n := len(s.next)
	s.signature, s.sorted = make([]uint64, n), make([]int, n)
	rank := make([]int, n)
	// Ends of the same colour on the same atom can always be swapped.
	for _, arcs := range s.next {
		for k, a := range arcs {
			for _, b := range arcs[k+1:] {
				if len(s.next[a.to]) == 1 && len(s.next[b.to]) == 1 && colour[a.to] == colour[b.to] && a.kind == b.kind {
					s.symmetries = append(s.symmetries, [][2]int{{a.to, b.to}, {b.to, a.to}})
					break
				}
			}
		}
	}
	copy(s.signature, colour)
	s.split(rank)
	s.visit(rank, 0)
}

// mix is a bijection of 64-bit words that spreads differences (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// split makes classes of atoms with equal rank and signature, in that order, and returns how many there are and a
// summary of ranks and signatures.
func (s *labelling) split(rank []int) (classes int, summary uint64) {
	for i := range s.sorted {
		s.sorted[i] = i
	}
	slices.SortFunc(s.sorted, func(a, b int) int {
		if c := cmp.Compare(rank[a], rank[b]); c != 0 {
			return c
		}
		return cmp.Compare(s.signature[a], s.signature[b])
	})
	old, start := -1, 0
	for k, i := range s.sorted {
		summary = mix(summary ^ s.signature[i])
		if r := rank[i]; k == 0 || r != old || s.signature[i] != s.signature[s.sorted[k-1]] {
			old, start = r, k
			classes++
		}
		rank[i] = start
	}
	s.work -= len(s.sorted)
	return classes, summary
}

// refine splits classes by the ranks around their atoms until that changes nothing.
func (s *labelling) refine(rank []int) (classes int, summary uint64) {
	before := 0
	for {
		for i, arcs := range s.next {
			sum := uint64(0)
			for _, a := range arcs {
				sum += mix(uint64(rank[a.to])<<8 | a.kind)
			}
			s.signature[i] = sum
		}
		var h uint64
		classes, h = s.split(rank)
		summary = mix(summary ^ h)
		if classes == before || classes == len(rank) {
			return classes, summary
		}
		before = classes
	}
}

// visit searches below the node with these classes. ahead is 0 while the path's traces equal those of the best order, and
// negative when they are less, so that any order below is better. It returns the depth at which to go on: the present
// one, or a lower one when all below the nodes between is known to repeat what was seen.
func (s *labelling) visit(rank []int, ahead int) int {
	depth := len(s.path)
	classes, summary := s.refine(rank)
	s.trace = append(s.trace[:depth], summary)
	if s.found && ahead == 0 {
		if depth >= len(s.bestTrace) {
			return depth
		}
		if ahead = cmp.Compare(summary, s.bestTrace[depth]); ahead > 0 {
			return depth
		}
	}
	if classes == len(rank) {
		return s.leaf(rank, ahead)
	}
	// The first class of several atoms.
	count := make([]int, len(rank))
	for _, r := range rank {
		count[r]++
	}
	target := slices.IndexFunc(count, func(c int) bool { return c > 1 })
	var tried []int
	var same orbits
	for v := range rank {
		if rank[v] != target {
			continue
		}
		if s.found && s.work <= 0 {
			return -1
		}
		if len(tried) > 0 {
			if same.of == nil || same.symmetries < len(s.symmetries) {
				same = s.orbits(depth)
			}
			if slices.ContainsFunc(tried, func(w int) bool { return same.find(v) == same.find(w) }) {
				continue
			}
		}
		tried = append(tried, v)
		below := slices.Clone(rank)
		for i, r := range rank {
			if r == target && i != v {
				below[i]++
			}
		}
		s.path = append(s.path[:depth], v)
		back := s.visit(below, ahead)
		s.path = s.path[:depth]
		if back < depth {
			return back
		}
		// Whatever is best now was reached through this node or equals its trace.
		if s.found && ahead < 0 {
			ahead = 0
		}
	}
	return depth
}

// leaf compares the order of a node whose classes hold one atom each with the best.
func (s *labelling) leaf(rank []int, ahead int) int {
	depth := len(s.path)
	var code []uint64
	for i, arcs := range s.next {
		for _, a := range arcs {
			if rank[i] < rank[a.to] {
				code = append(code, uint64(rank[i])<<36|uint64(rank[a.to])<<8|a.kind)
			}
		}
	}
	slices.Sort(code)
	order := make([]int, len(rank))
	for i, r := range rank {
		order[r] = i
	}
	better := -1
	if s.found && ahead == 0 {
		if depth+1 != len(s.bestTrace) {
			better = cmp.Compare(depth+1, len(s.bestTrace))
		} else {
			better = slices.Compare(code, s.code)
		}
	}
	switch {
	case better < 0:
		s.found, s.best, s.code = true, order, code
		s.bestPath, s.bestTrace = slices.Clone(s.path), slices.Clone(s.trace)
	case better == 0:
		var moved [][2]int
		for place, i := range s.best {
			if j := order[place]; i != j {
				moved = append(moved, [2]int{i, j})
			}
		}
		s.symmetries = append(s.symmetries, moved)
		// The branch where the two paths part is now known to repeat the one of the best.
		for k := range s.path {
			if s.path[k] != s.bestPath[k] {
				return k
			}
		}
	}
	return depth
}

// orbits are the sets of atoms that some known symmetries map onto each other.
type orbits struct {
	of         []int // a member nearer to the one that stands for the set
	symmetries int   // how many were known
}

func (o *orbits) find(i int) int {
	for o.of[i] != i {
		o.of[i] = o.of[o.of[i]]
		i = o.of[i]
	}
	return i
}

// orbits of the symmetries that move no atom of the path to this depth.
func (s *labelling) orbits(depth int) orbits {
	o := orbits{of: make([]int, len(s.next)), symmetries: len(s.symmetries)}
	for i := range o.of {
		o.of[i] = i
	}
	onPath := make([]bool, len(s.next))
	for _, i := range s.path[:depth] {
		onPath[i] = true
	}
	for _, moved := range s.symmetries {
		if slices.ContainsFunc(moved, func(m [2]int) bool { return onPath[m[0]] }) {
			continue
		}
		for _, m := range moved {
			o.of[o.find(m[0])] = o.find(m[1])
		}
	}
	return o
}
