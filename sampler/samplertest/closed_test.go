package samplertest_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

// grid turns one-dimensional data into points with equal weights: y(p) for p = (i-1/2)/m, the quantiles of the data.
func grid(m int, y func(p float64) float64) [][]float64 {
	out := make([][]float64, m)
	for i := range out {
		out[i] = []float64{y((float64(i) + 0.5) / float64(m))}
	}
	return out
}

// normalGrid is N(mu, s^2) on an even grid of 12 deviations with the density as weight: spectrally accurate.
func normalGrid(m int, mu, s float64) (y [][]float64, w []float64) {
	for i := range m {
		z := -12 + 24*(float64(i)+0.5)/float64(m)
		if p := math.Exp(-z * z / 2); p > 0 {
			y, w = append(y, []float64{mu + s*z}), append(w, p)
		}
	}
	return y, w
}

// Oracle 13: Gaussian data, D = +Inf: Den = (s^2 x + sigma^2 mu)/(s^2+sigma^2), here against the posterior mean of a fine
// grid of points. 1e-12: the trapezoid rule converges beyond rounding for such integrands.
func TestOracle13GaussianData(t *testing.T) {
	y, w := normalGrid(4000, 1.5, 0.5)
	points := samplertest.NewPoints(y, w, inf)
	g := samplertest.NewGaussian([]float64{1.5}, 0.5, inf)
	for _, sigma := range []float64{0.1, 0.5, 2, 80} {
		for _, x := range []float64{-1, 0.3, 1.5, 4} {
			got, want := den(t, g, []float64{x}, sigma)[0], den(t, points, []float64{x}, sigma)[0]
			formula := (0.25*x + sigma*sigma*1.5) / (0.25 + sigma*sigma)
			if math.Abs(got-want) > 1e-12*(1+math.Abs(want)) || math.Abs(got-formula) > 1e-12*(1+math.Abs(want)) {
				t.Errorf("sigma = %g, x = %g: %.15g, grid %.15g, formula %.15g", sigma, x, got, want, formula)
			}
		}
	}
}

// Oracle 14: Gaussian data, finite D, by quadrature over the chi-square. In one dimension against the posterior mean of a
// fine grid of points at 1e-9 (the brief's 4000 quantiles give 1e-4; the rule used here is better), in 16 against
// importance sampling with 4e4 draws at five standard errors.
func TestOracle14GaussianFiniteD(t *testing.T) {
	y, w := normalGrid(4000, 1.5, 0.5)
	for _, d := range []float64{0.5, 1, 3, 8, 64, 2048, 1e6} {
		points := samplertest.NewPoints(y, w, d)
		g := samplertest.NewGaussian([]float64{1.5}, 0.5, d)
		for _, sigma := range []float64{0.1, 0.5, 2, 80} {
			xs := []float64{-1, 0.3, 1.5, 4, 6}
			if sigma > 10 {
				xs = append(xs, 300) // below, the grid does not reach the posterior
			}
			for _, x := range xs {
				got, want := den(t, g, []float64{x}, sigma)[0], den(t, points, []float64{x}, sigma)[0]
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("D = %g, sigma = %g, x = %g: %.12f, grid %.12f", d, sigma, x, got, want)
				}
			}
		}
	}
	const n, sigma, d = 16, 1.0, 8
	mu := make([]float64, n)
	x := normals(12, 1, n, 1)[0]
	data := normals(13, 40000, n, 0.5)
	checkByImportance(t, samplertest.NewGaussian(mu, 0.5, d), data, x, sigma, d)
}

// Oracle 15: Cauchy data, D = 1, any N: Den = (s x + sigma mu)/(s+sigma). In one dimension against the quantiles of the
// data, in 3 and 8 against importance sampling with 1e5 draws at five standard errors.
func TestOracle15CauchyData(t *testing.T) {
	points := samplertest.NewPoints(grid(40000, func(p float64) float64 { return 1.5 + 0.5*math.Tan(math.Pi*(p-0.5)) }), nil, 1)
	c := samplertest.NewCauchy([]float64{1.5}, 0.5)
	for _, sigma := range []float64{0.1, 0.5, 2} {
		for _, x := range []float64{-3, 1.5, 2, 10} {
			got, want := den(t, c, []float64{x}, sigma)[0], den(t, points, []float64{x}, sigma)[0]
			// The integrand y*w(y) tends to a constant in the angle, so the midpoint rule is good to far below 1e-6.
			if math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("sigma = %g, x = %g: %.9f, quantiles %.9f", sigma, x, got, want)
			}
		}
	}
	for _, n := range []int{3, 8} {
		data := make([][]float64, 100000)
		zero := make([]float64, n)
		for i := range data {
			data[i] = make([]float64, n)
			// Cauchy data are kernel noise with one degree of freedom.
			sampler.Perturb(data[i], zero, 1, 0.5, sampler.NewStream(14, int64(i), 0, 256))
		}
		x := normals(15, 1, n, 0.7)[0]
		checkByImportance(t, samplertest.NewCauchy(zero, 0.5), data, x, 0.8, 1)
	}
}

// checkByImportance compares a denoiser with the posterior mean over draws of its data, coordinate by coordinate, within
// five standard errors of the self-normalised estimate. It also bounds those errors, so that the test has power.
func checkByImportance(t *testing.T, d sampler.Denoiser, data [][]float64, x []float64, sigma, dim float64) {
	t.Helper()
	got := den(t, d, x, sigma)
	want := den(t, samplertest.NewPoints(data, nil, dim), x, sigma)
	n := len(x)
	var sum float64
	variance := make([]float64, n)
	kernel := sampler.Kernel{N: n, D: dim, Sigma: sigma}
	top := kernel.LogDensity(0)
	for _, y := range data {
		w := math.Exp(kernel.LogDensity(distance(x, y)) - top)
		sum += w
		for k := range variance {
			variance[k] += w * w * (y[k] - want[k]) * (y[k] - want[k])
		}
	}
	for k := range got {
		se := math.Sqrt(variance[k]) / sum
		if se > 0.02 {
			t.Errorf("N = %d, coordinate %d: standard error %g is too large to tell", n, k, se)
		}
		if math.Abs(got[k]-want[k]) > 5*se {
			t.Errorf("N = %d, coordinate %d: %.5f, importance sampling %.5f with standard error %.2g", n, k, got[k], want[k], se)
		}
	}
}

// Oracle 16: single point: Den = y, whatever D, x and sigma.
func TestOracle16Point(t *testing.T) {
	y := []float64{0.5, -2}
	for _, d := range []float64{0.5, 1, 64, inf} {
		p := samplertest.NewPoint(y, d)
		points := samplertest.NewPoints([][]float64{y}, nil, d)
		for _, sigma := range []float64{1e-3, 1, 80} {
			x := []float64{100, -3}
			if a, b := den(t, p, x, sigma), den(t, points, x, sigma); distance(a, y) != 0 || distance(b, y) != 0 {
				t.Errorf("D = %g, sigma = %g: %v and %v, want %v", d, sigma, a, b, y)
			}
		}
	}
}

// RadialCDF is the distribution of |x-mu| under data plus kernel noise: Kolmogorov distance of 20000 draws. The bound
// 2.2/sqrt(n) has a p-value of 1e-4.
func TestRadialCDF(t *testing.T) {
	const n, draws, sigma = 4, 20000, 1.3
	for _, d := range []float64{3, 64, inf} {
		g := samplertest.NewGaussian(make([]float64, n), 0.5, d)
		y, x := make([]float64, n), make([]float64, n)
		u := make([]float64, draws)
		for i := range u {
			s := sampler.NewStream(16, int64(i), 0, 256)
			for k := range y {
				y[k] = 0.5 * s.NormFloat64()
			}
			sampler.Perturb(x, y, d, sigma, s)
			u[i] = norm(x)
		}
		// The distribution function is costly, so the distance is taken at 99 levels of R.
		for k := 1; k < 100; k++ {
			r := u[k*draws/100]
			below := 0
			for _, v := range u {
				if v <= r {
					below++
				}
			}
			if diff := math.Abs(float64(below)/draws - g.RadialCDF(sigma, r)); diff > 2.2/math.Sqrt(draws) {
				t.Errorf("D = %g: RadialCDF(%g) is off by %g", d, r, diff)
			}
		}
	}
}

// What every denoiser promises: valid Info, rows that do not depend on their neighbours, and the context's error.
func TestConformance(t *testing.T) {
	for name, d := range map[string]sampler.Denoiser{
		"point":          samplertest.NewPoint([]float64{1, 2, 3}, 64),
		"points":         samplertest.NewPoints([][]float64{{1, 2, 3}, {0, 0, 1}}, nil, 3),
		"gaussian":       samplertest.NewGaussian([]float64{1, 2, 3}, 0.5, inf),
		"gaussian D = 8": samplertest.NewGaussian([]float64{1, 2, 3}, 0.5, 8),
		"cauchy":         samplertest.NewCauchy([]float64{1, 2, 3}, 0.5),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := sampler.New(d, sampler.Settings{}); err != nil {
				t.Errorf("Info is refused: %v", err)
			}
			if s := d.Info().SigmaData; !(s > 0) {
				t.Errorf("SigmaData is %g", s)
			}
			x := normals(17, 1, 12, 3)[0]
			all := den(t, d, x, 0.7)
			for row := range 4 {
				if one := den(t, d, x[3*row:3*row+3], 0.7); distance(one, all[3*row:3*row+3]) != 0 {
					t.Errorf("row %d alone is %v, in a batch %v", row, one, all[3*row:3*row+3])
				}
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := d.Denoise(ctx, make([]float64, 3), x[:3], 1, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("error is %v after the context ended", err)
			}
		})
	}
	info := samplertest.NewPoints([][]float64{{1, 1}, {-1, -1}}, nil, 3).Info()
	if math.Abs(info.SigmaData-1) > 1e-15 {
		t.Errorf("SigmaData of points at +-1 is %g, want 1", info.SigmaData)
	}
}

func BenchmarkGaussianFiniteD(b *testing.B) {
	g := samplertest.NewGaussian(make([]float64, 64), 0.5, 8)
	x, dst := make([]float64, 64), make([]float64, 64)
	for b.Loop() {
		if err := g.Denoise(context.Background(), dst, x, 1, nil); err != nil {
			b.Fatal(err)
		}
	}
}
