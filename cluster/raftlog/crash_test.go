package raftlog

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/vfs"
)

var policies = []vfs.CrashPolicy{vfs.DropUnsynced, vfs.KeepUnsynced, vfs.TearUnsynced}

// TestModel runs long random histories with restarts in between.
func TestModel(t *testing.T) {
	for seed := range uint64(20) {
		fsys := vfs.NewMem()
		h := newHistory(4)
		for round := range uint64(6) {
			l := mustOpen(t, fsys, small)
			h.check(t, l)
			h.run(l, seed*100+round, 150)
			must(t, h.err)
			h.check(t, l)
			must(t, l.Close())
			if r := l.Recovery(); r.TornBytes != 0 {
				t.Fatalf("a clean restart was torn: %+v", r)
			}
		}
	}
}

// TestCrashEverywhere loses power at every I/O operation of a history, lets each policy decide
// about what was not synced, loses power again while the log is being opened, and looks at what
// is left. Then the log must go on.
func TestCrashEverywhere(t *testing.T) {
	const steps = 60
	whole := vfs.NewMem()
	h := newHistory(3)
	l := mustOpen(t, whole, small)
	h.run(l, 7, steps)
	must(t, h.err)
	must(t, l.Close())
	names, err := whole.List("raft")
	must(t, err)
	oldest, _ := segmentNumber(names[0])
	if oldest < 3 {
		t.Fatalf("the history is too short to rotate and remove: %v", names)
	}
	tears := uint64(6)
	if testing.Short() {
		tears = 1
	}
	states := 0
	for at := range whole.Ops() + 1 {
		m, h := crashedAt(t, at, steps)
		for _, policy := range policies {
			seeds := uint64(1)
			if policy == vfs.TearUnsynced {
				seeds = tears
			}
			for seed := range seeds {
				name := fmt.Sprintf("op %d, %v, seed %d", at, policy, seed)
				if !t.Run(name, func(t *testing.T) { reopen(t, m.Crash(policy, seed), h, policy, uint64(at)+seed) }) {
					return
				}
				states++
			}
		}
	}
	t.Logf("%d states over %d operations", states, whole.Ops())
}

func crashedAt(t *testing.T, at int64, steps int) (*vfs.Mem, history) {
	m := vfs.NewMem()
	m.CrashAt(at)
	h := newHistory(3)
	l, err := Open(m, "raft", small)
	if err != nil {
		if !errors.Is(err, vfs.ErrCrashed) {
			t.Fatal(err)
		}
		h.maybe = h.acked
		return m, h
	}
	h.run(l, 7, steps)
	_ = l.Close()
	return m, h
}

func reopen(t *testing.T, m *vfs.Mem, h history, policy vfs.CrashPolicy, seed uint64) {
	h = history{acked: append([]state(nil), h.acked...), maybe: append([]state(nil), h.maybe...)}
	m.CrashAt(int64(seed % 12))
	if l, err := Open(m, "raft", small); err == nil {
		_ = l.Close()
	} else if !errors.Is(err, vfs.ErrCrashed) {
		t.Fatal(err)
	}
	m = m.Crash(policy, seed)
	l := mustOpen(t, m, small)
	h.check(t, l)
	h.run(l, seed, 20)
	must(t, h.err)
	must(t, l.Close())
	l = mustOpen(t, m.Crash(vfs.DropUnsynced, 0), small)
	h.check(t, l)
	must(t, l.Close())
}

// TestCrashConcurrently has all groups write at once, so that batches hold several requests.
func TestCrashConcurrently(t *testing.T) {
	for seed := range uint64(40) {
		m := vfs.NewMem()
		l := mustOpen(t, m, small)
		m.CrashAt(int64(20 + seed*3))
		histories := make([]history, 4)
		var wg sync.WaitGroup
		for i := range histories {
			wg.Go(func() {
				h := newHistory(1)
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				for n := range 200 {
					st := nextStep(rng, h.acked[0], uint64(n+1))
					after := h.acked[0].clone()
					st.model(&after)
					if h.err = st.store(l.Group(uint64(i + 1))); h.err != nil {
						h.maybe = []state{after}
						break
					}
					h.acked[0] = after
					h.maybe = h.acked
				}
				histories[i] = h
			})
		}
		wg.Wait()
		_ = l.Close()
		for _, policy := range policies {
			l := mustOpen(t, m.Crash(policy, seed), small)
			for i := range histories {
				got := load(t, l.Group(uint64(i+1)), modelKeys...).String()
				if h := histories[i]; got != h.acked[0].String() && got != h.maybe[0].String() {
					t.Fatalf("seed %d, %v, group %d\n got   %v\n acked %v\n maybe %v", seed, policy, i+1, got, h.acked[0], h.maybe[0])
				}
			}
			must(t, l.Close())
		}
	}
}

// TestFaults fails one operation after the other of a history. Nothing acknowledged is lost then
// or after a restart, and once the fault is over the log goes on, unless a sync failed.
func TestFaults(t *testing.T) {
	faults := []struct {
		name  string
		kinds []vfs.OpKind
		fault vfs.Fault
	}{
		{"full disk", []vfs.OpKind{vfs.OpCreate, vfs.OpPreallocate}, vfs.Fault{Err: syscall.ENOSPC}},
		{"full disk, half a write", []vfs.OpKind{vfs.OpWrite}, vfs.Fault{Err: syscall.ENOSPC, Short: 70}},
		{"write error", []vfs.OpKind{vfs.OpWrite}, vfs.Fault{Err: syscall.EIO}},
		{"sync error", []vfs.OpKind{vfs.OpSync, vfs.OpSyncDir}, vfs.Fault{Err: syscall.EIO}},
		{"remove error", []vfs.OpKind{vfs.OpRemove}, vfs.Fault{Err: syscall.EIO}},
		{"rename error", []vfs.OpKind{vfs.OpRename}, vfs.Fault{Err: syscall.EIO}},
		{"read error", []vfs.OpKind{vfs.OpRead}, vfs.Fault{Err: syscall.EIO}},
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			hit := 0
			for from := 1; from < 120; from += 1 + from/20 {
				if faultAt(t, from, f.kinds, f.fault) {
					hit++
				}
			}
			if hit == 0 && f.kinds[0] != vfs.OpRead && f.kinds[0] != vfs.OpRemove {
				t.Error("no fault was ever seen")
			}
		})
	}
}

func faultAt(t *testing.T, from int, kinds []vfs.OpKind, fault vfs.Fault) (hit bool) {
	t.Helper()
	m := vfs.NewMem()
	rules := vfs.NewRules()
	l := mustOpen(t, vfs.WithFaults(m, rules), small)
	rules.Set(vfs.Rule{Kinds: kinds, From: from, Count: 2, Fault: fault})
	h := newHistory(3)
	for round := range uint64(10) {
		h.run(l, round, 20)
		if h.err != nil {
			hit = true
			if !errors.Is(h.err, fault.Err) {
				t.Fatalf("from %d: %v", from, h.err)
			}
			if l.Err() != nil {
				break
			}
			// Not poisoned: the failed step has not happened.
			h.maybe = h.acked
			rules.Set()
			h.check(t, l)
		}
	}
	if poisoned := l.Err(); poisoned != nil {
		if !errors.Is(poisoned, ErrPoisoned) {
			t.Fatal(poisoned)
		}
		if err := l.Group(9).SetUint64([]byte("k"), 1); !errors.Is(err, ErrPoisoned) {
			t.Fatalf("a poisoned log accepted a write: %v", err)
		}
	}
	_ = l.Close()
	l = mustOpen(t, m, small)
	h.check(t, l)
	must(t, l.Close())
	return hit
}

// TestDiskFull fills the disk: appends fail with ENOSPC and leave nothing, deletes and votes still
// work, and with space again so do appends.
func TestDiskFull(t *testing.T) {
	m := vfs.NewMem()
	opts := Options{SegmentBytes: 16 << 10}
	l := mustOpen(t, m, opts)
	m.SetCapacity(50 << 10) // three files
	g := l.Group(1)
	var err error
	index := uint64(1)
	for ; err == nil; index++ {
		err = g.StoreLog(&raft.Log{Index: index, Term: 1, Data: make([]byte, 900)})
	}
	if !vfs.IsNoSpace(err) {
		t.Fatal(err)
	}
	last, _ := g.LastIndex()
	if last != index-2 || last < 40 {
		t.Fatalf("last entry %d after entry %d failed", last, index-1)
	}
	for term := range uint64(5) {
		must(t, g.SetUint64([]byte("CurrentTerm"), term))
	}
	if u, err := m.Usage("."); err != nil || u.Free > 16<<10 {
		t.Fatalf("the disk is not full: %+v, %v", u, err)
	}
	if err := g.StoreLog(&raft.Log{Index: last + 1, Term: 2, Data: make([]byte, 900)}); !vfs.IsNoSpace(err) {
		t.Fatal(err)
	}
	must(t, g.DeleteRange(1, last-5)) // a Raft snapshot lets old files go
	must(t, g.StoreLog(&raft.Log{Index: last + 1, Term: 2, Data: make([]byte, 900)}))
	must(t, l.Close())
	l = mustOpen(t, m, opts)
	if s := load(t, l.Group(1)); s.first != last-4 || s.last() != last+1 {
		t.Errorf("entries %d to %d", s.first, s.last())
	}
	must(t, l.Close())
}

// TestWhatOpenShowsIsDurable: after a failed sync and a restart of the process only, what is read
// may be in the page cache alone. Once Open has returned, a power loss must not take it away.
func TestWhatOpenShowsIsDurable(t *testing.T) {
	for _, kind := range []vfs.OpKind{vfs.OpSync, vfs.OpSyncDir} {
		for from := 1; from < 12; from++ {
			m := vfs.NewMem()
			rules := vfs.NewRules()
			l := mustOpen(t, vfs.WithFaults(m, rules), small)
			rules.Set(vfs.Rule{Kinds: []vfs.OpKind{kind}, From: from, Fault: vfs.Fault{Err: syscall.EIO}})
			h := newHistory(3)
			h.run(l, 7, 60)
			_ = l.Close()
			l = mustOpen(t, m, small)
			h.check(t, l)
			h.run(l, 1, 2)
			must(t, h.err)
			_ = l.Close()
			l = mustOpen(t, m.Crash(vfs.DropUnsynced, 0), small)
			h.check(t, l)
			must(t, l.Close())

			l = mustOpen(t, m.Crash(vfs.KeepUnsynced, 0), small)
			h.check(t, l)
			must(t, l.Close())
		}
	}
	m := vfs.NewMem()
	rules := vfs.NewRules()
	l := mustOpen(t, vfs.WithFaults(m, rules), small)
	rules.Set(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpSync}, Fault: vfs.Fault{Err: syscall.EIO}})
	if err := l.Group(1).StoreLogs(entries(1, 3, 1, "unknown")); !errors.Is(err, ErrPoisoned) {
		t.Fatal(err)
	}
	_ = l.Close()
	l = mustOpen(t, m, small)
	shown := load(t, l.Group(1)).String()
	_ = l.Close()
	l = mustOpen(t, m.Crash(vfs.DropUnsynced, 0), small)
	if got := load(t, l.Group(1)).String(); got != shown {
		t.Errorf("shown %s, left %s", shown, got)
	}
	must(t, l.Close())
}

// TestTornTailIsCut: what is left of an unfinished batch must not be taken for a part of a later
// batch of the same number and shape.
func TestTornTailIsCut(t *testing.T) {
	m := vfs.NewMem()
	l := mustOpen(t, m, small)
	must(t, l.Group(1).StoreLogs(entries(1, 1, 1, "whole")))
	end := l.newest().end
	must(t, l.Group(1).StoreLogs(entries(2, 4, 1, "torn")))
	must(t, l.Close())
	f, err := m.OpenReadWrite(segmentName("raft", 1))
	must(t, err)
	flip(t, f, end)
	must(t, f.Close())

	l = mustOpen(t, m, small)
	if r := l.Recovery(); r.TornBytes == 0 || r.TornReason == "" || r.Entries != 1 {
		t.Errorf("recovery %+v", r)
	}
	must(t, l.Close())
	data, err := vfs.ReadFile(m, segmentName("raft", 1))
	must(t, err)
	if len(data) != minSegmentBytes || !isZero(data[end:]) {
		t.Errorf("%d bytes, the torn ones are still there", len(data))
	}
}

// TestFailedWriteGivesUpTheFile: half a batch may be left where a write failed, so nothing is
// written there again.
func TestFailedWriteGivesUpTheFile(t *testing.T) {
	m := vfs.NewMem()
	rules := vfs.NewRules()
	l := mustOpen(t, vfs.WithFaults(m, rules), small)
	g := l.Group(1)
	must(t, g.StoreLogs(entries(1, 2, 1, "a")))
	rules.Set(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpWrite}, Count: 1, Fault: vfs.Fault{Err: syscall.EIO, Short: 100}})
	if err := g.StoreLogs(entries(3, 4, 1, "b")); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	must(t, g.StoreLogs(entries(3, 3, 1, "c")))
	want := load(t, g).String()
	if newest := l.newest().number; newest != 2 {
		t.Errorf("file %d is written after a failed write to file 1", newest)
	}
	must(t, l.Close())
	l = mustOpen(t, m.Crash(vfs.DropUnsynced, 0), small)
	if got := load(t, l.Group(1)).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	must(t, l.Close())
}
