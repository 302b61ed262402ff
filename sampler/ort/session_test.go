package ort

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pfgmgen/internal/onnx"
)

// affine gives y = 2x + 1, and its sum as a scalar.
func affine(g *onnx.Graph) {
	x := g.Input("x", onnx.Float, onnx.Batch, 3)
	y := g.Shift(g.Scale(x, 2), 1)
	g.Output("y", y)
	g.Output("sum", g.ReduceSum(y, false, 0, 1))
}

func session(tb testing.TB, build func(g *onnx.Graph), o SessionOptions) *Session {
	tb.Helper()
	s, err := load(tb).NewSession(encode(tb, nil, build), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestRunWritesInPlace(t *testing.T) {
	s := session(t, affine, SessionOptions{})
	x, y, sum := []float32{1, 2, 3, 4, 5, 6}, make([]float32, 6), make([]float32, 1)
	err := s.Run(context.Background(), map[string]Tensor{"x": {[]int64{2, 3}, x}},
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
	only := session(t, affine, SessionOptions{Outputs: []string{"y"}})
	if err := only.Run(context.Background(), map[string]Tensor{"x": {[]int64{2, 3}, x}}, map[string]Tensor{"y": {[]int64{2, 3}, y}}); err != nil {
		t.Errorf("a session with one of two outputs: %v", err)
	}
	for _, bad := range [][]string{{"z"}, {}} {
		if s, err := load(t).NewSession(encode(t, nil, affine), SessionOptions{Outputs: bad}); err == nil {
			s.Close()
			t.Errorf("a session with the outputs %q was made", bad)
		}
	}
}

// TestPassThrough: outputs that are an input, a constant or a view of another output arrive in the caller's memory.
func TestPassThrough(t *testing.T) {
	s := session(t, func(g *onnx.Graph) {
		x := g.Input("x", onnx.Float, onnx.Batch, 4)
		g.Output("same", x)
		g.Output("view", g.Reshape(x, 2*onnx.Batch, 2))
		g.Output("constant", g.Floats("c", []float32{7, 8}, 2))
	}, SessionOptions{})
	x := []float32{1, 2, 3, 4}
	same, view, constant := make([]float32, 4), make([]float32, 4), make([]float32, 2)
	err := s.Run(context.Background(), map[string]Tensor{"x": {[]int64{1, 4}, x}}, map[string]Tensor{
		"same": {[]int64{1, 4}, same}, "view": {[]int64{2, 2}, view}, "constant": {[]int64{2}, constant}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range x {
		if same[i] != x[i] || view[i] != x[i] {
			t.Errorf("element %d: same %g, view %g, want %g", i, same[i], view[i], x[i])
		}
	}
	if constant[0] != 7 || constant[1] != 8 {
		t.Errorf("constant %v, want [7 8]", constant)
	}
}

func TestElementTypes(t *testing.T) {
	s := session(t, func(g *onnx.Graph) {
		g.Output("f", g.Cast(g.Input("l", onnx.Int64, onnx.Batch), onnx.Double))
		g.Output("b", g.Cast(g.Input("i", onnx.Int32, onnx.Batch), onnx.Bool))
		g.Output("twice", g.Scale(g.Input("s", onnx.Float), 2))
	}, SessionOptions{})
	f, b, scalar := make([]float64, 3), make([]bool, 3), make([]float32, 1)
	err := s.Run(context.Background(), map[string]Tensor{"l": {[]int64{3}, []int64{5, -6, 1 << 40}},
		"i": {[]int64{3}, []int32{0, 1, -1}}, "s": {nil, []float32{1.5}}},
		map[string]Tensor{"f": {[]int64{3}, f}, "b": {[]int64{3}, b}, "twice": {nil, scalar}})
	if err != nil {
		t.Fatal(err)
	}
	if f[0] != 5 || f[1] != -6 || f[2] != 1<<40 || b[0] || !b[1] || !b[2] || scalar[0] != 3 {
		t.Errorf("got %v, %v, %v", f, b, scalar)
	}
}

func TestRunRefuses(t *testing.T) {
	s := session(t, affine, SessionOptions{Outputs: []string{"y"}})
	x, y := make([]float32, 6), make([]float32, 6)
	two := []int64{2, 3}
	for _, test := range []struct {
		name    string
		in, out map[string]Tensor
		want    string
	}{
		{"missing input", nil, nil, `input "x" is missing`},
		{"unknown input", map[string]Tensor{"x": {two, x}, "z": {two, x}}, nil, `no input "z"; its inputs are ["x"]`},
		{"unknown output", map[string]Tensor{"x": {two, x}}, map[string]Tensor{"q": {two, y}}, `no output "q"`},
		{"type", map[string]Tensor{"x": {two, make([]float64, 6)}}, nil, `input "x": data is float64, the model has float32`},
		{"no slice", map[string]Tensor{"x": {two, 3}}, nil, `input "x": data is a int`},
		{"rank", map[string]Tensor{"x": {[]int64{6}, x}}, nil, `input "x": shape [6] has 1 dimensions, the model has [-1 3]`},
		{"fixed dimension", map[string]Tensor{"x": {[]int64{3, 2}, x}}, nil, `input "x": shape [3 2], the model has [-1 3]`},
		{"length", map[string]Tensor{"x": {[]int64{1, 3}, x}}, nil, `shape [1 3] does not describe 6 elements`},
		{"negative", map[string]Tensor{"x": {[]int64{-2, 3}, x}}, nil, `shape [-2 3] does not describe`},
		{"missing output", map[string]Tensor{"x": {two, x}}, nil, `output "y" is missing`},
		{"batch of the output", map[string]Tensor{"x": {two, x}}, map[string]Tensor{"y": {[]int64{1, 3}, y[:3]}}, "shape"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := s.Run(context.Background(), test.in, test.out)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// slow multiplies matrices for many seconds, in operators of some milliseconds each.
func slow(g *onnx.Graph) {
	const n, layers = 384, 8000
	w := make([]float32, n*n)
	for i := range n {
		w[i*n+(i+1)%n] = 1
	}
	x, m := g.Input("x", onnx.Float, onnx.Batch, n), g.Floats("w", w, n, n)
	for range layers {
		x = g.MatMul(x, m)
	}
	g.Output("y", x)
}

// TestCancel: a run that would take long returns soon after its context ends, with the context's error, and leaves
// neither goroutines nor a session that cannot run again.
func TestCancel(t *testing.T) {
	s := session(t, slow, SessionOptions{})
	const rows, n = 384, 384
	in := map[string]Tensor{"x": {[]int64{rows, n}, make([]float32, rows*n)}}
	out := func() map[string]Tensor { return map[string]Tensor{"y": {[]int64{rows, n}, make([]float32, rows*n)}} }
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for range 3 {
		wg.Go(func() {
			if err := s.Run(ctx, in, out()); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled run: %v", err)
			}
		})
	}
	time.Sleep(100 * time.Millisecond)
	start := time.Now()
	cancel()
	wg.Wait()
	if took := time.Since(start); took > time.Second {
		t.Errorf("a cancelled run returned after %v", took)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Run(ctx, in, out()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("run past its deadline: %v", err)
	}
	if err := s.Run(ctx, in, out()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("run that starts after its deadline: %v", err)
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if len(s.idle) == 0 {
		t.Fatal("no call was kept for later")
	}
	// The runs above left calls behind whose terminate flag was set: they must compute again.
	one := map[string]Tensor{"x": {[]int64{1, n}, make([]float32, n)}}
	one["x"].Data.([]float32)[0] = 1
	y := make([]float32, n)
	if err := s.Run(context.Background(), one, map[string]Tensor{"y": {[]int64{1, n}, y}}); err != nil {
		t.Fatal(err)
	}
	if at := 8000 % n; y[at] != 1 { // each product moves the one to the right
		t.Errorf("y[%d] = %g, want 1", at, y[at])
	}
}

// TestClose: Close waits for the runs under way; later runs fail.
func TestClose(t *testing.T) {
	s := session(t, affine, SessionOptions{Outputs: []string{"sum"}})
	in := map[string]Tensor{"x": {[]int64{1, 3}, make([]float32, 3)}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				switch err := s.Run(context.Background(), in, map[string]Tensor{"sum": {nil, make([]float32, 1)}}); {
				case errors.Is(err, ErrClosed):
					return
				case err != nil:
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestPortsAndMetadata(t *testing.T) {
	c := contract(4, 1, "a", "b")
	d := open(t, c, SessionOptions{})
	s := d.Session()
	if got := s.Inputs(); len(got) != 3 || got[0].Name != "x" || got[0].Type != "float32" || got[0].Shape[0] != -1 || got[0].Shape[1] != 4 ||
		got[2].Type != "int64" {
		t.Errorf("inputs %+v", got)
	}
	if got := s.Outputs(); len(got) != 1 || got[0].Name != "denoised" {
		t.Errorf("outputs %+v", got)
	}
	if got := s.Metadata()["pfgmgen.domain"]; got != "test" {
		t.Errorf("pfgmgen.domain is %q", got)
	}
	if got := s.Device().String(); got != "cpu" {
		t.Errorf("device %s", got)
	}
}
