package images

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
	maxClasses  = 1 << 12
	maxClass    = 128     // bytes of one name
	maxKnown    = 1 << 20 // bytes of the filter of training pictures
)

const settingsVersion = 1

// settings are everything that decoding and checking need. The fields stand in the order of their JSON names, so that
// the encoding is canonical.
type settings struct {
	Channels  int      `json:"channels"`          // 1 or 3
	Classes   []string `json:"classes,omitempty"` // labels, none or at least two
	Crop      [4]int   `json:"crop"`              // of the tensor: top, left, height, width; the rest is padding
	Height    int      `json:"height"`            // of the tensor, divisible by 4
	Known     []byte   `json:"known,omitempty"`   // Bloom filter of the perceptual hashes of the training pictures
	Levels    int      `json:"levels"`            // IM_CONST with fewer distinct values than this
	Noise     float64  `json:"noise"`             // IM_NOISE above this ratio
	Saturated float64  `json:"saturated"`         // IM_SAT above this share
	Version   int      `json:"version"`
	Width     int      `json:"width"` // of the tensor, divisible by 4
}

// setShape pads the sides to multiples of 4, half of the padding on each side, the larger half at the bottom and right.
func (s *settings) setShape(p picture) {
	s.Channels, s.Height, s.Width = p.channels, (p.height+3)/4*4, (p.width+3)/4*4
	s.Crop = [4]int{(s.Height - p.height) / 2, (s.Width - p.width) / 2, p.height, p.width}
}

// crop is the shape of a decoded picture.
func (s *settings) crop() picture {
	return picture{height: s.Crop[2], width: s.Crop[3], channels: s.Channels}
}

func (s *settings) marshal() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("images: settings cannot be encoded: " + err.Error()) // finite numbers and strings always can
	}
	return b
}

func parseSettings(raw json.RawMessage) (*settings, error) {
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("images: settings of %d bytes, at most %d are allowed", len(raw), maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("images: settings: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("images: settings: something follows the JSON object")
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("images: settings: %w", err)
	}
	return &s, nil
}

// check says what is inconsistent or out of bounds.
func (s *settings) check() error {
	crop := s.crop()
	switch {
	case s.Version != settingsVersion:
		return fmt.Errorf("version %d, this program reads version %d", s.Version, settingsVersion)
	case s.Channels != 1 && s.Channels != 3:
		return fmt.Errorf("%d channels, want 1 or 3", s.Channels)
	case crop.height < minSide || crop.height > maxSide || crop.width < minSide || crop.width > maxSide:
		return fmt.Errorf("pictures of %d x %d pixels, want %d to %d on each side", crop.width, crop.height, minSide, maxSide)
	case len(s.Known) > maxKnown || len(s.Known)%8 != 0:
		return fmt.Errorf("a filter of %d bytes, want a multiple of 8 up to %d", len(s.Known), maxKnown)
	case s.Levels < 1 || s.Levels > leastLevels:
		return fmt.Errorf("levels %d, want 1 to %d", s.Levels, leastLevels)
	case !(s.Noise >= 0 && s.Noise <= maxNoise):
		return fmt.Errorf("noise %v, want 0 to %d", s.Noise, maxNoise)
	case !(s.Saturated >= 0 && s.Saturated <= 1):
		return fmt.Errorf("saturated %v, want a share from 0 to 1", s.Saturated)
	case len(s.Classes) == 1 || len(s.Classes) > maxClasses:
		return fmt.Errorf("%d classes, want none or 2 to %d", len(s.Classes), maxClasses)
	}
	want := *s
	if want.setShape(crop); want.Height != s.Height || want.Width != s.Width || want.Crop != s.Crop {
		return fmt.Errorf("crop %v of a tensor of %d x %d, want %v of %d x %d", s.Crop, s.Height, s.Width, want.Crop, want.Height, want.Width)
	}
	seen := make(map[string]bool)
	for _, c := range s.Classes {
		if err := checkClass(c); err != nil {
			return err
		}
		if seen[c] {
			return fmt.Errorf("class %q twice", c)
		}
		seen[c] = true
	}
	return nil
}

// checkClass refuses names that would break a table.
func checkClass(name string) error {
	if name == "" || len(name) > maxClass {
		return fmt.Errorf("a class name of %d bytes, want 1 to %d", len(name), maxClass)
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == 0x7f {
			return fmt.Errorf("class %q holds a control character", name)
		}
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("class %q is not UTF-8", name)
	}
	return nil
}
