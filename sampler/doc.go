// Package sampler draws samples from PFGM++ models: it starts from heavy-tailed noise and follows an ordinary
// differential equation down to the data. The model itself is behind the Denoiser interface.
//
// # Notation
//
// The names are those of "PFGM++: Unlocking the Potential of Physics-Inspired Generative Models" (arXiv 2302.04265)
// and, for the noise levels, of "Elucidating the Design Space of Diffusion-Based Generative Models" (arXiv 2206.00364).
//
//	y          a data point of N coordinates, in model space
//	D          number of augmented dimensions: any positive real; +Inf is the diffusion limit (EDM), 1 is PFGM
//	r          radius in the augmented dimensions
//	sigma      noise level, r = sigma*sqrt(D); everything in this package is a function of sigma
//	x          a perturbed point or the state of the solver
//	Den(x, sigma)  E[y | x], what a denoiser returns
//	NFE        network evaluations for one sample
//
// The kernel p(x | y) is proportional to (|x-y|^2 + sigma^2 D)^(-(N+D)/2). That is the multivariate Student-t law with
// D degrees of freedom, centre y and scale sigma, so noise is
//
//	x = y + sigma * g * sqrt(D / chi2),   g ~ N(0, I_N),   chi2 ~ chi-squared with D degrees of freedom
//
// with one chi-square draw for a whole sample (one for each coordinate would be another kernel). This form does not
// contain N, needs no Beta variate, and is not clipped anywhere. The flow from noise to data is
//
//	dx/dsigma = (x - Den(x, sigma)) / sigma
//
// for every D. Hence D enters sampling through the start alone, and any deterministic EDM solver can be used.
//
// # Use
//
//  1. Open a Denoiser: package sampler/ort reads one from an ONNX file, sampler/samplertest has closed forms.
//  2. New checks the settings against what the denoiser was trained for and builds the schedule (Karras).
//  3. Sampler.Sample draws the start of each row with Prior and runs the Solver (Euler or Heun) over all rows.
//
// The state is float64 throughout. A denoiser may round to float32 on its own side.
//
// # Identity of a sample
//
// The noise of a sample comes from a Stream, a counter-based generator (Philox4x32-10, Salmon et al. 2011) whose key is
// the seed and whose counter holds the sample's index and attempt. So a sample is a function of the model, the settings,
// the seed, its index and its attempt; its place in a batch, the batch size, the order of calls and the number of
// workers do not matter. That holds bit for bit as far as the denoiser treats rows independently. Another processor
// architecture may fuse multiplications and additions and then differs in the last bits.
package sampler
