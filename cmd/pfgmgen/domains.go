package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"pfgmgen/domains"
	"pfgmgen/domains/all"
)

func domainsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "domains",
		Usage:     "list the kinds of data, or describe one",
		UsageText: "pfgmgen domains [NAME] [flags]",
		Description: `Without a name: the domains that this build has. With one: the files it reads, its settings for training, its columns
and its checks.

Examples:
  pfgmgen domains
  pfgmgen domains rna`,
		Action: action(0, 1, func(_ context.Context, args []string) error {
			if len(args) == 1 {
				return showDomain(e, all.Registry(), args[0])
			}
			return listDomains(e, all.Registry())
		}),
	}
}

// A domainResult is what pfgmgen domains --json prints of a domain.
type domainResult struct {
	Name       string            `json:"name"`
	About      string            `json:"about"`
	Inputs     []string          `json:"inputs"`
	Settings   map[string]string `json:"settings"`
	Columns    map[string]string `json:"columns"`
	Checks     map[string]string `json:"checks"`
	Conditions []string          `json:"conditions"`
	Exports    []string          `json:"exports"`
}

func newDomainResult(d domains.Description) domainResult {
	return domainResult{Name: d.Name, About: d.About, Inputs: d.Inputs, Settings: itemMap(d.Settings), Columns: itemMap(d.Columns),
		Checks: itemMap(d.Checks), Conditions: d.Conditions, Exports: d.Exports}
}

func itemMap(items []domains.Item) map[string]string {
	out := make(map[string]string)
	for _, i := range items {
		out[i.Name] = i.About
	}
	return out
}

func listDomains(e *env, registry domains.Registry) error {
	results := []domainResult{}
	var rows [][2]string
	for _, d := range registry {
		desc := d.Describe()
		results = append(results, newDomainResult(desc))
		rows = append(rows, [2]string{desc.Name, desc.About})
	}
	return e.print(results, func(w io.Writer) error { return table(w, rows) })
}

func showDomain(e *env, registry domains.Registry, name string) error {
	d, err := registry.Get(name)
	if err != nil {
		return usageErrorf("%w%s", err, didYouMean(name, registry.Names(), ""))
	}
	desc := d.Describe()
	return e.print(newDomainResult(desc), func(w io.Writer) error {
		fmt.Fprintf(w, "%s: %s\n", desc.Name, desc.About)
		for _, list := range []struct {
			title string
			lines []string
		}{{"reads", desc.Inputs}, {"conditions", desc.Conditions}, {"also writes", desc.Exports}} {
			if len(list.lines) == 0 {
				continue
			}
			fmt.Fprintf(w, "\n%s\n", list.title)
			for _, line := range list.lines {
				fmt.Fprintf(w, "  %s\n", line)
			}
		}
		for _, list := range []struct {
			title string
			items []domains.Item
		}{{"settings for training", desc.Settings}, {"columns", desc.Columns}, {"checks", desc.Checks}} {
			if len(list.items) == 0 {
				continue
			}
			fmt.Fprintf(w, "\n%s\n", list.title)
			var rows [][2]string
			for _, i := range list.items {
				rows = append(rows, [2]string{"  " + i.Name, i.About})
			}
			if err := table(w, rows); err != nil {
				return err
			}
		}
		return nil
	})
}
