package mergetree

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/vfs"
)

// flip changes a bit in the middle of a file, as a bad disk does.
func flip(t testing.TB, fs vfs.FS, name string) {
	t.Helper()
	f, err := fs.OpenReadWrite(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, size/2)
	must(t, err)
	b[0] ^= 4
	_, err = f.WriteAt(b, size/2)
	must(t, errors.Join(err, f.Close()))
}

// TestScrub finds damage; a store alone goes on with what is whole, a replica sets the file aside and gets another.
func TestScrub(t *testing.T) {
	ctx := context.Background()
	lead := newMachine(t, testOptions(vfs.NewMem()))
	must(t, lead.append(entry{create: testSpec(1, Plain)}))
	f := newFollower(t)
	rows := []row{{key: 1}, {key: 2}, {key: 3}}
	for _, r := range rows {
		lead.insert(t, 1, r)
		must(t, lead.s.Flush(ctx, lead, 1))
	}
	f.follow(lead.log)
	for _, seg := range f.s.Absent() {
		must(t, fetch(f.s, lead.s, seg, 100, false))
	}
	scrub := func(want int, o ScrubOptions) {
		t.Helper()
		found, err := f.s.Scrub(ctx, o)
		if err != nil || len(found) != want || len(f.s.Damaged()) != want {
			t.Fatalf("found %v, %v; damaged %v", found, err, f.s.Damaged())
		}
		for _, d := range found {
			if d.Table != 1 || d.Segment.ID != "s0002" || !sqlerr.Is(d.Err, sqlerr.ChecksumDoesntMatch) && !sqlerr.Is(d.Err, sqlerr.CorruptedData) {
				t.Fatalf("damage %+v", d)
			}
		}
	}
	scrub(0, ScrubOptions{SetAside: true})
	flip(t, f.fs, "data/s0002.seg")
	scrub(1, ScrubOptions{})
	if len(f.s.Absent()) > 0 {
		t.Fatal("a store alone set a file aside")
	}
	scrub(1, ScrubOptions{SetAside: true})
	if f.check(t, "set aside", Plain, rows) {
		t.Fatal("the table is ready without a segment")
	}
	select {
	case <-f.s.Wanted():
	default:
		t.Fatal("nobody is told that a file is missing")
	}
	f.restart(t, 1)
	if absent := f.s.Absent(); len(absent) != 1 {
		t.Fatalf("absent %v", absent)
	}
	must(t, fetch(f.s, lead.s, f.s.Absent()[0], 100, false))
	if !f.check(t, "repaired", Plain, rows) {
		t.Fatal("the table is not ready")
	}
	scrub(0, ScrubOptions{SetAside: true})
	_, err := f.s.CleanOrphans(ctx, 1)
	must(t, err)
	f.checkFiles(t)
	must(t, f.s.Close())
	must(t, lead.s.Close())
}

// TestScrubIsPaced: it takes the time that its rate says.
func TestScrubIsPaced(t *testing.T) {
	ctx := context.Background()
	clk := clock.NewManual(time.Unix(1_700_000_000, 0))
	o := testOptions(vfs.NewMem())
	o.Clock = clk
	m := newMachine(t, o)
	must(t, m.append(entry{create: testSpec(1, Plain)}))
	m.insert(t, 1, row{key: 1})
	must(t, m.s.Flush(ctx, m, 1))
	end := make(chan error, 1)
	go func() {
		_, err := m.s.Scrub(ctx, ScrubOptions{Rate: 1})
		end <- err
	}()
	must(t, clk.WaitPending(ctx, 1))
	select {
	case err := <-end:
		t.Fatalf("at a byte a second it has ended: %v", err)
	default:
	}
	clk.Advance(24 * time.Hour)
	must(t, <-end)
	must(t, m.s.Close())
}
