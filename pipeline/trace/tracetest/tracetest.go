// Package tracetest has a collector of OpenTelemetry spans for tests: an HTTP server on loopback that takes OTLP as
// protobuf, as a real one does.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// A Span is one that came in, with its children in the order in which they ended.
type Span struct {
	Name         string
	Began, Ended time.Time
	Attributes   map[string]any // string, int64, float64 or bool
	Failed       string         // the message of an error status
	Resource     map[string]any
	Children     []*Span

	id, parent string
}

// A Collector takes spans at URL.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []*Span
}

// New starts a collector that ends with the test and points the environment to it.
func New(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil {
			t.Errorf("tracetest: %v", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := proto.Marshal(&coltracepb.ExportTraceServiceResponse{})
		if err != nil {
			t.Errorf("tracetest: %v", err)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer) // a client that is gone has lost its answer
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	c.URL = server.URL
	Clear(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	return c
}

// Clear takes what would change traces from the environment of the test.
func Clear(t *testing.T) {
	t.Helper()
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"} {
		t.Setenv(name, "")
	}
}

// take decodes a request.
func (c *Collector) take(r *http.Request) error {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var req coltracepb.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &req); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				c.spans = append(c.spans, newSpan(s, attributes(rs.GetResource().GetAttributes())))
			}
		}
	}
	return nil
}

func newSpan(s *tracepb.Span, resource map[string]any) *Span {
	span := &Span{Name: s.Name, Began: time.Unix(0, int64(s.StartTimeUnixNano)), Ended: time.Unix(0, int64(s.EndTimeUnixNano)),
		Attributes: attributes(s.Attributes), Resource: resource, id: hex.EncodeToString(s.SpanId), parent: hex.EncodeToString(s.ParentSpanId)}
	if s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		span.Failed = s.GetStatus().GetMessage()
	}
	return span
}

func attributes(kvs []*commonpb.KeyValue) map[string]any {
	out := make(map[string]any)
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			out[kv.Key] = v.StringValue
		case *commonpb.AnyValue_IntValue:
			out[kv.Key] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			out[kv.Key] = v.DoubleValue
		case *commonpb.AnyValue_BoolValue:
			out[kv.Key] = v.BoolValue
		}
	}
	return out
}

// Roots are the spans without a parent, with the trees below them. A span whose parent did not come in fails the test.
func (c *Collector) Roots(t *testing.T) []*Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := make(map[string]*Span)
	for _, s := range c.spans {
		byID[s.id] = s
		s.Children = nil
	}
	var roots []*Span
	for _, s := range c.spans {
		switch parent := byID[s.parent]; {
		case s.parent == "":
			roots = append(roots, s)
		case parent == nil:
			t.Errorf("the parent of span %s did not come in", s.Name)
		default:
			parent.Children = append(parent.Children, s)
		}
	}
	return roots
}
