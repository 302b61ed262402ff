package rna

import (
	"encoding/json"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Adapter = (*adapter)(nil)

// fields are the columns, in the order in which row.Append fills them.
var fields = []arrow.Field{
	{Name: "sequence", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "length", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "gc", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "structure", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "paired_frac", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "canonical_pair_frac", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "max_homopolymer", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "complexity", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "family", Type: arrow.BinaryTypes.String, Nullable: true},
}

// An adapter maps between sequences and model space.
type adapter struct {
	s       *settings
	layout  layout
	pairs   []pair // of the consensus
	partner []int  // by column, -1 when unpaired; nil without a consensus
	gates   []validate.Gate[*row]
}

// newAdapter takes settings that passed check.
func newAdapter(s *settings) *adapter {
	a := &adapter{s: s}
	if s.Structure != "" {
		a.pairs, _ = parsePairs(s.Structure)
		a.partner = make([]int, s.Columns)
		for i := range a.partner {
			a.partner[i] = -1
		}
		for _, p := range a.pairs {
			a.partner[p.i], a.partner[p.j] = p.j, p.i
		}
	}
	a.layout = s.layout()
	a.gates = a.newGates()
	return a
}

func (a *adapter) Shape() []int              { return []int{a.layout.positions, a.layout.channels()} }
func (a *adapter) Free() int                 { return a.layout.size() }
func (a *adapter) Settings() json.RawMessage { return a.s.marshal() }
func (a *adapter) Fields() []arrow.Field     { return slices.Clone(fields) }

func (a *adapter) Labels() []string {
	if a.s.classes() == 0 {
		return nil
	}
	return slices.Clone(a.s.Families)
}

// family is the name for a class, empty when there is none.
func (a *adapter) family(label int) string {
	switch {
	case len(a.s.Families) == 1:
		return a.s.Families[0]
	case label >= 0 && label < len(a.s.Families):
		return a.s.Families[label]
	}
	return ""
}

// lengths is the range of RN_LEN for a class; that of all for any label that is no class.
func (a *adapter) lengths(label int) [2]int {
	if label >= 0 && label < a.s.classes() {
		return a.s.Lengths[1+label]
	}
	return a.s.Lengths[0]
}
