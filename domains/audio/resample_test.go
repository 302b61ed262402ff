package audio

import (
	"fmt"
	"math"
	"testing"
)

func sine(rate int, hz, seconds float64) []float64 {
	x := make([]float64, int(seconds*float64(rate)))
	for i := range x {
		x[i] = math.Sin(2*math.Pi*hz*float64(i)/float64(rate) + 0.3)
	}
	return x
}

// A sine below 0.84 of half the lower rate stays the same sine, in amplitude and phase; one above half of the new rate
// is 80 dB down. The ends, where the kernel sees the zeros outside, are left out.
func TestResampleSines(t *testing.T) {
	for _, tc := range []struct {
		from, to int
		hz       float64
		keep     bool
	}{
		{16000, 8000, 1000, true},
		{16000, 8000, 3300, true},
		{16000, 8000, 4700, false},
		{16000, 8000, 7000, false},
		{44100, 8000, 440, true},
		{44100, 8000, 3300, true},
		{44100, 8000, 4700, false},
		{11025, 8000, 3000, true},
		{8000, 16000, 3300, true},
		{4000, 48000, 1500, true},
		{8001, 8000, 1234, true}, // too many phases to keep
		{22050, 8000, 0, true},
	} {
		t.Run(fmt.Sprint(tc.from, " to ", tc.to, ", ", tc.hz, " Hz"), func(t *testing.T) {
			got := newResampler(tc.from, tc.to).resample(sine(tc.from, tc.hz, 0.2))
			want := sine(tc.to, tc.hz, 0.2)
			if d := len(got) - len(want); d < 0 || d > 1 {
				t.Fatalf("%d samples, want %d", len(got), len(want))
			}
			edge := int(float64(tc.to)*0.02) + 10
			worst := 0.0
			for i := edge; i < len(want)-edge; i++ {
				v := 0.0
				if tc.keep {
					v = want[i]
				}
				worst = max(worst, math.Abs(got[i]-v))
			}
			if worst > 2e-4 { // -74 dB: stop band and ripple of the Kaiser window with beta 8 are about 80 dB down
				t.Errorf("off by %.2g", worst)
			}
		})
	}
}

func TestResampleSameRate(t *testing.T) {
	x := []float64{1, 2, 3}
	if got := newResampler(8000, 8000).resample(x); &got[0] != &x[0] {
		t.Error("the same rate changes the samples")
	}
	if got := newResampler(16000, 8000).resample(nil); len(got) != 0 {
		t.Errorf("nothing becomes %d samples", len(got))
	}
}
