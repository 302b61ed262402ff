package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"pfgmgen/pipeline/temporal"
)

// scheduleOptions are the settings of pfgmgen schedule.
type scheduleOptions struct {
	connection
	cron, every, zone, overlap string
	paused                     bool
	settings                   map[string]string // of the dataset
}

func scheduleCommand(e *env) *cli.Command {
	const when = "when"
	o := &scheduleOptions{}
	var seed string
	flags := []cli.Flag{
		&cli.StringFlag{Name: "cron", Category: when, Usage: "cron `EXPRESSION`: minute, hour, day of month, month, day of week; several with ; between", Destination: &o.cron},
		&cli.StringFlag{Name: "every", Category: when, Usage: "a `TIME` between runs, such as 12h, counted from 1970", Destination: &o.every},
		&cli.StringFlag{Name: "time-zone", Category: when, Usage: "`ZONE` of the cron expression and of {date}, such as Europe/Berlin", DefaultText: "UTC", Destination: &o.zone},
		&cli.StringFlag{Name: "overlap", Category: when, Usage: "`POLICY` when the last run has not ended: skip, buffer-one, buffer-all, cancel-other, terminate-other or allow-all", Value: "skip", Destination: &o.overlap},
		&cli.BoolFlag{Name: "paused", Category: when, Usage: "create it paused", Destination: &o.paused},
	}
	for _, f := range remoteFlags(e) {
		switch f.Names()[0] {
		case "seed": // text, for its placeholders
			f = &cli.StringFlag{Name: "seed", Category: f.(*cli.Uint64Flag).Category, Usage: "`SEED` of all randomness, 0 to 2^63-1, or placeholders such as {year}{month}{day}", Value: "0", Destination: &seed}
		case "out":
			f.(*cli.StringFlag).Usage += ", with placeholders such as {date}"
		case "min-valid":
			f.(*cli.Float64Flag).Usage = "a run fails, and its dataset stays, when less than this `SHARE` of the draws is valid, 0 to 1"
		}
		flags = append(flags, f)
	}
	return &cli.Command{
		Name:      "schedule",
		Usage:     "make datasets again and again on the workers of a Temporal server",
		UsageText: "pfgmgen schedule create NAME [flags] | list | pause NAME | resume NAME | delete NAME",
		Description: `Keeps schedules on a Temporal server, which submit a dataset at each of their times as pfgmgen submit does. In --out and
--seed these placeholders are filled in from the time that the run was scheduled for, however late it starts:

  {date} 2026-11-26   {time} 173015   {year} 2026   {month} 11   {day} 26   {hour} 17

With neither, every run finds the dataset of the first one and has nothing to do; with --out alone, all make the same rows.
pause and delete leave the runs that are under way alone; submit --cancel stops one. list has their IDs with --json.
` + credentialsHelp + `

Examples:
  pfgmgen schedule create nightly --cron '0 3 * * *' --domain rna --out 's3://bucket/rna/{date}' --seed '{year}{month}{day}'
  pfgmgen schedule create often --every 6h --overlap buffer-one --config run.yaml --out 'rna/{date}-{hour}'
  pfgmgen schedule list
  pfgmgen schedule pause nightly`,
		Flags: append(flags, o.connection.flags()...),
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 2)
			if err != nil {
				return err
			}
			o.settings = settings(c)
			return schedule(c.Context, e, *o, args)
		},
	}
}

// A scheduleResult is what pfgmgen schedule create, pause, resume and delete print with --json.
type scheduleResult struct {
	Status    string `json:"status"` // created, paused, resumed or deleted
	Name      string `json:"name"`
	Address   string `json:"address"`
	Namespace string `json:"namespace"`
}

// schedule is pfgmgen schedule.
func schedule(ctx context.Context, e *env, o scheduleOptions, args []string) error {
	verbs := []string{"create", "list", "pause", "resume", "delete"}
	verb := args[0]
	switch {
	case !slices.Contains(verbs, verb):
		return usageErrorf("%q is nothing that can be done with a schedule%s; there are %s", verb, didYouMean(verb, verbs, ""), strings.Join(verbs, ", "))
	case verb == "list" && len(args) > 1:
		return usageErrorf("schedule list: unexpected argument %q", args[1])
	case verb != "list" && len(args) < 2:
		return usageErrorf("schedule %s needs the name of a schedule", verb)
	}
	var made temporal.Schedule
	if verb == "create" {
		var err error
		if made, err = o.schedule(e, args[1]); err != nil {
			return err
		}
	}
	client, err := e.dial(ctx, o.connection)
	if err != nil {
		return err
	}
	defer client.Close()
	if verb == "list" {
		return listSchedules(ctx, e, client)
	}
	res := scheduleResult{Name: args[1], Address: client.Address(), Namespace: client.Namespace()}
	switch verb {
	case "create":
		res.Status, err = "created", client.CreateSchedule(ctx, made)
	case "pause":
		res.Status, err = "paused", client.PauseSchedule(ctx, args[1])
	case "resume":
		res.Status, err = "resumed", client.ResumeSchedule(ctx, args[1])
	case "delete":
		res.Status, err = "deleted", client.DeleteSchedule(ctx, args[1])
	}
	if err != nil {
		return err
	}
	e.info("schedule %s is %s on %s, namespace %s", res.Name, res.Status, res.Address, res.Namespace)
	return e.print(res, func(io.Writer) error { return nil })
}

// schedule makes the schedule called name.
func (o *scheduleOptions) schedule(e *env, name string) (temporal.Schedule, error) {
	s := temporal.Schedule{Name: name, TaskQueue: o.queue, Zone: o.zone, Overlap: o.overlap, Paused: o.paused}
	if (o.cron == "") == (o.every == "") {
		return s, usageErrorf("schedule create: say when, with --cron or with --every")
	}
	for _, x := range strings.Split(o.cron, ";") {
		if x = strings.TrimSpace(x); x != "" {
			s.Cron = append(s.Cron, x)
		}
	}
	if o.every != "" {
		var err error
		if s.Every, err = time.ParseDuration(o.every); err != nil || s.Every < time.Second {
			return s, usageErrorf("--every %q: want a time of at least 1s, such as 90m or 24h", o.every)
		}
	}
	if err := oneOf("overlap", o.overlap, temporal.Overlaps()...); err != nil {
		return s, err
	}
	if _, err := time.LoadLocation(o.zone); err != nil {
		return s, usageErrorf("--time-zone: %w; want a name such as Europe/Berlin", err)
	}
	var err error
	if s.Spec, _, err = newSpec(e, o.settings); err != nil {
		return s, err
	}
	switch out, seed := s.Spec.Settings["out"], s.Spec.Settings["seed"]; {
	case !temporal.HasPlaceholder(out) && temporal.HasPlaceholder(seed):
		return s, usageErrorf("--seed %s makes other rows each time, so --out %s needs a placeholder too, such as {date}", seed, out)
	case !temporal.HasPlaceholder(out):
		e.warn("--out %s has no placeholder such as {date}: after the first run there is nothing to do but repairs", out)
	case !temporal.HasPlaceholder(seed):
		e.warn("--seed %s is the same each time, and so are the rows; other rows: --seed '{year}{month}{day}'", seed)
	}
	return s, nil
}

func listSchedules(ctx context.Context, e *env, client *temporal.Client) error {
	list, err := client.Schedules(ctx)
	if err != nil {
		return err
	}
	if list == nil {
		list = []temporal.ScheduleState{} // [] in JSON
		e.info("no schedules of pfgmgen on %s, namespace %s", client.Address(), client.Namespace())
	}
	return e.print(list, func(w io.Writer) error {
		t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
		for _, s := range list {
			next := "paused"
			if !s.Paused && len(s.Next) > 0 {
				next = "next " + s.Next[0].UTC().Format(time.RFC3339)
			}
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Name, s.When, next, s.Out)
		}
		if err := t.Flush(); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
		return nil
	})
}
