package node

import (
	"path"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/vfs"
)

// TestSystemScrub: a node alone says what is damaged, one of three gets it from another.
func TestSystemScrub(t *testing.T) {
	for nodes, want := range map[int]string{1: "1\tdefault\tt\t1\t1\t0\t0\n", 3: "1\tdefault\tt\t1\t1\t1\t0\n"} {
		synctest.Test(t, func(t *testing.T) {
			s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
			defer s.close()
			s.found(nodes, 1, nodes)
			n := s.nodes["node-1"]
			must(t, n, "CREATE TABLE t (k UInt64, v String) ENGINE = MergeTree ORDER BY k")
			must(t, n, "CREATE TABLE other (k UInt64) ENGINE = MergeTree ORDER BY k")
			must(t, n, "INSERT INTO t SELECT number, toString(number) FROM numbers(1000)")
			must(t, n, "SYSTEM FLUSH TABLE t")
			lines := func(sql string) string {
				t.Helper()
				var out strings.Builder
				for line := range strings.Lines(must(t, n, sql)) {
					if f := strings.Split(line, "\t"); len(f) == 8 { // the text of the error is not the same everywhere
						line = strings.Join(f[:7], "\t") + "\n"
					}
					out.WriteString(line)
				}
				return out.String()
			}
			if got := lines("SYSTEM SCRUB t"); got != "1\tdefault\tt\t1\t0\t0\t0\n" {
				t.Fatalf("%d nodes, whole: %q", nodes, got)
			}
			dir := path.Join("/data", storeDir, "segments-1")
			names, err := s.disks["node-1"].List(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				damage(t, s.disks["node-1"], path.Join(dir, name))
			}
			if got := lines("SYSTEM SCRUB other"); got != "1\tdefault\tother\t0\t0\t0\t0\n" {
				t.Errorf("%d nodes, another table: %q", nodes, got)
			}
			if got := lines("SYSTEM SCRUB t"); got != want {
				t.Errorf("%d nodes: %q, want %q", nodes, got, want)
			}
			if got := lines("SYSTEM SCRUB"); nodes > 1 && !strings.Contains(got, "1\tdefault\tt\t1\t0\t0\t0\n") || nodes == 1 && !strings.Contains(got, want) {
				t.Errorf("%d nodes, again, all tables: %q", nodes, got)
			}
			replicas := must(t, n, "SELECT table, queue_size, inserts_in_queue, parts_to_check, total_replicas FROM system.replicas WHERE database = 'default' ORDER BY table")
			if shown := "other\t0\t0\t0\t3\nt\t0\t0\t0\t3\n"; nodes > 1 && replicas != shown || nodes == 1 && replicas != "" {
				t.Errorf("%d nodes, system.replicas: %q", nodes, replicas)
			}
		})
	}
}

// TestReplicasCountFaults: what a replica lacks and what it knows to be damaged is in system.replicas, by table.
func TestReplicasCountFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		defer s.close()
		s.found(3, 1, 3)
		n := s.nodes["node-1"]
		must(t, n, "CREATE TABLE t (k UInt64, v String) ENGINE = MergeTree ORDER BY k")
		must(t, n, "INSERT INTO t SELECT number, toString(number) FROM numbers(1000)")
		must(t, n, "SYSTEM FLUSH TABLE t")
		for _, other := range []string{"node-2", "node-3"} { // nobody has the file for it
			s.net.Cut(other, "node-1")
		}
		dir := path.Join("/data", storeDir, "segments-1")
		names, err := s.disks["node-1"].List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			damage(t, s.disks["node-1"], path.Join(dir, name))
		}
		if got := must(t, n, "SYSTEM SCRUB t"); !strings.HasPrefix(got, "1\tdefault\tt\t") || !strings.Contains(got, "\t1\t0\t1\t") {
			t.Errorf("without the others: %q", got)
		}
		got := must(t, n, "SELECT table, queue_size, inserts_in_queue, parts_to_check FROM system.replicas WHERE table = 't'")
		if got != "t\t1\t1\t1\n" {
			t.Errorf("system.replicas: %q", got)
		}
		s.net.HealAll()
		s.eventually("the file is back", func() bool {
			out, err := run(t, n, "SELECT queue_size, parts_to_check FROM system.replicas WHERE table = 't'")
			return err == nil && out == "0\t0\n"
		})
	})
}

func damage(t *testing.T, disk vfs.FS, name string) {
	t.Helper()
	f, err := disk.OpenReadWrite(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
