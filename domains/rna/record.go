package rna

import (
	"fmt"
	"strings"
)

// Bounds on what is read: the letters of one record and of all together, gaps included, and the number of records.
const (
	maxLetters  = 1 << 22
	maxResidues = 1 << 29
	maxRecords  = 1 << 24
)

// A record is one sequence as read.
type record struct {
	id        string
	text      []byte // normalised; gaps when it comes from an alignment
	seq       string // text without gaps
	family    string // empty when the input names none
	file      string // stem of a Stockholm file's name, its family when it names none
	split     string // train, valid, test, or empty when the input has none
	ambiguous bool   // holds ambiguity letters
}

// An input is what the data files hold together.
type input struct {
	records    []record
	alignments []alignment // of the Stockholm files
	plain      int         // records that are not from a Stockholm file
	letters    int
	license    string
	sources    []string // one phrase per file
}

// An alignment is what a Stockholm alignment says beside its rows.
type alignment struct {
	file      string
	structure string // SS_cons, or empty
}

// add normalises and keeps one record; number counts the records of file from 1.
func (in *input) add(file string, number int, r record) error {
	where := func() string { return fmt.Sprintf("rna: %s: record %d (id %s)", file, number, r.id) }
	ambiguous, bad := clean(r.text)
	if bad > 0 {
		return fmt.Errorf("%s, position %d: letter %q is not one of RNA: A C G U (T is read as U), the IUPAC ambiguity letters or a gap",
			where(), bad, r.text[bad-1])
	}
	r.ambiguous = ambiguous > 0
	if r.seq = ungapped(r.text); r.seq == "" {
		return fmt.Errorf("%s has no residues; remove the record", where())
	}
	if len(r.text) > maxLetters {
		return fmt.Errorf("%s has %d letters, at most %d are supported", where(), len(r.text), maxLetters)
	}
	if in.letters += len(r.text); in.letters > maxResidues || len(in.records) == maxRecords {
		return fmt.Errorf("%s: too much data: over %d letters or %d records", where(), maxResidues, maxRecords)
	}
	in.records = append(in.records, r)
	return nil
}

// isAlignment says whether the records can stand under each other: one Stockholm alignment, or otherwise gaps and
// equal lengths. ragged names a record when there are gaps but the lengths differ.
func (in *input) isAlignment() (yes bool, ragged string) {
	if len(in.alignments) > 0 {
		return len(in.alignments) == 1 && in.plain == 0, ""
	}
	gaps, equal := false, true
	first := in.records[0]
	for _, r := range in.records {
		gaps = gaps || len(r.seq) != len(r.text)
		if len(r.text) != len(first.text) && equal {
			equal = false
			ragged = fmt.Sprintf("%s has %d columns, %s has %d", first.id, len(first.text), r.id, len(r.text))
		}
	}
	if !gaps {
		ragged = ""
	}
	return gaps && equal, ragged
}

// source says what was read, for people.
func (in *input) source() string { return strings.Join(in.sources, "; ") }
