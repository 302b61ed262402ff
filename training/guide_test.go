package training

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// guideModel exports a small network with random weights.
func guideModel(t *testing.T, seed uint64, classes int, stored Weights, change func(*sampler.Contract)) []byte {
	t.Helper()
	s := small(t, 4, 2, classes)
	w := newState(&s).w
	r := sampler.NewStream(seed, 0, 0, 1000)
	for i := range w {
		w[i] += float32(0.1 * r.NormFloat64())
	}
	c := &sampler.Contract{Version: sampler.ContractVersion, Domain: "test", Shape: []int{4, 2}, Free: 8, D: 128, SigmaData: SigmaData,
		SigmaMin: 0.02, SigmaMax: 40, Rho: 5, Steps: 18, Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", License: "none", Source: "test",
		Training: []byte(`{"examples":7}`)}
	for i := range classes {
		c.Labels = append(c.Labels, string(rune('a'+i)))
	}
	if classes > 0 {
		c.Guidance = 1
	}
	if change != nil {
		change(c)
	}
	model, err := s.Architecture.Export(w, c, stored)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func denoise(t *testing.T, model, x []byte, sigma float64, labels []int64) []float64 {
	t.Helper()
	den, err := runtimeFor(t).Open(model, ort.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer den.Close()
	in, out := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		in[i] = float64(v)/64 - 2
	}
	if err := den.Denoise(context.Background(), out, in, sigma, labels); err != nil {
		t.Fatal(err)
	}
	return out
}

// The guided model is the good one above the noise level, and below it the good one with its difference to the worse one,
// for both ways to store weights, with and without labels.
func TestGuide(t *testing.T) {
	const below = 1.5
	for _, classes := range []int{0, 3} {
		for stored, weight := range map[Weights]float64{Float32: 2.5, Float16: 0.5} {
			good, worse := guideModel(t, 1, classes, stored, nil), guideModel(t, 2, classes, stored, nil)
			merged := parse(t, good)
			if err := Guide(merged, parse(t, worse), Guidance{Weight: weight, Below: below, Worse: "w"}); err != nil {
				t.Fatal(err)
			}
			guided, err := merged.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			x := []byte{1, 50, 100, 150, 200, 250, 128, 99, 7, 33, 180, 222, 140, 60, 20, 240} // two samples
			var labels []int64
			if classes > 0 {
				labels = []int64{2, 0}
			}
			for _, sigma := range []float64{0.1, 1.4, 1.6, 20} {
				a, b, got := denoise(t, good, x, sigma, labels), denoise(t, worse, x, sigma, labels), denoise(t, guided, x, sigma, labels)
				for i := range got {
					want := a[i]
					if sigma < below {
						want += (weight - 1) * (a[i] - b[i])
					}
					if math.Abs(got[i]-want) > 1e-5*(1+math.Abs(want)) { // float32, three sums
						t.Fatalf("%d classes, %s, sigma %g: coordinate %d is %g, want %g", classes, stored, sigma, i, got[i], want)
					}
				}
			}
			c, err := sampler.ParseContract(merged.Metadata())
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf(`{"autoguidance":{"weight":%g,"below":1.5,"worse":"w"},"examples":7}`, weight); string(c.Training) != want {
				t.Errorf("training record %s, want %s", c.Training, want)
			}
			if !bytes.Equal(mustMarshal(t, parse(t, guided)), guided) {
				t.Error("the file changes when it is read and written")
			}
		}
	}
}

func parse(t *testing.T, b []byte) *onnx.Model {
	t.Helper()
	m, err := onnx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustMarshal(t *testing.T, m *onnx.Model) []byte {
	t.Helper()
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGuideRefuses(t *testing.T) {
	good := guideModel(t, 1, 0, Float32, nil)
	plain := Guidance{Weight: 2, Below: 1}
	for name, tc := range map[string]struct {
		g      Guidance
		change func(*sampler.Contract)
		want   string
	}{
		"no weight":      {Guidance{Weight: 1, Below: 1}, nil, "weight of 1"},
		"only the other": {Guidance{Weight: 0, Below: 1}, nil, "weight of 0"},
		"nothing below":  {Guidance{Weight: 2}, nil, "below sigma 0"},
		"not a number":   {Guidance{Weight: math.NaN(), Below: 1}, nil, "weight of NaN"},
		"another D":      {plain, func(c *sampler.Contract) { c.D = 64 }, "differ in D"},
		"another domain": {plain, func(c *sampler.Contract) { c.Domain = "rna" }, "differ in domain"},
		"another scale":  {plain, func(c *sampler.Contract) { c.Scale = []float64{2} }, "differ in scale"},
		"other settings": {plain, func(c *sampler.Contract) { c.Adapter = []byte(`{"x":1}`) }, "differ in adapter"},
	} {
		err := Guide(parse(t, good), parse(t, guideModel(t, 2, 0, Float32, tc.change)), tc.g)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want ...%s...", name, err, tc.want)
		}
	}
	// A model guided twice would need the names of the first time.
	once := parse(t, good)
	if err := Guide(once, parse(t, good), plain); err != nil {
		t.Fatal(err)
	}
	if err := Guide(once, parse(t, good), plain); err == nil || !strings.Contains(err.Error(), "taken") {
		t.Errorf("guided twice: %v", err)
	}
}

// A shared modulation has the size that it promises, starts as the same function, and learns every weight.
func TestSharedModulation(t *testing.T) {
	s := small(t, 4, 2, 0)
	own := s.Architecture
	shared := own
	shared.Shared = true
	w := own.Width
	// Each block but for one loses a matrix of w by 6w; each gains nothing, since its bias becomes its vector; the shared
	// bias is new.
	if got, want := own.Size()-shared.Size(), (own.Depth-1)*6*w*w-6*w; got != want {
		t.Errorf("%d weights fewer, want %d", got, want)
	}
	names := make(map[string]bool)
	for _, p := range shared.params() {
		if names[p.name] {
			t.Errorf("two weights called %s", p.name)
		}
		names[p.name] = true
	}
	s.Architecture = shared
	tr := trainerFor(t, &s)
	st := newState(&s)
	before := slices.Clone(st.w)
	b := newBatch(&s)
	r := sampler.NewStream(9, 0, 0, 1000)
	for range 6 { // zero gates pass gradients on one after the other
		for i := range b.x {
			b.y[i] = float32(r.NormFloat64() / 2)
			b.x[i] = b.y[i] + float32(r.NormFloat64())
		}
		for i := range b.sigma {
			b.sigma[i] = 1
		}
		if _, _, err := tr.apply(context.Background(), st, b); err != nil {
			t.Fatal(err)
		}
		st.w, tr.next.w = tr.next.w, st.w
		st.m, tr.next.m = tr.next.m, st.m
		st.v, tr.next.v = tr.next.v, st.v
		st.step++
	}
	at := int64(0)
	for _, p := range shared.params() {
		if slices.Equal(st.w[at:at+p.size()], before[at:at+p.size()]) {
			t.Errorf("%s has not learnt", p.name)
		}
		at += p.size()
	}
}
