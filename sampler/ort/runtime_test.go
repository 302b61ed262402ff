package ort

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pfgmgen/internal/onnx"
)

// childMode makes the test binary act as a small program: a process chooses its runtime once, so everything about the
// choice is tried in a process of its own. childPath is the path that the child asks for.
const (
	childMode = "PFGMGEN_ORT_TEST_CHILD"
	childPath = "PFGMGEN_ORT_TEST_PATH"
)

// child does what the mode names and says on stdout what came of it.
func child(mode string) int {
	path := os.Getenv(childPath)
	switch mode {
	case "load":
		r, err := Load(path)
		fmt.Printf("not found: %t\ntoo old: %t\nerror: %v\n", errors.Is(err, ErrNotFound), errors.Is(err, ErrTooOld), err)
		if err == nil {
			fmt.Printf("runtime: %s %s\n", r.Version(), r.Path())
		}
	case "signal":
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, syscall.SIGINT)
		if _, err := Load(path); err == nil {
			fmt.Println("the library was taken")
			return 1
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			fmt.Println(err)
			return 1
		}
		select {
		case <-interrupts:
			fmt.Println("interrupt arrived")
		case <-time.After(5 * time.Second):
			fmt.Println("no interrupt")
		}
	case "denormals":
		runtime.LockOSThread()
		r, err := Load(path)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		c := contract(4, 1)
		model, err := marshal(c, func(g *onnx.Graph) { gaussian(g, c) })
		if err != nil {
			fmt.Println(err)
			return 1
		}
		d, err := r.Open(model, SessionOptions{Threads: 2})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		defer d.Close()
		fmt.Printf("half of the denormal: %b\n", math.Float64bits(product(math.Float64frombits(1<<8), 0.5)))
	case "twice":
		var wg sync.WaitGroup
		runtimes := make([]*Runtime, 4)
		for i := range runtimes {
			wg.Go(func() { runtimes[i], _ = Load(path) })
		}
		wg.Wait()
		fmt.Printf("one runtime: %t\n", runtimes[0] != nil && runtimes[0] == runtimes[1] && runtimes[0] == runtimes[3])
		r, err := Load(filepath.Dir(path))
		fmt.Printf("its folder: %t\n", err == nil && r == runtimes[0])
		_, err = Load(filepath.Join(os.TempDir(), "other.so"))
		fmt.Printf("another: %v\n", err)
	}
	return 0
}

//go:noinline
func product(a, b float64) float64 { return a * b }

// run starts the child in an empty folder, with the extra environment, and returns what it says.
func run(t *testing.T, mode, path string, env ...string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Dir = t.TempDir()
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, EnvLibrary) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, childMode+"="+mode, childPath+"="+path), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	return string(out)
}

// fakeLibrary compiles a library that says it is ONNX Runtime of a version and offers nothing. When it is asked for its
// interface it runs the C statement first.
func fakeLibrary(t *testing.T, path, version, statement string) string {
	t.Helper()
	return compileLibrary(t, path, fmt.Sprintf(`#include <signal.h>
#include <stddef.h>
static const void *api(unsigned int v) { return NULL; }
static const char *version(void) { return %q; }
static const struct { const void *(*api)(unsigned int); const char *(*version)(void); } base = {api, version};
const void *OrtGetApiBase(void) { %s; return &base; }
`, version, statement))
}

func compileLibrary(t *testing.T, path, source string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "fake.c")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cc, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	command := append(strings.Fields(string(cc)), "-shared", "-fPIC", "-o", path, file)
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text", libraryNames()[0])
	if err := os.MkdirAll(filepath.Dir(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte("not a library\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	old := fakeLibrary(t, filepath.Join(dir, "old", libraryNames()[0]), "1.24.3", "")
	odd := fakeLibrary(t, filepath.Join(dir, "odd", libraryNames()[0]), "nightly", "")
	liar := fakeLibrary(t, filepath.Join(dir, "liar", libraryNames()[0]), "1.99.0", "")
	other := compileLibrary(t, filepath.Join(dir, "other", "libother.so"), "int answer(void) { return 42; }")
	b, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.so")
	if err := os.WriteFile(cut, b[:len(b)/2], 0o755); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.so")
	for _, test := range []struct {
		name, path, env string
		want            []string
	}{
		{"missing", missing, "", []string{"not found: true", missing, "as asked", "make setup"}},
		{"missing by environment", "", missing, []string{"not found: true", missing, "set by " + EnvLibrary, "make setup"}},
		{"folder without it", dir, "", []string{"not found: true", libraryNames()[0], "make setup"}},
		{"text", text, "", []string{"not found: false", "cannot use " + text, "make setup"}},
		{"truncated", cut, "", []string{"cannot use " + cut, "truncated", "make setup"}},
		{"another library", other, "", []string{"cannot use " + other, "not ONNX Runtime", "OrtGetApiBase"}},
		{"old", old, "", []string{"too old: true", "1.24.3", "1.29 or newer", "make setup"}},
		{"old, by folder and environment", "", filepath.Dir(old), []string{"too old: true", "1.24.3", "set by " + EnvLibrary}},
		{"odd version", odd, "", []string{`calls its version "nightly"`}},
		{"says new, is not", liar, "", []string{"start ONNX Runtime 1.99.0", liar}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, "load", test.path, EnvLibrary+"="+test.env)
			for _, part := range test.want {
				if !strings.Contains(got, part) {
					t.Errorf("%q is not in:\n%s", part, got)
				}
			}
			if strings.Contains(got, "runtime: ") {
				t.Errorf("the library was taken:\n%s", got)
			}
		})
	}
}

func TestLoadOncePerProcess(t *testing.T) {
	got := run(t, "twice", load(t).Path())
	for _, want := range []string{"one runtime: true", "its folder: true", "another: ort: ", "it can run only one"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in:\n%s", want, got)
		}
	}
	if got := run(t, "load", "", EnvLibrary+"="+load(t).Path()); !strings.Contains(got, "runtime: "+load(t).Version()) {
		t.Errorf("the library that the environment names was not taken:\n%s", got)
	}
	if got := run(t, "load", load(t).Path(), EnvLog+"=loud"); !strings.Contains(got, `"loud", want verbose`) {
		t.Errorf("a wrong %s was taken:\n%s", EnvLog, got)
	}
}

// TestSignalsSurviveLoad: a library that takes the interrupt for itself, as the CUDA provider does, does not keep it.
func TestSignalsSurviveLoad(t *testing.T) {
	thief := fakeLibrary(t, filepath.Join(t.TempDir(), "thief.so"), "1.24.3", "signal(SIGINT, SIG_IGN)")
	if got := run(t, "signal", thief); !strings.Contains(got, "interrupt arrived") {
		t.Errorf("after a library took SIGINT: %s", got)
	}
}

// TestDenormalsStay: the runtime can make the thread that creates the first session flush denormals, and that thread
// belongs to Go. The options of this package must not do so.
func TestDenormalsStay(t *testing.T) {
	if got := run(t, "denormals", load(t).Path()); !strings.Contains(got, "half of the denormal: 10000000\n") {
		t.Errorf("after the first session of a process: %s", got)
	}
}

// TestSearchOrder: beside the binary, then .onnxruntime upwards from the working directory, then the system; what cannot
// be used is passed over and listed.
func TestSearchOrder(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	name := libraryNames()[0]
	good, err := os.ReadFile(fakeLibrary(t, filepath.Join(root, "fake.so"), "1.99.0", ""))
	if err != nil {
		t.Fatal(err)
	}
	places := []string{"bin", "bin/.onnxruntime", ".onnxruntime", "work/here/.onnxruntime", "work/.onnxruntime", "system"}
	const absent = 1 // this place has no file at all
	// In round k the first k places cannot be used. Every round has a tree of its own, as the linker knows what it has
	// opened by its path.
	for k := range len(places) + 1 {
		tree := filepath.Join(root, fmt.Sprint(k))
		for i, place := range places {
			content := good
			if i < k {
				content = []byte("damaged")
			}
			if err := os.MkdirAll(filepath.Join(tree, place), 0o755); err != nil {
				t.Fatal(err)
			}
			if i == absent && i < k {
				continue
			}
			if err := os.WriteFile(filepath.Join(tree, place, name), content, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		s := &search{binary: filepath.Join(tree, "bin"), working: filepath.Join(tree, "work", "here"), system: []string{filepath.Join(tree, "system")}}
		got, version, err := s.find()
		if k < len(places) {
			if want := filepath.Join(tree, places[k], name); err != nil || got != want || version != "1.99.0" {
				t.Errorf("found %s %s (%v), want %s", got, version, err, want)
			}
			continue
		}
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "make setup") {
			t.Fatalf("with nothing usable: %v", err)
		}
		for i, place := range places {
			line := filepath.Join(tree, place, name) + ": "
			if i == absent {
				line += "no such file"
			}
			if !strings.Contains(err.Error(), line) {
				t.Errorf("the message lacks %q:\n%v", line, err)
			}
		}
	}
}

func TestCheckVersion(t *testing.T) {
	for version, ok := range map[string]bool{"1.29.0": true, "1.30.0": true, "1.31.0-dev": true, "2.0.1": true,
		"1.28.9": false, "1.9.0": false, "0.40.0": false, "": false, "x.y": false} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

func TestDevices(t *testing.T) {
	for text, want := range map[string]string{"": "cpu", "cpu": "cpu", "cuda": "cuda:0", "CUDA:3": "cuda:3", "webgpu": "webgpu",
		"directml:1": "directml:1", "tensorrt": "tensorrt:0"} {
		if d, err := ParseDevice(text); err != nil || d.String() != want {
			t.Errorf("device %q is %s (%v), want %s", text, d, err, want)
		}
	}
	for _, text := range []string{"gpu", "cuda:", "cuda:-1", "cuda:x", "cpu:0", "webgpu:1", "cuda:0:1"} {
		if d, err := ParseDevice(text); err == nil {
			t.Errorf("device %q was read as %s", text, d)
		}
	}
	c := contract(4, 1)
	model := encode(t, c, func(g *onnx.Graph) { gaussian(g, c) })
	probed := load(t).Probe()
	works := make(map[string]bool)
	for _, p := range probed {
		works[p.Device.String()] = p.Err == nil
	}
	if !works["cpu"] {
		t.Errorf("the CPU does not work: %+v", probed)
	}
	for _, p := range probed {
		d, err := load(t).Open(model, SessionOptions{Device: p.Device.String()})
		if err == nil {
			d.Close()
		}
		if p.Err == nil && err != nil || p.Err != nil && (!errors.Is(err, ErrDevice) || !strings.Contains(err.Error(), p.Err.Error())) {
			t.Errorf("device %s: Probe says %v, Open says %v", p.Device, p.Err, err)
		}
	}
	elsewhere := "coreml"
	if runtime.GOOS == "darwin" {
		elsewhere = "directml:0"
	}
	if works[elsewhere] {
		t.Errorf("%s works on %s", elsewhere, runtime.GOOS)
	}
	d, err := load(t).Open(model, SessionOptions{Device: "auto"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if s := d.Session(); (s.Device().Kind == "cpu") != (s.Fallback() != nil) {
		t.Errorf("auto chose %s and gave the reason %v", s.Device(), s.Fallback())
	}
}
