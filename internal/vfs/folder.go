package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
)

// ErrOutside is wrapped by the errors of names that lead out of a Folder.
var ErrOutside = errors.New("vfs: the name leads out of the folder")

// Folder is a directory whose users may name files of their own choosing: no name, nor a symbolic link on the way, leads
// out of it (ErrOutside). Names are relative and slash-separated. Only directories and regular files are opened. Safe for concurrent use.
type Folder struct {
	fs   FS
	dir  string
	root *os.Root // of the operating system's file system; nil: one without symbolic links
}

// OpenFolder opens a directory that exists. Close frees it; files opened from it stay open.
func OpenFolder(fsys FS, dir string) (*Folder, error) {
	f := &Folder{fs: fsys, dir: dir}
	if _, ok := fsys.(disk); !ok {
		_, err := fsys.Stat(dir)
		return f, err
	}
	root, err := os.OpenRoot(dir)
	f.root = root
	return f, err
}

// Close frees the folder.
func (f *Folder) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// path checks a name; of a file system without links it is the whole path.
func (f *Folder) path(name string) (string, error) {
	if name = path.Clean(name); !filepath.IsLocal(name) {
		return "", fmt.Errorf("%w: %s", ErrOutside, name)
	}
	return path.Join(filepath.ToSlash(f.dir), name), nil
}

// outside marks the error of os.Root about names that escape, which has no type.
func outside(err error) error {
	if err != nil && strings.Contains(err.Error(), "path escapes from parent") {
		return fmt.Errorf("%w: %w", ErrOutside, err)
	}
	return err
}

// Stat describes a file or directory.
func (f *Folder) Stat(name string) (Info, error) {
	whole, err := f.path(name)
	if err != nil {
		return Info{}, err
	}
	if f.root == nil {
		return f.fs.Stat(whole)
	}
	st, err := f.root.Stat(name)
	if err != nil {
		return Info{}, outside(err)
	}
	if !st.IsDir() && !st.Mode().IsRegular() {
		return Info{}, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	info := Info{Name: st.Name(), IsDir: st.IsDir(), ModTime: st.ModTime()}
	if !info.IsDir {
		info.Size = st.Size()
	}
	return info, nil
}

// List returns the names in a directory, sorted.
func (f *Folder) List(name string) ([]string, error) {
	whole, err := f.path(name)
	if err != nil {
		return nil, err
	}
	if f.root == nil {
		return f.fs.List(whole)
	}
	d, err := f.root.Open(name)
	if err != nil {
		return nil, outside(err)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	sort.Strings(names)
	return names, err
}

// Open opens a file for reading.
func (f *Folder) Open(name string) (File, error) {
	return f.open(name, os.O_RDONLY, f.fs.Open)
}

// Create makes an empty file, or empties one, and makes the directories above it.
func (f *Folder) Create(name string) (File, error) {
	return f.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, f.fs.Create)
}

// OpenAppend opens a file, made if missing with the directories above it, whose Write goes to its end.
func (f *Folder) OpenAppend(name string) (File, error) {
	return f.open(name, os.O_RDWR|os.O_CREATE, f.fs.OpenAppend)
}

func (f *Folder) open(name string, flag int, other func(string) (File, error)) (File, error) {
	whole, err := f.path(name)
	if err != nil {
		return nil, err
	}
	if flag&os.O_CREATE != 0 {
		if err := f.makeDir(path.Dir(path.Clean(name))); err != nil {
			return nil, err
		}
	}
	if f.root == nil {
		return other(whole)
	}
	if _, err := f.Stat(name); err != nil && (flag&os.O_CREATE == 0 || !IsNotExist(err)) {
		return nil, err // a pipe, say, whose opening would wait for ever
	}
	file, err := f.root.OpenFile(name, flag, fileMode)
	if err != nil {
		return nil, outside(err)
	}
	if flag&(os.O_CREATE|os.O_TRUNC) == os.O_CREATE {
		if _, err := file.Seek(0, io.SeekEnd); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return &diskFile{f: file}, nil
}

func (f *Folder) makeDir(name string) error {
	if f.root == nil {
		return f.fs.MkdirAll(path.Join(filepath.ToSlash(f.dir), name))
	}
	return outside(f.root.MkdirAll(name, dirMode))
}

// Remove removes a file.
func (f *Folder) Remove(name string) error {
	whole, err := f.path(name)
	if err != nil {
		return err
	}
	if f.root == nil {
		return f.fs.Remove(whole)
	}
	return outside(f.root.Remove(name))
}
