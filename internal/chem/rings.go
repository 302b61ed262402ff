package chem

import (
	"math/bits"
	"slices"
)

// RingCount is the number of independent rings: bonds less atoms plus fragments. It equals the size of the smallest set of
// smallest rings.
func (m *Molecule) RingCount() int {
	return len(m.Bonds) - len(m.Atoms) + len(m.Fragments())
}

// RingBonds says of each bond whether it lies on a ring, that is whether its fragment stays in one part without it.
func (m *Molecule) RingBonds() []bool {
	next := m.Neighbours()
	ring := make([]bool, len(m.Bonds))
	for k := range ring {
		ring[k] = true
	}
	// Depth-first numbering; a bond is a bridge when nothing below it reaches back above it (Tarjan).
	enter, low := make([]int, len(m.Atoms)), make([]int, len(m.Atoms))
	type visit struct{ atom, by, at int } // by is the bond that led here, at the next neighbour to look at
	var stack []visit
	clock := 0
	for root := range m.Atoms {
		if enter[root] != 0 {
			continue
		}
		clock++
		enter[root], low[root] = clock, clock
		stack = append(stack[:0], visit{root, -1, 0})
		for len(stack) > 0 {
			v := &stack[len(stack)-1]
			if v.at < len(next[v.atom]) {
				n := next[v.atom][v.at]
				v.at++
				switch {
				case n.Bond == v.by:
				case enter[n.Atom] != 0:
					low[v.atom] = min(low[v.atom], enter[n.Atom])
				default:
					clock++
					enter[n.Atom], low[n.Atom] = clock, clock
					stack = append(stack, visit{n.Atom, n.Bond, 0})
				}
				continue
			}
			done := *v
			stack = stack[:len(stack)-1]
			if len(stack) == 0 {
				continue
			}
			above := stack[len(stack)-1].atom
			low[above] = min(low[above], low[done.atom])
			if low[done.atom] > enter[above] {
				ring[done.by] = false
			}
		}
	}
	return ring
}

// RingSizes are the sizes of the rings of a minimum cycle basis, rising: RingCount of them. All such bases have the same
// sizes, so they do not depend on the order of the atoms. It is Horton's method: rings made of two shortest paths from
// an atom and a bond between their ends, taken by size while independent of those before. Meant for hundreds of ring
// atoms: time grows with the product of ring atoms, rings and bonds.
func (m *Molecule) RingSizes() []int {
	left := m.RingCount()
	if left == 0 {
		return nil
	}
	onRing := m.RingBonds()
	column := make([]int, len(m.Bonds)) // of a ring bond in the bit vectors
	columns := 0
	next := m.Neighbours()
	for i, list := range next {
		next[i] = slices.DeleteFunc(list, func(n Neighbour) bool { return !onRing[n.Bond] })
	}
	for k, in := range onRing {
		if in {
			column[k] = columns
			columns++
		}
	}
	t := pathTree{m: m, next: next}
	candidates := make([][]horton, len(m.Atoms)+1) // by size
	for v := range m.Atoms {
		if len(next[v]) == 0 {
			continue
		}
		t.grow(v)
		for k, b := range m.Bonds {
			// Both ends reached on different first steps, and not the last bond of a path: a ring through v.
			if onRing[k] && t.reached(b.I) && t.reached(b.J) && t.step[b.I] != t.step[b.J] && t.by[b.I] != k && t.by[b.J] != k {
				size := t.dist[b.I] + t.dist[b.J] + 1
				candidates[size] = append(candidates[size], horton{v, k})
			}
		}
	}
	words := (columns + 63) / 64
	basis := make(map[int][]uint64) // by leading column
	var sizes []int
	for size, list := range candidates {
		root := -1
		seen := make(map[string]bool)
		for _, c := range list {
			if left == 0 {
				return sizes
			}
			if c.atom != root {
				root = c.atom
				t.grow(root)
			}
			vector := make([]uint64, words)
			key := make([]byte, 0, 4*size)
			members := []int{c.bond}
			for _, end := range []int{m.Bonds[c.bond].I, m.Bonds[c.bond].J} {
				for ; end != root; end = t.above(end) {
					members = append(members, t.by[end])
				}
			}
			slices.Sort(members)
			for _, k := range members {
				vector[column[k]/64] |= 1 << (column[k] % 64)
				key = append(key, byte(k), byte(k>>8), byte(k>>16), byte(k>>24))
			}
			if seen[string(key)] {
				continue
			}
			seen[string(key)] = true
			if lead := reduce(vector, basis); lead >= 0 {
				basis[lead] = vector
				sizes = append(sizes, size)
				left--
			}
		}
	}
	return sizes
}

// horton is a candidate ring: the shortest paths from atom to both ends of bond, and bond.
type horton struct{ atom, bond int }

// reduce takes members of basis off vector until its leading column is in none of them, and returns that column, -1 when
// nothing is left.
func reduce(vector []uint64, basis map[int][]uint64) int {
	for w := range vector {
		for vector[w] != 0 {
			lead := 64*w + bits.TrailingZeros64(vector[w])
			b, ok := basis[lead]
			if !ok {
				return lead
			}
			for i := w; i < len(vector); i++ {
				vector[i] ^= b[i]
			}
		}
	}
	return -1
}

// pathTree holds shortest paths from one atom over ring bonds.
type pathTree struct {
	m     *Molecule
	next  [][]Neighbour
	root  int
	dist  []int // -1 where not reached
	by    []int // the last bond of the path, -1 at the root
	step  []int // the first atom of the path after the root, the root at itself
	queue []int
}

func (t *pathTree) grow(root int) {
	if t.dist == nil {
		t.dist, t.by, t.step = make([]int, len(t.next)), make([]int, len(t.next)), make([]int, len(t.next))
	}
	for i := range t.dist {
		t.dist[i] = -1
	}
	t.root = root
	t.dist[root], t.by[root], t.step[root] = 0, -1, root
	t.queue = append(t.queue[:0], root)
	for head := 0; head < len(t.queue); head++ {
		a := t.queue[head]
		for _, n := range t.next[a] {
			if t.dist[n.Atom] >= 0 {
				continue
			}
			t.dist[n.Atom], t.by[n.Atom], t.step[n.Atom] = t.dist[a]+1, n.Bond, t.step[a]
			if a == root {
				t.step[n.Atom] = n.Atom
			}
			t.queue = append(t.queue, n.Atom)
		}
	}
}

func (t *pathTree) reached(a int) bool { return t.dist[a] >= 0 }

// above is the atom before a on its path.
func (t *pathTree) above(a int) int {
	b := t.m.Bonds[t.by[a]]
	return b.I + b.J - a
}
