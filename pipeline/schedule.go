package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A schedule is the ordered stage that hands out micro-batches, settles what comes back, and passes complete blocks on
// in order. It never blocks on one channel while another could move, so the way round cannot lock up.
type schedule struct {
	r       *run
	shard   int           // that blocks are cut from
	next    int64         // its first index that is in no block yet
	end     int64         // the index after its last; equal to next when another shard is due
	over    bool          // there are no more shards
	open    []*block      // in order; the first is the next to be written
	maxOpen int           // bound on len(open)
	retries []*microBatch // go before fresh ones: they hold up the oldest blocks
	fresh   []*microBatch

	progress Progress
	began    time.Time
}

func newSchedule(r *run) *schedule {
	perBlock := int(r.layout.blockRows) / r.plan.Batch
	return &schedule{
		r:        r,
		maxOpen:  2 + (2*r.workers+perBlock-1)/perBlock,
		progress: Progress{Asked: r.plan.NumSamples},
		began:    time.Now(),
	}
}

func (s *schedule) run(ctx context.Context, jobs *queue[*microBatch], decoded <-chan *microBatch, blocks *queue[*block]) error {
	defer close(jobs.c)
	defer close(blocks.c)
	for {
		if err := s.openBlocks(ctx); err != nil {
			return err
		}
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
func (s *schedule) openBlocks(ctx context.Context) error {
	for len(s.open) < s.maxOpen && !s.over {
		if s.next == s.end {
			shard, ok, err := s.r.nextShard(ctx)
			if err != nil {
				return fmt.Errorf("pipeline: choose a shard: %w", err)
			}
			if !ok {
				s.over = true
				return nil
			}
			s.shard = shard
			s.next, s.end = s.r.layout.span(shard)
		}
		b := s.r.layout.block(s.shard, s.next)
		b.draws.Rejected = make(map[string]int64)
		s.next += int64(len(b.rows))
		s.open = append(s.open, b)
		slots := make([]int, len(b.rows))
		for k := range slots {
			slots[k] = k
		}
		s.fresh = append(s.fresh, s.start(b, slots)...)
	}
	return nil
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
		b.draws.Attempts++
		s.progress.Drawn++
		verdict := row.row.Verdict()
		s.r.tally.draw(b.attempt, verdict)
		for _, code := range verdict.Violations {
			b.draws.Rejected[code]++
		}
		switch {
		case verdict.Valid() || p.Invalid == Keep:
			b.rows[slot] = row
			s.progress.Done++
		case p.Invalid == Resample && int(b.attempt)+1 < p.MaxAttempts:
			b.retry = append(b.retry, slot)
		default:
			b.draws.Dropped++
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
	s.progress.Written = s.r.written.Load()
	s.progress.Elapsed = time.Since(s.began)
	s.r.observer.Observe(s.progress)
}
