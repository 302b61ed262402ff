package smiles

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/io/lines"
)

// maxLine is the longest line in bytes: a molecule of MaxAtoms atoms and wide columns beside it.
const maxLine = 1 << 20

// A Record is one molecule of a file.
type Record struct {
	Molecule *chem.Molecule
	SMILES   string   // as it stands in the file
	Name     string   // what follows the SMILES on a line; empty in a table
	Fields   []string // all columns of a table's row, nil otherwise
	Line     int      // from 1
}

// A Reader yields the molecules of a file of lines or of a table. It is not safe for concurrent use.
type Reader struct {
	name   string
	lines  *lines.Reader
	count  int      // records begun
	header []string // of a table
	comma  byte
	column int
}

// NewReader reads lines of a SMILES and, after white space, a name that may be missing. Empty lines, lines that begin
// with "#", and a first line whose first word is "smiles" are passed over. Gzip is seen from the content. name stands in
// errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("smiles: %s: %w", name, err)
	}
	l.Max = maxLine
	return &Reader{name: name, lines: l}, nil
}

// NewTable reads a table whose first line names the columns: tab separated when there is a tab in it, else separated by
// commas, or by semicolons when there is no comma. Fields of the latter two may be quoted, not over several lines. column
// is the one with the SMILES; "" means the one called smiles, in any case, or else the first whose name ends so.
func NewTable(r io.Reader, name, column string) (*Reader, error) {
	t, err := NewReader(r, name)
	if err != nil {
		return nil, err
	}
	line, err := t.lines.Next()
	if err == io.EOF {
		return nil, fmt.Errorf("smiles: %s: %w: the file is empty, want a line with the names of the columns", name, ErrFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("smiles: %s: %w", name, err)
	}
	switch {
	case bytes.IndexByte(line, '\t') >= 0:
		t.comma = '\t'
	case bytes.IndexByte(line, ',') < 0 && bytes.IndexByte(line, ';') >= 0:
		t.comma = ';'
	default:
		t.comma = ','
	}
	if t.header, err = t.split(line); err != nil {
		return nil, fmt.Errorf("smiles: %s: line 1: %w: %w", name, ErrFormat, err)
	}
	t.column = slices.IndexFunc(t.header, func(s string) bool {
		return s == column || column == "" && strings.EqualFold(s, "smiles")
	})
	if t.column < 0 && column == "" {
		t.column = slices.IndexFunc(t.header, func(s string) bool { return strings.HasSuffix(strings.ToLower(s), "smiles") })
	}
	if t.column < 0 {
		if column == "" {
			column = "smiles"
		}
		return nil, fmt.Errorf("smiles: %s: line 1: %w: no column %q among %.200q", name, ErrFormat, column, t.header)
	}
	return t, nil
}

// Header names the columns of a table, nil for lines.
func (r *Reader) Header() []string { return r.header }

// split cuts a table's line into fields.
func (r *Reader) split(line []byte) ([]string, error) {
	if r.comma == '\t' {
		return strings.Split(string(line), "\t"), nil
	}
	c := csv.NewReader(bytes.NewReader(line))
	c.Comma = rune(r.comma)
	fields, err := c.Read()
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		return nil, fmt.Errorf("byte %d: %w", parse.Column, parse.Err)
	}
	return fields, err
}

// Read returns the next molecule, and io.EOF after the last. A file without any is an error. After an error that wraps
// ErrFormat reading may go on with the next line; other errors are final.
func (r *Reader) Read() (Record, error) {
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			if r.count == 0 {
				return Record{}, fmt.Errorf("smiles: %s: %w: no molecule in it", r.name, ErrFormat)
			}
			return Record{}, io.EOF
		}
		if err != nil {
			return Record{}, fmt.Errorf("smiles: %s: %w", r.name, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		rec := Record{Line: r.lines.Number()}
		if r.header != nil {
			r.count++
			if rec.Fields, err = r.split(line); err == nil && len(rec.Fields) != len(r.header) {
				err = fmt.Errorf("%d columns, want the %d of the header", len(rec.Fields), len(r.header))
			}
			if err != nil {
				return Record{}, fmt.Errorf("smiles: %s: line %d: %w: %w", r.name, rec.Line, ErrFormat, err)
			}
			rec.SMILES = strings.TrimSpace(rec.Fields[r.column])
		} else {
			text := bytes.TrimSpace(line)
			cut := bytes.IndexAny(text, " \t")
			if cut < 0 {
				cut = len(text)
			}
			rec.SMILES, rec.Name = string(text[:cut]), string(bytes.TrimSpace(text[cut:]))
			if text[0] == '#' || r.count == 0 && strings.EqualFold(rec.SMILES, "smiles") {
				continue
			}
			r.count++
		}
		if rec.Molecule, err = Parse(rec.SMILES); err != nil {
			name := ""
			if rec.Name != "" {
				name = fmt.Sprintf(" (%.40s)", rec.Name)
			}
			return Record{}, fmt.Errorf("smiles: %s: line %d%s: %w", r.name, rec.Line, name, err)
		}
		return rec, nil
	}
}
