//go:build darwin || freebsd

package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func syncData(f *os.File) error { return f.Sync() }

func preallocate(f *os.File, offset, length int64) error {
	if length <= 0 {
		return nil
	}
	return growTo(f, offset+length)
}

func adviseWillNeed(*os.File, int64, int64) error { return nil }

func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

func diskUsage(dir string) (Usage, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Usage{}, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	unit := uint64(st.Bsize)
	return Usage{Total: uint64(st.Blocks) * unit, Free: uint64(st.Bavail) * unit}, nil
}
