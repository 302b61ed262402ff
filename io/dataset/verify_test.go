package dataset

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/io/store"
)

func TestVerifyFinds(t *testing.T) {
	part := func(format string) string { return "data/train-00000." + format }
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir, part string, m *Manifest)
		want   []string // "path what" of each finding, in order; PART stands for the first part
	}{
		{"whole", func(*testing.T, string, string, *Manifest) {}, nil},
		{"flipped bit", func(t *testing.T, dir, part string, _ *Manifest) {
			edit(t, filepath.Join(dir, part), func(b []byte) []byte { b[len(b)/2] ^= 4; return b })
		}, []string{"PART sha256"}},
		{"truncated", func(t *testing.T, dir, part string, _ *Manifest) {
			edit(t, filepath.Join(dir, part), func(b []byte) []byte { return b[:len(b)-100] })
		}, []string{"PART bytes", "PART sha256"}},
		{"missing", func(t *testing.T, dir, part string, _ *Manifest) { remove(t, dir, part) }, []string{"PART presence"}},
		{"empty", func(t *testing.T, dir, part string, _ *Manifest) {
			edit(t, filepath.Join(dir, part), func([]byte) []byte { return nil })
		}, []string{"PART bytes", "PART sha256"}},
		{"no _SUCCESS", func(t *testing.T, dir, _ string, _ *Manifest) { remove(t, dir, successName) }, []string{"_SUCCESS presence"}},
		{"export changed, part added", func(t *testing.T, dir, _ string, _ *Manifest) {
			edit(t, filepath.Join(dir, "fasta/train-00000.fasta"), func(b []byte) []byte { return append(b, 'A') })
			if err := os.WriteFile(filepath.Join(dir, "data", "train-00009.x"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}, []string{"fasta/train-00000.fasta bytes", "fasta/train-00000.fasta sha256",
			"data/train-00009.x being listed in the manifest"}},
		{"lying manifest", func(t *testing.T, dir, _ string, m *Manifest) {
			p := &m.Parts[0]
			p.Rows--
			p.LastIndex++
			p.ContentBytes++
			p.Columns[3].SHA256 = strings.Repeat("0", 64)
			p.Columns[5].NonNull++
			p.Columns[6].Name = "other"
		}, []string{"PART rows", "PART column sample_id: rows", "PART column sample_index: rows", "PART last index", "PART column domain: rows",
			"PART column label: rows", "PART column label: content", "PART column valid: rows",
			"PART column violations: rows", "PART column violations: values", "PART name of column 6"}},
		{"garbage with the right hash", func(t *testing.T, dir, part string, m *Manifest) {
			edit(t, filepath.Join(dir, part), func([]byte) []byte { return bytes.Repeat([]byte("PAR1"), 100) })
			rehash(t, dir, &m.Parts[0])
		}, []string{"PART opening"}},
		{"another part with the right hash", func(t *testing.T, dir, part string, m *Manifest) {
			other, err := os.ReadFile(filepath.Join(dir, m.Parts[1].Path))
			if err != nil {
				t.Fatal(err)
			}
			edit(t, filepath.Join(dir, part), func([]byte) []byte { return other })
			rehash(t, dir, &m.Parts[0])
		}, []string{"PART column sample_id: content", "PART column sample_index: content", "PART first index", "PART last index"}},
	} {
		for _, format := range []string{Parquet, Arrow} {
			t.Run(c.name+"/"+format, func(t *testing.T) {
				dir := t.TempDir()
				o := testOptions
				o.Format = format
				m := finished(t, dir, 200, o)
				c.damage(t, dir, part(format), m)
				findings, err := VerifyParts(context.Background(), store.Dir(dir), m)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, f := range findings {
					got = append(got, strings.Replace(f.Path, part(format), "PART", 1)+" "+f.What)
					if f.Want == f.Got || f.Want == "" || f.Got == "" {
						t.Errorf("finding says nothing: %s", f)
					}
				}
				if len(c.want) == 0 && len(got) > 0 {
					t.Errorf("findings %q, want none", got)
				}
				for i, w := range c.want {
					if i >= len(got) || got[i] != w {
						t.Errorf("findings\n  %s\nwant to begin with\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
						break
					}
				}
			})
		}
	}
}

func edit(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, f(b), 0o666); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, dir, rel string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, rel)); err != nil {
		t.Fatal(err)
	}
}

// rehash makes the manifest agree with the bytes of a part.
func rehash(t *testing.T, dir string, p *PartInfo) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, p.Path))
	if err != nil {
		t.Fatal(err)
	}
	n, sum, err := store.Sum(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	p.Bytes, p.SHA256 = n, sum
}

// A part cut off anywhere, whose manifest was made to agree, is an error and not a panic.
func TestVerifyOfBrokenFilesDoesNotPanic(t *testing.T) {
	for _, format := range []string{Parquet, Arrow} {
		dir := t.TempDir()
		m := finished(t, dir, 60, Options{Format: format})
		path := filepath.Join(dir, m.Parts[0].Path)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		footer := whole[max(0, len(whole)-3000):]
		for cut := 0; cut < len(whole); cut += 997 {
			for _, b := range [][]byte{whole[:cut], append(whole[:cut:cut], footer...), whole[cut:]} {
				if err := os.WriteFile(path, b, 0o666); err != nil {
					t.Fatal(err)
				}
				rehash(t, dir, &m.Parts[0])
				findings, err := VerifyParts(context.Background(), store.Dir(dir), m)
				if err != nil {
					t.Fatal(err)
				}
				if len(findings) == 0 && !bytes.Equal(b, whole) {
					t.Errorf("%s cut at %d: nothing found", format, cut)
				}
			}
		}
	}
}

func TestVerifyCancelled(t *testing.T) {
	dir := t.TempDir()
	m := finished(t, dir, 20, testOptions)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := VerifyParts(ctx, store.Dir(dir), m); !errors.Is(err, context.Canceled) {
		t.Errorf("VerifyParts: %v", err)
	}
	if _, err := Rows(ctx, store.Dir(dir), m, []int64{0}); !errors.Is(err, context.Canceled) {
		t.Errorf("Rows: %v", err)
	}
}

// The content rule of the package comment, computed here by hand for one row.
func TestContentRule(t *testing.T) {
	schema := fixtureSchema()
	rec := fixtureRecord(memory.DefaultAllocator, schema, 7, 8)
	defer rec.Release()
	want := map[string]string{
		"sample_id":    "01 06000000 72756e2d3134", // run-14
		"sample_index": "01 0e00000000000000",
		"domain":       "01 03000000 726e61",
		"empty":        "00",
	}
	for i, f := range schema.Fields() {
		hexWant, ok := want[f.Name]
		if !ok {
			continue
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(hexWant, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		sum := newContentSum(f.Name)
		sizes := make([]int64, 1)
		if err := sum.addArray(rec.Column(i), sizes); err != nil {
			t.Fatal(err)
		}
		if got, w := sum.sum().SHA256, fmt.Sprintf("%x", sha256.Sum256(raw)); got != w || sizes[0] != int64(len(raw)) {
			t.Errorf("%s: content %s of %d bytes, want %s of %d", f.Name, got, sizes[0], w, len(raw))
		}
	}
}

func TestRows(t *testing.T) {
	schema := fixtureSchema()
	const rows = 5000
	whole := fixtureRecord(memory.DefaultAllocator, schema, 0, rows)
	defer whole.Release()
	want, err := RecordRows(whole)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{Parquet, Arrow} {
		o := testOptions
		o.Format, o.RowGroupRows = format, 1100
		dir := t.TempDir()
		m := finished(t, dir, rows, o)
		index := []int64{4998, 0, 2, 1, 9998, 5000, 4998, 20000, -4}
		got, err := Rows(context.Background(), store.Dir(dir), m, index)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range index {
			if i%2 != 0 || i < 0 || i/2 >= rows {
				if got[k] != nil {
					t.Errorf("%s: index %d: %v, want no row", format, i, got[k])
				}
				continue
			}
			for name, w := range want[i/2] {
				if !same(got[k][name], w) {
					t.Errorf("%s: index %d: %s is %#v, want %#v", format, i, name, got[k][name], w)
				}
			}
			if len(got[k]) != schema.NumFields() {
				t.Errorf("%s: %d columns", format, len(got[k]))
			}
		}
		some, err := Rows(context.Background(), store.Dir(dir), m, []int64{4}, "sequence", "label")
		if err != nil || len(some) != 1 || len(some[0]) != 2 || some[0]["label"] == nil {
			t.Errorf("%s: two columns: %v, %v", format, some, err)
		}
		if _, err := Rows(context.Background(), store.Dir(dir), m, []int64{4}, "nosuch"); err == nil || !strings.Contains(err.Error(), `"nosuch"`) {
			t.Errorf("%s: unknown column: %v", format, err)
		}
		remove(t, dir, m.Parts[1].Path)
		if _, err := Rows(context.Background(), store.Dir(dir), m, []int64{9998}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), m.Parts[1].Path) {
			t.Errorf("%s: part gone: %v", format, err)
		}
		if _, err := Rows(context.Background(), store.Dir(dir), m, []int64{2}); err != nil {
			t.Errorf("%s: a part that is not needed was opened: %v", format, err)
		}
	}
}

// same compares values, taking NaN for equal to itself.
func same(a, b any) bool {
	x, ok := a.(float64)
	y, ok2 := b.(float64)
	return ok && ok2 && math.IsNaN(x) && math.IsNaN(y) || reflect.DeepEqual(a, b)
}
