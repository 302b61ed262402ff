package pipeline

import (
	"context"
	"time"

	"github.com/apache/arrow/go/v15/arrow/util"
	"golang.org/x/sync/errgroup"

	"pfgmgen/sampler"
)

// An Estimate is what a run will take, guessed from its first micro-batches.
type Estimate struct {
	Seconds    float64 `json:"seconds"`     // wall time of the whole run
	Bytes      int64   `json:"bytes"`       // of all rows in memory; files are smaller, as they are compressed
	ValidShare float64 `json:"valid_share"` // of the draws
	Tried      int     `json:"tried"`       // draws that the estimate rests on
	NFE        int     `json:"nfe"`         // network evaluations for one draw
}

// Measure draws one micro-batch on each worker, writes nothing, and estimates the run from it.
func Measure(ctx context.Context, p Plan, parts Parts) (*Estimate, error) {
	r, err := newRun(p, parts)
	if err != nil {
		return nil, err
	}
	batches := (p.NumSamples-1)/int64(p.Batch) + 1
	workers := int(min(int64(r.workers), batches))
	rows := make([][]settled, workers)
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	for k := range workers {
		g.Go(func() error {
			ids := make([]sampler.ID, 0, p.Batch)
			for i := int64(k) * int64(p.Batch); i < p.NumSamples && len(ids) < p.Batch; i++ {
				ids = append(ids, sampler.ID{Index: i})
			}
			var err error
			rows[k], err = r.draw(gctx, r.samplers[k%len(r.samplers)], ids)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	wall := time.Since(began).Seconds()

	builder := r.newBuilder()
	defer builder.Release()
	e := &Estimate{NFE: int(r.nfe.Load())}
	valid := 0
	for k, batch := range rows {
		for i, s := range batch {
			builder.add(int64(k)*int64(p.Batch)+int64(i), s)
			e.Tried++
			if s.row.Verdict().Valid() {
				valid++
			}
		}
	}
	rec := builder.NewRecord()
	defer rec.Release()
	e.ValidShare = float64(valid) / float64(e.Tried)
	draws := float64(batches)
	if p.Invalid == Resample {
		draws *= expectedDraws(1-e.ValidShare, p.MaxAttempts)
	}
	e.Seconds = wall / float64(workers) * max(draws, float64(workers))
	e.Bytes = int64(float64(util.TotalRecordSize(rec)) / float64(e.Tried) * float64(p.NumSamples))
	return e, nil
}

// expectedDraws of one sample that fails with probability q and is drawn at most n times: 1 + q + ... + q^(n-1).
func expectedDraws(q float64, n int) float64 {
	sum, term := 0.0, 1.0
	for k := 0; k < n && term > 1e-9; k++ {
		sum += term
		term *= q
	}
	return sum
}
