package onnx_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler/ort"
)

// runtimeFor loads ONNX Runtime; a machine without it fails the test and says how to get it.
func runtimeFor(t *testing.T) *ort.Runtime {
	t.Helper()
	rt, err := ort.Load("")
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// A gradient case builds y = f(inputs); the loss that is differentiated is sum(y * fixed random weights).
type gradCase struct {
	name   string
	shapes [][]onnx.Dim // of the float32 inputs; -k is k times a batch of 3
	low    float64      // inputs are uniform in [low, high]
	high   float64
	build  func(g *onnx.Graph, in []*onnx.Value) *onnx.Value
}

func unary(name string, low, high float64, f func(*onnx.Graph, *onnx.Value) *onnx.Value) gradCase {
	return gradCase{name, [][]onnx.Dim{{onnx.Batch, 4}}, low, high,
		func(g *onnx.Graph, in []*onnx.Value) *onnx.Value { return f(g, in[0]) }}
}

func twoInputs(name string, a, b []onnx.Dim, f func(*onnx.Graph, *onnx.Value, *onnx.Value) *onnx.Value) gradCase {
	return gradCase{name, [][]onnx.Dim{a, b}, 0.5, 2,
		func(g *onnx.Graph, in []*onnx.Value) *onnx.Value { return f(g, in[0], in[1]) }}
}

func gradCases() []gradCase {
	b := onnx.Batch
	type G = onnx.Graph
	type V = onnx.Value
	cases := []gradCase{
		unary("Neg", -2, 2, (*G).Neg),
		unary("Exp", -2, 2, (*G).Exp),
		unary("Log", 0.5, 2, (*G).Log),
		unary("Sqrt", 0.5, 2, (*G).Sqrt),
		unary("Sin", -2, 2, (*G).Sin),
		unary("Cos", -2, 2, (*G).Cos),
		unary("Sigmoid", -2, 2, (*G).Sigmoid),
		unary("Tanh", -2, 2, (*G).Tanh),
		unary("Erf", -2, 2, (*G).Erf),
		unary("Relu", 0.1, 2, (*G).Relu),
		unary("Relu below zero", -2, -0.1, (*G).Relu),
		unary("Abs", -2, -0.1, (*G).Abs),
		unary("Reciprocal", 0.5, 2, func(g *G, v *V) *V { return g.Apply("Reciprocal", nil, 1, v)[0] }),
		unary("Identity", -2, 2, func(g *G, v *V) *V { return g.Apply("Identity", nil, 1, v)[0] }),
		unary("SiLU", -2, 2, (*G).SiLU),
		unary("GELU", -2, 2, (*G).GELU),
		unary("TanhGELU", -2, 2, (*G).TanhGELU),
		unary("Square", -2, 2, (*G).Square),
		unary("Softmax", -2, 2, func(g *G, v *V) *V { return g.Softmax(v, -1) }),
		unary("Softmax over the batch", -2, 2, func(g *G, v *V) *V { return g.Softmax(v, 0) }),
		unary("RMSNorm", -2, 2, func(g *G, v *V) *V { return g.RMSNorm(v, nil, 1e-5) }),
		unary("Reshape", -2, 2, func(g *G, v *V) *V { return g.Exp(g.Reshape(v, -2, 2)) }),
		unary("Transpose", -2, 2, func(g *G, v *V) *V { return g.Transpose(g.Exp(g.Reshape(v, b, 2, 2)), 2, 0, 1) }),
		unary("Expand", -2, 2, func(g *G, v *V) *V {
			row := g.ReduceSum(v, true, 0)
			return g.Mul(g.Expand(row, v), v)
		}),
		unary("ReduceSum keep", -2, 2, func(g *G, v *V) *V { return g.Square(g.ReduceSum(v, true, 1)) }),
		unary("ReduceSum drop", -2, 2, func(g *G, v *V) *V { return g.Square(g.ReduceSum(v, false, 0)) }),
		unary("ReduceMean fixed", -2, 2, func(g *G, v *V) *V { return g.Square(g.ReduceMean(v, true, -1)) }),
		unary("ReduceMean over the batch", -2, 2, func(g *G, v *V) *V { return g.Square(g.ReduceMean(v, false, 0, 1)) }),
		unary("Slice", -2, 2, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, 1, 3, 1)) }),
		unary("Slice by twos", -2, 2, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, 0, 4, 2)) }),
		unary("Slice backwards", -2, 2, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, -1, -5, -1)) }),
		unary("Pad", -2, 2, func(g *G, v *V) *V {
			return g.Exp(g.Apply("Pad", nil, 1, v, g.Ints(0, 1, 0, 2))[0])
		}),
		unary("Split", -2, 2, func(g *G, v *V) *V {
			p := g.Split(v, 1, 1, 2, 1)
			return g.Mul(p[0], g.Square(p[1])) // the third part is not used: its derivative is zero
		}),
		unary("used twice", -2, 2, func(g *G, v *V) *V { return g.Add(g.Exp(v), g.Mul(v, g.Sin(v))) }),
		unary("Cast", -2, 2, func(g *G, v *V) *V { return g.Square(g.Cast(v, onnx.Float)) }),
		unary("Where", -2, 2, func(g *G, v *V) *V {
			mask := g.Greater(g.Floats("mask", []float32{1, -1, 1, -1}, 4), g.Scalar(0))
			return g.Where(mask, g.Exp(v), g.Square(v))
		}),
		unary("Gather with a repeat", -2, 2, func(g *G, v *V) *V {
			table := g.ReduceSum(v, false, 0)
			return g.Square(g.Gather(table, g.Ints(0, 2, 2, 3, 0), 0))
		}),
		{"Gather rows", [][]onnx.Dim{{5, 3}}, -2, 2, func(g *G, in []*V) *V {
			return g.Exp(g.Gather(in[0], g.Ints(4, 1, 1), 0))
		}},
		{"Gather columns", [][]onnx.Dim{{2, 5, 3}}, -2, 2, func(g *G, in []*V) *V {
			return g.Exp(g.Gather(in[0], g.Reshape(g.Ints(4, 1, 1, 0), 2, 2), 1))
		}},
		{"LayerNorm", [][]onnx.Dim{{b, 2, 5}, {5}, {5}}, -2, 2, func(g *G, in []*V) *V {
			return g.LayerNorm(in[0], in[1], in[2], 1e-5)
		}},
		{"LayerNorm with unit scale", [][]onnx.Dim{{b, 5}}, -2, 2, func(g *G, in []*V) *V {
			return g.LayerNorm(in[0], g.Floats("unit", []float32{1, 1, 1, 1, 1}, 5), nil, 1e-5)
		}},
		{"Linear", [][]onnx.Dim{{b, 2, 3}, {3, 4}, {4}}, -2, 2, func(g *G, in []*V) *V {
			return g.Square(g.Linear(in[0], in[1], in[2]))
		}},
		{"Concat", [][]onnx.Dim{{b, 2}, {b, 3}}, -2, 2, func(g *G, in []*V) *V {
			return g.Square(g.Concat(1, in[0], in[1]))
		}},
		twoInputs("Add", []onnx.Dim{b, 4}, []onnx.Dim{4}, (*G).Add),
		twoInputs("Sub", []onnx.Dim{b, 4}, []onnx.Dim{1, 4}, (*G).Sub),
		twoInputs("Sub from a row", []onnx.Dim{4}, []onnx.Dim{b, 4}, (*G).Sub),
		twoInputs("Mul", []onnx.Dim{b, 4}, []onnx.Dim{b, 1}, (*G).Mul),
		twoInputs("Mul by a scalar", []onnx.Dim{b, 4}, nil, (*G).Mul),
		twoInputs("Div", []onnx.Dim{b, 1, 4}, []onnx.Dim{2, 1}, (*G).Div),
		{"Min", [][]onnx.Dim{{b, 4}, {b, 4}}, -2, 2, func(g *G, in []*V) *V { return g.Min(in[0], g.Shift(in[1], 0.37)) }},
		{"Max", [][]onnx.Dim{{b, 4}, {b, 4}}, -2, 2, func(g *G, in []*V) *V { return g.Max(in[0], g.Shift(in[1], 0.37)) }},
		twoInputs("MatMul", []onnx.Dim{b, 2, 3}, []onnx.Dim{b, 3, 4}, (*G).MatMul),
		twoInputs("MatMul by one matrix", []onnx.Dim{b, 2, 3}, []onnx.Dim{3, 4}, (*G).MatMul),
		twoInputs("MatMul with broadcast", []onnx.Dim{b, 1, 2, 3}, []onnx.Dim{2, 3, 4}, (*G).MatMul),
	}
	for i := range 4 {
		tA, tB := i&1 == 1, i&2 == 2
		a, w := []onnx.Dim{2, 3}, []onnx.Dim{3, 4}
		if tA {
			a = []onnx.Dim{3, 2}
		}
		if tB {
			w = []onnx.Dim{4, 3}
		}
		cases = append(cases, gradCase{fmt.Sprintf("Gemm transA=%v transB=%v", tA, tB), [][]onnx.Dim{a, w, {4}}, -2, 2,
			func(g *G, in []*V) *V { return g.Gemm(in[0], in[1], in[2], tA, tB) }})
	}
	return cases
}

const testBatch = 3

func concrete(shape []onnx.Dim) []int64 {
	out := make([]int64, len(shape))
	for i, d := range shape {
		if out[i] = int64(d); d < 0 {
			out[i] = int64(-d) * testBatch
		}
	}
	return out
}

func count(shape []int64) int {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	return int(n)
}

// TestGradients compares the derivative of every operator with central differences, both computed by ONNX Runtime in
// float32, and the inferred shape with that of ONNX Runtime. With h = 2^-7 the truncation error of the difference is
// about h^2/6 = 1e-5 times the third derivative and its rounding error about 1e-7/h = 1e-5 times the loss, both of order
// 10: 2e-3 of the largest derivative is a tolerance that no wrong formula passes.
func TestGradients(t *testing.T) {
	rt := runtimeFor(t)
	const h, tolerance = 1.0 / 128, 2e-3
	for _, test := range append(gradCases(), cornerCases()...) {
		t.Run(test.name, func(t *testing.T) {
			g := onnx.NewGraph()
			r := rand.New(rand.NewPCG(1, 1))
			var in []*onnx.Value
			data := make([][]float32, len(test.shapes))
			for i, shape := range test.shapes {
				in = append(in, g.Input(fmt.Sprint("in", i), onnx.Float, shape...))
				data[i] = make([]float32, count(concrete(shape)))
				for j := range data[i] {
					data[i][j] = float32(test.low + (test.high-test.low)*r.Float64())
				}
			}
			y := test.build(g, in)
			weights := g.Input("weights", onnx.Float, y.Shape...)
			all := make([]int64, y.Rank())
			for i := range all {
				all[i] = int64(i)
			}
			loss := g.ReduceSum(g.Mul(y, weights), false, all...)
			grads := g.Gradient(loss, in...)
			g.Output("loss", loss)
			g.Output("y", y) // ONNX Runtime compares the inferred shape with its own
			for i, d := range grads {
				g.Output(fmt.Sprint("grad", i), d)
			}
			w := make([]float32, count(concrete(y.Shape)))
			for i := range w {
				w[i] = float32(r.NormFloat64())
			}
			model, err := g.Model(test.name, "test").Marshal()
			if err != nil {
				t.Fatal(err)
			}
			s, err := rt.NewSession(model, ort.SessionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()

			eval := func() (float64, [][]float32) {
				feed := map[string]ort.Tensor{"weights": {Shape: concrete(y.Shape), Data: w}}
				value := make([]float32, 1)
				out := map[string]ort.Tensor{"loss": {Shape: []int64{}, Data: value}, "y": {Shape: concrete(y.Shape), Data: make([]float32, len(w))}}
				got := make([][]float32, len(in))
				for i, shape := range test.shapes {
					got[i] = make([]float32, len(data[i]))
					feed[fmt.Sprint("in", i)] = ort.Tensor{Shape: concrete(shape), Data: data[i]}
					out[fmt.Sprint("grad", i)] = ort.Tensor{Shape: concrete(shape), Data: got[i]}
				}
				if err := s.Run(context.Background(), feed, out); err != nil {
					t.Fatal(err)
				}
				return float64(value[0]), got
			}
			_, got := eval()
			largest, moving := 0.0, false
			for i := range data {
				for _, d := range got[i] {
					largest = math.Max(largest, math.Abs(float64(d)))
				}
			}
			for i := range data {
				for j := range data[i] {
					old := data[i][j]
					data[i][j] = old + h
					up, _ := eval()
					data[i][j] = old - h
					down, _ := eval()
					data[i][j] = old
					want := (up - down) / (2 * h)
					moving = moving || math.Abs(want) > tolerance
					if diff := math.Abs(float64(got[i][j]) - want); !(diff <= tolerance*math.Max(1, largest)) {
						t.Errorf("d loss / d in%d[%d] is %g, central difference %g", i, j, got[i][j], want)
					}
				}
			}
			if !moving && test.name != "Relu below zero" {
				t.Error("the loss does not move with any input: the case tests nothing")
			}
		})
	}
}

// TestGradientOfNothing: a value that the loss does not depend on gets zeros of its shape.
func TestGradientOfNothing(t *testing.T) {
	rt := runtimeFor(t)
	g := onnx.NewGraph()
	a, b := g.Input("a", onnx.Float, onnx.Batch, 2), g.Input("b", onnx.Float, onnx.Batch, 3)
	loss := g.ReduceSum(a, false, 0, 1)
	g.Output("loss", loss)
	g.Output("grad", g.Gradient(loss, b)[0])
	model, err := g.Model("nothing", "test").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	s, err := rt.NewSession(model, ort.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	grad := []float32{9, 9, 9, 9, 9, 9}
	err = s.Run(context.Background(),
		map[string]ort.Tensor{"a": {Shape: []int64{2, 2}, Data: []float32{1, 2, 3, 4}}, "b": {Shape: []int64{2, 3}, Data: make([]float32, 6)}},
		map[string]ort.Tensor{"loss": {Shape: []int64{}, Data: make([]float32, 1)}, "grad": {Shape: []int64{2, 3}, Data: grad}})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range grad {
		if v != 0 {
			t.Errorf("derivative %d is %g, want 0", i, v)
		}
	}
}
