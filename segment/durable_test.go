package segment

import (
	"errors"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/vfs"
)

// tryWrite writes the small table and reports whether Finish said that it is durable.
func tryWrite(tab *table, fs vfs.FS) (*Writer, error) {
	o := smallOptions()
	o.Schema = tab.schema
	w, err := NewWriter(fs, "/d/s", o)
	if err != nil {
		return nil, err
	}
	if err := w.Append(tab.block); err != nil {
		return w, err
	}
	_, err = w.Finish(ctx)
	return w, err
}

func smallTable(t testing.TB) *table {
	r := rand.New(rand.NewPCG(4, 4))
	return randomTable(t, r, []string{"Int32", "String", "LowCardinality(Nullable(String))", "Array(UInt16)", "Nullable(Float64)", "UUID"}, 60, "c0", "c1")
}

func newDir(t testing.TB) *vfs.Mem {
	fs := vfs.NewMem()
	if err := errors.Join(fs.MkdirAll("/d"), fs.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestCrashAtEveryOperation loses power at each I/O operation of a write: what Finish acknowledged is there whole, what it
// did not is whole or known to be broken.
func TestCrashAtEveryOperation(t *testing.T) {
	tab := smallTable(t)
	acknowledged := 0
	for op := int64(1); ; op++ {
		fs := newDir(t)
		before := fs.Ops()
		fs.CrashAt(before + op)
		_, err := tryWrite(tab, fs)
		done := err == nil
		for _, policy := range []vfs.CrashPolicy{vfs.DropUnsynced, vfs.KeepUnsynced, vfs.TearUnsynced} {
			for seed := range uint64(3) {
				after := fs.Crash(policy, seed)
				rd, err := Open(after, "/d/s", nil)
				if err == nil {
					err = rd.Verify(ctx)
					rd.Release()
				}
				if done && err != nil {
					t.Fatalf("crash at operation %d, %s: an acknowledged segment is lost: %v", op, policy, err)
				}
			}
		}
		if done {
			acknowledged++
		}
		if !fs.Crashed() {
			break
		}
	}
	if acknowledged == 0 {
		t.Error("no run was acknowledged")
	}
}

// TestFaults fails each write and sync in turn.
func TestFaults(t *testing.T) {
	tab := smallTable(t)
	for _, fault := range []vfs.Rule{
		{Kinds: []vfs.OpKind{vfs.OpCreate}, Fault: vfs.Fault{Err: syscall.EIO}}, {Kinds: []vfs.OpKind{vfs.OpWrite}, Fault: vfs.Fault{Err: syscall.ENOSPC}},
		{Kinds: []vfs.OpKind{vfs.OpSync}, Fault: vfs.Fault{Err: syscall.EIO}}, {Kinds: []vfs.OpKind{vfs.OpSyncDir}, Fault: vfs.Fault{Err: syscall.EIO}},
	} {
		mem := newDir(t)
		w, err := tryWrite(tab, vfs.WithFaults(mem, vfs.NewRules(fault)))
		if !errors.Is(err, fault.Fault.Err) {
			t.Errorf("%v: %v", fault, err)
		}
		if w != nil {
			if err := w.Abort(); err != nil {
				t.Errorf("%v: abort: %v", fault, err)
			}
		}
		if fault.Kinds[0] == vfs.OpSyncDir { // closed and complete, but of unknown durability: the owner removes it
			continue
		}
		if _, err := mem.Stat("/d/s"); !vfs.IsNotExist(err) {
			t.Errorf("%v: the file stays: %v", fault, err)
		}
	}
}

// TestReadErrors: an error of the disk is that error, not an answer.
func TestReadErrors(t *testing.T) {
	tab, mem := smallTable(t), newDir(t)
	if _, err := tryWrite(tab, mem); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < 60; n++ {
		fs := vfs.WithFaults(mem, vfs.NewRules(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpRead}, From: n, Fault: vfs.Fault{Err: syscall.EIO}}))
		if _, err := useAll(fs, "/d/s", tab.block.N); err != nil && !errors.Is(err, syscall.EIO) {
			t.Fatalf("read %d fails: %v", n, err)
		} else if err == nil && n < 10 {
			t.Fatalf("read %d fails unnoticed", n)
		}
	}
}

// TestWideRows: rows of many bytes end pages early and come back.
func TestWideRows(t *testing.T) {
	r, fs := rand.New(rand.NewPCG(1, 1)), vfs.NewMem()
	typ := mustType(t, "String")
	big := column.NewStr(typ, 0)
	for i := range 20 {
		big.Append(make([]byte, 300<<10+i))
	}
	tab := &table{schema: column.Schema{{Name: "s", Type: typ}}, block: column.NewBlock(big)}
	write(t, r, tab, Options{Granularity: 4, pageBytes: 2 << 20}, fs, "/s")
	rd := open(t, fs, "/s", nil)
	if rd.Pages() < 2 || rd.Granules() != 5 {
		t.Fatalf("%d pages, %d granules", rd.Pages(), rd.Granules())
	}
	for _, rows := range []RowRange{{0, 20}, {6, 9}, {19, 20}} {
		v, err := rd.ReadColumn(ctx, 0, rows.From, rows.To)
		if err != nil {
			t.Fatal(err)
		}
		s := column.Flatten(v).(*column.Str)
		for i := range s.Len() {
			if want := 300<<10 + rows.From + i; len(s.At(i)) != want {
				t.Fatalf("row %d has %d bytes, want %d", rows.From+i, len(s.At(i)), want)
			}
		}
	}
}
