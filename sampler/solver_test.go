package sampler_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

var solvers = []sampler.Solver{sampler.Euler{}, sampler.Heun{}}

// A recorder keeps the state at every level of a run: the last x that the denoiser saw there. (Heun looks at a level twice,
// first with the predicted state, then with the corrected one.) It also counts calls.
type recorder struct {
	sampler.Denoiser
	at    map[float64][]float64
	calls int
}

func (r *recorder) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	if r.at == nil {
		r.at = map[float64][]float64{}
	}
	r.at[sigma] = append(r.at[sigma][:0], x...)
	r.calls++
	return r.Denoiser.Denoise(ctx, dst, x, sigma, labels)
}

func karras(t *testing.T, steps int, lo, hi float64) sampler.Schedule {
	t.Helper()
	s, err := sampler.Karras(steps, lo, hi, 7)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// solve runs a solver from x, which is left alone, and returns the end and the record of the way.
func solve(t *testing.T, solver sampler.Solver, den sampler.Denoiser, x []float64, s sampler.Schedule) ([]float64, *recorder) {
	t.Helper()
	r := &recorder{Denoiser: den}
	end := append([]float64(nil), x...)
	if _, err := solver.Solve(context.Background(), r, end, nil, s); err != nil {
		t.Fatal(err)
	}
	return end, r
}

// start draws one sample of the prior.
func start(size int, d, sigma float64, seed uint64) []float64 {
	x := make([]float64, size)
	sampler.Prior(x, sampler.Info{Size: size, Free: size, D: d}, sigma, sampler.NewStream(seed, 0, 0, sampler.PurposePrior))
	return x
}

// Oracle 17: a single point is reached from anywhere, and on the way x = y + (x0-y) sigma/sigma0. Both solvers are exact:
// the limit 1e-12*sigma_max (and |x0|, for the far starts of D = 1) is rounding.
func TestOracle17SinglePoint(t *testing.T) {
	y := []float64{0.5, -0.25, 3}
	for _, solver := range solvers {
		for _, d := range []float64{1, 2.5, 64, inf} {
			for _, steps := range []int{1, 2, 5, 18, 100} {
				s := karras(t, steps, 0.002, 80)
				x0 := start(3, d, 80, 17)
				end, r := solve(t, solver, samplertest.NewPoint(y, d), x0, s)
				name := fmt.Sprintf("%s, D = %g, %d steps", solver.Name(), d, steps)
				if distance(end, y) != 0 {
					t.Errorf("%s: end %v, want %v exactly", name, end, y)
				}
				for _, sigma := range s[:steps] {
					want := make([]float64, 3)
					for k := range want {
						want[k] = y[k] + (x0[k]-y[k])*sigma/80
					}
					if e := distance(r.at[sigma], want); e > 1e-12*(80+norm(x0)) {
						t.Errorf("%s: off by %g at sigma %g", name, e, sigma)
					}
				}
			}
		}
	}
}

// Oracle 18: Cauchy data and D = 1 have the linear flow x = mu + (x0-mu)(s+sigma)/(s+sigma0) in any N, so one step is exact
// to 1e-12 relative. The strongest test of signs and scales. Heun divides the rounding error of x-Den by the lower level of a
// step and multiplies it by the step, so its limit also has an ulp times the largest ratio of levels (40000 in two steps).
func TestOracle18Cauchy(t *testing.T) {
	const s = 0.5
	for _, n := range []int{1, 3, 64} {
		mu := make([]float64, n)
		for i := range mu {
			mu[i] = float64(i) - 1
		}
		for _, solver := range solvers {
			for _, steps := range []int{1, 2, 18} {
				sched := karras(t, steps, 0.002, 80)
				x0 := start(n, 1, 80, 18)
				tol := 1e-12
				if solver.Name() == "heun" && steps > 1 {
					for i := range steps - 1 {
						tol = max(tol, 0x1p-52*sched[i]/sched[i+1])
					}
				}
				end, r := solve(t, solver, samplertest.NewCauchy(mu, s), x0, sched)
				r.at[0] = end
				for _, sigma := range sched {
					want := make([]float64, n)
					for k := range want {
						want[k] = mu[k] + (x0[k]-mu[k])*(s+sigma)/(s+80)
					}
					if e := distance(r.at[sigma], want); e > tol*norm(want) {
						t.Errorf("N = %d, %s, %d steps: off by %g of %g at sigma %g", n, solver.Name(), steps, e, norm(want), sigma)
					}
				}
			}
		}
	}
}

// Oracle 19: Gaussian data, D = +Inf, s = 0.5, from 100: exactly 0.6249877933. Heun on the standard 18 points gives
// 0.6595307963 (golden, 1e-10), and its error falls with the square of the number of steps.
func TestOracle19GaussianFlow(t *testing.T) {
	g := samplertest.NewGaussian([]float64{0}, 0.5, inf)
	exact := 100 * math.Sqrt(0.25/(0.25+80*80))
	if math.Abs(exact-0.6249877933) > 1e-10 {
		t.Errorf("exact end %.10f, want 0.6249877933", exact)
	}
	end := func(solver sampler.Solver, steps int) float64 {
		x, _ := solve(t, solver, g, []float64{100}, karras(t, steps, 0.002, 80))
		return x[0]
	}
	if got := end(sampler.Heun{}, 18); math.Abs(got-0.6595307963) > 1e-10 {
		t.Errorf("Heun, 18 steps: %.10f, want 0.6595307963", got)
	}
	// The last step, from 0.002 to 0, is first order in Heun as well: it leaves 2*(0.002)^2 of the end. The range of steps
	// keeps the error above that.
	for _, tc := range []struct {
		solver sampler.Solver
		order  float64
	}{{sampler.Euler{}, 1}, {sampler.Heun{}, 2}} {
		a, b := math.Abs(end(tc.solver, 100)-exact), math.Abs(end(tc.solver, 400)-exact)
		if order := math.Log(a/b) / math.Log(4); math.Abs(order-tc.order) > 0.1 {
			t.Errorf("%s: order %.3f from 100 to 400 steps, want %g within 0.1", tc.solver.Name(), order, tc.order)
		}
	}
}

// Oracle 20: with isotropic data and finite D the flow conserves radial quantiles: CDF_sigma(|x(sigma)-mu|) stays constant,
// here from 5 to 0.02 in 300 Heun steps. Drift below 1e-3. The flow of D = +Inf from the same start must break this by
// far, or the test would not see D.
func TestOracle20RadialQuantiles(t *testing.T) {
	const steps = 300
	for _, tc := range []struct {
		n int
		d float64
	}{{3, 4}, {16, 8}, {3072, 128}} {
		g := samplertest.NewGaussian(make([]float64, tc.n), 0.5, tc.d)
		gauss := samplertest.NewGaussian(make([]float64, tc.n), 0.5, inf)
		sched := karras(t, steps+1, 0.02, 5) // the level 0.02 is the start of the last step
		kernel := sampler.Kernel{N: tc.n, D: tc.d, Sigma: 5}
		var seen float64
		for _, p := range []float64{0.02, 0.3, 0.7, 0.99} {
			x := make([]float64, tc.n)
			x[0] = kernel.RadiusQuantile(p) // the data widen this by little; any start will do
			_, r := solve(t, sampler.Heun{}, g, x, sched)
			before, after := g.RadialCDF(5, norm(x)), g.RadialCDF(0.02, norm(r.at[0.02]))
			if math.Abs(before-after) > 1e-3 {
				t.Errorf("N = %d, D = %g: quantile %.6f became %.6f", tc.n, tc.d, before, after)
			}
			_, r = solve(t, sampler.Heun{}, gauss, x, sched)
			seen = max(seen, math.Abs(before-g.RadialCDF(0.02, norm(r.at[0.02]))))
		}
		if seen < 0.05 {
			t.Errorf("N = %d, D = %g: the flow of D = inf drifts by %g only: the test does not see D", tc.n, tc.d, seen)
		}
	}
}

// Oracle 21: the flow conserves mass. Two points with weights 0.3 and 0.7, 40000 starts, 200 steps: the share of the second
// is 0.70 within 0.01 (4.4 standard errors) for every D.
func TestOracle21MassConservation(t *testing.T) {
	n, tol := 40000, 0.01
	if raceDetector {
		n, tol = 2000, 0.05 // five standard errors
	}
	y := [][]float64{{-0.5, 0.2}, {0.6, -0.3}}
	for _, d := range []float64{1, 3, 64, inf} {
		t.Run(fmt.Sprintf("D=%g", d), func(t *testing.T) {
			t.Parallel()
			// Euler: at 200 steps its error does not matter for the shares, and it takes half of Heun's time.
			smp, err := sampler.New(samplertest.NewPoints(y, []float64{0.3, 0.7}, d), sampler.Settings{Solver: sampler.Euler{}, Steps: 200})
			if err != nil {
				t.Fatal(err)
			}
			dst, ids := make([]float64, 2*n), make([]sampler.ID, n)
			for i := range ids {
				ids[i].Index = int64(i)
			}
			if _, err := smp.Sample(context.Background(), dst, 21, ids, nil); err != nil {
				t.Fatal(err)
			}
			second := 0
			for i := range n {
				if x := dst[2*i : 2*i+2]; distance(x, y[1]) < distance(x, y[0]) {
					second++
				}
			}
			if share := float64(second) / float64(n); math.Abs(share-0.7) > tol {
				t.Errorf("share of the second point is %.4f, want 0.70 within %g", share, tol)
			}
		})
	}
}

// Oracle 22: the trajectory of Heun on the data of science brief 6.2 with D = 64 and five Karras points, 1e-8.
func TestOracle22GoldenTrajectory(t *testing.T) {
	den := samplertest.NewPoints([][]float64{{0, 0}, {1, 0}, {0, 2}}, nil, 64)
	s := karras(t, 5, 0.002, 80)
	end, r := solve(t, sampler.Heun{}, den, []float64{30, -50}, s)
	r.at[0] = end
	for i, want := range [][]float64{{6.853740963, -10.49368514}, {1.516317244, -1.652832559}, {2.062854921, -2.082910842},
		{1.012847257, -0.02454052455}, {1, 0}} {
		if got := r.at[s[i+1]]; distance(got, want) > 1e-8 {
			t.Errorf("after step %d: %.9f, want %.9f", i+1, got, want)
		}
	}
}

// Oracle 24 for the solvers that exist: the observed order from 40 to 160 steps on a six-point mixture with D = 8, sigma 6 to
// 0.35, against Heun with 5000 steps.
func TestOracle24Order(t *testing.T) {
	const n, rows = 3, 8
	s := sampler.NewStream(24, 0, 0, 256)
	y := make([][]float64, 6)
	for i := range y {
		y[i] = []float64{s.NormFloat64(), s.NormFloat64(), s.NormFloat64()}
	}
	den := samplertest.NewPoints(y, nil, 8)
	x := make([]float64, n*rows)
	sampler.Perturb(x, make([]float64, n*rows), inf, 6, s)
	state := func(solver sampler.Solver, steps int) []float64 {
		_, r := solve(t, solver, den, x, karras(t, steps+1, 0.35, 6))
		return r.at[0.35]
	}
	want := state(sampler.Heun{}, 5000)
	for _, tc := range []struct {
		solver sampler.Solver
		lo, hi float64
	}{{sampler.Euler{}, 0.9, 1.1}, {sampler.Heun{}, 1.9, 2.1}} {
		order := math.Log(distance(state(tc.solver, 40), want)/distance(state(tc.solver, 160), want)) / math.Log(4)
		if order < tc.lo || order > tc.hi {
			t.Errorf("%s: order %.3f, want %g..%g", tc.solver.Name(), order, tc.lo, tc.hi)
		}
	}
}

// Oracle 26: what a solver says it costs is what it returns and what the denoiser sees.
func TestOracle26NFE(t *testing.T) {
	den := samplertest.NewPoint([]float64{1}, 64)
	for _, steps := range []int{1, 2, 18, 40} {
		for _, tc := range []struct {
			solver sampler.Solver
			want   int
		}{{sampler.Euler{}, steps}, {sampler.Heun{}, 2*steps - 1}} {
			r := &recorder{Denoiser: den}
			got, err := tc.solver.Solve(context.Background(), r, []float64{3, 4}, nil, karras(t, steps, 0.002, 80))
			if err != nil || got != tc.want || r.calls != tc.want || tc.solver.NFE(steps) != tc.want {
				t.Errorf("%s, %d steps: returned %d (%v), saw %d, NFE says %d, want %d",
					tc.solver.Name(), steps, got, err, r.calls, tc.solver.NFE(steps), tc.want)
			}
		}
	}
}

// rounded is a network that takes and returns float32.
type rounded struct{ sampler.Denoiser }

func (r rounded) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(float32(v))
	}
	err := r.Denoiser.Denoise(ctx, dst, y, float64(float32(sigma)), labels)
	for i, v := range dst {
		dst[i] = float64(float32(v))
	}
	return err
}

// Oracle 27: rounding x, sigma and Den to float32 at each call moves the end by less than 1e-6 for point data of RMS 0.5 and 18
// steps, bar starts on the boundary between two basins. The float64 state is what makes that so. With 500 starts and
// D = 64 a boundary start has not been seen; none is allowed for.
func TestOracle27Float32Network(t *testing.T) {
	const n, rows = 8, 500
	s := sampler.NewStream(27, 0, 0, 256)
	y := make([][]float64, 6)
	for i := range y {
		y[i] = make([]float64, n)
		for k := range y[i] {
			y[i][k] = 0.5 * s.NormFloat64()
		}
	}
	den := samplertest.NewPoints(y, nil, 64)
	x := make([]float64, n*rows)
	for i := range rows {
		sampler.Prior(x[i*n:(i+1)*n], den.Info(), 80, sampler.NewStream(27, int64(i), 0, sampler.PurposePrior))
	}
	sched := karras(t, 18, 0.002, 80)
	exact, _ := solve(t, sampler.Heun{}, den, x, sched)
	single, _ := solve(t, sampler.Heun{}, rounded{den}, x, sched)
	var worst float64
	for i := range exact {
		worst = max(worst, math.Abs(exact[i]-single[i]))
	}
	if worst > 1e-6 {
		t.Errorf("float32 network moves an end by %g, want below 1e-6", worst)
	}
	if worst == 0 {
		t.Error("float32 rounding left no trace: the network was not rounded")
	}
}

func BenchmarkHeun(b *testing.B) {
	const n, rows = 384, 64
	den := samplertest.NewGaussian(make([]float64, n), 0.5, inf)
	s, err := sampler.Karras(18, 0.002, 80, 7)
	if err != nil {
		b.Fatal(err)
	}
	x, x0 := make([]float64, n*rows), make([]float64, n*rows)
	sampler.Perturb(x0, make([]float64, n*rows), inf, 80, sampler.NewStream(1, 0, 0, 256))
	b.SetBytes(8 * n * rows)
	b.ReportAllocs()
	for b.Loop() {
		copy(x, x0)
		if _, err := (sampler.Heun{}).Solve(context.Background(), den, x, nil, s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "samples/s")
}
