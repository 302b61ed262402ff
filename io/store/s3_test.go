package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"pfgmgen/io/store/storetest"
)

func noise(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return string(b)
}

// uploads are the unfinished uploads in parts.
func uploads(t *testing.T, b *Bucket) int {
	t.Helper()
	var client *s3.Client
	if !b.blob.As(&client) {
		t.Fatal("not S3")
	}
	out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: aws.String(storetest.Bucket)})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Uploads)
}

func TestS3Refusals(t *testing.T) {
	s := storetest.S3(t)
	// Every way to meet the store says the same, at once.
	ways := map[string]func(*Bucket) error{
		"probe":  func(b *Bucket) error { return b.Probe(t.Context()) },
		"stat":   func(b *Bucket) error { _, err := b.Stat(t.Context(), "x"); return err },
		"open":   func(b *Bucket) error { _, err := b.Open(t.Context(), "x"); return err },
		"list":   func(b *Bucket) error { _, err := b.List(t.Context(), ""); return err },
		"commit": func(b *Bucket) error { return write(t, b, "x", "x").Commit(t.Context(), nil) },
		"new":    func(b *Bucket) error { return write(t, b, "x", "x").CommitNew(t.Context()) },
	}
	check := func(name, location string, want ...string) {
		t.Run(name, func(t *testing.T) {
			for way, do := range ways {
				if slow := strings.HasSuffix(name, "!"); slow && way != "probe" && way != "new" {
					continue
				}
				start := time.Now()
				err := do(open(t, location))
				if err == nil || errors.Is(err, fs.ErrNotExist) || !slices.ContainsFunc(want, func(w string) bool { return strings.Contains(err.Error(), w) }) {
					t.Errorf("%s: %v; want one of %q", way, err, want)
				}
				if err != nil && (strings.Contains(err.Error(), storetest.SecretKey) || strings.Contains(err.Error(), "wrong-secret") || strings.Contains(err.Error(), "\n")) {
					t.Errorf("%s: %v", way, err)
				}
				if d := time.Since(start); d > 20*time.Second {
					t.Errorf("%s: took %v", way, d)
				}
			}
		})
	}
	check("no bucket", strings.Replace(s.URL, storetest.Bucket, "none", 1), "there is no such bucket")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	check("no server!", storetest.URL(l.Addr().String(), storetest.Bucket), "the server does not answer")
	check("http for https!", strings.Replace(s.URL, "http:", "https:", 1), "speaks HTTP, not HTTPS")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
	check("wrong secret", s.URL, "does not accept the credentials", "access is denied")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	check("no credentials", s.URL, "no credentials were found")
}

// TestS3Restart: the server is killed in the middle of an upload and comes back.
func TestS3Restart(t *testing.T) {
	s := storetest.S3(t)
	p := storetest.Proxy(t, s.Addr, 0)
	b := open(t, storetest.URL(p.Addr, storetest.Bucket))
	for name, size := range map[string]int{"small": 6 << 20, "parts": 48 << 20} {
		text := noise(size)
		f := write(t, b, name, text)
		if err := b.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		from := p.Bytes()
		done := make(chan error)
		go func() { done <- f.CommitNew(t.Context()) }()
		for p.Bytes() < from+int64(size)/2 {
			time.Sleep(time.Millisecond)
		}
		s.Stop()
		select {
		case err := <-done:
			t.Fatalf("%s: ended before the server did: %v", name, err)
		case <-time.After(3 * time.Second):
		}
		s.Start()
		if err := <-done; err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := read(t, b, name); got != text {
			t.Errorf("%s: %d bytes of %d, or others", name, len(got), size)
		}
	}
	if b.Retries() == 0 {
		t.Error("no retry was counted")
	}
}

// TestS3BadNetwork: every fifth request loses its connection somewhere.
func TestS3BadNetwork(t *testing.T) {
	s := storetest.S3(t)
	p := storetest.Proxy(t, s.Addr, 0.2)
	b := open(t, storetest.URL(p.Addr, storetest.Bucket))
	b.tries = 20
	texts := make([]string, 60)
	for i := range texts {
		texts[i] = noise([]int{10, 1000, 300_000, 2 << 20}[i%4])
	}
	texts[7] = noise(20 << 20)
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := w; i < len(texts); i += 4 {
				name := fmt.Sprintf("data/%02d", i)
				f := write(t, b, name, texts[i])
				end := f.CommitNew
				if i%3 == 0 {
					end = func(ctx context.Context) error { return f.Commit(ctx, nil) }
				}
				if err := end(t.Context()); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if got := read(t, b, name); got != texts[i] {
					t.Errorf("%s: read %d bytes of %d, or others", name, len(got), len(texts[i]))
				}
			}
		})
	}
	all.Wait()
	if got := names(t, b, "data"); len(got) != len(texts) {
		t.Errorf("%d names, want %d", len(got), len(texts))
	}
	if p.Lost() < 10 {
		t.Errorf("only %d connections were lost", p.Lost())
	}
	for i := range texts {
		if err := b.Remove(t.Context(), fmt.Sprintf("data/%02d", i)); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, b, "data"); len(got) != 0 {
		t.Errorf("after removal: %q", got)
	}
}

// TestS3Cut: the connection is lost once in the middle of a body; that costs one more attempt and nothing else.
func TestS3Cut(t *testing.T) {
	s := storetest.S3(t)
	p := storetest.Proxy(t, s.Addr, 0)
	b := open(t, storetest.URL(p.Addr, storetest.Bucket))
	for name, size := range map[string]int64{"small": 4 << 20, "parts": 20 << 20} {
		text, lost := noise(int(size)), p.Lost()
		f := write(t, b, name, text)
		p.CutAfter(size / 2)
		if err := f.Commit(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.Lost() != lost+1 {
			t.Errorf("%s: %d connections lost, want 1", name, p.Lost()-lost)
		}
		if read(t, b, name) != text {
			t.Errorf("%s: other bytes", name)
		}
	}
}

// TestS3Cancelled: an upload that is cancelled on the way leaves no object and no parts.
func TestS3Cancelled(t *testing.T) {
	s := storetest.S3(t)
	p := storetest.Proxy(t, s.Addr, 0)
	b := open(t, storetest.URL(p.Addr, storetest.Bucket))
	if err := b.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"small": 8 << 20, "parts": 64 << 20} {
		f := write(t, b, name, noise(size))
		ctx, cancel := context.WithCancel(t.Context())
		from := p.Bytes()
		go func() {
			for p.Bytes() < from+int64(size)/4 {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if err := f.CommitNew(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		if _, err := b.Stat(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: stat says %v", name, err)
		}
		if n := uploads(t, b); n != 0 {
			t.Errorf("%s: %d unfinished uploads", name, n)
		}
	}
}

// TestS3Silence: a network that swallows everything is given up, and is no matter when it comes back in time.
func TestS3Silence(t *testing.T) {
	s := storetest.S3(t)
	p := storetest.Proxy(t, s.Addr, 0)
	b := open(t, storetest.URL(p.Addr, storetest.Bucket))
	b.idle = 500 * time.Millisecond
	if err := b.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Hold(true)
	f := write(t, b, "x", "x")
	time.AfterFunc(time.Second, func() { p.Hold(false) })
	if err := f.Commit(t.Context(), nil); err != nil {
		t.Error(err)
	}
	p.Hold(true)
	b.tries = 2
	if err := write(t, b, "y", "y").Commit(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
	if _, err := b.Open(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("got %v", err)
	}
}

func TestS3Sweep(t *testing.T) {
	s := storetest.S3(t)
	b := open(t, strings.Replace(s.URL, "?", "/mine?", 1))
	var client *s3.Client
	b.blob.As(&client)
	for _, key := range []string{"mine/data/x", "mine/y", "mine/another/data/x", "other/z"} {
		in := &s3.CreateMultipartUploadInput{Bucket: aws.String(storetest.Bucket), Key: aws.String(key)}
		if _, err := client.CreateMultipartUpload(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Sweep(t.Context()); err != nil || uploads(t, b) != 4 {
		t.Errorf("young uploads: %v, %d are left", err, uploads(t, b))
	}
	b.orphan = 0
	if err := b.Sweep(t.Context()); err != nil || uploads(t, b) != 2 {
		t.Errorf("old uploads: %v, %d are left, want that of the other prefix and that of a dataset below", err, uploads(t, b))
	}
	root := open(t, s.URL)
	root.orphan = 0
	if err := root.Sweep(t.Context()); err != nil || uploads(t, b) != 2 {
		t.Errorf("a dataset that is the bucket: %v, %d are left, want all", err, uploads(t, b))
	}
}

// TestS3Memory: a file need not fit into memory.
func TestS3Memory(t *testing.T) {
	s := storetest.S3(t)
	b := open(t, s.URL)
	const size = 256 << 20
	f, err := b.Create("big")
	if err != nil {
		t.Fatal(err)
	}
	block := []byte(noise(1 << 20))
	for range size / len(block) {
		if _, err := f.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var peak uint64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	err = f.CommitNew(t.Context())
	close(stop)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MiB sent with at most %d MiB of heap", size>>20, peak>>20)
	if peak > 160<<20 {
		t.Errorf("%d MiB of heap in use for a file of %d MiB", peak>>20, size>>20)
	}
	r, err := b.Open(t.Context(), "big")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, got := 0, make([]byte, len(block)); i < size/len(block); i++ {
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, block) {
			t.Fatalf("block %d: %v", i, err)
		}
	}
}

// TestS3OldServers: servers without conditional PUT are found out before a race is lost. There are two kinds: those that
// say so, and those that overlook the header.
func TestS3OldServers(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", storetest.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", storetest.SecretKey)
	for _, test := range []struct {
		name   string
		honest bool
		want   string
	}{{"says so", true, "no conditional PUT"}, {"overlooks it", false, "both could win"}} {
		t.Run(test.name, func(t *testing.T) {
			var mu sync.Mutex
			objects := make(map[string]bool)
			var plain, conditional int
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case r.Method == http.MethodPut && r.Header.Get("If-None-Match") != "" && test.honest:
					conditional++
					w.WriteHeader(http.StatusNotImplemented)
					io.WriteString(w, `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message></Error>`)
				case r.Method == http.MethodPut:
					plain++
					objects[r.URL.Path] = true
				case r.Method == http.MethodDelete:
					delete(objects, r.URL.Path)
					w.WriteHeader(http.StatusNoContent)
				case !objects[r.URL.Path] && r.Method == http.MethodHead:
					w.WriteHeader(http.StatusNotFound)
				default:
					io.WriteString(w, `<ListBucketResult></ListBucketResult>`)
				}
			}))
			defer server.Close()
			b := open(t, storetest.URL(server.Listener.Addr().String(), "b"))
			for way, err := range map[string]error{
				"probe": b.Probe(t.Context()),
				"new":   write(t, b, "x", "x").CommitNew(t.Context()),
			} {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s: %v; want %q", way, err, test.want)
				}
			}
			if len(objects) != 0 {
				t.Errorf("left behind: %v", objects)
			}
			if test.honest && conditional != 2 {
				t.Errorf("%d requests for what is not implemented, want 2: it is not to be tried again", conditional)
			}
		})
	}
}

// TestS3OneRequest: a small file is one PUT, after one question whether it is there.
func TestS3OneRequest(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", storetest.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", storetest.SecretKey)
	var mu sync.Mutex
	var got []string
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Method)
		if r.Method == http.MethodPut {
			header = r.Header
		} else {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	b := open(t, storetest.URL(server.Listener.Addr().String(), "b"))
	b.there.Store(true)
	f := write(t, b, "data/x.parquet", noise(12<<20))
	if err := f.Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{"HEAD", "PUT"}) {
		t.Errorf("requests %q, want HEAD and PUT", got)
	}
	for name, want := range map[string]string{"X-Amz-Meta-Sha256": f.SHA256(), "If-None-Match": "*", "Content-Type": "application/vnd.apache.parquet"} {
		if header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, header.Get(name), want)
		}
	}
}
