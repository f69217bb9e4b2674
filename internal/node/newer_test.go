package node

import (
	"context"
	"testing"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query"
)

// aheadShard is a shard that takes rows of later versions of the catalog than one only.
type aheadShard struct {
	after uint64
	asked int
}

func (s *aheadShard) Append(_ context.Context, b cluster.Batch) (cluster.Result, error) {
	if s.asked++; b.Schema <= s.after {
		return cluster.Result{}, cluster.ErrSchemaChanged
	}
	return cluster.Result{}, nil
}

// TestInsertAwaitsCatalog: a shard that knows of a change before this node does not fail an INSERT.
func TestInsertAwaitsCatalog(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (x UInt64) ENGINE = MergeTree ORDER BY x")
	c := n.cluster.Meta().Catalog()
	s := &aheadShard{after: c.Version}
	later := time.AfterFunc(200*time.Millisecond, func() { _, _ = run(t, n, "CREATE TABLE u (x UInt64) ENGINE = MergeTree ORDER BY x") }) // its error shows below
	defer later.Stop()
	rows := column.NewBlock(column.NewNum(types.TUInt64, []uint64{1, 2}))
	if _, err := n.writer.small(t.Context(), s, c.Table("default", "t"), []*column.Block{rows}, query.InsertOptions{}); err != nil {
		t.Errorf("after %d attempts: %v", s.asked, err)
	}
	if s.asked != 2 {
		t.Errorf("%d attempts", s.asked)
	}
}
