package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData uses fdatasync: it writes the data and every metadata needed to read it back (size,
// extents) but not the times, which saves a journal commit where a preallocated file is filled.
func syncData(f *os.File) error {
	return onFd(f, "fdatasync", unix.Fdatasync)
}

func preallocate(f *os.File, offset, length int64) error {
	if length <= 0 {
		return nil
	}
	err := onFd(f, "fallocate", func(fd int) error { return unix.Fallocate(fd, 0, offset, length) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return growTo(f, offset+length)
	}
	return err
}

// adviseWillNeed has the kernel start to read a range of f into its cache.
func adviseWillNeed(f *os.File, offset, length int64) error {
	return onFd(f, "fadvise", func(fd int) error { return unix.Fadvise(fd, offset, length, unix.FADV_WILLNEED) })
}

func lockFile(f *os.File) error {
	err := onFd(f, "flock", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
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
	return Usage{Total: st.Blocks * unit, Free: st.Bavail * unit}, nil
}

// onFd runs call on the descriptor, which stays open meanwhile, and repeats it after EINTR.
func onFd(f *os.File, op string, call func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		for {
			if inner = call(int(fd)); inner != unix.EINTR {
				return
			}
		}
	})
	if err == nil {
		err = inner
	}
	if err != nil {
		return &os.PathError{Op: op, Path: f.Name(), Err: err}
	}
	return nil
}
