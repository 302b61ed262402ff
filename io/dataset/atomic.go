package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
)

// tempSuffix ends the name of every file that is not finished; such names also begin with a dot.
const tempSuffix = ".tmp"

// tempCounter keeps the temporary names of one process apart.
var tempCounter atomic.Int64

// atomicFile is a file that appears under its name only when it is whole. It hashes and counts what is written. The
// open temporary file is locked, so that cleaning up can tell a live writer from a dead one.
type atomicFile struct {
	path string // final name
	f    *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	n    int64
	err  error // the first one; later calls repeat it
}

// createAtomic makes the directory of path when it is missing and opens a temporary file beside path.
func createAtomic(path string) (*atomicFile, error) {
	dir, base := filepath.Split(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, pathError(path, err)
	}
	name := fmt.Sprintf(".%s.%d-%d%s", base, os.Getpid(), tempCounter.Add(1), tempSuffix)
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, pathError(path, err)
	}
	lockFile(f) // best effort: without locks a concurrent Create may remove the file, and the rename then fails
	a := &atomicFile{path: path, f: f, sum: sha256.New()}
	a.buf = bufio.NewWriterSize(f, 1<<18)
	return a, nil
}

// Write implements io.Writer. After an error nothing more is written.
func (a *atomicFile) Write(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.buf.Write(p)
	a.sum.Write(p[:n])
	a.n += int64(n)
	if err != nil {
		a.err = pathError(a.path, err)
	}
	return n, a.err
}

// Seek reports the position and moves nowhere else; the Arrow writer asks for it once.
func (a *atomicFile) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent && offset == 0 {
		return a.n, nil
	}
	return 0, errors.New("dataset: a part is written from front to back")
}

// hex is the SHA-256 of what has been written so far.
func (a *atomicFile) hex() string { return hex.EncodeToString(a.sum.Sum(nil)) }

// commit makes the file durable under its name. When a file with the same bytes is there already it stays as it is;
// before another one is replaced, before is called if it is not nil.
func (a *atomicFile) commit(before func() error) error {
	if a.err == nil {
		a.keep(a.buf.Flush())
	}
	if a.err == nil {
		a.keep(a.f.Sync())
	}
	temp := a.f.Name()
	if a.err != nil {
		a.abort()
		return a.err
	}
	if n, sum, err := hashFile(a.path); err == nil && n == a.n && sum == a.hex() {
		a.abort()
		return nil
	}
	if before != nil {
		if err := before(); err != nil {
			a.abort()
			return err
		}
	}
	// Renamed while still open and locked: nobody can take it for an orphan in between. Windows cannot do that.
	if renameOpen {
		defer a.f.Close()
	} else {
		a.keep(a.f.Close())
	}
	if a.err == nil {
		a.keep(os.Rename(temp, a.path))
	}
	if a.err == nil {
		a.keep(syncDir(filepath.Dir(a.path)))
	}
	if a.err != nil {
		os.Remove(temp)
	}
	return a.err
}

// abort removes the temporary file. It may be called at any time, more than once.
func (a *atomicFile) abort() {
	if !renameOpen {
		a.f.Close()
	}
	os.Remove(a.f.Name())
	a.f.Close()
}

func (a *atomicFile) keep(err error) {
	if a.err == nil && err != nil {
		a.err = pathError(a.path, err)
	}
}

// writeAtomic writes a small file in one go.
func writeAtomic(path string, data []byte, before func() error) (FileInfo, error) {
	a, err := createAtomic(path)
	if err != nil {
		return FileInfo{}, err
	}
	a.Write(data) // its error is kept and returned by commit
	if err := a.commit(before); err != nil {
		return FileInfo{}, err
	}
	return FileInfo{Path: filepath.Base(path), Bytes: a.n, SHA256: a.hex()}, nil
}

// pathError says what went wrong with the file that the user knows, not with its temporary name.
func pathError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("dataset: %s: %s: %w", path, pe.Op, pe.Err)
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return fmt.Errorf("dataset: %s: %s: %w", path, le.Op, le.Err)
	}
	return fmt.Errorf("dataset: %s: %w", path, err)
}

// hashFile is the length and SHA-256 of a regular file.
func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return 0, "", fmt.Errorf("not a regular file")
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}

// isTemp says whether a name is one that an interrupted write leaves behind.
func isTemp(name string) bool {
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempSuffix)
}

// removeOrphans deletes the temporary files below dir whose writer is gone, in dir itself and one level down, which is
// where this package puts files.
func removeOrphans(dir string) error {
	for _, pattern := range []string{".*" + tempSuffix, filepath.Join("*", ".*"+tempSuffix)} {
		names, err := fs.Glob(os.DirFS(dir), filepath.ToSlash(pattern))
		if err != nil {
			return pathError(dir, err)
		}
		for _, name := range names {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := removeOrphan(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return pathError(path, err)
			}
		}
	}
	return nil
}
