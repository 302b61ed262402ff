package training

import (
	"math"
	"math/rand/v2"

	"pfgmgen/sampler"
)

// Examples are data in model space. domains.Examples is one.
type Examples interface {
	Len() int
	// Encode writes example i to dst and returns its class, or -1. With a masked architecture, what is exactly 0 is
	// absent.
	Encode(dst []float64, i int) int
}

// Purposes of the random streams of training (sampler.NewStream). Those below 256 belong to package sampler.
const (
	purposeInit  uint16 = 256 + iota // initial weights, by index of the tensor
	purposeOrder                     // order of the examples, by epoch
	purposeNoise                     // noise level and kernel noise, by number of the example seen
	purposeValid                     // the same for the held-out loss
)

// A batch is what one evaluation of the loss takes.
type batch struct {
	x, y, sigma []float32
	label       []int64 // nil when the network is unconditional
}

// batches makes the noisy examples of each step. Step s sees examples s*Batch and on of an endless sequence that runs
// through a new permutation of the data in each epoch, and every number it draws is keyed by its place in that
// sequence: a step can be made again at any time, whatever was made before.
type batches struct {
	set     *Settings
	data    Examples
	purpose uint16
	clean   []float64 // scratch
	noisy   []float64
	epoch   int64
	order   []int
}

func newBatches(s *Settings, data Examples, purpose uint16) *batches {
	n := s.Architecture.coordinates()
	return &batches{set: s, data: data, purpose: purpose, clean: make([]float64, n), noisy: make([]float64, n), epoch: -1}
}

func newBatch(s *Settings) *batch {
	n := s.Batch * s.Architecture.coordinates()
	b := &batch{x: make([]float32, n), y: make([]float32, n), sigma: make([]float32, s.Batch)}
	if s.Architecture.Classes > 0 {
		b.label = make([]int64, s.Batch)
	}
	return b
}

// fill makes the batch of a step. ln sigma is stratified: place i of B takes quantile (i+u)/B of its distribution.
func (m *batches) fill(b *batch, step int) {
	s := m.set
	size := len(m.clean)
	for i := range s.Batch {
		k := int64(step)*int64(s.Batch) + int64(i)
		r := sampler.NewStream(s.Seed, k, 0, m.purpose)
		u := (float64(i) + r.Float64()) / float64(s.Batch)
		sigma := math.Exp(s.LogMean + s.LogStd*math.Sqrt2*math.Erfinv(2*u-1))
		unlabelled := r.Float64() < s.Unlabelled
		class := m.data.Encode(m.clean, m.example(k))
		sampler.Perturb(m.noisy, m.clean, float64(s.D), sigma, r)
		if s.Architecture.Masked {
			for j, v := range m.clean {
				if v == 0 {
					m.noisy[j] = 0
				}
			}
		}
		for j := range size {
			b.x[i*size+j] = float32(m.noisy[j])
			b.y[i*size+j] = float32(m.clean[j])
		}
		b.sigma[i] = float32(sigma)
		if b.label != nil {
			b.label[i] = int64(class)
			if class < 0 || (unlabelled && m.purpose == purposeNoise) {
				b.label[i] = int64(s.Architecture.Classes)
			}
		}
	}
}

// example is the index into the data of place k of the endless sequence.
func (m *batches) example(k int64) int {
	n := int64(m.data.Len())
	if m.purpose != purposeNoise {
		return int(k % n)
	}
	if e := k / n; e != m.epoch {
		m.epoch = e
		m.order = rand.New(sampler.NewStream(m.set.Seed, e, 0, purposeOrder)).Perm(int(n))
	}
	return m.order[k%n]
}
