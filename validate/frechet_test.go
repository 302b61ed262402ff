package validate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// normal is n points of d independent standard normal coordinates, scaled and shifted.
func normal(seed uint64, n, d int, scale, shift float64) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 17))
	out := make([][]float64, n)
	for k := range out {
		out[k] = make([]float64, d)
		for i := range out[k] {
			out[k][i] = scale*rng.NormFloat64() + shift
		}
	}
	return out
}

// scaled multiplies each coordinate by its own factor.
func scaled(points [][]float64, factor []float64) [][]float64 {
	for _, p := range points {
		for i := range p {
			p[i] *= factor[i]
		}
	}
	return points
}

func frechet(t *testing.T, x, y [][]float64) float64 {
	t.Helper()
	v, err := Frechet(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func trace(x [][]float64) float64 {
	m, err := momentsOf(x)
	if err != nil {
		panic(err)
	}
	return m.variance()
}

// Identical sets are 0 apart, within 1e-8 of the trace: the root of an eigenvalue is good to the square root of the
// rounding errors when it is 0, and to themselves otherwise.
func TestFrechetOfItself(t *testing.T) {
	for _, tc := range []struct{ n, d int }{{2, 1}, {100, 3}, {500, 64}, {10, 64}, {64, 64}, {65, 64}} {
		x := normal(1, tc.n, tc.d, 2, 3)
		if v := frechet(t, x, x); v > 1e-8*trace(x) {
			t.Errorf("%d points of %d: %v from themselves, trace %v", tc.n, tc.d, v, trace(x))
		}
	}
	// A coordinate that does not vary, and one that repeats another.
	x := normal(1, 100, 5, 1, 0)
	for _, p := range x {
		p[1], p[3] = 7, 2*p[0]
	}
	if v := frechet(t, x, x); v > 1e-8*trace(x) {
		t.Errorf("degenerate points: %v from themselves", v)
	}
}

// Sets whose covariances are exactly diagonal: corners of a box, on the axes.
func TestFrechetOfCommuting(t *testing.T) {
	box := func(sides, centre []float64) (out [][]float64) {
		for i := range sides {
			for _, sign := range []float64{-1, 1} {
				p := append([]float64(nil), centre...)
				p[i] += sign * sides[i]
				out = append(out, p)
			}
		}
		return out
	}
	a, b := []float64{1, 2, 3}, []float64{4, 0.5, 3}
	x, y := box(a, []float64{0, 0, 0}), box(b, []float64{1, -1, 2})
	// The variance of a coordinate is 2 side^2 / (6-1); |m1-m2|^2 is 6.
	want := 6.0
	for i := range a {
		d := math.Sqrt(2*a[i]*a[i]/5) - math.Sqrt(2*b[i]*b[i]/5)
		want += d * d
	}
	if got := frechet(t, x, y); math.Abs(got-want) > 1e-12 { // some twenty operations on numbers below 20
		t.Errorf("%v, want %v", got, want)
	}
	if got := frechet(t, y, x); math.Abs(got-want) > 1e-12 {
		t.Errorf("the other way round %v, want %v", got, want)
	}
}

// Symmetric, unchanged by rotation and shift, and quadratic in the unit. 1e-9 relative: eigenvalues of 20 x 20 matrices are
// good to some 1e-14 of the largest, here 1e4 of the smallest.
func TestFrechetInvariance(t *testing.T) {
	const n, d = 300, 20
	spread := make([]float64, d)
	for i := range spread {
		spread[i] = math.Pow(100, float64(i)/d)
	}
	x, y := scaled(normal(2, n, d, 1, 0), spread), scaled(normal(3, n+50, d, 1.3, 0.4), spread)
	want := frechet(t, x, y)
	var qr mat.QR
	qr.Factorize(mat.NewDense(d, d, flatten(normal(4, d, d, 1, 0))))
	var q mat.Dense
	qr.QTo(&q)
	turn := func(points [][]float64) [][]float64 {
		out := make([][]float64, len(points))
		for k, p := range points {
			out[k] = make([]float64, d)
			for i := range d {
				for j, v := range p {
					out[k][i] += q.At(i, j) * v
				}
				out[k][i] = 3*out[k][i] - 5
			}
		}
		return out
	}
	if got := frechet(t, y, x); math.Abs(got/want-1) > 1e-9 {
		t.Errorf("the other way round %v, want %v", got, want)
	}
	if got := frechet(t, turn(x), turn(y)); math.Abs(got/9/want-1) > 1e-9 {
		t.Errorf("turned and three times as large %v, want %v", got, 9*want)
	}
}

func flatten(points [][]float64) (out []float64) {
	for _, p := range points {
		out = append(out, p...)
	}
	return out
}

// Both routes give the same where both work; the relative error is that of eigenvalues, some 1e-12.
func TestFrechetRoutes(t *testing.T) {
	a, _ := momentsOf(normal(5, 200, 30, 1, 0))
	b, _ := momentsOf(normal(6, 90, 30, 0.7, 1))
	one, ok := crossTrace(a.covariance(), b.covariance())
	two, ok2 := crossTraceSingular(a, b)
	if !ok || !ok2 || math.Abs(one/two-1) > 1e-9 {
		t.Errorf("%v (%v) and %v (%v)", one, ok, two, ok2)
	}
	// With fewer points than coordinates, lifting all points into more dimensions changes nothing.
	x, y := normal(7, 12, 30, 1, 0), normal(8, 40, 30, 1, 0.2)
	lift := func(points [][]float64) (out [][]float64) {
		for _, p := range points {
			out = append(out, append(append([]float64{3}, p...), 0, 0))
		}
		return out
	}
	if one, two := frechet(t, x, y), frechet(t, lift(x), lift(y)); math.Abs(one/two-1) > 1e-9 {
		t.Errorf("%v, and %v with three idle coordinates", one, two)
	}
}

// Floors of finite sets of one distribution. To first order in 1/n the squared distance of means is d (1/n1 + 1/n2), and
// the rest a quarter of the squared distance of covariances, (d^2 + d)/4 (1/n1 + 1/n2); with a shift of 0.1 per
// coordinate, 0.01 d more. At 100 points higher orders count: 12.3 was measured with other software and other draws. Most of
// the floor is a sum of 2,080 squares, whose deviation is 3 %; the squares of 64 means add as much: 12 % is some three
// deviations.
func TestFrechetFloors(t *testing.T) {
	const d = 64
	reference := normal(9, 5000, d, 1, 0)
	for _, tc := range []struct {
		n     int
		shift float64
	}{{100, 0}, {500, 0}, {1000, 0}, {5000, 0}, {5000, 0.1}} {
		got := frechet(t, reference, normal(10, tc.n, d, 1, tc.shift))
		want := (d+(d*d+d)/4)*(1.0/5000+1/float64(tc.n)) + d*tc.shift*tc.shift
		if tc.n == 100 {
			want = 12.3
		}
		if math.Abs(got/want-1) > 0.12 {
			t.Errorf("%d points, shift %v: %v, want about %v", tc.n, tc.shift, got, want)
		}
	}
}

func TestFrechetErrors(t *testing.T) {
	good := [][]float64{{1, 2}, {3, 4}, {5, 7}}
	for _, tc := range []struct {
		x, y [][]float64
		want string
	}{
		{nil, good, "first set: 0 points"},
		{good, good[:1], "second set: 1 points"},
		{good, [][]float64{{1}, {2}}, "2 and 1 values"},
		{[][]float64{{1, 2}, {3}}, good, "point 1 has 1 values"},
		{[][]float64{{}, {}}, good, "point 0 has 0 values"},
		{[][]float64{{1, 2}, {3, math.NaN()}}, good, "point 1: value 1 is NaN"},
		{good, [][]float64{{1, math.Inf(1)}, {3, 4}}, "point 0: value 1 is +Inf"},
	} {
		if _, err := Frechet(tc.x, tc.y); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v lacks %q", err, tc.want)
		}
	}
}
