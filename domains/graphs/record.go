package graphs

import (
	"fmt"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/graph"
)

// maxRecords bounds what is read.
const maxRecords = 1 << 22

// A record is one graph as read.
type record struct {
	id    string
	g     *graph.Graph // labels are codes: atomCode, or a node label plus labelShift; nil when nodes have none
	class string       // empty when the input has none
	split string       // train, valid, test, or empty when the input has none

	hydrogens []uint8 // of a molecule's atoms
	order     ordering
	key       string
}

// labelShift makes a node label, an int8, the label of a graph, a uint8.
const labelShift = 128

// An input is what the data files hold together.
type input struct {
	records []*record
	kind    string // of the records; empty before the first
	dropped map[string]int
	license string
	sources []string // one phrase per file
}

// drop counts a record that cannot be represented.
func (in *input) drop(why string) {
	if in.dropped == nil {
		in.dropped = make(map[string]int)
	}
	in.dropped[why]++
}

// add keeps a record of the given kind.
func (in *input) add(kind string, r *record) error {
	if in.kind != "" && in.kind != kind {
		return fmt.Errorf("%s and %s in one data set: load them one by one, or set kind=%s to take molecules as graphs", in.kind, kind, generic)
	}
	if in.kind = kind; len(in.records) == maxRecords {
		return fmt.Errorf("more than %d records", maxRecords)
	}
	in.records = append(in.records, r)
	return nil
}

// addMolecule keeps a molecule, or drops it with a reason.
func (in *input) addMolecule(r *record, m *chem.Molecule) error {
	if len(m.Atoms) > maxNodes {
		in.drop(fmt.Sprintf("of more than %d atoms", maxNodes))
		return nil
	}
	sums := make([]int, len(m.Atoms))
	edges := make([]graph.Edge, len(m.Bonds))
	for i, b := range m.Bonds {
		edges[i] = graph.Edge{U: b.I, V: b.J, Type: b.Order}
		sums[b.I] += int(b.Order)
		sums[b.J] += int(b.Order)
	}
	labels := make([]uint8, len(m.Atoms))
	r.hydrogens = make([]uint8, len(m.Atoms))
	for i, a := range m.Atoms {
		if a.Charge == ruledCharge(a.Element, sums[i]) {
			a.Charge = 0
		}
		code, ok := atomCode(a)
		if !ok {
			in.drop("with an element or a charge that has no rules here")
			return nil
		}
		h := implicitHydrogens(chem.Atom{Element: a.Element, Charge: a.Charge + ruledCharge(a.Element, sums[i])}, sums[i])
		if h < 0 || h >= hydrogens {
			in.drop("that break the rules of valence")
			return nil
		}
		labels[i], r.hydrogens[i] = code, uint8(h)
	}
	g, err := graph.New(len(m.Atoms), labels, edges)
	if err != nil {
		return err
	}
	r.g = g
	return in.add(molecules, r)
}

// ruledCharge is the charge that the bonds of an atom without an own charge imply: N, O and S one above their smallest
// valence are +1 (GDSS), S only when no higher valence fits.
func ruledCharge(e chem.Element, sum int) int8 {
	switch {
	case e == 7 && sum == 4, e == 8 && sum == 3, e == 16 && sum == 7:
		return 1
	}
	return 0
}

// source says what was read, for people.
func (in *input) source() string { return strings.Join(in.sources, "; ") }
