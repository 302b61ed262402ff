package storetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pfgmgen/internal/servertest"
)

// Throw-away credentials of the server, which only listens on the loopback interface.
const (
	AccessKey = "pfgmgen-test"
	SecretKey = "throw-away-secret"
)

// Bucket is the bucket that the server has from the beginning.
const Bucket = "data"

// A Server is the server of an object store with one bucket.
type Server struct {
	URL  string // of the bucket, for store.Open
	Addr string // host:port
	Root string // its files: an object is the file Root/BUCKET/KEY

	t   testing.TB
	run []string // the program and its arguments
	cmd *exec.Cmd
	log bytes.Buffer
}

// S3 starts an S3 server and sets the credentials for it in the environment of the test, which therefore cannot be
// parallel. It stops with the test.
func S3(t testing.TB) *Server {
	t.Helper()
	s := newServer(t, "s3")
	s.URL = URL(s.Addr, Bucket)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey, "AWS_SESSION_TOKEN": "",
		"ROOT_ACCESS_KEY_ID": AccessKey, "ROOT_SECRET_ACCESS_KEY": SecretKey, // as the server calls them
		// Nothing of the machine's own settings may reach the tests.
		"AWS_PROFILE": "", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	// Attributes are extended ones of the files: in files of their own (--sidecar) they change before or after the bytes,
	// and a reader in between finds a checksum that is not that of what it reads.
	s.run = append(s.run, "--quiet", "--port", s.Addr, "--keep-alive", "posix", s.Root)
	s.Start()
	return s
}

// URL is the location of a bucket, with or without a prefix, on the S3 server at addr, which may be a Proxy.
func URL(addr, bucket string) string { return fmt.Sprintf("s3://%s?endpoint=http://%s", bucket, addr) }

// GCS starts a server of Google Cloud Storage's API, and lets gs:// URLs of this test, which therefore cannot be parallel,
// mean it. It stops with the test.
func GCS(t testing.TB) *Server {
	t.Helper()
	s := newServer(t, "gcs")
	s.URL = "gs://" + Bucket
	t.Setenv("STORAGE_EMULATOR_HOST", s.Addr)
	host, port, _ := net.SplitHostPort(s.Addr)
	s.run = append(s.run, "-scheme", "http", "-host", host, "-port", port, "-public-host", s.Addr, "-backend", "filesystem", "-filesystem-root", s.Root, "-log-level", "warn")
	s.Start()
	return s
}

// newServer has a program, an address and an empty bucket.
func newServer(t testing.TB, name string) *Server {
	t.Helper()
	if testing.Short() {
		t.Skipf("starts a server (%s): not with -short", name)
	}
	program, err := servertest.Program(name)
	if err != nil {
		unavailable(t, err)
	}
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, Bucket), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &Server{Addr: l.Addr().String(), Root: root, t: t, run: []string{program}}
	t.Cleanup(s.Stop)
	return s
}

// Start starts the server again after Stop, with the files that it had, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	s.log.Reset()
	s.cmd = exec.Command(s.run[0], s.run[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		unavailable(s.t, err)
	}
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		resp, err := client.Get("http://" + s.Addr + "/")
		if err == nil {
			resp.Body.Close()
			return
		}
		if time.Now().After(end) {
			s.Stop()
			unavailable(s.t, fmt.Errorf("%s did not answer within 30 s: %w; it says:\n%s\nit may need a file system with extended attributes in TMPDIR (%s)",
				filepath.Base(s.run[0]), err, s.log.String(), os.TempDir()))
		}
	}
}

// Stop kills the server at once, whatever it is doing. Its files stay.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

// unavailable fails in CI, where nobody would see that the tests did not run.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}
