package rna

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// split fills train and valid: by the split table when there is one, else by the data's own split, else by a hash of
// the sequence. Test records are never used.
func (l *loader) split(table *splitTable) error {
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
			if r.split = table.part(r); r.split == "" {
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
		case "train":
			l.train = append(l.train, r)
		case "valid":
			l.valid = append(l.valid, r)
		case "test":
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

// splitByHash holds out about a tenth of the sequences: those whose hash falls into the lowest tenth, but at least one
// and not all when there are several.
func (l *loader) splitByHash() {
	lowest, different := uint64(1<<64-1), make(map[uint64]bool)
	hashes := make([]uint64, len(l.records))
	for i, r := range l.records {
		h := sha256.Sum256([]byte(r.seq))
		hashes[i] = binary.BigEndian.Uint64(h[:])
		lowest = min(lowest, hashes[i])
		different[hashes[i]] = true
	}
	limit := max(uint64(1<<64-1)/10, lowest)
	if slices.Max(hashes) <= limit {
		limit = lowest
	}
	for i, h := range hashes {
		l.records[i].split = "train"
		if h <= limit && len(different) > 1 {
			l.records[i].split = "valid"
		}
	}
}

// dropRepeats keeps each sequence once per family in each part, and out of train when it is held out or a test record.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for _, r := range l.records {
		if r.split == "valid" || r.split == "test" {
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
