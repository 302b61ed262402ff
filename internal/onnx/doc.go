// Package onnx reads, builds, differentiates and writes ONNX models without running them.
//
// A Model is a file: Parse and Read check its structure, Marshal writes it back, and whatever this package does not
// know (foreign operators, unknown fields, quantisation notes) is kept as it was. Metadata and SetMetadata reach the
// metadata_props where the model contract of pfgmgen lives (sampler.Contract).
//
// A Graph is a network under construction, in three steps:
//
//  1. Input, Floats, Ints and Scalar make values; the methods named after operators combine them. Types and shapes are
//     inferred at once. One size may be the batch (Batch, -1) or a multiple of it (-55 is 55 times the batch).
//  2. Gradient adds the reverse-mode derivative of a scalar with respect to any values, as more nodes of the same graph.
//  3. Output names results; Model leaves out what they do not need and gives the file.
//
// Operators with inference and derivative: Add, Sub, Mul, Div, Min, Max, Neg, Exp, Log, Sqrt, Reciprocal, Sin, Cos,
// Sigmoid, Tanh, Erf, Relu, Abs, Where, Cast, Identity, MatMul, Gemm, Softmax, LayerNormalization (last axis), Reshape,
// Transpose, Expand, Gather, Concat, Slice, Pad with zeros, Split, ReduceSum, ReduceMean; SiLU, both GELUs, RMSNorm and
// Linear are built from them. Comparisons, And, Or, Not, Shape, Size, Sign and ConstantOfShape have a derivative of zero,
// and so has a Cast to integers; ScatterND has none. Every derivative, and every inferred shape, is checked against
// central differences and shapes that ONNX Runtime computes.
//
// Files are written with IR version 10 and operator set 21, which ONNX Runtime 1.20 and newer read. The protobuf types
// in onnxpb are generated from the standard's own onnx.proto.
package onnx
