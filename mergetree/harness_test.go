package mergetree

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
)

// row is a row of the test table, as the naive model keeps it.
type row struct {
	part, key, version uint32
	del                uint8
	val                int64
	text               string
	null               bool // of the column n
}

var testColumns = column.Schema{
	{Name: "part", Type: types.TUInt32},
	{Name: "key", Type: types.TUInt32},
	{Name: "version", Type: types.TUInt32},
	{Name: "del", Type: types.TUInt8},
	{Name: "val", Type: types.TInt64},
	{Name: "text", Type: types.TString},
	{Name: "n", Type: types.NewNullable(types.TInt32)},
	{Name: "tags", Type: types.NewArray(types.TString)},
}

// testSpec is partitioned by part and sorted by an expression, key mod 64, and then key.
func testSpec(id catalog.TableID, mode Mode) *Spec {
	s := &Spec{
		ID: id, Name: fmt.Sprint("t", id), Columns: testColumns, Mode: mode, KeyColumns: []string{"part", "key"},
		Exprs: column.Schema{{Name: "modulo(key, 64)", Type: types.TUInt32}},
		Eval: func(b *column.Block, want []int) ([]column.Vector, error) {
			keys := column.Flatten(b.Cols[1]).(*column.Num[uint32]).Data
			out := make([]uint32, len(keys))
			for i, k := range keys {
				out[i] = k % 64
			}
			return []column.Vector{column.NewNum(types.TUInt32, out)}, nil
		},
		SortKey:   []string{"modulo(key, 64)", "key"},
		Partition: func(b *column.Block) ([]column.Vector, error) { return b.Cols[:1], nil },
		PartitionID: func(key []column.Vector, i int) string {
			return fmt.Sprint(column.Value(key[0], i))
		},
		Granularity: 4,
	}
	switch mode {
	case Replacing:
		s.Version, s.IsDeleted = "version", "del"
	case Summing:
		s.Sum = []string{"val"}
	}
	return s
}

func testBlock(rows []row) *column.Block {
	b := &column.Block{N: len(rows)}
	for _, f := range testColumns {
		b.Cols = append(b.Cols, column.New(f.Type, len(rows)))
	}
	for _, r := range rows {
		vals := []any{r.part, r.key, r.version, r.del, r.val, r.text, int32(r.val), []any{r.text, "x"}}
		if r.null {
			vals[6] = nil
		}
		for i, x := range vals {
			column.AppendValue(b.Cols[i].(column.Builder), x)
		}
	}
	return b
}

func rowsOf(t testing.TB, b *column.Block) []row {
	t.Helper()
	out := make([]row, b.N)
	for i := range out {
		v := func(c int) any { return column.Value(b.Cols[c], i) }
		out[i] = row{v(0).(uint32), v(1).(uint32), v(2).(uint32), v(3).(uint8), v(4).(int64), v(5).(string), v(6) == nil}
		if tags := v(7).([]any); len(tags) != 2 || tags[0] != out[i].text {
			t.Fatalf("row %v has the tags %v", out[i], tags)
		}
	}
	return out
}

func compareTestRows(a, b row) int {
	return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.key, b.key), cmp.Compare(a.version, b.version), cmp.Compare(a.val, b.val),
		cmp.Compare(a.text, b.text), cmp.Compare(a.del, b.del), cmp.Compare(fmt.Sprint(a.null), fmt.Sprint(b.null)))
}

// collapsed is what FINAL must show of rows in order of commit, by the mode, written as plainly as can be.
func collapsed(mode Mode, rows []row) []row {
	if mode == Plain || mode == Memory {
		out := slices.Clone(rows)
		slices.SortFunc(out, compareTestRows)
		return out
	}
	last := map[uint32]row{}
	for _, r := range rows {
		old, ok := last[r.key]
		switch {
		case !ok:
			last[r.key] = r
		case mode == Replacing && r.version >= old.version:
			last[r.key] = r
		case mode == Summing:
			old.val += r.val
			last[r.key] = old
		}
	}
	var out []row
	for _, r := range last {
		if mode == Replacing && r.del == 1 || mode == Summing && r.val == 0 {
			continue
		}
		out = append(out, r)
	}
	slices.SortFunc(out, compareTestRows)
	return out
}

// entry is one log entry of the test's state machine.
type entry struct {
	create *Spec
	rows   *column.Block
	table  catalog.TableID
	edit   *Edit
	trunc  bool
	drop   bool
}

// machine is a replicated state machine of one member whose log survives every crash.
type machine struct {
	mu  sync.Mutex
	s   *Store
	log []entry
	// commits that come while hook is set see it first.
	hook func(Edit) error
}

func (m *machine) append(e entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, e)
	index := uint64(len(m.log))
	err := applyEntry(m.s, index, e)
	m.s.Publish(index)
	m.s.Durable(index)
	return err
}

func applyEntry(s *Store, index uint64, e entry) error {
	switch {
	case e.create != nil:
		s.ApplyCreate(e.create)
	case e.rows != nil:
		return s.ApplyRows(index, e.table, e.rows)
	case e.edit != nil:
		return s.ApplyEdit(index, *e.edit)
	case e.trunc:
		return s.ApplyTruncate(index, e.table)
	case e.drop:
		s.ApplyDrop(index, e.table)
	}
	return nil
}

// CommitEdit implements Committer; the edit goes through its bytes, as in a real log.
func (m *machine) CommitEdit(ctx context.Context, e Edit) error {
	if m.hook != nil {
		if err := m.hook(e); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	back, rest, err := DecodeEdit(AppendEdit(nil, e))
	if err != nil || len(rest) > 0 {
		return fmt.Errorf("edit %s does not survive its encoding: %w", e, err)
	}
	return m.append(entry{edit: &back})
}

// replay rebuilds a store over fs from the log.
func replay(t testing.TB, log []entry, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range log {
		_ = applyEntry(s, uint64(i+1), e) // rejected edits are rejected again
	}
	s.Publish(uint64(len(log)))
	s.Durable(uint64(len(log)))
	return s
}

var testTuning = tuning{chunkRows: 7, adoptRows: 5, mergeRows: 5, flushRows: 15, runRows: 20}

func testOptions(fs vfs.FS) Options {
	n := 0
	var mu sync.Mutex
	return Options{FS: fs, Dir: "data", Clock: clock.NewManual(time.Unix(1_700_000_000, 0)), tune: testTuning, NewID: func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("s%04d", n)
	}}
}

func newMachine(t testing.TB, o Options) *machine {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{s: s}
}

// insert appends rows as one entry.
func (m *machine) insert(t testing.TB, id catalog.TableID, rows ...row) {
	t.Helper()
	if err := m.append(entry{table: id, rows: testBlock(rows)}); err != nil {
		t.Fatal(err)
	}
}

// allRows reads a view without FINAL.
func allRows(t testing.TB, v *TableView) []row {
	t.Helper()
	var out []row
	for _, h := range v.Segments() {
		r, err := h.Open(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		b := &column.Block{N: r.Rows()}
		for c := range r.Schema() {
			col, err := r.ReadColumn(context.Background(), c, 0, r.Rows())
			if err != nil {
				t.Fatal(err)
			}
			b.Cols = append(b.Cols, col)
		}
		out = append(out, rowsOf(t, b)...)
		if err := r.Release(); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range v.Memtable() {
		out = append(out, rowsOf(t, m.Rows)...)
	}
	slices.SortFunc(out, compareTestRows)
	return out
}

// finalRows reads a view with FINAL and checks the order.
func finalRows(t testing.TB, v *TableView) []row {
	t.Helper()
	m, err := v.MergedBlocks(context.Background(), v.Spec().allColumns())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var out []row
	for {
		b, err := m.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		out = append(out, rowsOf(t, b)...)
	}
	for i := 1; i < len(out); i++ {
		a, b := out[i-1], out[i]
		if cmp.Or(cmp.Compare(a.key%64, b.key%64), cmp.Compare(a.key, b.key)) > 0 {
			t.Fatalf("FINAL yields key %d before %d", a.key, b.key)
		}
	}
	slices.SortFunc(out, compareTestRows)
	return out
}

// sumsOnly leaves of Summing rows what does not depend on when their zero sums were dropped: the other columns of a key that
// came to zero and back are those of its first row since.
func sumsOnly(rows []row) []row {
	for i, r := range rows {
		rows[i] = row{part: r.part, key: r.key, val: r.val}
	}
	return rows
}

func requireRows(t testing.TB, what string, want, got []row) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Fatalf("%s: %d rows, want %d\n got %v\nwant %v", what, len(got), len(want), got, want)
	}
}

// randomRows are few keys with many repeats.
func randomRows(r *rand.Rand, n int) []row {
	out := make([]row, n)
	for i := range out {
		out[i] = row{part: r.Uint32N(3), key: r.Uint32N(40), version: r.Uint32N(4), del: uint8(r.IntN(4) / 3), val: r.Int64N(5) - 2,
			text: fmt.Sprint("v", r.IntN(1000)), null: r.IntN(3) == 0}
		out[i].part = out[i].key % 3 // a key lies in one partition
	}
	return out
}

// encodeDecode takes a store's state through its bytes into another store over the same files.
func encodeDecode(t testing.TB, s *Store, o Options, specs ...*Spec) *Store {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	var buf bytes.Buffer
	if err := snap.EncodeState(&buf); err != nil {
		t.Fatal(err)
	}
	out, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.DecodeState(&buf); err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		out.ApplyCreate(spec)
	}
	out.Publish(snap.Index())
	return out
}
