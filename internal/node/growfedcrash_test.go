package node

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/olapd/olapd/cluster"
	"github.com/olapd/olapd/internal/vfs"
)

// TestFedGrowthIsGoneOnWith: before each step that brings all shards to one offset the power of a node fails: of the one that does it, or that leads an old shard or a
// new one. No answer has a message twice; the growth comes to its end, and then each message is there.
func TestFedGrowthIsGoneOnWith(t *testing.T) {
	victims := []string{"mover", "source", "target"}
	for i, step := range []string{"stop", "meet", "met", "sources", "switch", "let"} {
		for k := range victims {
			if victim := victims[k]; *fedCrashes || k == i%len(victims) {
				t.Run(step+"/"+victim, func(t *testing.T) { failWhileFed(t, step, victim, uint64(k)) })
			}
		}
	}
}

// fedCrashes lets each victim fail before each step.
var fedCrashes = flag.Bool("fed.crashes", false, "let the node that does a step of a growth under Kafka, and those that lead its source and target, fail before each")

func failWhileFed(t *testing.T, step, victim string, seed uint64) {
	feeds(t, 3, seed, step, nil, func(t *testing.T, x *fedCluster) {
		x.consumed(200)
		n := x.nodes["node-1"]
		shards, name := 3, ""
		for ; name == "" && shards <= 8; shards++ { // where shards have met already, one step does not come
			must(t, n, fmt.Sprint("SYSTEM CLUSTER SHARDS ", shards))
			x.settled(3)
			must(t, n, "SYSTEM CLUSTER REBALANCE 'data'")
			for name == "" && len(n.cluster.Topology().Growths) > 0 {
				select {
				case name = <-x.reached:
				case <-time.After(100 * time.Millisecond):
				}
			}
		}
		if name == "" {
			t.Fatalf("no growth comes to step %s", step)
		}
		if victim != "mover" {
			var err error
			if name, err = n.shards.leaderOf(t.Context(), map[string]uint64{"source": 1, "target": 3}[victim]); err != nil {
				t.Fatal(err)
			}
		}
		after := x.disks[name].Crash([]vfs.CrashPolicy{vfs.KeepUnsynced, vfs.DropUnsynced, vfs.TearUnsynced}[seed], seed)
		x.disks[name].CrashAt(0)
		x.net.Kill(name)
		x.goOn()
		_ = x.nodes[name].Close() // its disk is gone
		delete(x.nodes, name)
		x.disks[name] = after
		x.once()
		time.Sleep(3 * time.Second)
		x.once()
		x.start(name)
		for end := time.Now().Add(3 * time.Minute); len(x.nodes[name].cluster.Topology().Growths) > 0; time.Sleep(300 * time.Millisecond) {
			if x.once(); time.Now().After(end) {
				t.Fatalf("it does not end: %+v", x.nodes[name].cluster.Topology().Growths)
			}
		}
		x.all()
		for _, past := range x.nodes[name].cluster.Topology().PastMoves {
			if past.State != cluster.MoveDone {
				t.Logf("a growth was given up: %s", past.Reason)
				return
			}
		}
		for _, table := range []string{"a", "b", "c"} {
			x.onShards(table, shards-1)
		}
	})
}
