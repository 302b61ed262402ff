package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
)

// decode is one worker of the parallel stage that makes rows of samples and has them checked by the domain's gates.
func (r *run) decode(ctx context.Context, drawn <-chan *microBatch, decoded *queue[*microBatch]) error {
	st := r.stages.decode
	for {
		m, ok, err := receive(ctx, st, drawn)
		if err != nil || !ok {
			return err
		}
		work := st.begin()
		r.decodeRows(m)
		work.end(m.block.shard, len(m.slots))
		if err := send(ctx, st, decoded, m); err != nil {
			return err
		}
	}
}

// decodeRows fills m.rows and gives the samples' memory back.
func (r *run) decodeRows(m *microBatch) {
	size := r.plan.Model.Size
	m.rows = make([]settled, len(m.slots))
	for k := range m.rows {
		x := m.x[k*size : (k+1)*size]
		r.unscale(x)
		class := -1
		if m.classes != nil {
			class = int(m.classes[k])
		}
		row := r.adapter.Decode(x, class)
		m.rows[k] = settled{row: row, key: keyOf(row.Key()), attempt: m.ids[k].Attempt}
	}
	x := m.x
	m.x = nil
	r.buffers.Put(&x)
}

// unscale takes a sample from the model's own scale to the adapter's: x/scale + offset. What is absent stays 0.
func (r *run) unscale(x []float64) {
	if r.plain {
		return
	}
	for i := range x {
		if x[i] == 0 && r.masked {
			continue
		}
		x[i] = x[i]/r.scale[i%len(r.scale)] + r.offset[i%len(r.offset)]
	}
}

// keyOf is a 64-bit hash of a row's content. It is the same in every process, so that counts of distinct rows are.
func keyOf(content string) uint64 {
	h := sha256.New()
	_, _ = io.WriteString(h, content) // a hash takes everything
	return binary.LittleEndian.Uint64(h.Sum(nil))
}
