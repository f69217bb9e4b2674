package node

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/ingest"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/plan"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// fedCluster is a cluster in virtual time with a broker whose topic is written to all the time.
type fedCluster struct {
	*several
	network kfake.VirtualNetwork
	broker  *kfake.Cluster
	client  *kgo.Client
	stop    context.CancelFunc
	work    sync.WaitGroup
	sent    uint64 // messages, from 0; every 97th cannot be read
	// A growth stands still before this step, once: the node that does it is sent to reached, and waits for on.
	step    string
	stood   atomic.Bool
	reached chan string
	on      chan struct{}
	goOn    func() // once or more
}

const fedPartitions = 5

// feeds lets f run with a cluster of three nodes, and tables that Kafka tables feed: a and b through views over one Kafka table, with a rollup of a, and a third
// table without a sharding key through the same; c by another Kafka table.
func feeds(t *testing.T, replicas int, seed uint64, step string, without []string, f func(t *testing.T, x *fedCluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fedCluster{step: step, reached: make(chan string, 1), on: make(chan struct{})}
		x.goOn = sync.OnceFunc(func() { close(x.on) })
		x.several = &several{t: t, net: rpc.NewMemory(clock.Real(), seed), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		var err error
		if x.broker, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(x.network.Listen), kfake.SeedTopics(fedPartitions, streamTopic)); err != nil {
			t.Fatal(err)
		}
		defer x.broker.Close()
		x.net.SetLatency(simLatency)
		x.tune = func(c *Config) {
			c.kafkaDial, c.fences, c.onMove = x.network.DialContext, without, x.stand
		}
		defer x.several.close()
		defer x.goOn()
		x.found(3, 2, replicas)
		n := x.nodes["node-1"]
		must(t, n, "CREATE TABLE a (id UInt64, kind String) ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'")
		must(t, n, "CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree ORDER BY kind AS SELECT kind, count() AS n, sum(id) AS s FROM a GROUP BY kind")
		must(t, n, "CREATE TABLE b (id UInt64, kind String) ENGINE = ReplacingMergeTree ORDER BY (kind, id)")
		must(t, n, "CREATE TABLE plain (id UInt64) ENGINE = MergeTree ORDER BY id")
		must(t, n, "CREATE TABLE c (id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'")
		for _, q := range []string{"queue", "queue2"} {
			must(t, n, fmt.Sprintf("CREATE TABLE %s (id UInt64, kind String) ENGINE = Kafka('%s', '%s', '%s', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 100", q, x.broker.ListenAddrs()[0], streamTopic, q))
		}
		for _, view := range []string{"a TO a AS SELECT id, kind FROM queue", "b TO b AS SELECT id, kind FROM queue", "p TO plain AS SELECT id FROM queue", "c TO c AS SELECT id FROM queue2"} {
			must(t, n, "CREATE MATERIALIZED VIEW feed_"+view)
		}
		x.produce()
		defer x.end()
		f(t, x)
	})
}

// stand lets a growth stand still.
func (x *fedCluster) stand(node string, _ uint64, before string) {
	if before == x.step && x.stood.CompareAndSwap(false, true) {
		x.reached <- node
		<-x.on
	}
}

// stands waits until a growth stands still, and returns the node that does it.
func (x *fedCluster) stands() string {
	x.t.Helper()
	select {
	case name := <-x.reached:
		return name
	case <-time.After(time.Minute):
		top := x.nodes["node-1"].cluster.Topology()
		x.t.Fatalf("no growth comes to step %s: %+v, moves %+v", x.step, top.Growths, top.Moves)
		return ""
	}
}

// produce writes numbered messages until end.
func (x *fedCluster) produce() {
	var err error
	if x.client, err = kgo.NewClient(kgo.SeedBrokers(x.broker.ListenAddrs()...), kgo.Dialer(x.network.DialContext), kgo.RecordPartitioner(kgo.ManualPartitioner())); err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	x.stop = cancel
	x.work.Go(func() {
		for ctx.Err() == nil {
			var batch []*kgo.Record
			for range 10 {
				r := &kgo.Record{Topic: streamTopic, Partition: int32(x.sent % fedPartitions), Value: fmt.Appendf(nil, `{"id":%d,"kind":"k%d"}`, x.sent, x.sent%7)}
				if x.sent%97 == 96 {
					r.Value = []byte("broken")
				}
				batch = append(batch, r)
				x.sent++
			}
			if err := x.client.ProduceSync(context.WithoutCancel(ctx), batch...).FirstErr(); err != nil {
				x.t.Error(err)
				return
			}
			pause := 40 * time.Millisecond
			if x.stood.Load() { // the rest takes long
				pause *= 5
			}
			time.Sleep(pause)
		}
	})
}

// end stops the stream; once or more.
func (x *fedCluster) end() {
	x.stop()
	x.work.Wait()
	x.client.Close()
}

// once expects in all answers, meanwhile, no row twice and rollups like their base.
func (x *fedCluster) once() {
	x.t.Helper()
	for name, n := range x.nodes {
		for _, sql := range []string{"SELECT count() - uniqExact(id) FROM a", "SELECT count() - uniqExact(id) FROM b", "SELECT count() - uniqExact(id) FROM plain", "SELECT count() - uniqExact(id) FROM c",
			"SELECT (SELECT count() FROM a) - sum(n) FROM sums"} {
			if got, err := run(x.t, n, sql); err == nil && got != "0\n" {
				x.t.Errorf("%s: %s: %s", name, sql, got)
			}
		}
	}
}

// all expects every message once, when no more come.
func (x *fedCluster) all() {
	x.t.Helper()
	x.end()
	broken := x.sent / 97
	rows := fmt.Sprintf("%d\t%[1]d\n", x.sent-broken)
	n := x.nodes["node-1"]
	for _, table := range []string{"a", "b", "c", "plain"} {
		sql := "SELECT count(), uniqExact(id) FROM " + table
		for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
			if got, err := run(x.t, n, sql); err == nil && got == rows {
				break
			}
		}
		x.everywhere(sql, rows)
	}
	x.everywhere("SELECT sum(n), sum(s) - (SELECT sum(id) FROM a) FROM sums", fmt.Sprintf("%d\t0\n", x.sent-broken))
	x.everywhere("SELECT table, count(), uniqExact(kafka_partition, kafka_offset) FROM system.dead_letter_queue GROUP BY table ORDER BY table", fmt.Sprintf("queue\t%d\t%[1]d\nqueue2\t%[1]d\t%[1]d\n", broken))
	for id := range x.sent {
		if id%61 == 0 && id%97 != 96 {
			for _, table := range []string{"a", "c"} {
				x.everywhere(fmt.Sprintf("SELECT count() FROM %s WHERE id = %d", table, id), "1\n")
			}
		}
	}
}

// consumed waits until messages have come in.
func (x *fedCluster) consumed(messages int) {
	x.t.Helper()
	x.eventually("messages come in", func() bool {
		got, err := run(x.t, x.nodes["node-1"], fmt.Sprintf("SELECT count() >= %d FROM (SELECT count() AS n FROM a UNION ALL SELECT count() FROM c) WHERE n > %d", 2, messages))
		return err == nil && got == "1\n"
	})
}

// TestFedTablesGrow: shards are added, and tables that Kafka tables feed come to lie on them, while messages stream in: every message is there once, those that cannot
// be read too, rollups equal their base, rows are found by their keys; and once more.
func TestFedTablesGrow(t *testing.T) {
	feeds(t, 2, 1, "", nil, func(t *testing.T, x *fedCluster) {
		n := x.nodes["node-1"]
		x.consumed(500)
		for _, shards := range []int{3, 5} {
			must(t, x.nodes["node-2"], fmt.Sprint("SYSTEM CLUSTER SHARDS ", shards))
			x.consumed(int(x.sent))
			x.once()
			x.grown(func() {
				x.once()
				for _, q := range []string{"queue", "queue2"} {
					if s := n.cluster.Meta().Catalog().Table("default", q); s.StoppedFor != 0 {
						t.Logf("%s is stopped for %d, at %+v", q, s.StoppedFor, s.Stops)
					}
				}
			})
			for _, g := range n.cluster.Topology().PastMoves {
				if g.Reason != "" {
					t.Errorf("a growth was given up: %s", g.Reason)
				}
			}
			x.consumed(int(x.sent))
			for _, table := range []string{"a", "b", "c"} {
				x.onShards(table, shards)
			}
		}
		must(t, n, "DROP VIEW feed_c") // nothing else reads queue2: what comes meanwhile waits
		time.Sleep(time.Second)
		must(t, n, "CREATE MATERIALIZED VIEW feed_c TO c AS SELECT id FROM queue2")
		x.all()
	})
}

// TestFedTablesOfOldLevel: while nodes may be of builds that do not stop Kafka tables, no shards are added under tables that these feed, and no such table grows.
func TestFedTablesOfOldLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		s.tune = func(c *Config) { c.levelsBehind = int(feature.Current-feature.StoppedSources.Since()) + 1 }
		defer s.close()
		s.found(3, 2, 1)
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE fed (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE TABLE queue (k UInt64) ENGINE = Kafka('127.0.0.1:1', 'events', 'g', 'JSONEachRow')")
		must(t, n, "CREATE MATERIALIZED VIEW feed TO fed AS SELECT k FROM queue")
		if _, err := run(t, n, "SYSTEM CLUSTER SHARDS 3"); !sqlerr.Is(err, sqlerr.BadArguments) {
			t.Errorf("shards are added: %v", err)
		}
		must(t, n, "DROP VIEW feed")
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		must(t, n, "CREATE MATERIALIZED VIEW feed TO fed AS SELECT k FROM queue")
		if _, err := run(t, n, "SYSTEM CLUSTER REBALANCE 'data'"); !sqlerr.Is(err, sqlerr.NotImplemented) {
			t.Errorf("a table grows: %v", err)
		}
		id := n.cluster.Meta().Catalog().Table("default", "fed").ID
		if _, err := n.cluster.Meta().PlanGrowths(t.Context(), []catalog.TableID{id}); !sqlerr.Is(err, sqlerr.NotImplemented) {
			t.Errorf("a growth is planned: %v", err)
		}
	})
}

// TestLateFeedIsFenced: what a consumer commits past the offset at which all shards meet is refused, here on a new shard that has no rows by the old spread; with the
// fence switched off, rows are lost.
func TestLateFeedIsFenced(t *testing.T) {
	if rows, ids, sent := lateFeed(t); rows != sent || ids != sent {
		t.Errorf("%d rows of %d messages of %d", rows, ids, sent)
	}
	if rows, ids, sent := lateFeed(t, "stops"); rows == sent && ids == sent {
		t.Error("without the fence all rows are there: this test would not see that it is missing")
	}
}

// lateFeed lets a consumer of shard 3 commit 40 messages past the stop of a partition just before the switch, and returns how many rows there are in the end, of how many
// messages, and how many could be read.
func lateFeed(t *testing.T, without ...string) (rows, ids, sent uint64) {
	feeds(t, 2, 1, "switch", without, func(t *testing.T, x *fedCluster) {
		n := x.nodes["node-2"]
		x.consumed(500)
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		for _, view := range []string{"feed_b", "feed_c"} { // a alone grows by a Kafka table
			must(t, n, "DROP VIEW "+view)
		}
		must(t, n, "DROP TABLE b")
		must(t, n, "DROP TABLE c")
		must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
		x.stands()
		late := x.commitPast(t, 40)
		if len(without) == 0 && late == nil {
			t.Error("a commit past the stop was taken")
		}
		x.goOn()
		x.eventually("the growth ends", func() bool { return len(n.cluster.Topology().Growths) == 0 })
		x.end()
		time.Sleep(20 * time.Second)
		for i, expr := range []string{"count()", "uniqExact(id)"} {
			got, err := strconv.ParseUint(strings.TrimSpace(must(t, n, "SELECT "+expr+" FROM a")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			*[]*uint64{&rows, &ids}[i] = got
		}
		sent = x.sent - x.sent/97
	})
	return rows, ids, sent
}

// commitPast commits messages of partition 0 behind the cursor of shard 3, as a consumer of the Kafka table does that was started before that was stopped.
func (x *fedCluster) commitPast(t *testing.T, messages int64) error {
	name, err := x.nodes["node-1"].shards.leaderOf(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	n := x.nodes[name]
	source := n.cluster.Meta().Catalog().Table("default", "queue")
	pt, err := plan.NewTable(source)
	if err != nil {
		t.Fatal(err)
	}
	c := &committer{sources: n.sources, shard: n.cluster.Shard(3), table: source.ID, shards: 3, spread: true, schema: pt.Schema()}
	pos, err := c.Cursors(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	at := ingest.TopicPartition{Topic: streamTopic}
	cur := pos.Cursors[at]
	id, kind := column.New(types.TUInt64, 0), column.New(types.TString, 0)
	for o := cur.Next; o < cur.Next+messages; o++ {
		if m := uint64(o) * fedPartitions; m%97 != 96 {
			column.AppendValue(id, m)
			column.AppendValue(kind, fmt.Sprint("k", m%7))
		}
	}
	r := ingest.SourceRange{TopicPartition: at, TopicID: cur.TopicID, Start: cur.Next, End: cur.Next + messages, First: cur.Next, Last: cur.Next + messages - 1}
	return c.Commit(t.Context(), ingest.Batch{Term: pos.Term, Rows: column.NewBlock(id, kind), Ranges: []ingest.SourceRange{r}})
}

// TestReadingsStay: a Kafka table that feeds a table with a sharding key and one without goes on as before when the former's view is dropped, and made again; one
// whose partitions are read by one shard each cannot begin to feed a table with a sharding key.
func TestReadingsStay(t *testing.T) {
	feeds(t, 2, 1, "", nil, func(t *testing.T, x *fedCluster) {
		n := x.nodes["node-1"]
		must(t, n, fmt.Sprintf("CREATE TABLE parted (id UInt64) ENGINE = Kafka('%s', '%s', 'parted', 'JSONEachRow')", x.broker.ListenAddrs()[0], streamTopic))
		must(t, n, "CREATE TABLE plain2 (id UInt64) ENGINE = MergeTree ORDER BY id")
		must(t, n, "CREATE MATERIALIZED VIEW feed_plain2 TO plain2 AS SELECT id FROM parted")
		x.consumed(300)
		for range 2 {
			must(t, n, "DROP VIEW feed_a")
			must(t, n, "DROP VIEW feed_b")
			time.Sleep(3 * time.Second)
			must(t, n, "CREATE MATERIALIZED VIEW feed_a TO a AS SELECT id, kind FROM queue")
			must(t, n, "CREATE MATERIALIZED VIEW feed_b TO b AS SELECT id, kind FROM queue")
			time.Sleep(3 * time.Second)
		}
		for range 2 {
			if _, err := run(t, n, "CREATE MATERIALIZED VIEW feed_a2 TO a AS SELECT id, '' AS kind FROM parted"); !sqlerr.Is(err, sqlerr.NotImplemented) {
				t.Errorf("a Kafka table that is read by partition feeds a table with a sharding key: %v", err)
			}
			must(t, n, "DROP VIEW IF EXISTS feed_plain2")
		}
		must(t, n, "CREATE MATERIALIZED VIEW feed_plain2 TO plain2 AS SELECT id FROM parted")
		x.end()
		time.Sleep(time.Minute)
		rows := fmt.Sprintf("%d\t%[1]d\n", x.sent-x.sent/97)
		for _, table := range []string{"plain", "plain2", "c"} {
			x.everywhere("SELECT count(), uniqExact(id) FROM "+table, rows)
		}
		x.everywhere("SELECT count() - uniqExact(id) FROM a", "0\n")
	})
}
