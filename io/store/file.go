package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
)

// A File is a file in the making. It hashes and counts what is written. It is not safe for concurrent use.
type File struct {
	name string // as the user knows it, for errors
	temp *os.File
	buf  *bufio.Writer
	sum  hash.Hash
	n    int64
	err  error // the first one; later calls repeat it
	over bool  // published or thrown away
	made bool  // publish gave it its name

	unnamed bool   // the temporary file has no name any more
	staged  string // where a temporary file is that does not lie beside the file to be

	// publish gives the flushed temporary file its name and ends it. With onlyNew another file of that name is fs.ErrExist,
	// unless it has the same bytes; otherwise before is called before such a file is replaced.
	publish func(ctx context.Context, onlyNew bool, before func() error) error
}

func newFile(name string, temp *os.File) *File {
	return &File{name: name, temp: temp, buf: bufio.NewWriterSize(temp, 1<<18), sum: sha256.New()}
}

// ErrDone is returned when a file is used after its end.
var ErrDone = errors.New("the file was committed or aborted before")

// Write implements io.Writer. After an error nothing more is written.
func (f *File) Write(p []byte) (int, error) {
	if f.err == nil && f.over {
		f.err = ErrDone
	}
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.buf.Write(p)
	f.sum.Write(p[:n])
	f.n += int64(n)
	f.keep(f.stage(err))
	return n, f.err
}

// Seek reports the position and moves nowhere else; the Arrow writer asks for it once.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent && offset == 0 {
		return f.n, nil
	}
	return 0, fmt.Errorf("%s: a file is written from front to back", f.name)
}

// Name is the name of the file as errors say it.
func (f *File) Name() string { return f.name }

// Err is the first error of the file.
func (f *File) Err() error { return f.err }

// Fail makes err the error of the file unless it has one. Nothing more is written then.
func (f *File) Fail(err error) { f.keep(err) }

// Size is the number of bytes written so far.
func (f *File) Size() int64 { return f.n }

// SHA256 is the hash of what has been written so far, hex.
func (f *File) SHA256() string { return hex.EncodeToString(f.sum.Sum(nil)) }

// Commit makes the file durable under its name. When a file with the same bytes is there already it stays as it is; before
// another one is replaced, before is called if it is not nil. After an error nothing of the file is left.
func (f *File) Commit(ctx context.Context, before func() error) error {
	return f.end(ctx, false, before)
}

// CommitNew makes the file durable under its name unless another one with other bytes is there: the error then wraps
// fs.ErrExist.
func (f *File) CommitNew(ctx context.Context) error { return f.end(ctx, true, nil) }

func (f *File) end(ctx context.Context, onlyNew bool, before func() error) error {
	if f.over {
		return ErrDone
	}
	if f.err == nil {
		f.keep(ctx.Err())
	}
	if f.err == nil {
		f.keep(f.stage(f.buf.Flush()))
	}
	if f.err == nil {
		f.keep(f.publish(ctx, onlyNew, before))
	}
	f.Abort()
	return f.err
}

// Made says whether a commit is known to have made the file; otherwise it was there with the same bytes.
func (f *File) Made() bool { return f.made }

// Abort throws the file away. After a commit it does nothing, so it can be deferred.
func (f *File) Abort() {
	if f.over {
		return
	}
	f.over = true
	if !renameOpen {
		f.temp.Close()
	}
	if !f.unnamed {
		os.Remove(f.temp.Name())
	}
	f.temp.Close()
}

// stage says where the temporary file is when writing it fails: not where the user looks when it is to become an object.
func (f *File) stage(err error) error {
	if err == nil || f.staged == "" {
		return err
	}
	return fmt.Errorf("its temporary file in %s: %w; set TMPDIR to a directory with room", f.staged, cause(err))
}

func (f *File) keep(err error) {
	if f.err == nil && err != nil {
		f.err = nameError(f.name, err)
	}
}

// nameError says what went wrong with the file that the user knows, not with its temporary name.
func nameError(name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %s: %w", name, pe.Op, pe.Err)
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return fmt.Errorf("%s: %s: %w", name, le.Op, le.Err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// hashFile is the length and SHA-256 of a regular file.
func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return 0, "", errors.New("not a regular file")
	}
	return Sum(f)
}

// Sum is the length and the SHA-256, hex, of what r has.
func Sum(r io.Reader) (int64, string, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return n, hex.EncodeToString(h.Sum(nil)), err
}
