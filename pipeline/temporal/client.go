package temporal

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/temporal"
)

// A Connection says where the server is. What is empty comes from Temporal's own environment variables and configuration
// file (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_CERT_PATH and others, TEMPORAL_PROFILE),
// and then from Temporal's defaults. Credentials come from there only.
type Connection struct {
	Address   string // host:port
	Namespace string
	TLS       bool         // also without certificates of our own
	Log       *slog.Logger // nothing of the SDK is logged above the level of debugging, faults excepted; nil for none
}

// A Client is a connection to the server.
type Client struct {
	sdk                client.Client
	address, namespace string
	data               converter.DataConverter
	log                *slog.Logger
}

// Dial connects to the server.
func Dial(ctx context.Context, c Connection) (*Client, error) {
	o, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, fmt.Errorf("temporal: the settings of TEMPORAL_... variables or Temporal's configuration file: %w", err)
	}
	if c.Address != "" {
		o.HostPort = c.Address
	}
	if c.Namespace != "" {
		o.Namespace = c.Namespace
	}
	if o.HostPort == "" {
		o.HostPort = client.DefaultHostPort
	}
	if o.Namespace == "" {
		o.Namespace = client.DefaultNamespace
	}
	if c.TLS && o.ConnectionOptions.TLS == nil {
		o.ConnectionOptions.TLS = &tls.Config{}
	}
	if _, _, err := net.SplitHostPort(o.HostPort); err != nil {
		return nil, fmt.Errorf("temporal: the address %q: %w; want host:port, such as %s", o.HostPort, err, client.DefaultHostPort)
	}
	if o.DataConverter == nil {
		o.DataConverter = converter.GetDefaultDataConverter()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	o.Logger = log.NewStructuredLogger(slog.New(quiet{c.Log.Handler()}))
	out := &Client{address: o.HostPort, namespace: o.Namespace, data: o.DataConverter, log: c.Log}
	if out.sdk, err = client.DialContext(ctx, o); err != nil {
		return nil, out.explain("connect", err)
	}
	return out, nil
}

// Close ends the connection.
func (c *Client) Close() { c.sdk.Close() }

// Address is host:port of the server, Namespace the part of it.
func (c *Client) Address() string   { return c.address }
func (c *Client) Namespace() string { return c.namespace }

// explain adds to an error of the server what was tried, where, and what to do.
func (c *Client) explain(what string, err error) error {
	var missing *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	hint := ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		hint = "; the namespace does not exist there: give another with --namespace, or create it (temporal operator namespace create)"
	case errors.As(err, &denied):
		hint = "; give credentials by TEMPORAL_API_KEY or TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH"
	case unreachable(err):
		hint = "; is it running, and is --address right? A server for trials: temporal server start-dev"
	}
	return fmt.Errorf("temporal: %s, server %s, namespace %s: %w%s", what, c.address, c.namespace, err, hint)
}

// unreachable says whether a request has not come to an answer.
func unreachable(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

// quiet lowers what the SDK says of its normal course to the level of debugging.
type quiet struct{ slog.Handler }

func (q quiet) lower(l slog.Level) slog.Level {
	if l < slog.LevelWarn {
		return min(l, slog.LevelDebug)
	}
	return l
}

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, q.lower(l))
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = q.lower(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(name string) slog.Handler   { return quiet{q.Handler.WithGroup(name)} }

// A Run is a run that was submitted. It is for one goroutine at a time.
type Run struct {
	ID        string
	TaskQueue string // empty until it is known
	client    *Client
	known     map[string]status // by ID, the last answers
}

// Submit starts a run, or finds the one that makes the same plan in the same place at the moment. An empty queue is that of
// the spec's device; zero limits are the default ones.
func (c *Client) Submit(ctx context.Context, spec Spec, queue string, limits Limits) (r *Run, existing bool, err error) {
	if err := spec.check(); err != nil {
		return nil, false, err
	}
	if _, err := spec.at(time.Time{}); err != nil {
		return nil, false, err
	}
	if queue == "" {
		queue = TaskQueue(spec.Device)
	}
	if limits == (Limits{}) {
		limits = DefaultLimits()
	}
	r = &Run{ID: runID(spec), TaskQueue: queue, client: c}
	_, err = c.sdk.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: r.ID, TaskQueue: queue, StaticSummary: "into " + spec.Settings[Out],
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
	}, runWorkflow, request{Spec: spec, Limits: limits})
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return r, true, nil
	}
	return r, false, c.explain("submit", err)
}

// runID names the run of a plan into a place.
func runID(s Spec) string {
	sum := sha256.Sum256([]byte(s.PlanSHA256 + " " + s.Settings[Out]))
	return fmt.Sprintf("pfgmgen-%.12s-%s", s.PlanSHA256, hex.EncodeToString(sum[:4]))
}

// Run is the run with an ID.
func (c *Client) Run(id string) *Run { return &Run{ID: id, client: c} }

// Cancel asks a run to stop. It ends when nothing works on it any more; the shards that are finished stay.
func (r *Run) Cancel(ctx context.Context) error {
	d, err := r.client.sdk.DescribeWorkflowExecution(ctx, r.ID, "")
	if err != nil {
		return r.explain("cancel", err)
	}
	if now := d.GetWorkflowExecutionInfo().GetStatus(); now != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return fmt.Errorf("temporal: cancel %s: the run has ended (%s)", r.ID, strings.ToLower(now.String()))
	}
	return r.explain("cancel", r.client.sdk.CancelWorkflow(ctx, r.ID, ""))
}

func (r *Run) explain(what string, err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("temporal: %s %s: no such run on %s, namespace %s, or it has ended", what, r.ID, r.client.address, r.client.namespace)
	}
	return r.client.explain(what+" "+r.ID, err)
}

// ErrCancelled is wrapped when a run was cancelled or terminated.
var ErrCancelled = errors.New("the run was cancelled")

// wait waits for the end of a run, however often the server is away meanwhile.
func (r *Run) wait(ctx context.Context) (Summary, error) {
	for {
		var sum Summary
		err := r.client.sdk.GetWorkflow(ctx, r.ID, "").Get(ctx, &sum)
		if err == nil || ctx.Err() != nil || !unreachable(err) {
			return sum, r.outcome(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
}

// outcome is the error of a run in the words of what failed in it.
func (r *Run) outcome(err error) error {
	var fault *sdk.ApplicationError
	var cancelled *sdk.CanceledError
	var terminated *sdk.TerminatedError
	var execution *sdk.WorkflowExecutionError
	var late *sdk.TimeoutError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &execution):
		return r.explain("wait for", err)
	case errors.As(err, &fault):
		again := "mend that and submit it again: what is finished stays"
		if fault.Type() == faultPassing || fault.Type() == faultStopped {
			again = "it was tried as often as allowed; " + again
		}
		return fmt.Errorf("temporal: run %s: %s (%s)", r.ID, fault.Message(), again)
	case errors.As(err, &late):
		return fmt.Errorf("temporal: run %s: %w: workers were lost as often as allowed; submit it again: what is finished stays", r.ID, err)
	case errors.As(err, &cancelled), errors.As(err, &terminated):
		return fmt.Errorf("temporal: run %s: %w; what is finished stays, submit it again for the rest", r.ID, ErrCancelled)
	}
	return fmt.Errorf("temporal: run %s: %w", r.ID, err)
}

// Progress is how far a run has come.
type Progress struct {
	Phase       string
	Out         string
	RunID       string // of the dataset; empty before it is prepared
	Shards      int
	ShardsDone  int
	Samples     int64
	SamplesDone int64    // those of unfinished shards included, as of their last heartbeats
	Running     int      // shards that are being made
	Workers     int      // that make them
	Faults      []string // the last faults of parts that are to be tried again, at most five
	NoWorker    string   // task queue, when nobody asks it for work
}

// Progress asks the run and its children how far they have come. It needs a worker, which answers.
func (r *Run) Progress(ctx context.Context) (Progress, error) {
	if idle, err := r.idle(ctx); err != nil || idle {
		return Progress{NoWorker: r.TaskQueue}, err
	}
	st, err := r.status(ctx, r.ID)
	if err != nil {
		return Progress{}, r.explain("look at", err)
	}
	p := Progress{Phase: st.Phase, Out: st.Out, RunID: st.RunID, Shards: st.Shards, ShardsDone: st.ShardsDone, Samples: st.Samples, SamplesDone: st.SamplesDone}
	workers := make(map[string]bool)
	if err := r.pending(ctx, r.ID, &p, workers); err != nil {
		return p, err
	}
	for _, id := range st.Children {
		// First what is finished, then what is under way: what ends in between is missed rather than counted twice.
		child, err := r.status(ctx, id)
		var missing *serviceerror.NotFound
		if errors.As(err, &missing) {
			continue // not started yet
		}
		if err != nil {
			return p, r.explain("look at", err)
		}
		p.ShardsDone += child.ShardsDone
		p.SamplesDone += child.SamplesDone
		if err := r.pending(ctx, id, &p, workers); err != nil {
			return p, err
		}
	}
	p.Workers = len(workers)
	return p, nil
}

// idle says whether nobody asks the queue of the run for work. The server remembers a worker that is gone for minutes.
func (r *Run) idle(ctx context.Context) (bool, error) {
	if r.TaskQueue == "" {
		d, err := r.client.sdk.DescribeWorkflowExecution(ctx, r.ID, "")
		if err != nil {
			return false, r.explain("look at", err)
		}
		r.TaskQueue = d.GetExecutionConfig().GetTaskQueue().GetName()
	}
	d, err := r.client.sdk.DescribeTaskQueue(ctx, r.TaskQueue, enums.TASK_QUEUE_TYPE_WORKFLOW)
	return err == nil && len(d.GetPollers()) == 0, r.explain("look at the task queue of", err)
}

// status asks a workflow how far it has come. While nobody answers, as when the worker that was asked has died, what it said
// last stands.
func (r *Run) status(ctx context.Context, id string) (status, error) {
	last, known := r.known[id]
	patience := 12 * time.Second // the server asks the worker that did the last step for 5 s before it asks others
	if known {
		patience = 2 * time.Second
	}
	once, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var st status
	v, err := r.client.sdk.QueryWorkflow(once, id, "", statusQuery)
	var missing *serviceerror.NotFound
	switch {
	case err != nil && known && ctx.Err() == nil && !errors.As(err, &missing):
		return last, nil
	case err != nil:
		return st, err
	}
	if err := v.Get(&st); err != nil {
		return st, err
	}
	if r.known == nil {
		r.known = make(map[string]status)
	}
	r.known[id] = st
	return st, nil
}

// pending adds what the activities of a workflow that have not ended have sent by heartbeat.
func (r *Run) pending(ctx context.Context, id string, p *Progress, workers map[string]bool) error {
	d, err := r.client.sdk.DescribeWorkflowExecution(ctx, id, "")
	if err != nil {
		return r.explain("look at", err)
	}
	for _, a := range d.GetPendingActivities() {
		isShard := a.GetActivityType().GetName() == shardActivity
		if a.GetState() == enums.PENDING_ACTIVITY_STATE_STARTED {
			workers[a.GetLastWorkerIdentity()] = true
			if isShard {
				p.Running++
			}
		}
		var samples int64
		if isShard && a.GetHeartbeatDetails() != nil && r.client.data.FromPayloads(a.GetHeartbeatDetails(), &samples) == nil {
			p.SamplesDone += samples
		}
		if fault := a.GetLastFailure().GetMessage(); fault != "" && len(p.Faults) < 5 {
			if !strings.Contains(fault, ":") {
				fault = a.GetActivityId() + ": " + fault // of the engine itself, such as a timeout
			}
			p.Faults = append(p.Faults, fmt.Sprintf("attempt %d after: %s", a.GetAttempt(), fault))
		}
	}
	return nil
}

// Follow waits for the end of a run and meanwhile observes it every so often. The error of an observation, as when the
// server is away, goes to observe too and does not end the waiting.
func (r *Run) Follow(ctx context.Context, every time.Duration, observe func(Progress, error)) (Summary, error) {
	type end struct {
		sum Summary
		err error
	}
	ends := make(chan end, 1)
	go func() {
		sum, err := r.wait(ctx)
		ends <- end{sum, err}
	}()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case e := <-ends:
			if ctx.Err() != nil && e.err != nil {
				return e.sum, ctx.Err()
			}
			return e.sum, e.err
		case <-tick.C:
			p, err := r.Progress(ctx)
			select {
			case e := <-ends: // it ended while it was asked
				ends <- e
			default:
				if ctx.Err() == nil {
					observe(p, err)
				}
			}
		}
	}
}
