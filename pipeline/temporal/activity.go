package temporal

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
)

// activities are the parts of a run that touch the world.
type activities struct {
	work     Work
	device   string
	client   client.Client
	log      *slog.Logger
	beat     time.Duration
	stall    time.Duration
	draining context.Context // ends when the worker is to stop
}

func (a *activities) prepare(ctx context.Context, in prepareInput) (prepared, error) {
	return attempt(ctx, a, "prepare", in.Spec, func(ctx context.Context, _ func(int64)) (prepared, error) {
		at := in.Scheduled
		if in.Zone != "" && !at.IsZero() {
			zone, err := time.LoadLocation(in.Zone)
			if err != nil {
				return prepared{}, fmt.Errorf("the time zone of the schedule: %w; install time zone data on this worker", err)
			}
			at = at.In(zone)
		}
		spec, err := in.Spec.at(at)
		if err != nil {
			return prepared{}, Permanent(err)
		}
		o, err := a.work.Prepare(ctx, spec)
		if err != nil {
			return prepared{}, err
		}
		if spec.PlanSHA256 != "" && spec.PlanSHA256 != o.PlanSHA256 {
			return prepared{}, Permanent(fmt.Errorf("the same settings make the plan %.12s here and %.12s where the run was submitted: the builds differ; use one build of pfgmgen for both", o.PlanSHA256, spec.PlanSHA256))
		}
		spec.PlanSHA256 = o.PlanSHA256
		return prepared{spec, o}, nil
	}, 0)
}

func (a *activities) shard(ctx context.Context, in shardInput) (ShardResult, error) {
	return attempt(ctx, a, fmt.Sprintf("shard %d", in.Shard), in.Spec, func(ctx context.Context, beat func(int64)) (ShardResult, error) {
		return a.work.Shard(ctx, in.Spec, in.Shard, beat)
	}, a.stall)
}

func (a *activities) finalize(ctx context.Context, spec Spec) (Summary, error) {
	return attempt(ctx, a, "finalize", spec, func(ctx context.Context, _ func(int64)) (Summary, error) {
		return a.work.Finalize(ctx, spec)
	}, 0)
}

// attempt does one part of the work and sends heartbeats meanwhile. stall is how long nothing may be counted, 0 for ever.
func attempt[T any](ctx context.Context, a *activities, what string, spec Spec, do func(ctx context.Context, beat func(int64)) (T, error), stall time.Duration) (T, error) {
	var none T
	if spec.Device != a.device {
		return none, verdict(ctx, what, Permanent(fmt.Errorf("the run is for %s, this worker computes with %s: start workers with the device that their task queue is for", spec.Device, a.device)))
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(a.draining, func() { stop(errDraining) })()
	c := &counter{}
	c.count(0)
	silent := make(chan struct{})
	go func() {
		defer close(silent)
		a.heartbeats(ctx, stop, c, stall)
	}()
	result, err := do(ctx, c.count)
	err = verdict(ctx, what, err)
	stop(nil)
	<-silent
	return result, err
}

// A counter is what a Work has counted, and when.
type counter struct{ samples, at atomic.Int64 }

func (c *counter) count(samples int64) {
	c.samples.Store(samples)
	c.at.Store(time.Now().UnixNano())
}

// heartbeats tells the server of an attempt until ctx ends, and ends it when the server says so. These are not the SDK's
// own heartbeats, which end an activity when the server is out of reach for one interval.
func (a *activities) heartbeats(ctx context.Context, stop context.CancelCauseFunc, c *counter, stall time.Duration) {
	token := activity.GetInfo(ctx).TaskToken
	tick := time.NewTicker(a.beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if stall > 0 && time.Since(time.Unix(0, c.at.Load())) > stall {
			stop(errStalled)
			return
		}
		once, cancel := context.WithTimeout(ctx, max(a.beat, time.Second))
		err := a.client.RecordActivityHeartbeat(once, token, c.samples.Load())
		cancel()
		if why := ended(err); why != nil {
			stop(why)
			return
		}
		if err != nil && ctx.Err() == nil {
			a.log.Debug("a heartbeat did not reach the server", "error", err)
		}
	}
}
