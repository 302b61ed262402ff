package training

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// Architecture is the shape of the token transformer: a DiT (arXiv 2212.09748) over tokens of neighbouring positions.
type Architecture struct {
	// Shape is that of a sample: [positions, channels] of a sequence, whose tokens are Patch neighbouring positions, or
	// [channels, height, width] of a picture, whose tokens are squares of Patch by Patch pixels.
	Shape   []int `json:"shape"`
	Patch   int   `json:"patch"`            // divides positions, or height and width
	Width   int   `json:"width"`            // numbers of a token inside the network
	Depth   int   `json:"depth"`            // blocks
	Heads   int   `json:"heads"`            // attention heads; divides Width
	Classes int   `json:"classes"`          // labels, 0 when unconditional
	Masked  bool  `json:"masked,omitempty"` // coordinates that are exactly 0 are absent (sampler.MaskZeros)
	Pairs   Pairs `json:"pairs,omitzero"`   // channels about pairs of positions
	Shared  bool  `json:"shared,omitempty"` // one matrix modulates all blocks, with a vector for each of them
}

// Pairs says which channels of a [positions, channels] sample are about two positions: channel First+(k-1)*Types+t of
// position i, for k = 1 to Window, is number t of the pair of i and i-k, such as the edge between two nodes. The sample
// holds a pair once; the network shows it to both positions. Its value is said by i alone: i knows of all its pairs with
// earlier positions, and so that it has one, which two voices for each pair were seen to forget. The zero value is none.
type Pairs struct {
	First  int `json:"first"`
	Window int `json:"window"`
	Types  int `json:"types"`
}

// sizes are those that NewArchitecture knows, smallest first.
var sizes = []struct {
	name                string
	width, depth, heads int
}{
	{"tiny", 48, 2, 2},
	{"small", 96, 4, 4},
	{"medium", 128, 6, 4},
	{"base", 192, 6, 6},
}

// Sizes lists the names that NewArchitecture takes, smallest first.
func Sizes() []string {
	names := make([]string, len(sizes))
	for i, s := range sizes {
		names[i] = s.name
	}
	return names
}

// A network's patch is the smallest that leaves at most maxTokens tokens, as attention costs their square, but not
// larger than maxPatch, as the network sees the inside of a token through one linear layer only.
const (
	maxTokens = 64
	maxPatch  = 4
)

// NewArchitecture returns the architecture of the given size for samples of shape [positions, channels] or
// [channels, height, width].
func NewArchitecture(size string, shape []int, classes int) (Architecture, error) {
	a := Architecture{Shape: slices.Clone(shape), Patch: 1, Classes: classes}
	if len(shape) != 2 && len(shape) != 3 {
		return a, fmt.Errorf("training: samples have the shape %v, the token transformer takes [positions, channels] or [channels, height, width]", shape)
	}
	for p := 1; p <= maxPatch; p *= 2 {
		if a.divides(p) {
			if a.Patch = p; a.Tokens() <= maxTokens {
				break
			}
		}
	}
	for _, s := range sizes {
		if s.name == size {
			a.Width, a.Depth, a.Heads = s.width, s.depth, s.heads
			return a, a.Validate()
		}
	}
	return a, fmt.Errorf("training: no size %q, want one of %s", size, strings.Join(Sizes(), ", "))
}

// Validate reports sizes that do not fit together.
func (a Architecture) Validate() error {
	positive := (len(a.Shape) == 2 || len(a.Shape) == 3) && a.Patch > 0 && a.Width > 0 && a.Depth > 0 && a.Heads > 0 && a.Classes >= 0
	for _, d := range a.Shape {
		positive = positive && d > 0
	}
	switch {
	case !positive:
		return fmt.Errorf("training: architecture %+v has a size that is not positive", a)
	case !a.divides(a.Patch):
		return fmt.Errorf("training: the patch %d does not divide the positions of samples of shape %v", a.Patch, a.Shape)
	case a.Pairs != Pairs{} && !a.pairsFit():
		return fmt.Errorf("training: pairs %+v do not fit samples of shape %v in patches of %d: want patches of 1 and channels that exist", a.Pairs, a.Shape, a.Patch)
	case a.Width%a.Heads != 0:
		return fmt.Errorf("training: width %d is not a multiple of the %d heads", a.Width, a.Heads)
	}
	return nil
}

func (a Architecture) pairsFit() bool {
	p := a.Pairs
	return len(a.Shape) == 2 && a.Patch == 1 && p.First >= 0 && p.Window > 0 && p.Window < a.Shape[0] && p.Types > 0 &&
		p.Types <= a.Shape[1] && p.First+p.Window*p.Types <= a.Shape[1]
}

// divides says whether samples can be cut into patches of p.
func (a Architecture) divides(p int) bool {
	if len(a.Shape) == 2 {
		return a.Shape[0]%p == 0
	}
	return a.Shape[1]%p == 0 && a.Shape[2]%p == 0
}

// coordinates is the number of numbers of one sample.
func (a Architecture) coordinates() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Tokens is the length of the sequence that the transformer sees.
func (a Architecture) Tokens() int {
	if len(a.Shape) == 2 {
		return a.Shape[0] / a.Patch
	}
	return a.Shape[1] / a.Patch * (a.Shape[2] / a.Patch)
}

// tokenSize is the number of coordinates of one token.
func (a Architecture) tokenSize() int { return a.coordinates() / a.Tokens() }

// batched is the shape of a tensor of samples.
func (a Architecture) batched() []int { return append([]int{onnx.Batch}, a.Shape...) }

// cut makes tokens of samples: [batch, shape...] to [batch, tokens, tokenSize].
func (a Architecture) cut(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	if len(a.Shape) == 3 {
		c, h, w, p := a.Shape[0], a.Shape[1], a.Shape[2], a.Patch
		x = g.Transpose(g.Reshape(x, onnx.Batch, c, h/p, p, w/p, p), 0, 2, 4, 1, 3, 5)
	}
	return g.Reshape(x, onnx.Batch, a.Tokens(), a.tokenSize())
}

// join is the inverse of cut.
func (a Architecture) join(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	if len(a.Shape) == 3 {
		c, h, w, p := a.Shape[0], a.Shape[1], a.Shape[2], a.Patch
		x = g.Transpose(g.Reshape(x, onnx.Batch, h/p, w/p, c, p, p), 0, 3, 1, 4, 2, 5)
	}
	return g.Reshape(x, a.batched()...)
}

// frequencies is the number of sines, and of cosines, that describe the noise level to the network.
const frequencies = 16

// normEpsilon keeps the normalisation of a constant token finite.
const normEpsilon = 1e-5

// A param describes one weight tensor of a network.
type param struct {
	name  string
	shape []int
	std   float64 // of its initial values, 0 for zeros
}

func (p param) size() int64 {
	n := int64(1)
	for _, d := range p.shape {
		n *= int64(d)
	}
	return n
}

// weights gives the network its next weight tensor. The network asks for them in the order of params: for slices of the
// weight vector in training, for constants in an exported model.
type weights func(p param) *onnx.Value

// params lists the weights of the network in the order in which they lie in the weight vector.
func (a Architecture) params() []param {
	var list []param
	g := onnx.NewGraph()
	a.network(g, func(p param) *onnx.Value {
		list = append(list, p)
		return g.Input(p.name, onnx.Float, p.shape...)
	}, g.Input("x", onnx.Float, a.batched()...), g.Input("c_noise", onnx.Float, onnx.Batch, 1), a.labelInput(g))
	return list
}

func (a Architecture) labelInput(g *onnx.Graph) *onnx.Value {
	if a.Classes == 0 {
		return nil
	}
	return g.Input(sampler.InputLabel, onnx.Int64, onnx.Batch)
}

// Size is the number of weights.
func (a Architecture) Size() int {
	n := int64(0)
	for _, p := range a.params() {
		n += p.size()
	}
	return int(n)
}

// network is F(x, c_noise, label): x is [batch, shape...] scaled to unit variance, cNoise [batch, 1].
//
// When the architecture is masked, each token is told whether it has any coordinate that is not exactly 0, and the result
// is 0 wherever x is.
//
// Each block normalises its input, shifts and scales it by amounts that depend on the noise level and the label, applies
// attention or a two-layer perceptron, and adds the result through a gate. A shared modulation (arXiv 2310.00426) is a
// quarter of the weights fewer at the same loss where it was tried (molecules). Gates and the last layer start at zero, so
// the untrained network is F = 0 and Den = c_skip*x.
func (a Architecture) network(g *onnx.Graph, w weights, x, cNoise, label *onnx.Value) *onnx.Value {
	tokens, width := a.Tokens(), a.Width
	linear := func(name string, v *onnx.Value, in, out int, std float64) *onnx.Value {
		weight := w(param{name + ".weight", []int{in, out}, std})
		return g.Linear(v, weight, w(param{name + ".bias", []int{out}, 0}))
	}
	fanIn := func(in int) float64 { return 1 / math.Sqrt(float64(in)) }

	cond := linear("noise.1", a.noiseFeatures(g, cNoise), 2*frequencies, width, fanIn(2*frequencies))
	cond = linear("noise.2", g.SiLU(cond), width, width, fanIn(width))
	if label != nil {
		table := w(param{"label.weight", []int{a.Classes + 1, width}, 0.5})
		cond = g.Add(cond, g.Gather(table, label, 0))
	}
	cond = g.SiLU(cond)

	ones := make([]float32, width)
	for i := range ones {
		ones[i] = 1
	}
	unit := g.Floats("unit", ones, width)
	// modulate normalises v and applies the shift and the scale of one sublayer.
	modulate := func(v, shift, scale *onnx.Value) *onnx.Value {
		return g.Add(g.Mul(g.LayerNorm(v, unit, nil, normEpsilon), g.Shift(scale, 1)), shift)
	}
	// split cuts [batch, n*width] into n of [batch, 1, width].
	split := func(v *onnx.Value, n int) []*onnx.Value {
		sizes := make([]int64, n)
		for i := range sizes {
			sizes[i] = int64(width)
		}
		return g.Split(g.Reshape(v, onnx.Batch, 1, n*width), 2, sizes...)
	}
	modulation := func(name string, n int) []*onnx.Value { return split(linear(name, cond, width, n*width, 0), n) }

	patch, in := a.tokenSize(), a.cut(g, x)
	features := patch
	var present *onnx.Value // 1 where a coordinate is, 0 where it is absent
	if a.Masked {
		present = a.present(g, in)
		in = g.Concat(2, in, g.Min(g.ReduceSum(present, true, 2), g.Scalar(1)))
		features++
	}
	if p := a.Pairs; p.Window > 0 {
		in = g.Concat(2, in, a.mirror(g, in))
		features += p.Window * p.Types
	}
	var shared *onnx.Value
	if a.Shared {
		shared = linear("modulation", cond, width, 6*width, 0)
	}
	h := linear("embed", in, features, width, fanIn(patch))
	h = g.Add(h, w(param{"position", []int{tokens, width}, 0.3}))
	for i := range a.Depth {
		name := fmt.Sprintf("block.%d.", i)
		var m []*onnx.Value
		if a.Shared {
			m = split(g.Add(shared, w(param{name + "modulation", []int{1, 6 * width}, 0})), 6)
		} else {
			m = modulation(name+"modulation", 6)
		}
		h = g.Add(h, g.Mul(m[2], a.attention(g, linear, name, modulate(h, m[0], m[1]))))
		up := linear(name+"mlp.1", modulate(h, m[3], m[4]), width, 4*width, fanIn(width))
		h = g.Add(h, g.Mul(m[5], linear(name+"mlp.2", g.SiLU(up), 4*width, width, fanIn(4*width))))
	}
	m := modulation("out.modulation", 2)
	out := linear("out", modulate(h, m[0], m[1]), width, patch, 0)
	if a.Masked {
		out = g.Mul(out, present)
	}
	return a.join(g, out)
}

// mirror gives each position the channels of its pairs with later positions: number (k-1)*Types+t of position i is what
// position i+k holds of the pair, 0 past the end.
func (a Architecture) mirror(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	p, n := a.Pairs, a.Shape[0]
	parts := make([]*onnx.Value, p.Window)
	for i := range parts {
		k := i + 1
		v := g.Slice(x, 2, p.First+i*p.Types, p.First+k*p.Types, 1)
		parts[i] = g.Concat(1, g.Slice(v, 1, k, n, 1), g.Scale(g.Slice(v, 1, 0, k, 1), 0))
	}
	return g.Concat(2, parts...)
}

// present is 1 where x is not exactly 0.
func (a Architecture) present(g *onnx.Graph, x *onnx.Value) *onnx.Value {
	return g.Cast(g.Greater(g.Abs(x), g.Scalar(0)), onnx.Float)
}

// noiseFeatures are sines and cosines of c_noise at frequencies from 1 to 64, evenly spaced in their logarithm.
func (a Architecture) noiseFeatures(g *onnx.Graph, cNoise *onnx.Value) *onnx.Value {
	f := make([]float32, frequencies)
	for i := range f {
		f[i] = float32(math.Pow(64, float64(i)/(frequencies-1)))
	}
	phase := g.Mul(cNoise, g.Floats("frequencies", f, 1, frequencies))
	return g.Concat(1, g.Sin(phase), g.Cos(phase))
}

// attention is multi-head self-attention without a mask: [batch, tokens, width] to the same.
func (a Architecture) attention(g *onnx.Graph, linear func(string, *onnx.Value, int, int, float64) *onnx.Value, name string, x *onnx.Value) *onnx.Value {
	head := a.Width / a.Heads
	std := 1 / math.Sqrt(float64(a.Width))
	// One transposition makes [3, batch, heads, tokens, head], so that queries, keys and values are contiguous pieces.
	all := g.Reshape(linear(name+"qkv", x, a.Width, 3*a.Width, std), onnx.Batch, a.Tokens(), 3, a.Heads, head)
	qkv := g.Split(g.Transpose(all, 2, 0, 3, 1, 4), 0, 1, 1, 1)
	part := func(i int) *onnx.Value { return g.Reshape(qkv[i], onnx.Batch, a.Heads, a.Tokens(), head) }
	q, k, v := g.Scale(part(0), 1/math.Sqrt(float64(head))), g.Transpose(part(1), 0, 1, 3, 2), part(2)
	mix := g.MatMul(g.Softmax(g.MatMul(q, k), -1), v)
	return linear(name+"attention", g.Reshape(g.Transpose(mix, 0, 2, 1, 3), onnx.Batch, a.Tokens(), a.Width), a.Width, a.Width, std)
}

// denoiser is Den(x, sigma, label) with the EDM preconditioning of science.md 1.6 around the network.
// x is [batch, shape...], sigma [batch].
func (a Architecture) denoiser(g *onnx.Graph, w weights, x, sigma, label *onnx.Value, sigmaData float64) *onnx.Value {
	column := g.Reshape(sigma, onnx.Batch, 1)
	s := a.perSample(g, sigma)
	total := g.Shift(g.Square(s), sigmaData*sigmaData) // sigma^2 + sigma_data^2
	root := g.Sqrt(total)
	cSkip := g.Div(g.Scalar(float32(sigmaData*sigmaData)), total)
	cOut := g.Div(g.Scale(s, sigmaData), root)
	cNoise := g.Scale(g.Log(column), 0.25)
	f := a.network(g, w, g.Div(x, root), cNoise, label)
	return g.Add(g.Mul(cSkip, x), g.Mul(cOut, f))
}

// perSample gives [batch] the rank of a batch of samples.
func (a Architecture) perSample(g *onnx.Graph, v *onnx.Value) *onnx.Value {
	shape := []int{onnx.Batch}
	for range a.Shape {
		shape = append(shape, 1)
	}
	return g.Reshape(v, shape...)
}
