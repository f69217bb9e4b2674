package mergetree

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/vfs"
)

// TestDistinct leaves one of equal rows, wherever they are: in one segment, in many, in more than one merge takes, across blocks.
func TestDistinct(t *testing.T) {
	ctx := context.Background()
	all := make([]string, len(testColumns))
	for i, f := range testColumns {
		all[i] = f.Name
	}
	for name, c := range map[string]struct {
		mode     Mode
		unsorted bool
		by       []string
		segments int
	}{
		"one segment":          {Plain, false, all, 1},
		"some":                 {Plain, false, all, 3},
		"more than one merges": {Plain, false, all, maxFanIn + 5},
		"without a sort key":   {Plain, true, all, 4},
		"by some columns":      {Plain, false, []string{"part", "key", "val"}, 4},
		"of versions":          {Replacing, false, all, 3},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, uint64(c.segments)))
			o := testOptions(vfs.NewMem())
			o.Clock, o.Budget = clock.Real(), mem.NewBudget("total", 0)
			m := newMachine(t, o)
			spec := testSpec(1, c.mode)
			if c.unsorted {
				spec.SortKey, spec.Exprs = nil, nil
			}
			must(t, m.append(entry{create: spec}))
			var rows []row
			for range c.segments {
				var some []row
				for range 40 {
					some = append(some, row{part: uint32(r.IntN(2)), key: uint32(r.IntN(3)), val: int64(r.IntN(3)), text: []string{"", "a"}[r.IntN(2)], null: r.IntN(2) == 0})
				}
				rows = append(rows, some...)
				m.insert(t, 1, some...)
				must(t, m.s.Flush(ctx, m, 1))
			}
			must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Distinct: c.by}))
			snap := m.s.Snapshot()
			got := allRows(t, snap.Table(1))
			segments := snap.Table(1).Live("")
			snap.Close()
			if len(segments) != 2 || segments[0].Partition == segments[1].Partition {
				t.Errorf("segments %v, want one of each partition", segments)
			}
			checkDistinct(t, c.mode, len(c.by) < len(all), rows, got)
			must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Distinct: c.by}))
			snap = m.s.Snapshot()
			requireRows(t, "again", got, allRows(t, snap.Table(1)))
			snap.Close()
			must(t, m.s.Close())
			if used := o.Budget.Used(); used != 0 {
				t.Errorf("%d bytes are reserved at the end", used)
			}
		})
	}
}

func checkDistinct(t *testing.T, mode Mode, some bool, rows, got []row) {
	t.Helper()
	slices.SortFunc(rows, compareTestRows)
	same := func(a, b row) bool { return a == b }
	switch {
	case mode == Replacing: // one of each key is left already
		same = func(a, b row) bool { return a.part == b.part && a.key == b.key }
	case some:
		same = func(a, b row) bool { return a.part == b.part && a.key == b.key && a.val == b.val }
	}
	if mode == Replacing || some {
		for _, g := range got {
			if !slices.Contains(rows, g) {
				t.Errorf("row %v is none of the table's", g)
			}
		}
	}
	order := func(a, b row) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.key, b.key), compareTestRows(a, b))
	}
	slices.SortFunc(rows, order)
	slices.SortFunc(got, order)
	want := slices.CompactFunc(rows, same)
	if !slices.EqualFunc(want, got, same) {
		t.Errorf("%d rows, want %d: %v, want %v", len(got), len(want), got, want)
	}
}

// TestDistinctMemory ends a merge whose different rows of one key take more memory than there is.
func TestDistinctMemory(t *testing.T) {
	ctx := context.Background()
	o := testOptions(vfs.NewMem())
	o.Budget = mem.NewBudget("total", 0)
	m := newMachine(t, o)
	spec := testSpec(1, Plain)
	spec.SortKey, spec.Exprs = nil, nil
	must(t, m.append(entry{create: spec}))
	for i := range 3 {
		var some []row
		for k := range 400 {
			some = append(some, row{key: uint32(i*1000 + k)})
		}
		m.insert(t, 1, some...)
		must(t, m.s.Flush(ctx, m, 1))
	}
	o.Budget.SetLimit(o.Budget.Used() + 60_000)
	by := []string{"part", "key"}
	if err := m.s.Optimize(ctx, m, 1, OptimizeOptions{Distinct: by}); err == nil {
		t.Fatal("1200 different rows of one key fit into nothing")
	}
	o.Budget.SetLimit(0)
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Distinct: by}))
	must(t, m.s.Close())
	if used := o.Budget.Used(); used != 0 {
		t.Errorf("%d bytes are reserved at the end", used)
	}
}
