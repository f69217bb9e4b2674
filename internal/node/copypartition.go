package node

import (
	"context"
	"errors"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/mergetree"
)

// copyAttempts is how often a copy begins again because merges, or others, changed the tables meanwhile.
const copyAttempts = 10

// copyPartition puts rows of a partition into another table on a shard that this node leads, and takes them from the first if they are to leave it, in one entry.
func (n *Node) copyPartition(ctx context.Context, r *cluster.Shard, q *shardRequest) error {
	if since := n.cluster.Topology().Moved[q.To]; n.cfg.Network != nil && since > q.Topology {
		return sqlerr.New(sqlerr.Aborted, "Rows of the table have begun to move to other shards; shard %d was not changed, try again", q.Shard)
	}
	var err error
	for range copyAttempts {
		if err = n.copyOnce(ctx, r, q); !errors.Is(err, mergetree.ErrEditRejected) {
			return err
		}
	}
	return sqlerr.Wrap(err, sqlerr.Aborted, "The tables changed %d times while a partition was being copied", copyAttempts)
}

func (n *Node) copyOnce(ctx context.Context, r *cluster.Shard, q *shardRequest) error {
	schema := n.cluster.Meta().Catalog().Version
	st := r.Store()
	if err := r.WaitSchema(ctx, max(schema, q.Catalog)); err != nil {
		return err
	}
	if err := errors.Join(st.Flush(ctx, r, q.Table), st.Flush(ctx, r, q.To)); err != nil {
		return err
	}
	into := mergetree.Edit{Table: q.To, Cause: mergetree.CauseInsert}
	if q.Replace {
		var err error
		if into.Remove, err = st.Partition(q.To, q.Partition); err != nil {
			return err
		}
	}
	add, rows, err := st.CopyPartition(ctx, q.Table, q.To, q.Partition)
	if err != nil {
		return err
	}
	into.Add = add
	var edits []mergetree.Edit
	if len(into.Add) > 0 || len(into.Remove) > 0 {
		edits = append(edits, into)
	}
	if q.Leave && len(rows) > 0 {
		edits = append(edits, mergetree.Edit{Table: q.Table, Cause: mergetree.CauseDropPartition, Remove: rows})
	}
	if len(edits) == 0 {
		return nil
	}
	_, err = r.CommitSegments(ctx, cluster.EditBatch{Claims: cluster.Claims{Schema: schema}, Edits: edits})
	switch {
	case errors.Is(err, cluster.ErrUnknown):
		st.Release(add)
	case err != nil:
		st.Discard(add)
	}
	if errors.Is(err, cluster.ErrSchemaChanged) {
		err = sqlerr.New(sqlerr.Aborted, "A table changed while a partition was being copied; nothing was written, try again")
	}
	return err
}
