package onnx

import (
	"fmt"
	"slices"
)

// infer returns the types and shapes of a node's outputs. It panics when the inputs do not fit the operator.
func infer(n *node, outputs int) ([]DType, [][]Dim) {
	one := func(t DType, shape []Dim) ([]DType, [][]Dim) {
		if outputs != 1 {
			panic(fmt.Sprintf("onnx: %s has 1 output, not %d", n.op, outputs))
		}
		return []DType{t}, [][]Dim{shape}
	}
	switch n.op {
	case "Neg", "Exp", "Log", "Sqrt", "Sigmoid", "Tanh", "Erf", "Relu", "Abs", "Sign", "Reciprocal", "Sin", "Cos":
		n.want(0, Float)
		return one(Float, n.in[0].Shape)
	case "Identity":
		return one(n.in[0].Type, n.in[0].Shape)
	case "Not":
		n.want(0, Bool)
		return one(Bool, n.in[0].Shape)
	case "Add", "Sub", "Mul", "Div", "Min", "Max":
		n.same(0, 1)
		return one(n.in[0].Type, n.broadcast(n.in[0].Shape, n.in[1].Shape))
	case "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual":
		n.same(0, 1)
		return one(Bool, n.broadcast(n.in[0].Shape, n.in[1].Shape))
	case "And", "Or":
		n.want(0, Bool)
		n.want(1, Bool)
		return one(Bool, n.broadcast(n.in[0].Shape, n.in[1].Shape))
	case "Where":
		n.want(0, Bool)
		n.same(1, 2)
		return one(n.in[1].Type, n.broadcast(n.in[0].Shape, n.broadcast(n.in[1].Shape, n.in[2].Shape)))
	case "Cast":
		return one(DType(n.int("to", 0)), n.in[0].Shape)
	case "Shape":
		return one(Int64, []Dim{n.in[0].Rank()})
	case "Size":
		return one(Int64, nil)
	case "MatMul":
		n.wantFloats()
		return one(Float, n.inferMatMul())
	case "Gemm":
		n.wantFloats()
		return one(Float, n.inferGemm())
	case "Softmax":
		n.wantFloats()
		n.axis(n.int("axis", -1), n.in[0].Rank())
		return one(Float, n.in[0].Shape)
	case "LayerNormalization":
		n.wantFloats()
		if n.int("axis", -1) != -1 {
			n.fail("only axis -1 is built here")
		}
		if outputs < 1 || outputs > 3 || n.in[0].Rank() == 0 {
			n.fail("%d outputs", outputs)
		}
		for _, v := range n.in[1:] {
			if v != nil && !slices.Equal(v.Shape, n.in[0].Shape[n.in[0].Rank()-1:]) {
				n.fail("scale and bias must have the size of the last dimension")
			}
		}
		stat := slices.Clone(n.in[0].Shape)
		stat[len(stat)-1] = 1
		return []DType{Float, Float, Float}[:outputs], [][]Dim{n.in[0].Shape, stat, stat}[:outputs]
	case "Reshape":
		return one(n.in[0].Type, n.inferReshape())
	case "Transpose":
		perm := n.attrs["perm"].([]int64)
		if len(perm) != n.in[0].Rank() {
			n.fail("perm %v", perm)
		}
		shape := make([]Dim, len(perm))
		for i, p := range perm {
			shape[i] = n.in[0].Shape[p]
		}
		return one(n.in[0].Type, shape)
	case "Expand":
		return one(n.in[0].Type, n.broadcast(n.in[0].Shape, n.in[1].ints2dims(n)))
	case "ConstantOfShape":
		return one(Float, n.in[0].ints2dims(n))
	case "Gather":
		axis := n.axis(n.int("axis", 0), n.in[0].Rank())
		n.want(1, Int64)
		shape := slices.Concat(n.in[0].Shape[:axis], n.in[1].Shape, n.in[0].Shape[axis+1:])
		return one(n.in[0].Type, shape)
	case "ScatterND":
		n.same(0, 2)
		n.want(1, Int64)
		return one(n.in[0].Type, n.in[0].Shape)
	case "Concat":
		return one(n.in[0].Type, n.inferConcat())
	case "Slice":
		return one(n.in[0].Type, n.inferSlice())
	case "Pad":
		shape := slices.Clone(n.in[0].Shape)
		pads := n.constant(1)
		if len(n.in) > 2 || len(n.attrs) > 0 || len(pads) != 2*len(shape) {
			n.fail("want two numbers for each axis, and padding by zeros")
		}
		for i := range shape {
			if add := int(pads[i] + pads[len(shape)+i]); add != 0 {
				if shape[i] = n.fixed(shape[i]) + add; shape[i] < 0 {
					n.fail("pads %v leave nothing of axis %d", pads, i)
				}
			}
		}
		return one(n.in[0].Type, shape)
	case "Split":
		axis := n.axis(n.int("axis", 0), n.in[0].Rank())
		sizes := n.constant(1)
		total := 0
		var types []DType
		var shapes [][]Dim
		for _, s := range sizes {
			total += int(s)
			shape := slices.Clone(n.in[0].Shape)
			shape[axis] = int(s)
			types, shapes = append(types, n.in[0].Type), append(shapes, shape)
		}
		if len(sizes) != outputs || total != n.in[0].Shape[axis] {
			n.fail("sizes %v on axis %d of %v into %d", sizes, axis, n.in[0].Shape, outputs)
		}
		return types, shapes
	case "ReduceSum", "ReduceMean":
		return one(Float, n.inferReduce())
	}
	panic("onnx: operator " + n.op + " cannot be built here")
}

func (n *node) fail(format string, args ...any) {
	shapes := make([]any, 0, len(n.in))
	for _, v := range n.in {
		if v != nil {
			shapes = append(shapes, fmt.Sprintf("%s %s%v", v.Name, v.Type, v.Shape))
		}
	}
	panic(fmt.Sprintf("onnx: %s of %v: ", n.op, shapes) + fmt.Sprintf(format, args...))
}

func (n *node) want(i int, t DType) {
	if n.in[i].Type != t {
		n.fail("input %d is not %s", i, t)
	}
}

// wantFloats checks all inputs.
func (n *node) wantFloats() {
	for i, v := range n.in {
		if v != nil {
			n.want(i, Float)
		}
	}
}

// constant returns the contents of an input that must be one of the graph's int64 constants.
func (n *node) constant(i int) []int64 {
	if len(n.in) <= i || n.in[i] == nil || n.in[i].ints == nil {
		n.fail("input %d must be an int64 constant", i)
	}
	return n.in[i].ints
}

func (n *node) same(i, j int) {
	if n.in[i].Type != n.in[j].Type {
		n.fail("inputs %d and %d differ in type", i, j)
	}
}

func (n *node) fixed(d Dim) int {
	if d < 0 {
		n.fail("the size of this axis must not depend on the batch")
	}
	return d
}

func (n *node) axis(axis, rank int) int {
	if axis < 0 {
		axis += rank
	}
	if axis < 0 || axis >= rank {
		n.fail("no axis %d", axis)
	}
	return axis
}

// ints2dims is the shape that a one-dimensional int64 value holds: a constant, or the Shape of another value.
func (v *Value) ints2dims(n *node) []Dim {
	if v.node != nil && v.node.op == "Shape" {
		return v.node.in[0].Shape
	}
	if v.ints == nil {
		n.fail("the shape must be a constant or the Shape of a value")
	}
	out := make([]Dim, len(v.ints))
	for i, d := range v.ints {
		out[i] = int(d)
	}
	return out
}

func (n *node) broadcast(a, b []Dim) []Dim {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		j := len(a) - len(b) + i
		switch {
		case out[j] == d, d == 1:
		case out[j] == 1:
			out[j] = d
		default:
			n.fail("shapes %v and %v do not broadcast", a, b)
		}
	}
	return out
}

func (n *node) inferMatMul() []Dim {
	a, b := n.in[0].Shape, n.in[1].Shape
	if len(a) < 2 || len(b) < 2 || a[len(a)-1] != b[len(b)-2] {
		n.fail("want [..., m, k] and [..., k, n]")
	}
	return append(n.broadcast(a[:len(a)-2], b[:len(b)-2]), a[len(a)-2], b[len(b)-1])
}

func (n *node) inferGemm() []Dim {
	a, b := n.in[0].Shape, n.in[1].Shape
	if len(a) != 2 || len(b) != 2 {
		n.fail("want matrices")
	}
	m, k, k2, cols := a[0], a[1], b[0], b[1]
	if n.int("transA", 0) == 1 {
		m, k = k, m
	}
	if n.int("transB", 0) == 1 {
		k2, cols = cols, k2
	}
	if k != k2 {
		n.fail("inner sizes %d and %d differ", k, k2)
	}
	out := []Dim{m, cols}
	if len(n.in) == 3 && n.in[2] != nil && !slices.Equal(n.broadcast(out, n.in[2].Shape), out) {
		n.fail("the third input does not broadcast to %v", out)
	}
	return out
}

func (n *node) inferReshape() []Dim {
	total := 1
	for _, d := range n.in[0].Shape {
		if d < 0 && total < 0 {
			n.fail("the batch occurs twice")
		}
		total *= d
	}
	sizes := n.constant(1)
	out := make([]Dim, len(sizes))
	known, open := 1, -1
	for i, d := range sizes {
		out[i] = int(d)
		if d == -1 {
			if open >= 0 {
				n.fail("two open sizes in %v", sizes)
			}
			open = i
			continue
		}
		if d <= 0 {
			n.fail("size %d of %v; to ONNX a 0 means something else", d, sizes)
		}
		known *= int(d)
	}
	switch {
	case open >= 0 && total%known == 0:
		out[open] = total / known
	case open >= 0 || known != total:
		n.fail("%d elements do not fit %v", total, sizes)
	}
	return out
}

func (n *node) inferConcat() []Dim {
	axis := n.axis(n.int("axis", 0), n.in[0].Rank())
	out := slices.Clone(n.in[0].Shape)
	for i, v := range n.in[1:] {
		n.same(0, i+1)
		if v.Rank() != len(out) || (v.Shape[axis] < 0) != (out[axis] < 0) {
			n.fail("input %d does not fit", i+1)
		}
		for j, d := range v.Shape {
			if j != axis && d != out[j] {
				n.fail("input %d does not fit on axis %d", i+1, j)
			}
		}
		out[axis] += v.Shape[axis]
	}
	return out
}

// bounds returns the first index, the step and the number of elements that a Slice takes of an axis of the given size.
func (n *node) bounds(i, size int) (start, step, count int) {
	clamp := func(v int64, low, high int) int {
		if v < 0 {
			v += int64(size)
		}
		return int(min(max(v, int64(low)), int64(high)))
	}
	step = 1
	if len(n.in) > 4 && n.in[4] != nil {
		step = int(n.constant(4)[i])
	}
	if step == 0 {
		n.fail("a step of 0")
	}
	if step > 0 {
		start = clamp(n.constant(1)[i], 0, size)
		count = max(0, (clamp(n.constant(2)[i], 0, size)-start+step-1)/step)
		return start, step, count
	}
	start = clamp(n.constant(1)[i], 0, size-1)
	count = max(0, (start-clamp(n.constant(2)[i], -1, size-1)-step-1)/-step)
	return start, step, count
}

func (n *node) inferSlice() []Dim {
	out := slices.Clone(n.in[0].Shape)
	for i, a := range n.constant(3) {
		axis := n.axis(int(a), len(out))
		_, _, out[axis] = n.bounds(i, n.fixed(out[axis]))
	}
	return out
}

func (n *node) inferReduce() []Dim {
	n.want(0, Float)
	reduced := n.reduced()
	var out []Dim
	for i, d := range n.in[0].Shape {
		switch {
		case !reduced[i]:
			out = append(out, d)
		case n.int("keepdims", 1) == 1:
			out = append(out, 1)
		}
	}
	return out
}

// reduced marks the axes that a reduction removes. An empty list means all of them, as it does in ONNX.
func (n *node) reduced() []bool {
	out := make([]bool, n.in[0].Rank())
	axes := n.constant(1)
	for i := range out {
		out[i] = len(axes) == 0
	}
	for _, a := range axes {
		out[n.axis(int(a), len(out))] = true
	}
	return out
}
