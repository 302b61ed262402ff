package temporal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"
)

func TestShardsText(t *testing.T) {
	for _, test := range []struct {
		shards Shards
		want   string
	}{{nil, `""`}, {Shards{0}, `"0"`}, {Shards{0, 1}, `"0-1"`}, {Shards{0, 1, 2, 5, 7, 8}, `"0-2,5,7-8"`}, {Shards{99999}, `"99999"`}} {
		text := asJSON(t, test.shards)
		var back Shards
		if err := json.Unmarshal([]byte(text), &back); err != nil || text != test.want || !slices.Equal(back, test.shards) {
			t.Errorf("%v: %s, back %v, %v; want %s", test.shards, text, back, err, test.want)
		}
	}
	var worst Shards
	for k := 0; k < 100000; k += 2 {
		worst = append(worst, k)
	}
	if n := len(asJSON(t, worst)); n > 300000 {
		t.Errorf("%d bytes for every other shard", n)
	}
	for _, bad := range []string{"a", "1-", "-1", "2-1", "1,1", "1-3,2", "0-9999999", ",", "1,", "1 "} {
		if err := new(Shards).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func FuzzShards(f *testing.F) {
	f.Add("0-3,5")
	f.Fuzz(func(t *testing.T, text string) {
		var s Shards
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		again, err := s.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back Shards
		if err := back.UnmarshalText(again); err != nil || !slices.Equal(s, back) {
			t.Errorf("%q: %v, then %q: %v, %v", text, s, again, back, err)
		}
	})
}

func TestExpand(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]string{
		"s3://b/rna/{date}": "s3://b/rna/2026-01-02", "{date}/{time}": "2026-01-02/030405", "{year}{month}{day}{hour}": "2026010203", "plain": "plain",
	} {
		if got, err := Expand(text, at); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"{dat}", "{}", "{date", "date}", "{{date}}", "{Date}", "a{run}b"} {
		if got, err := Expand(text, at); err == nil || !strings.Contains(err.Error(), "there are {date}") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func TestSpecs(t *testing.T) {
	c := &Client{} // nothing of these reaches a server
	good := testSpec("d")
	for _, test := range []struct {
		change func(*Spec)
		want   string
	}{
		{func(s *Spec) { s.Settings[Out] = "" }, "no place"},
		{func(s *Spec) { s.Device = "" }, "no class of device"},
		{func(s *Spec) { s.Settings["label"] = strings.Repeat("x", maxSpec) }, "at most 16384"},
		{func(s *Spec) { s.Settings[Out] = "d/{date}" }, "placeholders are for schedules"},
	} {
		s := good
		s.Settings = map[string]string{Out: "d"}
		test.change(&s)
		if _, _, err := c.Submit(t.Context(), s, "", Limits{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	for _, test := range []struct {
		change func(*Schedule)
		want   string
	}{
		{func(s *Schedule) { s.Name = "" }, "needs a name"},
		{func(s *Schedule) { s.Every = 0 }, "one of the two"},
		{func(s *Schedule) { s.Cron = []string{"@daily"} }, "one of the two"},
		{func(s *Schedule) { s.Every = time.Millisecond }, "at least 1s"},
		{func(s *Schedule) { s.Zone = "Mars/Base" }, "Europe/Berlin"},
		{func(s *Schedule) { s.Overlap = "never" }, "want one of allow-all, buffer-all"},
		{func(s *Schedule) { s.Spec.Settings = map[string]string{Out: "d/{run}"} }, `"{run}" is no placeholder`},
		{func(s *Schedule) { s.Spec.Settings = map[string]string{Out: "d", "seed": "{week}"} }, `--seed "{week}"`},
		{func(s *Schedule) { s.Spec.Device = "" }, "no class of device"},
	} {
		s := Schedule{Name: "s", Spec: good, Every: time.Hour}
		test.change(&s)
		if err := c.CreateSchedule(t.Context(), s); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	other := good
	other.PlanSHA256 = "another"
	if runID(good) == runID(other) || runID(good) == runID(testSpec("e")) || runID(good) != runID(testSpec("d")) {
		t.Error("the ID of a run does not follow its plan and its place")
	}
}

func TestDialErrors(t *testing.T) {
	if _, err := Dial(t.Context(), Connection{Address: "nowhere"}); err == nil || !strings.Contains(err.Error(), "want host:port") {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := Dial(ctx, Connection{Address: "127.0.0.1:1", Namespace: "n"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1, namespace n") || !strings.Contains(err.Error(), "start-dev") {
		t.Error(err)
	}
	t.Setenv("TEMPORAL_PROFILE", "none-such")
	if _, err := Dial(t.Context(), Connection{}); err == nil || !strings.Contains(err.Error(), "TEMPORAL_") {
		t.Error(err)
	}
}

func TestVerdict(t *testing.T) {
	run, stop := context.WithCancelCause(context.Background())
	var fault *sdk.ApplicationError
	if err := verdict(run, "shard 1", nil); err != nil {
		t.Error(err)
	}
	if err := verdict(run, "shard 1", errors.New("x")); !errors.As(err, &fault) || fault.NonRetryable() || fault.Message() != "shard 1: x" {
		t.Error(err)
	}
	if err := verdict(run, "shard 1", fmt.Errorf("a: %w", Permanent(errors.New("b")))); !errors.As(err, &fault) || !fault.NonRetryable() || fault.Message() != "shard 1: a: b" {
		t.Error(err)
	}
	if err := verdict(run, "shard 1", errors.New(strings.Repeat("x", 1<<20))); len(err.Error()) > maxMessage+100 {
		t.Errorf("a message of %d bytes", len(err.Error()))
	}
	stop(errDraining)
	if err := verdict(run, "shard 1", context.Canceled); !errors.As(err, &fault) || fault.NonRetryable() || fault.NextRetryDelay() == 0 || fault.NextRetryDelay() > time.Second {
		t.Error(err)
	}
	if err := verdict(run, "shard 1", nil); err != nil {
		t.Errorf("a shard that was finished all the same: %v", err)
	}
	cancelled, stop := context.WithCancelCause(context.Background())
	stop(errCancelled)
	var c *sdk.CanceledError
	if err := verdict(cancelled, "shard 1", context.Canceled); !errors.As(err, &c) {
		t.Error(err)
	}
	for want, err := range map[error]error{nil: errors.New("no answer"), errPaused: activity.ErrActivityPaused, errCancelled: sdk.NewCanceledError()} {
		if got := ended(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// The SDK is quiet: what it says of its normal course is for debugging.
func TestQuiet(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(quiet{slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelInfo})}).With("a", 1).WithGroup("g")
	log.Info("normal")
	log.Warn("fault")
	if got := b.String(); strings.Contains(got, "normal") || !strings.Contains(got, "fault") {
		t.Error(got)
	}
}

// newTest is a run in the SDK's own simulation, which has no bounds and needs no server.
func newTest(t *testing.T, o Outline, shard func(ctx context.Context, in shardInput) (ShardResult, error)) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	e := suite.NewTestWorkflowEnvironment()
	e.SetTestTimeout(time.Minute)
	registerWorkflows(e)
	e.RegisterActivityWithOptions(func(_ context.Context, in prepareInput) (prepared, error) { return prepared{in.Spec, o}, nil }, activity.RegisterOptions{Name: prepareActivity})
	e.RegisterActivityWithOptions(shard, activity.RegisterOptions{Name: shardActivity})
	e.RegisterActivityWithOptions(func(context.Context, Spec) (Summary, error) { return Summary{Rows: o.Samples}, nil }, activity.RegisterOptions{Name: finalizeActivity})
	return e
}

// 100,000 shards, some of them finished, are cut into children, of which few are open at a time.
func TestManyChildren(t *testing.T) {
	o := Outline{Shards: 100000, Samples: 100000, SamplesDone: 1}
	for k := range o.Shards {
		if k != 77 {
			o.Missing = append(o.Missing, k)
		}
	}
	e := newTest(t, o, nil)
	var sizes []int
	open, most := 0, 0
	e.RegisterWorkflowWithOptions(func(ctx workflow.Context, in childInput) (ShardResult, error) {
		open++
		most = max(most, open)
		sizes = append(sizes, len(in.Shards))
		err := workflow.Sleep(ctx, time.Minute)
		open--
		return ShardResult{Samples: int64(len(in.Shards))}, err
	}, workflow.RegisterOptions{Name: shardsWorkflow, DisableAlreadyRegisteredCheck: true})
	e.ExecuteWorkflow(runWorkflow, request{Spec: testSpec("d"), Limits: DefaultLimits()})
	if err := e.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	if len(sizes) != 200 || total != 99999 || slices.Max(sizes) != 500 || most != 8 {
		t.Errorf("%d children of %d shards, %d in all, %d at a time; want 200 of 500, 99999, 8", len(sizes), slices.Max(sizes), total, most)
	}
	v, err := e.QueryWorkflow(statusQuery)
	if err != nil {
		t.Fatal(err)
	}
	var st status
	if err := v.Get(&st); err != nil || st.Phase != Finished || st.ShardsDone != 100000 || st.SamplesDone != 100000 || len(st.Children) != 0 {
		t.Errorf("at the end: %+v, %v", st, err)
	}
}

// After a permanent fault nothing new is begun.
func TestFaultStopsTheRest(t *testing.T) {
	o := Outline{Shards: 1000, Samples: 1000}
	for k := range o.Shards {
		o.Missing = append(o.Missing, k)
	}
	var begun atomic.Int64
	e := newTest(t, o, func(_ context.Context, in shardInput) (ShardResult, error) {
		begun.Add(1)
		if in.Shard == 5 {
			return ShardResult{}, sdk.NewNonRetryableApplicationError("shard 5: no", faultPermanent, nil)
		}
		return ShardResult{Samples: 1}, nil
	})
	limits := DefaultLimits()
	limits.Window, limits.Children = 2, 1
	e.ExecuteWorkflow(runWorkflow, request{Spec: testSpec("d"), Limits: limits})
	var fault *sdk.ApplicationError
	if err := e.GetWorkflowError(); !errors.As(err, &fault) || fault.Message() != "shard 5: no" {
		t.Errorf("error %v", err)
	}
	if n := begun.Load(); n > 100 { // the simulation runs ahead of the workflow
		t.Errorf("%d shards were begun", n)
	}
}
