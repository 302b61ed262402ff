package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"pfgmgen/internal/onnx"
)

// A Probed device is what one kind of device can do on this machine.
type Probed struct {
	Device Device
	Err    error // why it cannot be used, nil when it computes
}

// maxDevices bounds the numbers that Probe tries of one kind.
const maxDevices = 64

// Probe tries every kind of device, and every number of those that have several, in the order of "auto". Each is
// tried by computing on it, once per process; so it takes a moment where there are accelerators.
func (r *Runtime) Probe() []Probed {
	var out []Probed
	for _, p := range providers {
		for i := range maxDevices {
			d := Device{Kind: p.kind, Index: i}
			err := r.prove(d)
			if i > 0 && err != nil {
				break
			}
			out = append(out, Probed{Device: d, Err: err})
			if !p.numbered || err != nil {
				break
			}
		}
	}
	return out
}

// device resolves what the user asked for to a device that works. For "auto" that ends on the CPU it also returns
// why the accelerators were passed over.
func (r *Runtime) device(text string) (d Device, fallback, err error) {
	if strings.EqualFold(text, "auto") {
		var reasons []string
		for _, p := range providers {
			if !p.auto || p.goos != "" && p.goos != runtime.GOOS {
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
		return d, nil, fmt.Errorf("ort: device %s: %w: %w. What works here, and why others do not: pfgmgen doctor", d, ErrDevice, err)
	}
	return d, nil, nil
}

// prove tries a device, once per process.
func (r *Runtime) prove(d Device) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err, known := r.proved[d]; known {
		return err
	}
	err := findProvider(d.Kind).possible(r.path)
	if err == nil {
		err = compute(d)
	}
	r.proved[d] = err
	return err
}

// possible says what this machine or this build of the runtime lacks for the provider. The runtime itself would say
// less, or write it to stderr. It does not open the provider's library: opened before the runtime has set up its side,
// the library would keep a null pointer to it for good.
func (p *provider) possible(runtimePath string) error {
	if p.goos != "" && p.goos != runtime.GOOS {
		return fmt.Errorf("it exists on %s only", p.goos)
	}
	if p.beside != "" {
		file := filepath.Join(filepath.Dir(runtimePath), sharedLibrary(p.beside))
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("this build of ONNX Runtime comes without it: there is no %s beside %s", filepath.Base(file), runtimePath)
		}
	}
	if p.needs != "" && runtime.GOOS == "linux" {
		return loadable(p.needs)
	}
	return nil
}

// sharedLibrary is the file name of a library on this system.
func sharedLibrary(name string) string {
	switch runtime.GOOS {
	case "windows":
		return name + ".dll"
	case "darwin", "ios":
		return "lib" + name + ".dylib"
	}
	return "lib" + name + ".so"
}

// compute runs a small matrix product on the device, with the CPU forbidden to step in, and compares the result. That
// is the only sure sign: the runtime takes options for providers that it does not have, and runs a model on the CPU
// without a word when a provider takes none of its operators.
func compute(d Device) error {
	g := onnx.NewGraph()
	x := g.Input("x", onnx.Float, 2, 2)
	g.Output("y", g.MatMul(x, g.Floats("w", []float32{1, 2, 3, 4}, 2, 2)))
	model, err := g.Model("probe", "pfgmgen").Marshal()
	if err != nil {
		return err
	}
	s, err := compile(model, []Port{{Name: "x"}}, []Port{{Name: "y"}}, d, SessionOptions{},
		map[string]string{"session.disable_cpu_ep_fallback": "1"})
	if err != nil {
		return err
	}
	defer s.Destroy()
	y := make([]float32, 4)
	in, err := onnxruntime.NewTensor([]int64{2, 2}, []float32{1, 0, 2, 1})
	if err != nil {
		return err
	}
	defer in.Destroy()
	out, err := onnxruntime.NewTensor([]int64{2, 2}, y)
	if err != nil {
		return err
	}
	defer out.Destroy()
	if err := s.Run([]onnxruntime.Value{in}, []onnxruntime.Value{out}); err != nil {
		return tidy(err)
	}
	if want := [4]float32{1, 2, 5, 8}; [4]float32(y) != want {
		return fmt.Errorf("it computes %v where %v is right", y, want)
	}
	return nil
}
