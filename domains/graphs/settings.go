package graphs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// Bounds on settings, which come from a file that anyone may have written, and on the data that make them.
const (
	maxSettings  = 4 << 20 // bytes of JSON
	maxNodes     = 1 << 10 // of one graph
	maxClasses   = 1 << 12 // labels of the condition
	maxName      = 128     // bytes of the name of a class
	maxNodeKinds = 64      // atom types, node labels
	maxEdgeKinds = 16
	maxTensor    = 1 << 22 // coordinates
)

const settingsVersion = 1

// settings are everything that decoding and checking need. The fields stand in the order of their JSON names, so that
// the encoding is canonical.
type settings struct {
	Atoms     []string   `json:"atoms,omitempty"`     // molecules: the classes of the nodes, such as C or O-1
	Bandwidth int        `json:"bandwidth"`           // longest edge, in positions
	Classes   []string   `json:"classes,omitempty"`   // of the condition
	Condition string     `json:"condition,omitempty"` // label, size, or empty
	Connected bool       `json:"connected"`           // every training graph is
	EdgeTypes []int      `json:"edge_types"`          // rising, 1 or more each
	Family    string     `json:"family,omitempty"`    // one of rules, or empty
	Fragments string     `json:"fragments,omitempty"` // largest: rows are cut down to their largest component
	Kind      string     `json:"kind"`                // molecules or graphs
	Labels    []int      `json:"labels,omitempty"`    // graphs: the classes of the nodes, rising
	Sizes     [][][2]int `json:"sizes"`               // nodes and training graphs with so many: of all, then of each class
	Version   int        `json:"version"`
}

// largest is the number of nodes of the largest training graph.
func (s *settings) largest() int { return s.Sizes[0][len(s.Sizes[0])-1][0] }

// hydrogens is the number of classes of a molecule's implicit hydrogens, 0 to 4.
const hydrogens = 5

// layout follows from the settings.
func (s *settings) layout() layout {
	if s.Kind == molecules {
		return newLayout(s.largest(), s.Bandwidth, len(s.Atoms), hydrogens, len(s.EdgeTypes))
	}
	return newLayout(s.largest(), s.Bandwidth, len(s.Labels), 0, len(s.EdgeTypes))
}

func (s *settings) marshal() json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil {
		panic("graphs: settings cannot be encoded: " + err.Error()) // numbers and strings always can
	}
	return b
}

func parseSettings(raw json.RawMessage) (*settings, error) {
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("graphs: settings of %d bytes, at most %d are allowed", len(raw), maxSettings)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var s settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("graphs: settings: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("graphs: settings: something follows the JSON object")
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("graphs: settings: %w", err)
	}
	return &s, nil
}

// check says what is inconsistent or out of bounds.
func (s *settings) check() error {
	if s.Version != settingsVersion {
		return fmt.Errorf("version %d, this program reads version %d", s.Version, settingsVersion)
	}
	if s.Family != "" && (s.Kind == molecules || !slices.Contains(rules, s.Family)) {
		return fmt.Errorf("%s of the family %.20q, want graphs of one of %v", s.Kind, s.Family, rules)
	}
	if s.Fragments != "" && s.Fragments != largest {
		return fmt.Errorf("fragments %.20q, want %s", s.Fragments, largest)
	}
	for _, check := range []func() error{s.checkNodes, s.checkEdges, s.checkClasses, s.checkSizes} {
		if err := check(); err != nil {
			return err
		}
	}
	if s.Bandwidth < 1 || s.Bandwidth >= s.largest() {
		return fmt.Errorf("bandwidth %d for graphs of up to %d nodes", s.Bandwidth, s.largest())
	}
	if size := s.layout().size(); size > maxTensor {
		return fmt.Errorf("a tensor of %d coordinates, at most %d are allowed", size, maxTensor)
	}
	return nil
}

func (s *settings) checkNodes() error {
	switch s.Kind {
	case molecules:
		if len(s.Atoms) < 1 || len(s.Atoms) > maxNodeKinds || s.Labels != nil {
			return fmt.Errorf("molecules with %d kinds of atoms and %d node labels, want 1 to %d and 0", len(s.Atoms), len(s.Labels), maxNodeKinds)
		}
		for i, name := range s.Atoms {
			if _, err := parseAtom(name); err != nil {
				return err
			}
			if slices.Contains(s.Atoms[:i], name) {
				return fmt.Errorf("atom %q twice", name)
			}
		}
	case generic:
		if len(s.Labels) > maxNodeKinds || s.Atoms != nil {
			return fmt.Errorf("graphs with %d node labels and %d kinds of atoms, want at most %d and 0", len(s.Labels), len(s.Atoms), maxNodeKinds)
		}
		for i, l := range s.Labels {
			if l < math.MinInt8 || l > math.MaxInt8 || i > 0 && l <= s.Labels[i-1] {
				return fmt.Errorf("node label %d: want rising numbers from %d to %d", l, math.MinInt8, math.MaxInt8)
			}
		}
	default:
		return fmt.Errorf("kind %.20q, want %s or %s", s.Kind, molecules, generic)
	}
	return nil
}

func (s *settings) checkEdges() error {
	top := math.MaxInt8
	if s.Kind == molecules {
		top = 3
	}
	if len(s.EdgeTypes) < 1 || len(s.EdgeTypes) > maxEdgeKinds {
		return fmt.Errorf("%d edge types, want 1 to %d", len(s.EdgeTypes), maxEdgeKinds)
	}
	for i, t := range s.EdgeTypes {
		if t < 1 || t > top || i > 0 && t <= s.EdgeTypes[i-1] {
			return fmt.Errorf("edge type %d: want rising numbers from 1 to %d", t, top)
		}
	}
	return nil
}

func (s *settings) checkClasses() error {
	switch s.Condition {
	case "":
		if len(s.Classes) > 0 {
			return fmt.Errorf("%d classes without a condition", len(s.Classes))
		}
	case byLabel, bySize:
		if len(s.Classes) < 2 || len(s.Classes) > maxClasses {
			return fmt.Errorf("%d classes, want 2 to %d", len(s.Classes), maxClasses)
		}
	default:
		return fmt.Errorf("condition %.20q, want %s or %s", s.Condition, byLabel, bySize)
	}
	seen := make(map[string]bool)
	for _, c := range s.Classes {
		if err := checkName(c); err != nil {
			return err
		}
		if seen[c] {
			return fmt.Errorf("class %q twice", c)
		}
		seen[c] = true
	}
	return nil
}

func (s *settings) checkSizes() error {
	if len(s.Sizes) != 1+len(s.Classes) {
		return fmt.Errorf("%d size histograms for %d classes, want one for all and one for each class", len(s.Sizes), len(s.Classes))
	}
	for i, histogram := range s.Sizes {
		total := 0
		for j, c := range histogram {
			if c[0] < 2 || c[0] > maxNodes || c[1] < 1 || c[1] > math.MaxInt32 || j > 0 && c[0] <= histogram[j-1][0] {
				return fmt.Errorf("size histogram %d: %d graphs of %d nodes, want rising sizes from 2 to %d, each with a graph", i, c[1], c[0], maxNodes)
			}
			total += c[1]
		}
		if total == 0 || total > math.MaxInt32 {
			return fmt.Errorf("size histogram %d is of %d graphs", i, total)
		}
		if i > 0 && histogram[len(histogram)-1][0] > s.largest() {
			return fmt.Errorf("class %d has graphs of %d nodes, the largest of all has %d", i-1, histogram[len(histogram)-1][0], s.largest())
		}
	}
	return nil
}

// checkName refuses names that would break a text format.
func checkName(name string) error {
	if name == "" || len(name) > maxName {
		return fmt.Errorf("a class name of %d bytes, want 1 to %d", len(name), maxName)
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
