package audio

import "math"

const (
	// sincHalf is the number of zero crossings of the kernel on either side.
	sincHalf = 32
	// sincCutoff is the cutoff, where the gain is 1/2, relative to half of the lower rate. With the window below, what
	// lies above half of the lower rate is 80 dB down, and what lies below 0.84 of it is kept.
	sincCutoff = 0.92
	// kaiserBeta is the form of the window: about 80 dB of stop band.
	kaiserBeta = 8
	// maxPhases is the most kernels that are kept; beyond, each is computed when it is needed.
	maxPhases = 1 << 10
)

// A resampler changes the sampling rate by a windowed sinc, one kernel for each phase of an output sample between two
// input samples. It is not safe for concurrent use.
type resampler struct {
	up, down int         // the ratio of the rates, reduced
	scale    float64     // of the kernel: cycles per input sample at its cutoff, twice
	half     int         // input samples that the kernel reaches to either side
	phases   [][]float64 // by phase; nil when there are too many
}

// newResampler is for positive rates.
func newResampler(from, to int) *resampler {
	a, b := from, to
	for b != 0 {
		a, b = b, a%b
	}
	r := &resampler{up: to / a, down: from / a}
	r.scale = sincCutoff * min(1, float64(to)/float64(from))
	r.half = int(math.Ceil(sincHalf / r.scale))
	if r.up <= maxPhases {
		r.phases = make([][]float64, r.up)
	}
	return r
}

// resample returns x at the new rate, from the time of its first sample; the signal is zero outside of x.
func (r *resampler) resample(x []float64) []float64 {
	if r.up == r.down {
		return x
	}
	out := make([]float64, (int64(len(x))*int64(r.up)+int64(r.down)-1)/int64(r.down))
	for i := range out {
		at := int64(i) * int64(r.down)
		first := int(at/int64(r.up)) - r.half + 1
		sum := 0.0
		for j, w := range r.kernel(int(at % int64(r.up))) {
			if k := first + j; k >= 0 && k < len(x) {
				sum += w * x[k]
			}
		}
		out[i] = sum
	}
	return out
}

// kernel holds the weights of the input samples from half-1 before the output sample on.
func (r *resampler) kernel(phase int) []float64 {
	if r.phases != nil && r.phases[phase] != nil {
		return r.phases[phase]
	}
	k := make([]float64, 2*r.half)
	sum := 0.0
	for j := range k {
		t := float64(j-r.half+1) - float64(phase)/float64(r.up)
		k[j] = sinc(r.scale*t) * kaiser(t/float64(r.half))
		sum += k[j]
	}
	for j := range k { // unit gain at 0 Hz in each phase
		k[j] /= sum
	}
	if r.phases != nil {
		r.phases[phase] = k
	}
	return k
}

func sinc(t float64) float64 {
	if t == 0 {
		return 1
	}
	return math.Sin(math.Pi*t) / (math.Pi * t)
}

// kaiser is the Kaiser window from -1 to 1, not normalised.
func kaiser(t float64) float64 {
	if t <= -1 || t >= 1 {
		return 0
	}
	return bessel0(kaiserBeta * math.Sqrt(1-t*t))
}

// bessel0 is the modified Bessel function I0 by its power series, which for arguments up to kaiserBeta converges within
// 30 terms.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1; k < 40; k++ {
		term *= x * x / (4 * float64(k*k))
		sum += term
	}
	return sum
}
