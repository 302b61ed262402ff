package pipeline

import (
	"context"
	"sync/atomic"
	"time"
)

// Stats say what one stage did. Seconds are summed over its workers, so busy, starved and blocked together are at most
// workers times the seconds of the run.
type Stats struct {
	Stage   string  `json:"stage"`
	Workers int     `json:"workers"`
	Units   int64   `json:"units"`   // micro-batches, blocks or shards
	Rows    int64   `json:"rows"`    // draws for sample and decode, rows for write, shards for commit
	Busy    float64 `json:"busy"`    // seconds of work
	Starved float64 `json:"starved"` // seconds of waiting for the stage before
	Blocked float64 `json:"blocked"` // seconds of waiting for the stage after
}

// A stage counts what its workers do; safe for concurrent use.
type stage struct {
	name                   string
	workers                int
	shards                 *shardWorks // may be nil
	units, rows            atomic.Int64
	busy, starved, blocked atomic.Int64 // nanoseconds
}

func (s *stage) stats() Stats {
	seconds := func(v *atomic.Int64) float64 { return time.Duration(v.Load()).Seconds() }
	return Stats{Stage: s.name, Workers: s.workers, Units: s.units.Load(), Rows: s.rows.Load(),
		Busy: seconds(&s.busy), Starved: seconds(&s.starved), Blocked: seconds(&s.blocked)}
}

// A unit of work under way.
type unit struct {
	s     *stage
	start time.Time
}

func (s *stage) begin() unit { return unit{s, time.Now()} }

// end counts the unit, which belonged to shard.
func (u unit) end(shard, rows int) {
	now := time.Now()
	u.s.busy.Add(int64(now.Sub(u.start)))
	u.s.units.Add(1)
	u.s.rows.Add(int64(rows))
	u.s.shards.add(u.s.name, shard, rows, u.start, now)
}

// receive waits for the next value; ok is false when the channel is closed. The error is that of ctx.
func receive[T any](ctx context.Context, s *stage, from <-chan T) (v T, ok bool, err error) {
	start := time.Now()
	defer func() { s.starved.Add(int64(time.Since(start))) }()
	select {
	case v, ok = <-from:
		return v, ok, ctx.Err()
	case <-ctx.Done():
		return v, false, ctx.Err()
	}
}

// send waits until the value is taken. The error is that of ctx.
func send[T any](ctx context.Context, s *stage, to *queue[T], v T) error {
	start := time.Now()
	defer func() { s.blocked.Add(int64(time.Since(start))) }()
	select {
	case to.c <- v:
		to.sent()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
