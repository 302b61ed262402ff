package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Throw-away credentials of the server, which only listens on the loopback interface.
const (
	AccessKey = "pfgmgen-test"
	SecretKey = "throw-away-secret"
)

// Bucket is the bucket that the server has from the beginning.
const Bucket = "data"

// version is the one that setup/versitygw.sh builds.
const version = "1.8.0"

// A Server is an S3 server with one bucket.
type Server struct {
	URL  string // of the bucket, for store.Open
	Addr string // host:port
	Root string // its files: an object is the file Root/BUCKET/KEY

	t       testing.TB
	program string
	cmd     *exec.Cmd
	log     bytes.Buffer
}

// S3 starts a server and sets the credentials for it in the environment of the test, which therefore cannot be parallel.
// It stops with the test.
func S3(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts an S3 server: not with -short")
	}
	program, err := find()
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
	addr := l.Addr().String()
	l.Close()
	s := &Server{URL: URL(addr, Bucket), Addr: addr, Root: root, t: t, program: program}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey, "AWS_SESSION_TOKEN": "",
		// Nothing of the machine's own settings may reach the tests.
		"AWS_PROFILE": "", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// URL is the location of a bucket, with or without a prefix, on the server at addr, which may be a Proxy.
func URL(addr, bucket string) string { return fmt.Sprintf("s3://%s?endpoint=http://%s", bucket, addr) }

// Start starts the server again after Stop, with the files that it had, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	s.log.Reset()
	// Attributes are extended ones of the files: in files of their own (--sidecar) they change before or after the bytes,
	// and a reader in between finds a checksum that is not that of what it reads.
	s.cmd = exec.Command(s.program, "--quiet", "--port", s.Addr, "--keep-alive", "posix", s.Root)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+AccessKey, "ROOT_SECRET_ACCESS_KEY="+SecretKey)
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
			unavailable(s.t, fmt.Errorf("the S3 server did not answer within 30 s: %w; it says:\n%s\nit needs a file system with extended attributes in TMPDIR (%s)", err, s.log.String(), os.TempDir()))
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

// find is the program of the server, built first if it must be.
func find() (string, error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "setup", "versitygw.sh")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			return "", errors.New("setup/versitygw.sh is not above the working directory: run the test inside the project")
		}
		root = parent
	}
	program := filepath.Join(root, ".cache", "bin", "versitygw-"+version)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	// Before the test's own limit of time ends, which would name no cause.
	ctx, cancel := context.WithTimeout(context.Background(), 9*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(root, "setup", "versitygw.sh")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("setup/versitygw.sh: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("setup/versitygw.sh builds another version than io/store/storetest wants: %w", err)
	}
	return program, nil
}
