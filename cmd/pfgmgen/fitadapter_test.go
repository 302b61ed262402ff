package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/sampler"
)

func fitted(t *testing.T, args ...string) (fitResult, int, string) {
	t.Helper()
	code, stdout, stderr := pfgmgen(append([]string{"fit-adapter", "--json"}, args...)...)
	var r fitResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	return r, code, stderr
}

// TestFitAdapter: what is measured is what train would use, and the model's own data fit the model.
func TestFitAdapter(t *testing.T) {
	r, code, _ := fitted(t, "--domain", "rna", "--data", hairpins+".sto", "--split", hairpins+".tsv")
	if code != 0 || r.Train != 56 || len(r.Shape) != 2 || r.Free != r.Shape[0]*r.Shape[1] {
		t.Errorf("exit %d, %+v", code, r)
	}
	// One-hot vectors over their alphabet have these moments by construction.
	if math.Abs(r.Mean) > 1e-12 || math.Abs(r.Deviation-domains.SigmaData) > 1e-12 || r.Offset != 0 || r.Scale != 1 {
		t.Errorf("mean %g, deviation %g, offset %g, scale %g", r.Mean, r.Deviation, r.Offset, r.Scale)
	}
	const trna = "../../../shared/data/rna/trna_rfam_sprinzl/"
	data := []string{"--data", trna + "sprinzl_tRNA1415.sto.gz", "--split", trna + "trna.tsv", "--model", "rna-trna"}
	if r, code, stderr := fitted(t, data...); code != 0 || r.Mismatch != "" || r.HeldOutPass < 0.95 {
		t.Errorf("the model's own data: exit %d, %q, %.3f of the held-out records pass\n%s", code, r.Mismatch, r.HeldOutPass, stderr)
	}
	r, code, stderr := fitted(t, "--data", hairpins+".sto", "--model", "rna-trna")
	if code != exitFailure || !strings.Contains(r.Mismatch, "shape [40 25]") || !strings.Contains(stderr, "do not fit the model") {
		t.Errorf("other data: exit %d, %q\n%s", code, r.Mismatch, stderr)
	}
}

// TestFitAdapterScale: more than a tenth off in deviation or mean is refused, less is not.
func TestFitAdapterScale(t *testing.T) {
	measured := domains.Measure{Mean: 1, Deviation: 2, Records: 10, Present: 4}
	exact, err := measured.Fit()
	if err != nil || exact != (domains.Scale{Offset: 1, Scale: 0.25}) {
		t.Fatalf("scale %+v, %v", exact, err)
	}
	data := &domains.Data{Adapter: shapeAdapter{}}
	for _, c := range []struct {
		offset, scale float64
		fits          bool
	}{{1, 0.25, true}, {1, 0.274, true}, {1, 0.276, false}, {1, 0.224, false}, {1, -0.25, true}, {1.19, 0.25, true}, {1.21, 0.25, false}, {0.79, 0.25, false}} {
		m := &model{name: "m", contract: &sampler.Contract{Shape: []int{2, 2}, Offset: []float64{c.offset}, Scale: []float64{c.scale}}}
		if err := m.fits(data, measured); (err == nil) != c.fits {
			t.Errorf("offset %g, scale %g: %v", c.offset, c.scale, err)
		}
	}
	if _, err := (domains.Measure{Mean: 3, Records: 5}).Fit(); err == nil {
		t.Error("data that do not vary were given a scale")
	}
}

// shapeAdapter has a shape and no labels.
type shapeAdapter struct{ domains.Adapter }

func (shapeAdapter) Shape() []int     { return []int{2, 2} }
func (shapeAdapter) Labels() []string { return nil }
