package sampler

import "context"

// Info is what a sampler must know about a denoiser.
type Info struct {
	// Size is the number of coordinates of one sample as the network takes it: the product of its shape.
	Size int
	// Free is the N of PFGM++: the number of independent coordinates that the training noise perturbed.
	// It equals Size unless coordinates are masked or tied (one per undirected edge).
	Free int
	// D is the number of augmented dimensions; +Inf is the EDM diffusion limit.
	D float64
	// SigmaMin and SigmaMax bound the noise levels the denoiser was trained for; SigmaData is the standard
	// deviation of its training data, all in model space.
	SigmaMin, SigmaMax, SigmaData float64
	// Classes is the number of labels, 0 for an unconditional denoiser. Label Classes itself means "unconditional".
	Classes int
	// Masked says that coordinates of x that are exactly 0 are absent (MaskZeros).
	Masked bool
}

// A Denoiser evaluates Den(x, sigma) = E[y | x], the posterior mean of the data under the PFGM++ kernel.
type Denoiser interface {
	Info() Info
	// Denoise writes Den(x, sigma) to dst for the len(x)/Info().Size samples of x, row-major and all at the same
	// sigma > 0. labels has one class per sample, or is nil when the denoiser is unconditional or every sample is to
	// be drawn unconditionally. dst must not overlap x. Denoise is safe for concurrent use, and a sample's result
	// does not depend on its neighbours. It returns ctx.Err() soon after ctx ends.
	Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error
}
