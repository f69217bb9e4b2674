package vfs

import (
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// OpKind is a kind of file operation that a fault can hit.
type OpKind uint8

const (
	OpCreate OpKind = iota // Create, and OpenAppend
	OpOpen                 // Open, OpenReadWrite
	OpRead
	OpWrite
	OpSync
	OpTruncate
	OpPreallocate
	OpClose
	OpRemove // Remove, RemoveAll
	OpRename
	OpMkdir
	OpList
	OpStat // Stat, Size, Usage
	OpSyncDir
	OpLock
)

// String names the kind.
func (k OpKind) String() string {
	return [...]string{"create", "open", "read", "write", "sync", "truncate", "preallocate", "close",
		"remove", "rename", "mkdir", "list", "stat", "syncdir", "lock"}[k]
}

// Op is one operation about to happen.
type Op struct {
	Kind OpKind
	Path string
	N    int64 // counts all operations of the file system from 1
	Off  int64 // of a read or write
	Len  int
}

// Fault is what goes wrong. The zero value is no fault.
type Fault struct {
	// Err is returned instead of doing the operation, or after the first Short bytes of a write.
	Err error
	// Short is how many bytes a failing write still writes.
	Short int
	// Then, if not nil, is called after a failing write has written what it still writes.
	Then func()
	// Flip inverts bit FlipBit (counted over the bytes read, modulo their number) of a read.
	Flip    bool
	FlipBit int64
}

// Injector decides about each operation. It is called from any goroutine.
type Injector interface {
	Fault(op Op) Fault
}

// Rule makes the operations that match it fail. Empty conditions match everything.
type Rule struct {
	Kinds []OpKind
	Path  string // the operation's path contains it
	From  int    // the first matching operation to fail, counted from 1; 0 is 1
	Count int    // how many fail; 0 is all
	Fault Fault
}

// Rules is an Injector of a list of rules, of which the first that applies wins. The zero value
// injects nothing.
type Rules struct {
	mu   sync.Mutex
	list []ruleState
}

type ruleState struct {
	Rule
	seen int
}

// NewRules returns an injector of the given rules.
func NewRules(rules ...Rule) *Rules {
	r := &Rules{}
	r.Set(rules...)
	return r
}

// Set replaces all rules; their counts start anew. Without arguments the faults are over.
func (r *Rules) Set(rules ...Rule) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = nil
	for _, rule := range rules {
		r.list = append(r.list, ruleState{Rule: rule})
	}
}

// Fault implements Injector.
func (r *Rules) Fault(op Op) Fault {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.list {
		if s := &r.list[i]; s.matches(op) && s.due() {
			return s.Rule.Fault
		}
	}
	return Fault{}
}

func (s *ruleState) matches(op Op) bool {
	return (len(s.Kinds) == 0 || slices.Contains(s.Kinds, op.Kind)) && strings.Contains(op.Path, s.Path)
}

func (s *ruleState) due() bool {
	s.seen++
	from := max(s.From, 1)
	return s.seen >= from && (s.Count == 0 || s.seen < from+s.Count)
}

// WithFaults returns a file system that asks injector before every operation on fsys.
func WithFaults(fsys FS, injector Injector) FS {
	return &faultFS{fs: fsys, injector: injector}
}

type faultFS struct {
	fs       FS
	injector Injector
	ops      atomic.Int64
}

func (f *faultFS) ask(kind OpKind, name string, off int64, n int) Fault {
	return f.injector.Fault(Op{Kind: kind, Path: name, N: f.ops.Add(1), Off: off, Len: n})
}

func (f *faultFS) fail(kind OpKind, name string) error {
	if fault := f.ask(kind, name, 0, 0); fault.Err != nil {
		return pathError(kind.String(), name, fault.Err)
	}
	return nil
}

func (f *faultFS) file(kind OpKind, name string, open func(string) (File, error)) (File, error) {
	if err := f.fail(kind, name); err != nil {
		return nil, err
	}
	inner, err := open(name)
	if err != nil {
		return nil, err
	}
	return &faultFile{File: inner, fs: f, name: name}, nil
}

func (f *faultFS) Create(name string) (File, error) { return f.file(OpCreate, name, f.fs.Create) }

func (f *faultFS) CreatePrivate(name string) (File, error) {
	return f.file(OpCreate, name, f.fs.CreatePrivate)
}

func (f *faultFS) OpenAppend(name string) (File, error) {
	return f.file(OpCreate, name, f.fs.OpenAppend)
}

func (f *faultFS) Open(name string) (File, error) { return f.file(OpOpen, name, f.fs.Open) }

func (f *faultFS) OpenReadWrite(name string) (File, error) {
	return f.file(OpOpen, name, f.fs.OpenReadWrite)
}

func (f *faultFS) do(kind OpKind, name string, call func(string) error) error {
	if err := f.fail(kind, name); err != nil {
		return err
	}
	return call(name)
}

func (f *faultFS) Remove(name string) error    { return f.do(OpRemove, name, f.fs.Remove) }
func (f *faultFS) RemoveAll(name string) error { return f.do(OpRemove, name, f.fs.RemoveAll) }
func (f *faultFS) MkdirAll(dir string) error   { return f.do(OpMkdir, dir, f.fs.MkdirAll) }
func (f *faultFS) SyncDir(dir string) error    { return f.do(OpSyncDir, dir, f.fs.SyncDir) }

func (f *faultFS) Rename(from, to string) error {
	if err := f.fail(OpRename, from); err != nil {
		return err
	}
	return f.fs.Rename(from, to)
}

func (f *faultFS) List(dir string) ([]string, error) {
	if err := f.fail(OpList, dir); err != nil {
		return nil, err
	}
	return f.fs.List(dir)
}

func (f *faultFS) Stat(name string) (Info, error) {
	if err := f.fail(OpStat, name); err != nil {
		return Info{}, err
	}
	return f.fs.Stat(name)
}

func (f *faultFS) Lock(dir string) (io.Closer, error) {
	if err := f.fail(OpLock, dir); err != nil {
		return nil, err
	}
	return f.fs.Lock(dir)
}

func (f *faultFS) Usage(dir string) (Usage, error) {
	if err := f.fail(OpStat, dir); err != nil {
		return Usage{}, err
	}
	return f.fs.Usage(dir)
}

// faultFile passes Close on even when it is to fail, so that no descriptor leaks.
type faultFile struct {
	File
	fs   *faultFS
	name string
}

func (f *faultFile) Read(p []byte) (int, error) {
	return f.read(p, -1, f.File.Read)
}

func (f *faultFile) ReadAt(p []byte, off int64) (int, error) {
	return f.read(p, off, func(p []byte) (int, error) { return f.File.ReadAt(p, off) })
}

func (f *faultFile) read(p []byte, off int64, call func([]byte) (int, error)) (int, error) {
	fault := f.fs.ask(OpRead, f.name, off, len(p))
	if fault.Err != nil {
		return 0, pathError("read", f.name, fault.Err)
	}
	n, err := call(p)
	if fault.Flip && n > 0 {
		bit := fault.FlipBit % (int64(n) * 8)
		p[bit/8] ^= 1 << (bit % 8)
	}
	return n, err
}

func (f *faultFile) Write(p []byte) (int, error) {
	return f.write(p, -1, f.File.Write)
}

func (f *faultFile) WriteAt(p []byte, off int64) (int, error) {
	return f.write(p, off, func(p []byte) (int, error) { return f.File.WriteAt(p, off) })
}

func (f *faultFile) write(p []byte, off int64, call func([]byte) (int, error)) (int, error) {
	fault := f.fs.ask(OpWrite, f.name, off, len(p))
	if fault.Err == nil {
		return call(p)
	}
	n := 0
	if short := min(fault.Short, len(p)); short > 0 {
		n, _ = call(p[:short])
	}
	if fault.Then != nil {
		fault.Then()
	}
	return n, pathError("write", f.name, fault.Err)
}

func (f *faultFile) Sync() error {
	if err := f.fs.fail(OpSync, f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.fs.fail(OpTruncate, f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Preallocate(offset, length int64) error {
	if err := f.fs.fail(OpPreallocate, f.name); err != nil {
		return err
	}
	return f.File.Preallocate(offset, length)
}

func (f *faultFile) Size() (int64, error) {
	if err := f.fs.fail(OpStat, f.name); err != nil {
		return 0, err
	}
	return f.File.Size()
}

func (f *faultFile) Close() error {
	failed := f.fs.fail(OpClose, f.name)
	if err := f.File.Close(); err != nil {
		return err
	}
	return failed
}
