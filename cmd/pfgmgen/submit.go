package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/pipeline/temporal"
)

// submitOptions are the settings of pfgmgen submit.
type submitOptions struct {
	connection
	detach, cancelOnInterrupt bool
	watch, cancel             string            // IDs
	settings                  map[string]string // of the dataset
	minValid                  float64
	every                     time.Duration // between looks at the run
}

func submitCommand(e *env) *cli.Command {
	const waiting = "waiting"
	o := &submitOptions{}
	return &cli.Command{
		Name:      "submit",
		Usage:     "make a dataset on the workers of a Temporal server",
		UsageText: "pfgmgen submit --domain NAME --out PLACE [flags]",
		Description: `Gives a dataset, with the settings of pfgmgen run, to the workers of a task queue (pfgmgen worker) and waits for it. All
workers must reach the place, so it is a bucket, a shared directory, or everything runs on one machine; paths are made
absolute. The same command again finds the run that is under way, or makes what is missing or damaged. An interruption ends
the waiting, not the run. A model of your own must have the same path on the workers, and is compared by its hash.
` + credentialsHelp + `

Examples:
  pfgmgen submit --domain rna -n 1000000 --out s3://bucket/rna
  pfgmgen submit --config run.yaml --detach                do not wait
  pfgmgen submit --watch ID                                wait for a run that was submitted before
  pfgmgen submit --cancel ID                               stop it; finished shards stay`,
		Flags: append(append([]cli.Flag{
			&cli.BoolFlag{Name: "detach", Category: waiting, Usage: "do not wait for the end", Destination: &o.detach},
			&cli.BoolFlag{Name: "cancel-on-interrupt", Category: waiting, Usage: "cancel the run when the waiting is interrupted", Destination: &o.cancelOnInterrupt},
			&cli.StringFlag{Name: "watch", Category: waiting, Usage: "submit nothing, wait for the run `ID`", Destination: &o.watch},
			&cli.StringFlag{Name: "cancel", Category: waiting, Usage: "submit nothing, cancel the run `ID`", Destination: &o.cancel},
		}, remoteFlags(e)...), o.connection.flags()...),
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			o.settings, o.minValid, o.every = settings(c), c.Float64("min-valid"), 2*time.Second
			return submit(c.Context, e, *o)
		},
	}
}

// A submitResult is what pfgmgen submit --json prints.
type submitResult struct {
	Status    string            `json:"status"` // submitted, running (it was already), written, or cancelling
	ID        string            `json:"id"`     // of the run on the server
	Address   string            `json:"address"`
	Namespace string            `json:"namespace"`
	TaskQueue string            `json:"task_queue,omitempty"`
	Summary   *temporal.Summary `json:"summary,omitempty"` // when it was written
}

// submit is pfgmgen submit.
func submit(ctx context.Context, e *env, o submitOptions) error {
	if o.watch != "" && o.cancel != "" || o.detach && (o.watch != "" || o.cancelOnInterrupt) {
		return usageErrorf("of --watch, --cancel and --detach one can be given, and --detach not with --cancel-on-interrupt")
	}
	var spec temporal.Spec
	if o.watch == "" && o.cancel == "" {
		var err error
		if spec, _, err = newSpec(e, o.settings); err != nil {
			return err
		}
		if out := spec.Settings["out"]; temporal.HasPlaceholder(out) || temporal.HasPlaceholder(spec.Settings["seed"]) {
			return usageErrorf("--out %s, --seed %s: placeholders are for pfgmgen schedule", out, spec.Settings["seed"])
		}
	}
	client, err := e.dial(ctx, o.connection)
	if err != nil {
		return err
	}
	defer client.Close()
	res := submitResult{Status: "running", ID: o.watch, Address: client.Address(), Namespace: client.Namespace()}
	var run *temporal.Run
	switch {
	case o.cancel != "":
		if err := client.Run(o.cancel).Cancel(ctx); err != nil {
			return err
		}
		res.ID, res.Status = o.cancel, "cancelling"
		e.info("run %s is being cancelled; finished shards stay", o.cancel)
		return e.print(res, func(io.Writer) error { return nil })
	case o.watch != "":
		run = client.Run(o.watch)
	default:
		var existing bool
		if run, existing, err = client.Submit(ctx, spec, o.queue, temporal.Limits{}); err != nil {
			return err
		}
		res.ID, res.TaskQueue = run.ID, run.TaskQueue
		if existing {
			e.info("run %s is under way already", run.ID)
		} else {
			res.Status = "submitted"
			e.info("run %s was submitted to %s, task queue %s, for %s", run.ID, client.Address(), run.TaskQueue, spec.Settings["out"])
		}
		if o.detach {
			e.info("%s", waitHints(o, run.ID))
			return e.print(res, func(io.Writer) error { return nil })
		}
	}
	show := &runMeter{e: e, said: make(map[string]bool)}
	sum, err := run.Follow(ctx, o.every, show.observe)
	show.end()
	switch {
	case ctx.Err() != nil && err != nil:
		return leave(ctx, e, o, run)
	case errors.Is(err, temporal.ErrCancelled):
		return interruption{err.Error()}
	case err != nil:
		return err
	}
	res.Status, res.Summary = "written", &sum
	e.info("%s rows in %s (%s, %s), %s distinct, run %s", number(sum.Rows), sum.Out, plural(sum.Parts, "part"), size(sum.Bytes), number(sum.Distinct), sum.RunID)
	e.info("%s of %s draws valid", percent(sum.ValidShare), number(sum.Draws))
	if err := e.print(res, func(io.Writer) error { return nil }); err != nil {
		return err
	}
	return threshold(runOptions{minValid: o.minValid}, sum.ValidShare)
}

// leave ends the waiting for a run.
func leave(ctx context.Context, e *env, o submitOptions, run *temporal.Run) error {
	if !o.cancelOnInterrupt {
		return interruption{"the waiting was interrupted, the run goes on. " + waitHints(o, run.ID)}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := run.Cancel(ctx); err != nil {
		return err
	}
	return interruption{fmt.Sprintf("run %s is being cancelled; finished shards stay. To make the rest, run the same command again", run.ID)}
}

// waitHints say what can be done with a run that was submitted.
func waitHints(o submitOptions, id string) string {
	with := ""
	for _, f := range [][2]string{{"address", o.address}, {"namespace", o.namespace}} {
		if f[1] != "" {
			with += " --" + f[0] + " " + shellWord(f[1])
		}
	}
	if o.tls {
		with += " --tls"
	}
	return fmt.Sprintf("To wait for it: pfgmgen submit --watch %s%s; to stop it: --cancel instead of --watch", shellWord(id), with)
}

// A runMeter shows a run that others carry out.
type runMeter struct {
	e     *env
	meter *meter
	most  int64
	said  map[string]bool
}

// observe shows how far the run is, and says everything else once.
func (m *runMeter) observe(p temporal.Progress, err error) {
	switch {
	case err != nil:
		m.once("%v", err)
		return
	case p.NoWorker != "":
		m.once("no worker asks the task queue %s for work; start one: pfgmgen worker --task-queue %s", p.NoWorker, shellWord(p.NoWorker))
		return
	}
	for _, f := range p.Faults {
		m.once("tried again: %s", f)
	}
	if p.Samples == 0 {
		return // not prepared yet
	}
	if m.meter == nil {
		m.meter = m.e.newMeter("sampling", "rows", p.Samples)
		m.meter.offset = p.SamplesDone
	}
	m.most = max(m.most, p.SamplesDone) // a shard that was lost counts again from 0
	m.meter.update(m.most, fmt.Sprintf("%s on %s", plural(p.Running, "shard"), plural(p.Workers, "worker")))
}

func (m *runMeter) once(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !m.said[text] {
		m.said[text] = true
		m.e.warn("%s", text)
	}
}

func (m *runMeter) end() {
	if m.meter != nil {
		m.meter.end()
	}
}
