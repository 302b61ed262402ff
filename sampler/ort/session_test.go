package ort

import (
	"context"
	"math"
	"testing"

	"pfgmgen/internal/onnx"
)

// affine gives y = 2x + 1, and its sum as a scalar.
func affine(g *onnx.Graph) {
	x := g.Input("x", onnx.Float, onnx.Batch, 3)
	y := g.Shift(g.Scale(x, 2), 1)
	g.Output("y", y)
	g.Output("sum", g.ReduceSum(y, false, 0, 1))
}

func TestRunWritesInPlace(t *testing.T) {
	s, err := load(t).NewSession(encode(t, nil, affine), SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, y, sum := []float32{1, 2, 3, 4, 5, 6}, make([]float32, 6), make([]float32, 1)
	err = s.Run(context.Background(), map[string]Tensor{"x": {[]int64{2, 3}, x}},
		map[string]Tensor{"y": {[]int64{2, 3}, y}, "sum": {nil, sum}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if want := 2*x[i] + 1; y[i] != want {
			t.Errorf("y[%d] = %g, want %g", i, y[i], want)
		}
	}
	if want := float32(48); math.Abs(float64(sum[0]-want)) > 1e-5 {
		t.Errorf("sum = %g, want %g", sum[0], want)
	}
}
