package build

import (
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/exec/spill"
	"github.com/olapd/olapd/query/plan"
)

// Groups go through temporary files, by keys of every kind, and come back with the same results.
func TestGroupsSpill(t *testing.T) {
	tab := newFake("t", 20_000, 3)
	scan := scanOf(tab, colID, colG, colS)
	for name, n := range map[string]*plan.Aggregate{
		"words":  aggregate(t, scan, []plan.Expr{col(scan, 0), col(scan, 2)}, agg("count"), agg("min", col(scan, 1)), agg("sum", col(scan, 0))),
		"number": aggregate(t, scan, []plan.Expr{col(scan, 2)}, agg("count"), agg("groupArray", col(scan, 1))),
		"unique": aggregate(t, scan, []plan.Expr{col(scan, 2)}, agg("uniqExact", col(scan, 0)), agg("count")),
		"sets":   aggregate(t, scan, []plan.Expr{col(scan, 2)}, agg("uniqExact", col(scan, 0)), agg("quantileExact", col(scan, 1))),
	} {
		want, err := runPlan(t, n, &fakeStorage{morsel: 4000}, exec.Options{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		for threads := 1; threads <= 2; threads++ {
			store, err := spill.Open(vfs.NewMem(), "/tmp")
			if err != nil {
				t.Fatal(err)
			}
			area := store.Area(0)
			o := exec.Options{Threads: threads, Temp: area, Limits: exec.Limits{GroupSpill: 1}}
			if name == "number" {
				o.Threads = 1 // groupArray keeps the order of rows
			}
			got, err := runPlan(t, n, &fakeStorage{morsel: 4000}, o)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d threads: got %d rows, want %d: %s", name, threads, len(got), len(want), firstDifference(got, want))
			}
			if area.Written() == 0 {
				t.Errorf("%s, %d threads: nothing was written", name, threads)
			}
			if err := area.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
