package samplertest

import (
	"context"
	"math"

	"pfgmgen/sampler"
)

// Point is the denoiser of a single data point: Den = y whatever x is. Its flow is x(sigma) = y + (x0-y)*sigma/sigma0,
// which Euler and Heun follow exactly.
type Point struct {
	Range
	y []float64
	d float64
}

var _ sampler.Denoiser = (*Point)(nil)

// NewPoint returns the denoiser of the data point y for any D = d.
func NewPoint(y []float64, d float64) *Point {
	mustD(d)
	if len(y) == 0 {
		panic("samplertest: point without coordinates")
	}
	return &Point{Range: edmRange(), y: append([]float64(nil), y...), d: d}
}

// Info implements sampler.Denoiser. SigmaData is the root mean square of y.
func (p *Point) Info() sampler.Info {
	var s float64
	for _, v := range p.y {
		s += v * v
	}
	return p.info(len(p.y), p.d, math.Sqrt(s/float64(len(p.y))))
}

// Denoise implements sampler.Denoiser.
func (p *Point) Denoise(ctx context.Context, dst, x []float64, sigma float64, _ []int64) error {
	checkArgs(dst, x, len(p.y), sigma)
	for i := 0; i < len(dst); i += len(p.y) {
		copy(dst[i:], p.y)
	}
	return ctx.Err()
}
