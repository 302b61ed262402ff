package temporal

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// WorkerOptions say how a worker works. The zero value of a field is its default.
type WorkerOptions struct {
	TaskQueue string        // TaskQueue(Device)
	Device    string        // class of its devices; no default
	Slots     int           // shards at a time, 1
	Beat      time.Duration // between heartbeats, 5 s
	Stall     time.Duration // a shard that counts nothing for so long is given up, 30 min
	Grace     time.Duration // for the work to stop at the end, 8 s
	Ready     func()        // called when the worker has begun to ask for work
}

// TaskQueue is the queue of a class of devices.
func TaskQueue(device string) string { return "pfgmgen-" + device }

func (o WorkerOptions) withDefaults() WorkerOptions {
	if o.TaskQueue == "" {
		o.TaskQueue = TaskQueue(o.Device)
	}
	if o.Slots == 0 {
		o.Slots = 1
	}
	if o.Beat == 0 {
		o.Beat = 5 * time.Second
	}
	if o.Stall == 0 {
		o.Stall = 30 * time.Minute
	}
	if o.Grace == 0 {
		o.Grace = 8 * time.Second
	}
	if o.Ready == nil {
		o.Ready = func() {}
	}
	return o
}

// Serve does what the task queue holds until ctx ends. Then it takes nothing new, stops the work under way, which goes to
// other workers at once, and returns nil. It waits for the server when that is away, and only returns an error for what
// does not pass, such as a namespace that does not exist.
func (c *Client) Serve(ctx context.Context, work Work, o WorkerOptions) error {
	o = o.withDefaults()
	fatal := make(chan error, 1)
	w := worker.New(c.sdk, o.TaskQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: o.Slots,
		MaxConcurrentActivityTaskPollers:   min(max(2, o.Slots/4), 16), // each fetches one shard at a time
		WorkerStopTimeout:                  o.Grace,
		// The queue alone decides who makes a shard.
		DisableEagerActivities: true,
		// The sampler may take every core, so that a workflow that is well waits for more than the default second.
		DeadlockDetectionTimeout: 20 * time.Second,
		OnFatalError: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		},
	})
	register(w, &activities{work: work, device: o.Device, client: c.sdk, log: c.log, beat: o.Beat, stall: o.Stall, draining: ctx})
	if err := w.Start(); err != nil {
		return c.explain("start the worker", err)
	}
	defer w.Stop()
	o.Ready()
	select {
	case <-ctx.Done():
		return nil
	case err := <-fatal:
		return fmt.Errorf("temporal: the worker of %s cannot go on: %w", o.TaskQueue, err)
	}
}

type registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

func register(w registry, a *activities) {
	registerWorkflows(w)
	w.RegisterActivityWithOptions(a.prepare, activity.RegisterOptions{Name: prepareActivity})
	w.RegisterActivityWithOptions(a.shard, activity.RegisterOptions{Name: shardActivity})
	w.RegisterActivityWithOptions(a.finalize, activity.RegisterOptions{Name: finalizeActivity})
}

func registerWorkflows(w interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
}) {
	w.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: runWorkflow})
	w.RegisterWorkflowWithOptions(shards, workflow.RegisterOptions{Name: shardsWorkflow})
}
