package antibody

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pfgmgen/domains"
)

// Values of the setting chains.
const paired = "paired"

// Values of the setting condition.
const (
	byNothing = "none"
	byLocus   = "locus"
	byFamily  = "v_family"
	byLength  = "cdr3_length"
)

var conditions = []string{byNothing, byLocus, byFamily, byLength}

// loadSettings describes LoadOptions.Settings.
var loadSettings = []domains.Item{
	{Name: "chains", About: "heavy, light, or paired (a heavy and a light chain of one cell), or auto (the default): paired when the data have pairs, else the side that the data have"},
	{Name: "condition", About: "what the class is: none (the default), locus (IGK or IGL of the light chain), v_family (of the heavy chain, or of the light one when there is no other), cdr3_length (of the same chain, in residues)"},
}

// options are the parsed form of LoadOptions.Settings.
type options struct {
	chains    string // empty for auto
	condition string
}

func parseOptions(in map[string]string) (options, error) {
	o := options{condition: byNothing}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value := in[name]
		switch name {
		case "chains":
			switch value {
			case heavy.String(), light.String(), paired:
				o.chains = value
			case "auto", "":
			default:
				return o, fmt.Errorf("antibody: %w chains=%s: want auto, heavy, light or paired", domains.ErrSetting, value)
			}
		case "condition":
			if !slices.Contains(conditions, value) {
				return o, fmt.Errorf("antibody: %w condition=%s: want one of %s", domains.ErrSetting, value, strings.Join(conditions, ", "))
			}
			o.condition = value
		default:
			names := make([]string, len(loadSettings))
			for i, s := range loadSettings {
				names[i] = s.Name
			}
			return o, fmt.Errorf("antibody: unknown %w %q, want one of %s", domains.ErrSetting, name, strings.Join(names, ", "))
		}
	}
	return o, nil
}
