package training

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// forwardFLOPs counts the multiplications and additions of the matrix products of one forward pass of one sample.
func (a Architecture) forwardFLOPs() float64 {
	t, w := float64(a.Tokens()), float64(a.Width)
	patch := float64(a.tokenSize())
	block := 2*t*w*12*w + 2*2*t*t*w + 2*w*6*w // linear layers, attention scores and mix, modulation
	return float64(a.Depth)*block + 2*2*t*patch*w + 2*w*(2*frequencies+w+2*w)
}

// BenchmarkStep times a training step of the small RNA network against the forward pass of the same batch and against
// bare matrix products of the network's most common shape, interleaved in one run with the same threads. It reports
// the rates in GFLOP/s (a step counts as three forward passes) and two ratios: step/forward in time, and the step's rate
// as a share of the bare rate.
func BenchmarkStep(b *testing.B) {
	for _, threads := range []int{1, runtime.NumCPU()} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			a, err := NewArchitecture("small", []int{112, 5}, 0)
			if err != nil {
				b.Fatal(err)
			}
			s := DefaultSettings(a)
			s.Threads = threads
			tr := trainerFor(b, &s)
			st := newState(&s)
			data := newBatch(&s)
			newBatches(&s, white(256, 560, SigmaData, 1), purposeNoise).fill(data, 0)
			m, k, n := s.Batch*a.Tokens(), a.Width, 4*a.Width
			product := matMul(b, m, k, n, threads)
			const productsPerRound = 40

			var step, forward, bare time.Duration
			timed := func(d *time.Duration, f func()) {
				start := time.Now()
				f()
				*d += time.Since(start)
			}
			round := func() {
				timed(&step, func() {
					if _, _, err := tr.apply(context.Background(), st, data); err != nil {
						b.Fatal(err)
					}
				})
				timed(&forward, func() { tr.lossOf(b, data, st.w) })
				timed(&bare, func() {
					for range productsPerRound {
						product()
					}
				})
			}
			round() // allocations of the first call are not the step's
			step, forward, bare = 0, 0, 0
			for b.Loop() {
				round()
			}
			rounds := float64(b.N)
			flops := a.forwardFLOPs() * float64(s.Batch)
			stepRate := 3 * flops * rounds / step.Seconds() / 1e9
			bareRate := 2 * float64(m) * float64(k) * float64(n) * productsPerRound * rounds / bare.Seconds() / 1e9
			b.ReportMetric(step.Seconds()/rounds*1e3, "step-ms")
			b.ReportMetric(stepRate, "step-GFLOP/s")
			b.ReportMetric(flops*rounds/forward.Seconds()/1e9, "forward-GFLOP/s")
			b.ReportMetric(bareRate, "matmul-GFLOP/s")
			b.ReportMetric(step.Seconds()/forward.Seconds(), "step/forward")
			b.ReportMetric(stepRate/bareRate, "step/matmul")
		})
	}
}

// matMul returns a function that multiplies [m, k] by [k, n] in ONNX Runtime.
func matMul(b *testing.B, m, k, n, threads int) func() {
	b.Helper()
	g := onnx.NewGraph()
	g.Output("z", g.MatMul(g.Input("x", onnx.Float, m, k), g.Input("y", onnx.Float, k, n)))
	model, err := g.Model("matmul", producer).Marshal()
	if err != nil {
		b.Fatal(err)
	}
	s, err := runtimeFor(b).NewSession(model, ort.SessionOptions{Threads: threads})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	r := sampler.NewStream(1, 0, 0, 1000)
	fill := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	in := map[string]ort.Tensor{"x": {Shape: []int64{int64(m), int64(k)}, Data: fill(m * k)}, "y": {Shape: []int64{int64(k), int64(n)}, Data: fill(k * n)}}
	out := map[string]ort.Tensor{"z": {Shape: []int64{int64(m), int64(n)}, Data: make([]float32, m*n)}}
	return func() {
		if err := s.Run(context.Background(), in, out); err != nil {
			b.Fatal(err)
		}
	}
}
