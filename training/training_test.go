package training

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

func runtimeFor(t testing.TB) *ort.Runtime {
	t.Helper()
	rt, err := ort.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// rows is data set: each row one example, classes by index modulo classes.
type rows struct {
	data    [][]float64
	classes int
}

func (r rows) Len() int { return len(r.data) }
func (r rows) Encode(dst []float64, i int) int {
	copy(dst, r.data[i])
	if r.classes == 0 {
		return -1
	}
	return i % r.classes
}

// white is n examples of independent normal numbers with standard deviation std.
func white(n, size int, std float64, seed uint64) rows {
	r := rows{data: make([][]float64, n)}
	for i := range r.data {
		s := sampler.NewStream(seed, int64(i), 0, 1000)
		r.data[i] = make([]float64, size)
		for j := range r.data[i] {
			r.data[i][j] = std * s.NormFloat64()
		}
	}
	return r
}

func small(t testing.TB, length, channels, classes int) Settings {
	t.Helper()
	a, err := NewArchitecture("tiny", []int{length, channels}, classes)
	if err != nil {
		t.Fatal(err)
	}
	a.Width, a.Depth, a.Heads = 16, 1, 2
	s := DefaultSettings(a)
	s.Threads, s.Batch = 1, 16
	return s
}

func trainerFor(t testing.TB, s *Settings) *trainer {
	t.Helper()
	tr, err := newTrainer(runtimeFor(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.close)
	return tr
}

func (t *trainer) lossOf(tb testing.TB, b *batch, w []float32) float64 {
	tb.Helper()
	out := map[string]ort.Tensor{outLoss: {Shape: []int64{}, Data: t.scalars[outLoss]}}
	if err := t.loss.Run(context.Background(), t.inputs(b, w), out); err != nil {
		tb.Fatal(err)
	}
	return float64(t.scalars[outLoss][0])
}

// TestPreconditioning is oracle 31: with F = 0 the loss at x = 1, y = 0 is lambda*c_skip^2, and with F = 1 at
// y = c_skip*x it is lambda*c_out^2 = 1. Tolerance: a few float32 roundings.
func TestPreconditioning(t *testing.T) {
	s := small(t, 4, 2, 0)
	s.Batch = 1
	tr := trainerFor(t, &s)
	w := newState(&s).w
	constant := slices.Clone(w)
	for i := range s.Architecture.tokenSize() {
		constant[len(constant)-1-i] = 1 // the last tensor is the bias of the output layer
	}
	for _, sigma := range []float64{0.002, 0.05, 0.5, 3, 80} {
		b := newBatch(&s)
		b.sigma[0] = float32(sigma)
		total := sigma*sigma + SigmaData*SigmaData
		cSkip := SigmaData * SigmaData / total
		for i := range b.x {
			b.x[i], b.y[i] = 1, 0
		}
		want := total / (sigma * sigma * SigmaData * SigmaData) * cSkip * cSkip
		if got := tr.lossOf(t, b, w); math.Abs(got-want) > 1e-5*want {
			t.Errorf("sigma %g: lambda*c_skip^2 = %g, want %g", sigma, got, want)
		}
		for i := range b.y {
			b.y[i] = float32(cSkip)
		}
		// y is rounded to float32; at small sigma lambda magnifies that by 1/c_out.
		tolerance := 1e-5 + 2*6e-8*cSkip/(sigma*SigmaData/math.Sqrt(total))
		if got := tr.lossOf(t, b, constant); math.Abs(got-1) > tolerance {
			t.Errorf("sigma %g: lambda*c_out^2 = %g, want 1 within %g", sigma, got, tolerance)
		}
	}
}

// TestLossOfNothing is oracle 32: an untrained network (F = 0) has the loss 1 + 2/(D-2)*s^2/(sigma^2+s^2) on white data.
// 2 % is oracle 32's tolerance for at least 4000 samples, as the coordinates of a sample share one chi-square.
func TestLossOfNothing(t *testing.T) {
	for _, d := range []float64{16, 128, math.Inf(1)} {
		for _, sigma := range []float64{0.2, 1} {
			s := small(t, 16, 2, 0)
			s.D, s.Batch, s.LogMean, s.LogStd = Dimensions(d), 8000, math.Log(sigma), 0
			tr := trainerFor(t, &s)
			b := newBatch(&s)
			newBatches(&s, white(s.Batch, 32, SigmaData, 1), purposeNoise).fill(b, 0)
			want := 1.0
			if !math.IsInf(d, 1) {
				want += 2 / (d - 2) * SigmaData * SigmaData / (sigma*sigma + SigmaData*SigmaData)
			}
			if got := tr.lossOf(t, b, newState(&s).w); math.Abs(got-want) > 0.02*want {
				t.Errorf("D %g, sigma %g: loss %g, want %g", d, sigma, got, want)
			}
		}
	}
}

// TestOptimumOfGaussianData is oracle 33: for white data of variance sigma_data^2 and D = inf the best F is 0, so the
// gradient at the untrained network is zero in the mean, within 5 standard errors for each weight of the output layer.
func TestOptimumOfGaussianData(t *testing.T) {
	s := small(t, 4, 2, 0)
	s.D, s.Batch, s.Clip = Dimensions(math.Inf(1)), 64, math.MaxFloat32
	tr := trainerFor(t, &s)
	st := newState(&s)
	m, b := newBatches(&s, white(4096, 8, SigmaData, 2), purposeNoise), newBatch(&s)
	const batches = 200
	n := s.Architecture.Width * s.Architecture.tokenSize()
	n += s.Architecture.tokenSize()
	sum, square := make([]float64, n), make([]float64, n)
	for i := range batches {
		m.fill(b, i)
		if _, _, err := tr.apply(context.Background(), st, b); err != nil {
			t.Fatal(err)
		}
		// With a first moment of zero, the next one is (1 - beta1) times the gradient.
		for j, v := range tr.next.m[len(tr.next.m)-n:] {
			g := float64(v) / (1 - s.Beta1)
			sum[j] += g
			square[j] += g * g
		}
	}
	for j := range sum {
		mean := sum[j] / batches
		se := math.Sqrt((square[j]/batches - mean*mean) / batches)
		if se == 0 || math.Abs(mean) > 5*se {
			t.Errorf("gradient of output weight %d is %g with standard error %g", j, mean, se)
		}
	}
}

// TestSinglePoint is oracle 34: a network trained on one point learns Den = y, with a loss below 1e-3.
func TestSinglePoint(t *testing.T) {
	s := small(t, 4, 2, 0)
	s.Steps, s.Warmup, s.Rate = 1500, 50, 1e-2
	point := rows{data: [][]float64{{0.5, -0.5, 0.25, 0, 1, -1, 0.5, 0.5}}}
	r, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: point, Valid: point})
	if err != nil {
		t.Fatal(err)
	}
	if !(r.ValidLoss < 1e-3) {
		t.Errorf("loss after %d steps is %g, want below 1e-3", s.Steps, r.ValidLoss)
	}
}

// TestAverage is oracle 35: with a half-life of H examples and a constant weight, the error of the average falls by
// 0.5^(examples/H); before 20 H examples the ramp makes the half-life 5 % of the examples seen. The learning rate rises
// linearly over the warm-up and reaches zero at the end.
func TestAverage(t *testing.T) {
	s := small(t, 4, 2, 0)
	s.EMAHalfLife, s.Batch = 1000, 10
	const start = 2000 // 20,000 examples: the ramp has ended
	err := 1.0
	for k := range 300 {
		err *= s.emaAt(start + k)
	}
	if want := math.Pow(0.5, 300*10.0/1000); math.Abs(err-want) > 1e-12 {
		t.Errorf("error after 3000 examples %g, want %g", err, want)
	}
	if got, want := s.emaAt(100), math.Pow(0.5, 10/(0.05*1000)); math.Abs(got-want) > 1e-12 {
		t.Errorf("decay on the ramp %g, want %g", got, want)
	}
	if got := s.emaAt(0); got != 0 {
		t.Errorf("decay at the first step %g, want 0", got)
	}
	s.Rate, s.Warmup, s.Steps = 1, 10, 110
	for step, want := range map[int]float64{0: 0.1, 4: 0.5, 9: 1, 10: 1, 60: 0.5, 110: 0} {
		if got := s.rateAt(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate at step %d is %g, want %g", step, got, want)
		}
	}
}

// TestResume is oracle 36: 2m steps in one go and m steps, a kill, a resume from the checkpoint and m more give the same
// bits and the same losses, with one thread, wherever the kill falls; and so does a finished run that is run again.
func TestResume(t *testing.T) {
	s := small(t, 6, 3, 3)
	s.Steps, s.Warmup = 60, 4
	data := white(50, 18, SigmaData, 3)
	data.classes = 3
	rt := runtimeFor(t)
	whole, err := Run(context.Background(), rt, Job{Settings: s, Train: data, Valid: data})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "run.checkpoint")
	for _, cut := range []int{30, 59} { // in the middle, and in the last tenth
		ctx, cancel := context.WithCancel(context.Background())
		cancelling := &counting{rows: data, at: map[int]func(){(cut - 1) * s.Batch: cancel}}
		os.Remove(path)
		_, err = Run(ctx, rt, Job{Settings: s, Train: cancelling, Checkpoint: path, DataSHA: "x"})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped run says %v, want a cancellation", err)
		}
		st, err := load(path, &s, false, "x")
		if err != nil || st == nil || st.step < cut-4 || st.step >= cut || (st.tailSteps > 0) != (cut == 59) {
			t.Fatalf("checkpoint after the stop: %+v, %v", st, err)
		}
		for _, name := range []string{"resumed", "finished, and run again"} {
			again, err := Run(context.Background(), rt, Job{Settings: s, Train: data, Valid: data, Checkpoint: path, DataSHA: "x"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(whole.Weights, again.Weights) {
				t.Errorf("%s at step %d: weights differ from those of the run that was not stopped", name, st.step)
			}
			again.Weights, again.Elapsed = whole.Weights, whole.Elapsed
			if !reflect.DeepEqual(whole, again) {
				t.Errorf("%s at step %d: %+v, want %+v", name, st.step, again, whole)
			}
		}
	}
}

// TestLossGradient is oracle 37: the gradient of the loss along its own direction, for the whole vector and for each
// tensor, against central differences. Both sides are float32; Richardson's extrapolation removes the h^2 term, and
// what is left is rounding of the loss, 6e-8/h: 1e-4 of the gradient's norm plus 2e-5.
func TestLossGradient(t *testing.T) {
	s := small(t, 6, 3, 2)
	s.Clip = math.MaxFloat32
	tr := trainerFor(t, &s)
	st := newState(&s)
	r := sampler.NewStream(9, 0, 0, 1000)
	for i := range st.w { // gates and output start at zero, which would hide most of the network
		st.w[i] += float32(0.1 * r.NormFloat64())
	}
	data := white(64, 18, SigmaData, 4)
	data.classes = 2
	b := newBatch(&s)
	newBatches(&s, data, purposeNoise).fill(b, 0)
	if _, _, err := tr.apply(context.Background(), st, b); err != nil {
		t.Fatal(err)
	}
	grad := make([]float64, len(st.w))
	for i, v := range tr.next.m {
		grad[i] = float64(v) / (1 - s.Beta1)
	}
	check := func(name string, from, to int) {
		norm := 0.0
		for _, g := range grad[from:to] {
			norm += g * g
		}
		norm = math.Sqrt(norm)
		if norm < 1e-3 {
			t.Errorf("%s: the gradient is %g, too small to test anything", name, norm)
			return
		}
		slope := func(h float64) float64 {
			at := func(h float64) float64 {
				w := slices.Clone(st.w)
				for i := from; i < to; i++ {
					w[i] += float32(h * grad[i] / norm)
				}
				return tr.lossOf(t, b, w)
			}
			return (at(h) - at(-h)) / (2 * h)
		}
		const h = 0.02
		got := (4*slope(h) - slope(2*h)) / 3
		if math.Abs(got-norm) > 1e-4*norm+2e-5 {
			t.Errorf("%s: slope %g, gradient %g", name, got, norm)
		}
	}
	check("all weights", 0, len(grad))
	at := 0
	for _, p := range s.Architecture.params() {
		n := int(p.size())
		if n >= s.Architecture.Width && !strings.Contains(p.name, "qkv.bias") { // a key's bias has no effect on a softmax
			check(p.name, at, at+n)
		}
		at += n
	}
}

// TestExport: the exported model gives the loss's Den, with the metadata that was asked for.
func TestExport(t *testing.T) {
	s := small(t, 4, 2, 0)
	w := newState(&s).w
	r := sampler.NewStream(5, 0, 0, 1000)
	for i := range w {
		w[i] += float32(0.1 * r.NormFloat64())
	}
	c := &sampler.Contract{Version: sampler.ContractVersion, Domain: "test", Shape: []int{4, 2}, Free: 8, D: 128, SigmaData: SigmaData,
		SigmaMin: 0.02, SigmaMax: 40, Rho: 5, Steps: 18, Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", License: "none", Source: "test"}
	model, err := s.Architecture.Export(w, c, Float32)
	if err != nil {
		t.Fatal(err)
	}
	den, err := runtimeFor(t).Open(model, ort.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer den.Close()
	if got := den.Contract(); got.Domain != "test" || got.D != 128 {
		t.Errorf("contract came back as %+v", got)
	}
	const sigma = 0.7
	x := white(1, 8, 1, 6).data[0]
	out := make([]float64, 8)
	if err := den.Denoise(context.Background(), out, x, sigma, nil); err != nil {
		t.Fatal(err)
	}
	// The loss of the same weights at y = Den must be zero to rounding.
	s.Batch = 1
	tr := trainerFor(t, &s)
	b := newBatch(&s)
	b.sigma[0] = sigma
	for i := range x {
		b.x[i], b.y[i] = float32(x[i]), float32(out[i])
	}
	if got := tr.lossOf(t, b, w); got > 1e-10 {
		t.Errorf("loss at the exported model's own output is %g", got)
	}
	c.D = 0
	if _, err := s.Architecture.Export(w, c, Float32); err == nil {
		t.Error("a contract with D = 0 was exported")
	}
}

func TestCheckpointRefusals(t *testing.T) {
	s := small(t, 4, 2, 0)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.checkpoint")
	if st, err := load(path, &s, false, "x"); st != nil || err != nil {
		t.Fatalf("no checkpoint: %v, %v", st, err)
	}
	if err := newState(&s).save(path, s, "x"); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	sealed := func(b []byte) []byte {
		sum := sha256.Sum256(b)
		return append(b, sum[:]...)
	}
	forged := func(change func(*checkpointHead)) []byte {
		line, body, _ := bytes.Cut(whole[:len(whole)-sha256.Size], []byte{'\n'})
		var head checkpointHead
		if err := json.Unmarshal(line, &head); err != nil {
			t.Fatal(err)
		}
		change(&head)
		if line, err = json.Marshal(head); err != nil {
			t.Fatal(err)
		}
		return sealed(slices.Concat(line, []byte{'\n'}, body))
	}
	other := s
	other.Rate *= 2
	wider := s
	wider.Architecture.Width *= 2
	for _, test := range []struct {
		name, want string
		bytes      []byte
		set        Settings
		data       string
	}{
		{"truncated", "truncated", whole[:len(whole)-5], s, "x"},
		{"bit flipped", "SHA-256", flipped, s, "x"},
		{"not a checkpoint", "not a checkpoint", []byte("hello\n"), s, "x"},
		{"empty", "not a checkpoint", nil, s, "x"},
		{"other settings", "learning_rate 0.003 there, 0.006 here", whole, other, "x"},
		{"other network", "weights", whole, wider, "x"},
		{"other data", "other data", whole, s, "y"},
		{"huge size", "weights", forged(func(h *checkpointHead) { h.Size = math.MaxInt }), s, "x"},
		{"negative size", "weights", forged(func(h *checkpointHead) { h.Size = -1 }), s, "x"},
		{"size that wraps around", "weights", forged(func(h *checkpointHead) { h.Size += 1 << 60 }), s, "x"},
		{"negative step", "step -1", forged(func(h *checkpointHead) { h.Step = -1 }), s, "x"},
		{"step beyond the end", "step 3001 of 3000", forged(func(h *checkpointHead) { h.Step = 3001 }), s, "x"},
		{"negative skips", "-1 skipped", forged(func(h *checkpointHead) { h.Skipped = -1 }), s, "x"},
		{"more skips than steps", "1 skipped", forged(func(h *checkpointHead) { h.Skipped = 1 }), s, "x"},
		{"negative tail", "-1 in the last tenth", forged(func(h *checkpointHead) { h.TailSteps = -1 }), s, "x"},
		{"settings that are none", "settings", forged(func(h *checkpointHead) { h.Settings = []byte(`[1]`) }), s, "x"},
		{"NaN", "it holds NaN", sealed(append(slices.Clone(whole[:len(whole)-36]), 0, 0, 0xc0, 0x7f)), s, "x"},
		{"endless first line", "not a checkpoint", bytes.Repeat([]byte{' '}, maxCheckpointHead+1), s, "x"},
		{"far too long", "more than", make([]byte, maxCheckpointHead+len(whole)+1), s, "x"},
	} {
		if err := os.WriteFile(path, test.bytes, 0o644); err != nil {
			t.Fatal(err)
		}
		st, err := load(path, &test.set, false, test.data)
		if st != nil || err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error that names the file and %q", test.name, err, test.want)
		}
	}
	for _, steps := range []int{-3, 0, maxSteps + 1} { // a run with a budget takes the number of steps from the file
		if err := os.WriteFile(path, forged(func(h *checkpointHead) { h.Steps = steps }), 0o644); err != nil {
			t.Fatal(err)
		}
		set := s
		if st, err := load(path, &set, true, "x"); st != nil || err == nil || !strings.Contains(err.Error(), "steps is") {
			t.Errorf("a run of %d steps: %v", steps, err)
		}
	}
	if _, err := load(dir, &s, false, "x"); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}

func TestBadSettings(t *testing.T) {
	rt := runtimeFor(t)
	for name, change := range map[string]func(*Settings){
		"D is 0":             func(s *Settings) { s.D = 0 },
		"D is NaN":           func(s *Settings) { s.D = Dimensions(math.NaN()) },
		"batch is 0":         func(s *Settings) { s.Batch = 0 },
		"steps is -1":        func(s *Settings) { s.Steps = -1 },
		"learning rate is":   func(s *Settings) { s.Rate = math.NaN() },
		"label dropout is 2": func(s *Settings) { s.Unlabelled = 2 },
		"heads":              func(s *Settings) { s.Architecture.Heads = 3 },
	} {
		s := small(t, 4, 2, 0)
		change(&s)
		_, err := Run(context.Background(), rt, Job{Settings: s, Train: white(4, 8, 1, 1)})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := small(t, 4, 2, 0)
	if _, err := Run(context.Background(), rt, Job{Settings: s, Train: rows{}}); err == nil {
		t.Error("trained on no examples")
	}
}

// TestDivergence: a run whose loss is not finite gives up with its reason instead of writing a broken model.
func TestDivergence(t *testing.T) {
	s := small(t, 4, 2, 0)
	bad := white(16, 8, 1, 1)
	for _, r := range bad.data {
		r[0] = math.NaN()
	}
	_, err := Run(context.Background(), runtimeFor(t), Job{Settings: s, Train: bad})
	if !errors.Is(err, ErrDiverged) {
		t.Errorf("%v, want ErrDiverged", err)
	}
}

// TestBudget: a budget of time fixes the number of steps, and a resumed run keeps the number.
func TestBudget(t *testing.T) {
	s := small(t, 4, 2, 0)
	path := filepath.Join(t.TempDir(), "b.checkpoint")
	job := Job{Settings: s, Train: white(16, 8, SigmaData, 1), Budget: 300 * time.Millisecond, Checkpoint: path, DataSHA: "x"}
	first, err := Run(context.Background(), runtimeFor(t), job)
	if err != nil {
		t.Fatal(err)
	}
	if first.Settings.Steps < 2 {
		t.Errorf("%d steps within the budget", first.Settings.Steps)
	}
	again, err := Run(context.Background(), runtimeFor(t), job)
	if err != nil {
		t.Fatal(err)
	}
	if again.Settings.Steps != first.Settings.Steps || !slices.Equal(again.Weights, first.Weights) {
		t.Errorf("a finished run, run again, has %d steps, want %d and the same weights", again.Settings.Steps, first.Settings.Steps)
	}
}

func ExampleNewArchitecture() {
	a, err := NewArchitecture("small", []int{110, 5}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Tokens(), "tokens,", a.Size(), "weights")
	// Output: 55 tokens, 707722 weights
}
