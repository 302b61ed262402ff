package temporal

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Settings that may hold placeholders in a schedule.
var templates = []string{Out, "seed"}

// placeholders are filled in from the time for which a run was scheduled, which is not changed by delays, by retries or by
// the catching up of missed runs.
func placeholder(name string, at time.Time) (text string, ok bool) {
	layout, ok := map[string]string{
		"date": "2006-01-02", "time": "150405", "year": "2006", "month": "01", "day": "02", "hour": "15",
	}[name]
	return at.Format(layout), ok
}

var braces = regexp.MustCompile(`\{[^{}]*\}?|\}`)

// HasPlaceholder says whether a setting depends on the time of a schedule.
func HasPlaceholder(text string) bool { return braces.MatchString(text) }

// Expand fills in the placeholders of one setting: {date} is 2026-11-26, {time} is 173015, and {year}, {month}, {day} and
// {hour} are parts of them.
func Expand(text string, at time.Time) (string, error) {
	var bad string
	out := braces.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := placeholder(strings.Trim(found, "{}"), at)
		if whole := "{" + strings.Trim(found, "{}") + "}"; (!ok || found != whole) && bad == "" {
			bad = found
		}
		return value
	})
	if bad != "" {
		return "", fmt.Errorf("%q: %q is no placeholder; there are {date}, {time}, {year}, {month}, {day} and {hour}", text, bad)
	}
	return out, nil
}

// at is the spec with its placeholders filled in. The zero time is that of a run without a schedule, which may have none.
func (s Spec) at(scheduled time.Time) (Spec, error) {
	s.Settings = maps.Clone(s.Settings)
	for _, name := range slices.Sorted(maps.Keys(s.Settings)) {
		if !slices.Contains(templates, name) || !HasPlaceholder(s.Settings[name]) {
			continue
		}
		if scheduled.IsZero() {
			return s, fmt.Errorf("temporal: --%s %q: placeholders are for schedules", name, s.Settings[name])
		}
		text, err := Expand(s.Settings[name], scheduled)
		if err != nil {
			return s, fmt.Errorf("temporal: --%s %w", name, err)
		}
		s.Settings[name] = text
	}
	return s, nil
}
