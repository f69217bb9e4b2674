package cluster

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/cluster/raftlog"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// Node is all groups of this node.
type Node struct {
	log    *raftlog.Log
	meta   *Meta
	shards []*Shard
}

// Open starts the groups over what is in cfg.Dir, and returns when all have caught up with their logs: every acknowledged
// row is readable. It fails if one cannot, and then has stopped everything again.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	cfg.withDefaults()
	n := &Node{}
	err := n.open(ctx, &cfg)
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context, cfg *Config) error {
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
	if err := checkShards(cfg); err != nil {
		return err
	}
	if err := n.openMeta(cfg); err != nil {
		return err
	}
	for id := uint64(1); id <= uint64(cfg.Shards); id++ {
		if err := n.openShard(cfg, id); err != nil {
			return err
		}
	}
	if err := n.meta.g.awaitFirstTerm(ctx); err != nil {
		return err
	}
	for _, s := range n.shards {
		if err := s.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// segmentsDir is where the segments of a shard lie, below Config.Dir.
const segmentsDir = "segments-"

// checkShards refuses to leave out shards that have data.
func checkShards(cfg *Config) error {
	names, err := cfg.FS.List(cfg.Dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		text, ok := strings.CutPrefix(name, segmentsDir)
		if id, err := strconv.Atoi(text); ok && err == nil && id > cfg.Shards {
			return sqlerr.New(sqlerr.BadArguments, "The data has a shard %d, the configuration %d shards", id, cfg.Shards)
		}
	}
	return nil
}

func (n *Node) openMeta(cfg *Config) error {
	m := &Meta{fsm: newMetaFSM(cfg.fences), specs: cfg.Specs, changing: make(chan struct{}, 1)}
	var err error
	if m.g, err = openGroup(cfg, metaGroup, n.log, m.fsm, &m.fsm.machine); err != nil {
		return err
	}
	n.meta = m
	m.g.start(func(ctx context.Context, _ uint64) { <-ctx.Done() })
	return nil
}

func (n *Node) openShard(cfg *Config, id uint64) error {
	store, err := mergetree.Open(mergetree.Options{
		FS: cfg.FS, Dir: path.Join(cfg.Dir, fmt.Sprint(segmentsDir, id)), Clock: cfg.Clock, Budget: cfg.Budget,
		Logger: cfg.Logger.With("shard", id), MemtableLimit: cfg.MemtableLimit, Workers: cfg.Workers, Cache: cfg.Cache,
	})
	if err != nil {
		return err
	}
	s := &Shard{store: store, clk: cfg.Clock, meta: n.meta, ready: make(chan struct{})}
	if !cfg.NoBackground {
		s.background = func(ctx context.Context) {
			if err := store.Run(ctx, s); err != nil && ctx.Err() == nil {
				s.g.log.Error("background work has ended", "error", err)
			}
		}
	}
	rows := &handovers{}
	s.fsm = newShardFSM(id, store, cfg.Specs, cfg.fences, rows.take)
	if s.g, err = openGroup(cfg, id, n.log, s.fsm, &s.fsm.machine); err != nil {
		return errors.Join(err, store.Close())
	}
	s.g.rows, s.g.stateBytes = rows, s.memtableBytes
	n.shards = append(n.shards, s)
	s.g.start(s.lead)
	return nil
}

// awaitReady waits until the shard has applied its log and the catalog.
func (s *Shard) awaitReady(ctx context.Context) error {
	for {
		select {
		case <-s.ready:
			return nil
		case <-ctx.Done():
			return ctxErr(ctx)
		case <-s.fsm.failed:
			return s.fsm.err()
		case <-s.clk.After(retryPause):
			if p := s.problem.Load(); p != nil {
				return *p
			}
		}
	}
}

// Close stops everything, after what is under way. Snapshots of the shards' stores must be closed before.
func (n *Node) Close() error {
	var errs []error
	for _, s := range slices.Backward(n.shards) {
		errs = append(errs, s.g.close(), s.store.Close())
	}
	if n.meta != nil {
		errs = append(errs, n.meta.g.close())
	}
	if n.log != nil {
		errs = append(errs, n.log.Close())
	}
	return errors.Join(errs...)
}

// Meta returns the meta group.
func (n *Node) Meta() *Meta { return n.meta }

// Shards returns all shards, by number.
func (n *Node) Shards() []*Shard { return n.shards }

// Change changes the catalog, and returns when all shards have it: tables that were created can be written to.
func (n *Node) Change(ctx context.Context, f ChangeFunc) (*catalog.Catalog, error) {
	c, err := n.meta.Change(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, s := range n.shards {
		if err := s.WaitSchema(ctx, c.Version); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Status describes a group on this node, for system tables and metrics.
type Status struct {
	Group            uint64
	Term             uint64 // in which this node leads; 0: it does not
	Applied          uint64 // log index
	Committed        uint64 // log index
	Schema           uint64 // catalog version
	LogBytes         int64  // since the last Raft snapshot
	Proposals        int    // under way
	ProposalBytes    int64
	DiskFull         bool
	MemtablePressure float64 // of a shard: 1 holds writers
	Err              error   // why the replica has stopped
}

// Status describes all groups, the meta group first.
func (n *Node) Status() []Status {
	out := []Status{n.meta.g.status()}
	out[0].Schema = n.meta.Catalog().Version
	for _, s := range n.shards {
		st := s.g.status()
		st.Schema, st.MemtablePressure = s.Schema(), s.store.Pressure()
		out = append(out, st)
	}
	return out
}

func (g *group) status() Status {
	st := Status{Group: g.id, Committed: g.raft.CommitIndex(), LogBytes: g.machine.logBytes.Load(), DiskFull: g.full(), Err: g.machine.err()}
	st.Term, _ = g.leading()
	st.Applied, _ = g.machine.appliedIndex()
	st.Proposals, st.ProposalBytes = g.window.use()
	return st
}

// LogStats returns the counters of the log that all groups share.
func (n *Node) LogStats() raftlog.Stats { return n.log.Stats() }
