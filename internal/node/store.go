package node

import (
	"context"
	"errors"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/mergetree"
	"github.com/olapd/olapd/query"
	"github.com/olapd/olapd/query/exec"
)

// store gives the engine the rows of the node's shard.
type store struct{ shard *cluster.Shard }

// Snapshot implements query.Store. What was acknowledged has been applied here: the newest state has it.
func (s *store) Snapshot(context.Context) (exec.Storage, error) {
	return newStorage(s.shard.Store().Snapshot()), nil
}

// Truncate implements query.Store.
func (s *store) Truncate(ctx context.Context, t *catalog.Table) error {
	_, err := s.shard.Truncate(ctx, t.ID)
	return err
}

// DropPartition implements query.Store.
func (s *store) DropPartition(ctx context.Context, t *catalog.Table, partitionID string) error {
	return s.shard.Store().DropPartition(ctx, s.shard, t.ID, partitionID)
}

// Optimize implements query.Store.
func (s *store) Optimize(ctx context.Context, t *catalog.Table, partitionID string, final bool) error {
	return s.shard.Store().Optimize(ctx, s.shard, t.ID, mergetree.OptimizeOptions{Partition: partitionID, Final: final})
}

// Flush implements query.Store.
func (s *store) Flush(ctx context.Context, t *catalog.Table) error {
	if t != nil {
		return s.shard.Store().Flush(ctx, s.shard, t.ID)
	}
	snap := s.shard.Store().Snapshot()
	ids := snap.Tables()
	snap.Close()
	var errs []error
	for _, id := range ids {
		errs = append(errs, s.shard.Store().Flush(ctx, s.shard, id))
	}
	return errors.Join(errs...)
}

// SetMerges implements query.Store.
func (s *store) SetMerges(t *catalog.Table, run bool) error {
	id := catalog.TableID(0)
	if t != nil {
		id = t.ID
	}
	if run {
		s.shard.Store().StartMerges(id)
	} else {
		s.shard.Store().StopMerges(id)
	}
	return nil
}

// Check implements query.Store.
func (s *store) Check(ctx context.Context, t *catalog.Table) ([]query.CheckResult, error) {
	snap := s.shard.Store().Snapshot()
	defer snap.Close()
	view := snap.Table(t.ID)
	if view == nil {
		return nil, nil
	}
	var out []query.CheckResult
	for _, h := range view.Segments() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		res := query.CheckResult{Segment: h.ID, OK: true}
		if err := verify(ctx, h); err != nil {
			res.OK, res.Message = false, err.Error()
		}
		out = append(out, res)
	}
	return out, nil
}

func verify(ctx context.Context, h *mergetree.SegmentHandle) error {
	r, err := h.Open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(r.Verify(ctx), r.Release())
}
