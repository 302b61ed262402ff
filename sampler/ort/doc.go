// Package ort runs ONNX models through ONNX Runtime. It is the only package that imports the runtime's Go binding, so
// that another binding or another engine replaces this package and nothing else.
//
// Steps:
//
//  1. [Load] finds the shared library libonnxruntime and starts it, once per process.
//  2. [Runtime.NewSession] compiles a model for one device; [Session.Run] evaluates it on tensors of the caller.
//  3. [Runtime.Open] does the same for a model with the contract of package sampler and gives a [Denoiser], after it
//     has compared every name, element type and shape of the model with the contract.
//
// Tensors are row-major and alias the caller's slices: nothing is copied between Go and the runtime on the CPU. The
// float64 state of the solvers becomes float32 in [Denoiser.Denoise] and nowhere else.
//
// # Results that repeat
//
// With one device, one build of the runtime and one batch size, a row's bits depend neither on the other rows, nor on
// its place in the batch, nor on the number of threads. They may depend on the batch size, since the matrix kernels
// treat a single row apart; callers that want equal bits evaluate micro-batches of one size. The session option
// session.set_denormal_as_zero stays off on purpose: the runtime applies it to the operating-system thread that
// creates the session, which belongs to the Go scheduler, and Go arithmetic would then flush denormals on one thread
// and not on the others.
//
// # Signals
//
// The CUDA provider and the driver beneath it install signal handlers of their own and so break Ctrl-C and the Go
// runtime's own faults (github.com/yalue/onnxruntime_go/issues/140). Loading the library and creating a session
// therefore save the handlers of the process before and put back those that changed.
package ort
