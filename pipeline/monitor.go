package pipeline

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"pfgmgen/validate"
)

// A Monitor shows what a run is doing while it works, and what it did afterwards, whether or not it succeeded. Run fills
// it in through Parts. The zero value is ready, one Monitor follows one run at a time, and Snapshot may be called from
// any goroutine.
type Monitor struct{ run atomic.Pointer[run] }

// A Snapshot is what a run has done so far. Stages count a unit when it is finished, so seconds lag behind by the units
// under way; devices and queues are as they are at the moment.
type Snapshot struct {
	Live     int              // of a Total: runs under way
	Asked    int64            // samples of the plan
	Drawn    int64            // draws that came back, retries included
	Retries  int64            // draws of a sample after its first
	Written  int64            // rows given to the sink
	Bytes    int64            // of the files of committed shards, as far as the sink says
	Shards   int64            // committed
	Rejected map[string]int64 // draws by the code of a hard gate that failed; a draw may fail several
	Warned   map[string]int64 // rows by the code of a warning; rows of a shard under way included
	Elapsed  time.Duration    // since the run began, and to its end when it is over
	Stages   []Stats          // in order
	Queues   []QueueStats     // in order
	Devices  []DeviceStats    // in the order of Parts.Denoisers
}

// Snapshot is the zero Snapshot before the run begins.
func (m *Monitor) Snapshot() Snapshot {
	if r := m.run.Load(); r != nil {
		return r.snapshot()
	}
	return Snapshot{}
}

// A Sized shard knows how many bytes of files it has become. Run asks after Commit.
type Sized interface{ Bytes() int64 }

// A tally counts what a Snapshot shows and no stage counts; safe for concurrent use.
type tally struct {
	bytes, retries atomic.Int64

	mu               sync.Mutex
	rejected, warned map[string]int64
	began, ended     time.Time // zero until then
}

func newTally() *tally {
	return &tally{rejected: make(map[string]int64), warned: make(map[string]int64)}
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.began = time.Now()
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = time.Now()
}

// draw takes note of a draw that came back.
func (t *tally) draw(attempt int32, v validate.Verdict) {
	if attempt > 0 {
		t.retries.Add(1)
	}
	t.count(t.rejected, v.Violations)
}

// row takes note of a row that is kept.
func (t *tally) row(v validate.Verdict) { t.count(t.warned, v.Warnings) }

func (t *tally) count(by map[string]int64, codes []string) {
	if len(codes) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, code := range codes {
		by[code]++
	}
}

// committed takes note of a shard.
func (t *tally) committed(s Shard) {
	if sized, ok := s.(Sized); ok {
		t.bytes.Add(sized.Bytes())
	}
}

func (r *run) snapshot() Snapshot {
	s := Snapshot{Asked: r.plan.NumSamples, Drawn: r.stages.decode.rows.Load(), Retries: r.tally.retries.Load(), Written: r.written.Load(),
		Bytes: r.tally.bytes.Load(), Shards: r.stages.commit.units.Load(), Stages: r.stageStats(), Queues: r.queueStats()}
	t := r.tally
	t.mu.Lock()
	s.Rejected, s.Warned = maps.Clone(t.rejected), maps.Clone(t.warned)
	switch {
	case !t.ended.IsZero():
		s.Elapsed = t.ended.Sub(t.began)
	case !t.began.IsZero():
		s.Elapsed = time.Since(t.began)
	}
	t.mu.Unlock()
	s.Devices = r.deviceStats(s.Elapsed)
	return s
}

func (r *run) stageStats() []Stats {
	return []Stats{r.stages.sample.stats(), r.stages.decode.stats(), r.stages.write.stats(), r.stages.commit.stats()}
}
