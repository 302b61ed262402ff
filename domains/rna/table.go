package rna

import (
	"fmt"
	"io"
	"regexp"

	"pfgmgen/internal/splits"
)

// rfam is the form of an Rfam accession.
var rfam = regexp.MustCompile(`^RF[0-9]{5}$`)

// readTable adds the records of a TSV. The class is the column family, or else the column source when all its values
// are Rfam accessions of at least two families: other values of source tell where a record comes from, not what it is.
func (in *input) readTable(text io.Reader, path string) error {
	t, err := splits.NewTable(text, path, in.setLicense)
	if err != nil {
		return fmt.Errorf("rna: %w", err)
	}
	if !t.Has("sequence") {
		return fmt.Errorf("rna: %s: the header has no column sequence", path)
	}
	before := len(in.records)
	accessions, other := make(map[string]bool), false
	for n := 1; ; n++ {
		field, err := t.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("rna: %w", err)
		}
		r := record{id: field("id"), text: []byte(field("sequence")), family: field("family")}
		if t.Has("split") {
			if r.split, err = splits.Part(field("split")); err != nil {
				return fmt.Errorf("rna: %s: record %d (id %s): %w", path, n, r.id, err)
			}
		}
		if !t.Has("family") {
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
	if !t.Has("family") && (other || len(accessions) < 2) {
		for i := range in.records[before:] {
			in.records[before+i].family = ""
		}
	}
	return nil
}
