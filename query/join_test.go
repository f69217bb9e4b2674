package query

import (
	"strings"
	"testing"
)

// TestJoinSides runs inner joins whose left side is the smaller one, which then is the one in memory, against the same join the other way round.
func TestJoinSides(t *testing.T) {
	h := newHarness(t)
	for _, sql := range []string{
		"CREATE TABLE few (k Nullable(Int64), s String) ENGINE = MergeTree ORDER BY tuple()",
		"CREATE TABLE many (k Int64, n UInt32) ENGINE = MergeTree ORDER BY tuple()",
		"INSERT INTO few SELECT if(number = 7, NULL, number % 20), toString(number) FROM numbers(40)",
		"INSERT INTO many SELECT number % 30, number FROM numbers(5000)",
	} {
		if out := h.run(Query{Text: sql}); out != "" {
			t.Fatal(out)
		}
	}
	for _, rest := range []string{"", " AND few.k * 100 < many.n", " AND length(few.s) = many.n % 3"} {
		cols := "SELECT few.k, few.s, many.n, many.k AS x FROM "
		tail := " ON few.k = many.k" + rest + " ORDER BY ALL"
		small := h.run(Query{Text: cols + "few JOIN many" + tail})
		large := h.run(Query{Text: cols + "many JOIN few" + tail})
		if small != large || strings.Count(small, "\n") < 100 {
			t.Errorf("%q: %s, the other way round %s", rest, digest(small), digest(large))
		}
	}
}

// TestFirstPartner joins sides in which every key comes many times, by kinds for which one partner is enough.
func TestFirstPartner(t *testing.T) {
	h := newHarness(t)
	for _, c := range []struct{ sql, want string }{
		{"SELECT count() FROM (SELECT number % 3 AS k FROM numbers(60000)) a SEMI JOIN (SELECT number % 2 AS k FROM numbers(60000)) b ON a.k = b.k", "40000\n"},
		{"SELECT count() FROM (SELECT number % 3 AS k FROM numbers(60000)) a ANTI JOIN (SELECT number % 2 AS k FROM numbers(60000)) b ON a.k = b.k", "20000\n"},
		{"SELECT count() FROM (SELECT number % 3 AS k FROM numbers(60000)) a ANY LEFT JOIN (SELECT number % 2 AS k FROM numbers(60000)) b ON a.k = b.k", "60000\n"},
		{"SELECT count() FROM (SELECT number % 3 AS k FROM numbers(60000)) a ANY JOIN (SELECT number % 2 AS k FROM numbers(60000)) b ON a.k = b.k", "2\n"},
	} {
		if got := h.run(Query{Text: c.sql}); got != c.want {
			t.Errorf("%s: %s", c.sql, got)
		}
	}
}
