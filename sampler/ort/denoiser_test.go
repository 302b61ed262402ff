package ort

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

func open(tb testing.TB, c *sampler.Contract, o SessionOptions) *Denoiser {
	tb.Helper()
	d, err := load(tb).Open(encode(tb, c, func(g *onnx.Graph) { gaussian(g, c) }), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

// The formula is E[y|x] of y ~ N(0, s^2) and x = y + sigma*g. Tolerance: a few roundings of float32.
func TestDenoiseIsTheFormula(t *testing.T) {
	const s, tol = 0.7, 4 * 0x1p-23
	d := open(t, contract(5, s), SessionOptions{})
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 64, 3, 1} { // shrinking reuses a larger buffer
		for _, sigma := range []float64{1e-3, 0.5, 80} {
			x, y := make([]float64, n*5), make([]float64, n*5)
			for i := range x {
				x[i] = sigma * rng.NormFloat64()
			}
			if err := d.Denoise(context.Background(), y, x, sigma, nil); err != nil {
				t.Fatal(err)
			}
			for i := range x {
				want := x[i] * s * s / (s*s + sigma*sigma)
				if math.Abs(y[i]-want) > tol*math.Abs(want) {
					t.Fatalf("n %d, sigma %g: y[%d] = %g, want %g", n, sigma, i, y[i], want)
				}
			}
		}
	}
}

func TestLabels(t *testing.T) {
	d := open(t, contract(1, 1, "a", "b", "c"), SessionOptions{})
	x, y := make([]float64, 4), make([]float64, 4)
	ask := func(labels []int64) error { return d.Denoise(context.Background(), y, x, 1, labels) }
	if err := ask([]int64{0, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 0.1, 0.2, 0.3} {
		if math.Abs(y[i]-want) > 1e-7 {
			t.Errorf("label %d reached the model as %g", i, y[i]*10)
		}
	}
	if err := ask(nil); err != nil || math.Abs(y[0]-0.3) > 1e-7 {
		t.Errorf("absent labels reached the model as %g (%v), want class 3, unconditional", y[0]*10, err)
	}
	for _, bad := range []int64{-1, 4} {
		if err := ask([]int64{0, bad, 0, 0}); err == nil {
			t.Errorf("label %d was taken", bad)
		}
	}
	plain := open(t, contract(1, 1), SessionOptions{})
	if err := plain.Denoise(context.Background(), y, x, 1, []int64{0, 0, 0, 0}); err == nil {
		t.Error("an unconditional model took labels")
	}
	for _, sigma := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := plain.Denoise(context.Background(), y, x, sigma, nil); err == nil {
			t.Errorf("sigma %g was taken", sigma)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	d := open(t, contract(32, 0.5), SessionOptions{Threads: 2})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				n := 1 + (g+i)%5
				x, y := make([]float64, 32*n), make([]float64, 32*n)
				for j := range x {
					x[j] = float64(g*1000 + i + j)
				}
				if err := d.Denoise(context.Background(), y, x, 0.5, nil); err != nil {
					t.Error(err)
					return
				}
				for j := range x {
					if y[j] != x[j]/2 {
						t.Errorf("goroutine %d, call %d: y[%d] = %g, want %g", g, i, j, y[j], x[j]/2)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// network is a small stand-in for a trained denoiser: matrix products, a soft maximum and norms, which is where the
// kernels of the runtime may group rows.
func network(g *onnx.Graph, c *sampler.Contract) {
	const tokens, width = 11, 24
	rng := rand.New(rand.NewPCG(3, 4))
	weights := func(name string, rows, cols int) *onnx.Value {
		w := make([]float32, rows*cols)
		for i := range w {
			w[i] = float32(rng.NormFloat64() / math.Sqrt(float64(rows)))
		}
		return g.Floats(name, w, rows, cols)
	}
	size := c.Size() / tokens
	x, sigma := g.Input(sampler.InputX, onnx.Float, onnx.Batch, c.Size()), g.Input(sampler.InputSigma, onnx.Float, onnx.Batch)
	ones := make([]float32, width)
	for i := range ones {
		ones[i] = 1
	}
	h := g.MatMul(g.Reshape(x, onnx.Batch, tokens, size), weights("in", size, width))
	h = g.Add(h, g.Reshape(g.MatMul(g.Reshape(g.Log(sigma), onnx.Batch, 1), weights("sigma", 1, width)), onnx.Batch, 1, width))
	for layer := range 3 {
		name := func(part string) string { return fmt.Sprint(part, layer) }
		a := g.RMSNorm(h, g.Floats(name("norm"), ones, width), 1e-6)
		q, k, v := g.MatMul(a, weights(name("q"), width, width)), g.MatMul(a, weights(name("k"), width, width)), g.MatMul(a, weights(name("v"), width, width))
		h = g.Add(h, g.MatMul(g.Softmax(g.Scale(g.MatMul(q, g.Transpose(k, 0, 2, 1)), 1/math.Sqrt(width)), -1), v))
		h = g.Add(h, g.MatMul(g.SiLU(g.MatMul(h, weights(name("up"), width, 4*width))), weights(name("down"), 4*width, width)))
	}
	g.Output(sampler.OutputDenoised, g.Reshape(g.MatMul(h, weights("out", width, size)), onnx.Batch, c.Size()))
}

// TestRowsAreIndependent: with one batch size, a row's bits depend neither on the others, nor on its place, nor on the
// number of threads, nor on what else the session computes at the time.
func TestRowsAreIndependent(t *testing.T) {
	c := contract(11*10, 0.5)
	model := encode(t, c, func(g *onnx.Graph) { network(g, c) })
	const batch = 16
	rng := rand.New(rand.NewPCG(5, 6))
	row := make([]float64, c.Size())
	for i := range row {
		row[i] = rng.NormFloat64()
	}
	var want []float64
	for _, threads := range []int{1, 2, 3} {
		d, err := load(t).Open(model, SessionOptions{Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var wg sync.WaitGroup
		results := make([][]float64, batch)
		for place := range batch {
			x, y := make([]float64, batch*c.Size()), make([]float64, batch*c.Size())
			for i := range x {
				x[i] = math.Ldexp(rng.NormFloat64(), place-8) // neighbours of very different sizes
			}
			copy(x[place*c.Size():], row)
			wg.Go(func() {
				if err := d.Denoise(context.Background(), y, x, 0.8, nil); err != nil {
					t.Error(err)
				}
				results[place] = y[place*c.Size():][:c.Size()]
			})
		}
		wg.Wait()
		if want == nil {
			want = results[0]
		}
		for place, got := range results {
			if !slices.Equal(got, want) {
				t.Errorf("%d threads, place %d: the row differs from place 0 with one thread", threads, place)
			}
		}
	}
	if slices.Max(want) == slices.Min(want) {
		t.Fatal("the network gives a constant, so this test shows nothing")
	}
}
