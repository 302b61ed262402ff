package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/io/store"
)

// fixtureSchema has every type and nesting that the format allows.
func fixtureSchema() *arrow.Schema {
	field := func(name string, t arrow.DataType, kv ...string) arrow.Field {
		f := arrow.Field{Name: name, Type: t, Nullable: true}
		if len(kv) > 0 {
			f.Metadata = arrow.MetadataFrom(map[string]string{kv[0]: kv[1]})
		}
		return f
	}
	text, blob := arrow.BinaryTypes.String, arrow.BinaryTypes.Binary
	file := arrow.StructOf(field("bytes", blob), field("path", text))
	audio := field("audio", file)
	audio.Metadata = arrow.NewMetadata([]string{KeyFeature, KeySamplingRate}, []string{"Audio", "16000"})
	p := arrow.PrimitiveTypes
	return arrow.NewSchema([]arrow.Field{
		field("sample_id", text, KeyAbout, "run and index"),
		field("sample_index", p.Int64),
		field("domain", text),
		field("label", text),
		field("valid", arrow.FixedWidthTypes.Boolean),
		field("violations", arrow.ListOf(text)),
		field("decode_margin", p.Float32),
		field("score", p.Float64),
		field("sequence", text, KeyAbout, "5' to 3', ACGU"),
		field("i8", p.Int8), field("i16", p.Int16), field("i32", p.Int32),
		field("u8", p.Uint8), field("u16", p.Uint16), field("u32", p.Uint32), field("u64", p.Uint64),
		field("codes", text, KeyDictionary, "true"),
		field("edge_index", arrow.ListOf(arrow.ListOf(p.Int64))),
		field("atoms", arrow.ListOf(arrow.StructOf(field("element", text), field("charge", p.Int32)))),
		field("meta", arrow.StructOf(field("n", p.Int64), field("tags", arrow.ListOf(text)))),
		field("emb", arrow.ListOf(p.Float32)),
		field("image", file, KeyFeature, "Image"),
		audio,
		field("empty", text),
		field("blob", blob),
	}, nil)
}

// draw is a small hash: what row i has in column c.
func draw(i int64, c int) uint64 {
	x := uint64(i)*0x9e3779b97f4a7c15 + uint64(c)*0xbf58476d1ce4e5b9 + 1
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	return x ^ x>>29
}

// fill appends the value that row i has in column c; a fifth of them are null, and lists and strings are often empty.
func fill(b array.Builder, i int64, c int) {
	h := draw(i, c)
	if h%5 == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(h&1024 > 0)
	case *array.Int8Builder:
		b.Append(int8(h >> 8))
	case *array.Int16Builder:
		b.Append(int16(h >> 8))
	case *array.Int32Builder:
		b.Append(int32(h >> 8))
	case *array.Int64Builder:
		b.Append(int64(h))
	case *array.Uint8Builder:
		b.Append(uint8(h >> 8))
	case *array.Uint16Builder:
		b.Append(uint16(h >> 8))
	case *array.Uint32Builder:
		b.Append(uint32(h >> 8))
	case *array.Uint64Builder:
		b.Append(h)
	case *array.Float32Builder:
		b.Append([]float32{float32(h%1000) / 7, float32(math.Inf(-1)), float32(math.Copysign(0, -1)), math.MaxFloat32}[(h>>20)%4])
	case *array.Float64Builder:
		b.Append([]float64{float64(h%100000) / 7, math.Inf(1), math.NaN(), 5e-324}[(h>>20)%4])
	case *array.StringBuilder:
		b.Append(strings.Repeat("ACGUé", int(h>>16)%8) + fmt.Sprint(h%100))
	case *array.BinaryBuilder:
		v := make([]byte, (h>>16)%700)
		for k := range v {
			v[k] = byte(draw(i, c+k))
		}
		b.Append(v)
	case *array.ListBuilder:
		b.Append(true)
		for k := range int(h>>16) % 4 {
			fill(b.ValueBuilder(), i, c*31+k+1)
		}
	case *array.StructBuilder:
		b.Append(true)
		for k := range b.NumField() {
			fill(b.FieldBuilder(k), i, c*37+k+1)
		}
	default:
		panic(fmt.Sprintf("%T", b))
	}
}

// fixtureRecord has the rows from to to, as indices; sample_index is twice the row so that there are gaps.
func fixtureRecord(mem memory.Allocator, schema *arrow.Schema, from, to int64) arrow.Record {
	b := array.NewRecordBuilder(mem, schema)
	defer b.Release()
	for i := from; i < to; i++ {
		for c, f := range schema.Fields() {
			switch f.Name {
			case "sample_index":
				b.Field(c).(*array.Int64Builder).Append(2 * i)
			case "sample_id":
				b.Field(c).(*array.StringBuilder).Append(fmt.Sprintf("run-%d", 2*i))
			case "domain":
				b.Field(c).(*array.StringBuilder).Append("rna")
			case "label":
				b.Field(c).(*array.StringBuilder).Append([]string{"Ala", "Gly", "Ser"}[draw(i, c)%3])
			case "empty":
				b.Field(c).AppendNull()
			default:
				fill(b.Field(c), i, c)
			}
		}
	}
	return b.NewRecord()
}

// writeRows writes the rows from to to as part index of of, in batches of the given size.
func writeRows(t testing.TB, w *Writer, index int, from, to, batch int64) PartInfo {
	t.Helper()
	p, err := w.Part(index)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Abort()
	for i := from; i < to; i += batch {
		rec := fixtureRecord(w.o.Allocator, w.schema, i, min(i+batch, to))
		err := p.Write(rec)
		rec.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	info, err := p.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info
}

var testOptions = Options{
	RunID:       "run",
	SpecSHA256:  strings.Repeat("1", 64),
	ModelSHA256: strings.Repeat("2", 64),
	Seed:        "7",
	Version:     "1",
}

// testManifest is what a run would say about the rows of w.
func testManifest(rows int64) Manifest {
	return Manifest{
		RunID:      "run",
		Domain:     "rna",
		Created:    "2026-11-24T09:30:00Z",
		Seed:       "7",
		SpecSHA256: strings.Repeat("1", 64),
		Settings:   json.RawMessage(`{"steps":18}`),
		Model:      Source{Name: "trna", SHA256: strings.Repeat("2", 64), License: "cc0-1.0", Origin: "built in"},
		Data:       []Source{{Name: "trna.tsv", SHA256: strings.Repeat("3", 64)}},
		Counts:     Counts{Asked: rows + 2, Written: rows, Valid: rows, Attempts: rows + 5, Rejected: map[string]int64{"RN_STRUCT": 2}},
		Metrics:    map[string]float64{"unique_fraction": 0.99},
		Versions:   map[string]string{"pfgmgen": "test"},
	}
}

// finished writes a dataset of two parts and an export and commits it.
func finished(t testing.TB, dir string, rows int64, o Options) *Manifest {
	t.Helper()
	if _, err := WritePlan(t.Context(), store.Dir(dir), []byte(`{"n":1}`), nil); err != nil {
		t.Fatal(err)
	}
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), o)
	if err != nil {
		t.Fatal(err)
	}
	writeRows(t, w, 0, 0, rows/2, 100)
	writeRows(t, w, 1, rows/2, rows, 333)
	text, err := w.Text("fasta/train-00000.fasta")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(text, ">run-0\nACGU\n")
	if _, err := text.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := testManifest(rows)
	if err := w.Commit(t.Context(), m, "# card\n", File{croissantName, []byte("{}\n")}); err != nil {
		t.Fatal(err)
	}
	read, err := ReadManifest(t.Context(), store.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// noFindings verifies a dataset that must be whole.
func noFindings(t testing.TB, dir string, m *Manifest) {
	t.Helper()
	findings, err := VerifyParts(context.Background(), store.Dir(dir), m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Error(f)
	}
}
