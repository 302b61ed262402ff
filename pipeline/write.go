package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/util"

	"pfgmgen/domains"
)

// A Sink takes the rows of a run. Run calls it from one goroutine.
type Sink interface {
	// Shard begins a shard. Shards come one at a time, in the order of Parts.Next.
	Shard(index int) (Shard, error)
}

// A Shard takes the rows of one part of the dataset. Run ends every shard with Commit or Abort.
type Shard interface {
	// Write takes rows in rising sample_index. The caller keeps its reference to the record.
	Write(rec arrow.Record) error
	// Export is where the rows of the shard go in a plain format beside the records.
	Export(format string) (io.Writer, error)
	// Commit makes the shard durable and visible; o counts its rows. A shard can have no rows.
	Commit(ctx context.Context, o Outcome) error
	// Abort leaves nothing of the shard behind. It is called after a failed Commit too.
	Abort() error
}

// Limits of a record: whichever is reached first. The second is kept by the size of the record before.
const (
	recordRows  = 1024
	recordBytes = 4 << 20
)

// A writer is the ordered stage that builds records of complete blocks and gives them to the sink.
type writer struct {
	r       *run
	builder *rowBuilder
	limit   int // rows of the next record
	rows    int // in the builder
	shard   Shard
	exports []io.Writer // in the order of Plan.Also

	index   int     // of the shard
	outcome Outcome // of the shard so far
	total   Outcome // of those committed
}

func newWriter(r *run) *writer {
	return &writer{r: r, limit: 64}
}

func (w *writer) run(ctx context.Context, blocks <-chan *block) (err error) {
	w.builder = w.r.newBuilder()
	defer w.builder.Release()
	defer func() {
		if w.shard == nil {
			return
		}
		if abort := w.shard.Abort(); abort != nil && err != nil {
			err = fmt.Errorf("%w (and then: %w)", err, abort)
		}
	}()
	st := w.r.stages.write
	for {
		b, ok, err := receive(ctx, st, blocks)
		if err != nil || !ok {
			return err
		}
		work := st.begin()
		n, err := w.block(ctx, b)
		if err != nil {
			return err
		}
		work.end(b.shard, n)
		if b.last {
			if err := w.commit(ctx); err != nil {
				return err
			}
		}
	}
}

// block writes the rows of a block and returns how many there were.
func (w *writer) block(ctx context.Context, b *block) (n int, err error) {
	if b.begins {
		if err := w.open(b.shard); err != nil {
			return 0, err
		}
	}
	w.outcome.Add(Outcome{Samples: int64(len(b.rows)), Draws: b.draws})
	for k, s := range b.rows {
		if s.row == nil {
			continue
		}
		b.rows[k] = settled{} // let the row go as soon as it is written
		n++
		if err := w.row(b.first+int64(k), s); err != nil {
			return n, err
		}
		if w.rows >= w.limit {
			if err := w.flush(ctx); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (w *writer) open(shard int) error {
	s, err := w.r.sink.Shard(shard)
	if err != nil {
		return fmt.Errorf("pipeline: begin shard %d: %w", shard, err)
	}
	w.shard, w.exports, w.index = s, nil, shard
	w.outcome = Outcome{Shards: 1, Rows: Rows{Warned: make(map[string]int64), Formless: make(map[string]int64)}}
	for _, format := range w.r.plan.Also {
		out, err := s.Export(format)
		if err != nil {
			return fmt.Errorf("pipeline: begin shard %d, export as %s: %w", shard, format, err)
		}
		if h, ok := w.r.adapter.(domains.ExportHeader); ok {
			if err := h.ExportHeader(out, format); err != nil {
				return fmt.Errorf("pipeline: begin shard %d, export as %s: %w", shard, format, err)
			}
		}
		w.exports = append(w.exports, out)
	}
	return nil
}

func (w *writer) row(index int64, s settled) error {
	w.builder.add(index, s)
	w.rows++
	o := &w.outcome
	o.Written++
	verdict := s.row.Verdict()
	if verdict.Valid() {
		o.Valid++
	}
	w.r.tally.row(verdict)
	for _, code := range verdict.Warnings {
		o.Warned[code]++
	}
	if index < maxDistinct {
		o.Keys = append(o.Keys, s.key)
	}
	for k, out := range w.exports {
		e, ok := s.row.(domains.Exporter)
		if !ok {
			return fmt.Errorf("pipeline: the domain %s has no export as %s", w.r.plan.Domain, w.r.plan.Also[k])
		}
		switch err := e.Export(out, w.r.plan.Also[k], SampleID(w.r.runID, index)); {
		case errors.Is(err, domains.ErrNoForm):
			o.Formless[w.r.plan.Also[k]]++
		case err != nil:
			return fmt.Errorf("pipeline: sample %d, export as %s: %w", index, w.r.plan.Also[k], err)
		}
	}
	return nil
}

// flush gives the rows of the builder to the sink.
func (w *writer) flush(ctx context.Context) error {
	if w.rows == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	rec := w.builder.NewRecord()
	defer rec.Release()
	w.limit = int(min(recordRows, max(1, recordBytes/max(1, util.TotalRecordSize(rec)/rec.NumRows()))))
	w.r.written.Add(int64(w.rows))
	w.rows = 0
	if err := w.shard.Write(rec); err != nil {
		return fmt.Errorf("pipeline: write: %w", err)
	}
	return nil
}

// commit ends the shard.
func (w *writer) commit(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	work := w.r.stages.commit.begin()
	if err := w.shard.Commit(ctx, w.outcome); err != nil {
		return fmt.Errorf("pipeline: commit shard %d: %w", w.index, err)
	}
	work.end(w.index, 1)
	w.r.tally.committed(w.shard)
	w.r.shards.done(w.index, nil)
	w.shard = nil
	w.total.Add(w.outcome)
	return nil
}
