package sampler

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// Defaults of Settings.
const (
	DefaultSteps    = 18
	DefaultRho      = 7
	DefaultGuidance = 1
)

// Settings say how samples are drawn. A field that is zero takes its default.
type Settings struct {
	Solver   Solver  // Heun{}
	Steps    int     // 18
	SigmaMin float64 // last positive level; the denoiser's SigmaMin
	SigmaMax float64 // level of the start; the denoiser's SigmaMax
	Rho      float64 // 7
	Guidance float64 // weight of classifier-free guidance, see Guided; 1
	// Mask sets to 0 the coordinates of the start x that a sample does not have (MaskZeros); what the sample's size
	// depends on is drawn from r. label is its class, -1 for none. nil leaves everything. It is called concurrently.
	Mask func(x []float64, label int, r *rand.Rand)
}

// An ID names a sample of a run: its index, 0..MaxIndex, and how many times a sample of that index was thrown away
// before.
type ID struct {
	Index   int64
	Attempt int32
}

// A Sampler draws samples from one denoiser with one set of settings. It is safe for concurrent use.
type Sampler struct {
	den      Denoiser
	info     Info
	set      Settings
	schedule Schedule
}

// New checks the settings against the denoiser and returns a sampler. Noise levels outside the range that the denoiser
// was trained for are an error, as are fewer than one step and guidance without labels.
func New(den Denoiser, s Settings) (*Sampler, error) {
	info := den.Info()
	if err := info.validate(); err != nil {
		return nil, err
	}
	if s.Solver == nil {
		s.Solver = Heun{}
	}
	if s.Steps == 0 {
		s.Steps = DefaultSteps
	}
	s.SigmaMin = orDefault(s.SigmaMin, info.SigmaMin)
	s.SigmaMax = orDefault(s.SigmaMax, info.SigmaMax)
	s.Rho = orDefault(s.Rho, DefaultRho)
	s.Guidance = orDefault(s.Guidance, DefaultGuidance)
	schedule, err := Karras(s.Steps, s.SigmaMin, s.SigmaMax, s.Rho)
	if err != nil {
		return nil, err
	}
	if s.SigmaMin < info.SigmaMin || s.SigmaMax > info.SigmaMax {
		return nil, fmt.Errorf("sampler: sigma range is %g to %g, but the model was trained for %g to %g: stay within it",
			s.SigmaMin, s.SigmaMax, info.SigmaMin, info.SigmaMax)
	}
	den, err = Guided(den, s.Guidance)
	if err != nil {
		return nil, err
	}
	return &Sampler{den: den, info: info, set: s, schedule: schedule}, nil
}

func orDefault(v, fallback float64) float64 {
	if v == 0 {
		return fallback
	}
	return v
}

func (i Info) validate() error {
	if i.Size < 1 || i.Free < 1 || i.Free > i.Size {
		return fmt.Errorf("sampler: model has %d coordinates, %d of them free, want 1 <= free <= coordinates", i.Size, i.Free)
	}
	if err := ValidateD(i.D); err != nil {
		return fmt.Errorf("sampler: model: %w", err)
	}
	if !(i.SigmaMin > 0) || !(i.SigmaMax > i.SigmaMin) || math.IsInf(i.SigmaMax, 1) {
		return fmt.Errorf("sampler: model is trained for sigma %g to %g, want 0 < sigma_min < sigma_max", i.SigmaMin, i.SigmaMax)
	}
	if i.Classes < 0 {
		return fmt.Errorf("sampler: model has %d classes, want 0 or more", i.Classes)
	}
	return nil
}

// Settings returns the settings with every default filled in.
func (s *Sampler) Settings() Settings { return s.set }

// Schedule returns a copy of the noise levels.
func (s *Sampler) Schedule() Schedule { return append(Schedule(nil), s.schedule...) }

// Info returns what the denoiser says about itself.
func (s *Sampler) Info() Info { return s.info }

// NFE is the number of network evaluations for one sample with labels. Guidance doubles it.
func (s *Sampler) NFE() int { return s.set.Solver.NFE(s.set.Steps) * s.perCall(true) }

// perCall is the number of network evaluations in one call of the (guided) denoiser.
func (s *Sampler) perCall(labelled bool) int {
	if labelled && s.set.Guidance != 1 {
		return 2
	}
	return 1
}

// Sample draws one sample for each id into the rows of dst, in model space, and returns the network evaluations for one
// sample. Row k depends on the sampler, the seed, ids[k] and labels[k], and on nothing else.
//
// labels has one class in 0..Classes for each id (Classes itself is "unconditional"), or is nil to draw all without
// one. A wrong label or an id out of range is an error before any work. len(dst) must be len(ids)*Info().Size and
// len(labels), unless nil, len(ids): Sample panics otherwise. After an error dst holds nothing of use.
func (s *Sampler) Sample(ctx context.Context, dst []float64, seed uint64, ids []ID, labels []int64) (nfe int, err error) {
	if len(dst) != len(ids)*s.info.Size {
		panic(fmt.Sprintf("sampler: %d values for %d samples of %d", len(dst), len(ids), s.info.Size))
	}
	if labels != nil && len(labels) != len(ids) {
		panic(fmt.Sprintf("sampler: %d labels for %d samples", len(labels), len(ids)))
	}
	if err := s.checkLabels(labels); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if id.Index < 0 || id.Index > MaxIndex || id.Attempt < 0 {
			return 0, fmt.Errorf("sampler: sample index %d, attempt %d: want an index in 0..%d and an attempt of 0 or more",
				id.Index, id.Attempt, int64(MaxIndex))
		}
	}
	for k, id := range ids {
		row := dst[k*s.info.Size : (k+1)*s.info.Size]
		Prior(row, s.info, s.set.SigmaMax, NewStream(seed, id.Index, id.Attempt, PurposePrior))
		if s.set.Mask != nil {
			label := -1
			if labels != nil {
				label = int(labels[k])
			}
			s.set.Mask(row, label, rand.New(NewStream(seed, id.Index, id.Attempt, PurposeMask)))
		}
	}
	nfe, err = s.set.Solver.Solve(ctx, s.den, dst, labels, s.schedule)
	var state *StateError
	if errors.As(err, &state) {
		id := ids[state.Row]
		err = fmt.Errorf("%w (seed %d, sample index %d, attempt %d)", err, seed, id.Index, id.Attempt)
	}
	return nfe * s.perCall(labels != nil), err
}

func (s *Sampler) checkLabels(labels []int64) error {
	if labels != nil && s.info.Classes == 0 {
		return errors.New("sampler: labels are given, but the model is unconditional: leave them out")
	}
	for k, l := range labels {
		if l < 0 || l > int64(s.info.Classes) {
			return fmt.Errorf("sampler: label of sample %d is %d, want 0..%d (%d is unconditional)",
				k, l, s.info.Classes, s.info.Classes)
		}
	}
	return nil
}
