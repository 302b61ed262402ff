package audio

import (
	"fmt"
	"math"

	"pfgmgen/domains"
	"pfgmgen/internal/stft"
	"pfgmgen/io/wav"
	"pfgmgen/validate"
)

const (
	// momentum of the fast Griffin-Lim rounds, the usual one; of 0, 0.5, 0.99, 1.2 and 1.5 it came closest.
	momentum = 0.99
	// peakDB is the highest peak of the output, dBFS: the loudness gives way to it.
	peakDB = -1
	// silentDB is what counts as silence at the end, dBFS.
	silentDB = -60
)

// Decode rounds x to the levels that clips are made of, finds a signal with these magnitudes, brings it to the fixed
// loudness, cuts off the silence at its end, and measures it. NaN counts as silence and infinities as the end of the
// scale; a tensor with any of them fails AU_NAN. It panics when x has not the length of the shape. label changes nothing.
func (a *adapter) Decode(x []float64, label int) domains.Row {
	if len(x) != a.Free() {
		panic(fmt.Sprintf("audio: Decode of %d values, the shape has %d", len(x), a.Free()))
	}
	levels := make(clip, len(x))
	finite := a.s.levels(levels, x)
	sounding := levels.trimmed()
	signal, convergence := a.s.signal(sounding)
	r := a.s.measure(trimEnd(a.s.loudness(signal)))
	r.finite, r.key, r.margin = finite, sounding.key(), float32(max(0, 1-convergence))
	r.verdict = validate.Apply(a.gates, r)
	return r
}

// levels is the inverse of encode. It says whether all of x is finite.
func (s *settings) levels(dst clip, x []float64) (finite bool) {
	step, dead := s.FloorDB/steps, float64(deadStep(s.FloorDB))
	finite = true
	for i, v := range x {
		if v-v != 0 {
			finite = false
		}
		b := i % bins
		q := math.Round((2*s.SpreadsDB[b]*v + s.Means[b]) / step)
		dst[i] = 0
		if q >= dead { // false for NaN
			dst[i] = uint8(min(q, steps))
		}
	}
	return finite
}

// signal finds samples for levels, and how far their magnitudes are from those asked for. A silent frame follows the
// last, so that all of it comes out.
func (s *settings) signal(c clip) (signal []float64, convergence float64) {
	if len(c) == 0 {
		return nil, 0
	}
	t := stft.New(window, hop)
	var amplitude [steps + 1]float64
	for q := 1; q <= steps; q++ {
		// A tone of amplitude 1 has magnitude window/4 in its bin.
		amplitude[q] = window / 4 * math.Pow(10, (float64(q)/steps-1)*s.FloorDB/20)
	}
	magnitude := make([]float64, (c.frames()+1)*t.Bins())
	for i, q := range c {
		magnitude[i/bins*t.Bins()+1+i%bins] = amplitude[q]
	}
	return t.GriffinLim(magnitude, s.Rounds, momentum)
}

// loudness brings the root mean square to LoudnessDB, but no peak over peakDB and no gain over MaxGainDB, in place.
func (s *settings) loudness(x []float64) []float64 {
	rms, peak := rmsAndPeak(x)
	if rms == 0 {
		return x
	}
	gain := min(fromDB(s.LoudnessDB)/rms, fromDB(peakDB)/peak, fromDB(s.MaxGainDB))
	for i := range x {
		x[i] *= gain
	}
	return x
}

// trimEnd rounds to PCM and cuts off the last samples below silentDB.
func trimEnd(x []float64) []int16 {
	limit := fromDB(silentDB)
	n := len(x)
	for n > 0 && math.Abs(x[n-1]) < limit {
		n--
	}
	out := make([]int16, n)
	for i := range out {
		out[i] = wav.ToPCM16(x[i])
	}
	return out
}

func rmsAndPeak(x []float64) (rms, peak float64) {
	for _, v := range x {
		rms += v * v
		peak = max(peak, math.Abs(v))
	}
	return math.Sqrt(rms / float64(max(1, len(x)))), peak
}

func fromDB(db float64) float64 { return math.Pow(10, db/20) }
func toDB(v float64) float64    { return 20 * math.Log10(v) }
