package stft

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
)

// A Transform is a short-time Fourier transform. It is not safe for concurrent use: it holds work space. Making one
// costs a few microseconds.
type Transform struct {
	n, hop int
	window []float64
	fft    *fourier.FFT
	frame  []float64 // work space of one frame
	signal []float64 // work space of a signal and n/2 samples on both sides
	norm   []float64 // sum of the squared windows over signal
}

// New returns the transform with frames of n samples, hop apart. It panics unless n is even and hop is 1 to n/2: with
// fewer frames some samples would be seen by no window.
func New(n, hop int) *Transform {
	if n < 2 || n%2 != 0 || hop < 1 || hop > n/2 {
		panic(fmt.Sprintf("stft: frames of %d samples, %d apart", n, hop))
	}
	t := &Transform{n: n, hop: hop, window: make([]float64, n), fft: fourier.NewFFT(n), frame: make([]float64, n)}
	for i := range t.window {
		s := math.Sin(math.Pi * float64(i) / float64(n))
		t.window[i] = s * s
	}
	return t
}

// Bins is the number of bins of a spectrum.
func (t *Transform) Bins() int { return t.n/2 + 1 }

// Samples is the length of the signal that frames stand for.
func (t *Transform) Samples(frames int) int { return max(0, (frames-1)*t.hop) }

// Frames is the smallest number of frames that cover a signal.
func (t *Transform) Frames(samples int) int { return (samples+t.hop-1)/t.hop + 1 }

// Forward writes the spectra of the frames of x to dst, frame after frame. dst holds a whole number of spectra; samples
// outside of x count as zero, and samples that no frame reaches are not looked at.
func (t *Transform) Forward(dst []complex128, x []float64) {
	bins := t.Bins()
	for f := range len(dst) / bins {
		first := f*t.hop - t.n/2
		for i, w := range t.window {
			t.frame[i] = 0
			if j := first + i; j >= 0 && j < len(x) {
				t.frame[i] = w * x[j]
			}
		}
		t.fft.Coefficients(dst[f*bins:(f+1)*bins], t.frame)
	}
}

// Inverse writes the signal whose spectra are nearest to c, in the sense of least squares, to dst, which has the length
// Samples of the frames in c.
func (t *Transform) Inverse(dst []float64, c []complex128) {
	bins := t.Bins()
	frames := len(c) / bins
	t.prepare(frames)
	clear(t.signal)
	scale := 1 / float64(t.n)
	for f := range frames {
		t.fft.Sequence(t.frame, c[f*bins:(f+1)*bins])
		out := t.signal[f*t.hop : f*t.hop+t.n]
		for i, w := range t.window {
			out[i] += w * t.frame[i]
		}
	}
	inner, norm := t.signal[t.n/2:], t.norm[t.n/2:]
	for i := range dst {
		dst[i] = inner[i] * scale * norm[i]
	}
}

// prepare makes room for a signal, and computes the inverse of the sum of its squared windows.
func (t *Transform) prepare(frames int) {
	size := t.Samples(frames) + t.n
	if len(t.signal) == size {
		return
	}
	t.signal, t.norm = make([]float64, size), make([]float64, size)
	for f := range frames {
		for i, w := range t.window {
			t.norm[f*t.hop+i] += w * w
		}
	}
	for i, v := range t.norm {
		if v > 0 { // at least 1/2 for hops up to n/2, but for the half frames at the ends
			t.norm[i] = 1 / v
		}
	}
}
