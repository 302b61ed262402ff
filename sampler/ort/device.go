package ort

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"pfgmgen/internal/onnx"
)

// ErrDevice is wrapped when a device that was asked for does not exist here or does not work.
var ErrDevice = errors.New("the device did not come up")

// A Device is where a model runs.
type Device struct {
	Kind  string // "cpu", "cuda", ...
	Index int    // which one of several, 0 for kinds that have no number
}

// String is the device as users write it: "cpu", "cuda:1".
func (d Device) String() string {
	if p := findProvider(d.Kind); p != nil && p.numbered {
		return d.Kind + ":" + strconv.Itoa(d.Index)
	}
	return d.Kind
}

// A provider is a kind of device: how the runtime calls it, and how it is added to a session.
type provider struct {
	kind     string
	numbered bool   // several of them are told apart by a number
	auto     bool   // taken by "auto", in the order of the table
	library  string // of its own that the runtime opens, beside the runtime's
	add      func(o *onnxruntime.SessionOptions, index int) error
}

// providers are the kinds of devices, in the order in which "auto" tries them. TensorRT and OpenVINO compile for
// minutes or change the arithmetic, so they run only when asked for.
var providers = []provider{
	{kind: "cuda", numbered: true, auto: true, library: "onnxruntime_providers_cuda", add: addCUDA},
	{kind: "directml", numbered: true, auto: true, add: (*onnxruntime.SessionOptions).AppendExecutionProviderDirectML},
	{kind: "coreml", auto: true, add: addCoreML},
	{kind: "webgpu", auto: true, add: func(o *onnxruntime.SessionOptions, _ int) error {
		return o.AppendExecutionProvider("WebGPU", nil)
	}},
	{kind: "tensorrt", numbered: true, library: "onnxruntime_providers_tensorrt", add: addTensorRT},
	{kind: "openvino", library: "onnxruntime_providers_openvino", add: func(o *onnxruntime.SessionOptions, _ int) error {
		return o.AppendExecutionProviderOpenVINO(nil)
	}},
	{kind: "cpu", add: func(*onnxruntime.SessionOptions, int) error { return nil }},
}

func addCUDA(o *onnxruntime.SessionOptions, index int) error {
	c, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer c.Destroy()
	// TF32 rounds to 10 bits of mantissa, which the last steps of a schedule notice.
	if err := c.Update(map[string]string{"device_id": strconv.Itoa(index), "use_tf32": "0"}); err != nil {
		return err
	}
	return o.AppendExecutionProviderCUDA(c)
}

func addTensorRT(o *onnxruntime.SessionOptions, index int) error {
	t, err := onnxruntime.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer t.Destroy()
	if err := t.Update(map[string]string{"device_id": strconv.Itoa(index)}); err != nil {
		return err
	}
	if err := o.AppendExecutionProviderTensorRT(t); err != nil {
		return err
	}
	return addCUDA(o, index) // runs what TensorRT does not take
}

func addCoreML(o *onnxruntime.SessionOptions, _ int) error {
	return o.AppendExecutionProviderCoreMLV2(map[string]string{"ModelFormat": "MLProgram"})
}

func findProvider(kind string) *provider {
	for i := range providers {
		if providers[i].kind == kind {
			return &providers[i]
		}
	}
	return nil
}

// ParseDevice reads a device as users write it. "auto" is no device: NewSession resolves it.
func ParseDevice(text string) (Device, error) {
	if text == "" {
		return Device{Kind: "cpu"}, nil
	}
	kind, number, has := strings.Cut(strings.ToLower(text), ":")
	p := findProvider(kind)
	if p == nil {
		var known []string
		for _, p := range providers {
			known = append(known, Device{Kind: p.kind}.String())
		}
		return Device{}, fmt.Errorf("ort: device %q is not known; the devices are %s and auto", text, strings.Join(known, ", "))
	}
	if !has {
		return Device{Kind: kind}, nil
	}
	index, err := strconv.Atoi(number)
	if !p.numbered || err != nil || index < 0 {
		return Device{}, fmt.Errorf("ort: device %q: want %s", text, Device{Kind: kind})
	}
	return Device{Kind: kind, Index: index}, nil
}

func (d Device) appendTo(o *onnxruntime.SessionOptions) error {
	return findProvider(d.Kind).add(o, d.Index)
}

// device resolves what the user asked for to a device that works. For "auto" that ends on the CPU it also returns
// why the accelerators were passed over.
func (r *Runtime) device(text string) (d Device, fallback, err error) {
	if strings.EqualFold(text, "auto") {
		var reasons []string
		for _, p := range providers {
			if !p.auto {
				continue
			}
			d := Device{Kind: p.kind}
			err := r.prove(d)
			if err == nil {
				return d, nil, nil
			}
			reasons = append(reasons, fmt.Sprintf("%s: %v", d, err))
		}
		return Device{Kind: "cpu"}, fmt.Errorf("no accelerator works here, so the CPU runs the model (%s)", strings.Join(reasons, "; ")), nil
	}
	if d, err = ParseDevice(text); err != nil {
		return d, nil, err
	}
	if err := r.prove(d); err != nil {
		return d, nil, fmt.Errorf("ort: device %s: %w: %w. What works here: pfgmgen doctor", d, ErrDevice, err)
	}
	return d, nil, nil
}

// prove runs a small matrix product on the device, with the CPU forbidden to step in, and compares the result. That
// is the only sure sign: the runtime takes options for providers that it does not have, and runs a model on the CPU
// without a word when a provider takes none of its operators. Each device is tried once per process.
func (r *Runtime) prove(d Device) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err, known := r.proved[d]; known {
		return err
	}
	err := proveOn(d)
	if err != nil {
		if p := findProvider(d.Kind); p.library != "" {
			if cause := missingPart(r.path, p.library); cause != "" {
				err = fmt.Errorf("%w (%s)", err, cause)
			}
		}
	}
	r.proved[d] = err
	return err
}

func proveOn(d Device) error {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, 2, 2)
	g.Output("y", g.MatMul(x, g.Floats("w", []float32{1, 2, 3, 4}, 2, 2)))
	model, err := g.Model("probe", "pfgmgen").Marshal()
	if err != nil {
		return err
	}
	in, out := []Port{{Name: "x", Type: "float32"}}, []Port{{Name: "y", Type: "float32"}}
	s, err := compile(model, in, out, d, SessionOptions{Optimize: OptimizeNone},
		map[string]string{"session.disable_cpu_ep_fallback": "1"})
	if err != nil {
		return err
	}
	defer s.Destroy()
	a, b := []float32{1, 0, 2, 1}, make([]float32, 4)
	tx, err := onnxruntime.NewTensor([]int64{2, 2}, a)
	if err != nil {
		return err
	}
	defer tx.Destroy()
	ty, err := onnxruntime.NewTensor([]int64{2, 2}, b)
	if err != nil {
		return err
	}
	defer ty.Destroy()
	if err := s.Run([]onnxruntime.Value{tx}, []onnxruntime.Value{ty}); err != nil {
		return tidy(err)
	}
	if want := [4]float32{1, 2, 5, 8}; [4]float32(b) != want {
		return fmt.Errorf("it computes %v where %v is right", b, want)
	}
	return nil
}
