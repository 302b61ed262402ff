package rna

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"pfgmgen/domains"
	"pfgmgen/internal/splits"
)

// Load reads the files, cleans and splits the records, and fits the adapter to the training part. See the package
// comment for the rules.
func (Domain) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	opts, err := parseOptions(o.Settings)
	if err != nil {
		return nil, err
	}
	if len(o.Paths) == 0 {
		return nil, fmt.Errorf("rna: no data files")
	}
	var table *splits.Split
	if o.Split != "" {
		if table, err = readSplit(o.Split); err != nil {
			return nil, err
		}
	}
	in, sum := new(input), sha256.New()
	for _, path := range o.Paths {
		if err := in.readFile(ctx, path, sum); err != nil {
			return nil, err
		}
	}
	data, err := in.fitted(ctx, opts, table)
	if err != nil {
		return nil, err
	}
	data.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return data, nil
}

// fitted takes the steps after reading.
func (in *input) fitted(ctx context.Context, opts options, table *splits.Split) (*domains.Data, error) {
	l := &loader{input: in, options: opts}
	for _, step := range []func() error{
		l.chooseRepresentation,
		l.settleAmbiguity,
		func() error { return l.split(table) },
		l.dropRepeats,
		l.nameFamilies,
		l.layOut,
		l.fit,
	} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("rna: loading stopped: %w", err)
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	data := &domains.Data{
		Adapter: newAdapter(&l.s),
		Train:   l.examples(l.train),
		Valid:   l.examples(l.valid),
		License: in.license,
		Source:  in.source(),
		Notes:   l.notes,
	}
	if data.License == "" {
		data.License = "unknown"
	}
	return data, nil
}

// A loader carries the data through the steps of Load.
type loader struct {
	*input
	options
	s            settings
	train, valid []*record
	kept         []int // alignment columns in use
	notes        []string
}

func (l *loader) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

func (l *loader) chooseRepresentation() error {
	alignment, ragged := l.isAlignment()
	switch {
	case l.representation == unaligned:
		l.s.Representation = unaligned
		return nil
	case l.representation == "" && ragged != "":
		return fmt.Errorf("rna: there are gaps, as in an alignment, but the lengths differ: %s; mend the alignment, or set representation=unaligned to drop the gaps", ragged)
	case l.representation == aligned && !alignment:
		return l.refuseAligned(ragged)
	}
	l.s.Representation = unaligned
	if alignment || l.representation == aligned {
		l.s.Representation = aligned
	}
	return nil
}

// refuseAligned says why the records cannot be taken as an alignment, or nil when they can: equal lengths without gaps
// are an alignment when the user says so.
func (l *loader) refuseAligned(ragged string) error {
	if n := len(l.alignments); n > 0 {
		return fmt.Errorf("rna: representation=aligned takes one Stockholm alignment, here are %d and %d other records", n, l.plain)
	}
	first := l.records[0]
	for _, r := range l.records {
		if len(r.text) != len(first.text) && ragged == "" {
			ragged = fmt.Sprintf("%s has length %d, %s has %d", first.id, len(first.text), r.id, len(r.text))
		}
	}
	if ragged != "" {
		return fmt.Errorf("rna: representation=aligned needs records of one length: %s", ragged)
	}
	return nil
}

// settleAmbiguity drops, refuses or resolves records with ambiguity letters.
func (l *loader) settleAmbiguity() error {
	kept, count, first := l.records[:0], 0, ""
	for _, r := range l.records {
		if !r.ambiguous {
			kept = append(kept, r)
			continue
		}
		if count++; count == 1 {
			first = r.id
		}
		if l.ambiguous == "resolve" {
			resolve(r.text)
			r.seq = ungapped(r.text)
			kept = append(kept, r)
		}
	}
	all := len(l.records)
	switch {
	case count == 0:
	case l.ambiguous == "error":
		return fmt.Errorf("rna: %d of %d records hold ambiguity letters such as N, the first is %s", count, all, first)
	case l.ambiguous == "resolve":
		l.note("%d records with ambiguity letters resolved by hash", count)
	case l.ambiguous == "" && 10*count > all:
		return fmt.Errorf("rna: %d of %d records hold ambiguity letters such as N (the first is %s), more than a tenth; set ambiguous=drop to leave them out all the same, or ambiguous=resolve", count, all, first)
	default:
		l.note("%d records with ambiguity letters dropped", count)
	}
	if l.records = kept; len(kept) == 0 {
		return fmt.Errorf("rna: all %d records hold ambiguity letters; set ambiguous=resolve to keep them", all)
	}
	return nil
}

// nameFamilies decides the classes: a family for every record, and at least two of them.
func (l *loader) nameFamilies() error {
	names, without := make(map[string]bool), 0
	for _, part := range [][]*record{l.train, l.valid} {
		for _, r := range part {
			if r.family == "" && len(l.alignments) > 1 {
				r.family = r.file
			}
			if r.family == "" {
				without++
				continue
			}
			if err := checkFamily(r.family); err != nil {
				return fmt.Errorf("rna: record %s: %w", r.id, err)
			}
		}
	}
	for _, r := range l.train {
		names[r.family] = true
	}
	if without > 0 {
		if len(names) > 1 {
			l.note("%d records name no family: the model is unconditional", without)
		}
		return nil
	}
	l.s.Families = sortedKeys(names)
	if len(names) > maxFamilies {
		return fmt.Errorf("rna: %d families, at most %d are supported", len(names), maxFamilies)
	}
	seen := l.valid[:0]
	for _, r := range l.valid {
		if names[r.family] {
			seen = append(seen, r)
		}
	}
	if n := len(l.valid) - len(seen); n > 0 {
		l.note("%d held-out records of families without a training record left out", n)
	}
	l.valid = seen
	return nil
}

// examples encodes one part.
func (l *loader) examples(part []*record) *examples {
	e := &examples{layout: l.s.layout()}
	classes := make(map[string]int)
	for i, f := range l.s.Families {
		classes[f] = i
	}
	for _, r := range part {
		e.rows = append(e.rows, l.symbols(r))
		if l.s.classes() > 0 {
			e.labels = append(e.labels, classes[r.family])
		}
	}
	return e
}

// symbols are the columns of one record in the chosen layout.
func (l *loader) symbols(r *record) []uint8 {
	if l.s.Representation == unaligned {
		return symbols([]byte(r.seq))
	}
	out := make([]uint8, len(l.kept))
	for i, column := range l.kept {
		out[i] = index(r.text[column])
	}
	return out
}
