package training

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// ExportPosterior is the model file of the exact denoiser of a finite data set: Den(x, sigma) is the mean of the points,
// weighted by the kernel p_r(x|y), that is by softmax(-(N+D)/2*log1p(|x-y|^2/(D*sigma^2))) (science.md 6.2), and by a
// Gaussian when D is infinite. Sampling from it gives the points back, so it needs no training and proves everything
// around the network. points are rows of c.Size() numbers; class has the class of each point, and is nil when the
// contract has no labels.
//
// Memory and time of a call grow with batch x points x size: it is for fixtures and small sets.
func ExportPosterior(points [][]float64, class []int64, c *sampler.Contract) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n, m := c.Size(), len(points)
	if m == 0 || (len(c.Labels) > 0 && len(class) != m) {
		return nil, fmt.Errorf("training: posterior of %d points with %d classes for %d labels", m, len(class), len(c.Labels))
	}
	flat := make([]float32, 0, m*n)
	for i, p := range points {
		if len(p) != n {
			return nil, fmt.Errorf("training: posterior: point %d has %d numbers, want %d", i, len(p), n)
		}
		for _, v := range p {
			flat = append(flat, float32(v))
		}
	}
	g := onnx.NewGraph()
	shape := append([]onnx.Dim{onnx.Batch}, c.Shape...)
	x := g.Reshape(g.Input(sampler.InputX, onnx.Float, shape...), onnx.Batch, n)
	sigma := g.Reshape(g.Input(sampler.InputSigma, onnx.Float, onnx.Batch), onnx.Batch, 1)
	y := g.Floats("points", flat, m, n)

	difference := g.Sub(g.Reshape(x, onnx.Batch, 1, n), y)
	ratio := g.Div(g.ReduceSum(g.Square(difference), false, 2), g.Square(sigma)) // [batch, points]: |x-y|^2/sigma^2
	var logit *onnx.Value
	if math.IsInf(c.D, 1) {
		logit = g.Scale(ratio, -0.5)
	} else {
		logit = g.Scale(log1p(g, g.Scale(ratio, 1/c.D)), -(float64(c.Free)+c.D)/2)
	}
	if len(c.Labels) > 0 {
		label := g.Reshape(g.Input(sampler.InputLabel, onnx.Int64, onnx.Batch), onnx.Batch, 1)
		own := g.Equal(label, g.Ints(class...))
		any := g.Equal(label, g.Ints(int64(len(c.Labels))))
		logit = g.Where(g.Apply("Or", nil, 1, own, any)[0], logit, g.Scalar(-1e30))
	}
	den := g.MatMul(g.Softmax(logit, -1), y)
	g.Output(sampler.OutputDenoised, g.Reshape(den, shape...))
	model := g.Model("pfgmgen-posterior-"+c.Domain, producer)
	meta := c.Metadata()
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		model.SetMetadata(k, meta[k])
	}
	return model.Marshal()
}

// log1p is log(1+u) for u >= 0 with a small relative error at small u, in float32: u*log(w)/(w-1) with w = 1+u rounded,
// as the rounding error of w cancels (Kahan).
func log1p(g *onnx.Graph, u *onnx.Value) *onnx.Value {
	w := g.Shift(u, 1)
	above := g.Shift(w, -1)
	exact := g.Equal(above, g.Scalar(0))
	safe := g.Where(exact, g.Scalar(1), above)
	return g.Where(exact, u, g.Mul(u, g.Div(g.Log(w), safe)))
}
