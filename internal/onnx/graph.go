package onnx

import (
	"fmt"
	"sort"
	"strconv"

	"google.golang.org/protobuf/proto"

	pb "pfgmgen/internal/onnx/onnxpb"
)

// A Dim is the size of a dimension: a positive number, 0, or -k for k times the batch size, which is known only when
// the model runs. So [Batch, 55, 10] flattened to rows is [-55, 10].
type Dim = int

// Batch is the dimension of a model's batch.
const Batch Dim = -1

// A Value is a tensor of a graph under construction: an input, a constant or the output of a node.
type Value struct {
	Name  string
	Type  DType
	Shape []Dim

	node *node   // that makes it; nil for inputs and constants
	ints []int64 // contents of an int64 constant: shapes, axes, bounds; nil for any other value
	init *pb.TensorProto
}

// Rank is the number of dimensions.
func (v *Value) Rank() int { return len(v.Shape) }

// Dim returns dimension i; a negative i counts from the end.
func (v *Value) Dim(i int) Dim {
	if i < 0 {
		i += len(v.Shape)
	}
	return v.Shape[i]
}

// Attrs are the attributes of a node: int, float32, string or []int64 values by name.
type Attrs map[string]any

type node struct {
	op      string
	attrs   Attrs
	in, out []*Value
}

func (n *node) int(name string, fallback int) int {
	if v, ok := n.attrs[name]; ok {
		return v.(int)
	}
	return fallback
}

func (n *node) float(name string, fallback float32) float32 {
	if v, ok := n.attrs[name]; ok {
		return v.(float32)
	}
	return fallback
}

// A Graph is an ONNX graph under construction. Its methods infer the type and shape of what they add. They panic when
// shapes or types do not fit, as that is a mistake in the code that builds the network, never in data.
type Graph struct {
	nodes           []*node
	inputs, outputs []*Value
	constants       []*Value
	scalars         map[float32]*Value
	vectors         map[string]*Value
	names           map[string]bool
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{scalars: make(map[float32]*Value), vectors: make(map[string]*Value), names: make(map[string]bool)}
}

// unique returns name, or name with the first number behind it that makes it new.
func (g *Graph) unique(name string) string {
	out := name
	for i := 1; g.names[out]; i++ {
		out = name + "_" + strconv.Itoa(i)
	}
	g.names[out] = true
	return out
}

// Input adds an input of the model.
func (g *Graph) Input(name string, t DType, shape ...Dim) *Value {
	if g.names[name] {
		panic("onnx: two values called " + name)
	}
	v := &Value{Name: g.unique(name), Type: t, Shape: append([]Dim(nil), shape...)}
	g.inputs = append(g.inputs, v)
	return v
}

// Output makes v an output of the model called name.
func (g *Graph) Output(name string, v *Value) {
	out := g.add("Identity", nil, v)
	delete(g.names, out.Name)
	out.Name = g.unique(name)
	if out.Name != name {
		panic("onnx: two values called " + name)
	}
	g.outputs = append(g.outputs, out)
}

// Floats adds a float32 constant, row-major, stored in the file under the given name.
func (g *Graph) Floats(name string, data []float32, shape ...int) *Value {
	n := 1
	dims := make([]int64, len(shape))
	for i, d := range shape {
		n *= d
		dims[i] = int64(d)
	}
	if n != len(data) {
		panic(fmt.Sprintf("onnx: constant %s: %d numbers for shape %v", name, len(data), shape))
	}
	v := &Value{Name: g.unique(name), Type: Float, Shape: append([]Dim(nil), shape...)}
	v.init = floatTensor(v.Name, dims, data)
	g.constants = append(g.constants, v)
	return v
}

// HalfFloats is Floats with the numbers stored as float16, rounded to nearest even; the value itself is float32.
func (g *Graph) HalfFloats(name string, data []float32, shape ...int) *Value {
	v := g.Floats(name, data, shape...)
	v.Type, v.init = Float16, halfTensor(v.init.GetName(), v.init.GetDims(), data)
	return g.Cast(v, Float)
}

// Scalar returns a float32 constant without dimensions; equal ones are shared.
func (g *Graph) Scalar(f float32) *Value {
	if v, ok := g.scalars[f]; ok {
		return v
	}
	v := g.Floats("scalar", []float32{f})
	g.scalars[f] = v
	return v
}

// Ints returns an int64 constant of one dimension; equal ones are shared.
func (g *Graph) Ints(data ...int64) *Value {
	key := fmt.Sprint(data)
	if v, ok := g.vectors[key]; ok {
		return v
	}
	data = append(make([]int64, 0, len(data)), data...)
	v := &Value{Name: g.unique("ints"), Type: Int64, Shape: []Dim{len(data)}, ints: data}
	v.init = intTensor(v.Name, []int64{int64(len(data))}, data)
	g.constants = append(g.constants, v)
	g.vectors[key] = v
	return v
}

// Apply adds a node of any operator of the list in doc.go and returns its outputs. Optional inputs that are left out
// are nil.
func (g *Graph) Apply(op string, attrs Attrs, outputs int, in ...*Value) []*Value {
	n := &node{op: op, attrs: attrs, in: in}
	types, shapes := infer(n, outputs)
	for i := range outputs {
		n.out = append(n.out, &Value{Name: g.unique(op + "_" + strconv.Itoa(len(g.nodes))), Type: types[i], Shape: shapes[i], node: n})
	}
	g.nodes = append(g.nodes, n)
	return n.out
}

func (g *Graph) add(op string, attrs Attrs, in ...*Value) *Value {
	return g.Apply(op, attrs, 1, in...)[0]
}

// Model finishes the graph. Nodes and constants that no output needs are left out.
func (g *Graph) Model(name, producer string) *Model {
	needed := make(map[*Value]bool)
	used := make(map[*node]bool)
	var visit func(v *Value)
	visit = func(v *Value) {
		if v == nil || needed[v] {
			return
		}
		needed[v] = true
		if v.node != nil && !used[v.node] {
			used[v.node] = true
			for _, in := range v.node.in {
				visit(in)
			}
		}
	}
	for _, v := range g.outputs {
		visit(v)
	}
	gp := &pb.GraphProto{Name: proto.String(name)}
	for _, v := range g.inputs {
		gp.Input = append(gp.Input, valueInfo(v))
	}
	for _, v := range g.outputs {
		gp.Output = append(gp.Output, valueInfo(v))
	}
	for _, v := range g.constants {
		if needed[v] {
			gp.Initializer = append(gp.Initializer, v.init)
		}
	}
	for _, n := range g.nodes {
		if used[n] {
			gp.Node = append(gp.Node, n.proto())
		}
	}
	return &Model{Proto: &pb.ModelProto{
		IrVersion:    proto.Int64(IRVersion),
		ProducerName: proto.String(producer),
		OpsetImport:  []*pb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(Opset)}},
		Graph:        gp,
	}}
}

func (n *node) proto() *pb.NodeProto {
	p := &pb.NodeProto{OpType: proto.String(n.op), Name: proto.String(n.out[0].Name)}
	for _, v := range n.in {
		if v == nil {
			p.Input = append(p.Input, "")
			continue
		}
		p.Input = append(p.Input, v.Name)
	}
	for _, v := range n.out {
		p.Output = append(p.Output, v.Name)
	}
	keys := make([]string, 0, len(n.attrs))
	for k := range n.attrs {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		p.Attribute = append(p.Attribute, attribute(k, n.attrs[k]))
	}
	return p
}

func attribute(name string, value any) *pb.AttributeProto {
	a := &pb.AttributeProto{Name: proto.String(name)}
	switch v := value.(type) {
	case int:
		a.Type, a.I = pb.AttributeProto_INT.Enum(), proto.Int64(int64(v))
	case float32:
		a.Type, a.F = pb.AttributeProto_FLOAT.Enum(), proto.Float32(v)
	case string:
		a.Type, a.S = pb.AttributeProto_STRING.Enum(), []byte(v)
	case []int64:
		a.Type, a.Ints = pb.AttributeProto_INTS.Enum(), v
	default:
		panic(fmt.Sprintf("onnx: attribute %s has the type %T", name, value))
	}
	return a
}

func valueInfo(v *Value) *pb.ValueInfoProto {
	shape := &pb.TensorShapeProto{}
	for _, d := range v.Shape {
		dim := &pb.TensorShapeProto_Dimension{}
		switch {
		case d >= 0:
			dim.Value = &pb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case d == Batch:
			dim.Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: "batch"}
		default:
			dim.Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: strconv.Itoa(-d) + "*batch"}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &pb.ValueInfoProto{Name: proto.String(v.Name), Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{
		TensorType: &pb.TypeProto_Tensor{ElemType: proto.Int32(int32(v.Type)), Shape: shape}}}}
}
