package mergetree

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/olapd/olapd/internal/vfs"
)

// crashScenario flushes, bulk-inserts and merges until done or until the machine loses power.
func crashScenario(m *machine) error {
	ctx, r := context.Background(), rand.New(rand.NewPCG(7, 7))
	for i := range 4 {
		if err := m.append(entry{table: 1, rows: testBlock(randomRows(r, 5))}); err != nil {
			return err
		}
		if err := m.s.Flush(ctx, m, 1); err != nil {
			return err
		}
		if i == 1 {
			if err := m.bulk(nil, randomRows(r, 9)); err != nil {
				return err
			}
		}
	}
	if err := m.append(entry{table: 1, rows: testBlock(randomRows(r, 3))}); err != nil {
		return err
	}
	return m.s.Optimize(ctx, m, 1, OptimizeOptions{Final: true})
}

// TestCrashAtEveryOperation loses power at each I/O operation. The log, which is another file's business, survives; after a
// replay every row is there, every file is named by the state, and work goes on.
func TestCrashAtEveryOperation(t *testing.T) {
	for op := int64(0); ; op++ {
		fs := vfs.NewMem()
		m := newMachine(t, testOptions(fs))
		must(t, m.append(entry{create: testSpec(1, Replacing)}))
		fs.CrashAt(op)
		err := crashScenario(m)
		_ = m.s.Close()
		if (err == nil) == fs.Crashed() && err != nil {
			t.Fatalf("operation %d: %v without a crash", op, err)
		}
		for _, policy := range []vfs.CrashPolicy{vfs.DropUnsynced, vfs.KeepUnsynced, vfs.TearUnsynced} {
			checkAfterCrash(t, fmt.Sprintf("crash at operation %d, %s", op, policy), m.log, fs.Crash(policy, uint64(op)))
		}
		if !fs.Crashed() {
			if op < 100 {
				t.Fatalf("the scenario has only %d operations", op)
			}
			return
		}
		if testing.Short() {
			op += 6
		}
	}
}

func checkAfterCrash(t *testing.T, what string, log []entry, fs *vfs.Mem) {
	t.Helper()
	o := testOptions(fs)
	o.NewID = randomID
	m := &machine{s: replay(t, log, o), log: slices.Clone(log)}
	var rows []row
	for _, e := range log {
		if e.rows != nil {
			rows = append(rows, rowsOf(t, e.rows)...)
		}
	}
	if _, err := m.s.CleanOrphans(context.Background(), 1); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	snap := m.s.Snapshot()
	v := snap.Table(1)
	named := map[string]bool{}
	bulk := false
	for _, seg := range v.refs() {
		named[seg.ID+fileSuffix] = true
	}
	for _, e := range log {
		bulk = bulk || e.edit != nil && e.edit.Cause == CauseInsert
	}
	names, err := fs.List("data")
	must(t, err)
	if len(names) != len(named) {
		t.Fatalf("%s: files %v, the state names %v", what, names, named)
	}
	if bulk { // its rows are in no log entry: the same generator makes them again, in order
		rows = scenarioRows(rows)
	}
	requireRows(t, what, collapsed(Replacing, rows), finalRows(t, v))
	snap.Close()
	if len(log)%4 == 0 {
		must(t, m.s.Optimize(context.Background(), m, 1, OptimizeOptions{Final: true}))
	}
	must(t, m.s.Close())
}

// scenarioRows puts the bulk insert's rows where they were committed: behind the second entry of five.
func scenarioRows(logged []row) []row {
	r := rand.New(rand.NewPCG(7, 7))
	randomRows(r, 5)
	randomRows(r, 5)
	return slices.Concat(logged[:10], randomRows(r, 9), logged[10:])
}

// TestFaults fails single operations: the work reports it, nothing is lost, and the next attempt succeeds.
func TestFaults(t *testing.T) {
	eio := vfs.Fault{Err: syscall.EIO}
	for name, rule := range map[string]vfs.Rule{
		"create":  {Kinds: []vfs.OpKind{vfs.OpCreate}, From: 2, Fault: eio},
		"write":   {Kinds: []vfs.OpKind{vfs.OpWrite}, From: 2, Fault: vfs.Fault{Err: syscall.ENOSPC, Short: 3}},
		"sync":    {Kinds: []vfs.OpKind{vfs.OpSync}, From: 2, Fault: eio},
		"syncdir": {Kinds: []vfs.OpKind{vfs.OpSyncDir}, From: 3, Fault: eio},
	} {
		t.Run(name, func(t *testing.T) {
			rules := vfs.NewRules()
			mem := vfs.NewMem()
			m := newMachine(t, testOptions(vfs.WithFaults(mem, rules)))
			must(t, m.append(entry{create: testSpec(1, Plain)}))
			rows := randomRows(rand.New(rand.NewPCG(1, 1)), 30)
			m.insert(t, 1, rows...)
			rules.Set(rule)
			err := m.s.Flush(context.Background(), m, 1)
			if err == nil {
				t.Fatal("the fault went unseen")
			}
			rules.Set()
			names, err := mem.List("data")
			must(t, err)
			if len(names) > 0 {
				t.Fatalf("files %s are left", strings.Join(names, ", "))
			}
			must(t, m.s.Flush(context.Background(), m, 1))
			snap := m.s.Snapshot()
			requireRows(t, "after the fault", collapsed(Plain, rows), allRows(t, snap.Table(1)))
			snap.Close()
			must(t, m.s.Close())
		})
	}
}
