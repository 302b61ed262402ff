package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"

	"github.com/urfave/cli/v2"
)

// An env is what commands talk to: the streams, the log, and how much the user wants to read.
type env struct {
	stdout, stderr io.Writer
	con            *console
	command        string                      // that runs, empty before it is known
	log            atomic.Pointer[slog.Logger] // an interruption may log while a command is being set up

	json      bool // results as JSON on stdout
	quiet     bool
	verbose   bool
	logFormat string
	jsonLog   bool // what goes to stderr is JSON
}

func newEnv(stdout, stderr io.Writer) *env {
	e := &env{stdout: stdout, stderr: stderr, con: newConsole(stderr)}
	e.log.Store(slog.New(&plainHandler{w: e.con, level: slog.LevelInfo}))
	return e
}

// flags are those that every command has.
func (e *env) flags() []cli.Flag {
	const category = "output of the command"
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Category: category, Usage: "print the result as JSON on stdout", Destination: &e.json},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Category: category, Usage: "say nothing but warnings and errors", Destination: &e.quiet},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Category: category, Usage: "say more", Destination: &e.verbose},
		&cli.StringFlag{Name: "log-format", Category: category, Usage: "`FORMAT` of what goes to stderr: text, or json with one object per line",
			Value: "text", Destination: &e.logFormat},
	}
}

// peek looks for --log-format ahead of the command line's parser, so that mistakes that the parser finds are told in the
// form that was asked for.
func (e *env) peek(args []string) {
	const name = "log-format"
	format := os.Getenv(environ(name)[0])
	for i, arg := range args {
		if arg == "--" {
			break
		}
		switch flag, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "="); {
		case flag != name || arg[0] != '-':
		case given:
			format = value
		case i+1 < len(args):
			format = args[i+1]
		}
	}
	if format == "json" {
		e.logJSON(slog.LevelInfo)
	}
}

// logJSON makes the log JSON lines.
func (e *env) logJSON(level slog.Level) {
	e.jsonLog = true
	e.con.tty = false // a bar is no JSON
	log := slog.New(slog.NewJSONHandler(e.con, &slog.HandlerOptions{Level: level}))
	if e.command != "" {
		log = log.With("command", e.command)
	}
	e.log.Store(log)
}

// setUp follows the flags.
func (e *env) setUp() error {
	level := slog.LevelInfo
	switch {
	case e.quiet && e.verbose:
		return usageErrorf("--quiet and --verbose exclude each other")
	case e.quiet:
		level = slog.LevelWarn
	case e.verbose:
		level = slog.LevelDebug
	}
	switch e.logFormat {
	case "text":
		e.jsonLog = false
		e.log.Store(slog.New(&plainHandler{w: e.con, level: level}))
	case "json":
		e.logJSON(level)
	default:
		return usageErrorf("--log-format %q: want text or json", e.logFormat)
	}
	return nil
}

// fail says why the command ends with an error.
func (e *env) fail(err error) {
	var usage usageError
	if errors.As(err, &usage) && !e.jsonLog {
		what := "pfgmgen"
		if e.command != "" {
			what += " " + e.command
		}
		e.log.Load().Error(fmt.Sprintf("%v\nFor what can be given: %s --help", err, what))
		return
	}
	e.log.Load().Error(err.Error())
}

// print writes a result to stdout: as JSON when asked for, else as the text that plain writes.
func (e *env) print(result any, plain func(w io.Writer) error) error {
	if !e.json {
		return plain(e.stdout)
	}
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(result); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// info says something to people.
func (e *env) info(format string, args ...any) { e.log.Load().Info(fmt.Sprintf(format, args...)) }

// infoWith is info with attributes for programs, which the text for people has in its words already.
func (e *env) infoWith(attrs []slog.Attr, format string, args ...any) {
	if !e.jsonLog {
		attrs = nil
	}
	e.log.Load().LogAttrs(context.Background(), slog.LevelInfo, fmt.Sprintf(format, args...), attrs...)
}

// warn says something that people should know even with --quiet.
func (e *env) warn(format string, args ...any) { e.log.Load().Warn(fmt.Sprintf(format, args...)) }

// debug says something that people asked for with --verbose.
func (e *env) debug(format string, args ...any) { e.log.Load().Debug(fmt.Sprintf(format, args...)) }
