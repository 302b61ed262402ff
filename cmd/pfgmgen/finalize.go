package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"errors"

	"github.com/urfave/cli/v2"

	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
)

// finalizeOptions are the settings of pfgmgen finalize.
type finalizeOptions struct {
	out      string
	look     string
	minValid float64
}

func finalizeCommand(e *env) *cli.Command {
	o := &finalizeOptions{}
	return &cli.Command{
		Name:      "finalize",
		Usage:     "commit a dataset whose shards were made by several tasks",
		UsageText: "pfgmgen finalize DIR|URL [flags]",
		Description: `Writes the manifest, the card and _SUCCESS when every shard is finished. Needs neither the model nor ONNX Runtime. Can be run
any number of times, and by several at once: all write the same bytes. A run that finds nothing missing does it itself.

Examples:
  pfgmgen finalize out/rna
  pfgmgen finalize s3://bucket/rna --min-valid 0.9`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "check", Usage: "`HOW` the files of the shards are looked at: hash reads them, size is quicker", Value: string(dataset.CheckSize), Destination: &o.look},
			&cli.Float64Flag{Name: "min-valid", Usage: "exit with 3 when less than this `SHARE` of the draws is valid, 0 to 1", Destination: &o.minValid},
		},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			o.out = args[0]
			return finalize(c.Context, e, *o)
		},
	}
}

// A finalizeResult is what pfgmgen finalize --json prints.
type finalizeResult struct {
	Status  string          `json:"status"` // written, or partial when shards are missing
	Out     string          `json:"out"`
	RunID   string          `json:"run_id"`
	Shards  int             `json:"shards"`
	Missing []int           `json:"missing,omitempty"` // shards that are not finished, the first hundred
	Counts  *dataset.Counts `json:"counts,omitempty"`
}

// errMissing says that shards are not finished.
var errMissing = errors.New("not all shards are finished")

// finalize is pfgmgen finalize.
func finalize(ctx context.Context, e *env, o finalizeOptions) error {
	if err := oneOf("check", o.look, string(dataset.CheckHash), string(dataset.CheckSize)); err != nil {
		return err
	}
	if !(o.minValid >= 0 && o.minValid <= 1) {
		return usageErrorf("--min-valid is %g, want a share from 0 to 1", o.minValid)
	}
	p, err := e.existingPlace(ctx, o.out)
	if err != nil {
		return err
	}
	defer p.st.Close()
	state, err := p.state(ctx, dataset.Check(o.look))
	if err != nil {
		return err
	}
	res := finalizeResult{Status: "partial", Out: o.out, RunID: p.plan.RunID(), Shards: p.plan.Shards()}
	if missing := p.missing(state); len(missing) > 0 {
		for _, f := range state.Findings {
			e.warn("%s; shard %d is to be made again", f.Finding, f.Shard)
		}
		res.Missing = missing[:min(len(missing), 100)]
		if err := e.print(res, func(io.Writer) error { return nil }); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w: %s of %d are missing, the first is %d. Run their pfgmgen run command again", o.out, errMissing, number(int64(len(missing))), res.Shards, missing[0])
	}
	man, err := p.commit(ctx, state)
	if err != nil {
		return err
	}
	res.Status, res.Counts = "written", &man.Counts
	e.info("%s", datasetLine(o.out, man))
	if err := e.print(res, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return threshold(runOptions{minValid: o.minValid}, man.Metrics["valid_share"])
}

// existingPlace opens a place that has a plan.
func (e *env) existingPlace(ctx context.Context, location string) (place, error) {
	st, err := e.openPlace(ctx, location)
	if err != nil {
		return place{}, err
	}
	plan, err := readPlan(ctx, st)
	if err != nil {
		st.Close()
		return place{}, noPlan(st, err)
	}
	return place{st, plan}, nil
}

// noPlan says that a place is not one of a run.
func noPlan(st store.Store, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds no dataset of pfgmgen, neither finished nor begun: %w", st, err)
	}
	return err
}
