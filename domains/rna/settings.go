package rna

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// Bounds on settings, which come from a file that anyone may have written.
const (
	maxSettings = 4 << 20 // bytes of JSON
	maxColumns  = 1 << 14
	maxFamilies = 1 << 12
	maxFamily   = 128 // bytes of one name
)

const settingsVersion = 1

// settings are everything that decoding and checking need. The fields stand in the order of their JSON names, so that
// the encoding is canonical.
type settings struct {
	Alphabet       string   `json:"alphabet"`
	Columns        int      `json:"columns"`            // in use; the tensor has them rounded up to even
	Complexity     float64  `json:"complexity"`         // RN_COMPLEX below this, bits
	Families       []string `json:"families,omitempty"` // classes when two or more; one is the name of them all
	HalfPairs      int      `json:"half_pairs"`         // RN_STEM_GAP above this
	Homopolymer    int      `json:"homopolymer"`        // RN_HOMOPOLY above this
	Lengths        [][2]int `json:"lengths"`            // RN_LEN outside: of all, then of each class
	PairShare      float64  `json:"pair_share"`         // RN_STRUCT below this
	Pairs          string   `json:"pairs,omitempty"`    // joint: a consensus pair is one choice; empty: of two columns
	Representation string   `json:"representation"`
	Structure      string   `json:"structure,omitempty"` // dot-bracket over Columns; empty without a consensus
	Version        int      `json:"version"`
}

// layout follows from settings that passed check.
func (s *settings) layout() layout {
	if s.Pairs != joint {
		return newLayout(s.Columns, nil)
	}
	pairs, _ := parsePairs(s.Structure)
	return newLayout(s.Columns, pairs)
}

// classes is the number of labels.
func (s *settings) classes() int {
	if len(s.Families) < 2 {
		return 0
	}
	return len(s.Families)
}

func (s *settings) marshal() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("rna: settings cannot be encoded: " + err.Error()) // finite numbers and strings always can
	}
	return b
}

func parseSettings(raw json.RawMessage) (*settings, error) {
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("rna: settings of %d bytes, at most %d are allowed", len(raw), maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("rna: settings: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("rna: settings: something follows the JSON object")
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("rna: settings: %w", err)
	}
	return &s, nil
}

// check says what is inconsistent or out of bounds.
func (s *settings) check() error {
	switch {
	case s.Version != settingsVersion:
		return fmt.Errorf("version %d, this program reads version %d", s.Version, settingsVersion)
	case s.Alphabet != alphabet:
		return fmt.Errorf("alphabet %.20q, want %q", s.Alphabet, alphabet)
	case s.Representation != aligned && s.Representation != unaligned:
		return fmt.Errorf("representation %.20q, want aligned or unaligned", s.Representation)
	case s.Columns < 1 || s.Columns > maxColumns:
		return fmt.Errorf("columns %d, want 1 to %d", s.Columns, maxColumns)
	case s.Representation == unaligned && (s.Columns%2 != 0 || s.Structure != ""):
		return fmt.Errorf("an unaligned representation has an even number of columns (here %d) and no structure", s.Columns)
	case s.Pairs != "" && (s.Pairs != joint || s.Structure == ""):
		return fmt.Errorf("pairs %.20q with a structure of %d characters, want joint, and a structure then", s.Pairs, len(s.Structure))
	case s.Structure != "" && len(s.Structure) != s.Columns:
		return fmt.Errorf("a structure of %d characters for %d columns", len(s.Structure), s.Columns)
	case s.HalfPairs < 0 || s.HalfPairs > maxColumns:
		return fmt.Errorf("half_pairs %d, want 0 to %d", s.HalfPairs, maxColumns)
	case s.Homopolymer < 0 || s.Homopolymer > maxColumns:
		return fmt.Errorf("homopolymer %d, want 0 to %d", s.Homopolymer, maxColumns)
	case !(s.Complexity >= 0 && s.Complexity <= 4):
		return fmt.Errorf("complexity %v, want 0 to 4 bits", s.Complexity)
	case !(s.PairShare >= 0 && s.PairShare <= 1):
		return fmt.Errorf("pair_share %v, want 0 to 1", s.PairShare)
	case len(s.Families) > maxFamilies:
		return fmt.Errorf("%d families, at most %d are allowed", len(s.Families), maxFamilies)
	case len(s.Lengths) != 1+s.classes():
		return fmt.Errorf("%d length ranges for %d classes, want one for all and one for each class", len(s.Lengths), s.classes())
	}
	pairs, err := parsePairs(s.Structure)
	if err != nil {
		return err
	}
	if s.Structure != "" && len(pairs) == 0 {
		return fmt.Errorf("a structure without pairs; leave it out")
	}
	for i, r := range s.Lengths {
		if r[0] < 0 || r[1] < r[0] || r[1] > math.MaxInt32 {
			return fmt.Errorf("length range %d is %d to %d", i, r[0], r[1])
		}
	}
	seen := make(map[string]bool)
	for _, f := range s.Families {
		if err := checkFamily(f); err != nil {
			return err
		}
		if seen[f] {
			return fmt.Errorf("family %q twice", f)
		}
		seen[f] = true
	}
	return nil
}

// checkFamily refuses names that would break a FASTA header or a table.
func checkFamily(name string) error {
	if name == "" || len(name) > maxFamily {
		return fmt.Errorf("a family name of %d bytes, want 1 to %d", len(name), maxFamily)
	}
	for _, c := range []byte(name) {
		if c < ' ' || c == 0x7f {
			return fmt.Errorf("family %q holds a control character", name)
		}
	}
	if !utf8.ValidString(name) {
		return fmt.Errorf("family %q is not UTF-8", name)
	}
	return nil
}
