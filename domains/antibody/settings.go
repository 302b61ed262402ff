package antibody

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// Bounds on settings, which come from a file that anyone may have written.
const (
	maxSettings = 1 << 16 // bytes of JSON
	maxLabels   = 256
	maxLabel    = 64 // bytes of one name
)

// settingsVersion counts the layouts of the tensor; in that of version 1 the gaps of a region stood at its end.
const settingsVersion = 2

// settings are everything that decoding and checking need. The fields stand in the order of their JSON names, so that
// the encoding is canonical. Ranges are inclusive.
type settings struct {
	Alphabet    string      `json:"alphabet"`
	Bins        [][2]int    `json:"bins,omitempty"` // lengths of CDR3 in each class, ascending; with condition cdr3_length
	CDR3        [sides]span `json:"cdr3"`           // AB_CDR3_LEN outside, residues
	Chains      string      `json:"chains"`
	Condition   string      `json:"condition"`
	Labels      []string    `json:"labels,omitempty"` // with the conditions locus and v_family
	Length      [sides]span `json:"length"`           // AB_LEN outside, residues
	LocusMargin float64     `json:"locus_margin"`     // AB_LOCUS below, bits
	Version     int         `json:"version"`
}

type span [2]int

func (s span) holds(n int) bool { return s[0] <= n && n <= s[1] }

// The thresholds of domains.md 4.3.
func newSettings() settings {
	return settings{
		Alphabet: alphabet, Version: settingsVersion, Condition: byNothing,
		CDR3: [sides]span{{3, 32}, {4, 16}}, Length: [sides]span{{105, 140}, {95, 120}}, LocusMargin: 10,
	}
}

// sides lists the chains that a sample has.
func (s *settings) sides() []side {
	switch s.Chains {
	case heavy.String():
		return []side{heavy}
	case light.String():
		return []side{light}
	}
	return []side{heavy, light}
}

// positions is the length of the tensor.
func (s *settings) positions() int {
	n := 0
	for _, side := range s.sides() {
		n += positions[side]
	}
	return n
}

// labels are the names of the classes.
func (s *settings) labels() []string {
	if s.Condition != byLength {
		return slices.Clone(s.Labels)
	}
	var names []string
	for _, b := range s.Bins {
		if b[0] == b[1] {
			names = append(names, fmt.Sprint(b[0]))
		} else {
			names = append(names, fmt.Sprintf("%d-%d", b[0], b[1]))
		}
	}
	return names
}

func (s *settings) marshal() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("antibody: settings cannot be encoded: " + err.Error()) // finite numbers and strings always can
	}
	return b
}

func parseSettings(raw json.RawMessage) (*settings, error) {
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("antibody: settings of %d bytes, at most %d are allowed", len(raw), maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("antibody: settings: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("antibody: settings: something follows the JSON object")
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("antibody: settings: %w", err)
	}
	return &s, nil
}

// check says what is inconsistent or out of bounds.
func (s *settings) check() error {
	switch {
	case s.Version != settingsVersion:
		return fmt.Errorf("version %d, this program reads version %d; train the model again", s.Version, settingsVersion)
	case s.Alphabet != alphabet:
		return fmt.Errorf("alphabet %.40q, want %q", s.Alphabet, alphabet)
	case s.Chains != heavy.String() && s.Chains != light.String() && s.Chains != paired:
		return fmt.Errorf("chains %.20q, want heavy, light or paired", s.Chains)
	case !slices.Contains(conditions, s.Condition):
		return fmt.Errorf("condition %.20q, want one of %v", s.Condition, conditions)
	case !(s.LocusMargin >= 0 && s.LocusMargin <= 1000):
		return fmt.Errorf("locus_margin %v, want 0 to 1000 bits", s.LocusMargin)
	case len(s.Labels) > maxLabels || len(s.Bins) > maxLabels:
		return fmt.Errorf("%d labels and %d bins, at most %d are allowed", len(s.Labels), len(s.Bins), maxLabels)
	case (s.Condition == byLocus || s.Condition == byFamily) != (len(s.Labels) > 0):
		return fmt.Errorf("%d labels with condition %s", len(s.Labels), s.Condition)
	case (s.Condition == byLength) != (len(s.Bins) > 0):
		return fmt.Errorf("%d bins with condition %s", len(s.Bins), s.Condition)
	case len(s.Labels) == 1 || len(s.Bins) == 1:
		return fmt.Errorf("one class only; the condition is none then")
	}
	for side := range sides {
		for _, r := range []span{s.CDR3[side], s.Length[side]} {
			if r[0] < 0 || r[1] < r[0] || r[1] > positions[side] {
				return fmt.Errorf("a range of %d to %d for the %s chain, want it within 0 to %d", r[0], r[1], side, positions[side])
			}
		}
	}
	last := -1
	for _, b := range s.Bins {
		if b[0] <= last || b[1] < b[0] || b[1] > widths[heavy][cdr3] {
			return fmt.Errorf("bin %d-%d: want ascending ranges within 0 to %d", b[0], b[1], widths[heavy][cdr3])
		}
		last = b[1]
	}
	return s.checkLabels()
}

func (s *settings) checkLabels() error {
	for i, name := range s.Labels {
		if slices.Contains(s.Labels[:i], name) {
			return fmt.Errorf("label %.40q twice", name)
		}
		good := name == familyOf(name) || name == otherFamily
		if s.Condition == byLocus {
			good = slices.Contains(loci[:], name)
		}
		if !good {
			return fmt.Errorf("label %.40q with condition %s", name, s.Condition)
		}
	}
	return nil
}
