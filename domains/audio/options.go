package audio

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
)

// What a model can be conditioned on.
const (
	byClass   = "class"
	bySpeaker = "speaker"
	byNone    = "none"
)

// loadSettings describes LoadOptions.Settings.
var loadSettings = []domains.Item{
	{Name: "condition", About: "what the labels are: class (the default), speaker, or none"},
	{Name: "frames", About: "length of a sample in frames of 128 samples, a multiple of 4 up to 512; auto (the default) is the smallest that takes 99 % of the training clips"},
	{Name: "rate", About: "sampling rate in Hz, 4000 to 48000; default 8000. Others are resampled"},
}

// options are the parsed form of LoadOptions.Settings.
type options struct {
	condition string
	frames    int // 0 is auto
	rate      int
}

func parseOptions(in map[string]string) (options, error) {
	o := options{condition: byClass, rate: 8000}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value := in[name]
		switch name {
		case "condition":
			if value != byClass && value != bySpeaker && value != byNone {
				return o, fmt.Errorf("audio: %w condition=%s: want class, speaker or none", domains.ErrSetting, value)
			}
			o.condition = value
		case "frames":
			if value == "auto" {
				break
			}
			n, err := strconv.Atoi(value)
			if err != nil || n < 4 || n > maxFrames || n%4 != 0 {
				return o, fmt.Errorf("audio: %w frames=%s: want auto or a multiple of 4 from 4 to %d", domains.ErrSetting, value, maxFrames)
			}
			o.frames = n
		case "rate":
			n, err := strconv.Atoi(value)
			if err != nil || n < minRate || n > maxRate {
				return o, fmt.Errorf("audio: %w rate=%s: want %d to %d Hz", domains.ErrSetting, value, minRate, maxRate)
			}
			o.rate = n
		default:
			names := make([]string, len(loadSettings))
			for i, s := range loadSettings {
				names[i] = s.Name
			}
			return o, fmt.Errorf("audio: unknown %w %q, want one of %s", domains.ErrSetting, name, strings.Join(names, ", "))
		}
	}
	return o, nil
}
