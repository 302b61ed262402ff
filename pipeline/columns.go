package pipeline

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
)

// Keys of the field metadata that a sink may use.
const (
	keyAbout      = "pfgmgen.about"      // what the column holds, with its unit
	keyDictionary = "pfgmgen.dictionary" // "true": few distinct values
)

// typePrefix is an Arrow type as descriptions write it.
var typePrefix = regexp.MustCompile(`^(bool|u?int\d+|float\d+|string|utf8|binary|(list|struct)<[^>]*>): `)

// common are the columns that every dataset begins with.
func common() []arrow.Field {
	text, codes := arrow.BinaryTypes.String, arrow.ListOf(arrow.BinaryTypes.String)
	field := func(name string, t arrow.DataType, dictionary bool, about string) arrow.Field {
		meta := map[string]string{keyAbout: about}
		if dictionary {
			meta[keyDictionary] = "true"
		}
		return arrow.Field{Name: name, Type: t, Nullable: true, Metadata: arrow.MetadataFrom(meta)}
	}
	return []arrow.Field{
		field("sample_id", text, false, "run id and sample index"),
		field("sample_index", arrow.PrimitiveTypes.Int64, false, "position of the sample in the run, from 0"),
		field("seed", arrow.PrimitiveTypes.Int64, true, "seed of the run"),
		field("attempt", arrow.PrimitiveTypes.Int32, true, "how many draws of this sample were rejected before"),
		field("domain", text, true, "kind of data"),
		field("label", text, true, "class that the sample was drawn for; null for an unconditional model"),
		field("valid", arrow.FixedWidthTypes.Boolean, false, "no hard gate failed"),
		field("violations", codes, true, "codes of the hard gates that failed"),
		field("warnings", codes, true, "codes of the warnings"),
		field("decode_margin", arrow.PrimitiveTypes.Float32, false, "mean lead of the best over the second-best choice of the decoder, encoded units"),
		field("decode_entropy", arrow.PrimitiveTypes.Float32, false, "mean entropy of the decoder's choices, bits"),
	}
}

// Schema is that of the records that Run writes: the common columns, then the domain's, which must not repeat a name.
// about describes the domain's columns by name; it may be nil. A type in front of the description ("int32: length") is
// left out, as the schema has it.
func Schema(fields []arrow.Field, about []domains.Item) (*arrow.Schema, error) {
	texts := make(map[string]string)
	for _, item := range about {
		texts[item.Name] = typePrefix.ReplaceAllString(item.About, "")
	}
	all := common()
	for _, f := range fields {
		if slices.ContainsFunc(all, func(have arrow.Field) bool { return strings.EqualFold(have.Name, f.Name) }) {
			return nil, fmt.Errorf("pipeline: column %s comes twice: the domain's columns must differ from each other and from the common ones", f.Name)
		}
		if text := texts[f.Name]; text != "" {
			meta := maps.Collect(metadata(f.Metadata))
			meta[keyAbout] = text
			f.Metadata = arrow.MetadataFrom(meta)
		}
		all = append(all, f)
	}
	return arrow.NewSchema(all, nil), nil
}

func metadata(m arrow.Metadata) func(yield func(k, v string) bool) {
	return func(yield func(k, v string) bool) {
		for i, k := range m.Keys() {
			if !yield(k, m.Values()[i]) {
				return
			}
		}
	}
}

// A rowBuilder appends rows to Arrow builders.
type rowBuilder struct {
	*array.RecordBuilder
	r      *run
	common int // number of common columns
}

func (r *run) newBuilder() *rowBuilder {
	return &rowBuilder{RecordBuilder: array.NewRecordBuilder(r.allocator, r.schema), r: r, common: len(common())}
}

// add appends the row of sample index.
func (b *rowBuilder) add(index int64, s settled) {
	text := func(i int, v string) { b.Field(i).(*array.StringBuilder).Append(v) }
	verdict := s.row.Verdict()
	text(0, SampleID(b.r.runID, index))
	b.Field(1).(*array.Int64Builder).Append(index)
	b.Field(2).(*array.Int64Builder).Append(int64(b.r.plan.Seed))
	b.Field(3).(*array.Int32Builder).Append(s.attempt)
	text(4, b.r.plan.Domain)
	if label, ok := b.r.labels.name(b.r.labels.class(index)); ok {
		text(5, label)
	} else {
		b.Field(5).AppendNull()
	}
	b.Field(6).(*array.BooleanBuilder).Append(verdict.Valid())
	appendCodes(b.Field(7).(*array.ListBuilder), verdict.Violations)
	appendCodes(b.Field(8).(*array.ListBuilder), verdict.Warnings)
	margin, entropy := s.row.Confidence()
	b.Field(9).(*array.Float32Builder).Append(margin)
	b.Field(10).(*array.Float32Builder).Append(entropy)
	s.row.Append(b.Fields()[b.common:])
}

func appendCodes(b *array.ListBuilder, codes []string) {
	b.Append(true)
	for _, c := range codes {
		b.ValueBuilder().(*array.StringBuilder).Append(c)
	}
}
