// Package metrics shows what a run or a worker is doing to Prometheus: over HTTP while it works (Serve), and in a text file that the
// textfile collector of node_exporter picks up (WriteFile), for jobs that are over before anybody asks.
//
// Values are read from a pipeline.Monitor when they are asked for, so a run that nobody watches pays nothing. The
// registry is the package's own and holds nothing about the Go process, because node_exporter refuses files with metrics
// that it has itself. All names begin with pfgmgen_:
//
//	info{run_id,domain,model_sha256,version}  1; this and the next three are of a run only
//	run_state{state}                          1 for the one of working, done, failed and interrupted that holds
//	run_seconds                               wall time since the run began
//	rows_asked                                samples of the plan
//	worker_info{task_queue,version}           1; this and the next two are of a worker only
//	worker_slots, worker_slots_busy           shards that it makes at a time; shards under way
//	rows_total                                rows given to the sink
//	draws_total                               draws that came back, retries included
//	retries_total{kind="draw|storage"}        draws of a sample after its first; operations on a bucket after their first
//	rejects_total{check}                      draws that failed a hard gate; a draw may fail several; of a run from the start at 0
//	warnings_total{check}                     rows with a warning
//	shards_total{state="done|skipped|failed"} committed by this process; there already (run); attempts that failed (worker)
//	bytes_total                               size of the files of committed shards, exports included
//	stage_seconds_total{stage,state}          seconds of all workers: busy, starved or blocked
//	stage_units_total{stage}                  micro-batches, blocks or shards
//	stage_workers{stage}                      workers; rate(stage_seconds_total{state="busy"}) over it is the load
//	queue_depth, _peak, _capacity{queue}      units between two stages: now, the most seen, the most possible
//	device_busy_share{device}                 share of the wall time so far with an evaluation under way on the device
//	device_busy_seconds_total{device}         that time; its rate is the share over a window
//	device_evaluations_total{device}          evaluations of the network, one for a whole micro-batch
//
// Those of a worker are sums over all that it has done since it began, of any run. Workers, depths and capacities are those of
// the shards under way, and with several of them at a time the busy time of a device counts for each. A shard that is interrupted
// has not failed.
//
// Stages count a unit when it is finished: a micro-batch of half a minute shows up when it is over.
package metrics
