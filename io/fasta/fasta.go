// Package fasta reads and writes FASTA, the plain format of sequences: a header line `>id description`, then the
// sequence on any number of lines.
//
// Reading is one record at a time, so memory is bounded by the longest record. Gzip is seen from the content. The
// package knows no alphabet: letters are kept as they stand, white space inside a sequence is dropped, and only bytes
// that are no printable ASCII are refused. Whether a letter makes sense is for the domain to say.
package fasta

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"pfgmgen/io/lines"
)

// MaxSequence is the longest sequence in letters that a Reader takes when its MaxSequence is zero.
const MaxSequence = 256 << 20

// ErrFormat is wrapped by every error that says that the input is not FASTA.
var ErrFormat = errors.New("not FASTA")

// A Record is one sequence.
type Record struct {
	ID   string // the header up to the first white space
	Desc string // the rest of the header
	Seq  []byte // the letters as they stand, gaps included; may be empty
	Line int    // line of the header, from 1
}

// A Reader yields records. It is not safe for concurrent use.
type Reader struct {
	MaxSequence int // longest sequence in letters; zero means the constant of that name

	name   string
	lines  *lines.Reader
	header []byte // the header of the next record, nil before the first
	line   int    // its line
	count  int    // records begun
}

// NewReader reads from r. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("fasta: %s: %w", name, err)
	}
	return &Reader{name: name, lines: l}, nil
}

// Read returns the next record, and io.EOF after the last. A file without any record is an error.
func (r *Reader) Read() (Record, error) {
	if r.header == nil {
		if err := r.first(); err != nil {
			return Record{}, err
		}
	}
	if r.line == 0 {
		return Record{}, io.EOF
	}
	r.count++
	for _, c := range r.header {
		if c < ' ' && c != '\t' {
			return Record{}, fmt.Errorf("fasta: %s: record %d: %w: control character 0x%02x in the header on line %d",
				r.name, r.count, ErrFormat, c, r.line)
		}
	}
	header := bytes.TrimSpace(bytes.ReplaceAll(r.header[1:], []byte{'\t'}, []byte{' '}))
	id, desc, _ := bytes.Cut(header, []byte{' '})
	rec := Record{ID: string(id), Desc: string(bytes.TrimSpace(desc)), Line: r.line}
	r.line = 0
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			return rec, nil
		}
		if err != nil {
			return Record{}, fmt.Errorf("fasta: %s: record %d (id %s): %w", r.name, r.count, rec.ID, err)
		}
		if len(line) > 0 && line[0] == '>' {
			r.header, r.line = append(r.header[:0], line...), r.lines.Number()
			return rec, nil
		}
		if rec.Seq, err = r.extend(rec, line); err != nil {
			return Record{}, err
		}
	}
}

// first finds the first header.
func (r *Reader) first() error {
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			return fmt.Errorf("fasta: %s: %w: no record in it; the first should begin with '>'", r.name, ErrFormat)
		}
		if err != nil {
			return fmt.Errorf("fasta: %s: %w", r.name, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if line[0] != '>' {
			return fmt.Errorf("fasta: %s: line %d: %w: begins with %q where '>' and a name are expected",
				r.name, r.lines.Number(), ErrFormat, line[0])
		}
		r.header, r.line = append([]byte(nil), line...), r.lines.Number()
		return nil
	}
}

// extend appends the letters of a line to the record's sequence.
func (r *Reader) extend(rec Record, line []byte) ([]byte, error) {
	limit := r.MaxSequence
	if limit == 0 {
		limit = MaxSequence
	}
	seq := rec.Seq
	for _, c := range line {
		switch {
		case c == ' ' || c == '\t':
		case c < ' ' || c > '~':
			return nil, fmt.Errorf("fasta: %s: record %d (id %s), position %d: %w: byte 0x%02x on line %d is no letter",
				r.name, r.count, rec.ID, len(seq)+1, ErrFormat, c, r.lines.Number())
		case len(seq) == limit:
			return nil, fmt.Errorf("fasta: %s: record %d (id %s): %w: over %d letters",
				r.name, r.count, rec.ID, ErrFormat, limit)
		default:
			seq = append(seq, c)
		}
	}
	return seq, nil
}
