package trace

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pfgmgen/pipeline"
	"pfgmgen/pipeline/trace/tracetest"
)

func plan() pipeline.Plan {
	return pipeline.Plan{Domain: "words", Model: pipeline.Model{SHA256: strings.Repeat("ab", 32)}, NumSamples: 20, Seed: 7, Provider: "cpu"}
}

// work is what two stages did for a shard that began at a time.
func work(shard int, began time.Time, err error) pipeline.ShardWork {
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	return pipeline.ShardWork{Shard: shard, Began: at(0), Ended: at(90), Err: err, Stages: []pipeline.StageWork{
		{Stage: "sample", Began: at(0), Ended: at(60), Busy: 100 * time.Millisecond, Units: 4, Rows: 32},
		{Stage: "write", Began: at(50), Ended: at(90), Busy: 10 * time.Millisecond, Units: 1, Rows: 30},
	}}
}

func start(t *testing.T) *Tracer {
	t.Helper()
	tr, err := Start(context.Background(), plan(), "v1")
	if err != nil || tr == nil {
		t.Fatalf("tracer %v, error %v", tr, err)
	}
	return tr
}

func TestTree(t *testing.T) {
	c := tracetest.New(t)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "team=protein")
	tr := start(t)
	began := time.Now()
	tr.ObserveShard(work(0, began, nil))
	lost := errors.New("device lost")
	tr.ObserveShard(work(1, began.Add(30*time.Millisecond), lost))
	if err := tr.End(pipeline.Snapshot{Written: 30, Drawn: 64, Shards: 1}, lost); err != nil {
		t.Fatal(err)
	}
	roots := c.Roots(t)
	if len(roots) != 1 {
		t.Fatalf("%d roots, want 1", len(roots))
	}
	run := roots[0]
	if run.Name != "run" || run.Failed != "device lost" || run.Attributes["pfgmgen.rows"] != int64(30) || run.Attributes["pfgmgen.run_id"] != plan().RunID() ||
		run.Attributes["pfgmgen.seed"] != int64(7) || len(run.Children) != 2 {
		t.Errorf("run %+v", run)
	}
	if run.Resource["service.name"] != "pfgmgen" || run.Resource["service.version"] != "v1" || run.Resource["team"] != "protein" {
		t.Errorf("resource %v", run.Resource)
	}
	for k, s := range run.Children {
		want := work(k, began.Add(time.Duration(30*k)*time.Millisecond), nil)
		if s.Name != "shard" || s.Attributes["pfgmgen.shard"] != int64(k) || (s.Failed == "") != (k == 0) || !s.Began.Equal(want.Began) || !s.Ended.Equal(want.Ended) {
			t.Errorf("shard %d: %+v", k, s)
		}
		if len(s.Children) != 2 {
			t.Fatalf("shard %d has %d stages, want 2", k, len(s.Children))
		}
		for i, stage := range s.Children {
			w := want.Stages[i]
			if stage.Name != w.Stage || !stage.Began.Equal(w.Began) || !stage.Ended.Equal(w.Ended) || len(stage.Children) != 0 ||
				stage.Attributes["pfgmgen.busy_seconds"] != w.Busy.Seconds() || stage.Attributes["pfgmgen.units"] != w.Units || stage.Attributes["pfgmgen.rows"] != w.Rows {
				t.Errorf("shard %d: stage %+v, want %+v", k, stage, w)
			}
		}
	}
}

func TestTheServiceHasTheNameOfTheEnvironment(t *testing.T) {
	c := tracetest.New(t)
	t.Setenv("OTEL_SERVICE_NAME", "nightly")
	if err := start(t).End(pipeline.Snapshot{}, nil); err != nil {
		t.Fatal(err)
	}
	if roots := c.Roots(t); len(roots) != 1 || roots[0].Resource["service.name"] != "nightly" || roots[0].Failed != "" {
		t.Errorf("roots %+v", roots)
	}
}

// More spans than a queue of the SDK takes at once.
func TestManyShards(t *testing.T) {
	c := tracetest.New(t)
	tr := start(t)
	const n = 400
	for k := range n {
		tr.ObserveShard(work(k, time.Now(), nil))
	}
	if err := tr.End(pipeline.Snapshot{}, nil); err != nil {
		t.Fatal(err)
	}
	if roots := c.Roots(t); len(roots) != 1 || len(roots[0].Children) != n {
		t.Errorf("%d roots", len(roots))
	}
}

func TestNobodyAsks(t *testing.T) {
	const endpoint = "http://127.0.0.1:1"
	for name, env := range map[string]map[string]string{
		"nothing set": {},
		"disabled":    {endpointVar: endpoint, "OTEL_SDK_DISABLED": "true"},
		"no exporter": {endpointVar: endpoint, "OTEL_TRACES_EXPORTER": "none"},
	} {
		tracetest.Clear(t)
		for k, v := range env {
			t.Setenv(k, v)
		}
		tr, err := Start(context.Background(), plan(), "v1")
		if tr != nil || err != nil {
			t.Errorf("%s: tracer %v, error %v", name, tr, err)
		}
		tr.ObserveShard(work(0, time.Now(), nil))
		if err := tr.End(pipeline.Snapshot{}, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestBadEnvironment(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{endpointVar, "collector:4318", `OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318", want a URL such as`},
		{endpointVar, "ftp://u:secret@collector", `is "ftp://u:xxxxx@collector", want a URL`},
		{tracesEndpointVar, "%%", `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "%%"`},
		{protocolVar, "grpc", `OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", this build sends http/protobuf only`},
	} {
		tracetest.Clear(t)
		t.Setenv(endpointVar, "http://127.0.0.1:1")
		t.Setenv(tc.name, tc.value)
		tr, err := Start(context.Background(), plan(), "v1")
		if tr != nil || err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s=%s: tracer %v, error %v, want %q", tc.name, tc.value, tr, err, tc.want)
		}
	}
}

func TestCollectorThatFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + l.Addr().String()
	l.Close() // nobody listens there now
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no such tenant", http.StatusForbidden)
	}))
	defer refuses.Close()
	release := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hangs.Close()
	defer close(release)
	for _, tc := range []struct{ name, endpoint, want string }{
		{"gone", gone, "connection refused"},
		{"refuses", refuses.URL, "no such tenant"},
		{"hangs", hangs.URL, "did not take all spans within 200ms"},
	} {
		tracetest.Clear(t)
		t.Setenv(endpointVar, tc.endpoint)
		tr := start(t)
		tr.within = 200 * time.Millisecond
		tr.ObserveShard(work(0, time.Now(), nil))
		began := time.Now()
		err := tr.End(pipeline.Snapshot{}, nil)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), tc.endpoint) {
			t.Errorf("%s: error %v, want %q", tc.name, err, tc.want)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: the end took %v", tc.name, took)
		}
	}
}
