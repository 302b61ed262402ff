package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"
)

// helpWidth is where lines of flags end.
const helpWidth = 112

const appHelp = `{{.Name}}: {{.Usage}}

Usage: {{.Name}} COMMAND [flags] [arguments]
{{range .VisibleCommands}}{{if ne .Name "help"}}
  {{.Name}}{{"\t"}}{{.Usage}}{{end}}{{end}}

{{.Description}}

` + exitHelp + `
`

const exitHelp = `Exit status:
  0    all went well
  1    something failed
  2    the command line, the environment or the configuration file is wrong
  3    the dataset was written, but falls short of a required threshold
  75   interrupted: run the same command again
  130  interrupted twice`

var (
	placeholder = regexp.MustCompile("`([^`]*)`")
	ordinal     = regexp.MustCompile(`^\d+\. `)
)

// commandHelp is the help of a command, as a template without actions.
func commandHelp(c *cli.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "pfgmgen %s: %s\n\nUsage: %s\n\n%s\n", c.Name, c.Usage, c.UsageText, c.Description)
	var categories []string
	for _, f := range c.Flags {
		if name := categoryOf(f); !slices.Contains(categories, name) {
			categories = append(categories, name)
		}
	}
	for _, name := range categories {
		title := ordinal.ReplaceAllString(name, "")
		if title == "" {
			title = "flags"
		}
		fmt.Fprintf(&b, "\n%s%s:\n", strings.ToUpper(title[:1]), title[1:])
		writeFlags(&b, c.Flags, name)
	}
	fmt.Fprintf(&b, "\nA flag can also be set by an environment variable, --some-flag by PFGMGEN_SOME_FLAG. Flags beat the environment")
	if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return f.Names()[0] == "config" }) {
		b.WriteString(", which\nbeats the configuration file")
	}
	fmt.Fprintf(&b, ".\n\n%s\n", exitHelp)
	return strings.ReplaceAll(b.String(), "{{", `{{"{{"}}`)
}

func categoryOf(f cli.Flag) string {
	if c, ok := f.(cli.CategorizableFlag); ok {
		return c.GetCategory()
	}
	return ""
}

// writeFlags writes the flags of one category in the order in which they were declared.
func writeFlags(b *strings.Builder, flags []cli.Flag, category string) {
	var rows [][2]string
	width := 0
	for _, f := range flags {
		if categoryOf(f) != category {
			continue
		}
		row := flagRow(f)
		width = max(width, len(row[0]))
		rows = append(rows, row)
	}
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		for i, line := range wrap(row[1], helpWidth-width-4) {
			if i > 0 {
				row[0] = ""
			}
			fmt.Fprintf(t, "  %s\t%s\n", row[0], line)
		}
	}
	t.Flush() // into memory
}

// flagRow is a flag with its short name and value, and what it does with its default.
func flagRow(f cli.Flag) [2]string {
	d, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return [2]string{"--" + f.Names()[0], ""}
	}
	name := "    --" + f.Names()[0]
	if len(f.Names()) > 1 {
		name = "-" + f.Names()[1] + ", --" + f.Names()[0]
	}
	usage := d.GetUsage()
	if d.TakesValue() {
		value := "VALUE"
		if m := placeholder.FindStringSubmatch(usage); m != nil {
			value = m[1]
		}
		name += " " + value
		if text := strings.Trim(d.GetDefaultText(), `"`); text != "" {
			usage += " (default: " + text + ")"
		}
	}
	return [2]string{name, strings.ReplaceAll(usage, "`", "")}
}

// wrap breaks text into lines of at most width letters, between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
