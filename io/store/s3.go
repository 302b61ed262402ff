package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
)

// beforeWrite makes S3's upload manager give up an upload in parts by a request of its own. It would use the context of
// the upload, which has ended when an upload is cancelled, and the parts would stay and be paid for.
func (b *Bucket) beforeWrite(o *blob.WriterOptions) func(func(any) bool) error {
	var client *s3.Client
	if !b.blob.As(&client) {
		return nil
	}
	return func(as func(any) bool) error {
		var m *transfermanager.Client
		if as(&m) {
			*m = *transfermanager.New(client, func(t *transfermanager.Options) {
				t.FailTimeout = 20 * time.Second
				t.PartSizeBytes = int64(o.BufferSize)
				t.Concurrency = o.MaxConcurrency
				t.RequestChecksumCalculation = client.Options().RequestChecksumCalculation
			})
		}
		return nil
	}
}

// abandon makes sure that a failed upload in parts leaves none. The upload manager has asked for that once, but a part that
// was still under way then may arrive later and stay, so it is asked for until the server knows nothing of the upload.
func (b *Bucket) abandon(ctx context.Context, name string, failed error) {
	var client *s3.Client
	var upload interface{ UploadID() string }
	if !b.blob.As(&client) || !errors.As(failed, &upload) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	bucket, key, id := b.bucket(), b.key(name), upload.UploadID()
	for wait := 50 * time.Millisecond; ctx.Err() == nil; wait *= 2 {
		_, err := client.ListParts(ctx, &s3.ListPartsInput{Bucket: &bucket, Key: &key, UploadId: &id})
		if status, _, _ := reply(err); err != nil && status != 403 { // gone, or nothing can be done: Sweep will
			return
		}
		client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: &key, UploadId: &id})
		if err != nil {
			return // the credentials do not allow to look
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (b *Bucket) bucket() string {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(b.base, "s3://"), "/")
	return bucket
}

// Sweep implements Store.
func (b *Bucket) Sweep(ctx context.Context) error {
	if err := b.removeProbes(ctx); err != nil {
		return err
	}
	return b.abortUploads(ctx)
}

// abortUploads is what Sweep does on S3. An object is whole or not there, so only uploads in parts are left behind, and only S3 keeps those
// for ever. Who may not list or abort them sweeps nothing: a lifecycle rule of the bucket does the same. Nor does a dataset without a
// prefix, which cannot tell its own from what others upload to the bucket, and none sweeps deeper than its files are.
func (b *Bucket) abortUploads(ctx context.Context) error {
	var client *s3.Client
	if b.prefix == "" || !b.blob.As(&client) {
		return nil
	}
	bucket := b.bucket()
	in := &s3.ListMultipartUploadsInput{Bucket: &bucket, Prefix: &b.prefix}
	for {
		page, err := brief(ctx, b, func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) {
			return client.ListMultipartUploads(ctx, in)
		})
		if status, code, _ := reply(err); err != nil && (denied(err) || status == 501 || code == "NotImplemented") {
			return nil
		}
		if err != nil {
			return nameError(b.url(""), explained(err))
		}
		for _, u := range page.Uploads {
			name := strings.TrimPrefix(aws.ToString(u.Key), b.prefix)
			if u.Initiated == nil || time.Since(*u.Initiated) < b.orphan || strings.Count(name, "/") > 1 {
				continue
			}
			_, err := brief(ctx, b, func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
				return client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &bucket, Key: u.Key, UploadId: u.UploadId})
			})
			if status, _, _ := reply(err); err != nil && status != 404 && !denied(err) {
				return nameError(b.url(""), explained(err))
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		in.KeyMarker, in.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}
