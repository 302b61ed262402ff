package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/io/dataset"
	"pfgmgen/pipeline"
	"pfgmgen/pipeline/array"
	"pfgmgen/sampler"
)

// runOptions are the settings of pfgmgen run. given says whether the user set a flag, in any way; a flag that was not
// given has its default from the model or the device.
type runOptions struct {
	domain, model, label    string
	n                       int64
	out                     string
	seed                    uint64
	solver                  string
	steps                   int
	sigmaMin, sigmaMax, rho float64
	guidance                float64
	batch, workers          int
	invalid                 string
	maxAttempts             int
	shardRows               int64
	format, also            string
	minValid                float64
	look                    string               // --check
	array                   string               // I/N or auto; "" for all shards
	owns                    func(shard int) bool // by array; nil for all shards
	dryRun                  bool
	engine                  engineChoice
	watch                   watchOptions
	given                   func(flag string) bool
}

// check refuses what is wrong whatever the model.
func (o *runOptions) check() error {
	if o.n < 1 {
		return usageErrorf("--num-samples is %d, want at least 1", o.n)
	}
	for _, f := range []struct {
		name  string
		value int
	}{{"batch", o.batch}, {"workers", o.workers}, {"threads", o.engine.threads}, {"steps", o.steps}, {"max-attempts", o.maxAttempts}} {
		if f.value < 1 && o.given(f.name) {
			return usageErrorf("--%s is %d, want at least 1", f.name, f.value)
		}
	}
	if o.seed > math.MaxInt64 {
		return usageErrorf("--seed is %d, want at most %d", o.seed, math.MaxInt64)
	}
	if !(o.minValid >= 0 && o.minValid <= 1) {
		return usageErrorf("--min-valid is %g, want a share from 0 to 1", o.minValid)
	}
	if err := oneOf("format", o.format, dataset.Parquet, dataset.Arrow); err != nil {
		return err
	}
	if err := oneOf("check", o.look, string(dataset.CheckHash), string(dataset.CheckSize)); err != nil {
		return err
	}
	if err := oneOf("invalid", o.invalid, pipeline.Resample, pipeline.Drop, pipeline.Keep); err != nil {
		return err
	}
	if o.given("max-attempts") && o.maxAttempts != 1 && o.invalid != pipeline.Resample {
		return usageErrorf("--max-attempts is for --invalid resample, not for --invalid %s", o.invalid)
	}
	if o.out == "" {
		return usageErrorf("--out is empty, want a directory or a URL such as s3://bucket/prefix")
	}
	return o.watch.check()
}

// slice follows --array.
func (o *runOptions) slice(e *env, getenv func(string) string) error {
	var s array.Slice
	var err error
	source := "--array"
	switch {
	case o.array == "auto":
		s, source, err = array.Detect(getenv)
	case o.array != "" || o.given("array"):
		s, err = array.Parse(o.array)
	default:
		return nil
	}
	if err != nil {
		return usageErrorf("--array %s: %s", shellWord(o.array), strings.TrimPrefix(err.Error(), "array: "))
	}
	e.info("task %d of %d (numbered from 0), by %s", s.Index, s.Count, source)
	o.owns = s.Owns
	return nil
}

func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return usageErrorf("--%s %q: want one of %s%s", flag, value, strings.Join(allowed, ", "), didYouMean(value, allowed, ""))
}

// plan makes the plan for a model on a provider.
func (o *runOptions) plan(m *model, provider string) (pipeline.Plan, error) {
	c := m.contract
	p := pipeline.Plan{
		Version: pipeline.Version, Domain: c.Domain,
		Model:      pipeline.Model{SHA256: m.sha256, D: pipeline.FormatD(c.D), Free: c.Free, Size: c.Size()},
		NumSamples: o.n, Seed: o.seed, Solver: o.solver, Steps: c.Steps, SigmaMin: c.SigmaMin, SigmaMax: c.SigmaMax, Rho: c.Rho,
		Guidance: c.Guidance, Batch: defaultBatch(provider), Invalid: o.invalid, MaxAttempts: o.maxAttempts, ShardRows: o.shardRows,
		Format: o.format, Provider: provider,
	}
	if o.given("steps") {
		p.Steps = o.steps
	}
	if o.given("batch") {
		p.Batch = o.batch
	}
	for _, f := range []struct {
		name string
		from float64
		to   *float64
	}{{"sigma-min", o.sigmaMin, &p.SigmaMin}, {"sigma-max", o.sigmaMax, &p.SigmaMax}, {"rho", o.rho, &p.Rho}} {
		if o.given(f.name) {
			*f.to = f.from
		}
	}
	if o.given("guidance") {
		p.Guidance = o.guidance
	}
	if p.SigmaMin < c.SigmaMin || p.SigmaMax > c.SigmaMax {
		return p, usageErrorf("sigma from %g to %g: model %s was trained for %g to %g; stay within", p.SigmaMin, p.SigmaMax, m.name, c.SigmaMin, c.SigmaMax)
	}
	if o.invalid != pipeline.Resample {
		p.MaxAttempts = 1
	}
	if p.Guidance != 1 && len(c.Labels) == 0 {
		return p, usageErrorf("--guidance is %g, but model %s has no labels to guide by", p.Guidance, m.name)
	}
	var err error
	if p.Also, err = exports(o.also, m.domain.Describe()); err != nil {
		return p, err
	}
	if err := o.labels(&p, m); err != nil {
		return p, err
	}
	if _, err := sampler.SolverByName(p.Solver); err != nil {
		return p, usageErrorf("--solver: %w%s", err, didYouMean(p.Solver, []string{"euler", "heun"}, ""))
	}
	if err := p.Validate(); err != nil {
		return p, usageErrorf("%s", strings.TrimPrefix(err.Error(), "pipeline: plan: "))
	}
	return p, nil
}

// exports reads --also.
func exports(also string, d domains.Description) ([]string, error) {
	var out []string
	for _, format := range strings.Split(also, ",") {
		format = strings.TrimSpace(format)
		if format == "" || slices.Contains(out, format) {
			continue
		}
		if !slices.Contains(d.Exports, format) {
			return nil, usageErrorf("--also %q: the domain %s writes %s%s", format, d.Name, listOr(d.Exports, "no other format"), didYouMean(format, d.Exports, ""))
		}
		out = append(out, format)
	}
	return out, nil
}

func listOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}

// labels reads --label: NAME|INDEX, several of them to take turns, or NAME=COUNT pairs.
func (o *runOptions) labels(p *pipeline.Plan, m *model) error {
	names := m.contract.Labels
	if o.label == "" {
		p.Labels, p.LabelShares = names, m.contract.LabelShares
		return nil
	}
	if len(names) == 0 {
		return usageErrorf("--label %s: model %s has no labels", o.label, m.name)
	}
	var total int64
	for _, item := range strings.Split(o.label, ",") {
		text, count, counted := strings.Cut(strings.TrimSpace(item), "=")
		name, err := labelName(text, names)
		if err != nil {
			return err
		}
		p.Labels = append(p.Labels, name)
		if !counted {
			continue
		}
		n, err := strconv.ParseInt(count, 10, 64)
		if err != nil || n < 1 || n > sampler.MaxIndex {
			return usageErrorf("--label %s: the count of %s is %q, want a positive number", o.label, text, count)
		}
		p.LabelCounts = append(p.LabelCounts, n)
		total += n
	}
	if p.LabelCounts == nil {
		return nil
	}
	if len(p.LabelCounts) != len(p.Labels) {
		return usageErrorf("--label %s: give every label a count, or none", o.label)
	}
	if o.given("num-samples") && total != o.n {
		return usageErrorf("--label %s asks for %d rows, --num-samples for %d: leave the second out", o.label, total, o.n)
	}
	p.NumSamples = total
	return nil
}

// labelName is the class called text, or number text.
func labelName(text string, names []string) (string, error) {
	if slices.Contains(names, text) {
		return text, nil
	}
	if i, err := strconv.Atoi(text); err == nil {
		if i >= 0 && i < len(names) {
			return names[i], nil
		}
		return "", usageErrorf("--label %d: the model has the classes 0 to %d", i, len(names)-1)
	}
	shown := strings.Join(names[:min(8, len(names))], ", ")
	if len(names) > 8 {
		shown += fmt.Sprintf(" and %d more", len(names)-8)
	}
	return "", usageErrorf("--label %q is not a class of the model%s; the classes are %s", text, didYouMean(text, names, ""), shown)
}
