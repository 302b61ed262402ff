package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

var calendar = regexp.MustCompile(`^[0-9A-Za-z*/,.:~ +_-]+$`)

func checkSystemd(j *job) error {
	if j.Tasks != 1 {
		return usageErrorf("--tasks is %d, want 1: one run uses all CPUs and devices of a machine", j.Tasks)
	}
	if !j.o.given("schedule") {
		j.Schedule = "*-*-* 02:00:00 UTC"
	}
	if !calendar.MatchString(j.Schedule) {
		return usageErrorf("--schedule %q: want a time as OnCalendar of systemd has it, such as '*-*-* 02:00:00 UTC' or daily", j.Schedule)
	}
	if err := oneOf("unit", j.Unit, "service", "timer"); err != nil {
		return err
	}
	if !isURL(j.Out) && !path.IsAbs(j.Out) {
		return j.checkAbsolute("systemd")
	}
	return nil
}

// unitWord quotes a word of a command line of a unit, in which % and $ are special also within quotes.
func unitWord(s string) string {
	if shellWord(s) == s {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '%' || r == '$':
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return `"` + b.String() + `"`
}

// Script computes the day and becomes pfgmgen, which then gets the signals.
func (j *job) Script() string {
	seed := ""
	if !j.SeedGiven {
		seed = ` --seed "$(echo "$day" | tr -d -)"`
	}
	return `before=$1 after=$2; shift 2; day=$(date -u +%Y-%m-%d); exec pfgmgen run "$@"` + seed + ` --out "$before$day$after"`
}

// Percent is how systemd counts CPUs.
func (j *job) Percent() int { return 100 * j.CPUs }

func systemdFile(j *job) string {
	if j.Unit == "timer" {
		return timerFile
	}
	return serviceFile
}

const serviceFile = `# {{.Name}}.service: makes a dataset (pfgmgen emit systemd). Its timer: the same command with --unit timer.
[Unit]
Description=pfgmgen makes the dataset {{.Name}} of the day
Wants=network-online.target
After=network-online.target
# With RestartSec, the number of attempts.
StartLimitIntervalSec=12h
StartLimitBurst={{.Attempts}}

[Service]
Type=oneshot
ExecStart=/bin/sh -euc {{unit .Script}} sh {{unit .Prefix}} {{unit .Suffix}}{{range .Args}} {{unit .}}{{end}}
# What stopped a run is likely to be over in a minute, and the run goes on where it was. Wrong usage ({{.Codes.Usage}}) and a dataset
# below --min-valid ({{.Codes.Threshold}}) stay.
Restart=on-failure
RestartSec=60
RestartPreventExitStatus={{.Codes.Usage}} {{.Codes.Threshold}}
TimeoutStopSec={{.Grace}}
{{- if .Seconds}}
TimeoutStartSec={{.Seconds}}
{{- end}}
{{- if .CPUs}}
CPUQuota={{.Percent}}%
{{- end}}
{{- if .MiB}}
MemoryMax={{.MiB}}M
{{- end}}
NoNewPrivileges=yes
`

const timerFile = `# {{.Name}}.timer: starts {{.Name}}.service (pfgmgen emit systemd --unit timer). Put both into /etc/systemd/system, then:
#   systemctl daemon-reload && systemctl enable --now {{.Name}}.timer
[Unit]
Description=pfgmgen makes the dataset {{.Name}} regularly

[Timer]
OnCalendar={{.Schedule}}
# A night for which the machine was off is made up for.
Persistent=true

[Install]
WantedBy=timers.target
`
