package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/pipeline"
	"pfgmgen/pipeline/temporal"
	"pfgmgen/pipeline/temporal/temporaltest"
)

// Every setting of the plan that is a flag of run goes to the workers, and nothing does that is no flag.
func TestRemoteSettingsAreThoseOfThePlan(t *testing.T) {
	var flags []string
	for _, f := range runCommand(newEnv(nil, nil)).Flags {
		flags = append(flags, f.Names()[0])
	}
	for _, name := range remoteSettings {
		if !slices.Contains(flags, name) {
			t.Errorf("%s is no flag of run", name)
		}
	}
	var plan map[string]any
	if err := json.Unmarshal(pipeline.Plan{Also: []string{"x"}, Labels: []string{"x"}}.JSON(), &plan); err != nil {
		t.Fatal(err)
	}
	for key := range plan {
		if name := strings.ReplaceAll(key, "_", "-"); slices.Contains(flags, name) && !slices.Contains(remoteSettings, name) {
			t.Errorf("%s decides rows, but is not sent", name)
		}
	}
}

// What a worker makes of a spec is the plan that the submitter has made, whatever the worker's environment says.
func TestSpecMakesThePlan(t *testing.T) {
	e := newEnv(nil, nil)
	given := map[string]string{"model": hairpins + ".onnx", "num-samples": "77", "seed": "5", "sigma-min": "0.06", "invalid": "drop", "device": "cpu"}
	spec, _, err := newSpec(e, given)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PFGMGEN_SEED", "6")
	t.Chdir(t.TempDir())
	o, err := remoteOptions(e, spec.Settings)
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := newSpec(e, spec.Settings)
	if err != nil || again.PlanSHA256 != spec.PlanSHA256 || again.ModelSHA256 != spec.ModelSHA256 {
		t.Errorf("%+v, then %+v, %v", spec, again, err)
	}
	if o.n != 77 || o.seed != 5 || o.sigmaMin != 0.06 || !o.given("sigma-min") || o.given("rho") || o.invalid != "drop" || o.maxAttempts != 8 {
		t.Errorf("options %+v", o)
	}
	if !filepath.IsAbs(o.out) || !filepath.IsAbs(o.model) || given["out"] != "" {
		t.Errorf("paths %s, %s; the caller's settings have %q", o.out, o.model, given["out"])
	}
	if _, err := remoteOptions(e, map[string]string{"workers": "3"}); err == nil {
		t.Error("a setting of machines is taken")
	}
}

func TestRemoteUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	nightly := []string{"schedule", "create", "nightly", "--every", "1h", "--domain", "rna"}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"submit"}, "say what to make"},
		{[]string{"submit", "--domain", "rna", "--device", "auto"}, "--device auto: other machines"},
		{[]string{"submit", "--domain", "rna", "--out", "s3://key:secret@bucket/x"}, "take it out"},
		{[]string{"submit", "--domain", "rna", "--out", "x/{date}"}, "placeholders are for pfgmgen schedule"},
		{[]string{"submit", "--domain", "rna", "--out", "x/{dat}"}, "there are {date}"},
		{[]string{"submit", "--domain", "rna", "-n", "0"}, "--num-samples is 0"},
		{[]string{"submit", "--watch", "a", "--cancel", "b"}, "one can be given"},
		{[]string{"submit", "--domain", "rna", "--threads", "2"}, "unknown flag --threads"},
		{[]string{"schedule"}, "schedule needs an argument"},
		{[]string{"schedule", "creat"}, "did you mean create?"},
		{[]string{"schedule", "list", "x"}, `unexpected argument "x"`},
		{[]string{"schedule", "pause"}, "needs the name"},
		{[]string{"schedule", "create", "nightly", "--domain", "rna"}, "say when"},
		{append(nightly, "--cron", "0 3 * * *"), "say when"},
		{append(nightly, "--every", "1x"), `--every "1x"`},
		{append(nightly, "--overlap", "skipp"), "did you mean skip?"},
		{append(nightly, "--time-zone", "Mars/Base"), "Europe/Berlin"},
		{append(nightly, "--seed", "{week}"), `"{week}" is no placeholder`},
		{append(nightly, "--seed", "many"), "want a whole number"},
		{append(nightly, "--seed", "{year}"), "needs a placeholder too"},
		{append(nightly, "--seed", "{date}"), "want a whole number"},
	} {
		code, stdout, stderr := pfgmgen(tc.args...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, tc.want) || strings.Contains(stderr, "secret@") {
			t.Errorf("%v: exit %d, %q\n%s\nwant 2 with %q", tc.args, code, stdout, stderr, tc.want)
		}
	}
	code, _, stderr := pfgmgen("submit", "--domain", "rna", "--address", "127.0.0.1:1")
	if code != exitFailure || !strings.Contains(stderr, "127.0.0.1:1") || !strings.Contains(stderr, "start-dev") {
		t.Errorf("without a server: exit %d: %s", code, stderr)
	}
}

// A slowWork makes nothing, one shard in half a second, of datasets of three shards with ten samples each.
type slowWork struct {
	missing atomic.Int64 // shards that are not finished
	share   float64
}

func (w *slowWork) Prepare(_ context.Context, s temporal.Spec) (temporal.Outline, error) {
	o := temporal.Outline{RunID: "run", PlanSHA256: s.PlanSHA256, Shards: 3, Samples: 30}
	for k := range int(w.missing.Load()) {
		o.Missing = append(o.Missing, k)
	}
	o.SamplesDone = 30 - 10*int64(len(o.Missing))
	return o, nil
}

func (w *slowWork) Shard(ctx context.Context, s temporal.Spec, shard int, beat func(int64)) (temporal.ShardResult, error) {
	for row := range 10 {
		select {
		case <-ctx.Done():
			return temporal.ShardResult{}, ctx.Err()
		case <-time.After(50 * time.Millisecond):
			beat(int64(row + 1))
		}
	}
	w.missing.Add(-1)
	return temporal.ShardResult{Samples: 10}, nil
}

func (w *slowWork) Finalize(_ context.Context, s temporal.Spec) (temporal.Summary, error) {
	return temporal.Summary{Out: s.Settings["out"], RunID: "run", Rows: 30, Distinct: 30, Parts: 3, Bytes: 1000, Draws: 30, ValidShare: w.share}, nil
}

// TestRemote drives the commands against a real server.
func TestRemote(t *testing.T) {
	server := temporaltest.Start(t)
	t.Setenv("PFGMGEN_ADDRESS", server.Addr)
	t.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
	t.Chdir(t.TempDir())

	if _, stderr := mustRun(t, exitFailure, "submit", "--namespace", "nowhere", "--domain", "rna"); !strings.Contains(stderr, "--namespace") {
		t.Errorf("a namespace that does not exist: %s", stderr)
	}
	dataset := []string{"submit", "--domain", "rna", "-n", "30", "--out", "d"}
	stdout, stderr := mustRun(t, 0, append(dataset, "--detach", "--json")...)
	var res submitResult
	if err := json.Unmarshal([]byte(stdout), &res); err != nil || res.Status != "submitted" || res.TaskQueue != "pfgmgen-cpu" || !strings.Contains(stderr, "--watch "+res.ID) {
		t.Fatalf("detached: %+v, %v\n%s", res, err, stderr)
	}
	id := res.ID

	// Nobody works yet; an interruption ends the waiting only.
	ctx, interrupt := context.WithCancel(t.Context())
	time.AfterFunc(4*time.Second, interrupt)
	var out, said bytes.Buffer
	if code := run(ctx, append(dataset, "--json"), &out, &said); code != exitInterrupted || out.Len() > 0 {
		t.Errorf("interrupted: exit %d, %s", code, out.String())
	}
	for _, want := range []string{"under way already", "pfgmgen worker --task-queue pfgmgen-cpu", "the run goes on", "--watch " + id} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("stderr lacks %q:\n%s", want, said.String())
		}
	}

	work := &slowWork{share: 0.5}
	work.missing.Store(3)
	stopWorker, closed := startServing(t, work, "--slots", "1")
	stdout, stderr = mustRun(t, exitThreshold, "submit", "--watch", id, "--min-valid", "0.9", "--json")
	if err := json.Unmarshal([]byte(stdout), &res); err != nil || res.Status != "written" || res.Summary == nil || res.Summary.Rows != 30 {
		t.Errorf("watched: %+v, %v", res, err)
	}
	if !strings.Contains(stderr, "30 rows in ") || !strings.Contains(stderr, "50.0 % of 30 draws valid") {
		t.Errorf("watched: %s", stderr)
	}

	// The same command again runs again, and finds everything there.
	if _, stderr := mustRun(t, 0, dataset...); !strings.Contains(stderr, "was submitted") {
		t.Errorf("again: %s", stderr)
	}

	work.missing.Store(3)
	ctx, interrupt = context.WithCancel(t.Context())
	time.AfterFunc(3*time.Second, interrupt)
	other := append(dataset, "--seed", "9", "--cancel-on-interrupt")
	work.missing.Store(3000) // more shards than there is time for
	said.Reset()
	if code := run(ctx, other, &out, &said); code != exitInterrupted || !strings.Contains(said.String(), "is being cancelled") {
		t.Errorf("cancelled by an interruption: exit %d: %s", code, said.String())
	}
	work.missing.Store(3000)
	stdout, _ = mustRun(t, 0, append(dataset, "--seed", "10", "--detach", "--json")...)
	if err := json.Unmarshal([]byte(stdout), &res); err != nil {
		t.Fatal(err)
	}
	mustRun(t, 0, "submit", "--cancel", res.ID)
	if _, stderr := mustRun(t, exitInterrupted, "submit", "--watch", res.ID); !strings.Contains(stderr, "the run was cancelled") {
		t.Errorf("watching a cancelled run: %s", stderr)
	}

	stopWorker()
	if code := <-closed; code != exitInterrupted {
		t.Errorf("the worker ended with %d", code)
	}
	remoteExamples(t)
	schedules(t)
}

// startServing runs pfgmgen worker with a work of the test.
func startServing(t *testing.T, work temporal.Work, args ...string) (stop func(), closed <-chan int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	var said bytes.Buffer
	e := newEnv(&said, &said)
	command := workerCommand(e, func(context.Context, *env, workerOptions) (temporal.Work, func() error, error) {
		return work, func() error { return nil }, nil
	})
	complete(e, command)
	app := &cli.App{Name: "pfgmgen", Commands: []*cli.Command{command}, ExitErrHandler: func(*cli.Context, error) {}, Writer: &said, ErrWriter: &said}
	go func() { ended <- exitStatus(app.RunContext(ctx, append([]string{"pfgmgen", "worker"}, args...))) }()
	t.Cleanup(func() {
		cancel()
		if t.Failed() {
			t.Logf("the worker says:\n%s", said.String())
		}
	})
	return cancel, ended
}

// remoteExamples tries the examples of the help, as a shell would read them.
func remoteExamples(t *testing.T) {
	if err := os.WriteFile("run.yaml", []byte("domain: rna\nsteps: 3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	e := newEnv(nil, nil)
	tried := 0
	for _, line := range strings.Split(submitCommand(e).Description+scheduleCommand(e).Description, "\n") {
		example, found := strings.CutPrefix(line, "  pfgmgen ")
		if !found || strings.Contains(example, " ID ") { // of a run that there is not
			continue
		}
		example, _, _ = strings.Cut(example, "   ") // what it does
		var args []string
		for i, text := range strings.Split(example, "'") {
			if i%2 == 1 {
				args = append(args, text)
			} else {
				args = append(args, strings.Fields(text)...)
			}
		}
		if args[0] == "submit" {
			args = append(args, "--detach")
		}
		mustRun(t, 0, args...)
		tried++
	}
	if tried != 6 {
		t.Errorf("%d examples were tried", tried)
	}
	mustRun(t, 0, "schedule", "delete", "nightly")
	mustRun(t, 0, "schedule", "delete", "often")
}

func schedules(t *testing.T) {
	_, stderr := mustRun(t, 0, "schedule", "create", "nightly", "--cron", "0 3 * * *", "--time-zone", "Europe/Berlin", "--domain", "rna", "--out", "s3://bucket/rna/{date}")
	if !strings.Contains(stderr, "the same each time") || !strings.Contains(stderr, "schedule nightly is created") {
		t.Errorf("created: %s", stderr)
	}
	mustRun(t, exitFailure, "schedule", "create", "nightly", "--every", "1h", "--domain", "rna", "--out", "d/{date}")
	mustRun(t, 0, "schedule", "create", "hourly", "--every", "1h", "--domain", "rna", "--out", "d/{date}-{hour}", "--seed", "{day}{hour}", "--paused")
	mustRun(t, 0, "schedule", "pause", "nightly")
	mustRun(t, 0, "schedule", "resume", "hourly")
	var list []temporal.ScheduleState
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) { // the list follows changes with a delay
		stdout, _ := mustRun(t, 0, "schedule", "list", "--json")
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			t.Fatal(err)
		}
		list = slices.DeleteFunc(list, func(s temporal.ScheduleState) bool { return s.Name == "often" }) // deleted
		if len(list) == 2 && list[0].Name == "hourly" && !list[0].Paused && list[1].Paused && len(list[0].Next) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the list says %+v", list)
		}
	}
	if stdout, _ := mustRun(t, 0, "schedule", "list"); !strings.Contains(stdout, "nightly  0 3 * * * Europe/Berlin") || !strings.Contains(stdout, "paused") ||
		!strings.Contains(stdout, fmt.Sprintf("next %s", list[0].Next[0].UTC().Format(time.RFC3339))) {
		t.Errorf("the list says\n%s", stdout)
	}
	mustRun(t, 0, "schedule", "delete", "nightly")
	if _, stderr := mustRun(t, exitFailure, "schedule", "delete", "nightly"); !strings.Contains(stderr, "no such schedule") {
		t.Errorf("deleted twice: %s", stderr)
	}
}
