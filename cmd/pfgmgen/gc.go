package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"pfgmgen/io/dataset"
)

func gcCommand(e *env) *cli.Command {
	var dryRun bool
	return &cli.Command{
		Name:      "gc",
		Usage:     "delete what killed runs have left in a dataset",
		UsageText: "pfgmgen gc DIR|URL [flags]",
		Description: `Deletes temporary files whose writer is gone, and the files of shards that are not finished: parts, exports and records
that belong to no shard of the plan. Files of finished shards, and files that are not in the folders of the dataset, stay.
While a run is at work in the same place, what it has just written may be among them; it then makes that shard again.

Examples:
  pfgmgen gc out/rna --dry-run
  pfgmgen gc s3://bucket/rna`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dry-run", Usage: "list what would be deleted", Destination: &dryRun},
		},
		Action: action(1, 1, func(ctx context.Context, args []string) error { return gc(ctx, e, args[0], dryRun) }),
	}
}

// A gcResult is what pfgmgen gc --json prints.
type gcResult struct {
	Out     string   `json:"out"`
	Deleted []string `json:"deleted"` // or what would be, in a dry run
	DryRun  bool     `json:"dry_run"`
}

// gc is pfgmgen gc.
func gc(ctx context.Context, e *env, out string, dryRun bool) error {
	p, err := e.existingPlace(ctx, out)
	if err != nil {
		return err
	}
	defer p.st.Close()
	state, err := p.state(ctx, dataset.CheckSize)
	if err != nil {
		return err
	}
	strays, err := state.Strays(ctx, p.st, p.plan.Also...)
	if err != nil {
		return err
	}
	res := gcResult{Out: out, Deleted: append([]string{}, strays...), DryRun: dryRun}
	if !dryRun {
		for _, name := range strays {
			if err := p.st.Remove(ctx, name); err != nil {
				return err
			}
		}
		if err := p.st.Sweep(ctx); err != nil {
			return err
		}
	}
	return e.print(res, func(w io.Writer) error {
		for _, name := range strays {
			if _, err := fmt.Fprintln(w, name); err != nil {
				return err
			}
		}
		what := "deleted"
		if dryRun {
			what = "to delete"
		}
		e.info("%s: %s %s", out, plural(len(strays), "file"), what)
		return nil
	})
}
