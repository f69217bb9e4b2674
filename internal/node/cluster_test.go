package node

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/mergetree"
)

// several is a cluster of nodes in one process.
type several struct {
	t     *testing.T
	net   *rpc.Memory
	disks map[string]*vfs.Mem
	nodes map[string]*Node
	tune  func(*Config) // of nodes that start; nil: nothing
}

// newSeveral starts a cluster of nodes with shards and replicas.
func newSeveral(t *testing.T, nodes, shards, replicas int) *several {
	t.Helper()
	s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
	t.Cleanup(s.close)
	s.found(nodes, shards, replicas)
	return s
}

// found founds the cluster.
func (s *several) found(nodes, shards, replicas int) {
	t := s.t
	t.Helper()
	first := s.start("node-1")
	if err := first.cluster.Found(t.Context(), cluster.Founding{Cluster: "test", Shards: shards, Replicas: replicas}); err != nil {
		t.Fatal(err)
	}
	for range nodes - 1 {
		name, err := first.cluster.Meta().Join(t.Context(), "memory", feature.Current)
		if err != nil {
			t.Fatal(err)
		}
		s.start(name)
	}
	s.settled(replicas)
}

func (s *several) start(name string) *Node {
	s.t.Helper()
	n, err := s.open(name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.nodes[name] = n
	return n
}

func (s *several) open(name string) (*Node, error) {
	if s.disks[name] == nil {
		s.disks[name] = vfs.NewMem()
	}
	cfg := DefaultConfig()
	cfg.Data, cfg.HTTP, cfg.FS, cfg.Memory = "/data", "", s.disks[name], 1<<30
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.node, cfg.Network = name, s.net.Node(name)
	if s.tune != nil {
		s.tune(&cfg)
	}
	return Open(s.t.Context(), cfg)
}

func (s *several) stop(name string) {
	s.t.Helper()
	if err := s.nodes[name].Close(); err != nil {
		s.t.Errorf("%s: %v", name, err)
	}
	s.net.Kill(name)
	delete(s.nodes, name)
}

func (s *several) close() {
	for name := range s.nodes {
		s.stop(name)
	}
}

// eventually waits for a condition.
func (s *several) eventually(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			for name, n := range s.nodes {
				s.t.Logf("%s: %+v", name, n.cluster.Status())
			}
			s.t.Fatalf("not within a minute: %s", what)
		}
	}
}

// settled waits until every shard has a leader and its replicas where they are wanted, and the meta group three voters, if there are nodes.
func (s *several) settled(replicas int) {
	s.t.Helper()
	s.eventually("all replicas vote", func() bool {
		voters := map[uint64][]string{}
		for _, n := range s.nodes {
			for _, st := range n.cluster.Status() {
				if st.Term == 0 {
					continue
				}
				for _, m := range st.Members {
					if m.Votes {
						voters[st.Group] = append(voters[st.Group], m.Node)
					}
				}
			}
		}
		if len(voters[0]) != min(3, len(s.nodes)) {
			return false
		}
		for _, n := range s.nodes {
			for _, p := range n.cluster.Topology().Shards {
				if len(p.Replicas) != replicas || !slices.Equal(slices.Sorted(slices.Values(p.Replicas)), slices.Sorted(slices.Values(voters[p.ID]))) {
					return false
				}
			}
		}
		return true
	})
}

// everywhere expects the same answer of every node, soon.
func (s *several) everywhere(sql, want string) {
	s.t.Helper()
	for name, n := range s.nodes {
		got, err := "", error(nil)
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if got, err = run(s.t, n, sql); err == nil && got == want {
				break
			}
		}
		if err != nil || got != want {
			s.t.Errorf("%s: %s: got %q (%v), want %q", name, sql, got, err, want)
		}
	}
}

// TestClusterOfThree: schemas, inserts and queries through any node, rows spread over shards, one node killed.
func TestClusterOfThree(t *testing.T) {
	s := newSeveral(t, 3, 2, 3)
	n1, n2, n3 := s.nodes["node-1"], s.nodes["node-2"], s.nodes["node-3"]
	must(t, n2, "CREATE TABLE plain (k UInt64, v String) ENGINE = MergeTree ORDER BY k")
	must(t, n3, "CREATE TABLE keyed (k UInt64, v String) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
	must(t, n3, "CREATE MATERIALIZED VIEW keyed_sums ENGINE = SummingMergeTree ORDER BY g AS SELECT k % 10 AS g, count() AS n, sum(k) AS s FROM keyed GROUP BY g")
	for i, n := range []*Node{n1, n2, n3} {
		for j := range 4 {
			must(t, n, fmt.Sprintf("INSERT INTO plain SELECT number, 'x' FROM numbers(%d, 100)", (i*4+j)*100))
		}
		must(t, n, fmt.Sprintf("INSERT INTO keyed SELECT number, toString(number) FROM numbers(%d, 10000)", i*10000))
	}
	s.everywhere("SELECT count(), sum(k), uniqExact(k) FROM plain", "1200\t719400\t1200\n")
	s.everywhere("SELECT count(), sum(k), uniqExact(k) FROM keyed", "30000\t449985000\t30000\n")
	s.everywhere("SELECT g, sum(n), sum(s) FROM keyed_sums GROUP BY g ORDER BY g LIMIT 2", "0\t3000\t44985000\n1\t3000\t44988000\n")
	s.everywhere("SELECT k, v FROM keyed ORDER BY k DESC LIMIT 2", "29999\t29999\n29998\t29998\n")
	s.everywhere("SELECT count() FROM plain JOIN keyed USING (k)", "1200\n")
	for _, r := range n1.cluster.Shards() {
		rows := uint64(0)
		if err := eachTableOf(r, func(id catalog.TableID, v *mergetree.TableView) error {
			if c := n1.cluster.Meta().Catalog().ByID(id); c != nil && c.Name == "keyed" {
				rows = v.Rows()
			}
			return nil
		}); err != nil || rows < 10000 || rows > 20000 {
			t.Errorf("shard %d has %d of 30000 rows: %v", r.ID(), rows, err)
		}
	}
	// A large insert goes to its shards' leaders as segments.
	must(t, n2, "CREATE TABLE big (k UInt64, v String) ENGINE = MergeTree ORDER BY k SETTINGS sharding_key = 'k'")
	must(t, n2, "INSERT INTO big SELECT number, repeat('y', 30) FROM numbers(400000)")
	s.everywhere("SELECT count(), sum(k), min(length(v)) FROM big", "400000\t79999800000\t30\n")
	must(t, n3, "OPTIMIZE TABLE keyed FINAL")
	must(t, n1, "ALTER TABLE keyed ADD COLUMN w UInt8 DEFAULT 7")
	s.everywhere("SELECT count(), sum(w) FROM keyed", "30000\t210000\n")
	must(t, n2, "ALTER TABLE plain RENAME COLUMN v TO w, ADD COLUMN v UInt8 DEFAULT 3")
	must(t, n3, "ALTER TABLE keyed MODIFY COLUMN w String")
	s.everywhere("SELECT count(), min(w), sum(v) FROM plain WHERE w = 'x'", "1200\tx\t3600\n")
	s.everywhere("SELECT count(), sum(length(w)) FROM keyed WHERE w = '7'", "30000\t30000\n")
	leader, err := n1.shards.leaderOf(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s.stop(leader)
	for _, n := range s.nodes {
		must(t, n, "INSERT INTO keyed (k, v) SELECT number, 'late' FROM numbers(30000, 10)")
		break
	}
	s.everywhere("SELECT count(), countIf(v = 'late') FROM keyed", "30010\t10\n")
	s.everywhere("SELECT count(), sum(k), min(length(v)) FROM big", "400000\t79999800000\t30\n")
	for _, n := range s.nodes {
		must(t, n, "TRUNCATE TABLE big")
		break
	}
	s.everywhere("SELECT count() FROM big", "0\n")
	s.start(leader)
	s.everywhere("SELECT count(), countIf(v = 'late') FROM keyed", "30010\t10\n")
	if out := must(t, s.nodes[leader], "SELECT name FROM system.tables WHERE database = 'default' ORDER BY name"); !strings.Contains(out, "keyed") {
		t.Errorf("tables after a restart: %q", out)
	}
}
