package node

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// ordered returns a node with tables of one content under several sort keys, in several segments and a memtable.
func ordered(t *testing.T) *Node {
	n := open(t, vfs.NewMem())
	t.Cleanup(func() { n.Close() })
	for _, table := range []string{
		"plain (%s) ENGINE = MergeTree ORDER BY (a, b, s) SETTINGS index_granularity = 48",
		"parts (%s) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY (d, a) SETTINGS index_granularity = 32",
		"odd (%s) ENGINE = MergeTree ORDER BY (n, f, s) SETTINGS index_granularity = 64, allow_nullable_key = 1",
		"computed (%s) ENGINE = MergeTree ORDER BY (toStartOfMonth(d), lower(s), b) SETTINGS index_granularity = 64",
		"versions (%s) ENGINE = ReplacingMergeTree ORDER BY (a, d) SETTINGS index_granularity = 48",
	} {
		name, _, _ := strings.Cut(table, " ")
		must(t, n, "CREATE TABLE "+fmt.Sprintf(table, "a UInt8, b Int32, s LowCardinality(String), d Date, n Nullable(Int16), f Float64, w String"))
		for part := range 5 {
			must(t, n, fmt.Sprintf(`INSERT INTO %s SELECT cityHash64(number, %d) %% 7, cityHash64(number, 1) %% 50 - 25, ['x', 'Y', 'yy', '', 'a longer one'][cityHash64(number, 2) %% 5 + 1],
				toDate('2024-01-01') + cityHash64(number, 3, %d) %% 100, if(number %% 9 = 0, NULL, cityHash64(number, 4) %% 30 - 15), if(number %% 13 = 0, nan, cityHash64(number, 5) %% 40 / 4 - 3),
				toString(number) FROM numbers(%d)`, name, part, part, 300+200*part))
			if part < 4 {
				must(t, n, "SYSTEM FLUSH TABLE "+name)
			}
		}
	}
	return n
}

// Reading by the sort key changes no result, and what EXPLAIN says of it adds up.
func TestReadInOrder(t *testing.T) {
	n := ordered(t)
	orders := map[string][]string{
		"plain":    {"a", "a DESC", "a, b", "a DESC, b DESC", "a, b, s", "a DESC, b DESC, s DESC", "b, s", "b DESC", "s", "a, s"},
		"parts":    {"d", "d DESC", "d, a", "d DESC, a DESC", "a", "a DESC"},
		"odd":      {"n", "n DESC NULLS FIRST", "n, f", "n DESC NULLS FIRST, f DESC NULLS FIRST", "n, f, s", "n DESC", "f, s"},
		"computed": {"toStartOfMonth(d)", "toStartOfMonth(d) DESC", "toStartOfMonth(d), lower(s)", "toStartOfMonth(d) DESC, lower(s) DESC", "toStartOfMonth(d), lower(s), b"},
		"versions": {"a", "a, d", "a DESC, d DESC", "d"},
	}
	filters := []string{"1", "1", "a = 3", "a = 3 AND b = 4", "d = '2024-02-10'", "n = 5", "b > 10", "s != 'x'", "w LIKE '%7'", "rand() >= 0", "a = 3 AND s = 'yy'", "f > 2"}
	tails := []string{"", "", " LIMIT 1", " LIMIT 10", " LIMIT 300, 20", " LIMIT 2000", " LIMIT 5 WITH TIES", " LIMIT 2 BY k", " LIMIT 1 BY k LIMIT 3"}
	r := rand.New(rand.NewPCG(3, 1))
	used := 0
	for table, keys := range orders {
		for range 60 {
			by, where, tail := keys[r.IntN(len(keys))], filters[r.IntN(len(filters))], tails[r.IntN(len(tails))]
			final := ""
			if table == "versions" {
				final = []string{"", " FINAL"}[r.IntN(2)]
			}
			key := "tuple(" + strings.NewReplacer(" DESC", "", " NULLS FIRST", "").Replace(by) + ") AS k"
			from := fmt.Sprintf(" FROM %s%s WHERE %s", table, final, where)
			set := []string{"max_threads", fmt.Sprint(1 + r.IntN(3)), "max_block_size", []string{"65409", "100", "7"}[r.IntN(3)], "query_plan_optimize_lazy_materialization", fmt.Sprint(r.IntN(2))}
			// Ties may come in any order: the keys are compared, and that each row is one of the table's.
			sql := "SELECT " + key + from + " ORDER BY " + by + tail
			got, want := must(t, n, sql, set...), must(t, n, sql, append(set, "optimize_read_in_order", "0")...)
			if got != want {
				t.Fatalf("%s with %v:\n%s\nwant\n%s", sql, set, got, want)
			}
			whole := "SELECT tuple(a, b, s, d, n, f, w) AS row" + from
			if tail == "" || strings.HasPrefix(tail, " LIMIT 1") || strings.HasPrefix(tail, " LIMIT 3") {
				rows := fmt.Sprintf("SELECT count(), uniqExact(row), countIf(row NOT IN (%s)) FROM (%s ORDER BY %s%s)", whole, whole, by, strings.Replace(tail, " BY k", " BY a", 1))
				if got, want := must(t, n, rows, set...), must(t, n, rows, append(set, "optimize_read_in_order", "0")...); got != want && !strings.Contains(where, "n = ") {
					t.Fatalf("%s with %v: %q, want %q", rows, set, got, want)
				}
			}
			text := must(t, n, "EXPLAIN PIPELINE "+sql, set...)
			if strings.Contains(text, "order of the sort key") {
				used++
			}
			if final == "" {
				checkCounts(t, n, sql)
			}
		}
	}
	if used < 150 {
		t.Errorf("only %d queries were read by the sort key", used)
	}
}

// GROUP BY in the order of the sort key gives the same groups, in order where they are asked for so, and reads no more than LIMIT takes.
func TestAggregationInOrder(t *testing.T) {
	n := ordered(t)
	groups := map[string][]string{
		"plain":    {"a", "b, a", "a, w", "s, b, a", "s, a"},
		"parts":    {"d", "a, d", "d, s", "d, n"},
		"odd":      {"n", "f, n", "n, a"},
		"versions": {"a", "d, a", "a, s"},
	}
	filters := []string{"1", "a = 3", "n = 5", "b > 10", "s != 'x'", "w LIKE '%7'", "a = 3 AND s = 'yy'", "a > 100"}
	tails := []string{"", " HAVING count() > 3", " ORDER BY ALL", " ORDER BY ALL LIMIT 3", " HAVING sum(b) > 0 ORDER BY ALL LIMIT 5", " LIMIT 4"}
	r := rand.New(rand.NewPCG(4, 1))
	used, kept := 0, 0
	for table, keys := range groups {
		for range 50 {
			by, where, tail := keys[r.IntN(len(keys))], filters[r.IntN(len(filters))], tails[r.IntN(len(tails))]
			final := ""
			if table == "versions" {
				final = []string{"", " FINAL"}[r.IntN(2)]
			}
			sums := "count() AS c, sum(b) AS x, min(w), uniqExact(s), avg(n)"
			sorted, rest, _ := strings.Cut(tail, " ORDER BY ALL")
			if tail != sorted { // by the keys, which tell all groups apart
				tail = sorted + " ORDER BY " + by + rest
			}
			sql := fmt.Sprintf("SELECT %s, %s FROM %s%s WHERE %s GROUP BY %s%s", by, sums, table, final, where, by, tail)
			set := []string{"max_threads", fmt.Sprint(1 + r.IntN(3)), "max_block_size", []string{"65409", "100", "7"}[r.IntN(3)], "optimize_aggregation_in_order"}
			if set[3] == "65409" && r.IntN(3) == 0 {
				set = append([]string{"max_bytes_before_external_group_by", "1"}, set...)
			}
			got, want := must(t, n, sql, append(set, "1")...), must(t, n, sql, append(set, "0")...)
			switch {
			case tail == " LIMIT 4": // any of the groups
				all := must(t, n, strings.TrimSuffix(sql, tail))
				for line := range strings.Lines(got) {
					if !strings.Contains("\n"+all, "\n"+line) {
						t.Errorf("%s %v: %q is no group", sql, set, line)
					}
				}
				if strings.Count(got, "\n") != strings.Count(want, "\n") {
					t.Errorf("%s %v:\n%swant\n%s", sql, set, got, want)
				}
			case tail == sorted:
				got, want = sortedLines(got), sortedLines(want)
				fallthrough
			default:
				if got != want {
					t.Errorf("%s %v:\n%swant\n%s", sql, set, got, want)
				}
			}
			plan := must(t, n, "EXPLAIN PIPELINE "+sql, append(set, "1")...)
			if strings.Contains(plan, "as groups end") {
				used++
				if strings.Contains(tail, "ORDER BY") && strings.Count(plan, "Sort ")+strings.Count(plan, "Top ") == 1 {
					kept++
				}
			}
			if strings.Contains(must(t, n, "EXPLAIN PIPELINE "+sql), "as groups end") {
				t.Errorf("%s: in order without being asked", sql)
			}
		}
	}
	if used < 150 || kept < 20 {
		t.Errorf("%d in order, %d of them not sorted again", used, kept)
	}
	must(t, n, "CREATE TABLE long (k UInt32, v UInt32) ENGINE = MergeTree ORDER BY k SETTINGS index_granularity = 1024")
	must(t, n, "INSERT INTO long SELECT number, number FROM numbers(400000)")
	must(t, n, "OPTIMIZE TABLE long")
	for _, tail := range []string{" LIMIT 5", " ORDER BY k LIMIT 5"} {
		sql := "SELECT k, sum(v) FROM long GROUP BY k" + tail
		text := must(t, n, "EXPLAIN ANALYZE "+sql, "optimize_aggregation_in_order", "1")
		if got := numbers(t, resultLine, text)[0]; got > 150_000 {
			t.Errorf("%s: %d rows read:\n%s", sql, got, text)
		}
		if got := must(t, n, sql, "optimize_aggregation_in_order", "1"); got != "0\t0\n1\t1\n2\t2\n3\t3\n4\t4\n" {
			t.Errorf("%s: %q", sql, got)
		}
	}
}

func sortedLines(s string) string {
	lines := strings.SplitAfter(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "")
}
