package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	gcaws "gocloud.dev/aws"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcp"
)

// A scheme is a kind of object store that Open knows.
type scheme struct {
	name    string
	example string
	params  []string // what may stand behind the question mark; none of these is secret
	open    func(context.Context, *url.URL) (*blob.Bucket, error)
}

func schemes() []scheme {
	return []scheme{
		{"s3", "s3://bucket/prefix?region=eu-central-1", []string{"region", "endpoint", "use_path_style", "s3ForcePathStyle",
			"hostname_immutable", "disable_https", "profile", "role", "anonymous", "ssetype", "kmskeyid", "accelerate", "dualstack",
			"fips", "rate_limiter_capacity", "request_checksum_calculation", "response_checksum_validation"}, openS3},
		{"gs", "gs://bucket/prefix", []string{"anonymous"}, openGS},
		{"azblob", "azblob://container/prefix?storage_account=name", []string{"storage_account", "domain", "protocol", "cdn", "localemu"}, openAzure},
	}
}

// Open is the place that a user names: a directory by its path or by file:///path, a bucket by s3://, gs:// or azblob://;
// the package comment lists the parameters. It does not look whether the place is there: Probe does.
func Open(ctx context.Context, location string) (Store, error) {
	l, err := locate(location)
	if err != nil {
		return nil, err
	}
	if l.url == nil {
		return Dir(l.dir), nil
	}
	b, err := l.scheme.open(ctx, l.url)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", l.shown, explain(err))
	}
	return newBucket(location, l.url.Scheme+"://"+l.url.Host, l.prefix, b), nil
}

// Directory is the path of the directory that a location names, empty when it is a bucket's. The error is that of Open for
// what it says of the location itself; no credentials are needed for that.
func Directory(location string) (string, error) {
	l, err := locate(location)
	return l.dir, err
}

// A reading is a location that can be understood: a directory, or the URL of a bucket.
type reading struct {
	dir    string
	scheme scheme
	url    *url.URL
	prefix string // in the bucket
	shown  string // the location as it may be repeated
}

func locate(location string) (reading, error) {
	if location == "" {
		return reading{}, errors.New("the place of the dataset is empty, want a directory or a URL such as s3://bucket/prefix")
	}
	name, _, isURL := strings.Cut(location, "://")
	if !isURL {
		for _, s := range schemes() {
			if strings.HasPrefix(location, s.name+":") {
				return reading{}, fmt.Errorf("%s begins like a URL, want one such as %s; a directory of that name is ./%[1]s", location, s.example)
			}
		}
		return reading{dir: location}, nil
	}
	// What cannot be understood, or may hold a secret, is not repeated.
	u, err := url.Parse(location)
	if err != nil {
		return reading{}, fmt.Errorf("%s://... is not a URL that can be read, want one such as %s", name, exampleOf(name))
	}
	if u.User != nil || strings.Contains(u.Host+u.Path, "@") {
		return reading{}, fmt.Errorf("%s://... holds a user name or a password before an @: take it out; credentials come from the environment or the profiles of the cloud's own tools", name)
	}
	shown := redact(location)
	if u.Scheme == "file" {
		return readFile(u, shown)
	}
	for _, s := range schemes() {
		if s.name == u.Scheme {
			return readBucket(s, u, shown)
		}
	}
	known := []string{"a directory", "file://"}
	for _, s := range schemes() {
		known = append(known, s.name+"://")
	}
	return reading{}, fmt.Errorf("%s: no store is known for %s://, only %s", shown, name, strings.Join(known, ", "))
}

func exampleOf(name string) string {
	for _, s := range schemes() {
		if s.name == name {
			return s.example
		}
	}
	return schemes()[0].example
}

func readFile(u *url.URL, shown string) (reading, error) {
	if u.Host != "" && u.Host != "localhost" || u.Path == "" || u.RawQuery != "" || u.Fragment != "" {
		return reading{}, fmt.Errorf("%s names no directory of this machine, want file:///path or the plain path", shown)
	}
	return reading{dir: filepath.FromSlash(u.Path)}, nil
}

func readBucket(s scheme, u *url.URL, shown string) (reading, error) {
	if u.Host == "" || u.Fragment != "" {
		return reading{}, fmt.Errorf("%s names no bucket, want for example %s", shown, s.example)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" && path.Clean("/"+prefix) != "/"+prefix {
		return reading{}, fmt.Errorf("%s has an empty part, . or .. in its path, which mean nothing in a bucket; want for example %s", shown, s.example)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return reading{}, fmt.Errorf("what stands behind the question mark in %s cannot be read, want name=value&name=value", shown)
	}
	for name, values := range query {
		switch {
		case slices.Contains(s.params, name) && len(values) > 1:
			return reading{}, fmt.Errorf("%s says %s more than once", shown, name)
		case slices.Contains(s.params, name):
		case secretName(name):
			return reading{}, fmt.Errorf("%s has the parameter %s, which looks like a credential: take it out; credentials come from the environment or the profiles of the cloud's own tools", shown, name)
		default:
			return reading{}, fmt.Errorf("%s has the unknown parameter %s, want one of %s", shown, name, strings.Join(s.params, ", "))
		}
	}
	if e := query.Get("endpoint"); e != "" {
		if p, err := url.Parse(e); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" || p.User != nil || p.RawQuery != "" {
			return reading{}, fmt.Errorf("%s: the endpoint must be http:// or https://, a host and perhaps a port, without user name, password or parameters", shown)
		}
	}
	return reading{scheme: s, url: u, prefix: prefix, shown: shown}, nil
}

// secretName says whether a parameter of this name would hold a credential, in any of the three clouds' ways.
func secretName(name string) bool {
	name = strings.ToLower(name)
	for _, part := range []string{"secret", "token", "password", "passwd", "credential", "signature", "key", "sas", "auth"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return slices.Contains([]string{"sig", "se", "sp", "sv", "sr", "st", "spr", "sip", "pwd", "user"}, name) // a SAS token in pieces
}

// openS3 fills in what S3-compatible servers need: the bucket in the path, unless the user says otherwise, since hardly any
// of them has a name of its own for every bucket, and a region, which is part of every signature even where there is none.
func openS3(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	q := u.Query()
	own := q.Get("endpoint") != ""
	if own && q.Get("use_path_style") == "" && q.Get("s3ForcePathStyle") == "" && q.Get("hostname_immutable") == "" {
		q.Set("use_path_style", "true")
	}
	if q.Get("region") == "" {
		cfg, err := gcaws.NewDefaultV2Config(ctx)
		switch {
		case err != nil:
			return nil, err
		case cfg.Region == "" && q.Get("profile") == "" && own:
			q.Set("region", "us-east-1")
		case cfg.Region == "" && q.Get("profile") == "":
			return nil, errors.New("no region is set; write ?region=NAME behind the bucket, or set AWS_REGION")
		}
	}
	v := *u
	v.RawQuery = q.Encode()
	return new(s3blob.URLOpener).OpenBucketURL(ctx, &v)
}

// openGS finds the credentials itself: gocloud's own opener prints to standard output when there are none.
func openGS(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	client := gcp.NewAnonymousHTTPClient(gcp.DefaultTransport())
	if u.Query().Get("anonymous") == "" && os.Getenv("STORAGE_EMULATOR_HOST") == "" {
		creds, err := gcp.DefaultCredentials(ctx)
		if err != nil {
			return nil, errors.New("no Google credentials were found; run gcloud auth application-default login, set GOOGLE_APPLICATION_CREDENTIALS to a file with some, or write ?anonymous=true for a public bucket")
		}
		if client, err = gcp.NewHTTPClient(gcp.DefaultTransport(), gcp.CredentialsTokenSource(creds)); err != nil {
			return nil, err
		}
	}
	return (&gcsblob.URLOpener{Client: client}).OpenBucketURL(ctx, u)
}

// openAzure goes through the opener that azureblob registers, since only that one keeps a SAS token of the environment from
// being sent to another account than its own.
func openAzure(ctx context.Context, u *url.URL) (*blob.Bucket, error) {
	if u.Query().Get("storage_account") == "" && azureblob.NewDefaultServiceURLOptions().AccountName == "" {
		return nil, errors.New("no storage account is set; write ?storage_account=NAME behind the container, or set AZURE_STORAGE_ACCOUNT")
	}
	return blob.OpenBucket(ctx, u.String())
}

// Memory is a bucket that ends with the process: for tests.
func Memory() *Bucket { return newBucket("mem://", "mem://", "test", memblob.OpenBucket(nil)) }
