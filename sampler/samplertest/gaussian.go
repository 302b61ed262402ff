package samplertest

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"pfgmgen/sampler"
)

// Gaussian is the denoiser of normal data with mean mu and covariance s^2 I.
//
// For D = +Inf, Den = (s^2 x + sigma^2 mu)/(s^2 + sigma^2), and the flow is
// x(sigma) = mu + (x0-mu)*sqrt((s^2+sigma^2)/(s^2+sigma0^2)).
//
// For finite D the kernel is a mixture of normal laws with variances tau = sigma^2 D/g, g chi-square with D degrees of
// freedom, so Den is the mean of mu + s^2/(s^2+tau) (x-mu) under the posterior of tau. That one integral is done with equal
// weights at the chi-square quantiles (k-1/2)/nodes.
type Gaussian struct {
	Range
	mu   []float64
	s, d float64
	g    []float64 // chi-square quantiles; nil for D = +Inf
}

var _ sampler.Denoiser = (*Gaussian)(nil)

// NewGaussian returns the denoiser of N(mu, s^2 I). nodes is the size of the quadrature for finite d: 4000 gives about
// 1e-4; it is not used for d = +Inf.
func NewGaussian(mu []float64, s, d float64, nodes int) *Gaussian {
	mustD(d)
	if len(mu) == 0 || !(s > 0) || math.IsInf(s, 1) {
		panic(fmt.Sprintf("samplertest: normal data of %d coordinates with deviation %g", len(mu), s))
	}
	q := &Gaussian{Range: edmRange(), mu: append([]float64(nil), mu...), s: s, d: d}
	if math.IsInf(d, 1) {
		return q
	}
	if nodes < 1 {
		panic(fmt.Sprintf("samplertest: quadrature with %d nodes", nodes))
	}
	chi := distuv.ChiSquared{K: d}
	q.g = make([]float64, nodes)
	for k := range q.g {
		q.g[k] = chi.Quantile((float64(k) + 0.5) / float64(nodes))
	}
	return q
}

// Info implements sampler.Denoiser. SigmaData is s.
func (q *Gaussian) Info() sampler.Info { return q.info(len(q.mu), q.d, q.s) }

// Denoise implements sampler.Denoiser.
func (q *Gaussian) Denoise(ctx context.Context, dst, x []float64, sigma float64, _ []int64) error {
	n := len(q.mu)
	checkArgs(dst, x, n, sigma)
	for row := 0; row < len(x); row += n {
		shrink := q.shrink(squaredDistance(x[row:row+n], q.mu), sigma)
		for k, m := range q.mu {
			dst[row+k] = m + shrink*(x[row+k]-m)
		}
	}
	return ctx.Err()
}

// shrink is the factor of x-mu in Den(x, sigma)-mu at |x-mu|^2 = d2.
func (q *Gaussian) shrink(d2, sigma float64) float64 {
	s2 := q.s * q.s
	if q.g == nil {
		return s2 / (s2 + sigma*sigma)
	}
	n := float64(len(q.mu))
	logWeight := func(g float64) (v, l float64) {
		v = s2 + sigma*sigma*q.d/g
		return v, -n/2*math.Log(v) - d2/(2*v)
	}
	// The logarithm of the weight rises up to v = d2/n and falls beyond, so its top over the nodes bounds the sum.
	top := math.Inf(-1)
	for _, g := range q.g {
		_, l := logWeight(g)
		top = math.Max(top, l)
	}
	var sum, mean float64
	for _, g := range q.g {
		v, l := logWeight(g)
		w := math.Exp(l - top)
		sum += w
		mean += w * s2 / v
	}
	return mean / sum
}

// RadialCDF is the probability that a point perturbed to level sigma lies within rho of mu. The flow conserves it: along
// a path, RadialCDF(sigma, |x(sigma)-mu|) stays the same, for every D.
func (q *Gaussian) RadialCDF(sigma, rho float64) float64 {
	chi := distuv.ChiSquared{K: float64(len(q.mu))}
	s2 := q.s * q.s
	if q.g == nil {
		return chi.CDF(rho * rho / (s2 + sigma*sigma))
	}
	var sum float64
	for _, g := range q.g {
		sum += chi.CDF(rho * rho / (s2 + sigma*sigma*q.d/g))
	}
	return sum / float64(len(q.g))
}
