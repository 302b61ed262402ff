package training

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// A Guidance is the difference to a worse model that is added to a good one: Den = Den_good + (Weight-1) (Den_good -
// Den_worse) at noise levels below Below, and Den_good above. A worse model of the same kind and data, such as a smaller
// one or one that learnt for a shorter time, errs in the same directions but further, so the difference points away from
// errors (autoguidance, arXiv 2406.02507; the interval of noise levels is that of arXiv 2404.07724). A weight below 1 mixes
// the two instead: 0.5 is the mean of two equally good models, whose errors partly cancel.
type Guidance struct {
	Weight float64 `json:"weight"` // of the good model; 1 is that one alone
	Below  float64 `json:"below"`  // sigma
	Worse  string  `json:"worse"`  // SHA-256 of the other model's file, hex
}

// Validate reports numbers that make no sense.
func (g Guidance) Validate() error {
	if !(g.Weight > 0 && g.Weight <= 10 && g.Weight != 1) {
		return fmt.Errorf("training: a guidance weight of %g, want more than 0, at most 10, and not 1", g.Weight)
	}
	if !(g.Below > 0) || math.IsInf(g.Below, 0) {
		return fmt.Errorf("training: guidance below sigma %g, want a positive number", g.Below)
	}
	return nil
}

// Guide makes one model file of a good model and a worse one, each with the contract in its metadata. The contract of the
// result is the good one's; its training record says what was done.
func Guide(good, worse *onnx.Model, g Guidance) error {
	if err := g.Validate(); err != nil {
		return err
	}
	a, err := sampler.ParseContract(good.Metadata())
	if err != nil {
		return fmt.Errorf("training: the good model: %w", err)
	}
	b, err := sampler.ParseContract(worse.Metadata())
	if err != nil {
		return fmt.Errorf("training: the worse model: %w", err)
	}
	if key := differ(a, b); key != "" {
		return fmt.Errorf("training: the models differ in %s, so one says nothing about the other's errors", key)
	}
	share := map[string]string{sampler.InputX: sampler.InputX, sampler.InputSigma: sampler.InputSigma}
	if len(a.Labels) > 0 {
		share[sampler.InputLabel] = sampler.InputLabel
	}
	out, err := good.Include(worse, "worse/", share)
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	const own = "guide/good"
	good.Rename(sampler.OutputDenoised, own)
	good.Add("Sub", "guide/difference", nil, own, out[sampler.OutputDenoised])
	good.AddFloat("guide/below", float32(g.Below))
	good.AddFloat("guide/weight", float32(g.Weight-1))
	good.Add("Less", "guide/within", nil, sampler.InputSigma, "guide/below")
	good.Add("Cast", "guide/mask", onnx.Attrs{"to": int(onnx.Float)}, "guide/within")
	good.Add("Mul", "guide/weights", nil, "guide/mask", "guide/weight")
	shape := make([]int64, 1+len(a.Shape))
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = -1
	good.AddInts("guide/shape", shape...)
	good.Add("Reshape", "guide/column", nil, "guide/weights", "guide/shape")
	good.Add("Mul", "guide/step", nil, "guide/difference", "guide/column")
	good.Add("Add", sampler.OutputDenoised, nil, own, "guide/step")

	record := make(map[string]json.RawMessage)
	if len(a.Training) > 0 {
		if err := json.Unmarshal(a.Training, &record); err != nil {
			return fmt.Errorf("training: the good model's training record: %w", err)
		}
	}
	if record["autoguidance"], err = json.Marshal(g); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	if a.Training, err = json.Marshal(record); err != nil {
		return fmt.Errorf("training: %w", err)
	}
	meta := a.Metadata()
	for _, k := range slices.Sorted(maps.Keys(meta)) {
		good.SetMetadata(k, meta[k])
	}
	return nil
}

// differ names a setting in which two contracts contradict each other, "" when the models are about the same thing.
func differ(a, b *sampler.Contract) string {
	same := func(x, y any) bool {
		p, errP := json.Marshal(x)
		q, errQ := json.Marshal(y)
		return errP == nil && errQ == nil && string(p) == string(q)
	}
	for _, c := range []struct {
		name string
		a, b any
	}{
		{"domain", a.Domain, b.Domain}, {"shape", a.Shape, b.Shape}, {"n", a.Free, b.Free}, {"sigma_data", a.SigmaData, b.SigmaData},
		{"offset", a.Offset, b.Offset}, {"scale", a.Scale, b.Scale}, {"mask", a.Mask, b.Mask}, {"labels", a.Labels, b.Labels}, {"adapter", a.Adapter, b.Adapter},
	} {
		if !same(c.a, c.b) {
			return c.name
		}
	}
	if a.D != b.D { // infinite in EDM, which JSON has not
		return "D"
	}
	return ""
}
