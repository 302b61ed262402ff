//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import (
	"os"
	"syscall"
)

// renameOpen says that an open file can be renamed and removed.
const renameOpen = true

// lockFile marks an open file as being written. The lock goes with the process, however it ends.
func lockFile(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

// removeOrphan removes a file unless a living process is writing it.
func removeOrphan(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return nil
	}
	return os.Remove(path)
}

// syncDir makes the names in a directory durable. File systems that cannot sync a directory say EINVAL or ENOTSUP.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := syscall.Fsync(int(d.Fd())); err != nil && err != syscall.EINVAL && err != syscall.ENOTSUP {
		return &os.PathError{Op: "fsync", Path: dir, Err: err}
	}
	return nil
}
