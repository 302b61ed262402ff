package images

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// near compares with 1e-9: sums of at most some thousand products of numbers of size 1.
func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// Known pictures have known features.
func TestFeatures(t *testing.T) {
	for _, channels := range []int{1, 3} {
		e := NewExtractor(channels)
		blocks := 64 * channels
		gradients := blocks + 128
		statistics := gradients + 3*channels
		if e.Dim() != statistics+256 {
			t.Errorf("%d features for %d channels", e.Dim(), channels)
		}
		// A flat picture: its value at frequency zero, its mean, and nothing else.
		flat := picture{12, 20, channels, bytes.Repeat([]byte{51}, channels*240)}
		for i, v := range e.Features(flat.image()) {
			want := 0.0
			switch {
			case i < blocks && i%64 == 0:
				want = 0.6
			case i >= gradients && i < statistics && (i-gradients)%3 == 0:
				want = -0.6
			}
			if !near(v, want) {
				t.Errorf("%d channels, flat: feature %d is %v, want %v", channels, i, v, want)
			}
		}
		// A ramp across: all gradients point right, 51/127.5 a pixel inside, half of it at the border.
		ramp := picture{8, 4, channels, bytes.Repeat([]byte{0, 51, 102, 153}, 8*channels)}
		f := e.Features(ramp.image())
		for i, v := range f[blocks:gradients] {
			want := 0.0
			if i%directions == 0 {
				want = []float64{0.2, 0.4, 0.4, 0.2}[i/directions%4]
			}
			if !near(v, want) {
				t.Errorf("%d channels, ramp: gradient %d is %v, want %v", channels, i, v, want)
			}
		}
		// -1, -0.6, -0.2, 0.2 has mean -0.4, deviation 0.4 sqrt(1.25) and no third moment (its root is good to 1e-5).
		for i, want := range []float64{-0.4, 0.4 * math.Sqrt(1.25), 0} {
			if got := f[gradients+i]; math.Abs(got-want) > 1e-5 {
				t.Errorf("%d channels, ramp: moment %d is %v, want %v", channels, i, got, want)
			}
		}
		if slices.ContainsFunc(f[statistics:], func(v float64) bool { return v != 0 }) {
			t.Error("a side of 4 has answers of patches of 5")
		}
		// One patch, once: the mean is the rectified answer, by the definition.
		one := random(1, 5, 5, channels)[0]
		f = e.Features(one.image())
		for k := range patches {
			sum := 0.0
			for i, w := range e.filters[k] {
				sum += w * (float64(one.pix[i])/127.5 - 1)
			}
			if got := f[statistics+2*k]; !near(got, max(0, sum)) || math.Abs(f[statistics+2*k+1]) > 1e-7 {
				t.Errorf("%d channels: patch %d answers %v, want %v", channels, k, got, max(0, sum))
			}
		}
		// Energies of orthonormal coefficients add up to the mean square of the values (Parseval); 8 x 16 is whole blocks.
		whole := random(1, 8, 16, channels)[0]
		f = e.Features(whole.image())
		for c := range channels {
			energy, squares := 0.0, 0.0
			for _, v := range f[64*c : 64*c+64] {
				energy += v * v
			}
			for _, u := range whole.pix[128*c : 128*c+128] {
				squares += levels[u] * levels[u] / 128
			}
			if !near(energy, squares) {
				t.Errorf("channel %d of %d: energy %v, mean square %v", c, channels, energy, squares)
			}
		}
	}
}

// Filters have unit length and no mean, and the whitening undoes the covariance that it is for.
func TestFilters(t *testing.T) {
	w := whitening()
	for i := range patchPixels {
		for j := range patchPixels {
			sum := 0.0
			for a := range patchPixels {
				for b := range patchPixels {
					steps := math.Abs(float64(a/5-b/5)) + math.Abs(float64(a%5-b%5))
					sum += w.At(i, a) * math.Pow(0.95, steps) * w.At(b, j)
				}
			}
			want := 0.0
			if i == j {
				want = 1
			}
			if !near(sum, want) {
				t.Fatalf("W C W at %d, %d is %v, want %v", i, j, sum, want)
			}
		}
	}
	for _, f := range NewExtractor(3).filters {
		sum, squares := 0.0, 0.0
		for _, v := range f {
			sum += v
			squares += v * v
		}
		if !near(sum, 0) || !near(squares, 1) {
			t.Fatalf("a filter with sum %v and square %v", sum, squares)
		}
	}
}

// goldenFeatures is the sum of TestFeaturesDoNotChange when gofeat-img-v1 was defined.
const goldenFeatures = 0.501646700829

// The features are a format, and its name must change with them. 1e-9 lets a compiler fuse multiplications.
func TestFeaturesDoNotChange(t *testing.T) {
	sum := 0.0
	for i, v := range NewExtractor(3).Features(random(1, 13, 17, 3)[0].image()) {
		sum += v * math.Sin(float64(i)) // every feature with a weight of its own
	}
	if math.Abs(sum-goldenFeatures) > 1e-9 {
		t.Errorf("%.12f, was %.12f: if this is meant, rename FeaturesName", sum, goldenFeatures)
	}
}

func BenchmarkFeatures(b *testing.B) {
	e, im := NewExtractor(3), random(1, 32, 32, 3)[0].image()
	for b.Loop() {
		e.Features(im)
	}
}
