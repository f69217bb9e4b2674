package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/vfs"
)

// several is a cluster in one process, in virtual time.
type several struct {
	t     *testing.T
	net   *rpc.Memory
	disks map[string]*vfs.Mem
	nodes map[string]*Node

	fences        fences
	snapshotBytes int64 // of nodes that start
	pause         func()
	behind        map[string]int // levels that nodes lack which start
}

func newSeveral(t *testing.T) *several {
	s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
	s.net.SetLatency(rpc.Uniform(time.Millisecond, 5*time.Millisecond))
	return s
}

func (s *several) start(name string) *Node {
	s.t.Helper()
	n := mustOpen(s.t, s.config(name))
	s.nodes[name] = n
	return n
}

func (s *several) config(name string) Config {
	if s.disks[name] == nil {
		s.disks[name] = vfs.NewMem()
	}
	cfg := testConfig(s.disks[name])
	cfg.Node, cfg.Network, cfg.fences, cfg.SnapshotBytes = name, s.net.Node(name), s.fences, s.snapshotBytes
	cfg.Pause, cfg.LevelsBehind = s.pause, s.behind[name]
	return cfg
}

func (s *several) stop(name string) {
	s.t.Helper()
	must(s.t, s.nodes[name].Close())
	s.net.Kill(name)
	delete(s.nodes, name)
}

func (s *several) close() {
	for name := range s.nodes {
		s.stop(name)
	}
}

// join adds a node.
func (s *several) join(through string) *Node {
	s.t.Helper()
	name, err := s.nodes[through].Meta().Join(s.t.Context(), "memory", feature.Current-feature.Level(s.behind[fmt.Sprint("node-", s.nodes[through].Topology().NextNode)]))
	must(s.t, err)
	return s.start(name)
}

// eventually waits for a condition, in virtual time.
func (s *several) eventually(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			for name, n := range s.nodes {
				s.t.Logf("%s: %+v", name, n.Status())
			}
			s.t.Fatalf("not within two minutes: %s", what)
		}
	}
}

func (s *several) leader(group uint64) *Node {
	for _, n := range s.nodes {
		for _, st := range n.Status() {
			if st.Group == group && st.Term != 0 {
				return n
			}
		}
	}
	return nil
}

// voters are those of a group, as its leader says; nil without one.
func (s *several) voters(group uint64) (out []string) {
	n := s.leader(group)
	if n == nil {
		return nil
	}
	for _, st := range n.Status() {
		for _, m := range st.Members {
			if st.Group == group && m.Votes {
				out = append(out, m.Node)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestGrow makes one node three, with two shards of three replicas, loses one and replaces it by a fourth: rows are on all replicas.
func TestGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		ctx := t.Context()
		n1 := s.start(FirstNode)
		c, ids := create(t, n1, testTable("a"))
		put := func(shard uint64, key uint64) {
			t.Helper()
			var err error
			for range 20 { // leaderships move while members change
				var at *Shard
				if n := s.leader(shard); n != nil {
					at = n.Shard(shard)
				}
				if at != nil {
					if _, err = at.Append(ctx, Batch{Claims: Claims{Schema: c.Version}, Rows: []TableRows{{ids[0], testBlock(key)}}}); err == nil {
						return
					}
				}
				time.Sleep(time.Second)
			}
			t.Fatalf("shard %d, key %d: %v", shard, key, err)
		}
		put(1, 1)
		must(t, n1.Found(ctx, Founding{Cluster: "test", Shards: 2, Replicas: 3, ReplaceAfter: 20 * time.Second}))
		put(2, 100)
		s.join(FirstNode)
		s.join(FirstNode)
		three := []string{"node-1", "node-2", "node-3"}
		all := func(want []string) func() bool {
			return func() bool {
				for g := range uint64(3) {
					if !slices.Equal(s.voters(g), want) {
						return false
					}
				}
				return true
			}
		}
		s.eventually("three voters in every group", all(three))
		s.eventually("leaders on two nodes", func() bool { a, b := s.leader(1), s.leader(2); return a != nil && b != nil && a != b })
		put(1, 2)
		put(2, 101)
		lost := s.leader(1).Name()
		s.stop(lost)
		put(1, 3)
		put(2, 102)
		through := s.leader(0)
		for through == nil {
			time.Sleep(100 * time.Millisecond)
			through = s.leader(0)
		}
		s.join(through.Name())
		want := append(slices.DeleteFunc(three, func(n string) bool { return n == lost }), "node-4")
		s.eventually(fmt.Sprint("voters ", want), all(want))
		put(1, 4)
		time.Sleep(2 * time.Second)
		for _, name := range want {
			requireKeys(t, s.nodes[name].Shard(1), ids[0], 1, 2, 3, 4)
			requireKeys(t, s.nodes[name].Shard(2), ids[0], 100, 101, 102)
		}
		s.eventually("the lost node is forgotten", func() bool { return s.nodes["node-4"].Topology().Member(lost) == nil })
		must(t, context.Cause(ctx))
	})
}

// TestUnknownStaysUnknown: a commit whose answer is lost, and which then finds no leader, may have taken effect: it is not reported as refused.
func TestUnknownStaysUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSeveral(t)
		defer s.close()
		n1 := s.start(FirstNode)
		c, ids := create(t, n1, testTable("a"))
		must(t, n1.Found(t.Context(), Founding{Cluster: "test", Replicas: 3}))
		s.join(FirstNode)
		s.join(FirstNode)
		s.eventually("three voters", func() bool { return len(s.voters(1)) == 3 })
		time.Sleep(20 * time.Second) // leaders have settled
		leader := s.leader(1)
		from := "node-2"
		if leader.Name() == from {
			from = "node-3"
		}
		s.net.Cut(leader.Name(), from)
		_, err := s.nodes[from].Shard(1).Append(t.Context(), Batch{Claims: Claims{Schema: c.Version, Tokens: []Token{{Table: ids[0], ID: "once"}}},
			Rows: []TableRows{{ids[0], testBlock(7)}}})
		s.net.HealAll()
		time.Sleep(10 * time.Second)
		keys, keysErr := tableKeys(s.leader(1).Shard(1).Store(), ids[0])
		must(t, keysErr)
		if err == nil || len(keys) == 0 {
			t.Fatalf("nothing to see: %v, keys %v", err, keys)
		}
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("keys %v are there, and the writer was told: %v", keys, err)
		}
	})
}
