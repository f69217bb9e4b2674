package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/cluster/raftlog"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Node is all groups of this node: the meta group, and the shards of which it has replicas. Which those are follows the topology
// while the node runs.
type Node struct {
	cfg   *Config
	files *courier
	log   *raftlog.Log
	meta  *Meta

	mu struct {
		sync.RWMutex
		shards  []*Shard // by ID
		changed chan struct{}
		closed  bool
	}
	serving atomic.Bool // what other nodes ask can be answered: meta is set
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// Open starts the groups over what is in cfg.Dir, and returns when all have caught up with their logs: every acknowledged
// row is readable. It fails if one cannot, and then has stopped everything again. A node of a cluster that finds no leader of a group for
// openPatience returns without having caught up.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	cfg.withDefaults()
	n := &Node{cfg: &cfg, files: newCourier(&cfg)}
	n.mu.changed = make(chan struct{})
	err := n.open(ctx)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	cfg := n.cfg
	if cfg.Specs == nil || cfg.FS == nil || cfg.Dir == "" {
		return sqlerr.New(sqlerr.LogicalError, "A node needs a file system, a directory and a way to compile tables")
	}
	cfg.Dir = path.Clean(cfg.Dir)
	if err := cfg.FS.MkdirAll(cfg.Dir); err != nil {
		return fmt.Errorf("cluster: making %s: %w", cfg.Dir, err)
	}
	if err := cfg.FS.SyncDir(path.Dir(cfg.Dir)); err != nil {
		return fmt.Errorf("cluster: syncing the parent of %s: %w", cfg.Dir, err)
	}
	var err error
	if n.log, err = raftlog.Open(cfg.FS, path.Join(cfg.Dir, "raft"), raftlog.Options{SegmentBytes: cfg.LogSegment}); err != nil {
		return err
	}
	if cfg.Network != nil {
		cfg.Network.Handle(methodStatus, n.serveStatus)
		cfg.Network.Handle(methodFetch, n.serveFetch)
		cfg.Network.Handle(methodStage, n.serveStage)
		cfg.Network.Handle(methodForward, n.serveForward)
	}
	if err := n.openMeta(); err != nil {
		return err
	}
	if err := n.openStored(); err != nil {
		return err
	}
	n.serving.Store(true)
	if err := n.meta.g.awaitCaughtUp(ctx); err != nil {
		return err
	}
	if err := n.reconcile(ctx); err != nil {
		return err
	}
	for _, s := range n.Shards() {
		if err := s.awaitReady(ctx); err != nil {
			return err
		}
	}
	background, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.work.Go(func() { n.follow(background) })
	return nil
}

// segmentsDir is where the segments of a shard lie, below Config.Dir.
const segmentsDir = "segments-"

// openStored opens the shards that have data here: before the node knows whether they are still wanted, it serves them.
func (n *Node) openStored() error {
	names, err := n.cfg.FS.List(n.cfg.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		text, ok := strings.CutPrefix(name, segmentsDir)
		id, err := strconv.ParseUint(text, 10, 64)
		if !ok || err != nil || id == metaGroup || id > MaxShards {
			continue
		}
		if last, err := n.log.Group(id).LastIndex(); err != nil || last == 0 {
			continue // it was never founded, or was dropped half way: reconcile will see
		}
		if err := n.openShard(id, false); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) openMeta() error {
	m := &Meta{fsm: newMetaFSM(n.cfg.fences, n.cfg.level()), specs: n.cfg.Specs, changing: make(chan struct{}, 1)}
	var err error
	if m.g, err = openGroup(n.cfg, metaGroup, n.log, m.fsm, &m.fsm.machine, n.cfg.Node == FirstNode); err != nil {
		return err
	}
	n.meta = m
	m.g.start(func(ctx context.Context, _ uint64) { n.steward(ctx) })
	return nil
}

// openShard starts this node's replica of a shard; with found it begins the shard's history, if nothing of it is here.
func (n *Node) openShard(id uint64, found bool) error {
	cfg := n.cfg
	store, err := mergetree.Open(mergetree.Options{
		FS: cfg.FS, Dir: n.shardDir(id), Clock: cfg.Clock, Budget: cfg.Budget,
		Logger: cfg.Logger.With("shard", id), MemtableLimit: cfg.MemtableLimit, Workers: cfg.Workers, Cache: cfg.Cache,
		Paths: func() bool { return n.Level().Has(feature.ObjectPaths) },
	})
	if err != nil {
		return err
	}
	term, err := lastTerm(n.log, id)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	store.Found(term)
	s := &Shard{store: store, clk: cfg.Clock, meta: n.meta, files: n.files, ready: make(chan struct{})}
	if !cfg.NoBackground {
		s.background = func(ctx context.Context) {
			if err := store.Run(ctx, s); err != nil && ctx.Err() == nil {
				s.g.log.Error("background work has ended", "error", err)
			}
		}
	}
	s.Writer = Writer{id: id, commit: s.commit}
	rows := &handovers{}
	s.fsm = newShardFSM(id, store, cfg.Specs, cfg.fences, rows.take)
	if s.g, err = openGroup(cfg, id, n.log, s.fsm, &s.fsm.machine, found); err != nil {
		return errors.Join(err, store.Close())
	}
	s.g.rows, s.g.stateBytes, s.g.prepare = rows, s.memtableBytes, s.prepare
	s.g.start(func(ctx context.Context, _ uint64) {
		var work sync.WaitGroup
		defer work.Wait()
		work.Go(func() { n.keepMembers(ctx, s.g) })
		s.lead(ctx)
	})
	s.g.work.Go(s.follow)
	s.g.work.Go(s.tendFiles)
	n.setShards(func(shards []*Shard) []*Shard { return append(shards, s) })
	return nil
}

func (n *Node) shardDir(id uint64) string { return path.Join(n.cfg.Dir, fmt.Sprint(segmentsDir, id)) }

// setShards changes the list of this node's replicas, on a copy.
func (n *Node) setShards(f func([]*Shard) []*Shard) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.shards = f(slices.Clone(n.mu.shards))
	slices.SortFunc(n.mu.shards, func(a, b *Shard) int { return cmp.Compare(a.g.id, b.g.id) })
	close(n.mu.changed)
	n.mu.changed = make(chan struct{})
}

// Close stops everything, after what is under way. Snapshots of the shards' stores must be closed before.
func (n *Node) Close() error {
	if n.stop != nil {
		n.stop()
	}
	n.work.Wait()
	n.leave()
	var errs []error
	for _, s := range slices.Backward(n.Shards()) {
		errs = append(errs, s.close())
	}
	if n.meta != nil {
		errs = append(errs, n.meta.g.close())
	}
	if n.cfg.Transport != nil {
		n.cfg.Transport.close()
	}
	if n.log != nil {
		errs = append(errs, n.log.Close())
	}
	return errors.Join(errs...)
}

func (s *Shard) close() error { return errors.Join(s.g.close(), s.store.Close()) }

// Name is the node's name.
func (n *Node) Name() string { return n.cfg.Node }

// First reports whether the node is the one that the cluster began with, or alone.
func (n *Node) First() bool { return n.cfg.Node == FirstNode }

// Meta returns the meta group.
func (n *Node) Meta() *Meta { return n.meta }

// Topology returns the cluster as this node knows it.
func (n *Node) Topology() *Topology { return n.meta.Topology() }

// Shards returns the shards of which this node has a replica, by number. The list is the caller's to read only.
func (n *Node) Shards() []*Shard {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.mu.shards
}

// Shard returns this node's replica of a shard, or nil.
func (n *Node) Shard(id uint64) *Shard {
	for _, s := range n.Shards() {
		if s.g.id == id {
			return s
		}
	}
	return nil
}

// ShardsChanged returns a channel that is closed when this node gets or loses a replica. Call it before Shards.
func (n *Node) ShardsChanged() <-chan struct{} {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.mu.changed
}

// Change changes the catalog, and returns when all shards of this node have it: tables that were created can be written to. For a shard
// without a leader it does not wait for ever.
func (n *Node) Change(ctx context.Context, f ChangeFunc) (*catalog.Catalog, error) {
	c, err := n.meta.Change(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, s := range n.Shards() {
		if err := s.WaitSchema(ctx, c.Version); err != nil && !errors.Is(err, ErrNotLeader) && n.Shard(s.g.id) == s {
			return nil, err
		}
	}
	return c, nil
}

// LogStats returns the counters of the log that all groups share.
func (n *Node) LogStats() raftlog.Stats { return n.log.Stats() }
