package graphs

import (
	"fmt"
	"strings"

	"pfgmgen/internal/graph"
)

// Bounds on what is read: records, and nodes and edges of a graph before it is cut down to a component.
const (
	maxRecords   = 1 << 22
	maxReadNodes = 1 << 16
	maxReadEdges = 1 << 20
)

// A record is one graph as read.
type record struct {
	id    string
	g     *graph.Graph // labels are codes: atomCode, or a node label plus labelShift; nil when nodes have none
	names []string     // labels of the nodes as read, until labelNodes numbers them
	class string       // empty when the input has none
	split string       // train, valid, test, or empty when the input has none

	order ordering
	key   string
}

// labelShift makes a node label, an int8, the label of a graph, a uint8.
const labelShift = 128

// An input is what the data files hold together.
type input struct {
	records []*record
	kind    string // of the records; empty before the first
	dropped map[string]int
	license string
	sources []string // one phrase per file

	sets       []string    // TU sets that were read
	rules      graph.Rules // of graphs without atoms
	largest    bool        // of a molecule in several fragments the largest one is kept
	cut        int         // such molecules
	strict     bool        // what cannot be read is an error
	unreadable int         // molecules, where it is not
	first      string      // why the first of them could not be read
	last       string      // and the last
}

// addUnreadable counts a molecule that could not be read, or returns why. Errors name the place in the file, so the same
// one twice is not of a molecule but of the file, which has none.
func (in *input) addUnreadable(err error) error {
	if in.strict || err.Error() == in.last {
		return err
	}
	in.last = err.Error()
	if in.unreadable++; in.unreadable == 1 {
		in.first = in.last
	}
	return nil
}

// drop counts a record that cannot be represented.
func (in *input) drop(why string) {
	if in.dropped == nil {
		in.dropped = make(map[string]int)
	}
	in.dropped[why]++
}

// add keeps a record of the given kind.
func (in *input) add(kind string, r *record) error {
	if in.kind != "" && in.kind != kind {
		return fmt.Errorf("%s and %s in one data set: load them one by one, or set kind=%s to take molecules as graphs", in.kind, kind, generic)
	}
	if in.kind = kind; len(in.records) == maxRecords {
		return fmt.Errorf("more than %d records", maxRecords)
	}
	in.records = append(in.records, r)
	return nil
}

// source says what was read, for people.
func (in *input) source() string { return strings.Join(in.sources, "; ") }
