package graphs

import (
	"fmt"
	"strings"

	"pfgmgen/internal/graph"
)

// maxRecords bounds what is read.
const maxRecords = 1 << 22

// A record is one graph as read.
type record struct {
	id    string
	g     *graph.Graph // labels are codes: atomCode, or a node label plus labelShift; nil when nodes have none
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
