package array

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Slice{"0/1": {0, 1}, "2/8": {2, 8}, "7/8": {7, 8}, "0/2147483647": {0, 2147483647}} {
		if got, err := Parse(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "/", "2/", "/8", "8/8", "9/8", "0/0", "-1/8", "+1/8", "1/8/2", " 1/8", "1_0/80", "a/b", "1/99999999999"} {
		if got, err := Parse(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// Every shard has one owner, and no task has two shards more than another.
func TestOwns(t *testing.T) {
	for count := 1; count < 12; count++ {
		for shards := range 30 {
			owned := make([]int, count)
			for shard := range shards {
				for i := range owned {
					if (Slice{i, count}).Owns(shard) {
						owned[i]++
					}
				}
			}
			sum, least, most := 0, shards, 0
			for _, n := range owned {
				sum, least, most = sum+n, min(least, n), max(most, n)
			}
			if sum != shards || most-least > 1 {
				t.Errorf("%d shards of %d tasks: %v", shards, count, owned)
			}
		}
	}
}

// environment reads "A=1 B=2".
func environment(text string) func(string) string {
	m := make(map[string]string)
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

// slurm is the environment of a Slurm task.
func slurm(id, first, last, step, count int) string {
	return fmt.Sprintf("SLURM_ARRAY_TASK_ID=%d SLURM_ARRAY_TASK_MIN=%d SLURM_ARRAY_TASK_MAX=%d SLURM_ARRAY_TASK_STEP=%d SLURM_ARRAY_TASK_COUNT=%d", id, first, last, step, count)
}

func TestDetect(t *testing.T) {
	for _, tc := range []struct {
		env, source string
		want        Slice
	}{
		{"PFGMGEN_SHARD_INDEX=3 PFGMGEN_SHARD_COUNT=8", "PFGMGEN_SHARD_INDEX", Slice{3, 8}},
		{"PFGMGEN_SHARD_INDEX=3 PFGMGEN_SHARD_COUNT=8 " + slurm(1, 0, 3, 1, 4), "PFGMGEN_SHARD_INDEX", Slice{3, 8}},

		{slurm(0, 0, 3, 1, 4), "SLURM_ARRAY_TASK_ID", Slice{0, 4}},
		{slurm(3, 0, 3, 1, 4), "SLURM_ARRAY_TASK_ID", Slice{3, 4}},
		{slurm(4, 1, 4, 1, 4), "SLURM_ARRAY_TASK_ID", Slice{3, 4}},
		{slurm(14, 10, 16, 2, 4), "SLURM_ARRAY_TASK_ID", Slice{2, 4}},
		{slurm(9, 1, 10, 4, 3), "SLURM_ARRAY_TASK_ID", Slice{2, 3}},                           // 1, 5, 9
		{slurm(6, 5, 7, 1, 3), "SLURM_ARRAY_TASK_ID", Slice{1, 3}},                            // a range of a larger array is an array
		{slurm(5, 5, 5, 1, 1), "SLURM_ARRAY_TASK_ID", Slice{0, 1}},                            // so is one id
		{slurm(5, 1, 6, 1, 3) + " PFGMGEN_SHARD_COUNT=8", "SLURM_ARRAY_TASK_ID", Slice{5, 8}}, // of 1,5,6 in 0-7
		{slurm(5, 5, 5, 1, 1) + " PFGMGEN_SHARD_COUNT=8", "SLURM_ARRAY_TASK_ID", Slice{5, 8}},
		{slurm(2, 0, 3, 1, 4) + " JOB_COMPLETION_INDEX=9", "SLURM_ARRAY_TASK_ID", Slice{2, 4}},

		{"JOB_COMPLETION_INDEX=0 PFGMGEN_SHARD_COUNT=3", "JOB_COMPLETION_INDEX", Slice{0, 3}},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2", "AWS_BATCH_JOB_ARRAY_INDEX", Slice{1, 2}},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2 PFGMGEN_SHARD_COUNT=2", "AWS_BATCH_JOB_ARRAY_INDEX", Slice{1, 2}},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 PFGMGEN_SHARD_COUNT=2", "AWS_BATCH_JOB_ARRAY_INDEX", Slice{1, 2}},
		{"CLOUD_RUN_TASK_INDEX=1 CLOUD_RUN_TASK_COUNT=2", "CLOUD_RUN_TASK_INDEX", Slice{1, 2}},
		{"BATCH_TASK_INDEX=1 BATCH_TASK_COUNT=2", "BATCH_TASK_INDEX", Slice{1, 2}},
		{"PBS_ARRAY_INDEX=7 PFGMGEN_SHARD_COUNT=8", "PBS_ARRAY_INDEX", Slice{7, 8}},
		{"LSB_JOBINDEX=8 PFGMGEN_SHARD_COUNT=8", "LSB_JOBINDEX", Slice{7, 8}},
		{"SGE_TASK_ID=5 SGE_TASK_FIRST=1 SGE_TASK_LAST=9 SGE_TASK_STEPSIZE=2", "SGE_TASK_ID", Slice{2, 5}},
		{"SGE_TASK_ID=5 SGE_TASK_FIRST=5 SGE_TASK_LAST=5 SGE_TASK_STEPSIZE=1 PFGMGEN_SHARD_COUNT=8", "SGE_TASK_ID", Slice{4, 8}},
		{"NOMAD_ALLOC_INDEX=0 PFGMGEN_SHARD_COUNT=4", "NOMAD_ALLOC_INDEX", Slice{0, 4}},

		// What LSF and Grid Engine set outside arrays says nothing.
		{"LSB_JOBINDEX=0 NOMAD_ALLOC_INDEX=1 PFGMGEN_SHARD_COUNT=4", "NOMAD_ALLOC_INDEX", Slice{1, 4}},
		{"SGE_TASK_ID=undefined SGE_TASK_FIRST=undefined NOMAD_ALLOC_INDEX=1 PFGMGEN_SHARD_COUNT=4", "NOMAD_ALLOC_INDEX", Slice{1, 4}},
	} {
		got, source, err := Detect(environment(tc.env))
		if err != nil || got != tc.want || source != tc.source {
			t.Errorf("%s: %v of %s, %v; want %v of %s", tc.env, got, source, err, tc.want, tc.source)
		}
	}
}

// What cannot be right names the variable, its value, and what was wanted.
func TestDetectRefuses(t *testing.T) {
	for _, tc := range []struct{ env, want string }{
		{"PFGMGEN_SHARD_INDEX=3", "PFGMGEN_SHARD_COUNT is not set, want a whole number from 0 (PFGMGEN_SHARD_INDEX is 3)"},
		{"PFGMGEN_SHARD_COUNT=3", `PFGMGEN_SHARD_COUNT is "3", but neither PFGMGEN_SHARD_INDEX nor`},
		{"PFGMGEN_SHARD_INDEX=x PFGMGEN_SHARD_COUNT=8", `PFGMGEN_SHARD_INDEX is "x", want a whole number from 0 to 2147483647`},
		{"PFGMGEN_SHARD_INDEX=-1 PFGMGEN_SHARD_COUNT=8", `PFGMGEN_SHARD_INDEX is "-1", want a whole number`},
		{"PFGMGEN_SHARD_INDEX=1 PFGMGEN_SHARD_COUNT=eight", `PFGMGEN_SHARD_COUNT is "eight", want a whole number`},
		{"PFGMGEN_SHARD_INDEX=8 PFGMGEN_SHARD_COUNT=8", "PFGMGEN_SHARD_INDEX is 8, want 0 to 7, because PFGMGEN_SHARD_COUNT is 8"},
		{"PFGMGEN_SHARD_INDEX=0 PFGMGEN_SHARD_COUNT=0", "PFGMGEN_SHARD_COUNT is 0, want at least 1"},
		{"PFGMGEN_SHARD_INDEX=0 PFGMGEN_SHARD_COUNT=2147483648", `PFGMGEN_SHARD_COUNT is "2147483648", want a whole number`},

		{"SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_MIN is not set, want a whole number from 0 (SLURM_ARRAY_TASK_ID is 1)"},
		{"SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_STEP=1", "SLURM_ARRAY_TASK_COUNT is not set"},
		{slurm(5, 1, 6, 1, 3), "SLURM_ARRAY_TASK_COUNT is 3, but 1 to 6 in steps of 1 are 6 ids, so the array has gaps"},
		{slurm(7, 0, 3, 1, 4), "SLURM_ARRAY_TASK_ID is 7, which is none of 0 to 3 in steps of 1"},
		{slurm(3, 0, 8, 2, 5), "SLURM_ARRAY_TASK_ID is 3, which is none of 0 to 8 in steps of 2"},
		{slurm(0, 0, 3, 0, 4), "SLURM_ARRAY_TASK_STEP is 0, want at least 1"},
		{slurm(2, 3, 1, 1, 1), "SLURM_ARRAY_TASK_MAX is 1, below SLURM_ARRAY_TASK_MIN, which is 3"},
		{slurm(8, 1, 8, 1, 8) + " PFGMGEN_SHARD_COUNT=8", "SLURM_ARRAY_TASK_ID is 8, want 0 to 7, because PFGMGEN_SHARD_COUNT is 8"},

		{"JOB_COMPLETION_INDEX=2", "JOB_COMPLETION_INDEX is 2, but the number of tasks is not known; set PFGMGEN_SHARD_COUNT"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1", "AWS_BATCH_JOB_ARRAY_SIZE is not set"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=4 PFGMGEN_SHARD_COUNT=2", "PFGMGEN_SHARD_COUNT is 2, but AWS_BATCH_JOB_ARRAY_SIZE is 4"},
		{"AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=x PFGMGEN_SHARD_COUNT=2", `AWS_BATCH_JOB_ARRAY_SIZE is "x"`},
		{"CLOUD_RUN_TASK_INDEX=2 CLOUD_RUN_TASK_COUNT=2", "CLOUD_RUN_TASK_INDEX is 2, want 0 to 1, because CLOUD_RUN_TASK_COUNT is 2"},
		{"LSB_JOBINDEX=9 PFGMGEN_SHARD_COUNT=8", "LSB_JOBINDEX is 9, want 1 to 8"},
		{"SGE_TASK_ID=3 SGE_TASK_FIRST=1 SGE_TASK_LAST=undefined SGE_TASK_STEPSIZE=1", `SGE_TASK_LAST is "undefined", want a whole number`},
		{"NOMAD_ALLOC_INDEX=0", "set PFGMGEN_SHARD_COUNT"},
	} {
		got, source, err := Detect(environment(tc.env))
		if err == nil || !strings.Contains(err.Error(), tc.want) || errors.Is(err, ErrNone) {
			t.Errorf("%s: %v of %s, %v; want an error with %q", tc.env, got, source, err, tc.want)
		}
	}
	for _, env := range []string{"", "SLURM_JOB_ID=4 SLURM_ARRAY_TASK_MIN=0", "LSB_JOBINDEX=0", "SGE_TASK_ID=undefined"} {
		if _, _, err := Detect(environment(env)); !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v, want ErrNone", env, err)
		}
	}
}
