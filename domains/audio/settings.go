package audio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds on settings, which come from a file that anyone may have written.
const (
	maxSettings = 4 << 20 // bytes of JSON
	maxFrames   = 512
	maxLabels   = 1 << 12
	maxLabel    = 128 // bytes of one name
	maxRounds   = 1 << 8
	minRate     = 4000
	maxRate     = 48000
)

const settingsVersion = 1

// settings are everything that decoding and checking need. The fields stand in the order of their JSON names, so that
// the encoding is canonical.
type settings struct {
	Clicks      int       `json:"clicks"`           // AU_CLICK above this
	Flatness    float64   `json:"flatness"`         // AU_NOISE above this
	FloorDB     float64   `json:"floor_db"`         // levels are 0 to -FloorDB below the peak of the clip
	Frames      int       `json:"frames"`           // of a sample
	Labels      []string  `json:"labels,omitempty"` // classes, two or more or none
	Lengths     [2]int    `json:"lengths"`          // AU_LEN outside, in samples
	LoudnessDB  float64   `json:"loudness_dbfs"`    // root mean square of the output, unless its peak would be over peakDB
	MaxGainDB   float64   `json:"max_gain_db"`      // most that the output is raised
	Means       []float64 `json:"means"`            // level of each bin in dB over the floor, over the training clips
	Rate        int       `json:"rate"`             // Hz
	Rounds      int       `json:"rounds"`           // of Griffin-Lim
	SilentShare float64   `json:"silent_share"`     // AU_SILENT_FRAC above this
	SpreadsDB   []float64 `json:"spreads_db"`       // deviation of each bin's level
	Version     int       `json:"version"`
	Window      int       `json:"window"` // samples of a frame
}

func (s *settings) marshal() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("audio: settings cannot be encoded: " + err.Error()) // finite numbers and strings always can
	}
	return b
}

func parseSettings(raw json.RawMessage) (*settings, error) {
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("audio: settings of %d bytes, at most %d are allowed", len(raw), maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("audio: settings: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("audio: settings: something follows the JSON object")
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("audio: settings: %w", err)
	}
	return &s, nil
}

// check says what is inconsistent or out of bounds.
func (s *settings) check() error {
	within := func(v, lo, hi float64) bool { return v >= lo && v <= hi }
	switch {
	case s.Version != settingsVersion:
		return fmt.Errorf("version %d, this program reads version %d", s.Version, settingsVersion)
	case s.Window != window:
		return fmt.Errorf("window of %d samples, want %d", s.Window, window)
	case s.Frames < 4 || s.Frames > maxFrames || s.Frames%4 != 0:
		return fmt.Errorf("frames %d, want a multiple of 4 from 4 to %d", s.Frames, maxFrames)
	case s.Rate < minRate || s.Rate > maxRate:
		return fmt.Errorf("rate %d Hz, want %d to %d", s.Rate, minRate, maxRate)
	case s.Rounds < 0 || s.Rounds > maxRounds:
		return fmt.Errorf("rounds %d, want 0 to %d", s.Rounds, maxRounds)
	case !within(s.FloorDB, 20, 120):
		return fmt.Errorf("floor_db %v, want 20 to 120", s.FloorDB)
	case !within(s.LoudnessDB, -60, 0):
		return fmt.Errorf("loudness_dbfs %v, want -60 to 0", s.LoudnessDB)
	case !within(s.MaxGainDB, -60, 120):
		return fmt.Errorf("max_gain_db %v, want -60 to 120", s.MaxGainDB)
	case !within(s.Flatness, 0, 1):
		return fmt.Errorf("flatness %v, want 0 to 1", s.Flatness)
	case !within(s.SilentShare, 0, 1):
		return fmt.Errorf("silent_share %v, want 0 to 1", s.SilentShare)
	case s.Clicks < 0 || s.Clicks > maxFrames*hop:
		return fmt.Errorf("clicks %d, want 0 to %d", s.Clicks, maxFrames*hop)
	case s.Lengths[0] < 0 || s.Lengths[1] < s.Lengths[0] || s.Lengths[1] > 2*maxFrames*hop:
		return fmt.Errorf("lengths %v, want two rising numbers from 0 to %d", s.Lengths, 2*maxFrames*hop)
	case len(s.Means) != bins || len(s.SpreadsDB) != bins:
		return fmt.Errorf("%d means and %d spreads, want %d of each", len(s.Means), len(s.SpreadsDB), bins)
	case len(s.Labels) == 1 || len(s.Labels) > maxLabels:
		return fmt.Errorf("%d labels, want none or 2 to %d", len(s.Labels), maxLabels)
	}
	for b, v := range s.Means {
		if !within(v, 0, s.FloorDB) || !within(s.SpreadsDB[b], minSpread, s.FloorDB) {
			return fmt.Errorf("bin %d has mean %v and spread %v dB, want 0 to %v and %v to %v", b, v, s.SpreadsDB[b], s.FloorDB, minSpread, s.FloorDB)
		}
	}
	seen := make(map[string]bool)
	for _, l := range s.Labels {
		if err := checkLabel(l); err != nil {
			return err
		}
		if seen[l] {
			return fmt.Errorf("label %q twice", l)
		}
		seen[l] = true
	}
	return nil
}

// checkLabel refuses names that would break a table.
func checkLabel(name string) error {
	if name == "" || len(name) > maxLabel {
		return fmt.Errorf("a label of %d bytes, want 1 to %d", len(name), maxLabel)
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == 0x7f {
			return fmt.Errorf("label %q holds a control character", name)
		}
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("label %q is not UTF-8", name)
	}
	return nil
}
