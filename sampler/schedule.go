package sampler

import (
	"fmt"
	"math"
)

// A Schedule is the noise levels that a solver visits: positive and strictly decreasing, then 0. A schedule of n steps
// has n+1 entries.
type Schedule []float64

// MaxSteps bounds the steps of a schedule. Hundreds are many; a number beyond it is a slip of the hand or a damaged file,
// and would take the memory before the first sample.
const MaxSteps = 10_000

// Karras returns the EDM schedule (arXiv 2206.00364, equation 5) of the given number of steps: levels from sigmaMax to
// sigmaMin that are evenly spaced in sigma^(1/rho), then 0. Larger rho puts more steps near sigmaMin. One step is
// [sigmaMax, 0]. It needs 1 <= steps <= MaxSteps, 0 < sigmaMin < sigmaMax and rho > 0, all finite.
func Karras(steps int, sigmaMin, sigmaMax, rho float64) (Schedule, error) {
	if steps < 1 || steps > MaxSteps {
		return nil, fmt.Errorf("sampler: schedule: steps is %d, want 1 to %d", steps, MaxSteps)
	}
	if !(sigmaMin > 0) || !(sigmaMax > sigmaMin) || math.IsInf(sigmaMax, 1) {
		return nil, fmt.Errorf("sampler: schedule: sigma range is %g to %g, want 0 < sigma_min < sigma_max", sigmaMin, sigmaMax)
	}
	if !(rho > 0) || math.IsInf(rho, 1) {
		return nil, fmt.Errorf("sampler: schedule: rho is %g, want a positive finite number (7 is usual)", rho)
	}
	s := make(Schedule, steps+1)
	hi, lo := math.Pow(sigmaMax, 1/rho), math.Pow(sigmaMin, 1/rho)
	for i := 1; i < steps-1; i++ {
		s[i] = math.Pow(hi+float64(i)/float64(steps-1)*(lo-hi), rho)
	}
	// The ends are set, not computed, so that no level leaves the range by a rounding error.
	if steps > 1 {
		s[steps-1] = sigmaMin
	}
	s[0] = sigmaMax
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("%w (steps %d, sigma %g to %g, rho %g: fewer steps or a wider range is needed)",
			err, steps, sigmaMin, sigmaMax, rho)
	}
	return s, nil
}

// Steps is the number of steps, one less than the number of levels.
func (s Schedule) Steps() int { return len(s) - 1 }

// Validate reports the first level that breaks the rules of a schedule.
func (s Schedule) Validate() error {
	if len(s) < 2 {
		return fmt.Errorf("sampler: schedule: %d levels, want at least a positive one and 0", len(s))
	}
	for i, v := range s {
		switch {
		case i == len(s)-1 && v != 0:
			return fmt.Errorf("sampler: schedule: last level is %g, want 0", v)
		case i < len(s)-1 && (!(v > 0) || math.IsInf(v, 1)):
			return fmt.Errorf("sampler: schedule: level %d is %g, want a positive finite number", i, v)
		case i > 0 && v >= s[i-1]:
			return fmt.Errorf("sampler: schedule: level %d is %g, not below the %g before it", i, v, s[i-1])
		}
	}
	return nil
}
