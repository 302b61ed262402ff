package pipeline

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// A Total sums up what several runs do, one after another or at the same time, as a worker that makes shards of many
// datasets does. The zero value is ready, and its methods may be called from any goroutine.
type Total struct {
	mu    sync.Mutex
	began time.Time // when the first run was followed
	past  Snapshot  // of runs that are over
	live  []*Monitor
}

// Follow returns the Monitor of one run, and what to call when it is over: then the run no longer counts as under way, but
// all that it did still does.
func (t *Total) Follow() (m *Monitor, over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.began.IsZero() {
		t.began = time.Now()
	}
	m = new(Monitor)
	t.live = append(t.live, m)
	return m, sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.live = slices.DeleteFunc(t.live, func(other *Monitor) bool { return other == m })
		s := m.Snapshot()
		for k := range s.Stages {
			s.Stages[k].Workers = 0
		}
		for k := range s.Queues {
			s.Queues[k].Depth, s.Queues[k].Capacity = 0, 0
		}
		t.past.add(s)
	})
}

// Snapshot is the sum. Workers, depths and capacities are those of the runs under way, peaks the largest of all. Elapsed is
// the time since the first run began, and the busy time of a device counts once for each run that used it at that time.
func (t *Total) Snapshot() Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Snapshot{Live: len(t.live)}
	s.add(t.past)
	for _, m := range t.live {
		s.add(m.Snapshot())
	}
	if !t.began.IsZero() {
		s.Elapsed = time.Since(t.began)
	}
	for k := range s.Devices {
		s.Devices[k].BusyShare = min(1, s.Devices[k].Busy/max(s.Elapsed.Seconds(), 1e-9))
	}
	return s
}

// add adds all but Live, Elapsed and shares. Nothing of o is kept.
func (s *Snapshot) add(o Snapshot) {
	s.Asked += o.Asked
	s.Drawn += o.Drawn
	s.Retries += o.Retries
	s.Written += o.Written
	s.Bytes += o.Bytes
	s.Shards += o.Shards
	s.Rejected, s.Warned = sum(s.Rejected, o.Rejected), sum(s.Warned, o.Warned)
	for k, x := range o.Stages {
		if k == len(s.Stages) {
			s.Stages = append(s.Stages, Stats{Stage: x.Stage})
		}
		y := &s.Stages[k]
		y.Workers += x.Workers
		y.Units += x.Units
		y.Rows += x.Rows
		y.Busy += x.Busy
		y.Starved += x.Starved
		y.Blocked += x.Blocked
	}
	for k, x := range o.Queues {
		if k == len(s.Queues) {
			s.Queues = append(s.Queues, QueueStats{Queue: x.Queue})
		}
		y := &s.Queues[k]
		y.Capacity += x.Capacity
		y.Depth += x.Depth
		y.Peak = max(y.Peak, x.Peak)
	}
	for k, x := range o.Devices {
		if k == len(s.Devices) {
			s.Devices = append(s.Devices, DeviceStats{Device: x.Device})
		}
		s.Devices[k].Evaluations += x.Evaluations
		s.Devices[k].Busy += x.Busy
	}
}

func sum(a, b map[string]int64) map[string]int64 {
	if a = maps.Clone(a); a == nil {
		a = make(map[string]int64)
	}
	for code, n := range b {
		a[code] += n
	}
	return a
}
