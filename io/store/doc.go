// Package store keeps the files of a dataset in a directory or in a bucket of an object store. It knows neither what is in
// the files nor which of them make a dataset.
//
// # A file is whole or not there
//
// A file is first written to a temporary file on the local disk, hashed and counted on the way, and then published: in a
// directory by fsync, rename and fsync of the directory, in a bucket by one PUT. Whoever is killed in between leaves a
// temporary file and nothing else: in a directory beside the file to be, with a name that begins with a dot and ends
// in .tmp, and Sweep removes those whose writer is gone; for a bucket in the system's temporary directory.
//
// Datasets are deterministic, so two writers of one name usually have the same bytes. File.Commit leaves a file alone
// that has them already. File.CommitNew never replaces one: of several writers of a name one wins, and the others are told.
//
// For an object both begin with the question what is there: its size and the SHA-256 in its metadata (its bytes, where
// somebody else put it there without one). Nothing there: a create-only PUT (If-None-Match: *), so that the server decides
// between writers. Other bytes: Commit overwrites, by one PUT. A server that says that it has no create-only PUT, or takes
// it for an ordinary one, is refused by Probe, which CommitNew calls once before it relies on that.
//
// Only plain files, renames and links are used, no locks that must hold and no memory maps, so a directory may be on a
// network file system. A lock tells a live temporary file from a dead one where there are locks; where there are none, a
// sweep can take a file away from a living writer, which then fails and can be run again.
//
// # URLs
//
// Open takes a path, file:///path, or a bucket with or without a prefix:
//
//	s3://bucket/prefix?region=eu-central-1
//	s3://bucket/prefix?endpoint=https://minio.example.org:9000
//	gs://bucket/prefix
//	azblob://container/prefix?storage_account=name
//
// Credentials never stand in a URL: they come from the ways of the cloud's own tools, that is the environment, profiles and
// the roles of the machine. A URL with anything that looks like one is refused, and messages repeat no part of it. Messages
// of the clients below lose whatever stands behind a question mark in a URL, where signatures and SAS tokens are.
//
// Parameters of s3, which mean what they mean to gocloud.dev/blob/s3blob where nothing is said here:
//
//   - region: without it AWS_REGION or the profile's; with an endpoint and neither of them us-east-1, since a signature
//     needs one
//   - endpoint: an S3-compatible server instead of Amazon's, http:// or https://, host and port
//   - use_path_style, with the old name s3ForcePathStyle: true puts the bucket into the path and not before the host name.
//     With an endpoint that is the default here; write use_path_style=false for a server that wants bucket.host
//   - hostname_immutable: true leaves the host of the endpoint as it is, which also means the path style
//   - disable_https: true speaks HTTP to Amazon's endpoints; an own endpoint says http:// instead
//   - request_checksum_calculation, response_checksum_validation: when_required for older servers that do not know the
//     checksums that the client adds otherwise
//   - profile, role, anonymous=true: which credentials
//   - ssetype, kmskeyid: server-side encryption; accelerate, dualstack, fips, rate_limiter_capacity
//
// Of gs: anonymous=true; STORAGE_EMULATOR_HOST is honoured. Of azblob: storage_account (or AZURE_STORAGE_ACCOUNT), domain,
// protocol, cdn, localemu.
//
// # Faults
//
// Every operation on a bucket is repeated while its fault is a passing one: no connection, a lost one, one over which
// nothing moves for five minutes, HTTP 408, 429 and 5xx, bytes that were damaged on the way. Waits double from half a second
// to 15 seconds, ten attempts in all, so that a minute without the server is got over, and each attempt of the clients
// below is three of their own; a bucket that has never answered gets two. Reading goes on at the byte where it broke, if
// the object is still the same. What is no passing fault fails at once: access denied, no such bucket, a certificate.
//
// A cancelled upload leaves no object and no parts. One that is cancelled after its last byte was sent may yet be there,
// whole. A process that is killed leaves no object either, but on S3 the parts of a file of 16 MiB and more: Sweep aborts
// uploads under the prefix, at most one folder down, that are older than a day. Where the credentials do not allow that, or
// there is no prefix, give the bucket a lifecycle rule AbortIncompleteMultipartUpload of some days. Google and Azure drop such parts themselves after a week.
//
// A file on its way to a bucket is staged in TMPDIR, which needs room for the largest file times the number of writers, and
// so does Local for the file that it brings.
package store
