package rna

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
)

const (
	aligned   = "aligned"
	unaligned = "unaligned"
	joint     = "joint"
	apart     = "apart"
)

// loadSettings describes LoadOptions.Settings.
var loadSettings = []domains.Item{
	{Name: "representation", About: "aligned (one position per alignment column), unaligned (padded), or auto (the default): aligned when the data are an alignment"},
	{Name: "pairs", About: "base pairs of the consensus structure: joint (the default: one choice among 25 for both columns) or apart (a choice for each column)"},
	{Name: "min_column", About: "share of training records, 0 to 1, that must have a residue in an alignment column for it to be kept; default 0.02"},
	{Name: "ambiguous", About: "records with N or another IUPAC ambiguity letter: drop them, error, or resolve (a base they stand for, by hash); default drop, but an error when more than a tenth would go"},
}

// options are the parsed form of LoadOptions.Settings.
type options struct {
	representation string // "", aligned or unaligned
	pairs          string // joint or apart
	minColumn      float64
	ambiguous      string // "", drop, error or resolve
}

func parseOptions(in map[string]string) (options, error) {
	o := options{pairs: joint, minColumn: 0.02}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value := in[name]
		switch name {
		case "representation":
			switch value {
			case aligned, unaligned:
				o.representation = value
			case "auto", "":
			default:
				return o, fmt.Errorf("rna: %w representation=%s: want auto, aligned or unaligned", domains.ErrSetting, value)
			}
		case "pairs":
			if value != joint && value != apart {
				return o, fmt.Errorf("rna: %w pairs=%s: want joint or apart", domains.ErrSetting, value)
			}
			o.pairs = value
		case "min_column":
			share, err := strconv.ParseFloat(value, 64)
			if err != nil || !(share >= 0 && share <= 1) {
				return o, fmt.Errorf("rna: %w min_column=%s: want a share from 0 to 1", domains.ErrSetting, value)
			}
			o.minColumn = share
		case "ambiguous":
			switch value {
			case "drop", "error", "resolve":
				o.ambiguous = value
			default:
				return o, fmt.Errorf("rna: %w ambiguous=%s: want drop, error or resolve", domains.ErrSetting, value)
			}
		default:
			names := make([]string, len(loadSettings))
			for i, s := range loadSettings {
				names[i] = s.Name
			}
			return o, fmt.Errorf("rna: unknown %w %q, want one of %s", domains.ErrSetting, name, strings.Join(names, ", "))
		}
	}
	return o, nil
}
