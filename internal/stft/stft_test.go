package stft

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

// voice is a sum of harmonics whose pitch and loudness wander, and some noise: like speech, but made here.
func voice(samples int) []float64 {
	rng := rand.New(rand.NewPCG(3, 4))
	x := make([]float64, samples)
	phase := 0.0
	for i := range x {
		at := float64(i) / float64(samples)
		phase += 2 * math.Pi * (120 + 40*math.Sin(5*at)) / 8000
		for h := 1.0; h <= 20; h++ {
			x[i] += math.Exp(-math.Abs(h-4-6*at)/2) * math.Sin(h*phase)
		}
		x[i] = math.Sin(math.Pi*at) * (x[i] + 0.02*rng.NormFloat64())
	}
	return x
}

// The definition, frame by frame, with the sum of a discrete Fourier transform.
func TestForwardIsTheDefinition(t *testing.T) {
	const n, hop = 16, 5
	tr := New(n, hop)
	x := voice(40)
	got := make([]complex128, 9*tr.Bins())
	tr.Forward(got, x)
	for f := range 9 {
		for b := range tr.Bins() {
			var want complex128
			for i := range n {
				if j := f*hop - n/2 + i; j >= 0 && j < len(x) {
					w := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/n)
					want += complex(w*x[j], 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(b*i)/n))
				}
			}
			// Sums of 16 terms of size 1 round to about 1e-15.
			if cmplx.Abs(got[f*tr.Bins()+b]-want) > 1e-13 {
				t.Fatalf("frame %d, bin %d: %v, want %v", f, b, got[f*tr.Bins()+b], want)
			}
		}
	}
}

func TestInverse(t *testing.T) {
	for _, shape := range [][2]int{{256, 128}, {256, 64}, {64, 21}} {
		tr := New(shape[0], shape[1])
		frames := 30
		x := voice(tr.Samples(frames))
		if got := tr.Frames(len(x)); got != frames {
			t.Errorf("%v: %d samples take %d frames, want %d", shape, len(x), got, frames)
		}
		c := make([]complex128, frames*tr.Bins())
		tr.Forward(c, x)
		back := make([]float64, len(x))
		for range 2 { // the second time with used work space
			tr.Inverse(back, c)
			for i := range x {
				if math.Abs(back[i]-x[i]) > 1e-12 { // values of size 1 through two transforms
					t.Fatalf("%v: sample %d is %v, want %v", shape, i, back[i], x[i])
				}
			}
		}
	}
}

// A sine in the middle of a bin has magnitude n/4 there, as the package comment says.
func TestScale(t *testing.T) {
	tr := New(256, 128)
	x := make([]float64, 1024)
	for i := range x {
		x[i] = math.Sin(2 * math.Pi * 20 * float64(i) / 256)
	}
	c := make([]complex128, 5*tr.Bins())
	tr.Forward(c, x)
	if m := cmplx.Abs(c[3*tr.Bins()+20]); math.Abs(m-64) > 1e-9 {
		t.Errorf("magnitude %v, want 64", m)
	}
}

func magnitudes(tr *Transform, x []float64) []float64 {
	c := make([]complex128, tr.Frames(len(x))*tr.Bins())
	tr.Forward(c, x)
	m := make([]float64, len(c))
	for i, v := range c {
		m[i] = cmplx.Abs(v)
	}
	return m
}

func TestGriffinLimConverges(t *testing.T) {
	tr := New(256, 128)
	m := magnitudes(tr, voice(3840))
	last := math.Inf(1)
	for _, rounds := range []int{0, 8, 24, 96} {
		x, convergence := tr.GriffinLim(m, rounds, 0.99)
		if len(x) != 3840 || convergence >= last {
			t.Errorf("%d rounds: %d samples, convergence %.4f after %.4f", rounds, len(x), convergence, last)
		}
		last = convergence
		// The figure returned is the one of the signal returned.
		norm, distance := 0.0, 0.0
		for i, v := range magnitudes(tr, x) {
			norm += m[i] * m[i]
			distance += (v - m[i]) * (v - m[i])
		}
		if want := math.Sqrt(distance / norm); math.Abs(convergence-want) > 1e-9 {
			t.Errorf("%d rounds: convergence %v, the signal has %v", rounds, convergence, want)
		}
	}
	if last > 0.03 { // -30 dB; measured 0.013
		t.Errorf("convergence %.4f after 96 rounds", last)
	}
	_, plain := tr.GriffinLim(m, 24, 0)
	_, fast := tr.GriffinLim(m, 24, 0.99)
	if fast >= plain {
		t.Errorf("the fast algorithm reaches %.4f, the plain one %.4f", fast, plain)
	}
}

// A steady tone is found by the start alone: its phases are those of one sinusoid.
func TestStartOnATone(t *testing.T) {
	tr := New(256, 128)
	x := make([]float64, 3840)
	for i := range x {
		x[i] = math.Sin(2 * math.Pi * 1003 * float64(i) / 8000)
	}
	m := magnitudes(tr, x)
	if _, convergence := tr.GriffinLim(m, 0, 0.99); convergence > 0.2 { // the parabola is off by some hundredths of a bin, and the ends are cut
		t.Errorf("convergence %.3f without a round", convergence)
	}
}

func TestGriffinLimAtTheEdges(t *testing.T) {
	tr := New(256, 128)
	if x, c := tr.GriffinLim(make([]float64, 5*tr.Bins()), 3, 0.99); slices.Max(x) != 0 || c != 0 || len(x) != 512 {
		t.Errorf("silence gives %d samples up to %v, convergence %v", len(x), slices.Max(x), c)
	}
	for _, frames := range []int{0, 1} {
		m := make([]float64, frames*tr.Bins())
		if x, c := tr.GriffinLim(m, 3, 0.99); len(x) != 0 || c != 0 {
			t.Errorf("%d frames give %d samples", frames, len(x))
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	m := make([]float64, 12*tr.Bins()) // no signal has these
	for i := range m {
		m[i] = 1e6 * rng.Float64()
	}
	a, ca := tr.GriffinLim(m, 10, 0.99)
	b, cb := New(256, 128).GriffinLim(m, 10, 0.99)
	if !slices.Equal(a, b) || ca != cb || !(ca < 1) {
		t.Errorf("two runs over the same magnitudes differ, or convergence %v is not below 1", ca)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, bad := range [][2]int{{0, 1}, {255, 64}, {256, 0}, {256, 129}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%d, %d) is accepted", bad[0], bad[1])
				}
			}()
			New(bad[0], bad[1])
		}()
	}
}

// A clip of 0.45 s at 8 kHz, as decoded by domains/audio.
func BenchmarkGriffinLim(b *testing.B) {
	tr := New(256, 128)
	m := magnitudes(tr, voice(3584))
	for b.Loop() {
		tr.GriffinLim(m, 24, 0.99)
	}
}

func ExampleTransform_GriffinLim() {
	t := New(256, 128)
	m := magnitudes(t, voice(3840))
	for _, rounds := range []int{0, 24} {
		_, convergence := t.GriffinLim(m, rounds, 0.99)
		fmt.Println(rounds, "rounds:", convergence < 0.1)
	}
	// Output:
	// 0 rounds: false
	// 24 rounds: true
}
