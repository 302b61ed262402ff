//go:build !windows

// Package setup has no code: its tests try the scripts of this folder, with an npm that fetches nothing.
package setup

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// library is the file that this system gets, and folder its place in the npm package.
func library(t *testing.T) (file, folder string) {
	t.Helper()
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	file = map[string]string{"linux": "libonnxruntime.so.1", "darwin": "libonnxruntime.1.dylib"}[runtime.GOOS]
	if arch == "" || file == "" || runtime.GOOS == "darwin" && arch == "x64" {
		t.Fatalf("onnxruntime-node has no library for %s/%s: set-up cannot be tested, nor used, on this system", runtime.GOOS, runtime.GOARCH)
	}
	return file, runtime.GOOS + "/" + arch
}

// A project is a copy of the scripts in an empty project, and the only tools that they can reach.
type project struct{ root, tools string }

func newProject(t *testing.T, npm string) project {
	t.Helper()
	p := project{t.TempDir(), t.TempDir()}
	if err := os.Mkdir(filepath.Join(p.root, "setup"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"onnxruntime.sh", "tools.sh", "server.sh", "package.json", "package-lock.json"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.root, "setup", name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{"sh", "cat", "cp", "dirname", "find", "getconf", "head", "mkdir", "mktemp", "mv", "rm", "sed", "tr", "uname", "wc", "chmod"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(p.tools, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if npm != "" {
		if err := os.WriteFile(filepath.Join(p.tools, "npm"), []byte("#!/bin/sh\n"+npm), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// run runs a script, which may stand before an argument.
func (p project) run(t *testing.T, script string, env ...string) (text string, ok bool) {
	t.Helper()
	name, args, _ := strings.Cut(script, " ")
	cmd := exec.Command(filepath.Join(p.root, "setup", name), strings.Fields(args)...)
	cmd.Env = append([]string{"PATH=" + p.tools, "HOME=" + p.root}, env...)
	b, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(b), err == nil
}

// files lists what lies in .onnxruntime.
func (p project) files(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(p.root, ".onnxruntime"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestFetchOnce(t *testing.T) {
	file, folder := library(t)
	p := newProject(t, `[ "$1" = ci ] && [ -f package-lock.json ] || exit 9
case "$*" in *--ignore-scripts*) ;; *) exit 9 ;; esac
d=node_modules/onnxruntime-node/bin/napi-v6/`+folder+`
mkdir -p "$d" && printf library > "$d/`+file+`"
`)
	installed := filepath.Join(p.root, ".onnxruntime", file)
	check := func(fetches bool, when string) {
		t.Helper()
		text, ok := p.run(t, "onnxruntime.sh")
		if !ok || strings.Contains(text, "fetching") != fetches {
			t.Errorf("%s: success %t, says %q", when, ok, text)
		}
		if got, want := p.files(t), "VERSION "+file; got != want {
			t.Errorf("%s: .onnxruntime holds %q, want %q", when, got, want)
		}
		if b, err := os.ReadFile(installed); err != nil || string(b) != "library" {
			t.Errorf("%s: the library is %q (%v)", when, b, err)
		}
	}
	check(true, "first run")
	check(false, "second run")
	if err := os.WriteFile(installed, []byte("lib"), 0o644); err != nil {
		t.Fatal(err)
	}
	check(true, "after damage")
	if err := os.WriteFile(filepath.Join(p.root, ".onnxruntime", "VERSION"), []byte("1.20.0 "+folder+" 7"), 0o644); err != nil {
		t.Fatal(err)
	}
	check(true, "after an older version")
}

func TestFailuresLeaveNothing(t *testing.T) {
	library(t)
	for _, test := range []struct{ name, npm, want string }{
		{"no npm", "", "apt-get install npm"},
		{"npm fails", "echo no network >&2; exit 1", "npm could not fetch onnxruntime-node"},
		{"package without the library", "mkdir -p node_modules/onnxruntime-node/bin", "holds no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProject(t, test.npm)
			if text, ok := p.run(t, "onnxruntime.sh"); ok || !strings.Contains(text, test.want) {
				t.Errorf("success %t, says %q, want %q", ok, text, test.want)
			}
			if got := p.files(t); got != "" {
				t.Errorf("left %q behind", got)
			}
		})
	}
}

func TestOwnLibrary(t *testing.T) {
	p := newProject(t, "exit 9")
	own := filepath.Join(p.root, "own.so")
	if text, ok := p.run(t, "onnxruntime.sh", "PFGMGEN_ONNXRUNTIME="+own); ok || !strings.Contains(text, "does not exist") {
		t.Errorf("a library that does not exist: success %t, says %q", ok, text)
	}
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if text, ok := p.run(t, "onnxruntime.sh", "PFGMGEN_ONNXRUNTIME="+own); !ok || p.files(t) != "" {
		t.Errorf("a library of the user's own: success %t, says %q, fetched %q", ok, text, p.files(t))
	}
}

func TestMissingTools(t *testing.T) {
	p := newProject(t, "")
	if text, ok := p.run(t, "tools.sh"); ok || !strings.Contains(text, "Go is missing") {
		t.Errorf("without Go: success %t, says %q", ok, text)
	}
	if err := os.WriteFile(filepath.Join(p.tools, "go"), []byte("#!/bin/sh\necho no-such-compiler -m64\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if text, ok := p.run(t, "tools.sh"); ok || !strings.Contains(text, "C compiler no-such-compiler") {
		t.Errorf("without a C compiler: success %t, says %q", ok, text)
	}
}

// TestServersOnce: the servers of the tests are built once, and what is not whole is not taken for built.
func TestServersOnce(t *testing.T) {
	for server, name := range map[string]string{"s3": "versitygw", "gcs": "fake-gcs-server", "temporal": "temporal"} {
		t.Run(server, func(t *testing.T) { serverOnce(t, "server.sh "+server, name) })
	}
	if text, ok := newProject(t, "").run(t, "server.sh ftp"); ok || !strings.Contains(text, "got 'ftp'") {
		t.Errorf("an unknown server: success %t, says %q", ok, text)
	}
}

func serverOnce(t *testing.T, script, name string) {
	p := newProject(t, "")
	goes := func(script string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(p.tools, "go"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if text, ok := p.run(t, script); ok || !strings.Contains(text, "Go is missing") {
		t.Errorf("without Go: success %t, says %q", ok, text)
	}
	goes(`printf half > "$GOBIN/` + name + `"; exit 1`)
	if text, ok := p.run(t, script); ok || !strings.Contains(text, "could not be built") {
		t.Errorf("a build that fails: success %t, says %q", ok, text)
	}
	if left, _ := filepath.Glob(filepath.Join(p.root, ".cache", "bin", "*")); len(left) > 0 {
		t.Errorf("a build that fails leaves %q", left)
	}
	goes(`[ "$1" = install ] && printf server > "$GOBIN/` + name + `" && chmod +x "$GOBIN/` + name + `"`)
	for _, builds := range []bool{true, false} {
		text, ok := p.run(t, script)
		if !ok || strings.Contains(text, "building") != builds {
			t.Errorf("success %t, says %q, want a build: %t", ok, text, builds)
		}
		goes("exit 9")
	}
	if built, _ := filepath.Glob(filepath.Join(p.root, ".cache", "bin", name+"-*")); len(built) != 1 {
		t.Errorf("built %q", built)
	}
}

// TestLock: what npm fetches is pinned by version and hash, and by no address, so that any registry can serve it.
func TestLock(t *testing.T) {
	var wanted struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct{ Version, Integrity, Resolved string }
	}
	for name, into := range map[string]any{"package.json": &wanted, "package-lock.json": &lock} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, version := range wanted.Dependencies {
		if got := lock.Packages["node_modules/"+name].Version; got != version {
			t.Errorf("package.json wants %s %s, the lock has %q", name, version, got)
		}
	}
	for name, p := range lock.Packages {
		if name != "" && !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has no sha512: %q", name, p.Integrity)
		}
		if p.Resolved != "" {
			t.Errorf("%s is bound to the address %s", name, p.Resolved)
		}
	}
}
