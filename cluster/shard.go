package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Shard is one placement shard on this node: its rows, and the log through which they change. All methods may be called
// from any goroutine. Their errors are explained in errors.go.
type Shard struct {
	Writer
	g     *group
	fsm   *shardFSM
	store *mergetree.Store
	clk   clock.Clock
	meta  *Meta
	// background runs flushes and merges while leading, unless nil.
	background func(ctx context.Context)

	files   *courier
	cleaned atomic.Uint64 // the term as of which orphaned files were last deleted
	ready   chan struct{} // closed when the shard has caught up with the log and the catalog
	once    sync.Once
	problem atomic.Pointer[error] // why it has not, so far
}

var _ mergetree.Committer = (*Shard)(nil)

// Store returns the shard's rows, for reading: snapshots, OPTIMIZE, BuildSegments. Its Apply… methods are the shard's own.
func (s *Shard) Store() *mergetree.Store { return s.store }

// attempts is how often a commit is made whose term ended on the way, where there is no other node.
const attempts = 3

// commit waits until the shard can take a proposal, and commits it.
func (s *Shard) commit(ctx context.Context, p proposal) (Result, error) {
	if s.g.leadsHere() { // else the leader waits
		if p.rows != nil {
			if err := s.awaitRoom(ctx); err != nil {
				return Result{}, err
			}
		}
		if err := s.WaitSchema(ctx, p.schema); err != nil {
			return Result{}, err
		}
	}
	r, err := s.g.commit(ctx, p)
	if err == nil {
		err = r.err
	}
	if err != nil {
		return Result{}, err
	}
	return r.value.(Result), nil
}

// awaitRoom slows writers down while memtables are filling faster than they are flushed, and holds them while they are full.
func (s *Shard) awaitRoom(ctx context.Context) error {
	if s.background == nil {
		return nil
	}
	p := s.store.Pressure()
	if p >= 0.5 && p < 1 {
		return s.clk.Sleep(ctx, clockShare(p))
	}
	for ; p >= 1; p = s.store.Pressure() {
		if err := s.g.refusal(); err != nil {
			return err
		}
		if err := s.clk.Sleep(ctx, pressurePause); err != nil {
			return err
		}
	}
	return nil
}

// Cursors returns how far a source has been committed, and the term to commit more of it under, in one read.
func (s *Shard) Cursors(source catalog.TableID) Position {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	return Position{Term: s.fsm.term, Cursors: s.fsm.state.cursors.of(source)}
}

// Leader returns the term in which this node leads the shard, and whether it does; its first entry has been applied.
func (s *Shard) Leader() (term uint64, leads bool) {
	term, _ = s.g.leading()
	return term, term != 0
}

// Watch returns a channel that is closed when this node begins or ends to lead. Call it before Leader.
func (s *Shard) Watch() <-chan struct{} {
	_, changed := s.g.leading()
	return changed
}

// Applied returns the index of the last entry whose effects are visible.
func (s *Shard) Applied() uint64 {
	i, _ := s.fsm.appliedIndex()
	return i
}

// WaitApplied waits until the entry at an index is visible here: a read that follows a write of the same session.
func (s *Shard) WaitApplied(ctx context.Context, index uint64) error {
	return s.g.waitApplied(ctx, index)
}

// Barrier waits until all that was acknowledged before the call is visible here: for a read that must see it.
func (s *Shard) Barrier(ctx context.Context) error { return s.g.barrier(ctx) }

// Err returns why the replica has stopped, or nil.
func (s *Shard) Err() error { return s.fsm.err() }

// Ready reports whether the replica has caught up with its log and the catalog since it was opened.
func (s *Shard) Ready() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// Schema returns the catalog version that the shard has applied.
func (s *Shard) Schema() uint64 {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	return s.fsm.state.schema
}

// WaitSchema waits until the shard has applied a catalog version. Where there are other nodes, which may be needed for that and gone, it
// waits for leaderPatience, and then fails with ErrNotLeader.
func (s *Shard) WaitSchema(ctx context.Context, version uint64) error {
	if s.Schema() >= version {
		return nil
	}
	if s.g.net != nil {
		var cancel context.CancelFunc
		late := sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Shard %d on node %s has not got to version %d of the catalog", s.g.id, s.g.node, version)
		ctx, cancel = withTimeoutCause(ctx, s.clk, leaderPatience, late)
		defer cancel()
	}
	for {
		_, changed := s.fsm.appliedIndex()
		if s.Schema() >= version {
			return nil
		}
		if p := s.problem.Load(); p != nil {
			return *p
		}
		if err := s.g.wait(ctx, changed); err != nil {
			return err
		}
	}
}

// ApplySchema brings the shard to a catalog's version: tables created, changed and dropped since.
func (s *Shard) ApplySchema(ctx context.Context, c *catalog.Catalog) error {
	body, err := s.schemaChange(c)
	if err != nil || s.Schema() >= c.Version {
		return err
	}
	r, err := s.g.propose(ctx, proposal{body: body, schema: c.Version})
	if err == nil {
		err = r.err
	}
	return err
}

// schemaChange is what a catalog has that the shard has not, all of it compiled once to see that it can be.
func (s *Shard) schemaChange(c *catalog.Catalog) (*applySchema, error) {
	s.fsm.mu.RLock()
	defer s.fsm.mu.RUnlock()
	b := &applySchema{}
	for _, t := range c.Stored() {
		have := s.fsm.state.tables[t.ID]
		if have != nil && have.Version == t.Version || t.Kind == catalog.KindView || t.Kind == catalog.KindDictionary {
			continue
		}
		if _, err := s.fsm.spec(t); err != nil {
			return nil, err
		}
		b.tables = append(b.tables, t)
	}
	for id := range s.fsm.state.tables {
		if c.ByID(id) == nil {
			b.dropped = append(b.dropped, id)
		}
	}
	slices.SortFunc(b.tables, func(x, y *catalog.Table) int { return int(x.ID) - int(y.ID) })
	slices.Sort(b.dropped)
	return b, nil
}

// Compact takes a Raft snapshot now and deletes the log before it.
func (s *Shard) Compact() error { return s.g.snapshot() }

// memtableBytes is the size of the rows in no segment, which a Raft snapshot holds.
func (s *Shard) memtableBytes() int64 {
	snap := s.store.Snapshot()
	defer snap.Close()
	n := int64(0)
	for _, id := range snap.Tables() {
		if v := snap.Table(id); v != nil {
			n += v.MemtableBytes()
		}
	}
	return n
}

// awaitReady waits until the shard has applied its log and the catalog; for openPatience, if others have it too.
func (s *Shard) awaitReady(ctx context.Context) error {
	deadline := s.clk.Now().Add(openPatience)
	for {
		select {
		case <-s.ready:
			return nil
		case <-ctx.Done():
			return ctxErr(ctx)
		case <-s.fsm.failed:
			return s.fsm.err()
		case <-s.clk.After(catchUpPoll):
			if p := s.problem.Load(); p != nil {
				return *p
			}
			if !s.g.alone() && !s.clk.Now().Before(deadline) {
				s.g.log.Warn("the shard has no leader so far: what is read here may be old")
				return nil
			}
		}
	}
}

// follow waits until a replica that does not lead has caught up.
func (s *Shard) follow() {
	for {
		if _, leads := s.Leader(); !leads && s.g.caughtUp() {
			s.once.Do(func() { close(s.ready) })
		}
		select {
		case <-s.ready:
			return
		case <-s.g.closing:
			return
		case <-s.fsm.failed:
			return
		case <-s.clk.After(catchUpPoll):
		}
	}
}

// lead is the work of the shard's leader: the catalog's changes, and flushes and merges.
func (s *Shard) lead(ctx context.Context) {
	if err := s.catchUp(ctx); err != nil {
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	if s.background != nil {
		work.Go(func() { s.background(ctx) })
		work.Go(func() { s.compareStates(ctx) })
	}
	for {
		changed := s.meta.Changed()
		if err := s.reconcile(ctx); err != nil {
			return
		}
		if err := s.forgetMoves(ctx); err != nil && ctx.Err() == nil {
			s.g.log.Warn("ending what is left of moves", "error", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// catchUp brings the shard to the catalog after a start, and deletes the files that nothing names.
func (s *Shard) catchUp(ctx context.Context) error {
	if err := s.meta.g.awaitCaughtUp(ctx); err != nil {
		return err
	}
	if err := s.reconcile(ctx); err != nil {
		return err
	}
	s.cleanOrphans(ctx)
	s.once.Do(func() { close(s.ready) })
	return nil
}

// reconcile applies the present catalog, until it has worked or ctx ends.
func (s *Shard) reconcile(ctx context.Context) error {
	for {
		err := s.ApplySchema(ctx, s.meta.Catalog())
		if err == nil {
			s.problem.Store(nil)
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		s.g.log.Warn("applying the catalog to the shard", "error", err)
		if !retryable(err) {
			err = fmt.Errorf("cluster: shard %d cannot apply the catalog: %w", s.g.id, err)
			s.problem.Store(&err)
		}
		if err := s.clk.Sleep(ctx, retryPause); err != nil {
			return err
		}
	}
}
