package node

import (
	"testing"

	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// TestNoViewNoCommit: what a consumer has read when the last view over its table goes stays in the topic for the next view.
func TestNoViewNoCommit(t *testing.T) {
	s := newSeveral(t, 1, 1, 1)
	n := s.nodes["node-1"]
	for _, sql := range []string{
		"CREATE TABLE events (id UInt64) ENGINE = MergeTree ORDER BY id",
		"CREATE TABLE queue (id UInt64) ENGINE = Kafka('127.0.0.1:1', 'events', 'g', 'JSONEachRow')",
		"CREATE MATERIALIZED VIEW feed TO events AS SELECT id FROM queue",
	} {
		must(t, n, sql)
	}
	cat := n.cluster.Meta().Catalog()
	table := cat.Table("default", "queue")
	c := &committer{sources: n.sources, shard: n.cluster.Shard(1), table: table.ID, shards: 1, schema: column.Schema{{Name: "id", Type: types.TUInt64}}}
	commit := func(from int64) error {
		pos, err := c.Cursors(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Commit(t.Context(), ingest.Batch{Term: pos.Term, Rows: column.NewBlock(column.NewNum(types.TUInt64, []uint64{uint64(from)})),
			Ranges: []ingest.SourceRange{{TopicPartition: ingest.TopicPartition{Topic: "events"}, Start: from, End: from + 1, First: from, Last: from}}})
	}
	if err := commit(0); err != nil {
		t.Fatal(err)
	}
	must(t, n, "DROP VIEW feed")
	if err := commit(1); sqlerr.CodeOf(err) != sqlerr.Aborted {
		t.Errorf("rows that no view takes: %v", err)
	}
	if next := n.cluster.Shard(1).Cursors(table.ID).Cursors; len(next) != 1 {
		t.Fatalf("cursors %v", next)
	} else {
		for at, cur := range next {
			if cur.Next != 1 {
				t.Errorf("the cursor of %v went to %d", at, cur.Next)
			}
		}
	}
	must(t, n, "CREATE MATERIALIZED VIEW feed TO events AS SELECT id FROM queue")
	if err := commit(1); err != nil {
		t.Fatal(err)
	}
	s.everywhere("SELECT id FROM events ORDER BY id", "0\n1\n")
}
