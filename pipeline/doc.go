// Package pipeline turns a plan into a dataset: it draws samples, decodes and checks them, and hands the rows in order
// to a sink. It knows no domain, no file format and no runtime; those come in through interfaces.
//
// # Numbering
//
// Sample i of a plan (0 <= i < num_samples) is drawn with the noise of (seed, i, attempt), so it depends on nothing
// else. Consecutive indices form
//
//	shard        shard_rows indices; one part of the dataset
//	block        up to 64 micro-batches of a shard; the unit of retries, of ordering and of memory
//	micro-batch  batch indices of a block that go through the network together, counted from the block's first
//
// The network always sees exactly batch rows: a micro-batch that is short is padded with its last sample, whose result
// is thrown away. A row's bits may depend on the number of rows beside it, never on which rows those are, so every
// sample can be drawn again alone (Regenerate) and gives the same bits.
//
// Nothing of a sample depends on num_samples but whether there is one. The run id, with which sample ids begin, is the hash
// of the plan without it (Plan.RecipeSHA256), so a dataset can grow.
//
// # Shards
//
// A run makes the shards that Parts.Next names, in that order, all of them when it is nil; what is finished already, or
// for other processes to do, is the caller's to know. The sink is told the Outcome of each shard when it commits it, and
// outcomes add up to those of the dataset.
//
// # Stages
//
//	schedule ──jobs──▶ sample ──drawn──▶ decode ──decoded──▶ schedule ──blocks──▶ write ──▶ sink
//	ordered            parallel          parallel            (settles)            ordered   commit
//
// Schedule cuts the plan into blocks and micro-batches, collects the invalid rows of a block when all of it has come
// back, and sends them round again with the next attempt. Sample draws the prior and solves the ODE. Decode makes rows
// of samples and lets the domain check them. Write builds Arrow records of the rows that are kept and gives them to the
// sink, shard by shard.
//
// All run at once, joined by bounded channels. The number of open blocks is bounded too, so memory does not grow with
// num_samples, except for 8 bytes of key (about 20 with the map around them) for each of the first 50 million rows, by
// which distinct rows are counted. Two micro-batches or more are in flight for each device, so that it does not wait for
// the host. What a row holds and where it stands depends on the plan alone, never on the number of workers.
//
// # Watching
//
// A stage counts its units and the seconds in which its workers were busy, starved (waiting for the stage before) or
// blocked (waiting for the stage after); a queue between stages knows its depth and its peak, a device for how long an
// evaluation was under way on it. A Monitor reads all of them while the run works, the Report has them at the end, and a
// ShardObserver gets them shard by shard. A Total adds up the Monitors of many runs. Packages pipeline/metrics and pipeline/trace pass them on.
package pipeline
