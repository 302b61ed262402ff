package dataset

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pfgmgen/io/store"
)

// smallManifest is a consistent manifest with one part and one export.
func smallManifest() Manifest {
	m := testManifest(3)
	m.FormatVersion, m.Format, m.Split = FormatVersion, Parquet, "train"
	sum := strings.Repeat("a", 64)
	m.Columns = []Column{{Name: "sample_index", Type: "int64"}}
	m.Parts = []PartInfo{{Path: "data/train-00000.parquet", Rows: 3, Bytes: 10, SHA256: sum, FirstIndex: 0, LastIndex: 4,
		Columns: []ColumnSum{{Name: "sample_index", NonNull: 3, SHA256: sum}}}}
	m.Exports = []FileInfo{{Path: "fasta/x.fasta", Bytes: 0, SHA256: sum}}
	return m
}

func TestManifestRoundTrip(t *testing.T) {
	want := smallManifest()
	data, err := want.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeManifest(data)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.encode()
	if err != nil || string(again) != string(data) {
		t.Errorf("%v\n%s\nbecame\n%s", err, data, again)
	}
	got.Settings = want.Settings // reindented
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("read\n%+v, want\n%+v", *got, want)
	}
	var settings struct{ Steps int }
	if err := json.Unmarshal(got.Settings, &settings); err != nil || settings.Steps != 18 {
		t.Errorf("settings %s: %v", got.Settings, err)
	}
}

func TestManifestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Manifest)
		want   string
	}{
		{"version", func(m *Manifest) { m.FormatVersion = 2 }, "format_version is 2"},
		{"format", func(m *Manifest) { m.Format = "csv" }, `format is "csv"`},
		{"run id", func(m *Manifest) { m.RunID = "" }, "run_id is missing"},
		{"seed", func(m *Manifest) { m.Seed = "" }, "seed is missing"},
		{"split", func(m *Manifest) { m.Split = "a/b" }, "split"},
		{"created", func(m *Manifest) { m.Created = "yesterday" }, `"yesterday"`},
		{"settings", func(m *Manifest) { m.Settings = nil }, "settings"},
		{"plan hash", func(m *Manifest) { m.SpecSHA256 = "12" }, "spec_sha256"},
		{"model hash", func(m *Manifest) { m.Model.SHA256 = strings.Repeat("Z", 64) }, "model.sha256"},
		{"no columns", func(m *Manifest) { m.Columns = nil }, "lack sample_index"},
		{"column twice", func(m *Manifest) { m.Columns = append(m.Columns, m.Columns[0]) }, "twice"},
		{"path outside", func(m *Manifest) { m.Parts[0].Path = "data/../../x" }, "parts[0]"},
		{"absolute path", func(m *Manifest) { m.Parts[0].Path = "/etc/passwd" }, "parts[0]"},
		{"part twice", func(m *Manifest) { m.Parts = append(m.Parts, m.Parts[0]) }, "parts[1]"},
		{"no rows", func(m *Manifest) { m.Parts[0].Rows = 0 }, "rows 0"},
		{"range", func(m *Manifest) { m.Parts[0].LastIndex = 1 }, "index range 0 to 1 does not fit 3 rows"},
		{"range overflow", func(m *Manifest) { m.Parts[0].FirstIndex, m.Parts[0].LastIndex = math.MaxInt64, math.MinInt64 }, "index range"},
		{"part hash", func(m *Manifest) { m.Parts[0].SHA256 = "" }, "64 hex digits"},
		{"part columns", func(m *Manifest) { m.Parts[0].Columns = nil }, "0 columns, want 1"},
		{"too many values", func(m *Manifest) { m.Parts[0].Columns[0].NonNull = 4 }, "0 to 3 values"},
		{"written", func(m *Manifest) { m.Counts.Written = 4 }, "counts.written is 4, the parts have 3 rows"},
		{"export path", func(m *Manifest) { m.Exports[0].Path = "../x" }, "exports[0]"},
		{"metric", func(m *Manifest) { m.Metrics["x"] = math.NaN() }, "metric x is NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := smallManifest()
			c.change(&m)
			if _, err := m.encode(); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "dataset: manifest: ") {
				t.Errorf("encode: %v, want ...%s...", err, c.want)
			}
			if c.name == "metric" || c.name == "settings" { // JSON cannot say these
				return
			}
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decodeManifest(data); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("decode: %v, want ...%s...", err, c.want)
			}
		})
	}
}

func TestReadManifest(t *testing.T) {
	dir := t.TempDir()
	if _, err := ReadManifest(t.Context(), store.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no manifest: %v", err)
	}
	path := filepath.Join(dir, manifestName)
	for name, text := range map[string]string{"empty": "", "not JSON": "PAR1", "an array": "[]", "null": "null", "an object": "{}", "two": "{}{}"} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(t.Context(), store.Dir(dir)); err == nil || !strings.HasPrefix(err.Error(), "dataset: "+path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Truncate(path, maxManifest+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManifest(t.Context(), store.Dir(dir)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("huge: %v", err)
	}
	remove(t, dir, manifestName)
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManifest(t.Context(), store.Dir(dir)); err == nil {
		t.Error("a directory was read as a manifest")
	}
}

// What decodes must encode again to something that decodes to the same.
func FuzzManifest(f *testing.F) {
	m := smallManifest()
	data, err := m.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format_version":1,"parts":[{"path":"data/x","first_index":-9223372036854775808,"last_index":9223372036854775807}]}`))
	f.Add([]byte(`{"format_version":1e0,"settings":null}`))
	f.Add([]byte(strings.Repeat(`{"settings":`, 1000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeManifest(data)
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		out, err := m.encode()
		if err != nil {
			t.Fatalf("%v: encodes not what decodes", err)
		}
		again, err := decodeManifest(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Parts) != len(m.Parts) || again.Counts.Written != m.Counts.Written || again.RunID != strings.ToValidUTF8(m.RunID, "\ufffd") {
			t.Errorf("%+v became %+v", m, again)
		}
		for _, p := range m.Parts {
			if !filepath.IsLocal(p.Path) {
				t.Errorf("path %q leaves the dataset", p.Path)
			}
		}
	})
}
