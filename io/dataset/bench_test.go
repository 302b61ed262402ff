package dataset

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/io/store"
)

// benchRecord is like a batch of the RNA domain: ids, a label, a sequence of 75 letters and its structure.
func benchRecord(rows int) arrow.Record {
	field := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	schema := arrow.NewSchema([]arrow.Field{
		field("sample_id", arrow.BinaryTypes.String),
		field("sample_index", arrow.PrimitiveTypes.Int64),
		field("seed", arrow.PrimitiveTypes.Int64),
		field("attempt", arrow.PrimitiveTypes.Int32),
		field("domain", arrow.BinaryTypes.String),
		field("label", arrow.BinaryTypes.String),
		field("valid", arrow.FixedWidthTypes.Boolean),
		field("violations", arrow.ListOf(arrow.BinaryTypes.String)),
		field("decode_margin", arrow.PrimitiveTypes.Float32),
		field("sequence", arrow.BinaryTypes.String),
		field("secondary_structure", arrow.BinaryTypes.String),
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	letters := func(i int, alphabet string) string {
		var s strings.Builder
		for k := range 75 {
			s.WriteByte(alphabet[draw(int64(i), k)>>20%uint64(len(alphabet))])
		}
		return s.String()
	}
	for i := range rows {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("5f1c0d2e-%d", i))
		b.Field(1).(*array.Int64Builder).Append(int64(i))
		b.Field(2).(*array.Int64Builder).Append(7)
		b.Field(3).(*array.Int32Builder).Append(0)
		b.Field(4).(*array.StringBuilder).Append("rna")
		b.Field(5).(*array.StringBuilder).Append([]string{"Ala", "Gly", "Ser"}[i%3])
		b.Field(6).(*array.BooleanBuilder).Append(true)
		b.Field(7).(*array.ListBuilder).Append(true)
		b.Field(8).(*array.Float32Builder).Append(float32(draw(int64(i), 99)%1000) / 1000)
		b.Field(9).(*array.StringBuilder).Append(letters(i, "ACGU"))
		b.Field(10).(*array.StringBuilder).Append(letters(i, "().."))
	}
	return b.NewRecord()
}

const benchRows = 50_000

func throughput(b *testing.B, content int64) {
	b.SetBytes(content)
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkPart is a part from batches of 256 rows to the synced file: grouping, content sums, Parquet, SHA-256, fsync.
func BenchmarkPart(b *testing.B) {
	rec := benchRecord(benchRows)
	defer rec.Release()
	var content int64
	for b.Loop() {
		w, err := Create(b.Context(), store.Dir(b.TempDir()), rec.Schema(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		p, err := w.Part(0)
		if err != nil {
			b.Fatal(err)
		}
		for i := int64(0); i < benchRows; i += 256 {
			slice := rec.NewSlice(i, min(i+256, benchRows))
			if err := p.Write(slice); err != nil {
				b.Fatal(err)
			}
			slice.Release()
		}
		info, err := p.Commit(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		content = info.ContentBytes
	}
	throughput(b, content)
}

// BenchmarkBarePqarrow is the same rows and settings through pqarrow alone, in one call, into memory: the floor.
func BenchmarkBarePqarrow(b *testing.B) {
	rec := benchRecord(benchRows)
	defer rec.Release()
	for b.Loop() {
		var buf bytes.Buffer
		enc, err := newParquetEncoder(&buf, rec.Schema())
		if err != nil {
			b.Fatal(err)
		}
		if err := enc.write(rec, false); err != nil {
			b.Fatal(err)
		}
		if err := enc.close(); err != nil {
			b.Fatal(err)
		}
	}
	sizes := make([]int64, benchRows)
	var content int64
	for i := range int(rec.NumCols()) {
		if err := newContentSum("").addArray(rec.Column(i), sizes); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range sizes {
		content += s
	}
	throughput(b, content)
}

// BenchmarkVerify reads the part back with the second reader.
func BenchmarkVerify(b *testing.B) {
	rec := benchRecord(benchRows)
	defer rec.Release()
	dir := b.TempDir()
	w, err := Create(b.Context(), store.Dir(dir), rec.Schema(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	p, err := w.Part(0)
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Write(rec); err != nil {
		b.Fatal(err)
	}
	info, err := p.Commit(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if err := w.Commit(b.Context(), testManifest(benchRows), "#\n"); err != nil {
		b.Fatal(err)
	}
	m, err := ReadManifest(b.Context(), store.Dir(dir))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		noFindings(b, dir, m)
	}
	throughput(b, info.ContentBytes)
}
