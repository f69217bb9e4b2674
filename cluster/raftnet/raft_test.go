package raftnet

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// member is one node of a group whose state is the list of what was committed.
type member struct {
	name  string
	node  *rpc.MemoryNode
	mux   *Mux
	raft  *raft.Raft
	logs  *raft.InmemStore
	snaps *raft.InmemSnapshotStore
	state *list
}

// list is a state machine.
type list struct {
	mu    sync.Mutex
	items []string
}

func (l *list) Apply(e *raft.Log) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, string(e.Data))
	return nil
}

func (l *list) Snapshot() (raft.FSMSnapshot, error) { return listSnapshot(l.all()), nil }

func (l *list) Restore(r io.ReadCloser) error {
	b, err := io.ReadAll(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = strings.Split(string(b), "\n")
	return err
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.items)
}

type listSnapshot []string

func (s listSnapshot) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write([]byte(strings.Join(s, "\n"))); err != nil {
		return err
	}
	return sink.Close()
}

func (listSnapshot) Release() {}

// group3 is a group of three on a network.
type group3 struct {
	t       *testing.T
	net     *rpc.Memory
	members []*member
}

// withGroup runs a test over a group in virtual time, and at its end heals the network and requires all members to have the
// same state, which it returns to check.
func withGroup(t *testing.T, run func(t *testing.T, g *group3), check func(t *testing.T, state []string)) {
	synctest.Test(t, func(t *testing.T) {
		g := &group3{t: t, net: rpc.NewMemory(clock.Real(), 1)}
		g.net.SetLatency(rpc.Uniform(100*time.Microsecond, 2*time.Millisecond))
		for _, name := range []string{"a", "b", "c"} {
			g.members = append(g.members, &member{name: name, logs: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore()})
		}
		for _, m := range g.members {
			g.start(m)
		}
		must(t, g.members[0].raft.BootstrapCluster(g.configuration()).Error())
		run(t, g)
		g.net.SetBreakRate(0)
		g.net.HealAll()
		for _, m := range g.members {
			if m.raft == nil {
				g.start(m)
			}
		}
		g.apply("the end")
		time.Sleep(30 * time.Second)
		state := g.members[0].state.all()
		for _, m := range g.members {
			if got := m.state.all(); !slices.Equal(got, state) {
				t.Errorf("%s has %d items, %s has %d", m.name, len(got), g.members[0].name, len(state))
			}
			g.stop(m)
		}
		check(t, state)
	})
}

func (g *group3) configuration() raft.Configuration {
	var c raft.Configuration
	for _, m := range g.members {
		c.Servers = append(c.Servers, raft.Server{ID: raft.ServerID(m.name), Address: raft.ServerAddress(m.name)})
	}
	return c
}

func (g *group3) start(m *member) {
	m.node = g.net.Node(m.name)
	m.mux = New(m.node, clock.Real())
	m.state = &list{}
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(m.name)
	conf.Logger = hclog.NewNullLogger()
	conf.SnapshotThreshold, conf.SnapshotInterval, conf.TrailingLogs = 64, 2*time.Second, 16
	var err error
	m.raft, err = raft.NewRaft(conf, m.state, m.logs, m.logs, m.snaps, m.mux.Group(1))
	must(g.t, err)
}

func (g *group3) stop(m *member) {
	must(g.t, m.raft.Shutdown().Error())
	m.mux.Close()
	must(g.t, m.node.Close())
	m.raft = nil
}

// kill ends a member like its process: nothing says goodbye.
func (g *group3) kill(m *member) {
	g.net.Kill(m.name)
	g.stop(m)
}

func (g *group3) leader() *member {
	for range 600 {
		for _, m := range g.members {
			if m.raft != nil && m.raft.State() == raft.Leader && m.raft.VerifyLeader().Error() == nil {
				return m
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	g.t.Fatal("no leader for a minute")
	return nil
}

// apply commits an item, however often that takes, at least once.
func (g *group3) apply(item string) {
	for {
		if err := g.leader().raft.Apply([]byte(item), time.Second).Error(); err == nil {
			return
		} else if errors.Is(err, raft.ErrRaftShutdown) {
			g.t.Fatal(err)
		}
	}
}

// inOrder requires every item from 0 to n-1, each first seen behind the one before.
func inOrder(n int) func(t *testing.T, state []string) {
	return func(t *testing.T, state []string) {
		next := 0
		for _, s := range state {
			if s == fmt.Sprint(next) {
				next++
			}
		}
		if next != n {
			t.Errorf("%d of %d items in order", next, n)
		}
	}
}

func TestRaft(t *testing.T) {
	withGroup(t, func(t *testing.T, g *group3) {
		start := time.Now()
		var work sync.WaitGroup
		leader := g.leader()
		for i := range 100 {
			work.Go(func() { must(t, leader.raft.Apply([]byte(fmt.Sprint("x", i)), 0).Error()) })
		}
		work.Wait()
		for i := range 100 {
			g.apply(fmt.Sprint(i))
		}
		t.Logf("200 entries in %s of virtual time", time.Since(start))
		must(t, leader.raft.LeadershipTransfer().Error())
		if g.leader() == leader {
			t.Error("leadership was not handed over")
		}
	}, inOrder(100))
}

// TestRaftSnapshot: a member that comes back behind the log gets a Raft snapshot.
func TestRaftSnapshot(t *testing.T) {
	withGroup(t, func(t *testing.T, g *group3) {
		leader := g.leader()
		away := g.members[0]
		if away == leader {
			away = g.members[1]
		}
		g.kill(away)
		away.logs, away.snaps = raft.NewInmemStore(), raft.NewInmemSnapshotStore()
		for i := range 300 {
			g.apply(fmt.Sprint(i))
		}
		must(t, leader.raft.Snapshot().Error())
		g.start(away)
		time.Sleep(15 * time.Second)
		if got := away.state.all(); len(got) < 300 {
			t.Errorf("%d items came", len(got))
		}
	}, inOrder(300))
}

// TestRaftCatchUp: a member that was away for a minute, during which raft's own waits grow to ten seconds, is back within one.
func TestRaftCatchUp(t *testing.T) {
	withGroup(t, func(t *testing.T, g *group3) {
		leader := g.leader()
		for _, away := range g.members {
			if away == leader {
				continue
			}
			g.kill(away)
			time.Sleep(time.Minute)
			g.apply("y")
			g.start(away)
			start := time.Now()
			for len(away.state.all()) < len(leader.state.all()) {
				time.Sleep(10 * time.Millisecond)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("%s is back after %s", away.name, took)
			}
		}
	}, inOrder(0))
}

// TestRaftFaults: partitions, deaths, broken streams and doubled messages lose nothing that was acknowledged.
func TestRaftFaults(t *testing.T) {
	for seed := range uint64(4) {
		const n = 150
		withGroup(t, func(t *testing.T, g *group3) {
			rng := rand.New(rand.NewPCG(seed, 1))
			g.net.SetBreakRate(0.001)
			g.net.SetDuplicateRate(ControlMethod, 0.05)
			g.net.SetDuplicateRate(methodAppend, 0.05)
			for i := range n {
				if i%10 == 9 {
					g.fault(rng)
				}
				g.apply(fmt.Sprint(i))
			}
		}, inOrder(n))
	}
}

// fault undoes the last fault and makes another, of one member.
func (g *group3) fault(rng *rand.Rand) {
	g.net.HealAll()
	for _, m := range g.members {
		if m.raft == nil {
			g.start(m)
		}
	}
	m, other := g.members[rng.IntN(3)], g.members[rng.IntN(3)]
	switch rng.IntN(5) {
	case 0:
		g.kill(m)
	case 1:
		g.net.Isolate(m.name)
	case 2:
		g.net.Cut(m.name, other.name)
	case 3:
		g.net.Partition(m.name, other.name)
	case 4:
		g.net.BreakStreams(m.name, "")
	}
}
