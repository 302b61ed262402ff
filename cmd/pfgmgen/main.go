package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/urfave/cli/v2"
)

func main() {
	if os.Getenv("GOGC") == "" {
		// Nearly all time is spent in ONNX Runtime, so that collecting ten times as often costs nothing that can be measured,
		// and peak memory stays close to what is in use.
		debug.SetGCPercent(10)
	}
	// The signals stay caught to the end: one that arrives when the work is done must not turn its exit status into a failure.
	ctx, _ := interruptible(context.Background(), os.Exit)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process: it takes the arguments after the program's name and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	e := newEnv(stdout, stderr)
	e.peek(args)
	app := newApp(e)
	said := make(chan struct{})
	quiet := context.AfterFunc(ctx, func() {
		e.info("stopping; interrupt again to stop at once")
		close(said)
	})
	err := app.RunContext(ctx, append([]string{app.Name}, permute(app.Commands, args)...))
	if !quiet() {
		<-said
	}
	e.con.setBar("")
	var help cli.ExitCoder // how the library reports an unknown help topic
	if errors.As(err, &help) {
		err = unknownCommand(app, args[len(args)-1])
	}
	var explained interruption
	if errors.Is(err, context.Canceled) && !errors.As(err, &explained) {
		err = interruption{"interrupted; run the same command again"}
	}
	if err != nil {
		e.fail(err)
	}
	return exitStatus(err)
}

// Exit statuses; exitHelp (help.go) says what they mean.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitThreshold   = 3
	exitInterrupted = 75 // EX_TEMPFAIL of sysexits.h: job schedulers take it for "try again"
	exitKilled      = 130
)

// errThreshold is wrapped when a dataset was written, but is not good enough.
var errThreshold = errors.New("below the required threshold")

// A usageError is a mistake in the command line, the environment or the configuration file.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// An interruption is the error of a command that was stopped and says what to do next.
type interruption struct{ text string }

func (i interruption) Error() string { return i.text }
func (i interruption) Unwrap() error { return context.Canceled }

// exitStatus is the one place that turns errors into exit statuses.
func exitStatus(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errThreshold):
		return exitThreshold
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	default:
		return exitFailure
	}
}

// interruptible ends the context at the first interrupt or termination signal, and the process at the second. stop
// gives the signals back to the system.
func interruptible(parent context.Context, exit func(int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		for count := 1; ; count++ {
			select {
			case <-signals:
			case <-ended:
				return
			}
			if count > 1 {
				exit(exitKilled)
				return
			}
			cancel()
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(ended)
		cancel()
	}
}
