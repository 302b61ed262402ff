package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains/all"
	"pfgmgen/internal/onnx"
	"pfgmgen/training"
)

// guideOptions are the settings of pfgmgen guide.
type guideOptions struct {
	good, worse string
	weight      float64
	below       float64
	out         string
}

func guideCommand(e *env) *cli.Command {
	o := &guideOptions{}
	return &cli.Command{
		Name:      "guide",
		Usage:     "make one model of a good and a worse one, better than both",
		UsageText: "pfgmgen guide GOOD WORSE --out MODEL.onnx [flags]",
		Description: `Adds to what the good model says its difference to a worse model of the same data (autoguidance): one that is smaller or
learnt for a shorter time makes the same mistakes, only larger ones. The result is one ONNX file for "run --model", as
large as both and as slow. Rows become better and less varied as the weight grows, so measure both. A weight below 1
mixes two models: with 0.5, at all noise levels, the mistakes of two equally good ones partly cancel.

Examples:
  pfgmgen train --domain rna --data seqs.fa --out good.onnx
  pfgmgen train --domain rna --data seqs.fa --minutes 5 --out worse.onnx
  pfgmgen guide good.onnx worse.onnx --weight 2 --below 1.5 --out guided.onnx
  pfgmgen guide good.onnx other.onnx --weight 0.5 --below 1000 --out mean.onnx`,
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "weight", Usage: "`WEIGHT` of the good model, the other one has what is missing to 1; more than 0, not 1", Value: 2, Destination: &o.weight},
			&cli.Float64Flag{Name: "below", Usage: "at noise levels below this `SIGMA` only; above, the good model alone", Value: 1.5, Destination: &o.below},
			&cli.StringFlag{Name: "out", Usage: "`FILE` to write", Destination: &o.out},
		},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 2, 2)
			if err != nil {
				return err
			}
			o.good, o.worse = args[0], args[1]
			return guide(c.Context, e, *o)
		},
	}
}

// A guideResult is what pfgmgen guide --json prints.
type guideResult struct {
	Model    string            `json:"model"`
	Bytes    int               `json:"bytes"`
	SHA256   string            `json:"sha256"`
	Guidance training.Guidance `json:"guidance"`
}

// guide is pfgmgen guide.
func guide(_ context.Context, e *env, o guideOptions) error {
	if o.out == "" {
		return usageErrorf("say where to write: --out FILE")
	}
	registry := all.Registry()
	good, err := findModel(registry, "", o.good)
	if err != nil {
		return err
	}
	worse, err := findModel(registry, "", o.worse)
	if err != nil {
		return err
	}
	a, err := onnx.Parse(good.bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", o.good, err)
	}
	b, err := onnx.Parse(worse.bytes)
	if err != nil {
		return fmt.Errorf("%s: %w", o.worse, err)
	}
	g := training.Guidance{Weight: o.weight, Below: o.below, Worse: worse.sha256}
	if err := g.Validate(); err != nil {
		return usageError{err}
	}
	if err := training.Guide(a, b, g); err != nil {
		return err
	}
	data, err := a.Marshal()
	if err != nil {
		return err
	}
	if err := training.WriteFile(o.out, data); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	sum := sha256.Sum256(data)
	res := guideResult{Model: o.out, Bytes: len(data), SHA256: hex.EncodeToString(sum[:]), Guidance: g}
	e.info("%s: %s guided by %s with weight %g below sigma %g, %s", o.out, good.name, worse.name, g.Weight, g.Below, size(int64(len(data))))
	return e.print(res, func(io.Writer) error { return nil })
}
