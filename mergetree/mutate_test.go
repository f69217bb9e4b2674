package mergetree

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/segment"
)

// deleteValue and addToValue are DELETE WHERE val = x and UPDATE val = val + x WHERE del = 0.
func deleteValue(x int64) Mutation {
	return Mutation{Rows: func(_ context.Context, b *column.Block) (*column.Block, error) {
		var sel []uint32
		for i, v := range column.Flatten(b.Cols[4]).(*column.Num[int64]).Data {
			if v != x {
				sel = append(sel, uint32(i))
			}
		}
		if len(sel) == b.N {
			return b, nil
		}
		return b.Gather(sel), nil
	}}
}

func addToValue(x int64) Mutation {
	return Mutation{Rows: func(_ context.Context, b *column.Block) (*column.Block, error) {
		vals := slices.Clone(column.Flatten(b.Cols[4]).(*column.Num[int64]).Data)
		changed := false
		for i, d := range column.Flatten(b.Cols[3]).(*column.Num[uint8]).Data {
			if d == 0 {
				vals[i], changed = vals[i]+x, true
			}
		}
		if !changed {
			return b, nil
		}
		out := &column.Block{N: b.N, Cols: slices.Clone(b.Cols)}
		out.Cols[4] = column.NewNum(types.TInt64, vals)
		return out, nil
	}}
}

// TestMutations runs random mutations among other operations, against a list of rows, and on a follower.
func TestMutations(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 9))
		m := newMachine(t, testOptions(vfs.NewMem()))
		must(t, m.append(entry{create: testSpec(1, Plain)}))
		f := newFollower(t)
		var rows []row
		for step := range 45 {
			what := fmt.Sprintf("seed %d step %d", seed, step)
			switch x := r.Int64N(3) - 1; r.IntN(8) {
			case 0, 1, 2:
				n := randomRows(r, 1+r.IntN(12))
				m.insert(t, 1, n...)
				rows = append(rows, n...)
			case 3:
				must(t, m.s.Flush(ctx, m, 1))
			case 4:
				mergeOnce(t, m, r)
			case 5:
				res, err := m.s.Mutate(ctx, m, 1, deleteValue(x))
				must(t, err)
				before := len(rows)
				rows = slices.DeleteFunc(rows, func(y row) bool { return y.val == x })
				if res.Removed != uint64(before-len(rows)) {
					t.Fatalf("%s: %+v, %d rows are gone", what, res, before-len(rows))
				}
			case 6:
				_, err := m.s.Mutate(ctx, m, 1, addToValue(x))
				must(t, err)
				for i := range rows {
					if rows[i].del == 0 {
						rows[i].val += x
					}
				}
			default:
				for _, seg := range f.s.Absent() {
					if r.IntN(2) == 0 {
						must(t, fetch(f.s, m.s, seg, 500, false))
					}
				}
			}
			checkMutated(t, what, m.s, rows)
			f.follow(m.log)
			if snap := f.s.Snapshot(); snap.Table(1).Ready() == nil {
				checkMutated(t, what+", follower", f.s, rows)
				snap.Close()
			} else {
				snap.Close()
			}
		}
		must(t, f.s.Close())
		must(t, m.s.Close())
	}
}

// checkMutated compares the rows of a view with the model.
func checkMutated(t *testing.T, what string, s *Store, rows []row) {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	requireRows(t, what, collapsed(Plain, rows), allRows(t, snap.Table(1)))
	checkOrder(t, snap.Table(1))
}

// TestMutationLeavesLaterRows: what is committed while a mutation runs stays; a mutation whose segments have changed meanwhile starts
// again; one that changes nothing commits nothing; one that breaks its contract changes nothing.
func TestMutationLeavesLaterRows(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1, val: 1}, row{key: 2, val: 2, part: 1})
	tries := 0
	m.hook = func(e Edit) error {
		if e.Cause != CauseMutation {
			return nil
		}
		if tries++; tries == 1 {
			m.hook = nil
			m.insert(t, 1, row{key: 3, val: 1})
			err := m.s.DropPartition(ctx, m, 1, "1")
			m.hook = func(e Edit) error {
				if e.Cause == CauseMutation {
					tries++
				}
				return nil
			}
			return err
		}
		return nil
	}
	res, err := m.s.Mutate(ctx, m, 1, addToValue(10))
	must(t, err)
	if tries != 2 || res.Segments != 2 {
		t.Fatalf("%d attempts, %+v", tries, res)
	}
	want := []row{{key: 1, val: 11}, {key: 3, val: 11}} // the second attempt began behind the insert
	checkMutated(t, "again", m.s, want)
	before := len(m.log)
	if res, err := m.s.Mutate(ctx, m, 1, deleteValue(99)); err != nil || res.Segments != 0 || len(m.log) != before {
		t.Fatalf("nothing to do: %+v, %v", res, err)
	}
	never := deleteValue(11)
	never.May = func(context.Context, *segment.Reader) (bool, error) { return false, nil }
	if res, err := m.s.Mutate(ctx, m, 1, never); err != nil || res.Segments != 0 {
		t.Fatalf("pruned: %+v, %v", res, err)
	}
	failing := Mutation{Rows: func(context.Context, *column.Block) (*column.Block, error) { return testBlock(make([]row, 9)), nil }}
	if _, err := m.s.Mutate(ctx, m, 1, failing); !sqlerr.Is(err, sqlerr.LogicalError) {
		t.Fatalf("more rows than there were: %v", err)
	}
	checkMutated(t, "in the end", m.s, want)
	must(t, m.s.Close())
	if n := len(m.s.files.mu.building); n > 0 {
		t.Fatalf("%d files are still being built", n)
	}
}

// TestMutationsAndMerges: merges wait for a mutation and go on behind it.
func TestMutationsAndMerges(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	for i := range uint32(3) {
		m.insert(t, 1, row{key: i, val: 1})
		must(t, m.s.Flush(ctx, m, 1))
	}
	started, merged := make(chan struct{}), make(chan error, 1)
	slow := addToValue(1)
	rows, first := slow.Rows, true
	slow.Rows = func(ctx context.Context, b *column.Block) (*column.Block, error) {
		if first {
			first = false
			go func() {
				close(started)
				merged <- m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true})
			}()
			<-started
		}
		return rows(ctx, b)
	}
	res, err := m.s.Mutate(ctx, m, 1, slow)
	must(t, errors.Join(err, <-merged))
	if res.Segments != 3 {
		t.Fatalf("%+v", res)
	}
	snap := m.s.Snapshot()
	if n := len(snap.Table(1).Segments()); n != 1 {
		t.Fatalf("%d segments", n)
	}
	snap.Close()
	checkMutated(t, "merged", m.s, []row{{key: 0, val: 2}, {key: 1, val: 2}, {key: 2, val: 2}})
	must(t, m.s.Close())
}

// TestMutationToNewSchema rewrites what is stored under an older schema: a column of another type is made of the old one.
func TestMutationToNewSchema(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1, val: -7}, row{key: 2, val: 8})
	must(t, m.s.Flush(ctx, m, 1))
	m.insert(t, 1, row{key: 3, val: 9})
	spec := *testSpec(1, Plain)
	spec.Columns = slices.Clone(spec.Columns)
	spec.Columns[4].Type = types.TString
	spec.Missing = func(want []int, have column.Schema, b *column.Block) ([]column.Vector, error) {
		at := have.Index("val")
		if len(want) != 1 || want[0] != 4 || at < 0 {
			return nil, fmt.Errorf("columns %v of %v", want, have)
		}
		out := column.NewStrings()
		for _, x := range column.Flatten(b.Cols[at]).(*column.Num[int64]).Data {
			out.AppendString(fmt.Sprint("value ", x))
		}
		return []column.Vector{out}, nil
	}
	must(t, m.append(entry{create: &spec}))
	want := []string{"value -7", "value 8", "value 9"}
	for range 2 {
		snap := m.s.Snapshot()
		rows, err := snap.Table(1).MergedBlocks(ctx, []int{1, 4})
		must(t, err)
		b, err := rows.Next(ctx)
		must(t, errors.Join(err, rows.Close()))
		for i, w := range want {
			if got := column.Value(b.Cols[1], i); got != w {
				t.Fatalf("row %d is %v, want %s", i, got, w)
			}
		}
		snap.Close()
		_, err = m.s.Mutate(ctx, m, 1, Mutation{})
		must(t, err)
	}
	snap := m.s.Snapshot()
	for _, h := range snap.Table(1).Segments() {
		r, err := h.Open(ctx)
		must(t, err)
		if !sameSchema(r.Schema(), spec.Columns) {
			t.Errorf("segment %s has the columns %v", h.Segment, r.Schema())
		}
		must(t, r.Release())
	}
	snap.Close()
	must(t, m.s.Close())
}
