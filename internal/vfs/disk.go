package vfs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
)

const (
	fileMode = 0o640 // data is for the server's user and group only
	dirMode  = 0o750

	privateMode = 0o600
	lockName    = "LOCK"
)

func parent(name string) string { return path.Dir(path.Clean(filepath.ToSlash(name))) }

type disk struct{}

// Disk returns the operating system's file system.
func Disk() FS { return disk{} }

func (disk) open(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return &diskFile{f: f}, nil
}

func (d disk) Create(name string) (File, error) {
	return d.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (disk) CreatePrivate(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, privateMode)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(privateMode); err != nil { // it may have been there
		return nil, errors.Join(err, f.Close())
	}
	return &diskFile{f: f}, nil
}

func (d disk) Open(name string) (File, error) { return d.open(name, os.O_RDONLY) }

func (d disk) OpenReadWrite(name string) (File, error) { return d.open(name, os.O_RDWR) }

// OpenAppend positions at the end instead of using O_APPEND, which forbids WriteAt.
func (d disk) OpenAppend(name string) (File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		f.Close()
		return nil, err
	}
	return &diskFile{f: f}, nil
}

func (disk) Remove(name string) error     { return os.Remove(name) }
func (disk) RemoveAll(name string) error  { return os.RemoveAll(name) }
func (disk) Rename(from, to string) error { return os.Rename(from, to) }
func (disk) MkdirAll(dir string) error    { return os.MkdirAll(dir, dirMode) }

func (disk) List(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	sort.Strings(names)
	return names, err
}

func (disk) Stat(name string) (Info, error) {
	st, err := os.Stat(name)
	if err != nil {
		return Info{}, err
	}
	info := Info{Name: st.Name(), IsDir: st.IsDir(), ModTime: st.ModTime()}
	if !info.IsDir {
		info.Size = st.Size()
	}
	return info, nil
}

func (disk) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (disk) Lock(dir string) (io.Closer, error) {
	name := filepath.Join(dir, lockName)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %s", err, name)
	}
	return f, nil
}

func (disk) Usage(dir string) (Usage, error) { return diskUsage(dir) }

type diskFile struct{ f *os.File }

func (d *diskFile) Read(p []byte) (int, error)               { return d.f.Read(p) }
func (d *diskFile) ReadAt(p []byte, off int64) (int, error)  { return d.f.ReadAt(p, off) }
func (d *diskFile) Write(p []byte) (int, error)              { return d.f.Write(p) }
func (d *diskFile) WriteAt(p []byte, off int64) (int, error) { return d.f.WriteAt(p, off) }
func (d *diskFile) Close() error                             { return d.f.Close() }
func (d *diskFile) Sync() error                              { return syncData(d.f) }
func (d *diskFile) Truncate(size int64) error                { return d.f.Truncate(size) }
func (d *diskFile) Preallocate(offset, length int64) error   { return preallocate(d.f, offset, length) }

// Prefetch implements Prefetcher. It is advice only: what was not fetched is when it is read, and an error shows then.
func (d *diskFile) Prefetch(offset, length int64) { _ = adviseWillNeed(d.f, offset, length) }

func (d *diskFile) Size() (int64, error) {
	st, err := d.f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
