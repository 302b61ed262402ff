package images

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
)

// loadSettings describes LoadOptions.Settings.
var loadSettings = []domains.Item{
	{Name: "size", About: "resize to N x N pixels, 4 to 256: the middle square is cut out and each new pixel is the mean of the area that it covers; default: keep, and refuse pictures that differ in size"},
	{Name: "colour", About: "auto (the default: rgb when any picture has colour), grey (ITU-R 601 luma), or rgb"},
	{Name: "condition", About: "class (the default: one label per class), or none: an unconditional model"},
}

// options are the parsed form of LoadOptions.Settings.
type options struct {
	size          int    // 0 keeps
	colour        string // auto, grey or rgb
	unconditional bool
}

func parseOptions(in map[string]string) (options, error) {
	o := options{colour: "auto"}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value := in[name]
		switch name {
		case "size":
			n, err := strconv.Atoi(value)
			if err != nil || n < minSide || n > maxSide {
				return o, fmt.Errorf("images: %w size=%s: want a number of pixels from %d to %d", domains.ErrSetting, value, minSide, maxSide)
			}
			o.size = n
		case "colour":
			switch value {
			case "auto", "grey", "rgb":
				o.colour = value
			default:
				return o, fmt.Errorf("images: %w colour=%s: want auto, grey or rgb", domains.ErrSetting, value)
			}
		case "condition":
			switch value {
			case "class", "none":
				o.unconditional = value == "none"
			default:
				return o, fmt.Errorf("images: %w condition=%s: want class or none", domains.ErrSetting, value)
			}
		default:
			names := make([]string, len(loadSettings))
			for i, s := range loadSettings {
				names[i] = s.Name
			}
			return o, fmt.Errorf("images: unknown %w %q, want one of %s", domains.ErrSetting, name, strings.Join(names, ", "))
		}
	}
	return o, nil
}
