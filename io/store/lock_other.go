//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import "os"

// renameOpen is false: Windows refuses to rename or remove an open file. That refusal also does the work of the lock:
// the temporary file of a living writer cannot be removed.
const renameOpen = false

func lockFile(*os.File) bool { return true }

func removeOrphan(path string) error {
	if err := os.Remove(path); err != nil && !os.IsPermission(err) {
		return err
	}
	return nil
}

// syncDir does nothing: there is no portable way to sync a directory here.
func syncDir(string) error { return nil }
