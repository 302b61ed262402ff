package ort

import (
	"fmt"
	"runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// A Tensor is a view of the caller's memory for one Run: Data is a []float32, []float64, []int64, []int32, []uint8 or
// []bool, row-major, with exactly as many elements as Shape says. An empty Shape is a scalar.
type Tensor struct {
	Shape []int64
	Data  any
}

// elements is the product of shape, or -1 when a dimension is negative.
func elements(shape []int64) int64 {
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return -1
		}
		n *= d
	}
	return n
}

// elementType is the ONNX name of the tensor's element type, and its length; "" for a type that Run cannot take.
func (t Tensor) elementType() (name string, length int) {
	switch d := t.Data.(type) {
	case []float32:
		return "float32", len(d)
	case []float64:
		return "float64", len(d)
	case []int64:
		return "int64", len(d)
	case []int32:
		return "int32", len(d)
	case []uint8:
		return "uint8", len(d)
	case []bool:
		return "bool", len(d)
	}
	return "", 0
}

// fits compares the tensor with the port that it is meant for.
func (t Tensor) fits(p *Port) error {
	name, length := t.elementType()
	switch {
	case name == "":
		return fmt.Errorf("data is a %T, want a slice of float32, float64, int64, int32, uint8 or bool", t.Data)
	case name != p.Type:
		return fmt.Errorf("data is %s, the model has %s", name, p.Type)
	case int64(length) != elements(t.Shape):
		return fmt.Errorf("shape %v does not describe %d elements", t.Shape, length)
	case p.Shape == nil:
		return nil
	case len(p.Shape) != len(t.Shape):
		return fmt.Errorf("shape %v has %d dimensions, the model has %v", t.Shape, len(t.Shape), p.Shape)
	}
	for i, d := range p.Shape {
		if d >= 0 && d != t.Shape[i] {
			return fmt.Errorf("shape %v, the model has %v", t.Shape, p.Shape)
		}
	}
	return nil
}

// value makes the runtime's view of t, which the caller destroys. The memory stays pinned until pin is released. A
// scalar is copied, as the binding cannot alias one; fetch copies it back.
func (t Tensor) value(pin *runtime.Pinner) (onnxruntime.Value, error) {
	switch d := t.Data.(type) {
	case []float32:
		return newValue(t.Shape, d, pin)
	case []float64:
		return newValue(t.Shape, d, pin)
	case []int64:
		return newValue(t.Shape, d, pin)
	case []int32:
		return newValue(t.Shape, d, pin)
	case []uint8:
		return newValue(t.Shape, d, pin)
	}
	return newValue(t.Shape, t.Data.([]bool), pin)
}

func newValue[T onnxruntime.TensorData](shape []int64, data []T, pin *runtime.Pinner) (onnxruntime.Value, error) {
	if len(shape) == 0 {
		return onnxruntime.NewScalar(data[0])
	}
	if len(data) > 0 {
		pin.Pin(&data[0])
	}
	return onnxruntime.NewTensor(shape, data)
}

// fetch copies a scalar output back to the caller; other outputs are in the caller's memory already.
func (t Tensor) fetch(v onnxruntime.Value) {
	switch s := v.(type) {
	case *onnxruntime.Scalar[float32]:
		t.Data.([]float32)[0] = s.GetData()
	case *onnxruntime.Scalar[float64]:
		t.Data.([]float64)[0] = s.GetData()
	case *onnxruntime.Scalar[int64]:
		t.Data.([]int64)[0] = s.GetData()
	case *onnxruntime.Scalar[int32]:
		t.Data.([]int32)[0] = s.GetData()
	case *onnxruntime.Scalar[uint8]:
		t.Data.([]uint8)[0] = s.GetData()
	case *onnxruntime.Scalar[bool]:
		t.Data.([]bool)[0] = s.GetData()
	}
}
