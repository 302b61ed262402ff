package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	pb "pfgmgen/internal/onnx/onnxpb"
)

// DType is an ONNX element type; the values are those of TensorProto.DataType.
type DType int32

// The element types that this package builds with.
const (
	Float   = DType(pb.TensorProto_FLOAT)
	Int32   = DType(pb.TensorProto_INT32)
	Int64   = DType(pb.TensorProto_INT64)
	Bool    = DType(pb.TensorProto_BOOL)
	Float16 = DType(pb.TensorProto_FLOAT16)
	Double  = DType(pb.TensorProto_DOUBLE)

	bfloat16 = DType(pb.TensorProto_BFLOAT16) // only in files
)

// String is the name that NumPy gives the type, or the ONNX standard's in lower case.
func (t DType) String() string {
	switch t {
	case Float:
		return "float32"
	case Int32:
		return "int32"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	case Float16:
		return "float16"
	case Double:
		return "float64"
	}
	return strings.ToLower(pb.TensorProto_DataType(t).String())
}

func (t DType) isFloat() bool {
	switch pb.TensorProto_DataType(t) {
	case pb.TensorProto_FLOAT, pb.TensorProto_DOUBLE, pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16:
		return true
	}
	return false
}

// size is the number of bytes of an element in raw_data, or 0 when it is not known here.
func (t DType) size() int64 {
	switch pb.TensorProto_DataType(t) {
	case pb.TensorProto_DOUBLE, pb.TensorProto_INT64, pb.TensorProto_UINT64, pb.TensorProto_COMPLEX64:
		return 8
	case pb.TensorProto_FLOAT, pb.TensorProto_INT32, pb.TensorProto_UINT32:
		return 4
	case pb.TensorProto_FLOAT16, pb.TensorProto_BFLOAT16, pb.TensorProto_INT16, pb.TensorProto_UINT16:
		return 2
	case pb.TensorProto_INT8, pb.TensorProto_UINT8, pb.TensorProto_BOOL:
		return 1
	}
	return 0
}

// elements is the product of dims, or -1 when it is negative or does not fit.
func elements(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		if d < 0 || (d > 0 && n > math.MaxInt64/d) {
			return -1
		}
		n *= d
	}
	return n
}

// checkTensor verifies that a tensor's data inside the file are as many as its shape says.
func checkTensor(t *pb.TensorProto) error {
	n := elements(t.GetDims())
	if n < 0 {
		return fmt.Errorf("onnx: tensor %q has the impossible shape %v", t.GetName(), t.GetDims())
	}
	size := DType(t.GetDataType()).size()
	if size == 0 || t.GetDataLocation() == pb.TensorProto_EXTERNAL || t.Segment != nil {
		return nil
	}
	if t.RawData == nil {
		if have := typedData(t); have != n {
			return fmt.Errorf("onnx: tensor %q of shape %v has %d numbers of type %s, want %d",
				t.GetName(), t.GetDims(), have, DType(t.GetDataType()), n)
		}
		return nil
	}
	if n > math.MaxInt64/size || int64(len(t.RawData)) != n*size {
		return fmt.Errorf("onnx: tensor %q of shape %v has %d bytes of data, want %d of type %s",
			t.GetName(), t.GetDims(), len(t.RawData), n*size, DType(t.GetDataType()))
	}
	return nil
}

// typedData counts the elements in the field that a tensor of its type uses when it has no raw data.
func typedData(t *pb.TensorProto) int64 {
	switch pb.TensorProto_DataType(t.GetDataType()) {
	case pb.TensorProto_FLOAT:
		return int64(len(t.GetFloatData()))
	case pb.TensorProto_COMPLEX64:
		return int64(len(t.GetFloatData()) / 2)
	case pb.TensorProto_DOUBLE:
		return int64(len(t.GetDoubleData()))
	case pb.TensorProto_INT64:
		return int64(len(t.GetInt64Data()))
	case pb.TensorProto_UINT32, pb.TensorProto_UINT64:
		return int64(len(t.GetUint64Data()))
	}
	return int64(len(t.GetInt32Data()))
}

// Floats returns the contents of a float32, float64, float16 or bfloat16 tensor, which may alias those of t. It reports
// false for other types and for data kept outside the file.
func Floats(t *pb.TensorProto) ([]float32, bool) {
	if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
		return nil, false
	}
	raw := t.GetRawData()
	switch DType(t.GetDataType()) {
	case Float:
		if t.RawData == nil {
			return t.GetFloatData(), true
		}
		out := make([]float32, len(raw)/4)
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		return out, true
	case Double:
		if t.RawData == nil {
			out := make([]float32, len(t.GetDoubleData()))
			for i, v := range t.GetDoubleData() {
				out[i] = float32(v)
			}
			return out, true
		}
		out := make([]float32, len(raw)/8)
		for i := range out {
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
		return out, true
	case Float16, bfloat16:
		widen := fromHalf
		if DType(t.GetDataType()) == bfloat16 {
			widen = func(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
		}
		if t.RawData == nil {
			out := make([]float32, len(t.GetInt32Data()))
			for i, v := range t.GetInt32Data() {
				out[i] = widen(uint16(v))
			}
			return out, true
		}
		out := make([]float32, len(raw)/2)
		for i := range out {
			out[i] = widen(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		return out, true
	}
	return nil, false
}

// tensors are the main graph's initialisers; of sparse ones, the values.
func (m *Model) tensors() []*pb.TensorProto {
	out := slices.Clone(m.Proto.Graph.Initializer)
	for _, s := range m.Proto.Graph.SparseInitializer {
		out = append(out, s.GetValues())
	}
	return out
}

// External returns the name of an initialiser whose data lie in another file, or "" when the model is whole.
func (m *Model) External() string {
	for _, t := range m.tensors() {
		if t.GetDataLocation() == pb.TensorProto_EXTERNAL {
			return t.GetName()
		}
	}
	return ""
}

// NonFinite looks for NaN and infinities in the model's floating-point initialisers. It returns the name of the first
// tensor that holds one, and how many it holds.
func (m *Model) NonFinite() (name string, count int) {
	for _, t := range m.tensors() {
		v, ok := Floats(t)
		if !ok {
			continue
		}
		for _, f := range v {
			if f-f != 0 {
				count++
			}
		}
		if count > 0 {
			return t.GetName(), count
		}
	}
	return "", 0
}

// fromHalf widens an IEEE 754 binary16 number.
func fromHalf(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h) & 0x3ff
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
	}
	v := float32(frac) / (1 << 24) // subnormal
	if sign != 0 {
		return -v
	}
	return v
}

// toHalf rounds to the nearest IEEE 754 binary16 number, ties to even. What is 65520 or more becomes infinite.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, abs := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case abs > 0x7f800000:
		return sign | 0x7e00 // NaN
	case abs >= 0x477ff000: // 65520
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14, subnormal: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*(1<<24)))
	}
	// 13 bits are dropped: add half of the last kept place, less one when that place is even.
	abs += 0xfff + abs>>13&1
	return sign | uint16((abs-112<<23)>>13)
}

func halfTensor(name string, shape []int64, data []float32) *pb.TensorProto {
	raw := make([]byte, 2*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint16(raw[2*i:], toHalf(v))
	}
	return &pb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Float16)), Dims: shape, RawData: raw}
}

func floatTensor(name string, shape []int64, data []float32) *pb.TensorProto {
	raw := make([]byte, 4*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint32(raw[4*i:], math.Float32bits(v))
	}
	return &pb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Float)), Dims: shape, RawData: raw}
}

func intTensor(name string, shape []int64, data []int64) *pb.TensorProto {
	raw := make([]byte, 8*len(data))
	for i, v := range data {
		binary.LittleEndian.PutUint64(raw[8*i:], uint64(v))
	}
	return &pb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Int64)), Dims: shape, RawData: raw}
}
