package pipeline

import (
	"slices"
	"sync"
	"time"
)

// A ShardObserver is told of every shard that the run has worked on, once, when it has been committed or given up. Calls
// come one at a time, and the run waits for them.
type ShardObserver interface {
	ObserveShard(ShardWork)
}

// ShardWork is what the stages did for one shard. Shards overlap: the next is being sampled while one is written.
type ShardWork struct {
	Shard        int
	Began, Ended time.Time   // the first unit of any stage, the end of the last
	Stages       []StageWork // in order; those that did something
	Err          error       // why it was given up; nil when it was committed
}

// StageWork is what one stage did for one shard.
type StageWork struct {
	Stage        string
	Began, Ended time.Time     // the first unit, the end of the last; there is other work in between
	Busy         time.Duration // summed over workers
	Units, Rows  int64         // as in Stats
}

// shardWorks collects the work of shards for an observer; nil collects nothing. Safe for concurrent use.
type shardWorks struct {
	observer ShardObserver
	mu       sync.Mutex
	open     map[int]map[string]*StageWork // by shard and stage
}

func newShardWorks(o ShardObserver) *shardWorks {
	if o == nil {
		return nil
	}
	return &shardWorks{observer: o, open: make(map[int]map[string]*StageWork)}
}

// add takes note of a unit of work.
func (s *shardWorks) add(stage string, shard, rows int, began, ended time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[shard] == nil {
		s.open[shard] = make(map[string]*StageWork)
	}
	w := s.open[shard][stage]
	if w == nil {
		w = &StageWork{Stage: stage, Began: began, Ended: ended}
		s.open[shard][stage] = w
	}
	if began.Before(w.Began) {
		w.Began = began
	}
	if ended.After(w.Ended) {
		w.Ended = ended
	}
	w.Busy += ended.Sub(began)
	w.Units++
	w.Rows += int64(rows)
}

// done tells the observer of a shard.
func (s *shardWorks) done(shard int, err error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	stages := s.open[shard]
	delete(s.open, shard)
	s.mu.Unlock()
	work := ShardWork{Shard: shard, Err: err}
	for _, name := range []string{"sample", "decode", "write", "commit"} {
		if w := stages[name]; w != nil {
			work.Stages = append(work.Stages, *w)
		}
	}
	for k, w := range work.Stages {
		if k == 0 || w.Began.Before(work.Began) {
			work.Began = w.Began
		}
		if w.Ended.After(work.Ended) {
			work.Ended = w.Ended
		}
	}
	s.observer.ObserveShard(work)
}

// giveUp tells the observer of the shards that a failed run leaves behind. The stages have ended.
func (s *shardWorks) giveUp(err error) {
	if s == nil {
		return
	}
	var left []int
	for shard := range s.open {
		left = append(left, shard)
	}
	slices.Sort(left)
	for _, shard := range left {
		s.done(shard, err)
	}
}
