package training

import (
	"fmt"
	"math"
	"runtime"
	"strconv"

	"pfgmgen/sampler"
)

// SigmaData is the standard deviation of data in model space; adapters scale to it.
const SigmaData = 0.5

// Settings say how a network is trained. Everything but Threads defines the result; a checkpoint is continued only
// with the same settings.
type Settings struct {
	Architecture Architecture `json:"architecture"`
	D            Dimensions   `json:"d"`              // augmented dimensions
	Batch        int          `json:"batch"`          // examples of a step
	Steps        int          `json:"steps"`          // length of the run, which the learning rate follows
	Rate         float64      `json:"learning_rate"`  // peak; linear warm-up, then half a cosine down to 0
	Warmup       int          `json:"warmup"`         // steps
	Clip         float64      `json:"clip"`           // largest norm of a gradient
	Beta1        float64      `json:"beta1"`          // Adam
	Beta2        float64      `json:"beta2"`          // Adam
	Epsilon      float64      `json:"epsilon"`        // Adam
	EMAHalfLife  float64      `json:"ema_half_life"`  // of the moving average, in examples, once its ramp has ended
	LogMean      float64      `json:"ln_sigma_mean"`  // of ln sigma
	LogStd       float64      `json:"ln_sigma_std"`   // of ln sigma
	Unlabelled   float64      `json:"label_dropout"`  // share of examples trained without their label
	Seed         uint64       `json:"seed"`           // of initial weights, order of examples, noise
	Init         string       `json:"init,omitempty"` // sha256 of the model that the weights start from; "" for random ones
	Threads      int          `json:"-"`              // of ONNX Runtime; 0 is one for each CPU
}

// maxSteps is the longest run.
const maxSteps = 1 << 30

// Dimensions is a number of augmented dimensions, which JSON writes as text because it may be infinite.
type Dimensions float64

// MarshalJSON writes the shortest number that reads back the same, or "inf".
func (d Dimensions) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(d), 1) {
		return []byte(`"inf"`), nil
	}
	return []byte(strconv.Quote(strconv.FormatFloat(float64(d), 'g', -1, 64))), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Dimensions) UnmarshalJSON(b []byte) error {
	text, err := strconv.Unquote(string(b))
	if err != nil {
		return fmt.Errorf("training: dimensions %s: want a number or inf in quotes", b)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("training: dimensions %q: want a number or inf", text)
	}
	*d = Dimensions(v)
	return nil
}

// DefaultSettings are those for discrete data in [-0.5, 0.5] (one-hot sequences), which decode ignores small noise in:
// ln sigma is centred at -0.17 (science.md and design.md section 8), not at the -1.2 of images.
func DefaultSettings(a Architecture) Settings {
	return Settings{
		Architecture: a, D: 128, Batch: 64, Steps: 3000,
		Rate: 3e-3, Warmup: 200, Clip: 1, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, EMAHalfLife: 50_000,
		LogMean: -0.17, LogStd: 1.2, Unlabelled: 0.1, Seed: 0,
	}
}

// Validate reports the first setting that is out of range.
func (s *Settings) Validate() error {
	if err := s.Architecture.Validate(); err != nil {
		return err
	}
	if err := sampler.ValidateD(float64(s.D)); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	for _, c := range []struct {
		name      string
		v         float64
		low, high float64 // both allowed
	}{
		{"batch", float64(s.Batch), 1, 1 << 16},
		{"steps", float64(s.Steps), 1, maxSteps},
		{"learning rate", s.Rate, 1e-12, 10},
		{"warm-up", float64(s.Warmup), 0, 1 << 30},
		{"gradient clip", s.Clip, 1e-12, math.MaxFloat32},
		{"beta1", s.Beta1, 0, 0.999999},
		{"beta2", s.Beta2, 0, 0.999999},
		{"epsilon", s.Epsilon, 1e-30, 1},
		{"EMA half-life", s.EMAHalfLife, 0, 1e12},
		{"mean of ln sigma", s.LogMean, -20, 20},
		{"spread of ln sigma", s.LogStd, 0, 20},
		{"label dropout", s.Unlabelled, 0, 1},
	} {
		if !(c.v >= c.low && c.v <= c.high) {
			return fmt.Errorf("training: %s is %g, want %g to %g", c.name, c.v, c.low, c.high)
		}
	}
	return nil
}

func (s *Settings) threads() int {
	if s.Threads > 0 {
		return s.Threads
	}
	return runtime.NumCPU()
}

// rateAt is the learning rate of a step, counted from 0: a linear ramp over Warmup steps, then half a cosine to 0.
func (s *Settings) rateAt(step int) float64 {
	if step < s.Warmup {
		return s.Rate * float64(step+1) / float64(s.Warmup)
	}
	left := float64(step-s.Warmup) / math.Max(1, float64(s.Steps-s.Warmup))
	return s.Rate * (1 + math.Cos(math.Pi*math.Min(1, left))) / 2
}

// emaRamp bounds the half-life of the moving average to this share of the examples seen, so that the average of a
// short run is not dominated by its untrained weights (science.md 1.7).
const emaRamp = 0.05

// emaAt is the decay of the moving average at a step, counted from 0: 0.5^(Batch/half-life).
func (s *Settings) emaAt(step int) float64 {
	seen := float64(step) * float64(s.Batch)
	halfLife := math.Min(s.EMAHalfLife, emaRamp*seen)
	if halfLife == 0 {
		return 0
	}
	return math.Pow(0.5, float64(s.Batch)/halfLife)
}
