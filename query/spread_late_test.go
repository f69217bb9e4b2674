package query

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/clock"
)

const (
	wideTable = "CREATE TABLE wide (x UInt32, k Nullable(Int32), g LowCardinality(String), pad String) ENGINE = MergeTree ORDER BY x"
	wideRows  = "INSERT INTO wide SELECT number, if(number % 10 = 0, NULL, number * 7919 % 1000), toString(number % 13), arrayStringConcat(arrayMap(i -> hex(cityHash64(number, i)), range(20))) FROM numbers(5000)"
)

// lateQueries are top-ks of rows that are wide.
var lateQueries = []string{
	"SELECT * FROM wide ORDER BY x DESC LIMIT 100",
	"SELECT * FROM wide ORDER BY k DESC NULLS FIRST, x LIMIT 600",
	"SELECT x, pad, k FROM wide ORDER BY k, x DESC LIMIT 200 OFFSET 30",
	"SELECT *, length(pad) + x AS n FROM wide WHERE g = '7' ORDER BY g, n DESC LIMIT 150",
	"SELECT concat(pad, g), g FROM wide WHERE x < 4 ORDER BY k + 1, x LIMIT 150",
	"SELECT * FROM wide WHERE x > 10000 ORDER BY k LIMIT 150",
	"SELECT * FROM wide WHERE x IN (SELECT x FROM wide WHERE k < 100) ORDER BY g DESC, x LIMIT 150",
	"SELECT count(), sum(length(pad)) FROM (SELECT * FROM wide ORDER BY k, x LIMIT 300)",
}

// TestSpreadLate: top-ks of several nodes are those of one, and of wide rows only the ones of the answer travel.
func TestSpreadLate(t *testing.T) {
	one := newHarness(t)
	for layout, nodes := range layouts {
		many := newSpread(t, nodes...)
		for _, h := range []*harness{one, many.harness} {
			h.run(Query{Text: "DROP TABLE IF EXISTS wide"})
			h.mustRun(t, wideTable)
			h.mustRun(t, wideRows)
		}
		for _, sql := range lateQueries {
			want := one.run(Query{Text: sql})
			if got := many.run(Query{Text: sql}); got != want || strings.HasPrefix(want, "Code:") {
				t.Errorf("%s: %s\n%.200s\nwant\n%.200s", layout, sql, got, want)
			}
			if out := many.run(Query{Text: "EXPLAIN ANALYZE " + sql}); !strings.Contains(out, "of sort keys first") {
				t.Errorf("%s\n%s", sql, out)
			}
		}
		_, late := many.traffic(t, lateQueries[1], nil)
		_, early := many.traffic(t, lateQueries[1], map[string]string{"query_plan_optimize_lazy_materialization": "0"})
		t.Logf("%s: %d bytes, %d without", layout, late, early)
		if layout != "all on one" && late > early*3/4 { // of three or two nodes' rows one's are of use
			t.Errorf("%s: %d bytes, %d without", layout, late, early)
		}
	}
}

// TestSpreadLateFailures: a node that dies is replaced before it has offered, and is an error later; a deadline ends the wait for the choice.
func TestSpreadLateFailures(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *spread) {
		s.mustRun(t, wideTable)
		s.mustRun(t, wideRows)
		const top = "SELECT x, substring(pad, 1, 0), pad = '' FROM wide ORDER BY x DESC LIMIT 200"
		want := ""
		for i := range 200 {
			want += fmt.Sprintf("%d\t\t0\n", 4999-i)
		}
		s.nodes[1].opened = func(context.Context) error {
			s.net.Kill("b")
			return nil
		}
		s.is(t, top, want)
		s.nodes[2].opened = func(ctx context.Context) error { return clock.Real().Sleep(ctx, time.Minute) }
		if out := s.run(Query{Text: top, Settings: map[string]string{"max_execution_time": "2"}}); !strings.HasPrefix(out, "Code: 159.") {
			t.Errorf("%s", out)
		}
	})
}
