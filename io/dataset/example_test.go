package dataset_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
)

// A dataset of three rows in one part, committed, verified, and one row read back.
func Example() {
	ctx := context.Background()
	temp, err := os.MkdirTemp("", "dataset")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(temp)
	dir := filepath.Join(temp, "out")

	schema := arrow.NewSchema([]arrow.Field{
		{Name: "sample_index", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "sequence", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	plan := []byte(`{"domain":"rna","n":3,"seed":7}`)
	if _, err := dataset.WritePlan(ctx, store.Dir(dir), plan, nil); err != nil {
		log.Fatal(err)
	}
	w, err := dataset.Create(ctx, store.Dir(dir), schema, dataset.Options{RunID: "example"})
	if err != nil {
		log.Fatal(err)
	}
	part, err := w.Part(0)
	if err != nil {
		log.Fatal(err)
	}
	defer part.Abort()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{0, 1, 2}, nil)
	b.Field(1).(*array.StringBuilder).AppendValues([]string{"GGGAAACCC", "GCGUAACGC", "GCAUUUUGC"}, nil)
	rec := b.NewRecord()
	defer rec.Release()
	if err := part.Write(rec); err != nil {
		log.Fatal(err)
	}
	if _, err := part.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	hash := strings.Repeat("0", 64) // of the real plan and model
	err = w.Commit(ctx, dataset.Manifest{
		RunID: "example", Domain: "rna", Seed: "7", SpecSHA256: hash, Settings: json.RawMessage(plan),
		Model:  dataset.Source{Name: "trna", SHA256: hash},
		Counts: dataset.Counts{Asked: 3, Written: 3, Valid: 3, Attempts: 3},
	}, "# Three hairpins\n")
	if err != nil {
		log.Fatal(err)
	}

	m, err := dataset.ReadManifest(ctx, store.Dir(dir))
	if err != nil {
		log.Fatal(err)
	}
	findings, err := dataset.VerifyParts(ctx, store.Dir(dir), m)
	if err != nil {
		log.Fatal(err)
	}
	rows, err := dataset.Rows(ctx, store.Dir(dir), m, []int64{1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Parts[0].Path, m.Parts[0].Rows, "rows,", len(findings), "findings")
	fmt.Println(rows[0]["sequence"])
	// Output:
	// data/train-00000.parquet 3 rows, 0 findings
	// GCGUAACGC
}
