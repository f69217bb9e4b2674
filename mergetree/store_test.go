package mergetree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFilesOutliveTheirReaders checks when the files of merged segments go: not while a snapshot or a restart needs them.
func TestFilesOutliveTheirReaders(t *testing.T) {
	ctx, fs := context.Background(), vfs.NewMem()
	m := newMachine(t, testOptions(fs))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	for i := range 3 {
		m.insert(t, 1, row{key: uint32(i)})
		must(t, m.s.Flush(ctx, m, 1))
	}
	old := m.s.Snapshot()
	want := allRows(t, old.Table(1))
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	m.s.deleteDead()
	if n := files1(t, fs); n != 4 {
		t.Fatalf("%d files while an old snapshot is open, want 4", n)
	}
	requireRows(t, "the old snapshot", want, allRows(t, old.Table(1)))
	old.Close()
	m.s.deleteDead()
	if n := files1(t, fs); n != 1 {
		t.Fatalf("%d files once it is closed, want 1", n)
	}
	must(t, m.append(entry{table: 1, drop: true}))
	m.s.deleteDead()
	if n := files1(t, fs); n != 0 {
		t.Fatalf("%d files of a dropped table", n)
	}
	must(t, m.s.Close())
}

// TestFilesWaitForDurable keeps removed files until a restart cannot come back to a state that names them.
func TestFilesWaitForDurable(t *testing.T) {
	ctx, fs := context.Background(), vfs.NewMem()
	m := newMachine(t, testOptions(fs))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	must(t, m.s.Flush(ctx, m, 1))
	index := uint64(len(m.log)) + 1
	must(t, m.s.ApplyTruncate(index, 1))
	m.s.Publish(index)
	m.s.deleteDead()
	if n := files1(t, fs); n != 1 {
		t.Fatalf("%d files before the truncation is durable, want 1", n)
	}
	m.s.Durable(index)
	m.s.deleteDead()
	if n := files1(t, fs); n != 0 {
		t.Fatalf("%d files afterwards", n)
	}
	must(t, m.s.Close())
}

func files1(t *testing.T, fs vfs.FS) int {
	t.Helper()
	names, err := fs.List("data")
	must(t, err)
	return len(names)
}

// TestDamagedSegment: a live segment that is missing or changed is an error at read, never fewer rows.
func TestDamagedSegment(t *testing.T) {
	ctx := context.Background()
	for what, damage := range map[string]func(fs vfs.FS, name string) error{
		"missing": func(fs vfs.FS, name string) error { return fs.Remove(name) },
		"flipped": func(fs vfs.FS, name string) error {
			data, err := vfs.ReadFile(fs, name)
			if err != nil {
				return err
			}
			data[len(data)-60] ^= 1
			return vfs.WriteFileAtomic(fs, name, data)
		},
		"another": func(fs vfs.FS, name string) error {
			data, err := vfs.ReadFile(fs, "data/s0002.seg")
			if err != nil {
				return err
			}
			return vfs.WriteFileAtomic(fs, name, data)
		},
	} {
		t.Run(what, func(t *testing.T) {
			fs := vfs.NewMem()
			m := newMachine(t, testOptions(fs))
			must(t, m.append(entry{create: testSpec(1, Plain)}))
			for i := range 2 {
				m.insert(t, 1, row{key: uint32(i)}, row{key: 9})
				must(t, m.s.Flush(ctx, m, 1))
			}
			must(t, m.s.Close())
			must(t, damage(fs, "data/s0001.seg"))
			s := replay(t, m.log, testOptions(fs))
			if what == "missing" { // the log has the rows; a Raft snapshot would not
				requireKept(t, s)
				decoded := encodeDecode(t, s, testOptions(fs), testSpec(1, Plain))
				must(t, s.Close())
				s = decoded
			}
			snap := s.Snapshot()
			_, err := snap.Table(1).MergedBlocks(ctx, []int{0})
			if code := sqlerr.CodeOf(err); code != sqlerr.NoFileInDataPart && code != sqlerr.CorruptedData && code != sqlerr.ChecksumDoesntMatch {
				t.Fatalf("error %v", err)
			}
			snap.Close()
			must(t, s.Close())
		})
	}
}

// requireKept: the memtable's rows are shown instead of the missing segment's.
func requireKept(t *testing.T, s *Store) {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	requireRows(t, "the replayed log", []row{{key: 0}, {key: 1}, {key: 9}, {key: 9}}, finalRows(t, snap.Table(1)))
}

// TestAggregating merges states of uniq and sum, and SimpleAggregateFunction values, through flushes and merges.
func TestAggregating(t *testing.T) {
	ctx := context.Background()
	state, err := types.Parse("AggregateFunction(uniqExact, UInt64)")
	must(t, err)
	simple, err := types.Parse("SimpleAggregateFunction(max, Int64)")
	must(t, err)
	spec := &Spec{ID: 1, Name: "agg", Mode: Aggregating, KeyColumns: []string{"k"}, SortKey: []string{"k"}, Granularity: 4,
		Columns: column.Schema{{Name: "k", Type: types.TUInt32}, {Name: "u", Type: state}, {Name: "m", Type: simple}},
		States: func(name string) function.Aggregate {
			typ := map[string]*types.Type{"u": state, "m": simple}[name]
			if typ == nil {
				return nil
			}
			a, err := function.BindState(typ)
			must(t, err)
			return a
		}}
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: spec}))
	r := rand.New(rand.NewPCG(4, 4))
	uniq, greatest := map[uint32]map[uint64]bool{}, map[uint32]int64{}
	for i := range 40 {
		k, x, y := r.Uint32N(5), r.Uint64N(30), r.Int64N(1000)
		if uniq[k] == nil {
			uniq[k], greatest[k] = map[uint64]bool{}, y
		}
		uniq[k][x], greatest[k] = true, max(greatest[k], y)
		st := spec.States("u").New()
		st.Grow(1)
		must(t, st.Add(nil, []column.Vector{column.NewNum(types.TUInt64, []uint64{x})}, 1))
		saved := column.NewStr(state, 1)
		st.Save(saved, 0, 1)
		must(t, m.append(entry{table: 1, rows: column.NewBlock(column.NewNum(types.TUInt32, []uint32{k}), saved, column.NewNum(types.TInt64, []int64{y}))}))
		if i%7 == 0 {
			must(t, m.s.Flush(ctx, m, 1))
		}
		if i == 30 {
			must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
		}
		checkAggregates(t, m.s, uniq, greatest)
	}
	must(t, m.s.Close())
}

func checkAggregates(t *testing.T, s *Store, uniq map[uint32]map[uint64]bool, greatest map[uint32]int64) {
	t.Helper()
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(1)
	rows, err := v.MergedBlocks(context.Background(), []int{0, 1, 2})
	must(t, err)
	defer rows.Close()
	seen := 0
	for {
		b, err := rows.Next(context.Background())
		must(t, err)
		if b == nil {
			break
		}
		for i := range b.N {
			k := column.Value(b.Cols[0], i).(uint32)
			st := v.Spec().States("u").New()
			st.Grow(1)
			must(t, st.Load([]uint32{0}, column.Flatten(b.Cols[1]).Slice(i, i+1).(*column.Str)))
			n, err := st.Finish(0, 1)
			must(t, err)
			if got, want := column.Value(n, 0), uint64(len(uniq[k])); got != want {
				t.Fatalf("key %d: %v distinct, want %d", k, got, want)
			}
			if got := column.Value(b.Cols[2], i); got != greatest[k] {
				t.Fatalf("key %d: max %v, want %d", k, got, greatest[k])
			}
			seen++
		}
	}
	if seen != len(uniq) {
		t.Fatalf("%d keys, want %d", seen, len(uniq))
	}
}

// TestTTL lets rows expire: in merges row by row, whole segments without being read.
func TestTTL(t *testing.T) {
	ctx := context.Background()
	o := testOptions(vfs.NewMem())
	clk := clock.NewManual(time.Unix(1000, 0))
	o.Clock = clk
	m := newMachine(t, o)
	spec := testSpec(1, Plain)
	spec.TTL = func(b *column.Block) ([]int64, error) {
		return column.Flatten(b.Cols[4]).(*column.Num[int64]).Data, nil
	}
	must(t, m.append(entry{create: spec}))
	m.insert(t, 1, row{key: 1, val: 2000}, row{key: 2, val: 3000})
	must(t, m.s.Flush(ctx, m, 1))
	m.insert(t, 1, row{key: 3, val: 2500}, row{key: 4, part: 1, val: 9000})
	must(t, m.s.Flush(ctx, m, 1))
	plans := func() []MergePlan {
		snap := m.s.Snapshot()
		defer snap.Close()
		return m.s.selectMerges(snap.Table(1), clk.Now())
	}
	if p := plans(); len(p) != 0 {
		t.Fatalf("plans before anything has expired: %v", p)
	}
	clk.Set(time.Unix(2600, 0))
	p := plans()
	if len(p) != 1 || !p[0].Drop {
		t.Fatalf("plans %v, want one drop", p)
	}
	must(t, m.s.merge(ctx, m, 1, p[0], 2))
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	snap := m.s.Snapshot()
	got := allRows(t, snap.Table(1))
	snap.Close()
	requireRows(t, "after TTL", []row{{key: 2, val: 3000}, {key: 4, part: 1, val: 9000}}, got)
	clk.Set(time.Unix(10000, 0))
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	snap = m.s.Snapshot()
	defer snap.Close()
	if n := snap.Table(1).Rows(); n != 0 {
		t.Fatalf("%d rows after all have expired", n)
	}
	defer m.s.Close()
}

// TestAlter reads rows of an older schema under a newer one: in the memtable, in segments, and merged.
func TestAlter(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1, text: "a"})
	must(t, m.s.Flush(ctx, m, 1))
	m.insert(t, 1, row{key: 2, text: "b"})
	wide := testSpec(1, Plain)
	wide.Columns = append(slices.Clone(testColumns[:6]), column.Field{Name: "extra", Type: types.TString})
	wide.Missing = func(want []int, have column.Schema, b *column.Block) ([]column.Vector, error) {
		if len(want) != 1 || want[0] != 6 {
			return nil, fmt.Errorf("columns %v are asked for", want)
		}
		return []column.Vector{b.Cols[have.Index("text")]}, nil
	}
	must(t, m.append(entry{create: wide}))
	b := testBlock([]row{{key: 3, text: "c"}})
	b.Cols = append(b.Cols[:6:6], column.NewStrings("given"))
	must(t, m.append(entry{table: 1, rows: b}))
	for range 2 {
		snap := m.s.Snapshot()
		rows, err := snap.Table(1).MergedBlocks(ctx, []int{1, 6})
		must(t, err)
		var got []string
		for {
			b, err := rows.Next(ctx)
			must(t, err)
			if b == nil {
				break
			}
			for i := range b.N {
				got = append(got, fmt.Sprint(column.Value(b.Cols[0], i), column.Value(b.Cols[1], i)))
			}
		}
		must(t, rows.Close())
		snap.Close()
		if want := []string{"1a", "2b", "3given"}; !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
		must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	}
	must(t, m.s.Close())
}

// TestRun writes from several goroutines while Run flushes and merges and readers check that they see whole commits. The
// race detector watches the memtable.
func TestRun(t *testing.T) {
	for _, mode := range []Mode{Plain, Replacing} {
		t.Run(mode.String(), func(t *testing.T) { testRun(t, mode) })
	}
}

func testRun(t *testing.T, mode Mode) {
	o := testOptions(vfs.NewMem())
	o.Clock, o.Workers, o.Budget = clock.Real(), 3, mem.NewBudget("total", 0)
	m := newMachine(t, o)
	for id := range 2 { // each commit puts equal rows into both tables
		spec := testSpec(catalog.TableID(id+1), mode)
		spec.Settings = Settings{FlushRows: 40, FlushAge: time.Millisecond}
		m.s.ApplyCreate(spec)
	}
	m.s.Publish(0)
	ctx, cancel := context.WithCancel(context.Background())
	var work, readers sync.WaitGroup
	work.Go(func() {
		if err := m.s.Run(ctx, m); !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	var done atomic.Bool
	for range 2 {
		readers.Go(func() {
			for !done.Load() {
				checkTwins(t, m.s)
				time.Sleep(time.Millisecond) // else readers leave little time to the work that they check
			}
		})
	}
	var rows []row
	r := rand.New(rand.NewPCG(6, 6))
	for range 120 {
		n := randomRows(r, 1+r.IntN(9))
		rows = append(rows, n...)
		m.both(t, testBlock(n))
		time.Sleep(200 * time.Microsecond)
	}
	waitFor(t, func() bool {
		snap := m.s.Snapshot()
		defer snap.Close()
		return snap.Table(1).MemtableRows() == 0 && len(snap.Table(1).Segments()) < 60 && len(m.s.Merges()) == 0
	})
	done.Store(true)
	readers.Wait()
	cancel()
	work.Wait()
	snap := m.s.Snapshot()
	for id := range 2 {
		requireRows(t, "at the end", collapsed(mode, rows), finalRows(t, snap.Table(catalog.TableID(id+1))))
	}
	snap.Close()
	must(t, m.s.Close())
	if used := o.Budget.Used(); used != 0 {
		t.Fatalf("%d bytes stay reserved", used)
	}
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("background work does not come to rest")
}

// both commits the block to both tables in one entry.
func (m *machine) both(t *testing.T, b *column.Block) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.log = append(m.log, entry{})
	index := uint64(len(m.log))
	for id := range 2 {
		must(t, m.s.ApplyRows(index, catalog.TableID(id+1), b))
	}
	m.s.Publish(index)
	m.s.Durable(index)
}

// checkTwins holds that a snapshot shows the same rows of both tables.
func checkTwins(t *testing.T, s *Store) {
	snap := s.Snapshot()
	defer snap.Close()
	a, b := finalRows(t, snap.Table(1)), finalRows(t, snap.Table(2))
	if !slices.Equal(a, b) {
		t.Errorf("at %d the tables differ: %d and %d rows", snap.Index(), len(a), len(b))
	}
	for _, m := range snap.Table(1).Memtable() {
		rowsOf(t, m.Rows)
	}
}

// TestPressure fills memtables to their limit.
func TestPressure(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.MemtableLimit, o.Budget = 4000, mem.NewBudget("total", 5000)
	m := newMachine(t, o)
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	for m.s.Pressure() < 2 { // committed rows are taken even beyond limit and budget
		m.insert(t, 1, row{key: 1, text: "0123456789"})
	}
	must(t, m.append(entry{table: 1, trunc: true}))
	if p := m.s.Pressure(); p != 0 {
		t.Fatalf("pressure %f of nothing", p)
	}
	must(t, m.s.Close())
	if used := o.Budget.Used(); used != 0 {
		t.Fatalf("%d bytes stay reserved", used)
	}
}

func TestStopMerges(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.s.StopMerges(0)
	if err := m.s.Optimize(ctx, m, 1, OptimizeOptions{}); !sqlerr.Is(err, sqlerr.Aborted) {
		t.Fatal(err)
	}
	m.s.StartMerges(0)
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{}))
	must(t, m.s.Close())
	if err := m.s.Optimize(ctx, m, 1, OptimizeOptions{}); !sqlerr.Is(err, sqlerr.Aborted) {
		t.Fatalf("OPTIMIZE of a closed store: %v", err)
	}
}

// TestBulkFails leaves nothing behind when the stream of an insert breaks.
func TestBulkFails(t *testing.T) {
	fs := vfs.NewMem()
	m := newMachine(t, testOptions(fs))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	broken, n := errors.New("broken stream"), 0
	_, err := m.s.BuildSegments(context.Background(), 1, func(context.Context) (*column.Block, error) {
		if n++; n > 5 {
			return nil, broken
		}
		return testBlock(randomRows(rand.New(rand.NewPCG(1, uint64(n))), 10)), nil
	})
	if !errors.Is(err, broken) || files1(t, fs) != 0 {
		t.Fatalf("%v, %d files", err, files1(t, fs))
	}
	must(t, m.s.Close())
}

// TestStateWhileApplying encodes a snapshot that the store has moved on from.
func TestStateWhileApplying(t *testing.T) {
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	snap := m.s.Snapshot()
	var before, after bytes.Buffer
	must(t, snap.EncodeState(&before))
	m.insert(t, 1, row{key: 2})
	must(t, snap.EncodeState(&after))
	if !bytes.Equal(before.Bytes(), after.Bytes()) {
		t.Fatal("a snapshot's state changed")
	}
	snap.Close()
	must(t, m.s.Close())
}
