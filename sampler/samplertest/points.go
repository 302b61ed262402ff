package samplertest

import (
	"context"
	"fmt"
	"math"

	"pfgmgen/sampler"
)

// Points is the denoiser of a finite set of weighted data points: the mean of the points under the posterior weights
//
//	w_i * (1 + |x-y_i|^2/(D sigma^2))^(-(N+D)/2)        finite D
//	w_i * exp(-|x-y_i|^2/(2 sigma^2))                   D = +Inf
//
// taken as a softmax of logarithms, so that no weight overflows or all vanish.
type Points struct {
	Range
	y       [][]float64
	logW    []float64
	class   []int64 // of each point, nil without classes
	classes int
	d       float64
}

var _ sampler.Denoiser = (*Points)(nil)

// NewPoints returns the denoiser of the data points y with the given weights, which need not sum to 1; nil weights are
// equal ones.
func NewPoints(y [][]float64, weights []float64, d float64) *Points {
	mustD(d)
	if len(y) == 0 || len(y[0]) == 0 || (weights != nil && len(weights) != len(y)) {
		panic(fmt.Sprintf("samplertest: %d weights for %d points", len(weights), len(y)))
	}
	p := &Points{Range: edmRange(), logW: make([]float64, len(y)), d: d}
	for i, v := range y {
		if len(v) != len(y[0]) {
			panic(fmt.Sprintf("samplertest: point %d has %d coordinates, point 0 has %d", i, len(v), len(y[0])))
		}
		p.y = append(p.y, append([]float64(nil), v...))
		if weights != nil {
			if !(weights[i] > 0) || math.IsInf(weights[i], 1) {
				panic(fmt.Sprintf("samplertest: weight %d is %g", i, weights[i]))
			}
			p.logW[i] = math.Log(weights[i])
		}
	}
	return p
}

// NewClasses is NewPoints with a class in 0..classes-1 for each point. A sample with label c sees the points of class c
// alone; label classes, or nil labels, sees all. Each class must have a point.
func NewClasses(y [][]float64, weights []float64, class []int64, classes int, d float64) *Points {
	p := NewPoints(y, weights, d)
	if len(class) != len(y) {
		panic(fmt.Sprintf("samplertest: %d classes for %d points", len(class), len(y)))
	}
	members := make([]int, classes)
	for _, c := range class {
		members[c]++ // panics by itself when c is out of range
	}
	for c, n := range members {
		if n == 0 {
			panic(fmt.Sprintf("samplertest: class %d has no point", c))
		}
	}
	p.class, p.classes = append([]int64(nil), class...), classes
	return p
}

// Info implements sampler.Denoiser. SigmaData is the root mean square distance of a coordinate from the weighted mean.
func (p *Points) Info() sampler.Info {
	n := len(p.y[0])
	mean, total := make([]float64, n), 0.0
	for i, y := range p.y {
		w := math.Exp(p.logW[i])
		total += w
		for k, v := range y {
			mean[k] += w * v
		}
	}
	for k := range mean {
		mean[k] /= total
	}
	var s float64
	for i, y := range p.y {
		s += math.Exp(p.logW[i]) * squaredDistance(y, mean)
	}
	info := p.info(n, p.d, math.Sqrt(s/total/float64(n)))
	info.Classes = p.classes
	return info
}

// Denoise implements sampler.Denoiser.
func (p *Points) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	n := len(p.y[0])
	checkArgs(dst, x, n, sigma)
	if labels != nil && len(labels) != len(x)/n {
		panic(fmt.Sprintf("samplertest: %d labels for %d samples", len(labels), len(x)/n))
	}
	w := make([]float64, len(p.y))
	for row := range len(x) / n {
		label := int64(p.classes)
		if labels != nil {
			label = labels[row]
		}
		p.denoise(dst[row*n:(row+1)*n], x[row*n:(row+1)*n], sigma, label, w)
	}
	return ctx.Err()
}

// denoise does one sample. w is room for one weight a point.
func (p *Points) denoise(dst, x []float64, sigma float64, label int64, w []float64) {
	top := math.Inf(-1)
	for i, y := range p.y {
		if p.class != nil && label != int64(p.classes) && p.class[i] != label {
			w[i] = math.Inf(-1)
			continue
		}
		w[i] = p.logW[i] + logKernel(squaredDistance(x, y), len(x), p.d, sigma)
		top = math.Max(top, w[i])
	}
	var sum float64
	clear(dst)
	for i, y := range p.y {
		e := math.Exp(w[i] - top)
		sum += e
		for k, v := range y {
			dst[k] += e * v
		}
	}
	for k := range dst {
		dst[k] /= sum
	}
}

// logKernel is the logarithm of the kernel at squared distance d2, without the factor that x and y do not enter.
func logKernel(d2 float64, n int, d, sigma float64) float64 {
	if math.IsInf(d, 1) {
		return -d2 / (2 * sigma * sigma)
	}
	return -(float64(n) + d) / 2 * math.Log1p(d2/(d*sigma*sigma))
}
