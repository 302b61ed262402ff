package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"pfgmgen/internal/onnx"
	"pfgmgen/pipeline"
	"pfgmgen/sampler"
)

// A modelResult is what pfgmgen inspect --json prints of a model.
type modelResult struct {
	Name      string            `json:"name"`
	BuiltIn   bool              `json:"built_in"`
	Bytes     int               `json:"bytes"`
	SHA256    string            `json:"sha256"`
	Inputs    []portResult      `json:"inputs"`
	Outputs   []portResult      `json:"outputs"`
	Weights   int64             `json:"weights"`               // numbers in the file's tensors
	NotFinite string            `json:"nan_weights,omitempty"` // first tensor that holds NaN or an infinity
	Metadata  map[string]string `json:"metadata"`
	Problem   string            `json:"problem,omitempty"` // why the metadata are no contract
}

type portResult struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Shape []int64 `json:"shape"` // -1 for a dimension that is free
}

// inspectModel prints what an ONNX file says of itself.
func inspectModel(_ context.Context, e *env, name string) error {
	m, err := readModel(name)
	if err != nil {
		return err
	}
	file, err := onnx.Parse(m.bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.hash()
	res := modelResult{Name: m.name, BuiltIn: m.builtIn, Bytes: len(m.bytes), SHA256: m.sha256, Metadata: file.Metadata(),
		Inputs: portResults(file.Inputs()), Outputs: portResults(file.Outputs())}
	for _, t := range file.Proto.GetGraph().GetInitializer() {
		count := int64(1)
		for _, d := range t.GetDims() {
			count *= d
		}
		res.Weights += count
	}
	res.NotFinite, _ = file.NonFinite()
	contract, err := sampler.ParseContract(res.Metadata)
	if err != nil {
		res.Problem = err.Error()
	}
	return e.print(res, func(w io.Writer) error {
		rows := [][2]string{{"model", m.name}, {"file", fmt.Sprintf("%s, sha256 %.12s, %s weights", size(int64(res.Bytes)), res.SHA256, number(res.Weights))}}
		if contract != nil {
			rows = append(rows, contractRows(contract)...)
		}
		for _, p := range res.Inputs {
			rows = append(rows, [2]string{"input " + p.Name, p.text()})
		}
		for _, p := range res.Outputs {
			rows = append(rows, [2]string{"output " + p.Name, p.text()})
		}
		if res.NotFinite != "" {
			rows = append(rows, [2]string{"problem", "weights " + res.NotFinite + " hold NaN or infinities"})
		}
		if res.Problem != "" {
			rows = append(rows, [2]string{"problem", res.Problem})
		}
		return table(w, rows)
	})
}

func contractRows(c *sampler.Contract) [][2]string {
	labels := "none"
	if len(c.Labels) > 0 {
		names := slices.Clone(c.Labels)
		for i, share := range c.LabelShares {
			names[i] += fmt.Sprintf(" (%.3g %%)", 100*share)
		}
		labels = fmt.Sprintf("%d: %s", len(c.Labels), strings.Join(names, ", "))
	}
	rows := [][2]string{
		{"domain", c.Domain},
		{"sample", fmt.Sprintf("shape %v, N %d free coordinates", c.Shape, c.Free)},
		{"D", pipeline.FormatD(c.D)},
		{"sigma", fmt.Sprintf("%g to %g, data %g", c.SigmaMax, c.SigmaMin, c.SigmaData)},
		{"sampling", fmt.Sprintf("%d steps, rho %g%s", c.Steps, c.Rho, guidanceText(c.Guidance))},
		{"scale", fmt.Sprintf("offset %s, scale %s; absent coordinates: %s", valuesText(c.Offset), valuesText(c.Scale), absentText(c.Mask))},
		{"labels", labels},
		{"licence", c.License},
		{"data", c.Source},
	}
	var training map[string]any
	if json.Unmarshal(c.Training, &training) == nil {
		for _, key := range []string{"examples", "examples_seen", "loss", "valid_loss", "data_sha256"} {
			if v, ok := training[key]; ok {
				rows = append(rows, [2]string{"training " + strings.ReplaceAll(key, "_", " "), fmt.Sprint(v)})
			}
		}
	}
	return rows
}

func guidanceText(g float64) string {
	if g == 0 || g == 1 {
		return ""
	}
	return fmt.Sprintf(", guidance %g", g)
}

// valuesText is one number, or how many there are.
func valuesText(v []float64) string {
	if len(v) == 1 {
		return fmt.Sprintf("%.6g", v[0])
	}
	return fmt.Sprintf("of each of %d coordinates", len(v))
}

func absentText(mask string) string {
	switch mask {
	case sampler.MaskZeros:
		return "where x is exactly 0"
	case sampler.MaskNone:
		return "none"
	}
	return mask
}

func portResults(ports []onnx.Port) []portResult {
	out := make([]portResult, len(ports))
	for i, p := range ports {
		out[i] = portResult{p.Name, p.Type.String(), p.Shape}
	}
	return out
}

func (p portResult) text() string {
	dims := make([]string, len(p.Shape))
	for i, d := range p.Shape {
		dims[i] = fmt.Sprint(d)
		if d < 0 {
			dims[i] = "?"
		}
	}
	return fmt.Sprintf("%s [%s]", p.Type, strings.Join(dims, ", "))
}
