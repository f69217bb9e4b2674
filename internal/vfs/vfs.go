// Package vfs is the only door to files: the operating system's (Disk), a memory file system
// that can lose power (NewMem), and a wrapper that injects faults (WithFaults). All storage
// code takes an FS, so that a test can crash it at every I/O operation.
//
// # What is durable when
//
// Code that must survive a power loss may rely on exactly this, and nothing more:
//
//   - Bytes written to a File, its new size, and space given by Preallocate are durable once a
//     File.Sync that began after the write returned nil. Before that any subset of the written
//     bytes may be on the disk after a crash, in any order, torn at any byte.
//   - File.Sync says nothing about the file's name. A name made, removed or renamed in a
//     directory is durable once a SyncDir of that directory that began later returned nil.
//     Before that each such change may or may not be there after a crash, but changes of one
//     directory are kept as a prefix of their order, and a Rename happens as a whole or not at
//     all, also from one directory to another: SyncDir of either makes it durable.
//   - A directory made by MkdirAll is durable once its parent is synced; every level counts.
//   - Rename replaces an existing target in one step. It does not sync the file's content: sync
//     the file first, then rename, then SyncDir.
//   - A Sync or SyncDir that fails leaves everything since the last success unknown, for good:
//     the kernel may have dropped the dirty pages, and a second Sync that returns nil proves
//     nothing. Never retry it; stop writing to that file and recover from what is known.
//
// Paths are slash-separated and cleaned by the implementation. Errors satisfy errors.Is with
// fs.ErrNotExist, fs.ErrExist, and the syscall errors (syscall.ENOSPC, syscall.EIO) as on disk.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
	"time"
)

// ErrLocked is returned by Lock when another process or caller holds the lock of a directory.
var ErrLocked = errors.New("vfs: directory is locked by another process")

// FS is a file system. All methods may be called from any goroutine.
type FS interface {
	// Create makes an empty file for reading and writing, or empties an existing one.
	Create(name string) (File, error)
	// CreatePrivate is Create of a file that only the server's own user may read, whatever it was before: for secrets.
	CreatePrivate(name string) (File, error)
	// Open opens an existing file for reading; its write methods fail.
	Open(name string) (File, error)
	// OpenReadWrite opens an existing file for reading and writing, positioned at its start.
	OpenReadWrite(name string) (File, error)
	// OpenAppend opens a file, made if missing, whose Write goes to its end.
	OpenAppend(name string) (File, error)

	// Remove removes a file or an empty directory.
	Remove(name string) error
	// RemoveAll removes a file or a directory with all in it; a missing one is no error.
	RemoveAll(name string) error
	// Rename moves a file or directory, replacing a file of the new name.
	Rename(from, to string) error
	// MkdirAll makes a directory and its missing parents.
	MkdirAll(dir string) error
	// List returns the names in a directory, sorted, without the directory's own path.
	List(dir string) ([]string, error)
	// Stat describes a file or directory.
	Stat(name string) (Info, error)
	// SyncDir makes the names in a directory durable; see the package comment.
	SyncDir(dir string) error
	// Lock takes the exclusive lock of an existing directory, through a file LOCK in it, or
	// fails at once with ErrLocked. Closing the result, or the end of the process, frees it.
	Lock(dir string) (io.Closer, error)
	// Usage tells the space of the volume that dir is on.
	Usage(dir string) (Usage, error)
}

// File is an open file. ReadAt, WriteAt, Size and Sync may be called concurrently; Read and
// Write share a position and belong to one goroutine. The buffers passed in are not kept.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Sync makes the content and size durable; see the package comment.
	Sync() error
	// Truncate sets the size; a larger size reads as zeros.
	Truncate(size int64) error
	// Size returns the current size in bytes.
	Size() (int64, error)
	// Preallocate reserves space for the bytes [offset, offset+length), growing the file with
	// zeros if it is shorter, so that later writes there do not fail for lack of space. It
	// fails with ENOSPC where the space is not there. Existing content stays.
	Preallocate(offset, length int64) error
}

// Prefetcher may be implemented by a File whose reads wait for a device.
type Prefetcher interface {
	// Prefetch says that the bytes [offset, offset+length) will be read soon, and does not wait for them. It may be called concurrently.
	Prefetch(offset, length int64)
}

// Info describes a file or directory.
type Info struct {
	Name    string // the last element of the path
	Size    int64  // bytes; 0 for a directory
	IsDir   bool
	ModTime time.Time
}

// Usage is the space of a volume in bytes.
type Usage struct {
	Total uint64
	Free  uint64 // available to an unprivileged process
}

// IsNotExist reports whether err says that a file or directory is missing.
func IsNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// IsNoSpace reports whether err says that the volume or the quota is full: an error that can
// pass, unlike EIO.
func IsNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// ReadFile returns the whole content of a file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	buf := make([]byte, size)
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, err
	}
	return buf, nil
}

// WriteFileAtomic replaces the file name by data so that a crash leaves the old or the new
// content, and the new one once it has returned nil. It writes name + ".tmp", syncs, renames,
// and syncs the directory.
func WriteFileAtomic(fsys FS, name string, data []byte) error {
	return writeAtomic(fsys, name, data, fsys.Create)
}

// WritePrivateAtomic is WriteFileAtomic of a file that only the server's own user may read.
func WritePrivateAtomic(fsys FS, name string, data []byte) error {
	return writeAtomic(fsys, name, data, fsys.CreatePrivate)
}

func writeAtomic(fsys FS, name string, data []byte, create func(string) (File, error)) error {
	tmp := name + ".tmp"
	if err := writeSynced(tmp, data, create); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return err
	}
	return fsys.SyncDir(parent(name))
}

func writeSynced(name string, data []byte, create func(string) (File, error)) error {
	f, err := create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
