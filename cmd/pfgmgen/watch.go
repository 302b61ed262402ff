package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains"
	"pfgmgen/io/store"
	"pfgmgen/pipeline"
	"pfgmgen/pipeline/metrics"
	"pfgmgen/pipeline/trace"
)

// fileEvery is how often --metrics-file is rewritten. node_exporter is usually asked every 15 seconds or less often.
const fileEvery = 5 * time.Second

// watchOptions say how a run can be watched from outside. Traces are set up by the environment alone.
type watchOptions struct {
	addr, file string
	given      func(flag string) bool
}

// flags are those of commands that can be watched.
func (o *watchOptions) flags() []cli.Flag {
	const category = "watching it"
	return []cli.Flag{
		&cli.StringFlag{Name: "metrics-addr", Category: category, Usage: "serve Prometheus metrics at http://`HOST:PORT`/metrics while it works; port 0 is a free one", Destination: &o.addr},
		&cli.StringFlag{Name: "metrics-file", Category: category, Usage: "write the same to `FILE` every 5 seconds and at the end, for node_exporter, which reads names in .prom", Destination: &o.file},
	}
}

func (o *watchOptions) check() error {
	if o.given("metrics-addr") {
		if err := metrics.CheckAddr(o.addr); err != nil {
			return usageErrorf("--metrics-addr: %w", err)
		}
	}
	if o.given("metrics-file") && o.file == "" {
		return usageErrorf("--metrics-file is empty, want the name of a file, such as pfgmgen.prom")
	}
	return nil
}

// A watch is what shows a run, or a worker, to the outside. The nil watch shows nothing.
type watch struct {
	e       *env
	monitor *pipeline.Monitor // of a run
	metrics *metrics.Metrics  // nil unless there is a server or a file
	server  *metrics.Server   // may be nil
	file    *metrics.File     // may be nil
	tracer  *trace.Tracer     // may be nil
}

// newWatch begins to show a run into st. checks are those of the domain. The caller ends the watch.
func newWatch(ctx context.Context, e *env, o watchOptions, plan pipeline.Plan, st store.Store, checks []domains.Item) (*watch, error) {
	w := &watch{e: e, monitor: &pipeline.Monitor{}}
	m, err := metrics.New(metrics.Run{RunID: plan.RunID(), Domain: plan.Domain, ModelSHA256: plan.Model.SHA256,
		Version: buildVersion(), Asked: plan.NumSamples}, w.monitor)
	if err != nil {
		return nil, err
	}
	if b, ok := st.(interface{ Retries() int64 }); ok { // a bucket
		m.SetStorage(b.Retries)
	}
	var hard, soft []string
	for _, c := range checks { // a check that is not always a warning may be either
		if !strings.HasPrefix(c.About, "warning") {
			hard = append(hard, c.Name)
		}
		if strings.Contains(c.About, "warning") {
			soft = append(soft, c.Name)
		}
	}
	m.SetChecks(hard, soft)
	if err := w.show(o, m); err != nil {
		return nil, err
	}
	if w.tracer, err = trace.Start(ctx, plan, buildVersion()); err != nil {
		e.warn("%v; the run goes on without traces", err)
	}
	return w, nil
}

// watchWorker begins to show a worker whose runs total follows. The caller closes the watch.
func watchWorker(e *env, o watchOptions, worker metrics.Worker, total *pipeline.Total, devices []string, retries func() int64) (*watch, error) {
	m, err := metrics.NewWorker(worker, total)
	if err != nil {
		return nil, err
	}
	m.SetDevices(devices)
	m.SetStorage(retries)
	w := &watch{e: e}
	return w, w.show(o, m)
}

// show opens what the options ask for.
func (w *watch) show(o watchOptions, m *metrics.Metrics) (err error) {
	if o.addr == "" && o.file == "" {
		return nil
	}
	w.metrics = m
	if o.addr != "" {
		if w.server, err = m.Serve(o.addr); err != nil {
			return err
		}
		w.e.infoWith([]slog.Attr{slog.String("addr", w.server.Addr())}, "metrics at http://%s/metrics", w.server.Addr())
	}
	if o.file != "" {
		if w.file, err = m.WriteFile(o.file, fileEvery, func(err error) { w.e.warn("%v; the work goes on", err) }); err != nil {
			w.closeServer()
			return err
		}
	}
	return nil
}

// attach lets the watch see what the parts do. devices are the names of the denoisers.
func (w *watch) attach(p *pipeline.Parts, devices []string) {
	if w == nil {
		return
	}
	p.Monitor = w.monitor
	if w.tracer != nil {
		p.Shards = w.tracer
	}
	if w.metrics != nil {
		w.metrics.SetDevices(devices)
	}
}

// skip shows n shards that were there already.
func (w *watch) skip(n int) {
	if w != nil && w.metrics != nil {
		w.metrics.SkipShards(n)
	}
}

// fail shows a shard that could not be made.
func (w *watch) fail() {
	if w != nil && w.metrics != nil {
		w.metrics.FailShard()
	}
}

// end shows how the run ended and lets go of everything. Trouble on the way costs a warning: the run is over.
func (w *watch) end(err error) {
	if w == nil {
		return
	}
	if w.metrics != nil {
		w.metrics.SetState(stateOf(err))
	}
	w.close()
	if errors.Is(err, errThreshold) {
		err = nil // the dataset was written
	}
	if err := w.tracer.End(w.monitor.Snapshot(), err); err != nil {
		w.e.warn("%v", err)
	}
}

// close writes the file for the last time and lets go of it and of the server.
func (w *watch) close() {
	w.closeServer()
	if w.file != nil {
		if err := w.file.Close(); err != nil {
			w.e.warn("%v", err)
		}
	}
}

func (w *watch) closeServer() {
	if w.server == nil {
		return
	}
	if err := w.server.Close(); err != nil {
		w.e.debug("metrics: %v", err) // someone was in the middle of an answer
	}
}

// stateOf is how metrics call the end of a run.
func stateOf(err error) string {
	switch {
	case err == nil, errors.Is(err, errThreshold):
		return metrics.Done
	case errors.Is(err, context.Canceled):
		return metrics.Interrupted
	}
	return metrics.Failed
}
