// Package splits divides records into training, held-out and test parts: by a table that the user gives, by names that
// the data carry, or by a hash of their content. What a record is, is for the caller to say.
//
// It also reads the plain table that both splits and data come in: tab-separated text with a header line.
package splits

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// The three parts.
const (
	Train = "train"
	Valid = "valid"
	Test  = "test"
)

// Part returns the part that a usual name stands for, such as "validation" for Valid.
func Part(name string) (string, error) {
	switch strings.ToLower(name) {
	case "train", "training":
		return Train, nil
	case "valid", "validation", "val", "dev":
		return Valid, nil
	case "test":
		return Test, nil
	}
	return "", fmt.Errorf("split %q is not one of train, valid, test", name)
}

// A Split assigns records to parts by content, else by id.
type Split struct{ byContent, byID map[string]string }

// Read reads a table with a column split and a column sequence, id, or both. normal brings the content of the sequence
// column to the form in which Part is asked for it; its errors are reported with the line, and content that is empty
// then does not count. A key that is in two parts is an error.
func Read(path string, normal func(content string) (string, error)) (*Split, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("split table: %w", err)
	}
	defer f.Close()
	return read(f, path, normal)
}

func read(r io.Reader, path string, normal func(string) (string, error)) (*Split, error) {
	t, err := NewTable(r, path, nil)
	if err != nil {
		return nil, fmt.Errorf("split table %w", err)
	}
	if !t.Has("split") || !t.Has("id") && !t.Has("sequence") {
		return nil, fmt.Errorf("split table %s: the header needs a column split and a column id or sequence", path)
	}
	s := &Split{make(map[string]string), make(map[string]string)}
	put := func(m map[string]string, key, part string) error {
		if old, ok := m[key]; ok && old != part {
			return fmt.Errorf("%.60q is in %s here and in %s above", key, part, old)
		}
		m[key] = part
		return nil
	}
	for {
		field, err := t.Next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return nil, fmt.Errorf("split table %w", err)
		}
		part, err := Part(field("split"))
		var content string
		if err == nil {
			content, err = normal(field("sequence"))
		}
		if err == nil && content != "" {
			err = put(s.byContent, content, part)
		}
		if id := field("id"); id != "" && err == nil {
			err = put(s.byID, id, part)
		}
		if err != nil {
			return nil, fmt.Errorf("split table %s: line %d: %w", path, t.Line(), err)
		}
	}
}

// Part is where a record belongs, empty when the table does not say.
func (s *Split) Part(content, id string) string {
	if p := s.byContent[content]; p != "" {
		return p
	}
	return s.byID[id]
}

// ByHash returns Train or Valid for each record's content. About a tenth is held out: what has a SHA-256 in the lowest
// tenth, but at least one content, and not all when there are several.
func ByHash(contents []string) []string {
	parts := make([]string, len(contents))
	if len(parts) == 0 {
		return parts
	}
	lowest, different := uint64(1<<64-1), make(map[uint64]bool)
	hashes := make([]uint64, len(contents))
	for i, content := range contents {
		h := sha256.Sum256([]byte(content))
		hashes[i] = binary.BigEndian.Uint64(h[:])
		lowest = min(lowest, hashes[i])
		different[hashes[i]] = true
	}
	limit := max(uint64(1<<64-1)/10, lowest)
	if slices.Max(hashes) <= limit {
		limit = lowest
	}
	for i, h := range hashes {
		parts[i] = Train
		if h <= limit && len(different) > 1 {
			parts[i] = Valid
		}
	}
	return parts
}
