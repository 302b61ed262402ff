// Package temporal makes datasets on the Temporal engine: workers on many machines, retries, cancellation and schedules,
// with a history that survives all of them. What a shard is and how it is made comes in as a Work; this package knows no
// domain, no model and no file.
//
// # What runs where
//
//	Run      workflow, one for a dataset: Prepare, fan out, Finalize
//	Shards   child workflow, one for up to 500 shards: an activity for each, 100 at a time
//	Prepare  activity: writes or checks the plan of the place, lists the shards that are missing
//	Shard    activity: makes one shard
//	Finalize activity: commits the dataset
//
// A run has up to 8 children at a time. So 100,000 shards make 200 children with fewer than 5,000 events each, and a parent
// with fewer than 2,000; the server warns at 10,240 and ends a history at 51,200. Messages hold references: the settings of
// a run (16 kB at most), numbers of shards, hashes. Data go from the worker to the place of the dataset.
//
// There is one task queue for each class of device, such as pfgmgen-cpu, because the bits of a row depend on the class. A
// worker of the class takes everything from its queue, workflows included, as many shards at a time as it has slots.
//
// # What the output decides
//
// The place of the dataset, not the history, says what is finished. Prepare looks there, so a run whose history was lost,
// terminated or never ended well is simply submitted again, and only the missing shards are made. A shard that is made
// twice, because a worker was taken for dead, makes the same bytes twice.
//
// # Faults
//
// An error of a Work is permanent when it wraps something with the method Permanent() bool that returns true, such as what
// Permanent makes: wrong settings, a model that this worker does not have. It ends the run with its message. Panics, which
// are mistakes in the code, are permanent too. All other errors are passing ones: they are tried again after 1 s, 2 s, 4 s
// and so on up to a minute, 100 times in all, on whatever worker comes first.
//
// # Signs of life
//
// The worker sends a heartbeat for each activity every 5 s, with the rows that the Work has counted. One that sends none
// for a minute is taken for dead. A Work that counts nothing for half an hour is stopped and gets no more heartbeats, so
// that the shard goes elsewhere even when the Work does not obey. A heartbeat that does not reach the server stops nothing
// (the SDK's own would end the activity after one interval): a server that comes back within the minute finds the shard
// still being made. The answer to a heartbeat is how cancellation arrives; it ends the context of the Work.
//
// # Changing the workflows
//
// Workers replay the code of Run and Shards against histories that older builds have begun. A change to the order of their
// commands therefore needs workflow.GetVersion, or new names. Sizes and times are part of a run's request (Limits) and may
// change.
package temporal
