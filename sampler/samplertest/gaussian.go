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
// freedom, so Den is the mean of mu + s^2/(s^2+tau) (x-mu) under the posterior of tau. That one integral is done by the
// trapezoid rule in ln g, which converges faster than any power of the spacing: errors are near rounding as long as x is
// not so far out that e^-60 of the chi-square law decides.
type Gaussian struct {
	Range
	mu   []float64
	s, d float64
	g    []node // nil for D = +Inf
}

// A node is a value of the chi-square number and the logarithm of its weight in the trapezoid rule; weights sum to 1.
type node struct {
	g, logW float64
}

var _ sampler.Denoiser = (*Gaussian)(nil)

// NewGaussian returns the denoiser of N(mu, s^2 I).
func NewGaussian(mu []float64, s, d float64) *Gaussian {
	mustD(d)
	if len(mu) == 0 || !(s > 0) || math.IsInf(s, 1) {
		panic(fmt.Sprintf("samplertest: normal data of %d coordinates with deviation %g", len(mu), s))
	}
	q := &Gaussian{Range: edmRange(), mu: append([]float64(nil), mu...), s: s, d: d}
	if !math.IsInf(d, 1) {
		q.g = chiSquaredNodes(len(mu), d)
	}
	return q
}

// chiSquaredNodes is the trapezoid rule for the chi-square law in t = ln g, whose log-density is D t/2 - e^t/2 but for a
// constant. The range ends where the density is e^-60 of its top. The spacing is half the deviation of the narrowest
// posterior, (2/(N+D))^(1/2), and small against the distance pi/2 to the nearest singularity of the integrand.
func chiSquaredNodes(n int, d float64) []node {
	top := math.Log(d)
	f := func(t float64) float64 { return d/2*(t-top) - d/2*math.Expm1(t-top) }
	h := math.Min(0.25, 0.5*math.Sqrt(2/(float64(n)+d)))
	var nodes []node
	var sum float64
	add := func(t float64) bool {
		l := f(t)
		if l < -60 {
			return false
		}
		nodes = append(nodes, node{g: math.Exp(t), logW: l})
		sum += math.Exp(l)
		return true
	}
	for t := top; add(t); t += h {
	}
	for t := top - h; add(t); t -= h {
	}
	for i := range nodes {
		nodes[i].logW -= math.Log(sum)
	}
	return nodes
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
	// A sum of w_k*f_k over a sum of w_k, with weights relative to the largest so far.
	top, sum, mean := math.Inf(-1), 0.0, 0.0
	for _, k := range q.g {
		v := s2 + sigma*sigma*q.d/k.g
		l := k.logW - float64(len(q.mu))/2*math.Log(v) - d2/(2*v)
		if l > top {
			scale := math.Exp(top - l)
			top, sum, mean = l, sum*scale, mean*scale
		}
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
	var p float64
	for _, k := range q.g {
		p += math.Exp(k.logW) * chi.CDF(rho*rho/(s2+sigma*sigma*q.d/k.g))
	}
	return p
}
