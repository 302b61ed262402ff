package ort_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// A model whose posterior mean is x/(1 + sigma^2), that of data from N(0, 1), run under a contract given beside it.
func ExampleRuntime_OpenWith() {
	g := onnx.NewGraph()
	x, sigma := g.Input("x", onnx.Float, onnx.Batch, 2), g.Input("sigma", onnx.Float, onnx.Batch)
	g.Output("denoised", g.Div(x, g.Reshape(g.Shift(g.Square(sigma), 1), onnx.Batch, 1)))
	model, err := g.Model("gaussian", "example").Marshal()
	if err != nil {
		log.Fatal(err)
	}

	r, err := ort.Load("")
	if err != nil {
		log.Fatal(err)
	}
	den, err := r.OpenWith(model, &sampler.Contract{Version: sampler.ContractVersion, Domain: "plane", Shape: []int{2}, Free: 2,
		D: math.Inf(1), SigmaData: 1, SigmaMin: 0.01, SigmaMax: 80, Rho: 7, Steps: 18, Offset: []float64{0}, Scale: []float64{1},
		Symmetry: "none", Mask: "none", Guidance: 1}, ort.SessionOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer den.Close()

	y := make([]float64, 4)
	if err := den.Denoise(context.Background(), y, []float64{10, 20, 30, 40}, 2, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(y)
	// Output: [2 4 6 8]
}
