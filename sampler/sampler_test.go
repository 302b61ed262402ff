package sampler_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

// classes is a labelled denoiser of three coordinates with two classes.
func classes(d float64) *samplertest.Points {
	return samplertest.NewClasses([][]float64{{1, 0, 0}, {0, 2, 0}, {0, 0, -1}, {-1, 1, 1}}, nil, []int64{0, 0, 1, 1}, 2, d)
}

func mustNew(t *testing.T, den sampler.Denoiser, s sampler.Settings) *sampler.Sampler {
	t.Helper()
	smp, err := sampler.New(den, s)
	if err != nil {
		t.Fatal(err)
	}
	return smp
}

// Oracle 6, the seed contract: sample k is the same bit for bit in batches of 1, 7 and 64, in permuted order, and with
// 1, 2 and 8 workers.
func TestOracle6SeedContract(t *testing.T) {
	const n, size, seed = 150, 3, 77
	for _, d := range []float64{3, 64, inf} {
		smp := mustNew(t, classes(d), sampler.Settings{Guidance: 1.5})
		ids, labels := make([]sampler.ID, n), make([]int64, n)
		for i := range ids {
			ids[i] = sampler.ID{Index: int64(i) * 1e9, Attempt: int32(i % 3)}
			labels[i] = int64(i % 3)
		}
		// draw makes all samples in the given order, in batches, on workers, and puts them back in their place.
		draw := func(batch, workers int, order []int) []float64 {
			out := make([]float64, n*size)
			chunks := make(chan []int)
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for chunk := range chunks {
						some, label := make([]sampler.ID, len(chunk)), make([]int64, len(chunk))
						for k, i := range chunk {
							some[k], label[k] = ids[i], labels[i]
						}
						dst := make([]float64, len(chunk)*size)
						if _, err := smp.Sample(context.Background(), dst, seed, some, label); err != nil {
							t.Error(err)
						}
						for k, i := range chunk {
							copy(out[i*size:(i+1)*size], dst[k*size:])
						}
					}
				})
			}
			for at := 0; at < n; at += batch {
				chunks <- order[at:min(at+batch, n)]
			}
			close(chunks)
			wg.Wait()
			return out
		}
		inOrder := make([]int, n)
		for i := range inOrder {
			inOrder[i] = i
		}
		permuted := rand.New(sampler.NewStream(1, 0, 0, 256)).Perm(n)
		want := draw(1, 1, inOrder)
		for _, tc := range []struct {
			batch, workers int
			order          []int
		}{{7, 1, inOrder}, {64, 1, inOrder}, {n, 1, inOrder}, {1, 1, permuted}, {7, 1, permuted}, {64, 1, permuted}, {7, 2, inOrder}, {1, 8, permuted}, {64, 8, inOrder}} {
			got := draw(tc.batch, tc.workers, tc.order)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("D = %g, batch %d, %d workers: coordinate %d of sample %d is %v, want %v",
						d, tc.batch, tc.workers, i%size, i/size, got[i], want[i])
				}
			}
		}
	}
}

// Seed, index and attempt each make another sample; the label reaches the denoiser.
func TestSampleIdentity(t *testing.T) {
	smp := mustNew(t, samplertest.NewGaussian(make([]float64, 4), 0.5, 64), sampler.Settings{Steps: 4})
	draw := func(seed uint64, id sampler.ID) [4]float64 {
		var x [4]float64
		if _, err := smp.Sample(context.Background(), x[:], seed, []sampler.ID{id}, nil); err != nil {
			t.Fatal(err)
		}
		return x
	}
	seen := map[[4]float64]bool{}
	for _, x := range [][4]float64{draw(1, sampler.ID{}), draw(2, sampler.ID{}), draw(1, sampler.ID{Index: 1}), draw(1, sampler.ID{Attempt: 1}),
		draw(1, sampler.ID{Index: sampler.MaxIndex, Attempt: math.MaxInt32})} {
		if seen[x] {
			t.Errorf("sample %v came up twice", x)
		}
		seen[x] = true
	}
	conditional := mustNew(t, classes(64), sampler.Settings{})
	for label, points := range [][]int{{0, 1}, {2, 3}} {
		dst := make([]float64, 3*20)
		ids, labels := make([]sampler.ID, 20), make([]int64, 20)
		for i := range ids {
			ids[i].Index, labels[i] = int64(i), int64(label)
		}
		if _, err := conditional.Sample(context.Background(), dst, 1, ids, labels); err != nil {
			t.Fatal(err)
		}
		all := [][]float64{{1, 0, 0}, {0, 2, 0}, {0, 0, -1}, {-1, 1, 1}}
		for i := range ids {
			x := dst[3*i : 3*i+3]
			if min(distance(x, all[points[0]]), distance(x, all[points[1]])) > 1e-6 {
				t.Errorf("label %d: sample %d is %v, none of the class", label, i, x)
			}
		}
	}
}

func TestNewDefaults(t *testing.T) {
	smp := mustNew(t, samplertest.NewPoint([]float64{1, 2}, 64), sampler.Settings{})
	want := sampler.Settings{Solver: sampler.Heun{}, Steps: 18, SigmaMin: 0.002, SigmaMax: 80, Rho: 7, Guidance: 1}
	if got := smp.Settings(); !reflect.DeepEqual(got, want) {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	if smp.NFE() != 35 || smp.Info().Size != 2 {
		t.Errorf("NFE %d and size %d, want 35 and 2", smp.NFE(), smp.Info().Size)
	}
	s := smp.Schedule()
	s[0] = -1
	if smp.Schedule()[0] != 80 {
		t.Error("Schedule gives away the sampler's own levels")
	}
	// Every setting that is given stands.
	set := sampler.Settings{Solver: sampler.Euler{}, Steps: 7, SigmaMin: 0.01, SigmaMax: 40, Rho: 3, Guidance: 2.5}
	smp = mustNew(t, classes(64), set)
	if got := smp.Settings(); !reflect.DeepEqual(got, set) || smp.NFE() != 14 {
		t.Errorf("settings %+v, NFE %d, want %+v and 14 (guidance doubles)", got, smp.NFE(), set)
	}
}

// withInfo changes what a denoiser says about itself.
type withInfo struct {
	sampler.Denoiser
	info sampler.Info
}

func (w withInfo) Info() sampler.Info { return w.info }

func TestNewRefuses(t *testing.T) {
	den := samplertest.NewPoint([]float64{1, 2}, 64)
	for _, tc := range []struct {
		set  sampler.Settings
		says string
	}{
		{sampler.Settings{Steps: -1}, "steps is -1"},
		{sampler.Settings{SigmaMax: 81}, "trained for 0.002 to 80"},
		{sampler.Settings{SigmaMin: 0.001}, "trained for 0.002 to 80"},
		{sampler.Settings{SigmaMin: 90}, "sigma range"},
		{sampler.Settings{SigmaMin: -1}, "sigma range"},
		{sampler.Settings{SigmaMax: math.NaN()}, "sigma range"},
		{sampler.Settings{Rho: -1}, "rho is -1"},
		{sampler.Settings{Guidance: 2}, "no labels"},
		{sampler.Settings{Guidance: -1}, "guidance is -1"},
		{sampler.Settings{Guidance: math.NaN()}, "guidance is NaN"},
		{sampler.Settings{Guidance: inf}, "guidance is +Inf"},
	} {
		if _, err := sampler.New(den, tc.set); err == nil || !strings.Contains(err.Error(), tc.says) || !strings.HasPrefix(err.Error(), "sampler: ") {
			t.Errorf("%+v: error %v, want one that says %q", tc.set, err, tc.says)
		}
	}
	for _, change := range []func(*sampler.Info){
		func(i *sampler.Info) { i.Size = 0 },
		func(i *sampler.Info) { i.Free = 0 },
		func(i *sampler.Info) { i.Free = 3 },
		func(i *sampler.Info) { i.D = 0 },
		func(i *sampler.Info) { i.D = math.NaN() },
		func(i *sampler.Info) { i.SigmaMin = 0 },
		func(i *sampler.Info) { i.SigmaMin = 80 },
		func(i *sampler.Info) { i.SigmaMax = inf },
		func(i *sampler.Info) { i.Classes = -1 },
	} {
		info := den.Info()
		change(&info)
		if _, err := sampler.New(withInfo{den, info}, sampler.Settings{}); err == nil {
			t.Errorf("a model with %+v is taken", info)
		}
	}
}

func TestSampleRefuses(t *testing.T) {
	ctx := context.Background()
	plain, labelled := mustNew(t, samplertest.NewPoint([]float64{1}, 64), sampler.Settings{}), mustNew(t, classes(64), sampler.Settings{})
	for _, tc := range []struct {
		smp    *sampler.Sampler
		id     sampler.ID
		labels []int64
		says   string
	}{
		{plain, sampler.ID{}, []int64{0}, "unconditional"},
		{labelled, sampler.ID{}, []int64{3}, "label of sample 0 is 3"},
		{labelled, sampler.ID{}, []int64{-1}, "label of sample 0 is -1"},
		{plain, sampler.ID{Index: -1}, nil, "index -1"},
		{plain, sampler.ID{Index: sampler.MaxIndex + 1}, nil, "want an index in"},
		{plain, sampler.ID{Attempt: -1}, nil, "attempt -1"},
	} {
		nfe, err := tc.smp.Sample(ctx, make([]float64, tc.smp.Info().Size), 1, []sampler.ID{tc.id}, tc.labels)
		if err == nil || nfe != 0 || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("id %+v, labels %v: nfe %d, error %v, want one that says %q", tc.id, tc.labels, nfe, err, tc.says)
		}
	}
	if nfe, err := plain.Sample(ctx, nil, 1, nil, nil); err != nil || nfe != 0 {
		t.Errorf("no samples: nfe %d, error %v, want none", nfe, err)
	}
	mustPanic(t, "short dst", func() { _, _ = plain.Sample(ctx, nil, 1, make([]sampler.ID, 1), nil) })
	mustPanic(t, "short labels", func() { _, _ = labelled.Sample(ctx, make([]float64, 3), 1, make([]sampler.ID, 1), []int64{}) })
	mustPanic(t, "ragged state", func() {
		_, _ = sampler.Heun{}.Solve(ctx, classes(64), make([]float64, 4), nil, sampler.Schedule{1, 0})
	})
	mustPanic(t, "labels of another batch", func() {
		_, _ = sampler.Heun{}.Solve(ctx, classes(64), make([]float64, 3), make([]int64, 2), sampler.Schedule{1, 0})
	})
}

// breaking is a denoiser that goes wrong at a level: it writes value to coordinate coord, or returns err.
type breaking struct {
	sampler.Denoiser
	sigma float64
	coord int
	value float64
	err   error
}

func (b breaking) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	if err := b.Denoiser.Denoise(ctx, dst, x, sigma, labels); err != nil {
		return err
	}
	if sigma > b.sigma {
		return nil
	}
	dst[b.coord] = b.value
	return b.err
}

// A NaN or an infinity stops the run at the step it came from, named with sigma, row, coordinate and the sample's identity.
func TestNonFinite(t *testing.T) {
	ids := []sampler.ID{{Index: 10}, {Index: 11, Attempt: 4}, {Index: 12}}
	for _, solver := range solvers {
		for _, value := range []float64{math.NaN(), inf, -inf} {
			den := breaking{samplertest.NewPoint([]float64{1, 2}, 64), 1, 3, value, nil}
			smp := mustNew(t, den, sampler.Settings{Solver: solver})
			_, err := smp.Sample(context.Background(), make([]float64, 6), 9, ids, nil)
			if !errors.Is(err, sampler.ErrNonFinite) {
				t.Fatalf("%s, %g: error %v, want ErrNonFinite", solver.Name(), value, err)
			}
			var state *sampler.StateError
			if !errors.As(err, &state) || state.Row != 1 || state.Coord != 1 || state.Steps != 18 {
				t.Errorf("%s, %g: %+v, want row 1, coordinate 1 of 18 steps", solver.Name(), value, state)
			}
			// Level 11 of the schedule, 0.585, is the first below 1. Euler meets it in step 12; Heun's step 11 already ends there.
			want := map[string]int{"euler": 12, "heun": 11}[solver.Name()]
			if state.Step != want || state.Sigma != smp.Schedule()[want-1] {
				t.Errorf("%s, %g: step %d, sigma %g, want step %d", solver.Name(), value, state.Step, state.Sigma, want)
			}
			for _, part := range []string{"step ", "of 18", "sigma ", "sample 1 of the batch", "seed 9", "sample index 11", "attempt 4"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not say %q", err, part)
				}
			}
		}
		// A start that is not finite is found before any evaluation.
		nfe, err := solver.Solve(context.Background(), classes(64), []float64{0, 0, 0, 0, math.NaN(), 0}, nil, sampler.Schedule{80, 1, 0})
		if !errors.Is(err, sampler.ErrNonFinite) || nfe != 0 || !strings.Contains(err.Error(), "start, sigma 80: sample 1 of the batch, coordinate 1") {
			t.Errorf("%s: nfe %d, error %v for a start of NaN", solver.Name(), nfe, err)
		}
		if _, err := solver.Solve(context.Background(), classes(64), make([]float64, 3), nil, sampler.Schedule{1, 2}); err == nil {
			t.Errorf("%s takes a rising schedule", solver.Name())
		}
	}
}

// A denoiser's own error comes through, with the step and the level.
func TestDenoiserError(t *testing.T) {
	broken := errors.New("device lost")
	for _, solver := range solvers {
		smp := mustNew(t, breaking{samplertest.NewPoint([]float64{1}, 64), 1, 0, 0, broken}, sampler.Settings{Solver: solver})
		nfe, err := smp.Sample(context.Background(), make([]float64, 1), 1, make([]sampler.ID, 1), nil)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "sigma 0.58") || nfe == 0 {
			t.Errorf("%s: nfe %d, error %v", solver.Name(), nfe, err)
		}
	}
}

// stopping ends the context in its k-th call without looking at it, as a network that has just finished would.
type stopping struct {
	sampler.Denoiser
	after  int
	calls  *int
	cancel func()
}

func (s stopping) Denoise(_ context.Context, dst, x []float64, sigma float64, labels []int64) error {
	if *s.calls++; *s.calls == s.after {
		s.cancel()
	}
	return s.Denoiser.Denoise(context.Background(), dst, x, sigma, labels)
}

// After the context ends no further evaluation starts.
func TestContext(t *testing.T) {
	for _, solver := range solvers {
		for _, after := range []int{0, 1, 2, 5} {
			ctx, cancel := context.WithCancel(context.Background())
			if after == 0 {
				cancel()
			}
			calls := 0
			smp := mustNew(t, stopping{samplertest.NewPoint([]float64{1}, 64), after, &calls, cancel}, sampler.Settings{Solver: solver})
			nfe, err := smp.Sample(ctx, make([]float64, 1), 1, make([]sampler.ID, 1), nil)
			if !errors.Is(err, context.Canceled) || calls != after || nfe != after {
				t.Errorf("%s: %d calls, nfe %d, error %v, want %d calls and Canceled", solver.Name(), calls, nfe, err, after)
			}
			cancel()
		}
	}
}

func TestGuided(t *testing.T) {
	den := classes(8)
	x := []float64{0.5, 0.3, 0.1, 0.5, 0.3, 0.1, 0.5, 0.3, 0.1}
	labels := []int64{0, 1, 2}
	eval := func(d sampler.Denoiser, labels []int64) []float64 {
		dst := make([]float64, len(x))
		if err := d.Denoise(context.Background(), dst, x, 1.2, labels); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	cond, uncond := eval(den, labels), eval(den, nil)
	for _, w := range []float64{0, 0.5, 1, 2, 7} {
		r := &recorder{Denoiser: den}
		g, err := sampler.Guided(r, w)
		if err != nil {
			t.Fatal(err)
		}
		got := eval(g, labels)
		for i := range got {
			if want := uncond[i] + w*(cond[i]-uncond[i]); math.Abs(got[i]-want) > 1e-15*(1+w) {
				t.Errorf("w = %g: coordinate %d is %g, want %g", w, i, got[i], want)
			}
		}
		calls := map[float64]int{0: 1, 1: 1}[w]
		if calls == 0 {
			calls = 2
		}
		if r.calls != calls {
			t.Errorf("w = %g: %d evaluations, want %d", w, r.calls, calls)
		}
		if d := distance(eval(g, nil), uncond); d != 0 {
			t.Errorf("w = %g: without labels off by %g", w, d)
		}
		if g.Info() != den.Info() {
			t.Errorf("w = %g: Info changed", w)
		}
	}
	if g, err := sampler.Guided(den, 1); err != nil || g != sampler.Denoiser(den) {
		t.Errorf("w = 1 gives %v, %v, want the denoiser itself", g, err)
	}
	if _, err := sampler.Guided(samplertest.NewPoint([]float64{1}, 1), 2); err == nil {
		t.Error("guidance is taken for a model without labels")
	}
	failing, err := sampler.Guided(breaking{den, 10, 0, 0, context.DeadlineExceeded}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := failing.Denoise(context.Background(), make([]float64, 3), x[:3], 1, labels[:1]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want the denoiser's", err)
	}
	// A sampler counts both evaluations, and one when there is nothing to guide.
	smp := mustNew(t, den, sampler.Settings{Guidance: 2})
	for _, tc := range []struct {
		labels []int64
		want   int
	}{{labels, 70}, {nil, 35}} {
		if nfe, err := smp.Sample(context.Background(), make([]float64, 9), 1, make([]sampler.ID, 3), tc.labels); err != nil || nfe != tc.want {
			t.Errorf("labels %v: nfe %d (%v), want %d", tc.labels, nfe, err, tc.want)
		}
	}
}

func TestSolverByName(t *testing.T) {
	for _, want := range solvers {
		if got, err := sampler.SolverByName(want.Name()); err != nil || got != want {
			t.Errorf("%q gives %v, %v", want.Name(), got, err)
		}
	}
	if _, err := sampler.SolverByName("rk4"); err == nil || !strings.Contains(err.Error(), `"rk4"`) || !strings.Contains(err.Error(), "euler, heun") {
		t.Errorf("error %v, want one that names rk4 and lists the solvers", err)
	}
}
