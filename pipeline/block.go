package pipeline

import (
	"slices"

	"pfgmgen/domains"
	"pfgmgen/sampler"
)

// Limits of a block, in micro-batches and in bytes of model space. Larger blocks waste less on padded retries, smaller
// ones take less memory.
const (
	blockBatches = 64
	blockBytes   = 64 << 20
)

// A layout cuts a plan into shards and blocks.
type layout struct {
	n, shardRows, blockRows int64
}

func newLayout(p Plan) layout {
	batches := min(blockBatches, max(1, blockBytes/(8*p.Batch*p.Model.Size)))
	return layout{n: p.NumSamples, shardRows: p.ShardRows, blockRows: int64(batches) * int64(p.Batch)}
}

// shards is the number of parts.
func (l layout) shards() int { return int((l.n-1)/l.shardRows) + 1 }

// span is the first index of a shard and the one after its last.
func (l layout) span(shard int) (first, end int64) {
	first = int64(shard) * l.shardRows
	if l.shardRows <= l.n-first { // written so that nothing overflows
		return first, first + l.shardRows
	}
	return first, l.n
}

// block is the one of a shard that begins at index first.
func (l layout) block(shard int, first int64) *block {
	from, end := l.span(shard)
	n := min(l.blockRows, end-first)
	return &block{shard: shard, first: first, begins: first == from, last: first+n == end, rows: make([]settled, n)}
}

// A block is a run of consecutive samples of one shard. Only the schedule stage touches it until it is complete, and
// only the write stage after.
type block struct {
	shard   int
	first   int64
	begins  bool      // its shard
	last    bool      // of its shard
	rows    []settled // by index - first
	attempt int32     // of the round under way
	flying  int       // micro-batches of the round that have not come back
	retry   []int     // rows to draw again, positions in rows
	draws   Draws
}

// settled is what became of one sample: a row, or nil when it was dropped.
type settled struct {
	row     domains.Row
	key     uint64 // of the row's content
	attempt int32
}

func (b *block) complete() bool { return b.flying == 0 && len(b.retry) == 0 }

// A microBatch is one unit of work for the network.
type microBatch struct {
	block   *block
	slots   []int        // rows of the block that it draws
	ids     []sampler.ID // one for each row of the network's batch: those of slots, then padding
	classes []int64      // for each of ids, nil without classes
	x       []float64    // the samples, once drawn
	rows    []settled    // for each of slots, once decoded
}

// cut makes the micro-batches of the given rows of a block at its present attempt.
func (b *block) cut(slots []int, batch int, labels labelling) []*microBatch {
	var out []*microBatch
	for chunk := range slices.Chunk(slots, batch) {
		m := &microBatch{block: b, slots: chunk, ids: make([]sampler.ID, batch)}
		for k := range m.ids {
			slot := chunk[min(k, len(chunk)-1)]
			m.ids[k] = sampler.ID{Index: b.first + int64(slot), Attempt: b.attempt}
		}
		m.classes = labels.of(m.ids)
		out = append(out, m)
	}
	return out
}

// of are the classes of ids, nil without classes.
func (l labelling) of(ids []sampler.ID) []int64 {
	if len(l.classes) == 0 {
		return nil
	}
	out := make([]int64, len(ids))
	for k, id := range ids {
		out[k] = int64(l.class(id.Index))
	}
	return out
}
