package sampler

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Kernel is the law of a perturbed point around its data point: the Student-t law with D degrees of freedom and scale
// Sigma in N coordinates. N >= 1, D > 0 (+Inf is the normal law), Sigma > 0.
type Kernel struct {
	N        int
	D, Sigma float64
}

// LogDensity is the natural logarithm of the density at Euclidean distance dist from the data point.
func (k Kernel) LogDensity(dist float64) float64 {
	h := float64(k.N) / 2
	u := dist / k.Sigma
	if math.IsInf(k.D, 1) {
		return -h*math.Log(2*math.Pi) - 2*h*math.Log(k.Sigma) - u*u/2
	}
	return lgammaRise(k.D/2, h) - h*math.Log(math.Pi*k.D) - 2*h*math.Log(k.Sigma) -
		(h+k.D/2)*log1pSquare(u/math.Sqrt(k.D))
}

// log1pSquare is log(1 + v*v) without overflow of the square.
func log1pSquare(v float64) float64 {
	if math.Abs(v) > 1e8 {
		return 2 * math.Log(math.Abs(v)) // 1 is below half an ulp of v*v
	}
	return math.Log1p(v * v)
}

// lgammaRise is log(Gamma(a+h)/Gamma(a)) for a, h > 0.
func lgammaRise(a, h float64) float64 {
	if a < 1e4 {
		p, _ := math.Lgamma(a + h)
		q, _ := math.Lgamma(a)
		return p - q
	}
	// The difference of two Stirling series: that of two large log-gammas would lose the digits that count. The first
	// term left out is below 1e-23 here.
	series := func(z float64) float64 { return (1.0/12 - 1/(360*z*z)) / z }
	return (a-0.5)*math.Log1p(h/a) + h*math.Log(a+h) - h + series(a+h) - series(a)
}

// RadiusMoment is E[R^p] of the distance R = |x-y|, for p > -N. It is +Inf when p >= D.
func (k Kernel) RadiusMoment(p float64) float64 {
	h := float64(k.N) / 2
	if p >= k.D {
		return math.Inf(1)
	}
	up, _ := math.Lgamma(h + p/2)
	n, _ := math.Lgamma(h)
	m := up - n + p*math.Log(k.Sigma)
	if math.IsInf(k.D, 1) {
		return math.Exp(m + p/2*math.Ln2)
	}
	down, _ := math.Lgamma((k.D - p) / 2)
	d, _ := math.Lgamma(k.D / 2)
	return math.Exp(m + p/2*math.Log(k.D) + down - d)
}

// LogRadius returns mean and variance of ln R. Both exist for every D.
func (k Kernel) LogRadius() (mean, variance float64) {
	h := float64(k.N) / 2
	mean = math.Log(k.Sigma) + mathext.Digamma(h)/2
	variance = trigamma(h) / 4
	if math.IsInf(k.D, 1) {
		return mean + math.Ln2/2, variance
	}
	return mean + (math.Log(k.D)-mathext.Digamma(k.D/2))/2, variance + trigamma(k.D/2)/4
}

// trigamma is the derivative of the digamma function, the Hurwitz zeta function of order 2.
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }

// RadiusQuantile is the distance R that a fraction p of the perturbed points stays below, 0 < p < 1.
func (k Kernel) RadiusQuantile(p float64) float64 {
	h := float64(k.N) / 2
	if math.IsInf(k.D, 1) {
		return k.Sigma * math.Sqrt(2*mathext.GammaIncRegInv(h, p))
	}
	// R^2/(R^2+r^2) is Beta(N/2, D/2), r^2 = sigma^2 D. Its complement is computed by itself, not as 1-b, which would
	// have no digits left when D is far below N.
	b := mathext.InvRegIncBeta(h, k.D/2, p)
	c := mathext.InvRegIncBeta(k.D/2, h, 1-p)
	return k.Sigma * math.Sqrt(k.D*b/c)
}
