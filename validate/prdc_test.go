package validate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// plainPRDC is the definition, distance by distance.
func plainPRDC(real, generated [][]float64, k int) (c Coverage) {
	distance := func(a, b []float64) float64 {
		sum := 0.0
		for i := range a {
			sum += (a[i] - b[i]) * (a[i] - b[i])
		}
		return sum
	}
	radius := func(set [][]float64, i int) float64 {
		var all []float64
		for j := range set {
			if j != i {
				all = append(all, distance(set[i], set[j]))
			}
		}
		slices.Sort(all)
		return all[k-1]
	}
	n, m := float64(len(real)), float64(len(generated))
	for _, g := range generated {
		hit := false
		for i, r := range real {
			if distance(r, g) < radius(real, i) {
				hit = true
				c.Density += 1 / (float64(k) * m)
			}
		}
		if hit {
			c.Precision += 1 / m
		}
	}
	for i, r := range real {
		nearest, hit := math.Inf(1), false
		for j, g := range generated {
			nearest = min(nearest, distance(r, g))
			hit = hit || distance(r, g) < radius(generated, j)
		}
		if hit {
			c.Recall += 1 / n
		}
		if nearest < radius(real, i) {
			c.Coverage += 1 / n
		}
	}
	return c
}

func same(a, b Coverage) bool {
	// Sums of at most some hundred equal shares.
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-9 }
	return near(a.Precision, b.Precision) && near(a.Recall, b.Recall) && near(a.Density, b.Density) && near(a.Coverage, b.Coverage)
}

func TestPRDCByDefinition(t *testing.T) {
	// Points with equal distances, where < and <= differ: on a line, radii 1 (k = 1).
	line := func(at ...float64) (out [][]float64) {
		for _, v := range at {
			out = append(out, []float64{v})
		}
		return out
	}
	for _, tc := range []struct {
		real, generated [][]float64
		want            Coverage
	}{
		// All generated points lie exactly on the balls' surfaces: outside.
		{line(0, 1, 2), line(3, 4, 5), Coverage{}},
		// 2.5 is inside the ball of 2; its own ball reaches 1.5 to 4, that of 4 likewise 2.5 to 5.5.
		{line(0, 1, 2), line(2.5, 4), Coverage{Precision: 0.5, Recall: 2.0 / 3 / 2, Density: 0.5, Coverage: 1.0 / 3}},
		// Copies: each is inside the ball of its twin alone, for neighbours lie on the surface.
		{line(0, 1, 2), line(0, 1, 2), Coverage{Precision: 1, Recall: 1, Density: 1, Coverage: 1}},
	} {
		got, err := PRDC(tc.real, tc.generated, 1)
		if err != nil || !same(got, tc.want) {
			t.Errorf("%v and %v: %+v, %v, want %+v", tc.real, tc.generated, got, err, tc.want)
		}
	}
	for k := 1; k < 6; k++ {
		real, generated := normal(11, 70, 3, 1, 0), normal(12, 50, 3, 0.8, 0.3)
		generated[3] = slices.Clone(real[5])
		real[8] = slices.Clone(real[9])
		got, err := PRDC(real, generated, k)
		if want := plainPRDC(real, generated, k); err != nil || !same(got, want) {
			t.Errorf("k = %d: %+v, %v, want %+v", k, got, err, want)
		}
	}
}

// Figures measured with other software and other draws: 2,000 against 2,000 points, 64 dimensions, k = 5. Shares of
// 2,000 points have a standard error of at most 0.011, and neighbouring points share their balls: 0.03 is two to three
// of them. The density of the shrunk set varies by about a tenth.
func TestPRDCOracles(t *testing.T) {
	real := normal(13, 2000, 64, 1, 0)
	for _, tc := range []struct {
		name      string
		generated [][]float64
		want      Coverage
		density   float64 // tolerance
	}{
		{"the same distribution", normal(14, 2000, 64, 1, 0), Coverage{0.716, 0.724, 0.948, 0.965}, 0.05},
		{"shrunk to 0.8", normal(15, 2000, 64, 0.8, 0), Coverage{0.996, 0.072, 12.5, 1}, 0.6},
	} {
		got, err := PRDC(real, tc.generated, Neighbours)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %+v", tc.name, got)
		if math.Abs(got.Precision-tc.want.Precision) > 0.03 || math.Abs(got.Recall-tc.want.Recall) > 0.03 ||
			math.Abs(got.Coverage-tc.want.Coverage) > 0.03 || math.Abs(got.Density-tc.want.Density) > tc.density {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestPRDCErrors(t *testing.T) {
	good := normal(1, 6, 2, 1, 0)
	for _, tc := range []struct {
		real, generated [][]float64
		k               int
		want            string
	}{
		{good, good, 0, "0 neighbours"},
		{good, good, 6, "real set: 6 points, want at least 7"},
		{good, good[:2], 2, "generated set: 2 points"},
		{good, normal(1, 6, 3, 1, 0), 2, "2 and generated ones with 3"},
		{good, [][]float64{{1, 2}, {math.NaN(), 1}, {1, 1}}, 1, "point 1: value 0 is NaN"},
	} {
		if _, err := PRDC(tc.real, tc.generated, tc.k); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v lacks %q", err, tc.want)
		}
	}
}

func TestStandardize(t *testing.T) {
	reference := [][]float64{{1, 5, 0.1}, {3, 5, 0.1}, {5, 5, 0.1}}
	other := [][]float64{{7, 6, 9}}
	Standardize(reference, other)
	// Mean 3 and deviation sqrt(8/3) in the first coordinate.
	scale := math.Sqrt(8.0 / 3)
	for i, want := range []float64{-2 / scale, 0, 2 / scale} {
		if math.Abs(reference[i][0]-want) > 1e-12 || reference[i][1] != 0 || reference[i][2] != 0 {
			t.Errorf("point %d is %v", i, reference[i])
		}
	}
	if math.Abs(other[0][0]-4/scale) > 1e-12 || other[0][1] != 0 || other[0][2] != 0 {
		t.Errorf("the other point is %v", other[0])
	}
	Standardize(nil, other)
}

func ExamplePRDC() {
	real := [][]float64{{0}, {1}, {2}, {10}}
	copies := [][]float64{{0}, {0.1}, {1}, {1.1}} // nothing near 2 and 10
	c, err := PRDC(real, copies, 1)
	fmt.Printf("precision %.2f, recall %.2f, %v\n", c.Precision, c.Recall, err)
	// Output: precision 1.00, recall 0.50, <nil>
}
