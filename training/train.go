package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// ErrDiverged is returned when the loss or its gradient stops being finite and stays so.
var ErrDiverged = errors.New("training diverged")

// maxSkipped is how many steps in a row may have a gradient that is not finite before a run is given up.
const maxSkipped = 20

// A Job is one run of training.
type Job struct {
	Settings Settings
	Train    Examples
	Valid    Examples // held out; may be empty
	DataSHA  string   // identifies the data in checkpoints
	// Budget, when positive, replaces Settings.Steps: the speed is measured first, and the number of steps that fit is
	// fixed before the first one, so that the learning rate knows the end and a resumed run keeps it.
	Budget     time.Duration
	Checkpoint string        // file to resume from and to save to; "" for none
	Every      time.Duration // between checkpoints; 0 for one a minute
	Observe    func(Progress)
}

// Progress is what a run tells while it works.
type Progress struct {
	Step, Steps int
	Loss        float64 // mean over the steps since the last report; 1 is the loss of knowing nothing but the scale
	GradNorm    float64 // of the last step, before clipping
	Rate        float64 // examples per second since the last report
	Elapsed     time.Duration
	Left        time.Duration // at the present rate
}

// A Result is a trained network.
type Result struct {
	Settings  Settings
	Weights   []float32 // moving average
	Examples  int       // seen, with repeats
	Skipped   int       // steps that changed nothing because their gradient was not finite
	Loss      float64   // mean over the last tenth of the steps made in this process
	ValidLoss float64   // of the moving average on held-out data; NaN without any
	Elapsed   time.Duration
}

// Run trains a network, or goes on from the checkpoint. When ctx ends it saves a checkpoint, if the job names one, and
// returns an error that wraps ctx.Err().
func Run(ctx context.Context, rt *ort.Runtime, job Job) (*Result, error) {
	s := &job.Settings
	if job.Train.Len() == 0 {
		return nil, fmt.Errorf("training: no examples to train on")
	}
	if job.Budget > 0 {
		s.Steps = 1 // fixed below
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	t, err := newTrainer(rt, s)
	if err != nil {
		return nil, err
	}
	defer t.close()

	var st *state
	if job.Checkpoint != "" {
		if st, err = load(job.Checkpoint, s, job.Budget > 0, job.DataSHA); err != nil {
			return nil, err
		}
	}
	if st == nil {
		st = newState(s)
		if job.Budget > 0 {
			if s.Steps, err = t.stepsWithin(ctx, job, st); err != nil {
				return nil, err
			}
			s.Warmup = min(s.Warmup, s.Steps/10)
		}
	}
	r, err := t.run(ctx, &job, st)
	if err != nil {
		return nil, err
	}
	if r.ValidLoss, err = t.validLoss(ctx, job.Valid, r.Weights); err != nil {
		return nil, err
	}
	return r, nil
}

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
	o := ort.SessionOptions{Threads: s.threads(), Spin: true}
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
	shape := []int64{n, int64(a.Length), int64(a.Channels)}
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

// stepsWithin measures the speed on steps that are thrown away and says how many fit the budget.
func (t *trainer) stepsWithin(ctx context.Context, job Job, st *state) (int, error) {
	const warm, timed = 2, 8
	m, b := newBatches(t.set, job.Train, purposeNoise), newBatch(t.set)
	start := time.Now()
	for i := range warm + timed {
		if i == warm {
			start = time.Now()
		}
		m.fill(b, i)
		if _, _, err := t.apply(ctx, st, b); err != nil {
			return 0, err
		}
	}
	return max(1, int(float64(job.Budget)/float64(time.Since(start))*timed)), nil
}

// run makes the steps that are left.
func (t *trainer) run(ctx context.Context, job *Job, st *state) (*Result, error) {
	s := t.set
	prefetching, stop := context.WithCancel(ctx)
	defer stop()
	ready := t.prefetch(prefetching, job.Train, st.step)
	start, reported, saved := time.Now(), time.Now(), time.Now()
	every := job.Every
	if every <= 0 {
		every = time.Minute
	}
	var sum, tail float64
	var count, tailCount, inARow int
	first := st.step
	save := func() error {
		if job.Checkpoint == "" {
			return nil
		}
		return st.save(job.Checkpoint, *s, job.DataSHA)
	}
	for st.step < s.Steps {
		b, ok := <-ready.full
		if !ok || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("training: stopped after step %d of %d: %w", st.step, s.Steps, ctx.Err()), save())
		}
		loss, norm, err := t.apply(ctx, st, b)
		ready.empty <- b
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("training: stopped after step %d of %d: %w", st.step, s.Steps, ctx.Err())
			}
			return nil, errors.Join(err, save())
		}
		if isFinite(loss) && isFinite(norm) {
			st.w, t.next.w = t.next.w, st.w
			st.m, t.next.m = t.next.m, st.m
			st.v, t.next.v = t.next.v, st.v
			st.ema, t.next.ema = t.next.ema, st.ema
			sum, count, inARow = sum+loss, count+1, 0
			if st.step >= s.Steps-max(1, s.Steps/10) {
				tail, tailCount = tail+loss, tailCount+1
			}
		} else {
			st.skipped++
			if inARow++; inARow > maxSkipped {
				return nil, fmt.Errorf("training: %w: %d steps in a row up to step %d had a loss of %g and a gradient of norm %g; try a lower learning rate",
					ErrDiverged, inARow, st.step, loss, norm)
			}
		}
		st.step++
		if now := time.Now(); job.Observe != nil && (now.Sub(reported) >= time.Second || st.step == s.Steps) {
			done := st.step - first
			job.Observe(Progress{
				Step: st.step, Steps: s.Steps, Loss: sum / float64(max(1, count)), GradNorm: norm,
				Rate:    float64(done*s.Batch) / now.Sub(start).Seconds(),
				Elapsed: now.Sub(start), Left: time.Duration(float64(now.Sub(start)) / float64(done) * float64(s.Steps-st.step)),
			})
			reported, sum, count = now, 0, 0
		}
		if time.Since(saved) >= every {
			if err := save(); err != nil {
				return nil, err
			}
			saved = time.Now()
		}
	}
	if err := save(); err != nil {
		return nil, err
	}
	return &Result{Settings: *s, Weights: st.ema, Examples: st.step * s.Batch, Skipped: st.skipped,
		Loss: tail / float64(max(1, tailCount)), Elapsed: time.Since(start)}, nil
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

func isFinite(v float64) bool { return v-v == 0 }
