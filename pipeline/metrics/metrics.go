package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"pfgmgen/pipeline"
)

// Run is what does not change while a run works.
type Run struct {
	RunID, Domain, ModelSHA256, Version string
	Asked                               int64 // samples of the plan
}

// Worker is what does not change while a worker makes shards of any number of runs.
type Worker struct {
	TaskQueue, Version string
	Slots              int // shards at a time
}

// States of a run.
const (
	Working     = "working"
	Done        = "done"
	Failed      = "failed"
	Interrupted = "interrupted"
)

// Metrics are those of one run, or of one worker. Its methods may be called from any goroutine.
type Metrics struct {
	run      Run
	worker   *Worker // nil for a run
	now      func() pipeline.Snapshot
	registry *prometheus.Registry

	mu      sync.Mutex
	state   string
	storage func() int64 // retries of the storage; may be nil
	skipped int          // shards
	failed  int          // shards
	devices []string     // names in the order of pipeline.Parts.Denoisers; numbers where they end
	hard    []string     // codes of hard gates that show from the start
	soft    []string     // codes of warnings that show from the start
}

// New makes the metrics of a run that monitor follows. The state is Working.
func New(run Run, monitor *pipeline.Monitor) (*Metrics, error) {
	return register(&Metrics{run: run, now: monitor.Snapshot, state: Working})
}

// NewWorker makes the metrics of a worker whose runs total follows.
func NewWorker(w Worker, total *pipeline.Total) (*Metrics, error) {
	return register(&Metrics{worker: &w, now: total.Snapshot})
}

func register(m *Metrics) (*Metrics, error) {
	m.registry = prometheus.NewPedanticRegistry()
	if err := m.registry.Register(m); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}

// SetState says what has become of the run.
func (m *Metrics) SetState(state string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = state
}

// SetDevices names the devices in the order of pipeline.Parts.Denoisers. Until then they have numbers.
func (m *Metrics) SetDevices(names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.devices = names
}

// SetChecks names the hard gates and the warnings that are counted from 0. Others show when they are first met.
func (m *Metrics) SetChecks(hard, soft []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hard, m.soft = hard, soft
}

// FailShard takes note of a shard that could not be made.
func (m *Metrics) FailShard() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed++
}

// SkipShards takes note of n shards that were there already.
func (m *Metrics) SkipShards(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skipped += n
}

// SetStorage names the function that counts what the storage had to try again. It may be called from any goroutine.
func (m *Metrics) SetStorage(retries func() int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.storage = retries
}

// A kind is what all values of one metric have in common.
type kind struct {
	desc  *prometheus.Desc
	value prometheus.ValueType
}

func counter(name, help string, labels ...string) kind {
	return kind{prometheus.NewDesc("pfgmgen_"+name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) kind {
	return kind{prometheus.NewDesc("pfgmgen_"+name, help, labels, nil), prometheus.GaugeValue}
}

// The metrics; the package comment lists them.
var (
	workerInfo    = gauge("worker_info", "The worker: always 1.", "task_queue", "version")
	slots         = gauge("worker_slots", "Shards that the worker makes at a time.")
	slotsBusy     = gauge("worker_slots_busy", "Shards under way.")
	info          = gauge("info", "The run: always 1.", "run_id", "domain", "model_sha256", "version")
	runState      = gauge("run_state", "1 for the state of the run, 0 for the others.", "state")
	runSeconds    = gauge("run_seconds", "Wall time since the run began, and to its end when it is over.")
	rowsAsked     = gauge("rows_asked", "Samples of the plan.")
	rows          = counter("rows_total", "Rows written.")
	draws         = counter("draws_total", "Samples drawn, retries included.")
	retries       = counter("retries_total", "Attempts after the first, by what was tried again.", "kind")
	rejects       = counter("rejects_total", "Draws that failed a hard gate, by its code; a draw may fail several.", "check")
	warnings      = counter("warnings_total", "Rows with a warning, by its code.", "check")
	shards        = counter("shards_total", "Shards committed by this process (done), there already (skipped), or, of a worker, attempts that failed (failed).", "state")
	bytes         = counter("bytes_total", "Size of the files of committed shards, exports included.")
	stageSeconds  = counter("stage_seconds_total", "Seconds of all workers of a stage at work (busy), waiting for the stage before (starved) or after (blocked).", "stage", "state")
	stageUnits    = counter("stage_units_total", "Micro-batches, blocks or shards that a stage has finished.", "stage")
	stageWorkers  = gauge("stage_workers", "Workers of a stage.", "stage")
	queueDepth    = gauge("queue_depth", "Units waiting between two stages.", "queue")
	queuePeak     = gauge("queue_depth_peak", "The most units seen waiting between two stages.", "queue")
	queueCapacity = gauge("queue_capacity", "The most units that can wait between two stages.", "queue")
	deviceShare   = gauge("device_busy_share", "Share of the wall time so far in which an evaluation of the network was under way on the device, 0 to 1.", "device")
	deviceSeconds = counter("device_busy_seconds_total", "Time in which an evaluation of the network was under way on the device.", "device")
	evaluations   = counter("device_evaluations_total", "Evaluations of the network, one for a whole micro-batch.", "device")

	kinds = []kind{workerInfo, slots, slotsBusy, info, runState, runSeconds, rowsAsked, rows, draws, retries, rejects, warnings, shards, bytes, stageSeconds, stageUnits,
		stageWorkers, queueDepth, queuePeak, queueCapacity, deviceShare, deviceSeconds, evaluations}
)

var _ prometheus.Collector = (*Metrics)(nil)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, k := range kinds {
		out <- k.desc
	}
}

// Collect implements prometheus.Collector: one snapshot, so that values of one answer belong together.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	send := func(k kind, value float64, labels ...string) {
		metric, err := prometheus.NewConstMetric(k.desc, k.value, value, labels...)
		if err != nil { // a label is not UTF-8: report it as the registry wants to be told
			metric = prometheus.NewInvalidMetric(k.desc, err)
		}
		out <- metric
	}
	m.mu.Lock()
	state, skipped, failed, devices, storage, hard, soft := m.state, m.skipped, m.failed, m.devices, m.storage, m.hard, m.soft
	m.mu.Unlock()
	now := m.now()

	if m.worker != nil {
		send(workerInfo, 1, m.worker.TaskQueue, m.worker.Version)
		send(slots, float64(m.worker.Slots))
		send(slotsBusy, float64(now.Live))
		send(shards, float64(failed), "failed")
	} else {
		send(info, 1, m.run.RunID, m.run.Domain, m.run.ModelSHA256, m.run.Version)
		for _, s := range []string{Working, Done, Failed, Interrupted} {
			v := 0.0
			if s == state {
				v = 1
			}
			send(runState, v, s)
		}
		send(runSeconds, now.Elapsed.Seconds())
		send(rowsAsked, float64(m.run.Asked))
		send(shards, float64(skipped), "skipped")
	}
	send(rows, float64(now.Written))
	send(draws, float64(now.Drawn))
	send(retries, float64(now.Retries), "draw")
	if storage != nil {
		send(retries, float64(storage()), "storage")
	}
	for _, code := range codes(now.Rejected, hard) {
		send(rejects, float64(now.Rejected[code]), code)
	}
	for _, code := range codes(now.Warned, soft) {
		send(warnings, float64(now.Warned[code]), code)
	}
	send(shards, float64(now.Shards), "done")
	send(bytes, float64(now.Bytes))
	for _, s := range now.Stages {
		send(stageSeconds, s.Busy, s.Stage, "busy")
		send(stageSeconds, s.Starved, s.Stage, "starved")
		send(stageSeconds, s.Blocked, s.Stage, "blocked")
		send(stageUnits, float64(s.Units), s.Stage)
		send(stageWorkers, float64(s.Workers), s.Stage)
	}
	for _, q := range now.Queues {
		send(queueDepth, float64(q.Depth), q.Queue)
		send(queuePeak, float64(q.Peak), q.Queue)
		send(queueCapacity, float64(q.Capacity), q.Queue)
	}
	for k, d := range now.Devices {
		name := strconv.Itoa(k)
		if k < len(devices) {
			name = devices[k]
			if slices.Contains(devices[:k], name) { // one device may be given twice, one label value may not
				name = fmt.Sprintf("%s#%d", name, k)
			}
		}
		send(deviceShare, d.BusyShare, name)
		send(deviceSeconds, d.Busy, name)
		send(evaluations, float64(d.Evaluations), name)
	}
}

// codes are those that were met and those that show from the start, sorted.
func codes(met map[string]int64, more []string) []string {
	all := append(slices.Collect(maps.Keys(met)), more...)
	slices.Sort(all)
	return slices.Compact(all)
}
