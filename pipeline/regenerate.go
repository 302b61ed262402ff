package pipeline

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/sampler"
)

// Regenerate draws the samples of the given indices and attempts again and returns their rows in the same order, with
// the schema of Run. Whether a gate rejects a row makes no difference. The caller releases the record. Each row equals
// the one that Run wrote for the same index and attempt, on the same provider.
func Regenerate(ctx context.Context, p Plan, parts Parts, ids []sampler.ID) (arrow.Record, error) {
	r, err := newRun(p, parts)
	if err != nil {
		return nil, err
	}
	builder := r.newBuilder()
	defer builder.Release()
	for first := 0; first < len(ids); first += p.Batch {
		chunk := ids[first:min(first+p.Batch, len(ids))]
		rows, err := r.draw(ctx, r.samplers[0], chunk)
		if err != nil {
			return nil, err
		}
		for k, row := range rows {
			builder.add(chunk[k].Index, row)
		}
	}
	return builder.NewRecord(), nil
}

// draw makes the rows of at most Batch ids in one micro-batch.
func (r *run) draw(ctx context.Context, s *sampler.Sampler, ids []sampler.ID) ([]settled, error) {
	m := &microBatch{slots: make([]int, len(ids)), ids: make([]sampler.ID, r.plan.Batch)}
	for k := range m.ids {
		m.ids[k] = ids[min(k, len(ids)-1)]
		if i := m.ids[k].Index; i < 0 || i >= r.plan.NumSamples {
			return nil, fmt.Errorf("pipeline: sample %d: the plan has the samples 0 to %d", i, r.plan.NumSamples-1)
		}
	}
	m.classes = r.labels.of(m.ids)
	m.x = r.buffer(len(m.ids))
	nfe, err := s.Sample(ctx, m.x, r.plan.Seed, m.ids, m.classes)
	if err != nil {
		return nil, err
	}
	r.nfe.Store(int64(nfe))
	r.decodeRows(m)
	return m.rows, nil
}
