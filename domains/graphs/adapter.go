package graphs

import (
	"encoding/json"
	"math/rand/v2"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var (
	_ domains.Adapter = (*adapter)(nil)
	_ domains.Masked  = (*adapter)(nil)
)

// An adapter maps between graphs and vectors.
type adapter struct {
	s      *settings
	layout layout
	nodes  []uint8 // the graph labels of the node classes, nil without
	gates  []validate.Gate[*row]
}

// newAdapter takes settings that passed check.
func newAdapter(s *settings) *adapter {
	a := &adapter{s: s, layout: s.layout()}
	for _, name := range s.Atoms {
		code, _ := parseAtom(name)
		a.nodes = append(a.nodes, code)
	}
	for _, label := range s.Labels {
		a.nodes = append(a.nodes, uint8(label+labelShift))
	}
	a.gates = a.newGates()
	return a
}

func (a *adapter) Shape() []int              { return []int{a.layout.positions, a.layout.channels} }
func (a *adapter) Free() int                 { return a.layout.free(a.s.largest()) }
func (a *adapter) Labels() []string          { return slices.Clone(a.s.Classes) }
func (a *adapter) Settings() json.RawMessage { return a.s.marshal() }
func (a *adapter) Fields() []arrow.Field     { return fields() }

// Mask draws the number of nodes from the training graphs of the class, of all graphs for any other label.
func (a *adapter) Mask(x []float64, label int, r *rand.Rand) {
	histogram := a.s.Sizes[0]
	if label >= 0 && label < len(a.s.Classes) {
		histogram = a.s.Sizes[1+label]
	}
	total := 0
	for _, c := range histogram {
		total += c[1]
	}
	at := r.IntN(total)
	for _, c := range histogram {
		if at -= c[1]; at < 0 {
			a.layout.mask(x, c[0])
			return
		}
	}
}
