package stft

import "math"

// GriffinLim returns the signal of the frames in magnitude, Samples long, after some rounds of the fast Griffin-Lim
// algorithm, and its spectral convergence: the distance between the magnitudes of the signal and those asked for,
// relative to the norm of the latter. It is 0 when both agree, and 0 for silence. momentum 0 is the plain algorithm of
// 1984; 0.99 is usual. Magnitudes must be finite and not negative. The result depends on nothing else.
func (t *Transform) GriffinLim(magnitude []float64, rounds int, momentum float64) (signal []float64, convergence float64) {
	bins := t.Bins()
	frames := len(magnitude) / bins
	signal = make([]float64, t.Samples(frames))
	norm := 0.0
	for _, m := range magnitude {
		norm += m * m
	}
	if frames < 2 || norm == 0 {
		return signal, 0
	}
	c, now, before := make([]complex128, len(magnitude)), make([]complex128, len(magnitude)), make([]complex128, len(magnitude))
	t.startPhases(c, magnitude)
	t.Inverse(signal, c)
	t.Forward(now, signal)
	for range rounds {
		for i, v := range now {
			// The point beyond the last projection by the momentum, then the magnitude that was asked for.
			re := real(v) + momentum*(real(v)-real(before[i]))
			im := imag(v) + momentum*(imag(v)-imag(before[i]))
			c[i] = 0
			if length := math.Sqrt(re*re + im*im); length > 0 {
				c[i] = complex(magnitude[i]*re/length, magnitude[i]*im/length)
			}
		}
		now, before = before, now
		t.Inverse(signal, c)
		t.Forward(now, signal)
	}
	distance := 0.0
	for i, v := range now {
		d := math.Sqrt(real(v)*real(v)+imag(v)*imag(v)) - magnitude[i]
		distance += d * d
	}
	return signal, math.Sqrt(distance / norm)
}

// startPhases gives each bin the phase of a sinusoid that goes on from the frame before. The bins between two valleys
// of a frame belong to its peak, whose frequency is that of a parabola through the peak and its neighbours; the bins of
// a sinusoid under a centred window alternate in sign, since the phase is counted from the frame's first sample.
func (t *Transform) startPhases(c []complex128, magnitude []float64) {
	bins := t.Bins()
	phase := make([]float64, bins) // of the sinusoid at the centre of the frame, by bin
	for f := range len(magnitude) / bins {
		m := magnitude[f*bins : (f+1)*bins]
		from := 0
		for from < bins {
			peak := from
			for peak+1 < bins && m[peak+1] > m[peak] {
				peak++
			}
			to := peak + 1
			for to < bins && m[to] <= m[to-1] {
				to++
			}
			frequency := float64(peak)
			if peak > 0 && peak+1 < bins {
				if bend := m[peak-1] - 2*m[peak] + m[peak+1]; bend < 0 {
					frequency += (m[peak-1] - m[peak+1]) / (2 * bend)
				}
			}
			angle := math.Mod(phase[peak]+2*math.Pi*frequency*float64(t.hop)/float64(t.n), 2*math.Pi)
			for b := from; b < to; b++ {
				phase[b] = angle
			}
			from = to
		}
		for b, v := range m {
			sin, cos := math.Sincos(phase[b])
			if b%2 == 1 {
				v = -v
			}
			c[f*bins+b] = complex(v*cos, v*sin)
		}
	}
}
