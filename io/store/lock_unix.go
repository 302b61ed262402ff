//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import (
	"os"
	"syscall"
)

// renameOpen says that an open file can be renamed and removed.
const renameOpen = true

// lockFile marks a new file as being written and says whether it still has its name, which a sweep between its creation and
// the lock may have taken. The lock goes with the process, however it ends. Only sweeps hold it otherwise, for a moment, so
// it is waited for; where it cannot be had (a file system without locks), files are written without it.
func lockFile(f *os.File) bool {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	var st syscall.Stat_t
	return syscall.Fstat(int(f.Fd()), &st) != nil || st.Nlink > 0
}

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
