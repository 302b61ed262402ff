package onnx

import (
	"fmt"
	"math"
	"slices"
)

// Gradient adds the reverse-mode derivative of loss, a float32 value with one element, with respect to each value of
// wrt, and returns the derivatives in that order, each in the shape of its value. A value that loss does not depend on
// gets zeros. It panics when an operator on the way has no derivative here.
func (g *Graph) Gradient(loss *Value, wrt ...*Value) []*Value {
	if loss.Type != Float || slices.ContainsFunc(loss.Shape, func(d Dim) bool { return d != 1 }) {
		panic(fmt.Sprintf("onnx: gradient of %s, which is %s%v and not one float32", loss.Name, loss.Type, loss.Shape))
	}
	depends, asked := make(map[*Value]bool), make(map[*Value]bool)
	for _, v := range wrt {
		depends[v], asked[v] = true, true
	}
	forward := g.nodes[:len(g.nodes):len(g.nodes)]
	for _, n := range forward {
		for _, in := range n.in {
			if in != nil && depends[in] {
				for _, out := range n.out {
					depends[out] = true
				}
				break
			}
		}
	}
	b := &backward{g: g, depends: depends, asked: asked, sum: map[*Value]*Value{loss: g.Expand(g.Scalar(1), loss)}}
	for _, n := range slices.Backward(forward) {
		reached := slices.ContainsFunc(n.out, func(out *Value) bool { return b.sum[out] != nil })
		if reached && slices.ContainsFunc(n.in, func(in *Value) bool { return depends[in] }) {
			b.node(n)
		}
	}
	out := make([]*Value, len(wrt))
	for i, v := range wrt {
		if out[i] = b.sum[v]; out[i] == nil {
			out[i] = g.Zeros(v)
		}
	}
	return out
}

// backward carries the derivative of the loss with respect to each value met so far.
type backward struct {
	g       *Graph
	depends map[*Value]bool // on a value that was asked for
	asked   map[*Value]bool
	sum     map[*Value]*Value
}

// flow adds d, after summing what broadcasting repeated, to the derivative with respect to v. d is a function, as most
// derivatives of constants are never needed.
func (b *backward) flow(v *Value, d func() *Value) {
	if v == nil || !b.depends[v] {
		return
	}
	dv := b.g.unbroadcast(d(), v)
	if old := b.sum[v]; old != nil {
		dv = b.g.Add(old, dv)
	}
	b.sum[v] = dv
}

// unbroadcast sums d over the axes along which a value of the shape of v was repeated.
func (g *Graph) unbroadcast(d, v *Value) *Value {
	extra := d.Rank() - v.Rank()
	var axes []int64
	for i, size := range d.Shape {
		if i < extra || (v.Shape[i-extra] == 1 && size != 1) {
			axes = append(axes, int64(i))
		}
	}
	if len(axes) > 0 {
		d = g.ReduceSum(d, true, axes...)
	}
	if !slices.Equal(d.Shape, v.Shape) {
		d = g.Reshape(d, v.Shape...)
	}
	return d
}

func (b *backward) node(n *node) {
	g, dy := b.g, b.sum[n.out[0]]
	y := n.out[0]
	in := func(i int) *Value { return n.in[i] }
	switch n.op {
	case "Identity":
		b.flow(in(0), func() *Value { return dy })
	case "Neg":
		b.flow(in(0), func() *Value { return g.Neg(dy) })
	case "Exp":
		b.flow(in(0), func() *Value { return g.Mul(dy, y) })
	case "Log":
		b.flow(in(0), func() *Value { return g.Div(dy, in(0)) })
	case "Sqrt":
		b.flow(in(0), func() *Value { return g.Div(g.Scale(dy, 0.5), y) })
	case "Sin":
		b.flow(in(0), func() *Value { return g.Mul(dy, g.Cos(in(0))) })
	case "Cos":
		b.flow(in(0), func() *Value { return g.Neg(g.Mul(dy, g.Sin(in(0)))) })
	case "Reciprocal":
		b.flow(in(0), func() *Value { return g.Neg(g.Mul(dy, g.Square(y))) })
	case "Sigmoid":
		b.flow(in(0), func() *Value { return g.Mul(g.Mul(dy, y), g.Sub(g.Scalar(1), y)) })
	case "Tanh":
		b.flow(in(0), func() *Value { return g.Mul(dy, g.Sub(g.Scalar(1), g.Square(y))) })
	case "Erf":
		b.flow(in(0), func() *Value {
			return g.Mul(dy, g.Scale(g.Exp(g.Neg(g.Square(in(0)))), 2/math.Sqrt(math.Pi)))
		})
	case "Relu":
		b.flow(in(0), func() *Value { return g.Where(g.Greater(in(0), g.Scalar(0)), dy, g.Scalar(0)) })
	case "Abs":
		b.flow(in(0), func() *Value { return g.Mul(dy, g.add("Sign", nil, in(0))) })
	case "Add":
		b.flow(in(0), func() *Value { return dy })
		b.flow(in(1), func() *Value { return dy })
	case "Sub":
		b.flow(in(0), func() *Value { return dy })
		b.flow(in(1), func() *Value { return g.Neg(dy) })
	case "Mul":
		if in(0) == in(1) {
			b.flow(in(0), func() *Value { return g.Mul(g.Scale(dy, 2), in(0)) })
			return
		}
		if s := in(1); s.node != nil && s.node.op == "Sigmoid" && s.node.in[0] == in(0) && !b.asked[s] {
			// SiLU: x*s has the derivative s + y*(1-s) = s + y - y*s, four passes where the two factors need six.
			b.flow(in(0), func() *Value { return g.Mul(dy, g.Sub(g.Add(s, y), g.Mul(s, y))) })
			return
		}
		b.flow(in(0), func() *Value { return g.Mul(dy, in(1)) })
		b.flow(in(1), func() *Value { return g.Mul(dy, in(0)) })
	case "Div":
		b.flow(in(0), func() *Value { return g.Div(dy, in(1)) })
		b.flow(in(1), func() *Value { return g.Neg(g.Div(g.Mul(dy, y), in(1))) })
	case "Min", "Max":
		first := g.Less(in(0), in(1))
		if n.op == "Max" {
			first = g.Greater(in(0), in(1))
		}
		b.flow(in(0), func() *Value { return g.Where(first, dy, g.Scalar(0)) })
		b.flow(in(1), func() *Value { return g.Where(first, g.Scalar(0), dy) })
	case "Where":
		b.flow(in(1), func() *Value { return g.Where(in(0), dy, g.Scalar(0)) })
		b.flow(in(2), func() *Value { return g.Where(in(0), g.Scalar(0), dy) })
	case "MatMul":
		b.flow(in(0), func() *Value { return g.MatMul(dy, g.transposeLast(in(1))) })
		b.flow(in(1), func() *Value {
			if in(1).Rank() == 2 && in(0).Rank() > 2 { // one matrix product instead of one for each leading index
				rows := func(v *Value) *Value { return g.Reshape(v, g.rows(v), v.Dim(-1)) }
				return g.Gemm(rows(in(0)), rows(dy), nil, true, false)
			}
			return g.MatMul(g.transposeLast(in(0)), dy)
		})
	case "Gemm":
		b.gemm(n, dy)
	case "Softmax":
		axis := int64(n.int("axis", -1))
		b.flow(in(0), func() *Value {
			p := g.Mul(dy, y)
			return g.Sub(p, g.Mul(y, g.ReduceSum(p, true, axis)))
		})
	case "LayerNormalization":
		b.layerNorm(n, dy)
	case "Reshape":
		b.flow(in(0), func() *Value { return g.Reshape(dy, in(0).Shape...) })
	case "Transpose":
		perm := n.attrs["perm"].([]int64)
		inverse := make([]int64, len(perm))
		for i, p := range perm {
			inverse[p] = int64(i)
		}
		b.flow(in(0), func() *Value { return g.Transpose(dy, inverse...) })
	case "Expand":
		b.flow(in(0), func() *Value { return dy })
	case "Gather":
		b.flow(in(0), func() *Value { return g.scatter(in(0), in(1), dy, n.int("axis", 0)) })
	case "Concat":
		axis := n.axis(n.int("axis", 0), y.Rank())
		sizes := make([]int64, len(n.in))
		for i, v := range n.in {
			sizes[i] = int64(n.fixed(v.Shape[axis]))
		}
		parts := g.Split(dy, axis, sizes...)
		for i, v := range n.in {
			b.flow(v, func() *Value { return parts[i] })
		}
	case "Slice":
		b.flow(in(0), func() *Value { return g.unslice(n, dy) })
	case "Pad":
		crop := slices.Clone(n.constant(1))
		for i := range crop {
			crop[i] = -crop[i]
		}
		b.flow(in(0), func() *Value { return g.add("Pad", nil, dy, g.Ints(crop...)) })
	case "Split":
		b.flow(in(0), func() *Value {
			parts := make([]*Value, len(n.out))
			for i, out := range n.out {
				if parts[i] = b.sum[out]; parts[i] == nil {
					parts[i] = g.Zeros(out)
				}
			}
			return g.Concat(n.int("axis", 0), parts...)
		})
	case "ReduceSum", "ReduceMean":
		b.reduce(n, dy)
	case "Cast":
		if in(0).Type.isFloat() && y.Type.isFloat() {
			b.flow(in(0), func() *Value { return g.Cast(dy, in(0).Type) })
		}
	case "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Not", "Shape", "Size", "Sign", "ConstantOfShape":
		// Constant almost everywhere.
	default:
		panic("onnx: operator " + n.op + " has no derivative here")
	}
}

func (g *Graph) transposeLast(v *Value) *Value {
	perm := make([]int64, v.Rank())
	for i := range perm {
		perm[i] = int64(i)
	}
	r := len(perm)
	perm[r-2], perm[r-1] = perm[r-1], perm[r-2]
	return g.Transpose(v, perm...)
}

// gemm: Y = A'B' + C, so dA' = dY B'ᵀ and dB' = A'ᵀ dY, each transposed back where the operand was.
func (b *backward) gemm(n *node, dy *Value) {
	if n.float("alpha", 1) != 1 || n.float("beta", 1) != 1 {
		n.fail("no derivative for alpha or beta other than 1")
	}
	g, x, w := b.g, n.in[0], n.in[1]
	tA, tB := n.int("transA", 0) == 1, n.int("transB", 0) == 1
	b.flow(x, func() *Value {
		if tA {
			return g.Gemm(w, dy, nil, tB, true)
		}
		return g.Gemm(dy, w, nil, false, !tB)
	})
	b.flow(w, func() *Value {
		if tB {
			return g.Gemm(dy, x, nil, true, tA)
		}
		return g.Gemm(x, dy, nil, !tA, false)
	})
	if len(n.in) == 3 {
		b.flow(n.in[2], func() *Value { return dy })
	}
}

// layerNorm: with x̂ the normalised input and h = dy*scale, dx = (h - mean(h) - x̂ mean(h x̂)) / std.
func (b *backward) layerNorm(n *node, dy *Value) {
	if len(n.out) != 3 || b.sum[n.out[1]] != nil || b.sum[n.out[2]] != nil {
		n.fail("the derivative needs all three outputs, and a loss that depends on the first alone")
	}
	g, x, scale := b.g, n.in[0], n.in[1]
	unit := isOnes(scale) && len(n.in) == 2
	normal := n.out[0]
	if !unit {
		normal = g.Mul(g.Sub(x, n.out[1]), n.out[2])
	}
	b.flow(x, func() *Value {
		h := dy
		if !unit {
			h = g.Mul(dy, scale)
		}
		inner := g.Sub(g.Sub(h, g.ReduceMean(h, true, -1)), g.Mul(normal, g.ReduceMean(g.Mul(h, normal), true, -1)))
		return g.Mul(inner, n.out[2])
	})
	b.flow(scale, func() *Value { return g.Mul(dy, normal) })
	if len(n.in) == 3 {
		b.flow(n.in[2], func() *Value { return dy })
	}
}

// isOnes says whether v is a constant that holds nothing but ones.
func isOnes(v *Value) bool {
	if v.init == nil {
		return false
	}
	data, ok := Floats(v.init)
	return ok && !slices.ContainsFunc(data, func(f float32) bool { return f != 1 })
}

// scatter adds the slices d to zeros of the shape of data at the indices that a Gather along axis took.
func (g *Graph) scatter(data, indices, d *Value, axis int) *Value {
	rank := data.Rank()
	if axis < 0 {
		axis += rank
	}
	// ScatterND works on leading axes: bring the gathered ones to the front, and back afterwards.
	toFront := make([]int64, 0, d.Rank())
	for i := range indices.Rank() {
		toFront = append(toFront, int64(axis+i))
	}
	for i := range d.Rank() {
		if i < axis || i >= axis+indices.Rank() {
			toFront = append(toFront, int64(i))
		}
	}
	shape := []Dim{data.Shape[axis]}
	back := make([]int64, rank)
	for i, j := 0, 1; i < rank; i++ {
		if i == axis {
			back[i] = 0
			continue
		}
		shape = append(shape, data.Shape[i])
		back[i] = int64(j)
		j++
	}
	var zeros *Value
	if slices.ContainsFunc(shape, func(d Dim) bool { return d < 0 }) {
		front := []int64{int64(axis)}
		for i := range rank {
			if i != axis {
				front = append(front, int64(i))
			}
		}
		zeros = g.Zeros(g.Transpose(data, front...))
	} else {
		zeros = g.add("ConstantOfShape", nil, g.Ints(toInt64(shape)...))
	}
	at := g.Reshape(indices, append(slices.Clone(indices.Shape), 1)...)
	out := g.add("ScatterND", Attrs{"reduction": "add"}, zeros, at, g.Transpose(d, toFront...))
	return g.Transpose(out, back...)
}

// unslice puts d back where a Slice took it from, with zeros elsewhere.
func (g *Graph) unslice(n *node, d *Value) *Value {
	x := n.in[0]
	for i, a := range n.constant(3) {
		axis := n.axis(int(a), x.Rank())
		size := n.fixed(x.Shape[axis])
		start, step, count := n.bounds(i, size)
		if step == 1 {
			pads := make([]int64, 2*x.Rank())
			pads[axis], pads[x.Rank()+axis] = int64(start), int64(size-start-count)
			d = g.add("Pad", nil, d, g.Ints(pads...))
			continue
		}
		// Element j of the axis comes from position where[j] of d, or from a zero appended behind it.
		pads := make([]int64, 2*x.Rank())
		pads[x.Rank()+axis] = 1
		where := make([]int64, size)
		for j := range where {
			where[j] = int64(count)
		}
		for k := range count {
			where[start+k*step] = int64(k)
		}
		d = g.Gather(g.add("Pad", nil, d, g.Ints(pads...)), g.Ints(where...), axis)
	}
	return d
}

func (b *backward) reduce(n *node, dy *Value) {
	g, x, y := b.g, n.in[0], n.out[0]
	b.flow(x, func() *Value {
		kept := make([]Dim, x.Rank())
		copy(kept, x.Shape)
		fixed, count := true, 1
		for axis, gone := range n.reduced() {
			if !gone {
				continue
			}
			fixed = fixed && kept[axis] >= 0
			count *= kept[axis]
			kept[axis] = 1
		}
		if !slices.Equal(dy.Shape, kept) {
			dy = g.Reshape(dy, kept...)
		}
		if n.op == "ReduceMean" {
			if fixed {
				dy = g.Scale(dy, 1/float64(count))
			} else {
				size := func(v *Value) *Value { return g.Cast(g.add("Size", nil, v), Float) }
				dy = g.Mul(dy, g.Div(size(y), size(x)))
			}
		}
		return g.Expand(dy, x)
	})
}

func toInt64(v []int) []int64 {
	out := make([]int64, len(v))
	for i, n := range v {
		out[i] = int64(n)
	}
	return out
}
