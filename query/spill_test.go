package query

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
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
				{"max_memory_usage": "8000000"},
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
