package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains/all"
	"pfgmgen/io/store"
	"pfgmgen/pipeline/temporal"
)

// A connection says which Temporal server to use, and which of its task queues.
type connection struct {
	address, namespace, queue string
	tls                       bool
}

// flags are those of commands that talk to Temporal.
func (o *connection) flags() []cli.Flag {
	const category = "which Temporal server"
	return []cli.Flag{
		&cli.StringFlag{Name: "address", Category: category, Usage: "`HOST:PORT` of the server", DefaultText: "TEMPORAL_ADDRESS, or localhost:7233", Destination: &o.address},
		&cli.StringFlag{Name: "namespace", Category: category, Usage: "`NAME` of the namespace", DefaultText: "TEMPORAL_NAMESPACE, or default", Destination: &o.namespace},
		&cli.StringFlag{Name: "task-queue", Category: category, Usage: "`NAME` of the task queue", DefaultText: "pfgmgen- and the kind of device, such as pfgmgen-cpu", Destination: &o.queue},
		&cli.BoolFlag{Name: "tls", Category: category, Usage: "use TLS, also without a certificate of one's own", Destination: &o.tls},
	}
}

// credentialsHelp is part of the help of commands that talk to Temporal.
const credentialsHelp = `Credentials come from Temporal's own variables, such as TEMPORAL_API_KEY or TEMPORAL_TLS_CLIENT_CERT_PATH and
TEMPORAL_TLS_CLIENT_KEY_PATH, or from its configuration file with the profile TEMPORAL_PROFILE. They are not logged.`

// dial connects to Temporal.
func (e *env) dial(ctx context.Context, o connection) (*temporal.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return temporal.Dial(ctx, temporal.Connection{Address: o.address, Namespace: o.namespace, TLS: o.tls, Log: e.log.Load()})
}

// remoteSettings are the flags of pfgmgen run that say which dataset to make. The others say how a machine makes it, which is
// the matter of workers.
var remoteSettings = []string{"domain", "model", "num-samples", "label", "seed", "steps", "solver", "sigma-min", "sigma-max", "rho", "guidance",
	"out", "invalid", "max-attempts", "min-valid", "format", "also", "shard-rows", "device", "batch"}

// remoteFlags are the flags of pfgmgen run that a command takes on behalf of workers, and --config.
func remoteFlags(e *env) (flags []cli.Flag) {
	for _, f := range runCommand(e).Flags {
		if name := f.Names()[0]; name == "config" || slices.Contains(remoteSettings, name) {
			flags = append(flags, f)
		}
	}
	return flags
}

// settings are the remote settings that the user gave, in any way, as text.
func settings(c *cli.Context) map[string]string {
	out := make(map[string]string)
	for _, name := range remoteSettings {
		if c.IsSet(name) {
			out[name] = fmt.Sprint(c.Value(name))
		}
	}
	return out
}

// remoteOptions are the options of pfgmgen run that settings mean. The environment of this process has no part in them.
func remoteOptions(e *env, settings map[string]string) (runOptions, error) {
	var o runOptions
	set := flag.NewFlagSet("run", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	flags := make(map[string]cli.Flag)
	for _, f := range runCommandInto(e, &o).Flags {
		if err := f.Apply(set); err != nil {
			return o, err
		}
		flags[f.Names()[0]] = f
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(remoteSettings, name) {
			return o, usageErrorf("--%s is no setting that a run on other machines can have; this build knows %v", name, remoteSettings)
		}
		if err := set.Set(name, settings[name]); err != nil {
			return o, usageErrorf("--%s %q: %s", name, settings[name], wants(flags[name], err.Error()))
		}
	}
	o.given = func(name string) bool { _, ok := settings[name]; return ok }
	o.watch.given = o.given
	return o, nil
}

// newSpec checks settings as pfgmgen run would and makes a spec of them. Placeholders for the time of a schedule are filled in
// for the checks only. It returns the options for what is to be said of them.
func newSpec(e *env, settings map[string]string) (temporal.Spec, runOptions, error) {
	spec := temporal.Spec{Settings: maps.Clone(settings)}
	sample := maps.Clone(settings)
	for _, name := range []string{"out", "seed"} {
		text, err := temporal.Expand(sample[name], time.Unix(0, 0).UTC())
		if err != nil {
			return spec, runOptions{}, usageErrorf("--%s %w", name, err)
		}
		if sample[name] != "" {
			sample[name] = text
		}
	}
	o, err := remoteOptions(e, sample)
	if err != nil {
		return spec, o, err
	}
	m, err := findModel(all.Registry(), o.domain, o.model)
	if err != nil {
		return spec, o, err
	}
	if !o.given("out") {
		o.out = filepath.Join("out", m.contract.Domain)
		spec.Settings["out"] = o.out
	}
	if err := o.check(); err != nil {
		return spec, o, err
	}
	provider, err := o.engine.provider()
	if err != nil {
		return spec, o, err
	}
	if provider == "" {
		return spec, o, usageErrorf("--device auto: other machines may find other devices, and the rows depend on their kind; name it, such as cpu or cuda")
	}
	plan, err := o.plan(m, provider)
	if err != nil {
		return spec, o, err
	}
	// Paths are those of this machine: workers run in other folders, if not on other machines.
	dir, err := store.Directory(o.out)
	if err != nil {
		return spec, o, usageErrorf("--out: %w", err)
	}
	if dir != "" {
		if spec.Settings["out"], err = filepath.Abs(spec.Settings["out"]); err != nil {
			return spec, o, fmt.Errorf("--out: %w", err)
		}
	}
	if !m.builtIn {
		if spec.Settings["model"], err = filepath.Abs(o.model); err != nil {
			return spec, o, fmt.Errorf("--model: %w", err)
		}
	}
	spec.Device, spec.ModelSHA256 = provider, m.sha256
	spec.Settings["device"] = provider // which of them is the matter of workers
	if !temporal.HasPlaceholder(settings["seed"]) {
		spec.PlanSHA256 = plan.SHA256()
	}
	return spec, o, nil
}
