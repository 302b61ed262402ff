package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pfgmgen/io/store/storetest"
	"pfgmgen/pipeline/temporal"
	"pfgmgen/pipeline/temporal/temporaltest"
)

// startWorker starts pfgmgen worker in a process of its own.
func startWorker(t *testing.T, args ...string) (kill, stop func() (code int, said string)) {
	t.Helper()
	cmd := child(append([]string{"worker"}, args...)...)
	cmd.Env = append(cmd.Env, "SOURCE_DATE_EPOCH="+epoch)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	end := func(s os.Signal) func() (int, string) {
		return func() (int, string) {
			cmd.Process.Signal(s)
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				t.Errorf("the worker does not end: %s", out.String())
				cmd.Process.Kill()
				<-ended
			}
			return cmd.ProcessState.ExitCode(), out.String()
		}
	}
	return end(os.Kill), end(os.Interrupt)
}

// Two workers make a dataset, in a directory and in a bucket, one of them is killed in the middle of a shard, and the bytes
// are those of a plain run. Submitted again, the run finds everything there; damaged, it is made whole.
func TestWorkersMakeThePlainRun(t *testing.T) {
	server := temporaltest.Start(t)
	t.Setenv("PFGMGEN_ADDRESS", server.Addr)
	t.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
	model, err := filepath.Abs(exact)
	if err != nil {
		t.Fatal(err)
	}
	s3 := storetest.S3(t)
	args := func(place string) []string { // enough steps for a shard to be killed in
		return []string{"--model", model, "-n", "400", "--shard-rows", "40", "--steps", "60", "--also", "fasta", "--out", place}
	}
	whole := reference(t, 1) // for the environment
	mustRun(t, 0, append([]string{"run", "--quiet"}, args(filepath.Join(whole, "plain"))...)...)
	want := content(t, filepath.Join(whole, "plain"))

	kill, _ := startWorker(t)
	figures := filepath.Join(t.TempDir(), "worker.prom")
	_, stop := startWorker(t, "--metrics-file", figures)
	for kind, place := range map[string]string{"directory": filepath.Join(t.TempDir(), "o"), "bucket": inBucket(s3.Addr, "remote")} {
		t.Run(kind, func(t *testing.T) {
			e := newEnv(new(bytes.Buffer), new(bytes.Buffer))
			client, err := e.dial(t.Context(), connection{address: server.Addr})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			spec, _, err := newSpec(e, map[string]string{"model": model, "num-samples": "400", "shard-rows": "40", "steps": "60", "also": "fasta", "out": place})
			if err != nil {
				t.Fatal(err)
			}
			limits := temporal.DefaultLimits()
			limits.Heartbeat = 7 * time.Second // the signs of life come every 5 s
			run, _, err := client.Submit(t.Context(), spec, "", limits)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			sum, err := run.Follow(ctx, 50*time.Millisecond, func(p temporal.Progress, err error) {
				if kill != nil && p.SamplesDone > 0 {
					kill()
					kill = nil
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if sum.Rows != 400 || sum.Parts != 10 {
				t.Errorf("summary %+v", sum)
			}
			equalContent(t, place, want)
			if kill != nil {
				t.Error("no worker was killed, so the test shows nothing")
			}
		})
	}

	dir := filepath.Join(t.TempDir(), "again")
	submit := append([]string{"submit", "--json"}, args(dir)...)
	for _, damage := range []string{"", "", "data/train-00003.parquet", "_pfgmgen/shard-00007.json"} {
		if damage != "" {
			if err := os.Remove(filepath.Join(dir, damage)); err != nil {
				t.Fatal(err)
			}
		}
		if stdout, _ := mustRun(t, 0, submit...); !strings.Contains(stdout, `"status": "written"`) {
			t.Errorf("submitted: %s", stdout)
		}
		equalContent(t, dir, want)
	}
	// Other settings in the same place are a permanent fault, told at once.
	if _, stderr := mustRun(t, exitFailure, append(submit, "--seed", "8")...); !strings.Contains(stderr, "seed is 0 there, 8 here") {
		t.Errorf("other settings: %s", stderr)
	}
	if code, said := stop(); code != exitInterrupted {
		t.Errorf("the worker ended with %d: %s", code, said)
	}
	text, err := os.ReadFile(figures)
	if err != nil {
		t.Fatal(err)
	}
	// The other worker was killed in its first shards, so that this one made nearly all of 10 shards of 40 rows thrice, and 2 again.
	var rows, made int
	for line := range strings.Lines(string(text)) {
		fmt.Sscanf(line, "pfgmgen_rows_total %d", &rows)
		fmt.Sscanf(line, `pfgmgen_shards_total{state="done"} %d`, &made)
	}
	if made < 20 || made > 32 || rows != 40*made || !strings.Contains(string(text), `pfgmgen_device_evaluations_total{device="cpu"}`) ||
		!strings.Contains(string(text), "pfgmgen_worker_slots_busy 0\n") {
		t.Errorf("%d rows in %d shards: %s", rows, made, text)
	}
}

// remoteTest is the work of a worker without a server, and a way to make specs for it.
func remoteTest(t *testing.T) (work temporal.Work, spec func(out string, settings ...string) temporal.Spec) {
	t.Helper()
	e := newEnv(new(bytes.Buffer), new(bytes.Buffer))
	model, err := filepath.Abs(exact)
	if err != nil {
		t.Fatal(err)
	}
	work, closeWork, err := newRemoteWork(t.Context(), e, workerOptions{engine: engineChoice{devices: "cpu", threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeWork() })
	return work, func(out string, settings ...string) temporal.Spec {
		given := map[string]string{"model": model, "num-samples": "80", "shard-rows": "40", "steps": "3", "out": out}
		for i := 0; i < len(settings); i += 2 {
			given[settings[i]] = settings[i+1]
		}
		s, _, err := newSpec(e, given)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// Which faults end a run, and which are tried again.
func TestRemoteFaults(t *testing.T) {
	work, spec := remoteTest(t)
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("foreign/notes.txt", "mine")
	put("damaged/_pfgmgen/plan.json", "{")
	put("newer/_pfgmgen/plan.json", `{"plan_version":99}`)
	file := put("file", "")
	if _, err := work.Prepare(t.Context(), spec(filepath.Join(dir, "other"))); err != nil {
		t.Fatal(err)
	}
	change := func(s temporal.Spec, with func(*temporal.Spec)) temporal.Spec {
		s.Settings = maps.Clone(s.Settings)
		with(&s)
		return s
	}
	good := spec(filepath.Join(dir, "good"))
	for _, tc := range []struct {
		name      string
		spec      temporal.Spec
		permanent bool
		want      string
	}{
		{"files of somebody else", spec(filepath.Join(dir, "foreign")), true, "it holds notes.txt"},
		{"a damaged plan", spec(filepath.Join(dir, "damaged")), true, "not JSON"},
		{"a plan of a newer build", spec(filepath.Join(dir, "newer")), true, "plan_version is 99"},
		{"other settings", spec(filepath.Join(dir, "other"), "seed", "9"), true, "seed is 0 there, 9 here"},
		{"a place that cannot be written", spec(filepath.Join(file, "o")), false, ""},
		{"a model that is not here", change(good, func(s *temporal.Spec) { s.Settings["model"], s.ModelSHA256 = filepath.Join(dir, "no.onnx"), "other" }), true, "this worker has not the model"},
		{"another model of that name", change(good, func(s *temporal.Spec) { s.ModelSHA256 = "other" }), true, "was submitted with other"},
		{"another build", change(good, func(s *temporal.Spec) { s.PlanSHA256 = "other" }), true, "the builds differ"},
		{"a setting that this build does not know", change(good, func(s *temporal.Spec) { s.Settings["colour"] = "red" }), true, "--colour"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := work.Prepare(t.Context(), tc.spec)
			var p interface{ Permanent() bool }
			if err == nil || errors.As(err, &p) != tc.permanent || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("permanent %v, want %v with %q: %v", !tc.permanent, tc.permanent, tc.want, err)
			}
		})
	}
}

// A finished dataset that is submitted again stays finished at every moment: nothing of its commit is touched.
func TestRemoteLeavesWhatIsFinished(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", epoch)
	work, spec := remoteTest(t)
	out := filepath.Join(t.TempDir(), "o")
	s := spec(out)
	o, err := work.Prepare(t.Context(), s)
	if err != nil || o.Shards != 2 || len(o.Missing) != 2 {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, k := range append(o.Missing, 0) { // one of them twice
		if _, err := work.Shard(t.Context(), s, k, func(int64) {}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := work.Finalize(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	before := make(map[string]os.FileInfo)
	for _, name := range []string{"_SUCCESS", "manifest.json", "_pfgmgen/plan.json"} {
		if before[name], err = os.Stat(filepath.Join(out, name)); err != nil {
			t.Fatal(err)
		}
	}
	if o, err = work.Prepare(t.Context(), s); err != nil || len(o.Missing) != 0 || o.SamplesDone != 80 {
		t.Errorf("%+v, %v", o, err)
	}
	for name, info := range before {
		if now, err := os.Stat(filepath.Join(out, name)); err != nil || !os.SameFile(now, info) {
			t.Errorf("%s was touched (%v)", name, err)
		}
	}
}

// The end of the context stops the solver within a step, and leaves nothing that looks finished.
func TestRemoteShardStops(t *testing.T) {
	work, spec := remoteTest(t)
	out := filepath.Join(t.TempDir(), "o")
	s := spec(out, "num-samples", "100000", "shard-rows", "100000", "steps", "10000") // far more steps than there is time for
	if _, err := work.Prepare(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var ended time.Time
	time.AfterFunc(500*time.Millisecond, func() { ended = time.Now(); cancel() })
	if _, err := work.Shard(ctx, s, 0, func(int64) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(ended); took > 2*time.Second {
		t.Errorf("the shard stopped %v after the end of its context", took)
	}
	for name := range tree(t, out) {
		if strings.Contains(name, "shard-") || strings.Contains(name, "train-") {
			t.Errorf("%s is there", name)
		}
	}
}

// figures are the values of an answer, by names with labels.
func figures(t *testing.T, url string) map[string]float64 {
	t.Helper()
	text, err := scrape(url)
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]float64)
	for line := range strings.Lines(text) {
		if metric, _, _ := strings.Cut(line, " "); metric != "#" {
			by[metric] = value(t, text, metric)
		}
	}
	return by
}

// A worker is scraped between two shards of different runs, and in the middle of the second one, whose bucket is away for a while.
func TestMetricsOfAWorker(t *testing.T) {
	_, spec := remoteTest(t)
	stderr := &transcript{}
	o := workerOptions{connection: connection{queue: "night"}, slots: 2, engine: engineChoice{devices: "cpu", threads: 1}, watch: watchOptions{addr: "127.0.0.1:0"}}
	work, closeWork, err := newRemoteWork(t.Context(), newEnv(io.Discard, stderr), o)
	if err != nil {
		t.Fatal(err)
	}
	url := served.FindStringSubmatch(stderr.String())[1]
	o.watch.addr = strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/metrics")
	if _, _, err := newRemoteWork(t.Context(), newEnv(io.Discard, io.Discard), o); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second worker at %s: %v", o.watch.addr, err)
	}
	last := make(map[string]float64)
	look := func(when string, want map[string]float64) map[string]float64 {
		t.Helper()
		now := figures(t, url)
		for metric, before := range last {
			if v, ok := now[metric]; strings.Contains(metric, "_total") && (!ok || v < before) {
				t.Errorf("%s: %s went from %g to %g", when, metric, before, v)
			}
		}
		for metric, v := range want {
			if got, ok := now[metric]; !ok || got != v {
				t.Errorf("%s: %s is %g, want %g", when, metric, got, v)
			}
		}
		last = now
		return now
	}
	const (
		busy    = "pfgmgen_worker_slots_busy"
		rows    = "pfgmgen_rows_total"
		draws   = "pfgmgen_draws_total"
		done    = `pfgmgen_shards_total{state="done"}`
		failed  = `pfgmgen_shards_total{state="failed"}`
		storage = `pfgmgen_retries_total{kind="storage"}`
	)
	look("idle", map[string]float64{fmt.Sprintf(`pfgmgen_worker_info{task_queue="night",version=%q}`, buildVersion()): 1,
		"pfgmgen_worker_slots": 2, busy: 0, rows: 0, draws: 0, done: 0, failed: 0, storage: 0})

	first := spec(filepath.Join(t.TempDir(), "o"))
	if _, err := work.Prepare(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := work.Shard(t.Context(), first, 1, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	one := look("after a shard", map[string]float64{busy: 0, rows: 40, done: 1, failed: 0})
	if one["pfgmgen_bytes_total"] <= 0 || one[`pfgmgen_device_evaluations_total{device="cpu"}`] <= 0 || one[`pfgmgen_stage_units_total{stage="commit"}`] != 1 {
		t.Errorf("after a shard: %v", one)
	}

	s3 := storetest.S3(t)
	second := spec(inBucket(s3.Addr, "remote"), "seed", "5")
	if _, err := work.Prepare(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	held, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		wait := sync.OnceFunc(func() { close(held); <-goOn })
		_, err := work.Shard(t.Context(), second, 0, func(int64) { wait() })
		ended <- err
	}()
	<-held
	s3.Stop()
	if now := look("in a shard", map[string]float64{busy: 1, done: 1}); now[draws] <= one[draws] {
		t.Errorf("in a shard: %g draws, %g before it", now[draws], one[draws])
	}
	close(goOn)
	await(t, "a retry of the storage", func() bool { return figures(t, url)[storage] > 0 })
	look("while the bucket is away", map[string]float64{busy: 1, done: 1})
	s3.Start()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	look("after two shards", map[string]float64{busy: 0, rows: 80, done: 2, failed: 0, `pfgmgen_stage_units_total{stage="commit"}`: 2})

	// What fails is counted, what is interrupted is not.
	if _, err := work.Shard(t.Context(), first, 2, func(int64) {}); err == nil {
		t.Error("there is a third shard of two")
	}
	other := first
	other.ModelSHA256 = "other"
	if _, err := work.Shard(t.Context(), other, 0, func(int64) {}); err == nil {
		t.Error("another model was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := work.Shard(ctx, first, 0, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	look("after trouble", map[string]float64{busy: 0, done: 2, failed: 2})
	if err := closeWork(); err != nil {
		t.Error(err)
	}
	if text, err := scrape(url); err == nil {
		t.Errorf("still served by a worker that has stopped: %s", text)
	}
}

// A worker that cannot compute says so at once instead of failing shards.
func TestWorkerNeedsItsDevice(t *testing.T) {
	server := temporaltest.Start(t)
	t.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
	cmd := child("worker", "--address", server.Addr)
	cmd.Env = append(cmd.Env, "PFGMGEN_ONNXRUNTIME="+filepath.Join(t.TempDir(), "none"))
	b, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != exitFailure || !strings.Contains(string(b), "cannot work as --device cpu") || strings.Contains(string(b), "waiting for work") {
		t.Errorf("%v: %s", err, b)
	}
}
