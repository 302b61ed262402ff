package sampler

import (
	"context"
	"fmt"
	"math"
)

// Guided returns the denoiser with classifier-free guidance of weight w (arXiv 2207.12598):
//
//	Den_u(x, sigma) + w * (Den_c(x, sigma) - Den_u(x, sigma))
//
// where c is a sample's label and u is unconditional. w = 1 is den itself, w = 0 is unconditional, w > 1 follows the label
// more closely at the price of variety. It works on the denoised values and needs no score, so it is defined for every D.
// w must be finite and not negative, and den must have classes unless w is 1. Each evaluation costs two of den's; when all
// labels are nil it costs one.
func Guided(den Denoiser, w float64) (Denoiser, error) {
	if !(w >= 0) || math.IsInf(w, 1) {
		return nil, fmt.Errorf("sampler: guidance is %g, want a finite number that is not negative", w)
	}
	if w == 1 {
		return den, nil
	}
	if den.Info().Classes == 0 {
		return nil, fmt.Errorf("sampler: guidance is %g, but the model has no labels to guide by: leave guidance at 1", w)
	}
	return guided{den: den, w: w}, nil
}

type guided struct {
	den Denoiser
	w   float64
}

func (g guided) Info() Info { return g.den.Info() }

func (g guided) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	if err := g.den.Denoise(ctx, dst, x, sigma, nil); err != nil || labels == nil || g.w == 0 {
		return err
	}
	cond := make([]float64, len(x))
	if err := g.den.Denoise(ctx, cond, x, sigma, labels); err != nil {
		return err
	}
	for i, u := range dst {
		dst[i] = u + g.w*(cond[i]-u)
	}
	return nil
}
