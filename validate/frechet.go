package validate

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Frechet is the squared Frechet distance between the normal distributions with the means and covariances of two sets
// of points: |m1-m2|^2 + tr S1 + tr S2 - 2 tr sqrt(S1 S2), with n-1 in the covariances. On the features of a named
// network it is the FID; on others it must be labelled with them.
//
// It grows when sets are small, by about d^2/n: report the distance between two real sets of the same sizes beside it.
// Rows are points; they have one length of at least 1 and finite values, and each set has at least two.
func Frechet(x, y [][]float64) (float64, error) {
	a, err := momentsOf(x)
	if err != nil {
		return 0, fmt.Errorf("validate: Frechet distance, first set: %w", err)
	}
	b, err := momentsOf(y)
	if err != nil {
		return 0, fmt.Errorf("validate: Frechet distance, second set: %w", err)
	}
	if len(a.mean) != len(b.mean) {
		return 0, fmt.Errorf("validate: Frechet distance of points with %d and %d values", len(a.mean), len(b.mean))
	}
	cross, ok := crossTrace(a.covariance(), b.covariance())
	if !ok {
		if cross, ok = crossTraceSingular(a, b); !ok {
			return 0, errors.New("validate: Frechet distance: the singular values do not converge")
		}
	}
	distance := a.variance() + b.variance() - 2*cross
	for i := range a.mean {
		distance += (a.mean[i] - b.mean[i]) * (a.mean[i] - b.mean[i])
	}
	return max(0, distance), nil
}

// moments are the mean of a set and the deviations of its points from it, over sqrt(n-1): the covariance is D^T D.
type moments struct {
	mean       []float64
	deviations *mat.Dense
}

func momentsOf(points [][]float64) (moments, error) {
	if err := checkPoints(points, 2); err != nil {
		return moments{}, err
	}
	n, d := len(points), len(points[0])
	m := moments{mean: make([]float64, d), deviations: mat.NewDense(n, d, nil)}
	for _, p := range points {
		for i, v := range p {
			m.mean[i] += v / float64(n)
		}
	}
	scale := 1 / math.Sqrt(float64(n-1))
	for k, p := range points {
		row := m.deviations.RawRowView(k)
		for i, v := range p {
			row[i] = (v - m.mean[i]) * scale
		}
	}
	return m, nil
}

// covariance is nil when the set has too few points for it to be of full rank.
func (m moments) covariance() *mat.SymDense {
	n, d := m.deviations.Dims()
	if n <= d {
		return nil
	}
	s := mat.NewSymDense(d, nil)
	s.SymOuterK(1, m.deviations.T())
	return s
}

// variance is the trace of the covariance.
func (m moments) variance() float64 {
	sum := 0.0
	for _, v := range m.deviations.RawMatrix().Data {
		sum += v * v
	}
	return sum
}

// crossTrace is tr sqrt(S1 S2): with S1 = L L^T, the eigenvalues of S1 S2 are those of the symmetric L^T S2 L. Which
// of the two is factorised does not matter. ok is false when neither can be.
func crossTrace(a, b *mat.SymDense) (trace float64, ok bool) {
	if a == nil || b == nil {
		return 0, false
	}
	var c mat.Cholesky
	if !c.Factorize(a) {
		if a, b = b, a; !c.Factorize(a) {
			return 0, false
		}
	}
	var l mat.TriDense
	c.LTo(&l)
	var product, symmetric mat.Dense
	product.Mul(b, &l)
	symmetric.Mul(l.T(), &product)
	d, _ := symmetric.Dims()
	m := mat.NewSymDense(d, nil)
	for i := range d {
		for j := i; j < d; j++ {
			m.SetSym(i, j, (symmetric.At(i, j)+symmetric.At(j, i))/2)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(m, false) {
		return 0, false
	}
	for _, v := range eigen.Values(nil) {
		if v > 0 { // rounding puts zeros on either side
			trace += math.Sqrt(v)
		}
	}
	return trace, true
}

// crossTraceSingular is the same for covariances of any rank: the sum of the singular values of D1 D2^T. With D = Q R it
// is that of R1 R2^T, which is no larger than the number of coordinates.
func crossTraceSingular(a, b moments) (trace float64, ok bool) {
	var product mat.Dense
	product.Mul(triangle(a.deviations), triangle(b.deviations).T())
	var svd mat.SVD
	if !svd.Factorize(&product, mat.SVDNone) {
		return 0, false
	}
	for _, v := range svd.Values(nil) {
		trace += v
	}
	return trace, true
}

// triangle is R of D = Q R when D has more rows than columns, else D itself.
func triangle(d *mat.Dense) mat.Matrix {
	if n, m := d.Dims(); n <= m {
		return d
	}
	var qr mat.QR
	qr.Factorize(d)
	var r mat.Dense
	qr.RTo(&r)
	_, m := r.Dims()
	return r.Slice(0, m, 0, m)
}

// checkPoints refuses sets of fewer points than least, of different lengths, or with values that are not finite.
func checkPoints(points [][]float64, least int) error {
	if len(points) < least {
		return fmt.Errorf("%d points, want at least %d", len(points), least)
	}
	for k, p := range points {
		if len(p) == 0 || len(p) != len(points[0]) {
			return fmt.Errorf("point %d has %d values, point 0 has %d", k, len(p), len(points[0]))
		}
		for i, v := range p {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("point %d: value %d is %v", k, i, v)
			}
		}
	}
	return nil
}
