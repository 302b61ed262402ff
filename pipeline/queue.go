package pipeline

import "sync/atomic"

// QueueStats say how full a queue between two stages is. One that stays full leads to a stage that is too slow, one that
// stays empty comes from one.
type QueueStats struct {
	Queue    string `json:"queue"`    // jobs, drawn, decoded: micro-batches; blocks: blocks
	Capacity int    `json:"capacity"` // units
	Depth    int    `json:"-"`        // units in it now
	Peak     int    `json:"peak"`     // the most units seen in it
}

// A queue is a bounded channel between two stages that remembers how full it was.
type queue[T any] struct {
	name string
	c    chan T
	peak atomic.Int64
}

func newQueue[T any](name string, capacity int) *queue[T] {
	return &queue[T]{name: name, c: make(chan T, capacity)}
}

// sent is called after every send. Receivers may have been faster, so the peak is at least 1.
func (q *queue[T]) sent() {
	depth := max(1, int64(len(q.c)))
	for {
		peak := q.peak.Load()
		if depth <= peak || q.peak.CompareAndSwap(peak, depth) {
			return
		}
	}
}

func (q *queue[T]) stats() QueueStats {
	return QueueStats{Queue: q.name, Capacity: cap(q.c), Depth: len(q.c), Peak: int(q.peak.Load())}
}

// queues are the ways between the stages of a run.
type queues struct {
	jobs, drawn, decoded *queue[*microBatch]
	blocks               *queue[*block]
}

func newQueues(workers int) queues {
	return queues{
		jobs:    newQueue[*microBatch]("jobs", workers), // with those being computed: two for each worker
		drawn:   newQueue[*microBatch]("drawn", workers),
		decoded: newQueue[*microBatch]("decoded", workers),
		blocks:  newQueue[*block]("blocks", 1),
	}
}

func (r *run) queueStats() []QueueStats {
	q := &r.queues
	return []QueueStats{q.jobs.stats(), q.drawn.stats(), q.decoded.stats(), q.blocks.stats()}
}
