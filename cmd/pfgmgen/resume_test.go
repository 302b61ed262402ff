package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// epoch is the time of datasets that must be equal to the last byte.
const epoch = "1700000000"

// small are the arguments of a run of several small shards.
func small(out string, n int, more ...string) []string {
	return append([]string{"run", "--model", exact, "-n", fmt.Sprint(n), "--shard-rows", "40", "--steps", "3", "--also", "fasta", "--out", out}, more...)
}

// reference is a dataset made without interruption.
func reference(t *testing.T, n int, more ...string) string {
	t.Helper()
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	out := filepath.Join(t.TempDir(), "whole")
	mustRun(t, 0, small(out, n, append(more, "--quiet")...)...)
	return out
}

// equalTrees fails unless two directories have the same files with the same bytes.
func equalTrees(t *testing.T, got, want string) {
	t.Helper()
	equalFiles(t, got, tree(t, got), tree(t, want))
}

// equalFiles fails unless the files that a place has, by name, are those that are wanted, to the last byte.
func equalFiles(t *testing.T, place string, got, want map[string]string) {
	t.Helper()
	for name, data := range want {
		if other, ok := got[name]; !ok || other != data {
			t.Errorf("%s: %s is missing or differs: %d bytes, want %d", place, name, len(other), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s should not be there", place, name)
		}
	}
}

// tree is the content of the files of a directory by name.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Whatever happened to the files of a dataset, finished or not, the same command makes it whole, to the last byte, and says
// what was wrong.
func TestRunRepairs(t *testing.T) {
	whole := reference(t, 200)
	flip := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name), func(b []byte) []byte { b[len(b)/2] ^= 4; return b })
		}
	}
	cut := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, name), func(b []byte) []byte { return b[:len(b)/2] })
		}
	}
	gone := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name, tc := range map[string]struct {
		damage func(t *testing.T, dir string)
		says   string // "" when there is nothing to say
	}{
		"a bit flipped in a part": {flip("data/train-00003.parquet"), "shard 3 is to be made again"},
		"a part cut short":        {cut("data/train-00001.parquet"), "shard 1 is to be made again"},
		"a part deleted":          {gone("data/train-00000.parquet"), "data/train-00000.parquet: presence: want a file, got none"},
		"an export cut short":     {cut("fasta/train-00002.fasta"), "shard 2 is to be made again"},
		"keys damaged":            {flip("_pfgmgen/shard-00004.keys"), "shard 4 is to be made again"},
		"a record deleted":        {gone("_pfgmgen/shard-00002.json"), ""},
		"a record cut short":      {cut("_pfgmgen/shard-00002.json"), "a record of shard 2"},
		"a record of another shard": {func(t *testing.T, dir string) {
			copyFile(t, dir, "_pfgmgen/shard-00001.json", "_pfgmgen/shard-00002.json")
		}, "it is the record of shard 1"},
		"all but the plan deleted": {gone("_SUCCESS", "manifest.json", "README.md", "croissant.json", "data/train-00000.parquet", "_pfgmgen/about.json"), ""},
		"no _SUCCESS":              {gone("_SUCCESS"), ""},
		"no manifest":              {gone("manifest.json", "_SUCCESS"), ""},
		"the manifest cut short":   {cut("manifest.json"), ""},
		"several shards": {func(t *testing.T, dir string) {
			flip("data/train-00001.parquet")(t, dir)
			gone("data/train-00004.parquet")(t, dir)
		}, "shard 4 is to be made again"},
		"a temporary file of a dead run": {func(t *testing.T, dir string) { copyFile(t, dir, "README.md", "data/.train-00009.parquet.1-1.tmp") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			if err := os.CopyFS(out, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			tc.damage(t, out)
			_, stderr := mustRun(t, 0, small(out, 200)...)
			if !strings.Contains(stderr, tc.says) {
				t.Errorf("said %s, want ...%s...", stderr, tc.says)
			}
			if name != "a temporary file of a dead run" { // a finished dataset is left alone
				equalTrees(t, out, whole)
			}
			mustRun(t, 0, "verify", out, "--model", exact)
		})
	}
}

func copyFile(t *testing.T, dir, from, to string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, from))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, to), b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// Only what is missing is made: a file that cannot be made anew with the same bytes shows that it was not touched.
func TestResumeMakesOnlyWhatIsMissing(t *testing.T) {
	whole := reference(t, 200)
	if err := os.Remove(filepath.Join(whole, "_pfgmgen/shard-00003.json")); err != nil {
		t.Fatal(err)
	}
	var r runResult
	stdout, _ := mustRun(t, 0, small(whole, 200, "--json")...)
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	if r.Status != "written" || r.Report.Shards != 1 || r.Report.Asked != 40 || r.Counts.Asked != 200 || r.Counts.Written != 200 {
		t.Errorf("status %s, report %+v, counts %+v", r.Status, r.Report, r.Counts)
	}
}

// A dataset that grew, once and again, is the one that would have been made at once.
// A clock that is moved back, by hand or on another machine, changes nothing: a run that was cut off goes on among files
// from the future, keeps the time at which it began, and ends with the bytes of an uninterrupted one. So does a clock that
// is moved forward, among files that look long forgotten.
func TestClockMoved(t *testing.T) {
	whole := reference(t, 200)
	for name, moved := range map[string]time.Duration{"back": -48 * time.Hour, "forward": 1000 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			if err := os.CopyFS(out, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"_SUCCESS", "manifest.json", "README.md", "croissant.json", "_pfgmgen/shard-00002.json", "data/train-00004.parquet"} {
				if err := os.Remove(filepath.Join(out, name)); err != nil {
					t.Fatal(err)
				}
			}
			copyFile(t, out, "data/train-00003.parquet", "data/.train-00002.parquet.1-1.tmp") // of the process that was cut off
			stamp := time.Now().Add(-moved)
			for name := range tree(t, out) {
				if err := os.Chtimes(filepath.Join(out, name), stamp, stamp); err != nil {
					t.Fatal(err)
				}
			}
			began, err := strconv.ParseInt(epoch, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("SOURCE_DATE_EPOCH", strconv.FormatInt(began+int64(moved/time.Second), 10))
			mustRun(t, 0, small(out, 200)...)
			mustRun(t, 0, "gc", out)
			equalTrees(t, out, whole)
			mustRun(t, 0, "verify", out, "--model", exact)
		})
	}
}

func TestExtend(t *testing.T) {
	whole := reference(t, 200)
	for _, sizes := range [][]int{{1, 200}, {40, 200}, {50, 121, 160, 200}} {
		out := filepath.Join(t.TempDir(), "o")
		for _, n := range sizes {
			if _, stderr := mustRun(t, 0, small(out, n)...); strings.Contains(stderr, "warning") {
				t.Errorf("%v: %s", sizes, stderr)
			}
		}
		equalTrees(t, out, whole)
	}
	for args, want := range map[string][]string{"num_samples is 200 there, 150 here": small(whole, 150), "seed is 0 there, 5 here": small(whole, 300, "--seed", "5")} {
		if _, stderr := mustRun(t, exitFailure, want...); !strings.Contains(stderr, args) {
			t.Errorf("said %s, want ...%s...", stderr, args)
		}
	}
}

// Several runs at once in one place share the work or do it twice, and the dataset is the same.
func TestRunsAtOnce(t *testing.T) {
	whole := reference(t, 400)
	for _, there := range []int{0, 200} {
		out := filepath.Join(t.TempDir(), "o")
		if there > 0 {
			mustRun(t, 0, small(out, there)...)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				cmd := child(small(out, 400)...)
				if b, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, b)
				}
			})
		}
		wg.Wait()
		equalTrees(t, out, whole)
	}
}

// Two runs with different settings that begin in one place at once: one is refused, whichever, and the other is whole.
func TestOtherSettingsAtOnce(t *testing.T) {
	whole := map[string]string{"1": reference(t, 200, "--seed", "1"), "2": reference(t, 200, "--seed", "2")}
	out := filepath.Join(t.TempDir(), "o")
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for seed := range whole {
		wg.Go(func() {
			b, err := child(small(out, 200, "--seed", seed)...).CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, seed)
			} else if !bytes.Contains(b, []byte("other settings")) {
				t.Errorf("%s", b)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("the seeds %v won", won)
	}
	equalTrees(t, out, whole[won[0]])
}

func TestFinalize(t *testing.T) {
	whole := reference(t, 200)
	out := filepath.Join(t.TempDir(), "o")
	if err := os.CopyFS(out, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"_SUCCESS", "manifest.json", "README.md"} {
		if err := os.Remove(filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 4 { // at once
		wg.Go(func() {
			if b, err := child("finalize", out).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, b)
			}
		})
	}
	wg.Wait()
	equalTrees(t, out, whole)

	if err := os.Remove(filepath.Join(out, "data", "train-00002.parquet")); err != nil {
		t.Fatal(err)
	}
	stdout, stderr := mustRun(t, exitFailure, "finalize", out, "--json")
	if !strings.Contains(stderr, "1 of 5 are missing, the first is 2") || !strings.Contains(stdout, `"status": "partial"`) {
		t.Errorf("said %s and %s", stdout, stderr)
	}
	if _, stderr := mustRun(t, exitFailure, "finalize", t.TempDir()); !strings.Contains(stderr, "neither finished nor begun") {
		t.Errorf("said %s", stderr)
	}
	mustRun(t, exitUsage, "finalize", out, "--check", "smell")
}

func TestGC(t *testing.T) {
	out := reference(t, 200)
	want := filepath.Join(t.TempDir(), "before")
	if err := os.CopyFS(want, os.DirFS(out)); err != nil {
		t.Fatal(err)
	}
	copyFile(t, out, "README.md", "_pfgmgen/shard-00077.keys")
	copyFile(t, out, "README.md", "data/train-00099.parquet")
	copyFile(t, out, "README.md", "fasta/.train-00001.fasta.1-1.tmp")
	if err := os.Mkdir(filepath.Join(out, "notes"), 0o777); err != nil {
		t.Fatal(err)
	}
	stdout, _ := mustRun(t, 0, "gc", out, "--dry-run")
	if stdout != "_pfgmgen/shard-00077.keys\ndata/train-00099.parquet\n" {
		t.Errorf("would delete %s", stdout)
	}
	mustRun(t, 0, "gc", out)
	equalTrees(t, out, want)
	copyFile(t, out, "README.md", "notes/mine.txt")
	mustRun(t, 0, "gc", out)
	if _, err := os.Stat(filepath.Join(out, "notes", "mine.txt")); err != nil {
		t.Error("a file of somebody else was deleted")
	}
}
