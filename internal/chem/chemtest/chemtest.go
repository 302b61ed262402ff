// Package chemtest helps the tests of molecules: an isomorphism test that shares no code with the canonical order of
// package chem, and the shared set of small molecules.
package chemtest

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/io/lines"
)

// Isomorphic says whether a renumbering of a's atoms makes it b: the same elements, charges, unpaired electrons and
// bonds. It matches atom by atom along the bonds and takes back what does not fit; the time can be exponential.
func Isomorphic(a, b *chem.Molecule) bool {
	if len(a.Atoms) != len(b.Atoms) || len(a.Bonds) != len(b.Bonds) {
		return false
	}
	x, y := classes(a), classes(b)
	sx, sy := slices.Clone(x), slices.Clone(y)
	slices.Sort(sx)
	slices.Sort(sy)
	if !slices.Equal(sx, sy) {
		return false
	}
	frequency := make(map[uint64]int)
	for _, c := range x {
		frequency[c]++
	}
	s := search{a: a, b: b, x: x, y: y, na: a.Neighbours(), nb: b.Neighbours(), to: make([]int, len(a.Atoms)), used: make([]bool, len(a.Atoms))}
	s.orders = make(map[[2]int]uint8, len(b.Bonds))
	for _, bond := range b.Bonds {
		s.orders[[2]int{bond.I, bond.J}] = bond.Order
	}
	// Rarest class first, then along bonds, so that almost every atom is placed next to one that is.
	seen := make([]bool, len(a.Atoms))
	seeds := make([]int, len(a.Atoms))
	for i := range seeds {
		seeds[i], s.to[i] = i, -1
	}
	slices.SortStableFunc(seeds, func(i, j int) int { return cmp.Compare(frequency[x[i]], frequency[x[j]]) })
	for _, seed := range seeds {
		if seen[seed] {
			continue
		}
		seen[seed] = true
		s.order = append(s.order, seed)
		for head := len(s.order) - 1; head < len(s.order); head++ {
			for _, n := range s.na[s.order[head]] {
				if !seen[n.Atom] {
					seen[n.Atom] = true
					s.order = append(s.order, n.Atom)
				}
			}
		}
	}
	return s.place(0)
}

// classes are numbers for each atom with its surroundings to three bonds. Different ones may share a number by chance,
// which costs time and nothing else.
func classes(m *chem.Molecule) []uint64 {
	next := m.Neighbours()
	out, now := make([]uint64, len(m.Atoms)), make([]uint64, len(m.Atoms))
	for i, a := range m.Atoms {
		out[i] = uint64(a.Element)<<16 | uint64(uint8(a.Charge))<<8 | uint64(a.Radical)
	}
	for range 3 {
		for i := range out {
			now[i] = out[i] * 0x9e3779b97f4a7c15
			for _, n := range next[i] {
				x := (out[n.Atom] + uint64(m.Bonds[n.Bond].Order)) * 0xd6e8feb86659fd93
				now[i] += (x ^ x>>32) * 0xd6e8feb86659fd93
			}
		}
		out, now = now, out
	}
	return out
}

type search struct {
	a, b   *chem.Molecule
	x, y   []uint64
	na, nb [][]chem.Neighbour
	orders map[[2]int]uint8
	order  []int
	to     []int
	used   []bool
}

func (s *search) place(k int) bool {
	if k == len(s.order) {
		return true
	}
	i := s.order[k]
	var candidates []int
	for _, n := range s.na[i] {
		if p := s.to[n.Atom]; p >= 0 {
			for _, q := range s.nb[p] {
				candidates = append(candidates, q.Atom)
			}
			break
		}
	}
	if candidates == nil {
		for j := range s.b.Atoms {
			candidates = append(candidates, j)
		}
	}
	for _, j := range candidates {
		if s.used[j] || s.x[i] != s.y[j] || !s.fits(i, j) {
			continue
		}
		s.to[i], s.used[j] = j, true
		if s.place(k + 1) {
			return true
		}
		s.to[i], s.used[j] = -1, false
	}
	return false
}

// fits says whether j is such an atom as i and has i's bonds to placed atoms. Both molecules have as many bonds, so in the
// end none is left over.
func (s *search) fits(i, j int) bool {
	if s.a.Atoms[i] != s.b.Atoms[j] {
		return false
	}
	for _, n := range s.na[i] {
		if p := s.to[n.Atom]; p >= 0 && s.orders[[2]int{min(j, p), max(j, p)}] != s.a.Bonds[n.Bond].Order {
			return false
		}
	}
	return true
}

// Shuffle is m with its atoms and bonds in another order, and the ends of no bond where they were.
func Shuffle(m *chem.Molecule, r *rand.Rand) *chem.Molecule {
	out := m.Reorder(r.Perm(len(m.Atoms)))
	r.Shuffle(len(out.Bonds), func(i, j int) { out.Bonds[i], out.Bonds[j] = out.Bonds[j], out.Bonds[i] })
	return out
}

// An Entry of the shared table of small molecules.
type Entry struct {
	SMILES, Canonical string // the second by RDKit
	Molecule          *chem.Molecule
	Split             string
}

// Table reads a table of molecules with the columns smiles, canonical, heavy_atoms, atoms (element symbols), bonds
// ("i-j:order") and split, tab separated, under a header.
func Table(r io.Reader) ([]Entry, error) {
	in, err := lines.NewReader(r)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for {
		line, err := in.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if in.Number() == 1 {
			continue
		}
		f := strings.Split(string(line), "\t")
		if len(f) != 6 {
			return nil, fmt.Errorf("line %d: %d columns, want 6", in.Number(), len(f))
		}
		m, err := parse(f[3], f[4])
		if err == nil && strconv.Itoa(len(m.Atoms)) != f[2] {
			err = fmt.Errorf("%d atoms, the table says %s", len(m.Atoms), f[2])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", in.Number(), err)
		}
		out = append(out, Entry{f[0], f[1], m, f[5]})
	}
}

func parse(atoms, bonds string) (*chem.Molecule, error) {
	m := &chem.Molecule{}
	for s := range strings.FieldsSeq(atoms) {
		e, ok := chem.ElementOf(s)
		if !ok {
			return nil, fmt.Errorf("no element %q", s)
		}
		m.Atoms = append(m.Atoms, chem.Atom{Element: e})
	}
	for s := range strings.FieldsSeq(bonds) {
		var i, j int
		var order uint8
		if _, err := fmt.Sscanf(s, "%d-%d:%d", &i, &j, &order); err != nil {
			return nil, fmt.Errorf("bond %q: %w", s, err)
		}
		m.Bonds = append(m.Bonds, chem.Bond{I: min(i, j), J: max(i, j), Order: order})
	}
	return m, m.Check()
}
