package sampler

import (
	"fmt"
	"math"
)

// minChiSquared is the smallest value that ChiSquared returns, the smallest normal float64.
const minChiSquared = 0x1p-1022

// wilsonHilferty is the D from which the cube of a normal variate stands for the chi-square: its error is O(1/D), and
// the acceptance test of the exact method loses its digits to cancellation as D grows.
const wilsonHilferty = 1e7

// ChiSquared returns a chi-square number with d degrees of freedom, for any finite real d > 0. It panics on other d.
//
// The law is exact (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below d = 2 with the
// factor U^(2/d), taken in log space). From d = 1e7 on the Wilson-Hilferty form is used.
//
// The result is never zero or infinite: a value below the smallest normal float64, 2^-1022, becomes that number. Then
// sqrt(d/chi2) stays below 1e154, and noise made of it is finite for every sigma below 1e150. This concerns only
// d < 0.11; at larger d such a value cannot come up.
func (s *Stream) ChiSquared(d float64) float64 {
	if !(d > 0) || math.IsInf(d, 1) {
		panic(fmt.Sprintf("sampler: chi-square with %g degrees of freedom", d))
	}
	var chi float64
	switch {
	case d >= wilsonHilferty:
		v := 2 / (9 * d)
		c := 1 - v + s.NormFloat64()*math.Sqrt(v)
		chi = d * c * c * c
	case d >= 2:
		chi = 2 * s.gamma(d/2)
	default:
		// Gamma(a) = Gamma(a+1) * U^(1/a).
		chi = 2 * math.Exp(math.Log(s.gamma(d/2+1))+math.Log(s.Float64())/(d/2))
	}
	return math.Min(math.Max(chi, minChiSquared), math.MaxFloat64)
}

// gamma returns a gamma number with shape a >= 1 and scale 1.
func (s *Stream) gamma(a float64) float64 {
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		u := s.Float64()
		if u < 1-0.0331*x*x*x*x || math.Log(u) < 0.5*x*x+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}
