package onnx

import (
	"math"
	"testing"
)

// TestHalf: every half-precision number survives, and what lies between two goes to the nearer one, ties to even.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		f := fromHalf(uint16(h))
		got := toHalf(f)
		if f != f {
			if back := fromHalf(got); back == back {
				t.Errorf("%#04x is NaN and became %g", h, back)
			}
			continue
		}
		if got != uint16(h) {
			t.Errorf("%#04x is %g and became %#04x", h, f, got)
		}
		if h&0x7fff >= 0x7bff { // the largest finite one, and infinity
			continue
		}
		next := fromHalf(uint16(h + 1))
		middle := f + (next-f)/2 // exact in float32
		even := uint16(h + h&1)
		if got := toHalf(middle); got != even {
			t.Errorf("%g, halfway between %#04x and the next, became %#04x, want %#04x", middle, h, got, even)
		}
		if got := toHalf(math.Nextafter32(middle, f)); got != uint16(h) {
			t.Errorf("just below halfway from %#04x became %#04x", h, got)
		}
		if got := toHalf(math.Nextafter32(middle, next)); got != uint16(h+1) {
			t.Errorf("just above halfway from %#04x became %#04x", h, got)
		}
	}
	for _, f := range []float32{65520, 1e30, float32(math.Inf(1))} {
		if toHalf(f) != 0x7c00 || toHalf(-f) != 0xfc00 {
			t.Errorf("%g became %#04x, want infinity", f, toHalf(f))
		}
	}
	if toHalf(65519) != 0x7bff {
		t.Errorf("65519 became %#04x, want 65504", toHalf(65519))
	}
}
