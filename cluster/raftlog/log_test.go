package raftlog

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/internal/vfs"
)

func entries(first, last, term uint64, data string) []*raft.Log {
	var out []*raft.Log
	for i := first; i <= last; i++ {
		out = append(out, &raft.Log{Index: i, Term: term, Data: []byte(data)})
	}
	return out
}

// TestScript runs testdata/store: what each operation does to what a group holds.
func TestScript(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	defer func() { must(t, l.Close()) }()
	datadriven.RunTest(t, "testdata/store", func(t *testing.T, d *datadriven.TestData) string {
		var id, first, last, term uint64 = 1, 0, 0, 1
		var data, key, value string
		d.MaybeScanArgs(t, "group", &id)
		d.MaybeScanArgs(t, "first", &first)
		d.MaybeScanArgs(t, "last", &last)
		d.MaybeScanArgs(t, "term", &term)
		d.MaybeScanArgs(t, "data", &data)
		d.MaybeScanArgs(t, "key", &key)
		d.MaybeScanArgs(t, "value", &value)
		g := l.Group(id)
		var err error
		switch d.Cmd {
		case "store":
			err = g.StoreLogs(entries(first, last, term, data))
		case "delete":
			err = g.DeleteRange(first, last)
		case "set":
			err = g.Set([]byte(key), []byte(value))
		case "drop":
			err = g.Drop()
		case "get":
			err = g.GetLog(first, new(raft.Log))
		case "restart":
			must(t, l.Close())
			l = mustOpen(t, fsys, small)
		}
		if err != nil {
			return fmt.Sprintf("error: %v\n", err)
		}
		var b strings.Builder
		for _, g := range []*GroupStore{l.Group(1), l.Group(2)} {
			s := load(t, g, "term", "vote")
			fmt.Fprintf(&b, "%d: [%d, %d]", g.ID(), s.first, s.first+uint64(len(s.entries))-min(1, uint64(len(s.entries))))
			for i, e := range s.entries {
				term, _, _ := strings.Cut(e, "/")
				fmt.Fprintf(&b, " %d@%s", s.first+uint64(i), term)
			}
			fmt.Fprintf(&b, " %v\n", s.keys)
		}
		return b.String()
	})
}

// TestGolden holds the bytes of a file of every kind of record. A change of the format adds a
// file of this kind under a new version; it does not change this one.
func TestGolden(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	datadriven.RunTest(t, "testdata/format", func(t *testing.T, d *datadriven.TestData) string {
		g, other := l.Group(1), l.Group(1<<40)
		switch d.Cmd {
		case "write":
			must(t, g.StoreLogs([]*raft.Log{
				{Index: 5, Term: 2, Type: raft.LogCommand, Data: []byte("data"), Extensions: []byte("ext"), AppendedAt: time.Unix(1, 2)},
				{Index: 6, Term: 3, Type: raft.LogNoop},
			}))
			must(t, g.DeleteRange(6, 6))
			must(t, g.SetUint64([]byte("CurrentTerm"), 3))
			must(t, other.StoreLog(&raft.Log{Index: 1, Term: 1, Data: make([]byte, 900)}))
			must(t, other.Drop())
		case "rotate": // begins file 2 and moves entry 5 to it
			must(t, other.StoreLog(&raft.Log{Index: 1, Term: 1, Data: make([]byte, 900)}))
		}
		must(t, l.Close()) // so that upkeep is over
		l = mustOpen(t, fsys, small)
		var b strings.Builder
		names, err := fsys.List("raft")
		must(t, err)
		for _, name := range names {
			data, err := vfs.ReadFile(fsys, "raft/"+name)
			must(t, err)
			if _, ok := segmentNumber(name); !ok {
				fmt.Fprintf(&b, "%s: %d bytes\n", name, len(data))
				continue
			}
			fmt.Fprintf(&b, "%s: %d bytes\n", name, len(data))
			describe(&b, data)
		}
		return b.String()
	})
	must(t, l.Close())
}

// describe writes a file field by field.
func describe(b *strings.Builder, data []byte) {
	h, err := decodeHeader(data)
	fmt.Fprintf(b, "  header   %x\n           number %d, previous end %d, first batch %d, %v\n", data[:fileHeader], h.number, h.prevEnd, h.firstBatch, err)
	for at := fileHeader; ; {
		r, err := decodeRecord(data[at:])
		if err != nil {
			fmt.Fprintf(b, "  %7d  %v\n", at, err)
			return
		}
		fmt.Fprintf(b, "  %7d  %x\n           batch %d, group %d, kind %d, last %v\n", at, data[at:at+recordHeader], r.batch, r.group, r.kind, r.last)
		payload := r.payload
		more := ""
		if len(payload) > 64 {
			payload, more = payload[:64], "…"
		}
		fmt.Fprintf(b, "           %x%s\n", payload, more)
		at += r.size
	}
}

// TestEveryDamagedByte flips every byte of a log of several files. Each flip is noticed by Open,
// or is in unused space, or in the last batch, which then is not there.
func TestEveryDamagedByte(t *testing.T) {
	fsys := vfs.NewMem()
	h := newHistory(3)
	l := mustOpen(t, fsys, small)
	h.run(l, 3, 40)
	must(t, h.err)
	must(t, l.Close())
	clean := mustOpen(t, fsys, small)
	newest, end, batch := clean.newest().number, clean.newest().end, clean.w.batch
	must(t, clean.Close())
	names, err := fsys.List("raft")
	must(t, err)
	for _, name := range names {
		number, ok := segmentNumber(name)
		if !ok {
			continue
		}
		size := int64(minSegmentBytes)
		for off := range size {
			m := fsys.Crash(vfs.KeepUnsynced, 0)
			f, err := m.OpenReadWrite("raft/" + name)
			must(t, err)
			flip(t, f, off)
			must(t, f.Close())
			l, err := Open(m, "raft", small)
			if err != nil {
				if !errors.Is(err, ErrCorrupt) && off != 0 { // byte 0 is the version
					t.Fatalf("%s byte %d: %v", name, off, err)
				}
				continue
			}
			switch {
			case l.w.batch == batch: // unused space: all is there
				h.check(t, l)
			case number != newest || l.w.batch != batch-1 || off >= end:
				t.Fatalf("%s byte %d: opened with next batch %d, not %d", name, off, l.w.batch, batch)
			}
			must(t, l.Close())
		}
	}
}

func flip(t *testing.T, f vfs.File, off int64) {
	b := []byte{0}
	_, err := f.ReadAt(b, off)
	must(t, err)
	b[0] ^= 0x10
	_, err = f.WriteAt(b, off)
	must(t, err)
}

func TestReadIsChecked(t *testing.T) {
	fsys := vfs.NewMem()
	rules := vfs.NewRules()
	l := mustOpen(t, vfs.WithFaults(fsys, rules), Options{SegmentBytes: 1 << 20, CacheBytes: 1})
	must(t, l.Group(1).StoreLogs(entries(1, 10, 1, "data")))
	for bit := int64(0); bit < 68*8; bit += 3 {
		rules.Set(vfs.Rule{Kinds: []vfs.OpKind{vfs.OpRead}, Fault: vfs.Fault{Flip: true, FlipBit: bit}})
		if err := l.Group(1).GetLog(3, new(raft.Log)); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	must(t, l.Close())
}

func TestMissingFile(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	for i := uint64(1); i < 40; i++ {
		must(t, l.Group(1).StoreLogs(entries(i, i, 1, strings.Repeat("x", 300))))
	}
	must(t, l.Close())
	for _, number := range []uint32{1, 3} { // the first one holds entries that the next says are live
		m := fsys.Crash(vfs.KeepUnsynced, 0)
		must(t, m.Remove(segmentName("raft", number)))
		if _, err := Open(m, "raft", small); !errors.Is(err, ErrCorrupt) {
			t.Errorf("without file %d: %v", number, err)
		}
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	if _, err := Open(fsys, "raft", small); !errors.Is(err, vfs.ErrLocked) {
		t.Error(err)
	}
	must(t, l.Close())
	must(t, l.Close())
	if err := l.Group(1).StoreLogs(entries(1, 1, 1, "")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestIdleGroupHoldsNothingBack: a group that wrote once and a busy one that compacts need few files.
func TestIdleGroupHoldsNothingBack(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	idle, busy := l.Group(1), l.Group(2)
	must(t, idle.StoreLogs(entries(1, 3, 1, "idle")))
	want := load(t, idle).String()
	for i := uint64(1); i < 500; i++ {
		must(t, busy.StoreLogs(entries(i, i, 1, strings.Repeat("x", 100))))
		if i > 10 {
			must(t, busy.DeleteRange(i-10, i-10))
		}
		if files := l.Stats().Files; files > 6 {
			t.Fatalf("%d files after %d entries", files, i)
		}
	}
	must(t, l.Close())
	l = mustOpen(t, fsys, small)
	if got := load(t, l.Group(1)).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	must(t, l.Close())
}

func TestLargeEntries(t *testing.T) {
	fsys := vfs.NewMem()
	l := mustOpen(t, fsys, small)
	g := l.Group(1)
	for i := uint64(1); i < 6; i++ {
		must(t, g.StoreLogs(entries(i, i, 1, strings.Repeat("x", int(i)*5000))))
	}
	if err := g.Set(make([]byte, maxKeyBytes+1), nil); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	want := load(t, g).String()
	must(t, l.Close())
	l = mustOpen(t, fsys, small)
	if got := load(t, l.Group(1)).String(); got != want {
		t.Error("large entries differ after a restart")
	}
	must(t, l.Close())
}

// TestReadersDuringRemoval reads while files are moved and removed under the readers.
func TestReadersDuringRemoval(t *testing.T) {
	l := mustOpen(t, vfs.NewMem(), Options{SegmentBytes: 4 << 10, CacheBytes: 1})
	idle, busy := l.Group(1), l.Group(2)
	must(t, idle.StoreLogs(entries(1, 5, 1, "idle")))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var e raft.Log
				if err := idle.GetLog(3, &e); err != nil || string(e.Data) != "idle" {
					t.Errorf("read %q, %v", e.Data, err)
					return
				}
				first, _ := busy.FirstIndex()
				if err := busy.GetLog(first, &e); err != nil && !errors.Is(err, raft.ErrLogNotFound) {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := uint64(1); i < 2000; i++ {
		must(t, busy.StoreLogs(entries(i, i, 1, strings.Repeat("x", 100))))
		if i > 10 {
			must(t, busy.DeleteRange(1, i-10))
		}
	}
	close(stop)
	wg.Wait()
	must(t, l.Close())
}

func FuzzDecodeRecord(f *testing.F) {
	var all []byte
	all = appendEntry(all, 1, &raft.Log{Index: 1, Term: 2, Data: []byte("d"), Extensions: []byte("e")})
	all = appendDelete(all, 1, 2, 3)
	all = appendSet(all, 1, []byte("k"), []byte("v"))
	all = appendDrop(all, 1)
	all = appendCheckpoint(all, 1, checkpoint{first: 1, last: 2, keys: map[string][]byte{"k": []byte("v")}})
	all = appendCheckpointEnd(all, 1)
	sealBatch(all, 1)
	f.Add(all)
	for at := 0; at < len(all); {
		r, err := decodeRecord(all[at:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(all[at : at+r.size])
		f.Add(r.payload)
		at += r.size
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRecord(b); err == nil && (r.size > len(b) || len(r.payload) > len(b)) {
			t.Fatalf("record of %d bytes in %d", r.size, len(b))
		}
		for k := kindEntry; k <= kindDrop; k++ { // checksums keep the fuzzer away from these
			_, _ = decodeChange(record{kind: k, payload: b})
		}
		if c, err := decodeCheckpoint(b); err == nil {
			again := appendCheckpoint(nil, 1, c)
			sealBatch(again, 1)
			r, err := decodeRecord(again)
			must(t, err)
			if d, err := decodeCheckpoint(r.payload); err != nil || !d.equal(c) {
				t.Fatalf("%v, %v, %v", c, d, err)
			}
		}
		_, _ = decodeHeader(b)
		_, _, _ = decodeMeta(b)
	})
}

// FuzzOpen opens a log whose only file is arbitrary bytes, with all checksums made right.
func FuzzOpen(f *testing.F) {
	fsys := vfs.NewMem()
	h := newHistory(3)
	l := mustOpen(f, fsys, Options{SegmentBytes: 64 << 10})
	h.run(l, 3, 30)
	end := l.newest().end
	must(f, l.Close())
	data, err := vfs.ReadFile(fsys, segmentName("raft", 1))
	must(f, err)
	f.Add(data[:end])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append([]byte(nil), b...)
		fixChecksums(b)
		m := vfs.NewMem()
		must(t, m.MkdirAll("raft"))
		w, err := m.Create(segmentName("raft", 1))
		must(t, err)
		_, err = w.Write(b)
		must(t, err)
		must(t, w.Close())
		l, err := Open(m, "raft", small)
		if err != nil {
			return
		}
		for _, id := range l.Groups() {
			load(t, l.Group(id))
		}
		must(t, l.Close())
	})
}

func fixChecksums(b []byte) {
	if len(b) < fileHeader {
		return
	}
	copy(b, header{number: 1, prevEnd: 0, firstBatch: le.Uint64(b[24:])}.append(nil))
	for at := fileHeader; at+recordHeader <= len(b); {
		n := recordHeader + int(le.Uint32(b[at+4:]))
		if n > len(b)-at {
			return
		}
		le.PutUint32(b[at:], crc32.Checksum(b[at+4:at+n], castagnoli))
		at += padded(n)
	}
}

// BenchmarkAppend is 16 groups with 16 clients each, entries of 128 bytes. A client waits until its
// entry is durable before it sends the next; one goroutine a group writes, as Raft does.
func BenchmarkAppend(b *testing.B) {
	const groups, clients = 16, 16
	dir, err := os.MkdirTemp(".", "bench")
	must(b, err)
	defer os.RemoveAll(dir)
	l, err := Open(vfs.Disk(), dir, Options{})
	must(b, err)
	defer l.Close()
	var wg sync.WaitGroup
	b.ResetTimer()
	for g := range groups {
		arrivals := make(chan chan error, clients)
		var senders sync.WaitGroup
		for range clients {
			senders.Go(func() {
				done := make(chan error, 1)
				for range b.N / groups / clients {
					arrivals <- done
					if err := <-done; err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Go(func() { appendArrivals(l.Group(uint64(g+1)), arrivals) })
		wg.Go(func() {
			senders.Wait()
			close(arrivals)
		})
	}
	wg.Wait()
	b.StopTimer()
	s := l.Stats()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(s.Records)/float64(max(s.Batches, 1)), "records/sync")
}

// appendArrivals stores an entry for each arrival, all that wait at once, and answers them.
func appendArrivals(store *GroupStore, arrivals chan chan error) {
	data := make([]byte, 128)
	next := uint64(1)
	for first := range arrivals {
		waiting := []chan error{first}
		for len(arrivals) > 0 {
			waiting = append(waiting, <-arrivals)
		}
		batch := make([]*raft.Log, len(waiting))
		for i := range batch {
			batch[i] = &raft.Log{Index: next, Term: 1, Data: data}
			next++
		}
		err := store.StoreLogs(batch)
		for _, done := range waiting {
			done <- err
		}
	}
}
