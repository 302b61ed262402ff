package onnx

import (
	"math"
	"slices"
)

// Element-wise operators. Binary ones broadcast as NumPy does.

func (g *Graph) Add(a, b *Value) *Value         { return g.add("Add", nil, a, b) }
func (g *Graph) Sub(a, b *Value) *Value         { return g.add("Sub", nil, a, b) }
func (g *Graph) Mul(a, b *Value) *Value         { return g.add("Mul", nil, a, b) }
func (g *Graph) Div(a, b *Value) *Value         { return g.add("Div", nil, a, b) }
func (g *Graph) Min(a, b *Value) *Value         { return g.add("Min", nil, a, b) }
func (g *Graph) Max(a, b *Value) *Value         { return g.add("Max", nil, a, b) }
func (g *Graph) Neg(a *Value) *Value            { return g.add("Neg", nil, a) }
func (g *Graph) Exp(a *Value) *Value            { return g.add("Exp", nil, a) }
func (g *Graph) Log(a *Value) *Value            { return g.add("Log", nil, a) }
func (g *Graph) Sqrt(a *Value) *Value           { return g.add("Sqrt", nil, a) }
func (g *Graph) Sin(a *Value) *Value            { return g.add("Sin", nil, a) }
func (g *Graph) Cos(a *Value) *Value            { return g.add("Cos", nil, a) }
func (g *Graph) Sigmoid(a *Value) *Value        { return g.add("Sigmoid", nil, a) }
func (g *Graph) Tanh(a *Value) *Value           { return g.add("Tanh", nil, a) }
func (g *Graph) Erf(a *Value) *Value            { return g.add("Erf", nil, a) }
func (g *Graph) Relu(a *Value) *Value           { return g.add("Relu", nil, a) }
func (g *Graph) Abs(a *Value) *Value            { return g.add("Abs", nil, a) }
func (g *Graph) Greater(a, b *Value) *Value     { return g.add("Greater", nil, a, b) }
func (g *Graph) Less(a, b *Value) *Value        { return g.add("Less", nil, a, b) }
func (g *Graph) Equal(a, b *Value) *Value       { return g.add("Equal", nil, a, b) }
func (g *Graph) Where(cond, a, b *Value) *Value { return g.add("Where", nil, cond, a, b) }

// Cast converts the elements of a to type t.
func (g *Graph) Cast(a *Value, t DType) *Value { return g.add("Cast", Attrs{"to": int(t)}, a) }

// Scale is a times a constant.
func (g *Graph) Scale(a *Value, f float64) *Value { return g.Mul(a, g.Scalar(float32(f))) }

// Shift is a plus a constant.
func (g *Graph) Shift(a *Value, f float64) *Value { return g.Add(a, g.Scalar(float32(f))) }

// Square is a times itself.
func (g *Graph) Square(a *Value) *Value { return g.Mul(a, a) }

// SiLU is x*sigmoid(x).
func (g *Graph) SiLU(a *Value) *Value { return g.Mul(a, g.Sigmoid(a)) }

// GELU is the exact Gaussian error linear unit, x*(1 + erf(x/sqrt 2))/2.
func (g *Graph) GELU(a *Value) *Value {
	return g.Mul(g.Scale(a, 0.5), g.Shift(g.Erf(g.Scale(a, math.Sqrt2/2)), 1))
}

// TanhGELU is the tanh approximation of GELU.
func (g *Graph) TanhGELU(a *Value) *Value {
	cube := g.Mul(g.Square(a), a)
	inner := g.Scale(g.Add(a, g.Scale(cube, 0.044715)), math.Sqrt(2/math.Pi))
	return g.Mul(g.Scale(a, 0.5), g.Shift(g.Tanh(inner), 1))
}

// MatMul multiplies [..., m, k] by [..., k, n], broadcasting the leading dimensions.
func (g *Graph) MatMul(a, b *Value) *Value { return g.add("MatMul", nil, a, b) }

// Gemm is a·b + c for matrices, with a or b transposed on request. c may be nil.
func (g *Graph) Gemm(a, b, c *Value, transA, transB bool) *Value {
	attrs := Attrs{}
	if transA {
		attrs["transA"] = 1
	}
	if transB {
		attrs["transB"] = 1
	}
	if c == nil {
		return g.add("Gemm", attrs, a, b)
	}
	return g.add("Gemm", attrs, a, b, c)
}

// Linear applies a dense layer to the last dimension of x: w is [in, out], b is [out] or nil.
func (g *Graph) Linear(x, w, b *Value) *Value {
	if x.Rank() == 2 {
		return g.Gemm(x, w, b, false, false)
	}
	rows := g.Gemm(g.Reshape(x, g.rows(x), x.Dim(-1)), w, b, false, false)
	return g.Reshape(rows, append(slices.Clone(x.Shape[:x.Rank()-1]), w.Dim(1))...)
}

// rows is the product of all dimensions but the last.
func (g *Graph) rows(x *Value) Dim {
	n := 1
	for _, d := range x.Shape[:x.Rank()-1] {
		n *= d
	}
	return n
}

// Softmax normalises exp(a) over one axis.
func (g *Graph) Softmax(a *Value, axis int) *Value {
	return g.add("Softmax", Attrs{"axis": axis}, a)
}

// LayerNorm normalises the last dimension to mean 0 and variance 1, then multiplies by scale and adds bias (or nil).
func (g *Graph) LayerNorm(a, scale, bias *Value, epsilon float32) *Value {
	in := []*Value{a, scale}
	if bias != nil {
		in = append(in, bias)
	}
	// All three outputs are asked for: the gradient uses the mean and the inverse standard deviation.
	return g.Apply("LayerNormalization", Attrs{"axis": -1, "epsilon": epsilon}, 3, in...)[0]
}

// RMSNorm divides by the root mean square over the last dimension; scale is [last] or nil.
func (g *Graph) RMSNorm(a, scale *Value, epsilon float64) *Value {
	ms := g.ReduceMean(g.Square(a), true, -1)
	out := g.Div(a, g.Sqrt(g.Shift(ms, epsilon)))
	if scale != nil {
		out = g.Mul(out, scale)
	}
	return out
}

// Reshape gives a the shape; one size may depend on the batch.
func (g *Graph) Reshape(a *Value, shape ...Dim) *Value {
	dims := make([]int64, len(shape))
	for i, d := range shape {
		dims[i] = int64(max(d, -1))
	}
	return g.add("Reshape", nil, a, g.Ints(dims...))
}

// Transpose permutes the dimensions: dimension i of the result is dimension perm[i] of a.
func (g *Graph) Transpose(a *Value, perm ...int64) *Value {
	return g.add("Transpose", Attrs{"perm": perm}, a)
}

// Gather takes the slices of a along axis that indices (int64) name.
func (g *Graph) Gather(a, indices *Value, axis int) *Value {
	return g.add("Gather", Attrs{"axis": axis}, a, indices)
}

// Concat joins values along axis.
func (g *Graph) Concat(axis int, in ...*Value) *Value {
	return g.add("Concat", Attrs{"axis": axis}, in...)
}

// Slice takes elements start, start+step, ... before end of one axis, with Python's rules for negative numbers.
func (g *Graph) Slice(a *Value, axis, start, end, step int) *Value {
	return g.add("Slice", nil, a, g.Ints(int64(start)), g.Ints(int64(end)), g.Ints(int64(axis)), g.Ints(int64(step)))
}

// Split cuts a along axis into pieces of the given sizes.
func (g *Graph) Split(a *Value, axis int, sizes ...int64) []*Value {
	return g.Apply("Split", Attrs{"axis": axis}, len(sizes), a, g.Ints(sizes...))
}

// ReduceSum sums over the axes.
func (g *Graph) ReduceSum(a *Value, keep bool, axes ...int64) *Value {
	return g.add("ReduceSum", keepAttrs(keep), a, g.Ints(axes...))
}

// ReduceMean averages over the axes.
func (g *Graph) ReduceMean(a *Value, keep bool, axes ...int64) *Value {
	return g.add("ReduceMean", keepAttrs(keep), a, g.Ints(axes...))
}

func keepAttrs(keep bool) Attrs {
	if keep {
		return Attrs{"keepdims": 1}
	}
	return Attrs{"keepdims": 0}
}

// Expand broadcasts a to the shape of like.
func (g *Graph) Expand(a, like *Value) *Value {
	if slices.Equal(a.Shape, like.Shape) {
		return a
	}
	return g.add("Expand", nil, a, g.shapeOf(like))
}

// Zeros is a float32 tensor of zeros in the shape of like.
func (g *Graph) Zeros(like *Value) *Value { return g.add("ConstantOfShape", nil, g.shapeOf(like)) }

// shapeOf is the shape of v as an int64 vector: a constant where it does not depend on the batch.
func (g *Graph) shapeOf(v *Value) *Value {
	dims := make([]int64, v.Rank())
	for i, d := range v.Shape {
		if d < 0 {
			return g.add("Shape", nil, v)
		}
		dims[i] = int64(d)
	}
	return g.Ints(dims...)
}
