package query

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/feature"
)

// groupsTable has keys of some types with NULLs, such whose hidden values differ from node to node, and floats of both zeros.
var groupsTable = []string{
	"CREATE TABLE g (s String, n Nullable(String), i Nullable(Int32), l LowCardinality(Nullable(String)), f Float64, a Array(Nullable(UInt8)), v UInt32) ENGINE = MergeTree ORDER BY v",
	"INSERT INTO g SELECT toString(number % 700), if(number % 3 = 0, NULL, toString(number % 50)), if(number % 5 = 0, NULL, number % 90), if(number % 4 = 0, NULL, toString(number % 7)), " +
		"if(number % 6 = 0, -0., if(number % 6 = 1, nan, number % 6 - 2)), if(number % 2 = 0, [NULL, number % 3], []), number FROM numbers(3000)",
	"INSERT INTO g SELECT toString(number), NULL, NULL, NULL, 0, [], number FROM numbers(1000)",
}

// groupQueries are aggregations whose answers do not depend on the order of rows.
var groupQueries = []string{
	"SELECT s, count(), sum(v), min(v), max(s), avg(v) FROM g GROUP BY s",
	"SELECT n, count(), sum(i), min(i), max(n), avg(i), any(n) IS NULL FROM g GROUP BY n",
	"SELECT i, l, count(), uniq(s), uniqExact(n), quantileExact(0.5)(v), sumIf(v, i > 3), countIf(n = '7') FROM g GROUP BY i, l",
	"SELECT f, count() FROM g GROUP BY f", "SELECT a, count(), sum(f) FROM g GROUP BY a", "SELECT l, a, n, i FROM g GROUP BY l, a, n, i",
	"SELECT s, sum(v) AS x FROM g GROUP BY s HAVING x > 3000 ORDER BY x DESC, s LIMIT 10",
	"SELECT s, count() AS c FROM g WHERE v % 2 = 0 GROUP BY s ORDER BY c DESC, s LIMIT 5 OFFSET 3",
	"SELECT x, count() FROM (SELECT s, count() AS x FROM g GROUP BY s) GROUP BY x",
	"SELECT count(), sum(x) FROM (SELECT n, i, sum(v) AS x FROM g GROUP BY n, i)",
	"SELECT DISTINCT x FROM (SELECT s, count() AS x FROM g GROUP BY s)",
	"SELECT count() FROM (SELECT s, l FROM g GROUP BY s, l LIMIT 1 BY s)",
	"SELECT s, c, sum(c) OVER (PARTITION BY s) FROM (SELECT s, l, count() AS c FROM g GROUP BY s, l)",
	"SELECT x.s, x.c, y.c FROM (SELECT s, count() AS c FROM g GROUP BY s) AS x JOIN (SELECT n, count() AS c FROM g GROUP BY n) AS y ON x.s = y.n",
	"SELECT b.s, count() FROM g AS a JOIN g AS b ON a.v = b.v GROUP BY b.s",
	"SELECT y.n, count() FROM g AS x JOIN (SELECT n, i, count() AS c FROM g GROUP BY ROLLUP(n, i)) AS y ON x.n = y.n GROUP BY y.n", // a side that is merged here
	"SELECT v FROM g WHERE s IN (SELECT n FROM g GROUP BY n HAVING count() > 20)",
	"SELECT s, count() FROM g GROUP BY s UNION ALL SELECT n, count() FROM g GROUP BY n",
	"SELECT lower(s) AS k, argMax(n, v), groupUniqArray(2)(1), sumMap([l], [1]), sumOrNull(i), countOrDefault(i) FROM g GROUP BY k",
	"SELECT s, sumState(v) AS st FROM g GROUP BY s HAVING finalizeAggregation(st) > 9000",
	"SELECT NULL AS k, count() FROM g GROUP BY k", "SELECT s, rand() > 7 OR 1, count() FROM g GROUP BY s HAVING count() > 1",
}

// TestSpreadGroups: groups that are put together on all nodes are those of one node.
func TestSpreadGroups(t *testing.T) {
	one, shuffled := newHarness(t), 0
	for _, sql := range groupsTable {
		one.mustRun(t, sql)
	}
	for layout, nodes := range layouts {
		many := newSpread(t, nodes...)
		for _, sql := range groupsTable {
			many.mustRun(t, sql)
		}
		for _, sql := range groupQueries {
			want := one.run(Query{Text: sql})
			if strings.HasPrefix(want, "Code:") {
				t.Fatalf("%s\n%s", sql, want)
			}
			for _, set := range []map[string]string{
				{"distributed_group_by": "shuffle"}, {"distributed_group_by": "merge"}, {"distributed_group_by": "shuffle", "max_bytes_to_broadcast": "1"},
				{"distributed_group_by": "shuffle", "distributed_join": "shuffle", "max_threads": "3", "max_block_size": "100"},
			} {
				if got := many.run(Query{Text: sql, Settings: set}); !agree(sql, want, got) {
					t.Errorf("%s, %v: %s\n%d bytes, want %d: %.300s\n%.300s", layout, set, sql, len(got), len(want), got, want)
				}
			}
			if strings.Contains(many.run(Query{Text: "EXPLAIN " + sql, Settings: map[string]string{"distributed_group_by": "shuffle"}}), "Shuffle by") {
				shuffled++
			}
		}
	}
	if want := len(layouts) * (len(groupQueries) - 2); shuffled < want {
		t.Errorf("%d plans are shuffled, want %d", shuffled, want)
	}
}

// TestSpreadCorpusGroups runs the aggregations of the corpus, shuffled.
func TestSpreadCorpusGroups(t *testing.T) {
	files, err := filepath.Glob("../test/diff/testdata/corpus/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	shuffle, shuffled := map[string]string{"distributed_group_by": "shuffle"}, 0
	for i, file := range files {
		if text := filepath.Base(file); text == "ddl.txt" {
			continue // see TestSpreadCorpus
		}
		one, many := newHarness(t), newSpread(t, layouts[[]string{"none here", "one shard here"}[i%2]]...)
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			grouped := strings.HasPrefix(d.Input, "SELECT") && strings.Contains(d.Input, "GROUP BY")
			if strings.HasPrefix(d.Input, "SELECT") && !grouped {
				return d.Expected
			}
			want, got := one.run(Query{Text: d.Input}), many.run(Query{Text: d.Input, Settings: shuffle})
			if !agree(d.Input, want, got) && !strings.Contains(d.Input, "any(") {
				t.Errorf("%s: %s\none node:\n%sshuffled:\n%s", d.Pos, d.Input, want, got)
			}
			if grouped && strings.Contains(many.run(Query{Text: "EXPLAIN " + d.Input, Settings: shuffle}), "Shuffle by") {
				shuffled++
			}
			return d.Expected
		})
	}
	if shuffled < 50 {
		t.Errorf("%d statements were shuffled", shuffled)
	}
}

// TestSpreadGroupFailures: the error of a node that has one is the query's, limits and missing shards count as they do where groups are merged, and a query that is ended leaves
// nothing behind.
func TestSpreadGroupFailures(t *testing.T) {
	const groups = "SELECT count(), sum(n) FROM (SELECT x % 9000 AS k, count() AS n FROM t GROUP BY k)"
	shuffle := map[string]string{"distributed_group_by": "shuffle"}
	with := func(name, value string) map[string]string {
		return map[string]string{"distributed_group_by": "shuffle", name: value}
	}
	inVirtualTimeOn(t, [][]string{{"a"}, {"b"}, {"c"}}, func(t *testing.T, s *spread) {
		s.is(t, groups, "9000\t30000\n", "distributed_group_by", "shuffle")
		out := s.run(Query{Text: "EXPLAIN ANALYZE " + groups, Settings: shuffle})
		if strings.Count(out, "of 3, ") != 3 || strings.Count(out, "Merge aggregate") < 3 {
			t.Errorf("%s", out)
		}
		for setting, c := range map[string]struct{ value, code string }{
			"max_rows_to_group_by": {"8999", "Code: 158."}, "max_rows_to_read": {"29999", "Code: 158."}, "max_memory_usage": {"100000", "Code: 241."},
		} {
			if out := s.run(Query{Text: groups, Settings: with(setting, c.value)}); !strings.HasPrefix(out, c.code) {
				t.Errorf("%s = %s: %s", setting, c.value, out)
			}
		}
		s.is(t, "SELECT count() FROM (SELECT x, count() FROM t GROUP BY x LIMIT 3)", "3\n", "distributed_group_by", "shuffle")
		if out := s.run(Query{Text: "SELECT x, count() FROM t GROUP BY x HAVING throwIf(x = 20001) = 0", Settings: shuffle}); !strings.HasPrefix(out, "Code: 395.") {
			t.Errorf("%s", out)
		}
		s.nodes[1].opened = func(ctx context.Context) error { return clock.Real().Sleep(ctx, time.Minute) }
		if out := s.run(Query{Text: groups, Settings: with("max_execution_time", "2")}); !strings.HasPrefix(out, "Code: 159.") {
			t.Errorf("%s", out)
		}
		s.unpinned(t)
		s.nodes[1].opened = nil
		s.net.Kill("c")
		if out := s.run(Query{Text: groups, Settings: shuffle}); !strings.HasPrefix(out, "Code: 279.") || !strings.Contains(out, "shard 3 on c") {
			t.Errorf("%s", out)
		}
		s.is(t, groups, "6000\t20000\n", "distributed_group_by", "shuffle", "skip_unavailable_shards", "1")
		s.nodes[1].opened = func(ctx context.Context) error {
			s.net.Kill("b")
			return nil
		}
		if out := s.run(Query{Text: groups, Settings: with("skip_unavailable_shards", "1")}); !strings.HasPrefix(out, "Code: 210.") && !strings.HasPrefix(out, "Code: 279.") {
			t.Errorf("%s", out)
		}
	})
}

// TestSpreadGroupsOfOlderNodes: groups are not shuffled before all nodes know how, even if that is asked for.
func TestSpreadGroupsOfOlderNodes(t *testing.T) {
	s, set := newSpread(t, layouts["one shard here"]...), map[string]string{"distributed_group_by": "shuffle"}
	s.mustRun(t, "CREATE TABLE t (x UInt32) ENGINE = MergeTree ORDER BY x")
	for behind, want := range []bool{true, false} {
		s.nodes[0].behind = feature.Current - feature.ShuffledGroups.Since() + feature.Level(behind)
		if out := s.run(Query{Text: "EXPLAIN SELECT x, count() FROM t GROUP BY x", Settings: set}); strings.Contains(out, "Shuffle by x") != want {
			t.Errorf("%d levels behind:\n%s", behind, out)
		}
	}
}

// TestSpreadGroupsSpilled: shuffled groups that do not fit into memory go through temporary files, on every node.
func TestSpreadGroupsSpilled(t *testing.T) {
	one, many := newHarness(t), newSpread(t, layouts["one shard here"]...)
	const sql = "SELECT k, count() AS c, max(s) FROM (SELECT cityHash64(x) % 90000 AS k, toString(x) AS s FROM big) GROUP BY k ORDER BY c DESC, k LIMIT 20"
	for _, h := range []*harness{one, many.harness} {
		h.mustRun(t, "CREATE TABLE big (x UInt32) ENGINE = MergeTree ORDER BY x")
		h.mustRun(t, "INSERT INTO big SELECT number FROM numbers(200000)")
	}
	want := one.run(Query{Text: sql})
	for _, bytes := range []int{0, 1 << 20} {
		r, err := many.s.Execute(t.Context(), Query{Text: sql, Settings: map[string]string{
			"distributed_group_by": "shuffle", "max_bytes_before_external_group_by": fmt.Sprint(bytes)}})
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		if err := r.Render(&got, "TabSeparatedRaw"); err != nil {
			t.Fatal(err)
		}
		if got.String() != want {
			t.Errorf("%d: %s\nwant %s", bytes, got.String(), want)
		}
		if written := r.x.temp.Written(); written > 0 != (bytes > 0) {
			t.Errorf("%d: %d bytes were written", bytes, written)
		}
		r.Close()
		if many.temp.Used() != 0 {
			t.Errorf("%d: %d bytes of files are left", bytes, many.temp.Used())
		}
	}
}
