package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"io/fs"
	"path"
	"time"

	"gocloud.dev/blob"
)

// hashKey is the metadata of an object that holds the SHA-256 of its bytes, hex. What S3 gives by itself, the ETag, is no
// hash of the bytes for objects that were sent in parts.
const hashKey = "sha256"

// Objects smaller than 16 MiB are sent by one PUT, larger ones in parts, four at a time, which is about 40 MiB of memory.
// S3 takes 10,000 parts at most, so the parts of files beyond 70 GiB are larger.
const (
	partSize = 8 << 20
	maxParts = 9000
	atOnce   = 4
)

// presence is what is known about an object before a file is put in its place.
type presence int

const (
	absent presence = iota
	same
	other
)

// publish puts a file in its place. Servers decide between writers by the create-only PUT; that one is tried whenever
// nothing seems to be there.
func (b *Bucket) publish(ctx context.Context, name string, f *File, onlyNew bool, before func() error) error {
	if onlyNew && !b.conditional.Load() {
		if err := b.Probe(ctx); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		found, err := b.compare(ctx, name, f.n, f.SHA256())
		switch {
		case err != nil || found == same:
			return err
		case found == other && onlyNew:
			return fs.ErrExist
		case found == other:
			if before != nil {
				if err := before(); err != nil {
					return err
				}
			}
			return b.explainPut(b.put(ctx, name, f, false))
		}
		// Taken: somebody else was first, or it was this writer, in an attempt whose answer was lost.
		if err := b.put(ctx, name, f, true); !taken(err) || try == 4 {
			f.made = err == nil
			return b.explainPut(err)
		}
	}
}

// compare says whether an object is there and whether it has these bytes.
func (b *Bucket) compare(ctx context.Context, name string, size int64, sum string) (presence, error) {
	a, err := b.attributes(ctx, name)
	switch {
	case err == fs.ErrNotExist:
		return absent, nil
	case err != nil:
		return absent, err
	case a.Size != size:
		return other, nil
	}
	got, known := a.Metadata[hashKey]
	if !known {
		r, err := b.Open(ctx, name)
		if err != nil {
			return absent, err
		}
		defer r.Close()
		if _, got, err = Sum(r); err != nil {
			return absent, err
		}
	}
	if got == sum {
		return same, nil
	}
	return other, nil
}

// put sends the temporary file. Each attempt starts from its beginning. Only Upload is used, with a reader and without an
// MD5: in gocloud 0.47 whatever is written to Azure in another way panics when the server refuses it. That the bytes are
// those that were hashed is checked here, and on their way the clients add checksums of their own to them.
func (b *Bucket) put(ctx context.Context, name string, f *File, onlyNew bool) error {
	o := &blob.WriterOptions{
		BufferSize:     int(max(partSize, f.n/maxParts+1)),
		MaxConcurrency: atOnce,
		ContentType:    contentType(name),
		Metadata:       map[string]string{hashKey: f.SHA256()},
		IfNotExist:     onlyNew,
	}
	o.BeforeWrite = b.beforeWrite(o)
	_, err := retry(ctx, b, func(ctx context.Context) (struct{}, error) {
		ctx, w := b.watch(ctx)
		defer w.stop()
		// A section has a position of its own, so an attempt that is not quite over cannot disturb the next one.
		err := b.blob.Upload(ctx, b.key(name), w.reader(io.NewSectionReader(f.temp, 0, f.n), f.SHA256()), o)
		if err != nil {
			b.abandon(ctx, name, err)
		}
		return struct{}{}, w.err(err)
	})
	return err
}

func (b *Bucket) explainPut(err error) error {
	if err != nil && notFound(err) {
		return errNoBucket
	}
	return explained(err)
}

// contentType is what browsers and tools are told that an object is.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".parquet":
		return "application/vnd.apache.parquet"
	case ".arrow":
		return "application/vnd.apache.arrow.file"
	case ".json":
		return "application/json"
	case ".html":
		return "text/html; charset=utf-8"
	case ".md":
		return "text/markdown; charset=utf-8"
	}
	return "application/octet-stream"
}

// A watch ends a transfer in which nothing moves.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
}

func (b *Bucket) watch(ctx context.Context) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, &watch{ctx, cancel, time.AfterFunc(b.idle, func() { cancel(errStalled) }), b.idle}
}

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// err is why a failed transfer was ended, where it was ended from here.
func (w *watch) err(err error) error {
	if cause := context.Cause(w.ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

// reader reads r, which must have the bytes with this hash. With others it ends the whole transfer before it ends: some
// clients would make an object of what they got before an error.
func (w *watch) reader(r io.Reader, sum string) io.Reader { return &moving{r, w, sha256.New(), sum} }

type moving struct {
	io.Reader
	w    *watch
	hash hash.Hash
	want string
}

func (m *moving) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.w.timer.Reset(m.w.idle)
	m.hash.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(m.hash.Sum(nil)) != m.want {
		err = errChanged
	}
	if err != nil && err != io.EOF {
		m.w.cancel(err)
	}
	return n, err
}
