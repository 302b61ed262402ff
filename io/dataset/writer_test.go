package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/xitongsys/parquet-go/parquet"

	"pfgmgen/io/store"
)

func TestWholeDataset(t *testing.T) {
	for _, format := range []string{Parquet, Arrow} {
		t.Run(format, func(t *testing.T) {
			o := testOptions
			o.Format = format
			dir := filepath.Join(t.TempDir(), "new", "out")
			m := finished(t, dir, 3000, o)
			noFindings(t, dir, m)
			want := []string{"README.md", "_SUCCESS", "_pfgmgen/plan.json", "croissant.json", "data/train-00000." + format,
				"data/train-00001." + format, "fasta/train-00000.fasta", "manifest.json"}
			if got := files(t, dir); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("files %v, want %v", got, want)
			}
			if m.Parts[1].FirstIndex != 3000 || m.Parts[1].LastIndex != 5998 || m.Parts[1].Rows != 1500 {
				t.Errorf("second part %+v", m.Parts[1])
			}
			// The same again: nothing changes, and _SUCCESS stays where it is until the end.
			before, err := os.Stat(filepath.Join(dir, m.Parts[0].Path))
			if err != nil {
				t.Fatal(err)
			}
			again := finished(t, dir, 3000, o)
			after, err := os.Stat(filepath.Join(dir, m.Parts[0].Path))
			if err != nil {
				t.Fatal(err)
			}
			if !os.SameFile(before, after) || again.Parts[0].SHA256 != m.Parts[0].SHA256 {
				t.Error("an equal part was replaced")
			}
		})
	}
}

// files lists all regular files below dir.
func files(t testing.TB, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return names
}

func TestBytesDoNotDependOnBatches(t *testing.T) {
	for _, c := range []struct {
		name string
		rows int64
		o    Options
	}{
		{"default", 2500, Options{}},
		{"by bytes", 2200, Options{RowGroupBytes: 700_000}},
		{"by rows", 1700, Options{RowGroupRows: 777}},
		{"every row a group", 4, Options{RowGroupBytes: 1}},
	} {
		whole := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, c.rows)
		defer whole.Release()
		for _, format := range []string{Parquet, Arrow} {
			t.Run(c.name+"/"+format, func(t *testing.T) {
				c.o.Format = format
				want := ""
				sum := func(what, got string) {
					if want == "" {
						want = got
					}
					if got != want {
						t.Errorf("%s: sha256 %s, want %s as with one batch", what, got, want)
					}
				}
				for _, batches := range [][]int64{{c.rows}, {97}, {1025}, {1, 1, 1024, 3, 511}} { // sizes, over and over
					w, err := Create(t.Context(), store.Dir(filepath.Join(t.TempDir(), "out")), fixtureSchema(), c.o)
					if err != nil {
						t.Fatal(err)
					}
					p, err := w.Part(0)
					if err != nil {
						t.Fatal(err)
					}
					for i, k := int64(0), 0; i < c.rows; k++ {
						end := min(i+batches[k%len(batches)], c.rows)
						slice := whole.NewSlice(i, end)
						if err := p.Write(slice); err != nil {
							t.Fatal(err)
						}
						slice.Release()
						i = end
					}
					info, err := p.Commit(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					sum(fmt.Sprintf("slices of %d", batches), info.SHA256)
				}
				w, err := Create(t.Context(), store.Dir(filepath.Join(t.TempDir(), "out")), fixtureSchema(), c.o)
				if err != nil {
					t.Fatal(err)
				}
				sum("records of 100", writeRows(t, w, 0, 0, c.rows, 100).SHA256)
			})
		}
	}
}

// Columns of which nothing is known: no library may stumble over a page without a value.
func TestAllNull(t *testing.T) {
	for _, format := range []string{Parquet, Arrow} {
		dir := t.TempDir()
		w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{Format: format, RowGroupRows: 1100})
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Part(0)
		if err != nil {
			t.Fatal(err)
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, fixtureSchema())
		defer b.Release()
		for i := range int64(2500) {
			for c := range b.Fields() {
				if c == p.index {
					b.Field(c).(*array.Int64Builder).Append(i)
				} else {
					b.Field(c).AppendNull()
				}
			}
		}
		rec := b.NewRecord()
		defer rec.Release()
		if err := p.Write(rec); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(t.Context(), testManifest(2500), "#\n"); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(t.Context(), store.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		noFindings(t, dir, m)
	}
}

func TestParquetSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	o := testOptions
	o.RowGroupBytes, o.RowGroupRows = 1<<20, 2000
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), o)
	if err != nil {
		t.Fatal(err)
	}
	info := writeRows(t, w, 3, 0, 5000, 512)
	if info.Path != "data/train-00003.parquet" {
		t.Errorf("path %s", info.Path)
	}
	r, err := openParquet(filepath.Join(dir, info.Path))
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	footer := r.r.Footer
	if footer.GetCreatedBy() != "pfgmgen" || footer.Schema[0].GetRepetitionType() != parquet.FieldRepetitionType_REQUIRED {
		t.Errorf("created_by %q, root %v", footer.GetCreatedBy(), footer.Schema[0].GetRepetitionType())
	}
	for _, c := range r.columns() {
		if c.def != 1 {
			t.Errorf("column %s is not nullable", c.name)
		}
	}
	for key, want := range map[string]string{"pfgmgen.run_id": "run", "pfgmgen.spec_sha256": o.SpecSHA256, "pfgmgen.model_sha256": o.ModelSHA256,
		"pfgmgen.seed": "7", "pfgmgen.shard": "3", "pfgmgen.version": "1"} {
		if got := r.keyValues()[key]; got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if len(footer.RowGroups) < 3 {
		t.Fatalf("%d row groups of at most 1 MiB for %d bytes of content", len(footer.RowGroups), info.ContentBytes)
	}
	for g, group := range footer.RowGroups {
		if group.NumRows > 2000 || (g < len(footer.RowGroups)-1 && group.NumRows < 200) {
			t.Errorf("row group %d has %d rows", g, group.NumRows)
		}
		for k, chunk := range group.Columns {
			md := chunk.MetaData
			path := strings.ReplaceAll(r.leaf[k].path, "\x01", ".")
			blob := md.Type == parquet.Type_BYTE_ARRAY && !r.leaf[k].text
			if wantCodec := map[bool]parquet.CompressionCodec{true: parquet.CompressionCodec_UNCOMPRESSED, false: parquet.CompressionCodec_ZSTD}[blob]; md.Codec != wantCodec {
				t.Errorf("%s: codec %v, want %v", path, md.Codec, wantCodec)
			}
			if blob != (md.Statistics == nil) {
				t.Errorf("%s: statistics %v", path, md.Statistics)
			}
			dictionary := strings.Contains(" Label Domain Violations Codes ", " "+topName(r, k)+" ")
			if dictionary != md.IsSetDictionaryPageOffset() {
				t.Errorf("%s: dictionary %v, want %v", path, !dictionary, dictionary)
			}
		}
	}
}

// topName is the library's name of the top-level column of leaf k.
func topName(r *parquetReader, k int) string { return strings.Split(r.leaf[k].path, "\x01")[1] }

func TestHuggingFaceFeatures(t *testing.T) {
	got := huggingface(fixtureSchema())
	for _, want := range []string{
		`{"info":{"features":{"sample_id":{"dtype":"string","_type":"Value"},"sample_index":{"dtype":"int64","_type":"Value"},`,
		`"valid":{"dtype":"bool","_type":"Value"}`,
		`"violations":{"feature":{"dtype":"string","_type":"Value"},"_type":"List"}`,
		`"edge_index":{"feature":{"feature":{"dtype":"int64","_type":"Value"},"_type":"List"},"_type":"List"}`,
		`"meta":{"n":{"dtype":"int64","_type":"Value"},"tags":{"feature":{"dtype":"string","_type":"Value"},"_type":"List"}}`,
		`"image":{"_type":"Image"}`,
		`"audio":{"sampling_rate":16000,"_type":"Audio"}`,
		`"blob":{"dtype":"binary","_type":"Value"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("features lack %s:\n%s", want, got)
		}
	}
}

func TestNoRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Part(0)
	if err != nil {
		t.Fatal(err)
	}
	rec := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, 0)
	defer rec.Release()
	if err := p.Write(rec); err != nil {
		t.Fatal(err)
	}
	info, err := p.Commit(t.Context())
	if !errors.Is(err, ErrNoRows) || info.Rows != 0 || len(w.Parts()) != 0 {
		t.Errorf("commit of no rows: %+v, %v", info, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s was made: %v", dir, err)
	}
	// A run without a single valid row still ends in a whole dataset.
	if err := w.Commit(t.Context(), testManifest(0), "# nothing\n"); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(t.Context(), store.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	noFindings(t, dir, m)
}

func TestAbortLeavesNothing(t *testing.T) {
	for _, format := range []string{Parquet, Arrow} {
		dir := t.TempDir()
		w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.Part(0)
		if err != nil {
			t.Fatal(err)
		}
		rec := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, 3000)
		defer rec.Release()
		if err := p.Write(rec); err != nil {
			t.Fatal(err)
		}
		for _, name := range files(t, dir) {
			if !strings.HasSuffix(filepath.Base(name), ".tmp") {
				t.Errorf("%s: %s is visible before the commit", format, name)
			}
		}
		if len(files(t, dir)) != 1 {
			t.Errorf("%s: files %v while writing", format, files(t, dir))
		}
		p.Abort()
		text, err := w.Text("notes.txt")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(text, "x")
		text.Abort()
		if got := files(t, dir); len(got) != 0 {
			t.Errorf("%s: abort left %v", format, got)
		}
		if err := p.Write(rec); err == nil {
			t.Error("write after abort succeeded")
		}
		if _, err := p.Commit(t.Context()); err == nil {
			t.Error("commit after abort succeeded")
		}
		if _, err := text.Commit(t.Context()); err == nil {
			t.Error("commit of an aborted text succeeded")
		}
	}
}

func TestRecordsThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	other := arrow.NewSchema([]arrow.Field{{Name: "sample_index", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	fields := fixtureSchema().Fields()
	fields[8].Type = arrow.BinaryTypes.Binary
	retyped := arrow.NewSchema(fields, nil)
	for _, c := range []struct {
		name string
		recs []arrow.Record
		want string
	}{
		{"columns", []arrow.Record{fixtureRecord(memory.DefaultAllocator, other, 0, 3)}, "1 columns, want 25"},
		{"type", []arrow.Record{fixtureRecord(memory.DefaultAllocator, retyped, 0, 3)}, "sequence binary, want sequence utf8"},
		{"order", []arrow.Record{fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 5, 8),
			fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, 3)}, "row 3 has sample_index 0 after 14"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := w.Part(0)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range c.recs {
				err = p.Write(r)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "dataset: ") {
				t.Errorf("error %v, want ...%s...", err, c.want)
			}
			if _, err := p.Commit(t.Context()); err == nil {
				t.Error("commit after a failed write succeeded")
			}
			if got := files(t, dir); len(got) != 0 {
				t.Errorf("left %v", got)
			}
		})
	}
}

func TestSchemasRefused(t *testing.T) {
	index := arrow.Field{Name: "sample_index", Type: arrow.PrimitiveTypes.Int64, Nullable: true}
	f32 := arrow.PrimitiveTypes.Float32
	col := func(name string, t arrow.DataType) arrow.Field {
		return arrow.Field{Name: name, Type: t, Nullable: true}
	}
	feature := col("image", arrow.BinaryTypes.Binary)
	feature.Metadata = arrow.MetadataFrom(map[string]string{KeyFeature: "Image"})
	deep := arrow.DataType(f32)
	for range maxDepth + 1 {
		deep = arrow.ListOf(deep)
	}
	for _, c := range []struct {
		name   string
		fields []arrow.Field
		want   string
	}{
		{"none", nil, "no columns"},
		{"no index", []arrow.Field{col("x", f32)}, "sample_index of type int64"},
		{"index type", []arrow.Field{col("sample_index", f32)}, "sample_index of type int64"},
		{"fixed size list", []arrow.Field{index, col("emb", arrow.FixedSizeListOf(4, f32))}, "emb is a fixed_size_list<item: float32, nullable>[4]"},
		{"nested fixed size list", []arrow.Field{index, col("emb", arrow.ListOf(arrow.FixedSizeListOf(4, f32)))}, "emb.element is a fixed_size_list"},
		{"not nullable", []arrow.Field{index, {Name: "x", Type: f32}}, "column x is not nullable"},
		{"element not nullable", []arrow.Field{index, col("x", arrow.ListOfNonNullable(f32))}, "column x.element is not nullable"},
		{"large list", []arrow.Field{index, col("x", arrow.LargeListOf(f32))}, "type large_list"},
		{"timestamp", []arrow.Field{index, col("x", arrow.FixedWidthTypes.Timestamp_us)}, "timestamp"},
		{"name", []arrow.Field{index, col("a.b", f32)}, `"a.b"`},
		{"same name", []arrow.Field{index, col("Label", f32), col("label", f32)}, `"Label" and "label"`},
		{"empty struct", []arrow.Field{index, col("x", arrow.StructOf())}, "struct without fields"},
		{"image", []arrow.Field{index, feature}, "struct<bytes: binary, path: utf8>"},
		{"deep", []arrow.Field{index, col("x", deep)}, "nested more than 8 deep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Create(t.Context(), store.Dir(t.TempDir()), arrow.NewSchema(c.fields, nil), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want ...%s...", err, c.want)
			}
		})
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, o := range []Options{{Format: "csv"}, {Split: "../x"}, {RowGroupBytes: -1}, {RowGroupRows: 1<<20 + 1}} {
		if _, err := Create(t.Context(), store.Dir(t.TempDir()), fixtureSchema(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
	w, err := Create(t.Context(), store.Dir(t.TempDir()), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, index := range []int{-1, 100000} {
		if _, err := w.Part(index); err == nil {
			t.Errorf("part %d was accepted", index)
		}
	}
	for _, name := range []string{"", "../x", "/x", "a/b/c", "_SUCCESS", "manifest.json", "data/x", ".x", "x.tmp", "a/..", "_pfgmgen/plan.json"} {
		if _, err := w.Text(name); err == nil {
			t.Errorf("export %q was accepted", name)
		}
	}
}

func TestCommitComparesWithTheDisk(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	part := writeRows(t, w, 0, 0, 10, 10)
	wrongSize, gone, otherSum := part, part, part
	wrongSize.Bytes++
	gone.Path = "data/train-00001.parquet"
	otherSum.SHA256 = strings.Repeat("0", 64)
	for want, p := range map[string]PartInfo{"the manifest says": wrongSize, "no such file": gone, "another SHA-256": otherSum} {
		m := testManifest(10)
		m.Parts = []PartInfo{p}
		if err := w.Commit(t.Context(), m, "#\n"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want ...%s...", err, want)
		}
	}
	if err := w.Commit(t.Context(), testManifest(11), "#\n"); err == nil || !strings.Contains(err.Error(), "counts.written is 11, the parts have 10 rows") {
		t.Errorf("wrong count: %v", err)
	}
	stray := filepath.Join(dir, "data", "train-00001.parquet")
	if err := os.WriteFile(stray, []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), testManifest(10), "#\n"); err == nil || !strings.Contains(err.Error(), "data/train-00001.parquet") {
		t.Errorf("stray part: %v", err)
	}
	for _, name := range []string{successName, manifestName, cardName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written by a commit that failed", name)
		}
	}
	if err := os.Remove(stray); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context(), testManifest(10), "#\n"); err != nil {
		t.Fatal(err)
	}
}

func TestReplacedPartTakesSuccessAway(t *testing.T) {
	dir := t.TempDir()
	finished(t, dir, 100, testOptions)
	o := testOptions
	o.Seed = "8"
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), o)
	if err != nil {
		t.Fatal(err)
	}
	writeRows(t, w, 0, 0, 50, 50)
	if _, err := os.Stat(filepath.Join(dir, successName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("_SUCCESS after a part was replaced: %v", err)
	}
	m, err := ReadManifest(t.Context(), store.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	findings, err := VerifyParts(context.Background(), store.Dir(dir), m)
	if err != nil || len(findings) < 2 {
		t.Errorf("findings %v, %v", findings, err)
	}
}

// Every record that a part holds on to is released, whether the part is committed or aborted.
func TestMemoryIsGivenBack(t *testing.T) {
	for _, format := range []string{Parquet, Arrow} {
		for _, abort := range []bool{false, true} {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			w, err := Create(t.Context(), store.Dir(t.TempDir()), fixtureSchema(), Options{Format: format, Allocator: mem, RowGroupRows: 1500})
			if err != nil {
				t.Fatal(err)
			}
			if abort {
				p, err := w.Part(0)
				if err != nil {
					t.Fatal(err)
				}
				rec := fixtureRecord(mem, fixtureSchema(), 0, 4000)
				if err := p.Write(rec); err != nil {
					t.Fatal(err)
				}
				rec.Release()
				p.Abort()
			} else {
				writeRows(t, w, 0, 0, 4000, 300)
			}
			mem.AssertSize(t, 0)
		}
	}
}

// Parts are written by several goroutines at once, in any order.
func TestPartsInParallel(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), testOptions)
	if err != nil {
		t.Fatal(err)
	}
	const of = 4
	var group sync.WaitGroup
	for i := range of {
		group.Go(func() {
			p, err := w.Part(of - 1 - i)
			if err != nil {
				t.Error(err)
				return
			}
			defer p.Abort()
			from := int64(of-1-i) * 50
			rec := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), from, from+50)
			defer rec.Release()
			if err := p.Write(rec); err != nil {
				t.Error(err)
			}
			if _, err := p.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := w.Commit(t.Context(), testManifest(50*of), "#\n"); err != nil {
		t.Fatal(err)
	}
	m, err := ReadManifest(t.Context(), store.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	noFindings(t, dir, m)
}
