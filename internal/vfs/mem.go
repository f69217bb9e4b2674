package vfs

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"path"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrCrashed is returned by every call on a Mem after its crash point.
var ErrCrashed = errors.New("vfs: the machine has lost power")

// Mem is a file system in memory that keeps what is durable apart from what is only written, to
// the letter of the package's contract, so that Crash can show what a power loss may leave.
// Every operation that changes something counts (Ops); CrashAt ends the machine in the middle of
// the n-th one.
type Mem struct {
	mu struct {
		sync.Mutex
		root    *node
		journal []*nameOp // changes of directories that are not durable yet, in order
		ops     int64
		crashAt int64
		locks   map[string]bool
		used    int64
		limit   int64
	}
	delay atomic.Int64 // of a sync, in ns
}

// node is a file or a directory. Its fields belong to Mem.mu.
type node struct {
	dir bool
	mod time.Time

	// Directory: names now, and names as of the last sync.
	names, durableNames map[string]*node

	// File: content now, content as of the last sync, and the changes between.
	data, durable []byte
	pending       []dataOp
}

// nameOp is one change of directory entries, atomic; set to nil removes.
type nameOp struct{ edits []nameEdit }

type nameEdit struct {
	dir  *node
	name string
	to   *node
}

// dataOp is one write, or a truncation where data is nil.
type dataOp struct {
	off  int64
	data []byte
	size int64
}

// NewMem returns an empty memory file system without a size limit.
func NewMem() *Mem {
	return newMem(newDir())
}

func newMem(root *node) *Mem {
	m := &Mem{}
	m.mu.root = root
	m.mu.crashAt = math.MaxInt64
	m.mu.limit = math.MaxInt64
	m.mu.locks = map[string]bool{}
	return m
}

func newDir() *node {
	return &node{dir: true, names: map[string]*node{}, durableNames: map[string]*node{}}
}

// Ops returns the number of changing operations so far.
func (m *Mem) Ops() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.ops
}

// CrashAt makes the operation after n more fail with ErrCrashed, and everything after it. That
// last operation is begun: a write or rename is in the unsynced state, a sync has not happened.
func (m *Mem) CrashAt(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.crashAt = m.mu.ops + n
}

// Crashed reports whether the crash point has been passed.
func (m *Mem) Crashed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.ops > m.mu.crashAt
}

// SetCapacity bounds the sum of file sizes; beyond it writes fail with ENOSPC, short where a part fits.
func (m *Mem) SetCapacity(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.limit = bytes
}

// SetDelay makes every later sync of a file take so long, as on a disk that is slow or busy. What is being synced may be lost until it has ended.
func (m *Mem) SetDelay(sync time.Duration) { m.delay.Store(int64(sync)) }

// step counts a changing operation. With ErrCrashed the caller still makes the change, so that
// it may or may not survive, and returns the error. A later call gets dead instead.
func (m *Mem) stepLocked() (begun error, dead error) {
	if m.mu.ops > m.mu.crashAt {
		return nil, ErrCrashed
	}
	m.mu.ops++
	if m.mu.ops > m.mu.crashAt {
		return ErrCrashed, nil
	}
	return nil, nil
}

func (m *Mem) deadLocked() error {
	if m.mu.ops > m.mu.crashAt {
		return ErrCrashed
	}
	return nil
}

func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, "\\", "/")), "/")
}

func pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// lookupLocked finds a node; the root is "".
func (m *Mem) lookupLocked(op, name string) (*node, error) {
	at := m.mu.root
	if p := clean(name); p != "" {
		for elem := range strings.SplitSeq(p, "/") {
			if !at.dir {
				return nil, pathError(op, name, syscall.ENOTDIR)
			}
			next, ok := at.names[elem]
			if !ok {
				return nil, pathError(op, name, fs.ErrNotExist)
			}
			at = next
		}
	}
	return at, nil
}

// parentLocked finds the directory that name is in, and the last element.
func (m *Mem) parentLocked(op, name string) (*node, string, error) {
	p := clean(name)
	if p == "" {
		return nil, "", pathError(op, name, fs.ErrInvalid)
	}
	dir, base := path.Split(p)
	d, err := m.lookupLocked(op, dir)
	if err != nil {
		return nil, "", err
	}
	if !d.dir {
		return nil, "", pathError(op, name, syscall.ENOTDIR)
	}
	return d, base, nil
}

// changeLocked applies edits now and notes them for the next SyncDir.
func (m *Mem) changeLocked(edits ...nameEdit) {
	for _, e := range edits {
		e.apply(now)
	}
	m.mu.journal = append(m.mu.journal, &nameOp{edits: edits})
}

func now(n *node) map[string]*node     { return n.names }
func durable(n *node) map[string]*node { return n.durableNames }

func (e nameEdit) apply(names func(*node) map[string]*node) {
	if e.to == nil {
		delete(names(e.dir), e.name)
	} else {
		names(e.dir)[e.name] = e.to
	}
}

func (m *Mem) Create(name string) (File, error) { return m.open("create", name, true, true, false) }

// CreatePrivate implements FS: there is one user.
func (m *Mem) CreatePrivate(name string) (File, error) { return m.Create(name) }

func (m *Mem) OpenAppend(name string) (File, error) {
	return m.open("open", name, true, false, true)
}

func (m *Mem) OpenReadWrite(name string) (File, error) {
	return m.open("open", name, false, false, false)
}

func (m *Mem) Open(name string) (File, error) {
	f, err := m.open("open", name, false, false, false)
	if err != nil {
		return nil, err
	}
	f.(*memFile).readOnly = true
	return f, nil
}

func (m *Mem) open(op, name string, create, empty, atEnd bool) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.deadLocked(); err != nil {
		return nil, pathError(op, name, err)
	}
	dir, base, err := m.parentLocked(op, name)
	if err != nil {
		return nil, err
	}
	n, ok := dir.names[base]
	switch {
	case !ok && !create:
		return nil, pathError(op, name, fs.ErrNotExist)
	case ok && n.dir:
		return nil, pathError(op, name, syscall.EISDIR)
	case !ok || empty:
		begun, dead := m.stepLocked()
		if dead != nil {
			return nil, pathError(op, name, dead)
		}
		if ok {
			m.truncateLocked(n, 0)
		} else {
			n = &node{mod: time.Now()}
			m.changeLocked(nameEdit{dir, base, n})
		}
		if begun != nil {
			return nil, pathError(op, name, begun)
		}
	}
	f := &memFile{m: m, n: n, name: name}
	if atEnd {
		f.pos = int64(len(n.data))
	}
	return f, nil
}

// mutate runs one directory change under the lock, counted as one operation.
func (m *Mem) mutate(op, name string, change func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	begun, dead := m.stepLocked()
	if dead != nil {
		return pathError(op, name, dead)
	}
	if err := change(); err != nil {
		return err
	}
	if begun != nil {
		return pathError(op, name, begun)
	}
	return nil
}

func (m *Mem) Remove(name string) error {
	return m.mutate("remove", name, func() error {
		dir, base, err := m.parentLocked("remove", name)
		if err != nil {
			return err
		}
		n, ok := dir.names[base]
		if !ok {
			return pathError("remove", name, fs.ErrNotExist)
		}
		if n.dir && len(n.names) > 0 {
			return pathError("remove", name, syscall.ENOTEMPTY)
		}
		m.unlinkLocked(dir, base, n)
		return nil
	})
}

func (m *Mem) unlinkLocked(dir *node, base string, n *node) {
	m.mu.used -= int64(len(n.data))
	m.changeLocked(nameEdit{dir, base, nil})
}

// RemoveAll removes leaf by leaf, so that a crash can leave a part of the tree.
func (m *Mem) RemoveAll(name string) error {
	return m.mutate("removeall", name, func() error {
		dir, base, err := m.parentLocked("removeall", name)
		if IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if n, ok := dir.names[base]; ok {
			m.removeTreeLocked(dir, base, n)
		}
		return nil
	})
}

func (m *Mem) removeTreeLocked(dir *node, base string, n *node) {
	for _, name := range sortedNames(n.names) {
		m.removeTreeLocked(n, name, n.names[name])
	}
	m.unlinkLocked(dir, base, n)
}

func (m *Mem) Rename(from, to string) error {
	return m.mutate("rename", from, func() error {
		fromDir, fromBase, err := m.parentLocked("rename", from)
		if err != nil {
			return err
		}
		toDir, toBase, err := m.parentLocked("rename", to)
		if err != nil {
			return err
		}
		n, ok := fromDir.names[fromBase]
		if !ok {
			return pathError("rename", from, fs.ErrNotExist)
		}
		if fromDir == toDir && fromBase == toBase {
			return nil
		}
		if old, ok := toDir.names[toBase]; ok {
			if old.dir && len(old.names) > 0 || old.dir != n.dir {
				return pathError("rename", to, fs.ErrExist)
			}
			m.mu.used -= int64(len(old.data))
		}
		m.changeLocked(nameEdit{toDir, toBase, n}, nameEdit{fromDir, fromBase, nil})
		return nil
	})
}

func (m *Mem) MkdirAll(dir string) error {
	return m.mutate("mkdir", dir, func() error {
		at := m.mu.root
		p := clean(dir)
		if p == "" {
			return nil
		}
		for elem := range strings.SplitSeq(p, "/") {
			next, ok := at.names[elem]
			if !ok {
				next = newDir()
				m.changeLocked(nameEdit{at, elem, next})
			} else if !next.dir {
				return pathError("mkdir", dir, syscall.ENOTDIR)
			}
			at = next
		}
		return nil
	})
}

func (m *Mem) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.aliveLocked("list", dir)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, pathError("list", dir, syscall.ENOTDIR)
	}
	return sortedNames(n.names), nil
}

func (m *Mem) aliveLocked(op, name string) (*node, error) {
	if err := m.deadLocked(); err != nil {
		return nil, pathError(op, name, err)
	}
	return m.lookupLocked(op, name)
}

func sortedNames(names map[string]*node) []string {
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func (m *Mem) Stat(name string) (Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.aliveLocked("stat", name)
	if err != nil {
		return Info{}, err
	}
	return Info{Name: path.Base(clean(name)), Size: int64(len(n.data)), IsDir: n.dir, ModTime: n.mod}, nil
}

func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	begun, dead := m.stepLocked()
	if dead != nil || begun != nil {
		return pathError("syncdir", dir, ErrCrashed)
	}
	n, err := m.lookupLocked("syncdir", dir)
	if err != nil {
		return err
	}
	m.syncDirLocked(n)
	return nil
}

// syncDirLocked makes durable every change of the directory, and, for changes of two directories,
// what came before them in the other, so that each keeps a prefix.
func (m *Mem) syncDirLocked(n *node) {
	dirs := map[*node]bool{n: true}
	forced := make([]bool, len(m.mu.journal))
	for i := len(m.mu.journal) - 1; i >= 0; i-- {
		op := m.mu.journal[i]
		if forced[i] = op.touches(dirs); forced[i] {
			op.mark(dirs)
		}
	}
	rest := m.mu.journal[:0:0]
	for i, op := range m.mu.journal {
		if !forced[i] {
			rest = append(rest, op)
			continue
		}
		for _, e := range op.edits {
			e.apply(durable)
		}
	}
	m.mu.journal = rest
}

func (op *nameOp) touches(dirs map[*node]bool) bool {
	for _, e := range op.edits {
		if dirs[e.dir] {
			return true
		}
	}
	return false
}

func (op *nameOp) mark(dirs map[*node]bool) {
	for _, e := range op.edits {
		dirs[e.dir] = true
	}
}

func (m *Mem) Lock(dir string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.aliveLocked("lock", dir)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, pathError("lock", dir, syscall.ENOTDIR)
	}
	key := clean(dir)
	if m.mu.locks[key] {
		return nil, pathError("lock", dir, ErrLocked)
	}
	m.mu.locks[key] = true
	return &memLock{m: m, key: key}, nil
}

type memLock struct {
	m    *Mem
	key  string
	once sync.Once
}

func (l *memLock) Close() error {
	l.once.Do(func() {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		delete(l.m.mu.locks, l.key)
	})
	return nil
}

func (m *Mem) Usage(string) (Usage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.deadLocked(); err != nil {
		return Usage{}, err
	}
	free := max(m.mu.limit-m.mu.used, 0)
	return Usage{Total: uint64(m.mu.limit), Free: uint64(free)}, nil
}
