package torturecluster

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

var (
	serverFlag = flag.String("server", "", "olapd binary to torture")
	faultsFlag = flag.Int("faults", 8, "how many faults")
	rateFlag   = flag.Int("rate", 300, "Kafka messages a second")
	seedFlag   = flag.Uint64("seed", 0, "of all random choices; 0: a new one")
	mostFlag   = flag.Duration("most", 0, "stop to add faults after so long; 0: never")
)

const (
	// A fault lasts between shortest and longest.
	shortest, longest = 2 * time.Second, 6 * time.Second
	// recovery is how long the cluster may take, after a fault is undone, until every node answers strong reads.
	recovery = 45 * time.Second
	// armedLifetime is how long a node is given to reach its kill point.
	armedLifetime = 4 * time.Second
	// catchUp is how long the last messages may take, on a machine that does much else.
	catchUp = 90 * time.Second
	// linearTime is how long the history of one key may take to be decided.
	linearTime = 5 * time.Second
)

// torture is one run.
type torture struct {
	*testing.T
	r     *rand.Rand
	fleet *fleet
	load  *load
	seen  map[string]next // by spread

	done       map[string]int             // faults by name
	gaps       map[string][]time.Duration // without an acknowledged INSERT, by fault; of faults that hit a leader
	recoveries []time.Duration
	points     int // kill points reached
	violations int
	pending    []fault
}

func TestTortureCluster(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary to torture, -faults how many (make torture-cluster, make torture-cluster-short)")
	}
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	x := &torture{T: t, r: rand.New(rand.NewPCG(seed, 0)), seen: map[string]next{}, done: map[string]int{}, gaps: map[string][]time.Duration{}}
	x.fleet, err = newFleet(t.Context(), *serverFlag, t.TempDir(), shardCount, nodeCount)
	defer func() { x.must(x.fleet.close()) }()
	x.must(err)
	for _, sql := range schema(broker.ListenAddrs()[0]) {
		_, err := rowsOf(t.Context(), x.fleet.nodes[0].at, sql)
		x.must(err)
	}
	x.load = newLoad(x.fleet, seed)
	stop := x.load.start(t.Context(), broker.ListenAddrs()[0], *rateFlag)
	start := time.Now()
	sleep(t.Context(), shortest)
	for i := 0; i < *faultsFlag && x.violations == 0 && (*mostFlag == 0 || time.Since(start) < *mostFlag); i++ {
		x.oneFault(i)
	}
	x.must(stop())
	x.conclude()
	x.figures(time.Since(start))
}

func (x *torture) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// violated says what is wrong.
func (x *torture) violated(when string, bad ...string) {
	for _, b := range bad {
		x.violations++
		x.Errorf("%s: %s", when, b)
	}
}

// next deals out the faults that are possible here, all of them before any comes again.
func (x *torture) next() fault {
	if len(x.pending) == 0 {
		x.pending = slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return f.disk && !x.fleet.nodes[0].mounted })
		x.r.Shuffle(len(x.pending), func(i, j int) { x.pending[i], x.pending[j] = x.pending[j], x.pending[i] })
	}
	f := x.pending[0]
	x.pending = x.pending[1:]
	return f
}

// victim is the leader of a shard, of two faults of three, or any node.
func (x *torture) victim() (n *node, leads bool) {
	leaders, err := x.fleet.leaders(x.Context(), x.fleet.nodes[x.r.IntN(nodeCount)])
	x.must(err)
	n = x.fleet.nodes[x.r.IntN(nodeCount)]
	if len(leaders) > 0 && x.r.IntN(3) > 0 {
		name := leaders[x.r.IntN(len(leaders))]
		n = x.fleet.nodes[slices.IndexFunc(x.fleet.nodes, func(n *node) bool { return n.name == name })]
	}
	return n, slices.Contains(leaders, n.name)
}

// oneFault injects a fault, undoes it, and checks.
func (x *torture) oneFault(i int) {
	fault := x.next()
	n, leads := x.victim()
	when := fmt.Sprintf("fault %d, %s at %s (leads: %t)", i+1, fault.name, n.name, leads)
	start := time.Now()
	x.load.watch(n)
	undo, err := fault.inject(x.fleet, n, x.r)
	if err != nil {
		x.violated(when, err.Error())
		return
	}
	sleep(x.Context(), shortest+time.Duration(x.r.Int64N(int64(longest-shortest))))
	if err := undo(); err != nil {
		x.violated(when, err.Error())
	}
	healed := time.Now()
	x.revive(n, fault, when)
	if bad := x.recovered(healed); bad != nil {
		x.violated(when, bad...)
		return
	}
	gap := x.load.longestGap()
	if leads {
		x.gaps[fault.name] = append(x.gaps[fault.name], gap)
	}
	x.load.watch()
	x.done[fault.name]++
	x.check(when)
	x.Logf("%s: %s, recovered in %s, longest time without an acknowledged INSERT %s", when, time.Since(start).Round(time.Millisecond),
		x.recoveries[len(x.recoveries)-1].Round(time.Millisecond), gap.Round(time.Millisecond))
}

// revive starts a node that a fault has ended, and no other.
func (x *torture) revive(n *node, fault fault, when string) {
	for _, o := range x.fleet.nodes {
		if p := panicked(o.server().Log()); p != "" {
			x.violated(when, o.name+" panicked:\n"+p)
		}
	}
	if !n.dead() {
		return
	}
	if n.server().Exit() > 0 {
		x.violated(when, fmt.Sprintf("%s ended by itself with code %d; its log ends:\n%s", n.name, n.server().Exit(), tail(n.server().Log())))
	}
	if fault.armed {
		x.must(x.fleet.start(n, nil, killPoint(x.r)))
		select {
		case <-n.server().Ended():
			x.points++
		case <-time.After(armedLifetime):
			n.server().Stop()
		}
	}
	x.must(x.fleet.start(n, nil))
}

// recovered waits until every node answers strong reads of all shards.
func (x *torture) recovered(since time.Time) []string {
	for _, n := range x.fleet.nodes {
		for {
			ctx, cancel := context.WithTimeout(x.Context(), recovery)
			_, err := rowsStrong(ctx, n.at, "SELECT (SELECT count() FROM events_keyed), (SELECT count() FROM events_plain)")
			cancel()
			if err == nil {
				break
			}
			if n.dead() {
				return []string{fmt.Sprintf("%s ended by itself with code %d; its log ends:\n%s", n.name, n.server().Exit(), tail(n.server().Log()))}
			}
			if time.Since(since) > recovery {
				return []string{fmt.Sprintf("%s does not answer a strong read %s after the fault was undone: %v; its log ends:\n%s", n.name, recovery, err, tail(n.server().Log()))}
			}
			sleep(x.Context(), 20*time.Millisecond)
		}
	}
	x.recoveries = append(x.recoveries, time.Since(since))
	return nil
}

// check asks every node.
func (x *torture) check(when string) {
	ctx, cancel := context.WithTimeout(x.Context(), 2*time.Minute)
	defer cancel()
	for _, n := range x.fleet.nodes {
		bad, err := x.checkNode(ctx, n, strongly, false)
		if err != nil {
			bad = append(bad, "a check failed: "+err.Error())
		}
		x.violated(when+", asked of "+n.name, bad...)
	}
	bad, err := x.checkSchemas(ctx)
	x.must(err)
	x.violated(when, bad...)
}

// conclude waits until all is consumed, and checks all of it on every node.
func (x *torture) conclude() {
	ctx, cancel := context.WithTimeout(x.Context(), 2*catchUp)
	defer cancel()
	sent := x.load.sent.Load()
	for _, s := range spreads {
		sql := "SELECT count(), uniqExact(id), max(id) FROM events_" + s.name
		want := []string{strconv.FormatInt(sent, 10), strconv.FormatInt(sent, 10), strconv.FormatInt(sent, 10)}
		var rows [][]string
		var err error
		for end := time.Now().Add(catchUp); time.Now().Before(end); sleep(ctx, 200*time.Millisecond) {
			if rows, err = rowsStrong(ctx, x.fleet.nodes[0].at, sql); err == nil && slices.Equal(rows[0], want) {
				break
			}
		}
		if err != nil || !slices.Equal(rows[0], want) {
			x.violated("at the end", fmt.Sprintf("events_%s has (rows, different messages, last) %q for %d messages (%v)", s.name, rows, sent, err))
		}
	}
	for _, n := range x.fleet.nodes {
		for name, ask := range map[string]ask{"strongly": strongly, "locally": locally} {
			bad, err := x.checkNode(ctx, n, ask, true)
			x.must(err)
			x.violated("at the end, "+name+" asked of "+n.name, bad...)
		}
	}
	bad, err := x.checkSchemas(ctx)
	x.must(err)
	x.violated("at the end", bad...)
	v := x.load.lin.Check(linearTime)
	x.violated("the history of inserts and strong reads is not linearizable", v.Bad...)
	x.Logf("%s", v)
}

// figures prints what was done and measured.
func (x *torture) figures(took time.Duration) {
	total := 0
	for _, n := range x.done {
		total += n
	}
	x.Logf("%d faults in %s: %v; %d of the nodes died at kill points; %d violations", total, took.Round(time.Second), x.done, x.points, x.violations)
	if !x.fleet.nodes[0].mounted {
		x.Logf("no disk was filled: a file system of its own for each node needs the right to mount")
	}
	var all []time.Duration
	for _, name := range slices.Sorted(maps.Keys(x.gaps)) {
		x.Logf("longest time without an acknowledged INSERT, at a leader, %s: %s", name, quantiles(x.gaps[name]))
		all = append(all, x.gaps[name]...)
	}
	x.Logf("write gap over all faults at leaders: %s; from the end of a fault to strong reads on all nodes: %s", quantiles(all), quantiles(x.recoveries))
	l := x.load
	l.mu.Lock()
	defer l.mu.Unlock()
	x.Logf("%d messages, %d and %d INSERTs with tokens, %d tries that failed", l.sent.Load(), len(l.mu.inserts["plain"]), len(l.mu.inserts["keyed"]), l.mu.retries)
	x.Logf("%d of %d reads failed at nodes without a fault of their own (last: %v), %d of %d at those with one", l.mu.readErrors, l.mu.reads, l.mu.readError, l.mu.hitErrors, l.mu.hitReads)
}

// quantiles sorts and describes times.
func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(len(d)-1, int(q*float64(len(d))))].Round(time.Millisecond)
	}
	return fmt.Sprintf("p50 %s, p99 %s of %d", at(0.5), at(0.99), len(d))
}
