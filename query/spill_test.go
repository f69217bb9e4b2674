package query

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/sqlerr"
)

// digest is what a long result is compared by.
func digest(s string) string {
	h := fnv.New64a()
	h.Write([]byte(s))
	return fmt.Sprintf("%d lines, %x", strings.Count(s, "\n"), h.Sum64())
}

// TestSpilledIsTheSame runs queries with much memory and with so little that they write temporary files: the results are the same.
func TestSpilledIsTheSame(t *testing.T) {
	for _, sql := range []string{
		"SELECT number, cityHash64(number) AS h FROM numbers(300000) ORDER BY h",
		"SELECT number % 1000 AS k, toString(cityHash64(number)) AS s, if(number % 7 = 0, NULL, number) AS n FROM numbers(200000) ORDER BY k DESC, n DESC NULLS FIRST, s",
		"SELECT cityHash64(number) % 50 AS k, number FROM numbers(200000) ORDER BY k, number LIMIT 70000",
		"SELECT if(number % 3 = 0, nan, toFloat64(cityHash64(number) % 1000)) AS f, [number] AS a FROM numbers(100000) ORDER BY f, a DESC",
	} {
		t.Run(sql, func(t *testing.T) {
			h := newHarness(t)
			want := h.run(Query{Text: sql, Settings: map[string]string{"max_bytes_ratio_before_external_sort": "0"}})
			for _, settings := range []map[string]string{
				{"max_bytes_before_external_sort": "1000000"},
				{"max_bytes_before_external_sort": "200000", "max_block_size": "3000"},
				{"max_memory_usage": "10000000", "max_threads": "1"},
			} {
				r, err := h.s.Execute(t.Context(), Query{Text: sql, Settings: settings})
				if err != nil {
					t.Fatal(err)
				}
				var out strings.Builder
				if err := r.Render(&out, "TabSeparatedRaw"); err != nil {
					t.Fatalf("%v: %v", settings, err)
				}
				if r.x.temp.Written() == 0 {
					t.Errorf("%v: nothing was written", settings)
				}
				r.Close()
				if out.String() != want {
					t.Errorf("%v: %s, want %s", settings, digest(out.String()), digest(want))
				}
				if h.temp.Used() != 0 || r.q.budget.Used() != 0 {
					t.Errorf("%v: %d bytes of files and %d of memory are left", settings, h.temp.Used(), r.q.budget.Used())
				}
			}
		})
	}
}

// TestHostile runs queries that want far more memory than they may have: they end with its error, or do with temporary files, and
// neither holds more at any time.
func TestHostile(t *testing.T) {
	const limit = 30 << 20
	for _, c := range []struct {
		sql string
		ok  bool
	}{
		{"SELECT count() FROM numbers(1000) WHERE number IN (SELECT number * 7 FROM numbers(10000000))", false},
		{"SELECT count() FROM (SELECT DISTINCT number FROM numbers(10000000))", false},
		{"SELECT count(), max(b.s) FROM numbers(10) a JOIN (SELECT number, toString(number) AS s FROM numbers(5000000)) b ON a.number + 1 = b.number + 1", true},
		{"SELECT count(), max(a.x), max(b.x) FROM (SELECT number, number AS x FROM numbers(2000000)) a JOIN (SELECT number, number AS x FROM numbers(2000000)) b USING number", true},
		{"SELECT max(b.x) FROM (SELECT number % 2 AS k, number AS x FROM numbers(10)) a LEFT JOIN (SELECT number % 2 AS k, number AS x FROM numbers(4000000)) b USING k", false},
		{"SELECT number, toString(number) AS s, row_number() OVER (ORDER BY s) AS r FROM numbers(3000000) FORMAT Null", false},
		{"SELECT number, toString(number) AS s FROM numbers(3000000) ORDER BY s DESC FORMAT Null", true},
		{"SELECT groupArray(toString(number)) FROM numbers(10000000)", false},
	} {
		h := newHarness(t)
		r, err := h.s.Execute(t.Context(), Query{Text: c.sql, Settings: map[string]string{"max_memory_usage": fmt.Sprint(limit)}})
		if err != nil {
			t.Fatalf("%s: %v", c.sql, err)
		}
		err = r.Render(io.Discard, "TabSeparated")
		if c.ok && err != nil || !c.ok && !sqlerr.Is(err, sqlerr.MemoryLimitExceeded) {
			t.Errorf("%s: %v", c.sql, err)
		}
		if p := r.q.budget.Peak(); p > limit {
			t.Errorf("%s: held %d bytes", c.sql, p)
		}
		r.Close()
		if h.temp.Used() != 0 || r.q.budget.Used() != 0 {
			t.Errorf("%s: %d bytes of files and %d of memory are left", c.sql, h.temp.Used(), r.q.budget.Used())
		}
	}
}
