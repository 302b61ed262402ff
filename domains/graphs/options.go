package graphs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
)

// Values of settings.
const (
	molecules = "molecules"
	generic   = "graphs"
	byLabel   = "label"
	bySize    = "size"
	largest   = "largest"
)

// loadSettings describes LoadOptions.Settings.
var loadSettings = []domains.Item{
	{Name: "kind", About: "molecules, graphs, or auto (the default): molecules when the data are"},
	{Name: "condition", About: "none (the default), label (the class of each graph) or size (its number of nodes)"},
	{Name: "min_nodes", About: "smallest graph taken, nodes, 2 or more; default 2"},
	{Name: "max_nodes", About: "largest graph taken, nodes, at most 1024; default 1024"},
	{Name: "component", About: "all (the default), or largest: of a graph in several pieces, the largest one"},
	{Name: "fragments", About: "reject (the default), or largest: of generated graphs in several pieces the largest one is kept, with a warning"},
	{Name: "family", About: "rule that every graph must keep: none (the default), planar, tree, lobster or sbm; set by itself for built-in families"},
	{Name: "unreadable", About: "molecules of a file that cannot be read: drop them, or error; default drop, but an error when more than a tenth would go"},
	{Name: "simplify", About: "loops and repeated edges of graphs: no (the default) refuses them, yes drops them"},
	{Name: "count", About: "graphs of a built-in family, 1 to 1000000; default 1280"},
	{Name: "bandwidth", About: "longest edge in the order of the nodes, positions; graphs with a longer one are left out; default: the 99.9 % quantile of the training graphs"},
	{Name: "orders", About: "number of node orders that each training graph is learned in, 1 to 64; default 1, the canonical one"},
	{Name: "variants", About: "of each training molecule so many near ones, which the data do not have, are learned too, 0 (the default) to 64: for a training that another one goes on from (train --init)"},
	{Name: "seed", About: "of further orders, variants and built-in families, 0 to 2^63-1; default 1"},
}

// options are the parsed form of LoadOptions.Settings.
type options struct {
	kind, condition, component    string // empty: the default
	fragments, family, unreadable string
	simplify                      string
	count                         int
	minNodes, maxNodes            int
	bandwidth                     int // 0: by quantile
	orders                        int
	variants                      int
	seed                          int
}

func parseOptions(in map[string]string) (options, error) {
	o := options{minNodes: 2, maxNodes: maxNodes, orders: 1, seed: 1, count: 1280}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if err := o.set(name, in[name]); err != nil {
			return o, err
		}
	}
	if o.minNodes > o.maxNodes {
		return o, fmt.Errorf("graphs: %w min_nodes=%d is above max_nodes=%d", domains.ErrSetting, o.minNodes, o.maxNodes)
	}
	return o, nil
}

func (o *options) set(name, value string) error {
	choice := func(to *string, fallback string, others ...string) error {
		switch {
		case value == fallback || value == "":
			*to = ""
		case slices.Contains(others, value):
			*to = value
		default:
			return fmt.Errorf("graphs: %w %s=%s: want %s or %s", domains.ErrSetting, name, value, fallback, strings.Join(others, " or "))
		}
		return nil
	}
	number := func(to *int, low, high int) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < low || n > high {
			return fmt.Errorf("graphs: %w %s=%s: want a whole number from %d to %d", domains.ErrSetting, name, value, low, high)
		}
		*to = n
		return nil
	}
	switch name {
	case "kind":
		return choice(&o.kind, "auto", molecules, generic)
	case "condition":
		return choice(&o.condition, "none", byLabel, bySize)
	case "component":
		return choice(&o.component, "all", largest)
	case "fragments":
		return choice(&o.fragments, "reject", largest)
	case "family":
		return choice(&o.family, "none", rules...)
	case "unreadable":
		return choice(&o.unreadable, "auto", "drop", "error")
	case "simplify":
		return choice(&o.simplify, "no", "yes")
	case "count":
		return number(&o.count, 1, 1_000_000)
	case "min_nodes":
		return number(&o.minNodes, 2, maxNodes)
	case "max_nodes":
		return number(&o.maxNodes, 2, maxNodes)
	case "bandwidth":
		return number(&o.bandwidth, 1, maxNodes-1)
	case "orders":
		return number(&o.orders, 1, 64)
	case "variants":
		return number(&o.variants, 0, 64)
	case "seed":
		return number(&o.seed, 0, 1<<63-1)
	}
	names := make([]string, len(loadSettings))
	for i, s := range loadSettings {
		names[i] = s.Name
	}
	return fmt.Errorf("graphs: unknown %w %q, want one of %s", domains.ErrSetting, name, strings.Join(names, ", "))
}
