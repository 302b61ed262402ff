// Package trace sends what a run did to an OpenTelemetry collector as spans, by OTLP over HTTP:
//
//	run                     the whole command, with its settings and, at the end, what became of it
//	└─ shard                from its first sample to its commit; shards overlap
//	   ├─ sample, decode    from the first micro-batch of the shard to the end of its last
//	   ├─ write             from the first block to the last
//	   └─ commit
//
// The span of a stage is the time from its first unit of work to its last, in which it also works for other shards and
// waits; the attributes pfgmgen.busy_seconds (of all workers), pfgmgen.units and pfgmgen.rows say how much of it was
// work. One span for each micro-batch would be thousands.
//
// Only the standard environment switches it on and sets it up: OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, and as OpenTelemetry defines them OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER,
// OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS and the others of the SDK. Without an endpoint
// there is no Tracer, and nothing is measured for one. A collector that cannot be reached costs a warning, never the run.
package trace
