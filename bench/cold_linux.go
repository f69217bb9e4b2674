package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// fadvDontNeed is POSIX_FADV_DONTNEED.
const fadvDontNeed = 4

// forget drops the files under dir from the page cache. No process may have them mapped. It
// needs no privilege and leaves the rest of the machine's cache alone.
func forget(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Sync(); err != nil { // pages that wait to be written are not dropped
			return err
		}
		if _, _, e := syscall.Syscall6(syscall.SYS_FADVISE64, f.Fd(), 0, 0, fadvDontNeed, 0, 0); e != 0 {
			return &fs.PathError{Op: "fadvise", Path: path, Err: e}
		}
		return nil
	})
}
