package node

import (
	"errors"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/olapd/olapd/internal/vfs"
)

// scratch makes files that a statement needs for itself only. What a crash leaves behind goes at the next start.
type scratch struct {
	fs   vfs.FS
	dir  string
	last atomic.Uint64
}

// scratchDir holds the files, below the data directory.
const scratchDir = "scratch"

// openScratch empties the directory.
func openScratch(fsys vfs.FS, data string) (*scratch, error) {
	s := &scratch{fs: fsys, dir: filepath.Join(data, scratchDir)}
	return s, errors.Join(fsys.RemoveAll(s.dir), fsys.MkdirAll(s.dir))
}

// create returns an empty file, which its Close removes.
func (s *scratch) create() (vfs.File, error) {
	name := filepath.Join(s.dir, strconv.FormatUint(s.last.Add(1), 10))
	f, err := s.fs.Create(name)
	if err != nil {
		return nil, err
	}
	return &scratchFile{File: f, fs: s.fs, name: name}, nil
}

type scratchFile struct {
	vfs.File
	fs   vfs.FS
	name string
}

// Close implements vfs.File.
func (f *scratchFile) Close() error { return errors.Join(f.File.Close(), f.fs.Remove(f.name)) }
