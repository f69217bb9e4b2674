package raftlog

import (
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/vfs"
)

var (
	// ErrClosed is returned for writes after Close.
	ErrClosed = errors.New("raftlog: closed")
	// ErrPoisoned is returned for every write after a sync has failed.
	ErrPoisoned = errors.New("raftlog: a sync has failed, nothing more can be written until a restart")
	// ErrTooLarge is returned for an entry, key or value beyond the package's limits.
	ErrTooLarge = errors.New("raftlog: too large")
)

// Options of a Log. The zero value of a field means its default.
type Options struct {
	// SegmentBytes is the size that files grow to: 64 MiB.
	SegmentBytes int64
	// CacheBytes bounds the recent entries of all groups held in memory: 32 MiB.
	CacheBytes int64
}

// Log is the shared log of a node's Raft groups. All methods may be called from any goroutine.
type Log struct {
	fs       vfs.FS
	dir      string
	opts     Options
	lock     io.Closer
	recovery Recovery

	groups struct {
		sync.RWMutex
		byID map[uint64]*group
	}
	files struct {
		sync.RWMutex
		byNumber map[uint32]*segment
		order    []*segment // oldest first, the last one is written to
	}

	stats struct {
		batches, records, bytes atomic.Uint64
	}

	poison   atomic.Pointer[error]
	requests chan *request
	pool     *sync.Pool    // of requests
	closing  chan struct{} // closed by Close
	stopped  chan struct{} // closed when the writer has ended
	close    func() error
	w        writer
}

// Open opens the log in dir, which is made if missing, and holds dir's lock until Close. It
// repairs what a crash may leave; anything else that is wrong is an error wrapping ErrCorrupt.
func Open(fsys vfs.FS, dir string, opts Options) (*Log, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{
		fs: fsys, dir: path.Clean(dir), opts: opts,
		requests: make(chan *request, queueRequests), pool: newPool(),
		closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	l.groups.byID = map[uint64]*group{}
	l.files.byNumber = map[uint32]*segment{}
	l.close = sync.OnceValue(l.shutdown)
	if err := l.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("raftlog: opening %s: %w", dir, err), l.releaseAll())
	}
	go l.run()
	return l, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.SegmentBytes < minSegmentBytes || o.SegmentBytes > maxSegmentBytes {
		return o, fmt.Errorf("raftlog: segment size %d is not between %d and %d", o.SegmentBytes, minSegmentBytes, maxSegmentBytes)
	}
	return o, nil
}

func (l *Log) open() error {
	if err := l.fs.MkdirAll(l.dir); err != nil {
		return err
	}
	if err := l.fs.SyncDir(path.Dir(l.dir)); err != nil {
		return err
	}
	var err error
	if l.lock, err = l.fs.Lock(l.dir); err != nil {
		return err
	}
	if err := l.fs.Remove(path.Join(l.dir, reserveName)); err != nil && !vfs.IsNotExist(err) {
		return err
	}
	if err := l.recover(); err != nil {
		return err
	}
	if len(l.files.order) == 0 {
		return l.rotate(0)
	}
	return nil
}

// Close waits for the writes that are under way and closes the files.
func (l *Log) Close() error { return l.close() }

func (l *Log) shutdown() error {
	close(l.closing)
	<-l.stopped
	return l.releaseAll()
}

func (l *Log) releaseAll() error {
	l.files.Lock()
	defer l.files.Unlock()
	var errs []error
	for _, s := range l.files.order {
		errs = append(errs, s.release())
	}
	l.files.order, l.files.byNumber = nil, map[uint32]*segment{}
	if l.w.reserve != nil {
		errs = append(errs, l.w.reserve.Close())
		l.w.reserve = nil
	}
	if l.lock != nil {
		errs = append(errs, l.lock.Close())
		l.lock = nil
	}
	return errors.Join(errs...)
}

// Group returns the store of a Raft group, which is empty the first time. All stores of one id
// share their content.
func (l *Log) Group(id uint64) *GroupStore { return &GroupStore{log: l, g: l.group(id)} }

func (l *Log) group(id uint64) *group {
	l.groups.RLock()
	g := l.groups.byID[id]
	l.groups.RUnlock()
	if g != nil {
		return g
	}
	l.groups.Lock()
	defer l.groups.Unlock()
	if g = l.groups.byID[id]; g == nil {
		g = newGroup(id)
		l.groups.byID[id] = g
	}
	return g
}

// Groups returns the ids of the groups that hold entries or keys, unordered.
func (l *Log) Groups() []uint64 {
	var ids []uint64
	for _, g := range l.allGroups() {
		g.mu.RLock()
		if !g.checkpoint().empty() {
			ids = append(ids, g.id)
		}
		g.mu.RUnlock()
	}
	return ids
}

func (l *Log) allGroups() []*group {
	l.groups.RLock()
	defer l.groups.RUnlock()
	out := make([]*group, 0, len(l.groups.byID))
	for _, g := range l.groups.byID {
		out = append(out, g)
	}
	return out
}

// Recovery returns what Open found.
func (l *Log) Recovery() Recovery { return l.recovery }

// Err returns why the log takes no more writes, or nil.
func (l *Log) Err() error {
	if p := l.poison.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *Log) poisonWith(cause error) error {
	err := fmt.Errorf("%w: %w", ErrPoisoned, cause)
	l.poison.CompareAndSwap(nil, &err)
	return l.Err()
}

// Stats counts since Open. Records per batch is what group commit saves in syncs.
type Stats struct {
	Batches, Records, Bytes uint64
	Files                   int
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	l.files.RLock()
	defer l.files.RUnlock()
	return Stats{
		Batches: l.stats.batches.Load(), Records: l.stats.records.Load(), Bytes: l.stats.bytes.Load(),
		Files: len(l.files.order),
	}
}
