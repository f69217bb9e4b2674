package node

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// Answers that lean on what is remembered of segments, or on what their metadata say, must stay right while the table changes beneath them. Random
// changes between queries that come again and again; each is asked twice as by default, the second time with what the first
// has learned, and once with all of it off.

// withoutCaches turns off whatever answers from other things than the rows.
var withoutCaches = []string{
	"use_query_condition_cache", "0", "optimize_trivial_count_query", "0", "optimize_use_implicit_projections", "0",
	"query_plan_optimize_lazy_materialization", "0", "optimize_functions_to_subcolumns", "0",
}

// cachedTable is a table that is changed at random.
type cachedTable struct {
	t     *testing.T
	n     *Node
	rng   *rand.Rand
	extra string // the column that comes and goes; "" where there is none
	turns int
	done  []string
}

func (c *cachedTable) do(sql string) {
	c.t.Helper()
	c.done = append(c.done, sql)
	if _, err := run(c.t, c.n, sql); err != nil {
		c.t.Fatalf("%v, after\n%s", err, strings.Join(c.done, ";\n"))
	}
}

// insert adds rows near a random place of the keys.
func (c *cachedTable) insert() {
	from, count := c.rng.IntN(400), 1+c.rng.IntN(300)
	c.do(fmt.Sprintf(`INSERT INTO t (p, k, d, s, x) SELECT number %% 3, %d + number %% %d, toDate('2026-01-01') + number %% 40,
		concat('s', toString((number * %d) %% 23)), if(number %% 7 = 0, NULL, number - %d) FROM numbers(%d)`, from, 1+c.rng.IntN(200), 1+c.rng.IntN(9), c.rng.IntN(200), count))
	if c.rng.IntN(2) == 0 {
		c.do("SYSTEM FLUSH TABLE t")
	}
}

// change alters the table in one of many ways.
func (c *cachedTable) change() {
	switch c.rng.IntN(14) {
	case 0, 1, 2, 3, 4:
		c.insert()
	case 5, 6:
		c.do("OPTIMIZE TABLE t FINAL")
	case 7:
		c.do(fmt.Sprintf("ALTER TABLE t DROP PARTITION %d", c.rng.IntN(3)))
	case 8:
		if c.rng.IntN(4) == 0 {
			c.do("TRUNCATE TABLE t")
		}
	case 9, 10, 11:
		c.turn()
	case 12:
		c.do(fmt.Sprintf("ALTER TABLE t MODIFY TTL d + INTERVAL %d DAY", 36500+c.rng.IntN(100)))
	case 13:
		c.do("ALTER TABLE t MODIFY TTL d + INTERVAL 1 DAY DELETE WHERE k % 5 = 1")
		c.do("OPTIMIZE TABLE t FINAL")
		c.do("ALTER TABLE t REMOVE TTL")
	}
}

// turn drops the column that comes and goes, or adds it again: it does not show the values that rows had before.
func (c *cachedTable) turn() {
	if c.extra != "" {
		c.do("ALTER TABLE t DROP COLUMN " + c.extra)
		c.extra = ""
		return
	}
	c.turns++
	c.extra = fmt.Sprintf("e%d", c.turns%2)
	c.do("ALTER TABLE t ADD COLUMN " + c.extra + " " + []string{"UInt8 DEFAULT 7", "Int64 DEFAULT -1", "Int64 DEFAULT k * 2", "Nullable(Int32)", "UInt16"}[c.rng.IntN(5)])
}

// cachedQueries are asked after every change; extraQueries, of the column e, while there is one.
var cachedQueries = []string{
	"SELECT count(), min(k), max(k), min(d), max(d), min(p), max(p) FROM t",
	"SELECT count() FROM t WHERE k = 77",
	"SELECT count(), sum(k) FROM t WHERE k BETWEEN 120 AND 180 AND s != 's3'",
	"SELECT count(), min(x), max(x) FROM t WHERE x < 0",
	"SELECT count() FROM t WHERE s = 's7' AND p = 1",
	"SELECT s, count() FROM t WHERE s LIKE '%1%' GROUP BY s ORDER BY s",
	"SELECT k, s, x FROM t WHERE d = '2026-01-15' ORDER BY k, s, x LIMIT 5",
	"SELECT k, d FROM t ORDER BY d DESC, k LIMIT 3",
	"SELECT count() FROM t WHERE x IS NULL",
	"SELECT sum(length(s)), count() FROM t WHERE k > 350",
	"SELECT min(x), max(x), count(x) FROM t",
	"SELECT k % 10 AS g, count() FROM t WHERE d > '2026-02-05' OR k < 5 GROUP BY g ORDER BY g",
}

var extraQueries = []string{
	"SELECT min(e), max(e), count(), count(e) FROM t",
	"SELECT count() FROM t WHERE e = 7",
	"SELECT count() FROM t WHERE e < 0",
	"SELECT count(), sum(k) FROM t WHERE e > 300 OR e IS NULL",
}

func (c *cachedTable) check() {
	queries := cachedQueries
	if c.extra != "" {
		queries = append(queries[:len(queries):len(queries)], extraQueries...)
	}
	for _, q := range queries {
		if c.rng.IntN(3) == 0 {
			continue
		}
		q = strings.ReplaceAll(strings.ReplaceAll(q, "(e)", "("+c.extra+")"), " e ", " "+c.extra+" ")
		want := must(c.t, c.n, q, withoutCaches...)
		for _, which := range []string{"first", "second"} {
			if got := must(c.t, c.n, q); got != want {
				c.t.Fatalf("%s\nis %q the %s time, without caches %q, after\n%s", q, got, which, want, strings.Join(c.done, ";\n"))
			}
		}
	}
}

func TestCachesWhileTablesChange(t *testing.T) {
	for seed := range uint64(3) {
		n := open(t, vfs.NewMem())
		c := &cachedTable{t: t, n: n, rng: rand.New(rand.NewPCG(seed, 0))}
		c.do(`CREATE TABLE t (p UInt8, k UInt32, d Date, s String, x Nullable(Int64), INDEX xs x TYPE minmax GRANULARITY 1) ENGINE = MergeTree
			PARTITION BY p ORDER BY k SETTINGS index_granularity = 16`)
		for range 30 {
			c.change()
			c.check()
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
