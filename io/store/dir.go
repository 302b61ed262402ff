package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tempSuffix ends the name of every file that is not finished; such names also begin with a dot.
const tempSuffix = ".tmp"

// A Dir is a directory. It is made with its first file.
type Dir string

var _ Store = Dir("")

// String is the path.
func (d Dir) String() string { return string(d) }

func (d Dir) path(name string) string { return filepath.Join(string(d), filepath.FromSlash(name)) }

// Create implements Store.
func (d Dir) Create(name string) (*File, error) {
	path := d.path(name)
	dir, base := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, nameError(path, err)
	}
	var t *os.File
	for tries := 0; ; tries++ {
		// Drawn, since writers of other machines and containers, where a process may have any number, write here too.
		temp := fmt.Sprintf(".%s.%016x%s", base, rand.Uint64(), tempSuffix)
		var err error
		if t, err = os.OpenFile(filepath.Join(dir, temp), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
			return nil, nameError(path, err)
		}
		if lockFile(t) {
			break
		}
		t.Close() // another process swept it away before it was locked
		if tries == 100 {
			return nil, nameError(path, fmt.Errorf("%w: temporary files in %s vanish at once; does something delete them?", fs.ErrNotExist, dir))
		}
	}
	f := newFile(path, t)
	f.publish = func(_ context.Context, onlyNew bool, before func() error) error {
		return publish(f, path, onlyNew, before)
	}
	return f, nil
}

// publish renames the temporary file. A file that is to replace none is linked to its name instead, which fails when the
// name is taken.
func publish(f *File, path string, onlyNew bool, before func() error) error {
	if err := f.temp.Sync(); err != nil {
		return err
	}
	same := func() bool {
		n, sum, err := hashFile(path)
		return err == nil && n == f.n && sum == f.SHA256()
	}
	if same() {
		return nil
	}
	if onlyNew {
		switch err := os.Link(f.temp.Name(), path); {
		case err == nil:
			f.made = true
			return syncDir(filepath.Dir(path)) // and the caller removes the temporary name
		case errors.Is(err, fs.ErrExist):
			if same() {
				return nil
			}
			return fs.ErrExist
		}
		// A file system without links. Two writers in this very moment would both win, so the file that readers need to
		// be the first one must be compared afterwards.
		if _, err := os.Lstat(path); err == nil {
			return fs.ErrExist
		}
	}
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	// Renamed while still open and locked: nobody can take it for an orphan in between. Windows cannot do that.
	if !renameOpen {
		f.temp.Close()
	}
	if err := os.Rename(f.temp.Name(), path); err != nil {
		return err
	}
	f.over, f.made = true, true
	f.temp.Close()
	return syncDir(filepath.Dir(path))
}

// Open implements Store.
func (d Dir) Open(_ context.Context, name string) (io.ReadCloser, error) {
	path, err := d.regular(name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nameError(path, err)
	}
	return f, nil
}

// Local implements Store.
func (d Dir) Local(_ context.Context, name string) (string, func(), error) {
	path, err := d.regular(name)
	return path, func() {}, err
}

// regular is the path of a regular file: opening a pipe could last for ever.
func (d Dir) regular(name string) (string, error) {
	path := d.path(name)
	st, err := os.Stat(path)
	if err != nil {
		return "", nameError(path, err)
	}
	if !st.Mode().IsRegular() {
		return "", fmt.Errorf("%s: not a regular file", path)
	}
	return path, nil
}

// Stat implements Store.
func (d Dir) Stat(_ context.Context, name string) (Info, error) {
	path := d.path(name)
	st, err := os.Stat(path)
	if err != nil {
		return Info{}, nameError(path, err)
	}
	if !st.Mode().IsRegular() {
		return Info{}, fmt.Errorf("%s: not a regular file", path)
	}
	return Info{name, st.Size(), st.ModTime()}, nil
}

// List implements Store.
func (d Dir) List(ctx context.Context, folder string) ([]Info, error) {
	entries, err := d.entries(folder)
	if err != nil {
		return nil, err
	}
	var list []Info
	for i, e := range entries {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if e.IsDir() || isTemp(e.Name()) {
			continue
		}
		st, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, nameError(d.path(folder), err)
		}
		name := e.Name()
		if folder != "" {
			name = folder + "/" + name
		}
		list = append(list, Info{name, st.Size(), st.ModTime()})
	}
	return list, nil
}

// Folders implements Store.
func (d Dir) Folders(context.Context) ([]string, error) {
	entries, err := d.entries("")
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !e.IsDir() })
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (d Dir) entries(folder string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(d.path(folder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nameError(d.path(folder), err)
	}
	return entries, nil
}

// Remove implements Store.
func (d Dir) Remove(_ context.Context, name string) error {
	path := d.path(name)
	switch err := os.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return nameError(path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nameError(path, err)
	}
	return nil
}

// Probe implements Store. A directory that is not there yet is looked for above.
func (d Dir) Probe(context.Context) error {
	at := string(d)
	st, err := os.Stat(at)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if link, err := os.Lstat(at); err == nil && link.Mode()&fs.ModeSymlink != 0 {
			return errors.New("it is a link to something that does not exist")
		}
		at = existingParent(at)
	case err != nil:
		return cause(err)
	case !st.IsDir():
		return errors.New("it is a file, want a directory")
	}
	f, err := os.CreateTemp(at, ".pfgmgen-probe-*"+tempSuffix)
	if err != nil {
		return cause(err)
	}
	f.Close()
	// Another process that sweeps here may be quicker.
	if err := os.Remove(f.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cause(err)
	}
	return nil
}

// Sweep implements Store. It looks in the directory itself and one level down, which is where files are.
func (d Dir) Sweep(ctx context.Context) error {
	folders, err := d.Folders(ctx)
	if err != nil {
		return err
	}
	for _, folder := range append([]string{""}, folders...) {
		entries, err := d.entries(folder)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || !isTemp(e.Name()) {
				continue
			}
			path := filepath.Join(d.path(folder), e.Name())
			if err := removeOrphan(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nameError(path, err)
			}
		}
	}
	return nil
}

// Close implements Store.
func (d Dir) Close() error { return nil }

// isTemp says whether a name is one that an interrupted write leaves behind.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

// existingParent is the nearest directory above path that exists.
func existingParent(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return "."
	}
	for {
		parent := filepath.Dir(path)
		if _, err := os.Stat(parent); err == nil || parent == path {
			return parent
		}
		path = parent
	}
}

// cause drops the path from an error whose path has been named already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
