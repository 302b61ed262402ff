package temporaltest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"pfgmgen/internal/servertest"
)

// A Server is a Temporal server with the namespace default.
type Server struct {
	Addr string // host:port

	t       testing.TB
	program string
	state   string // file
	cmd     *exec.Cmd
	log     *bytes.Buffer
}

// Start starts a server, which ends with the test. With -short the test is skipped; when no server can be had it fails, for
// what it would have shown is not shown otherwise.
func Start(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a Temporal server: not with -short")
	}
	program, err := servertest.Program("temporal")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: l.Addr().String(), t: t, program: program, state: filepath.Join(t.TempDir(), "temporal.db")}
	l.Close()
	t.Cleanup(s.Kill)
	s.Restart()
	return s
}

// Restart starts the server again after Kill, with what it knew, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	if s.cmd != nil {
		return
	}
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.log = new(bytes.Buffer)
	s.cmd = exec.Command(s.program, "server", "start-dev", "--headless", "--ip", host, "--port", port, "--db-filename", s.state, "--log-level", "error",
		"--sqlite-pragma", "synchronous=off") // what a process has written outlives it without waiting for the disk
	s.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "TEMPORAL_") })
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		err := s.answers()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			s.Kill()
			s.t.Fatalf("the Temporal server did not answer within a minute: %v; it says:\n%s", err, s.log.String())
		}
	}
}

// answers asks for the namespace, which is made last.
func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{HostPort: s.Addr, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: client.DefaultNamespace})
	return err
}

// Kill kills the server at once, whatever it is doing. Its state stays.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}
