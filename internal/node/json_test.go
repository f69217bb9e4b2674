package node

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/vfs"
)

// jsonQueries read columns of JSON whole, by path, by type and below paths.
var jsonQueries = []string{
	"SELECT count(), sum(j.n.:Int64), uniqExact(j.a.c.:String), countIf(j.none IS NULL) FROM t",
	"SELECT id, j FROM t WHERE id % 97 = 5 ORDER BY id",
	"SELECT id, j.n, j.a.b, j.rare, j.tags[].name FROM t WHERE id % 31 = 1 ORDER BY id",
	"SELECT id, j.^a, j.^deep FROM t WHERE id % 53 < 2 ORDER BY id",
	"SELECT j FROM t WHERE j.n.:Int64 = 77",
	"SELECT id, j.a FROM t WHERE j.n.:Int64 > 990 AND j.a.c.:String = 's3' ORDER BY id",
	"SELECT j.a.c.:String AS c, count(), sum(j.typed) FROM t GROUP BY c ORDER BY c",
	"SELECT dynamicType(j.n), count() FROM t GROUP BY 1 ORDER BY 1",
	"SELECT j.typed, id FROM t ORDER BY j.typed DESC, id LIMIT 7",
	"SELECT id, j.u FROM t WHERE j.u = 'x' AND length(j.a.c.:String) = 2 ORDER BY id LIMIT 9",
	"SELECT length(j.s), count() FROM t GROUP BY 1 ORDER BY 1",
	"SELECT arraySort(groupUniqArrayArray(JSONAllPaths(j))) FROM t",
	"SELECT x.id, x.j.n, y.j.u FROM t AS x JOIN t AS y ON x.j.n.:Int64 = y.id WHERE x.id < 4 ORDER BY x.id",
	"SELECT uniqExact(JSONAllPathsWithTypes(j)) FROM t",
	"SELECT id, getSubcolumn(j, 'typed') + 1, k.b FROM t WHERE k.b.:Bool ORDER BY id LIMIT 5",
}

func jsonTable(t *testing.T, n *Node) {
	must(t, n, `CREATE TABLE t (id UInt32, j JSON(typed Int64, u Nullable(String), s String, max_dynamic_paths = 5), k JSON) ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 64`)
	for part := range 4 {
		must(t, n, fmt.Sprintf(`INSERT INTO t SELECT number * 4 + %d AS i, concat('{"n":', if(i %% 10 = 9, '"text"', toString(i %% 1000)), ',"a":{"b":', toString(i %% 3), ',"c":"s', toString(i %% 13),
			'"},"typed":', toString(i * 7 %% 101), if(i %% 5 = 0, ',"u":"x"', ''), if(i %% 7 = 0, concat(',"rare":[', toString(i), ',null]'), ''),
			if(i %% 11 < 3, ',"tags":[{"name":"p"},{"name":"q","x":1}]', ''), if(i %% 6 = 1, concat(',"deep":{"er":{"z', toString(i %% 17), '":', toString(i / 4), '}}'), ''), ',"s":"',
			repeat('y', i %% 4), '"}'), concat('{"b":', if(i %% 2 = 0, 'true', 'false'), ',"i":', toString(i), '}') FROM numbers(400)`, part))
		if part < 3 {
			must(t, n, "OPTIMIZE TABLE t")
		}
	}
}

// TestJSONByPath: what is read by path is what is read whole, from segments that store paths and from older ones, before a merge and behind it, and after a mutation.
func TestJSONByPath(t *testing.T) {
	fs := vfs.NewMem()
	behind := DefaultConfig()
	behind.Data, behind.HTTP, behind.FS, behind.Memory, behind.Logger = "/data", "", fs, 1<<30, slog.New(slog.DiscardHandler)
	behind.levelsBehind = int(feature.Current-feature.ObjectPaths.Since()) + 1
	n, err := Open(context.Background(), behind)
	if err != nil {
		t.Fatal(err)
	}
	jsonTable(t, n)
	var want []string
	for _, q := range jsonQueries {
		want = append(want, must(t, n, q, "optimize_functions_to_subcolumns", "0"))
	}
	check := func(when string) {
		t.Helper()
		for i, q := range jsonQueries {
			if want[i] == "" {
				t.Errorf("%s gives nothing", q)
			}
			for _, setting := range []string{"1", "0"} {
				if got := must(t, n, q, "optimize_functions_to_subcolumns", setting); got != want[i] {
					t.Errorf("%s, %s, by path %s: %q, want %q", when, q, setting, got, want[i])
				}
			}
		}
	}
	check("whole")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	defer func() { n.Close() }()
	check("whole, at the new level")
	must(t, n, "OPTIMIZE TABLE t FINAL")
	check("merged")
	must(t, n, "ALTER TABLE t UPDATE k = k WHERE id % 3 = 0")
	check("after a mutation")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	n = open(t, fs)
	check("after a restart")
	plan := must(t, n, "EXPLAIN PIPELINE SELECT j.a.b FROM t WHERE j.typed = 7")
	if want := `Scan default.t reading getSubcolumn(j, \'a.b\'), getSubcolumn(j, \'typed\') where`; !strings.Contains(plan, want) {
		t.Errorf("no %q in %s", want, plan)
	}
}

// TestJSONPruning: pages in which no value at a path satisfies a condition are not read.
func TestJSONPruning(t *testing.T) {
	n := open(t, vfs.NewMem())
	defer n.Close()
	must(t, n, "CREATE TABLE w (id UInt32, j JSON(declared String)) ENGINE = MergeTree ORDER BY id")
	must(t, n, `INSERT INTO w SELECT number, concat('{"v":', toString(number), if(number >= 65536, ',"late":1', ''), if(number = 3, ',"x":"t"', ''), ',"declared":"d', toString(intDiv(number, 65536)), '"}') FROM numbers(70000)`)
	must(t, n, "OPTIMIZE TABLE w FINAL")
	for where, rows := range map[string]int{
		"j.late = 1": 70000 - 65536, "j.late.:Int64 = 1": 70000 - 65536, "j.late.:String = 'a'": 0, "j.v < 10": 65536, "j.v.:Int64 IN (2, 3)": 65536, "j.none = 1": 0,
		"j.declared = 'd1'": 70000 - 65536, "startsWith(j.declared, 'd0')": 65536, "j.v.:Int64 = 1 OR j.late.:Int64 = 1": 70000, "j.v >= 0": 70000,
	} {
		plan := must(t, n, "EXPLAIN ANALYZE SELECT count() FROM w WHERE "+where)
		if want := fmt.Sprintf("Read %d rows", rows); !strings.Contains(plan, want) {
			t.Errorf("%s: no %q in %s", where, want, plan)
		}
		for _, setting := range []string{"0", "1"} {
			by := must(t, n, "SELECT count() FROM w WHERE "+where, "optimize_functions_to_subcolumns", setting)
			if all := must(t, n, "SELECT countIf("+where+") FROM w"); by != all {
				t.Errorf("%s, by path %s: %s rows, want %s", where, setting, by, all)
			}
		}
	}
}
