package node

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// stream produces numbered messages until it is stopped, and counts what the broker has acknowledged.
type stream struct {
	t      *testing.T
	client *kgo.Client
	stop   context.CancelFunc
	work   sync.WaitGroup
	sent   uint64
}

const streamTopic = "events"

func newStream(t *testing.T, brokers []string, partitions int32) *stream {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t, client: c}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	s.work.Go(func() {
		for ctx.Err() == nil {
			for range 100 {
				id := s.sent
				r := &kgo.Record{Topic: streamTopic, Partition: int32(id % uint64(partitions)),
					Value: []byte(`{"id":` + strconv.FormatUint(id, 10) + `,"kind":"k` + strconv.FormatUint(id%7, 10) + `"}`)}
				if err := c.ProduceSync(context.WithoutCancel(ctx), r).FirstErr(); err != nil {
					t.Error(err)
					return
				}
				s.sent++
			}
			time.Sleep(5 * time.Millisecond)
		}
	})
	return s
}

// end stops the stream and returns how many messages there are.
func (s *stream) end() uint64 {
	s.stop()
	s.work.Wait()
	s.client.Close()
	return s.sent
}

// TestKafkaOverCluster: each partition is consumed by its shard's leader; leaders are stopped and come back, shards are added while
// messages stream in: every message is there once, in rows spread by partition and by key, and rollups equal their base.
func TestKafkaOverCluster(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, streamTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	s := newSeveral(t, 3, 2, 3)
	n := s.nodes["node-1"]
	for _, kind := range []string{"plain", "keyed"} {
		key := map[string]string{"plain": "", "keyed": " SETTINGS sharding_key = 'id'"}[kind]
		must(t, n, fmt.Sprintf("CREATE TABLE %s (id UInt64, kind LowCardinality(String)) ENGINE = MergeTree ORDER BY id%s", kind, key))
		must(t, n, fmt.Sprintf("CREATE MATERIALIZED VIEW %s_kinds ENGINE = SummingMergeTree ORDER BY kind AS SELECT kind, count() AS n FROM %s GROUP BY kind", kind, kind))
		must(t, n, fmt.Sprintf("CREATE TABLE %s_queue (id UInt64, kind String) ENGINE = Kafka('%s', '%s', 'olapd', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 50", kind, broker.ListenAddrs()[0], streamTopic))
		must(t, n, fmt.Sprintf("CREATE MATERIALIZED VIEW %s_feed TO %s AS SELECT id, kind FROM %s_queue", kind, kind, kind))
	}
	in := newStream(t, broker.ListenAddrs(), 6)
	count := func(table string) uint64 {
		for _, n := range s.nodes {
			if out, err := run(t, n, "SELECT count() FROM "+table); err == nil {
				rows, _ := strconv.ParseUint(out[:len(out)-1], 10, 64)
				return rows
			}
		}
		return 0
	}
	more := func() {
		t.Helper()
		for _, table := range []string{"plain", "keyed"} {
			before := count(table)
			s.eventually("rows come in to "+table, func() bool { return count(table) > before })
		}
	}
	more()
	for shard := range uint64(2) {
		leader, err := n.shards.leaderOf(t.Context(), shard+1)
		if err != nil {
			t.Fatal(err)
		}
		s.stop(leader)
		more()
		s.start(leader)
		n = s.nodes[leader]
		more()
	}
	if err := n.cluster.SetShards(t.Context(), 3); err != nil { // it takes partitions over, and reads none for the table with a sharding key
		t.Fatal(err)
	}
	more()
	s.grown(more)
	s.onShards("keyed", 3)
	more()
	sent := in.end()
	s.eventually("all is consumed", func() bool { return count("plain") >= sent && count("keyed") >= sent })
	for _, table := range []string{"plain", "keyed"} {
		s.everywhere("SELECT count(), uniqExact(id), max(id) FROM "+table, fmt.Sprintf("%d\t%d\t%d\n", sent, sent, sent-1))
		s.everywhere(fmt.Sprintf("SELECT sum(n) = (SELECT count() FROM %s), uniqExact(kind) FROM %s_kinds", table, table), "1\t7\n")
	}
	t.Logf("%d messages", sent)
}

// TestPartitionsMove: partitions go to a shard that is added while messages stream in, each message once.
func TestPartitionsMove(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(6, streamTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	s := newSeveral(t, 3, 1, 2)
	n := s.nodes["node-2"]
	must(t, n, "CREATE TABLE plain (id UInt64, kind String, at UInt64) ENGINE = MergeTree ORDER BY id")
	must(t, n, fmt.Sprintf("CREATE TABLE queue (id UInt64, kind String) ENGINE = Kafka('%s', '%s', 'olapd', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 50", broker.ListenAddrs()[0], streamTopic))
	must(t, n, "CREATE MATERIALIZED VIEW feed TO plain AS SELECT id, kind, _partition AS at FROM queue")
	in := newStream(t, broker.ListenAddrs(), 6)
	for _, shards := range []int{2, 3} {
		// Of every partition: so those that have moved are read further before they move again.
		s.eventually("rows come in", func() bool {
			out, err := run(t, n, "SELECT count() = 6 AND min(rows) > "+fmt.Sprint(200*shards)+" FROM (SELECT count() AS rows FROM plain GROUP BY at)")
			return err == nil && out == "1\n"
		})
		if err := n.cluster.SetShards(t.Context(), shards); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Second)
	sent := in.end()
	s.everywhere("SELECT count(), uniqExact(id), max(id) FROM plain", fmt.Sprintf("%d\t%d\t%d\n", sent, sent, sent-1))
	held := 0
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		for _, c := range s.nodes[name].sources.status() {
			if len(c.Partitions) != 2 {
				t.Errorf("shard %d consumes %d partitions of 6", c.shard, len(c.Partitions))
			}
			held++
		}
	}
	if held != 3 {
		t.Errorf("%d consumers for 3 shards", held)
	}
}
