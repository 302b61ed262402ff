package ort

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"pfgmgen/internal/onnx"
	"pfgmgen/internal/onnx/onnxpb"
)

// TestBadModels: each is refused before any work, and the message names what is wrong.
func TestBadModels(t *testing.T) {
	plain, labelled := contract(4, 1), contract(4, 1, "a", "b")
	// swap draws the Gaussian denoiser with inputs and an output of the test's choosing.
	swap := func(x, sigma []int, xType, sigmaType onnx.DType, xName, out string) func(g *onnx.Graph) {
		return func(g *onnx.Graph) {
			a, b := g.Input(xName, xType, x...), g.Input("sigma", sigmaType, sigma...)
			y := g.Mul(g.Cast(a, onnx.Float), g.ReduceSum(g.Cast(b, onnx.Float), false, 0))
			g.Output(out, y)
		}
	}
	good, batch := []int{onnx.Batch, 4}, []int{onnx.Batch}
	f32, f64 := onnx.Float, onnx.Double
	masked := contract(4, 1)
	masked.Mask = "mask_input"
	damaged := func(key, value string) []byte {
		g := onnx.NewGraph()
		gaussian(g, plain)
		m := g.Model("test", "")
		for k, v := range plain.Metadata() {
			m.SetMetadata(k, v)
		}
		m.SetMetadata(key, value)
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	outside := func() []byte {
		g := onnx.NewGraph()
		gaussian(g, plain)
		m := g.Model("test", "")
		for k, v := range plain.Metadata() {
			m.SetMetadata(k, v)
		}
		w := m.Proto.Graph.Initializer[0]
		w.Name, w.RawData, w.DataLocation = proto.String("far"), nil, onnxpb.TensorProto_EXTERNAL.Enum()
		w.ExternalData = []*onnxpb.StringStringEntryProto{{Key: proto.String("location"), Value: proto.String("weights.bin")}}
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	whole := encode(t, plain, func(g *onnx.Graph) { gaussian(g, plain) })
	nan := float32(math.NaN())
	for _, test := range []struct {
		name  string
		model []byte
		want  []string // parts of the message
	}{
		{"empty", nil, []string{"not an ONNX model"}},
		{"text", []byte(">seq1\nGCGGAUUUAGCUC\n"), []string{"not an ONNX model"}},
		{"truncated", whole[:len(whole)-1], []string{"not an ONNX model", "truncated"}},
		{"no metadata", encode(t, nil, func(g *onnx.Graph) { gaussian(g, plain) }), []string{"no pfgmgen metadata"}},
		{"malformed metadata", damaged("pfgmgen.d", "many"), []string{"pfgmgen.d", `"many"`}},
		{"impossible metadata", damaged("pfgmgen.sigma_min", "90"), []string{"sigma_min 90", "sigma_max 50"}},
		{"later contract", damaged("pfgmgen.version", "2"), []string{"version is 2", "reads 1"}},
		{"other shape", damaged("pfgmgen.shape", "5"), []string{`input "x" has the shape [-1 4]`, "want [batch 5]"}},
		{"no x", encode(t, plain, swap(good, batch, f32, f32, "noisy", "denoised")), []string{`no input "x"`, `"noisy"`}},
		{"no output", encode(t, plain, swap(good, batch, f32, f32, "x", "eps")), []string{`no output "denoised"`, `"eps"`}},
		{"x float64", encode(t, plain, swap(good, batch, f64, f32, "x", "denoised")), []string{`input "x" is float64, want float32`}},
		{"sigma float64", encode(t, plain, swap(good, batch, f32, f64, "x", "denoised")), []string{`input "sigma" is float64, want float32`}},
		{"x of rank 3", encode(t, plain, swap([]int{onnx.Batch, 2, 2}, batch, f32, f32, "x", "denoised")), []string{`input "x" has 3 dimensions`, "want [batch 4]"}},
		{"sigma of rank 2", encode(t, plain, swap(good, []int{onnx.Batch, 1}, f32, f32, "x", "denoised")), []string{`input "sigma" has 2 dimensions`, "want [batch]"}},
		{"fixed batch", encode(t, plain, swap([]int{8, 4}, []int{8}, f32, f32, "x", "denoised")), []string{`"x" has a fixed batch of 8`, `"sigma" has a fixed batch of 8`, `"denoised" has a fixed batch`}},
		{"labels without input", encode(t, labelled, func(g *onnx.Graph) { gaussian(g, plain) }), []string{`no input "label"`}},
		{"input without labels", encode(t, plain, func(g *onnx.Graph) { gaussian(g, labelled) }), []string{`an input "label"`, "no labels"}},
		{"extra input", encode(t, plain, func(g *onnx.Graph) {
			gaussian(g, plain)
			g.Output("echo", g.Input("context", onnx.Float, onnx.Batch, 7))
		}), []string{`input "context" that nothing feeds`}},
		{"mask", encode(t, masked, func(g *onnx.Graph) { gaussian(g, plain) }), []string{`mask "mask_input"`}},
		{"NaN weight", encode(t, plain, func(g *onnx.Graph) {
			x := g.Input("x", f32, good...)
			g.Output("unused", g.Input("sigma", f32, batch...))
			g.Output("denoised", g.Mul(x, g.Floats("out.w", []float32{1, 1, nan, 1}, 4)))
		}), []string{`"out.w"`, "NaN"}},
		{"weights in another file", outside(), []string{`"far" in another file`, "one file"}},
		{"NaN output", encode(t, plain, func(g *onnx.Graph) {
			g.Output("unused", g.Input("sigma", f32, batch...))
			g.Output("denoised", g.Sqrt(g.Input("x", f32, good...)))
		}), []string{`output "denoised" is NaN`, "sigma 50"}},
		{"infinite output", encode(t, plain, func(g *onnx.Graph) {
			g.Output("unused", g.Input("sigma", f32, batch...))
			g.Output("denoised", g.Exp(g.Scale(g.Input("x", f32, good...), 1e6)))
		}), []string{`output "denoised" is +Inf`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, err := load(t).Open(test.model, SessionOptions{})
			if err == nil {
				d.Close()
				t.Fatal("the model was taken")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("message %q lacks %q", err, part)
				}
			}
			if !errors.Is(err, ErrModel) && !errors.Is(err, onnx.ErrNotONNX) {
				t.Errorf("%v is neither ErrModel nor onnx.ErrNotONNX", err)
			}
		})
	}
}

// TestUnknownOperator: a model that is whole but that the runtime cannot run.
func TestUnknownOperator(t *testing.T) {
	c := contract(4, 1)
	m, err := onnx.Parse(encode(t, c, func(g *onnx.Graph) { gaussian(g, c) }))
	if err != nil {
		t.Fatal(err)
	}
	op := "Denoisify"
	m.Proto.Graph.Node[0].OpType = &op
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = load(t).Open(b, SessionOptions{}); err == nil || !strings.Contains(err.Error(), op) {
		t.Errorf("got %v, want an error that names the operator %s", err, op)
	}
}

// TestOpenWith: a model without metadata runs under a contract of the caller's, which is checked as well.
func TestOpenWith(t *testing.T) {
	c := contract(4, 1)
	model := encode(t, nil, func(g *onnx.Graph) { gaussian(g, c) })
	d, err := load(t).OpenWith(model, c, SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, want := d.Info(), c.Info(); got != want {
		t.Errorf("info %+v, want %+v", got, want)
	}
	wrong := contract(5, 1)
	if _, err := load(t).OpenWith(model, wrong, SessionOptions{}); !errors.Is(err, ErrModel) {
		t.Errorf("a contract of 5 numbers for a model of 4: %v", err)
	}
	wrong.SigmaMax = math.NaN()
	if _, err := load(t).OpenWith(model, wrong, SessionOptions{}); err == nil || !strings.Contains(err.Error(), "sigma_max") {
		t.Errorf("a contract with sigma_max NaN: %v", err)
	}
}

// TestFreeDimensions: a port whose inner dimensions the file leaves open is judged by what it gives.
func TestFreeDimensions(t *testing.T) {
	build := func(g *onnx.Graph) {
		x, sigma := g.Input("x", onnx.Float, onnx.Batch, onnx.Batch), g.Input("sigma", onnx.Float, onnx.Batch)
		g.Output("denoised", g.Mul(x, g.Reshape(g.Div(g.Scalar(1), g.Shift(sigma, 1)), onnx.Batch, 1)))
	}
	c := contract(4, 1)
	d, err := load(t).Open(encode(t, c, build), SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Session().Inputs()[0].Shape; got[1] != -1 {
		t.Fatalf("the model is not what this test wants: shape %v", got)
	}
	y := make([]float64, 8)
	if err := d.Denoise(context.Background(), y, []float64{1, 2, 3, 4, 5, 6, 7, 8}, 1, nil); err != nil || y[7] != 4 {
		t.Errorf("got %v (%v), want half of 1 to 8", y, err)
	}
	doubled := func(g *onnx.Graph) {
		x := g.Input("x", onnx.Float, onnx.Batch, onnx.Batch)
		g.Output("denoised", g.Concat(0, x, x))
		g.Output("unused", g.Input("sigma", onnx.Float, onnx.Batch))
	}
	if _, err := load(t).Open(encode(t, c, doubled), SessionOptions{}); !errors.Is(err, ErrModel) {
		t.Errorf("a model that gives 8 numbers for 4: %v", err)
	}
}
