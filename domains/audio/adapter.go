package audio

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Adapter = (*adapter)(nil)

// An adapter maps between clips and vectors.
type adapter struct {
	s     *settings
	gates []validate.Gate[*row]
}

// newAdapter takes settings that passed check.
func newAdapter(s *settings) *adapter {
	a := &adapter{s: s}
	a.gates = a.newGates()
	return a
}

func (a *adapter) Shape() []int              { return []int{a.s.Frames, bins} }
func (a *adapter) Free() int                 { return a.s.Frames * bins }
func (a *adapter) Settings() json.RawMessage { return a.s.marshal() }
func (a *adapter) Labels() []string          { return slices.Clone(a.s.Labels) }

// Fields are the columns, in the order in which row.Append fills them. The keys of the metadata are those of package
// io/dataset.
func (a *adapter) Fields() []arrow.Field {
	float := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float32, Nullable: true}
	}
	return []arrow.Field{
		{Name: "audio", Nullable: true,
			Type: arrow.StructOf(
				arrow.Field{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
				arrow.Field{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true}),
			Metadata: arrow.NewMetadata([]string{"pfgmgen.feature", "pfgmgen.sampling_rate"}, []string{"Audio", strconv.Itoa(a.s.Rate)})},
		{Name: "sample_rate", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "n_samples", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		float("peak_dbfs"),
		float("rms_dbfs"),
		float("dc_offset"),
		float("clip_frac"),
		float("silent_frac"),
		float("crest_db"),
		float("zero_cross_rate"),
		float("spectral_flatness"),
		float("bandwidth_hz"),
		{Name: "click_count", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	}
}
