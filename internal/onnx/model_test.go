package onnx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"pfgmgen/internal/onnx"
	pb "pfgmgen/internal/onnx/onnxpb"
)

// scale is the smallest model of interest: y = 2x.
func scale(t testing.TB) []byte {
	t.Helper()
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, onnx.Batch, 3)
	g.Output("y", g.Mul(x, g.Floats("two", []float32{2, 2, 2}, 3)))
	g.Floats("unused", []float32{7}, 1)
	b, err := g.Model("scale", "test").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestModelRoundTrip(t *testing.T) {
	b := scale(t)
	m, err := onnx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	m.SetMetadata("a", "1")
	m.SetMetadata("b", "2")
	m.SetMetadata("a", "3")
	out, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, out, 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := onnx.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if meta := again.Metadata(); len(meta) != 2 || meta["a"] != "3" || meta["b"] != "2" {
		t.Errorf("metadata %v", meta)
	}
	in, outputs := again.Inputs(), again.Outputs()
	if len(in) != 1 || in[0].Name != "x" || in[0].Type != onnx.Float || !slices.Equal(in[0].Shape, []int64{-1, 3}) || in[0].Dims[0] != "batch" {
		t.Errorf("inputs %+v", in)
	}
	if len(outputs) != 1 || outputs[0].Name != "y" {
		t.Errorf("outputs %+v", outputs)
	}
	if n := again.Parameters(); n != 3 {
		t.Errorf("%d parameters, want 3: the constant that nothing uses is left out", n)
	}
	if ops := again.Operators(); ops["Mul"] != 1 || ops["Identity"] != 1 || len(ops) != 2 {
		t.Errorf("operators %v", ops)
	}
}

// TestForeignModel: what this package does not know survives a rewrite byte for byte.
func TestForeignModel(t *testing.T) {
	b := scale(t)
	m, err := onnx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	m.Proto.Graph.Node = append(m.Proto.Graph.Node, &pb.NodeProto{OpType: proto.String("Frobnicate"), Domain: proto.String("com.example"),
		Attribute: []*pb.AttributeProto{{Name: proto.String("g"), Type: pb.AttributeProto_GRAPH.Enum(), G: &pb.GraphProto{Name: proto.String("inner")}}}})
	m.Proto.OpsetImport = append(m.Proto.OpsetImport, &pb.OperatorSetIdProto{Domain: proto.String("com.example"), Version: proto.Int64(3)})
	foreign, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	// Field 999 of ModelProto, length-delimited: a later version of the standard, say.
	unknown := append(binary.AppendUvarint(nil, 999<<3|2), 5, 'h', 'e', 'l', 'l', 'o')
	foreign = append(foreign, unknown...)
	m, err = onnx.Parse(foreign)
	if err != nil {
		t.Fatal(err)
	}
	m.SetMetadata("pfgmgen.domain", "rna")
	out, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, unknown) || !bytes.Contains(out, []byte("Frobnicate")) || !bytes.Contains(out, []byte("inner")) {
		t.Error("the rewritten model lost something of the foreign one")
	}
	if ops := m.Operators(); ops["com.example.Frobnicate"] != 1 {
		t.Errorf("operators %v", ops)
	}
}

func TestMalformed(t *testing.T) {
	good := scale(t)
	broken := func(change func(m *pb.ModelProto)) []byte {
		m := &pb.ModelProto{}
		if err := proto.Unmarshal(good, m); err != nil {
			t.Fatal(err)
		}
		change(m)
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, test := range []struct {
		name, want string
		bytes      []byte
		notONNX    bool
	}{
		{"empty", "no bytes", nil, true},
		{"text", "not an ONNX model", []byte("ATOM      1  N   GLY A   1"), true},
		{"PNG", "not an ONNX model", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), true},
		{"truncated", "truncated", good[:len(good)-3], true},
		{"no graph", "no graph", broken(func(m *pb.ModelProto) { m.Graph = nil }), true},
		{"no operator set", "no operator set", broken(func(m *pb.ModelProto) { m.OpsetImport = nil }), false},
		{"short tensor", `tensor "two"`, broken(func(m *pb.ModelProto) { m.Graph.Initializer[0].RawData = make([]byte, 11) }), false},
		{"huge tensor", "impossible shape", broken(func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 40, 1 << 40} }), false},
		{"negative tensor", "impossible shape", broken(func(m *pb.ModelProto) { m.Graph.Initializer[0].Dims = []int64{-3} }), false},
		{"short float_data", "3 numbers of type float32, want 4", broken(func(m *pb.ModelProto) {
			m.Graph.Initializer[0] = &pb.TensorProto{DataType: proto.Int32(int32(onnx.Float)), Dims: []int64{2, 2}, FloatData: []float32{1, 2, 3}}
		}), false},
		{"data in the wrong field", "0 numbers of type float32", broken(func(m *pb.ModelProto) {
			m.Graph.Initializer[0] = &pb.TensorProto{DataType: proto.Int32(int32(onnx.Float)), Dims: []int64{1}, DoubleData: []float64{1}}
		}), false},
		{"no data", "0 numbers of type int64, want 1099511627776", broken(func(m *pb.ModelProto) {
			m.Graph.Initializer[0] = &pb.TensorProto{DataType: proto.Int32(int32(onnx.Int64)), Dims: []int64{1 << 40}}
		}), false},
		{"sparse tensor without values", "sparse tensor 0", broken(func(m *pb.ModelProto) {
			m.Graph.SparseInitializer = []*pb.SparseTensorProto{{Dims: []int64{3}}}
		}), false},
		{"sparse tensor with short values", `tensor "s"`, broken(func(m *pb.ModelProto) {
			m.Graph.SparseInitializer = []*pb.SparseTensorProto{{Dims: []int64{3}, Indices: &pb.TensorProto{DataType: proto.Int32(int32(onnx.Int64)), Dims: []int64{0}},
				Values: &pb.TensorProto{Name: proto.String("s"), DataType: proto.Int32(int32(onnx.Float)), Dims: []int64{2}, FloatData: []float32{1}}}}
		}), false},
		{"millions of empty nodes", "more than 2097152 parts", append(slices.Clone(good), many(3<<20)...), true},
		{"deep graphs", "nested deeper than 64", append(slices.Clone(good), deep(100)...), true},
		{"nameless input", "no name", broken(func(m *pb.ModelProto) { m.Graph.Input[0].Name = nil }), false},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := onnx.Parse(test.bytes)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes allocated for an input of %d", test.name, used, len(test.bytes))
		}
		if err == nil || m != nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, onnx.ErrNotONNX) != test.notONNX {
			t.Errorf("%s: %v, want an error with %q", test.name, err, test.want)
		}
	}
	if _, err := onnx.Read(filepath.Join(t.TempDir(), "absent.onnx")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	if _, err := onnx.Read(os.DevNull); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: %v", err)
	}
}

// many is a graph of n empty nodes, as a second piece of a model's graph.
func many(n int) []byte {
	nodes := bytes.Repeat([]byte{0x0a, 0x00}, n)
	return append(binary.AppendUvarint([]byte{0x3a}, uint64(len(nodes))), nodes...)
}

// deep is a graph whose node has an attribute that is a graph whose node has one, and so on.
func deep(n int) []byte {
	var inner []byte
	for i := range 3 * n {
		field := [3]byte{0x32, 0x2a, 0x0a}[i%3] // from the inside out: AttributeProto.g, NodeProto.attribute, GraphProto.node
		inner = append(binary.AppendUvarint([]byte{field}, uint64(len(inner))), inner...)
	}
	return append(binary.AppendUvarint([]byte{0x3a}, uint64(len(inner))), inner...)
}

// TestSparse: a sparse initialiser counts as one.
func TestSparse(t *testing.T) {
	m, err := onnx.Parse(scale(t))
	if err != nil {
		t.Fatal(err)
	}
	m.Proto.Graph.SparseInitializer = []*pb.SparseTensorProto{{Dims: []int64{1, 3},
		Values: &pb.TensorProto{Name: proto.String("x"), DataType: proto.Int32(int32(onnx.Float)), Dims: []int64{2},
			FloatData: []float32{1, float32(math.NaN())}},
		Indices: &pb.TensorProto{DataType: proto.Int32(int32(onnx.Int64)), Dims: []int64{2}, Int64Data: []int64{0, 2}}}}
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if m, err = onnx.Parse(b); err != nil {
		t.Fatal(err)
	}
	if in := m.Inputs(); len(in) != 0 {
		t.Errorf("inputs %+v, want none: x has a value in the file", in)
	}
	if name, n := m.NonFinite(); name != "x" || n != 1 || m.Parameters() != 5 {
		t.Errorf("%d numbers of %q are not finite, %d parameters; want 1 of x, and 3 + 2", n, name, m.Parameters())
	}
}

func TestNonFinite(t *testing.T) {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, onnx.Batch, 2)
	y := g.Add(g.Mul(x, g.Floats("fine", []float32{1, 2}, 2)), g.Floats("broken", []float32{float32(math.NaN()), float32(math.Inf(1))}, 2))
	g.Output("y", y)
	if name, n := g.Model("nan", "test").NonFinite(); name != "broken" || n != 2 {
		t.Errorf("found %d in %q, want 2 in broken", n, name)
	}
	m, err := onnx.Parse(scale(t))
	if err != nil {
		t.Fatal(err)
	}
	if name, n := m.NonFinite(); n != 0 {
		t.Errorf("found %d in %q of a good model", n, name)
	}
}

// TestHalf: every class of binary16 number widens exactly (IEEE 754-2008, table 3.5).
func TestHalf(t *testing.T) {
	values := map[uint16]float32{0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14, 0x0001: 0x1p-24, 0x83ff: -1023 * 0x1p-24, 0x3555: 0.333251953125}
	for bits, want := range values {
		tensor := &pb.TensorProto{DataType: proto.Int32(int32(onnx.Float16)), Dims: []int64{1}, RawData: binary.LittleEndian.AppendUint16(nil, bits)}
		if got, ok := onnx.Floats(tensor); !ok || got[0] != want {
			t.Errorf("%#04x is %v, want %g", bits, got, want)
		}
	}
	brain := &pb.TensorProto{DataType: proto.Int32(int32(pb.TensorProto_BFLOAT16)), Dims: []int64{3}, RawData: []byte{0x80, 0x3f, 0x20, 0xc0, 0xc0, 0x7f}}
	if got, ok := onnx.Floats(brain); !ok || got[0] != 1 || got[1] != -2.5 || got[2] == got[2] {
		t.Errorf("bfloat16 1, -2.5, NaN came out as %v", got)
	}
	inf := &pb.TensorProto{DataType: proto.Int32(int32(onnx.Float16)), Dims: []int64{2}, RawData: []byte{0x00, 0xfc, 0x01, 0x7e}}
	if got, ok := onnx.Floats(inf); !ok || !math.IsInf(float64(got[0]), -1) || got[1] == got[1] {
		t.Errorf("infinity and NaN came out as %v", got)
	}
}

// TestMisuse: shapes that do not fit are a mistake of the program and panic with the operator and the shapes.
func TestMisuse(t *testing.T) {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, onnx.Batch, 3)
	label := g.Input("label", onnx.Int64, onnx.Batch)
	for name, f := range map[string]func(){
		"MatMul":     func() { g.MatMul(x, x) },
		"Add":        func() { g.Add(x, g.Floats("f", []float32{1, 2}, 2)) },
		"Reshape":    func() { g.Reshape(x, 7) },
		"Exp":        func() { g.Exp(label) },
		"Split":      func() { g.Split(x, 1, 1, 1) },
		"Frobnicate": func() { g.Apply("Frobnicate", nil, 1, x) },
		"gradient":   func() { g.Gradient(x, x) },
		"Gemm":       func() { g.Gemm(x, x, nil, true, true) },
		"step of 0":  func() { g.Slice(x, 1, 0, 3, 0) },
		"Pad":        func() { g.Apply("Pad", nil, 1, x, g.Ints(0, -2, 0, -2)) },
		"constant":   func() { g.Apply("ReduceSum", nil, 1, x, label) },
		"Softmax":    func() { g.Softmax(label, 0) },
		"size 0":     func() { g.Reshape(x, 0, 3) },
		"Concat":     func() { g.Concat(1, x, label) },
		"two values": func() { g.Input("x", onnx.Float, 1) },
		"constant c": func() { g.Floats("c", []float32{1}, 2) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), name) {
					t.Errorf("%s: panic %v", name, r)
				}
			}()
			f()
		}()
	}
}

// FuzzParse: no bytes make Parse panic, and it never takes more memory than a small multiple of its input. A message of
// two bytes on the wire becomes a struct of up to some 300, so the factor is 400, above a base of 1 MiB for the runtime.
func FuzzParse(f *testing.F) {
	good := scale(f)
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0x3a, 0x02}, 100)) // nested graphs
	f.Add(bytes.Repeat([]byte{0x72, 0x00}, 1000))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := onnx.Parse(b)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20+400*uint64(len(b)) {
			t.Fatalf("%d bytes allocated for an input of %d", used, len(b))
		}
		if err != nil {
			return
		}
		m.Inputs()
		m.Outputs()
		m.Metadata()
		m.Operators()
		m.Parameters()
		m.NonFinite()
		out, err := m.Marshal()
		if err != nil {
			t.Fatalf("a model that was read cannot be written: %v", err)
		}
		if _, err := onnx.Parse(out); err != nil {
			t.Fatalf("a model that was written cannot be read: %v", err)
		}
	})
}
