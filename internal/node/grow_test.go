package node

import (
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// grown lets the tables grow and waits for the end.
func (s *several) grown(during func()) {
	s.t.Helper()
	n := s.nodes["node-1"]
	s.t.Log(must(s.t, n, "SYSTEM CLUSTER REBALANCE 'data'"))
	for end := time.Now().Add(5 * time.Minute); len(n.cluster.Topology().Growths) > 0; time.Sleep(300 * time.Millisecond) {
		if during(); time.Now().After(end) {
			s.t.Fatalf("growths do not end: %+v, moves %+v", n.cluster.Topology().Growths, n.cluster.Topology().Moves)
		}
	}
}

// onShards expects a table's rows on so many shards, from the first.
func (s *several) onShards(table string, shards int) {
	s.t.Helper()
	on := s.rowsOn(table)
	for id, rows := range on {
		if (rows > 0) != (id <= uint64(shards)) {
			s.t.Errorf("%s is to be on %d shards: %v", table, shards, on)
		}
	}
}

// TestTablesGrow: tables with sharding keys come to lie on shards that were added, with rows found by their keys, joined in place, replaced, and INSERTs
// repeated without effect: before, during and after; and once more.
func TestTablesGrow(t *testing.T) {
	virtualCluster(t, 3, 2, 2, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE a (k UInt64, day UInt8, v UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree ORDER BY day AS SELECT day, count() AS n FROM a GROUP BY day")
		must(t, n, "CREATE TABLE b (k UInt64, v UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE TABLE last (k UInt64, v UInt64) ENGINE = ReplacingMergeTree ORDER BY k")
		must(t, n, "CREATE TABLE empty (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		round, inserts := 0, 0
		insert := func(token int) {
			t.Helper()
			for i, sql := range []string{"INSERT INTO a SETTINGS insert_deduplication_token = 't%[1]d' SELECT number + %[2]d, number %% 3, 1 FROM numbers(30)",
				"INSERT INTO b SETTINGS insert_deduplication_token = 't%[1]d' SELECT number + %[2]d, 1 FROM numbers(30)"} {
				must(t, s.nodes[fmt.Sprint("node-", (i+token)%3+1)], fmt.Sprintf(sql, token, token*30))
			}
		}
		replace := func() {
			t.Helper()
			round++
			must(t, s.nodes[fmt.Sprint("node-", round%3+1)], fmt.Sprintf("INSERT INTO last SELECT number, %d FROM numbers(100)", round))
		}
		same := func() {
			t.Helper()
			rows := fmt.Sprintf("%d\t%d\n", inserts*30, inserts*30)
			for _, table := range []string{"a", "b"} {
				s.everywhere("SELECT count(), uniqExact(k) FROM "+table, rows)
				for k := range uint64(inserts * 30) {
					if k%37 == 0 {
						s.everywhere(fmt.Sprintf("SELECT count() FROM %s WHERE k = %d", table, k), "1\n")
					}
				}
			}
			s.everywhere("SELECT sum(n) FROM sums", fmt.Sprintln(inserts*30))
			s.everywhere("SELECT count() FROM a JOIN b USING (k)", fmt.Sprintln(inserts*30))
			s.everywhere("SELECT count(), min(v), max(v) FROM last FINAL", fmt.Sprintf("100\t%d\t%d\n", round, round))
		}
		more := func() {
			t.Helper()
			insert(inserts)
			inserts++
			replace()
			if inserts%4 == 0 {
				insert(inserts / 2) // a repeat
			}
			same()
		}
		for range 10 {
			more()
		}
		for _, shards := range []int{3, 5} {
			must(t, s.nodes["node-2"], fmt.Sprint("SYSTEM CLUSTER SHARDS ", shards))
			s.grown(more)
			for _, table := range []string{"a", "b", "last"} {
				s.onShards(table, shards)
			}
			for i := range inserts {
				insert(i) // all of them repeats
			}
			same()
			more()
			if out := must(t, s.nodes["node-3"], "EXPLAIN SELECT count() FROM a JOIN b USING (k)"); strings.Contains(out, "Broadcast") || strings.Contains(out, "Shuffle") {
				t.Errorf("tables that have grown alike are not joined in place:\n%s", out)
			}
		}
		must(t, n, "ALTER TABLE a UPDATE v = v + 1 WHERE 1")
		s.everywhere("SELECT min(v), max(v) FROM a", "2\t2\n")
		must(t, n, "OPTIMIZE TABLE last FINAL")
		same()
		if _, err := run(t, n, "ALTER TABLE a MOVE PARTITION 1 TO SHARD 2"); !sqlerr.Is(err, sqlerr.NotImplemented) {
			t.Errorf("a partition of a table with a sharding key moves: %v", err)
		}
		if top := n.cluster.Topology(); len(top.Moves) > 0 {
			t.Errorf("moves are left: %+v", top.Moves)
		}
	})
}

// growthOfT lets t, which lies on two of three shards, come to lie on all.
var growthOfT = moving{
	shards: 2,
	table:  "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id SETTINGS sharding_key = 'id'",
	begin: func(s *several) {
		must(s.t, s.nodes["node-1"], "SYSTEM CLUSTER SHARDS 3")
		s.settled(3)
		must(s.t, s.nodes["node-1"], "SYSTEM CLUSTER REBALANCE 'data'")
	},
	ended: func(top *cluster.Topology) bool { return len(top.Growths) == 0 },
	check: func(s *several) {
		s.onShards("t", 3)
		for id := range 120 {
			s.everywhere(fmt.Sprint("SELECT count() FROM t WHERE id = ", id), "1\n")
		}
		must(s.t, s.nodes["node-2"], "INSERT INTO t SELECT number FROM numbers(120, 100)")
		s.everywhere("SELECT count(), uniqExact(id) FROM t", "220\t220\n")
		top := s.nodes["node-1"].cluster.Topology()
		if past := top.PastMoves; len(top.Moves) > 0 || len(past) == 0 || past[len(past)-1].State != cluster.MoveDone {
			s.t.Errorf("moves %+v, past moves %+v", top.Moves, past)
		}
	},
}

// TestGrowthIsGoneOnWith: before each step of a growth the power of a node fails: of the one that does it, or that leads a source or a target. Every answer,
// meanwhile and after, has each row once; the growth comes to its end, and INSERTs that are repeated then take no effect.
func TestGrowthIsGoneOnWith(t *testing.T) {
	for _, point := range []string{"freeze", "extract", opArrive, opKeep, "hold", "tokens", "switch", "let", "leave", "end"} {
		for at, victim := range []string{"mover", "source", "target"} {
			t.Run(point+"/"+victim, func(t *testing.T) {
				failBefore(t, point, victim, uint64(at), map[string]uint64{"source": 1, "target": 3}, growthOfT)
			})
		}
	}
}

// TestGrowthsRefused: what cannot grow says so, and tables that a Kafka table may have fed before they grew, but not then, are not fed by it again.
func TestGrowthsRefused(t *testing.T) {
	virtualCluster(t, 3, 2, 1, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		const queue = "ENGINE = Kafka('127.0.0.1:1', 'events', 'g', 'JSONEachRow')"
		must(t, n, "CREATE TABLE fed (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE TABLE before (k UInt64) "+queue)
		must(t, n, "CREATE TABLE base (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE MATERIALIZED VIEW latest ENGINE = ReplacingMergeTree ORDER BY k AS SELECT k FROM base")
		must(t, n, "CREATE TABLE fine (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "INSERT INTO fine SELECT number FROM numbers(100)")
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		must(t, n, "CREATE MATERIALIZED VIEW feed TO fed AS SELECT k FROM before")
		said := ""
		s.eventually("the growth begins", func() bool {
			text, err := run(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
			said = text
			return err == nil
		})
		for _, want := range []string{"2 tables with a sharding key", "default.base cannot"} {
			if !strings.Contains(said, want) {
				t.Errorf("the answer is %q, without %q", said, want)
			}
		}
		s.eventually("the growth ends", func() bool { return len(n.cluster.Topology().Growths) == 0 })
		s.onShards("fine", 3)
		must(t, n, "DROP VIEW feed")
		must(t, n, "CREATE MATERIALIZED VIEW feed TO fed AS SELECT k FROM before") // it has fed the table when that grew
		if _, err := run(t, n, "SYSTEM CLUSTER REBALANCE 'data'"); !sqlerr.Is(err, sqlerr.NotImplemented) {
			t.Errorf("nothing can grow: %v", err)
		}
		if _, err := run(t, n, "CREATE MATERIALIZED VIEW feed2 TO fine AS SELECT k FROM before"); !sqlerr.Is(err, sqlerr.NotImplemented) {
			t.Errorf("a table is fed that has grown since: %v", err)
		}
		must(t, n, "CREATE TABLE after (k UInt64) "+queue)
		must(t, n, "CREATE MATERIALIZED VIEW feed2 TO fine AS SELECT k FROM after")
	})
}

// TestGrowthIsCancelled: a growth that is given up while a target has no leader is undone, INSERTs that waited are made, and another one comes to its end.
func TestGrowthIsCancelled(t *testing.T) {
	virtualCluster(t, 3, 2, 1, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE t (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "INSERT INTO t SELECT number FROM numbers(1000)")
		must(t, n, "SYSTEM CLUSTER SHARDS 3")
		leader := func(shard uint64) (name string) {
			s.eventually("there is a leader", func() (ok bool) {
				name, _ = n.shards.leaderOf(t.Context(), shard)
				return name != ""
			})
			return name
		}
		lost := leader(3)
		if lost == leader(1) || lost == leader(2) {
			t.Fatalf("shard 3 is on %s, with another", lost)
		}
		must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
		s.net.Isolate(lost)
		time.Sleep(10 * time.Second)
		must(t, n, "SYSTEM CLUSTER CANCEL MOVES")
		must(t, n, "INSERT INTO t SELECT number FROM numbers(1000, 1000)")
		s.net.HealAll()
		s.eventually("the growth is undone", func() bool { return len(n.cluster.Topology().Growths) == 0 })
		s.onShards("t", 2)
		s.everywhere("SELECT count(), uniqExact(k) FROM t", "2000\t2000\n")
		s.grown(func() {})
		s.onShards("t", 3)
		s.everywhere("SELECT count(), uniqExact(k) FROM t", "2000\t2000\n")
	})
}

// TestLateCommitsAreFenced: rows that were found to be a shard's before their table grew, and are proposed afterwards, go where they belong by then; with the
// fence switched off they stay where nobody looks for them.
func TestLateCommitsAreFenced(t *testing.T) {
	if found := lateCommit(t); found != 200 {
		t.Errorf("%d of 200 rows are found by their keys", found)
	}
	if found := lateCommit(t, "hold"); found == 200 {
		t.Error("without the fence all rows are found: this test would not see that it is missing")
	}
}

// lateCommit lets an INSERT of 200 rows stand still before it is proposed until its table has grown, and returns how many of the rows are found by their keys.
func lateCommit(t *testing.T, without ...string) (found int) {
	synctest.Test(t, func(t *testing.T) {
		var armed atomic.Bool
		reached, on := make(chan struct{}, 10), make(chan struct{})
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		s.net.SetLatency(simLatency)
		s.tune = func(c *Config) {
			c.fences = without
			c.pause = func() {
				if armed.Load() && strings.Contains(string(debug.Stack()), "(*splitting).one") {
					reached <- struct{}{}
					<-on
				}
			}
		}
		defer s.close()
		s.found(3, 2, 1)
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE t (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "SYSTEM CLUSTER SHARDS 4")
		name, err := n.shards.leaderOf(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		armed.Store(true)
		inserted := make(chan error)
		go func() {
			_, err := rowsIn(t.Context(), s.nodes[name], "INSERT INTO t SELECT number FROM numbers(200)", "insert_deduplication_token", "t")
			inserted <- err
		}()
		<-reached
		s.grown(func() {})
		armed.Store(false)
		close(on)
		if err := <-inserted; err != nil {
			t.Fatal(err)
		}
		for k := range 200 {
			if must(t, n, fmt.Sprint("SELECT count() FROM t WHERE k = ", k)) == "1\n" {
				found++
			}
		}
		s.everywhere("SELECT count(), uniqExact(k) FROM t", "200\t200\n")
	})
	return found
}
