package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"pfgmgen/pipeline"
)

// words returns the metrics of a run that has ended, and its report.
func words(t *testing.T) (*Metrics, *pipeline.Report) {
	t.Helper()
	var monitor pipeline.Monitor
	m, err := New(Run{RunID: "0123456789ab", Domain: "words", ModelSHA256: strings.Repeat("ab", 32), Version: "v1", Asked: 500}, &monitor)
	if err != nil {
		t.Fatal(err)
	}
	plan, parts := coins(500)
	parts.Monitor = &monitor
	rep, err := pipeline.Run(context.Background(), plan, parts)
	if err != nil {
		t.Fatal(err)
	}
	return m, rep
}

// get is the answer of a server to a path.
func get(t *testing.T, addr, path string) (status int, text string) {
	t.Helper()
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// serve serves metrics until the test ends.
func serve(t *testing.T, m *Metrics) (addr string) {
	t.Helper()
	s, err := m.Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.Addr()
}

// has fails when text lacks one of the lines.
func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("metrics lack the line %q:\n%s", line, text)
		}
	}
}

func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	m, _ := words(t)
	m.SetDevices([]string{"cpu"})
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestEveryMetricIsDocumentedAndGathered(t *testing.T) {
	m, _ := words(t)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	worker, err := NewWorker(Worker{}, new(pipeline.Total))
	if err != nil {
		t.Fatal(err)
	}
	more, err := worker.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range more {
		if strings.HasPrefix(f.GetName(), "pfgmgen_worker") {
			families = append(families, f)
		}
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != len(kinds) {
		t.Errorf("%d metrics were gathered of %d", len(families), len(kinds))
	}
	for _, f := range families {
		name := strings.TrimPrefix(f.GetName(), "pfgmgen_")
		if name = strings.Replace(name, "queue_depth_peak", "queue_depth, _peak", 1); name == "queue_capacity" {
			name = "_capacity"
		}
		if !strings.Contains(string(doc), name) {
			t.Errorf("the package comment does not list %s", f.GetName())
		}
	}
}

func TestValuesAreThoseOfTheReport(t *testing.T) {
	m, rep := words(t)
	m.SetDevices([]string{"cpu", "unused"})
	m.SkipShards(2)
	m.SetStorage(func() int64 { return 6 })
	m.SetState(Done)
	addr := serve(t, m)
	status, text := get(t, addr, "/metrics")
	if status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if rep.Rejected["COIN_EDGE"] == 0 || rep.Warned["COIN_WORN"] == 0 {
		t.Fatalf("the run shows too little: %+v", rep)
	}
	has(t, text,
		`pfgmgen_info{domain="words",model_sha256="`+strings.Repeat("ab", 32)+`",run_id="0123456789ab",version="v1"} 1`,
		`pfgmgen_run_state{state="done"} 1`, `pfgmgen_run_state{state="working"} 0`, `pfgmgen_run_state{state="failed"} 0`,
		"pfgmgen_rows_asked 500",
		fmt.Sprintf("pfgmgen_rows_total %d", rep.Written),
		fmt.Sprintf("pfgmgen_draws_total %d", rep.Attempts),
		fmt.Sprintf(`pfgmgen_retries_total{kind="draw"} %d`, rep.Retries),
		`pfgmgen_retries_total{kind="storage"} 6`,
		fmt.Sprintf(`pfgmgen_rejects_total{check="COIN_EDGE"} %d`, rep.Rejected["COIN_EDGE"]),
		fmt.Sprintf(`pfgmgen_warnings_total{check="COIN_WORN"} %d`, rep.Warned["COIN_WORN"]),
		`pfgmgen_shards_total{state="done"} 5`, `pfgmgen_shards_total{state="skipped"} 2`,
		"pfgmgen_bytes_total 5000",
		fmt.Sprintf(`pfgmgen_stage_units_total{stage="sample"} %d`, rep.Stages[0].Units),
		`pfgmgen_stage_units_total{stage="commit"} 5`, `pfgmgen_stage_workers{stage="sample"} 2`,
		`pfgmgen_queue_depth{queue="jobs"} 0`, `pfgmgen_queue_capacity{queue="jobs"} 2`,
		fmt.Sprintf(`pfgmgen_queue_depth_peak{queue="blocks"} %d`, rep.Queues[3].Peak),
		fmt.Sprintf(`pfgmgen_device_evaluations_total{device="cpu"} %d`, rep.Devices[0].Evaluations),
	)
	for _, state := range []string{"busy", "starved", "blocked"} {
		if !strings.Contains(text, fmt.Sprintf(`pfgmgen_stage_seconds_total{stage="write",state="%s"} `, state)) {
			t.Errorf("no seconds %s of the write stage:\n%s", state, text)
		}
	}
	if status, _ := get(t, addr, "/"); status != http.StatusNotFound {
		t.Errorf("/ has status %d", status)
	}
}

func TestWorker(t *testing.T) {
	var total pipeline.Total
	m, err := NewWorker(Worker{TaskQueue: "pfgmgen-cpu", Version: "v1", Slots: 2}, &total)
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, m)
	_, text := get(t, addr, "/metrics")
	has(t, text, `pfgmgen_worker_info{task_queue="pfgmgen-cpu",version="v1"} 1`, "pfgmgen_worker_slots 2", "pfgmgen_worker_slots_busy 0", "pfgmgen_rows_total 0")
	draws := int64(0)
	for _, n := range []int64{100, 300} {
		plan, parts := coins(n)
		monitor, over := total.Follow()
		parts.Monitor = monitor
		rep, err := pipeline.Run(context.Background(), plan, parts)
		if err != nil {
			t.Fatal(err)
		}
		draws += rep.Attempts
		_, text := get(t, addr, "/metrics")
		has(t, text, "pfgmgen_worker_slots_busy 1", fmt.Sprintf("pfgmgen_draws_total %d", draws))
		over()
	}
	m.FailShard()
	_, text = get(t, addr, "/metrics")
	has(t, text, "pfgmgen_worker_slots_busy 0", "pfgmgen_rows_total 400", fmt.Sprintf("pfgmgen_draws_total %d", draws), `pfgmgen_shards_total{state="done"} 4`,
		`pfgmgen_shards_total{state="failed"} 1`, "pfgmgen_bytes_total 4000", `pfgmgen_stage_units_total{stage="commit"} 4`, `pfgmgen_stage_workers{stage="commit"} 0`)
	if strings.Contains(text, "pfgmgen_run_") || strings.Contains(text, "pfgmgen_info") || strings.Contains(text, "rows_asked") {
		t.Errorf("a worker has metrics of a run:\n%s", text)
	}
}

func TestChecksCountFromZero(t *testing.T) {
	m, err := New(Run{}, &pipeline.Monitor{})
	if err != nil {
		t.Fatal(err)
	}
	m.SetChecks([]string{"A_HARD", "A_EITHER"}, []string{"A_EITHER"})
	addr := serve(t, m)
	_, text := get(t, addr, "/metrics")
	has(t, text, `pfgmgen_rejects_total{check="A_HARD"} 0`, `pfgmgen_rejects_total{check="A_EITHER"} 0`, `pfgmgen_warnings_total{check="A_EITHER"} 0`)
	if strings.Contains(text, `warnings_total{check="A_HARD"}`) {
		t.Errorf("a hard gate counts warnings:\n%s", text)
	}
}

func TestBeforeTheRunThereIsSomething(t *testing.T) {
	m, err := New(Run{Asked: 7}, &pipeline.Monitor{})
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, m)
	_, text := get(t, addr, "/metrics")
	has(t, text, "pfgmgen_rows_asked 7", "pfgmgen_rows_total 0", `pfgmgen_run_state{state="working"} 1`)
}

func TestOneDeviceGivenTwice(t *testing.T) {
	m, _ := words(t)
	m.SetDevices([]string{"cuda:0"})
	if _, err := m.registry.Gather(); err != nil {
		t.Error(err)
	}
	two := &pipeline.Monitor{}
	m, err := New(Run{}, two)
	if err != nil {
		t.Fatal(err)
	}
	plan, parts := coins(50)
	parts.Denoisers = append(parts.Denoisers, parts.Denoisers[0])
	parts.Monitor = two
	if _, err := pipeline.Run(context.Background(), plan, parts); err != nil {
		t.Fatal(err)
	}
	m.SetDevices([]string{"cuda:0", "cuda:0"})
	if _, err := m.registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"":                "missing port", // in address
		"9090":            "missing port",
		"localhost":       "missing port",
		"localhost:http":  `port "http" is not a number`,
		"localhost:65536": `port "65536" is not a number from 0 to 65535`,
		"::1:9090":        "too many colons",
	} {
		if err := CheckAddr(addr); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "want HOST:PORT, such as") {
			t.Errorf("%q: error %v, want %q", addr, err, want)
		}
	}
	for _, addr := range []string{":0", "127.0.0.1:9090", "[::1]:0", "node7:80"} {
		if err := CheckAddr(addr); err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
	m, _ := words(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for addr, want := range map[string]string{
		l.Addr().String(): "address already in use; stop what uses it, or choose another port",
		"192.0.2.1:0":     "choose an address of this machine", // TEST-NET-1 is nobody's
	} {
		if s, err := m.Serve(addr); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: server %v, error %v, want %q", addr, s, err, want)
		}
	}
}

func TestFileIsRewrittenAndStays(t *testing.T) {
	m, rep := words(t)
	path := filepath.Join(t.TempDir(), "pfgmgen.prom")
	f, err := m.WriteFile(path, time.Millisecond, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	read := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	has(t, read(), `pfgmgen_run_state{state="working"} 1`) // it is there at once
	m.SkipShards(3)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(read(), `pfgmgen_shards_total{state="skipped"} 3`); {
		if time.Now().After(deadline) {
			t.Fatal("the file was not written again")
		}
		time.Sleep(time.Millisecond)
	}
	m.SetState(Interrupted)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, read(), `pfgmgen_run_state{state="interrupted"} 1`, fmt.Sprintf("pfgmgen_rows_total %d", rep.Written))
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the directory: %v %v", entries, err)
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	m, _ := words(t)
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none", "x.prom"): "is not there; create it",
		dir:                                  "it is not a regular file",
		os.DevNull:                           "it is not a regular file",
	} {
		_, err := m.WriteFile(path, time.Hour, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
	// A place that goes away is told once, and what is left of the run goes on.
	place := filepath.Join(dir, "place")
	if err := os.Mkdir(place, 0o777); err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 100)
	f, err := m.WriteFile(filepath.Join(place, "x.prom"), time.Millisecond, func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(place); err != nil {
		t.Fatal(err)
	}
	<-told
	time.Sleep(20 * time.Millisecond)
	if err := f.Close(); err == nil || errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	if len(told) > 0 {
		t.Errorf("told again %d times", len(told))
	}
}
