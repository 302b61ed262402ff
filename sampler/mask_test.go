package sampler_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

// TestMaskStays: coordinates that the mask sets to 0 are exactly 0 in the result when the denoiser gives 0 for them, the
// mask depends on index and attempt alone, and the others start as without a mask.
func TestMaskStays(t *testing.T) {
	den := samplertest.NewPoints([][]float64{{0.5, -0.5, 0, 0}, {-0.5, 0.25, 0, 0}}, nil, 64)
	mask := func(x []float64, label int, r *rand.Rand) {
		if label != -1 {
			t.Errorf("label %d, want -1 for none", label)
		}
		clear(x[2:])
		if r.IntN(2) == 0 {
			x[1] = 0
		}
	}
	for _, solver := range []sampler.Solver{sampler.Euler{}, sampler.Heun{}} {
		s := mustNew(t, den, sampler.Settings{Solver: solver, Mask: mask})
		ids := make([]sampler.ID, 64)
		for i := range ids {
			ids[i].Index = int64(i)
		}
		all := make([]float64, 4*len(ids))
		if _, err := s.Sample(context.Background(), all, 3, ids, nil); err != nil {
			t.Fatal(err)
		}
		for i := range ids {
			row := all[4*i : 4*i+4]
			if row[2] != 0 || row[3] != 0 || row[0] == 0 {
				t.Fatalf("sample %d is %v, want zeros in the last two only", i, row)
			}
			one := make([]float64, 4)
			if _, err := s.Sample(context.Background(), one, 3, ids[i:i+1], nil); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(one, row) {
				t.Errorf("sample %d is %v alone and %v among others", i, one, row)
			}
		}
	}
}
