package sampler

import (
	"fmt"
	"math"
)

// Prior fills dst with the start of one sample: the kernel around 0 at noise level sigma, sigma*g*sqrt(D/chi2) with one
// chi-square number for all coordinates. len(dst) must be info.Size; Prior panics otherwise. sigma is the sigma_max of
// the schedule that follows; values are already at that scale and must not be multiplied by it again.
//
// The normal numbers are taken from s before the chi-square, so that models that differ in D only start from the same
// directions. When D is +Inf or above 1e4*info.Free the noise is Gaussian and no chi-square is drawn: the total variation
// between the two laws is then below 3e-5.
func Prior(dst []float64, info Info, sigma float64, s *Stream) {
	if len(dst) != info.Size {
		panic(fmt.Sprintf("sampler: prior of %d coordinates into %d", info.Size, len(dst)))
	}
	scale := noise(dst, info.Free, info.D, sigma, s)
	for i := range dst {
		dst[i] *= scale
	}
}

// Perturb draws x from the training kernel around y: dst = y + sigma*g*sqrt(d/chi2), the law of Prior. dst must not
// overlap y and must have its length; Perturb panics on different lengths. sigma >= 0, d > 0 or +Inf.
func Perturb(dst, y []float64, d, sigma float64, s *Stream) {
	if len(dst) != len(y) {
		panic(fmt.Sprintf("sampler: perturb %d coordinates into %d", len(y), len(dst)))
	}
	scale := noise(dst, len(y), d, sigma, s)
	for i := range dst {
		dst[i] = y[i] + scale*dst[i]
	}
}

// noise fills g with standard normal numbers and returns the factor that makes kernel noise of them.
func noise(g []float64, n int, d, sigma float64, s *Stream) float64 {
	s.fillNormal(g)
	if gaussian(n, d) {
		return sigma
	}
	return sigma * math.Sqrt(d/s.ChiSquared(d))
}

// gaussian says whether the kernel in n coordinates is taken to be Gaussian: d is +Inf or above 1e4*n.
func gaussian(n int, d float64) bool { return d > 1e4*float64(n) }
