package images

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"strings"

	"pfgmgen/internal/splits"
)

// readSplit reads a table with the columns id and split. The id of a picture is its path in the folder or archive, or
// its number from 0 in the file, behind the name of the part or the file when the data have several.
func readSplit(path string) (*splits.Split, error) {
	s, err := splits.Read(path, func(string) (string, error) { return "", nil })
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	return s, nil
}

// partName is the part that a name of a split, a folder or the beginning of a file name stands for, or empty.
func partName(name string) string {
	switch strings.ToLower(name) {
	case "t10k", "testing":
		return splits.Test
	}
	part, err := splits.Part(name)
	if err != nil {
		return ""
	}
	return part
}

// split fills train and valid: by the split table when there is one, else by the data's own parts. When these have no
// held-out part, about a tenth of the rest is held out by a hash of the picture. Test pictures are never used.
func (l *loader) split(table *splits.Split) error {
	parts := make(map[string]int)
	unknown := 0
	for i := range l.records {
		r := &l.records[i]
		if table != nil {
			if r.split = table.Part("", r.id); r.split == "" {
				unknown++
				continue
			}
		} else if r.split == "" {
			r.split = splits.Train
		}
		parts[r.split]++
	}
	if unknown > 0 {
		l.note("%d pictures that the split table does not name left out", unknown)
	}
	if parts[splits.Train] == 0 {
		return fmt.Errorf("images: none of the %d pictures belongs to the training part (%d are test pictures, which are never trained on)",
			len(l.records), parts[splits.Test])
	}
	if parts[splits.Valid] == 0 && table == nil {
		l.splitByHash()
	}
	for i := range l.records {
		switch r := &l.records[i]; r.split {
		case splits.Train:
			l.train = append(l.train, r)
		case splits.Valid:
			l.valid = append(l.valid, r)
		}
	}
	if n := parts[splits.Test]; n > 0 {
		l.note("%d test pictures not used", n)
	}
	return nil
}

// splitByHash holds out about a tenth of the training pictures.
func (l *loader) splitByHash() {
	var train []*record
	var contents []string
	for i := range l.records {
		if r := &l.records[i]; r.split == splits.Train {
			train = append(train, r)
			contents = append(contents, string(r.content()))
		}
	}
	held := 0
	for i, part := range splits.ByHash(contents) {
		if train[i].split = part; part == splits.Valid {
			held++
		}
	}
	l.note("%d pictures held out by a hash of their pixels", held)
}

// dropRepeats keeps each picture once in each part, out of both when it is a test picture, and out of train when it is held
// out.
func (l *loader) dropRepeats() error {
	taken := make(map[[sha256.Size]byte]bool) // by the parts before
	for i := range l.records {
		if r := &l.records[i]; r.split == splits.Test {
			taken[r.sum()] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record) []*record {
		seen := make(map[[sha256.Size]byte]bool, len(part))
		out := part[:0]
		for _, r := range part {
			switch key := r.sum(); {
			case taken[key]:
				leaks++
			case seen[key]:
				repeats++
			default:
				seen[key] = true
				out = append(out, r)
			}
		}
		maps.Copy(taken, seen)
		return out
	}
	l.valid = once(l.valid)
	l.train = once(l.train)
	if repeats > 0 {
		l.note("%d exact repeats dropped", repeats)
	}
	if leaks > 0 {
		l.note("%d pictures dropped because the same picture is held out or a test picture", leaks)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("images: no training picture is left: all of them are held out or test pictures too")
	}
	return nil
}
