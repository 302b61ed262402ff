package pipeline

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"pfgmgen/sampler"
)

// Bytes lets the memory sink's shards say how large they are.
func (s *memoryShard) Bytes() int64 { return int64(s.lines.Len()) }

// watchEverything reads a monitor, or a total, without pause until stop is called, and fails when a count goes down.
func watchEverything(t *testing.T, m interface{ Snapshot() Snapshot }) (stop func() (reads int)) {
	over, reads := make(chan struct{}), make(chan int)
	go func() {
		var before Snapshot
		for n := 0; ; n++ {
			now := m.Snapshot()
			if now.Drawn < before.Drawn || now.Written < before.Written || now.Rejected["W_BAD"] < before.Rejected["W_BAD"] ||
				now.Retries < before.Retries || now.Bytes < before.Bytes || now.Elapsed < before.Elapsed {
				t.Errorf("counts went down: %+v, then %+v", before, now)
			}
			before = now
			select {
			case <-over:
				reads <- n
				return
			default:
			}
		}
	}()
	return func() int { close(over); return <-reads }
}

func TestMonitorAgreesWithTheReport(t *testing.T) {
	var m Monitor
	if now := m.Snapshot(); now.Asked != 0 || now.Stages != nil {
		t.Errorf("before the run: %+v", now)
	}
	sink := &memorySink{}
	parts := wordParts(3, sink)
	parts.Adapter = &wordAdapter{reject: rejectSome}
	parts.Monitor = &m
	p := wordPlan(2000, func(p *Plan) { p.ShardRows = 600 })
	stop := watchEverything(t, &m)
	rep := mustRun(t, p, parts)
	if stop() == 0 {
		t.Error("the monitor was not read while the run worked")
	}
	now := m.Snapshot()
	var bytes int64
	for _, sh := range sink.shards {
		bytes += sh.Bytes()
	}
	if now.Asked != 2000 || now.Drawn != rep.Attempts || now.Written != rep.Written || now.Shards != 4 || now.Bytes != bytes || rep.Bytes != bytes {
		t.Errorf("snapshot %+v, report %+v, %d bytes", now, rep, bytes)
	}
	if !maps.Equal(now.Rejected, rep.Rejected) || !maps.Equal(now.Warned, rep.Warned) || now.Rejected["W_BAD"] == 0 || now.Warned["W_C"] == 0 {
		t.Errorf("rejected %v %v, warned %v %v", now.Rejected, rep.Rejected, now.Warned, rep.Warned)
	}
	// Every draw is the first of its sample or one more.
	if now.Retries != rep.Attempts-2000 || rep.Retries != now.Retries {
		t.Errorf("%d retries, report has %d, of %d draws of 2000 samples", now.Retries, rep.Retries, rep.Attempts)
	}
	if !slices.Equal(now.Stages, rep.Stages) || !slices.Equal(now.Queues, rep.Queues) || now.Elapsed.Seconds() < rep.Seconds {
		t.Errorf("snapshot %+v, report %+v", now, rep)
	}
	if again := m.Snapshot(); again.Elapsed != now.Elapsed {
		t.Error("the clock runs on after the run")
	}
}

func TestMonitorKeepsTheFiguresOfAFailedRun(t *testing.T) {
	var m Monitor
	parts := wordParts(2, &memorySink{failAt: 300})
	parts.Monitor = &m
	if _, err := Run(context.Background(), wordPlan(5000, nil), parts); !errors.Is(err, errSink) {
		t.Fatal(err)
	}
	if now := m.Snapshot(); now.Drawn < 300 || now.Written < 300 || now.Shards != 0 || now.Elapsed <= 0 {
		t.Errorf("snapshot %+v", now)
	}
}

func TestQueuesRememberTheirPeak(t *testing.T) {
	parts := wordParts(2, &memorySink{discard: true, slow: time.Millisecond}) // a slow sink fills what leads to it
	rep := mustRun(t, wordPlan(20000, func(p *Plan) { p.Steps, p.Solver = 1, "euler" }), parts)
	for k, want := range []struct {
		name     string
		capacity int
	}{{"jobs", 2}, {"drawn", 2}, {"decoded", 2}, {"blocks", 1}} {
		q := rep.Queues[k]
		if q.Queue != want.name || q.Capacity != want.capacity || q.Peak < 1 || q.Peak > q.Capacity || q.Depth != 0 {
			t.Errorf("queue %+v, want %+v", q, want)
		}
	}
}

func TestDevicesAreMeasured(t *testing.T) {
	busy := &countingDenoiser{Denoiser: wordPoints(0), want: 8, delay: 2 * time.Millisecond}
	parts := wordParts(4, &memorySink{})
	parts.Denoisers = []sampler.Denoiser{busy, wordPoints(0)}
	rep := mustRun(t, wordPlan(400, nil), parts)
	if len(rep.Devices) != 2 {
		t.Fatalf("devices %+v", rep.Devices)
	}
	slow, fast := rep.Devices[0], rep.Devices[1]
	if slow.Evaluations != busy.calls.Load() || fast.Evaluations == 0 || slow.Device != 0 || fast.Device != 1 {
		t.Errorf("devices %+v, the first was called %d times", rep.Devices, busy.calls.Load())
	}
	for _, d := range rep.Devices {
		if d.BusyShare < 0 || d.BusyShare > 1 || d.Busy > rep.Seconds {
			t.Errorf("device %+v in %g s", d, rep.Seconds)
		}
	}
	// Each of the two workers on it waits 2 ms in every evaluation, at best both at the same time.
	if least := float64(slow.Evaluations) * 0.002 / 2; slow.Busy < least {
		t.Errorf("the slow device was busy for %g s in %d evaluations, want at least %g", slow.Busy, slow.Evaluations, least)
	}
}

// Two evaluations at the same time are one stretch of busy time.
func TestBusyTimeDoesNotCountTwice(t *testing.T) {
	d := &device{Denoiser: &countingDenoiser{Denoiser: wordPoints(0), want: 8, delay: 50 * time.Millisecond}}
	began := time.Now()
	done := make(chan error)
	for range 4 {
		go func() { done <- d.Denoise(context.Background(), make([]float64, 96), make([]float64, 96), 1, nil) }()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if busy, n := d.used(); n != 4 || busy < 50*time.Millisecond || busy > time.Since(began) {
		t.Errorf("busy for %v in %d evaluations, all in %v", busy, n, time.Since(began))
	}
}

type shardList []ShardWork

func (l *shardList) ObserveShard(w ShardWork) { *l = append(*l, w) }

func TestShardsAreObserved(t *testing.T) {
	var got shardList
	began := time.Now()
	parts := wordParts(3, &memorySink{})
	parts.Adapter = &wordAdapter{reject: rejectSome}
	parts.Shards = &got
	rep := mustRun(t, wordPlan(1000, func(p *Plan) { p.ShardRows = 300 }), parts)
	if len(got) != 4 {
		t.Fatalf("%d shards, want 4", len(got))
	}
	sums := make(map[string]StageWork)
	for k, s := range got {
		if s.Shard != k || s.Err != nil || s.Began.Before(began) || !s.Ended.After(s.Began) || len(s.Stages) != 4 {
			t.Errorf("shard %+v", s)
		}
		for _, w := range s.Stages {
			if w.Began.Before(s.Began) || w.Ended.After(s.Ended) || w.Ended.Before(w.Began) || w.Units < 1 {
				t.Errorf("shard %d: stage %+v is not within %v to %v", k, w, s.Began, s.Ended)
			}
			sum := sums[w.Stage]
			sum.Units, sum.Rows, sum.Busy = sum.Units+w.Units, sum.Rows+w.Rows, sum.Busy+w.Busy
			sums[w.Stage] = sum
		}
	}
	for _, s := range rep.Stages {
		if sum := sums[s.Stage]; sum.Units != s.Units || sum.Rows != s.Rows || sum.Busy.Seconds() < 0.999*s.Busy || sum.Busy.Seconds() > 1.001*s.Busy {
			t.Errorf("stage %+v, its shards have %+v together", s, sum)
		}
	}
}

func TestShardsOfAFailedRunAreObserved(t *testing.T) {
	var got shardList
	parts := wordParts(2, &memorySink{failAt: 500})
	parts.Shards = &got
	_, err := Run(context.Background(), wordPlan(2000, func(p *Plan) { p.ShardRows = 200 }), parts)
	if !errors.Is(err, errSink) {
		t.Fatal(err)
	}
	for k, s := range got {
		if s.Shard != k || (s.Err == nil) != (k < 2) || k >= 2 && !errors.Is(s.Err, errSink) {
			t.Errorf("shard %d: %+v", k, s)
		}
	}
	if len(got) < 3 {
		t.Errorf("%d shards were observed, the third one failed", len(got))
	}
}

// What a total says is the sum of the reports of its runs, and no count goes down when one of them ends.
func TestTotalAddsUp(t *testing.T) {
	var total Total
	if now := total.Snapshot(); now.Drawn != 0 || now.Elapsed != 0 || now.Live != 0 {
		t.Errorf("before the first run: %+v", now)
	}
	stop := watchEverything(t, &total)
	reports := make([]*Report, 3)
	var running sync.WaitGroup
	for k := range reports {
		running.Go(func() {
			m, over := total.Follow()
			defer over()
			parts := wordParts(1+k, &memorySink{})
			parts.Adapter, parts.Monitor = &wordAdapter{reject: rejectSome}, m
			var err error
			if reports[k], err = Run(context.Background(), wordPlan(int64(500+100*k), func(p *Plan) { p.ShardRows = 200 }), parts); err != nil {
				t.Error(err)
			}
			over() // a second call, by the defer, changes nothing
		})
	}
	running.Wait()
	if stop() == 0 {
		t.Error("the total was not read while the runs worked")
	}
	if t.Failed() {
		return
	}
	var want Snapshot
	for _, rep := range reports {
		want.add(Snapshot{Asked: rep.Asked, Drawn: rep.Attempts, Retries: rep.Retries, Written: rep.Written, Bytes: rep.Bytes, Shards: int64(rep.Shards),
			Rejected: rep.Rejected, Warned: rep.Warned, Stages: rep.Stages, Queues: rep.Queues, Devices: rep.Devices})
	}
	now := total.Snapshot()
	if now.Asked != want.Asked || now.Drawn != want.Drawn || now.Retries != want.Retries || now.Written != want.Written || now.Bytes != want.Bytes ||
		now.Shards != want.Shards || !maps.Equal(now.Rejected, want.Rejected) || !maps.Equal(now.Warned, want.Warned) || now.Asked != 1800 {
		t.Errorf("total %+v, sum of the reports %+v", now, want)
	}
	for k, s := range now.Stages {
		if s.Units != want.Stages[k].Units || math.Abs(s.Busy-want.Stages[k].Busy) > 1e-6 || s.Workers != 0 { // seconds are summed in another order
			t.Errorf("stage %+v, want %+v and no workers", s, want.Stages[k])
		}
	}
	for k, q := range now.Queues {
		if q.Peak != want.Queues[k].Peak || q.Depth != 0 || q.Capacity != 0 {
			t.Errorf("queue %+v, want the peak %d and nothing else", q, want.Queues[k].Peak)
		}
	}
	if d := now.Devices[0]; d.Evaluations != want.Devices[0].Evaluations || d.BusyShare <= 0 || d.BusyShare > 1 || now.Live != 0 {
		t.Errorf("device %+v, want %+v; %d runs under way", d, want.Devices[0], now.Live)
	}
}
