package ort

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// A search is where to look for the library, and what was seen there.
type search struct {
	explicit    string // from the caller
	environment string // from PFGMGEN_ONNXRUNTIME
	binary      string // folder of the executable, "" when unknown
	working     string // working directory, "" when unknown
	system      []string

	looked []string // "path: what is wrong with it"
}

func newSearch(explicit string) *search {
	s := &search{explicit: explicit, environment: os.Getenv(EnvLibrary), system: systemFolders()}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		s.binary = filepath.Dir(exe)
	}
	if wd, err := os.Getwd(); err == nil {
		s.working = wd
	}
	return s
}

// libraryNames are the file names of the library on this system, preferred first. The bare name of the major version
// comes first, since it is what the official builds ship and what the soname says.
func libraryNames() []string {
	switch runtime.GOOS {
	case "windows":
		return []string{"onnxruntime.dll"}
	case "darwin", "ios":
		return []string{"libonnxruntime.1.dylib", "libonnxruntime.dylib"}
	}
	return []string{"libonnxruntime.so.1", "libonnxruntime.so"}
}

// systemFolders are the places of the system's libraries. The empty string stands for the dynamic linker's own
// search, which knows LD_LIBRARY_PATH and the configured folders.
func systemFolders() []string {
	if runtime.GOOS == "darwin" {
		return []string{"", "/opt/homebrew/lib", "/usr/local/lib"}
	}
	return []string{""}
}

// folders are the places to look at when none was given, in order.
func (s *search) folders() []string {
	var out []string
	seen := make(map[string]bool)
	add := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			out = append(out, dir)
		}
	}
	if s.binary != "" {
		add(s.binary)
		add(filepath.Join(s.binary, ".onnxruntime"))
		add(filepath.Join(filepath.Dir(s.binary), ".onnxruntime"))
	}
	if s.working != "" {
		for dir := s.working; ; dir = filepath.Dir(dir) {
			add(filepath.Join(dir, ".onnxruntime"))
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	for _, dir := range s.system {
		add(dir)
	}
	return out
}

// find returns the path and the version of the first library that can be used.
func (s *search) find() (path, version string, err error) {
	for _, given := range []struct{ path, by string }{{s.explicit, "as asked"}, {s.environment, "set by " + EnvLibrary}} {
		if given.path == "" {
			continue
		}
		abs, err := filepath.Abs(given.path)
		if err != nil {
			return "", "", fmt.Errorf("ort: %w", err)
		}
		var fault error // of the first file that exists
		for _, candidate := range inFolder(abs) {
			path, version, err := s.try(candidate)
			if err == nil {
				return path, version, nil
			}
			if fault == nil && !errors.Is(err, os.ErrNotExist) {
				fault = err
			}
		}
		if fault == nil {
			return "", "", fmt.Errorf("%w: %s (%s) does not exist or holds no %s. To get it, run: make setup",
				ErrNotFound, given.path, given.by, strings.Join(libraryNames(), " or "))
		}
		return "", "", fmt.Errorf("ort: cannot use %s (%s): %w. To get one that fits, run: make setup", given.path, given.by, fault)
	}
	for _, dir := range s.folders() {
		for _, name := range libraryNames() {
			candidate := filepath.Join(dir, name)
			if path, version, err = s.try(candidate); err == nil {
				return path, version, nil
			}
		}
	}
	return "", "", fmt.Errorf("%w. To get it, run in the project: make setup (or give its path with --onnxruntime or %s). Looked at:\n  %s",
		ErrNotFound, EnvLibrary, strings.Join(s.looked, "\n  "))
}

// try opens one candidate, keeps it open when it fits, and otherwise notes why it does not.
func (s *search) try(candidate string) (path, version string, err error) {
	if filepath.Base(candidate) != candidate {
		if _, err := os.Stat(candidate); err != nil {
			s.looked = append(s.looked, candidate+": no such file")
			return "", "", err
		}
		if err := whole(candidate); err != nil {
			s.looked = append(s.looked, fmt.Sprintf("%s: %v", candidate, err))
			return "", "", err
		}
	}
	path, version, err = openLibrary(candidate)
	if err != nil {
		s.looked = append(s.looked, fmt.Sprintf("%s: %v", candidate, err))
	}
	return path, version, err
}

// whole says whether an ELF library has all its segments. The dynamic linker maps a truncated file without a word, and
// the process dies when it touches what is missing; files of other formats are left to the linker.
func whole(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := io.ReadFull(file, magic); err != nil || string(magic) != elf.ELFMAG {
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	library, err := elf.NewFile(file)
	if err != nil {
		return fmt.Errorf("the file is damaged or truncated: %w", err)
	}
	for _, p := range library.Progs {
		if end := p.Off + p.Filesz; end < p.Off || end > uint64(info.Size()) {
			return fmt.Errorf("the file is truncated: it has %d bytes of at least %d", info.Size(), end)
		}
	}
	return nil
}

// checkVersion says whether a library of this version can be used.
func checkVersion(version string) error {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if errA != nil || errB != nil {
		return fmt.Errorf("the library calls its version %q, want 1.%d or newer", version, minMinor)
	}
	if a < 1 || a == 1 && b < minMinor {
		return fmt.Errorf("%w: it is ONNX Runtime %s, this build needs 1.%d or newer", ErrTooOld, version, minMinor)
	}
	return nil
}
