package sampler_test

import (
	"math"
	"slices"
	"testing"
)

// All statistical tests here have fixed seeds, so they pass or fail alike on every run. Limits of 5 standard errors mean
// that a right implementation would fail with a probability of 6e-7 for a seed picked blindly.

// moments returns mean, variance and fourth central moment.
func moments(v []float64) (mean, variance, fourth float64) {
	n := float64(len(v))
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		d := x - mean
		variance += d * d / (n - 1)
		fourth += d * d * d * d / n
	}
	return mean, variance, fourth
}

// within5SE fails the test when got is further from want than five standard errors.
func within5SE(t *testing.T, name string, got, want, se float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 5*se) {
		t.Errorf("%s: %.8g, want %.8g: %.1f standard errors of %.2g away", name, got, want, math.Abs(got-want)/se, se)
	}
}

// checkMeanVariance compares mean and variance of a sample with the true values, with standard errors from the true
// variance and the sample's fourth moment.
func checkMeanVariance(t *testing.T, name string, v []float64, mean, variance float64) {
	t.Helper()
	n := float64(len(v))
	m, s2, m4 := moments(v)
	within5SE(t, name+": mean", m, mean, math.Sqrt(variance/n))
	within5SE(t, name+": variance", s2, variance, math.Sqrt((m4-variance*variance)/n))
}

// kolmogorov returns the p-value of the one-sample Kolmogorov-Smirnov test of v against cdf. It sorts v.
func kolmogorov(v []float64, cdf func(float64) float64) float64 {
	slices.Sort(v)
	n := float64(len(v))
	var d float64
	for i, x := range v {
		f := cdf(x)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	// Asymptotic series with the finite-size term of Stephens (1970).
	l := (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n)) * d
	if l < 0.2 {
		return 1 // to 12 digits; the series converges badly here
	}
	var p float64
	for k := 1; k <= 100; k++ {
		p -= 2 * math.Pow(-1, float64(k)) * math.Exp(-2*float64(k*k)*l*l)
	}
	return min(max(p, 0), 1)
}

// A law that is known to be off by little must be found out, or the tests that use kolmogorov could not fail.
func TestKolmogorovSeesShift(t *testing.T) {
	n := 10000
	v := make([]float64, n)
	for i := range v {
		v[i] = (float64(i) + 0.5) / float64(n)
	}
	uniform := func(x float64) float64 { return x }
	if p := kolmogorov(v, uniform); p < 0.99 {
		t.Errorf("p-value %g for an even grid, want about 1", p)
	}
	if p := kolmogorov(v, func(x float64) float64 { return min(x+0.03, 1) }); p > 1e-4 {
		t.Errorf("p-value %g for a shift of 0.03 at n = %d, want below 1e-4", p, n)
	}
}

// relative fails the test when got differs from want by more than tol of want.
func relative(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Abs(want)) {
		t.Errorf("%s: %.12g, want %.12g within %g relative", name, got, want, tol)
	}
}

func norm(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x * x
	}
	return math.Sqrt(s)
}

func distance(a, b []float64) float64 {
	var s float64
	for i := range a {
		s += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(s)
}

// mustPanic fails the test when f returns.
func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", name)
		}
	}()
	f()
}
