package rna

import (
	"fmt"
	"maps"
	"slices"

	"pfgmgen/internal/splits"
)

// split fills train and valid: by the split table when there is one, else by the data's own split, else by a hash of
// the sequence. Test records are never used.
func (l *loader) split(table *splits.Split) error {
	own := 0
	for _, r := range l.records {
		if r.split != "" {
			own++
		}
	}
	switch {
	case table != nil:
		unknown := 0
		for i := range l.records {
			r := &l.records[i]
			if r.split = table.Part(r.seq, r.id); r.split == "" {
				unknown++
			}
		}
		if unknown > 0 {
			l.note("%d records that the split table does not name left out", unknown)
		}
	case own == 0:
		l.splitByHash()
	case own < len(l.records):
		l.note("%d records of files without a split column left out, since another file has one", len(l.records)-own)
	}
	tests := 0
	for i := range l.records {
		switch r := &l.records[i]; r.split {
		case splits.Train:
			l.train = append(l.train, r)
		case splits.Valid:
			l.valid = append(l.valid, r)
		case splits.Test:
			tests++
		}
	}
	if tests > 0 {
		l.note("%d test records not used", tests)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("rna: none of the %d records belongs to the training part", len(l.records))
	}
	return nil
}

// splitByHash holds out about a tenth of the sequences.
func (l *loader) splitByHash() {
	sequences := make([]string, len(l.records))
	for i, r := range l.records {
		sequences[i] = r.seq
	}
	for i, part := range splits.ByHash(sequences) {
		l.records[i].split = part
	}
}

// readSplit reads a split table, sequences in any letters that data may have.
func readSplit(path string) (*splits.Split, error) {
	table, err := splits.Read(path, func(text string) (string, error) {
		seq := []byte(text)
		if _, bad := clean(seq); bad > 0 {
			return "", fmt.Errorf("position %d of the sequence: letter %q is not one of RNA", bad, seq[bad-1])
		}
		return ungapped(seq), nil
	})
	if err != nil {
		return nil, fmt.Errorf("rna: %w", err)
	}
	return table, nil
}

// dropRepeats keeps each sequence once per family in each part, and out of train when it is held out or a test record.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for _, r := range l.records {
		if r.split == splits.Valid || r.split == splits.Test {
			held[r.seq] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record, skip map[string]bool) []*record {
		seen := make(map[[2]string]bool, len(part))
		out := part[:0]
		for _, r := range part {
			key := [2]string{r.seq, r.family}
			switch {
			case skip[r.seq]:
				leaks++
			case seen[key]:
				repeats++
			default:
				seen[key] = true
				out = append(out, r)
			}
		}
		return out
	}
	l.train = once(l.train, held)
	l.valid = once(l.valid, nil)
	if repeats > 0 {
		l.note("%d exact repeats dropped", repeats)
	}
	if leaks > 0 {
		l.note("%d training records dropped because the same sequence is held out", leaks)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("rna: no training record is left: all their sequences are held out too")
	}
	return nil
}

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
