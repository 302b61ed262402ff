package sampler

import "context"

// Heun is the second-order solver of EDM and the default: an Euler step, then the mean of the slopes at both of its
// ends. The last step, to 0, is a plain Euler step. NFE is 2*steps - 1.
type Heun struct{}

var _ Solver = Heun{}

// Name is "heun".
func (Heun) Name() string { return "heun" }

// NFE is 2*steps - 1.
func (Heun) NFE(steps int) int { return 2*steps - 1 }

// Solve implements Solver.
func (Heun) Solve(ctx context.Context, den Denoiser, x []float64, labels []int64, s Schedule) (nfe int, err error) {
	r, err := newRun(den, x, labels, s)
	if err != nil || len(x) == 0 {
		return 0, err
	}
	d := make([]float64, len(x))     // denoised
	slope := make([]float64, len(x)) // at the start of the step
	next := make([]float64, len(x))  // Euler's end of the step
	for i := range s.Steps() {
		if err := r.denoise(ctx, d, x, i, i+1); err != nil {
			return r.nfe, err
		}
		q := s[i+1] / s[i]
		if s[i+1] == 0 {
			copy(x, d)
		} else {
			for k := range x {
				slope[k] = (x[k] - d[k]) / s[i]
				next[k] = d[k] + q*(x[k]-d[k])
			}
			if err := r.denoise(ctx, d, next, i+1, i+1); err != nil {
				return r.nfe, err
			}
			half := (s[i+1] - s[i]) / 2
			for k := range x {
				x[k] += half * (slope[k] + (next[k]-d[k])/s[i+1])
			}
		}
		if err := r.check(x, i+1); err != nil {
			return r.nfe, err
		}
	}
	return r.nfe, nil
}
