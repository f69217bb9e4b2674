package vfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseKillPoint(t *testing.T) {
	for _, s := range []string{"", "sync", "sync:x", "sync:x:0", "sync:x:-1", "sync:x:y", "read:x:1", ":x:1", "sync:x:1:"} {
		if k, err := ParseKillPoint(s); err == nil {
			t.Errorf("%q: %+v", s, k)
		}
	}
	k, err := ParseKillPoint("tear:c:/log:12")
	if err != nil || k.op != "tear" || k.path != "c:/log" || k.n != 12 {
		t.Errorf("%+v, %v", k, err)
	}
}

// A kill point comes before its operation, or in the middle of it.
func TestKillPoint(t *testing.T) {
	for _, c := range []struct{ point, left string }{
		{"create:b:1", "a=0123456789"},
		{"write:a:1", "a="},
		{"write::2", "a=0123456789 b="},
		{"tear:b:1", "a=0123456789 b=01234"},
		{"sync:b:1", "a=0123456789 b=0123456789"},
		{"rename:b:1", "a=0123456789 b=0123456789"},
		{"remove:a:1", "a=0123456789 c=0123456789"},
		{"syncdir::1", "c=0123456789"},
		{"sync:a:2", "c=0123456789"}, // never
	} {
		died := c.point != "sync:a:2"
		if got, killed := runKilled(t, c.point); got != c.left || killed != died {
			t.Errorf("%s: left %q, killed %v", c.point, got, killed)
		}
	}
}

// runKilled does the operations up to the point on a memory file system and tells what they left.
func runKilled(t *testing.T, point string) (left string, killed bool) {
	t.Helper()
	k, err := ParseKillPoint(point)
	if err != nil {
		t.Fatal(err)
	}
	k.kill = func() { panic(k) }
	mem := NewMem()
	func() {
		defer func() { killed = recover() != nil }()
		if err := steps(WithFaults(mem, k), "/"); err != nil {
			t.Error(err)
		}
	}()
	var parts []string
	names, err := mem.List("/")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := ReadFile(mem, "/"+name)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, name+"="+string(data))
	}
	return strings.Join(parts, " "), killed
}

// steps writes a and b, renames b to c, removes a.
func steps(fsys FS, dir string) error {
	for _, name := range []string{"a", "b"} {
		if err := writeSynced(filepath.Join(dir, name), []byte("0123456789"), fsys.Create); err != nil {
			return err
		}
	}
	if err := fsys.Rename(filepath.Join(dir, "b"), filepath.Join(dir, "c")); err != nil {
		return err
	}
	if err := fsys.Remove(filepath.Join(dir, "a")); err != nil {
		return err
	}
	return fsys.SyncDir(dir)
}

// TestKillProcess sees a real process die.
func TestKillProcess(t *testing.T) {
	const dirEnv = "OLAPD_TEST_KILL_DIR"
	if dir := os.Getenv(dirEnv); dir != "" {
		fsys, err := FaultsFromEnv(Disk())
		if err != nil {
			t.Fatal(err)
		}
		if err := steps(fsys, dir); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillProcess$")
	cmd.Env = append(os.Environ(), dirEnv+"="+dir, KillEnv+"=tear:b:1")
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "b"))
	if err != nil || string(data) != "01234" {
		t.Errorf("%q, %v", data, err)
	}
	t.Setenv(KillEnv, "sync")
	if _, err := FaultsFromEnv(Disk()); err == nil {
		t.Error("a bad kill point was taken")
	}
	t.Setenv(KillEnv, "")
	if fsys, err := FaultsFromEnv(Disk()); err != nil || fsys != Disk() {
		t.Error(err)
	}
}
