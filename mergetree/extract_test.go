package mergetree

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
)

// TestExtract: the rows of segments are parted into others under the same sequence numbers, beside which rows go on to be replaced in order; a view shows the
// segments or what was made of them, or nothing of a table that is to be empty.
func TestExtract(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Replacing)}))
	r := rand.New(rand.NewPCG(3, 3))
	var all []row
	flush := func() {
		rows := randomRows(r, 40)
		all = append(all, rows...)
		m.insert(t, 1, rows...)
		must(t, m.s.Flush(ctx, m, 1))
	}
	flush()
	flush()
	snap := m.s.Snapshot()
	var names []string
	frozen := map[string]bool{}
	segs := snap.Table(1).Live("")
	for _, s := range segs {
		names, frozen[s.ID] = append(names, s.ID), true
	}
	before := allRows(t, snap.Table(1))
	snap.Close()
	odd := func(want uint32) func(context.Context, *column.Block) (*column.Block, error) {
		return func(_ context.Context, b *column.Block) (*column.Block, error) {
			var sel []uint32
			for i, k := range column.Flatten(b.Cols[1]).(*column.Num[uint32]).Data {
				if k%2 == want {
					sel = append(sel, uint32(i))
				}
			}
			return b.Gather(sel), nil
		}
	}
	var made []Segment
	kept := map[string]bool{}
	for want := range uint32(2) {
		out, err := m.s.Extract(ctx, 1, names, odd(want))
		must(t, err)
		for _, s := range out {
			if kept[s.ID] = true; !slices.ContainsFunc(segs, func(x Segment) bool {
				return x.Partition == s.Partition && x.First == s.First && x.Last == s.Last && x.Level == s.Level
			}) {
				t.Errorf("segment %s is of none of %v", s, segs)
			}
		}
		if made = append(made, out...); want == 0 {
			flush() // rows that come later, and stay later
		}
	}
	if none, err := m.s.Extract(ctx, 1, names, odd(7)); err != nil || len(none) != 0 {
		t.Errorf("of no rows: %v, %v", none, err)
	}
	if _, err := m.s.Extract(ctx, 1, []string{"nosuch"}, odd(0)); err == nil {
		t.Error("rows of a segment that is not there")
	}
	must(t, m.append(entry{edit: &Edit{Table: 1, Cause: CauseMove, Add: made}}))
	reads := func(what string, hidden map[string]bool) []row {
		t.Helper()
		snap := m.s.Snapshot()
		defer snap.Close()
		snap.Hide(hidden, nil)
		requireRows(t, what, collapsed(Replacing, all), finalRows(t, snap.Table(1)))
		return allRows(t, snap.Table(1))
	}
	a, b := reads("without what was made", kept), reads("without what it was made of", frozen)
	requireRows(t, "all rows", a, b)
	if len(a) <= len(before) {
		t.Errorf("%d rows, %d before", len(a), len(before))
	}
	must(t, m.append(entry{edit: &Edit{Table: 1, Cause: CauseMove, Remove: names}}))
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	reads("at the end", nil)
	snap = m.s.Snapshot()
	snap.Hide(nil, func(id catalog.TableID) bool { return id == 1 })
	if v := snap.Table(1); v.Rows() != 0 || len(allRows(t, v)) != 0 || v.Ready() != nil {
		t.Errorf("%d rows of a table that is to be empty", v.Rows())
	}
	snap.Close()
	must(t, m.s.Close())
}
