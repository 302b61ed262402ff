package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
)

// A Bucket is a bucket of an object store, or what is in one under a prefix.
type Bucket struct {
	location string // as the user wrote it
	base     string // the same without parameters and without a slash at the end, for names
	prefix   string // of keys: "", or it ends in a slash
	blob     *blob.Bucket

	tries  uint          // of an operation, when its faults are passing ones
	wait   time.Duration // after the first of them
	idle   time.Duration // without a byte that moves, after which a transfer is given up
	orphan time.Duration // age from which an unfinished upload in parts is taken for one whose writer is gone

	notify      func(err error, wait time.Duration) // may be nil
	retries     atomic.Int64                        // of operations, after passing faults
	answered    atomic.Bool                         // the bucket has answered a request
	there       atomic.Bool                         // the bucket is known to exist
	conditional atomic.Bool                         // the server is known to refuse a second create-only PUT
}

var _ Store = (*Bucket)(nil)

// Retries is how often an operation was tried again so far. What the clients below repeat by themselves is not in it.
func (b *Bucket) Retries() int64 { return b.retries.Load() }

// Notify makes f be told of every operation that failed and is tried again after a wait. It is called from any goroutine. Call
// Notify before anything else.
func (b *Bucket) Notify(f func(err error, wait time.Duration)) { b.notify = f }

func newBucket(location, base, prefix string, b *blob.Bucket) *Bucket {
	if prefix != "" {
		base, prefix = strings.TrimSuffix(base, "/")+"/"+prefix, prefix+"/"
	}
	return &Bucket{location: location, base: strings.TrimSuffix(base, "/"), prefix: prefix, blob: b,
		tries: 10, wait: 500 * time.Millisecond, idle: 5 * time.Minute, orphan: 24 * time.Hour}
}

// String is the URL.
func (b *Bucket) String() string { return b.location }

func (b *Bucket) key(name string) string { return b.prefix + name }
func (b *Bucket) url(name string) string { return strings.TrimSuffix(b.base+"/"+name, "/") }

// Create implements Store. The file is staged on the local disk, in a file that has lost its name already where that is
// possible, so that no crash leaves it there.
func (b *Bucket) Create(name string) (*File, error) {
	t, err := os.CreateTemp("", "pfgmgen-*"+tempSuffix)
	if err != nil {
		return nil, fmt.Errorf("%s: a temporary file for it: %w; set TMPDIR to a directory that can be written", b.url(name), err)
	}
	f := newFile(b.url(name), t)
	f.staged = os.TempDir()
	f.unnamed = renameOpen && os.Remove(t.Name()) == nil
	f.publish = func(ctx context.Context, onlyNew bool, before func() error) error {
		return b.publish(ctx, name, f, onlyNew, before)
	}
	return f, nil
}

// Open implements Store.
func (b *Bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &reader{ctx: ctx, b: b, name: name}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

// Local implements Store. The path ends in the last part of name.
func (b *Bucket) Local(ctx context.Context, name string) (string, func(), error) {
	in, err := b.Open(ctx, name)
	if err != nil {
		return "", nil, err
	}
	defer in.Close()
	t, err := os.CreateTemp("", "pfgmgen-*-"+path.Base(name))
	if err != nil {
		return "", nil, fmt.Errorf("%s: a temporary file for it: %w; set TMPDIR to a directory that can be written", b.url(name), err)
	}
	_, err = io.Copy(t, in)
	if cerr := t.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(t.Name())
		if isPath(err) {
			err = fmt.Errorf("%s: a temporary file for it: %w; set TMPDIR to a directory with room", b.url(name), err)
		}
		return "", nil, err
	}
	return t.Name(), func() { os.Remove(t.Name()) }, nil
}

func isPath(err error) bool {
	var pe *fs.PathError
	return errors.As(err, &pe)
}

// Stat implements Store.
func (b *Bucket) Stat(ctx context.Context, name string) (Info, error) {
	a, err := b.attributes(ctx, name)
	if err != nil {
		return Info{}, nameError(b.url(name), err)
	}
	return Info{name, a.Size, a.ModTime}, nil
}

func (b *Bucket) attributes(ctx context.Context, name string) (*blob.Attributes, error) {
	a, err := brief(ctx, b, func(ctx context.Context) (*blob.Attributes, error) { return b.blob.Attributes(ctx, b.key(name)) })
	if err != nil {
		return nil, b.absent(ctx, err)
	}
	return a, nil
}

// absent is fs.ErrNotExist for an object that is not there. A bucket that is not there is another matter, and servers
// answer some requests in the same way then, so the first time the bucket itself is asked for.
func (b *Bucket) absent(ctx context.Context, err error) error {
	if !notFound(err) {
		return explained(err)
	}
	if !b.there.Load() {
		there, err := brief(ctx, b, b.blob.IsAccessible)
		switch {
		case err == nil && !there:
			return errNoBucket
		case err != nil && !denied(err): // who may not list can still read and write
			return explained(err)
		}
		b.there.Store(true)
	}
	return fs.ErrNotExist
}

var errNoBucket = errors.New("there is no such bucket; make it first, or correct its name")

// List implements Store.
func (b *Bucket) List(ctx context.Context, folder string) ([]Info, error) {
	var list []Info
	err := b.each(ctx, folder, func(o *blob.ListObject, name string) {
		if !o.IsDir && name != "" && !strings.HasPrefix(name, probePrefix) { // consoles make an empty object for a folder itself
			list = append(list, Info{path.Join(folder, name), o.Size, o.ModTime})
		}
	})
	slices.SortFunc(list, func(x, y Info) int { return strings.Compare(x.Name, y.Name) })
	return list, err
}

// probePrefix begins the names of the objects by which Probe tries whether there can be some. A process that is killed just
// then leaves one, so List does not show them, and Sweep removes those that are a day old.
const probePrefix = ".pfgmgen-probe-"

func (b *Bucket) removeProbes(ctx context.Context) error {
	var old []string
	err := b.each(ctx, "", func(o *blob.ListObject, name string) {
		if !o.IsDir && strings.HasPrefix(name, probePrefix) && time.Since(o.ModTime) >= b.orphan {
			old = append(old, name)
		}
	})
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := b.Remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Folders implements Store.
func (b *Bucket) Folders(ctx context.Context) ([]string, error) {
	var names []string
	err := b.each(ctx, "", func(o *blob.ListObject, name string) {
		if name = strings.TrimSuffix(name, "/"); o.IsDir && name != "" {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return names, err
}

// each calls f for the objects and the folders directly in a folder, with their names in it.
func (b *Bucket) each(ctx context.Context, folder string, f func(o *blob.ListObject, name string)) error {
	prefix := b.prefix
	if folder != "" {
		prefix = b.key(folder) + "/"
	}
	type page struct {
		objects []*blob.ListObject
		next    []byte
	}
	for token := blob.FirstPageToken; ; {
		p, err := brief(ctx, b, func(ctx context.Context) (page, error) {
			objects, next, err := b.blob.ListPage(ctx, token, 1000, &blob.ListOptions{Prefix: prefix, Delimiter: "/"})
			return page{objects, next}, err
		})
		if err != nil {
			if notFound(err) {
				err = errNoBucket
			}
			return nameError(b.url(folder), explained(err))
		}
		b.there.Store(true)
		for _, o := range p.objects {
			f(o, strings.TrimPrefix(o.Key, prefix))
		}
		if len(p.next) == 0 {
			return nil
		}
		token = p.next
	}
}

// Remove implements Store.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	if err := b.remove(ctx, name); err != nil {
		return nameError(b.url(name), err)
	}
	return nil
}

func (b *Bucket) remove(ctx context.Context, name string) error {
	_, err := brief(ctx, b, func(ctx context.Context) (struct{}, error) { return struct{}{}, b.blob.Delete(ctx, b.key(name)) })
	if err != nil {
		err = b.absent(ctx, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Probe implements Store. It also finds out whether the server keeps the promise that CommitNew needs: there are servers
// that take a create-only PUT for an ordinary one.
func (b *Bucket) Probe(ctx context.Context) (err error) {
	id := make([]byte, 8)
	rand.Read(id)
	name := probePrefix + hex.EncodeToString(id)
	create := func() error {
		_, err := brief(ctx, b, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, b.blob.Upload(ctx, b.key(name), strings.NewReader("pfgmgen looks whether it can write here\n"),
				&blob.WriterOptions{ContentType: "text/plain", IfNotExist: true})
		})
		return err
	}
	defer func() {
		if !b.answered.Load() {
			return // nothing can be there
		}
		over, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if rerr := b.remove(over, name); rerr != nil && err == nil {
			err = fmt.Errorf("files can be written but not deleted, and %s stays there: %w", b.url(name), rerr)
		}
	}()
	switch err := create(); {
	case taken(err): // by an attempt whose answer was lost
	case notFound(err):
		return errNoBucket
	case err != nil:
		return explained(err)
	}
	switch err := create(); {
	case err == nil:
		return errors.New("the server overwrites an object in a create-only PUT (If-None-Match: *), so that of two writers both could win; use a server that has conditional PUT, or a directory")
	case !taken(err):
		return explained(err)
	}
	b.there.Store(true)
	b.conditional.Store(true)
	return nil
}

// Close implements Store.
func (b *Bucket) Close() error { return b.blob.Close() }
