package audio

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/internal/stft"
)

// The representation. A frame has window samples, frames are hop apart, and of its window/2+1 bins the first one, 0 Hz,
// is left out.
const (
	window = 256
	hop    = window / 2
	bins   = window / 2
)

const (
	// floorDB is the depth of the levels below the peak of a clip. Of the shared recordings most have their background
	// noise at -45 to -60 dB.
	floorDB = 50
	// steps is the number of levels above the lowest.
	steps = 255
	// deadDB is how far a level lies above the floor before it counts as sound: what a model leaves there is noise.
	deadDB = 3
	// onsetDB and endDB delimit a clip: its first and last frame with an energy so far below the loudest one's. leadIn
	// and leadOut are the frames kept on either side.
	onsetDB, leadIn = 35, 2
	endDB, leadOut  = 40, 1
	// minSpread is the smallest deviation in dB that a bin is divided by, so that bins that hardly ever sound are not
	// blown up.
	minSpread = 6
)

// A clip is a spectrogram in levels, frame after frame of bins bytes: 0 is silence, steps the loudest point of the clip. It
// begins and ends with a frame that sounds.
type clip []uint8

func (c clip) frames() int { return len(c) / bins }

// key identifies the content: a hash of the levels.
func (c clip) key() string {
	h := sha256.Sum256(c)
	return hex.EncodeToString(h[:16])
}

// deadStep is the first level that sounds.
func deadStep(floor float64) int { return int(math.Ceil(steps * deadDB / floor)) }

// A analysis turns samples into levels. It is not safe for concurrent use.
type analysis struct {
	t *stft.Transform
	c []complex128
}

func newAnalysis() *analysis { return &analysis{t: stft.New(window, hop)} }

// levels returns the levels of mono samples from their onset to their end; empty for silence. Samples must be finite.
func (a *analysis) levels(x []float64) clip {
	mean := 0.0
	for _, v := range x {
		mean += v
	}
	mean /= float64(max(1, len(x)))
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v - mean
	}
	frames := a.t.Frames(len(y))
	size := frames * a.t.Bins()
	if cap(a.c) < size {
		a.c = make([]complex128, size)
	}
	c := a.c[:size]
	a.t.Forward(c, y)
	power := make([]float64, frames*bins)
	energy := make([]float64, frames)
	peak, loudest := 0.0, 0.0
	for f := range frames {
		for b := range bins {
			v := c[f*a.t.Bins()+1+b]
			p := real(v)*real(v) + imag(v)*imag(v)
			power[f*bins+b] = p
			energy[f] += p
			peak = max(peak, p)
		}
		loudest = max(loudest, energy[f])
	}
	if !(peak > 0) || math.IsInf(loudest, 0) {
		return nil
	}
	first, last := 0, frames-1
	for energy[first] < loudest*math.Pow(10, -onsetDB/10.0) {
		first++
	}
	for energy[last] < loudest*math.Pow(10, -endDB/10.0) {
		last--
	}
	first, last = max(0, first-leadIn), min(frames-1, last+leadOut)
	out := make(clip, (last-first+1)*bins)
	dead := deadStep(floorDB)
	for i, p := range power[first*bins : (last+1)*bins] {
		if q := int(math.Round(steps * (1 + 10*math.Log10(p/peak)/floorDB))); p > 0 && q >= dead {
			out[i] = uint8(min(q, steps))
		}
	}
	return out.trimmed()
}

// trimmed leaves out the frames at the ends that are silent.
func (c clip) trimmed() clip {
	silent := func(frame []uint8) bool {
		for _, q := range frame {
			if q != 0 {
				return false
			}
		}
		return true
	}
	for len(c) > 0 && silent(c[:bins]) {
		c = c[bins:]
	}
	for len(c) > 0 && silent(c[len(c)-bins:]) {
		c = c[:len(c)-bins]
	}
	return c
}

// encode writes the standardised levels, silence after the last frame.
func (s *settings) encode(dst []float64, c clip) {
	step := s.FloorDB / steps
	for i := range dst {
		b, q := i%bins, 0.0
		if i < len(c) {
			q = float64(c[i])
		}
		dst[i] = (q*step - s.Means[b]) / (2 * s.SpreadsDB[b])
	}
}

var _ domains.Examples = (*examples)(nil)

// examples hold one byte for each point of a spectrogram.
type examples struct {
	s      *settings
	clips  []clip
	labels []int // nil when unconditional
}

func (e *examples) Len() int { return len(e.clips) }

// Encode panics when dst has not the length of the shape.
func (e *examples) Encode(dst []float64, i int) int {
	if len(dst) != e.s.Frames*bins {
		panic(fmt.Sprintf("audio: Encode into %d values, the shape has %d", len(dst), e.s.Frames*bins))
	}
	e.s.encode(dst, e.clips[i])
	if e.labels == nil {
		return -1
	}
	return e.labels[i]
}

func (e *examples) Key(i int) string { return e.clips[i].key() }
