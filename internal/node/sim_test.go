package node

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/test/linear"
	"github.com/twmb/franz-go/pkg/kfake"
)

var (
	simFor     = flag.Duration("sim", time.Minute, "virtual time to simulate a cluster for")
	simSeed    = flag.Uint64("sim.seed", 1, "of the first simulated cluster")
	simWithout = flag.String("sim.without", "", "fences to switch off, such as term,cursor")
	simLives   = flag.Duration("sim.life", 5*time.Minute, "virtual time that one simulated cluster lives for")
)

// simTotals is what happened.
type simTotals struct {
	crashes, isolations, oneWays, broken, slow, full, restarts int
	acked, unknown, retries                                    int
	rows                                                       int64
	lost, doubled, other                                       int
	checks                                                     int
	reads, moves                                               int // meanwhile
	history                                                    linear.Verdict
}

func (a *simTotals) add(b simTotals) {
	a.crashes, a.isolations, a.oneWays, a.broken, a.slow = a.crashes+b.crashes, a.isolations+b.isolations, a.oneWays+b.oneWays, a.broken+b.broken, a.slow+b.slow
	a.full, a.restarts, a.checks = a.full+b.full, a.restarts+b.restarts, a.checks+b.checks
	a.reads, a.moves = a.reads+b.reads, a.moves+b.moves
	a.acked, a.unknown, a.retries, a.rows = a.acked+b.acked, a.unknown+b.unknown, a.retries+b.retries, a.rows+b.rows
	a.lost, a.doubled, a.other = a.lost+b.lost, a.doubled+b.doubled, a.other+b.other
	h := &a.history
	h.Inserts, h.Unknown, h.Reads, h.Keys = h.Inserts+b.history.Inserts, h.Unknown+b.history.Unknown, h.Reads+b.history.Reads, h.Keys+b.history.Keys
	h.Undecided, h.Bad = h.Undecided+b.history.Undecided, append(h.Bad, b.history.Bad...)
}

func (a simTotals) String() string {
	return fmt.Sprintf("%d crashes, %d clean restarts, %d isolations, %d links cut one way, %d times all streams broken, %d slow networks, %d full disks; "+
		"%d inserts acknowledged, %d unknown outcomes, %d retries, %d rows committed, %d moves between shards; %d reads meanwhile, %d checks: %d lost, %d doubled, %d other violations; %s",
		a.crashes, a.restarts, a.isolations, a.oneWays, a.broken, a.slow, a.full, a.acked, a.unknown, a.retries, a.rows, a.moves, a.reads, a.checks, a.lost, a.doubled, a.other, a.history)
}

// TestSimulatedCluster runs clusters of three nodes in virtual time, with a Kafka broker, clients that retry, crashes that tear what was not
// synced, partitions, slow networks and full disks, and holds what they answer against what was written.
func TestSimulatedCluster(t *testing.T) {
	var all simTotals
	start := time.Now()
	lived := time.Duration(0)
	for seed := *simSeed; lived < *simFor && !t.Failed(); seed++ {
		life := min(*simLives, *simFor-lived)
		r := runSim(t, seed, life, strings.FieldsFunc(*simWithout, func(r rune) bool { return r == ',' })...)
		for _, b := range r.bad {
			t.Errorf("seed %d: %s", seed, b)
		}
		all.add(r.totals)
		lived += life
	}
	t.Logf("%s of virtual time in %s: %s", lived, time.Since(start).Round(time.Second), all)
}

// TestSimulationNotices switches the fences off, one at a time: a simulation that sees nothing of that would prove nothing.
func TestSimulationNotices(t *testing.T) {
	const runs, life = 4, 3 * time.Minute
	for _, fence := range simFences {
		t.Run(fence, func(t *testing.T) {
			for seed := range uint64(runs) {
				if r := runSim(t, *simSeed+seed, life, fence); len(r.bad) > 0 {
					t.Logf("run %d, without %s: %s", seed+1, fence, r.bad[0])
					return
				}
			}
			t.Errorf("%d runs without the fence %s found nothing", runs, fence)
		})
	}
}

// simFences are the fences without which a short simulation goes wrong.
var simFences = []string{"token", "moves"}

// simRun is one simulated cluster.
type simRun struct {
	t      *testing.T
	r      *rand.Rand // of the nemesis
	seed   uint64
	life   time.Duration
	s      *several
	kafka  kfake.VirtualNetwork
	broker *kfake.Cluster
	load   *simLoad
	totals simTotals
	bad    []string
}

// runSim simulates one cluster, without some fences, in a bubble of its own.
func runSim(t *testing.T, seed uint64, life time.Duration, without ...string) (run *simRun) {
	synctest.Test(t, func(t *testing.T) {
		run = &simRun{t: t, r: rand.New(rand.NewPCG(seed, 1)), seed: seed, life: life}
		run.do(without)
	})
	return run
}

func (x *simRun) do(without []string) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(x.kafka.Listen), kfake.SeedTopics(simPartitions, simTopic))
	if err != nil {
		x.t.Fatal(err)
	}
	defer broker.Close()
	x.broker = broker
	x.s = &several{t: x.t, net: rpc.NewMemory(clock.Real(), x.seed), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
	x.s.net.SetLatency(simLatency)
	x.s.tune = func(c *Config) {
		c.fences, c.kafkaDial, c.LogFile, c.SnapshotLog = without, x.kafka.DialContext, 256<<10, 256<<10
	}
	defer x.s.close()
	x.s.found(3, 2, 3)
	for _, sql := range simSchema(broker.ListenAddrs()[0]) {
		must(x.t, x.s.nodes["node-1"], sql)
	}
	x.load = newSimLoad(x)
	stop := x.load.start()
	for end := time.Now().Add(x.life); time.Now().Before(end) && len(x.bad) == 0; {
		x.oneFault()
		x.check(false)
		x.moved()
	}
	stop()
	x.conclude()
	x.moved()
	x.load.total(&x.totals)
}

var simLatency = rpc.Uniform(time.Millisecond, 5*time.Millisecond)

// healthy is how long a cluster has, in virtual time, until it serves again after all faults are undone.
const healthy = 2 * time.Minute

// oneFault makes something happen to a node, waits, and undoes it.
func (x *simRun) oneFault() {
	names := []string{"node-1", "node-2", "node-3"}
	victim := names[x.r.IntN(3)]
	if leader, err := x.s.nodes[names[x.r.IntN(3)]].shards.leaderOf(x.t.Context(), 1+x.r.Uint64N(2)); err == nil && x.r.IntN(2) == 0 {
		victim = leader
	}
	other := names[(slices.Index(names, victim)+1+x.r.IntN(2))%3]
	dead := false
	switch x.r.IntN(9) {
	case 0, 1, 2:
		x.crash(victim)
		dead = true
		x.totals.crashes++
	case 3:
		x.load.leave(victim)
		x.s.stop(victim)
		dead = true
		x.totals.restarts++
	case 4:
		x.s.net.Isolate(victim)
		x.totals.isolations++
	case 5:
		x.s.net.Cut(victim, other)
		x.totals.oneWays++
	case 6:
		x.s.net.BreakStreams(victim, "")
		x.totals.broken++
	case 7:
		x.s.net.SetLatency(rpc.Uniform(20*time.Millisecond, 200*time.Millisecond))
		x.totals.slow++
	case 8:
		x.s.disks[victim].SetCapacity(1)
		x.totals.full++
	}
	time.Sleep(time.Duration(500+x.r.IntN(9000)) * time.Millisecond)
	x.s.net.HealAll()
	x.s.net.SetLatency(simLatency)
	if dead {
		x.revive(victim)
	} else {
		x.s.disks[victim].SetCapacity(math.MaxInt64)
	}
	time.Sleep(time.Duration(x.r.IntN(3000)) * time.Millisecond)
}

// crash takes a node's power away: of what it had not synced, some is gone or torn.
func (x *simRun) crash(name string) {
	x.load.leave(name)
	policies := []vfs.CrashPolicy{vfs.KeepUnsynced, vfs.DropUnsynced, vfs.TearUnsynced}
	after := x.s.disks[name].Crash(policies[x.r.IntN(len(policies))], x.r.Uint64())
	x.s.disks[name].CrashAt(0)
	x.s.net.Kill(name)
	_ = x.s.nodes[name].Close() // its disk is gone
	delete(x.s.nodes, name)
	x.s.disks[name] = after
}

// revive starts a node again.
func (x *simRun) revive(name string) {
	n, err := x.s.open(name)
	if err != nil {
		x.violated("%s does not start again: %v", name, err)
		return
	}
	x.s.nodes[name] = n
	x.load.come(name, n)
}

func (x *simRun) violated(format string, args ...any) {
	x.bad = append(x.bad, fmt.Sprintf(format, args...))
	x.totals.other++
}

// ask asks a node with a strong read or without, until it answers.
func (x *simRun) ask(n *Node, sql string, strong bool) [][]string {
	setting := "0"
	if strong {
		setting = "1"
	}
	var err error
	for end := time.Now().Add(healthy); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var rows [][]string
		if rows, err = simRows(x.t.Context(), n, sql, "select_sequential_consistency", setting); err == nil {
			return rows
		}
	}
	if len(x.bad) == 0 {
		for name, n := range x.s.nodes {
			x.t.Logf("%s: %d nodes in its topology, %+v", name, len(n.cluster.Topology().Nodes), n.cluster.Status())
		}
	}
	x.violated("%s does not answer %s after %s: %v", n.cfg.node, sql, healthy, err)
	return nil
}

// check holds what all nodes answer against what was written. whole: nobody writes any more.
func (x *simRun) check(whole bool) {
	for _, name := range []string{"node-1", "node-2", "node-3"} {
		for _, strong := range []bool{true, false} {
			if len(x.bad) > 0 || !strong && !whole || x.s.nodes[name] == nil {
				continue
			}
			x.checkNode(x.s.nodes[name], strong, whole)
		}
	}
	x.totals.checks++
}

// conclude waits until all messages are consumed, then checks everything, and the history.
func (x *simRun) conclude() {
	if len(x.bad) > 0 {
		return
	}
	sent := fmt.Sprint(x.load.sent)
	n := x.s.nodes["node-1"]
	for _, kind := range simSpreads {
		want := [][]string{{sent, sent}}
		sql := "SELECT count(), uniqExact(id) FROM events_" + kind
		for end := time.Now().Add(healthy); time.Now().Before(end) && !slices.EqualFunc(x.ask(n, sql, true), want, slices.Equal); time.Sleep(time.Second) {
		}
		if got := x.ask(n, sql, true); !slices.EqualFunc(got, want, slices.Equal) {
			x.violated("events_%s has (rows, messages) %q of %s messages", kind, got, sent)
		}
	}
	x.check(true)
	x.totals.rows = int64(2 * x.load.sent)
	x.totals.history = x.load.lin.Check(time.Second)
	for _, b := range x.totals.history.Bad {
		x.violated("not linearizable: %s", b)
	}
}

// simRows runs a query and splits its answer.
func simRows(ctx context.Context, n *Node, sql string, settings ...string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return rowsIn(ctx, n, sql, settings...)
}

// TestDataDirectoryIsDurable: a new node whose power fails is there again, with what it had acknowledged.
func TestDataDirectoryIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &several{t: t, net: rpc.NewMemory(clock.Real(), 1), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
		defer s.close()
		must(t, s.start("node-1"), "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
		after := s.disks["node-1"].Crash(vfs.DropUnsynced, 1)
		s.stop("node-1")
		s.disks["node-1"] = after
		must(t, s.start("node-1"), "INSERT INTO t VALUES (1)")
	})
}
