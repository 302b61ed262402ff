package sampler_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"

	"pfgmgen/sampler"
)

// Words and normals of some streams, computed by a separate Python program from the layout that Stream documents.
// They pin what a seed means: a change here changes every data set.
func TestStreamGolden(t *testing.T) {
	for _, tc := range []struct {
		seed    uint64
		index   int64
		attempt int32
		purpose uint16
		words   [4]uint64
		normals [4]float64
	}{
		{7, 0, 0, 0,
			[4]uint64{0xc009f9dcf4607a2d, 0x15edac821d3aba42, 0xcb97bc13682e8e9b, 0xf535eea62bfaff6b},
			[4]float64{0.6510652288674291, 0.3886802390698434, 0.6532465416483484, -0.17714641614230064}},
		{0x0123456789abcdef, 123456789012345, 2, 0,
			[4]uint64{0x6e7881a8db2cb58e, 0x768a774deac2e14a, 0x198afd68a405a8e0, 0x8ed42e4d9ec44946},
			[4]float64{-1.2616946365418802, 0.29829576461755136, -2.006369426187441, -0.7642745215972978}},
		{7, sampler.MaxIndex, math.MaxInt32, math.MaxUint16,
			[4]uint64{0x5a5294477b667cd, 0x941cf4744f592e19, 0x41e6b1870b559ecb, 0x315717a25060fd00},
			[4]float64{-2.432260873414224, -1.3087645003514417, 0.5800491530661028, 1.5419423450734677}},
	} {
		s := sampler.NewStream(tc.seed, tc.index, tc.attempt, tc.purpose)
		for i, want := range tc.words {
			if got := s.Uint64(); got != want {
				t.Errorf("seed %d index %d: word %d is %#x, want %#x", tc.seed, tc.index, i, got, want)
			}
		}
		s = sampler.NewStream(tc.seed, tc.index, tc.attempt, tc.purpose)
		for i, want := range tc.normals {
			// 1e-14: log, sin and cos of two languages may differ in the last bits.
			if got := s.NormFloat64(); math.Abs(got-want) > 1e-14 {
				t.Errorf("seed %d index %d: normal %d is %v, want %v", tc.seed, tc.index, i, got, want)
			}
		}
	}
}

// Every part of the identity must reach the counter: streams that differ in one part share no word.
func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	add := func(seed uint64, index int64, attempt int32, purpose uint16) {
		name := fmt.Sprint(seed, index, attempt, purpose)
		s := sampler.NewStream(seed, index, attempt, purpose)
		for range 64 {
			w := s.Uint64()
			if other, ok := seen[w]; ok {
				t.Errorf("streams %s and %s share a word", name, other)
			}
			seen[w] = name
		}
	}
	add(1, 1, 1, 1)
	for _, bit := range []int{1, 7, 15, 16, 30} {
		add(1|1<<bit, 1, 1, 1)
		add(1, 1|1<<bit, 1, 1)
		add(1, 1, 1|1<<bit, 1)
		if bit < 16 {
			add(1, 1, 1, 1|1<<bit)
		}
	}
	add(1|1<<32, 1, 1, 1)
	add(1|1<<63, 1, 1, 1)
	add(1, 1|1<<32, 1, 1)
	add(1, 1|1<<47, 1, 1)
	add(1, 1, -1, 1)
	mustPanic(t, "negative index", func() { sampler.NewStream(1, -1, 0, 0) })
	mustPanic(t, "large index", func() { sampler.NewStream(1, sampler.MaxIndex+1, 0, 0) })
}

func TestUniformAndNormal(t *testing.T) {
	const n = 200000
	s := sampler.NewStream(11, 0, 0, 0)
	u, g := make([]float64, n), make([]float64, n)
	for i := range u {
		u[i] = s.Float64()
		if u[i] <= 0 || u[i] >= 1 {
			t.Fatalf("uniform number %d is %v, outside the open interval", i, u[i])
		}
	}
	for i := range g {
		g[i] = s.NormFloat64()
	}
	checkMeanVariance(t, "uniform", u, 0.5, 1.0/12)
	checkMeanVariance(t, "normal", g, 0, 1)
	// Both halves of a pair and successive pairs are independent: lag correlations are 0 within 5/sqrt(n).
	for lag := 1; lag <= 3; lag++ {
		var c float64
		for i := lag; i < n; i++ {
			c += g[i] * g[i-lag] / n
		}
		within5SE(t, fmt.Sprintf("normal: lag %d", lag), c, 0, 1/math.Sqrt(n))
	}
	if p := kolmogorov(u, func(x float64) float64 { return x }); p < 1e-4 {
		t.Errorf("uniform: Kolmogorov p-value %g", p)
	}
	if p := kolmogorov(g, distuv.UnitNormal.CDF); p < 1e-4 {
		t.Errorf("normal: Kolmogorov p-value %g", p)
	}
}

// The law of ChiSquared at every branch: tiny D (log space), the shapes around 2, large D and Wilson-Hilferty. ln chi2
// has mean psi(D/2) + ln 2 and variance psi1(D/2).
func TestChiSquaredLaw(t *testing.T) {
	const n = 40000
	for k, d := range []float64{0.2, 0.5, 1, 1.999, 2, 2.5, 5, 64, 2048, 9.9e6, 1e7, 1e12} {
		s := sampler.NewStream(12, int64(k), 0, 0)
		chi, ln := make([]float64, n), make([]float64, n)
		for i := range chi {
			chi[i] = s.ChiSquared(d)
			// The centred form keeps digits at large D, where ln chi2 varies in the 7th.
			ln[i] = math.Log(chi[i] / d)
		}
		name := fmt.Sprintf("D = %g", d)
		checkMeanVariance(t, name, ln, mathext.Digamma(d/2)-math.Log(d/2), mathext.Zeta(2, d/2))
		if d < 1e7 { // gonum's chi-square CDF loses precision beyond
			if p := kolmogorov(chi, distuv.ChiSquared{K: d}.CDF); p < 1e-4 {
				t.Errorf("%s: Kolmogorov p-value %g", name, p)
			}
		}
	}
}

// The guard of ChiSquared: tiny and huge D give numbers from which noise is finite, and D outside (0, Inf) panics.
func TestChiSquaredGuard(t *testing.T) {
	s := sampler.NewStream(13, 0, 0, 0)
	low := 0
	for _, d := range []float64{5e-324, 1e-300, 1e-3, 0.01, 0.1, 1e300, math.MaxFloat64} {
		for range 2000 {
			chi := s.ChiSquared(d)
			if !(chi >= 0x1p-1022) || math.IsInf(chi, 0) {
				t.Fatalf("D = %g: chi2 is %g", d, chi)
			}
			if chi == 0x1p-1022 {
				low++
			}
			if v := 80 * math.Sqrt(d/chi) * 9; math.IsInf(v, 0) || math.IsNaN(v) {
				t.Fatalf("D = %g: noise is %g", d, v)
			}
		}
	}
	if low < 4000 {
		t.Errorf("the guard acted %d times, want nearly always at D = 5e-324 and 1e-300", low)
	}
	// From D = 0.11 on even the smallest uniform number stays clear of the guard: ln U >= -53 ln 2.
	if worst := math.Exp(-53 * math.Ln2 * 2 / 0.11); worst < 0x1p-1022*10 {
		t.Errorf("smallest factor at D = 0.11 is %g", worst)
	}
	for _, d := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1)} {
		mustPanic(t, fmt.Sprintf("D = %g", d), func() { s.ChiSquared(d) })
	}
}

func BenchmarkNormFloat64(b *testing.B) {
	s := sampler.NewStream(1, 0, 0, 0)
	for b.Loop() {
		s.NormFloat64()
	}
}
