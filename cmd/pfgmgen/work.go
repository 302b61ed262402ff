package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/pipeline"
)

// A work is a run that makes what a place lacks.
type work struct {
	place
	e     *env
	o     runOptions
	model *model
	watch *watch // may be nil

	before []byte            // the plan that the place has already, nil without one
	done   *dataset.Manifest // when nothing is to be done
	state  *dataset.State
}

// look says what is in the place: nothing, a part of the dataset, all of it, or a dataset with other settings, which is an
// error.
func (w *work) look(ctx context.Context) error {
	ours, err := dataset.CheckPlace(ctx, w.st)
	if err != nil || !ours {
		w.state = new(dataset.State)
		return err
	}
	if w.before, err = dataset.ReadPlan(ctx, w.st); err != nil {
		return err
	}
	there, err := pipeline.ParsePlan(w.before)
	if err != nil {
		return fmt.Errorf("%s: %w; choose another --out", w.st, err)
	}
	same, err := w.compare(there)
	if err != nil {
		return err
	}
	if w.state, err = w.place.state(ctx, dataset.Check(w.o.look)); err != nil {
		return err
	}
	for _, f := range w.state.Findings {
		if !f.Grown {
			w.e.warn("%s; shard %d is to be made again", f.Finding, f.Shard)
		}
	}
	missing := len(w.missing(w.state))
	w.watch.skip(w.plan.Shards() - missing)
	if same && missing == 0 {
		w.done = w.committed(ctx)
	}
	return nil
}

// compare refuses a plan with other settings. More samples than there are is not one: the dataset grows.
func (w *work) compare(there pipeline.Plan) (same bool, err error) {
	diff := pipeline.Diff(there, w.plan)
	if len(diff) == 0 {
		return true, nil
	}
	if len(diff) == 1 && diff[0].Name == "num_samples" && w.plan.NumSamples > there.NumSamples {
		return false, nil
	}
	var lines []string
	for _, d := range diff {
		lines = append(lines, fmt.Sprintf("%s is %s there, %s here", d.Name, d.A, d.B))
	}
	return false, fmt.Errorf("%s %w: %s. Choose another --out, or delete that directory", w.st, errOtherSettings, strings.Join(lines, "; "))
}

// errOtherSettings says that a place is taken.
var errOtherSettings = errors.New("belongs to a dataset with other settings")

// committed is the manifest of a dataset of this plan that was finished, nil when it was not.
func (w *work) committed(ctx context.Context) *dataset.Manifest {
	for _, name := range []string{"_SUCCESS", "README.md"} {
		if _, err := w.st.Stat(ctx, name); err != nil {
			return nil
		}
	}
	man, err := dataset.ReadManifest(ctx, w.st)
	if err != nil || man.SpecSHA256 != w.plan.SHA256() {
		return nil
	}
	return man
}

// alreadyThere reports a dataset that is there already.
func (w *work) alreadyThere() error {
	res := newResult("complete", w.o, w.plan)
	res.take(w.done)
	w.e.info("%s is complete: %s rows of run %s, made with the same settings. Nothing to do.", w.o.out, number(w.done.Counts.Written), w.done.RunID)
	if err := w.e.print(res, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return threshold(w.o, res.ValidShare)
}

// produce makes the shards that are missing and, when none is missing any more, commits the dataset.
func (w *work) produce(ctx context.Context, parts pipeline.Parts, eng *engine) error {
	schema, err := pipeline.Schema(w.model.adapter.Fields(), parts.About)
	if err != nil {
		return err
	}
	queue, err := w.claim(ctx, schema, eng)
	if err != nil {
		return err
	}
	writer, err := dataset.Create(ctx, w.st, schema, w.options())
	if err != nil {
		return err
	}
	w.e.debug("run %s into %s: %s of %d to make", w.plan.RunID(), w.st, plural(len(queue.todo), "shard"), w.plan.Shards())
	show := &progress{meter: w.e.newMeter("sampling", "rows", w.samples(queue.todo))}
	parts.Observer, parts.Sink, parts.Next = show, &sink{place: w.place, w: writer}, queue.next
	rep, err := pipeline.Run(ctx, w.plan, parts)
	show.meter.end()
	if err != nil {
		return err
	}
	return w.finish(ctx, rep)
}

// interrupted says what an interruption means for the place; any other error stays as it is.
func (w *work) interrupted(err error) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return interruption{fmt.Sprintf("interrupted; %s keeps the shards that were finished, and nothing unfinished. To make the rest, run the same command again", w.st)}
}

// claim writes the plan and what belongs to it, and lists the shards to make. Whoever finds the place claimed takes them in
// an order of its own, so that several processes share them: none waits for another, and two that happen to make the same
// shard make the same bytes.
func (w *work) claim(ctx context.Context, schema *arrow.Schema, eng *engine) (*queue, error) {
	first, err := dataset.WritePlan(ctx, w.st, w.plan.JSON(), w.before)
	if err != nil {
		return nil, err
	}
	a, err := newAbout(w.o, w.model, schema, eng.runtime.Version())
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("what to keep about the run: %w", err)
	}
	if err := dataset.WriteAbout(ctx, w.st, data); err != nil {
		return nil, err
	}
	for _, f := range w.state.Findings { // a record must not outlive the knowledge that it is wrong
		if err := dataset.RemoveRecord(ctx, w.st, f.Shard); err != nil {
			return nil, err
		}
	}
	q := &queue{st: w.st, watch: w.watch}
	for _, k := range w.missing(w.state) {
		if w.o.owns == nil || w.o.owns(k) {
			q.todo = append(q.todo, k)
		}
	}
	if !first {
		rand.Shuffle(len(q.todo), func(i, j int) { q.todo[i], q.todo[j] = q.todo[j], q.todo[i] })
	}
	return q, nil
}

// samples is the number of samples of some shards.
func (w *work) samples(shards []int) int64 {
	var n int64
	for _, k := range shards {
		first, end := w.plan.Span(k)
		n += end - first
	}
	return n
}

// A queue hands out shards that nobody has finished meanwhile.
type queue struct {
	st    store.Store
	watch *watch
	todo  []int
}

func (q *queue) next(ctx context.Context) (shard int, ok bool, err error) {
	for len(q.todo) > 0 {
		shard, q.todo = q.todo[0], q.todo[1:]
		done, err := dataset.HasRecord(ctx, q.st, shard)
		if err != nil {
			return 0, false, err
		}
		if !done {
			return shard, true, nil
		}
		q.watch.skip(1)
	}
	return 0, false, nil
}

// finish commits the dataset unless shards are missing, which others have to make.
func (w *work) finish(ctx context.Context, rep *pipeline.Report) error {
	if there, err := dataset.ReadPlan(ctx, w.st); err != nil || !bytes.Equal(there, w.plan.JSON()) {
		return fmt.Errorf("the plan of %s has changed while this run was at work (%v), so it is left to another run to finish the dataset", w.st, err)
	}
	state, err := w.place.state(ctx, dataset.CheckSize)
	if err != nil {
		return err
	}
	res := newResult("written", w.o, w.plan)
	res.Report, res.Storage = rep, storageRetries(w.st)
	if missing := w.missing(state); len(missing) > 0 {
		if w.o.owns == nil {
			return fmt.Errorf("%s of %d shards are not finished in %s, the first is %d; somebody has removed or changed files of this run. Run the same command again",
				number(int64(len(missing))), w.plan.Shards(), w.st, missing[0])
		}
		res.Status, res.Missing = "partial", len(missing)
		w.e.info("%s made, %d of %d are missing, which are for other tasks; then: pfgmgen finalize %s", plural(rep.Shards, "shard"), len(missing), w.plan.Shards(), shellWord(w.st.String()))
		return w.e.print(res, func(io.Writer) error { return nil })
	}
	man, err := w.commit(ctx, state)
	if err != nil {
		return err
	}
	summarise(w.e, w.o, rep, man)
	if res.Storage = storageRetries(w.st); res.Storage > 0 {
		w.e.info("the storage failed %s times and was tried again", number(res.Storage))
	}
	res.take(man)
	if err := w.e.print(res, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return threshold(w.o, res.ValidShare)
}

// summarise says in a few lines what was made.
func summarise(e *env, o runOptions, rep *pipeline.Report, m *dataset.Manifest) {
	e.infoWith([]slog.Attr{slog.String("run_id", m.RunID), slog.Int64("rows", m.Counts.Written), slog.Int64("draws", m.Counts.Attempts),
		slog.Float64("seconds", rep.Seconds)}, "%s", datasetLine(o.out, m))
	line := fmt.Sprintf("%s of %s draws valid", percent(m.Metrics["valid_share"]), number(m.Counts.Attempts))
	if len(m.Counts.Rejected) > 0 {
		line += "; rejected: " + codes(m.Counts.Rejected)
	}
	if m.Counts.Dropped > 0 {
		line += fmt.Sprintf("; %s without a valid draw were left out", plural(int(m.Counts.Dropped), "sample"))
	}
	e.info("%s", line)
	for _, format := range slices.Sorted(maps.Keys(m.Counts.Formless)) {
		e.info("%s left out of the %s export, which cannot hold them", plural(int(m.Counts.Formless[format]), "row"), format)
	}
	if rep.Shards == 0 {
		return
	}
	if rep.Asked < m.Counts.Asked {
		e.info("%s of %s samples were drawn now", number(rep.Asked), number(m.Counts.Asked))
	}
	stage, share := rep.Limit()
	e.info("%s rows/s over %s, %d evaluations a draw; busiest stage: %s, %s", rateText(rep.RowsPerSecond()), duration(time.Duration(rep.Seconds*float64(time.Second))), rep.NFE, stage, percent(share))
	for _, s := range rep.Stages {
		e.debug("stage %-6s %d workers, %s units, busy %.2f s, starved %.2f s, blocked %.2f s", s.Stage, s.Workers, number(s.Units), s.Busy, s.Starved, s.Blocked)
	}
}

// datasetLine says what a dataset is.
func datasetLine(out string, m *dataset.Manifest) string {
	var bytes int64
	for _, p := range m.Parts {
		bytes += p.Bytes
	}
	for _, x := range m.Exports {
		bytes += x.Bytes
	}
	return fmt.Sprintf("%s rows in %s (%s, %s), %s distinct, run %s", number(m.Counts.Written), out, plural(len(m.Parts), "part"), size(bytes), number(m.Counts.Distinct), m.RunID)
}

// readPlan reads the plan of a place.
func readPlan(ctx context.Context, st store.Store) (pipeline.Plan, error) {
	record, err := dataset.ReadPlan(ctx, st)
	if err != nil {
		return pipeline.Plan{}, err
	}
	plan, err := pipeline.ParsePlan(record)
	if err != nil {
		return plan, fmt.Errorf("%s: %w", st, err)
	}
	return plan, nil
}
