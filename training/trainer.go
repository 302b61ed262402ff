package training

import (
	"context"
	"fmt"
	"math"
	"time"

	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// trainer holds the sessions of a run.
type trainer struct {
	set        *Settings
	step, loss *ort.Session
	next       *state // outputs of the step, swapped with the state after it
	scalars    map[string][]float32
}

func newTrainer(rt *ort.Runtime, s *Settings) (*trainer, error) {
	step, err := s.Architecture.stepModel(SigmaData, optimiser{s.Beta1, s.Beta2, s.Clip})
	if err != nil {
		return nil, err
	}
	loss, err := s.Architecture.lossModel(SigmaData)
	if err != nil {
		return nil, err
	}
	// Spinning threads would make a run on an idle machine with two cores about 6 % faster, and one beside other work
	// much slower, since every layer then waits for a thread that is not scheduled.
	o := ort.SessionOptions{Threads: s.threads()}
	t := &trainer{set: s, next: newState(s), scalars: make(map[string][]float32)}
	for _, name := range []string{inRate, inEpsilon, inEMA, outLoss, outNorm} {
		t.scalars[name] = make([]float32, 1)
	}
	if t.step, err = rt.NewSession(step, o); err != nil {
		return nil, fmt.Errorf("training: build the training step: %w", err)
	}
	if t.loss, err = rt.NewSession(loss, o); err != nil {
		t.step.Close()
		return nil, fmt.Errorf("training: build the held-out loss: %w", err)
	}
	return t, nil
}

func (t *trainer) close() {
	t.step.Close()
	t.loss.Close()
}

// inputs are the tensors that the loss takes.
func (t *trainer) inputs(b *batch, w []float32) map[string]ort.Tensor {
	a := t.set.Architecture
	n := int64(len(b.sigma))
	shape := []int64{n}
	for _, d := range a.Shape {
		shape = append(shape, int64(d))
	}
	in := map[string]ort.Tensor{
		sampler.InputX:     {Shape: shape, Data: b.x},
		inClean:            {Shape: shape, Data: b.y},
		sampler.InputSigma: {Shape: []int64{n}, Data: b.sigma},
		vecWeights:         {Shape: []int64{int64(len(w))}, Data: w},
	}
	if b.label != nil {
		in[sampler.InputLabel] = ort.Tensor{Shape: []int64{n}, Data: b.label}
	}
	return in
}

// apply makes one step on a batch. Afterwards t.next holds the new vectors; st is as it was.
func (t *trainer) apply(ctx context.Context, st *state, b *batch) (loss, norm float64, err error) {
	s := t.set
	k := float64(st.step + 1)
	correct := math.Sqrt(1 - math.Pow(s.Beta2, k))
	t.scalars[inRate][0] = float32(s.rateAt(st.step) * correct / (1 - math.Pow(s.Beta1, k)))
	t.scalars[inEpsilon][0] = float32(s.Epsilon * correct)
	t.scalars[inEMA][0] = float32(1 - s.emaAt(st.step))

	in, out := t.inputs(b, st.w), make(map[string]ort.Tensor)
	size := []int64{int64(len(st.w))}
	names := [4]string{vecWeights, vecMean, vecSquare, vecEMA}
	for i, v := range st.vectors() {
		in[names[i]] = ort.Tensor{Shape: size, Data: v}
	}
	for i, v := range t.next.vectors() {
		out[names[i]+suffixNext] = ort.Tensor{Shape: size, Data: v}
	}
	for _, name := range []string{inRate, inEpsilon, inEMA} {
		in[name] = ort.Tensor{Shape: []int64{}, Data: t.scalars[name]}
	}
	for _, name := range []string{outLoss, outNorm} {
		out[name] = ort.Tensor{Shape: []int64{}, Data: t.scalars[name]}
	}
	if err := t.step.Run(ctx, in, out); err != nil {
		return 0, 0, fmt.Errorf("training: step %d: %w", st.step, err)
	}
	return float64(t.scalars[outLoss][0]), float64(t.scalars[outNorm][0]), nil
}

// stepsWithin measures the speed on steps that are thrown away and says how many fit into what the measurement leaves of
// the budget, at least one. It takes a tenth of the budget, or one step where that takes longer.
func (t *trainer) stepsWithin(ctx context.Context, job Job, st *state) (int, error) {
	const warm, timed = 2, 8
	m, b := newBatches(t.set, job.Train, purposeNoise), newBatch(t.set)
	begin := time.Now()
	start, counted := begin, 0
	for i := range warm + timed {
		m.fill(b, i)
		if _, _, err := t.apply(ctx, st, b); err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("training: stopped before the first step: %w", ctx.Err())
			}
			return 0, err
		}
		counted++
		if time.Since(begin) > job.Budget/10 {
			break
		}
		if i == warm-1 { // the first steps allocate
			start, counted = time.Now(), 0
		}
	}
	each := max(1, float64(time.Since(start))/float64(counted))
	left := float64(job.Budget - time.Since(begin))
	return int(min(max(1, left/each), maxSteps)), nil
}

// ring passes batches between the goroutine that fills them and the steps.
type ring struct{ full, empty chan *batch }

// prefetch fills batches while the steps run, from the given step to the last. It ends with ctx or when it is done.
func (t *trainer) prefetch(ctx context.Context, data Examples, step int) ring {
	const ahead = 2
	r := ring{make(chan *batch), make(chan *batch, ahead+1)}
	for range ahead {
		r.empty <- newBatch(t.set)
	}
	m := newBatches(t.set, data, purposeNoise)
	go func() {
		defer close(r.full)
		for ; step < t.set.Steps; step++ {
			select {
			case b := <-r.empty:
				m.fill(b, step)
				select {
				case r.full <- b:
				case <-ctx.Done():
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// validLoss is the loss of the weights on held-out data: every example with at least 4 noise levels that are the same
// in every run with the seed.
func (t *trainer) validLoss(ctx context.Context, data Examples, w []float32) (float64, error) {
	if data == nil || data.Len() == 0 {
		return math.NaN(), nil
	}
	m, b := newBatches(t.set, data, purposeValid), newBatch(t.set)
	rounds := max(4, (4*data.Len()+t.set.Batch-1)/t.set.Batch)
	sum := 0.0
	for i := range rounds {
		m.fill(b, i)
		out := map[string]ort.Tensor{outLoss: {Shape: []int64{}, Data: t.scalars[outLoss]}}
		if err := t.loss.Run(ctx, t.inputs(b, w), out); err != nil {
			return 0, fmt.Errorf("training: held-out loss: %w", err)
		}
		sum += float64(t.scalars[outLoss][0])
	}
	return sum / float64(rounds), nil
}
