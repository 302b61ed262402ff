// Package samplertest has denoisers whose answer is known exactly, for tests of samplers and of everything built on them.
//
//	Point     one data point, any D: Den = y
//	Points    a finite set of weighted points, any D; optionally with classes
//	Gaussian  normal data: closed form for D = +Inf, quadrature for finite D
//	Cauchy    multivariate Cauchy data, D = 1: closed form
//
// Each is the posterior mean E[y | x] under the PFGM++ kernel of package sampler (science: arXiv 2302.04265), computed in
// float64 and independent of package sampler's own formulas. All implement sampler.Denoiser, are safe for concurrent use,
// treat every row by itself, and look at the context once a call. Their noise range is EDM's 0.002 to 80 unless the Range
// fields are changed before first use.
//
// Panics: the constructors panic on empty or ragged data, weights that are not positive, and D that is not positive.
package samplertest

import (
	"fmt"
	"math"

	"pfgmgen/sampler"
)

// A Range is the noise levels that a denoiser claims to be trained for.
type Range struct {
	SigmaMin, SigmaMax float64
}

// edmRange is the range of the EDM models.
func edmRange() Range { return Range{SigmaMin: 0.002, SigmaMax: 80} }

func (r Range) info(size int, d, sigmaData float64) sampler.Info {
	return sampler.Info{Size: size, Free: size, D: d, SigmaMin: r.SigmaMin, SigmaMax: r.SigmaMax, SigmaData: sigmaData}
}

// checkArgs panics on arguments that break the rules of sampler.Denoiser.
func checkArgs(dst, x []float64, size int, sigma float64) {
	if len(dst) != len(x) || len(x)%size != 0 {
		panic(fmt.Sprintf("samplertest: %d values into %d for samples of %d", len(x), len(dst), size))
	}
	if !(sigma > 0) || math.IsInf(sigma, 1) {
		panic(fmt.Sprintf("samplertest: sigma is %g, want a positive finite number", sigma))
	}
}

func mustD(d float64) {
	if err := sampler.ValidateD(d); err != nil {
		panic("samplertest: " + err.Error())
	}
}

// squaredDistance is |a-b|^2.
func squaredDistance(a, b []float64) float64 {
	var s float64
	for i := range a {
		s += (a[i] - b[i]) * (a[i] - b[i])
	}
	return s
}
