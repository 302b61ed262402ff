package images

import (
	"context"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Bounds on what is read: the values of all pictures together, as they are kept, and their number.
const (
	maxBytes   = 2 << 30
	maxRecords = 1 << 24
)

// A record is one picture as read.
type record struct {
	picture
	id    string // what a split table calls it
	class string // empty when the input names none
	split string // train, valid, test, or empty when the input has none
}

// An input is what the data files hold together.
type input struct {
	ctx     context.Context
	sum     hash.Hash // over the bytes of all files, in the order in which they are read
	options options

	records []record
	bytes   int
	order   []string // classes that have a number in the data, in that order
	sources []string // one phrase per file
	notes   []string
	seen    map[string]bool // paths that have been read
}

func (in *input) note(format string, args ...any) {
	in.notes = append(in.notes, fmt.Sprintf(format, args...))
}

// add keeps one record, resized when the options say so. where names it in errors.
func (in *input) add(where string, r record) error {
	if in.options.size > 0 {
		r.picture = r.picture.resized(in.options.size)
	}
	if r.height > maxSide || r.width > maxSide || r.height < minSide || r.width < minSide {
		return fmt.Errorf("images: %s: %d x %d pixels, want %d to %d on each side; set size=64 or another size to resize",
			where, r.width, r.height, minSide, maxSide)
	}
	if in.bytes += len(r.pix); in.bytes > maxBytes || len(in.records) == maxRecords {
		return fmt.Errorf("images: %s: too much data: over %d bytes of pixels or %d pictures; set a smaller size", where, maxBytes, maxRecords)
	}
	in.records = append(in.records, r)
	return nil
}

// readPath adds the records of a file or folder.
func (in *input) readPath(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	if st.IsDir() {
		return in.readFolder(path)
	}
	if in.seen[filepath.Clean(path)] {
		return nil // a labels or test file that was read with its pictures
	}
	if st.Size() == 0 {
		return fmt.Errorf("images: %s: the file is empty", path)
	}
	return in.readIDX(path)
}

// readFolder adds what a folder holds.
func (in *input) readFolder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	found := false
	for _, e := range entries { // sorted by name
		full := filepath.Join(path, e.Name())
		if !e.IsDir() && isIDXImages(e.Name()) && !in.seen[full] {
			found = true
			if err := in.readIDX(full); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("images: %s: the folder holds no pictures in a form that is read", path)
	}
	return nil
}

// open opens a file of the data; what is read from it goes into the hash.
func (in *input) open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	in.seen[filepath.Clean(path)] = true
	return hashedFile{f, in}, nil
}

// A hashedFile adds to the hash what is read, and stops when the context does.
type hashedFile struct {
	*os.File
	in *input
}

func (f hashedFile) Read(b []byte) (int, error) {
	if err := f.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.File.Read(b)
	f.in.sum.Write(b[:n])
	return n, err
}

// splitName is the part that a name of a split, a folder or the beginning of a file name stands for, or empty.
func splitName(name string) string {
	switch strings.ToLower(name) {
	case "train", "training":
		return "train"
	case "valid", "validation", "val", "dev":
		return "valid"
	case "test", "testing", "t10k":
		return "test"
	}
	return ""
}
