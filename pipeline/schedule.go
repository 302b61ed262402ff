package pipeline

import (
	"context"
	"slices"
	"time"
)

// A schedule is the ordered stage that hands out micro-batches, settles what comes back, and passes complete blocks on
// in order. It never blocks on one channel while another could move, so the way round cannot lock up.
type schedule struct {
	r       *run
	next    int64         // first index that is in no block yet
	open    []*block      // in order; the first is the next to be written
	maxOpen int           // bound on len(open)
	retries []*microBatch // go before fresh ones: they hold up the oldest blocks
	fresh   []*microBatch

	counts   counts
	progress Progress
	began    time.Time
}

// counts are the draws of a run.
type counts struct {
	attempts, dropped int64
	rejected          map[string]int64 // draws by the code of a failed hard gate
}

func newSchedule(r *run) *schedule {
	perBlock := int(r.layout.blockRows) / r.plan.Batch
	return &schedule{
		r:        r,
		maxOpen:  2 + (2*r.workers+perBlock-1)/perBlock,
		counts:   counts{rejected: make(map[string]int64)},
		progress: Progress{Asked: r.plan.NumSamples},
		began:    time.Now(),
	}
}

func (s *schedule) run(ctx context.Context, jobs *queue[*microBatch], decoded <-chan *microBatch, blocks *queue[*block]) error {
	defer close(jobs.c)
	defer close(blocks.c)
	for {
		s.openBlocks()
		if len(s.open) == 0 {
			return nil
		}
		// A nil channel never proceeds: only what is ready takes part in the select.
		var jobsReady chan<- *microBatch
		var job *microBatch
		todo := &s.retries
		if len(*todo) == 0 {
			todo = &s.fresh
		}
		if len(*todo) > 0 {
			jobsReady, job = jobs.c, (*todo)[0]
		}
		var blocksReady chan<- *block
		if s.open[0].complete() {
			blocksReady = blocks.c
		}
		select {
		case jobsReady <- job:
			jobs.sent()
			*todo = (*todo)[1:]
		case m, ok := <-decoded:
			if !ok { // a worker failed, and ctx is about to end
				decoded = nil
				continue
			}
			s.settle(m)
			s.report()
		case blocksReady <- s.open[0]:
			blocks.sent()
			s.open = slices.Delete(s.open, 0, 1)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// openBlocks starts blocks as far as memory allows.
func (s *schedule) openBlocks() {
	for len(s.open) < s.maxOpen {
		b := s.r.layout.next(s.next)
		if b == nil {
			return
		}
		s.next += int64(len(b.rows))
		s.open = append(s.open, b)
		slots := make([]int, len(b.rows))
		for k := range slots {
			slots[k] = k
		}
		s.fresh = append(s.fresh, s.start(b, slots)...)
	}
}

// start begins a round of a block.
func (s *schedule) start(b *block, slots []int) []*microBatch {
	batches := b.cut(slots, s.r.plan.Batch, s.r.labels)
	b.flying = len(batches)
	return batches
}

// settle takes the rows of a decoded micro-batch into its block, and begins the next round when the block needs one.
func (s *schedule) settle(m *microBatch) {
	b, p := m.block, &s.r.plan
	for k, slot := range m.slots {
		row := m.rows[k]
		s.counts.attempts++
		verdict := row.row.Verdict()
		s.r.tally.draw(b.attempt, verdict)
		for _, code := range verdict.Violations {
			s.counts.rejected[code]++
		}
		switch {
		case verdict.Valid() || p.Invalid == Keep:
			b.rows[slot] = row
			s.progress.Done++
		case p.Invalid == Resample && int(b.attempt)+1 < p.MaxAttempts:
			b.retry = append(b.retry, slot)
		default:
			s.counts.dropped++
			s.progress.Done++
		}
		if !verdict.Valid() {
			s.progress.Rejected++
		}
	}
	b.flying--
	if b.flying > 0 || len(b.retry) == 0 {
		return
	}
	slots := b.retry
	b.retry = nil
	b.attempt++
	slices.Sort(slots) // they came in the order in which micro-batches came back
	s.retries = append(s.retries, s.start(b, slots)...)
}

func (s *schedule) report() {
	if s.r.observer == nil {
		return
	}
	s.progress.Drawn = s.counts.attempts
	s.progress.Written = s.r.written.Load()
	s.progress.Elapsed = time.Since(s.began)
	s.r.observer.Observe(s.progress)
}
