package node

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// scanned returns a node with a table t of several segments and a memtable, with indexes of all kinds.
func scanned(t *testing.T) *Node {
	n := open(t, vfs.NewMem())
	t.Cleanup(func() { n.Close() })
	must(t, n, `CREATE TABLE t (id UInt32, day Date, n Nullable(Int32), f Float64, word String, tag LowCardinality(String), url String,
		INDEX b id TYPE bloom_filter GRANULARITY 1, INDEX s word TYPE set(4) GRANULARITY 2, INDEX g url TYPE ngrambf_v1(3, 256, 2, 0) GRANULARITY 1)
		ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, id) SETTINGS index_granularity = 48`)
	for part := range 4 {
		must(t, n, fmt.Sprintf(`INSERT INTO t SELECT number * 7 %% 4001 + %d, toDate('2024-01-01') + number %% 75, if(number %% 5 = 0, NULL, number %% 97 - 40),
			if(number %% 11 = 0, nan, cityHash64(number) %% 1000 / 8), ['', 'apple', 'pear', 'plum', 'a longer name'][number %% 5 + 1],
			['x', 'y', 'z'][number %% 3 + 1], concat('http://', toString(cityHash64(number, %d) %% 500)) FROM numbers(%d)`, part*1000, part, 700+part*300))
		if part < 3 {
			must(t, n, "OPTIMIZE TABLE t")
		}
	}
	return n
}

// condition makes a random one; such as can fail are guarded.
func condition(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(2) == 0 {
		op := []string{" AND ", " AND ", " OR "}[r.IntN(3)]
		return "(" + condition(r, depth-1) + op + condition(r, depth-1) + ")"
	}
	ops := []string{"=", "!=", "<", "<=", ">", ">="}
	op := ops[r.IntN(len(ops))]
	word := []string{"''", "'apple'", "'pear'", "'none'"}[r.IntN(4)]
	switch r.IntN(12) {
	case 0:
		return fmt.Sprintf("id %s %d", op, r.IntN(7000))
	case 1:
		return fmt.Sprintf("day %s toDate('2024-01-01') + %d", op, r.IntN(80))
	case 2:
		return fmt.Sprintf("n %s %d", op, r.IntN(100)-45)
	case 3:
		return fmt.Sprintf("f %s %d", op, r.IntN(130))
	case 4:
		return fmt.Sprintf("word %s %s", op, word)
	case 5:
		return "tag = '" + []string{"x", "q"}[r.IntN(2)] + "'"
	case 6:
		return fmt.Sprintf("url LIKE '%%%d%%'", r.IntN(500))
	case 7:
		return fmt.Sprintf("id IN (%d, %d, %d)", r.IntN(7000), r.IntN(7000), r.IntN(100))
	case 8:
		return []string{"n IS NULL", "n IS NOT NULL", "empty(word)", "notEmpty(word)"}[r.IntN(4)]
	case 9:
		return fmt.Sprintf("length(url) %s %d", op, 8+r.IntN(4))
	case 10:
		return fmt.Sprintf("toYYYYMM(day) %s 2024%02d", op, 1+r.IntN(4))
	}
	return fmt.Sprintf("intDiv(100, if(id = 0, 1, id)) %s %d", op, r.IntN(3))
}

var (
	readsLine   = regexp.MustCompile(`Reads (\d+)/(\d+) segments, (\d+)/(\d+) granules, (\d+)/(\d+) rows`)
	droppedLine = regexp.MustCompile(`Dropped by [^:]+: (\d+) segments, (\d+) granules, (\d+) rows`)
	readLine    = regexp.MustCompile(`Read (\d+) rows(?:, dropped by top-k: (\d+) granules, (\d+) rows)?(?:, not reached: (\d+) rows)?`)
	resultLine  = regexp.MustCompile(`Result: \d+ rows; read (\d+) rows`)
)

func numbers(t *testing.T, re *regexp.Regexp, text string) []int {
	t.Helper()
	m := re.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %q in:\n%s", re, text)
	}
	return atoi(m[1:])
}

func atoi(m []string) []int {
	out := make([]int, len(m))
	for i, s := range m {
		out[i], _ = strconv.Atoi(s)
	}
	return out
}

// checkCounts holds what EXPLAIN ANALYZE says of a query with one scan to its sums.
func checkCounts(t *testing.T, n *Node, sql string) {
	t.Helper()
	text := must(t, n, "EXPLAIN ANALYZE "+sql)
	reads := numbers(t, readsLine, text)
	var sum [3]int
	for _, m := range droppedLine.FindAllStringSubmatch(text, -1) {
		for i, x := range atoi(m[1:]) {
			sum[i] += x
		}
	}
	for i, what := range []string{"segments", "granules", "rows"} {
		if reads[2*i]+sum[i] != reads[2*i+1] {
			t.Errorf("%s: %d %s to be read and %d dropped are not %d:\n%s", sql, reads[2*i], what, sum[i], reads[2*i+1], text)
		}
	}
	actual := numbers(t, readLine, text)
	if actual[0]+actual[2]+actual[3] != reads[4] {
		t.Errorf("%s: what was read does not add up to what was to be read:\n%s", sql, text)
	}
	if got := numbers(t, resultLine, text)[0]; got != actual[0] {
		t.Errorf("%s: %d rows counted, %d by the scan", sql, got, actual[0])
	}
}

// Pruning, the order of conditions and all that is read late change no result, and what EXPLAIN says of it adds up.
func TestScansAgainstAll(t *testing.T) {
	n := scanned(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 150 {
		c := condition(r, 3)
		const sums = "count(), sum(id), sum(length(url)), min(word), max(n), sum(cityHash64(tag))"
		filtered := "SELECT " + sums + " FROM t WHERE " + c
		all := "SELECT countIf(c), sumIf(id, c), sumIf(length(url), c), minIf(word, c), maxIf(n, c), sumIf(cityHash64(tag), c) FROM (SELECT *, ifNull(" + c + ", 0) != 0 AS c FROM t)"
		if got, want := must(t, n, filtered, "max_threads", "2"), must(t, n, all); got != want {
			t.Errorf("%s: %q, want %q", filtered, got, want)
		}
		again := must(t, n, filtered, "max_threads", "2") // now with what was remembered
		if want := must(t, n, filtered, "use_query_condition_cache", "0"); again != want {
			t.Errorf("%s: %q the second time, want %q", filtered, again, want)
		}
		checkCounts(t, n, filtered)
	}
}

func TestTopAgainstAll(t *testing.T) {
	n := scanned(t)
	r := rand.New(rand.NewPCG(2, 1))
	keys := []string{"id", "id DESC", "day", "day DESC", "n", "n DESC", "n NULLS FIRST", "f", "f DESC", "word", "word DESC", "url", "url DESC", "tag", "length(url)", "id % 10", "-f"}
	for range 150 {
		by := keys[r.IntN(len(keys))]
		if r.IntN(2) == 0 {
			by += ", " + keys[r.IntN(len(keys))]
		}
		c := "1"
		if r.IntN(3) > 0 {
			c = condition(r, 1)
		}
		limit := []int{1, 3, 10, 100}[r.IntN(4)]
		// The keys are compared, since ties may come in any order; and a checksum of each row with its own.
		text := strings.NewReplacer(" DESC", "", " NULLS FIRST", "").Replace(by)
		top := fmt.Sprintf("SELECT %s, url = concat('http://', substring(url, 8)) AND word IN ('', 'apple', 'pear', 'plum', 'a longer name') FROM t WHERE %s ORDER BY %s LIMIT %d", text, c, by, limit)
		whole := fmt.Sprintf("SELECT %s, 1 FROM t WHERE %s ORDER BY %s", text, c, by)
		got, want := strings.SplitAfter(must(t, n, top, "max_threads", "2"), "\n"), strings.SplitAfter(must(t, n, whole), "\n")
		want = want[:min(limit, len(want)-1)]
		if g, w := strings.Join(got, ""), strings.Join(want, ""); g != w {
			t.Errorf("%s:\n%swant\n%s", top, g, w)
		}
		checkCounts(t, n, top)
	}
	for _, sql := range []string{"SELECT * FROM t LIMIT 3", "SELECT * FROM t WHERE id > 10 LIMIT 3", "SELECT * FROM t ORDER BY day LIMIT 2"} {
		checkCounts(t, n, sql)
	}
}

// What is known of segments, and the memtable's rows, answer count, min and max as reading all rows does.
func TestSummaries(t *testing.T) {
	n := scanned(t)
	for _, c := range []struct {
		sql      string
		answered bool
	}{
		{"count()", true}, {"min(day), max(day), count()", true}, {"max(id), min(id)", true}, {"min(n)", false}, {"min(f)", false}, {"max(word)", false}, {"count(n)", false}, {"count(), sum(id)", false},
	} {
		sql := "SELECT " + c.sql + " FROM t"
		got, want := must(t, n, sql), must(t, n, sql, "optimize_trivial_count_query", "0", "optimize_use_implicit_projections", "0")
		if got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
		if a := strings.Contains(must(t, n, "EXPLAIN ANALYZE "+sql), "answered from metadata"); a != c.answered {
			t.Errorf("%s: answered from metadata is %v", sql, a)
		}
	}
	must(t, n, "CREATE TABLE e (id UInt32) ENGINE = MergeTree ORDER BY id")
	expect(t, n, "SELECT count(), min(id), max(id) FROM e", "0\t0\t0\n")
	must(t, n, "CREATE TABLE r (id UInt32, v UInt8) ENGINE = ReplacingMergeTree ORDER BY id")
	must(t, n, "INSERT INTO r VALUES (1, 1), (2, 2)")
	must(t, n, "INSERT INTO r VALUES (1, 9)")
	expect(t, n, "SELECT count(), max(v) FROM r FINAL", "2\t9\n")
	must(t, n, "ALTER TABLE r ADD COLUMN w UInt8 DEFAULT 7")
	expect(t, n, "SELECT count(), min(w) FROM r", "3\t7\n")
}
