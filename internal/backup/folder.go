package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// folder is a Storage in a directory.
type folder struct {
	fs   vfs.FS
	root string // of all backups
	dir  string // of this one, below it
}

// unfinished ends the name of a file that is being written.
const unfinished = ".tmp"

func (f *folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Put implements Storage.
func (f *folder) Put(ctx context.Context, name string, size int64, r io.Reader) error {
	path := f.path(name)
	if err := f.fs.MkdirAll(filepath.Dir(path)); err != nil {
		return fullDisk(err, "a folder for backups")
	}
	if err := f.write(ctx, path+unfinished, size, r); err != nil {
		return errors.Join(err, ignoreMissing(f.fs.Remove(path+unfinished)))
	}
	if err := f.fs.Rename(path+unfinished, path); err != nil {
		return errors.Join(fullDisk(err, name), ignoreMissing(f.fs.Remove(path+unfinished)))
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) { // any of them may be new
		if err := f.fs.SyncDir(dir); err != nil {
			return errors.Join(fmt.Errorf("backup: %s: %w", name, err), ignoreMissing(f.fs.Remove(path)))
		}
		if len(dir) < len(f.root) {
			return nil
		}
	}
}

func (f *folder) write(ctx context.Context, path string, size int64, r io.Reader) (err error) {
	file, err := f.fs.Create(path)
	if err != nil {
		return fullDisk(err, path)
	}
	n, err := io.CopyBuffer(onlyWriter{file}, &untilDone{ctx, r}, make([]byte, min(copyBuffer, size+1)))
	if err == nil && n != size {
		err = sqlerr.New(sqlerr.CannotReadAllData, "%d bytes came for a file of %d in a backup", n, size)
	}
	if err == nil {
		err = file.Sync()
	}
	return fullDisk(errors.Join(err, file.Close()), path)
}

// onlyWriter keeps io.Copy from taking other ways than Write.
type onlyWriter struct{ io.Writer }

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (u *untilDone) Read(b []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(b)
}

// fullDisk gives the error of a full disk the code that clients know.
func fullDisk(err error, what string) error {
	if vfs.IsNoSpace(err) {
		return sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "No space for %s", what)
	}
	if err != nil {
		return fmt.Errorf("backup: %s: %w", what, err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if vfs.IsNotExist(err) {
		return nil
	}
	return err
}

// Open implements Storage.
func (f *folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	file, err := f.fs.Open(f.path(name))
	if vfs.IsNotExist(err) {
		return nil, fmt.Errorf("%w: %s", errNotExist, name)
	}
	return file, err
}

// Remove implements Storage. Directories that are empty then go too, up to the backup's own.
func (f *folder) Remove(_ context.Context, name string) error {
	path := f.path(name)
	if err := ignoreMissing(f.fs.Remove(path)); err != nil {
		return err
	}
	for dir := filepath.Dir(path); len(dir) >= len(f.dir); dir = filepath.Dir(dir) {
		if f.fs.Remove(dir) != nil { // it holds other files
			break
		}
	}
	return nil
}
