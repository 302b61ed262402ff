// Package training fits a PFGM++ denoiser to data, with ONNX Runtime as its only engine.
//
// The steps, in order:
//
//  1. NewArchitecture describes a token transformer for samples of shape [positions, channels] or
//     [channels, height, width], possibly with absent coordinates.
//  2. Its forward pass with EDM preconditioning, the loss, the reverse-mode gradient, the gradient clip, Adam and the
//     moving average of the weights are built as one ONNX graph (internal/onnx). All weights lie in one vector, which is
//     an input and an output of the graph, as are Adam's moments and the average.
//  3. Run makes noisy batches (x = y + sigma*g*sqrt(D/chi2_D), ln sigma normal and stratified) and applies the graph
//     once a step. Each random number is keyed by the seed and its place in the run, so a run that was stopped and
//     resumed from its checkpoint gives the same bits as one that was not, with one thread.
//  4. Export writes the same network with the averaged weights as constants and the model contract as metadata.
//
// The objective is the mean over samples and coordinates of lambda(sigma)*|Den(x, sigma) - y|^2 with
// lambda = (sigma^2 + s^2)/(sigma*s)^2, s = sigma_data = 0.5 in model space: a network that predicts nothing has a loss
// of 1 on white data (with a surplus of (2/(D-2))*s^2/(sigma^2+s^2) at finite D). PFGM++ is arXiv 2302.04265, the
// preconditioning arXiv 2206.00364, the transformer arXiv 2212.09748.
package training

// producer is the name that model files give their maker.
const producer = "pfgmgen"
