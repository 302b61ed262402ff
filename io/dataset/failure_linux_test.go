package dataset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/io/store"
)

// The test binary starts itself again with this variable set to do what would harm the tests: be killed, or live
// under a limit.
const childVariable = "PFGMGEN_DATASET_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childVariable); what != "" {
		if err := child(what, os.Args[len(os.Args)-1]); err != nil {
			fmt.Println(err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes a dataset to dir in an adverse world.
func child(what, dir string) error {
	ctx := context.Background()
	format, what, _ := strings.Cut(what, " ")
	switch what {
	case "full": // no file may grow beyond 100 KB, as on a disk that is full by then
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100_000, Max: 100_000}); err != nil {
			return err
		}
	case "tmpfs": // a real file system that is full by then, in a mount namespace of our own
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=200k"); err != nil {
			return fmt.Errorf("cannot mount: %w", err)
		}
	}
	if _, err := WritePlan(ctx, store.Dir(dir), []byte("{}"), nil); err != nil {
		return err
	}
	o := Options{RowGroupRows: 500}
	if format != "text" {
		o.Format = format
	}
	w, err := Create(ctx, store.Dir(dir), fixtureSchema(), o)
	if err != nil {
		return err
	}
	if format == "text" {
		t, err := w.Text("fasta/x.fasta")
		if err != nil {
			return err
		}
		defer t.Abort()
		b := bufio.NewWriter(t)
		for range 1 << 20 {
			b.WriteString("ACGU")
		}
		b.Flush()
		_, err = t.Commit(ctx)
		return err
	}
	p, err := w.Part(0)
	if err != nil {
		return err
	}
	rec := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, 4000)
	defer report(dir)
	defer p.Abort()
	if err := p.Write(rec); err != nil {
		return err
	}
	if what == "kill" {
		return syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	_, err = p.Commit(ctx)
	return err
}

// report prints what is left, for the parent cannot look into the child's mounts.
func report(dir string) {
	names, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, "*", ".*"))
	fmt.Println("left:", append(names, hidden...))
}

func startChild(t *testing.T, what, dir string) (string, *os.ProcessState) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, dir)
	cmd.Env = append(os.Environ(), childVariable+"="+what)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState
}

func TestDiskFull(t *testing.T) {
	for format, name := range map[string]string{
		Parquet: "data/train-00000.parquet",
		Arrow:   "data/train-00000.arrow",
		"text":  "fasta/x.fasta",
	} {
		dir := filepath.Join(t.TempDir(), "out")
		out, state := startChild(t, format+" full", dir)
		path := filepath.Join(dir, name)
		if state.ExitCode() != 3 || !strings.Contains(out, "dataset: "+path+": write: file too large") {
			t.Errorf("%s: exit code %d, output %s", format, state.ExitCode(), out)
		}
		if got := strings.Join(files(t, dir), " "); got != "_pfgmgen/plan.json" {
			t.Errorf("%s: left %s", format, got)
		}
	}
}

// The same on a real file system of 200 KB, where this user may mount one: the cause is then ENOSPC.
func TestFileSystemFull(t *testing.T) {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	cmd := exec.Command(self, dir)
	cmd.Env = append(os.Environ(), childVariable+"="+Parquet+" tmpfs")
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || strings.Contains(string(out), "cannot mount") {
		t.Logf("no mounts here (%v %s): TestDiskFull has covered a failing write", err, out)
		return
	}
	want := "dataset: " + filepath.Join(dir, "data", "train-00000.parquet") + ": write: no space left on device"
	left := "left: [" + filepath.Join(dir, planName) + "]"
	if !strings.Contains(string(out), want) || !strings.Contains(string(out), left) {
		t.Errorf("output %s, want %s and %s", out, want, left)
	}
}

func TestKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	_, state := startChild(t, Parquet+" kill", dir)
	if state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child ended with %v", state)
	}
	left := files(t, dir)
	if len(left) != 2 {
		t.Fatalf("left %v, want the plan and one unfinished part", left)
	}
	for _, name := range left {
		if base := filepath.Base(name); base != "plan.json" && !strings.HasSuffix(base, ".tmp") {
			t.Errorf("%s looks finished", name)
		}
	}
	if _, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(files(t, dir), " "); got != "_pfgmgen/plan.json" {
		t.Errorf("after Create: %s", got)
	}
}

func TestReadOnlyPlace(t *testing.T) {
	runtime.LockOSThread() // the file system identity below is one of the thread
	defer runtime.UnlockOSThread()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if os.Getuid() == 0 {
		// Root may write anywhere, so be nobody for as long as files are concerned.
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer syscall.Setfsuid(0)
	}
	for _, place := range []string{dir, filepath.Join(dir, "new"), filepath.Join(dir, "new", "deep")} {
		_, err := CheckPlace(t.Context(), store.Dir(place))
		if !errors.Is(err, ErrPlace) || !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v, want permission denied", place, err)
		}
		if _, err := WritePlan(t.Context(), store.Dir(place), []byte("{}"), nil); !errors.Is(err, ErrPlace) {
			t.Errorf("WritePlan %s: %v", place, err)
		}
	}
}

// A directory that becomes read-only, or is replaced, in the middle of a run.
func TestPlaceGoneWhileWriting(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(t.Context(), store.Dir(dir), fixtureSchema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.Part(0)
	if err != nil {
		t.Fatal(err)
	}
	rec := fixtureRecord(memory.DefaultAllocator, fixtureSchema(), 0, 10)
	defer rec.Release()
	if err := p.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Commit(t.Context()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "train-00000.parquet: rename") {
		t.Errorf("commit: %v", err)
	}
	if len(w.Parts()) != 0 {
		t.Error("the part counts as committed")
	}
}
