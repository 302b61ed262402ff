package fasta

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Write writes one record, its sequence wrapped at width letters, or on one line when width is zero. Read gives back
// the same ID, Desc and Seq. A header that would not survive (control characters, white space in the ID or around Desc,
// a Desc without an ID) and a sequence with white space or a '>' are errors, and nothing is written then.
func Write(w io.Writer, rec Record, width int) error {
	if strings.ContainsFunc(rec.ID, func(c rune) bool { return unicode.IsSpace(c) || c < ' ' }) {
		return fmt.Errorf("fasta: the id %q holds white space or a control character", rec.ID)
	}
	if strings.ContainsFunc(rec.Desc, func(c rune) bool { return c < ' ' }) || strings.TrimSpace(rec.Desc) != rec.Desc {
		return fmt.Errorf("fasta: record %s: the description %q holds a control character or outer white space", rec.ID, rec.Desc)
	}
	if rec.ID == "" && rec.Desc != "" {
		return fmt.Errorf("fasta: the description %q would read as the missing id", rec.Desc)
	}
	for i, c := range rec.Seq {
		if c <= ' ' || c > '~' || c == '>' {
			return fmt.Errorf("fasta: record %s, position %d: byte 0x%02x cannot stand in a sequence", rec.ID, i+1, c)
		}
	}
	if width <= 0 {
		width = max(1, len(rec.Seq))
	}
	out := make([]byte, 0, len(rec.ID)+len(rec.Desc)+len(rec.Seq)+len(rec.Seq)/width+4)
	out = append(append(out, '>'), rec.ID...)
	if rec.Desc != "" {
		out = append(append(out, ' '), rec.Desc...)
	}
	out = append(out, '\n')
	for i := 0; i < len(rec.Seq); i += width {
		out = append(append(out, rec.Seq[i:min(i+width, len(rec.Seq))]...), '\n')
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("fasta: record %s: %w", rec.ID, err)
	}
	return nil
}
