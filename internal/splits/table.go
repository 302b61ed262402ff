package splits

import (
	"fmt"
	"io"
	"strings"

	"pfgmgen/io/lines"
)

// A Table reads tab-separated text with a header line. Lines that begin with '#' before the header are comments, empty
// lines are skipped, nothing is quoted. It is not safe for concurrent use.
type Table struct {
	path   string
	lines  *lines.Reader
	column map[string]int // by lower-case name
	width  int
}

// NewTable reads the header, decompressing when needed. comment, when not nil, is called with each comment line without
// its '#'. path stands in errors.
func NewTable(text io.Reader, path string, comment func(string)) (*Table, error) {
	l, err := lines.NewReader(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t := &Table{path: path, lines: l, column: make(map[string]int)}
	for {
		line, err := l.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("%s: no header line", path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s := string(line)
		if strings.HasPrefix(s, "#") {
			if comment != nil {
				comment(strings.TrimSpace(s[1:]))
			}
			continue
		}
		if strings.TrimSpace(s) == "" {
			continue
		}
		names := strings.Split(s, "\t")
		t.width = len(names)
		for i, name := range names {
			name = strings.ToLower(strings.TrimSpace(name))
			if _, twice := t.column[name]; twice {
				return nil, fmt.Errorf("%s: line %d: column %q stands twice in the header", path, l.Number(), name)
			}
			t.column[name] = i
		}
		return t, nil
	}
}

// Next returns the fields of the next line by lower-case column name, without outer white space, and empty for a column
// that the table lacks. It returns io.EOF after the last line.
func (t *Table) Next() (func(column string) string, error) {
	for {
		line, err := t.lines.Next()
		if err == io.EOF {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
		s := string(line)
		if strings.TrimSpace(s) == "" {
			continue
		}
		fields := strings.Split(s, "\t")
		if len(fields) != t.width {
			return nil, fmt.Errorf("%s: line %d has %d fields, the header has %d",
				t.path, t.lines.Number(), len(fields), t.width)
		}
		return func(column string) string {
			i, ok := t.column[column]
			if !ok {
				return ""
			}
			return strings.TrimSpace(fields[i])
		}, nil
	}
}

// Has says whether the header names the column, in lower case.
func (t *Table) Has(column string) bool { _, ok := t.column[column]; return ok }

// Line is the number of the line that Next returned last, from 1.
func (t *Table) Line() int { return t.lines.Number() }
