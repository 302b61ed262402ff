package training

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// counting counts its examples as they are read, without a lock: the race detector sees a read that overlaps the test.
type counting struct {
	rows
	read int
	at   map[int]func() // what to do at a count
}

func (c *counting) Encode(dst []float64, i int) int {
	c.read++
	if f := c.at[c.read]; f != nil {
		f()
	}
	return c.rows.Encode(dst, i)
}

// TestRunLetsGo: however a run ends, nothing reads its data afterwards.
func TestRunLetsGo(t *testing.T) {
	rt := runtimeFor(t)
	nan := white(16, 8, 1, 1)
	for _, r := range nan.data {
		r[3] = math.NaN()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir := t.TempDir()
	for _, test := range []struct {
		name string
		ctx  context.Context
		data *counting
		job  Job
		want string
	}{
		{"done", context.Background(), &counting{rows: white(16, 8, 1, 1)}, Job{}, ""},
		{"cancelled", ctx, &counting{rows: white(16, 8, 1, 1), at: map[int]func(){40: cancel}}, Job{Checkpoint: filepath.Join(dir, "c")}, "context canceled"},
		{"cancelled before it began", ctx, &counting{rows: white(16, 8, 1, 1)}, Job{}, "stopped after step 0 of 60"},
		{"cancelled in the measurement", ctx, &counting{rows: white(16, 8, 1, 1)}, Job{Budget: time.Minute}, "stopped before the first step"},
		{"diverged", context.Background(), &counting{rows: nan}, Job{}, "21 steps in a row"},
		{"no place for the checkpoint", context.Background(), &counting{rows: white(16, 8, 1, 1)},
			Job{Checkpoint: filepath.Join(dir, "no", "c"), Every: time.Nanosecond}, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.job.Settings, test.job.Train = small(t, 4, 2, 0), test.data
			test.job.Settings.Steps = 60
			_, err := Run(test.ctx, rt, test.job)
			read := test.data.read
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if test.ctx.Err() != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%v does not wrap context.Canceled", err)
			}
			time.Sleep(20 * time.Millisecond)
			if test.data.read != read {
				t.Errorf("%d examples were read after the run", test.data.read-read)
			}
		})
	}
}

// TestSlowMachine: a budget that is spent by the first step is not stretched by measuring ten.
func TestSlowMachine(t *testing.T) {
	s := small(t, 4, 2, 0)
	data := &counting{rows: white(16, 8, 1, 1)}
	r, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: data, Budget: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Settings.Steps != 1 || r.Examples != s.Batch || data.read != 2*s.Batch {
		t.Errorf("%d steps, %d examples, %d read; want one step to measure and one to keep", r.Settings.Steps, r.Examples, data.read)
	}
}

// TestFewExamples: one example to learn from, three to hold out and batches of 16; none of the held-out ones has a class.
func TestFewExamples(t *testing.T) {
	s := small(t, 4, 2, 3)
	s.Steps = 3
	valid := &counting{rows: white(3, 8, SigmaData, 2)}
	train := white(1, 8, SigmaData, 1)
	train.classes = 3
	r, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: train, Valid: valid})
	if err != nil {
		t.Fatal(err)
	}
	if !isFinite(r.ValidLoss) || !isFinite(r.Loss) || r.Loss == 0 || valid.read != 4*s.Batch || r.Examples != 3*s.Batch {
		t.Errorf("%+v after %d held-out examples, want 4 batches of them and finite losses", r, valid.read)
	}
	b := newBatch(&s)
	newBatches(&s, valid, purposeNoise).fill(b, 0)
	for i, l := range b.label {
		if l != 3 {
			t.Errorf("label %d of an example without a class is %d, want 3 (unconditional)", i, l)
		}
	}
	valid.data[1][0] = math.NaN()
	if _, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: train, Valid: valid}); !errors.Is(err, ErrDiverged) ||
		!strings.Contains(err.Error(), "held-out") {
		t.Errorf("NaN in the held-out data: %v, want ErrDiverged", err)
	}
}

// TestNoCounted: a run whose last tenth was skipped has no loss to tell, and says so instead of 0.
func TestNoCounted(t *testing.T) {
	s := small(t, 4, 2, 0)
	s.Steps, s.Batch = 1, 1
	data := white(1, 8, 1, 1)
	data.data[0][0] = math.Inf(1)
	r, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: data, Observe: func(p Progress) {
		if !math.IsNaN(p.Loss) {
			t.Errorf("progress has the loss %g, want NaN", p.Loss)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Skipped != 1 || !math.IsNaN(r.Loss) || !slices.Equal(r.Weights, newState(&s).w) {
		t.Errorf("%d steps skipped, loss %g; want 1, NaN, and weights as they were", r.Skipped, r.Loss)
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"first", "second"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v, want %q", b, err, text)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "taken"), nil); err == nil {
		t.Error("wrote over a directory")
	}
	if err := WriteFile(filepath.Join(dir, "no", "a"), nil); err == nil {
		t.Error("wrote into a directory that does not exist")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v is left, %v; want a and taken", entries, err)
	}
}
