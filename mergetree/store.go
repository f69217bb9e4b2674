package mergetree

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// Options are what a Store works with.
type Options struct {
	FS     vfs.FS
	Dir    string       // of the segment files; made if missing
	Clock  clock.Clock  // nil: the system's
	Budget *mem.Budget  // counts memtables and background work; nil: none
	Logger *slog.Logger // nil: none
	// MemtableLimit is the bytes of all memtables at which Pressure reaches 1; 0: DefaultMemtableLimit.
	MemtableLimit int64
	// Workers bounds the flushes and merges that run at once; 0: one for each.
	Workers int
	// Cache keeps pages of segments in memory, shared among stores; nil: none.
	Cache *segment.Cache
	// Paths says whether new segments store columns of JSON path by path, which older builds cannot read; nil: always.
	Paths func() bool
	// NewID returns an ID for a segment file, unique for ever, safe for concurrent use; nil: random.
	NewID func() string

	tune tuning // zero: defaultTuning
}

// Store is the tables of one shard.
type Store struct {
	opts Options
	fs   vfs.FS
	clk  clock.Clock
	log  *slog.Logger
	ids  func() string

	// The working state. The applying goroutine changes it; an arriving file changes what of it views show.
	work    sync.Mutex
	tables  map[catalog.TableID]*table
	applied uint64
	garbage []garbage // removed by edits since the last Publish
	edited  bool      // an edit was applied since background work was last woken
	dirty   bool      // something was applied since the last Publish

	// accounted is what of the memtables is reserved in the budget, and memBytes what they hold.
	accounted int64
	memBytes  atomic.Int64

	files files

	mu struct {
		sync.Mutex
		root    *root
		roots   []*root // pinned ones and the current one, oldest first
		durable uint64
		garbage []garbage
		lacking bool          // views of the current root lack files
		arrived chan struct{} // closed and replaced when a root behind one that lacked files is published
		closed  bool
	}
	bg background
}

// table is the working state of one table.
type table struct {
	id      catalog.TableID
	spec    *Spec // nil after DecodeState until ApplyCreate
	mem     memtable
	flushed uint64          // rows committed at or before it are in segments (or gone)
	frozen  map[string]bool // see ApplyFrozen; replaced, never changed
	segs    []*segFile      // sorted by partition, then First; replaced, never changed
	version *tableVersion
	// What views show while files are missing: see held.go.
	held   []*heldEdit
	hiding []*heldEdit // those of held that views do not show, as of the last settle; nil with held: nothing to hide behind
	unsure bool        // held or files have changed since
	absent []*segFile  // of segs: those that were not here when last looked at
}

// Open returns an empty store over a directory. Tables, rows and manifest come through Apply… and DecodeState.
func Open(o Options) (*Store, error) {
	s := &Store{opts: o, fs: o.FS, clk: o.Clock, log: o.Logger, ids: o.NewID, tables: map[catalog.TableID]*table{}}
	if s.clk == nil {
		s.clk = clock.Real()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.ids == nil {
		s.ids = randomID
	}
	if s.opts.tune == (tuning{}) {
		s.opts.tune = defaultTuning
	}
	if s.opts.MemtableLimit <= 0 {
		s.opts.MemtableLimit = DefaultMemtableLimit
	}
	if s.opts.Workers <= 0 {
		s.opts.Workers = 2
	}
	if err := s.fs.MkdirAll(o.Dir); err != nil {
		return nil, fmt.Errorf("mergetree: making %s: %w", o.Dir, err)
	}
	if err := s.fs.SyncDir(path.Dir(path.Clean(o.Dir))); err != nil {
		return nil, fmt.Errorf("mergetree: syncing the parent of %s: %w", o.Dir, err)
	}
	if err := s.files.init(s.fs, o.Dir); err != nil {
		return nil, err
	}
	s.bg.init()
	s.mu.arrived = make(chan struct{})
	s.files.idle.Add(1)
	go s.deleteLoop()
	s.mu.root = &root{tables: map[catalog.TableID]*tableVersion{}}
	s.mu.roots = []*root{s.mu.root}
	return s, nil
}

// Close waits for bulk inserts and on-demand work and closes all files. Run must have returned and all
// snapshots must be closed.
func (s *Store) Close() error {
	s.bg.close()
	s.mu.Lock()
	s.mu.closed = true
	open := len(s.mu.roots)
	s.mu.Unlock()
	if open > 1 {
		s.log.Error("closing a store with open snapshots", "roots", open)
	}
	s.opts.Budget.Release(s.accounted)
	s.accounted = 0
	return s.files.closeAll()
}

// Applied returns the log index of the last Publish.
func (s *Store) Applied() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.root.index
}

// Pressure says how full the memtables are: writers slow down from 0.5 on and wait from 1 on, so that the
// process does not grow when flushes cannot keep up.
func (s *Store) Pressure() float64 {
	return float64(s.memBytes.Load()) / float64(s.opts.MemtableLimit)
}

// Durable says that a restart will come back to a state at or behind the log index: the log up to it is
// synced, or a Raft snapshot covers it. Files that edits up to it removed may then be deleted.
func (s *Store) Durable(index uint64) {
	s.mu.Lock()
	s.mu.durable = max(s.mu.durable, index)
	dead := s.collectLocked()
	s.mu.Unlock()
	s.deleteFiles(dead)
}

// pathOf returns the path of a segment's file.
func (s *Store) pathOf(id string) string { return s.inDir(id + fileSuffix) }

func (s *Store) inDir(name string) string { return path.Join(s.opts.Dir, name) }

// fileSuffix ends the names of segment files.
const fileSuffix = ".seg"

// Run does the store's background work until ctx ends, committing through c: flushes and merges. It
// returns once all of it has stopped. The cluster runs it while this node leads the shard.
func (s *Store) Run(ctx context.Context, c Committer) error { return s.bg.run(ctx, s, c) }
