package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pfgmgen/pipeline/trace/tracetest"
)

// A transcript is what a running command writes; safe for concurrent use.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// await waits until found is true, and fails when that takes too long.
func await(t *testing.T, what string, found func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !found(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// value is the value of a metric, with its labels, in the text format; -1 when it is not there.
func value(t *testing.T, text, metric string) float64 {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		if number, ok := strings.CutPrefix(line, metric+" "); ok {
			v, err := strconv.ParseFloat(number, 64)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return v
		}
	}
	return -1
}

func scrape(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

var served = regexp.MustCompile(`metrics at (http://127\.0\.0\.1:\d+/metrics)`)

// A run is scraped while it works. What it leaves in the file, in the result and in the manifest are the same figures.
func TestMetricsOfARun(t *testing.T) {
	tracetest.Clear(t)
	file := filepath.Join(t.TempDir(), "pfgmgen.prom")
	args := []string{"run", "--model", exact, "-n", "4000", "--solver", "euler", "--steps", "1", "--shard-rows", "1000", "--also", "fasta", "--json",
		"--out", filepath.Join(t.TempDir(), "o"), "--metrics-addr", "127.0.0.1:0", "--metrics-file", file}
	var stdout bytes.Buffer
	stderr := &transcript{}
	code := make(chan int, 1)
	go func() { code <- run(context.Background(), args, &stdout, stderr) }()
	await(t, "the address", func() bool { return served.MatchString(stderr.String()) })
	url := served.FindStringSubmatch(stderr.String())[1]

	working, scrapes := "", 0
	var rows float64
	for over := false; !over; {
		select {
		case c := <-code:
			if c != 0 {
				t.Fatalf("exit %d: %s", c, stderr.String())
			}
			over = true
		default:
			text, err := scrape(url)
			if err != nil { // the run ended a moment ago
				continue
			}
			if now := value(t, text, "pfgmgen_rows_total"); now < rows {
				t.Errorf("rows went from %g to %g", rows, now)
			} else {
				rows = now
			}
			if value(t, text, "pfgmgen_draws_total") > 0 {
				working = text
			}
			scrapes++
			time.Sleep(2 * time.Millisecond)
		}
	}
	if working == "" {
		t.Fatalf("no answer with draws in %d scrapes", scrapes)
	}
	for metric, want := range map[string]float64{`pfgmgen_run_state{state="working"}`: 1, "pfgmgen_rows_asked": 4000, `pfgmgen_queue_capacity{queue="blocks"}`: 1,
		// Checks count from 0: hard gates, warnings, and those that are either.
		`pfgmgen_rejects_total{check="RN_NAN"}`: 0, `pfgmgen_rejects_total{check="RN_LEN"}`: 0, `pfgmgen_warnings_total{check="RN_LEN"}`: 0,
		`pfgmgen_warnings_total{check="RN_NAN"}`: -1, `pfgmgen_rejects_total{check="RN_HOMOPOLY"}`: -1} {
		if got := value(t, working, metric); got != want {
			t.Errorf("while it works: %s is %g, want %g", metric, got, want)
		}
	}
	if share := value(t, working, `pfgmgen_device_busy_share{device="cpu"}`); share <= 0 || share > 1 {
		t.Errorf("while it works: busy share %g", share)
	}
	if text, err := scrape(url); err == nil {
		t.Errorf("still served after the run: %s", text)
	}

	var r runResult
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last, rep := string(b), r.Report
	if rep.Retries == 0 || rep.Bytes == 0 || rep.Rejected["RN_STRUCT"] == 0 || len(rep.Queues) != 4 || len(rep.Devices) != 1 {
		t.Fatalf("the report shows too little: %+v", rep)
	}
	want := map[string]float64{
		`pfgmgen_run_state{state="done"}`:                 1,
		"pfgmgen_rows_total":                              float64(rep.Written),
		"pfgmgen_draws_total":                             float64(rep.Attempts),
		`pfgmgen_retries_total{kind="draw"}`:              float64(rep.Retries),
		"pfgmgen_bytes_total":                             float64(rep.Bytes),
		`pfgmgen_shards_total{state="done"}`:              4,
		`pfgmgen_shards_total{state="skipped"}`:           0,
		`pfgmgen_device_evaluations_total{device="cpu"}`:  float64(rep.Devices[0].Evaluations),
		`pfgmgen_queue_depth{queue="jobs"}`:               0,
		`pfgmgen_stage_units_total{stage="commit"}`:       4,
		`pfgmgen_rejects_total{check="RN_STRUCT"}`:        float64(rep.Rejected["RN_STRUCT"]),
		`pfgmgen_device_busy_seconds_total{device="cpu"}`: rep.Devices[0].Busy,
	}
	for _, s := range rep.Stages {
		want[fmt.Sprintf(`pfgmgen_stage_seconds_total{stage=%q,state="busy"}`, s.Stage)] = s.Busy
	}
	for metric, want := range want {
		if got := value(t, last, metric); got != want {
			t.Errorf("in the file: %s is %g, want %g", metric, got, want)
		}
	}
	if want := fmt.Sprintf("pfgmgen_info{domain=\"rna\",model_sha256=%q,run_id=%q,version=%q} 1\n", r.Plan.Model.SHA256, r.RunID, buildVersion()); !strings.Contains(last, want) {
		t.Errorf("the file lacks %s:\n%s", want, last)
	}
	var size int64
	for _, pattern := range []string{"data/*.parquet", "fasta/*.fasta"} {
		paths, err := filepath.Glob(filepath.Join(r.Out, pattern))
		if err != nil || len(paths) != 4 {
			t.Fatalf("%s: %v %v", pattern, paths, err)
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			size += info.Size()
		}
	}
	if size != rep.Bytes {
		t.Errorf("%d bytes were counted, %d are there", rep.Bytes, size)
	}

	for _, tc := range []struct {
		name       string
		n          string
		done, rows float64
	}{{"again", "4000", 0, 0}, {"extended", "5500", 2, 1500}} {
		t.Run(tc.name, func(t *testing.T) {
			mustRun(t, 0, append(args, "-n", tc.n)...)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for metric, want := range map[string]float64{`pfgmgen_run_state{state="done"}`: 1, `pfgmgen_shards_total{state="skipped"}`: 4,
				`pfgmgen_shards_total{state="done"}`: tc.done} {
				if got := value(t, string(b), metric); got != want {
					t.Errorf("%s is %g, want %g", metric, got, want)
				}
			}
			// One sample in a few hundred has no valid draw in eight.
			if got := value(t, string(b), "pfgmgen_rows_total"); got > tc.rows || got < 0.9*tc.rows {
				t.Errorf("%g rows, want about %g", got, tc.rows)
			}
		})
	}
}

// The file tells of runs that did not end well, too.
func TestMetricsFileAfterTrouble(t *testing.T) {
	tracetest.Clear(t)
	file := filepath.Join(t.TempDir(), "pfgmgen.prom")
	state := func() string {
		b, err := os.ReadFile(file)
		if err != nil {
			return err.Error()
		}
		for _, s := range []string{"working", "done", "failed", "interrupted"} {
			if value(t, string(b), fmt.Sprintf("pfgmgen_run_state{state=%q}", s)) == 1 {
				return s
			}
		}
		return "none"
	}
	args := func(more ...string) []string {
		return append([]string{"run", "--model", exact, "-n", "100", "--out", filepath.Join(t.TempDir(), "o"), "--metrics-file", file}, more...)
	}
	mustRun(t, exitFailure, args("--onnxruntime", filepath.Join(t.TempDir(), "none"))...)
	if got := state(); got != "failed" {
		t.Errorf("after a failure: %s", got)
	}
	mustRun(t, exitThreshold, args("--solver", "euler", "--steps", "1", "--min-valid", "0.99")...)
	if got := state(); got != "done" {
		t.Errorf("after a dataset below the threshold: %s", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stderr := &transcript{}
	code := make(chan int, 1)
	go func() { code <- run(ctx, args("-n", "1000000"), io.Discard, stderr) }()
	await(t, "the file", func() bool { return state() == "working" })
	cancel()
	if c := <-code; c != exitInterrupted {
		t.Fatalf("exit %d: %s", c, stderr.String())
	}
	if got := state(); got != "interrupted" {
		t.Errorf("after an interruption: %s", got)
	}
}

// What cannot be had is said before any work.
func TestMetricsThatCannotBeHad(t *testing.T) {
	tracetest.Clear(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tc := range []struct{ flag, value, want string }{
		{"--metrics-addr", l.Addr().String(), "address already in use; stop what uses it, or choose another port, 0 for a free one"},
		{"--metrics-file", filepath.Join(t.TempDir(), "none", "x.prom"), "is not there; create it, or choose another file"},
	} {
		out := filepath.Join(t.TempDir(), "o")
		_, stderr := mustRun(t, exitFailure, "run", "--model", exact, "-n", "10", "--out", out, tc.flag, tc.value)
		if !strings.Contains(stderr, tc.want) || !strings.Contains(stderr, tc.value) {
			t.Errorf("message lacks %q: %s", tc.want, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the output directory was made", tc.flag)
		}
	}
}

func TestTracesOfARun(t *testing.T) {
	c := tracetest.New(t)
	r := runJSON(t, "--model", exact, "-n", "300", "--shard-rows", "100", "--steps", "3", "--out", filepath.Join(t.TempDir(), "o"))
	roots := c.Roots(t)
	if len(roots) != 1 {
		t.Fatalf("%d traces, want 1", len(roots))
	}
	root := roots[0]
	if root.Name != "run" || root.Attributes["pfgmgen.run_id"] != r.RunID || root.Attributes["pfgmgen.rows"] != int64(300) || root.Failed != "" {
		t.Errorf("run %+v", root)
	}
	if len(root.Children) != 3 {
		t.Fatalf("%d shards, want 3", len(root.Children))
	}
	sums := make(map[string]int64)
	for k, shard := range root.Children {
		if shard.Name != "shard" || shard.Attributes["pfgmgen.shard"] != int64(k) || shard.Began.Before(root.Began) || shard.Ended.After(root.Ended) {
			t.Errorf("shard %d: %+v in %+v", k, shard, root)
		}
		var stages []string
		for _, s := range shard.Children {
			stages = append(stages, s.Name)
			busy, _ := s.Attributes["pfgmgen.busy_seconds"].(float64)
			units, _ := s.Attributes["pfgmgen.units"].(int64)
			if s.Began.Before(shard.Began) || s.Ended.After(shard.Ended) || busy <= 0 || units < 1 {
				t.Errorf("shard %d: stage %+v", k, s)
			}
			sums[s.Name] += units
		}
		if got := strings.Join(stages, " "); got != "sample decode write commit" {
			t.Errorf("shard %d has the stages %s", k, got)
		}
	}
	for _, s := range r.Report.Stages {
		if sums[s.Stage] != s.Units {
			t.Errorf("stage %s has %d units in its spans, %d in the report", s.Stage, sums[s.Stage], s.Units)
		}
	}
}

// Trouble with traces is a warning, and the dataset is there.
func TestTracesDoNotStopARun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	l.Close()
	for endpoint, want := range map[string]string{
		gone:             "warning: trace: spans are missing at the collector",
		"collector:4317": `warning: trace: OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4317", want a URL`,
	} {
		tracetest.Clear(t)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		_, stderr := mustRun(t, 0, "run", "--model", exact, "-n", "20", "--steps", "3", "--out", filepath.Join(t.TempDir(), "o"))
		if !strings.Contains(stderr, want) || strings.Count(stderr, "trace:") != 1 {
			t.Errorf("want one warning with %q: %s", want, stderr)
		}
	}
}
