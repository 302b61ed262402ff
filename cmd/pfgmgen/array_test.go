package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Tasks one after another: each makes its own shards and says what is missing, the last one finishes the dataset, and one
// that has nothing to do is content.
func TestArrayOneAfterAnother(t *testing.T) {
	whole := reference(t, 200)             // 5 shards
	for _, tasks := range []int{1, 4, 7} { // 7: two have none
		out := filepath.Join(t.TempDir(), "o")
		left := 5
		for i := range tasks {
			stdout, stderr := mustRun(t, 0, small(out, 200, "--array", fmt.Sprintf("%d/%d", i, tasks), "--json")...)
			var r runResult
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatal(err)
			}
			own := 0
			for shard := i; shard < 5; shard += tasks {
				own++
			}
			left -= own
			switch {
			case left > 0:
				if r.Status != "partial" || r.Report.Shards != own || r.Missing != left || !strings.Contains(stderr, "pfgmgen finalize") {
					t.Errorf("task %d of %d: %+v, said %s", i, tasks, r, stderr)
				}
				nothingFinished(t, out)
			case own > 0:
				if r.Status != "written" || r.Report.Shards != own {
					t.Errorf("task %d of %d: %+v, said %s", i, tasks, r, stderr)
				}
			default:
				if r.Status != "complete" {
					t.Errorf("task %d of %d: %+v, said %s", i, tasks, r, stderr)
				}
			}
		}
		equalTrees(t, out, whole)
	}
}

// nothingFinished fails when a reader could take a place for a finished dataset.
func nothingFinished(t *testing.T, place string) {
	t.Helper()
	for _, name := range []string{"manifest.json", "_SUCCESS"} {
		if _, ok := tree(t, place)["/"+name]; ok {
			t.Errorf("%s is there", name)
		}
	}
}

// A task without shards that comes first finds nothing to do either.
func TestArrayTaskWithoutShards(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	out := filepath.Join(t.TempDir(), "o")
	_, stderr := mustRun(t, 0, small(out, 200, "--array", "6/7")...)
	if !strings.Contains(stderr, "0 shards made, 5 of 5 are missing") {
		t.Errorf("said %s", stderr)
	}
	nothingFinished(t, out)
}

// Tasks at once, which learn their numbers from a scheduler, make the dataset that one run makes, whoever is last.
func TestArrayAtOnce(t *testing.T) {
	whole := reference(t, 400)
	out := filepath.Join(t.TempDir(), "o")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			cmd := child(small(out, 400, "--array", "auto")...)
			cmd.Env = append(cmd.Env, fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i), "PFGMGEN_SHARD_COUNT=4")
			b, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(b), fmt.Sprintf("task %d of 4 (numbered from 0), by JOB_COMPLETION_INDEX", i)) {
				t.Errorf("%v: %s", err, b)
			}
		})
	}
	wg.Wait()
	equalTrees(t, out, whole)
}

// What a task lacks is an error of the environment.
func TestArrayWithoutCount(t *testing.T) {
	t.Setenv("JOB_COMPLETION_INDEX", "2")
	_, stderr := mustRun(t, exitUsage, small(t.TempDir(), 200, "--array", "auto")...)
	if !strings.Contains(stderr, "set PFGMGEN_SHARD_COUNT") {
		t.Errorf("said %s", stderr)
	}
}
