package ort

import (
	"maps"
	"math"
	"os"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// load loads the library that `make setup` fetched.
func load(tb testing.TB) *Runtime {
	tb.Helper()
	r, err := Load("")
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// contract describes a denoiser of size numbers of N(0, s^2) data.
func contract(size int, s float64, labels ...string) *sampler.Contract {
	return &sampler.Contract{Version: sampler.ContractVersion, Domain: "test", Shape: []int{size}, Free: size,
		D: math.Inf(1), SigmaData: s, SigmaMin: 0.01, SigmaMax: 50, Rho: 7, Steps: 18, Offset: []float64{0},
		Scale: []float64{1}, Symmetry: "none", Mask: "none", Guidance: 1, Labels: labels, License: "CC0-1.0", Source: "arithmetic"}
}

// gaussian is the exact denoiser of N(0, s^2) data in the limit of infinite D: x s^2/(s^2 + sigma^2). With labels it
// adds label/10, so that a test sees which class was asked for.
func gaussian(g *onnx.Graph, c *sampler.Contract) {
	shape := append([]int{onnx.Batch}, c.Shape...)
	x, sigma := g.Input(sampler.InputX, onnx.Float, shape...), g.Input(sampler.InputSigma, onnx.Float, onnx.Batch)
	s2 := c.SigmaData * c.SigmaData
	gain := g.Div(g.Scalar(float32(s2)), g.Shift(g.Square(sigma), s2))
	y := g.Mul(x, g.Reshape(gain, onnx.Batch, 1))
	if len(c.Labels) > 0 {
		label := g.Input(sampler.InputLabel, onnx.Int64, onnx.Batch)
		y = g.Add(y, g.Reshape(g.Scale(g.Cast(label, onnx.Float), 0.1), onnx.Batch, 1))
	}
	g.Output(sampler.OutputDenoised, y)
}

// encode makes the model file of what build draws, with the metadata of the contract unless it is nil.
func encode(tb testing.TB, c *sampler.Contract, build func(g *onnx.Graph)) []byte {
	tb.Helper()
	b, err := marshal(c, build)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func marshal(c *sampler.Contract, build func(g *onnx.Graph)) ([]byte, error) {
	g := onnx.NewGraph()
	build(g)
	m := g.Model("test", "pfgmgen tests")
	if c != nil {
		meta := c.Metadata()
		for k := range maps.Keys(meta) {
			m.SetMetadata(k, meta[k])
		}
	}
	return m.Marshal()
}

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		os.Exit(child(mode))
	}
	os.Exit(m.Run())
}
