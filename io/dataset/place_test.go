package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/io/store"
)

// tree makes files (and directories, with a slash at the end) in a new directory.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if len(names) > 0 {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, []byte("{}"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		ours  bool
		want  string // part of the error, or empty
	}{
		{"new", nil, false, ""},
		{"empty", []string{"./"}, false, ""},
		{"ours", []string{"_pfgmgen/plan.json"}, true, ""},
		{"ours with data", []string{"_pfgmgen/plan.json", "data/train-00000.parquet", "notes.txt"}, true, ""},
		{"fresh disk", []string{"lost+found/"}, false, ""},
		{"crashed before the plan", []string{"_pfgmgen/.plan.json.1-1.tmp"}, false, ""},
		{"foreign file", []string{"notes.txt"}, false, "it holds notes.txt and no plan of ours"},
		{"many", []string{"a", "b", "c", "d", "e"}, false, "it holds a, b, c and 2 more"},
		{"foreign dataset", []string{"data/train-00000.parquet"}, false, "it holds data"},
		{"state without plan", []string{"_pfgmgen/rows"}, false, "it holds _pfgmgen"},
		{"plan is a directory", []string{"_pfgmgen/plan.json/"}, false, "not a regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := tree(t, c.files...)
			before := files(t, dir)
			ours, err := CheckPlace(t.Context(), store.Dir(dir))
			if c.want == "" && (err != nil || ours != c.ours) {
				t.Errorf("ours %v, error %v, want %v and none", ours, err, c.ours)
			}
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrPlace) || !strings.Contains(err.Error(), dir) {
					t.Errorf("error %v, want ...%s...", err, c.want)
				}
				if foreign := strings.HasPrefix(c.want, "it holds"); errors.Is(err, ErrTaken) != foreign {
					t.Errorf("taken %v, want %v: %v", !foreign, foreign, err)
				}
				if _, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{}); !errors.Is(err, ErrPlace) {
					t.Errorf("Create: %v", err)
				}
				if _, err := WritePlan(t.Context(), store.Dir(dir), []byte("{}"), nil); !errors.Is(err, ErrPlace) {
					t.Errorf("WritePlan: %v", err)
				}
			}
			if after := files(t, dir); strings.Join(before, " ") != strings.Join(after, " ") {
				t.Errorf("files %v became %v", before, after)
			}
		})
	}
	file := filepath.Join(tree(t, "x"), "x")
	dangling := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), dangling, ""} {
		if _, err := CheckPlace(t.Context(), store.Dir(dir)); !errors.Is(err, ErrPlace) {
			t.Errorf("%q: %v", dir, err)
		}
	}
}

func TestPlan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := ReadPlan(t.Context(), store.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no plan: %v", err)
	}
	plan := []byte("{\"n\": 1,\n\"seed\": 18446744073709551615}\n")
	for range 2 {
		if _, err := WritePlan(t.Context(), store.Dir(dir), plan, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadPlan(t.Context(), store.Dir(dir)); err != nil || string(got) != string(plan) {
			t.Errorf("plan %q, %v", got, err)
		}
	}
	if _, err := WritePlan(t.Context(), store.Dir(dir), []byte("{"), nil); err == nil {
		t.Error("a plan that is not JSON was written")
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("files %v", got)
	}
	path := filepath.Join(dir, planName)
	if err := os.WriteFile(path, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlan(t.Context(), store.Dir(dir)); err == nil || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("damaged plan: %v", err)
	}
	if err := os.Truncate(path, maxPlan+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPlan(t.Context(), store.Dir(dir)); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("huge plan: %v", err)
	}
}

func TestOrphansAreRemovedAndLiveFilesKept(t *testing.T) {
	dir := tree(t, "_pfgmgen/plan.json", "data/.train-00000.parquet.1-1.tmp", ".README.md.1-2.tmp", "fasta/.x.fasta.9-9.tmp", "data/keep.me")
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(files(t, dir), " "); got != "_pfgmgen/plan.json data/keep.me" {
		t.Errorf("files %s", got)
	}
	p, err := w.Part(0)
	if err != nil {
		t.Fatal(err)
	}
	rec := fixtureRecord(w.o.Allocator, w.schema, 0, 10)
	defer rec.Release()
	if err := p.Write(rec); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{}); err != nil { // a second process in the same place
		t.Fatal(err)
	}
	if _, err := p.Commit(t.Context()); err != nil {
		t.Errorf("the file of a living writer was removed: %v", err)
	}
}
