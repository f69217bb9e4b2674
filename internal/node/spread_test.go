package node

import (
	"fmt"
	"strings"
	"testing"
)

// TestShardsUnderKeys: shards are added while there are tables with sharding keys and tokens. Those stay where they are looked for, whichever node writes
// and reads; new tables use all shards, and so does an old one that is copied.
func TestShardsUnderKeys(t *testing.T) {
	virtualCluster(t, 3, 2, 1, func(t *testing.T, s *several) {
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE old (k UInt64, v UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		must(t, n, "CREATE TABLE last (k UInt64, v UInt64) ENGINE = ReplacingMergeTree ORDER BY k")
		must(t, n, "CREATE TABLE plain (k UInt64) ENGINE = MergeTree ORDER BY k")
		tokens := func(table string) {
			t.Helper()
			for i := range 12 {
				must(t, s.nodes[fmt.Sprint("node-", i%3+1)], fmt.Sprintf("INSERT INTO %s SETTINGS insert_deduplication_token = 't%d' SELECT number + %d%s FROM numbers(10)",
					table, i, i*10, map[bool]string{true: ", 1"}[table != "plain"]))
			}
		}
		for _, table := range []string{"old", "last", "plain"} {
			tokens(table)
		}
		s.everywhere("SELECT count() FROM plain", "120\n")
		must(t, s.nodes["node-2"], "SYSTEM CLUSTER SHARDS 5")
		for _, table := range []string{"old", "last", "plain"} {
			tokens(table) // all of them repeats
			s.everywhere("SELECT count(), uniqExact(k) FROM "+table, "120\t120\n")
		}
		must(t, s.nodes["node-3"], "CREATE TABLE new (k UInt64, v UInt64) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
		for i, table := range []string{"old", "new", "last"} {
			must(t, s.nodes[fmt.Sprint("node-", i+1)], "INSERT INTO "+table+" SELECT number, 2 FROM numbers(240)")
		}
		s.everywhere("SELECT count(), uniqExact(k) FROM old", "360\t240\n")
		s.everywhere("SELECT count(), uniqExact(k) FROM new", "240\t240\n")
		s.everywhere("SELECT count(), sum(v) FROM last FINAL", "240\t480\n")
		for k := range 20 {
			s.everywhere(fmt.Sprintf("SELECT count() FROM old WHERE k = %d", k), "2\n")
			s.everywhere(fmt.Sprintf("SELECT count() FROM new WHERE k = %d", k), "1\n")
		}
		s.everywhere("SELECT count() FROM old JOIN new USING (k)", "360\n")
		s.everywhere("SELECT count() FROM old AS a JOIN last AS b USING (k)", fmt.Sprintln(2*120+120+2*120))
		for table, shards := range map[string]int{"old": 2, "new": 5} {
			used := 0
			for id, rows := range s.rowsOn(table) {
				if rows > 0 {
					used++
				}
				if rows > 0 && id > uint64(shards) {
					t.Errorf("%d rows of %s are on shard %d", rows, table, id)
				}
			}
			if used != shards {
				t.Errorf("%s is on %d shards, not %d", table, used, shards)
			}
		}
		if out := must(t, n, "EXPLAIN SELECT count() FROM old JOIN new USING (k)"); !strings.Contains(out, "Broadcast") && !strings.Contains(out, "Shuffle") {
			t.Errorf("tables on different numbers of shards are joined in place:\n%s", out)
		}
		// The whole of an old table comes to lie on all shards when it is copied.
		must(t, n, "CREATE TABLE copy AS old")
		must(t, n, "INSERT INTO copy SELECT * FROM old")
		must(t, n, "EXCHANGE TABLES copy AND old")
		s.everywhere("SELECT count(), uniqExact(k) FROM old", "360\t240\n")
		if on := s.rowsOn("old"); on[5] == 0 {
			t.Errorf("the copy lies on %v", on)
		}
		s.everywhere("SELECT count() FROM old WHERE k = 7", "2\n")
	})
}

// TestTokensAfterShards: INSERTs into tables without a sharding key, repeated after shards were added, take no effect.
func TestTokensAfterShards(t *testing.T) {
	virtualCluster(t, 3, 2, 1, func(t *testing.T, s *several) {
		must(t, s.nodes["node-1"], "CREATE TABLE plain (k UInt64) ENGINE = MergeTree ORDER BY k")
		insert := func(n *Node) {
			for i := range 12 {
				must(t, n, fmt.Sprintf("INSERT INTO plain SETTINGS insert_deduplication_token = 't%d' SELECT %d", i, i))
			}
		}
		insert(s.nodes["node-1"])
		must(t, s.nodes["node-2"], "SYSTEM CLUSTER SHARDS 5")
		insert(s.nodes["node-3"])
		s.everywhere("SELECT count(), uniqExact(k) FROM plain", "12\t12\n")
	})
}
