package store

import (
	"context"
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

// Sweep implements Store. An object is whole or not there, so only uploads in parts are left behind, and only S3 keeps those
// for ever. Who may not list or abort them sweeps nothing: a lifecycle rule of the bucket does the same.
func (b *Bucket) Sweep(ctx context.Context) error {
	var client *s3.Client
	if !b.blob.As(&client) {
		return nil
	}
	bucket, _, _ := strings.Cut(strings.TrimPrefix(b.base, "s3://"), "/")
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
			if u.Initiated == nil || time.Since(*u.Initiated) < b.orphan {
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
