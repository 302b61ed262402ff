package validate

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// A Coverage compares generated with real points by the balls around each point that reach to its k-th neighbour in its
// own set (Naeem et al. 2020, the code prdc). All four are about what an equally good second real set has, never exactly
// 1: print that beside them. Density and Coverage alone reward a generator that makes typical points only; Recall
// shows it.
type Coverage struct {
	Precision float64 // share of generated points inside the ball of some real point
	Recall    float64 // share of real points inside the ball of some generated point
	Density   float64 // mean number of real balls that a generated point lies in, over k; may exceed 1
	Coverage  float64 // share of real points whose ball holds a generated point
}

// Neighbours is the k of the published figures.
const Neighbours = 5

// PRDC compares the sets. A point lies in a ball when it is nearer than the radius, not at it, and a point is no
// neighbour of itself; a copy of it is. Rows are points of one length with finite values; each set has more than k. The
// work is the square of their number.
func PRDC(real, generated [][]float64, k int) (Coverage, error) {
	var c Coverage
	if k < 1 {
		return c, fmt.Errorf("validate: coverage by %d neighbours", k)
	}
	if err := checkPoints(real, k+1); err != nil {
		return c, fmt.Errorf("validate: coverage, real set: %w", err)
	}
	if err := checkPoints(generated, k+1); err != nil {
		return c, fmt.Errorf("validate: coverage, generated set: %w", err)
	}
	if len(real[0]) != len(generated[0]) {
		return c, fmt.Errorf("validate: coverage of real points with %d and generated ones with %d values", len(real[0]), len(generated[0]))
	}
	ofReal, ofGenerated := radii(real, k), radii(generated, k)
	// For each real point: what the comparison with all generated ones says. Squares are compared with squares.
	type seen struct {
		recalled, covered bool
		inside            []int // generated points in its ball
	}
	rows := make([]seen, len(real))
	parallel(len(real), func(i int) {
		s := &rows[i]
		for j, g := range generated {
			d := squaredDistance(real[i], g)
			if d < ofReal[i] {
				s.covered = true
				s.inside = append(s.inside, j)
			}
			s.recalled = s.recalled || d < ofGenerated[j]
		}
	})
	precise := make([]bool, len(generated))
	hit, recalled, covered, inside := 0, 0, 0, 0
	for _, s := range rows {
		if s.recalled {
			recalled++
		}
		if s.covered {
			covered++
		}
		inside += len(s.inside)
		for _, j := range s.inside {
			precise[j] = true
		}
	}
	for _, p := range precise {
		if p {
			hit++
		}
	}
	n, m := float64(len(real)), float64(len(generated))
	return Coverage{
		Precision: float64(hit) / m,
		Recall:    float64(recalled) / n,
		Density:   float64(inside) / (float64(k) * m),
		Coverage:  float64(covered) / n,
	}, nil
}

// radii are the squared distances to the k-th neighbour in the set.
func radii(points [][]float64, k int) []float64 {
	out := make([]float64, len(points))
	parallel(len(points), func(i int) {
		nearest := make([]float64, k, k+1) // rising
		for j := range nearest {
			nearest[j] = math.Inf(1)
		}
		for j, p := range points {
			if j == i {
				continue
			}
			if d := squaredDistance(points[i], p); d < nearest[k-1] {
				at, _ := slices.BinarySearch(nearest, d)
				nearest = slices.Insert(nearest, at, d)[:k]
			}
		}
		out[i] = nearest[k-1]
	})
	return out
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	b = b[:len(a)]
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}

// Standardize brings every coordinate to mean 0 and deviation 1 in the reference set, in place, in it and in the others:
// distances then do not depend on the units. A coordinate that the reference does not vary becomes 0 in all of them. It
// panics when the lengths differ.
func Standardize(reference [][]float64, others ...[][]float64) {
	if len(reference) == 0 {
		return
	}
	n := float64(len(reference))
	for i := range reference[0] {
		mean, squares := 0.0, 0.0
		for _, p := range reference {
			mean += p[i] / n
		}
		for _, p := range reference {
			squares += (p[i] - mean) * (p[i] - mean)
		}
		scale := 0.0
		if deviation := math.Sqrt(squares / n); deviation > 1e-12*math.Abs(mean) { // else rounding
			scale = 1 / deviation
		}
		for _, set := range append(others, reference) {
			for _, p := range set {
				p[i] = (p[i] - mean) * scale
			}
		}
	}
}

// parallel calls f with 0 to n-1, on all processors.
func parallel(n int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	wg.Wait()
}
