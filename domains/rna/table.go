package rna

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"pfgmgen/io/lines"
)

// A table reads tab-separated text with a header line. Lines that begin with '#' before the header are comments,
// empty lines are skipped, nothing is quoted.
type table struct {
	path   string
	lines  *lines.Reader
	column map[string]int // by lower-case name
	width  int
}

// openTable reads the header. comment is called with each comment line, without its '#'.
func openTable(text io.Reader, path string, comment func(string)) (*table, error) {
	l, err := lines.NewReader(text)
	if err != nil {
		return nil, fmt.Errorf("rna: %s: %w", path, err)
	}
	t := &table{path: path, lines: l, column: make(map[string]int)}
	for {
		line, err := l.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("rna: %s: no header line", path)
		}
		if err != nil {
			return nil, fmt.Errorf("rna: %s: %w", path, err)
		}
		s := string(line)
		if strings.HasPrefix(s, "#") {
			comment(strings.TrimSpace(s[1:]))
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
				return nil, fmt.Errorf("rna: %s: line %d: column %q stands twice in the header", path, l.Number(), name)
			}
			t.column[name] = i
		}
		return t, nil
	}
}

// next returns the fields of the next line by column name, empty for a column that the table lacks.
func (t *table) next() (func(column string) string, error) {
	for {
		line, err := t.lines.Next()
		if err == io.EOF {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("rna: %s: %w", t.path, err)
		}
		s := string(line)
		if strings.TrimSpace(s) == "" {
			continue
		}
		fields := strings.Split(s, "\t")
		if len(fields) != t.width {
			return nil, fmt.Errorf("rna: %s: line %d has %d fields, the header has %d",
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

// has says whether the header names the column.
func (t *table) has(column string) bool { _, ok := t.column[column]; return ok }

// rfam is the form of an Rfam accession.
var rfam = regexp.MustCompile(`^RF[0-9]{5}$`)

// readTable adds the records of a TSV. The class is the column family, or else the column source when all its values
// are Rfam accessions of at least two families: other values of source tell where a record comes from, not what it is.
func (in *input) readTable(text io.Reader, path string) error {
	t, err := openTable(text, path, in.setLicense)
	if err != nil {
		return err
	}
	if !t.has("sequence") {
		return fmt.Errorf("rna: %s: the header has no column sequence", path)
	}
	before := len(in.records)
	accessions, other := make(map[string]bool), false
	for n := 1; ; n++ {
		field, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		r := record{id: field("id"), text: []byte(field("sequence")), family: field("family")}
		if t.has("split") {
			if r.split, err = splitName(field("split")); err != nil {
				return fmt.Errorf("rna: %s: record %d (id %s): %w", path, n, r.id, err)
			}
		}
		if !t.has("family") {
			r.family = field("source")
			accessions[r.family] = true
			other = other || !rfam.MatchString(r.family)
		}
		if err := in.add(path, n, r); err != nil {
			return err
		}
		in.plain++
	}
	if len(in.records) == before {
		return fmt.Errorf("rna: %s: a header but no records", path)
	}
	if !t.has("family") && (other || len(accessions) < 2) {
		for i := range in.records[before:] {
			in.records[before+i].family = ""
		}
	}
	return nil
}

// A splitTable assigns records to parts by sequence, else by id.
type splitTable struct{ bySeq, byID map[string]string }

// readSplit reads a table with a column split and a column sequence, id, or both.
func readSplit(path string) (*splitTable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("rna: split table: %w", err)
	}
	defer f.Close()
	t, err := openTable(f, path, func(string) {})
	if err != nil {
		return nil, err
	}
	if !t.has("split") || !t.has("id") && !t.has("sequence") {
		return nil, fmt.Errorf("rna: split table %s: the header needs a column split and a column id or sequence", path)
	}
	s := &splitTable{make(map[string]string), make(map[string]string)}
	put := func(m map[string]string, key, part string) error {
		if old, ok := m[key]; ok && old != part {
			return fmt.Errorf("rna: split table %s: line %d: %.60q is in %s here and in %s above",
				path, t.lines.Number(), key, part, old)
		}
		m[key] = part
		return nil
	}
	for {
		field, err := t.next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		part, err := splitName(field("split"))
		if err != nil {
			return nil, fmt.Errorf("rna: split table %s: line %d: %w", path, t.lines.Number(), err)
		}
		seq := []byte(field("sequence"))
		if _, bad := clean(seq); bad > 0 {
			return nil, fmt.Errorf("rna: split table %s: line %d, position %d of the sequence: letter %q is not one of RNA",
				path, t.lines.Number(), bad, seq[bad-1])
		}
		if text := ungapped(seq); text != "" {
			err = put(s.bySeq, text, part)
		}
		if id := field("id"); id != "" && err == nil {
			err = put(s.byID, id, part)
		}
		if err != nil {
			return nil, err
		}
	}
}

// part is where a record belongs, empty when the table does not say.
func (s *splitTable) part(r *record) string {
	if p := s.bySeq[r.seq]; p != "" {
		return p
	}
	return s.byID[r.id]
}

// splitName accepts the usual names of the three parts.
func splitName(name string) (string, error) {
	switch strings.ToLower(name) {
	case "train", "training":
		return "train", nil
	case "valid", "validation", "val", "dev":
		return "valid", nil
	case "test":
		return "test", nil
	}
	return "", fmt.Errorf("split %q is not one of train, valid, test", name)
}
