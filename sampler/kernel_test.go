package sampler_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"

	"pfgmgen/sampler"
)

var inf = math.Inf(1)

// Oracle 5: log-density goldens at x = (0.3, ..., 0.3), from scipy.stats.multivariate_t.
func TestOracle5LogDensityGolden(t *testing.T) {
	for _, tc := range []struct {
		k         sampler.Kernel
		want, tol float64
	}{
		{sampler.Kernel{N: 3, D: 1, Sigma: 1}, -2.76749357264, 1e-9},
		{sampler.Kernel{N: 5, D: 4, Sigma: 0.5}, -2.08012414773, 1e-9},
		{sampler.Kernel{N: 3072, D: 2048, Sigma: 1}, -2337.91268099, 1e-6}, // terms of size 1e4 cancel
	} {
		if got := tc.k.LogDensity(0.3 * math.Sqrt(float64(tc.k.N))); math.Abs(got-tc.want) > tc.tol {
			t.Errorf("%+v: %.11f, want %.11f", tc.k, got, tc.want)
		}
	}
}

// The density in R, LogDensity plus the area of the sphere, integrates to 1 for every D including the Gaussian limit.
// The substitution R = q*tan(a) puts the heavy tails of small D into a finite interval.
func TestLogDensityIntegratesToOne(t *testing.T) {
	for _, k := range []sampler.Kernel{
		{N: 1, D: 1, Sigma: 1}, {N: 3, D: 1, Sigma: 2}, {N: 2, D: 0.5, Sigma: 1}, {N: 8, D: 4, Sigma: 0.1},
		{N: 64, D: 2048, Sigma: 80}, {N: 3, D: 3e4, Sigma: 1}, {N: 3, D: 1e12, Sigma: 1}, {N: 5, D: inf, Sigma: 0.5},
	} {
		h := float64(k.N) / 2
		lg, _ := math.Lgamma(h)
		logSphere := math.Ln2 + h*math.Log(math.Pi) - lg
		scale := k.RadiusQuantile(0.5)
		f := func(a float64) float64 {
			r := scale * math.Tan(a)
			c := math.Cos(a)
			return math.Exp(logSphere+(2*h-1)*math.Log(r)+k.LogDensity(r)) * scale / (c * c)
		}
		// With 400 nodes the rule is at rounding error where the integrand is smooth. At D = 0.5 it has an integrable pole
		// at pi/2, which costs all but three digits.
		tol := 1e-9
		if k.D < 1 {
			tol = 1e-3
		}
		relative(t, fmt.Sprintf("integral for %+v", k), quad.Fixed(f, 0, math.Pi/2, 400, nil, 0), 1, tol)
	}
}

// Large D joins the Gaussian law without a jump, also where the log-gamma difference changes its form (D = 2e4) and where
// two plain log-gammas would have no digits left (D = 1e14). The expansion in 1/D is by hand, u = R/sigma:
// log p = log p_Gauss + (N(N-2) - 2 N u^2 + u^4)/(4D) + O(1/D^2).
func TestLogDensityLargeD(t *testing.T) {
	const n, sigma = 16, 0.7
	for _, d := range []float64{1e4, 1.9999e4, 2.0001e4, 1e6, 1e9, 1e14, 1e300} {
		for _, r := range []float64{0, 1, 2.8, 5} {
			u := r / sigma
			want := sampler.Kernel{N: n, D: inf, Sigma: sigma}.LogDensity(r) + (n*(n-2)-2*n*u*u+u*u*u*u)/(4*d)
			// The next term is a cubic form in N and u^2 over D^2 with coefficients below 1; 1e-10 is rounding.
			tol := math.Pow((n+u*u)/d, 2)*(n+u*u) + 1e-10
			if got := (sampler.Kernel{N: n, D: d, Sigma: sigma}).LogDensity(r); math.Abs(got-want) > tol {
				t.Errorf("D = %g, r = %g: %.12f, want %.12f within %g", d, r, got, want, tol)
			}
		}
	}
	below, above := sampler.Kernel{N: 500, D: 2e4 * (1 - 1e-12), Sigma: 1}, sampler.Kernel{N: 500, D: 2e4, Sigma: 1}
	// 1e-9: the log-gammas below the switch are of size 1e5 with 1e-16 relative error.
	if d := below.LogDensity(22) - above.LogDensity(22); math.Abs(d) > 1e-9 {
		t.Errorf("jump of %g where the log-gamma difference changes its form", d)
	}
	// Distances whose square overflows still have a density: log p falls by (N+D) for each factor of e.
	k := sampler.Kernel{N: 3, D: 2, Sigma: 1}
	relative(t, "slope of the tail", k.LogDensity(1e200)-k.LogDensity(1e201), 5*math.Ln10, 1e-9)
}

// The golden table of the radius: moments, logarithm and quantiles for three kernels (science brief 1.2, scipy).
func TestRadiusGolden(t *testing.T) {
	for _, tc := range []struct {
		k                     sampler.Kernel
		r1, r2, lnMean, lnVar float64
		quantiles             [3]float64
	}{
		{sampler.Kernel{N: 3072, D: 128, Sigma: 80}, 4459.881049, 19972876.19, 8.400822326, 0.004099739926, [3]float64{3855.694, 4445.149, 5194.795}},
		{sampler.Kernel{N: 3072, D: 2048, Sigma: 80}, 4435.313730, 19680018.77, 8.397150084, 0.0004070732832, [3]float64{4231.575, 4434.291, 4648.083}},
		{sampler.Kernel{N: 16, D: 5, Sigma: 1}, 4.683950988, 26.66666667, 1.460961375, 0.1558736927, [3]float64{1.898868, 4.197474, 12.445182}},
	} {
		name := fmt.Sprintf("%+v: ", tc.k)
		// 1e-9: the goldens have ten digits. 1e-6: the quantiles have seven.
		relative(t, name+"E R", tc.k.RadiusMoment(1), tc.r1, 1e-9)
		relative(t, name+"E R^2", tc.k.RadiusMoment(2), tc.r2, 1e-9)
		mean, variance := tc.k.LogRadius()
		relative(t, name+"E ln R", mean, tc.lnMean, 1e-9)
		relative(t, name+"Var ln R", variance, tc.lnVar, 1e-9)
		for i, p := range []float64{0.01, 0.5, 0.99} {
			relative(t, fmt.Sprintf("%squantile %g", name, p), tc.k.RadiusQuantile(p), tc.quantiles[i], 1e-6)
		}
	}
}

// E R^2 = sigma^2 N D/(D-2), infinite from D = 2 down; the D = +Inf branches are the limits of large D.
func TestRadiusLimits(t *testing.T) {
	relative(t, "second moment", sampler.Kernel{N: 7, D: 3, Sigma: 2}.RadiusMoment(2), 4*7*3, 1e-12)
	if m := (sampler.Kernel{N: 7, D: 2, Sigma: 2}).RadiusMoment(2); !math.IsInf(m, 1) {
		t.Errorf("second moment at D = 2 is %g, want +Inf", m)
	}
	limit, near := sampler.Kernel{N: 9, D: inf, Sigma: 3}, sampler.Kernel{N: 9, D: 1e8, Sigma: 3}
	relative(t, "E R in the limit", near.RadiusMoment(1), limit.RadiusMoment(1), 1e-6) // O(1/D), and log-gammas of 1e9
	m1, v1 := near.LogRadius()
	m2, v2 := limit.LogRadius()
	relative(t, "E ln R in the limit", m1, m2, 1e-7)
	relative(t, "Var ln R in the limit", v1, v2, 1e-6)
	near.D = 1e5
	relative(t, "median in the limit", near.RadiusQuantile(0.5), limit.RadiusQuantile(0.5), 1e-4) // O(1/D)
	// Cauchy in one dimension: P(|x| < sigma tan(pi p/2)) = p.
	relative(t, "quartile of the Cauchy law", sampler.Kernel{N: 1, D: 1, Sigma: 2}.RadiusQuantile(0.5), 2, 1e-10)
}
