package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pfgmgen/io/store/storetest"
)

// TestConformance holds every kind of store to the same promises.
func TestConformance(t *testing.T) {
	t.Run("dir", func(t *testing.T) {
		conform(t, func(t *testing.T) Store { return Dir(filepath.Join(t.TempDir(), "out")) })
	})
	t.Run("memory", func(t *testing.T) { conform(t, func(t *testing.T) Store { return quick(Memory()) }) })
	for name, server := range map[string]func(testing.TB) *storetest.Server{"s3": storetest.S3, "gs": storetest.GCS} {
		t.Run(name, func(t *testing.T) {
			bucket, params, _ := strings.Cut(server(t).URL, "?")
			n := 0
			conform(t, func(t *testing.T) Store {
				n++
				return open(t, fmt.Sprintf("%s/in/%d?%s", bucket, n, params))
			})
		})
	}
}

func open(t *testing.T, location string) *Bucket {
	t.Helper()
	s, err := Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return quick(s.(*Bucket))
}

// quick makes a bucket that has no patience to spare.
func quick(b *Bucket) *Bucket {
	b.wait = 50 * time.Millisecond
	return b
}

func write(t testing.TB, s Store, name, text string) *File {
	t.Helper()
	f, err := s.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	return f
}

func commit(t testing.TB, s Store, name, text string) {
	t.Helper()
	if err := write(t, s, name, text).Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, s Store, name string) string {
	t.Helper()
	r, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t testing.TB, s Store, folder string) []string {
	t.Helper()
	list, err := s.List(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

// nothing checks that a store is empty and that no temporary file is left.
func nothing(t *testing.T, s Store) {
	t.Helper()
	if got := append(names(t, s, ""), names(t, s, "data")...); len(got) > 0 {
		t.Errorf("there is %q", got)
	}
	if d, ok := s.(Dir); ok {
		filepath.WalkDir(string(d), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				t.Errorf("left behind: %s", path)
			}
			return nil
		})
	}
}

func conform(t *testing.T, fresh func(*testing.T) Store) {
	t.Setenv("TMPDIR", t.TempDir())
	run := func(name string, test func(*testing.T, Store)) {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}

	run("files", func(t *testing.T, s Store) {
		if err := s.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothing(t, s)
		for name, text := range map[string]string{"a.json": "{}", "data/b.parquet": "bb", "data/c.parquet": "", "data/deep/d": "d", "e": "e"} {
			commit(t, s, name, text)
			if got := read(t, s, name); got != text {
				t.Errorf("%s holds %q, want %q", name, got, text)
			}
			i, err := s.Stat(t.Context(), name)
			if err != nil || i.Name != name || i.Size != int64(len(text)) || time.Since(i.Modified).Abs() > time.Hour {
				t.Errorf("%s: stat %+v %v", name, i, err)
			}
			path, done, err := s.Local(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(path); err != nil || string(b) != text || filepath.Ext(path) != filepath.Ext(name) {
				t.Errorf("%s: local file %s holds %q %v", name, path, b, err)
			}
			done()
		}
		if got := names(t, s, ""); !slices.Equal(got, []string{"a.json", "e"}) {
			t.Errorf("at the top: %q", got)
		}
		if got := names(t, s, "data"); !slices.Equal(got, []string{"data/b.parquet", "data/c.parquet"}) {
			t.Errorf("in data: %q", got)
		}
		if got := names(t, s, "nowhere"); got != nil {
			t.Errorf("in a folder that is not there: %q", got)
		}
		if got, err := s.Folders(t.Context()); err != nil || !slices.Equal(got, []string{"data"}) {
			t.Errorf("folders %q %v", got, err)
		}
		for range 2 {
			if err := s.Remove(t.Context(), "e"); err != nil {
				t.Error(err)
			}
		}
		if got := names(t, s, ""); !slices.Equal(got, []string{"a.json"}) {
			t.Errorf("after a removal: %q", got)
		}
		if err := s.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
	})

	run("not there", func(t *testing.T, s Store) {
		_, err := s.Stat(t.Context(), "data/none")
		errs := []error{err}
		_, err = s.Open(t.Context(), "data/none")
		errs = append(errs, err)
		_, _, err = s.Local(t.Context(), "data/none")
		errs = append(errs, err)
		want := strings.TrimSuffix(strings.Split(s.String(), "?")[0], "/")
		for _, err := range errs {
			if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "data/none") || strings.Contains(err.Error(), "?") {
				t.Errorf("%v; want fs.ErrNotExist with the whole name in %s", err, want)
			}
		}
	})

	run("commit", func(t *testing.T, s Store) {
		commit(t, s, "x", "old")
		first, err := s.Stat(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond) // object stores count whole seconds
		called := 0
		before := func() error { called++; return nil }
		if err := write(t, s, "x", "old").Commit(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if again, err := s.Stat(t.Context(), "x"); err != nil || called != 0 || !again.Modified.Equal(first.Modified) {
			t.Errorf("the same bytes again: before was called %d times, modified %v and %v, %v", called, first.Modified, again.Modified, err)
		}
		if err := write(t, s, "x", "new").Commit(t.Context(), before); err != nil || called != 1 || read(t, s, "x") != "new" {
			t.Errorf("other bytes: %v, before was called %d times, now %q", err, called, read(t, s, "x"))
		}
		no := errors.New("no")
		if err := write(t, s, "x", "third").Commit(t.Context(), func() error { return no }); !errors.Is(err, no) || read(t, s, "x") != "new" {
			t.Errorf("before says no: %v, now %q", err, read(t, s, "x"))
		}
		if err := write(t, s, "x", "third").CommitNew(t.Context()); !errors.Is(err, fs.ErrExist) || read(t, s, "x") != "new" {
			t.Errorf("a new one in the place of another: %v", err)
		}
		if err := write(t, s, "x", "new").CommitNew(t.Context()); err != nil {
			t.Errorf("a new one with the same bytes: %v", err)
		}
		f := write(t, s, "y", "y")
		if err := f.CommitNew(t.Context()); err != nil {
			t.Error(err)
		}
		if err := f.Commit(t.Context(), nil); !errors.Is(err, ErrDone) {
			t.Errorf("a second commit: %v", err)
		}
	})

	run("abort and cancel", func(t *testing.T, s Store) {
		f := write(t, s, "data/x", strings.Repeat("x", 1<<20))
		f.Abort()
		f.Abort()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := write(t, s, "data/y", "y").Commit(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled commit: %v", err)
		}
		if err := write(t, s, "data/y", "y").CommitNew(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled commit of a new one: %v", err)
		}
		nothing(t, s)
		if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "pfgmgen-*")); len(left) > 0 {
			t.Errorf("left in TMPDIR: %v", left)
		}
	})

	run("race", func(t *testing.T, s Store) {
		const writers = 16
		for _, equal := range []bool{false, true} {
			name := fmt.Sprint("race-", equal)
			files := make([]*File, writers)
			for i := range files {
				text := fmt.Sprint("writer ", i)
				if equal {
					text = "all"
				}
				files[i] = write(t, s, name, text)
			}
			var won, lost atomic.Int64
			var winner atomic.Int64
			var all sync.WaitGroup
			start := make(chan struct{})
			for i, f := range files {
				all.Go(func() {
					<-start
					switch err := f.CommitNew(t.Context()); {
					case err == nil:
						won.Add(1)
						winner.Store(int64(i))
					case errors.Is(err, fs.ErrExist):
						lost.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if equal && won.Load() != writers {
				t.Errorf("of %d writers of the same bytes %d succeeded", writers, won.Load())
			}
			if want := fmt.Sprint("writer ", winner.Load()); !equal && (won.Load() != 1 || lost.Load() != writers-1 || read(t, s, name) != want) {
				t.Errorf("of %d writers %d won and %d lost; it holds %q, want %q", writers, won.Load(), lost.Load(), read(t, s, name), want)
			}
		}
	})

	run("readers see whole files", func(t *testing.T, s Store) {
		versions := []string{strings.Repeat("a", 1<<20), strings.Repeat("b", 1<<20-1)}
		commit(t, s, "x", versions[0])
		stop := make(chan struct{})
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					r, err := s.Open(t.Context(), "x")
					if err != nil {
						t.Error(err)
						return
					}
					b, err := io.ReadAll(r)
					r.Close()
					if err != nil || !slices.Contains(versions, string(b)) {
						t.Errorf("read %d bytes of no version: %v", len(b), err)
						return
					}
				}
			})
		}
		for i := range 20 {
			commit(t, s, "x", versions[(i+1)%2])
		}
		close(stop)
		all.Wait()
	})

	run("1,100 files", func(t *testing.T, s Store) {
		var want []string
		for i := range 1100 {
			want = append(want, fmt.Sprintf("data/part-%05d", i))
		}
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := w; i < len(want); i += 8 {
					f, err := s.Create(want[i])
					if err != nil {
						t.Error(err)
						return
					}
					if err := f.Commit(t.Context(), nil); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if got := names(t, s, "data"); !slices.Equal(got, want) {
			t.Errorf("%d names, want %d in order", len(got), len(want))
		}
	})
}

// TestNoRoom: when a temporary file cannot be made the message says what to do.
func TestNoRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "none"))
	if _, err := Memory().Create("x"); err == nil || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("got %v", err)
	}
}

// TestStagedFileChanges: what is sent is what was written, or nothing.
func TestStagedFileChanges(t *testing.T) {
	s := quick(Memory())
	f := write(t, s, "x", strings.Repeat("x", 1<<20))
	publish := f.publish
	f.publish = func(ctx context.Context, onlyNew bool, before func() error) error {
		if _, err := f.temp.WriteAt([]byte("y"), 77); err != nil {
			t.Fatal(err)
		}
		return publish(ctx, onlyNew, before)
	}
	if err := f.Commit(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "temporary file changed") {
		t.Errorf("got %v", err)
	}
	nothing(t, s)
}

// TestUnlabelled: an object that somebody else put there has no hash with it, so its bytes are read.
func TestUnlabelled(t *testing.T) {
	s := quick(Memory())
	if err := s.blob.WriteAll(t.Context(), s.key("x"), []byte("same"), nil); err != nil {
		t.Fatal(err)
	}
	if err := write(t, s, "x", "same").CommitNew(t.Context()); err != nil {
		t.Errorf("the same bytes: %v", err)
	}
	if err := write(t, s, "x", "diff").CommitNew(t.Context()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("other bytes: %v", err)
	}
}

// Directory says where a location is without asking for credentials, and refuses what Open refuses.
func TestDirectory(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none"))
	for location, want := range map[string]string{"out/rna": "out/rna", "file:///data/rna": "/data/rna", "s3://bucket/rna": "", "gs://bucket/rna": ""} {
		if got, err := Directory(location); err != nil || got != filepath.FromSlash(want) {
			t.Errorf("%s: %q, %v, want %q", location, got, err, want)
		}
	}
	for _, location := range []string{"", "s3:bucket", "s3://key:word@bucket/x", "gs://bucket?token=x", "ftp://host/x"} {
		if dir, err := Directory(location); err == nil || dir != "" {
			t.Errorf("%s: %q, %v", location, dir, err)
		}
	}
}

func TestOpen(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_CONNECTION_STRING",
		"AZURE_STORAGEBLOB_CONNECTIONSTRING", "AZURE_STORAGE_SAS_TOKEN", "STORAGE_EMULATOR_HOST"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none"))
	for location, want := range map[string]string{
		"out":                              "out",
		"file:///a/b":                      "/a/b",
		"C:\\data":                         "C:\\data",
		"s3://b/p/q?region=r":              "s3://b/p/q",
		"s3://b?endpoint=http://h:1":       "s3://b",
		"gs://b/p/?anonymous=true":         "gs://b/p",
		"azblob://c/p?storage_account=acc": "azblob://c/p",
	} {
		s, err := Open(t.Context(), location)
		if err != nil {
			t.Errorf("%s: %v", location, err)
			continue
		}
		got := s.String()
		if b, ok := s.(*Bucket); ok {
			if got != location {
				t.Errorf("%s calls itself %s", location, got)
			}
			got = b.url("")
		}
		if got != want {
			t.Errorf("%s is at %s, want %s", location, got, want)
		}
	}
	const secret = "hunter2"
	for location, want := range map[string]string{
		"":                                      "is empty",
		"s3:/b":                                 "s3://bucket/prefix",
		"ftp://h/x":                             "only a directory, file://, s3://, gs://, azblob://",
		"mem://":                                "no store is known for mem://",
		"file://h/x":                            "want file:///path",
		"s3://":                                 "names no bucket",
		"s3://b/x#y":                            "names no bucket",
		"s3://b/x/../y":                         "mean nothing in a bucket",
		"s3://b/x//y":                           "mean nothing in a bucket",
		"s3://b/x":                              "no region is set; write ?region=",
		"s3://b?regoin=x":                       "unknown parameter regoin, want one of region, endpoint",
		"s3://b?region=x&region=y":              "more than once",
		"s3://b?endpoint=h:9000":                "endpoint must be http:// or https://",
		"s3://b?endpoint=http://u:hunter2@h":    "without user name, password",
		"s3://b?endpoint=http://h/%3Fa=hunter2": "endpoint must be",
		"s3://b?use_path_style=x&region=r":      "use_path_style",
		"s3://AKIA:hunter2@b/x":                 "before an @",
		"s3://AKIA:hun/ter2@b/hunter2":          "not a URL|before an @",
		"s3://b?secret_access_key=hunter2":      "secret_access_key, which looks like a credential",
		"s3://b?access_key=hunter2":             "looks like a credential",
		"s3://b?X-Amz-Signature=hunter2":        "looks like a credential",
		"azblob://c?sv=1&sig=hunter2":           "looks like a credential",
		"azblob://c?sas_token=hunter2":          "looks like a credential",
		"azblob://c/p":                          "no storage account is set; write ?storage_account=",
		"gs://b/p":                              "no Google credentials were found",
		"gs://b?credentials=hunter2":            "looks like a credential",
		"s3://%zz?key=hunter2":                  "not a URL that can be read",
		"s3://b?x=%zz&key=hunter2":              "cannot be read",
	} {
		_, err := Open(t.Context(), location)
		if err == nil {
			t.Errorf("%s opens", location)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells the secret: %v", location, err)
		}
		if !slices.ContainsFunc(strings.Split(want, "|"), func(w string) bool { return strings.Contains(err.Error(), w) }) {
			t.Errorf("%s: %v; want %q", location, err, want)
		}
	}
}

func TestRedact(t *testing.T) {
	for text, want := range map[string]string{
		`Put "https://acc.blob.core.windows.net/c/b?se=2026&sig=abc%3D": dial tcp`: `Put "https://acc.blob.core.windows.net/c/b?...": dial tcp`,
		`get http://u:p@h/x failed`: `get http://...@h/x failed`,
		`bad value sig=abc&x=1`:     `bad value sig=...&x=1`,
		`nothing to hide`:           `nothing to hide`,
	} {
		if got := redact(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

// A probe that was killed before it took its object away leaves one that nobody sees, and that is swept when it is old.
func TestLeftProbe(t *testing.T) {
	b := Memory()
	left := probePrefix + "0123456789abcdef"
	if err := write(t, b, left, "").Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if list, err := b.List(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
	for _, age := range []time.Duration{time.Hour, 0} {
		b.orphan = age
		if err := b.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), left); errors.Is(err, fs.ErrNotExist) != (age == 0) {
			t.Errorf("swept after %v: %v", age, err)
		}
	}
}
