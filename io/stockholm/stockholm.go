// Package stockholm reads and writes Stockholm 1.0, the alignment format of Rfam and Pfam.
//
// A file holds alignments, each from `# STOCKHOLM 1.0` to `//`. Between them stand rows `name text` and markup:
// `#=GF tag text` about the alignment, `#=GS name tag text` about a sequence, `#=GC tag text` about the columns
// (SS_cons is the consensus structure in WUSS notation, RF the reference), `#=GR name tag text` about the residues of
// a sequence. Long alignments may be wrapped into blocks separated by empty lines, each holding the next part of every
// row, or stand on one line per row ("pfam style"). Reading is one alignment at a time; gzip is seen from the content.
//
// Source: the format's description in the Infernal and HMMER user guides, "Stockholm format".
package stockholm

import "errors"

// MaxAlignment bounds the text of one alignment in bytes when a Reader's MaxAlignment is zero.
const MaxAlignment = 1 << 30

// ErrFormat is wrapped by every error that says that the input is not Stockholm.
var ErrFormat = errors.New("not a Stockholm alignment")

// ErrRagged is wrapped by the error for rows of different lengths.
var ErrRagged = errors.New("ragged alignment")

// A Feature is a tag and its text. Repeated #=GF and #=GS tags are several features, in the order of the file.
type Feature struct{ Tag, Text string }

// A Row is one aligned sequence.
type Row struct {
	Name string
	Text []byte    // letters and gaps as they stand, as long as every other row
	GS   []Feature // about the sequence
	GR   []Feature // per residue, each as long as Text
}

// An Alignment is a set of rows of equal length with their markup.
type Alignment struct {
	GF   []Feature // about the alignment
	GC   []Feature // per column, each as long as a row
	Rows []Row     // at least one
}

// Columns is the length of every row.
func (a *Alignment) Columns() int { return len(a.Rows[0].Text) }

// Lookup returns the first text with that tag, empty when there is none: Lookup(a.GF, "AC").
func Lookup(features []Feature, tag string) string {
	for _, f := range features {
		if f.Tag == tag {
			return f.Text
		}
	}
	return ""
}
