package antibody

import (
	"encoding/json"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Adapter = (*adapter)(nil)

// An adapter maps between antibodies and model space.
type adapter struct {
	s     *settings
	gates []validate.Gate[*row]
}

// newAdapter takes settings that passed check.
func newAdapter(s *settings) *adapter {
	return &adapter{s: s, gates: newGates(s)}
}

func (a *adapter) Shape() []int              { return []int{a.s.positions(), channels} }
func (a *adapter) Free() int                 { return a.s.positions() * channels }
func (a *adapter) Settings() json.RawMessage { return a.s.marshal() }
func (a *adapter) Labels() []string          { return a.s.labels() }
func (a *adapter) Fields() []arrow.Field     { return slices.Clone(fields) }
