package torturecluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/olapd/olapd/test/olapd"
	"github.com/twmb/franz-go/pkg/kfake"
)

const (
	// growRows is how many rows an INSERT has while tables grow.
	growRows = 50
	// growRate is how many messages a second stream in meanwhile.
	growRate = 1000
	// growTime is how long a table may take to come to lie on more shards on a machine that does much else.
	growTime = 3 * time.Minute
)

// TestGrowingCluster: while clients insert and messages stream in from Kafka, a shard is added, tables with a sharding key come to lie on it, and a node is killed
// meanwhile. Every INSERT is there once, also when it is repeated afterwards, and every message; rows are found by their keys.
func TestGrowingCluster(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary (make torture-cluster-short)")
	}
	f, err := newFleet(t.Context(), *serverFlag, t.TempDir(), shardCount, nodeCount)
	defer func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}()
	must := func(rows [][]string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows)
	}
	must(nil, err)
	must(rowsOf(t.Context(), f.nodes[0].at, "CREATE TABLE grown (k UInt64, token UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'"))
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))
	must(nil, err)
	defer broker.Close()
	for _, sql := range []string{
		"CREATE TABLE fed (k UInt64, p UInt64, o Int64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'",
		"CREATE TABLE queue (id UInt64) ENGINE = Kafka('" + broker.ListenAddrs()[0] + "', '" + topic + "', 'grow', 'JSONEachRow') SETTINGS kafka_flush_interval_ms = 100",
		"CREATE MATERIALIZED VIEW feed TO fed AS SELECT id AS k, _partition AS p, toInt64(_offset) AS o FROM queue",
	} {
		must(rowsOf(t.Context(), f.nodes[0].at, sql))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	stream := newLoad(f, 1)
	clients.Go(func() {
		if err := stream.produce(ctx, broker.ListenAddrs()[0], growRate); err != nil {
			t.Error(err)
		}
	})
	var mu sync.Mutex
	tokens := 0 // acknowledged are those below
	clients.Go(func() {
		for token := 0; ctx.Err() == nil && insertGrown(ctx, f, token) == nil; token++ {
			mu.Lock()
			tokens = token + 1
			mu.Unlock()
			sleep(ctx, pause)
		}
	})
	sleep(t.Context(), 2*time.Second)
	must(rowsOf(t.Context(), f.nodes[1].at, "SYSTEM CLUSTER SHARDS 3"))
	victim := f.nodes[2]
	killed := false
	for end := time.Now().Add(growTime); ; sleep(t.Context(), 100*time.Millisecond) {
		if time.Now().After(end) {
			rows, err := rowsOf(t.Context(), f.nodes[0].at, "SELECT * FROM system.moves")
			t.Fatalf("the table does not grow: %q, %v", rows, err)
		}
		_, err := rowsOf(t.Context(), f.nodes[0].at, "SYSTEM CLUSTER REBALANCE 'data'") // refused while it is under way
		if err == nil && !killed {
			killed = true
			sleep(t.Context(), 50*time.Millisecond)
			victim.server().Stop()
			must(nil, f.start(victim, nil))
		}
		done, err := rowsOf(t.Context(), f.nodes[0].at, "SELECT countIf(state = 'done' AND to_shard = 3 AND rows > 0) > 0 AND countIf(state NOT IN ('done', 'cancelled')) = 0 FROM system.moves WHERE table IN ('grown', 'fed') GROUP BY table")
		if err == nil && fmt.Sprint(done) == "[[1] [1]]" {
			break
		}
	}
	must(nil, victim.server().Wait())
	sleep(t.Context(), time.Second)
	cancel()
	clients.Wait()
	t.Logf("%d INSERTs were acknowledged; moves: %s", tokens, must(rowsOf(t.Context(), f.nodes[0].at,
		"SELECT from_shard, to_shard, state, sum(rows) FROM system.moves WHERE table = 'grown' GROUP BY ALL ORDER BY ALL")))
	sent := stream.sent.Load()
	all := fmt.Sprintf("[[%d %[1]d %[1]d]]", sent)
	for end := time.Now().Add(growTime); time.Now().Before(end); sleep(t.Context(), 100*time.Millisecond) {
		if rows, err := rowsStrong(t.Context(), f.nodes[1].at, "SELECT count() FROM fed"); err == nil && rows[0][0] == fmt.Sprint(sent) {
			break
		}
	}
	for _, n := range f.nodes {
		if got := must(rowsStrong(t.Context(), n.at, "SELECT count(), uniqExact(k), uniqExact(p, o) FROM fed")); got != all {
			t.Errorf("%s: of %d messages: %s rows, messages, offsets", n.name, sent, got)
		}
		for k := int64(1); k <= sent; k += 1 + sent/20 {
			if got := must(rowsStrong(t.Context(), n.at, fmt.Sprint("SELECT count() FROM fed WHERE k = ", k))); got != "[[1]]" {
				t.Errorf("%s: message %d is there %s times", n.name, k, got)
			}
		}
	}
	t.Logf("%d messages; of how long tables were held: %q", sent, held(f))
	for token := range tokens { // repeats
		must(nil, insertGrown(t.Context(), f, token))
	}
	want := fmt.Sprint([][]string{{fmt.Sprint(tokens), "1", fmt.Sprint(growRows), fmt.Sprint(growRows)}})
	for _, n := range f.nodes {
		sql := fmt.Sprintf("SELECT count(), uniqExact(c, d), any(c), any(d) FROM (SELECT token, count() AS c, uniqExact(k) AS d FROM grown WHERE token < %d GROUP BY token)", tokens)
		if got := must(rowsStrong(t.Context(), n.at, sql)); got != want {
			t.Errorf("%s: INSERTs, ways that these are there, rows, different rows: %s, not %s", n.name, got, want)
		}
		for k := 0; k < tokens*growRows; k += 1 + tokens*growRows/20 {
			if got := must(rowsStrong(t.Context(), n.at, fmt.Sprint("SELECT count() FROM grown WHERE k = ", k))); got != "[[1]]" {
				t.Errorf("%s: row %d is there %s times", n.name, k, got)
			}
		}
	}
}

// held are the lines of the nodes' logs that say how long tables took no rows.
func held(f *fleet) (lines []string) {
	for _, n := range f.nodes {
		for line := range strings.Lines(n.server().Log()) {
			if strings.Contains(line, "lies on more shards") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// insertGrown inserts the rows of a token at one node after the other until one acknowledges it.
func insertGrown(ctx context.Context, f *fleet, token int) error {
	var rows strings.Builder
	for k := range growRows {
		fmt.Fprintf(&rows, "%d\t%d\n", token*growRows+k, token)
	}
	sql := fmt.Sprintf("INSERT INTO grown SETTINGS insert_deduplication_token = '%d' FORMAT TSV", token)
	for at := token; ctx.Err() == nil; at++ {
		try, cancel := context.WithTimeout(ctx, largeTimeout)
		a, err := (&olapd.Session{Server: f.nodes[at%nodeCount].at}).Insert(try, sql, strings.NewReader(rows.String()))
		cancel()
		if err == nil && a.Code == 0 {
			return nil
		}
		sleep(ctx, pause)
	}
	return context.Cause(ctx)
}
