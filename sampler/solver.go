package sampler

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// A Solver follows dx/dsigma = (x - Den(x, sigma))/sigma down a schedule.
type Solver interface {
	// Name is the name that SolverByName takes.
	Name() string
	// NFE is the number of evaluations for one sample of a schedule of so many steps.
	NFE(steps int) int
	// Solve moves x, the len(x)/Info().Size samples at level s[0], to level 0 in place, and returns how often it called
	// the denoiser. labels is as for Denoiser.Denoise. The context is looked at before each step.
	// An error names the step and sigma; it is a *StateError (ErrNonFinite) when a sample became NaN or infinite. After
	// an error x holds nothing of use. Solve panics when the length of x or labels is wrong.
	Solve(ctx context.Context, den Denoiser, x []float64, labels []int64, s Schedule) (nfe int, err error)
}

// SolverByName returns the solver of that name: "euler" or "heun".
func SolverByName(name string) (Solver, error) {
	solvers := []Solver{Euler{}, Heun{}}
	names := make([]string, len(solvers))
	for i, s := range solvers {
		if s.Name() == name {
			return s, nil
		}
		names[i] = s.Name()
	}
	return nil, fmt.Errorf("sampler: solver %q is not known, want one of: %s", name, strings.Join(names, ", "))
}

// ErrNonFinite is what errors.Is finds when a sample became NaN or infinite.
var ErrNonFinite = errors.New("state is not finite")

// A StateError says where a sample became NaN or infinite. errors.Is(err, ErrNonFinite) holds for it.
type StateError struct {
	Step  int     // 1-based step after which the value was seen; 0 is the start
	Steps int     // of the schedule
	Sigma float64 // level at which that step began
	Row   int     // index of the sample within the batch
	Coord int     // index of the coordinate within the sample
	Value float64
}

func (e *StateError) Error() string {
	where := fmt.Sprintf("step %d of %d, sigma %g", e.Step, e.Steps, e.Sigma)
	if e.Step == 0 {
		where = fmt.Sprintf("start, sigma %g", e.Sigma)
	}
	return fmt.Sprintf("sampler: %s: sample %d of the batch, coordinate %d is %g: %v", where, e.Row, e.Coord, e.Value, ErrNonFinite)
}

// Unwrap returns ErrNonFinite.
func (e *StateError) Unwrap() error { return ErrNonFinite }

// A run is what every solver keeps: it checks the arguments, counts calls and puts the place into errors.
type run struct {
	den    Denoiser
	size   int
	labels []int64
	s      Schedule
	nfe    int
}

func newRun(den Denoiser, x []float64, labels []int64, s Schedule) (*run, error) {
	size := den.Info().Size
	if size < 1 || len(x)%size != 0 {
		panic(fmt.Sprintf("sampler: state of %d values for samples of %d", len(x), size))
	}
	if labels != nil && len(labels) != len(x)/size {
		panic(fmt.Sprintf("sampler: %d labels for %d samples", len(labels), len(x)/size))
	}
	r := &run{den: den, size: size, labels: labels, s: s}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return r, r.check(x, 0)
}

// denoise evaluates the denoiser at level s[level] as part of the given 1-based step.
func (r *run) denoise(ctx context.Context, dst, x []float64, level, step int) error {
	err := ctx.Err()
	if err == nil {
		r.nfe++
		err = r.den.Denoise(ctx, dst, x, r.s[level], r.labels)
	}
	if err != nil {
		return fmt.Errorf("sampler: step %d of %d, sigma %g: %w", step, r.s.Steps(), r.s[level], err)
	}
	return nil
}

// check reports the first value of x that is not finite.
func (r *run) check(x []float64, step int) error {
	for i, v := range x {
		if v-v != 0 { // NaN for NaN and infinities
			return &StateError{Step: step, Steps: r.s.Steps(), Sigma: r.s[max(step-1, 0)],
				Row: i / r.size, Coord: i % r.size, Value: v}
		}
	}
	return nil
}
