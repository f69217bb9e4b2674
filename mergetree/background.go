package mergetree

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
)

// background is the shared state of all work that makes edits.
type background struct {
	wakeup chan struct{}
	work   sync.WaitGroup // tasks on demand, which Close waits for
	mu     struct {
		sync.Mutex
		busy     map[string]bool               // segments that some merge reads
		flushing map[catalog.TableID]bool      // one flush a table at a time
		merging  map[catalog.TableID]int       // merges under way
		mutating map[catalog.TableID]bool      // one mutation a table, and no merges meanwhile
		stopped  map[catalog.TableID]bool      // STOP MERGES; ID 0: all tables
		pause    map[catalog.TableID]time.Time // no work before, after a failure
		aged     map[catalog.TableID]agedRow
		running  map[*MergeInfo]bool
		changed  chan struct{} // closed and replaced when segments or flushes become free
		closed   bool
	}
}

// agedRow is when background work first saw the oldest memtable row of a table.
type agedRow struct {
	index uint64
	since time.Time
}

// MergeInfo describes a running flush or merge, for system.merges.
type MergeInfo struct {
	Table     catalog.TableID
	Cause     Cause
	Partition string
	Inputs    []Segment
	Result    string // ID of the segment being written
	Rows      uint64 // of the inputs
	Bytes     uint64
	Started   time.Time
}

func (b *background) init() {
	b.wakeup = make(chan struct{}, 1)
	b.mu.busy, b.mu.flushing, b.mu.stopped = map[string]bool{}, map[catalog.TableID]bool{}, map[catalog.TableID]bool{}
	b.mu.merging, b.mu.mutating = map[catalog.TableID]int{}, map[catalog.TableID]bool{}
	b.mu.pause, b.mu.aged, b.mu.running = map[catalog.TableID]time.Time{}, map[catalog.TableID]agedRow{}, map[*MergeInfo]bool{}
	b.mu.changed = make(chan struct{})
}

// wake lets Run look for work now.
func (b *background) wake() {
	select {
	case b.wakeup <- struct{}{}:
	default:
	}
}

// close refuses further work and waits for what is under way.
func (b *background) close() {
	b.mu.Lock()
	b.mu.closed = true
	b.mu.Unlock()
	b.work.Wait()
}

// begin enters a task that Close has to wait for; done leaves it.
func (b *background) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.closed {
		return sqlerr.New(sqlerr.Aborted, "The storage is shutting down")
	}
	b.work.Add(1)
	return nil
}

// Merges returns the flushes and merges that are running.
func (s *Store) Merges() []MergeInfo {
	s.bg.mu.Lock()
	defer s.bg.mu.Unlock()
	out := make([]MergeInfo, 0, len(s.bg.mu.running))
	for m := range s.bg.mu.running {
		out = append(out, *m)
	}
	return out
}

// StopMerges lets no further merge of a table begin (ID 0: of any table); OPTIMIZE is refused too.
func (s *Store) StopMerges(id catalog.TableID) { s.bg.setStopped(id, true) }

// StartMerges undoes StopMerges.
func (s *Store) StartMerges(id catalog.TableID) { s.bg.setStopped(id, false) }

func (b *background) setStopped(id catalog.TableID, stopped bool) {
	b.mu.Lock()
	b.mu.stopped[id] = stopped
	b.mu.Unlock()
	b.wake()
}

func (b *background) isFlushing(id catalog.TableID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.flushing[id]
}

// mayMerge reports whether merges of the table are not stopped.
func (b *background) mayMerge(id catalog.TableID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.mu.stopped[0] && !b.mu.stopped[id]
}

// started and ended keep the list of running work.
func (b *background) started(m *MergeInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.running[m] = true
}

func (b *background) ended(m *MergeInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mu.running, m)
}

// scheduler hands out background work while Run lasts.
type scheduler struct {
	s       *Store
	c       Committer
	tasks   sync.WaitGroup
	flushes chan struct{} // slots
	merges  chan struct{}
}

func (b *background) run(ctx context.Context, s *Store, c Committer) error {
	n := max(s.opts.Workers/2, 1)
	d := &scheduler{s: s, c: c, flushes: make(chan struct{}, n), merges: make(chan struct{}, max(s.opts.Workers-n, 1))}
	defer d.tasks.Wait()
	t := s.clk.NewTicker(tick)
	defer t.Stop()
	for {
		d.schedule(ctx)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-b.wakeup:
		case <-t.C():
		}
	}
}

// schedule starts the work that is due and for which there is a slot.
func (d *scheduler) schedule(ctx context.Context) {
	snap := d.s.Snapshot()
	defer snap.Close()
	now := d.s.clk.Now()
	for _, id := range snap.Tables() {
		v := snap.Table(id)
		if v == nil || ctx.Err() != nil || d.s.bg.paused(id, now) {
			continue
		}
		if d.s.flushDue(v, now) && !d.s.bg.isFlushing(id) {
			d.start(ctx, d.flushes, id, func(ctx context.Context) error { return d.s.Flush(ctx, d.c, id) })
		}
		for _, p := range d.s.selectMerges(v, now) {
			if !d.s.bg.claim(id, p.Inputs) {
				continue
			}
			if !d.start(ctx, d.merges, id, func(ctx context.Context) error {
				defer d.s.bg.unclaim(id, p.Inputs)
				return d.s.merge(ctx, d.c, id, p, 1)
			}) {
				d.s.bg.unclaim(id, p.Inputs)
				break
			}
		}
	}
}

// start runs f in a goroutine if a slot is free.
func (d *scheduler) start(ctx context.Context, slots chan struct{}, id catalog.TableID, f func(context.Context) error) bool {
	select {
	case slots <- struct{}{}:
	default:
		return false
	}
	d.tasks.Add(1)
	go func() {
		defer d.tasks.Done()
		err := sqlerr.Guard(func() error { return f(ctx) })
		<-slots
		if err != nil && ctx.Err() == nil {
			if !errors.Is(err, ErrEditRejected) {
				d.s.log.Warn("background work failed", "table", id, "error", err)
			}
			d.s.bg.setPause(id, d.s.clk.Now().Add(retryPause))
			return
		}
		d.s.bg.wake()
	}()
	return true
}

func (b *background) paused(id catalog.TableID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Before(b.mu.pause[id])
}

func (b *background) setPause(id catalog.TableID, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.pause[id] = until
}

// claim marks segments of a table as being merged, all or none; none while the table is being mutated.
func (b *background) claim(id catalog.TableID, segs []Segment) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.claimLocked(id, segs)
}

// claimLocked is claim. REQUIRES: b.mu.
func (b *background) claimLocked(id catalog.TableID, segs []Segment) bool {
	if b.mu.mutating[id] {
		return false
	}
	for _, s := range segs {
		if b.mu.busy[s.ID] {
			return false
		}
	}
	for _, s := range segs {
		b.mu.busy[s.ID] = true
	}
	b.mu.merging[id]++
	return true
}

func (b *background) unclaim(id catalog.TableID, segs []Segment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.merging[id]--
	for _, s := range segs {
		delete(b.mu.busy, s.ID)
	}
	b.changedLocked()
}

// changedLocked tells those who wait for segments or a flush. REQUIRES: b.mu.
func (b *background) changedLocked() {
	close(b.mu.changed)
	b.mu.changed = make(chan struct{})
}

// until tries a step, under b.mu, until it succeeds or ctx ends.
func (b *background) until(ctx context.Context, try func() bool) error {
	for {
		b.mu.Lock()
		if try() {
			b.mu.Unlock()
			return nil
		}
		changed := b.mu.changed
		b.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// flushDue reports whether the memtable of a table should become segments now.
func (s *Store) flushDue(v *TableView, now time.Time) bool {
	set := v.Spec().Settings.withDefaults()
	if v.Spec().Mode == Memory || v.MemtableRows() == 0 {
		return false
	}
	if v.MemtableRows() >= set.FlushRows || v.MemtableBytes() >= set.FlushBytes || s.Pressure() > 0.5 {
		return true
	}
	return now.Sub(s.bg.age(v, now)) >= set.FlushAge
}

// age returns when the table's oldest memtable row was first seen.
func (b *background) age(v *TableView, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := v.live.mem[0].firstIndex()
	if a, ok := b.mu.aged[v.live.id]; ok && a.index == oldest {
		return a.since
	}
	b.mu.aged[v.live.id] = agedRow{oldest, now}
	return now
}
