package ort

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// compare lists what keeps a model with these ports from being a denoiser under the contract, each fault with the name
// of the tensor, what it is and what it has to be.
func compare(in, out []Port, c *sampler.Contract) []string {
	var faults []string
	find := func(kind string, ports []Port, name string) *Port {
		i := slices.IndexFunc(ports, func(p Port) bool { return p.Name == name })
		if i < 0 {
			faults = append(faults, fmt.Sprintf("it has no %s %q; its %ss are %q", kind, name, kind, names(ports)))
			return nil
		}
		return &ports[i]
	}
	check := func(kind string, p *Port, elem string, shape []int) {
		if p == nil {
			return
		}
		if p.Type != elem {
			faults = append(faults, fmt.Sprintf("%s %q is %s, want %s", kind, p.Name, p.Type, elem))
		}
		if fault := compareShape(p.Shape, shape); fault != "" {
			faults = append(faults, fmt.Sprintf("%s %q %s", kind, p.Name, fault))
		}
	}
	check("input", find("input", in, sampler.InputX), "float32", c.Shape)
	check("input", find("input", in, sampler.InputSigma), "float32", nil)
	known := []string{sampler.InputX, sampler.InputSigma}
	switch hasLabel := slices.ContainsFunc(in, func(p Port) bool { return p.Name == sampler.InputLabel }); {
	case len(c.Labels) > 0:
		known = append(known, sampler.InputLabel)
		check("input", find("input", in, sampler.InputLabel), "int64", nil)
	case hasLabel:
		known = append(known, sampler.InputLabel)
		faults = append(faults, fmt.Sprintf("it has an input %q, but its contract names no labels", sampler.InputLabel))
	}
	for _, p := range in {
		if !slices.Contains(known, p.Name) {
			faults = append(faults, fmt.Sprintf("it has an input %q that nothing feeds; a denoiser takes %q", p.Name, known))
		}
	}
	if c.Mask == sampler.MaskInput {
		faults = append(faults, fmt.Sprintf("its contract says mask %q, and this build feeds no masks; it knows %q, where zeros in x are the mask", c.Mask, sampler.MaskZeros))
	}
	check("output", find("output", out, sampler.OutputDenoised), "float32", c.Shape)
	return faults
}

// compareShape compares the shape of a port with [batch, sample...]. The batch has to be free; other free dimensions
// fit anything, and a port without a shape is left to the probe.
func compareShape(got []int64, sample []int) string {
	if got == nil {
		return ""
	}
	want := "[batch"
	for _, d := range sample {
		want += fmt.Sprintf(" %d", d)
	}
	want += "]"
	if len(got) != 1+len(sample) {
		return fmt.Sprintf("has %d dimensions %v, want %s", len(got), got, want)
	}
	for i, d := range sample {
		if got[1+i] >= 0 && got[1+i] != int64(d) {
			return fmt.Sprintf("has the shape %v, want %s", got, want)
		}
	}
	if got[0] >= 0 {
		return fmt.Sprintf("has a fixed batch of %d; export the model with a batch dimension that is free (dynamic)", got[0])
	}
	return ""
}

// notANumber names the first float32 weights with a NaN among them, "" when there is none. A NaN need not reach the
// probe: it may sit in the embedding of one class.
func notANumber(m *onnx.Model) string {
	for _, t := range m.Proto.Graph.Initializer {
		if onnx.DType(t.GetDataType()) != onnx.Float {
			continue
		}
		for b := t.GetRawData(); len(b) >= 4; b = b[4:] {
			if f := math.Float32frombits(binary.LittleEndian.Uint32(b)); f != f {
				return t.GetName()
			}
		}
		for _, f := range t.GetFloatData() {
			if f != f {
				return t.GetName()
			}
		}
	}
	return ""
}

// probe denoises two rows at the ends of the sigma range and in its middle, of the first class, the last and none, and
// refuses anything but finite numbers.
func (d *Denoiser) probe() error {
	const rows = 2
	classes := []int64{0}
	if k := int64(d.info.Classes); k > 0 {
		classes = []int64{0, k - 1, k}
	}
	x, y := make([]float64, rows*d.info.Size), make([]float64, rows*d.info.Size)
	for _, sigma := range []float64{d.info.SigmaMax, math.Sqrt(d.info.SigmaMax * d.info.SigmaMin), d.info.SigmaMin} {
		for i := range x {
			x[i] = math.Hypot(sigma, d.info.SigmaData) * math.Sin(1+1.7*float64(i)) // any values of the right size
		}
		for _, class := range classes {
			var labels []int64
			if d.info.Classes > 0 {
				labels = []int64{class, class}
			}
			if err := d.Denoise(context.Background(), y, x, sigma, labels); err != nil {
				return err
			}
			for i, v := range y {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("output %q is %g at coordinate %d of a probe with sigma %g and label %d", sampler.OutputDenoised, v, i%d.info.Size, sigma, class)
				}
			}
		}
	}
	return nil
}
