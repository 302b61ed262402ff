package airr

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Layout is the columns of a Rearrangement file: the required ones, then others. Several writers may share one.
type Layout struct {
	columns []string
	known   map[string]bool
}

// NewLayout takes the columns that follow the required ones. A name that is empty, not in lower case, or there twice is
// an error.
func NewLayout(others ...string) (*Layout, error) {
	l := &Layout{known: make(map[string]bool)}
	for _, name := range slices.Concat(required, others) {
		if name == "" || name != strings.ToLower(name) || strings.ContainsAny(name, "\t\r\n\" ") {
			return nil, fmt.Errorf("airr: %q is no name for a column", name)
		}
		if l.known[name] {
			return nil, fmt.Errorf("airr: column %q twice", name)
		}
		l.known[name] = true
		l.columns = append(l.columns, name)
	}
	return l, nil
}

// WriteHeader writes the line of names.
func (l *Layout) WriteHeader(w io.Writer) error {
	if _, err := io.WriteString(w, strings.Join(l.columns, "\t")+"\n"); err != nil {
		return fmt.Errorf("airr: header: %w", err)
	}
	return nil
}

// WriteRow writes one line. Columns without a value are null. A value for a column that the layout lacks, or one with a
// tab or a line break, is an error, and nothing is written then.
func (l *Layout) WriteRow(w io.Writer, values map[string]string) error {
	var b strings.Builder
	found := 0
	for i, name := range l.columns {
		value, ok := values[name]
		if ok {
			found++
		}
		if strings.ContainsAny(value, "\t\r\n") {
			return fmt.Errorf("airr: column %s: %.60q holds a tab or a line break", name, value)
		}
		if i > 0 {
			b.WriteByte('\t')
		}
		b.WriteString(value)
	}
	if found != len(values) {
		unknown := make([]string, 0, len(values))
		for name := range values {
			if !l.known[name] {
				unknown = append(unknown, name)
			}
		}
		slices.Sort(unknown)
		return fmt.Errorf("airr: values for columns that the layout lacks: %s", strings.Join(unknown, ", "))
	}
	b.WriteByte('\n')
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("airr: %w", err)
	}
	return nil
}
