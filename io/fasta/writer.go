package fasta

import (
	"fmt"
	"io"
	"strings"
)

// Write writes one record, its sequence wrapped at width letters, or on one line when width is zero. Read gives back
// the same ID, Desc and Seq. A header that would not survive (line breaks, white space in the ID or around Desc) and
// a sequence with white space or a '>' are errors, and nothing is written then.
func Write(w io.Writer, rec Record, width int) error {
	if strings.ContainsAny(rec.ID, " \t\r\n") {
		return fmt.Errorf("fasta: the id %q holds white space", rec.ID)
	}
	if strings.ContainsAny(rec.Desc, "\t\r\n") || strings.TrimSpace(rec.Desc) != rec.Desc {
		return fmt.Errorf("fasta: record %s: the description %q holds a tab or line break, or outer white space", rec.ID, rec.Desc)
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
