package images

import (
	"encoding/json"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Adapter = (*adapter)(nil)

// fields are the columns, in the order in which row.Append fills them. io/dataset says what the metadata mean.
var fields = []arrow.Field{
	{Name: "image", Nullable: true, Metadata: arrow.NewMetadata([]string{"pfgmgen.feature"}, []string{"Image"}),
		Type: arrow.StructOf(
			arrow.Field{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
			arrow.Field{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true})},
	{Name: "height", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "width", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "channels", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
	{Name: "mean", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "std", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "min", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "max", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "saturated_frac", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "entropy_bits", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "tv", Type: arrow.PrimitiveTypes.Float32, Nullable: true},
	{Name: "jpeg_bytes", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
}

// An adapter maps between pictures and [channels, height, width].
type adapter struct {
	s        *settings
	hasher   *hasher
	known    filter
	gates    []validate.Gate[*row]
	encoders sync.Pool // of *encoder: their buffers are large
}

// newAdapter takes settings that passed check.
func newAdapter(s *settings) *adapter {
	a := &adapter{s: s, hasher: newHasher(s.crop()), known: filter(s.Known)}
	a.encoders.New = func() any { return new(encoder) }
	a.gates = a.newGates()
	return a
}

func (a *adapter) Shape() []int              { return []int{a.s.Channels, a.s.Height, a.s.Width} }
func (a *adapter) Free() int                 { return a.s.Channels * a.s.Height * a.s.Width }
func (a *adapter) Labels() []string          { return slices.Clone(a.s.Classes) }
func (a *adapter) Settings() json.RawMessage { return a.s.marshal() }
func (a *adapter) Fields() []arrow.Field     { return slices.Clone(fields) }
