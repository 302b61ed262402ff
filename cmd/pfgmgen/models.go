package main

import (
	"context"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"pfgmgen/models"
)

func modelsCommand(e *env) *cli.Command {
	return &cli.Command{
		Name:      "models",
		Usage:     "list the built-in models, or print the card of one",
		UsageText: "pfgmgen models [NAME] [flags]",
		Description: `Without a name: the built-in models; the first of a domain is its default. With one: its card, which says what it
learnt from, how well it does, and what it is not good for.

Examples:
  pfgmgen models
  pfgmgen models rna-trna`,
		Action: action(0, 1, func(_ context.Context, args []string) error {
			if len(args) == 1 {
				return showModel(e, args[0])
			}
			return listModels(e)
		}),
	}
}

// A modelItem is one built-in model of pfgmgen models --json.
type modelItem struct {
	Name   string `json:"name"`
	Domain string `json:"domain"`
	About  string `json:"about"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	Card   string `json:"card,omitempty"`
}

func newModelItem(b models.Model) modelItem {
	m := builtIn(b)
	m.hash()
	return modelItem{Name: b.Name, Domain: b.Domain, About: b.About, Bytes: len(m.bytes), SHA256: m.sha256}
}

func listModels(e *env) error {
	items := []modelItem{}
	for _, b := range models.List() {
		items = append(items, newModelItem(b))
	}
	return e.print(items, func(w io.Writer) error {
		var rows [][2]string
		for _, i := range items {
			rows = append(rows, [2]string{i.Name, fmt.Sprintf("%s, %s: %s", i.Domain, size(int64(i.Bytes)), i.About)})
		}
		return table(w, rows)
	})
}

func showModel(e *env, name string) error {
	b, err := models.Get(name)
	if err != nil {
		var names []string
		for _, m := range models.List() {
			names = append(names, m.Name)
		}
		return usageErrorf("%w%s", err, didYouMean(name, names, ""))
	}
	item := newModelItem(b)
	item.Card = b.Card()
	return e.print(item, func(w io.Writer) error {
		_, err := io.WriteString(w, item.Card)
		return err
	})
}
