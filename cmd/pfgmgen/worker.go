package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/urfave/cli/v2"

	"pfgmgen/pipeline/temporal"
)

// workerOptions are the settings of pfgmgen worker.
type workerOptions struct {
	connection
	slots   int
	workers int // batches at a time, as of pfgmgen run
	engine  engineChoice
	watch   watchOptions
	given   func(flag string) bool
}

// A newWork makes what a worker does with the devices of the options. The worker calls close at the end.
type newWork func(ctx context.Context, e *env, o workerOptions) (work temporal.Work, close func() error, err error)

func workerCommand(e *env, newWork newWork) *cli.Command {
	const with = "what to compute with"
	o := &workerOptions{}
	return &cli.Command{
		Name:      "worker",
		Usage:     "make shards of datasets that were submitted to a Temporal server",
		UsageText: "pfgmgen worker [flags]",
		Description: `Takes shards from a task queue of a Temporal server, makes them and writes them to the place of their dataset, until it is
interrupted. Any number of workers share a queue, which is for one kind of device. When a worker is stopped (SIGTERM), others
go on with its shards at once; when it dies, within a minute. It needs to reach the server and the places of the datasets.
` + credentialsHelp + `

Examples:
  pfgmgen worker                                           CPUs, the server on this machine
  pfgmgen worker --address temporal:7233 --device cuda:0,cuda:1
  pfgmgen worker --task-queue night --slots 2              a queue of one's own, two shards at a time`,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "device", Category: with, Usage: "`DEVICE`, such as cpu, cuda:0, webgpu, several as cuda:0,cuda:1 (pfgmgen doctor lists them)", Value: "cpu", Destination: &o.engine.devices},
			&cli.IntFlag{Name: "slots", Category: with, Usage: "`N` shards are made at a time", Value: 1, Destination: &o.slots},
			&cli.IntFlag{Name: "workers", Category: with, Usage: "`N` batches of a shard are computed at a time", DefaultText: "one for each CPU, two for each accelerator", Destination: &o.workers},
			&cli.IntFlag{Name: "threads", Category: with, Usage: "`N` CPU threads work on one batch", Value: 1, Destination: &o.engine.threads},
			&cli.StringFlag{Name: "onnxruntime", Category: with, Usage: "`PATH` of the ONNX Runtime library or its folder", DefaultText: "looked for", Destination: &o.engine.library},
		}, o.connection.flags(), o.watch.flags()),
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			o.given, o.watch.given = c.IsSet, c.IsSet
			return serve(c.Context, e, *o, newWork)
		},
	}
}

// serve is pfgmgen worker.
func serve(ctx context.Context, e *env, o workerOptions, newWork newWork) error {
	for _, f := range []struct {
		name  string
		value int
	}{{"slots", o.slots}, {"workers", o.workers}, {"threads", o.engine.threads}} {
		if f.value < 1 && (f.name != "workers" || o.given("workers")) {
			return usageErrorf("--%s is %d, want at least 1", f.name, f.value)
		}
	}
	if err := o.watch.check(); err != nil {
		return err
	}
	device, err := o.engine.provider()
	if err != nil {
		return err
	}
	if device == "" {
		return usageErrorf("--device auto: a task queue is for one kind of device; name it, such as cpu or cuda:0")
	}
	if o.queue == "" {
		o.queue = temporal.TaskQueue(device)
	}
	client, err := e.dial(ctx, o.connection)
	if err != nil {
		return err
	}
	defer client.Close()
	work, closeWork, err := newWork(ctx, e, o)
	if err != nil {
		return err
	}
	defer func() {
		if err := closeWork(); err != nil {
			e.warn("%v", err)
		}
	}()
	err = client.Serve(ctx, work, temporal.WorkerOptions{
		TaskQueue: o.queue, Device: device, Slots: o.slots,
		Ready: func() {
			e.info("waiting for work: task queue %s of %s, namespace %s; %s at a time with %s", o.queue, client.Address(), client.Namespace(), plural(o.slots, "shard"), o.engine.devices)
		},
	})
	if err != nil {
		return err
	}
	return interruption{fmt.Sprintf("the worker has stopped; what it was making is left to other workers of %s. To go on, run the same command again", o.queue)}
}
