package temporal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
)

// What a schedule does when its last run has not ended.
var overlaps = map[string]enums.ScheduleOverlapPolicy{
	"skip":            enums.SCHEDULE_OVERLAP_POLICY_SKIP,
	"buffer-one":      enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
	"buffer-all":      enums.SCHEDULE_OVERLAP_POLICY_BUFFER_ALL,
	"cancel-other":    enums.SCHEDULE_OVERLAP_POLICY_CANCEL_OTHER,
	"terminate-other": enums.SCHEDULE_OVERLAP_POLICY_TERMINATE_OTHER,
	"allow-all":       enums.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
}

// Overlaps are the names of the policies for a schedule whose last run has not ended.
func Overlaps() []string { return slices.Sorted(maps.Keys(overlaps)) }

// A Schedule makes a dataset again and again. Its spec may have placeholders for the scheduled time in the place and in the
// seed, and then has no hash of a plan.
type Schedule struct {
	Name      string
	Spec      Spec
	TaskQueue string        // that of the spec's device when empty
	Cron      []string      // five fields, or six with the year, or seven with seconds first; @daily and such
	Every     time.Duration // or by an interval, counted from 1970
	Zone      string        // time zone of Cron and of the placeholders, UTC when empty
	Overlap   string        // one of Overlaps, skip when empty
	Paused    bool          // from the beginning
	Limits    Limits        // zero for the default ones
}

func (s Schedule) check() error {
	if err := s.Spec.check(); err != nil {
		return err
	}
	if s.Name == "" {
		return errors.New("temporal: a schedule needs a name")
	}
	if len(s.Cron) == 0 == (s.Every == 0) {
		return fmt.Errorf("temporal: schedule %s: give cron expressions or an interval, one of the two", s.Name)
	}
	if s.Every != 0 && s.Every < time.Second {
		return fmt.Errorf("temporal: schedule %s: the interval is %v, want at least 1s", s.Name, s.Every)
	}
	if _, err := time.LoadLocation(s.Zone); err != nil {
		return fmt.Errorf("temporal: schedule %s: time zone: %w; want a name such as Europe/Berlin", s.Name, err)
	}
	if _, ok := overlaps[s.Overlap]; !ok && s.Overlap != "" {
		return fmt.Errorf("temporal: schedule %s: overlap %q: want one of %s", s.Name, s.Overlap, strings.Join(Overlaps(), ", "))
	}
	_, err := s.Spec.at(time.Unix(0, 0))
	return err
}

// CreateSchedule creates a schedule on the server.
func (c *Client) CreateSchedule(ctx context.Context, s Schedule) error {
	if err := s.check(); err != nil {
		return err
	}
	if s.TaskQueue == "" {
		s.TaskQueue = TaskQueue(s.Spec.Device)
	}
	if s.Limits == (Limits{}) {
		s.Limits = DefaultLimits()
	}
	times := client.ScheduleSpec{CronExpressions: s.Cron, TimeZoneName: s.Zone}
	if s.Every > 0 {
		times.Intervals = []client.ScheduleIntervalSpec{{Every: s.Every}}
	}
	_, err := c.sdk.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: s.Name, Spec: times, Overlap: overlaps[s.Overlap], Paused: s.Paused,
		Action: &client.ScheduleWorkflowAction{
			ID: "pfgmgen-" + s.Name, TaskQueue: s.TaskQueue, Workflow: runWorkflow,
			Args:          []any{request{Spec: s.Spec, Zone: s.Zone, Limits: s.Limits}},
			StaticSummary: "schedule " + s.Name + " into " + s.Spec.Settings[Out],
		},
		Memo: map[string]any{memoWhen: s.when(), memoOut: s.Spec.Settings[Out]},
	})
	if errors.Is(err, sdk.ErrScheduleAlreadyRunning) {
		return fmt.Errorf("temporal: schedule %s exists already on %s, namespace %s: delete it first, or choose another name", s.Name, c.address, c.namespace)
	}
	return c.explain("create the schedule "+s.Name, err)
}

// Keys of the memo of a schedule; the server itself keeps neither.
const (
	memoWhen = "when"
	memoOut  = "out"
)

// when is the time of a schedule for people.
func (s Schedule) when() string {
	text := strings.Join(s.Cron, "; ")
	if s.Every > 0 {
		text = "every " + s.Every.String()
	}
	if s.Zone != "" {
		text += " " + s.Zone
	}
	return text
}

// A ScheduleState is what a list says of a schedule.
type ScheduleState struct {
	Name   string      `json:"name"`
	When   string      `json:"when"`
	Out    string      `json:"out"`
	Paused bool        `json:"paused"`
	Note   string      `json:"note,omitempty"`
	Next   []time.Time `json:"next,omitempty"`   // up to five; what a paused schedule would do included
	Recent []string    `json:"recent,omitempty"` // IDs of up to five runs, the last one last
}

// Schedules lists the schedules of pfgmgen in the namespace by name. One that was changed a moment ago may be listed as it
// was before.
func (c *Client) Schedules(ctx context.Context) ([]ScheduleState, error) {
	list, err := c.sdk.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: 100})
	if err != nil {
		return nil, c.explain("list the schedules", err)
	}
	var out []ScheduleState
	for list.HasNext() {
		e, err := list.Next()
		if err != nil {
			return nil, c.explain("list the schedules", err)
		}
		if e.WorkflowType.Name != runWorkflow {
			continue
		}
		s := ScheduleState{Name: e.ID, Paused: e.Paused, Note: e.Note, Next: e.NextActionTimes}
		for key, to := range map[string]*string{memoWhen: &s.When, memoOut: &s.Out} {
			if p := e.Memo.GetFields()[key]; p != nil {
				if err := c.data.FromPayload(p, to); err != nil {
					return nil, fmt.Errorf("temporal: schedule %s: %w", e.ID, err)
				}
			}
		}
		for _, a := range e.RecentActions {
			if a.StartWorkflowResult != nil {
				s.Recent = append(s.Recent, a.StartWorkflowResult.WorkflowID)
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b ScheduleState) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// PauseSchedule stops a schedule from starting runs. Those under way go on.
func (c *Client) PauseSchedule(ctx context.Context, name string) error {
	return c.onSchedule("pause", name, c.sdk.ScheduleClient().GetHandle(ctx, name).Pause(ctx, client.SchedulePauseOptions{Note: "paused by pfgmgen"}))
}

// ResumeSchedule lets a paused schedule go on. What was missed meanwhile is not made up for.
func (c *Client) ResumeSchedule(ctx context.Context, name string) error {
	return c.onSchedule("resume", name, c.sdk.ScheduleClient().GetHandle(ctx, name).Unpause(ctx, client.ScheduleUnpauseOptions{Note: "resumed by pfgmgen"}))
}

// DeleteSchedule removes a schedule. Runs under way go on, and datasets stay.
func (c *Client) DeleteSchedule(ctx context.Context, name string) error {
	return c.onSchedule("delete", name, c.sdk.ScheduleClient().GetHandle(ctx, name).Delete(ctx))
}

func (c *Client) onSchedule(what, name string, err error) error {
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return fmt.Errorf("temporal: %s %s: no such schedule on %s, namespace %s; pfgmgen schedule list names them", what, name, c.address, c.namespace)
	}
	return c.explain(what+" the schedule "+name, err)
}
