package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"pfgmgen/pipeline/temporal/temporaltest"
)

// TestEngine shares one server. Its parts have task queues of their own and mostly wait, so they run together.
func TestEngine(t *testing.T) {
	s := temporaltest.Start(t)
	c := dial(t, s.Addr)
	for name, test := range map[string]func(*testing.T, *Client){
		"WorkerKilled":  testWorkerKilled,
		"WorkerDrained": testWorkerDrained,
		"Cancel":        testCancel,
		"Terminate":     testTerminate,
		"Faults":        testFaults,
		"Schedule":      testSchedule,
		"Overlap":       testOverlap,
		"NoWorker":      testNoWorker,
		"Stubborn":      testStubborn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

func dial(t *testing.T, address string) *Client {
	t.Helper()
	c, err := Dial(t.Context(), Connection{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func submit(t *testing.T, c *Client, s Spec, queue string) *Run {
	t.Helper()
	r, existing, err := c.Submit(t.Context(), s, queue, quickLimits())
	if err != nil || existing {
		t.Fatalf("submit: existing %t, %v", existing, err)
	}
	return r
}

// A worker that is killed in the middle of a shard costs that shard, which another worker makes.
func testWorkerKilled(t *testing.T, c *Client) {
	s := testSpec(filepath.Join(t.TempDir(), "d"), "rows", "10", "step", "300ms")
	out := s.Settings[Out]
	first := startWorker(t, c.Address(), "killed")
	r := submit(t, c, s, "killed")
	if again, existing, err := c.Submit(t.Context(), s, "killed", quickLimits()); err != nil || !existing || again.ID != r.ID {
		t.Errorf("submitted again: %+v, existing %t, %v; want to find %s", again, existing, err, r.ID)
	}
	var seen []Progress
	type end struct {
		sum Summary
		err error
	}
	ends := make(chan end, 1)
	go func() {
		sum, err := r.Follow(t.Context(), 100*time.Millisecond, func(p Progress, err error) {
			if err == nil {
				seen = append(seen, p)
			} else {
				t.Log(err)
			}
		})
		ends <- end{sum, err}
	}()
	eventually(t, "the second shard is under way", func() bool { return count(logOf(t, out), 0, "start") == 2 })
	time.Sleep(time.Second)
	first.Process.Kill()
	first.Wait()
	second := startWorker(t, c.Address(), "killed")
	e := <-ends
	if e.err != nil {
		t.Fatal(e.err)
	}
	checkDataset(t, s, e.sum)
	lines := logOf(t, out)
	if a, b := count(lines, first.Process.Pid, "end"), count(lines, second.Process.Pid, "end"); a != 1 || b != 3 {
		t.Errorf("the first worker made %d shards, the second %d, want 1 and 3\n%v", a, b, lines)
	}
	if n := count(lines, 0, "prepare") + count(lines, 0, "finalize"); n != 2 {
		t.Errorf("prepared and finalized %d times, want once each", n)
	}
	between, faults := false, ""
	for _, p := range seen {
		between = between || p.Running == 1 && p.Workers == 1 && p.SamplesDone%10 != 0 && p.Samples == 40
		faults += strings.Join(p.Faults, "\n")
	}
	if !between {
		t.Errorf("no observation counts rows of an unfinished shard: %+v", seen)
	}
	if !strings.Contains(faults, "imeout") {
		t.Errorf("no observation says that a worker was lost: %+v", seen)
	}
}

// A worker that is asked to stop gives its shard back at once.
func testWorkerDrained(t *testing.T, c *Client) {
	s := testSpec(filepath.Join(t.TempDir(), "d"), "rows", "20", "shards", "2")
	first := startWorker(t, c.Address(), "drained")
	limits := quickLimits()
	limits.Heartbeat = time.Hour // so that it cannot be what finds out
	r, _, err := c.Submit(t.Context(), s, "drained", limits)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a shard is under way", func() bool { return count(logOf(t, s.Settings[Out]), 0, "start") == 1 })
	second := startWorker(t, c.Address(), "drained")
	eventually(t, "both shards are under way", func() bool { return count(logOf(t, s.Settings[Out]), 0, "start") == 2 })
	began := time.Now()
	first.Process.Signal(syscall.SIGTERM)
	first.Wait()
	if took := time.Since(began); took > 10*time.Second || first.ProcessState.ExitCode() != 75 {
		t.Errorf("the worker ended after %v with %d, want within 10 s with 75", took, first.ProcessState.ExitCode())
	}
	sum, err := r.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkDataset(t, s, sum)
	if lines := logOf(t, s.Settings[Out]); count(lines, second.Process.Pid, "end") != 2 || count(lines, first.Process.Pid, "stop") != 1 {
		t.Errorf("want both shards of the second worker and one stopped by the first:\n%v", lines)
	}
}

// Cancellation reaches the work within a heartbeat and stops it within a step. The same run can be submitted again.
func testCancel(t *testing.T, c *Client) {
	s := testSpec(filepath.Join(t.TempDir(), "d"), "rows", "8", "shards", "6")
	out := s.Settings[Out]
	o := quick("cancel")
	o.Slots = 2
	serve(t, c, fileWork{}, o)
	r := submit(t, c, s, "cancel")
	eventually(t, "the second pair of shards is under way", func() bool { return count(logOf(t, out), 0, "start") == 4 })
	began := time.Now()
	if err := r.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are stopped", func() bool { return count(logOf(t, out), 0, "stop") == 2 })
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the work stopped %v after the cancellation, with a heartbeat every 0.2 s and a step of 0.1 s", took)
	}
	if _, err := r.wait(t.Context()); !errors.Is(err, ErrCancelled) || !strings.Contains(err.Error(), "submit it again") {
		t.Errorf("a cancelled run ends with %v", err)
	}
	lines := logOf(t, out)
	if n := count(lines, 0, "start"); n != 4 {
		t.Errorf("%d shards were begun, want none after the cancellation", n-4)
	}
	if count(lines, 0, "finalize") != 0 {
		t.Error("a cancelled run was finalized")
	}
	if got := describe(t, c, r.ID); got != enums.WORKFLOW_EXECUTION_STATUS_CANCELED {
		t.Errorf("status %v", got)
	}
	if err := r.Cancel(t.Context()); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("cancelled again: %v", err)
	}
	sum, err := submit(t, c, s, "cancel").wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkDataset(t, s, sum)
	if n := count(logOf(t, out), 0, "start"); n != 4+4 {
		t.Errorf("%d shards were begun for the rest of the run, want 4", n-4)
	}
	replay(t, c, r.ID)
}

func describe(t *testing.T, c *Client, id string) enums.WorkflowExecutionStatus {
	t.Helper()
	d, err := c.sdk.DescribeWorkflowExecution(t.Context(), id, "")
	if err != nil {
		t.Fatal(err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

// A history that is lost loses nothing that was made: a run that was terminated is submitted again.
func testTerminate(t *testing.T, c *Client) {
	s := testSpec(filepath.Join(t.TempDir(), "d"))
	out := s.Settings[Out]
	serve(t, c, fileWork{}, quick("terminate"))
	r := submit(t, c, s, "terminate")
	eventually(t, "the third shard is under way", func() bool { return count(logOf(t, out), 0, "start") == 3 })
	if err := c.sdk.TerminateWorkflow(t.Context(), r.ID, "", "test"); err != nil {
		t.Fatal(err)
	}
	before := logOf(t, out)
	sum, err := submit(t, c, s, "terminate").wait(t.Context()) // at once, while the old run is winding up
	if err != nil {
		t.Fatal(err)
	}
	checkDataset(t, s, sum)
	after := logOf(t, out)
	if n := count(before, 0, "end"); n != 2 {
		t.Errorf("%d shards were finished before, want 2", n)
	}
	for _, l := range before {
		if k, ok := strings.CutPrefix(l.text, "end "); ok && count(after, 0, "start "+k) != 1 {
			t.Errorf("shard %s was finished, and was made again", k)
		}
	}
	lost := &Run{ID: r.ID, client: c}
	if _, err := lost.wait(t.Context()); err != nil {
		t.Errorf("the run that ended well is not the last one of its ID: %v", err)
	}
}

// Passing faults are tried again, permanent ones end the run with their words.
func testFaults(t *testing.T, c *Client) {
	serve(t, c, fileWork{}, quick("faults"))
	for _, test := range []struct {
		name   string
		change func(*Spec)
		want   string // in the error; none when the run ends well
		starts int    // of shard 2
	}{
		{"passing", func(s *Spec) { s.Settings["fault"] = "passing" }, "", 3},
		{"hangs", func(s *Spec) { s.Settings["fault"] = "hangs" }, "", 2},
		{"permanent", func(s *Spec) { s.Settings["fault"] = "permanent" }, "shard 2: read the model: the model 1234 is not on this worker; put it there (mend that", 1},
		{"panic", func(s *Spec) { s.Settings["fault"] = "panic" }, "a mistake", 1},
		{"device", func(s *Spec) { s.Device = "cuda" }, "the run is for cuda, this worker computes with test", 0},
		{"plan", func(s *Spec) { s.Settings["build"] = "other" }, "the builds differ", 0},
	} {
		s := testSpec(filepath.Join(t.TempDir(), test.name), "step", "5ms")
		test.change(&s)
		sum, err := submit(t, c, s, "faults").wait(t.Context())
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want == "":
			checkDataset(t, s, sum)
		case err == nil || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
		if n := count(logOf(t, s.Settings[Out]), 0, "start 2"); n != test.starts {
			t.Errorf("%s: shard 2 was begun %d times, want %d", test.name, n, test.starts)
		}
	}
	limits := quickLimits()
	limits.Attempts = 2
	s := testSpec(filepath.Join(t.TempDir(), "often"), "step", "5ms", "fault", "passing")
	r, _, err := c.Submit(t.Context(), s, "faults", limits)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.wait(t.Context()); err == nil || !strings.Contains(err.Error(), "the network is away (it was tried as often as allowed") {
		t.Errorf("after too many attempts: %v", err)
	}
}

// A schedule makes a dataset for each of its times, in a place that is named after the time.
func testSchedule(t *testing.T, c *Client) {
	dir := t.TempDir()
	serve(t, c, fileWork{}, quick("schedule"))
	s := testSpec(filepath.Join(dir, "{date}-{time}"), "step", "1ms", "seed", "{year}{month}{day}", "shards", "1")
	s.PlanSHA256 = ""
	sched := Schedule{Name: "nightly", Spec: s, TaskQueue: "schedule", Every: 2 * time.Second, Zone: "Asia/Tokyo", Overlap: "buffer-one", Limits: quickLimits()}
	if err := c.CreateSchedule(t.Context(), sched); err != nil {
		t.Fatal(err)
	}
	if err := c.CreateSchedule(t.Context(), sched); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("created twice: %v", err)
	}
	var made []string
	eventually(t, "two datasets are made", func() bool {
		var err error
		if made, err = filepath.Glob(filepath.Join(dir, "*", "done")); err != nil {
			t.Fatal(err)
		}
		return len(made) >= 2
	})
	if err := c.PauseSchedule(t.Context(), "nightly"); err != nil {
		t.Fatal(err)
	}
	list := listed(t, c, "nightly", true)
	if list.When != "every 2s Asia/Tokyo" || list.Out != s.Settings[Out] || list.Note == "" || len(list.Recent) < 2 {
		t.Errorf("the list says %+v", list)
	}
	// The ID of a run ends with the time that it was scheduled for, in UTC.
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range list.Recent[:2] {
		at, err := time.Parse(time.RFC3339, strings.TrimPrefix(id, "pfgmgen-nightly-"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := Expand(s.Settings[Out], at.In(zone))
		if err != nil {
			t.Fatal(err)
		}
		sum, err := c.Run(id).wait(t.Context())
		if err != nil || sum.Out != out || at.Second()%2 != 0 {
			t.Errorf("run %s made %s, want %s: %v", id, sum.Out, out, err)
		}
	}
	// Below its share of valid draws, a scheduled run fails and the dataset stays; a submitted one is for who submitted it to judge.
	strict := sched
	strict.Name, strict.Spec = "strict", testSpec(filepath.Join(dir, "strict"), "step", "1ms", "min-valid", "0.8")
	if err := c.CreateSchedule(t.Context(), strict); err != nil {
		t.Fatal(err)
	}
	var failed string
	eventually(t, "the strict schedule starts a run", func() bool {
		for _, id := range listed(t, c, "strict", false).Recent {
			failed = id
		}
		return failed != ""
	})
	if sum, err := c.Run(failed).wait(t.Context()); err == nil || !strings.Contains(err.Error(), "75 % of the draws were valid, the schedule asks for 80 %; the dataset was written to "+filepath.Join(dir, "strict")) {
		t.Errorf("a run below its share of valid draws: %+v, %v", sum, err)
	}
	if describe(t, c, failed) != enums.WORKFLOW_EXECUTION_STATUS_FAILED {
		t.Errorf("it is %v", describe(t, c, failed))
	}
	if sum, err := submit(t, c, testSpec(filepath.Join(dir, "submitted"), "step", "1ms", "min-valid", "0.8"), "schedule").wait(t.Context()); err != nil {
		t.Errorf("submitted: %+v, %v", sum, err)
	}
	checkDataset(t, strict.Spec, Summary{Rows: 20})
	cron := sched
	cron.Name, cron.Every, cron.Cron, cron.Paused, cron.Zone = "weekly", 0, []string{"0 3 * * 1"}, true, ""
	if err := c.CreateSchedule(t.Context(), cron); err != nil {
		t.Fatal(err)
	}
	if w := listed(t, c, "weekly", true); w.When != "0 3 * * 1" || len(w.Next) == 0 || w.Next[0].UTC().Weekday() != time.Monday || w.Next[0].UTC().Hour() != 3 {
		t.Errorf("the list says %+v", w)
	}
	if err := c.ResumeSchedule(t.Context(), "weekly"); err != nil {
		t.Fatal(err)
	}
	listed(t, c, "weekly", false)
	cron.Name, cron.Cron = "wrong", []string{"99 3 * * *"}
	if err := c.CreateSchedule(t.Context(), cron); err == nil || !strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong expression: %v", err)
	}
	for _, name := range []string{"nightly", "weekly", "strict"} {
		if err := c.DeleteSchedule(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	for what, f := range map[string]func(context.Context, string) error{"pause": c.PauseSchedule, "resume": c.ResumeSchedule, "delete": c.DeleteSchedule} {
		if err := f(t.Context(), "nobody"); err == nil || !strings.Contains(err.Error(), "no such schedule") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A held is work whose shards wait for the gate, or for the end of their context.
type held struct {
	fileWork
	gate chan struct{}
}

func (w held) Shard(ctx context.Context, s Spec, shard int, beat func(int64)) (ShardResult, error) {
	note(s.Settings[Out], "hold %d", shard)
	tick := time.NewTicker(time.Second) // signs of life, or it is taken for stalled
	defer tick.Stop()
	for n := int64(1); ; n++ {
		select {
		case <-w.gate:
			return w.fileWork.Shard(ctx, s, shard, beat)
		case <-ctx.Done():
			note(s.Settings[Out], "stop %d", shard)
			return ShardResult{}, ctx.Err()
		case <-tick.C:
			beat(n)
		}
	}
}

// What each policy does while a run does not end: for it, and for those that are due meanwhile.
func testOverlap(t *testing.T, c *Client) {
	const alone = 1
	for _, tc := range []struct {
		policy string
		stops  enums.WorkflowExecutionStatus // of the first run, while it holds
		most   int                           // runs that begin while it holds, 0 for more than one
		later  int                           // runs that begin at least, once it ends
	}{
		{"skip", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, alone, 1},
		{"buffer-one", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, alone, 2},
		{"buffer-all", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, alone, 3},
		{"cancel-other", enums.WORKFLOW_EXECUTION_STATUS_CANCELED, 0, 2},
		{"terminate-other", enums.WORKFLOW_EXECUTION_STATUS_TERMINATED, 0, 2},
		{"allow-all", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, 0, 2},
	} {
		t.Run(tc.policy, func(t *testing.T) {
			t.Parallel()
			dir, queue, gate := t.TempDir(), "overlap-"+tc.policy, make(chan struct{})
			o := quick(queue)
			o.Slots = 30
			serve(t, c, held{gate: gate}, o)
			s := testSpec(filepath.Join(dir, "{date}-{time}"), "step", "1ms", "shards", "1")
			s.PlanSHA256 = ""
			began := func() (outs []string) {
				logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
				if err != nil {
					t.Fatal(err)
				}
				for _, name := range logs { // in the order of the times
					if out := strings.TrimSuffix(name, ".log"); count(logOf(t, out), 0, "hold") > 0 {
						outs = append(outs, out)
					}
				}
				return outs
			}
			if err := c.CreateSchedule(t.Context(), Schedule{Name: queue, Spec: s, TaskQueue: queue, Every: time.Second, Overlap: tc.policy, Limits: quickLimits()}); err != nil {
				t.Fatal(err)
			}
			defer c.DeleteSchedule(context.Background(), queue)
			eventually(t, "the first run is at work", func() bool { return len(began()) > 0 })
			first := began()[0]
			at, err := time.Parse("2006-01-02-150405", filepath.Base(first))
			if err != nil {
				t.Fatal(err)
			}
			id := "pfgmgen-" + queue + "-" + at.Format(time.RFC3339)
			time.Sleep(time.Until(at.Add(3500 * time.Millisecond))) // three more were due by then
			if tc.most == alone {
				if n := len(began()); n != 1 {
					t.Errorf("%d runs began while the first one was at work, want it alone", n)
				}
			} else {
				eventually(t, "another run begins beside the first one", func() bool { return len(began()) > 1 })
			}
			if tc.stops != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
				eventually(t, "the first run stops, and its shard", func() bool { return describe(t, c, id) == tc.stops && count(logOf(t, first), 0, "stop") == 1 })
			} else if is := describe(t, c, id); is != tc.stops || count(logOf(t, first), 0, "stop") > 0 {
				t.Errorf("the first run is %v, want it at work", is)
			}
			close(gate)
			eventually(t, fmt.Sprintf("%d runs have begun", tc.later), func() bool { return len(began()) >= tc.later })
			if tc.stops == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
				if sum, err := c.Run(id).wait(t.Context()); err != nil || sum.Out != first {
					t.Errorf("the first run made %s: %v", sum.Out, err)
				}
			}
			if tc.policy == "skip" {
				d, err := c.sdk.ScheduleClient().GetHandle(t.Context(), queue).Describe(t.Context())
				if err != nil || d.Info.NumActionsSkippedOverlap < 2 {
					t.Errorf("%d runs were skipped, want at least 2: %v", d.Info.NumActionsSkippedOverlap, err)
				}
			}
		})
	}
}

// listed waits until the list shows a schedule as paused or not; it follows changes with a delay.
func listed(t *testing.T, c *Client, name string, paused bool) (found ScheduleState) {
	t.Helper()
	eventually(t, fmt.Sprintf("schedule %s is listed, paused %t", name, paused), func() bool {
		list, err := c.Schedules(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Name == name && s.Paused == paused {
				found = s
				return true
			}
		}
		return false
	})
	return found
}

// Without a worker the run waits, and whoever looks is told.
func testNoWorker(t *testing.T, c *Client) {
	r := submit(t, c, testSpec(filepath.Join(t.TempDir(), "d")), "nobody")
	for _, r := range []*Run{r, c.Run(r.ID)} {
		p, err := r.Progress(t.Context())
		if err != nil || p.NoWorker != "nobody" {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if _, err := c.Run("no-such-run").Progress(t.Context()); err == nil || !strings.Contains(err.Error(), "no such run") {
		t.Errorf("a run that does not exist: %v", err)
	}
	if _, err := c.Run("no-such-run").wait(t.Context()); err == nil || !strings.Contains(err.Error(), "no such run") {
		t.Errorf("a run that does not exist: %v", err)
	}
}

// stubborn does not stop.
type stubborn struct {
	fileWork
	free chan struct{}
}

func (w stubborn) Shard(_ context.Context, s Spec, shard int, _ func(int64)) (ShardResult, error) {
	note(s.Settings[Out], "start %d", shard)
	<-w.free
	return ShardResult{}, errors.New("too late")
}

// A worker whose work does not obey ends all the same, and another makes the shard.
func testStubborn(t *testing.T, c *Client) {
	s := testSpec(filepath.Join(t.TempDir(), "d"), "shards", "1", "rows", "1")
	w := stubborn{free: make(chan struct{})}
	defer close(w.free)
	o := quick("stubborn")
	o.Grace = 2 * time.Second
	stop := serve(t, c, w, o)
	r := submit(t, c, s, "stubborn")
	eventually(t, "the shard is under way", func() bool { return count(logOf(t, s.Settings[Out]), 0, "start") == 1 })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 2*o.Grace {
		t.Errorf("the worker ended after %v, with %v of grace", took, o.Grace)
	}
	serve(t, c, fileWork{}, quick("stubborn"))
	sum, err := r.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkDataset(t, s, sum)
}

// A server that is killed and comes back stops nothing: not the worker, not the shard that it is making, not the submitter.
func TestServerKilled(t *testing.T) {
	s := temporaltest.Start(t)
	c := dial(t, s.Addr)
	spec := testSpec(filepath.Join(t.TempDir(), "d"), "rows", "30", "shards", "3")
	w := startWorker(t, s.Addr, "server")
	limits := quickLimits()
	limits.Heartbeat = time.Minute
	r, _, err := c.Submit(t.Context(), spec, "server", limits)
	if err != nil {
		t.Fatal(err)
	}
	type end struct {
		sum Summary
		err error
	}
	ends := make(chan end, 1)
	go func() {
		sum, err := r.Follow(t.Context(), 200*time.Millisecond, func(Progress, error) {})
		ends <- end{sum, err}
	}()
	out := spec.Settings[Out]
	eventually(t, "the second shard is under way", func() bool { return count(logOf(t, out), 0, "start") == 2 })
	s.Kill()
	time.Sleep(time.Second)
	s.Restart()
	e := <-ends
	if e.err != nil {
		t.Fatal(e.err)
	}
	checkDataset(t, spec, e.sum)
	lines := logOf(t, out)
	if count(lines, w.Process.Pid, "end") != count(lines, 0, "end") || count(lines, 0, "start 1") != 1 {
		t.Errorf("the shard under way was begun more than once:\n%v", lines)
	}
}

// Thousands of shards fit: no history comes near its bounds, and each can be replayed.
func TestFanOut(t *testing.T) {
	s := temporaltest.Start(t)
	c := dial(t, s.Addr)
	const n = 2000
	spec := testSpec(filepath.Join(t.TempDir(), "d"), "shards", fmt.Sprint(n), "rows", "1", "step", "0s")
	o := quick("many")
	o.Slots = 64
	serve(t, c, fileWork{}, o)
	began := time.Now()
	r, _, err := c.Submit(t.Context(), spec, "many", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := r.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d shards in %v", n, time.Since(began))
	checkDataset(t, spec, sum)
	if started := count(logOf(t, spec.Settings[Out]), 0, "start"); started != n {
		t.Errorf("%d shards were begun, want %d", started, n)
	}
	children := 0
	for _, e := range replay(t, c, r.ID).Events {
		a := e.GetStartChildWorkflowExecutionInitiatedEventAttributes()
		if a == nil {
			continue
		}
		children++
		h := replay(t, c, a.GetWorkflowId())
		t.Logf("%s: %d events, %d bytes", a.GetWorkflowId(), len(h.Events), h.Size())
		if len(h.Events) > 5000 || h.Size() > 2<<20 {
			t.Errorf("%s has %d events, %d bytes", a.GetWorkflowId(), len(h.Events), h.Size())
		}
		for _, e := range h.Events {
			if e.Size() > 4<<10 {
				t.Errorf("%s: event %d has %d bytes", a.GetWorkflowId(), e.GetEventId(), e.Size())
			}
		}
	}
	if want := (n + 499) / 500; children != want {
		t.Errorf("%d children, want %d", children, want)
	}
	// A parent of 200 children has the events of each, and no more.
	h := replay(t, c, r.ID)
	t.Logf("%s: %d events, %d bytes", r.ID, len(h.Events), h.Size())
	if len(h.Events) > 30+10*children {
		t.Errorf("the parent has %d events for %d children", len(h.Events), children)
	}
}

// replay runs the code against a finished history, which finds what is not deterministic.
func replay(t *testing.T, c *Client, id string) *history.History {
	t.Helper()
	var h history.History
	events := c.sdk.GetWorkflowHistory(t.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			t.Fatal(err)
		}
		h.Events = append(h.Events, e)
	}
	r := worker.NewWorkflowReplayer()
	registerWorkflows(r)
	// Children are named after the run, so its ID matters.
	if err := r.ReplayWorkflowHistoryWithOptions(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), &h, worker.ReplayWorkflowHistoryOptions{OriginalExecution: workflow.Execution{ID: id}}); err != nil {
		t.Errorf("replay of %s: %v", id, err)
	}
	return &h
}
