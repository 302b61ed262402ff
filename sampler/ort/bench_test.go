package ort

import (
	"context"
	"fmt"
	"math"
	"sync"
	"testing"

	"pfgmgen/internal/onnx"
)

// BenchmarkRunOverhead is a run whose arithmetic costs nothing: what remains is the way into the runtime and back.
func BenchmarkRunOverhead(b *testing.B) {
	s, err := load(b).NewSession(encode(b, nil, affine), SessionOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	in := map[string]Tensor{"x": {[]int64{1, 3}, make([]float32, 3)}}
	out := map[string]Tensor{"y": {[]int64{1, 3}, make([]float32, 3)}, "sum": {nil, make([]float32, 1)}}
	for _, mode := range []string{"background", "cancellable"} {
		b.Run(mode, func(b *testing.B) {
			ctx := context.Background()
			if mode == "cancellable" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithCancel(ctx)
				defer cancel()
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Run(ctx, in, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDenoise compares ways to use the cores: sessions (workers), threads in each, and idle threads that spin.
func BenchmarkDenoise(b *testing.B) {
	c := contract(11*10, 0.5)
	model := encode(b, c, func(g *onnx.Graph) { network(g, c) })
	const batch = 64
	for _, o := range []struct {
		workers int
		SessionOptions
	}{{1, SessionOptions{}}, {2, SessionOptions{}}, {1, SessionOptions{Threads: 2}}, {1, SessionOptions{Threads: 2, Spin: true}},
		{2, SessionOptions{Threads: 2}}, {2, SessionOptions{Threads: 2, Spin: true}}} {
		b.Run(fmt.Sprintf("workers=%d/threads=%d/spin=%t", o.workers, max(o.Threads, 1), o.Spin), func(b *testing.B) {
			d, err := load(b).Open(model, o.SessionOptions)
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for w := range o.workers {
				wg.Go(func() {
					x, y := make([]float64, batch*c.Size()), make([]float64, batch*c.Size())
					for i := range x {
						x[i] = math.Sin(float64(i))
					}
					for i := w; i < b.N; i += o.workers {
						if err := d.Denoise(context.Background(), y, x, 0.5, nil); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
