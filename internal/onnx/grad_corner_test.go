package onnx_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler/ort"
)

// cornerCases are the operators where broadcasting, the batch, negative axes and empty pieces meet.
func cornerCases() []gradCase {
	b := onnx.Batch
	type G = onnx.Graph
	type V = onnx.Value
	type dims = []onnx.Dim
	one := func(name string, shape dims, f func(*G, *V) *V) gradCase {
		return gradCase{name, [][]onnx.Dim{shape}, -2, 2, func(g *G, in []*V) *V { return f(g, in[0]) }}
	}
	scalarIndex := func(g *G, i int64) *V { return g.Reshape(g.Ints(i)) }
	var cases []gradCase
	// Every binary operator with both operands repeated along some axis, and with either one the larger.
	for name, op := range map[string]func(*G, *V, *V) *V{
		"Add": (*G).Add, "Sub": (*G).Sub, "Mul": (*G).Mul, "Div": (*G).Div,
		"Min": func(g *G, x, y *V) *V { return g.Min(x, g.Shift(y, 0.004)) },
		"Max": func(g *G, x, y *V) *V { return g.Max(x, g.Shift(y, 0.004)) },
	} {
		cases = append(cases,
			twoInputs(name+" [b,1,4] [2,1]", dims{b, 1, 4}, dims{2, 1}, op),
			twoInputs(name+" [2,1] [b,1,4]", dims{2, 1}, dims{b, 1, 4}, op),
			twoInputs(name+" [1,4] [b,1]", dims{1, 4}, dims{b, 1}, op),
			twoInputs(name+" [] [b,2]", nil, dims{b, 2}, op),
			twoInputs(name+" [1,1] []", dims{1, 1}, nil, op))
	}
	mask := func(g *G, shape ...int) *V {
		data := make([]float32, 0, 8)
		n := 1
		for _, d := range shape {
			n *= d
		}
		for i := range n {
			data = append(data, float32(i%3)-1)
		}
		return g.Greater(g.Floats("mask", data, shape...), g.Scalar(-0.5))
	}
	return append(cases,
		twoInputs("Where repeats its first value", dims{1}, dims{b, 4}, func(g *G, x, y *V) *V { return g.Where(mask(g, 4), g.Exp(x), g.Square(y)) }),
		twoInputs("Where repeats its second value", dims{b, 1, 4}, nil, func(g *G, x, y *V) *V { return g.Where(mask(g, 2, 1), g.Exp(x), g.Square(y)) }),
		twoInputs("Where repeats both values", dims{b, 1}, dims{1, 1}, func(g *G, x, y *V) *V { return g.Where(mask(g, 3, 1, 2), g.Exp(x), g.Square(y)) }),
		twoInputs("Div of a value by itself", dims{b, 4}, dims{b, 4}, func(g *G, x, y *V) *V { return g.Add(g.Div(x, x), y) }),

		one("Gather on the last axis as -1", dims{2, 5}, func(g *G, v *V) *V { return g.Exp(g.Gather(v, g.Ints(4, 0, 4), -1)) }),
		one("Gather of one index", dims{3, 4}, func(g *G, v *V) *V { return g.Square(g.Gather(v, scalarIndex(g, 2), 1)) }),
		one("Gather of an index from the end", dims{3, 4}, func(g *G, v *V) *V { return g.Square(g.Gather(v, g.Ints(-1, 1, -1), 0)) }),
		one("Gather beside the batch", dims{b, 4, 2}, func(g *G, v *V) *V { return g.Square(g.Gather(v, g.Reshape(g.Ints(3, 1, 1, 0), 2, 2), -2)) }),
		one("Gather from the batch", dims{b, 4}, func(g *G, v *V) *V { return g.Square(g.Gather(v, g.Ints(2, 0, 2), 0)) }),

		one("Slice from the end", dims{b, 5}, func(g *G, v *V) *V { return g.Square(g.Slice(v, -1, -3, -1, 1)) }),
		one("Slice beyond the end", dims{b, 5}, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, 2, 99, 1)) }),
		one("Slice by threes, negative axis", dims{b, 5, 2}, func(g *G, v *V) *V { return g.Square(g.Slice(v, -2, 1, -1, 3)) }),
		one("Slice backwards by twos", dims{b, 5}, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, 99, -99, -2)) }),
		one("Slice backwards to a bound", dims{b, 5}, func(g *G, v *V) *V { return g.Square(g.Slice(v, 1, -2, 0, -2)) }),
		one("Slice of two axes", dims{b, 4, 5}, func(g *G, v *V) *V {
			return g.Square(g.Apply("Slice", nil, 1, v, g.Ints(1, -1), g.Ints(3, -6), g.Ints(1, -1), g.Ints(1, -2))[0])
		}),
		one("Slice without steps", dims{b, 4}, func(g *G, v *V) *V {
			return g.Square(g.Apply("Slice", nil, 1, v, g.Ints(-3), g.Ints(-1), g.Ints(1))[0])
		}),
		one("empty Slice", dims{b, 4}, func(g *G, v *V) *V {
			return g.Concat(-1, g.Slice(v, 1, 3, 1, 1), g.Square(v), g.Slice(v, 1, 0, 3, -2))
		}),
		one("Pad that cuts", dims{b, 4}, func(g *G, v *V) *V { return g.Exp(g.Apply("Pad", nil, 1, v, g.Ints(0, -1, 0, 2))[0]) }),
		one("Pad of the batch by nothing", dims{b, 2, 2}, func(g *G, v *V) *V { return g.Exp(g.Apply("Pad", nil, 1, v, g.Ints(0, 1, 0, 0, 0, 3))[0]) }),

		one("Split on a negative axis, first part unused", dims{b, 3, 2}, func(g *G, v *V) *V {
			p := g.Split(v, -2, 1, 2)
			return g.Exp(p[1])
		}),
		one("Concat of a value with itself", dims{b, 2}, func(g *G, v *V) *V { return g.Square(g.Concat(-1, v, g.Exp(v), v)) }),
		one("Softmax over a middle axis", dims{b, 3, 2}, func(g *G, v *V) *V { return g.Softmax(v, -2) }),
		one("ReduceSum of everything", dims{b, 2, 2}, func(g *G, v *V) *V { return g.Square(g.ReduceSum(v, false)) }),
		one("ReduceMean of everything, kept", dims{b, 4}, func(g *G, v *V) *V { return g.Square(g.ReduceMean(v, true)) }),
		one("ReduceMean over batch and last axis", dims{b, 3, 2}, func(g *G, v *V) *V { return g.Square(g.ReduceMean(v, false, -1, 0)) }),
		one("ReduceMean of rows of the batch", dims{-2, 3}, func(g *G, v *V) *V { return g.Square(g.ReduceMean(g.Reshape(v, b, 2, 3), true, 0)) }),
		one("Reshape between multiples of the batch", dims{-2, 3}, func(g *G, v *V) *V { return g.Mul(g.Reshape(v, -6, 1), g.Exp(g.Reshape(v, -6, 1))) }),
		one("Transpose moves the batch", dims{b, 2, 3}, func(g *G, v *V) *V { return g.MatMul(g.Transpose(v, 1, 2, 0), g.Transpose(v, 1, 0, 2)) }),
		one("Expand of a constant size", dims{2, 1}, func(g *G, v *V) *V {
			return g.Exp(g.Expand(v, g.Floats("like", make([]float32, 12), 2, 2, 3)))
		}),
		twoInputs("Expand to the batch", dims{1, 4}, dims{b, 2, 4}, func(g *G, x, y *V) *V { return g.Mul(g.Exp(g.Expand(x, y)), y) }),
		one("Cast to float64 and back", dims{b, 3}, func(g *G, v *V) *V { return g.Square(g.Cast(g.Cast(g.Exp(v), onnx.Double), onnx.Float)) }),
		one("SiLU beside its sigmoid", dims{b, 3}, func(g *G, v *V) *V {
			s := g.Sigmoid(v)
			return g.Add(g.Mul(v, s), g.Square(s))
		}),
		one("LayerNorm of a matrix without a batch", dims{3, 4}, func(g *G, v *V) *V {
			return g.LayerNorm(v, g.Floats("scale", []float32{1, 2, -1, 0.5}, 4), nil, 1e-5)
		}),
		gradCase{"RMSNorm with a scale", [][]onnx.Dim{{b, 2, 3}, {3}}, -2, 2, func(g *G, in []*V) *V { return g.RMSNorm(in[0], in[1], 1e-5) }},
		gradCase{"Gemm with a column", [][]onnx.Dim{{b, 3}, {3, 2}, {1, 1}}, -2, 2, func(g *G, in []*V) *V { return g.Gemm(in[0], in[1], in[2], false, false) }},
		gradCase{"Gemm over the batch", [][]onnx.Dim{{b, 3}, {b, 2}}, -2, 2, func(g *G, in []*V) *V { return g.Gemm(in[0], in[1], nil, true, false) }},
		twoInputs("MatMul of one matrix by many", dims{2, 3}, dims{b, 3, 4}, (*G).MatMul),
		twoInputs("MatMul over the batch", dims{4, b}, dims{b, 3}, (*G).MatMul),
		twoInputs("MatMul repeats both", dims{b, 1, 2, 3}, dims{1, 2, 3, 2}, (*G).MatMul),
	)
}

// TestGradientOfIntermediate: a derivative with respect to a value inside the graph is that of everything behind it,
// even where a shortcut (SiLU) would step over the value, and the values in front of it need no derivative.
func TestGradientOfIntermediate(t *testing.T) {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, 3)
	s := g.Sigmoid(x)
	table := g.Apply("ScatterND", onnx.Attrs{"reduction": "add"}, 1, g.Zeros(x), g.Reshape(g.Ints(0, 1), 2, 1), g.Slice(x, 0, 0, 2, 1))[0]
	loss := g.ReduceSum(g.Mul(g.Mul(x, s), table), false)
	for i, d := range g.Gradient(loss, s, table) { // x*table and x*s; ScatterND itself has no derivative
		g.Output([]string{"ds", "dtable"}[i], d)
	}
	model, err := g.Model("intermediate", "test").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	session, err := runtimeFor(t).NewSession(model, ort.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	in, ds, dtable := []float32{0.5, -1, 2}, make([]float32, 3), make([]float32, 3)
	err = session.Run(context.Background(), map[string]ort.Tensor{"x": {Shape: []int64{3}, Data: in}},
		map[string]ort.Tensor{"ds": {Shape: []int64{3}, Data: ds}, "dtable": {Shape: []int64{3}, Data: dtable}})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range in {
		filled := v
		if i == 2 {
			filled = 0
		}
		silu := float64(v) / (1 + math.Exp(-float64(v)))
		if math.Abs(float64(ds[i]-v*filled)) > 1e-6 || math.Abs(float64(dtable[i])-silu) > 1e-6 {
			t.Errorf("x = %g: derivatives %g and %g, want %g and %g", v, ds[i], dtable[i], v*filled, silu)
		}
	}
}

// TestNoDerivative: what has no derivative here says so instead of giving zeros.
func TestNoDerivative(t *testing.T) {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, onnx.Batch, 3)
	unit := g.Floats("unit", []float32{1, 1, 1}, 3)
	outputs := g.Apply("LayerNormalization", onnx.Attrs{"axis": -1}, 3, x, unit)
	scattered := g.Apply("ScatterND", onnx.Attrs{"reduction": "add"}, 1, g.Zeros(unit), g.Reshape(g.Ints(0), 1, 1), g.ReduceSum(x, false, 0, 1))
	joined := g.Concat(0, x, x)
	for name, y := range map[string]*onnx.Value{
		"LayerNormalization": g.Add(outputs[0], outputs[1]),
		"ScatterND":          scattered[0],
		"Concat":             joined,
		"int64":              g.Cast(x, onnx.Int64),
	} {
		loss := y
		if y.Type == onnx.Float {
			loss = g.ReduceSum(y, false)
		}
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), name) {
					t.Errorf("%s: panic %v, want one that names it", name, r)
				}
			}()
			g.Gradient(loss, x)
		}()
	}
}
