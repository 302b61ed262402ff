package sampler

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"
)

// ContractVersion is the version of the model contract that this code writes and reads.
const ContractVersion = 1

// ContractPrefix is the prefix of every metadata_props key of the contract.
const ContractPrefix = "pfgmgen."

// ContractKeys lists the keys of the contract without their prefix, in the order of the fields of Contract.
func ContractKeys() []string {
	return []string{"version", "domain", "shape", "n", "d", "sigma_data", "sigma_min", "sigma_max", "rho", "steps", "offset", "scale",
		"symmetry", "mask", "labels", "label_shares", "guidance", "license", "source", "adapter", "training"}
}

// Names of the tensors of a model: x float32 [batch, shape...], sigma float32 [batch], label int64 [batch] when
// conditional, and the output denoised float32 [batch, shape...].
const (
	InputX         = "x"
	InputSigma     = "sigma"
	InputLabel     = "label"
	OutputDenoised = "denoised"
)

// How a model treats coordinates that a sample does not have, such as those of the positions after its end.
const (
	MaskNone = "none" // every sample has all; padding is data
	// MaskZeros: an absent coordinate is exactly 0 in x at every noise level, no present one ever is, and the network
	// gives 0 for it. So the mask needs no tensor of its own, and the solvers keep it.
	MaskZeros = "zeros"
	MaskInput = "mask_input" // the network takes the mask as an input; known, but not run by this build
)

// A Contract is what a model file says about itself in its ONNX metadata_props, under keys that start with
// "pfgmgen.". Everything a run needs beside the network is in it.
type Contract struct {
	Version   int
	Domain    string    // "rna"
	Shape     []int     // of one sample, without the batch
	Free      int       // N: independent coordinates
	D         float64   // augmented dimensions, +Inf for EDM
	SigmaData float64   // standard deviation of the data in model space
	SigmaMin  float64   // lowest noise level to sample at
	SigmaMax  float64   // highest, where the prior is drawn
	Rho       float64   // curvature of the Karras schedule the model was tuned for
	Steps     int       // schedule steps the model was tuned for
	Offset    []float64 // model space = Scale*(encoded - Offset); one value, or one for each coordinate
	Scale     []float64
	Symmetry  string   // of the noise: "none" or "upper_triangle"
	Mask      string   // MaskNone, MaskZeros or MaskInput
	Labels    []string // class names; empty for an unconditional model
	// LabelShares are the shares of the classes in the training data, in the order of Labels; nil when unknown. Samples
	// that nobody asks a label for are drawn in these shares.
	LabelShares []float64
	Guidance    float64 // weight of classifier-free guidance the model was tuned for; 0 and 1 are none
	License     string  // of the model and its data, an SPDX expression where there is one
	Source      string  // of the training data, for people

	Adapter  json.RawMessage // the domain's settings: alphabet, columns, lengths; opaque here
	Training json.RawMessage // the training record: data sha256, examples seen, code version, losses; opaque here
}

// MaxSize is the largest number of coordinates that one sample may have.
const MaxSize = 1 << 28

// Size is the number of coordinates of one sample, or 0 when the shape is empty, has a size below 1, or holds more than
// MaxSize coordinates.
func (c *Contract) Size() int {
	if len(c.Shape) == 0 {
		return 0
	}
	n := 1
	for _, d := range c.Shape {
		if d < 1 || d > MaxSize/n {
			return 0
		}
		n *= d
	}
	return n
}

// Info is the part of the contract that the solver needs.
func (c *Contract) Info() Info {
	return Info{Size: c.Size(), Free: c.Free, D: c.D, SigmaMin: c.SigmaMin, SigmaMax: c.SigmaMax,
		SigmaData: c.SigmaData, Classes: len(c.Labels), Masked: c.Mask == MaskZeros}
}

// Metadata renders the contract as metadata_props. It is the inverse of ParseContract.
func (c *Contract) Metadata() map[string]string {
	m := map[string]string{
		"version":      strconv.Itoa(c.Version),
		"domain":       c.Domain,
		"shape":        formatInts(c.Shape),
		"n":            strconv.Itoa(c.Free),
		"d":            formatFloat(c.D),
		"sigma_data":   formatFloat(c.SigmaData),
		"sigma_min":    formatFloat(c.SigmaMin),
		"sigma_max":    formatFloat(c.SigmaMax),
		"rho":          formatFloat(c.Rho),
		"steps":        strconv.Itoa(c.Steps),
		"offset":       formatFloats(c.Offset),
		"scale":        formatFloats(c.Scale),
		"symmetry":     c.Symmetry,
		"mask":         c.Mask,
		"labels":       formatJSON(c.Labels),
		"label_shares": formatFloats(c.LabelShares),
		"license":      c.License,
		"source":       c.Source,
		"adapter":      string(c.Adapter),
		"training":     string(c.Training),
	}
	if c.Guidance != 0 && c.Guidance != 1 {
		m["guidance"] = formatFloat(c.Guidance)
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if v != "" {
			out[ContractPrefix+k] = v
		}
	}
	return out
}

// ParseContract reads a contract from metadata_props. Keys outside the pfgmgen. name space are ignored; an error
// names every key that is missing or malformed, so that a foreign model can be completed in one go.
func ParseContract(meta map[string]string) (*Contract, error) {
	p := contractParser{meta: meta}
	c := &Contract{
		Version:     p.integer("version", -1),
		Domain:      p.text("domain", ""),
		Shape:       p.ints("shape"),
		Free:        p.integer("n", -1),
		D:           p.float("d", math.NaN()),
		SigmaData:   p.float("sigma_data", math.NaN()),
		SigmaMin:    p.float("sigma_min", math.NaN()),
		SigmaMax:    p.float("sigma_max", math.NaN()),
		Rho:         p.float("rho", 7),
		Steps:       p.integer("steps", 18),
		Offset:      p.floats("offset", []float64{0}),
		Scale:       p.floats("scale", []float64{1}),
		Symmetry:    p.text("symmetry", "none"),
		Mask:        p.text("mask", "none"),
		LabelShares: p.floats("label_shares", nil),
		Guidance:    p.float("guidance", 1),
		License:     p.text("license", "unknown"),
		Source:      p.text("source", "unknown"),
	}
	if c.Guidance == 0 { // both say none; plans know only 1
		c.Guidance = 1
	}
	p.json("labels", &c.Labels)
	p.json("adapter", &c.Adapter)
	p.json("training", &c.Training)
	if len(p.faults) > 0 {
		sort.Strings(p.faults)
		return nil, fmt.Errorf("sampler: model metadata: %s", strings.Join(p.faults, "; "))
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// Validate reports every field that is out of range or contradicts another.
func (c *Contract) Validate() error {
	var faults []string
	bad := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if c.Version != ContractVersion {
		bad("version is %d, this build reads %d", c.Version, ContractVersion)
	}
	if c.Domain == "" {
		bad("domain is empty")
	}
	size := c.Size()
	if size == 0 {
		bad("shape %v is not a list of positive sizes with a product of at most %d", c.Shape, MaxSize)
	} else if c.Free <= 0 || c.Free > size {
		bad("n is %d, want 1..%d (the product of shape)", c.Free, size)
	}
	if err := ValidateD(c.D); err != nil {
		bad("%v", err)
	}
	for name, v := range map[string]float64{"sigma_data": c.SigmaData, "sigma_min": c.SigmaMin, "sigma_max": c.SigmaMax, "rho": c.Rho} {
		if !(v > 0) || math.IsInf(v, 0) {
			bad("%s is %g, want a positive finite number", name, v)
		}
	}
	if c.SigmaMin >= c.SigmaMax {
		bad("sigma_min %g is not below sigma_max %g", c.SigmaMin, c.SigmaMax)
	}
	if c.Steps < 1 || c.Steps > MaxSteps {
		bad("steps is %d, want 1 to %d", c.Steps, MaxSteps)
	}
	for name, v := range map[string][]float64{"offset": c.Offset, "scale": c.Scale} {
		if len(v) != 1 && len(v) != size {
			bad("%s has %d values, want 1 or %d", name, len(v), size)
		}
		for _, f := range v {
			if math.IsNaN(f) || math.IsInf(f, 0) || (name == "scale" && f == 0) {
				bad("%s holds %g", name, f)
				break
			}
		}
	}
	if c.Symmetry != "none" && c.Symmetry != "upper_triangle" {
		bad("symmetry is %q, want none or upper_triangle", c.Symmetry)
	}
	if c.Mask != MaskNone && c.Mask != MaskZeros && c.Mask != MaskInput {
		bad("mask is %q, want none, zeros or mask_input", c.Mask)
	}
	if !(c.Guidance >= 0) || math.IsInf(c.Guidance, 0) || (c.Guidance > 0 && c.Guidance != 1 && len(c.Labels) == 0) {
		bad("guidance is %g with %d labels, want a positive number, and 1 without labels", c.Guidance, len(c.Labels))
	}
	if c.LabelShares != nil {
		sum := 0.0
		for _, v := range c.LabelShares {
			if !(v >= 0) {
				sum = math.NaN()
			}
			sum += v
		}
		if len(c.LabelShares) != len(c.Labels) || !(math.Abs(sum-1) < 1e-6) {
			bad("label_shares are %d numbers with a sum of %g for %d labels, want one for each, with a sum of 1", len(c.LabelShares), sum, len(c.Labels))
		}
	}
	seen := map[string]bool{}
	for i, l := range c.Labels {
		if l == "" || seen[l] {
			bad("label %d is %q, want names that are not empty and differ", i, l)
		}
		seen[l] = true
	}
	if len(faults) > 0 {
		sort.Strings(faults)
		return fmt.Errorf("sampler: model contract: %s", strings.Join(faults, "; "))
	}
	return nil
}

// ValidateD says whether d can be a number of augmented dimensions: any positive real, or +Inf.
func ValidateD(d float64) error {
	if math.IsNaN(d) || d <= 0 {
		return fmt.Errorf("augmented dimensions: D is %g, want a positive number or inf", d)
	}
	return nil
}

type contractParser struct {
	meta   map[string]string
	faults []string
}

func (p *contractParser) fault(key, format string, args ...any) {
	p.faults = append(p.faults, ContractPrefix+key+" "+fmt.Sprintf(format, args...))
}

// text reads a key; an empty value counts as missing, since Metadata writes none.
func (p *contractParser) text(key, fallback string) string {
	v := p.meta[ContractPrefix+key]
	if v == "" {
		if fallback == "" {
			p.fault(key, "is missing")
		}
		return fallback
	}
	return v
}

func (p *contractParser) integer(key string, fallback int) int {
	v, ok := p.meta[ContractPrefix+key]
	if !ok {
		if fallback < 0 {
			p.fault(key, "is missing")
		}
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		p.fault(key, "is %q, want an integer", v)
	}
	return n
}

func (p *contractParser) float(key string, fallback float64) float64 {
	v, ok := p.meta[ContractPrefix+key]
	if !ok {
		if math.IsNaN(fallback) {
			p.fault(key, "is missing")
		}
		return fallback
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		p.fault(key, "is %q, want a number", v)
	}
	return f
}

func (p *contractParser) floats(key string, fallback []float64) []float64 {
	v, ok := p.meta[ContractPrefix+key]
	if !ok {
		return fallback
	}
	fields := strings.Split(v, ",")
	out := make([]float64, len(fields))
	for i, s := range fields {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			p.fault(key, "holds %q at position %d, want numbers separated by commas", s, i)
			return fallback
		}
		out[i] = f
	}
	return out
}

func (p *contractParser) ints(key string) []int {
	v, ok := p.meta[ContractPrefix+key]
	if !ok {
		p.fault(key, "is missing")
		return nil
	}
	fields := strings.Split(v, ",")
	out := make([]int, len(fields))
	for i, s := range fields {
		n, err := strconv.Atoi(s)
		if err != nil {
			p.fault(key, "is %q, want integers separated by commas", v)
			return nil
		}
		out[i] = n
	}
	return out
}

func (p *contractParser) json(key string, dst any) {
	v, ok := p.meta[ContractPrefix+key]
	if !ok {
		return
	}
	if err := json.Unmarshal([]byte(v), dst); err != nil {
		p.fault(key, "is not the JSON expected: %v", err)
	}
}

func formatFloat(v float64) string {
	if math.IsInf(v, 1) {
		return "inf"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func formatFloats(v []float64) string {
	s := make([]string, len(v))
	for i, f := range v {
		s[i] = formatFloat(f)
	}
	return strings.Join(s, ",")
}

func formatInts(v []int) string {
	s := make([]string, len(v))
	for i, n := range v {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, ",")
}

func formatJSON(v []string) string {
	if len(v) == 0 {
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("sampler: strings always marshal: " + err.Error())
	}
	return string(b)
}
