package mergetree

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
)

// TestRandomOperations runs random operations against a list of rows, per mode, and compares after each.
func TestRandomOperations(t *testing.T) {
	for _, mode := range []Mode{Plain, Replacing, Summing, Memory} {
		t.Run(mode.String(), func(t *testing.T) {
			for seed := range uint64(6) {
				runModel(t, mode, seed)
			}
		})
	}
}

func runModel(t *testing.T, mode Mode, seed uint64) {
	r := rand.New(rand.NewPCG(seed, uint64(mode)))
	fs := vfs.NewMem()
	m := newMachine(t, testOptions(fs))
	spec := testSpec(1, mode)
	spec.Settings.KeepUncollapsed = seed%3 == 0
	must(t, m.append(entry{create: spec}))
	var rows []row
	ctx := context.Background()
	for step := range 60 {
		what := fmt.Sprintf("seed %d step %d", seed, step)
		switch op := r.IntN(20); {
		case op < 9:
			n := randomRows(r, 1+r.IntN(12))
			m.insert(t, 1, n...)
			rows = append(rows, n...)
		case op < 12:
			must(t, m.s.Flush(ctx, m, 1))
		case op < 14 && mode != Memory:
			n := randomRows(r, r.IntN(70))
			must(t, m.bulk(t, n))
			rows = append(rows, n...)
		case op < 17:
			mergeOnce(t, m, r)
		case op < 18 && step > 40:
			must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: r.IntN(2) == 0}))
		case op == 18 && r.IntN(4) == 0:
			must(t, m.append(entry{table: 1, trunc: true}))
			rows = nil
		case op == 19 && r.IntN(3) == 0 && mode != Memory:
			part := uint32(r.IntN(3))
			must(t, m.s.DropPartition(ctx, m, 1, fmt.Sprint(part)))
			rows = slices.DeleteFunc(rows, func(x row) bool { return x.part == part })
		}
		checkModel(t, what, m.s, mode, rows)
	}
	o := testOptions(fs)
	o.NewID = randomID
	for what, other := range map[string]*Store{"replayed": replay(t, m.log, o), "decoded": encodeDecode(t, m.s, o, spec)} {
		checkModel(t, what, other, mode, rows)
		must(t, other.Close())
	}
	must(t, m.s.Close())
}

// checkModel compares what readers see with the model.
func checkModel(t *testing.T, what string, s *Store, mode Mode, rows []row) {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(1)
	want, got := collapsed(mode, rows), finalRows(t, v)
	if mode == Summing {
		want, got = sumsOnly(want), sumsOnly(got)
	}
	requireRows(t, what+": FINAL", want, got)
	if mode == Plain || mode == Memory {
		requireRows(t, what, collapsed(Plain, rows), allRows(t, v))
		if v.Rows() != uint64(len(rows)) {
			t.Fatalf("%s: the view counts %d rows of %d", what, v.Rows(), len(rows))
		}
	}
	checkOrder(t, v)
}

// checkOrder holds that ranges of commits of a partition do not overlap.
func checkOrder(t *testing.T, v *TableView) {
	t.Helper()
	segs := v.refs()
	for i := 1; i < len(segs); i++ {
		if a, b := segs[i-1], segs[i]; a.Partition == b.Partition && a.Last >= b.First {
			t.Fatalf("segments %s and %s overlap", a, b)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// bulk inserts rows through segments.
func (m *machine) bulk(t testing.TB, rows []row) error {
	segs, err := m.s.BuildSegments(context.Background(), 1, func(context.Context) (*column.Block, error) {
		n := min(6, len(rows))
		if n == 0 {
			return nil, nil
		}
		b := testBlock(rows[:n])
		rows = rows[n:]
		return b, nil
	})
	if err != nil || len(segs) == 0 {
		return err
	}
	return m.CommitEdit(context.Background(), Edit{Table: 1, Cause: CauseInsert, Add: segs})
}

// mergeOnce merges a random run of neighbours, as the selector could.
func mergeOnce(t testing.TB, m *machine, r *rand.Rand) {
	t.Helper()
	snap := m.s.Snapshot()
	v := snap.Table(1)
	var candidates [][]Segment
	for _, part := range partitions(v.refs()) {
		for _, run := range runs(part, v.limits()) {
			if len(run) > 1 {
				candidates = append(candidates, run)
			}
		}
	}
	snap.Close()
	if len(candidates) == 0 {
		return
	}
	run := candidates[r.IntN(len(candidates))]
	from := r.IntN(len(run) - 1)
	to := from + 2 + r.IntN(len(run)-from-1)
	must(t, m.s.merge(context.Background(), m, 1, MergePlan{Partition: run[0].Partition, Inputs: run[from:to], Cause: CauseMerge}, 1))
}

// TestRejectedEdits prepares edits against a state that changes before they commit.
func TestRejectedEdits(t *testing.T) {
	ctx := context.Background()
	for _, change := range []string{"truncate", "flush", "drop"} {
		t.Run(change, func(t *testing.T) {
			fs := vfs.NewMem()
			m := newMachine(t, testOptions(fs))
			must(t, m.append(entry{create: testSpec(1, Plain)}))
			m.insert(t, 1, row{key: 1}, row{key: 2, part: 1})
			m.hook = func(Edit) error {
				m.hook = nil
				switch change {
				case "truncate":
					return m.append(entry{table: 1, trunc: true})
				case "drop":
					return m.append(entry{table: 1, drop: true})
				}
				snap := m.s.Snapshot()
				defer snap.Close()
				e, err := m.s.buildFlush(ctx, snap.Table(1))
				must(t, err)
				return m.CommitEdit(ctx, e)
			}
			if err := m.s.Flush(ctx, m, 1); !errors.Is(err, ErrEditRejected) {
				t.Fatalf("the edit was not rejected: %v", err)
			}
			names, err := fs.List("data")
			must(t, err)
			if want := map[string]int{"flush": 2}[change]; len(names) != want {
				t.Fatalf("files %v are left, want %d", names, want)
			}
			if change != "drop" {
				snap := m.s.Snapshot()
				if got := len(allRows(t, snap.Table(1))); got != map[string]int{"flush": 2}[change] {
					t.Fatalf("%d rows", got)
				}
				snap.Close()
			}
			must(t, m.s.Close())
		})
	}
}
