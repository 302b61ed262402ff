package training

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pfgmgen/sampler/ort"
)

// ErrDiverged is returned when the loss or its gradient stops being finite and stays so.
var ErrDiverged = errors.New("training diverged")

// maxSkipped is how many steps in a row may have a gradient that is not finite before a run is given up.
const maxSkipped = 20

// A Job is one run of training.
type Job struct {
	Settings Settings
	Train    Examples // of the shape Architecture.Shape, as Valid
	Valid    Examples // held out; may be empty or nil
	DataSHA  string   // identifies the data in checkpoints
	// Initial weights, as Architecture.WeightsOf gives them; nil for random ones. Settings.Init names where they are from.
	Initial []float32
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
	// Loss is the mean over the steps since the last report; 1 is the loss of knowing nothing but the scale, NaN means
	// that no step had a finite one.
	Loss     float64
	GradNorm float64       // of the last step, before clipping
	Rate     float64       // examples per second since this process began to train
	Elapsed  time.Duration // since then
	Left     time.Duration // at that rate
}

// A Result is a trained network.
type Result struct {
	Settings  Settings
	Weights   []float32     // moving average
	Examples  int           // seen, with repeats
	Skipped   int           // steps that changed nothing because their gradient was not finite
	Loss      float64       // mean over the last tenth of the steps; NaN when none of them had a finite loss
	ValidLoss float64       // of the moving average on held-out data; NaN without any
	Elapsed   time.Duration // of training in this process
}

// Run trains a network, or goes on from the checkpoint. When ctx ends it saves a checkpoint, if the job names one, and
// returns an error that wraps ctx.Err().
func Run(ctx context.Context, rt *ort.Runtime, job Job) (*Result, error) {
	s := &job.Settings
	if job.Train == nil || job.Train.Len() == 0 {
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
		if job.Initial != nil {
			if len(job.Initial) != len(st.w) || s.Init == "" {
				return nil, fmt.Errorf("training: %d initial weights of %q for a network of %d", len(job.Initial), s.Init, len(st.w))
			}
			copy(st.w, job.Initial)
			copy(st.ema, job.Initial)
		}
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
	if job.Valid != nil && job.Valid.Len() > 0 && !isFinite(r.ValidLoss) {
		return nil, fmt.Errorf("training: %w: the held-out loss is %g after %d steps, %d of them skipped; look for NaN in the held-out data, or try a lower learning rate",
			ErrDiverged, r.ValidLoss, s.Steps, r.Skipped)
	}
	return r, nil
}

// run makes the steps that are left.
func (t *trainer) run(ctx context.Context, job *Job, st *state) (*Result, error) {
	s := t.set
	prefetching, stop := context.WithCancel(ctx)
	ready := t.prefetch(prefetching, job.Train, st.step)
	defer func() { // whatever happens, the data are not touched after this function
		stop()
		for range ready.full {
		}
	}()
	start, reported, saved := time.Now(), time.Now(), time.Now()
	every := job.Every
	if every <= 0 {
		every = time.Minute
	}
	var sum float64
	var count, inARow int
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
				st.tail, st.tailSteps = st.tail+loss, st.tailSteps+1
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
				Step: st.step, Steps: s.Steps, Loss: sum / float64(count), GradNorm: norm,
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
		Loss: st.tail / float64(st.tailSteps), Elapsed: time.Since(start)}, nil
}

func isFinite(v float64) bool { return v-v == 0 }
