package images

import (
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// A splitTable assigns pictures to parts by their id.
type splitTable map[string]string

// readSplit reads a table, comma- or tab-separated as its header is, with the columns id and split. The id of a picture
// is its path in the folder or archive, or its number from 0 in the file.
func readSplit(path string) (splitTable, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("images: split table: %w", err)
	}
	defer f.Close()
	rows := csv.NewReader(io.LimitReader(f, maxMeta+1))
	rows.LazyQuotes = true
	header, err := rows.Read()
	if err == nil && len(header) == 1 && strings.Contains(header[0], "\t") {
		if _, err = f.Seek(0, io.SeekStart); err == nil {
			rows = csv.NewReader(io.LimitReader(f, maxMeta+1))
			rows.Comma, rows.LazyQuotes = '\t', true
			header, err = rows.Read()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("images: split table %s: header: %w", path, err)
	}
	column := func(name string) int {
		return slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
	}
	id, split := column("id"), column("split")
	if id < 0 || split < 0 {
		return nil, fmt.Errorf("images: split table %s: the header needs the columns id and split, it is %.200q", path, header)
	}
	table := make(splitTable)
	for {
		fields, err := rows.Read()
		if err == io.EOF {
			return table, nil
		}
		if err != nil {
			return nil, fmt.Errorf("images: split table %s: %w", path, err)
		}
		line, _ := rows.FieldPos(0)
		if rows.InputOffset() > maxMeta {
			return nil, fmt.Errorf("images: split table %s: over %d bytes", path, maxMeta)
		}
		name, part := strings.TrimSpace(fields[id]), splitName(strings.TrimSpace(fields[split]))
		if part == "" {
			return nil, fmt.Errorf("images: split table %s: line %d: split %.40q is not one of train, valid, test", path, line, fields[split])
		}
		if old, ok := table[name]; ok && old != part {
			return nil, fmt.Errorf("images: split table %s: line %d: %.60q is in %s here and in %s above", path, line, name, part, old)
		}
		table[name] = part
	}
}

// split fills train and valid: by the split table when there is one, else by the data's own parts. When these have no
// held-out part, about a tenth of the rest is held out by a hash of the picture. Test pictures are never used.
func (l *loader) split(table splitTable) error {
	parts := make(map[string]int)
	unknown := 0
	for i := range l.records {
		r := &l.records[i]
		if table != nil {
			if r.split = table[r.id]; r.split == "" {
				unknown++
				continue
			}
		} else if r.split == "" {
			r.split = "train"
		}
		parts[r.split]++
	}
	if unknown > 0 {
		l.note("%d pictures that the split table does not name left out", unknown)
	}
	if parts["train"] == 0 {
		return fmt.Errorf("images: none of the %d pictures belongs to the training part (%d are test pictures, which are never trained on)",
			len(l.records), parts["test"])
	}
	if parts["valid"] == 0 && table == nil {
		l.splitByHash()
	}
	for i := range l.records {
		switch r := &l.records[i]; r.split {
		case "train":
			l.train = append(l.train, r)
		case "valid":
			l.valid = append(l.valid, r)
		}
	}
	if n := parts["test"]; n > 0 {
		l.note("%d test pictures not used", n)
	}
	return nil
}

// splitByHash holds out about a tenth of the training pictures: those whose hash falls into the lowest tenth, but at
// least one and not all when there are several.
func (l *loader) splitByHash() {
	hashes := make([]uint64, len(l.records))
	lowest, highest := uint64(1<<64-1), uint64(0)
	for i := range l.records {
		if l.records[i].split == "train" {
			hashes[i] = l.records[i].hash()
			lowest, highest = min(lowest, hashes[i]), max(highest, hashes[i])
		}
	}
	limit := max(uint64(1<<64-1)/10, lowest)
	if highest <= limit {
		limit = lowest
	}
	held := 0
	for i, h := range hashes {
		if r := &l.records[i]; r.split == "train" && h <= limit && lowest < highest {
			r.split = "valid"
			held++
		}
	}
	l.note("%d pictures held out by a hash of their pixels", held)
}

// hash is the beginning of the key.
func (p picture) hash() uint64 {
	b, _ := hex.DecodeString(p.key()[:16]) // hex by construction
	return binary.BigEndian.Uint64(b)
}

// dropRepeats keeps each picture once in each part, and out of train when it is held out or a test picture.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for i := range l.records {
		if r := &l.records[i]; r.split == "valid" || r.split == "test" {
			held[r.key()] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record, skip map[string]bool) []*record {
		seen := make(map[string]bool, len(part))
		out := part[:0]
		for _, r := range part {
			switch key := r.key(); {
			case skip[key]:
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
		l.note("%d training pictures dropped because the same picture is held out", leaks)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("images: no training picture is left: all of them are held out too")
	}
	return nil
}
