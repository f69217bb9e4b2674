package torturecluster

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/test/olapd"
	"github.com/twmb/franz-go/pkg/kfake"
)

var oldFlag = flag.String("old", "", "olapd binary of an earlier build, to upgrade from")

const (
	// No node has a replica of every shard, so that statements are run on several nodes.
	upgradeShards, upgradeReplicas = 3, 2
	// upgradeGap is the longest time without an acknowledged INSERT that the replacement of a binary may cost: a start, while shards have one of two replicas, or the
	// two seconds that a client waits for a node which does not answer.
	upgradeGap = 8 * time.Second
	// risePatience is how long the level may take to rise after the last node has its new build.
	risePatience = 30 * time.Second
	// statementPatience is how long a statement may take, on a machine that does much else.
	statementPatience = 20 * time.Second
	// refusal is how long an old build may take to end at what a newer one has used.
	refusal = 30 * time.Second
)

// upgrade is one run.
type upgrade struct {
	*torture
	old, new string
	want     []string // answers to steady
	changed  int      // runs of changing
	stops    int      // of nodes
	longest  time.Duration
}

// TestUpgrade replaces the binary of a cluster's nodes, one after the other, while Kafka and clients write and read: nothing is lost, doubled or refused beyond
// the failover time, one node goes back and forth, and the cluster's feature level rises when the last has the new build.
func TestUpgrade(t *testing.T) {
	if *serverFlag == "" || *oldFlag == "" {
		t.Skip("not run: -server=PATH names the new olapd binary, -old=PATH the old one (make test-upgrade)")
	}
	broker, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic))
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	seed := uint64(time.Now().UnixNano())
	x := &upgrade{torture: &torture{T: t, r: rand.New(rand.NewPCG(seed, 0)), seen: map[string]next{}}, old: *oldFlag, new: *serverFlag}
	x.fleet, err = newFleet(t.Context(), x.old, t.TempDir(), upgradeShards, upgradeReplicas)
	defer func() { x.must(x.fleet.close()) }()
	x.must(err)
	for _, sql := range slices.Concat(schema(broker.ListenAddrs()[0]), steadySchema()) {
		_, err := rowsOf(t.Context(), x.fleet.nodes[0].at, sql)
		x.must(err)
	}
	x.load = newLoad(x.fleet, seed)
	stop := x.load.start(t.Context(), broker.ListenAddrs()[0], *rateFlag)
	x.statements("all old")

	n := x.fleet.nodes
	x.replace(n[0], x.new)
	x.replace(n[0], x.old) // the way back, before the level rises
	x.replace(n[0], x.new)
	x.replace(n[1], x.new)
	x.levels([]string{n[0].name, n[1].name}, feature.Current, 0)
	x.restores("rewritten", n[1], "2")
	x.replace(n[2], x.new)
	x.risen()
	x.restores("adopted", n[1], "1")
	x.refusesOld(n[2])
	x.statements("all new")
	x.refusesOldToJoin()

	x.must(stop())
	x.conclude()
	l := x.load
	if most := x.stops * readers; l.mu.readErrors > most { // those of which the node that was stopped was answering a part
		t.Errorf("%d of %d reads failed at nodes that were not being replaced, the last with %v; %d were under way at most when a node was stopped", l.mu.readErrors, l.mu.reads, l.mu.readError, most)
	}
	t.Logf("longest time without an acknowledged INSERT: %s; %d messages, %d and %d INSERTs with tokens, %d tries that failed; %d reads failed of %d at nodes that were being replaced, %d of %d at others; %d violations",
		x.longest.Round(time.Millisecond), l.sent.Load(), len(l.mu.inserts["plain"]), len(l.mu.inserts["keyed"]), l.mu.retries, l.mu.hitErrors, l.mu.hitReads, l.mu.readErrors, l.mu.reads, x.violations)
}

// replace restarts a node with another binary, as an operator does, and checks the cluster when it is whole again.
func (x *upgrade) replace(n *node, binary string) {
	x.Helper()
	when := fmt.Sprintf("%s gets the %s build", n.name, x.name(binary))
	x.load.watch(n)
	start := time.Now()
	x.stop(n)
	n.binary = binary
	x.must(x.fleet.start(n, nil))
	if bad := x.recovered(time.Now()); bad != nil {
		x.violated(when, bad...)
		x.FailNow()
	}
	gap := x.load.longestGap()
	x.longest = max(x.longest, gap)
	if gap > upgradeGap {
		x.violated(when, fmt.Sprintf("no INSERT was acknowledged for %s", gap))
	}
	took := time.Since(start)
	x.load.watch()
	x.check(when)
	x.statements(when)
	x.Logf("%s: %s until strong reads on all nodes, longest time without an acknowledged INSERT %s", when, took.Round(time.Millisecond), gap.Round(time.Millisecond))
}

// stop ends a node's process in order.
func (x *upgrade) stop(n *node) {
	x.Helper()
	x.stops++
	_, err := quit(x.fleet, n, x.r)
	x.must(err)
}

func (x *upgrade) name(binary string) string {
	if binary == x.old {
		return "old"
	}
	return "new"
}

// statements runs each of steady on every node, and those of changing on one node after the other.
func (x *upgrade) statements(when string) {
	x.Helper()
	for _, n := range x.fleet.nodes {
		for i, sql := range steady {
			rows, err := x.ask(n, sql)
			got := fmt.Sprint(rows)
			if len(x.want) == i {
				x.must(err)
				x.want = append(x.want, got)
			}
			if err != nil {
				x.violated(when+", asked of "+n.name, fmt.Sprintf("%s: %v", sql, err))
				continue
			}
			if got != x.want[i] {
				x.violated(when+", asked of "+n.name, fmt.Sprintf("%s\ngives %s\nnot   %s", sql, got, x.want[i]))
			}
		}
	}
	x.changed++
	at := x.fleet.nodes[x.changed%nodeCount]
	for _, sql := range named(fmt.Sprint("changed", x.changed), changing) {
		if _, err := x.ask(at, sql); err != nil {
			x.violated(when+", at "+at.name, fmt.Sprintf("%s: %v", sql, err))
		}
	}
	if x.violations > 0 {
		x.FailNow() // what comes next follows from it
	}
}

// ask runs a statement at a node, for statementPatience.
func (x *upgrade) ask(n *node, sql string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(x.Context(), statementPatience)
	defer cancel()
	return rowsOf(ctx, n.at, sql)
}

// levels holds what the last node of the names says of levels against what is expected of all of them, and of the cluster.
func (x *upgrade) levels(names []string, own, cluster feature.Level) {
	x.Helper()
	var rows [][]string
	var err error
	want := fmt.Sprintf("[[%d %d]]", own, cluster)
	sql := fmt.Sprintf("SELECT DISTINCT feature_level, cluster_feature_level FROM system.nodes WHERE name IN ('%s')", strings.Join(names, "', '"))
	at := x.fleet.nodes[slices.IndexFunc(x.fleet.nodes, func(n *node) bool { return n.name == names[len(names)-1] })]
	for end := time.Now().Add(risePatience); time.Now().Before(end); sleep(x.Context(), 100*time.Millisecond) {
		if rows, err = rowsOf(x.Context(), at.at, sql); err == nil && fmt.Sprint(rows) == want {
			return
		}
	}
	x.violated("levels", fmt.Sprintf("%s says that %v have (level, the cluster's) %v instead of %s (%v)", at.name, names, rows, want, err))
}

// restores restores a table at a node, and holds against what is expected how many different files it and the original have: RESTORE takes files over once the level is
// risen, and not before.
func (x *upgrade) restores(name string, at *node, files string) {
	x.Helper()
	var rows [][]string
	for _, sql := range named(name, restoring) {
		var err error
		if rows, err = x.ask(at, sql); err != nil {
			x.violated("a restore at "+at.name, err.Error())
			return
		}
	}
	if rows[0][0] != files {
		x.violated("a restore at "+at.name, fmt.Sprintf("%s and the original have %s different files, not %s", name, rows[0][0], files))
	}
}

// risen waits until every node knows of the new level.
func (x *upgrade) risen() {
	x.Helper()
	all := []string{"node-1", "node-2", "node-3"}
	for i := range all {
		x.levels(append(slices.Clone(all[i:]), all[:i]...), feature.Current, feature.Current)
	}
}

// refusesOld starts the old build at a node whose data is of a higher level: it ends by itself, and the new one goes on.
func (x *upgrade) refusesOld(n *node) {
	x.Helper()
	x.load.watch(n)
	x.stop(n)
	n.binary = x.old
	x.must(x.fleet.start(n, nil))
	select {
	case <-n.server().Ended():
		if n.server().Exit() != 1 {
			x.violated("an old build at a higher level", fmt.Sprintf("it ended with code %d; its log ends:\n%s", n.server().Exit(), tail(n.server().Log())))
		}
	case <-time.After(refusal):
		x.violated("an old build at a higher level", "it goes on; its log ends:\n"+tail(n.server().Log()))
		n.server().Stop()
	}
	n.binary = x.new
	x.must(x.fleet.start(n, nil))
	if bad := x.recovered(time.Now()); bad != nil {
		x.violated("back from an old build", bad...)
		x.FailNow()
	}
	x.load.watch()
	x.check("back from an old build")
	x.risen()
}

// refusesOldToJoin lets a node of the old build ask to join.
func (x *upgrade) refusesOldToJoin() {
	x.Helper()
	rows, err := rowsOf(x.Context(), x.fleet.nodes[0].at, "SYSTEM CLUSTER TOKEN")
	x.must(err)
	http, err := olapd.FreeAddress()
	x.must(err)
	listen, err := olapd.FreeAddress()
	x.must(err)
	join := func(binary string) *olapd.Server {
		srv, err := olapd.Launch(binary, x.TempDir(), http, []string{"--cluster", listen, "--join", x.fleet.nodes[0].front, "--token", rows[0][0]})
		x.must(err)
		x.Cleanup(srv.Stop)
		return srv
	}
	old := join(x.old)
	select {
	case <-old.Ended():
	case <-time.After(refusal):
	}
	if want := "feature level 0, and the cluster is at level " + strconv.Itoa(int(feature.Current)); !strings.Contains(old.Log(), want) {
		x.violated("an old build joins", "its log does not say "+want+":\n"+tail(old.Log()))
	}
	old.Stop()
	srv := join(x.new) // by the same token: it has not been redeemed
	if err := srv.Wait(); err != nil {
		x.violated("a new build joins", err.Error()+"\n"+tail(srv.Log()))
	}
	_, err = rowsOf(x.Context(), x.fleet.nodes[0].at, "SYSTEM CLUSTER LEAVE 'node-4'")
	x.must(err)
	srv.Quit()
}
