// Package array divides the shards of a plan among the tasks of a job array. Nothing is coordinated: each task works out
// from its own number and the number of tasks which shards are its own, and all tasks together own every shard once.
//
// A job array is what Slurm, Kubernetes (Indexed Job), AWS Batch, Google Cloud Run and Batch, PBS, LSF, Grid Engine and
// Nomad call a job of numbered copies; Detect reads the number from the variables that they set.
//
// # Arrays of which only some tasks are submitted again
//
// A range of ids that Slurm or Grid Engine report (lowest, highest, step) is taken for the whole array: its tasks share all
// shards, also when the range is part of an earlier one, so that 5-7 of an array 0-7 is an array of three tasks that
// finish everything. Ids with gaps, such as 1,5,6, cannot be divided so, because a task does not learn its rank among them;
// that is an error. With PFGMGEN_SHARD_COUNT, the number of tasks of the whole array, ids mean what they meant in the whole
// array, which then begins at the system's lowest id (0 for Slurm, 1 for Grid Engine), and any of them can be submitted
// again alone. Job files made by pfgmgen emit set it.
package array

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Slice is the share of one task: of Count tasks it is number Index, from 0.
type Slice struct{ Index, Count int }

// Owns says whether a shard is the task's. Neighbours go to different tasks, so that tasks get as much work as possible of
// a dataset that is short or grows.
func (s Slice) Owns(shard int) bool { return shard%s.Count == s.Index }

// String writes a slice as Parse reads it.
func (s Slice) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// Parse reads I/N, such as 2/8.
func Parse(text string) (Slice, error) {
	i, n, ok := strings.Cut(text, "/")
	index, errI := whole(i)
	count, errN := whole(n)
	if !ok || errI != nil || errN != nil || index >= count {
		return Slice{}, fmt.Errorf("array: task %q: want I/N, task I of N, with I from 0 to N-1, such as 0/8", text)
	}
	return Slice{index, count}, nil
}

// ErrNone says that no variable of a job array is set.
var ErrNone = errors.New("array: no variable of a job array is set, so this is no task of one; give the slice as I/N, or set PFGMGEN_SHARD_INDEX and PFGMGEN_SHARD_COUNT")

// The variables that belong to no scheduler.
const (
	IndexVariable = "PFGMGEN_SHARD_INDEX"
	CountVariable = "PFGMGEN_SHARD_COUNT"
)

// A scheduler is where a system puts what a task must know. Empty names are what it does not have.
type scheduler struct {
	id                string // number of the task
	outside           string // value of id outside arrays
	least             int    // lowest id of an array without a range
	count             string // number of tasks
	first, last, step string // the range of ids
}

// schedulers in the order in which they are looked for. The variables of one may be inherited by the jobs of another; one's
// own come first, and those that every job of a system has, array or not, come last.
func schedulers() []scheduler {
	return []scheduler{
		{id: IndexVariable, count: CountVariable},
		{id: "SLURM_ARRAY_TASK_ID", count: "SLURM_ARRAY_TASK_COUNT", first: "SLURM_ARRAY_TASK_MIN", last: "SLURM_ARRAY_TASK_MAX", step: "SLURM_ARRAY_TASK_STEP"},
		{id: "JOB_COMPLETION_INDEX"}, // Kubernetes has no variable for completions
		{id: "AWS_BATCH_JOB_ARRAY_INDEX", count: "AWS_BATCH_JOB_ARRAY_SIZE"},
		{id: "CLOUD_RUN_TASK_INDEX", count: "CLOUD_RUN_TASK_COUNT"},
		{id: "BATCH_TASK_INDEX", count: "BATCH_TASK_COUNT"},
		{id: "PBS_ARRAY_INDEX"},
		{id: "LSB_JOBINDEX", outside: "0", least: 1},
		{id: "SGE_TASK_ID", outside: "undefined", least: 1, first: "SGE_TASK_FIRST", last: "SGE_TASK_LAST", step: "SGE_TASK_STEPSIZE"},
		{id: "NOMAD_ALLOC_INDEX"},
	}
}

// Detect finds the task's slice in its environment. source is the variable that decided. The error wraps ErrNone when there
// is no variable at all.
func Detect(getenv func(string) string) (s Slice, source string, err error) {
	for _, sys := range schedulers() {
		if text := getenv(sys.id); text == "" || text == sys.outside {
			continue
		}
		s, err := sys.slice(variables{getenv})
		if err != nil {
			return Slice{}, "", fmt.Errorf("array: %w", err)
		}
		return s, sys.id, nil
	}
	if n := getenv(CountVariable); n != "" {
		return Slice{}, "", fmt.Errorf("array: %s is %q, but neither %s nor the task number of a known scheduler is set; set it to this task's number, from 0", CountVariable, n, IndexVariable)
	}
	return Slice{}, "", ErrNone
}

func (sys scheduler) slice(env variables) (Slice, error) {
	id, err := env.number(sys.id)
	if err != nil {
		return Slice{}, err
	}
	if env.get(CountVariable) != "" {
		return sys.sliceOfWhole(env, id)
	}
	if sys.first != "" {
		return sys.sliceOfRange(env, id)
	}
	if sys.count == "" {
		return Slice{}, fmt.Errorf("%s is %d, but the number of tasks is not known; set %s to it", sys.id, id, CountVariable)
	}
	count, err := env.number(sys.count)
	if err != nil {
		return Slice{}, fmt.Errorf("%w (%s is %d)", err, sys.id, id)
	}
	return sys.place(id, 0, sys.count, count)
}

// sliceOfWhole takes the number of tasks from PFGMGEN_SHARD_COUNT.
func (sys scheduler) sliceOfWhole(env variables, id int) (Slice, error) {
	count, err := env.number(CountVariable)
	if err != nil {
		return Slice{}, err
	}
	if sys.count != "" && sys.first == "" && env.get(sys.count) != "" { // a range may be part of the whole, a count may not
		n, err := env.number(sys.count)
		if err != nil {
			return Slice{}, err
		}
		if n != count {
			return Slice{}, fmt.Errorf("%s is %d, but %s is %d; unset the first, or set it to the second", CountVariable, count, sys.count, n)
		}
	}
	return sys.place(id, sys.least, CountVariable, count)
}

// sliceOfRange counts the ids of a range.
func (sys scheduler) sliceOfRange(env variables, id int) (Slice, error) {
	var ends [3]int // first, last, step
	for i, name := range []string{sys.first, sys.last, sys.step} {
		n, err := env.number(name)
		if err != nil {
			return Slice{}, fmt.Errorf("%w (%s is %d)", err, sys.id, id)
		}
		ends[i] = n
	}
	first, last, step := ends[0], ends[1], ends[2]
	if last < first {
		return Slice{}, fmt.Errorf("%s is %d, below %s, which is %d; want the lowest and the highest id of the array", sys.last, last, sys.first, first)
	}
	if step < 1 {
		return Slice{}, fmt.Errorf("%s is %d, want at least 1", sys.step, step)
	}
	if id < first || id > last || (id-first)%step != 0 {
		return Slice{}, fmt.Errorf("%s is %d, which is none of %d to %d in steps of %d (%s, %s, %s)", sys.id, id, first, last, step, sys.first, sys.last, sys.step)
	}
	s := Slice{(id - first) / step, (last-first)/step + 1}
	if sys.count == "" {
		return s, nil
	}
	count, err := env.number(sys.count)
	if err != nil {
		return Slice{}, fmt.Errorf("%w (%s is %d)", err, sys.id, id)
	}
	if count != s.Count {
		return Slice{}, fmt.Errorf("%s is %d, but %d to %d in steps of %d are %d ids, so the array has gaps, and a task cannot know its place in it; "+
			"submit a range of ids, or set %s to the number of tasks of the whole array, with ids from %d", sys.count, count, first, last, step, s.Count, CountVariable, sys.least)
	}
	return s, nil
}

// place is task id of an array of count tasks whose lowest id is least.
func (sys scheduler) place(id, least int, variable string, count int) (Slice, error) {
	if count < 1 {
		return Slice{}, fmt.Errorf("%s is %d, want at least 1", variable, count)
	}
	if id < least || id-least >= count {
		return Slice{}, fmt.Errorf("%s is %d, want %d to %d, because %s is %d", sys.id, id, least, least+count-1, variable, count)
	}
	return Slice{id - least, count}, nil
}

// variables read the environment.
type variables struct{ get func(string) string }

func (v variables) number(name string) (int, error) {
	text := v.get(name)
	if text == "" {
		return 0, fmt.Errorf("%s is not set, want a whole number from 0", name)
	}
	n, err := whole(text)
	if err != nil {
		return 0, fmt.Errorf("%s is %q, want a whole number from 0 to %d", name, text, math.MaxInt32)
	}
	return n, nil
}

// whole reads digits and nothing else: the sign and the underscores that strconv knows would be mistakes here.
func whole(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}
