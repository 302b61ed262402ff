package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// minMinor is the oldest ONNX Runtime 1.x that the binding speaks to: it asks for version 29 of the C API.
const minMinor = 29

// EnvLibrary names the environment variable with the path of the library, or of the folder that holds it. EnvLog sets
// how much the runtime itself writes to stderr: verbose, info, warning, error or fatal, the default (errors are
// returned to the caller in any case).
const (
	EnvLibrary = "PFGMGEN_ONNXRUNTIME"
	EnvLog     = "PFGMGEN_ONNXRUNTIME_LOG"
)

var (
	// ErrNotFound is wrapped by Load when no usable library is at any place it looks at.
	ErrNotFound = errors.New("ort: ONNX Runtime was not found")
	// ErrTooOld is wrapped by Load when the library that it was told to use is older than the binding needs.
	ErrTooOld = errors.New("the library is too old")
	// ErrClosed is returned by methods of a closed Session or Denoiser.
	ErrClosed = errors.New("ort: the session is closed")
)

// process holds the one runtime of this process. The binding keeps the library and its environment in package
// variables, so there cannot be two; the library is never unloaded, as its threads and caches outlive sessions.
var process struct {
	sync.Mutex
	runtime *Runtime
}

// A Runtime is the loaded library. Its methods are safe for concurrent use.
type Runtime struct {
	path, version string

	mu     sync.Mutex
	proved map[Device]error // devices that were tried, nil when they compute
}

// Load finds and starts ONNX Runtime. The first call decides for the process; later ones return the same Runtime and
// fail when they name another library. explicit is the path of the library or of its folder; when it is empty, Load
// looks at PFGMGEN_ONNXRUNTIME, beside the binary, in .onnxruntime of the working directory and its parents, and where
// the system keeps libraries. A path that the caller or the environment gives is used or refused, never passed over.
func Load(explicit string) (*Runtime, error) {
	process.Lock()
	defer process.Unlock()
	if r := process.runtime; r != nil {
		if explicit != "" && !r.is(explicit) {
			return nil, fmt.Errorf("ort: %s was asked for, but this process already runs %s, and it can run only one", explicit, r.path)
		}
		return r, nil
	}
	defer saveSignals().restore()
	path, version, err := newSearch(explicit).find()
	if err != nil {
		return nil, err
	}
	onnxruntime.SetSharedLibraryPath(path)
	level, err := logLevel(os.Getenv(EnvLog))
	if err != nil {
		return nil, err
	}
	if err := onnxruntime.InitializeEnvironment(level); err != nil {
		return nil, fmt.Errorf("ort: start ONNX Runtime %s of %s: %w", version, path, err)
	}
	// Only Windows builds have telemetry; elsewhere there is nothing to switch off and nothing to report.
	_ = onnxruntime.DisableTelemetry()
	process.runtime = &Runtime{path: path, version: version, proved: map[Device]error{{Kind: "cpu"}: nil}}
	return process.runtime, nil
}

// Version is the version of the library, such as "1.30.0".
func (r *Runtime) Version() string { return r.version }

// Path is the library's file.
func (r *Runtime) Path() string { return r.path }

// is says whether path names the loaded library or the folder that it was found in.
func (r *Runtime) is(path string) bool {
	for _, candidate := range inFolder(path) {
		a, errA := os.Stat(candidate)
		b, errB := os.Stat(r.path)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return true
		}
	}
	return false
}

func logLevel(name string) (onnxruntime.EnvironmentOption, error) {
	switch strings.ToLower(name) {
	case "", "fatal":
		return onnxruntime.WithLogLevelFatal(), nil
	case "error":
		return onnxruntime.WithLogLevelError(), nil
	case "warning":
		return onnxruntime.WithLogLevelWarning(), nil
	case "info":
		return onnxruntime.WithLogLevelInfo(), nil
	case "verbose":
		return onnxruntime.WithLogLevelVerbose(), nil
	}
	return nil, fmt.Errorf("ort: %s is %q, want verbose, info, warning, error or fatal", EnvLog, name)
}

// inFolder lists the files that path can mean: itself, or the library names below it when it is a folder.
func inFolder(path string) []string {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return []string{path}
	}
	var out []string
	for _, name := range libraryNames() {
		out = append(out, filepath.Join(path, name))
	}
	return out
}
