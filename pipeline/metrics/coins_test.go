package metrics

import (
	"context"
	"encoding/json"
	"io"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/pipeline"
	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
	"pfgmgen/validate"
)

// coins is a plan of n tosses in shards of 100: one coordinate, heads at 0.5 with the warning COIN_WORN, tails at -0.5,
// and a third of the draws at 0, on the edge, which the hard gate COIN_EDGE rejects.
func coins(n int64) (pipeline.Plan, pipeline.Parts) {
	plan := pipeline.Plan{
		Version: pipeline.Version, Domain: "coins", Model: pipeline.Model{SHA256: strings.Repeat("ab", 32), D: "32", Free: 1, Size: 1},
		NumSamples: n, Seed: 7, Solver: "heun", Steps: 4, SigmaMin: 0.05, SigmaMax: 20, Rho: 7, Guidance: 1,
		Batch: 8, Invalid: pipeline.Resample, MaxAttempts: 64, ShardRows: 100, Format: "test", Provider: "go",
	}
	points := samplertest.NewPoints([][]float64{{0.5}, {-0.5}, {0}}, nil, 32)
	return plan, pipeline.Parts{Denoisers: []sampler.Denoiser{points}, Adapter: coinAdapter{}, Workers: 2, Sink: purse{}}
}

type coinAdapter struct{}

func (coinAdapter) Shape() []int              { return []int{1} }
func (coinAdapter) Free() int                 { return 1 }
func (coinAdapter) Labels() []string          { return nil }
func (coinAdapter) Settings() json.RawMessage { return json.RawMessage("{}") }
func (coinAdapter) Fields() []arrow.Field {
	return []arrow.Field{{Name: "heads", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}}
}
func (coinAdapter) Decode(x []float64, _ int) domains.Row { return coin(x[0]) }

type coin float64

func (c coin) Verdict() validate.Verdict {
	switch {
	case c > 0.25:
		return validate.Verdict{Warnings: []string{"COIN_WORN"}}
	case c > -0.25:
		return validate.Verdict{Violations: []string{"COIN_EDGE"}}
	}
	return validate.Verdict{}
}
func (c coin) Confidence() (margin, entropy float32) { return 1, 0 }
func (c coin) Key() string                           { return "coin" }
func (c coin) Append(b []array.Builder)              { b[0].(*array.BooleanBuilder).Append(c > 0) }

// A purse forgets rows. Each of its shards is 1,000 bytes.
type purse struct{}

func (purse) Shard(int) (pipeline.Shard, error) { return pocket{}, nil }

type pocket struct{}

func (pocket) Write(arrow.Record) error                       { return nil }
func (pocket) Export(string) (io.Writer, error)               { return io.Discard, nil }
func (pocket) Commit(context.Context, pipeline.Outcome) error { return nil }
func (pocket) Abort() error                                   { return nil }
func (pocket) Bytes() int64                                   { return 1000 }
