package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/pipeline"
)

// openPlace opens a directory or a bucket.
func (e *env) openPlace(ctx context.Context, location string) (store.Store, error) {
	st, err := store.Open(ctx, location)
	if err != nil {
		return nil, usageError{err}
	}
	if b, ok := st.(*store.Bucket); ok {
		b.Notify((&outage{e: e}).notify)
	}
	return failing(ctx, st)
}

// An outage is said once in a while, however many operations meet it.
type outage struct {
	e    *env
	mu   sync.Mutex
	said time.Time
}

// sayAgain is how often an outage is said.
const sayAgain = time.Minute

func (o *outage) notify(err error, wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	cause, _, _ := strings.Cut(err.Error(), "; ") // what to do about it comes behind, when it does not pass
	if time.Since(o.said) < sayAgain {
		o.e.debug("%s; trying again in %s", cause, duration(wait))
		return
	}
	o.said = time.Now()
	o.e.warn("%s; trying again in %s", cause, duration(wait))
}

// storageRetries is how often operations on a place were tried again.
func storageRetries(st store.Store) int64 {
	if b, ok := st.(interface{ Retries() int64 }); ok { // a bucket
		return b.Retries()
	}
	return 0
}

// A place is an output with the plan that it is for.
type place struct {
	st   store.Store
	plan pipeline.Plan
}

// span is what dataset.ReadState asks for.
func (p place) span(shard int) (first, samples int64, ok bool) {
	if shard >= p.plan.Shards() {
		return 0, 0, false
	}
	first, end := p.plan.Span(shard)
	return first, end - first, true
}

// state is what the place holds of the plan.
func (p place) state(ctx context.Context, check dataset.Check) (*dataset.State, error) {
	return dataset.ReadState(ctx, p.st, p.plan.RecipeSHA256(), p.span, check)
}

// missing are the shards without a record, in order.
func (p place) missing(state *dataset.State) []int {
	done := make(map[int]bool, len(state.Records))
	for _, r := range state.Records {
		done[r.Shard] = true
	}
	var list []int
	for k := range p.plan.Shards() {
		if !done[k] {
			list = append(list, k)
		}
	}
	return list
}

// options are the settings of the files.
func (p place) options() dataset.Options {
	return dataset.Options{Format: p.plan.Format, RunID: p.plan.RunID(), SpecSHA256: p.plan.RecipeSHA256(), ModelSHA256: p.plan.Model.SHA256,
		Seed: fmt.Sprint(p.plan.Seed), Version: fmt.Sprint(pipeline.Version)}
}

// errNoRows says that there is nothing to make a dataset of.
var errNoRows = errors.New("no row passed the checks")

// commit makes the manifest, the card and the Croissant description of the records of all shards. Whoever does it writes
// the same bytes, so it can be done any number of times, also at once.
func (p place) commit(ctx context.Context, state *dataset.State) (*dataset.Manifest, error) {
	a, schema, err := readAbout(ctx, p.st)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; run the same pfgmgen run command again", err)
	}
	if err != nil {
		return nil, err
	}
	man, err := p.manifest(ctx, a, state)
	if err != nil {
		return nil, err
	}
	if man.Counts.Written == 0 {
		return nil, fmt.Errorf("%w in %s draws (%s), so there is no dataset. To see such rows: --invalid keep", errNoRows, number(man.Counts.Attempts), codes(man.Counts.Rejected))
	}
	return man, p.write(ctx, a, schema, man)
}

// manifest is made of the records.
func (p place) manifest(ctx context.Context, a *about, state *dataset.State) (*dataset.Manifest, error) {
	man := &dataset.Manifest{
		RunID: p.plan.RunID(), Domain: p.plan.Domain, Created: a.Created, Seed: fmt.Sprint(p.plan.Seed), SpecSHA256: p.plan.SHA256(), Settings: p.plan.JSON(),
		Model: a.Model, Data: a.Data, Versions: a.Versions, Parts: []dataset.PartInfo{}, Exports: []dataset.FileInfo{},
	}
	var total pipeline.Outcome
	var distinct pipeline.Distinct
	for _, r := range state.Records {
		if r.Part != nil {
			man.Parts = append(man.Parts, *r.Part)
		}
		man.Exports = append(man.Exports, r.Exports...)
		total.Add(outcomeOf(r))
		keys, err := dataset.ReadKeys(ctx, p.st, r)
		if err != nil {
			return nil, err
		}
		distinct.Add(keys)
	}
	man.Counts = countsOf(total)
	man.Counts.Asked = p.plan.NumSamples
	c := &man.Counts
	c.Distinct, c.DistinctOf = distinct.Count()
	man.Metrics = map[string]float64{"valid_share": total.ValidShare(), "distinct_share": float64(c.Distinct) / float64(max(1, c.DistinctOf))}
	return man, nil
}

func (p place) write(ctx context.Context, a *about, schema *arrow.Schema, man *dataset.Manifest) error {
	w, err := dataset.Create(ctx, p.st, schema, p.options())
	if err != nil {
		return err
	}
	w.Complete(man)
	facts := a.facts(p.plan, man.Counts.Written)
	card, err := facts.Card(man, schema)
	if err != nil {
		return err
	}
	croissant, err := facts.Croissant(man, schema)
	if err != nil {
		return err
	}
	return w.Commit(ctx, *man, card, dataset.File{Name: "croissant.json", Data: croissant})
}

// countsOf and outcomeOf translate between what the pipeline counts and what records and manifests have.
func countsOf(o pipeline.Outcome) dataset.Counts {
	return dataset.Counts{Asked: o.Samples, Written: o.Written, Valid: o.Valid, Attempts: o.Attempts, Dropped: o.Dropped,
		Rejected: o.Rejected, Warned: o.Warned, Formless: o.Formless}
}

func outcomeOf(r dataset.ShardRecord) pipeline.Outcome {
	c := r.Counts
	return pipeline.Outcome{Shards: 1, Samples: r.Samples, Draws: pipeline.Draws{Attempts: c.Attempts, Dropped: c.Dropped, Rejected: c.Rejected},
		Rows: pipeline.Rows{Written: c.Written, Valid: c.Valid, Warned: c.Warned, Formless: c.Formless}}
}
