package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// How often progress is shown: a bar on a terminal, a line in a pipe.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
)

// A meter shows how far a long task has come. Its methods are called from one goroutine at a time.
type meter struct {
	e      *env
	what   string // "sampling"
	unit   string // "rows"
	total  int64
	began  time.Time
	shown  time.Time
	now    func() time.Time
	offset int64 // done before this process began
}

// newMeter starts a meter of total units.
func (e *env) newMeter(what, unit string, total int64) *meter {
	m := &meter{e: e, what: what, unit: unit, total: total, now: time.Now}
	m.began = m.now()
	m.shown = m.began
	return m
}

// update shows that done units are finished, now and then. note is added when it is not empty; attrs say the same to
// programs.
func (m *meter) update(done int64, note string, attrs ...slog.Attr) {
	every := lineEvery
	if m.e.con.tty {
		every = barEvery
	}
	now := m.now()
	if m.e.quiet || now.Sub(m.shown) < every {
		return
	}
	m.shown = now
	share := float64(done) / float64(max(m.total, 1))
	elapsed := now.Sub(m.began)
	rate := float64(done-m.offset) / max(elapsed.Seconds(), 1e-9)
	left := "?"
	if rate > 0 {
		left = duration(time.Duration(float64(m.total-done) / rate * float64(time.Second)))
	}
	text := fmt.Sprintf("%s/%s %s  %s/s  %s left", number(done), number(m.total), m.unit, rateText(rate), left)
	if note != "" {
		text += "  " + note
	}
	if m.e.con.tty {
		head := fmt.Sprintf("%s %3.0f%% [", m.what, 100*share)
		width := min(24, max(8, m.e.con.width()-len(head)-len("]  ")-len(text)-1)) // what is left of the line
		full := int(share * float64(width))
		m.e.con.setBar(fmt.Sprintf("%s%s%s]  %s", head, strings.Repeat("#", full), strings.Repeat(".", width-full), text))
		return
	}
	attrs = append([]slog.Attr{slog.Int64("done", done), slog.Int64("total", m.total), slog.String("unit", m.unit), slog.Float64("per_second", rate)}, attrs...)
	if rate > 0 {
		attrs = append(attrs, slog.Float64("seconds_left", float64(m.total-done)/rate))
	}
	m.e.infoWith(attrs, "%s %.0f%%  %s", m.what, 100*share, text)
}

// end removes the bar.
func (m *meter) end() { m.e.con.setBar("") }

// number writes an integer with commas between thousands.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rateText writes a rate with three digits or so.
func rateText(r float64) string {
	switch {
	case r >= 100:
		return number(int64(r + 0.5))
	case r >= 10:
		return strconv.FormatFloat(r, 'f', 1, 64)
	}
	return strconv.FormatFloat(r, 'f', 2, 64)
}

// duration rounds to what people read.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < 10*time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}

// size writes a number of bytes.
func size(n int64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"}
	v, k := float64(n), 0
	for v >= 1000 && k < len(units)-1 {
		v /= 1000
		k++
	}
	if k == 0 {
		return number(n) + " bytes"
	}
	return fmt.Sprintf("%.3g %s", v, units[k])
}

// percent writes a share.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }
