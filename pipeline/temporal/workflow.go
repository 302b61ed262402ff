package temporal

import (
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Names in histories. They outlive the names of the functions.
const (
	runWorkflow      = "pfgmgen.Run"
	shardsWorkflow   = "pfgmgen.Shards"
	prepareActivity  = "pfgmgen.Prepare"
	shardActivity    = "pfgmgen.Shard"
	finalizeActivity = "pfgmgen.Finalize"
	statusQuery      = "status"
	belowMinValid    = "BelowMinValid" // type of an error
)

// scheduledTime is what the server notes on runs that a schedule starts.
var scheduledTime = sdk.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// Limits bound the histories of a run and say when an attempt has failed. A run keeps those that it was submitted with.
type Limits struct {
	ShardsPerChild int           `json:"shards_per_child"`
	Children       int           `json:"children"`   // at a time
	Window         int           `json:"window"`     // shards of a child at a time
	Heartbeat      time.Duration `json:"heartbeat"`  // without one for so long, a worker is dead
	Attempts       int32         `json:"attempts"`   // of an activity, lost workers included
	FirstWait      time.Duration `json:"first_wait"` // after the first fault; doubles
	LastWait       time.Duration `json:"last_wait"`
}

// DefaultLimits are those of Submit and CreateSchedule.
func DefaultLimits() Limits {
	return Limits{ShardsPerChild: 500, Children: 8, Window: 100, Heartbeat: time.Minute, Attempts: 100, FirstWait: time.Second, LastWait: time.Minute}
}

// longest is what no activity takes. Heartbeats, not this, find out what is dead.
const longest = 7 * 24 * time.Hour

// A request is the argument of Run.
type request struct {
	Spec   Spec   `json:"spec"`
	Zone   string `json:"zone,omitempty"` // time zone of the schedule, UTC when empty
	Limits Limits `json:"limits"`
}

type prepareInput struct {
	Spec      Spec      `json:"spec"`
	Scheduled time.Time `json:"scheduled"` // zero without a schedule
	Zone      string    `json:"zone,omitempty"`
}

type prepared struct {
	Spec    Spec    `json:"spec"`
	Outline Outline `json:"outline"`
}

type childInput struct {
	Spec   Spec   `json:"spec"`
	Shards Shards `json:"shards"`
	Limits Limits `json:"limits"`
}

type shardInput struct {
	Spec  Spec `json:"spec"`
	Shard int  `json:"shard"`
}

// status is what queries of Run and Shards answer.
type status struct {
	Phase       string   `json:"phase"`
	Out         string   `json:"out,omitempty"`
	RunID       string   `json:"run_id,omitempty"`
	Shards      int      `json:"shards"`
	ShardsDone  int      `json:"shards_done"`
	Samples     int64    `json:"samples,omitempty"`
	SamplesDone int64    `json:"samples_done"` // of Run: of the shards that were there and of children that have ended
	Children    []string `json:"children,omitempty"`
}

// Phases of a run.
const (
	Preparing  = "preparing"
	Sampling   = "sampling"
	Finalizing = "finalizing"
	Finished   = "finished"
)

// run is the workflow of a dataset.
func run(ctx workflow.Context, req request) (Summary, error) {
	st := status{Phase: Preparing, Out: req.Spec.Settings[Out]}
	if err := workflow.SetQueryHandler(ctx, statusQuery, func() (status, error) { return st, nil }); err != nil {
		return Summary{}, err
	}
	at, _ := workflow.GetTypedSearchAttributes(ctx).GetTime(scheduledTime)
	var p prepared
	in := prepareInput{Spec: req.Spec, Scheduled: at, Zone: req.Zone}
	if err := workflow.ExecuteActivity(req.Limits.activity(ctx, "prepare"), prepareActivity, in).Get(ctx, &p); err != nil {
		return Summary{}, err
	}
	o := p.Outline
	st = status{Phase: Sampling, Out: p.Spec.Settings[Out], RunID: o.RunID, Shards: o.Shards, ShardsDone: o.Shards - len(o.Missing), Samples: o.Samples, SamplesDone: o.SamplesDone}
	children := o.Missing.cut(req.Limits.ShardsPerChild)
	err := fanOut(ctx, len(children), req.Limits.Children, func(ctx workflow.Context, i int) workflow.Future {
		id := childID(ctx, children[i])
		st.Children = append(st.Children, id)
		ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
			WorkflowID:          id,
			WaitForCancellation: true,                                     // a cancelled run is one that nothing works on
			ParentClosePolicy:   enums.PARENT_CLOSE_POLICY_REQUEST_CANCEL, // when the run is terminated
		})
		return workflow.ExecuteChildWorkflow(ctx, shardsWorkflow, childInput{p.Spec, children[i], req.Limits})
	}, func(ctx workflow.Context, i int, f workflow.Future) error {
		st.Children = without(st.Children, childID(ctx, children[i]))
		var done ShardResult
		if err := f.Get(ctx, &done); err != nil {
			return err
		}
		st.ShardsDone += len(children[i])
		st.SamplesDone += done.Samples
		return nil
	})
	if err != nil {
		return Summary{}, err
	}
	st.Phase = Finalizing
	var sum Summary
	if err := workflow.ExecuteActivity(req.Limits.activity(ctx, "finalize"), finalizeActivity, p.Spec).Get(ctx, &sum); err != nil {
		return Summary{}, err
	}
	if !at.IsZero() && sum.ValidShare < o.MinValid {
		return sum, sdk.NewNonRetryableApplicationError(fmt.Sprintf("%.3g %% of the draws were valid, the schedule asks for %.3g %%; the dataset was written to %s",
			100*sum.ValidShare, 100*o.MinValid, sum.Out), belowMinValid, nil)
	}
	st.Phase = Finished
	return sum, nil
}

// childID names the child of some shards. A run of the same ID before this one, which was terminated, may still have
// children that are winding up, so the server's own ID of the run is part of the name.
func childID(ctx workflow.Context, s Shards) string {
	info := workflow.GetInfo(ctx)
	return fmt.Sprintf("%s/%.8s/shards-%d", info.WorkflowExecution.ID, info.OriginalRunID, s[0])
}

func without(list []string, item string) []string {
	var out []string
	for _, x := range list {
		if x != item {
			out = append(out, x)
		}
	}
	return out
}

// shards is the workflow of some of a dataset's shards. Its result counts the samples of all.
func shards(ctx workflow.Context, in childInput) (ShardResult, error) {
	st := status{Phase: Sampling, Shards: len(in.Shards)}
	if err := workflow.SetQueryHandler(ctx, statusQuery, func() (status, error) { return st, nil }); err != nil {
		return ShardResult{}, err
	}
	err := fanOut(ctx, len(in.Shards), in.Limits.Window, func(ctx workflow.Context, i int) workflow.Future {
		ctx = in.Limits.activity(ctx, fmt.Sprintf("shard-%d", in.Shards[i]))
		return workflow.ExecuteActivity(ctx, shardActivity, shardInput{in.Spec, in.Shards[i]})
	}, func(ctx workflow.Context, _ int, f workflow.Future) error {
		var done ShardResult
		if err := f.Get(ctx, &done); err != nil {
			return err
		}
		st.ShardsDone++
		st.SamplesDone += done.Samples
		return nil
	})
	return ShardResult{Samples: st.SamplesDone}, err
}

// activity are the options of an activity called id.
func (l Limits) activity(ctx workflow.Context, id string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		ActivityID:          id,
		StartToCloseTimeout: longest,
		HeartbeatTimeout:    l.Heartbeat,
		WaitForCancellation: true,
		RetryPolicy: &sdk.RetryPolicy{
			InitialInterval: l.FirstWait, BackoffCoefficient: 2, MaximumInterval: l.LastWait, MaximumAttempts: l.Attempts,
			NonRetryableErrorTypes: []string{"PanicError"},
		},
	})
}

// fanOut starts n tasks in order, at most window at a time, and hands each to done when it has ended. After the first
// error it starts no more, cancels those under way, and returns the error when they have ended.
func fanOut(parent workflow.Context, n, window int, start func(ctx workflow.Context, i int) workflow.Future, done func(ctx workflow.Context, i int, f workflow.Future) error) error {
	ctx, cancel := workflow.WithCancel(parent)
	defer cancel()
	var failed error
	open := 0
	ends := workflow.NewSelector(ctx)
	for next := 0; ; {
		for ; next < n && open < window && failed == nil && ctx.Err() == nil; next++ {
			i := next
			open++
			ends.AddFuture(start(ctx, i), func(f workflow.Future) {
				open--
				if err := done(ctx, i, f); err != nil && failed == nil {
					failed = err
					cancel()
				}
			})
		}
		if open == 0 {
			break
		}
		ends.Select(ctx)
	}
	if failed == nil {
		failed = parent.Err() // cancelled between two tasks
	}
	return failed
}
