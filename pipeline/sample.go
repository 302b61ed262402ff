package pipeline

import (
	"context"

	"pfgmgen/sampler"
)

// sample is one worker of the parallel stage that draws micro-batches: prior, then the ODE, on one device.
func (r *run) sample(ctx context.Context, s *sampler.Sampler, jobs <-chan *microBatch, drawn *queue[*microBatch]) error {
	st := r.stages.sample
	for {
		m, ok, err := receive(ctx, st, jobs)
		if err != nil || !ok {
			return err
		}
		work := st.begin()
		m.x = r.buffer(len(m.ids))
		nfe, err := s.Sample(ctx, m.x, r.plan.Seed, m.ids, m.classes)
		if err != nil {
			return err
		}
		r.nfe.Store(int64(nfe))
		work.end(m.block.shard, len(m.slots))
		if err := send(ctx, st, drawn, m); err != nil {
			return err
		}
	}
}

// buffer is memory for the samples of a micro-batch, reused between them.
func (r *run) buffer(rows int) []float64 {
	if b, ok := r.buffers.Get().(*[]float64); ok {
		return *b
	}
	return make([]float64, rows*r.plan.Model.Size)
}
