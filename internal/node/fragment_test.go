package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// TestQueriesOverShards: queries over three shards on three nodes, whatever node is asked, answer as one node does, with and without a sharding key.
func TestQueriesOverShards(t *testing.T) {
	s := newSeveral(t, 3, 3, 1)
	one := open(t, vfs.NewMem())
	defer one.Close()
	n1 := s.nodes["node-1"]
	tables := []string{
		"CREATE TABLE t (k UInt32, s LowCardinality(String), v Float64, d Date) ENGINE = MergeTree ORDER BY (s, k) %s",
		"CREATE TABLE d (k UInt32, name String) ENGINE = MergeTree ORDER BY k %s",
		"CREATE TABLE r (k UInt32, v UInt64) ENGINE = ReplacingMergeTree ORDER BY k %s",
	}
	for _, sql := range tables {
		must(t, one, fmt.Sprintf(sql, ""))
		must(t, n1, fmt.Sprintf(sql, "SETTINGS sharding_key = 'k'"))
		must(t, n1, strings.Replace(fmt.Sprintf(sql, ""), "CREATE TABLE ", "CREATE TABLE un", 1))
	}
	for part := range 6 {
		rows := fmt.Sprintf("number * 7 %% 5000 + %d, ['a', 'bb', 'ccc', ''][number %% 4 + 1], (number %% 100) / 4, toDate('2024-01-01') + number %% 40 FROM numbers(2000)", part)
		names := fmt.Sprintf("number * 3 + %d, concat('name ', toString(number %% 50)) FROM numbers(300)", part%3)
		for table, values := range map[string]string{"t": rows, "d": names, "r": fmt.Sprintf("number %% 700, %d FROM numbers(1000)", part)} {
			must(t, one, "INSERT INTO "+table+" SELECT "+values)
			must(t, n1, "INSERT INTO "+table+" SELECT "+values)
			must(t, n1, "INSERT INTO un"+table+" SELECT "+values)
		}
	}
	for _, sql := range []string{
		"SELECT count(), sum(k), sum(v), uniqExact(s), min(d), max(k) FROM {t}",
		"SELECT s, count(), avg(v), quantileExact(0.5)(k), count(DISTINCT k) FROM {t} GROUP BY s ORDER BY s",
		"SELECT k, count(), sum(v) FROM {t} WHERE s != 'a' GROUP BY k ORDER BY sum(v) DESC, k LIMIT 5",
		"SELECT s, d, count() FROM {t} GROUP BY s, d WITH ROLLUP ORDER BY s, d, count() LIMIT 20",
		"SELECT k, s, d FROM {t} ORDER BY d DESC, k, s LIMIT 10 OFFSET 5",
		"SELECT s, k, d FROM {t} ORDER BY s, k, d LIMIT 4 OFFSET 30", "SELECT s, k FROM {t} ORDER BY s DESC, k DESC LIMIT 3", "SELECT k, v FROM {t} WHERE s = 'bb' ORDER BY k, v LIMIT 5",
		"SELECT sum(cityHash64(n, s, k)) FROM (SELECT s, k, row_number() OVER (ORDER BY s, k) AS n FROM {t})", "SELECT s, k FROM {t} ORDER BY s, k LIMIT 2 BY s",
		"SELECT cityHash64(groupArray((s, k))) FROM (SELECT s, k FROM {t} ORDER BY s, k)",
		"SELECT count() FROM {t} WHERE k = 77", "SELECT s, v FROM {t} WHERE k IN (7, 14, 4999) ORDER BY s, v", "SELECT count() FROM {t} WHERE k = 77 AND k = 78",
		"SELECT name, count(), sum(v) FROM {t} JOIN {d} USING (k) GROUP BY name ORDER BY name LIMIT 7",
		"SELECT count(), countIf(name = '') FROM {t} AS t FULL JOIN {d} AS d ON t.k = d.k",
		"SELECT name, count(), sum(v) FROM {t} JOIN {d} USING (k) GROUP BY name ORDER BY name LIMIT 7 SETTINGS distributed_join = 'shuffle'",
		"SELECT count(), sum(t.v), countIf(name = '') FROM {t} AS t RIGHT JOIN {d} AS d ON t.s = d.name AND t.k = d.k SETTINGS distributed_join = 'shuffle'",
		"SELECT a.k, count() FROM {t} AS a JOIN {t} AS b ON a.k = b.k AND a.s = b.s GROUP BY a.k ORDER BY a.k LIMIT 5 SETTINGS max_bytes_to_broadcast = 1000",
		"SELECT k, d, count(), sum(v), uniqExact(s) FROM {t} GROUP BY k, d HAVING count() > 1 ORDER BY k, d LIMIT 7 SETTINGS distributed_group_by = 'shuffle'",
		"SELECT d, min(s), max(k), avg(v) FROM {t} WHERE k % 3 = 1 GROUP BY d ORDER BY d SETTINGS group_by_two_level_threshold = 10",
		"SELECT count() FROM {t} AS t LEFT ANTI JOIN {d} AS d ON t.k = d.k",
		"SELECT count() FROM {d} WHERE k IN (SELECT k FROM {t} WHERE v > 20)",
		"SELECT count(), max(n) FROM (SELECT k, row_number() OVER (PARTITION BY k ORDER BY v, d) AS n FROM {t})",
		"SELECT count() FROM (SELECT DISTINCT k, s FROM {t})",
		"SELECT k, v FROM {t} WHERE v > (SELECT avg(v) FROM {t}) ORDER BY v, k LIMIT 3 BY v LIMIT 9",
		"SELECT count(), sum(v) FROM (SELECT * FROM {t} UNION ALL SELECT * FROM {t})",
	} {
		want := must(t, one, strings.NewReplacer("{t}", "t", "{d}", "d").Replace(sql))
		for name, n := range s.nodes {
			for _, prefix := range []string{"", "un"} {
				q := strings.NewReplacer("{t}", prefix+"t", "{d}", prefix+"d").Replace(sql)
				if got := must(t, n, q); got != want {
					t.Errorf("%s: %s\n%swant\n%s", name, q, got, want)
				}
			}
		}
	}
	for name, n := range s.nodes { // rows of equal keys are in one shard: FINAL sees them together
		if got := must(t, n, "SELECT count(), sum(v) FROM r FINAL"); got != "700\t3500\n" {
			t.Errorf("%s: FINAL: %s", name, got)
		}
	}
	if out := must(t, n1, "EXPLAIN SELECT count() FROM t WHERE k = 77"); !strings.Contains(out, "Exchange of shards [") {
		t.Errorf("%s", out)
	}
	if out := must(t, n1, "EXPLAIN SELECT count() FROM t WHERE k > 77"); !strings.Contains(out, "Exchange\n") {
		t.Errorf("%s", out)
	}
	testGroupEstimates(t, n1)
	out := must(t, n1, "EXPLAIN ANALYZE SELECT s, count() FROM t GROUP BY s")
	if !strings.Contains(out, "On node-2") || !strings.Contains(out, "On node-3") || !strings.Contains(out, "read 12000 rows") {
		t.Errorf("%s", out)
	}
}

// testGroupEstimates: how many groups there are is known of what is in segments, and decides where they are put together.
func testGroupEstimates(t *testing.T, n *Node) {
	t.Helper()
	must(t, n, "OPTIMIZE TABLE t FINAL")
	for _, c := range []struct{ sql, want string }{
		{"SELECT d, count() FROM t GROUP BY d", "Exchange: about 40 groups"},
		{"SELECT d, count() FROM t GROUP BY d SETTINGS group_by_two_level_threshold = 40", "Shuffle by d: about 40 groups"},
		{"SELECT d, count() FROM t GROUP BY d SETTINGS group_by_two_level_threshold = 40, distributed_group_by = 'merge'", "Exchange\n"},
		{"SELECT d, count() FROM t GROUP BY d SETTINGS group_by_two_level_threshold = 40, max_rows_to_group_by = 1000", "Exchange\n"},
		{"SELECT d, s, count() FROM t GROUP BY d, s", "about 160 groups"},
		{"SELECT day, toString(v), count() FROM (SELECT d AS day, v FROM t) GROUP BY day, toString(v)", "Exchange: about 40 groups"},
		{"SELECT d, count() FROM t WHERE s = 'a' AND v = 3 GROUP BY d", "Exchange: about 2"}, // 21 or so: of 12,000 rows one of 4 · 100 passes
		{"SELECT toMonth(d), count() FROM t GROUP BY toMonth(d)", "Exchange\n"},
	} {
		if out := must(t, n, "EXPLAIN "+c.sql); !strings.Contains(out, c.want) {
			t.Errorf("%s is not there: %s\n%s", c.want, c.sql, out)
		}
	}
}
