package node

import (
	"context"
	"fmt"
	"sync"
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

// virtualCluster runs f with a cluster in virtual time.
func virtualCluster(t *testing.T, nodes, shards, replicas int, f func(t *testing.T, s *several)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		s.net.SetLatency(simLatency)
		defer s.close()
		s.found(nodes, shards, replicas)
		f(t, s)
	})
}

// rowsOn is how many rows of a table each shard has, as its leader sees it.
func (s *several) rowsOn(table string) map[uint64]uint64 {
	s.t.Helper()
	n := s.nodes["node-1"]
	t := n.cluster.Meta().Catalog().Table("default", table)
	out := map[uint64]uint64{}
	for _, p := range n.cluster.Topology().Shards {
		a, err := n.do(s.t.Context(), &shardRequest{Shard: p.ID, Op: opCount, Table: t.ID, Catalog: n.cluster.Meta().Catalog().Version})
		if err != nil {
			s.t.Fatal(err)
		}
		out[p.ID] = a.Rows
	}
	return out
}

// TestMovePartition: the rows of a partition go to another shard and nothing else does, mutations and drops see all rows before and after, and what
// cannot move says so.
func TestMovePartition(t *testing.T) {
	virtualCluster(t, 3, 2, 2, func(t *testing.T, s *several) {
		n := s.nodes["node-2"]
		must(t, n, "CREATE TABLE events (day UInt8, id UInt64, v UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY id")
		must(t, n, "CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree PARTITION BY day ORDER BY day AS SELECT day, count() AS n, sum(v) AS s FROM events GROUP BY day")
		for i := range 20 {
			must(t, s.nodes[fmt.Sprint("node-", i%3+1)], fmt.Sprintf("INSERT INTO events SELECT number %% 3, number, 1 FROM numbers(%d, 30)", i*30))
		}
		must(t, n, "INSERT INTO events SELECT 7, number, 1 FROM numbers(600, 10)")
		same := func() {
			t.Helper()
			s.everywhere("SELECT day, count(), uniqExact(id) FROM events GROUP BY day ORDER BY day", "0\t200\t200\n1\t200\t200\n2\t200\t200\n7\t10\t10\n")
			s.everywhere("SELECT sum(n) FROM sums", "610\n")
		}
		same()
		for _, to := range []uint64{1, 2, 1} {
			before := s.rowsOn("events")
			must(t, n, fmt.Sprintf("ALTER TABLE events MOVE PARTITION 1 TO SHARD '%d'", to))
			same()
			after := s.rowsOn("events")
			t.Logf("partition 1 to shard %d: rows %v, then %v", to, before, after)
			if after[to] <= before[to] && to != 1 || after[1]+after[2] != 610 {
				t.Errorf("shard %d has %d rows, it had %d", to, after[to], before[to])
			}
		}
		for day := range 3 {
			must(t, n, fmt.Sprintf("ALTER TABLE events MOVE PARTITION %d TO SHARD '2'", day))
		}
		must(t, n, "ALTER TABLE events MOVE PARTITION 7 TO SHARD 2")
		must(t, n, "ALTER TABLE sums MOVE PARTITION 1 TO SHARD 1")
		if got := s.rowsOn("events"); got[1] != 0 || got[2] != 610 {
			t.Errorf("rows by shard: %v", got)
		}
		same()
		must(t, n, "ALTER TABLE events UPDATE v = v + 1 WHERE day < 2")
		s.everywhere("SELECT sum(v) FROM events", "1010\n")
		must(t, n, "ALTER TABLE events MOVE PARTITION 0 TO SHARD '1'")
		must(t, n, "ALTER TABLE events DROP PARTITION 0")
		s.everywhere("SELECT count(), sum(v) FROM events", "410\t610\n")
		if out := must(t, n, "SELECT count() > 5 FROM system.moves WHERE state = 'done'"); out != "1\n" {
			t.Errorf("system.moves: %s", out)
		}
		must(t, n, "CREATE TABLE keyed (k UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		for sql, code := range map[string]sqlerr.Code{
			"ALTER TABLE keyed MOVE PARTITION tuple() TO SHARD '2'": sqlerr.NotImplemented,
			"ALTER TABLE events MOVE PARTITION 1 TO SHARD '3'":      sqlerr.BadArguments,
			"ALTER TABLE events MOVE PARTITION 1 TO SHARD 'x'":      sqlerr.BadArguments,
			"ALTER TABLE events MOVE PARTITION 1 TO DISK 'x'":       sqlerr.NotImplemented,
		} {
			if _, err := run(t, n, sql); !sqlerr.Is(err, code) {
				t.Errorf("%s: %v", sql, err)
			}
		}
		must(t, n, "TRUNCATE TABLE events")
		s.everywhere("SELECT count() FROM events", "0\n")
		time.Sleep(time.Second)
	})
}

// TestMoveIsGoneOnWith: before each step of a move the power of a node fails: of the one that does the move, or that leads the source or the target. Every
// answer, meanwhile and after, has each row once; the move comes to its end.
func TestMoveIsGoneOnWith(t *testing.T) {
	for _, point := range []string{"pause", "copy", "freeze", "arrive", "switch", "leave", "stay", "end"} {
		for at, victim := range []string{"mover", "source", "target"} {
			t.Run(point+"/"+victim, func(t *testing.T) {
				failBefore(t, point, victim, uint64(at), map[string]uint64{"source": 1, "target": 2}, partitionOfT)
			})
		}
	}
}

// moving is a way to let rows of t move.
type moving struct {
	shards int    // there are
	table  string // t's definition
	begin  func(s *several)
	ended  func(top *cluster.Topology) bool
	check  func(s *several) // at the end, after rows were written on
}

// partitionOfT moves what shard 1 has of t to shard 2.
var partitionOfT = moving{
	shards: 2,
	table:  "CREATE TABLE t (id UInt64) ENGINE = MergeTree ORDER BY id",
	begin: func(s *several) {
		n := s.nodes["node-1"]
		id := n.cluster.Meta().Catalog().Table("default", "t").ID
		if _, err := n.cluster.Meta().PlanMoves(s.t.Context(), []cluster.Move{{Table: id, Partition: "all", From: 1, To: 2}}); err != nil {
			s.t.Fatal(err)
		}
	},
	ended: func(top *cluster.Topology) bool { return len(top.PastMoves) > 0 },
	check: func(s *several) {
		if past := s.nodes["node-1"].cluster.Topology().PastMoves[0]; past.State != cluster.MoveDone || past.Rows == 0 {
			s.t.Errorf("the move ended as %+v", past)
		}
	},
}

// failBefore lets a node fail before a step of what moves rows: the one that does the step, or that leads the shard that the victim's name stands for.
func failBefore(t *testing.T, point, victim string, seed uint64, victims map[string]uint64, m moving) {
	type reached struct {
		node string
		on   chan struct{}
	}
	synctest.Test(t, func(t *testing.T) {
		at, once := make(chan reached, 1), atomic.Bool{}
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), seed), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		s.net.SetLatency(simLatency)
		s.tune = func(c *Config) {
			c.LogFile, c.SnapshotLog = 256<<10, 256<<10
			c.onMove = func(node string, _ uint64, before string) {
				if before == point && once.CompareAndSwap(false, true) {
					r := reached{node, make(chan struct{})}
					at <- r
					<-r.on
				}
			}
		}
		defer s.close()
		s.found(3, m.shards, 3)
		n := s.nodes["node-1"]
		must(t, n, m.table)
		must(t, n, "CREATE MATERIALIZED VIEW sums ENGINE = SummingMergeTree ORDER BY k AS SELECT id % 5 AS k, count() AS n FROM t GROUP BY k")
		for i := range 12 {
			must(t, s.nodes[fmt.Sprint("node-", i%3+1)], fmt.Sprintf("INSERT INTO t SETTINGS insert_deduplication_token = '%d' SELECT number FROM numbers(%d, 10)", i, i*10))
		}
		s.everywhere("SELECT count(), uniqExact(id) FROM t", "120\t120\n")
		m.begin(s)
		r := <-at
		name := r.node
		if victim != "mover" {
			var err error
			if name, err = n.shards.leaderOf(t.Context(), victims[victim]); err != nil {
				t.Fatal(err)
			}
		}
		after := s.disks[name].Crash([]vfs.CrashPolicy{vfs.KeepUnsynced, vfs.DropUnsynced, vfs.TearUnsynced}[seed], seed)
		s.disks[name].CrashAt(0)
		s.net.Kill(name)
		close(r.on)
		_ = s.nodes[name].Close() // its disk is gone
		delete(s.nodes, name)
		s.disks[name] = after
		s.onceEach("meanwhile")
		s.start(name)
		for end := time.Now().Add(2 * time.Minute); !m.ended(s.nodes[name].cluster.Topology()); time.Sleep(100 * time.Millisecond) {
			s.onceEach("before the end")
			if time.Now().After(end) {
				t.Fatalf("it does not end: %+v", s.nodes[name].cluster.Topology())
			}
		}
		time.Sleep(time.Second)
		s.onceEach("at the end")
		for i := range 12 { // repeats
			must(t, s.nodes[fmt.Sprint("node-", i%3+1)], fmt.Sprintf("INSERT INTO t SETTINGS insert_deduplication_token = '%d' SELECT number FROM numbers(%d, 10)", i, i*10))
		}
		s.everywhere("SELECT count(), uniqExact(id) FROM t", "120\t120\n")
		m.check(s)
	})
}

// onceEach expects each row once in whatever a node answers.
func (s *several) onceEach(when string) {
	s.t.Helper()
	for name, n := range s.nodes {
		for _, sql := range []string{"SELECT count(), uniqExact(id) FROM t", "SELECT sum(n), 120 FROM sums"} {
			if got, err := run(s.t, n, sql); err == nil && got != "120\t120\n" {
				s.t.Errorf("%s, %s: %s answers %q", name, when, sql, got)
			}
		}
	}
}

// TestMutationsWhileRowsMove: what changes all rows of a table changes each once, on whichever shard it is.
func TestMutationsWhileRowsMove(t *testing.T) {
	virtualCluster(t, 3, 3, 1, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE t (id UInt64, v UInt64) ENGINE = MergeTree ORDER BY id")
		for i := range 12 {
			must(t, s.nodes[fmt.Sprint("node-", i%3+1)], fmt.Sprintf("INSERT INTO t SELECT number, 0 FROM numbers(%d, 10)", i*10))
		}
		ctx, cancel := context.WithCancel(s.t.Context())
		var work sync.WaitGroup
		for i := range 2 {
			work.Go(func() {
				for k := i; ctx.Err() == nil; k++ {
					_, _ = rowsIn(ctx, n, fmt.Sprintf("ALTER TABLE t MOVE PARTITION tuple() TO SHARD %d", k%3+1))
				}
			})
		}
		for i := range 5 {
			must(t, s.nodes[fmt.Sprint("node-", i%3+1)], "ALTER TABLE t UPDATE v = v + 1 WHERE 1")
			s.everywhere("SELECT count(), uniqExact(id), min(v), max(v) FROM t", fmt.Sprintf("120\t120\t%d\t%d\n", i+1, i+1))
			time.Sleep(500 * time.Millisecond)
		}
		cancel()
		work.Wait()
		if moves := n.cluster.Topology().NextMove; moves < 4 {
			t.Errorf("%d moves", moves-1)
		}
		must(t, n, "SYSTEM CLUSTER CANCEL MOVES")
		must(t, n, "ALTER TABLE t DELETE WHERE id < 60")
		s.everywhere("SELECT count(), uniqExact(id) FROM t", "60\t60\n")
	})
}

// TestRebalanceData: an empty shard that was added gets its part of the rows, of several partitions and of one that is too large to move whole.
func TestRebalanceData(t *testing.T) {
	virtualCluster(t, 3, 1, 2, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE parts (day UInt8, id UInt64, pad UInt64) ENGINE = MergeTree PARTITION BY day ORDER BY id")
		must(t, n, "CREATE TABLE whole (id UInt64, pad UInt64) ENGINE = MergeTree ORDER BY id")
		must(t, n, "SYSTEM STOP MERGES whole")
		for i := range 8 {
			must(t, n, fmt.Sprintf("INSERT INTO parts SELECT %d, number, cityHash64(number) FROM numbers(%d, 1250)", i%2, i*1250))
			must(t, n, fmt.Sprintf("INSERT INTO whole SELECT number, cityHash64(number) FROM numbers(%d, 5000)", i*5000))
			must(t, n, "SYSTEM FLUSH TABLE parts")
			must(t, n, "SYSTEM FLUSH TABLE whole")
		}
		must(t, n, "SYSTEM CLUSTER SHARDS 2")
		must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
		if _, err := run(t, n, "SYSTEM CLUSTER REBALANCE 'data'"); !sqlerr.Is(err, sqlerr.BadArguments) {
			t.Errorf("a second rebalancing at once: %v", err)
		}
		for end := time.Now().Add(5 * time.Minute); len(n.cluster.Topology().Moves) > 0 && time.Now().Before(end); time.Sleep(time.Second) {
			for name, n := range s.nodes {
				if got, err := run(t, n, "SELECT count(), uniqExact(id) FROM parts"); err == nil && got != "10000\t10000\n" {
					t.Errorf("%s: %q", name, got)
				}
			}
		}
		rows := uint64(0)
		for table, all := range map[string]int{"parts": 10000, "whole": 40000} {
			on := s.rowsOn(table)
			t.Logf("%s: %v", table, on)
			if rows += on[2]; on[2] == 0 {
				t.Errorf("no rows of %s are on the new shard", table)
			}
			s.everywhere("SELECT count(), uniqExact(id) FROM "+table, fmt.Sprintf("%d\t%d\n", all, all))
		}
		if rows < 20000 || rows > 27000 {
			t.Errorf("%d of 50000 rows are on the new shard", rows)
		}
	})
}

// TestEvenOut: the plans of rebalancing.
func TestEvenOut(t *testing.T) {
	shard := func(bytes ...uint64) (out []partitionSize) {
		for i, b := range bytes {
			out = append(out, partitionSize{Table: 1, ID: fmt.Sprint(i), Bytes: b})
		}
		return out
	}
	for _, c := range []struct {
		have [][]partitionSize
		want string
	}{
		{[][]partitionSize{shard(), shard()}, ""},
		{[][]partitionSize{shard(100), shard(98)}, ""},
		{[][]partitionSize{shard(10, 10, 10, 10), nil}, "1→2 0; 1→2 1; "},
		{[][]partitionSize{shard(10, 10, 10, 10), shard(10, 10, 10, 10), nil, nil}, "1→3 0; 2→4 0; 1→3 1; 2→4 1; "},
		{[][]partitionSize{shard(1000), nil}, "1→2 0 ≤500; "},
		{[][]partitionSize{shard(70, 30), nil}, "1→2 1; 1→2 0 ≤20; "},
	} {
		got := ""
		for _, m := range evenOut(c.have) {
			got += fmt.Sprintf("%d→%d %s", m.From, m.To, m.Partition)
			if m.Limit > 0 {
				got += fmt.Sprintf(" ≤%d", m.Limit)
			}
			got += "; "
		}
		if got != c.want {
			t.Errorf("%v: got %q, want %q", c.have, got, c.want)
		}
	}
}
