package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains/all"
	"pfgmgen/io/dataset"
	"pfgmgen/pipeline"
)

func runCommand(e *env) *cli.Command { return runCommandInto(e, &runOptions{}) }

// runCommandInto is the command with its flags bound to o.
func runCommandInto(e *env, o *runOptions) *cli.Command {
	const (
		what = "what to make"
		how  = "how to sample"
		rows = "which rows, and where"
		with = "what to compute with"
	)
	return &cli.Command{
		Name:      "run",
		Usage:     "make a dataset: sample, check, write",
		UsageText: "pfgmgen run --domain NAME [flags]",
		Description: `Draws samples from a model, decodes and checks each, and writes those that pass as Parquet with a manifest and a
dataset card. Equal settings make equal bytes, whatever the number of workers; every row can be drawn again alone.
An output directory belongs to one set of settings. Whatever happened to a run, the same command again makes what is
missing or damaged; with a larger -n it adds to the dataset. Several at once share the work; with --array each does its
own part of it, and whoever is last finishes the dataset (pfgmgen emit writes job files).
Traces go to the OpenTelemetry collector that OTEL_EXPORTER_OTLP_ENDPOINT names, when it does.

Examples:
  pfgmgen run --domain rna                                     1,000 rows in out/rna
  pfgmgen run --domain rna -n 20000 --seed 7 --out trna --also fasta
  pfgmgen run --model mine.onnx -n 64 --invalid keep           your own model, rows that fail included
  pfgmgen run --domain rna -n 1000000 --out s3://bucket/rna    into a bucket; credentials as for the cloud's own tools
  pfgmgen run --config run.yaml --dry-run                      what would be done, and how long it takes`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "domain", Category: what, Usage: "kind of data: `NAME` of a domain (pfgmgen domains lists them)", Destination: &o.domain},
			&cli.StringFlag{Name: "model", Category: what, Usage: "a built-in model (pfgmgen models lists them) or an ONNX file, `NAME|FILE`", DefaultText: "the domain's", Destination: &o.model},
			&cli.Int64Flag{Name: "num-samples", Aliases: []string{"n"}, Category: what, Usage: "`N` samples are drawn", Value: 1000, Destination: &o.n},
			&cli.StringFlag{Name: "label", Category: what, Usage: "class by name or index, `LABEL`; A,B take turns; A=10,B=20 are counted", DefaultText: "all, as often as in the training data, or in turn", Destination: &o.label},
			&cli.StringFlag{Name: "config", Category: what, Usage: "YAML `FILE` with any of these flags by name"},

			&cli.Uint64Flag{Name: "seed", Category: how, Usage: "`SEED` of all randomness, 0 to 2^63-1", Value: 0, Destination: &o.seed},
			&cli.IntFlag{Name: "steps", Category: how, Usage: "`STEPS` of the solver", DefaultText: "the model's", Destination: &o.steps},
			&cli.StringFlag{Name: "solver", Category: how, Usage: "`SOLVER`, heun or, at half the cost, euler", Value: "heun", Destination: &o.solver},
			&cli.Float64Flag{Name: "sigma-min", Category: how, Usage: "lowest noise `LEVEL` above 0", DefaultText: "the model's", Destination: &o.sigmaMin},
			&cli.Float64Flag{Name: "sigma-max", Category: how, Usage: "noise `LEVEL` to begin with", DefaultText: "the model's", Destination: &o.sigmaMax},
			&cli.Float64Flag{Name: "rho", Category: how, Usage: "curvature `RHO` of the noise schedule", DefaultText: "the model's", Destination: &o.rho},
			&cli.Float64Flag{Name: "guidance", Category: how, Usage: "`WEIGHT` of the label; above 1 follows it more closely, at twice the cost", Value: 1, Destination: &o.guidance},

			&cli.StringFlag{Name: "out", Category: rows, Usage: "`PLACE` of the dataset, a directory or s3://, gs:// or azblob://bucket/prefix", DefaultText: "out/DOMAIN", Destination: &o.out},
			&cli.StringFlag{Name: "invalid", Category: rows, Usage: "`POLICY` for rows that fail a check: resample, drop, or keep (valid = false)", Value: pipeline.Resample, Destination: &o.invalid},
			&cli.IntFlag{Name: "max-attempts", Category: rows, Usage: "draw a sample at most `N` times", Value: 8, Destination: &o.maxAttempts},
			&cli.Float64Flag{Name: "min-valid", Category: rows, Usage: "exit with 3 when less than this `SHARE` of the draws is valid, 0 to 1", Value: 0, Destination: &o.minValid},
			&cli.StringFlag{Name: "format", Category: rows, Usage: "`FORMAT` of the parts, parquet or arrow", Value: dataset.Parquet, Destination: &o.format},
			&cli.StringFlag{Name: "also", Category: rows, Usage: "write the rows in a plain `FORMAT` of the field too, such as fasta", Destination: &o.also},
			&cli.Int64Flag{Name: "shard-rows", Category: rows, Usage: "`N` samples make a part", Value: 65536, Destination: &o.shardRows},
			&cli.StringFlag{Name: "array", Category: rows, Usage: "make only the shards of task I of N, from 0, as `I/N`; auto asks the job scheduler", DefaultText: "all shards", Destination: &o.array},
			&cli.StringFlag{Name: "check", Category: rows, Usage: "`HOW` the files of an earlier run are looked at: hash reads them, size is quicker", Value: string(dataset.CheckHash), Destination: &o.look},
			&cli.BoolFlag{Name: "dry-run", Category: rows, Usage: "print the plan and an estimate of time and size, write nothing", Destination: &o.dryRun},

			&cli.StringFlag{Name: "device", Category: with, Usage: "`DEVICE`, such as cpu, cuda:0, webgpu, several as cuda:0,cuda:1, or auto (pfgmgen doctor lists them)", Value: "cpu", Destination: &o.engine.devices},
			&cli.IntFlag{Name: "batch", Category: with, Usage: "`N` samples go through the network together; part of the plan", DefaultText: fmt.Sprintf("%d on a CPU, %d elsewhere", cpuBatch, acceleratorBatch), Destination: &o.batch},
			&cli.IntFlag{Name: "workers", Category: with, Usage: "`N` batches are computed at a time", DefaultText: "one for each CPU, two for each accelerator", Destination: &o.workers},
			&cli.IntFlag{Name: "threads", Category: with, Usage: "`N` CPU threads work on one batch", Value: 1, Destination: &o.engine.threads},
			&cli.StringFlag{Name: "onnxruntime", Category: with, Usage: "`PATH` of the ONNX Runtime library or its folder", DefaultText: "looked for", Destination: &o.engine.library},
		}, o.watch.flags()...),
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			o.given, o.watch.given = c.IsSet, c.IsSet
			return generate(c.Context, e, *o)
		},
	}
}

// A runResult is what pfgmgen run --json prints.
type runResult struct {
	Status     string             `json:"status"` // written, complete (it was there already), planned (--dry-run), or partial (others have shards to do)
	Out        string             `json:"out"`
	RunID      string             `json:"run_id"`
	SpecSHA256 string             `json:"spec_sha256"`
	Plan       pipeline.Plan      `json:"plan"`
	Estimate   *pipeline.Estimate `json:"estimate,omitempty"` // of a dry run
	Report     *pipeline.Report   `json:"report,omitempty"`   // of this process's work
	Storage    int64              `json:"storage_retries"`    // operations on a bucket that were tried again
	Counts     *dataset.Counts    `json:"counts,omitempty"`
	Parts      []string           `json:"parts,omitempty"`   // paths below out
	Missing    int                `json:"missing,omitempty"` // shards that are not finished
	ValidShare float64            `json:"valid_share"`       // of the draws
}

// generate is pfgmgen run.
func generate(ctx context.Context, e *env, o runOptions) (err error) {
	registry := all.Registry()
	m, err := findModel(registry, o.domain, o.model)
	if err != nil {
		return err
	}
	if !o.given("out") {
		o.out = filepath.Join("out", m.contract.Domain)
	}
	if err := o.check(); err != nil {
		return err
	}
	if err := o.slice(e, os.Getenv); err != nil {
		return err
	}
	provider, err := o.engine.provider()
	if err != nil {
		return err
	}
	var eng *engine
	if provider == "" { // auto: only trying tells
		if eng, err = openEngine(ctx, e, m, o.engine); err != nil {
			return err
		}
		defer eng.close()
		provider = eng.provider
	}
	plan, err := o.plan(m, provider)
	if err != nil {
		return err
	}
	if m.contract.D < 4 {
		e.warn("D of model %s is %g: below 4 the noise has such heavy tails that single samples come out far off", m.name, m.contract.D)
	}
	st, err := e.openPlace(ctx, o.out)
	if err != nil {
		return err
	}
	defer st.Close()
	w := &work{place: place{st, plan}, e: e, o: o, model: m}
	if !o.dryRun {
		if w.watch, err = newWatch(ctx, e, o.watch, plan, st, m.domain.Describe().Checks); err != nil {
			return err
		}
		defer func() { w.watch.end(err) }()
	}
	if err := w.look(ctx); err != nil {
		return w.interrupted(err)
	}
	if w.done != nil {
		return w.alreadyThere()
	}
	if eng == nil {
		if eng, err = openEngine(ctx, e, m, o.engine); err != nil {
			return err
		}
		defer eng.close()
	}
	parts := eng.parts(m, o.workers)
	if o.dryRun {
		return estimate(ctx, e, o, m, plan, parts)
	}
	w.watch.attach(&parts, eng.devices())
	return w.interrupted(w.produce(ctx, parts, eng))
}

func newResult(status string, o runOptions, plan pipeline.Plan) *runResult {
	return &runResult{Status: status, Out: o.out, RunID: plan.RunID(), SpecSHA256: plan.SHA256(), Plan: plan}
}

// take adds what the manifest says.
func (r *runResult) take(m *dataset.Manifest) {
	r.Counts = &m.Counts
	for _, p := range m.Parts {
		r.Parts = append(r.Parts, p.Path)
	}
	if m.Counts.Attempts > 0 {
		r.ValidShare = float64(m.Counts.Valid) / float64(m.Counts.Attempts)
	}
}

// threshold is the error of a dataset that falls short of --min-valid.
func threshold(o runOptions, share float64) error {
	if share < o.minValid {
		return fmt.Errorf("%s of the draws were valid, --min-valid asks for %s: %w (the dataset was written)", percent(share), percent(o.minValid), errThreshold)
	}
	return nil
}

// estimate is --dry-run.
func estimate(ctx context.Context, e *env, o runOptions, m *model, plan pipeline.Plan, parts pipeline.Parts) error {
	est, err := pipeline.Measure(ctx, plan, parts)
	if err != nil {
		return err
	}
	res := newResult("planned", o, plan)
	res.Estimate, res.ValidShare = est, est.ValidShare
	return e.print(res, func(w io.Writer) error {
		sampling := fmt.Sprintf("%s, %d steps (%d evaluations a draw), sigma %g to %g, rho %g", plan.Solver, plan.Steps, est.NFE, plan.SigmaMax, plan.SigmaMin, plan.Rho)
		if plan.Guidance != 1 {
			sampling += fmt.Sprintf(", guidance %g", plan.Guidance)
		}
		return table(w, [][2]string{
			{"run", plan.RunID()},
			{"model", fmt.Sprintf("%s, domain %s, D %s, N %d", m.name, plan.Domain, plan.Model.D, plan.Model.Free)},
			{"rows", fmt.Sprintf("%s from seed %d", number(plan.NumSamples), plan.Seed)},
			{"labels", labelsText(plan)},
			{"sampling", sampling},
			{"invalid rows", invalidText(plan)},
			{"batches", fmt.Sprintf("of %d on %s", plan.Batch, plan.Provider)},
			{"out", fmt.Sprintf("%s, %s%s", o.out, plural(int((plan.NumSamples-1)/plan.ShardRows+1), plan.Format+" part"), alsoText(plan))},
			{"estimate", fmt.Sprintf("%s, %s before compression; %s of %d draws were valid", duration(time.Duration(est.Seconds*float64(time.Second))),
				size(est.Bytes), percent(est.ValidShare), est.Tried)},
		})
	})
}

func labelsText(p pipeline.Plan) string {
	switch {
	case len(p.Labels) == 0:
		return "none"
	case p.LabelShares != nil:
		return strings.Join(p.Labels, ", ") + " in the shares of the training data"
	case p.LabelCounts == nil:
		return strings.Join(p.Labels, ", ") + " in turn"
	}
	var items []string
	for i, l := range p.Labels {
		items = append(items, fmt.Sprintf("%s %s", number(p.LabelCounts[i]), l))
	}
	return strings.Join(items, ", ")
}

func invalidText(p pipeline.Plan) string {
	if p.Invalid == pipeline.Resample {
		return fmt.Sprintf("drawn again, %d times in all at most", p.MaxAttempts)
	}
	return map[string]string{pipeline.Drop: "left out", pipeline.Keep: "kept with valid = false"}[p.Invalid]
}

func alsoText(p pipeline.Plan) string {
	if len(p.Also) == 0 {
		return ""
	}
	return ", also " + strings.Join(p.Also, ", ")
}

// progress feeds a meter from the pipeline.
type progress struct {
	meter *meter
	last  pipeline.Progress
}

func (p *progress) Observe(now pipeline.Progress) {
	p.last = now
	valid := 1 - float64(now.Rejected)/math.Max(1, float64(now.Drawn))
	p.meter.update(now.Done, percent(valid)+" valid", slog.Float64("valid_share", valid))
}

var _ pipeline.Observer = (*progress)(nil)
