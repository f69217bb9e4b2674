package mergetree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// follower applies a leader's log over a disk of its own; files come when the test says so.
type follower struct {
	s       *Store
	fs      *vfs.Mem
	log     []entry // applied, since base
	base    []byte  // state before it
	applied uint64
	specs   []*Spec
}

func followerOptions(fs vfs.FS) Options {
	o := testOptions(fs)
	o.NewID = randomID
	return o
}

func newFollower(t testing.TB) *follower {
	t.Helper()
	f := &follower{fs: vfs.NewMem()}
	f.open(t)
	return f
}

func (f *follower) open(t testing.TB) {
	t.Helper()
	var err error
	f.s, err = Open(followerOptions(f.fs))
	must(t, err)
	if f.base != nil {
		must(t, f.s.DecodeState(bytes.NewReader(f.base)))
		for _, spec := range f.specs {
			f.s.ApplyCreate(spec)
		}
	}
}

// follow applies what the leader has committed since, as one batch.
func (f *follower) follow(log []entry) {
	for ; f.applied < uint64(len(log)); f.applied++ {
		e := log[f.applied]
		_ = applyEntry(f.s, f.applied+1, e)
		f.log = append(f.log, e)
	}
	f.s.Publish(f.applied)
	f.s.Durable(f.applied)
}

// restart loses power and replays the log.
func (f *follower) restart(t testing.TB, seed uint64) {
	t.Helper()
	_ = f.s.Close()
	f.fs = f.fs.Crash(vfs.TearUnsynced, seed)
	log := f.log
	f.open(t)
	for i, e := range log {
		_ = applyEntry(f.s, f.applied-uint64(len(log))+uint64(i)+1, e)
	}
	f.s.Publish(f.applied)
	f.s.Durable(f.applied)
}

// install replaces the follower's state by the leader's, which is behind all of the log.
func (f *follower) install(t testing.TB, from *Store, log []entry, specs ...*Spec) {
	t.Helper()
	snap := from.Snapshot()
	defer snap.Close()
	var buf bytes.Buffer
	must(t, snap.EncodeState(&buf))
	f.base, f.log, f.specs, f.applied = buf.Bytes(), nil, specs, uint64(len(log))
	must(t, f.s.DecodeState(bytes.NewReader(f.base)))
	for _, spec := range specs {
		f.s.ApplyCreate(spec)
	}
	f.s.Publish(f.applied)
	f.s.Durable(f.applied)
}

// fetch copies a segment's file from another store, in pieces of n bytes; it may stop half way.
func fetch(to, from *Store, seg Segment, n int, stop bool) error {
	ctx := context.Background()
	in, err := to.Receive(ctx, seg)
	if in == nil || err != nil {
		return err
	}
	file, err := from.OpenFile(seg.ID)
	if err != nil {
		return errors.Join(err, in.Close(false))
	}
	defer file.Close()
	for buf := make([]byte, n); !in.Complete(); {
		k, err := file.ReadAt(buf, in.Offset())
		if err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, in.Close(true))
		}
		if err := in.Append(buf[:k]); err != nil {
			return errors.Join(err, in.Close(true))
		}
		if stop {
			return in.Close(true)
		}
	}
	return in.Finish(ctx, 1)
}

// torn reports whether a piece was not what it should be: a power loss had left it so.
func torn(err error) bool {
	return sqlerr.Is(err, sqlerr.ChecksumDoesntMatch) || sqlerr.Is(err, sqlerr.CorruptedData)
}

// TestReplica runs random operations at a leader and compares what a follower shows that gets the files late, in any order, some
// never: the leader's rows at the same index, or an error.
func TestReplica(t *testing.T) {
	shown, hiding, unready := 0, 0, 0
	for _, mode := range []Mode{Plain, Replacing, Summing} {
		for seed := range uint64(4) {
			a, b, c := replicaModel(t, mode, seed)
			shown, hiding, unready = shown+a, hiding+b, unready+c
		}
	}
	t.Logf("%d views compared, %d of them with inputs in place of missing segments; %d could not be read", shown, hiding, unready)
	if hiding < 50 || unready < 20 || shown < 2*unready {
		t.Error("the test does not see enough")
	}
}

func replicaModel(t *testing.T, mode Mode, seed uint64) (shown, hiding, unready int) {
	ctx, r := context.Background(), rand.New(rand.NewPCG(seed, uint64(mode)))
	m := newMachine(t, testOptions(vfs.NewMem()))
	spec := testSpec(1, mode)
	must(t, m.append(entry{create: spec}))
	f := newFollower(t)
	var rows []row
	for step := range 120 {
		what := fmt.Sprintf("%s seed %d step %d", mode, seed, step)
		switch op := r.IntN(24); {
		case op < 7:
			n := randomRows(r, 1+r.IntN(12))
			m.insert(t, 1, n...)
			rows = append(rows, n...)
		case op < 10:
			must(t, m.s.Flush(ctx, m, 1))
		case op == 10 && r.IntN(3) == 0:
			n := randomRows(r, r.IntN(30))
			must(t, m.bulk(t, n))
			rows = append(rows, n...)
		case op < 14:
			mergeOnce(t, m, r)
		case op == 14 && r.IntN(4) == 0:
			must(t, m.append(entry{table: 1, trunc: true}))
			rows = nil
		case op == 15 && r.IntN(4) == 0:
			part := uint32(r.IntN(3))
			must(t, m.s.DropPartition(ctx, m, 1, fmt.Sprint(part)))
			rows = slices.DeleteFunc(rows, func(x row) bool { return x.part == part })
		case op == 16 && r.IntN(3) == 0:
			f.restart(t, seed)
		case op == 17 && r.IntN(4) == 0:
			f.install(t, m.s, m.log, spec)
		default:
			absent := f.s.Absent()
			for range min(len(absent), 1+r.IntN(3)) {
				err := fetch(f.s, m.s, absent[r.IntN(len(absent))], 1+r.IntN(200), r.IntN(5) == 0)
				if err != nil && !errors.Is(err, ErrMissingSegment) && !torn(err) { // the leader has merged it away meanwhile
					t.Fatalf("%s: %v", what, err)
				}
			}
		}
		if f.follow(m.log); f.check(t, what, mode, rows) {
			shown++
			if snap := f.s.Snapshot(); len(f.s.tables[1].hiding) > 0 {
				hiding++
				snap.Close()
			} else {
				snap.Close()
			}
		} else {
			unready++
		}
	}
	for _, seg := range f.s.Absent() {
		err := fetch(f.s, m.s, seg, 1000, false)
		if torn(err) {
			err = fetch(f.s, m.s, seg, 1000, false)
		}
		must(t, err)
	}
	must(t, f.s.AwaitReady(ctx, 1))
	if !f.check(t, "in the end", mode, rows) || len(f.s.tables[1].held) > 0 {
		t.Fatalf("%s seed %d: %d edits are held in the end", mode, seed, len(f.s.tables[1].held))
	}
	_, err := f.s.CleanOrphans(ctx, 2)
	must(t, err)
	f.checkFiles(t)
	must(t, f.s.Close())
	must(t, m.s.Close())
	return shown, hiding, unready
}

// check compares the follower's view with the model; false if it cannot be read, and says so.
func (f *follower) check(t *testing.T, what string, mode Mode, rows []row) bool {
	t.Helper()
	snap := f.s.Snapshot()
	ready := snap.Table(1).Ready()
	if f.s.Lacking() != (ready != nil) {
		t.Fatalf("%s: lacking %v, the only table says %v", what, f.s.Lacking(), ready)
	}
	if ready != nil {
		_, err := snap.Table(1).MergedBlocks(context.Background(), []int{0})
		if !errors.Is(err, ErrMissingSegment) || sqlerr.CodeOf(err) != sqlerr.NoFileInDataPart {
			t.Fatalf("%s: reading a table that is not ready (%v): %v", what, ready, err)
		}
	}
	snap.Close()
	if ready == nil {
		checkModel(t, what, f.s, mode, rows)
	}
	return ready == nil
}

// checkFiles holds that the directory has the live segments' files and no others.
func (f *follower) checkFiles(t *testing.T) {
	t.Helper()
	var want []string
	for _, x := range f.s.tables[1].segs {
		want = append(want, x.seg.ID+fileSuffix)
	}
	slices.Sort(want)
	names, err := f.fs.List("data")
	must(t, err)
	if !slices.Equal(names, want) {
		t.Fatalf("files %v, want %v", names, want)
	}
}

// TestMissingIsNeedless: a flush of two partitions is missing, its merges are here: views go over to them in one step, and
// what was missing is not wanted any more.
func TestMissingIsNeedless(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	f := newFollower(t)
	var rows []row
	for i := range uint32(2) {
		n := []row{{part: 0, key: 3 * i}, {part: 1, key: 3*i + 1}}
		m.insert(t, 1, n...)
		must(t, m.s.Flush(ctx, m, 1))
		rows = append(rows, n...)
	}
	f.follow(m.log)
	if len(f.s.Absent()) != 4 {
		t.Fatalf("absent %v", f.s.Absent())
	}
	old := m.s.Snapshot() // keeps the inputs
	must(t, m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true}))
	f.follow(m.log)
	absent := f.s.Absent()
	if len(absent) != 2 {
		t.Fatalf("absent %v", absent)
	}
	for i, seg := range absent {
		f.check(t, "before", Plain, rows)
		if held := len(f.s.tables[1].hiding); held != 4 {
			t.Fatalf("%d edits are hidden before file %d", held, i)
		}
		must(t, fetch(f.s, m.s, seg, 100, false))
	}
	if f.check(t, "after", Plain, rows); len(f.s.tables[1].held) > 0 || len(f.s.Absent()) > 0 {
		t.Fatalf("held %v, absent %v", f.s.tables[1].held, f.s.Absent())
	}
	old.Close()
	must(t, f.s.Close())
	must(t, m.s.Close())
}

// TestHeldRowsAreBounded: rows kept for want of their segments are let go of before memory runs out; the table cannot be read
// then, and can once the files are there.
func TestHeldRowsAreBounded(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	f := &follower{fs: vfs.NewMem()}
	o := followerOptions(f.fs)
	o.MemtableLimit = 6 << 10
	var err error
	f.s, err = Open(o)
	must(t, err)
	var rows []row
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		n := randomRows(r, 5)
		m.insert(t, 1, n...)
		rows = append(rows, n...)
		must(t, m.s.Flush(ctx, m, 1))
		f.follow(m.log)
		if p := f.s.Pressure(); p > 1 {
			t.Fatalf("pressure %f", p)
		}
	}
	if f.check(t, "without files", Plain, rows) {
		t.Fatal("all rows are still held")
	}
	for _, seg := range f.s.Absent() {
		must(t, fetch(f.s, m.s, seg, 1000, false))
	}
	if !f.check(t, "with all files", Plain, rows) {
		t.Fatal("the table is not ready")
	}
	must(t, f.s.Close())
	must(t, m.s.Close())
}

// TestReceiveDamage: what comes is checked before it is shown; the next attempt begins anew.
func TestReceiveDamage(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	must(t, m.s.Flush(ctx, m, 1))
	f := newFollower(t)
	f.install(t, m.s, m.log, testSpec(1, Plain))
	seg := f.s.Absent()[0]
	in, err := f.s.Receive(ctx, seg)
	must(t, err)
	must(t, in.Append(make([]byte, seg.Bytes)))
	if err := in.Append([]byte{1}); sqlerr.CodeOf(err) != sqlerr.CorruptedData {
		t.Fatalf("a byte too many: %v", err)
	}
	if err := in.Finish(ctx, 1); sqlerr.CodeOf(err) != sqlerr.CorruptedData {
		t.Fatalf("zeros: %v", err)
	}
	if f.check(t, "damaged", Plain, []row{{key: 1}}) {
		t.Fatal("the table is ready")
	}
	must(t, fetch(f.s, m.s, seg, 64, false))
	if !f.check(t, "whole", Plain, []row{{key: 1}}) {
		t.Fatal("the table is not ready")
	}
	must(t, f.s.Close())
	must(t, m.s.Close())
}

// TestReceiveAfterAnEndedOne: a transfer that ends before it begins does not keep others waiting for it.
func TestReceiveAfterAnEndedOne(t *testing.T) {
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	must(t, m.s.Flush(context.Background(), m, 1))
	f := newFollower(t)
	f.install(t, m.s, m.log, testSpec(1, Plain))
	seg := f.s.Absent()[0]
	ended, end := context.WithCancel(context.Background())
	end()
	if in, err := f.s.Receive(ended, seg); in != nil || !errors.Is(err, context.Canceled) {
		t.Fatalf("a transfer that has ended: %v, %v", in, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	in, err := f.s.Receive(ctx, seg)
	if err != nil || in == nil {
		t.Fatalf("the next one: %v, %v", in, err)
	}
	must(t, in.Close(false))
	must(t, f.s.Close())
	must(t, m.s.Close())
}

// TestOrphansFollowTheLog: staged files go only in a later term than they were staged in, whatever restarts come between.
func TestOrphansFollowTheLog(t *testing.T) {
	ctx := context.Background()
	m := newMachine(t, testOptions(vfs.NewMem()))
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	must(t, m.s.Flush(ctx, m, 1))
	f := newFollower(t)
	snap := m.s.Snapshot()
	seg := snap.Table(1).refs()[0]
	snap.Close()
	must(t, fetch(f.s, m.s, seg, 64, false))
	if !f.s.Staged([]Segment{seg}, 7) {
		t.Fatal("the staged segment is not here")
	}
	clean := func(term uint64, want int) {
		t.Helper()
		if n, err := f.s.CleanOrphans(ctx, term); n != want || err != nil {
			t.Fatalf("term %d: %d deleted, %v", term, n, err)
		}
	}
	clean(7, 0)
	f.restart(t, 1)
	f.s.Found(9) // the last term that the log knew of
	clean(9, 0)
	clean(10, 1)
	if f.s.Staged([]Segment{seg}, 10) {
		t.Fatal("the deleted segment is here")
	}
	must(t, f.s.Close())
	must(t, m.s.Close())
}
