package training

import (
	"fmt"
	"maps"
	"slices"

	"pfgmgen/internal/onnx"
	"pfgmgen/internal/onnx/onnxpb"
	"pfgmgen/sampler"
)

// Names of the tensors of the training step beside those of the model contract.
const (
	inClean    = "y"           // float32 [batch, shape...]: the data that x is a noisy version of
	inRate     = "lr"          // float32 []: learning rate with Adam's bias correction
	inEpsilon  = "epsilon"     // float32 []: Adam's epsilon with the same correction
	inEMA      = "ema_rate"    // float32 []: 1 - decay
	outLoss    = "loss"        // float32 []
	outNorm    = "grad_norm"   // float32 []: before clipping
	vecWeights = "weights"     // float32 [size], the four vectors of the state; outputs have the suffix _next
	vecMean    = "adam_mean"   // first moment
	vecSquare  = "adam_square" // second moment
	vecEMA     = "ema"         // moving average of the weights, the ones that are exported
	suffixNext = "_next"
)

// optimiser holds the constants of Adam and of the gradient clip.
type optimiser struct {
	beta1, beta2 float64
	clip         float64 // largest norm of a gradient; longer ones are scaled down to it
}

// slicesOf cuts the weight vector into the network's tensors.
func (a Architecture) slicesOf(g *onnx.Graph, vector *onnx.Value) weights {
	list := a.params()
	sizes := make([]int64, len(list))
	for i, p := range list {
		sizes[i] = p.size()
	}
	parts := g.Split(vector, 0, sizes...)
	next := 0
	return func(p param) *onnx.Value {
		v := g.Reshape(parts[next], p.shape...)
		next++
		return v
	}
}

// loss adds the PFGM++ objective: the mean over samples and present coordinates of lambda(sigma)*|Den(x, sigma) - y|^2,
// lambda = 1/c_out^2. It returns the loss and the weight vector that it is a function of.
func (a Architecture) loss(g *onnx.Graph, sigmaData float64) (loss, vector *onnx.Value) {
	x := g.Input(sampler.InputX, onnx.Float, a.batched()...)
	y := g.Input(inClean, onnx.Float, a.batched()...)
	sigma := g.Input(sampler.InputSigma, onnx.Float, onnx.Batch)
	label := a.labelInput(g)
	vector = g.Input(vecWeights, onnx.Float, a.Size())
	den := a.denoiser(g, a.slicesOf(g, vector), x, sigma, label, sigmaData)
	s := a.perSample(g, sigma)
	inverse := g.Div(g.Sqrt(g.Shift(g.Square(s), sigmaData*sigmaData)), g.Scale(s, sigmaData)) // 1/c_out
	square, axes := g.Square(g.Mul(g.Sub(den, y), inverse)), []int64{0}
	for i := range a.Shape {
		axes = append(axes, int64(1+i))
	}
	if a.Masked {
		return g.Div(g.ReduceSum(square, false, axes...), g.ReduceSum(a.present(g, x), false, axes...)), vector
	}
	return g.ReduceMean(square, false, axes...), vector
}

// lossModel is the forward pass alone: weights and a batch in, the loss out.
func (a Architecture) lossModel(sigmaData float64) ([]byte, error) {
	g := onnx.NewGraph()
	loss, _ := a.loss(g, sigmaData)
	g.Output(outLoss, loss)
	return g.Model("pfgmgen-loss", producer).Marshal()
}

// stepModel is one step of training as a graph: state and a batch in, the next state, the loss and the norm of the
// gradient out.
func (a Architecture) stepModel(sigmaData float64, o optimiser) ([]byte, error) {
	g := onnx.NewGraph()
	loss, w := a.loss(g, sigmaData)
	grad := g.Gradient(loss, w)[0]

	size := a.Size()
	m, v, ema := g.Input(vecMean, onnx.Float, size), g.Input(vecSquare, onnx.Float, size), g.Input(vecEMA, onnx.Float, size)
	rate, epsilon, emaRate := g.Input(inRate, onnx.Float), g.Input(inEpsilon, onnx.Float), g.Input(inEMA, onnx.Float)

	// The clip multiplies the gradient by shrink <= 1; it is folded into Adam's factors, as a pass over all weights costs
	// more than a scalar product.
	square := g.Square(grad)
	norm := g.Sqrt(g.ReduceSum(square, false, 0))
	shrink := g.Div(g.Scalar(float32(o.clip)), g.Max(norm, g.Scalar(float32(o.clip))))
	m = g.Add(g.Scale(m, o.beta1), g.Mul(grad, g.Scale(shrink, 1-o.beta1)))
	v = g.Add(g.Scale(v, o.beta2), g.Mul(square, g.Scale(g.Square(shrink), 1-o.beta2)))
	w = g.Sub(w, g.Div(g.Mul(m, rate), g.Add(g.Sqrt(v), epsilon)))
	ema = g.Add(ema, g.Mul(g.Sub(w, ema), emaRate))

	g.Output(outLoss, loss)
	g.Output(outNorm, norm)
	g.Output(vecWeights+suffixNext, w)
	g.Output(vecMean+suffixNext, m)
	g.Output(vecSquare+suffixNext, v)
	g.Output(vecEMA+suffixNext, ema)
	return g.Model("pfgmgen-step", producer).Marshal()
}

// Weights says how the numbers of an exported network are stored. The network computes in float32 all the same.
type Weights string

// Ways to store weights.
const (
	Float32 Weights = "fp32"
	Float16 Weights = "fp16" // half the size, rounded to 11 significant bits
)

// WeightsOf reads the weights of a model that Export wrote for this architecture. An error names the first tensor that is
// missing or has another shape.
func (a Architecture) WeightsOf(m *onnx.Model) ([]float32, error) {
	tensors := make(map[string]*onnxpb.TensorProto)
	for _, t := range m.Proto.Graph.Initializer {
		tensors[t.GetName()] = t
	}
	var vector []float32
	for _, p := range a.params() {
		t, ok := tensors[p.name]
		if !ok {
			return nil, fmt.Errorf("training: the model has no weights %q, so it is not a network of this kind and size", p.name)
		}
		dims := make([]int64, len(p.shape))
		for i, d := range p.shape {
			dims[i] = int64(d)
		}
		v, ok := onnx.Floats(t)
		if !ok || !slices.Equal(t.GetDims(), dims) || int64(len(v)) != p.size() {
			return nil, fmt.Errorf("training: the model's weights %q have the shape %v, want %v", p.name, t.GetDims(), dims)
		}
		vector = append(vector, v...)
	}
	return vector, nil
}

// Export is the model file of the network with the given weights: Den(x, sigma, label) with the contract in its
// metadata.
func (a Architecture) Export(vector []float32, c *sampler.Contract, stored Weights) ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := onnx.NewGraph()
	x := g.Input(sampler.InputX, onnx.Float, a.batched()...)
	sigma := g.Input(sampler.InputSigma, onnx.Float, onnx.Batch)
	label := a.labelInput(g)
	constants := func(p param) *onnx.Value {
		n := int(p.size())
		store := g.Floats
		if stored == Float16 {
			store = g.HalfFloats
		}
		v := store(p.name, vector[:n], p.shape...)
		vector = vector[n:]
		return v
	}
	g.Output(sampler.OutputDenoised, a.denoiser(g, constants, x, sigma, label, c.SigmaData))
	m := g.Model("pfgmgen-"+c.Domain, producer)
	if name, n := m.NonFinite(); n > 0 {
		return nil, fmt.Errorf("training: %d weights of %s cannot be stored as %s: they are not finite or beyond 65504", n, name, stored)
	}
	meta := c.Metadata()
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		m.SetMetadata(k, meta[k])
	}
	return m.Marshal()
}
