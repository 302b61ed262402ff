package smiles

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"pfgmgen/internal/chem"
)

// ErrRings is returned for a molecule that would need more than 99 rings open at once: SMILES has no numbers for them.
var ErrRings = errors.New("smiles: more than 99 rings are open at one place of the text")

// Write is the SMILES of m as a Kekulé structure: the same text for every numbering of its atoms, and another for any
// other molecule (but see chem.Molecule.Canonical on the limit of the search). Parse reads back the same atoms and
// bonds. Impossible valences are written as they stand, in brackets; Parse refuses them. m must pass Check.
func Write(m *chem.Molecule) (string, error) {
	order, _ := m.Canonical()
	return write(m.Reorder(order))
}

// Canonical is the SMILES of m's normal form (chem.Molecule.Normal): one text for all numberings and for all Kekulé
// structures of its fused six-membered rings. It is what molecules are compared by.
func Canonical(m *chem.Molecule) (string, error) {
	n, _ := m.Normal()
	return write(n)
}

// write follows the bonds from the first atom of each fragment, the lower atom first.
func write(m *chem.Molecule) (string, error) {
	w := writer{m: m, next: m.Neighbours(), hydrogens: m.Hydrogens(), faulty: make([]bool, len(m.Atoms)),
		seen: make([]bool, len(m.Atoms)), children: make([][]chem.Neighbour, len(m.Atoms)), size: make([]int, len(m.Atoms)),
		opens: make([][]int, len(m.Atoms)), closes: make([][]int, len(m.Atoms)), number: make([]int, len(m.Bonds))}
	for _, f := range m.Faults() {
		w.faulty[f.Atom] = true
	}
	for _, list := range w.next {
		slices.SortFunc(list, func(a, b chem.Neighbour) int { return a.Atom - b.Atom })
	}
	for i := range m.Atoms {
		if w.seen[i] {
			continue
		}
		if i > 0 {
			w.out = append(w.out, '.')
		}
		w.walk(i, -1)
		if err := w.write(i); err != nil {
			return "", err
		}
	}
	return string(w.out), nil
}

type writer struct {
	m         *chem.Molecule
	next      [][]chem.Neighbour
	hydrogens []int
	faulty    []bool

	// The tree of the walk; bonds outside it close rings.
	seen          []bool
	children      [][]chem.Neighbour
	size          []int   // atoms below, itself included
	opens, closes [][]int // bonds, of the atom that comes first and second in the text

	number []int // of a ring, by bond
	used   [100]bool
	out    []byte
}

// walk makes the tree below atom i, which was reached over the bond by.
func (w *writer) walk(i, by int) {
	w.seen[i] = true
	w.size[i] = 1
	for _, n := range w.next[i] {
		switch {
		case n.Bond == by:
		case !w.seen[n.Atom]:
			w.children[i] = append(w.children[i], n)
			w.walk(n.Atom, n.Bond)
			w.size[i] += w.size[n.Atom]
		case !slices.Contains(w.opens[i], n.Bond):
			// Seen before and above: below it, i is the later end.
			w.opens[n.Atom] = append(w.opens[n.Atom], n.Bond)
			w.closes[i] = append(w.closes[i], n.Bond)
		}
	}
	// Small branches first: the rest is written without parentheses.
	slices.SortStableFunc(w.children[i], func(a, b chem.Neighbour) int { return cmp.Compare(w.size[a.Atom], w.size[b.Atom]) })
}

func (w *writer) write(i int) error {
	w.atom(i)
	for _, k := range w.closes[i] {
		w.ring(w.number[k])
	}
	for _, k := range w.opens[i] {
		// Numbers that close here are still taken, so that no number stands twice at an atom.
		n := 1 + slices.Index(w.used[1:], false)
		if n == 0 {
			return ErrRings
		}
		w.used[n], w.number[k] = true, n
		w.bond(k)
		w.ring(n)
	}
	for _, k := range w.closes[i] {
		w.used[w.number[k]] = false
	}
	for c, n := range w.children[i] {
		last := c == len(w.children[i])-1
		if !last {
			w.out = append(w.out, '(')
		}
		w.bond(n.Bond)
		if err := w.write(n.Atom); err != nil {
			return err
		}
		if !last {
			w.out = append(w.out, ')')
		}
	}
	return nil
}

func (w *writer) bond(k int) {
	switch w.m.Bonds[k].Order {
	case 2:
		w.out = append(w.out, '=')
	case 3:
		w.out = append(w.out, '#')
	}
}

func (w *writer) ring(n int) {
	if n > 9 {
		w.out = append(w.out, '%')
	}
	w.out = strconv.AppendInt(w.out, int64(n), 10)
}

func (w *writer) atom(i int) {
	a := w.m.Atoms[i]
	if a.Charge == 0 && a.Radical == 0 && !w.faulty[i] && organic(a.Element) {
		w.out = append(w.out, a.Element.String()...)
		return
	}
	w.out = append(append(w.out, '['), a.Element.String()...)
	if h := w.hydrogens[i]; h > 0 {
		w.out = append(w.out, 'H')
		if h > 1 {
			w.out = strconv.AppendInt(w.out, int64(h), 10)
		}
	}
	if q := int64(a.Charge); q != 0 {
		sign := byte('+')
		if q < 0 {
			sign, q = '-', -q
		}
		w.out = append(w.out, sign)
		if q > 1 {
			w.out = strconv.AppendInt(w.out, q, 10)
		}
	}
	w.out = append(w.out, ']')
}

// organic says whether the element may stand without brackets when its valence is an ordinary one.
func organic(e chem.Element) bool {
	switch e {
	case chem.Boron, chem.Carbon, chem.Nitrogen, chem.Oxygen, chem.Phosphorus, chem.Sulfur,
		chem.Fluorine, chem.Chlorine, chem.Bromine, chem.Iodine:
		return true
	}
	return false
}
