package images

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pfgmgen/domains"
)

// digits loads MNIST once for all tests; a panic says why it cannot.
var digits = sync.OnceValue(func() *domains.Data {
	d, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{mnist}})
	if err != nil {
		panic(err)
	}
	return d
})

// Faults planted into a real cell and a real digit are caught by the gate for them and by no other hard one.
func TestPlantedFaults(t *testing.T) {
	for name, d := range map[string]*domains.Data{"mnist": digits(), "cells": load(t, domains.LoadOptions{Paths: []string{cells}})} {
		a := d.Adapter.(*adapter)
		n := a.Free()
		rng := rand.New(rand.NewPCG(6, 7))
		real := func() []float64 {
			x := make([]float64, n)
			d.Valid.Encode(x, 3)
			return x
		}
		for _, tc := range []struct {
			name, code string
			plant      func(x []float64)
		}{
			{"one NaN", "IM_NAN", func(x []float64) { x[n/2] = math.NaN() }},
			{"one infinity", "IM_NAN", func(x []float64) { x[0] = math.Inf(-1) }},
			{"2 % out of range", "IM_RANGE", func(x []float64) {
				for i := range n / 50 {
					x[i*50] = 1.6
				}
			}},
			{"one grey", "IM_CONST", func(x []float64) {
				for i := range x {
					x[i] = 0.1
				}
			}},
			{"a single spot", "IM_CONST", func(x []float64) {
				for i := range x {
					x[i] = -1
				}
				x[7] = 1
			}},
			{"nearly all white or black", "IM_SAT", func(x []float64) {
				for i := range x {
					x[i] = math.Copysign(1, x[i]-0.4)
					if i%50 == 0 {
						x[i] = float64(i%7) / 10
					}
				}
			}},
			{"noise of a tenth of the range left", "IM_NOISE", func(x []float64) {
				for i := range x {
					x[i] = max(-1, min(1, x[i]+0.2*rng.NormFloat64()))
				}
			}},
			{"a training picture", "IM_DUP", func(x []float64) { d.Train.Encode(x, 11) }},
			{"a training picture, off by a level here and there", "IM_DUP", func(x []float64) {
				d.Train.Encode(x, 11)
				for i := range 5 {
					x[i*n/5+n/10] += 1 / 127.5
				}
			}},
		} {
			x := real()
			before := a.Decode(x, -1).Verdict()
			if slices.Contains(before.Violations, tc.code) || slices.Contains(before.Warnings, tc.code) {
				t.Fatalf("%s: the sound picture fails %s", name, tc.code)
			}
			tc.plant(x)
			v := a.Decode(x, -1).Verdict()
			hard := slices.Contains([]string{"IM_NAN", "IM_RANGE", "IM_CONST"}, tc.code)
			if hard && !slices.Contains(v.Violations, tc.code) || !hard && (!slices.Contains(v.Warnings, tc.code) || !v.Valid()) {
				t.Errorf("%s, %s: %v, want %s", name, tc.name, v, tc.code)
			}
		}
	}
}

// The rates at which gates reject real held-out pictures.
func TestFalseRejects(t *testing.T) {
	for _, tc := range []struct {
		name string
		d    *domains.Data
		most map[string]float64 // rates; a gate that is not named must reject none
	}{
		// Measured on the 6,048 held-out digits: IM_DUP 3.6 % (mostly ones, which look alike at this size), IM_NOISE 0.13 %,
		// IM_SAT 0.03 %, IM_CONST one digit of 2 levels. The learnt thresholds leave out 0.1 %, here 6 pictures; 0.3 % is over
		// four deviations more, and IM_CONST leaves out at most 0.1 %.
		{"mnist", digits(), map[string]float64{"IM_DUP": 0.05, "IM_NOISE": 0.003, "IM_SAT": 0.003, "IM_CONST": 0.001}},
		// Measured on the 476 held-out cells: one IM_SAT. The thresholds are the maxima of 1,140 pictures, so that a share of
		// 1/1141 is expected above, 0.4 pictures; 4 pictures have a probability of 0.001.
		{"cells", load(t, domains.LoadOptions{Paths: []string{cells}}), map[string]float64{"IM_NOISE": 4.0 / 476, "IM_SAT": 4.0 / 476}},
	} {
		d := tc.d
		x, codes := make([]float64, d.Adapter.Free()), make(map[string]int)
		for i := range d.Valid.Len() {
			label := d.Valid.Encode(x, i)
			v := d.Adapter.Decode(x, label).Verdict()
			for _, c := range slices.Concat(v.Violations, v.Warnings) {
				codes[c]++
			}
		}
		t.Logf("%s: %v of %d", tc.name, codes, d.Valid.Len())
		for code, n := range codes {
			if rate := float64(n) / float64(d.Valid.Len()); rate > tc.most[code] {
				t.Errorf("%s: %s rejects %d of %d held-out pictures (%.2g), at most %g expected", tc.name, code, n, d.Valid.Len(), rate, tc.most[code])
			}
		}
	}
}

// The codes that gates use and the ones that Describe lists are the same.
func TestChecksAreDescribed(t *testing.T) {
	gates := opened(t, picture{height: 8, width: 8, channels: 1}, nil).gates
	if len(gates) != len(checks) {
		t.Fatalf("%d gates, %d described", len(gates), len(checks))
	}
	for i, g := range gates {
		if g.Code != checks[i].Name || strings.HasPrefix(checks[i].About, "hard") != g.Hard {
			t.Errorf("%s (hard: %v) is described as %s: %s", g.Code, g.Hard, checks[i].Name, checks[i].About)
		}
	}
}
