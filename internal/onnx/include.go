package onnx

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "pfgmgen/internal/onnx/onnxpb"
)

// Include adds the nodes and constants of another model to m. Their names begin with prefix, but for those in share, which
// are values of m that stand for inputs of the other model; all inputs must be among them. It returns the names that the
// other model's outputs have in m. Ports and metadata of m stay as they are. Both models must have the same opsets.
func (m *Model) Include(other *Model, prefix string, share map[string]string) (outputs map[string]string, err error) {
	into, from := m.Proto.Graph, proto.Clone(other.Proto.Graph).(*pb.GraphProto)
	if a, b := opsets(m), opsets(other); !slices.Equal(a, b) {
		return nil, fmt.Errorf("onnx: the models have the opsets %v and %v, want equal ones", a, b)
	}
	if len(other.Proto.Functions) > 0 || len(from.SparseInitializer) > 0 {
		return nil, errors.New("onnx: the model to include has functions or sparse constants, which are not handled")
	}
	taken := make(map[string]bool)
	for _, n := range into.Node {
		for _, name := range n.Output {
			taken[name] = true
		}
	}
	for _, t := range into.Initializer {
		taken[t.GetName()] = true
	}
	rename := func(name string) string {
		if name == "" { // an optional input that is left out
			return ""
		}
		if to, ok := share[name]; ok {
			return to
		}
		return prefix + name
	}
	for _, t := range from.Initializer {
		if _, ok := share[t.GetName()]; ok {
			return nil, fmt.Errorf("onnx: %s is a constant of the model to include, want an input", t.GetName())
		}
		t.Name = proto.String(rename(t.GetName()))
		if taken[t.GetName()] {
			return nil, fmt.Errorf("onnx: the name %s is taken", t.GetName())
		}
	}
	constants := make(map[string]bool)
	for _, t := range from.Initializer {
		constants[t.GetName()] = true
	}
	for _, p := range from.Input {
		if _, ok := share[p.GetName()]; !ok && !constants[prefix+p.GetName()] {
			return nil, fmt.Errorf("onnx: the model to include has the input %s, which nothing stands for", p.GetName())
		}
	}
	for _, n := range from.Node {
		for _, a := range n.Attribute {
			if a.G != nil || len(a.Graphs) > 0 {
				return nil, fmt.Errorf("onnx: %s %s of the model to include has a graph inside, which is not handled", n.GetOpType(), n.GetName())
			}
		}
		n.Name = proto.String(prefix + n.GetName())
		for i, name := range n.Input {
			n.Input[i] = rename(name)
		}
		for i, name := range n.Output {
			if _, ok := share[name]; ok {
				return nil, fmt.Errorf("onnx: %s is computed by the model to include, want an input", name)
			}
			if n.Output[i] = rename(name); taken[n.Output[i]] {
				return nil, fmt.Errorf("onnx: the name %s is taken", n.Output[i])
			}
		}
	}
	into.Initializer = append(into.Initializer, from.Initializer...)
	into.Node = append(into.Node, from.Node...)
	outputs = make(map[string]string)
	for _, p := range from.Output {
		outputs[p.GetName()] = rename(p.GetName())
	}
	return outputs, nil
}

// opsets are the operator sets of a model, in order.
func opsets(m *Model) []string {
	var list []string
	for _, o := range m.Proto.OpsetImport {
		list = append(list, fmt.Sprintf("%s:%d", o.GetDomain(), o.GetVersion()))
	}
	slices.Sort(list)
	return list
}

// Rename gives a value of m, which is no input, and the node of that name another name wherever it is used, but not in the
// list of outputs.
func (m *Model) Rename(from, to string) {
	for _, n := range m.Proto.Graph.Node {
		if n.GetName() == from {
			n.Name = proto.String(to)
		}
		for i, name := range n.Input {
			if name == from {
				n.Input[i] = to
			}
		}
		for i, name := range n.Output {
			if name == from {
				n.Output[i] = to
			}
		}
	}
}

// Add adds a node with one output, which gets the given name.
func (m *Model) Add(op, output string, attrs Attrs, in ...string) {
	n := &pb.NodeProto{OpType: proto.String(op), Name: proto.String(output), Input: in, Output: []string{output}}
	for _, name := range sortedNames(attrs) {
		n.Attribute = append(n.Attribute, attribute(name, attrs[name]))
	}
	m.Proto.Graph.Node = append(m.Proto.Graph.Node, n)
}

// AddFloat adds a constant without dimensions.
func (m *Model) AddFloat(name string, v float32) {
	m.Proto.Graph.Initializer = append(m.Proto.Graph.Initializer, floatTensor(name, nil, []float32{v}))
}

// AddInts adds a constant of one dimension.
func (m *Model) AddInts(name string, v ...int64) {
	m.Proto.Graph.Initializer = append(m.Proto.Graph.Initializer, intTensor(name, []int64{int64(len(v))}, v))
}

func sortedNames(attrs Attrs) []string {
	names := make([]string, 0, len(attrs))
	for name := range attrs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
