//go:build !windows

package ort

/*
#cgo linux LDFLAGS: -ldl
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <stdlib.h>

// The head of OrtApiBase, the one structure of ONNX Runtime that never changes.
typedef struct {
	const void *(*GetApi)(unsigned int version);
	const char *(*GetVersionString)(void);
} pfg_api_base;

static void *pfg_load(const char *path, const char **problem) {
	void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (!handle) *problem = dlerror();
	return handle;
}

// pfg_open opens a library. On success it returns the handle and sets version and file; otherwise it returns
// NULL and sets problem. Everything that it sets is the library's or the linker's: copy it, do not free it.
static void *pfg_open(const char *path, const char **version, const char **file,
	const char **problem) {
	void *handle = pfg_load(path, problem);
	if (!handle) return NULL;
	void *entry = dlsym(handle, "OrtGetApiBase");
	const pfg_api_base *base = entry ? ((const pfg_api_base *(*)(void))entry)() : NULL;
	if (!base) {
		dlclose(handle);
		*problem = "it is not ONNX Runtime: it has no OrtGetApiBase";
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
		return "", "", errors.New(C.GoString(problem))
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

// missingPart says what keeps the provider library beside the runtime's from loading, "" when nothing does. The
// runtime writes that reason to its log and returns none.
func missingPart(runtimePath, library string) string {
	file := filepath.Join(filepath.Dir(runtimePath), "lib"+library+filepath.Ext(libraryNames()[1]))
	cfile := C.CString(file)
	defer C.free(unsafe.Pointer(cfile))
	var problem *C.char
	if handle := C.pfg_load(cfile, &problem); handle != nil {
		C.dlclose(handle)
		return ""
	}
	return C.GoString(problem)
}
