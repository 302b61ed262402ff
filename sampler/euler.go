package sampler

import "context"

// Euler is the first-order solver; on this equation it is also DDIM and DPM-Solver++ of order 1. NFE is the number of
// steps.
type Euler struct{}

var _ Solver = Euler{}

// Name is "euler".
func (Euler) Name() string { return "euler" }

// NFE is steps.
func (Euler) NFE(steps int) int { return steps }

// Solve implements Solver.
func (Euler) Solve(ctx context.Context, den Denoiser, x []float64, labels []int64, s Schedule) (nfe int, err error) {
	r, err := newRun(den, x, labels, s)
	if err != nil || len(x) == 0 {
		return 0, err
	}
	d := make([]float64, len(x))
	for i := range s.Steps() {
		if err := r.denoise(ctx, d, x, i, i+1); err != nil {
			return r.nfe, err
		}
		// x + (s[i+1]-s[i])*(x-d)/s[i], arranged so that the step to 0 returns d exactly.
		q := s[i+1] / s[i]
		for k := range x {
			x[k] = d[k] + q*(x[k]-d[k])
		}
		if err := r.check(x, i+1); err != nil {
			return r.nfe, err
		}
	}
	return r.nfe, nil
}
