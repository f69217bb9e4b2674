package node

import (
	"fmt"
	"math/rand/v2"
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
