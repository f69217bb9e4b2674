package mergetree

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// TestFrozen: no merge, mutation or dropped partition takes frozen segments, all else goes on; an edit of cause move may.
func TestFrozen(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	r := rand.New(rand.NewPCG(1, 1))
	var all []row
	flush := func() {
		rows := randomRows(r, 10)
		for i := range rows {
			rows[i].part = 0
		}
		all = append(all, rows...)
		m.insert(t, 1, rows...)
		must(t, m.s.Flush(ctx, m, 1))
	}
	live := func() []Segment {
		snap := m.s.Snapshot()
		defer snap.Close()
		return snap.Table(1).Live("")
	}
	for range 3 {
		flush()
	}
	frozen := live()[1]
	m.s.ApplyFrozen(1, map[string]bool{frozen.ID: true})
	m.s.Publish(m.s.Applied())
	flush()
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	segs := live()
	if len(segs) != 3 || segs[1] != frozen {
		t.Fatalf("OPTIMIZE of 4 segments around a frozen one left %v", segs)
	}
	remove := Edit{Table: 1, Cause: CauseDropPartition, Remove: []string{frozen.ID}}
	if err := m.append(entry{edit: &remove}); !errors.Is(err, ErrEditRejected) {
		t.Errorf("a frozen segment was removed: %v", err)
	}
	if _, err := m.s.Mutate(ctx, m, 1, Mutation{}); err != nil {
		t.Errorf("a mutation that changes nothing: %v", err)
	}
	snap := m.s.Snapshot()
	requireRows(t, "with a frozen segment", collapsed(Plain, all), allRows(t, snap.Table(1)))
	snap.Hide(map[string]bool{frozen.ID: true}, nil)
	if got := snap.Table(1).Rows(); got != uint64(len(all))-frozen.Rows {
		t.Errorf("%d of %d rows are shown without a segment of %d", got, len(all), frozen.Rows)
	}
	snap.Close()
	remove.Cause = CauseMove
	must(t, m.append(entry{edit: &remove}))
	m.s.ApplyFrozen(1, nil)
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	if segs := live(); len(segs) != 1 {
		t.Errorf("%d segments are left", len(segs))
	}
	must(t, m.s.Close())
}

// TestHiddenHasNoStandIn: a replica without the file of a merged segment shows its inputs; not where the segment is hidden, whose rows those are.
func TestHiddenHasNoStandIn(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, followerOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	f := newFollower(t)
	m.insert(t, 1, row{key: 1}, row{key: 2})
	must(t, m.s.Flush(ctx, m, 1))
	f.follow(m.log)
	read := func(hide bool) (rows uint64, ready error) {
		snap := f.s.Snapshot()
		defer snap.Close()
		if hide {
			snap.Hide(map[string]bool{snap.Table(1).Live("")[0].ID: true}, nil)
		}
		return snap.Table(1).Rows(), snap.Table(1).Ready()
	}
	if rows, err := read(false); rows != 2 || err != nil {
		t.Errorf("%d rows, %v: the memtable's stand in for the file", rows, err)
	}
	if rows, err := read(true); rows != 0 || err != nil {
		t.Errorf("%d rows, %v, where the segment is hidden", rows, err)
	}
	must(t, f.s.Close())
	must(t, m.s.Close())
}
