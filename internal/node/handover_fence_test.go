package node

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// TestLateClaimsAreRefused: who believes that there are fewer shards than there are claims no partition, and nothing of a term that has ended takes one over or
// lets go of it.
func TestLateClaimsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		defer s.close()
		s.found(1, 2, 1)
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE q (x UInt64) ENGINE = Kafka('127.0.0.1:1', 't', 'g', 'JSONEachRow')")
		table := n.cluster.Meta().Catalog().Table("default", "q").ID
		shard := n.cluster.Shard(1)
		at := cluster.TopicPartition{Topic: "t", Partition: 1} // of shard 2, as there are two; it was of shard 1
		if err := shard.AcquireSource(t.Context(), 0, table, at, cluster.TopicID{1}, 7); err != nil {
			t.Fatal(err)
		}
		term, _ := shard.Leader()
		for name, f := range map[string]func() error{
			"release": func() error { return shard.ReleaseSource(t.Context(), term-1, table, at, cluster.TopicID{1}, 7) },
			"fence":   func() error { return shard.FenceSource(t.Context(), term-1, table, at) },
			"acquire": func() error {
				return shard.AcquireSource(t.Context(), term-1, table, cluster.TopicPartition{Topic: "t", Partition: 3}, cluster.TopicID{1}, 7)
			},
		} {
			if err := f(); !errors.Is(err, cluster.ErrNotLeader) {
				t.Errorf("%s under a term before: %v", name, err)
			}
		}
		if err := shard.FenceSource(t.Context(), term, table, at); err != nil {
			t.Error(err)
		}
		if cur := shard.Cursors(table).Cursors[at]; cur.Next != 7 || cur.Released {
			t.Errorf("behind a fence the cursor is %+v", cur)
		}
		parts := map[ingest.TopicPartition]ingest.TopicID{{Topic: "t", Partition: 1}: {1}}
		old := &committer{sources: n.sources, shard: shard, table: table, shards: 1}
		if _, err := old.claim(t.Context(), parts); !sqlerr.Is(err, sqlerr.Aborted) {
			t.Errorf("a claim by a topology of before: %v", err)
		}
		now := &committer{sources: n.sources, shard: n.cluster.Shard(2), table: table, shards: 2}
		if moved, err := now.claim(t.Context(), parts); err != nil || !moved {
			t.Errorf("moved %t, %v", moved, err)
		}
		if cur := n.cluster.Shard(2).Cursors(table).Cursors[at]; cur.Next != 7 {
			t.Errorf("shard 2 goes on at %+v", cur)
		}
	})
}
