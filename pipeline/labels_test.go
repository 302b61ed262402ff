package pipeline

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pfgmgen/sampler"
)

// TestLabelShares: labels come in their shares, and the label of a sample does not depend on how many are made.
func TestLabelShares(t *testing.T) {
	names := []string{"a", "b", "c"}
	shares := []float64{0.2, 0, 0.8}
	plan := func(n int64) Plan {
		p := wordPlan(n, func(p *Plan) { p.Labels, p.LabelShares = names, shares })
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	const n = 20000
	few, err := newLabelling(plan(10), names)
	if err != nil {
		t.Fatal(err)
	}
	many, err := newLabelling(plan(n), names)
	if err != nil {
		t.Fatal(err)
	}
	counts := make([]float64, 3)
	for i := range int64(n) {
		if i < 10 && few.class(i) != many.class(i) {
			t.Errorf("sample %d has class %d of 10 samples and %d of %d", i, few.class(i), many.class(i), n)
		}
		counts[many.class(i)]++
	}
	for k, share := range shares {
		// Five standard deviations of a binomial share.
		if got := counts[k] / n; math.Abs(got-share) > 5*math.Sqrt(share*(1-share)/n) {
			t.Errorf("share of %s is %.4f, want %g", names[k], got, share)
		}
	}
}

func TestLabelShareFaults(t *testing.T) {
	for name, shares := range map[string][]float64{"too few": {1}, "sum": {0.5, 0.4}, "negative": {-0.5, 1.5}, "NaN": {math.NaN(), 1}} {
		if err := wordPlan(10, func(p *Plan) { p.Labels, p.LabelShares = []string{"a", "b"}, shares }).Validate(); err == nil {
			t.Errorf("%s: shares %v were accepted", name, shares)
		}
	}
	if err := wordPlan(10, func(p *Plan) {
		p.Labels, p.LabelShares, p.LabelCounts = []string{"a", "b"}, []float64{0.5, 0.5}, []int64{5, 5}
	}).Validate(); err == nil {
		t.Error("shares and counts were accepted together")
	}
}

// maskedAdapter leaves out the last letter of about half of the samples.
type maskedAdapter struct{ wordAdapter }

func (*maskedAdapter) Mask(x []float64, label int, r *rand.Rand) {
	if r.IntN(2) == 0 {
		clear(x[9:])
	}
}

// maskedPoints takes zeros for absent coordinates.
type maskedPoints struct{ sampler.Denoiser }

func (m maskedPoints) Info() sampler.Info {
	info := m.Denoiser.Info()
	info.Masked = true
	return info
}

// TestMask: a model without a mask is refused, the adapter's mask reaches the sampler, and the scale of the model leaves what is absent at 0.
func TestMask(t *testing.T) {
	parts := Parts{Denoisers: []sampler.Denoiser{wordPoints(0)}, Adapter: &maskedAdapter{}, Offset: []float64{0.25}, Scale: []float64{2}}
	if _, err := newRun(wordPlan(64, nil), parts); !errors.Is(err, ErrMismatch) || !strings.Contains(err.Error(), "mask: for the model all") {
		t.Errorf("a model without a mask: %v", err)
	}
	parts.Denoisers[0] = maskedPoints{wordPoints(0)}
	r, err := newRun(wordPlan(64, nil), parts)
	if err != nil {
		t.Fatal(err)
	}
	if r.samplers[0].Settings().Mask == nil {
		t.Error("the sampler has no mask")
	}
	x := encodeWord("abca")
	clear(x[9:])
	r.unscale(x)
	for i, v := range encodeWord("abca") {
		want := v/2 + 0.25
		if i >= 9 {
			want = 0
		}
		if x[i] != want {
			t.Errorf("coordinate %d became %g, want %g", i, x[i], want)
		}
	}
}

// headedAdapter begins each export with a line.
type headedAdapter struct{ wordAdapter }

func (*headedAdapter) ExportHeader(w io.Writer, format string) error {
	_, err := fmt.Fprintf(w, "words as %s\n", format)
	return err
}

// TestExportHeader: each file of an export begins with its header, once.
func TestExportHeader(t *testing.T) {
	sink := &memorySink{}
	parts := wordParts(1, sink)
	parts.Adapter = &headedAdapter{}
	mustRun(t, wordPlan(30, func(p *Plan) { p.Also, p.ShardRows = []string{"text"}, 10 }), parts)
	if len(sink.shards) != 3 {
		t.Fatalf("%d shards, want 3", len(sink.shards))
	}
	for i, sh := range sink.shards {
		text := sh.exports["text"].String()
		if !strings.HasPrefix(text, "words as text\n") || strings.Count(text, "words as") != 1 {
			t.Errorf("shard %d: export begins with %.40q", i, text)
		}
	}
}

// TestFormlessRows: a row that a format cannot hold is left out of that export alone, and counted.
func TestFormlessRows(t *testing.T) {
	sink := &memorySink{}
	rep := mustRun(t, wordPlan(60, func(p *Plan) { p.Also = []string{"text", "scarce"} }), wordParts(1, sink))
	var text, scarce int64
	for _, sh := range sink.shards {
		text += int64(strings.Count(sh.exports["text"].String(), "\n"))
		scarce += int64(strings.Count(sh.exports["scarce"].String(), "\n"))
	}
	if left := rep.Formless["scarce"]; text != rep.Written || left == 0 || scarce == 0 || scarce+left != rep.Written || len(rep.Formless) != 1 {
		t.Errorf("%d rows: %d lines of text, %d scarce, left out: %v", rep.Written, text, scarce, rep.Formless)
	}
}
