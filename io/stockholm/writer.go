package stockholm

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Write writes one alignment, wrapped into blocks of width columns, or in pfam style (one line per row) when width is
// zero. Read gives the same alignment back. Rows of different lengths, and names and tags that hold white space or
// would read as something else, are errors, and nothing is written then.
func Write(w io.Writer, a *Alignment, width int) error {
	if err := a.check(); err != nil {
		return err
	}
	indent := 0
	for _, r := range a.Rows {
		indent = max(indent, len(r.Name))
		for _, f := range r.GR {
			indent = max(indent, len("#=GR ")+len(r.Name)+1+len(f.Tag))
		}
	}
	for _, f := range a.GC {
		indent = max(indent, len("#=GC ")+len(f.Tag))
	}
	b := bufio.NewWriter(w)
	b.WriteString("# STOCKHOLM 1.0\n\n")
	for _, f := range a.GF {
		fmt.Fprintf(b, "#=GF %s %s\n", f.Tag, f.Text)
	}
	for _, r := range a.Rows {
		for _, f := range r.GS {
			fmt.Fprintf(b, "#=GS %s %s %s\n", r.Name, f.Tag, f.Text)
		}
	}
	columns := a.Columns()
	if width <= 0 {
		width = columns
	}
	for from := 0; from < columns; from += width {
		to := min(from+width, columns)
		b.WriteByte('\n')
		for _, r := range a.Rows {
			fmt.Fprintf(b, "%-*s %s\n", indent, r.Name, r.Text[from:to])
			for _, f := range r.GR {
				fmt.Fprintf(b, "%-*s %s\n", indent, "#=GR "+r.Name+" "+f.Tag, f.Text[from:to])
			}
		}
		for _, f := range a.GC {
			fmt.Fprintf(b, "%-*s %s\n", indent, "#=GC "+f.Tag, f.Text[from:to])
		}
	}
	b.WriteString("//\n")
	if err := b.Flush(); err != nil {
		return fmt.Errorf("stockholm: %w", err)
	}
	return nil
}

func (a *Alignment) check() error {
	if len(a.Rows) == 0 || a.Columns() == 0 {
		return fmt.Errorf("stockholm: %w: nothing to write", ErrFormat)
	}
	free := func(what string, fs []Feature) error {
		for _, f := range fs {
			if !isWord(f.Tag) || strings.ContainsAny(f.Text, "\r\n") {
				return fmt.Errorf("stockholm: %w: %s %q %q cannot be written", ErrFormat, what, f.Tag, f.Text)
			}
		}
		return nil
	}
	column := func(what string, fs []Feature) error {
		for _, f := range fs {
			if !isWord(f.Tag) || !isWord(f.Text) {
				return fmt.Errorf("stockholm: %w: %s %q %q cannot be written", ErrFormat, what, f.Tag, f.Text)
			}
			if len(f.Text) != a.Columns() {
				return fmt.Errorf("stockholm: %w: %s %s has %d columns, sequence %s has %d",
					ErrRagged, what, f.Tag, len(f.Text), a.Rows[0].Name, a.Columns())
			}
		}
		return nil
	}
	errs := []error{free("#=GF", a.GF), column("#=GC", a.GC)}
	seen := make(map[string]bool)
	for _, r := range a.Rows {
		if !isWord(r.Name) || r.Name[0] == '#' || r.Name == "//" || seen[r.Name] || !isWord(string(r.Text)) {
			return fmt.Errorf("stockholm: %w: row %q cannot be written, or stands twice", ErrFormat, r.Name)
		}
		seen[r.Name] = true
		if len(r.Text) != a.Columns() {
			return fmt.Errorf("stockholm: %w: sequence %s has %d columns, sequence %s has %d",
				ErrRagged, r.Name, len(r.Text), a.Rows[0].Name, a.Columns())
		}
		errs = append(errs, free("#=GS "+r.Name, r.GS), column("#=GR "+r.Name, r.GR))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// isWord says whether s is printable ASCII without white space, and not empty.
func isWord(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != ""
}
