package onnx

import (
	"errors"
	"fmt"
	"os"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "pfgmgen/internal/onnx/onnxpb"
)

// Versions of the format that models are written in. ONNX Runtime 1.20 and newer accept both.
const (
	IRVersion = 10
	Opset     = 21
)

// MaxFileSize is the largest model file that Read takes, in bytes: the limit of protobuf messages.
const MaxFileSize = 1<<31 - 1

// maxNesting bounds subgraphs and nested types, so that a hostile file cannot exhaust the stack.
const maxNesting = 64

// maxMessages bounds the messages (nodes, attributes, tensors, ports) in a file. An empty one takes 2 bytes of the file
// and some 400 of memory; large networks have about 100,000.
const maxMessages = 1 << 21

// ErrNotONNX is wrapped by Parse and Read when the bytes are not an ONNX model at all.
var ErrNotONNX = errors.New("not an ONNX model")

// A Model is an ONNX file. Fields that this package does not know, operators it cannot build and anything else in the
// file survive Parse and Marshal unchanged.
type Model struct{ Proto *pb.ModelProto }

// Read reads the model file at path.
func Read(path string) (*Model, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("onnx: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("onnx: %s is not a regular file", path)
	case info.Size() > MaxFileSize:
		return nil, fmt.Errorf("onnx: %s: %d bytes, more than the %d that an ONNX file can have", path, info.Size(), MaxFileSize)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	m, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Parse decodes a model. It checks the structure that this package relies on (a graph, named ports, tensors whose
// data match their shape), not the operators. Memory is bounded by 20 times len(b), and 1 GiB more for a file of very
// many small parts.
func Parse(b []byte) (*Model, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("onnx: %w: no bytes", ErrNotONNX)
	}
	messages := 0
	if err := scan(b, (&pb.ModelProto{}).ProtoReflect().Descriptor(), maxNesting, &messages); err != nil {
		return nil, fmt.Errorf("onnx: %w (or it is truncated): %v", ErrNotONNX, err)
	}
	m := &pb.ModelProto{}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxNesting}).Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("onnx: %w (or it is truncated): %v", ErrNotONNX, err)
	}
	if m.Graph == nil || m.GetIrVersion() <= 0 {
		return nil, fmt.Errorf("onnx: %w: it has no graph or no IR version", ErrNotONNX)
	}
	if len(m.OpsetImport) == 0 {
		return nil, fmt.Errorf("onnx: the model imports no operator set; it cannot be run")
	}
	for _, ports := range [2][]*pb.ValueInfoProto{m.Graph.Input, m.Graph.Output} {
		for i, p := range ports {
			if p.GetName() == "" {
				return nil, fmt.Errorf("onnx: input or output %d has no name", i)
			}
		}
	}
	for _, t := range m.Graph.Initializer {
		if err := checkTensor(t); err != nil {
			return nil, err
		}
	}
	for i, s := range m.Graph.SparseInitializer {
		if s.Values == nil || s.Indices == nil || elements(s.Dims) < 0 {
			return nil, fmt.Errorf("onnx: sparse tensor %d lacks values or indices, or has the impossible shape %v", i, s.Dims)
		}
		for _, t := range [2]*pb.TensorProto{s.Values, s.Indices} {
			if err := checkTensor(t); err != nil {
				return nil, err
			}
		}
	}
	return &Model{Proto: m}, nil
}

// scan walks the messages of a file and counts them: it refuses text, images, truncated files, and files of too many or
// too deeply nested parts, before anything is allocated for them.
func scan(b []byte, d protoreflect.MessageDescriptor, depth int, messages *int) error {
	if *messages++; *messages > maxMessages {
		return fmt.Errorf("it has more than %d parts", maxMessages)
	}
	if depth == 0 {
		return fmt.Errorf("its parts are nested deeper than %d", maxNesting)
	}
	for off := 0; off < len(b); {
		num, typ, n := protowire.ConsumeTag(b[off:])
		if n < 0 {
			return fmt.Errorf("byte %d of a %s: %v", off, d.Name(), protowire.ParseError(n))
		}
		v := protowire.ConsumeFieldValue(num, typ, b[off+n:])
		if v < 0 {
			return fmt.Errorf("byte %d of a %s, field %d: %v", off, d.Name(), num, protowire.ParseError(v))
		}
		if f := d.Fields().ByNumber(num); f != nil && f.Message() != nil && typ == protowire.BytesType {
			part, _ := protowire.ConsumeBytes(b[off+n:])
			if err := scan(part, f.Message(), depth-1, messages); err != nil {
				return err
			}
		}
		off += n + v
	}
	return nil
}

// Marshal encodes the model. Equal models give equal bytes with the same build.
func (m *Model) Marshal() ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.Proto)
	if err != nil {
		return nil, fmt.Errorf("onnx: encode model: %w", err)
	}
	return b, nil
}

// Metadata returns the model's metadata_props. Of a key that occurs twice the first value counts, as in ONNX Runtime.
func (m *Model) Metadata() map[string]string {
	out := make(map[string]string, len(m.Proto.MetadataProps))
	for _, e := range m.Proto.MetadataProps {
		if _, seen := out[e.GetKey()]; !seen {
			out[e.GetKey()] = e.GetValue()
		}
	}
	return out
}

// SetMetadata sets one metadata property, replacing the value in place when the key exists.
func (m *Model) SetMetadata(key, value string) {
	for _, e := range m.Proto.MetadataProps {
		if e.GetKey() == key {
			e.Value = proto.String(value)
			return
		}
	}
	m.Proto.MetadataProps = append(m.Proto.MetadataProps,
		&pb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(value)})
}

// A Port is an input or output of a model. Dynamic dimensions are -1 and have a name when the file gives one.
type Port struct {
	Name  string
	Type  DType
	Shape []int64
	Dims  []string // names of the dimensions, "" for a fixed or unnamed one
}

// Inputs lists the inputs that must be fed: those without an initialiser.
func (m *Model) Inputs() []Port {
	inits := make(map[string]bool, len(m.Proto.Graph.Initializer))
	for _, t := range m.tensors() {
		inits[t.GetName()] = true
	}
	var ports []Port
	for _, p := range m.Proto.Graph.Input {
		if !inits[p.GetName()] {
			ports = append(ports, port(p))
		}
	}
	return ports
}

// Outputs lists the model's outputs.
func (m *Model) Outputs() []Port {
	ports := make([]Port, 0, len(m.Proto.Graph.Output))
	for _, p := range m.Proto.Graph.Output {
		ports = append(ports, port(p))
	}
	return ports
}

func port(p *pb.ValueInfoProto) Port {
	t := p.GetType().GetTensorType()
	out := Port{Name: p.GetName(), Type: DType(t.GetElemType())}
	for _, d := range t.GetShape().GetDim() {
		size := int64(-1)
		if _, fixed := d.GetValue().(*pb.TensorShapeProto_Dimension_DimValue); fixed {
			size = d.GetDimValue()
		}
		out.Shape = append(out.Shape, size)
		out.Dims = append(out.Dims, d.GetDimParam())
	}
	return out
}

// Operators counts the nodes of the main graph by operator.
func (m *Model) Operators() map[string]int {
	out := make(map[string]int)
	for _, n := range m.Proto.Graph.Node {
		name := n.GetOpType()
		if d := n.GetDomain(); d != "" {
			name = d + "." + name
		}
		out[name]++
	}
	return out
}

// Parameters counts the numbers in the main graph's floating-point initialisers; of sparse ones, those that are stored.
func (m *Model) Parameters() int64 {
	var n int64
	for _, t := range m.tensors() {
		if DType(t.GetDataType()).isFloat() {
			n += elements(t.GetDims())
		}
	}
	return n
}
