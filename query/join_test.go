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

// TestJoinTellsScans joins tables, whose scans hear of the keys of the other side, and the same rows behind a LIMIT, whose scans do not.
func TestJoinTellsScans(t *testing.T) {
	h := newHarness(t)
	for _, sql := range []string{
		"CREATE TABLE few (k Nullable(Int32), s LowCardinality(String), u UInt64) ENGINE = MergeTree ORDER BY tuple()",
		"CREATE TABLE many (k Nullable(Int32), s LowCardinality(String), u UInt64, n UInt32) ENGINE = MergeTree ORDER BY n",
		"INSERT INTO few SELECT if(number = 7, NULL, number * 37), toString(number), number * 1000003 FROM numbers(40)",
		"INSERT INTO many SELECT if(number % 50 = 7, NULL, number % 3000), toString(number % 90), (number % 77) * 1000003, number FROM numbers(20000)",
	} {
		if out := h.run(Query{Text: sql}); out != "" {
			t.Fatal(out)
		}
	}
	const free, held = "many", "(SELECT * FROM many LIMIT 1000000) AS many"
	for _, kind := range []string{"INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI", "RIGHT SEMI", "RIGHT ANTI", "ANY LEFT", "ANY RIGHT"} {
		for _, on := range []string{"few.k = many.k", "few.s = many.s", "few.u = many.u", "few.u = many.u AND few.k = many.k", "few.k = many.k AND few.u < many.n"} {
			shown := "few.k, few.s, few.u, many.k, many.s, many.u, many.n"
			switch kind { // what is shown of the other side is any partner's
			case "LEFT SEMI", "ANY LEFT":
				shown = "%s.k, %s.s, %s.u"
			case "RIGHT SEMI", "ANY RIGHT":
				shown = "%[2]s.k, %[2]s.s, %[2]s.u"
			}
			for _, from := range [][2]string{{"few", free}, {free, "few"}} {
				left, right := from[0], from[1]
				cols := strings.NewReplacer("%[2]s", right, "%s", left).Replace(shown)
				text := func(l, r string) string {
					return "SELECT " + cols + " FROM " + l + " " + kind + " JOIN " + r + " ON " + on + " ORDER BY ALL"
				}
				told := h.run(Query{Text: text(left, right)})
				swap := strings.NewReplacer(free, held)
				if want := h.run(Query{Text: text(swap.Replace(left), swap.Replace(right))}); told != want {
					t.Errorf("%s: %s, without knowing the keys %s", text(left, right), digest(told), digest(want))
				}
			}
		}
	}
	for _, side := range []string{"few JOIN many", "many JOIN few"} { // which is in memory does not matter
		out := h.run(Query{Text: "EXPLAIN ANALYZE SELECT count() FROM " + side + " ON few.k = many.k"})
		if !strings.Contains(out, "Scan default.many (266 rows") {
			t.Errorf("%s: all rows are read: %s", side, out)
		}
	}
}

// TestJoinByParts joins sides of which neither fits in memory, by all kinds: the results are those of a join in memory.
func TestJoinByParts(t *testing.T) {
	const left = "(SELECT if(number % 11 = 0, NULL, cityHash64(number) % 30000) AS k, toString(number) AS s, number AS n FROM numbers(40000)) AS a"
	const right = "(SELECT if(number % 13 = 0, NULL, cityHash64(number + 7) % 30000) AS k, number AS m, toString(k) AS s FROM numbers(50000)) AS b"
	for _, kind := range []string{"INNER", "LEFT", "RIGHT", "FULL", "LEFT SEMI", "LEFT ANTI", "RIGHT SEMI", "RIGHT ANTI", "ANY LEFT", "ANY RIGHT", "ASOF", "ASOF LEFT"} {
		for _, on := range []string{"a.k = b.k", "a.k = b.k AND a.s = b.s", "a.k = b.k AND a.n < b.m"} {
			if strings.HasPrefix(kind, "ASOF") != strings.Contains(on, "<") || strings.Contains(kind, "ANTI") && strings.Contains(on, "<") {
				continue
			}
			cols := "a.k, a.s, a.n, b.k, b.m"
			switch kind { // of the other side any partner is shown
			case "LEFT SEMI", "ANY LEFT":
				cols = "a.k, a.s, a.n"
			case "RIGHT SEMI", "ANY RIGHT":
				cols = "b.k, b.m"
			}
			sql := "SELECT count(), sum(cityHash64(" + cols + ")), groupBitXor(cityHash64(" + cols + ", 1)) FROM " + left + " " + kind + " JOIN " + right + " ON " + on
			h := newHarness(t)
			want := h.run(Query{Text: sql})
			for _, memory := range []string{"4000000", "1500000"} {
				r, err := h.s.Execute(t.Context(), Query{Text: sql, Settings: map[string]string{"max_memory_usage": memory, "max_block_size": "4000"}})
				if err != nil {
					t.Fatal(err)
				}
				var out strings.Builder
				if err := r.Render(&out, "TabSeparated"); err != nil {
					t.Fatalf("%s %s within %s bytes: %v", kind, on, memory, err)
				}
				if r.x.temp.Written() == 0 {
					t.Errorf("%s %s within %s bytes: nothing was written", kind, on, memory)
				}
				r.Close()
				if out.String() != want {
					t.Errorf("%s %s within %s bytes: %s, want %s", kind, on, memory, out.String(), want)
				}
				if h.temp.Used() != 0 || r.q.budget.Used() != 0 {
					t.Errorf("%s %s: %d bytes of files and %d of memory are left", kind, on, h.temp.Used(), r.q.budget.Used())
				}
			}
		}
	}
}

// TestJoinPairs joins by keys of which each is one row's, with and without NULL, and by keys of several rows, in blocks of several sizes: the
// results are those of comparing every pair.
func TestJoinPairs(t *testing.T) {
	h := newHarness(t)
	const every = "(SELECT number % 50 AS k, number AS n FROM numbers(300)) AS a"
	sides := []string{
		"(SELECT number AS k, toString(number) AS s FROM numbers(50)) AS b", // every row of a has one partner
		"(SELECT number AS k, toString(number) AS s FROM numbers(20, 60)) AS b",
		"(SELECT if(number = 3, NULL, number) AS k, toString(number) AS s FROM numbers(40)) AS b",
		"(SELECT number % 20 AS k, toString(number) AS s FROM numbers(90)) AS b",
		"(SELECT if(number % 7 = 0, NULL, number % 20) AS k, toString(number) AS s FROM numbers(90)) AS b",
		"(SELECT number % 2 AS k, toString(number) AS s FROM numbers(90)) AS b", // many partners, in several blocks
		"(SELECT number AS k, toString(number) AS s FROM numbers(0)) AS b",
	}
	for _, b := range sides {
		pairs := "SELECT a.n, b.s FROM " + every + " CROSS JOIN " + b + " WHERE a.k - b.k = 0"
		lonely := "SELECT a.n, '' FROM " + every + " WHERE a.k NOT IN (SELECT k FROM " + b + " WHERE k IS NOT NULL)"
		for kind, want := range map[string]string{"INNER": pairs, "LEFT": pairs + " UNION ALL " + lonely, "LEFT ANTI": lonely} {
			want = h.run(Query{Text: "SELECT * FROM (" + want + ") ORDER BY ALL"})
			if kind == "LEFT" && strings.Count(want, "\n") < 300 {
				t.Fatalf("%s: %s", b, want)
			}
			for _, size := range []string{"1", "7", "64", "65409"} {
				for _, on := range []string{"a.k = b.k", "toString(a.k) = toString(b.k)", "a.k = b.k AND length(b.s) < 9 + a.n"} { // the last condition holds for all
					sql := "SELECT a.n, b.s FROM " + every + " " + kind + " JOIN " + b + " ON " + on + " ORDER BY ALL"
					got := h.run(Query{Text: sql, Settings: map[string]string{"max_block_size": size}})
					if got != want {
						t.Errorf("%s in blocks of %s: %s, want %s", sql, size, digest(got), digest(want))
					}
				}
			}
		}
	}
}

// TestJoinOfManyKeys joins sides whose keys several workers number, or whose table is made as large as all keys need.
func TestJoinOfManyKeys(t *testing.T) {
	h := newHarness(t)
	for _, c := range []struct{ key, want string }{
		{"toString(number)", "150000\t22499850000\n"},
		{"number * 7", "150000\t22499850000\n"},
		{"toString(number % 80000)", "290000\t43499710000\n"}, // 70,000 keys are of two rows
		{"if(number < 100000, toString(number), NULL)", "100000\t9999900000\n"},
		{"if(number < 0, toString(number), NULL)", "0\t0\n"},
	} {
		got := h.run(Query{Text: "SELECT count(), sum(a.n + b.n) FROM (SELECT " + c.key + " AS k, number AS n FROM numbers(150000)) AS a JOIN " +
			"(SELECT " + c.key + " AS k, number AS n FROM numbers(150000)) AS b ON a.k = b.k"})
		if got != c.want {
			t.Errorf("%s: %s", c.key, got)
		}
	}
}

// TestBags takes INTERSECT and EXCEPT of bags: of a row that stands m times on the left and n times on the right, min(m, n) and m - n stay.
func TestBags(t *testing.T) {
	h := newHarness(t)
	const left, right = "SELECT number % 3000 AS k, if(k % 7 = 0, NULL, toString(k)) AS s FROM numbers(9000)", // three times each
		"SELECT number % 6000 + 1000 AS k, if(k % 7 = 0, NULL, toString(k)) AS s FROM numbers(7000)" // 1000 of twice, else once
	for _, c := range []struct{ op, want string }{
		{"INTERSECT", "3000\t2000\t5498500\n"},
		{"EXCEPT", "6000\t3000\t7997000\n"},
		{"INTERSECT DISTINCT", "2000\t2000\t3999000\n"},
		{"EXCEPT DISTINCT", "1000\t1000\t499500\n"},
	} {
		for _, size := range []string{"10", "65409"} {
			sql := "SELECT count(), uniqExact(k), sum(k) FROM (" + left + " " + c.op + " " + right + ")"
			if got := h.run(Query{Text: sql, Settings: map[string]string{"max_block_size": size}}); got != c.want {
				t.Errorf("%s in blocks of %s: %s, want %s", c.op, size, got, c.want)
			}
		}
	}
}
