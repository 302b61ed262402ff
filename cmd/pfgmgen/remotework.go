package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"pfgmgen/domains/all"
	"pfgmgen/io/dataset"
	"pfgmgen/models"
	"pfgmgen/pipeline"
	"pfgmgen/pipeline/metrics"
	"pfgmgen/pipeline/temporal"
)

// A remoteWork makes shards for a Temporal server: the same way as pfgmgen run, a shard at a time. Engines stay open from
// shard to shard, one for each model.
type remoteWork struct {
	e *env
	o workerOptions

	watch *watch
	total pipeline.Total // of the shards

	mu      sync.Mutex
	engines map[string]*openEngineOf // by the hash of the model
	opened  map[*work]bool           // their places are open
	retries int64                    // of the places that are closed
}

// An openEngineOf is a model with the engine that runs it.
type openEngineOf struct {
	once  sync.Once
	model *model
	eng   *engine
	err   error
}

var _ temporal.Work = (*remoteWork)(nil)

// newRemoteWork is the newWork of pfgmgen worker. It tries the devices with a built-in model first: a worker that cannot
// compute would take shard after shard from those that can, and fail them all.
func newRemoteWork(ctx context.Context, e *env, o workerOptions) (temporal.Work, func() error, error) {
	m := builtIn(models.List()[0])
	if err := m.open(all.Registry(), ""); err != nil {
		return nil, nil, err
	}
	eng, err := openEngine(ctx, e, m, o.engine)
	if err != nil {
		return nil, nil, fmt.Errorf("this machine cannot work as --device %s: %w", o.engine.devices, err)
	}
	devices := eng.devices()
	if err := eng.close(); err != nil {
		return nil, nil, err
	}
	w := &remoteWork{e: e, o: o, engines: make(map[string]*openEngineOf), opened: make(map[*work]bool)}
	w.watch, err = watchWorker(e, o.watch, metrics.Worker{TaskQueue: o.queue, Version: buildVersion(), Slots: o.slots}, &w.total, devices, w.storageRetries)
	if err != nil {
		return nil, nil, err
	}
	return w, w.close, nil
}

// close gives the engines back. A shard that does not end within the worker's grace still uses one: then the end of the
// process does it.
func (w *remoteWork) close() error {
	w.watch.close()
	if w.total.Snapshot().Live > 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range w.engines {
		if x.eng != nil {
			x.eng.close()
		}
	}
	return nil
}

// fault marks what no repetition will mend: settings, models and places that are not what the run was submitted for.
func fault(err error) error {
	var usage usageError
	if errors.As(err, &usage) {
		return temporal.Permanent(err)
	}
	for _, lasting := range []error{errOtherSettings, dataset.ErrTaken, pipeline.ErrMismatch, pipeline.ErrPlan, errNoRows} {
		if errors.Is(err, lasting) {
			return temporal.Permanent(err)
		}
	}
	return err
}

// open is the work of a spec in its place, which the caller closes, with the engine that the spec's model runs on.
func (w *remoteWork) open(ctx context.Context, spec temporal.Spec) (*work, *engine, error) {
	o, err := remoteOptions(w.e, spec.Settings)
	if err != nil {
		return nil, nil, temporal.Permanent(err)
	}
	o.engine = w.o.engine
	x, err := w.engine(ctx, spec, o)
	if err != nil {
		return nil, nil, err
	}
	if err := o.check(); err != nil {
		return nil, nil, temporal.Permanent(err)
	}
	plan, err := o.plan(x.model, spec.Device)
	if err != nil {
		return nil, nil, temporal.Permanent(err)
	}
	if spec.PlanSHA256 != "" && plan.SHA256() != spec.PlanSHA256 {
		return nil, nil, temporal.Permanent(fmt.Errorf("this worker makes another plan of the settings than the machine where they were submitted (%s, not %s): the builds differ; use equal ones",
			plan.RunID(), spec.PlanSHA256[:min(12, len(spec.PlanSHA256))]))
	}
	st, err := w.e.openPlace(ctx, o.out)
	if err != nil {
		return nil, nil, fault(err)
	}
	r := &work{place: place{st, plan}, e: w.e, o: o, model: x.model}
	w.mu.Lock()
	w.opened[r] = true
	w.mu.Unlock()
	return r, x.eng, nil
}

// engine opens the model of a spec once.
func (w *remoteWork) engine(ctx context.Context, spec temporal.Spec, o runOptions) (*openEngineOf, error) {
	w.mu.Lock()
	x := w.engines[spec.ModelSHA256]
	if x == nil {
		x = new(openEngineOf)
		w.engines[spec.ModelSHA256] = x
	}
	w.mu.Unlock()
	x.once.Do(func() {
		if x.model, x.err = findModel(all.Registry(), o.domain, o.model); x.err != nil {
			x.err = temporal.Permanent(fmt.Errorf("this worker has not the model of the run: %w", x.err))
			return
		}
		if spec.ModelSHA256 != "" && x.model.sha256 != spec.ModelSHA256 {
			x.err = temporal.Permanent(fmt.Errorf("the model %s of this worker has the sha256 %s, the run was submitted with %s", x.model.name, x.model.sha256, spec.ModelSHA256))
			return
		}
		x.eng, x.err = openEngine(ctx, w.e, x.model, w.o.engine)
	})
	if x.err != nil { // another attempt looks again: the file may be there by then
		w.mu.Lock()
		if w.engines[spec.ModelSHA256] == x {
			delete(w.engines, spec.ModelSHA256)
		}
		w.mu.Unlock()
		return nil, x.err
	}
	return x, nil
}

// Prepare implements temporal.Work.
func (w *remoteWork) Prepare(ctx context.Context, spec temporal.Spec) (temporal.Outline, error) {
	r, eng, err := w.open(ctx, spec)
	if err != nil {
		return temporal.Outline{}, err
	}
	defer w.leave(r)
	if err := r.look(ctx); err != nil {
		return temporal.Outline{}, fault(err)
	}
	schema, err := pipeline.Schema(r.model.adapter.Fields(), eng.parts(r.model, 0).About)
	if err != nil {
		return temporal.Outline{}, temporal.Permanent(err)
	}
	if _, err := r.claim(ctx, schema, eng); err != nil {
		return temporal.Outline{}, fault(err)
	}
	missing := r.missing(r.state)
	return temporal.Outline{
		RunID: r.plan.RunID(), PlanSHA256: r.plan.SHA256(), Shards: r.plan.Shards(), Samples: r.plan.NumSamples,
		SamplesDone: r.plan.NumSamples - r.samples(missing), Missing: slices.Clone(missing), MinValid: r.o.minValid,
	}, nil
}

// leave closes the place that open opened.
func (w *remoteWork) leave(r *work) {
	r.st.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.opened, r)
	w.retries += storageRetries(r.st)
}

// storageRetries is how often operations on any place were tried again so far.
func (w *remoteWork) storageRetries() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.retries
	for r := range w.opened {
		n += storageRetries(r.st)
	}
	return n
}

// Shard implements temporal.Work.
func (w *remoteWork) Shard(ctx context.Context, spec temporal.Spec, shard int, beat func(int64)) (res temporal.ShardResult, err error) {
	defer func() {
		if err != nil && ctx.Err() == nil {
			w.watch.fail()
		}
	}()
	monitor, over := w.total.Follow()
	defer over()
	r, eng, err := w.open(ctx, spec)
	if err != nil {
		return temporal.ShardResult{}, err
	}
	defer w.leave(r)
	if shard < 0 || shard >= r.plan.Shards() {
		return temporal.ShardResult{}, temporal.Permanent(fmt.Errorf("shard %d: the plan has the shards 0 to %d", shard, r.plan.Shards()-1))
	}
	res.Samples = r.samples([]int{shard})
	parts := eng.parts(r.model, w.o.workers)
	schema, err := pipeline.Schema(r.model.adapter.Fields(), parts.About)
	if err != nil {
		return res, temporal.Permanent(err)
	}
	writer, err := dataset.Create(ctx, r.st, schema, r.options())
	if err != nil {
		return res, fault(err)
	}
	parts.Sink = &sink{place: r.place, w: writer}
	parts.Observer, parts.Monitor = beats(beat), monitor
	parts.Next = (&queue{st: r.st, todo: []int{shard}}).next
	if _, err := pipeline.Run(ctx, r.plan, parts); err != nil {
		return res, fault(err)
	}
	return res, nil
}

// beats passes progress on.
type beats func(int64)

func (b beats) Observe(p pipeline.Progress) { b(p.Done) }

// Finalize implements temporal.Work.
func (w *remoteWork) Finalize(ctx context.Context, spec temporal.Spec) (temporal.Summary, error) {
	r, _, err := w.open(ctx, spec)
	if err != nil {
		return temporal.Summary{}, err
	}
	defer w.leave(r)
	state, err := r.place.state(ctx, dataset.CheckSize)
	if err != nil {
		return temporal.Summary{}, err
	}
	if missing := r.missing(state); len(missing) > 0 {
		return temporal.Summary{}, temporal.Permanent(fmt.Errorf("%s: %w: %d of %d are missing, the first is %d; somebody has removed files of the run. Submit it again",
			r.st, errMissing, len(missing), r.plan.Shards(), missing[0]))
	}
	man, err := r.commit(ctx, state)
	if err != nil {
		return temporal.Summary{}, fault(err)
	}
	sum := temporal.Summary{Out: r.st.String(), RunID: man.RunID, Rows: man.Counts.Written, Distinct: man.Counts.Distinct, Parts: len(man.Parts),
		Draws: man.Counts.Attempts, ValidShare: man.Metrics["valid_share"]}
	for _, p := range man.Parts {
		sum.Bytes += p.Bytes
	}
	return sum, nil
}
