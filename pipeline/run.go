package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"golang.org/x/sync/errgroup"

	"pfgmgen/domains"
	"pfgmgen/sampler"
)

// Parts are what a plan is carried out with. Nothing of it but the model, which the plan names by its hash, decides
// what a row holds.
type Parts struct {
	// Denoisers are the plan's model, once for each device; at least one.
	Denoisers []sampler.Denoiser
	// Adapter is the one of the model.
	Adapter domains.Adapter
	// Offset and Scale take samples to the adapter's scale: x/scale + offset. One value, or one for each coordinate;
	// nil is 0 and 1.
	Offset, Scale []float64
	// About describes the domain's columns; may be nil.
	About []domains.Item
	// Sink takes the rows. Regenerate and Measure do without.
	Sink Sink
	// Next names the shards to make, one after the other in any order, none twice; ok is false after the last. It is called
	// when the run has room for another shard, by one goroutine. Nil is all shards of the plan in order.
	Next func(ctx context.Context) (shard int, ok bool, err error)
	// Workers is how many micro-batches are computed at a time, over all devices. The default, 0, is two for each device,
	// so that none waits; on CPUs, where each takes a core, the number of cores is best.
	Workers int
	// Observer is told of progress; may be nil.
	Observer Observer
	// Monitor shows what the run is doing; may be nil.
	Monitor *Monitor
	// Shards is told of every shard when it is over; may be nil.
	Shards ShardObserver
	// Allocator is for Arrow's memory; nil is the Go heap.
	Allocator memory.Allocator
}

// A run is a plan being carried out.
type run struct {
	plan      Plan
	runID     string
	layout    layout
	labels    labelling
	samplers  []*sampler.Sampler
	devices   []*device // that the samplers use
	adapter   domains.Adapter
	offset    []float64
	scale     []float64
	plain     bool // offset and scale do nothing
	masked    bool // what is exactly 0 is absent
	schema    *arrow.Schema
	sink      Sink
	workers   int
	observer  Observer
	allocator memory.Allocator
	buffers   sync.Pool // of *[]float64, one micro-batch each
	stages    struct{ sample, decode, write, commit *stage }
	queues    queues
	tally     *tally
	shards    *shardWorks
	nfe       atomic.Int64 // evaluations for one draw
	written   atomic.Int64 // rows given to the sink
	next      func(context.Context) (int, bool, error)
}

// ErrMismatch is wrapped when the parts do not fit the plan.
var ErrMismatch = errors.New("pipeline: the parts do not fit the plan")

// newRun checks the plan and that everything fits it.
func newRun(p Plan, parts Parts) (*run, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	r := &run{plan: p, runID: p.RunID(), layout: newLayout(p), adapter: parts.Adapter, sink: parts.Sink,
		workers: parts.Workers, observer: parts.Observer, allocator: parts.Allocator, offset: parts.Offset, scale: parts.Scale}
	if r.next = parts.Next; r.next == nil {
		r.next = r.layout.inOrder()
	}
	_, r.masked = parts.Adapter.(domains.Masked)
	var err error
	if r.schema, err = Schema(parts.Adapter.Fields(), parts.About); err != nil {
		return nil, err
	}
	if r.labels, err = newLabelling(p, parts.Adapter.Labels()); err != nil {
		return nil, err
	}
	if err := r.checkScale(); err != nil {
		return nil, err
	}
	if len(parts.Denoisers) == 0 {
		return nil, fmt.Errorf("%w: no denoiser", ErrMismatch)
	}
	for _, den := range parts.Denoisers {
		if err := checkDenoiser(p, den.Info(), parts.Adapter); err != nil {
			return nil, err
		}
		d := &device{Denoiser: den}
		s, err := newSampler(p, d, parts.Adapter)
		if err != nil {
			return nil, err
		}
		r.samplers, r.devices = append(r.samplers, s), append(r.devices, d)
	}
	if r.workers < 0 {
		return nil, fmt.Errorf("pipeline: %d workers, want 1 or more, or 0 for two a device", r.workers)
	}
	if r.workers == 0 {
		r.workers = 2 * len(r.samplers)
	}
	if r.allocator == nil {
		r.allocator = memory.NewGoAllocator()
	}
	r.queues, r.tally, r.shards = newQueues(r.workers), newTally(), newShardWorks(parts.Shards)
	r.stages.sample = &stage{name: "sample", workers: r.workers, shards: r.shards}
	r.stages.decode = &stage{name: "decode", workers: runtime.GOMAXPROCS(0), shards: r.shards}
	r.stages.write = &stage{name: "write", workers: 1, shards: r.shards}
	r.stages.commit = &stage{name: "commit", workers: 1, shards: r.shards}
	return r, nil
}

func newSampler(p Plan, den sampler.Denoiser, a domains.Adapter) (*sampler.Sampler, error) {
	solver, err := sampler.SolverByName(p.Solver)
	if err != nil {
		return nil, err
	}
	set := sampler.Settings{Solver: solver, Steps: p.Steps, SigmaMin: p.SigmaMin, SigmaMax: p.SigmaMax, Rho: p.Rho, Guidance: p.Guidance}
	if m, ok := a.(domains.Masked); ok {
		set.Mask = m.Mask
	}
	return sampler.New(den, set)
}

// checkDenoiser compares the plan, the model and the adapter.
func checkDenoiser(p Plan, info sampler.Info, a domains.Adapter) error {
	size := 1
	for _, d := range a.Shape() {
		size *= d
	}
	for _, c := range []struct {
		what              string
		plan, model, data int
	}{
		{"coordinates", p.Model.Size, info.Size, size},
		{"free coordinates", p.Model.Free, info.Free, a.Free()},
		{"classes", info.Classes, info.Classes, len(a.Labels())},
	} {
		if c.plan != c.model || c.model != c.data {
			return fmt.Errorf("%w: %s: the plan has %d, the model %d, the domain's adapter %d", ErrMismatch, c.what, c.plan, c.model, c.data)
		}
	}
	if _, masked := a.(domains.Masked); masked != info.Masked {
		says := map[bool]string{false: "all coordinates are there", true: "zeros are absent coordinates"}
		return fmt.Errorf("%w: mask: for the model %s, for the domain's adapter %s", ErrMismatch, says[info.Masked], says[masked])
	}
	if d := FormatD(info.D); d != p.Model.D {
		return fmt.Errorf("%w: D: the plan has %s, the model %s", ErrMismatch, p.Model.D, d)
	}
	return nil
}

func (r *run) checkScale() error {
	if r.offset == nil {
		r.offset = []float64{0}
	}
	if r.scale == nil {
		r.scale = []float64{1}
	}
	for _, v := range [][]float64{r.offset, r.scale} {
		if len(v) != 1 && len(v) != r.plan.Model.Size {
			return fmt.Errorf("%w: offset or scale has %d values, want 1 or %d", ErrMismatch, len(v), r.plan.Model.Size)
		}
	}
	r.plain = len(r.offset) == 1 && r.offset[0] == 0 && len(r.scale) == 1 && r.scale[0] == 1
	return nil
}

// inOrder names all shards.
func (l layout) inOrder() func(context.Context) (int, bool, error) {
	next := -1
	return func(context.Context) (int, bool, error) {
		next++
		return next, next < l.shards(), nil
	}
}

// nextShard is the next shard, which must be one of the plan.
func (r *run) nextShard(ctx context.Context) (shard int, ok bool, err error) {
	shard, ok, err = r.next(ctx)
	if err == nil && ok && (shard < 0 || shard >= r.layout.shards()) {
		err = fmt.Errorf("shard %d: the plan has the shards 0 to %d", shard, r.layout.shards()-1)
	}
	return shard, ok, err
}

// Run makes the shards that parts.Next names and returns what was done. When ctx ends it stops soon; the error then
// wraps ctx.Err(). After an error the shards committed so far stay with the sink, and the unfinished one has been aborted.
func Run(ctx context.Context, p Plan, parts Parts) (*Report, error) {
	r, err := newRun(p, parts)
	if err != nil {
		return nil, err
	}
	if r.sink == nil {
		return nil, fmt.Errorf("%w: no sink", ErrMismatch)
	}
	r.tally.begin()
	defer r.tally.end()
	if parts.Monitor != nil {
		parts.Monitor.run.Store(r)
	}
	s, w, q := newSchedule(r), newWriter(r), &r.queues

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.run(gctx, q.jobs, q.decoded.c, q.blocks) })
	start(g, r.workers, func(k int) error { return r.sample(gctx, r.samplers[k%len(r.samplers)], q.jobs.c, q.drawn) }, func() { close(q.drawn.c) })
	start(g, r.stages.decode.workers, func(int) error { return r.decode(gctx, q.drawn.c, q.decoded) }, func() { close(q.decoded.c) })
	g.Go(func() error { return w.run(gctx, q.blocks.c) })
	if err := g.Wait(); err != nil {
		r.shards.giveUp(err)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("pipeline: stopped after %d rows: %w", r.written.Load(), ctx.Err())
		}
		return nil, err
	}
	s.report()
	return r.report(w.total), nil
}

// start runs n workers of a stage, and last when all of them have ended: the sender closes.
func start(g *errgroup.Group, n int, work func(k int) error, last func()) {
	var left atomic.Int64
	left.Store(int64(n))
	for k := range n {
		g.Go(func() error {
			defer func() {
				if left.Add(-1) == 0 {
					last()
				}
			}()
			return work(k)
		})
	}
}

func (r *run) report(total Outcome) *Report {
	now := r.snapshot()
	return &Report{RunID: r.runID, Shards: total.Shards, Asked: total.Samples, Draws: total.Draws, Rows: total.Rows, NFE: int(r.nfe.Load()),
		Seconds: now.Elapsed.Seconds(), Stages: now.Stages, Retries: now.Retries, Bytes: now.Bytes, Queues: now.Queues, Devices: now.Devices}
}
