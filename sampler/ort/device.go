package ort

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"
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

// A provider is a kind of device: where it can exist, what it needs, and how it is added to a session.
type provider struct {
	kind     string
	numbered bool   // several of them are told apart by a number
	auto     bool   // taken by "auto", in the order of the table
	goos     string // the only system that has it, "" for any
	beside   string // library of its own that lies beside the runtime's, "" when it is built in
	needs    string // library of the system that it cannot do without on Linux
	add      func(o *onnxruntime.SessionOptions, index int) error
}

// providers are the kinds of devices, in the order in which "auto" tries them. TensorRT and OpenVINO compile for
// minutes or change the arithmetic, so they run only when asked for.
var providers = []provider{
	{kind: "cuda", numbered: true, auto: true, beside: "onnxruntime_providers_cuda", add: addCUDA},
	{kind: "directml", numbered: true, auto: true, goos: "windows", add: (*onnxruntime.SessionOptions).AppendExecutionProviderDirectML},
	{kind: "coreml", auto: true, goos: "darwin", add: addCoreML},
	{kind: "webgpu", auto: true, needs: "libvulkan.so.1", add: func(o *onnxruntime.SessionOptions, _ int) error {
		return o.AppendExecutionProvider("WebGPU", nil)
	}},
	{kind: "tensorrt", numbered: true, beside: "onnxruntime_providers_tensorrt", add: addTensorRT},
	{kind: "openvino", beside: "onnxruntime_providers_openvino", add: func(o *onnxruntime.SessionOptions, _ int) error {
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
