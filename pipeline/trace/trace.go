package trace

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"pfgmgen/pipeline"
)

// flushWithin bounds how long a run waits at its end for the collector to take the last spans.
const flushWithin = 5 * time.Second

// Variables of the environment that are read here; the SDK reads the others.
const (
	endpointVar       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVar = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocolVar       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolVar = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
)

// protocol is the only one that is spoken.
const protocol = "http/protobuf"

// A Tracer makes the spans of one run. Its methods may be called on nil, and then do nothing.
type Tracer struct {
	provider *sdktrace.TracerProvider
	sent     *exporter
	tracer   oteltrace.Tracer
	run      oteltrace.Span
	ctx      context.Context // of the run's span
	endpoint string          // without a password
	within   time.Duration   // flushWithin, less in tests
}

var _ pipeline.ShardObserver = (*Tracer)(nil)

// Start begins the span of a run with the given plan. Without an endpoint in the environment the Tracer is nil, as it is
// after an error, which says what is wrong with the environment.
func Start(ctx context.Context, plan pipeline.Plan, version string) (*Tracer, error) {
	endpoint, err := fromEnvironment()
	if endpoint == "" || err != nil {
		return nil, err
	}
	client, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	res, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "pfgmgen"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv()) // the last one wins
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("trace: %w", err)
	}
	sent := &exporter{SpanExporter: client}
	t := &Tracer{sent: sent, endpoint: endpoint, within: flushWithin, provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(sent), sdktrace.WithResource(res))}
	t.tracer = t.provider.Tracer("pfgmgen/pipeline/trace", oteltrace.WithInstrumentationVersion(version))
	t.ctx, t.run = t.tracer.Start(context.WithoutCancel(ctx), "run", oteltrace.WithAttributes(
		attribute.String("pfgmgen.run_id", plan.RunID()),
		attribute.String("pfgmgen.domain", plan.Domain),
		attribute.String("pfgmgen.model_sha256", plan.Model.SHA256),
		attribute.String("pfgmgen.provider", plan.Provider),
		attribute.Int64("pfgmgen.rows_asked", plan.NumSamples),
		attribute.Int64("pfgmgen.seed", int64(plan.Seed)), // a valid plan's fits
		attribute.String("pfgmgen.solver", plan.Solver),
		attribute.Int("pfgmgen.steps", plan.Steps),
		attribute.Int("pfgmgen.batch", plan.Batch),
	))
	return t, nil
}

// fromEnvironment is where traces go, for messages, and empty when nobody asks for them.
func fromEnvironment() (endpoint string, err error) {
	first := func(names ...string) (name, value string) {
		for _, name := range names {
			if value := strings.TrimSpace(os.Getenv(name)); value != "" {
				return name, value
			}
		}
		return "", ""
	}
	name, endpoint := first(tracesEndpointVar, endpointVar)
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return "", nil
	}
	u, err := url.Parse(endpoint)
	if err == nil {
		endpoint = u.Redacted()
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("trace: %s is %q, want a URL such as http://127.0.0.1:4318", name, endpoint)
	}
	if name, value := first(tracesProtocolVar, protocolVar); name != "" && value != protocol {
		return "", fmt.Errorf("trace: %s is %q, this build sends %s only; set it so, and the endpoint to that port of the collector, usually 4318", name, value, protocol)
	}
	return endpoint, nil
}

// ObserveShard makes the spans of a shard, all at once and with the times of the work.
func (t *Tracer) ObserveShard(w pipeline.ShardWork) {
	if t == nil {
		return
	}
	ctx, shard := t.tracer.Start(t.ctx, "shard", oteltrace.WithTimestamp(w.Began), oteltrace.WithAttributes(attribute.Int("pfgmgen.shard", w.Shard)))
	for _, s := range w.Stages {
		_, span := t.tracer.Start(ctx, s.Stage, oteltrace.WithTimestamp(s.Began), oteltrace.WithAttributes(
			attribute.Float64("pfgmgen.busy_seconds", s.Busy.Seconds()), attribute.Int64("pfgmgen.units", s.Units), attribute.Int64("pfgmgen.rows", s.Rows)))
		span.End(oteltrace.WithTimestamp(s.Ended))
	}
	fail(shard, w.Err)
	shard.End(oteltrace.WithTimestamp(w.Ended))
}

// fail marks a span when there is an error.
func fail(s oteltrace.Span, err error) {
	if err != nil {
		s.RecordError(err)
		s.SetStatus(codes.Error, err.Error())
	}
}

// End ends the span of the run, which did what now says and failed with err unless that is nil, and sends what was not
// sent yet. It waits five seconds at most. The error says which spans the collector may lack, and why.
func (t *Tracer) End(now pipeline.Snapshot, err error) error {
	if t == nil {
		return nil
	}
	t.run.SetAttributes(attribute.Int64("pfgmgen.rows", now.Written), attribute.Int64("pfgmgen.draws", now.Drawn), attribute.Int64("pfgmgen.retries", now.Retries),
		attribute.Int64("pfgmgen.shards", now.Shards), attribute.Int64("pfgmgen.bytes", now.Bytes))
	fail(t.run, err)
	t.run.End()
	ctx, cancel := context.WithTimeout(context.Background(), t.within)
	defer cancel()
	failed := t.provider.Shutdown(ctx)
	if first := t.sent.err(); first != nil {
		failed = first
	}
	switch {
	case failed == nil:
		return nil
	case errors.Is(failed, context.DeadlineExceeded):
		return fmt.Errorf("trace: the collector at %s did not take all spans within %v, so some are missing there", t.endpoint, t.within)
	}
	return fmt.Errorf("trace: spans are missing at the collector: %w; is it running at %s (%s)?", failed, t.endpoint, endpointVar)
}

// An exporter keeps the first error of another one to itself, because the SDK's way to tell of it is a global handler
// that writes to stderr.
type exporter struct {
	sdktrace.SpanExporter
	mu    sync.Mutex
	first error
}

func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.first == nil {
			e.first = err
		}
	}
	return nil
}

func (e *exporter) err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.first
}
