package ort

import (
	"errors"
	"path/filepath"
	"syscall"
	"unsafe"
)

// apiBase is the head of OrtApiBase, the one structure of ONNX Runtime that never changes.
type apiBase struct {
	getAPI, getVersionString uintptr
}

// openLibrary opens the library at path, or the one that the system finds when path is a bare name, and returns its
// file and version. A library that fits stays open, so that what the binding opens next is the same one.
func openLibrary(path string) (file, version string, err error) {
	handle, err := syscall.LoadLibrary(path)
	if err != nil {
		return "", "", err
	}
	defer func() {
		if err != nil {
			syscall.FreeLibrary(handle)
		}
	}()
	entry, err := syscall.GetProcAddress(handle, "OrtGetApiBase")
	if err != nil {
		return "", "", errors.New("it is not ONNX Runtime, as it has no OrtGetApiBase")
	}
	address, _, _ := syscall.SyscallN(entry)
	if address == 0 {
		return "", "", errors.New("its OrtGetApiBase gives nothing")
	}
	base := *(**apiBase)(unsafe.Pointer(&address)) // memory of the library, which no collector moves
	text, _, _ := syscall.SyscallN(base.getVersionString)
	for p := *(**byte)(unsafe.Pointer(&text)); p != nil && *p != 0; p = (*byte)(unsafe.Add(unsafe.Pointer(p), 1)) {
		version += string(*p)
	}
	if err := checkVersion(version); err != nil {
		return "", "", err
	}
	// The binding opens by path too, so a library that only the system could find keeps its bare name.
	if file = path; filepath.Base(path) != path {
		file, err = filepath.Abs(path)
	}
	return file, version, err
}

// loadable says what keeps a library from loading.
func loadable(path string) error {
	handle, err := syscall.LoadLibrary(path)
	if err != nil {
		return err
	}
	return syscall.FreeLibrary(handle)
}
