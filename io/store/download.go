package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	azblob "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
)

// A reader reads an object and, when the connection breaks, goes on where it was.
type reader struct {
	ctx  context.Context
	b    *Bucket
	name string

	body    *blob.Reader
	w       *watch
	at      int64 // bytes read
	version string
	failed  uint // attempts since the last byte
}

// connect asks for the object from the byte that comes next.
func (r *reader) connect() error {
	body, err := retry(r.ctx, r.b, func(ctx context.Context) (*blob.Reader, error) {
		r.stop()
		ctx, r.w = r.b.watch(ctx)
		body, err := r.b.blob.NewRangeReader(ctx, r.b.key(r.name), r.at, -1, &blob.ReaderOptions{BeforeRead: quiet})
		return body, r.w.err(err)
	})
	if err != nil {
		r.stop()
		return nameError(r.b.url(r.name), r.b.absent(r.ctx, err))
	}
	v := version(body)
	if r.at > 0 && v != r.version {
		body.Close()
		r.stop()
		return fmt.Errorf("%s: it was replaced while it was being read; read it again", r.b.url(r.name))
	}
	r.body, r.version = body, v
	return nil
}

// quiet keeps S3's client from logging a line for every object that was sent in parts and so has no checksum as a whole.
func quiet(as func(any) bool) error {
	var options *[]func(*s3.Options)
	if as(&options) {
		*options = append(*options, func(o *s3.Options) { o.DisableLogOutputChecksumValidationSkipped = true })
	}
	return nil
}

// version tells an object from another one of the same name. Google's client keeps to one version by itself.
func version(r *blob.Reader) string {
	etag := ""
	var amazon s3.GetObjectOutput
	var azure azblob.DownloadStreamResponse
	if r.As(&amazon) && amazon.ETag != nil {
		etag = *amazon.ETag
	} else if r.As(&azure) && azure.ETag != nil {
		etag = string(*azure.ETag)
	}
	return fmt.Sprint(etag, r.Size(), r.ModTime().UnixNano())
}

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := r.body.Read(p)
		r.w.timer.Reset(r.w.idle)
		r.at += int64(n)
		if n > 0 {
			r.failed = 0
			return n, nil // an error comes again, or a new connection heals it
		}
		if err == io.EOF && r.at < r.body.Size() {
			err = io.ErrUnexpectedEOF
		}
		if err == nil || err == io.EOF {
			return 0, err
		}
		if r.at >= r.body.Size() { // the client compares what it read with the server's checksum at the end
			return 0, nameError(r.b.url(r.name), fmt.Errorf("its bytes are not those that the server promised: %w; read it again", explained(err)))
		}
		err = r.w.err(err)
		if r.failed++; r.failed >= r.b.tries || !passing(err) || r.ctx.Err() != nil {
			if r.ctx.Err() != nil {
				err = context.Cause(r.ctx)
			}
			return 0, nameError(r.b.url(r.name), explained(err))
		}
		r.body.Close()
		if err := r.connect(); err != nil {
			return 0, err
		}
	}
}

func (r *reader) stop() {
	if r.w != nil {
		r.w.stop()
	}
}

func (r *reader) Close() error {
	if r.body == nil {
		return errors.New("closed before")
	}
	err := r.body.Close()
	r.stop()
	return err
}
