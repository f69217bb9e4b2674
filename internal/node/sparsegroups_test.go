package node

import (
	"fmt"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// GROUP BY of strings over segments whose dictionaries are of all sizes, for filters that leave all rows, few of each segment, or those of one: whichever way the
// groups are kept, they are those of the numbers that the strings are made of.
func TestSparseGroups(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE t (k UInt32, x UInt32, s String, z Nullable(String)) ENGINE = MergeTree ORDER BY k")
	for part, values := range []int{300, 70_000, 60_000, 2_000, 110_000} {
		must(t, n, fmt.Sprintf(`INSERT INTO t SELECT intDiv(number, 2), (cityHash64(number, %[1]d) %% %[2]d) + %[3]d AS x, concat('value ', toString(x)) AS s, if(x %% 50 = 0, NULL, s) FROM numbers(%[4]d)`, part, values, part*10_000, max(values+20_000, 140_000-70_000*part)))
		must(t, n, "SYSTEM FLUSH TABLE t")
	}
	const rows = "(SELECT k, x, concat('value ', toString(x)) AS s FROM t)"
	for _, where := range []string{"1", "k < 7000", "k BETWEEN 20000 AND 32000", "k > 50000", "k < 4000 OR k > 50000", "k % 16 = 3", "x < 25000", "k < 200", "s LIKE '%77%'"} {
		for _, key := range []string{"s", "z"} {
			null := "1 = 0"
			if key == "z" { // NULLs are one group
				null = "x % 50 = 0"
			}
			want, err := run(t, n, fmt.Sprintf(`SELECT count(), sum(c), sum(cityHash64(g) * c), sum(m * length(g)) FROM (SELECT if(y = 0, NULL, concat('value ', toString(y - 1))) AS g, c, m
				FROM (SELECT if(%s, 0, x + 1) AS y, count() AS c, max(k) AS m FROM %s WHERE %s GROUP BY y))`, null, rows, where))
			if err != nil {
				t.Fatal(err)
			}
			for _, settings := range [][]string{nil, {"max_threads", "3"}, {"max_block_size", "700", "max_threads", "1"}, {"max_block_size", "900", "max_threads", "2"}} {
				got, err := run(t, n, fmt.Sprintf("SELECT count(), sum(c), sum(cityHash64(%[1]s) * c), sum(m * length(%[1]s)) FROM (SELECT %[1]s, count() AS c, max(k) AS m FROM t WHERE %[2]s GROUP BY %[1]s)", key, where), settings...)
				if err != nil || got != want {
					t.Errorf("%s where %s, %s: %v\n got %s\nwant %s", key, where, settings, err, got, want)
				}
			}
		}
	}
}
