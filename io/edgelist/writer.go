package edgelist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"pfgmgen/internal/graph"
)

// Write writes one graph with its header, so that records can follow each other. What a Reader would not give back, such
// as a node's label with a space in it, is an error, and nothing is written.
func Write(w io.Writer, rec graph.Record) error {
	if rec.Graph == nil {
		return errors.New("edgelist: a record without a graph")
	}
	var b bytes.Buffer
	b.WriteString("# graph")
	for _, field := range [][2]string{{"id", rec.ID}, {"label", rec.Label}} {
		if field[1] != "" {
			fmt.Fprintf(&b, " %s=%s", field[0], value(field[1]))
		}
	}
	fmt.Fprintf(&b, " nodes=%d\n", rec.Graph.N)
	if b.Len() > maxLine {
		return fmt.Errorf("edgelist: graph %.40q: its id and label take %d bytes, over %d", rec.ID, b.Len(), maxLine)
	}
	if rec.NodeLabels != nil && len(rec.NodeLabels) != rec.Graph.N {
		return fmt.Errorf("edgelist: graph %.40q: %d labels for %d nodes", rec.ID, len(rec.NodeLabels), rec.Graph.N)
	}
	for v, label := range rec.NodeLabels {
		if label == "" {
			continue
		}
		if !plain(label) {
			return fmt.Errorf("edgelist: graph %.40q: node %d: label %.40q, want up to 256 bytes without spaces, commas and control characters", rec.ID, v, label)
		}
		fmt.Fprintf(&b, "node %d %s\n", v, label)
	}
	for _, e := range rec.Graph.Edges {
		fmt.Fprintf(&b, "%d %d", e.U, e.V)
		if e.Type != 1 {
			fmt.Fprintf(&b, " %d", e.Type)
		}
		b.WriteByte('\n')
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("edgelist: %w", err)
	}
	return nil
}

// value quotes s where it would end early or not survive.
func value(s string) string {
	if plain(s) && !strings.HasPrefix(s, `"`) {
		return s
	}
	return strconv.QuoteToASCII(s)
}

// plain says whether a field can hold s as it stands.
func plain(s string) bool {
	return len(s) <= 256 && !strings.ContainsFunc(s, func(c rune) bool { return c == ',' || unicode.IsSpace(c) || unicode.IsControl(c) })
}
