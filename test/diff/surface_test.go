package diff

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/olapd/olapd/test/olapd"
	"github.com/olapd/olapd/test/oracle"
)

var (
	surfaceFlag = flag.Int("surface", 150, "random queries over the whole surface per seed")
	// reportsFlag keeps a broken build from being reported a thousand times.
	reportsFlag = flag.Int("reports", 20, "differences of a seed to show")
)

// surfaceFloat is the relative error of numbers: variances add in another order, Float32 has seven digits.
const surfaceFloat = 1e-6

// TestSurface compares random queries over all types with ClickHouse, each run twice, for what
// olapd has remembered of the first, and once more by other ways.
func TestSurface(t *testing.T) {
	if testing.Short() || *serverFlag == "" {
		t.Log("needs -server and no -short")
		return
	}
	ch := oracle.Start(t, oracle.ClickHouse)
	if ch == nil {
		return
	}
	srv, err := olapd.Start(*serverFlag, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	for seed := *seedFlag; seed < *seedFlag+*seedsFlag; seed++ {
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) {
			surfaceSeed(t, seed, peer{"ClickHouse", ch}, &session{olapd.Session{Server: srv, ID: "diff-surface"}})
		})
	}
}

func surfaceSeed(t *testing.T, seed uint64, reference, e engine) {
	g := newGenerator(seed)
	setup := g.surfaceTables()
	for _, e := range []engine{reference, e} {
		useDatabase(t, e, fmt.Sprintf("surface%d", seed))
		for _, sql := range setup {
			if e == reference && strings.HasPrefix(sql, "SYSTEM FLUSH") {
				continue
			}
			if got := mustRun(t, e, sql); got.code != 0 {
				t.Fatalf("%s: %.3000s: %s", e.name(), sql, got.message)
			}
		}
	}
	agreed, refused, missing, failed := 0, 0, 0, 0
	for i := range *surfaceFlag {
		q := g.query()
		forced := *q
		forced.settings = g.force()
		for _, try := range []*query{q, q, &forced} {
			want, got := mustRun(t, reference, q.String()), mustRun(t, e, try.statement())
			if got.code == notImplemented {
				missing++
				t.Logf("not implemented: %s\n%s", try.statement(), got.message)
				break
			}
			if surfaceEqual(q, want, got) {
				agreed++
				continue
			}
			if want.code != 0 { // which mistake is seen first, and what only ClickHouse refuses, is for the corpus
				refused++
				t.Logf("ClickHouse refuses: %s\n%s%s", q, brief(want), brief(got))
				break
			}
			if failed++; failed > *reportsFlag {
				break
			}
			s := shrink(t, try, reference, e)
			want, got = mustRun(t, reference, s.String()), mustRun(t, e, s.statement())
			t.Errorf("seed %d query %d: %s\nonly ClickHouse:\n%sonly %s:\n%s", seed, i, s.statement(), brief(lacking(want, got)), e.name(), brief(lacking(got, want)))
			break
		}
	}
	t.Logf("%d results agreed; ClickHouse refused %d queries, olapd has %d not implemented, %d differed", agreed, refused, missing, failed)
}

// brief is the beginning of an outcome.
func brief(o outcome) string {
	const shown = 700
	s := show(o)
	return s[:min(len(s), shown)] + "\n"
}

// lacking is what a has and b lacks, line by line; all of a if neither has a line of its own.
func lacking(a, b outcome) outcome {
	count := map[string]int{}
	for l := range strings.Lines(b.data) {
		count[l]++
	}
	var own strings.Builder
	for l := range strings.Lines(a.data) {
		if count[l]--; count[l] < 0 {
			own.WriteString(l)
		}
	}
	if a.code != 0 || own.Len() == 0 && len(a.data) == len(b.data) {
		return a
	}
	return outcome{data: own.String()}
}

func surfaceEqual(q *query, want, got outcome) bool {
	r := rules{sort: q.limit == "" || q.wrap != "", float: surfaceFloat, header: 2}
	if q.modifier == "WITH TOTALS" { // of no rows, ClickHouse in process writes the totals before the header
		r.header = 0
	}
	return r.equal(want.String(), got.String())
}

// surfaceDiffers reports whether the two still differ, and not only in what kind of mistake a cut-down query is.
func surfaceDiffers(t *testing.T, q *query, mistake bool, reference, e engine) bool {
	want, got := mustRun(t, reference, q.String()), mustRun(t, e, q.statement())
	if got.code == notImplemented || !mistake && (want.code != 0 || got.code != 0) {
		return false
	}
	if mistake && want.code != 0 && got.code != 0 {
		return false
	}
	return !surfaceEqual(q, want, got)
}

// shrink removes parts of q as long as the engines differ.
func shrink(t *testing.T, q *query, reference, e engine) *query {
	want, got := mustRun(t, reference, q.String()), mustRun(t, e, q.statement())
	mistake := want.code != 0 || got.code != 0
again:
	for _, c := range q.smaller() {
		if c.limit != "" && len(c.order) == 0 {
			continue
		}
		if surfaceDiffers(t, c, mistake, reference, e) {
			q = c
			goto again
		}
	}
	return q
}
