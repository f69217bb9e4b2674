package node

import (
	"context"
	"errors"
	"sync"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/exec"
)

// store gives the engine the rows of all shards: reads those of this node's replicas, maintenance wherever each is led.
type store struct{ node *Node }

// Snapshot implements query.Store. What was acknowledged has been applied here: the newest state has it.
func (s *store) Snapshot(ctx context.Context) (exec.Storage, error) {
	var views []*cluster.View
	version := s.node.cluster.Topology().Version
	for _, r := range s.node.cluster.Shards() {
		v, err := r.View(ctx, version)
		if err != nil {
			newStorage(views...).Close()
			return nil, err
		}
		views = append(views, v)
	}
	return newStorage(views...), nil
}

// whole pins what the node can read by itself for a materialized view that reads other tables than its source.
func (s *store) whole(ctx context.Context) (exec.Storage, error) {
	for _, p := range s.node.cluster.Topology().Shards {
		if s.node.cluster.Shard(p.ID) == nil {
			return nil, sqlerr.New(sqlerr.NotImplemented, "A materialized view that reads other tables than its source, on a node without a replica of shard %d", p.ID)
		}
	}
	return s.Snapshot(ctx)
}

// everywhere runs an operation on every shard.
func (s *store) everywhere(ctx context.Context, q shardRequest) error {
	return s.node.shards.each(func(id uint64) error {
		of := q
		of.Shard = id
		_, err := s.node.do(ctx, &of)
		return err
	})
}

// Truncate implements query.Store.
func (s *store) Truncate(ctx context.Context, t *catalog.Table) error {
	return s.node.wide(ctx, t.ID, func(version uint64) error {
		return s.everywhere(ctx, shardRequest{Op: opTruncate, Table: t.ID, Topology: version})
	})
}

// DropPartition implements query.Store.
func (s *store) DropPartition(ctx context.Context, t *catalog.Table, partitionID string) error {
	return s.node.wide(ctx, t.ID, func(version uint64) error {
		return s.everywhere(ctx, shardRequest{Op: opDropPartition, Table: t.ID, Partition: partitionID, Topology: version})
	})
}

// CopyPartition implements query.Store.
func (s *store) CopyPartition(ctx context.Context, c query.PartitionCopy) error {
	return s.node.wide(ctx, c.From.ID, func(uint64) error {
		return s.node.wide(ctx, c.To.ID, func(version uint64) error {
			return s.everywhere(ctx, shardRequest{Op: opCopyPartition, Table: c.From.ID, To: c.To.ID, Partition: c.PartitionID, Replace: c.Replace, Leave: c.Move,
				Catalog: s.node.cluster.Meta().Catalog().Version, Topology: version})
		})
	})
}

// Optimize implements query.Store.
func (s *store) Optimize(ctx context.Context, t *catalog.Table, partitionID string, final bool) error {
	return s.everywhere(ctx, shardRequest{Op: opOptimize, Table: t.ID, Partition: partitionID, Final: final})
}

// Deduplicate implements query.Store.
func (s *store) Deduplicate(ctx context.Context, t *catalog.Table, partitionID string, by []string) error {
	return s.node.wide(ctx, t.ID, func(version uint64) error {
		return s.everywhere(ctx, shardRequest{Op: opDeduplicate, Table: t.ID, Partition: partitionID, By: by, Topology: version})
	})
}

// Flush implements query.Store.
func (s *store) Flush(ctx context.Context, t *catalog.Table) error {
	return s.everywhere(ctx, shardRequest{Op: opFlush, Table: idOf(t)})
}

// SetMerges implements query.Store.
func (s *store) SetMerges(t *catalog.Table, run bool) error {
	return s.everywhere(context.Background(), shardRequest{Op: opSetMerges, Table: idOf(t), Run: run})
}

// idOf is a table's ID, 0 for all tables.
func idOf(t *catalog.Table) catalog.TableID {
	if t == nil {
		return 0
	}
	return t.ID
}

// Check implements query.Store.
func (s *store) Check(ctx context.Context, t *catalog.Table) ([]query.CheckResult, error) {
	var mu sync.Mutex
	var out []query.CheckResult
	err := s.node.shards.each(func(id uint64) error {
		a, err := s.node.do(ctx, &shardRequest{Shard: id, Op: opCheck, Table: t.ID})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		out = append(out, a.Check...)
		return nil
	})
	return out, err
}

func verify(ctx context.Context, h *mergetree.SegmentHandle) error {
	r, err := h.Open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(r.Verify(ctx), r.Release())
}
