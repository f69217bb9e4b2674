package query

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/olapd/olapd/internal/clock"
)

// joinTables have keys of some types with NULLs, keys of one side only, and keys many times.
var joinTables = []string{
	"CREATE TABLE l (k Nullable(Int32), s LowCardinality(Nullable(String)), f Float64, v UInt32) ENGINE = MergeTree ORDER BY v",
	"CREATE TABLE r (k Nullable(Int64), s String, f Float64, w UInt32) ENGINE = MergeTree ORDER BY w",
	"CREATE TABLE e (k Int32, w UInt32) ENGINE = MergeTree ORDER BY w",
	"INSERT INTO l SELECT if(number % 7 = 0, NULL, number % 40), if(number % 11 = 0, NULL, toString(number % 13)), if(number % 3 = 0, -0., number % 9), number FROM numbers(300)",
	"INSERT INTO r SELECT if(number % 5 = 0, NULL, number % 60), toString(number % 17), if(number % 3 = 0, 0., number % 9), number FROM numbers(200)",
}

// joinQueries are joins of all kinds and strictnesses whose answers do not depend on the order of rows.
var joinQueries = []string{
	"SELECT l.k, l.v, r.w FROM l INNER JOIN r ON l.k = r.k",
	"SELECT l.k, l.v, r.w FROM l LEFT JOIN r ON l.k = r.k",
	"SELECT l.k, l.v, r.k, r.w FROM l RIGHT JOIN r ON l.k = r.k",
	"SELECT l.k, l.v, r.k, r.w FROM l FULL JOIN r ON l.k = r.k",
	"SELECT l.k, l.v, r.k, r.w FROM l FULL JOIN r ON l.k = r.k SETTINGS join_use_nulls = 1",
	"SELECT l.k, l.v, r.k, r.w FROM l LEFT JOIN r ON l.k = r.k AND l.v < r.w",
	"SELECT l.k, l.v, r.k, r.w FROM l RIGHT JOIN r ON l.k = r.k AND l.v < r.w",
	"SELECT l.k, l.v FROM l SEMI LEFT JOIN r ON l.k = r.k",
	"SELECT l.k, l.v FROM l ANTI LEFT JOIN r ON l.k = r.k",
	"SELECT r.k, r.w FROM l SEMI RIGHT JOIN r ON l.k = r.k",
	"SELECT r.k, r.w FROM l ANTI RIGHT JOIN r ON l.k = r.k",
	"SELECT l.k, l.v, r.k FROM l ANY LEFT JOIN r ON l.k = r.k",
	"SELECT l.k, r.k, r.w FROM l ANY RIGHT JOIN r ON l.k = r.k",
	"SELECT l.k, count() FROM l ANY INNER JOIN r ON l.k = r.k GROUP BY l.k",
	"SELECT l.s, l.v, r.w FROM l INNER JOIN r ON l.s = r.s",
	"SELECT l.s, l.v, r.s, r.w FROM l FULL JOIN r ON l.s = r.s AND l.k = r.k",
	"SELECT l.f, l.v, r.w FROM l INNER JOIN r ON l.f = r.f",
	"SELECT l.v, r.w FROM l INNER JOIN r ON (l.k, l.s) = (r.k, r.s)",
	"SELECT l.v, r.w FROM l INNER JOIN r ON l.k + 1 = r.k * 2",
	"SELECT l.v, r.w FROM l ASOF JOIN r ON l.k = r.k AND l.v >= r.w",
	"SELECT l.v, r.w FROM l ASOF LEFT JOIN r ON l.k = r.k AND l.v < r.w",
	"SELECT l.v, e.w FROM l LEFT JOIN e ON l.k = e.k",
	"SELECT l.v, e.w FROM e RIGHT JOIN l ON l.k = e.k",
	"SELECT count(), sum(a.v + b.v) FROM l AS a INNER JOIN l AS b ON a.v = b.v INNER JOIN r ON b.k = r.k",
	"SELECT l.v, count(), sum(r.w) FROM l INNER JOIN r ON l.v = r.w GROUP BY l.v",
	"SELECT l.s, sum(r.w) FROM l INNER JOIN r ON l.s = r.s GROUP BY l.s",
	"SELECT r.k, count() FROM l RIGHT JOIN r ON l.k = r.k GROUP BY r.k",
	"SELECT l.v, r.w FROM l INNER JOIN r ON l.k = r.k ORDER BY l.v DESC, r.w LIMIT 7",
	"SELECT count() FROM (SELECT l.v FROM l INNER JOIN r ON l.k = r.k LIMIT 5)",
	"SELECT DISTINCT l.k FROM l INNER JOIN r ON l.k = r.k",
	"SELECT l.k FROM l INNER JOIN r ON l.k = r.k LIMIT 1 BY l.k",
	"SELECT l.v FROM l INNER JOIN r ON l.k = r.k WHERE l.k IN (SELECT k FROM r WHERE w < 20) AND r.w IN (SELECT v FROM l WHERE k < 30)",
	"SELECT l.v, r.w FROM l INNER JOIN r ON l.k = r.k UNION ALL SELECT v, v FROM l",
	"SELECT a.v, b.w FROM (SELECT l.v, r.w FROM l INNER JOIN r ON l.k = r.k) AS a FULL JOIN (SELECT l.v, r.w FROM l LEFT JOIN r ON l.s = r.s) AS b ON a.v = b.v AND a.w = b.w",
}

// ways are settings under which the two sides of a join are shuffled: from the start, and once one proves too large to be sent to all.
var ways = map[string]map[string]string{
	"shuffle": {"distributed_join": "shuffle"},
	"bytes":   {"max_bytes_to_broadcast": "1"},
	"rows":    {"distributed_plan_max_rows_to_broadcast": "1"},
}

// TestSpreadJoins: shuffled joins give the rows of one node.
func TestSpreadJoins(t *testing.T) {
	one := newHarness(t)
	for _, sql := range joinTables {
		one.mustRun(t, sql)
	}
	for layout, nodes := range layouts {
		many := newSpread(t, nodes...)
		for _, sql := range joinTables {
			many.mustRun(t, sql)
		}
		for _, sql := range joinQueries {
			want := one.run(Query{Text: sql})
			if strings.HasPrefix(want, "Code:") {
				t.Fatalf("%s\n%s", sql, want)
			}
			for way, set := range ways {
				if got := many.run(Query{Text: sql, Settings: set}); !sameRows(want, got) {
					t.Errorf("%s, %s: %s\n%d bytes, want %d: %.300s", layout, way, sql, len(got), len(want), got)
				}
			}
			if out := many.run(Query{Text: "EXPLAIN " + sql, Settings: ways["shuffle"]}); !strings.Contains(out, "Shuffle by") {
				t.Errorf("%s is not shuffled:\n%s", sql, out)
			}
		}
	}
}

func (h *harness) mustRun(t *testing.T, sql string) {
	t.Helper()
	if out := h.run(Query{Text: sql}); out != "" {
		t.Fatalf("%s\n%s", sql, out)
	}
}

// TestSpreadCorpusShuffled runs the joins of the corpus, shuffled.
func TestSpreadCorpusShuffled(t *testing.T) {
	files, err := filepath.Glob("../test/diff/testdata/corpus/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	shuffled := 0
	for _, file := range files {
		if !strings.Contains(filepath.Base(file), "join") {
			continue
		}
		one, many := newHarness(t), newSpread(t, layouts["one shard here"]...)
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			want, got := one.run(Query{Text: d.Input}), many.run(Query{Text: d.Input, Settings: ways["shuffle"]})
			if !agree(d.Input, want, got) {
				t.Errorf("%s: %s\none node:\n%sshuffled:\n%s", d.Pos, d.Input, want, got)
			}
			if strings.HasPrefix(d.Input, "SELECT") && strings.Contains(many.run(Query{Text: "EXPLAIN " + d.Input, Settings: ways["shuffle"]}), "Shuffle by") {
				shuffled++
			}
			return d.Expected
		})
	}
	if shuffled < 20 {
		t.Errorf("%d statements were shuffled", shuffled)
	}
}

// TestSpreadShuffleFailures: a shuffle ends with the error of the node that has it, also when a node dies, and leaves nothing behind; and a query
// that has enough rows early ends.
func TestSpreadShuffleFailures(t *testing.T) {
	inVirtualTimeOn(t, [][]string{{"a"}, {"b"}, {"c"}}, func(t *testing.T, s *spread) {
		const join = "SELECT count(), sum(r.x) FROM t AS l JOIN t AS r ON l.x = r.x"
		for way, set := range ways {
			out := s.run(Query{Text: "EXPLAIN ANALYZE " + join, Settings: set})
			for _, want := range []string{"part 1 of 3, 6", "part 2 of 3, 6", "part 3 of 3, 6"} { // two thirds of 10,000 rows go to others
				if strings.Count(out, want) != 2 {
					t.Errorf("%s: %s is not there twice:\n%s", way, want, out)
				}
			}
		}
		shuffle := []string{"distributed_join", "shuffle"}
		s.is(t, join, allOfT, shuffle...)
		s.is(t, "SELECT count() FROM (SELECT l.x FROM t AS l JOIN t AS r ON l.x = r.x LIMIT 3)", "3\n", shuffle...)
		run := func(sql string) string { return s.run(Query{Text: sql, Settings: ways["shuffle"]}) }
		if out := run("SELECT count() FROM t AS l JOIN t AS r ON l.x = r.x + throwIf(r.x = 20001)"); !strings.HasPrefix(out, "Code: 395.") {
			t.Errorf("%s", out)
		}
		s.nodes[1].opened = func(ctx context.Context) error { return clock.Real().Sleep(ctx, time.Minute) }
		if out := s.run(Query{Text: join, Settings: map[string]string{"distributed_join": "shuffle", "max_execution_time": "2"}}); !strings.HasPrefix(out, "Code: 159.") {
			t.Errorf("%s", out)
		}
		s.unpinned(t)
		s.nodes[1].opened = func(ctx context.Context) error {
			s.net.Kill("c")
			return nil
		}
		if out := run(join); !strings.HasPrefix(out, "Code: 210.") && !strings.HasPrefix(out, "Code: 279.") {
			t.Errorf("%s", out)
		}
	})
}
