//go:build !windows

package ort

/*
#cgo linux LDFLAGS: -ldl
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The head of OrtApiBase, the one structure of ONNX Runtime that never changes.
typedef struct {
	const void *(*GetApi)(unsigned int version);
	const char *(*GetVersionString)(void);
} pfg_api_base;

// pfg_load opens a library. When it fails it returns NULL and a message that the caller frees: the linker keeps its
// own message for the thread only, and a goroutine may go on in another.
static void *pfg_load(const char *path, char **problem) {
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!handle) *problem = strdup(dlerror());
	return handle;
}

// pfg_open opens ONNX Runtime. It also gives the library's own strings of its version and file, which live as long as
// the library stays open. When it fails it returns NULL and a message that the caller frees.
static void *pfg_open(const char *path, const char **version, const char **file, char **problem) {
	void *handle = pfg_load(path, problem);
	if (!handle) return NULL;
	void *entry = dlsym(handle, "OrtGetApiBase");
	const pfg_api_base *base = entry ? ((const pfg_api_base *(*)(void))entry)() : NULL;
	if (!base) {
		dlclose(handle);
		*problem = strdup("it is not ONNX Runtime, as it has no OrtGetApiBase");
		return NULL;
	}
	*version = base->GetVersionString();
	Dl_info info;
	*file = dladdr(entry, &info) && info.dli_fname ? info.dli_fname : path;
	return handle;
}
*/
import "C"

import (
	"errors"
	"path/filepath"
	"unsafe"
)

// openLibrary opens the library at path, or the one that the dynamic linker finds when path is a bare name, and
// returns its file and version. A library that fits stays open, so that what the binding opens next is the same one;
// the version is read here because the binding's own message for an old library goes to stderr and names no version.
func openLibrary(path string) (file, version string, err error) {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var cversion, cfile, problem *C.char
	handle := C.pfg_open(cpath, &cversion, &cfile, &problem)
	if handle == nil {
		return "", "", errors.New(take(problem))
	}
	file, version = C.GoString(cfile), C.GoString(cversion)
	if err := checkVersion(version); err != nil {
		C.dlclose(handle)
		return "", "", err
	}
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return file, version, nil
}

// loadable says what keeps a library from loading: its own absence or that of one that it needs.
func loadable(path string) error {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var problem *C.char
	handle := C.pfg_load(cpath, &problem)
	if handle == nil {
		return errors.New(take(problem))
	}
	C.dlclose(handle)
	return nil
}

// take copies a C string and frees it.
func take(s *C.char) string {
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}
