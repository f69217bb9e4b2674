package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/hashicorp/raft"
)

func grown(nodes, shards, replicas int) *Topology {
	t := newTopology()
	t.Replicas = replicas
	for i := 2; i <= nodes; i++ {
		t.setMember(Member{Name: fmt.Sprint("node-", i), State: Active})
	}
	for i := 2; i <= shards; i++ {
		t.Shards = append(t.Shards, Placement{ID: uint64(i), Founder: FirstNode, Replicas: []string{FirstNode}})
	}
	return t
}

// settle places until nothing changes, which must come soon, and checks the result.
func settle(t *testing.T, top *Topology) {
	t.Helper()
	for step := 0; placeReplicas(top); step++ {
		if step > 1000 {
			t.Fatalf("no end: %+v", top.Shards)
		}
	}
	if err := top.check(); err != nil {
		t.Fatal(err)
	}
	load := loads(top)
	for _, s := range top.Shards {
		if len(load) > 0 && len(s.Replicas) != min(top.Replicas, len(load)) {
			t.Fatalf("shard %d has replicas %v of %d, on %d active nodes", s.ID, s.Replicas, top.Replicas, len(load))
		}
		for i, r := range s.Replicas {
			if slices.Contains(s.Replicas[:i], r) {
				t.Fatalf("shard %d twice on %s", s.ID, r)
			}
			if _, active := load[r]; !active && len(load) > 0 {
				t.Fatalf("shard %d on %s, which is not active", s.ID, r)
			}
		}
	}
	least, most := 1<<30, 0
	for _, n := range load {
		least, most = min(least, n), max(most, n)
	}
	if len(load) > 0 && most-least > 1 {
		t.Fatalf("replicas %v", load)
	}
}

func TestPlaceSettles(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		top := grown(1+r.IntN(7), 1+r.IntN(12), 1+r.IntN(5))
		settle(t, top)
		for range 5 {
			switch i := r.IntN(len(top.Nodes)); r.IntN(3) {
			case 0:
				top.Nodes[i].State = Lost
			case 1:
				top.Nodes[i].State = Leaving
			default:
				top.setMember(Member{Name: fmt.Sprint("node-", 100+r.IntN(20)), State: Active})
			}
			settle(t, top)
		}
	}
}

// TestMembershipKeepsVoters walks from members to members, nodes getting ready in any order: all wanted vote in the end,
// nobody else is left, and never does a step remove a voter while a wanted one is missing.
func TestMembershipKeepsVoters(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		pick := func(n int) (out []string) {
			for _, i := range r.Perm(7)[:n] {
				out = append(out, fmt.Sprint("n", i))
			}
			return out
		}
		var have []raft.Server
		for _, n := range pick(1 + r.IntN(4)) {
			have = append(have, raft.Server{ID: raft.ServerID(n)})
		}
		self := string(have[0].ID)
		want := pick(1 + r.IntN(4))
		ready := map[string]bool{}
		for step := 0; ; step++ {
			if step > 100 {
				t.Fatalf("seed %d: no end: have %v, want %v", seed, have, want)
			}
			c := nextChange(have, want, nil, self, func(n string) bool { return ready[n] })
			if c.do == noChange || c.do == notReady {
				waiting := slices.ContainsFunc(want, func(n string) bool { return !ready[n] && !votes(have, n) })
				if waiting != (c.do == notReady) {
					t.Fatalf("seed %d: step %q, have %v, want %v, ready %v", seed, c.do, have, want, ready)
				}
				if !waiting {
					break
				}
				ready[want[r.IntN(len(want))]] = true
				continue
			}
			at := slices.IndexFunc(have, func(s raft.Server) bool { return string(s.ID) == c.node })
			switch c.do {
			case addNonvoter:
				have = append(have, raft.Server{ID: raft.ServerID(c.node), Suffrage: raft.Nonvoter})
			case addVoter:
				have[at].Suffrage = raft.Voter
			case handOver:
				self = c.node
			case demote, remove:
				if slices.ContainsFunc(want, func(n string) bool { return !votes(have, n) }) && have[at].Suffrage == raft.Voter {
					t.Fatalf("seed %d: %v goes before all of %v vote: %v", seed, c.node, want, have)
				}
				have = slices.Delete(have, at, at+1)
			}
		}
		if len(have) != len(want) || slices.ContainsFunc(want, func(n string) bool { return !votes(have, n) }) {
			t.Fatalf("seed %d: have %v, want %v", seed, have, want)
		}
	}
}

func votes(have []raft.Server, name string) bool {
	return slices.ContainsFunc(have, func(s raft.Server) bool { return string(s.ID) == name && s.Suffrage == raft.Voter })
}
