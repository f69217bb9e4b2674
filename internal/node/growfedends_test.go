package node

import (
	"slices"
	"testing"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/sqlerr"
)

// TestFedGrowthIsGivenUp: where a shard has no leader when all are to consume up to one offset, the growth is given up, and consumption goes on on all others at once; the shard
// follows when it is back, and another growth comes to its end.
func TestFedGrowthIsGivenUp(t *testing.T) {
	feeds(t, 1, 1, "stop", nil, func(t *testing.T, x *fedCluster) {
		n := x.nodes["node-1"]
		x.consumed(200)
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		leader := func(shard uint64) (name string) {
			x.eventually("there is a leader", func() bool {
				name, _ = n.shards.leaderOf(t.Context(), shard)
				return name != ""
			})
			return name
		}
		must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
		mover, other := x.stands(), uint64(1)
		lost := leader(2)
		if lost == mover {
			lost, other = leader(1), 2
		}
		if lost == mover || lost == leader(other) {
			t.Fatalf("%s leads shards 1 and 2", lost)
		}
		n = x.nodes[mover]
		x.net.Isolate(lost)
		x.goOn()
		from := time.Now()
		x.eventually("the growths are given up", func() bool {
			for _, g := range n.cluster.Topology().Growths {
				if g.State != cluster.GrowthCancelled && g.State != cluster.GrowthCopying {
					return false
				}
			}
			return n.cluster.Meta().Catalog().Table("default", "queue").StoppedFor == 0 && n.cluster.Meta().Catalog().Table("default", "queue2").StoppedFor == 0
		})
		if took := time.Since(from); took > 2*holdPatience {
			t.Errorf("after %s", took)
		}
		must(t, n, "SYSTEM CLUSTER CANCEL MOVES")
		progress := func() (next int64) {
			for _, c := range x.nodes[leader(other)].sources.status() {
				for _, p := range c.Partitions {
					next += p.Next
				}
			}
			return next
		}
		before := progress()
		x.eventually("the other shard consumes on", func() bool { return progress() > before })
		x.net.HealAll()
		x.eventually("the growths are undone", func() bool { return len(n.cluster.Topology().Growths) == 0 })
		x.once()
		x.grown(x.once)
		for _, table := range []string{"a", "b", "c"} {
			x.onShards(table, 3)
		}
		x.all()
	})
}

// TestFeedsWhileTablesGrow: what feeds a table that grows cannot be changed, and says so; the table and the Kafka table can go, and others go on.
func TestFeedsWhileTablesGrow(t *testing.T) {
	for _, step := range []string{"hold", "met"} {
		feeds(t, 2, 1, step, nil, func(t *testing.T, x *fedCluster) {
			n := x.nodes["node-1"]
			x.consumed(200)
			must(t, n, "DROP TABLE feed_b")
			must(t, n, "DROP TABLE b")
			must(t, n, "SYSTEM CLUSTER SHARDS 3")
			must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
			x.stands()
			grows := ""
			for _, g := range n.cluster.Topology().Growths {
				if step == "hold" || g.State == cluster.GrowthHolding {
					grows = n.cluster.Meta().Catalog().ByID(g.Table).Name // a or c
				}
			}
			source := map[string]string{"a": "queue", "c": "queue2"}[grows]
			for _, sql := range []string{"DROP VIEW feed_" + grows, "DETACH TABLE feed_" + grows, "DETACH TABLE " + source, "CREATE MATERIALIZED VIEW other TO " + grows + " AS SELECT id FROM queue" + map[string]string{"a": "2", "c": ""}[grows]} {
				if _, err := run(t, n, sql); !sqlerr.Is(err, sqlerr.Aborted) {
					t.Errorf("before %s, %s: %v", step, sql, err)
				}
			}
			must(t, n, "ALTER TABLE "+source+" MODIFY COMMENT 'it may change otherwise'")
			must(t, n, "DROP TABLE "+grows)
			x.goOn()
			x.eventually("the growths end", func() bool { return len(n.cluster.Topology().Growths) == 0 })
			for _, q := range []string{"queue", "queue2"} {
				if s := n.cluster.Meta().Catalog().Table("default", q); s.StoppedFor != 0 {
					t.Errorf("before %s: %s is still stopped, for %d", step, q, s.StoppedFor)
				}
			}
			must(t, n, "DROP VIEW feed_"+grows)
			x.end()
			time.Sleep(time.Minute)
			left := map[string]string{"a": "c", "c": "a"}[grows]
			for _, table := range []string{left, "plain"} {
				x.everywhere("SELECT count() - uniqExact(id), uniqExact(id) - (SELECT count() FROM plain) FROM "+table, "0\t0\n")
			}
		})
	}
}

// TestFedGrowthIsUndone: a growth that is cancelled when the new shards have been told where to begin leaves nothing behind: another one, later, is exact.
func TestFedGrowthIsUndone(t *testing.T) {
	feeds(t, 2, 1, "switch", nil, func(t *testing.T, x *fedCluster) {
		n := x.nodes["node-1"]
		x.consumed(200)
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
		x.stands()
		must(t, n, "SYSTEM CLUSTER CANCEL MOVES")
		x.goOn()
		x.eventually("the growths are undone", func() bool { return len(n.cluster.Topology().Growths) == 0 })
		for _, table := range []string{"a", "b", "c"} {
			if s := n.cluster.Meta().Catalog().Table("default", table).Spread; s != nil {
				t.Errorf("%s lies by %v", table, s)
			}
		}
		x.consumed(int(x.sent))
		x.once()
		x.grown(x.once)
		for _, table := range []string{"a", "b", "c"} {
			x.onShards(table, 3)
		}
		x.all()
	})
}

// TestMeeting: shards meet where the first of them has got to.
func TestMeeting(t *testing.T) {
	at := func(partition int32, next int64, topic byte) consumedTo {
		return consumedTo{releasing: releasing{"t", partition}, Next: next, TopicID: cluster.TopicID{topic}}
	}
	for _, c := range []struct {
		what   string
		have   [][]consumedTo
		to     []consumedTo
		behind int64
	}{
		{"nothing was consumed", [][]consumedTo{nil, nil}, nil, 0},
		{"equal", [][]consumedTo{{at(0, 5, 1), at(1, 7, 1)}, {at(0, 5, 1), at(1, 7, 1)}}, []consumedTo{at(0, 5, 1), at(1, 7, 1)}, 0},
		{"each is first once", [][]consumedTo{{at(0, 5, 1), at(1, 7, 1)}, {at(0, 9, 1), at(1, 6, 1)}}, []consumedTo{at(0, 9, 1), at(1, 7, 1)}, 5},
		{"one has not begun", [][]consumedTo{{at(0, 5, 1)}, nil}, []consumedTo{at(0, 5, 1)}, 5},
		{"one has not begun what has no messages", [][]consumedTo{{at(0, 0, 1)}, nil}, []consumedTo{at(0, 0, 1)}, 1},
		{"a topic that was made anew", [][]consumedTo{{at(0, 5, 1)}, {at(0, 5, 2)}}, []consumedTo{at(0, 5, 1)}, 1},
		{"one shard", [][]consumedTo{{at(3, 5, 1)}}, []consumedTo{at(3, 5, 1)}, 0},
	} {
		to, behind, why := meeting(c.have)
		if !slices.Equal(to, c.to) || behind != c.behind || (why == nil) != (behind == 0) {
			t.Errorf("%s: %+v, %d behind, %v", c.what, to, behind, why)
		}
	}
}
