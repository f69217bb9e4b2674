package node

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/vfs"
	"github.com/olapd/olapd/test/linear"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

var (
	simFor     = flag.Duration("sim", time.Minute, "virtual time to simulate a cluster for")
	simSeed    = flag.Uint64("sim.seed", 1, "of the first simulated cluster")
	simWithout = flag.String("sim.without", "", "fences to switch off, such as token,cursor: see cluster.Config.SwitchOff")
	simNotice  = flag.Int("sim.notice", 0, "runs for each fence that is switched off, the one that is noticed seldom among them; 0: few, without it")
	simLives   = flag.Duration("sim.life", 3*time.Minute, "virtual time that one simulated cluster lives for")
)

// simTotals is what happened.
type simTotals struct {
	crashes, isolations, oneWays, broken, slow, full, sluggish, restarts, swings int
	acked, unknown, retries                                                      int
	rows                                                                         int64
	lost, doubled, other                                                         int
	checks                                                                       int
	reads, moves, growths                                                        int // meanwhile
	fed                                                                          int // growths of a table that Kafka feeds
	history                                                                      linear.Verdict
}

func (a *simTotals) add(b simTotals) {
	a.crashes, a.isolations, a.oneWays, a.broken, a.slow = a.crashes+b.crashes, a.isolations+b.isolations, a.oneWays+b.oneWays, a.broken+b.broken, a.slow+b.slow
	a.sluggish += b.sluggish
	a.full, a.restarts, a.swings, a.checks = a.full+b.full, a.restarts+b.restarts, a.swings+b.swings, a.checks+b.checks
	a.reads, a.moves, a.growths, a.fed = a.reads+b.reads, a.moves+b.moves, a.growths+b.growths, a.fed+b.fed
	a.acked, a.unknown, a.retries, a.rows = a.acked+b.acked, a.unknown+b.unknown, a.retries+b.retries, a.rows+b.rows
	a.lost, a.doubled, a.other = a.lost+b.lost, a.doubled+b.doubled, a.other+b.other
	h := &a.history
	h.Inserts, h.Unknown, h.Reads, h.Keys = h.Inserts+b.history.Inserts, h.Unknown+b.history.Unknown, h.Reads+b.history.Reads, h.Keys+b.history.Keys
	h.Undecided, h.Bad = h.Undecided+b.history.Undecided, append(h.Bad, b.history.Bad...)
}

func (a simTotals) String() string {
	return fmt.Sprintf("%d crashes, %d clean restarts, %d isolations, %d links cut one way, %d times all streams broken, %d slow networks, %d full disks, %d slow disks, %d times leaders isolated in turn; "+
		"%d inserts acknowledged, %d unknown outcomes, %d retries, %d rows committed, %d moves between shards, %d times a table grew, %d of these one that Kafka feeds; %d reads meanwhile, %d checks: %d lost, %d doubled, %d other violations; %s",
		a.crashes, a.restarts, a.isolations, a.oneWays, a.broken, a.slow, a.full, a.sluggish, a.swings, a.acked, a.unknown, a.retries, a.rows, a.moves, a.growths, a.fed, a.reads, a.checks, a.lost, a.doubled, a.other, a.history)
}

// TestSimulatedCluster runs clusters of three nodes in virtual time, with a Kafka broker, clients that retry, crashes that tear what was not
// synced, partitions, slow networks and full disks, and holds what they answer against what was written.
func TestSimulatedCluster(t *testing.T) {
	var mu sync.Mutex
	var all simTotals
	lived, start := time.Duration(0), time.Now()
	t.Run("clusters", func(t *testing.T) { // as many at once as there are processors
		for begin := time.Duration(0); begin < *simFor; begin += *simLives {
			seed, life := *simSeed+uint64(begin / *simLives), min(*simLives, *simFor-begin)
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				mu.Lock()
				failed := all.lost+all.doubled+all.other > 0
				mu.Unlock()
				if failed {
					return // the first that fails is enough to look at
				}
				r := runSim(t, seed, life, strings.FieldsFunc(*simWithout, func(r rune) bool { return r == ',' })...)
				for _, b := range r.bad {
					t.Error(b)
				}
				mu.Lock()
				defer mu.Unlock()
				all.add(r.totals)
				lived += life
			})
		}
	})
	t.Logf("%s of virtual time in %s: %s", lived, time.Since(start).Round(time.Second), all)
}

// TestSimulationNotices switches the fences off, one at a time: a simulation that sees nothing of that would prove nothing.
func TestSimulationNotices(t *testing.T) {
	const life = 3 * time.Minute
	fences, runs := simFences, 8
	if *simNotice > 0 {
		fences, runs = append(fences, simSeldom...), *simNotice
	}
	for _, fence := range fences {
		t.Run(fence, func(t *testing.T) {
			t.Parallel()
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

// simFences are the fences without which a short simulation goes wrong. Those of terms and their beginnings show sooner in cluster
// (TestSegmentsThroughCrashesIsNoticed).
var simFences = []string{"token", "staging", "orphans", "moves"}

// simSeldom are fences of which a simulation in many notices that they are missing: of Kafka's cursors, which the model in cluster sees each time
// (TestInvariants), and of commits that come late to a table that has grown, which TestLateCommitsAreFenced sees each time.
var simSeldom = []string{"cursor", "hold"}

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

	idle    int // ms at most between what a client does: most of what a virtual hour costs is what they ask for
	rests   int // ms at most between moves of rows
	pauses  int // one proposal of so many stands still
	refeeds int // one operation of so many makes a feed anew
	// grows: shards are added, and tables with a sharding key come to lie on them.
	grows bool
}

// runSim simulates one cluster, without some fences, in a bubble of its own.
func runSim(t *testing.T, seed uint64, life time.Duration, without ...string) (run *simRun) {
	synctest.Test(t, func(t *testing.T) {
		run = &simRun{t: t, r: rand.New(rand.NewPCG(seed, 1)), seed: seed, life: life, idle: 2400, rests: 4000, pauses: 50, refeeds: 4}
		run.grows = seed%2 == 0 && len(without) == 0 || slices.Contains(without, "hold")
		if len(without) > 0 { // the moments that a fence is for come more often
			run.idle, run.rests, run.pauses, run.refeeds = 300, 2000, 12, 2
		}
		run.do(without)
	})
	return run
}

func (x *simRun) do(without []string) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(x.kafka.Listen), kfake.SeedTopics(simPartitions, simTopic),
		kfake.MaxVersions(withoutTelemetry()))
	if err != nil {
		x.t.Fatal(err)
	}
	defer broker.Close()
	x.broker = broker
	x.s = &several{t: x.t, net: rpc.NewMemory(clock.Real(), x.seed), disks: map[string]*vfs.Mem{}, nodes: map[string]*Node{}}
	x.s.net.SetLatency(simLatency)
	x.s.tune = func(c *Config) {
		c.fences, c.kafkaDial, c.LogFile, c.SnapshotLog, c.logRows, c.pause = without, x.kafka.DialContext, 64<<10, 128<<10, simLogRows, x.pause
		c.commitInterval, c.Settings = simCommitInterval, map[string]string{"max_threads": "1"} // nodes are what is to run beside each other here
	}
	defer time.Sleep(longestPause) // what is paused is in no hurry
	defer x.s.close()
	replicas := 3
	if x.grows { // rows are looked for where they belong only if they are not all at hand
		replicas = 2
	}
	x.s.found(3, simShards, replicas)
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

// withoutTelemetry is what a broker can do that does not ask its clients for their metrics: they compress them at every end of a session.
func withoutTelemetry() *kversion.Versions {
	v := kversion.Stable()
	for _, key := range []int16{71, 72} { // GetTelemetrySubscriptions, PushTelemetry
		v.SetMaxKeyVersion(key, -1)
	}
	return v
}

const (
	simShards = 2
	// simLogRows is what an INSERT of more bytes becomes segments for.
	simLogRows = 2 << 10
	// simCommitInterval keeps a third of what raft's messages cost, and has replicas be behind by more than elsewhere.
	simCommitInterval = 200 * time.Millisecond
)

var simLatency = rpc.Uniform(time.Millisecond, 5*time.Millisecond)

// healthy is how long a cluster has, in virtual time, until it serves again after all faults are undone.
const healthy = 2 * time.Minute

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
			x.violated("events_%s has (rows, messages) %q of %s messages: %s", kind, got, sent, x.consumption(kind))
		}
	}
	x.check(true)
	x.totals.rows = int64(2 * x.load.sent)
	x.totals.history = x.load.lin.Check(time.Second)
	for _, b := range x.totals.history.Bad {
		x.violated("not linearizable: %s", b)
	}
}

// consumption is what is known of how a Kafka table is consumed.
func (x *simRun) consumption(kind string) string {
	var b strings.Builder
	for name, n := range x.s.nodes {
		c := n.cluster.Meta().Catalog()
		queue, target := c.Table("default", "queue_"+kind), c.Table("default", "events_"+kind)
		fmt.Fprintf(&b, "\n%s: catalog %d, fed by a view: %t, stopped for %d at %v, grown %d with %v, grown %+v, growths %+v", name, c.Version, c.Table("default", "feed_"+kind) != nil,
			queue.StoppedFor, queue.Stops, target.SpreadBefore, target.SpreadWith, n.cluster.Topology().Grown, n.cluster.Topology().Growths)
		for _, shard := range n.cluster.Shards() {
			term, leads := shard.Leader()
			fmt.Fprintf(&b, "\n  shard %d at %d of term %d, leads: %t, %v", shard.ID(), shard.Applied(), term, leads, shard.Cursors(queue.ID).Cursors)
		}
		for _, g := range n.cluster.Status() {
			fmt.Fprintf(&b, "\n  %+v", g)
		}
	}
	return b.String()
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
