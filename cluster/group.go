package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/raftlog"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// metaGroup is the id of the meta group; shards have the ids behind it.
const metaGroup = 0

// group is one Raft group of this node: raft, its stores, leadership and proposals.
type group struct {
	id        uint64
	node      string
	clk       clock.Clock
	log       *slog.Logger
	machine   *machine
	raft      *raft.Raft
	net       rpc.Network // nil: there are no other nodes
	confirmed atomic.Bool // see confirm
	transport raftTransport
	store     *guard
	window    *window
	limit     int64 // bytes of log that bring on a Raft snapshot
	// stateBytes is about the size of one.
	stateBytes func() int64
	lead       func(ctx context.Context, term uint64)
	// prepare does what has to be done before a body is proposed in a term; nil: nothing has. release is called when raft has no more use for
	// the entry.
	prepare func(ctx context.Context, term uint64, b body) (release func(), err error)
	voting  turns
	pause   func() // see Config.Pause

	requests atomic.Uint64
	rows     *handovers    // of proposals under way; nil where none have rows
	closing  chan struct{} // closed by close: no new proposals
	down     chan struct{} // closed when raft has been shut down
	shutdown func() error
	stop     context.CancelFunc // of the goroutines
	work     sync.WaitGroup

	contacts *contacts
	mu       struct {
		sync.Mutex
		term    uint64    // of this node's leadership, begun; 0: none
		since   time.Time // of term
		changed chan struct{}
		closed  bool
	}
	recheck chan struct{} // the term may have changed
}

// openGroup starts raft over the shared log. fsm is m's state machine. With found the group begins with this node alone, unless
// something of it is here; else the node waits to be added. start must follow.
func openGroup(cfg *Config, id uint64, l *raftlog.Log, fsm raft.FSM, m *machine, found bool) (*group, error) {
	g := &group{id: id, node: cfg.Node, clk: cfg.Clock, log: cfg.Logger.With("group", id), machine: m, net: cfg.Network,
		pause: cfg.Pause, window: newWindow(maxInflight, min(cfg.InflightBytes, 512<<20)), limit: cfg.SnapshotBytes, stateBytes: func() int64 { return 0 },
		closing: make(chan struct{}), down: make(chan struct{}), recheck: make(chan struct{}, 1), contacts: newContacts()}
	g.mu.changed = make(chan struct{})
	g.store = &guard{GroupStore: l.Group(id), clk: cfg.Clock, fail: m.stop, failed: m.err, closing: g.closing}
	g.store.mu.stalled = make(chan struct{})
	g.shutdown = sync.OnceValue(g.stopRaft)
	store, err := raftlog.OpenSnapshots(cfg.FS, cfg.snapshotsDir(id), snapshotsKept)
	if err != nil {
		return nil, err
	}
	snaps := &snapshots{Snapshots: store}
	address, transport := cfg.Transport.open(id)
	g.transport = transport
	conf := g.raftConfig(cfg)
	if found {
		if err := bootstrap(g.store, snaps, raft.Server{ID: conf.LocalID, Address: address}); err != nil {
			return nil, fmt.Errorf("cluster: founding group %d: %w", id, err)
		}
	}
	if g.raft, err = raft.NewRaft(conf, fsm, g.store, g.store, snaps, transport); err != nil {
		return nil, fmt.Errorf("cluster: starting group %d: %w", id, errors.Join(err, snaps.last, m.restoring))
	}
	g.raft.RegisterObserver(raft.NewObserver(nil, false, g.contacts.observe))
	return g, nil
}

// start lets the group follow its leadership; lead is what a leader does, for each of its terms until ctx ends.
func (g *group) start(lead func(ctx context.Context, term uint64)) {
	ctx, stop := context.WithCancel(context.Background())
	g.lead, g.stop = lead, stop
	g.work.Go(func() { g.leadLoop(ctx) })
	g.work.Go(func() { g.upkeep(ctx) })
	g.work.Go(func() { g.watchFailure(ctx) })
	if g.net != nil {
		g.work.Go(func() { g.confirm(ctx) })
	}
}

func (g *group) raftConfig(cfg *Config) *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(cfg.Node)
	c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = electionTimeout, electionTimeout, electionTimeout
	if cfg.Network != nil {
		c.HeartbeatTimeout, c.ElectionTimeout, c.LeaderLeaseTimeout = failoverTimeout, failoverTimeout, failoverTimeout/2
	}
	c.MaxAppendEntries = maxInflight
	if cfg.CommitInterval > 0 {
		c.CommitTimeout = cfg.CommitInterval
	}
	c.BatchApplyCh = true
	c.TrailingLogs = trailingLogs
	c.SnapshotThreshold = 1 << 62 // by bytes, in upkeep
	c.NoLegacyTelemetry = true
	c.Logger = raftLogger(cfg.Logger, g.id)
	return c
}

// bootstrap writes the first entry of a new group, its configuration, unless something is there: also after a crash
// half way, which raft's own BootstrapCluster would refuse.
func bootstrap(store *guard, snaps raft.SnapshotStore, self raft.Server) error {
	last, err := store.LastIndex()
	if err != nil || last > 0 {
		return err
	}
	list, err := snaps.List()
	if err != nil || len(list) > 0 {
		return err
	}
	if err := store.GroupStore.SetUint64([]byte("CurrentTerm"), 1); err != nil {
		return err
	}
	return store.GroupStore.StoreLog(&raft.Log{Index: 1, Term: 1, Type: raft.LogConfiguration,
		Data: raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{self}})})
}

// close refuses new proposals, waits for those under way, and stops raft and all goroutines.
func (g *group) close() error {
	g.mu.Lock()
	if g.mu.closed {
		g.mu.Unlock()
		return nil
	}
	g.mu.closed = true
	close(g.closing)
	g.mu.Unlock()
	g.stop()
	g.work.Wait()
	return g.shutdown()
}

// stopRaft lets what is under way end, for a while, and shuts raft down.
func (g *group) stopRaft() error {
	timer := g.clk.NewTimer(drainTimeout)
	defer timer.Stop()
	select {
	case <-g.window.idle():
	case <-timer.C():
		g.log.Warn("proposals are still under way at the end")
	}
	f := g.raft.Shutdown()
	err := errors.Join(g.transport.Close(), f.Error())
	close(g.down)
	return err
}

// watchFailure shuts raft down when the replica has stopped.
func (g *group) watchFailure(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-g.machine.failed:
	}
	g.log.Error("the replica has stopped; reads go on", "error", g.machine.err())
	g.setTerm(0)
	if err := g.shutdown(); err != nil {
		g.log.Error("shutting raft down", "error", err)
	}
}

// leadLoop follows this node's leadership.
func (g *group) leadLoop(ctx context.Context) {
	term, endTerm := uint64(0), func() {}
	defer func() { endTerm() }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.machine.failed:
			return
		case <-g.raft.LeaderCh():
		case <-g.recheck:
		}
		now := g.raft.CurrentTerm()
		leads := g.raft.State() == raft.Leader
		if leads && now == term {
			continue
		}
		g.setTerm(0)
		endTerm()
		term, endTerm = 0, func() {}
		if !leads {
			continue
		}
		if g.machine.fences.noBegin {
			g.work.Go(func() { _ = g.begin(ctx, now) })
		} else if err := g.begin(ctx, now); err != nil {
			g.log.Info("beginning a term", "term", now, "error", err)
			g.recheckLater(ctx)
			continue
		}
		term, endTerm = now, g.startLeading(ctx, now)
	}
}

// begin commits a BeginTerm, behind which all entries of earlier terms have been applied.
func (g *group) begin(ctx context.Context, term uint64) error {
	data, err := g.encode(0, term, 0, &beginTerm{node: g.node})
	if err != nil {
		return err
	}
	r, err := g.submit(ctx, data, func() {})
	return errors.Join(err, r.err)
}

func (g *group) recheckLater(ctx context.Context) {
	if g.clk.Sleep(ctx, retryPause) == nil {
		g.recheckNow()
	}
}

func (g *group) recheckNow() {
	select {
	case g.recheck <- struct{}{}:
	default:
	}
}

// startLeading opens the term for proposals, starts the leader's work, and returns what ends it.
func (g *group) startLeading(ctx context.Context, term uint64) func() {
	ctx, cancel := context.WithCancel(ctx)
	g.setTerm(term)
	g.log.Info("leading", "term", term)
	var work sync.WaitGroup
	work.Go(func() { g.lead(ctx, term) })
	return func() {
		cancel()
		work.Wait()
	}
}

func (g *group) setTerm(term uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.term != term {
		g.mu.term, g.mu.since = term, g.clk.Now()
		close(g.mu.changed)
		g.mu.changed = make(chan struct{})
	}
}

// ledSince is when this node began to lead, or ended.
func (g *group) ledSince() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.since
}

// leading returns the term this node leads in, 0 if it does not, and a channel that is closed when that changes.
func (g *group) leading() (uint64, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mu.term, g.mu.changed
}

// upkeep takes a Raft snapshot when the log has grown, and so lets its prefix go.
func (g *group) upkeep(ctx context.Context) {
	t := g.clk.NewTicker(upkeepInterval)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.machine.failed:
			return
		case <-t.C():
		}
		if !g.snapshotDue() {
			continue
		}
		if err := g.snapshot(); err != nil && ctx.Err() == nil {
			g.log.Warn("taking a Raft snapshot", "error", err)
			if g.clk.Sleep(ctx, snapshotRetry) != nil {
				return
			}
		}
	}
}

// snapshotDue reports whether the log has grown enough; sooner when a flush has just made the state smaller than the log
// that it would free.
func (g *group) snapshotDue() bool {
	n := g.machine.logBytes.Load()
	return n >= g.limit || n >= g.limit/flushShare && g.machine.flushed.Load() && g.stateBytes() <= n
}

// snapshot takes a Raft snapshot and deletes the log before it.
func (g *group) snapshot() error {
	err := g.raft.Snapshot().Error()
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// full reports whether the disk is.
func (g *group) full() bool { return g.store.full.Load() }
