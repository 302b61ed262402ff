package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// commands are the commands in the order of the help.
func commands(e *env) []*cli.Command {
	return []*cli.Command{
		runCommand(e),
		trainCommand(e),
		guideCommand(e),
		fitAdapterCommand(e),
		verifyCommand(e),
		finalizeCommand(e),
		emitCommand(e),
		gcCommand(e),
		workerCommand(e, newRemoteWork),
		submitCommand(e),
		scheduleCommand(e),
		inspectCommand(e),
		modelsCommand(e),
		domainsCommand(e),
		doctorCommand(e),
	}
}

// newApp is the command line.
func newApp(e *env) *cli.App {
	app := &cli.App{
		Name:  "pfgmgen",
		Usage: "synthetic scientific datasets from PFGM++ models",
		Description: `Make 1,000 synthetic tRNAs in out/rna, look at them, and check them:

  pfgmgen run --domain rna
  pfgmgen inspect out/rna
  pfgmgen verify out/rna

pfgmgen COMMAND --help says more about a command.`,
		CustomAppHelpTemplate: appHelp,
		HideVersion:           true, // -v is --verbose
		Flags:                 []cli.Flag{&cli.BoolFlag{Name: "version", Usage: "print the version and exit"}},
		Commands:              commands(e),
		Writer:                e.stdout,
		ErrWriter:             e.stderr,
		ExitErrHandler:        func(*cli.Context, error) {}, // run decides
		Action:                root,
	}
	app.OnUsageError = usage(e, "", app.Flags)
	for _, c := range app.Commands {
		complete(e, c)
	}
	return app
}

// root is what happens without a command that we know.
func root(c *cli.Context) error {
	if c.Bool("version") {
		fmt.Fprintln(c.App.Writer, version())
		return nil
	}
	if !c.Args().Present() {
		return cli.ShowAppHelp(c)
	}
	return unknownCommand(c.App, c.Args().First())
}

func unknownCommand(app *cli.App, name string) error {
	var names []string
	for _, cmd := range app.VisibleCommands() {
		names = append(names, cmd.Name)
	}
	return usageErrorf("%q is not a command%s; the commands are %s", name, didYouMean(name, names, ""), strings.Join(names, ", "))
}

// complete gives a command what all commands have in common: the flags of the output, the configuration file, and how
// mistakes are reported.
func complete(e *env, c *cli.Command) {
	c.HideHelpCommand = true
	c.Flags = append(c.Flags, e.flags()...)
	for _, f := range c.Flags {
		fromEnvironment(f)
	}
	c.CustomHelpTemplate = commandHelp(c)
	c.OnUsageError = usage(e, c.Name, c.Flags)
	c.Before = func(ctx *cli.Context) error {
		e.command = c.Name
		if path := ctx.String("config"); path != "" {
			if err := applyConfig(path, c.Flags, ctx.IsSet, ctx.Set); err != nil {
				return err
			}
		}
		return e.setUp()
	}
}

// arguments returns the positional arguments, of which there must be least to most.
func arguments(c *cli.Context, least, most int) ([]string, error) {
	n := c.NArg()
	switch {
	case n < least:
		return nil, usageErrorf("%s needs an argument; usage: %s", c.Command.Name, c.Command.UsageText)
	case n > most:
		return nil, usageErrorf("%s: unexpected argument %q; usage: %s", c.Command.Name, c.Args().Get(most), c.Command.UsageText)
	}
	return c.Args().Slice(), nil
}

var (
	unknownFlag = regexp.MustCompile(`^flag provided but not defined: --?(.*)$`)
	badValue    = regexp.MustCompile(`^((?:invalid|could not parse) .* for (?:flag )?-{0,2}([a-zA-Z-]+)): (.*)$`)
	singleDash  = regexp.MustCompile(`(flag|argument:|for) -([a-z][a-z-]+)`)
)

// usage turns the flag package's errors into ours.
func usage(e *env, command string, flags []cli.Flag) cli.OnUsageErrorFunc {
	return func(_ *cli.Context, err error, _ bool) error {
		e.command = command
		if m := unknownFlag.FindStringSubmatch(err.Error()); m != nil {
			dash := "--"
			if len(m[1]) == 1 {
				dash = "-"
			}
			return usageErrorf("unknown flag %s%s%s", dash, m[1], didYouMean(m[1], flagNames(flags), "--"))
		}
		text := err.Error()
		if m := badValue.FindStringSubmatch(text); m != nil {
			for _, f := range flags {
				if slices.Contains(f.Names(), m[2]) {
					text = m[1] + ": " + wants(f, m[3])
				}
			}
		}
		return usageErrorf("%s", singleDash.ReplaceAllString(text, "$1 --$2"))
	}
}

// wants says what a flag takes, given what the flag package has to say of a value that it cannot take.
func wants(f cli.Flag, problem string) string {
	if strings.Contains(problem, "out of range") {
		return "value out of range"
	}
	switch f.(type) {
	case *cli.BoolFlag:
		return "want true or false"
	case *cli.IntFlag, *cli.Int64Flag:
		return "want a whole number"
	case *cli.Uint64Flag:
		return "want a whole number from 0"
	case *cli.Float64Flag:
		return "want a number"
	}
	return problem
}

// flagNames are the long names of flags.
func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()[0])
	}
	return append(names, "help")
}

// permute moves flags before the positional arguments of a command, because the flag package stops at the first of
// these. After -- everything is positional.
func permute(commands []*cli.Command, args []string) []string {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return args
	}
	takesValue := map[string]bool{}
	for _, c := range commands {
		if c.Name != args[0] {
			continue
		}
		for _, f := range c.Flags {
			_, isBool := f.(*cli.BoolFlag)
			for _, name := range f.Names() {
				takesValue[name] = !isBool
			}
		}
	}
	var flags, rest []string
	for i := 1; i < len(args); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-")
		switch {
		case args[i] == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(args[i]) < 2 || args[i][0] != '-':
			rest = append(rest, args[i])
		default:
			flags = append(flags, args[i])
			if takesValue[name] && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	out := append([]string{args[0]}, flags...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out
}

// environ is the environment variable of a flag.
func environ(flag string) []string {
	return []string{"PFGMGEN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

// fromEnvironment lets a flag be set by its environment variable.
func fromEnvironment(f cli.Flag) {
	vars := environ(f.Names()[0])
	switch f := f.(type) {
	case *cli.BoolFlag:
		f.EnvVars = vars
	case *cli.StringFlag:
		f.EnvVars = vars
	case *cli.StringSliceFlag:
		f.EnvVars = vars
	case *cli.IntFlag:
		f.EnvVars = vars
	case *cli.Int64Flag:
		f.EnvVars = vars
	case *cli.Uint64Flag:
		f.EnvVars = vars
	case *cli.Float64Flag:
		f.EnvVars = vars
	default:
		panic(fmt.Sprintf("flag --%s of type %T has no environment variable: add the type here", f.Names()[0], f))
	}
}

// version says which build this is.
func version() string {
	return fmt.Sprintf("pfgmgen %s (%s, %s/%s)", buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildVersion is the module's version, or the commit that it was built from.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+dirty"
		}
	}
	if commit == "" {
		return "devel"
	}
	return commit + dirty
}

// action makes a cli.ActionFunc of a command function that takes least to most positional arguments.
func action(least, most int, f func(ctx context.Context, args []string) error) cli.ActionFunc {
	return func(c *cli.Context) error {
		args, err := arguments(c, least, most)
		if err != nil {
			return err
		}
		return f(c.Context, args)
	}
}
