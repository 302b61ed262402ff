package npy

import (
	"archive/zip"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An Archive is an open .npz file.
type Archive struct {
	names []string
	files map[string]*zip.File
}

// NewArchive reads the directory of an archive of size bytes. Entries that are not called *.npy are refused, and so is
// a name that comes twice.
func NewArchive(r io.ReaderAt, size int64) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npy: archive: %w", err)
	}
	a := &Archive{files: make(map[string]*zip.File)}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("npy: archive: entry %.80q is no .npy file", f.Name)
		}
		if a.files[name] != nil {
			return nil, fmt.Errorf("npy: archive: entry %.80q comes twice", f.Name)
		}
		a.files[name] = f
		a.names = append(a.names, name)
	}
	slices.Sort(a.names)
	return a, nil
}

// Names are the names of the arrays, sorted.
func (a *Archive) Names() []string { return slices.Clone(a.names) }

// Read reads one array. limit bounds its values in bytes, zero means MaxBytes.
func (a *Archive) Read(name string, limit int) (*Array, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("npy: archive: no array %.80q, there are %.400q", name, a.names)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("npy: archive: array %.80q: %w", name, err)
	}
	defer r.Close()
	out, err := Read(r, limit)
	if err != nil {
		return nil, fmt.Errorf("array %.80q: %w", name, err)
	}
	return out, nil
}
