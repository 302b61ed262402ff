package audio

import (
	"math"

	"pfgmgen/internal/stft"
)

const (
	silentFrame = 0.010 // seconds of a frame of silent_frac
	clickRatio  = 12    // of a second difference to the local root mean square
	clickSpan   = 256   // samples over which that is taken
	bandShare   = 0.99  // of the energy below bandwidth_hz
	noisyShare  = 0.9   // of the frames that have to be noise for a row to be noise
)

// measure describes samples, and leaves the rest of the row alone.
func (s *settings) measure(pcm []int16) *row {
	r := &row{pcm: pcm, rate: s.Rate}
	n := len(pcm)
	if n == 0 {
		return r
	}
	x := make([]float64, n)
	full, run, before := 0, 0, 0
	for i, v := range pcm {
		x[i] = float64(v) / (1 << 15)
		r.dc += x[i] / float64(n)
		if v == math.MaxInt16 || v == math.MinInt16 {
			full++
			if before++; i > 0 && v != pcm[i-1] {
				before = 1
			}
			run = max(run, before)
		} else {
			before = 0
		}
	}
	r.rms, r.peak = rmsAndPeak(x)
	r.clipped, r.clipRun = float64(full)/float64(n), run
	if r.peak == 0 {
		return r
	}
	r.silent = silentShare(x, max(1, int(math.Round(silentFrame*float64(s.Rate)))))
	r.crossings = zeroCrossings(x)
	r.clicks = clicks(x)
	r.flatness, r.noisy, r.bandwidth = spectrum(x)
	r.bandwidth *= float64(s.Rate) / window
	return r
}

// silentShare is the share of the frames of n samples, the last one perhaps shorter, with a root mean square below
// silentDB.
func silentShare(x []float64, n int) float64 {
	silent, frames := 0, 0
	for i := 0; i < len(x); i += n {
		if rms, _ := rmsAndPeak(x[i:min(i+n, len(x))]); rms < fromDB(silentDB) {
			silent++
		}
		frames++
	}
	return float64(silent) / float64(frames)
}

// zeroCrossings is the number of changes between negative and not negative, per sample.
func zeroCrossings(x []float64) float64 {
	changes := 0
	for i := 1; i < len(x); i++ {
		if (x[i] < 0) != (x[i-1] < 0) {
			changes++
		}
	}
	return float64(changes) / float64(len(x))
}

// clicks counts the places where |x[i-1]-2x[i]+x[i+1]| exceeds clickRatio times the root mean square of the clickSpan
// samples around i. Neighbours within 1 ms or so, clickSpan/32, are one place. Sounds below silentDB do not click.
func clicks(x []float64) int {
	energy := make([]float64, len(x)+1)
	for i, v := range x {
		energy[i+1] = energy[i] + v*v
	}
	count, last := 0, -clickSpan
	for i := 1; i+1 < len(x); i++ {
		lo, hi := max(0, i-clickSpan/2), min(len(x), i+clickSpan/2)
		rms := math.Sqrt((energy[hi] - energy[lo]) / float64(hi-lo))
		d := math.Abs(x[i-1] - 2*x[i] + x[i+1])
		if d <= clickRatio*rms || d < fromDB(silentDB) {
			continue
		}
		if i-last > clickSpan/32 {
			count++
		}
		last = i
	}
	return count
}

// spectrum measures the frames with a root mean square of at least silentDB: the mean of their spectral flatness, the
// flatness that noisyShare of them exceed, and the bin, with a fraction, below which bandShare of the energy lies.
func spectrum(x []float64) (flatness, noisy, band float64) {
	t := stft.New(window, hop)
	frames := t.Frames(len(x))
	c := make([]complex128, frames*t.Bins())
	t.Forward(c, x)
	var flat []float64
	total := make([]float64, bins)
	for f := range frames {
		first := max(0, f*hop-window/2)
		if rms, _ := rmsAndPeak(x[min(first, len(x)):min(first+window, len(x))]); rms < fromDB(silentDB) {
			continue
		}
		sum, logs := 0.0, 0.0
		for b := range bins {
			v := c[f*t.Bins()+1+b]
			p := real(v)*real(v) + imag(v)*imag(v)
			sum += p
			// One unit of 16 bits as the floor, far below its rounding noise in a frame.
			logs += math.Log(max(p, 1.0/(1<<30)))
			total[b] += p
		}
		flat = append(flat, min(1, math.Exp(logs/bins)*bins/sum))
	}
	if len(flat) == 0 {
		return 0, 0, 0
	}
	energy := 0.0
	for _, v := range flat {
		flatness += v / float64(len(flat))
	}
	for _, p := range total {
		energy += p
	}
	below := 0.0
	for b, p := range total {
		if below+p >= bandShare*energy {
			band = float64(b+1) + (bandShare*energy-below)/p - 0.5
			break
		}
		below += p
	}
	return flatness, lowQuantile(flat, 1-noisyShare), band
}
