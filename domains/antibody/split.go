package antibody

import (
	"fmt"
	"slices"
	"strings"

	"pfgmgen/internal/splits"
)

// readSplit reads a split table. Its sequences are one chain, or a heavy and a light one with a colon between.
func readSplit(path string) (*splits.Split, error) {
	table, err := splits.Read(path, func(text string) (string, error) {
		chains := strings.Split(text, ":")
		for i, c := range chains {
			seq, _, bad := clean(c)
			if bad > 0 {
				return "", fmt.Errorf("position %d of the sequence: %q is no letter of a protein", bad, c[bad-1])
			}
			chains[i] = seq
		}
		return strings.Join(chains, ":"), nil
	})
	if err != nil {
		return nil, fmt.Errorf("antibody: %w", err)
	}
	return table, nil
}

// split fills train and valid: by the split table when there is one, else by the data's own split, else by a hash of
// the chains in use. Test records are never used.
func (l *loader) split(table *splits.Split) error {
	switch {
	case table != nil:
		unknown := 0
		for i := range l.records {
			r := &l.records[i]
			if r.split = l.part(table, r); r.split == "" {
				unknown++
			}
		}
		if unknown > 0 {
			l.note("%d records that the split table does not name left out", unknown)
		}
	case l.withPart == 0:
		keys := make([]string, len(l.records))
		for i := range l.records {
			keys[i] = l.key(&l.records[i])
		}
		for i, part := range splits.ByHash(keys) {
			l.records[i].split = part
		}
	default:
		n := 0
		for i := range l.records {
			if l.records[i].split == "" {
				n++
			}
		}
		if n > 0 {
			l.note("%d records that name no part left out, since others do", n)
		}
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
		return fmt.Errorf("antibody: none of the %d records belongs to the training part", len(l.records))
	}
	return nil
}

// part looks a record up by both chains, the heavy one, the light one, and its id.
func (l *loader) part(table *splits.Split, r *record) string {
	for _, content := range []string{r.chain[heavy].seq + ":" + r.chain[light].seq, r.chain[heavy].seq, r.chain[light].seq} {
		if p := table.Part(content, ""); p != "" && content != "" {
			return p
		}
	}
	return table.Part("", r.id)
}

// dropRepeats keeps each content once in each part, and out of train when it is held out or a test record.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for i := range l.records {
		if r := &l.records[i]; r.split == splits.Valid || r.split == splits.Test {
			held[l.key(r)] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record, skip map[string]bool) []*record {
		seen := make(map[string]bool, len(part))
		return slices.DeleteFunc(part, func(r *record) bool {
			key := l.key(r)
			switch {
			case skip[key]:
				leaks++
				return true
			case seen[key]:
				repeats++
				return true
			}
			seen[key] = true
			return false
		})
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
		return fmt.Errorf("antibody: no training record is left: all their sequences are held out too")
	}
	return nil
}
