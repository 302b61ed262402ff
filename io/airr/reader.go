package airr

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"pfgmgen/io/lines"
)

// Bounds on what is read. A line of an OAS file, numbering included, has about ten thousand bytes.
const (
	MaxLine    = 4 << 20 // bytes
	MaxColumns = 4096
)

// A Reader yields the rows of a table. It is not safe for concurrent use.
type Reader struct {
	name     string
	lines    *lines.Reader
	comma    byte
	header   []string
	column   map[string]int
	metadata map[string]string
	comments []string
	rows     int
}

// NewReader reads up to the header, decompressing when needed. Lines before it that begin with '#' are comments, one
// that begins with '{' is OAS metadata. Columns are separated by tabs when the header holds one, else by commas; only
// commas go with quotes. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("airr: %s: %w", name, err)
	}
	l.Max = MaxLine
	before := 0
	t := &Reader{name: name, lines: l, column: make(map[string]int), metadata: make(map[string]string)}
	for t.header == nil {
		line, err := l.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("airr: %s: %w: no header line", name, ErrFormat)
		}
		if err != nil {
			return nil, fmt.Errorf("airr: %s: %w", name, err)
		}
		before += len(line)
		switch s := strings.TrimSpace(string(line)); {
		case before > MaxLine:
			err = fmt.Errorf("over %d bytes and no header yet", MaxLine)
		case s == "":
		case s[0] == '#' && len(t.comments) < MaxColumns:
			t.comments = append(t.comments, strings.TrimSpace(s[1:]))
		case s[0] == '{' || strings.HasPrefix(s, `"{`):
			err = t.readMetadata(s)
		default:
			err = t.readHeader(string(line))
		}
		if err != nil {
			return nil, fmt.Errorf("airr: %s: line %d: %w: %w", name, l.Number(), ErrFormat, err)
		}
	}
	return t, nil
}

// readMetadata reads OAS's first line: a JSON object, as a whole in quotes like a field of CSV.
func (r *Reader) readMetadata(line string) error {
	if line[0] == '"' {
		fields, err := splitCSV(nil, line)
		if err != nil {
			return err
		}
		line = fields[0]
	}
	var object map[string]any
	if err := json.Unmarshal([]byte(line), &object); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	for key, value := range object {
		r.metadata[key] = fmt.Sprint(value)
	}
	return nil
}

func (r *Reader) readHeader(line string) error {
	r.comma = ','
	if strings.ContainsRune(line, '\t') {
		r.comma = '\t'
	}
	names, err := r.split(nil, line)
	if err != nil {
		return err
	}
	if len(names) > MaxColumns {
		return fmt.Errorf("%d columns, at most %d are supported", len(names), MaxColumns)
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSpace(name))
		if _, twice := r.column[names[i]]; twice {
			return fmt.Errorf("column %.60q stands twice in the header", names[i])
		}
		r.column[names[i]] = i
	}
	r.header = names
	return nil
}

func (r *Reader) split(dst []string, line string) ([]string, error) {
	if r.comma == ',' {
		return splitCSV(dst, line)
	}
	for {
		field, rest, more := strings.Cut(line, "\t")
		if dst = append(dst, field); !more {
			return dst, nil
		}
		line = rest
	}
}

// splitCSV appends the fields of one line of RFC 4180. A quote inside an unquoted field stands for itself; a quoted
// field with a line break is not supported.
func splitCSV(dst []string, line string) ([]string, error) {
	for {
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, ",")
			if dst = append(dst, field); !more {
				return dst, nil
			}
			line = rest
			continue
		}
		var field strings.Builder
		line = line[1:]
		for {
			text, rest, closed := strings.Cut(line, `"`)
			if !closed {
				return dst, fmt.Errorf("a quote is opened in field %d and not closed on the line", len(dst)+1)
			}
			field.WriteString(text)
			line = rest
			if !strings.HasPrefix(line, `"`) {
				break
			}
			field.WriteByte('"')
			line = line[1:]
		}
		dst = append(dst, field.String())
		if line == "" {
			return dst, nil
		}
		if line[0] != ',' {
			return dst, fmt.Errorf("%.20q follows the closing quote of field %d, a comma is expected", line, len(dst))
		}
		line = line[1:]
	}
}

// Header lists the columns in order, in lower case.
func (r *Reader) Header() []string { return slices.Clone(r.header) }

// Has says whether the table has the column.
func (r *Reader) Has(column string) bool { _, ok := r.column[column]; return ok }

// Metadata is what the first line of an OAS file says, such as Species and Author; empty for other tables.
func (r *Reader) Metadata() map[string]string { return r.metadata }

// Comments are the lines with '#' before the header, without it.
func (r *Reader) Comments() []string { return slices.Clone(r.comments) }

// Missing lists the required columns that the table lacks.
func (r *Reader) Missing() []string {
	var out []string
	for _, name := range required {
		if !r.Has(name) {
			out = append(out, name)
		}
	}
	return out
}

// Read returns the next row, and io.EOF after the last. Empty lines are skipped.
func (r *Reader) Read() (Row, error) {
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			return Row{}, io.EOF
		}
		if err != nil {
			return Row{}, fmt.Errorf("airr: %s: record %d: %w", r.name, r.rows+1, err)
		}
		if len(strings.TrimSpace(string(line))) == 0 {
			continue
		}
		r.rows++
		fields, err := r.split(make([]string, 0, len(r.header)), string(line))
		if err == nil && len(fields) != len(r.header) {
			err = fmt.Errorf("%d fields, the header has %d", len(fields), len(r.header))
		}
		if err != nil {
			return Row{}, fmt.Errorf("airr: %s: line %d, record %d: %w: %w", r.name, r.lines.Number(), r.rows, ErrFormat, err)
		}
		return Row{r, fields, r.lines.Number(), r.rows}, nil
	}
}

// A Row is one line of a table.
type Row struct {
	table  *Reader
	fields []string
	Line   int // of the file, from 1
	Number int // among the rows, from 1
}

// Get is the value of a column without outer white space, empty when it is null or the table lacks the column.
func (r Row) Get(column string) string {
	if i, ok := r.table.column[column]; ok {
		return strings.TrimSpace(r.fields[i])
	}
	return ""
}

// Bool is the truth of a column, and whether it is known.
func (r Row) Bool(column string) (truth, known bool, err error) {
	truth, known, err = ParseBool(r.Get(column))
	if err != nil {
		err = fmt.Errorf("airr: %s: line %d, record %d, column %s: %w", r.table.name, r.Line, r.Number, column, err)
	}
	return truth, known, err
}
