package main

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"pfgmgen/pipeline/array"
)

// emitOptions are the settings of pfgmgen emit.
type emitOptions struct {
	name, duration, memory string
	tasks, cpus, gpus      int
	image, claim, secret   string
	queue, role            string
	schedule, unit         string
	given                  func(flag string) bool
}

// A job is what the templates write: the settings, checked and made whole.
type job struct {
	o                          emitOptions
	Name                       string
	Tasks, CPUs, GPUs          int
	MiB, Seconds               int64 // memory and time limit, 0 without
	Image, Secret, Queue, Role string
	Claim, Mount               string // a volume, and where it is mounted
	Schedule, Unit             string
	Out, Prefix, Suffix        string   // of the run; what is before and after {date} in it
	Dated                      bool     // whether it has {date}
	Args                       []string // of the run, without --out when that is dated
	MinValid                   string   // of the run, "" without
	device                     string   // of the run
	shards                     int64    // of the run, 0 when that is not known here
	workersGiven, SeedGiven    bool     // to the run
	Grace                      int      // seconds from the warning to the end
	Restarts                   int      // after a warning; a limit ends a job that gets nowhere
	Attempts                   int      // of a task that fails
}

func emitCommand(e *env) *cli.Command {
	const (
		all     = "every job"
		cluster = "containers (k8s, cronjob, aws-batch)"
		some    = "some jobs"
	)
	o := &emitOptions{}
	return &cli.Command{
		Name:      "emit",
		Usage:     "write a job file for a cluster, or for every night",
		UsageText: "pfgmgen emit slurm|k8s|cronjob|systemd|aws-batch [flags] -- ARGUMENTS OF pfgmgen run",
		Description: `Prints a job whose tasks each run pfgmgen run --array auto with the arguments after --, which must name --out. Tasks do not
talk to each other: each makes its own shards, the last one finishes the dataset, and a job that was stopped makes only what
is missing when it is submitted again. What is printed says in its first lines how to use it, and holds no credentials.

  slurm      array job that warns its tasks before the time limit and requeues them, and a job that finishes the dataset
  k8s        Indexed Job with retries for each index
  cronjob    the same every night
  aws-batch  job definition, array job, and a job that finishes the dataset
  systemd    service, and with --unit timer its timer: every night on one machine

cronjob and systemd want {date} in --out, which becomes the day of the job, such as 2026-01-31 (UTC). Unless the run has a
--seed, it is 20260131 on that day.

Examples:
  pfgmgen emit slurm --tasks 8 --time 4h -- --domain rna -n 1000000 --out rna > rna.sh
  pfgmgen emit k8s --image pfgmgen:1 --claim data:/data -- --domain rna -n 1000000 --out /data/rna > rna.yaml
  pfgmgen emit systemd --unit timer --schedule daily -- --domain rna --out /srv/rna/{date} > pfgmgen-rna.timer`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Category: all, Usage: "`NAME` of the job: lower-case letters, digits and -", DefaultText: "pfgmgen-DOMAIN", Destination: &o.name},
			&cli.IntFlag{Name: "tasks", Category: all, Usage: "`N` tasks share the shards (a run has one for each --shard-rows samples); 1 for systemd", DefaultText: "4", Destination: &o.tasks},
			&cli.StringFlag{Name: "time", Category: all, Usage: "a task is stopped after this `TIME`, such as 4h; k8s, cronjob: the whole job", DefaultText: "the cluster's", Destination: &o.duration},
			&cli.IntFlag{Name: "cpus", Category: all, Usage: "`N` CPUs for each task; also --workers of a run on CPUs", DefaultText: "1; systemd: all", Destination: &o.cpus},
			&cli.StringFlag{Name: "memory", Category: all, Usage: "`SIZE` of each task's memory, such as 512M or 8G", DefaultText: "2G; systemd: all", Destination: &o.memory},
			&cli.IntFlag{Name: "gpus", Category: all, Usage: "`N` GPUs for each task (not systemd)", DefaultText: "none", Destination: &o.gpus},

			&cli.StringFlag{Name: "image", Category: cluster, Usage: "container `IMAGE` with pfgmgen in its PATH", Destination: &o.image},
			&cli.StringFlag{Name: "claim", Category: cluster, Usage: "k8s, cronjob: persistent volume claim that several pods can write, and where it is mounted, `CLAIM:/DIR`", Destination: &o.claim},
			&cli.StringFlag{Name: "secret", Category: cluster, Usage: "k8s, cronjob: secret whose keys become environment variables, `SECRET`", Destination: &o.secret},
			&cli.StringFlag{Name: "role", Category: cluster, Usage: "aws-batch: `ARN` of the role of the tasks", Destination: &o.role},

			&cli.StringFlag{Name: "queue", Category: some, Usage: "slurm: partition; aws-batch: job `QUEUE`, which it needs", Destination: &o.queue},
			&cli.StringFlag{Name: "schedule", Category: some, Usage: "cronjob: `WHEN`, as cron writes it, in UTC; systemd: as OnCalendar writes it", DefaultText: "02:00 every night", Destination: &o.schedule},
			&cli.StringFlag{Name: "unit", Category: some, Usage: "systemd: `UNIT` to print, service or timer", Value: "service", Destination: &o.unit},
		},
		Action: func(c *cli.Context) error {
			o.given = c.IsSet
			return emit(e, *o, c.Args().Slice())
		},
	}
}

// A target is a kind of job.
type target struct {
	name  string
	flags []string // that it takes beyond those of every job
	needs []string // flags that it cannot do without
	dated bool     // --out has the day in it
	check func(*job) error
	file  func(*job) string // a template
}

func targets() []target {
	text := func(s string) func(*job) string { return func(*job) string { return s } }
	return []target{
		{name: "slurm", flags: []string{"queue", "gpus"}, check: checkSlurm, file: text(slurmFile)},
		{name: "k8s", flags: []string{"image", "claim", "secret", "gpus"}, needs: []string{"image"}, check: checkKubernetes, file: text(jobFile())},
		{name: "cronjob", flags: []string{"image", "claim", "secret", "gpus", "schedule"}, needs: []string{"image"}, dated: true, check: checkCronJob, file: text(cronJobFile())},
		{name: "systemd", flags: []string{"schedule", "unit"}, dated: true, check: checkSystemd, file: systemdFile},
		{name: "aws-batch", flags: []string{"image", "queue", "role", "gpus"}, needs: []string{"image", "queue"}, check: checkAWSBatch, file: text(awsBatchFile)},
	}
}

// emit is pfgmgen emit.
func emit(e *env, o emitOptions, args []string) error {
	var names []string
	for _, t := range targets() {
		names = append(names, t.name)
		if len(args) > 0 && args[0] == t.name {
			return o.print(e, t, args[1:])
		}
	}
	if len(args) == 0 {
		return usageErrorf("want the kind of job, one of %s", strings.Join(names, ", "))
	}
	return usageErrorf("%q is not a kind of job%s; want one of %s", args[0], didYouMean(args[0], names, ""), strings.Join(names, ", "))
}

func (o emitOptions) print(e *env, t target, args []string) error {
	if err := o.checkFlags(t); err != nil {
		return err
	}
	j := &job{o: o, Name: o.name, Tasks: o.tasks, CPUs: o.cpus, GPUs: o.gpus, Image: o.image, Secret: o.secret, Queue: o.queue, Role: o.role,
		Schedule: o.schedule, Unit: o.unit, Grace: 60, Restarts: 100, Attempts: 5}
	if err := j.readRun(t, args); err != nil {
		return err
	}
	if err := j.complete(t); err != nil {
		return err
	}
	if err := t.check(j); err != nil {
		return err
	}
	if j.shards > 0 && j.shards < int64(j.Tasks) {
		e.warn("the run has %s, so that only as many of the %d tasks have work; give it fewer --shard-rows", plural(int(j.shards), "shard"), j.Tasks)
	}
	functions := template.FuncMap{"word": shellWord, "words": shellWords, "yaml": yamlWord, "kube": kubeWord, "unit": unitWord, "json": jsonText}
	var text strings.Builder
	file, err := template.New(t.name).Funcs(functions).Parse(t.file(j))
	if err == nil {
		err = file.Execute(&text, j)
	}
	if err != nil {
		return fmt.Errorf("write the job: %w", err)
	}
	return e.print(emitResult{t.name, text.String()}, func(w io.Writer) error {
		_, err := io.WriteString(w, text.String())
		return err
	})
}

// An emitResult is what pfgmgen emit --json prints.
type emitResult struct {
	Kind string `json:"kind"`
	File string `json:"file"`
}

// checkFlags refuses flags that the job would ignore, and asks for those that it needs.
func (o emitOptions) checkFlags(t target) error {
	for _, f := range []string{"gpus", "image", "claim", "secret", "role", "queue", "schedule", "unit"} {
		if !o.given(f) || slices.Contains(t.flags, f) {
			continue
		}
		var fits []string
		for _, other := range targets() {
			if slices.Contains(other.flags, f) {
				fits = append(fits, other.name)
			}
		}
		return usageErrorf("--%s is for %s, not for %s; leave it out", f, strings.Join(fits, ", "), t.name)
	}
	for _, f := range t.needs {
		if !o.given(f) {
			return usageErrorf("%s needs --%s", t.name, f)
		}
	}
	return nil
}

// readRun reads the arguments of pfgmgen run as that command does, without the environment of this process, which is not
// that of the tasks.
func (j *job) readRun(t target, args []string) error {
	for _, a := range args {
		if !utf8.ValidString(a) || strings.ContainsRune(a, 0) {
			return usageErrorf("argument %q is no UTF-8 text, which a job file cannot hold", a)
		}
	}
	inner := newEnv(io.Discard, io.Discard)
	cmd := runCommand(inner)
	cmd.Flags = append(cmd.Flags, inner.flags()...)
	cmd.HideHelp = true
	cmd.OnUsageError = usage(inner, cmd.Name, cmd.Flags)
	cmd.Action = func(c *cli.Context) error {
		if c.NArg() > 0 {
			return usageErrorf("unexpected argument %q", c.Args().First())
		}
		for _, f := range []string{"array", "dry-run"} {
			if c.IsSet(f) {
				return usageErrorf("--%s: leave it out", f)
			}
		}
		if !c.IsSet("domain") && !c.IsSet("model") && !c.IsSet("config") {
			return usageErrorf("want --domain, --model or --config among them")
		}
		if c.String("out") == "" {
			return usageErrorf("want --out among them, such as --out %s", map[bool]string{false: "/data/rna", true: "'/data/rna/{date}'"}[t.dated])
		}
		j.Out, j.device = c.String("out"), c.String("device")
		j.SeedGiven, j.workersGiven = c.IsSet("seed"), c.IsSet("workers")
		if n, rows := c.Int64("num-samples"), c.Int64("shard-rows"); n > 0 && rows > 0 && !c.IsSet("config") && !c.IsSet("label") {
			j.shards = (n-1)/rows + 1
		}
		if c.IsSet("min-valid") {
			j.MinValid = fmt.Sprint(c.Float64("min-valid"))
		}
		if j.Name == "" && c.String("domain") != "" {
			j.Name = "pfgmgen-" + c.String("domain")
		}
		return nil
	}
	app := &cli.App{Name: "pfgmgen", Commands: []*cli.Command{cmd}, Writer: io.Discard, ErrWriter: io.Discard, ExitErrHandler: func(*cli.Context, error) {}}
	if err := app.Run(append([]string{app.Name, cmd.Name}, args...)); err != nil {
		return usageErrorf("the arguments of pfgmgen run after --: %w", err)
	}
	if j.Prefix, j.Suffix, j.Dated = strings.Cut(j.Out, "{date}"); j.Dated != t.dated {
		if j.Dated {
			return usageErrorf("--out %s: {date} is for cronjob and systemd, not for %s", j.Out, t.name)
		}
		return usageErrorf("--out %s: want {date} in it, the day of the job, because every day makes a dataset of its own; such as --out '%s/{date}'", j.Out, j.Out)
	}
	j.Args = args
	if j.Dated {
		j.Args = withoutFlag(args, "out", cmd.Flags)
	}
	return nil
}

// withoutFlag leaves out a flag with its value.
func withoutFlag(args []string, flag string, flags []cli.Flag) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-"), "=")
		words := args[i : i+1]
		for _, f := range flags {
			if _, isBool := f.(*cli.BoolFlag); !isBool && !joined && slices.Contains(f.Names(), name) && i+1 < len(args) {
				words = args[i : i+2]
			}
		}
		if name != flag {
			out = append(out, words...)
		}
		i += len(words) - 1
	}
	return out
}

var (
	jobName  = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`)
	sizeText = regexp.MustCompile(`^([1-9][0-9]{0,8})([MG])(i?B?)$`)
	plain    = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.:/,+@]*$`)
)

// complete checks what all jobs have, and fills in what was not given.
func (j *job) complete(t target) error {
	if j.Name == "" {
		j.Name = "pfgmgen"
	}
	if !jobName.MatchString(j.Name) {
		return usageErrorf("--name %q: want at most 40 lower-case letters, digits and -, a letter first", j.Name)
	}
	limited := t.name != "systemd" // elsewhere a job must say what it needs
	for _, f := range []struct {
		name   string
		value  *int
		preset int
	}{{"tasks", &j.Tasks, map[bool]int{false: 1, true: 4}[limited]}, {"cpus", &j.CPUs, map[bool]int{true: 1}[limited]}, {"gpus", &j.GPUs, 0}} {
		if !j.o.given(f.name) {
			*f.value = f.preset
		} else if *f.value < 1 || *f.value > 10000 {
			return usageErrorf("--%s is %d, want 1 to 10000", f.name, *f.value)
		}
	}
	memory := j.o.memory
	if !j.o.given("memory") && limited {
		memory = "2G"
	}
	if memory != "" || j.o.given("memory") {
		m := sizeText.FindStringSubmatch(memory)
		if m == nil {
			return usageErrorf("--memory %q: want a whole number of M or G, such as 512M or 8G", memory)
		}
		j.MiB, _ = strconv.ParseInt(m[1], 10, 64) // nine digits fit
		if m[2] == "G" {
			j.MiB *= 1024
		}
	}
	if j.o.given("time") {
		limit, err := time.ParseDuration(j.o.duration)
		if err != nil || limit < 5*time.Minute || limit > 365*24*time.Hour {
			return usageErrorf("--time %q: want 5m to 8760h, such as 4h or 90m", j.o.duration)
		}
		j.Seconds = int64(limit / time.Second)
	}
	for _, f := range []struct{ name, value string }{{"image", j.Image}, {"secret", j.Secret}, {"role", j.Role}, {"queue", j.Queue}} {
		if j.o.given(f.name) && !plain.MatchString(f.value) {
			return usageErrorf("--%s %q: want letters, digits and any of -_.:/,+@", f.name, f.value)
		}
	}
	if j.GPUs > 0 && (j.device == "" || j.device == "cpu") {
		return usageErrorf("--gpus is %d, but the run is on the CPU; add --device cuda:0 to its arguments", j.GPUs)
	}
	if !j.workersGiven && j.CPUs > 0 && j.GPUs == 0 && (j.device == "" || j.device == "cpu") {
		// A task that does not know its share of a machine would take all of it.
		j.Args = append(slices.Clone(j.Args), "--workers", fmt.Sprint(j.CPUs))
	}
	return nil
}

// isURL says whether an output is a bucket rather than a directory.
func isURL(out string) bool { return strings.Contains(out, "://") }

// Last is the highest number of a task.
func (j *job) Last() int { return j.Tasks - 1 }

// CountName is the variable of the number of tasks.
func (j *job) CountName() string { return array.CountVariable }

// Codes are the exit statuses that jobs treat in a way of their own.
func (j *job) Codes() exitCodes { return exitCodes{exitUsage, exitThreshold, exitInterrupted} }

// Run is the command line of a task whose --out is no date.
func (j *job) Run() []string {
	return append([]string{"pfgmgen", "run", "--array", "auto"}, j.Args...)
}

// Finalize is the command line that finishes the dataset.
func (j *job) Finalize() []string {
	words := []string{"pfgmgen", "finalize", j.Out}
	if strings.HasPrefix(j.Out, "-") {
		words[2] = "./" + j.Out
	}
	if j.MinValid != "" {
		words = append(words, "--min-valid", j.MinValid)
	}
	return words
}

// exitCodes are the exit statuses that jobs treat in a way of their own.
type exitCodes struct{ Usage, Threshold, Interrupted int }

func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

// yamlWord quotes text for YAML, whose double-quoted scalars know all escapes of Go.
func yamlWord(s string) string { return strconv.Quote(s) }

// kubeWord is for the commands of a container, in which Kubernetes replaces $(NAME), and $$ by $.
func kubeWord(s string) string { return yamlWord(strings.ReplaceAll(s, "$", "$$")) }

// checkAbsolute refuses an output that depends on where a task starts.
func (j *job) checkAbsolute(kind string) error {
	if !isURL(j.Out) && !path.IsAbs(j.Out) {
		return usageErrorf("--out %s: a task of %s does not start in this directory; want an absolute path or a URL", j.Out, kind)
	}
	return nil
}
