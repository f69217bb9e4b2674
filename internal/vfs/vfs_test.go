package vfs

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// both runs a test on the disk and in memory: the two must agree.
func both(t *testing.T, run func(t *testing.T, fsys FS, dir string)) {
	t.Run("disk", func(t *testing.T) { run(t, Disk(), t.TempDir()) })
	t.Run("mem", func(t *testing.T) {
		fsys := NewMem()
		must(t, fsys.MkdirAll("data"))
		run(t, fsys, "data")
	})
	t.Run("faults", func(t *testing.T) { run(t, WithFaults(Disk(), NewRules()), t.TempDir()) })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, fsys FS, name, content string) File {
	t.Helper()
	f, err := fsys.Create(name)
	must(t, err)
	_, err = f.Write([]byte(content))
	must(t, err)
	return f
}

func content(t *testing.T, fsys FS, name string) string {
	t.Helper()
	b, err := ReadFile(fsys, name)
	must(t, err)
	return string(b)
}

func TestFile(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, "a")
		f := create(t, fsys, name, "hello")
		_, err := f.WriteAt([]byte("J"), 0)
		must(t, err)
		_, err = f.Write([]byte(" world"))
		must(t, err)
		must(t, f.Sync())
		must(t, f.Preallocate(0, 16))
		must(t, f.Close())
		if got := content(t, fsys, name); got != "Jello world\x00\x00\x00\x00\x00" {
			t.Errorf("content %q", got)
		}

		f, err = fsys.OpenReadWrite(name)
		must(t, err)
		must(t, f.Truncate(5))
		must(t, f.Close())
		f, err = fsys.OpenAppend(name)
		must(t, err)
		_, err = f.Write([]byte("!"))
		must(t, err)
		if size, err := f.Size(); err != nil || size != 6 {
			t.Errorf("size %d, %v", size, err)
		}
		buf := make([]byte, 8)
		if n, err := f.ReadAt(buf, 4); n != 2 || err != io.EOF || string(buf[:n]) != "o!" {
			t.Errorf("ReadAt: %d, %v, %q", n, err, buf[:n])
		}
		if _, err := f.ReadAt(buf, 100); err != io.EOF {
			t.Errorf("ReadAt beyond the end: %v", err)
		}
		must(t, f.Close())

		f, err = fsys.Open(name)
		must(t, err)
		defer f.Close()
		if _, err := f.Write([]byte("x")); err == nil {
			t.Error("a file opened for reading was written")
		}
	})
}

func TestNames(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		sub := filepath.Join(dir, "x", "y")
		must(t, fsys.MkdirAll(sub))
		must(t, create(t, fsys, filepath.Join(sub, "b"), "b").Close())
		must(t, create(t, fsys, filepath.Join(sub, "a"), "a").Close())
		must(t, fsys.SyncDir(sub))
		names, err := fsys.List(sub)
		must(t, err)
		if !slices.Equal(names, []string{"a", "b"}) {
			t.Errorf("names %v", names)
		}
		must(t, fsys.Rename(filepath.Join(sub, "a"), filepath.Join(sub, "b")))
		if got := content(t, fsys, filepath.Join(sub, "b")); got != "a" {
			t.Errorf("after rename: %q", got)
		}
		if _, err := fsys.Open(filepath.Join(sub, "a")); !IsNotExist(err) {
			t.Errorf("open of a renamed file: %v", err)
		}
		if err := fsys.Remove(sub); err == nil {
			t.Error("a directory with files in it was removed")
		}
		st, err := fsys.Stat(filepath.Join(sub, "b"))
		must(t, err)
		if st.Name != "b" || st.Size != 1 || st.IsDir {
			t.Errorf("stat %+v", st)
		}
		must(t, fsys.RemoveAll(filepath.Join(dir, "x")))
		must(t, fsys.RemoveAll(filepath.Join(dir, "x")))
		if _, err := fsys.Stat(sub); !IsNotExist(err) {
			t.Errorf("stat after RemoveAll: %v", err)
		}
		if u, err := fsys.Usage(dir); err != nil || u.Free == 0 || u.Total < u.Free {
			t.Errorf("usage %+v, %v", u, err)
		}
	})
}

func TestLock(t *testing.T) {
	both(t, func(t *testing.T, fsys FS, dir string) {
		l, err := fsys.Lock(dir)
		must(t, err)
		if _, err := fsys.Lock(dir); !errors.Is(err, ErrLocked) {
			t.Errorf("second lock: %v", err)
		}
		must(t, l.Close())
		l, err = fsys.Lock(dir)
		must(t, err)
		must(t, l.Close())
	})
}

func TestWriteFileAtomic(t *testing.T) {
	for at := range int64(12) {
		for _, policy := range []CrashPolicy{DropUnsynced, KeepUnsynced, TearUnsynced} {
			for seed := range uint64(8) {
				m := NewMem()
				must(t, WriteFileAtomic(m, "f", []byte("old")))
				m.CrashAt(at)
				err := WriteFileAtomic(m, "f", bytes.Repeat([]byte("new"), 500))
				got := content(t, m.Crash(policy, seed), "f")
				isNew := len(got) == 1500
				if got != "old" && !isNew || err == nil && !isNew {
					t.Fatalf("crash at %d, %v, seed %d: %d bytes, err %v", at, policy, seed, len(got), err)
				}
			}
		}
	}
}

func TestCrashContent(t *testing.T) {
	m := NewMem()
	f := create(t, m, "f", "durable")
	must(t, f.Sync())
	must(t, m.SyncDir("."))
	_, err := f.Write([]byte(" unsynced"))
	must(t, err)
	g := create(t, m, "g", "no name yet")
	must(t, g.Sync())

	if c := m.Crash(DropUnsynced, 0); content(t, c, "f") != "durable" {
		t.Error("drop: unsynced bytes are there")
	} else if _, err := c.Open("g"); !IsNotExist(err) {
		t.Errorf("drop: unsynced name: %v", err)
	}
	if c := m.Crash(KeepUnsynced, 0); content(t, c, "f") != "durable unsynced" || content(t, c, "g") != "no name yet" {
		t.Error("keep: something is lost")
	}
	seen := map[string]bool{}
	for seed := range uint64(200) {
		c := m.Crash(TearUnsynced, seed)
		got := content(t, c, "f")
		if got != content(t, m.Crash(TearUnsynced, seed), "f") {
			t.Fatal("the same seed gave another result")
		}
		if !bytes.HasPrefix([]byte("durable unsynced"), []byte(got)) || len(got) < len("durable") {
			t.Fatalf("tear: %q", got)
		}
		seen[got] = true
	}
	if len(seen) < 5 {
		t.Errorf("tear: only %d different results", len(seen))
	}
}

func TestCrashKeepsPrefixOfNames(t *testing.T) {
	for seed := range uint64(100) {
		m := NewMem()
		for _, name := range []string{"a", "b", "c", "d"} {
			must(t, create(t, m, name, "").Close())
		}
		names, err := m.Crash(TearUnsynced, seed).List(".")
		must(t, err)
		if !slices.Equal(names, []string{"a", "b", "c", "d"}[:len(names)]) {
			t.Fatalf("seed %d: %v is no prefix", seed, names)
		}
	}
}

func TestCrashRenameAcrossDirectories(t *testing.T) {
	for seed := range uint64(100) {
		m := NewMem()
		must(t, m.MkdirAll("from"))
		must(t, m.MkdirAll("to"))
		must(t, create(t, m, "from/f", "").Close())
		must(t, m.SyncDir("from"))
		must(t, m.SyncDir("."))
		must(t, m.Rename("from/f", "to/f"))
		c := m.Crash(TearUnsynced, seed)
		_, inFrom := c.Stat("from/f")
		_, inTo := c.Stat("to/f")
		if (inFrom == nil) == (inTo == nil) {
			t.Fatalf("seed %d: from %v, to %v", seed, inFrom, inTo)
		}
		must(t, m.SyncDir("to"))
		if _, err := m.Crash(DropUnsynced, 0).Stat("from/f"); !IsNotExist(err) {
			t.Fatalf("after the sync: %v", err)
		}
	}
}

func TestCrashedMachineDoesNothing(t *testing.T) {
	m := NewMem()
	f := create(t, m, "f", "1")
	m.CrashAt(0)
	if err := f.Sync(); !errors.Is(err, ErrCrashed) {
		t.Errorf("sync: %v", err)
	}
	if !m.Crashed() {
		t.Error("not crashed")
	}
	if _, err := f.Write([]byte("2")); !errors.Is(err, ErrCrashed) {
		t.Errorf("write: %v", err)
	}
	if _, err := m.Create("g"); !errors.Is(err, ErrCrashed) {
		t.Errorf("create: %v", err)
	}
	if got := content(t, m.Crash(KeepUnsynced, 0), "f"); got != "1" {
		t.Errorf("content %q", got)
	}
}

func TestCapacity(t *testing.T) {
	m := NewMem()
	m.SetCapacity(8)
	f := create(t, m, "f", "12345")
	if n, err := f.Write([]byte("6789")); n != 3 || !IsNoSpace(err) {
		t.Errorf("write: %d, %v", n, err)
	}
	if err := f.Preallocate(0, 9); !IsNoSpace(err) {
		t.Errorf("preallocate: %v", err)
	}
	must(t, m.Remove("f"))
	must(t, create(t, m, "g", "12345678").Close())
}

func TestFaults(t *testing.T) {
	m := NewMem()
	rules := NewRules(
		Rule{Kinds: []OpKind{OpWrite}, Path: "f", From: 2, Count: 1, Fault: Fault{Err: syscall.ENOSPC, Short: 2}},
		Rule{Kinds: []OpKind{OpSync}, Fault: Fault{Err: syscall.EIO}},
		Rule{Kinds: []OpKind{OpRead}, Fault: Fault{Flip: true, FlipBit: 9}},
	)
	fsys := WithFaults(m, rules)
	f := create(t, fsys, "f", "abc")
	if n, err := f.Write([]byte("defg")); n != 2 || !IsNoSpace(err) {
		t.Errorf("write: %d, %v", n, err)
	}
	_, err := f.Write([]byte("!"))
	must(t, err)
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v", err)
	}
	if got := content(t, fsys, "f"); got != "a`cde!" {
		t.Errorf("content %q", got)
	}
	rules.Set()
	must(t, f.Sync())
	if got := content(t, fsys, "f"); got != "abcde!" {
		t.Errorf("content %q", got)
	}
}

// TestSlowDisk: a sync takes its time, and what is being synced is lost until it has ended.
func TestSlowDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMem()
		f, err := m.Create("a")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.SyncDir("/"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		m.SetDelay(time.Second)
		synced := make(chan error)
		start := time.Now()
		go func() { synced <- f.Sync() }()
		time.Sleep(time.Second / 2)
		size := func() int64 {
			i, err := m.Crash(DropUnsynced, 1).Stat("a")
			if err != nil {
				t.Fatal(err)
			}
			return i.Size
		}
		if n := size(); n != 0 {
			t.Errorf("%d bytes are there half way", n)
		}
		if err := <-synced; err != nil || time.Since(start) != time.Second || size() != 1 {
			t.Errorf("synced after %s with %v, %d bytes are there", time.Since(start), err, size())
		}
	})
}
