package samplertest

import (
	"context"
	"fmt"
	"math"

	"pfgmgen/sampler"
)

// Cauchy is the denoiser of multivariate Cauchy data (Student-t with one degree of freedom) with centre mu and scale s,
// for D = 1 and any N: Den = (s x + sigma mu)/(s + sigma). The data are what a single charge at distance s behind them
// would give, which makes the flow linear: x(sigma) = mu + (x0-mu)*(s+sigma)/(s+sigma0), so that one Euler step is exact.
type Cauchy struct {
	Range
	mu []float64
	s  float64
}

var _ sampler.Denoiser = (*Cauchy)(nil)

// NewCauchy returns the denoiser of Cauchy data with centre mu and scale s > 0.
func NewCauchy(mu []float64, s float64) *Cauchy {
	if len(mu) == 0 || !(s > 0) || math.IsInf(s, 1) {
		panic(fmt.Sprintf("samplertest: Cauchy data of %d coordinates with scale %g", len(mu), s))
	}
	return &Cauchy{Range: edmRange(), mu: append([]float64(nil), mu...), s: s}
}

// Info implements sampler.Denoiser. The data have no standard deviation; SigmaData is s.
func (c *Cauchy) Info() sampler.Info { return c.info(len(c.mu), 1, c.s) }

// Denoise implements sampler.Denoiser.
func (c *Cauchy) Denoise(ctx context.Context, dst, x []float64, sigma float64, _ []int64) error {
	n := len(c.mu)
	checkArgs(dst, x, n, sigma)
	for i := range x {
		dst[i] = (c.s*x[i] + sigma*c.mu[i%n]) / (c.s + sigma)
	}
	return ctx.Err()
}
