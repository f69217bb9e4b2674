// Package spill keeps blocks in temporary files while a query has more of them than its memory may hold.
//
// A Store is a directory of the process; an Area is one query's share of it, with the query's limit; a Writer makes a
// file of one Area and ends as a File, which Readers read in the order written, any number of times.
//
// # Files
//
// A file is frames one behind the other, each a run of rows as package blockcodec has it: compressed, and checksummed, so that
// damage is an error and never an answer. Where frames begin and which columns they lack is kept in memory:
// a file means nothing without its File, outlives no process, and is never synced. What a killed process left is
// removed when its directory is opened again.
//
// # Errors
//
// NotEnoughSpace when the volume is full, TooManyRowsOrBytes over the limit of the query, CannotWriteToFile and
// CannotReadFromFile for other failures of files, blockcodec's codes for damage.
package spill

import (
	"errors"
	"fmt"
	"path"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// Store is a directory of temporary files. It is safe for concurrent use.
type Store struct {
	fs   vfs.FS
	dir  string
	next atomic.Uint64 // the number of the last file made
	used atomic.Int64
}

// Open returns the store of a directory, made if it is missing and emptied if it is not: nobody else may use it.
func Open(fsys vfs.FS, dir string) (*Store, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("directory of temporary files %s: %w", dir, err)
	}
	names, err := fsys.List(dir)
	if err != nil {
		return nil, fmt.Errorf("directory of temporary files %s: %w", dir, err)
	}
	for _, name := range names {
		if err := fsys.RemoveAll(path.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("temporary file %s: %w", path.Join(dir, name), err)
		}
	}
	return &Store{fs: fsys, dir: dir}, nil
}

// Used returns the bytes of all files there are.
func (s *Store) Used() int64 { return s.used.Load() }

// Area returns a query's share of the store, whose files together take at most limit bytes; 0: no limit. Of a nil Store it is
// nil: a query without one cannot spill.
func (s *Store) Area(limit int64) *Area {
	if s == nil {
		return nil
	}
	a := &Area{s: s, limit: limit}
	a.mu.files = map[string]int64{}
	return a
}

// Area is one query's temporary files. It is safe for concurrent use; Close comes last.
type Area struct {
	s       *Store
	limit   int64
	used    atomic.Int64
	written atomic.Int64
	mu      struct {
		sync.Mutex
		files map[string]int64 // bytes by name
	}
}

// Written returns the bytes ever written, those of removed files too.
func (a *Area) Written() int64 { return a.written.Load() }

// Create begins a file.
func (a *Area) Create() (*Writer, error) {
	name := path.Join(a.s.dir, fmt.Sprintf("%d.spill", a.s.next.Add(1)))
	f, err := a.s.fs.Create(name)
	if err != nil {
		return nil, a.failed(err, name)
	}
	a.mu.Lock()
	a.mu.files[name] = 0
	a.mu.Unlock()
	return &Writer{out: f, file: &File{a: a, name: name}}, nil
}

// grow counts n more bytes of a file, before they are written.
func (a *Area) grow(name string, n int64) error {
	if used := a.used.Add(n); a.limit > 0 && used > a.limit {
		a.used.Add(-n)
		return sqlerr.New(sqlerr.TooManyRowsOrBytes, "Limit for temporary files size exceeded (would consume %d / %d bytes)", used, a.limit)
	}
	a.written.Add(n)
	a.s.used.Add(n)
	a.mu.Lock()
	a.mu.files[name] += n
	a.mu.Unlock()
	return nil
}

// remove deletes a file; twice does nothing.
func (a *Area) remove(name string) error {
	a.mu.Lock()
	n, there := a.mu.files[name]
	delete(a.mu.files, name)
	a.mu.Unlock()
	if !there {
		return nil
	}
	a.used.Add(-n)
	a.s.used.Add(-n)
	if err := a.s.fs.Remove(name); err != nil {
		return a.failed(err, name)
	}
	return nil
}

// Close deletes the files that are left. Their writers and readers must be closed; a nil Area is fine.
func (a *Area) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	names := make([]string, 0, len(a.mu.files))
	for name := range a.mu.files {
		names = append(names, name)
	}
	a.mu.Unlock()
	var errs []error
	for _, name := range names {
		errs = append(errs, a.remove(name))
	}
	return errors.Join(errs...)
}

func (a *Area) failed(err error, name string) error {
	if vfs.IsNoSpace(err) {
		return sqlerr.Wrap(err, sqlerr.NotEnoughSpace, "Not enough space on the volume of temporary files for %s", path.Base(name))
	}
	return sqlerr.Wrap(err, sqlerr.CannotWriteToFile, "Cannot write temporary file %s", path.Base(name))
}
