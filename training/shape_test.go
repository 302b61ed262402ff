package training

import (
	"context"
	"math"
	"slices"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

func TestPatchOfShape(t *testing.T) {
	for _, c := range []struct {
		shape         []int
		patch, tokens int
	}{
		{[]int{112, 5}, 2, 56},
		{[]int{64, 5}, 1, 64},
		{[]int{19, 30}, 1, 19},
		{[]int{165, 4}, 1, 165}, // odd: nothing else divides it
		{[]int{164, 21}, 4, 41},
		{[]int{292, 21}, 4, 73}, // at most 4, even if more tokens than wanted are left
		{[]int{1, 28, 28}, 4, 49},
		{[]int{3, 32, 32}, 4, 64},
		{[]int{1, 8, 8}, 1, 64},
	} {
		a, err := NewArchitecture("tiny", c.shape, 0)
		if err != nil {
			t.Fatal(err)
		}
		if a.Patch != c.patch || a.Tokens() != c.tokens {
			t.Errorf("%v: patches of %d make %d tokens, want %d and %d", c.shape, a.Patch, a.Tokens(), c.patch, c.tokens)
		}
	}
	for _, shape := range [][]int{nil, {4}, {1, 2, 3, 4}, {0, 3}, {1, -28, 28}} {
		if a, err := NewArchitecture("tiny", shape, 0); err == nil {
			t.Errorf("shape %v made %+v", shape, a)
		}
	}
}

// TestPatchesOfPictures: a token is a square of all channels, tokens go row by row, and join undoes cut.
func TestPatchesOfPictures(t *testing.T) {
	a := Architecture{Shape: []int{2, 4, 6}, Patch: 2, Width: 4, Depth: 1, Heads: 1}
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, a.batched()...)
	tokens := a.cut(g, x)
	g.Output("tokens", tokens)
	g.Output("back", a.join(g, tokens))
	model, err := g.Model("test", "").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := runtimeFor(t).NewSession(model, ort.SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 48
	in, cut, back := make([]float32, 2*n), make([]float32, 2*n), make([]float32, 2*n)
	for i := range in {
		in[i] = float32(i)
	}
	if err := s.Run(context.Background(), map[string]ort.Tensor{"x": {Shape: []int64{2, 2, 4, 6}, Data: in}},
		map[string]ort.Tensor{"tokens": {Shape: []int64{2, 6, 8}, Data: cut}, "back": {Shape: []int64{2, 2, 4, 6}, Data: back}}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(in, back) {
		t.Error("join does not undo cut")
	}
	// Token 4 of the second picture: rows 2 and 3, columns 2 and 3. A value is sample*48 + channel*24 + row*6 + column.
	want := []float32{62, 63, 68, 69, 86, 87, 92, 93}
	if got := cut[n+4*8 : n+5*8]; !slices.Equal(got, want) {
		t.Errorf("token 4 is %v, want %v", got, want)
	}
}

func masked(t *testing.T) Settings {
	t.Helper()
	s := small(t, 4, 2, 0)
	s.Architecture.Masked = true
	return s
}

// partial are records of which every other one ends after two positions.
type partial struct{ rows }

func (p partial) Encode(dst []float64, i int) int {
	label := p.rows.Encode(dst, i)
	if i%2 == 1 {
		clear(dst[4:])
	}
	return label
}

// TestMaskedNoise: absent coordinates get no noise, present ones do.
func TestMaskedNoise(t *testing.T) {
	s := masked(t)
	b := newBatch(&s)
	newBatches(&s, partial{white(64, 8, SigmaData, 1)}, purposeValid).fill(b, 0)
	for i, v := range b.x {
		absent := (i/8)%2 == 1 && i%8 >= 4
		if absent != (v == 0) || absent != (b.y[i] == 0) {
			t.Fatalf("sample %d, coordinate %d: x %g, y %g", i/8, i%8, v, b.y[i])
		}
	}
}

// TestMaskedLoss: the loss is a mean over the present coordinates, so with F = 0 it is what TestPreconditioning has for
// full samples. Tolerance as there.
func TestMaskedLoss(t *testing.T) {
	s := masked(t)
	s.Batch = 1
	tr := trainerFor(t, &s)
	b := newBatch(&s)
	const sigma = 0.7
	b.sigma[0] = sigma
	for i := range 4 {
		b.x[i] = 1
	}
	total := sigma*sigma + SigmaData*SigmaData
	cSkip := SigmaData * SigmaData / total
	want := total / (sigma * sigma * SigmaData * SigmaData) * cSkip * cSkip
	if got := tr.lossOf(t, b, newState(&s).w); math.Abs(got-want) > 1e-5*want {
		t.Errorf("loss %g, want %g", got, want)
	}
}

// TestMaskedModel: what is absent in x is exactly 0 in Den, the network sees how much there is, and a whole training
// step leaves finite weights.
func TestMaskedModel(t *testing.T) {
	s := masked(t)
	st := newState(&s)
	r := sampler.NewStream(5, 0, 0, 1000)
	for i := range st.w {
		st.w[i] += float32(0.1 * r.NormFloat64())
	}
	c := &sampler.Contract{Version: sampler.ContractVersion, Domain: "test", Shape: []int{4, 2}, Free: 8, D: 128, SigmaData: SigmaData,
		SigmaMin: 0.02, SigmaMax: 40, Rho: 5, Steps: 18, Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: sampler.MaskZeros, License: "none", Source: "test"}
	model, err := s.Architecture.Export(st.w, c, Float32)
	if err != nil {
		t.Fatal(err)
	}
	den, err := runtimeFor(t).Open(model, ort.SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer den.Close()
	x := append(slices.Clone(white(1, 8, 1, 6).data[0]), white(1, 8, 1, 6).data[0]...)
	clear(x[12:]) // the second sample is the first without its last two positions
	out := make([]float64, 16)
	if err := den.Denoise(context.Background(), out, x, 0.7, nil); err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if (v == 0) != (i >= 12) {
			t.Errorf("coordinate %d of Den is %g for x = %g", i, v, x[i])
		}
	}
	if slices.Equal(out[:4], out[8:12]) {
		t.Error("the network does not see that positions are absent")
	}
	tr := trainerFor(t, &s)
	b := newBatch(&s)
	newBatches(&s, partial{white(64, 8, SigmaData, 1)}, purposeNoise).fill(b, 0)
	loss, norm, err := tr.apply(context.Background(), st, b)
	if err != nil || !isFinite(loss) || !(norm > 0) {
		t.Errorf("a step gave loss %g, gradient %g, error %v", loss, norm, err)
	}
}

// TestHalfWeights: stored in 16 bits the network is the same to the rounding of its weights, 2^-11 each, and the file
// half as long.
func TestHalfWeights(t *testing.T) {
	s := small(t, 4, 2, 0)
	st := newState(&s)
	r := sampler.NewStream(5, 0, 0, 1000)
	for i := range st.w {
		st.w[i] += float32(0.1 * r.NormFloat64())
	}
	c := &sampler.Contract{Version: sampler.ContractVersion, Domain: "test", Shape: []int{4, 2}, Free: 8, D: 128, SigmaData: SigmaData,
		SigmaMin: 0.02, SigmaMax: 40, Rho: 5, Steps: 18, Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", License: "none", Source: "test"}
	x := white(1, 8, 1, 6).data[0]
	var out [2][]float64
	var bytes [2]int
	for i, stored := range []Weights{Float32, Float16} {
		model, err := s.Architecture.Export(st.w, c, stored)
		if err != nil {
			t.Fatal(err)
		}
		bytes[i] = len(model)
		den, err := runtimeFor(t).Open(model, ort.SessionOptions{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer den.Close()
		out[i] = make([]float64, 8)
		if err := den.Denoise(context.Background(), out[i], x, 0.7, nil); err != nil {
			t.Fatal(err)
		}
	}
	// Roundings of 1/2048 in each of about ten layers add up like a random walk; 1 % is three times that.
	for i := range x {
		if d := math.Abs(out[0][i] - out[1][i]); d > 0.01 || d == 0 {
			t.Errorf("coordinate %d: %g with 32 bits, %g with 16", i, out[0][i], out[1][i])
		}
	}
	if saved := bytes[0] - bytes[1]; saved < 2*s.Architecture.Size()*9/10 {
		t.Errorf("%d bytes with 16 bits, %d with 32", bytes[1], bytes[0])
	}
	st.w[0] = 1e6
	if _, err := s.Architecture.Export(st.w, c, Float16); err == nil {
		t.Error("a weight of 1e6 was stored as an infinity")
	}
}

// TestPairs: mirror shows a pair to its earlier position.
func TestPairs(t *testing.T) {
	a := Architecture{Shape: []int{4, 6}, Patch: 1, Width: 4, Depth: 1, Heads: 1, Pairs: Pairs{First: 1, Window: 2, Types: 2}}
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	g := onnx.NewGraph()
	g.Output("mirror", a.mirror(g, g.Input("x", onnx.Float, onnx.Batch, 4, 6)))
	model, err := g.Model("test", "").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := runtimeFor(t).NewSession(model, ort.SessionOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, up := make([]float32, 24), make([]float32, 16)
	for i := range x {
		x[i] = float32(i)
	}
	if err := s.Run(context.Background(), map[string]ort.Tensor{"x": {Shape: []int64{1, 4, 6}, Data: x}},
		map[string]ort.Tensor{"mirror": {Shape: []int64{1, 4, 4}, Data: up}}); err != nil {
		t.Fatal(err)
	}
	// Position i has from i+1 its channels 1 and 2, and from i+2 its channels 3 and 4.
	if want := []float32{7, 8, 15, 16, 13, 14, 21, 22, 19, 20, 0, 0, 0, 0, 0, 0}; !slices.Equal(up, want) {
		t.Errorf("mirror %v, want %v", up, want)
	}
	a.Pairs.Window = 4
	if err := a.Validate(); err == nil {
		t.Error("a window beyond the channels was accepted")
	}
}
