package torturecluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	// restartRounds is how often every node is restarted.
	restartRounds = 2
	// askers send the statements that must not fail.
	askers = 4
	// turnedAway is how soon a node that is stopping refuses who comes: what breaks later was being answered.
	turnedAway = 500 * time.Millisecond
	// slowFacts takes one to two seconds on each node, so that most stops meet some of it.
	slowFacts = "SELECT count() FROM facts WHERE sleepEachRow(0.0001) = 0"
)

// TestRollingRestart restarts all nodes, one after the other, while clients ask all of them what takes several nodes to answer. No statement may fail; one
// that a node did not let in goes to another.
func TestRollingRestart(t *testing.T) {
	if *serverFlag == "" {
		t.Skip("not run: -server=PATH names the olapd binary")
	}
	f, err := newFleet(t.Context(), *serverFlag, t.TempDir(), upgradeShards, upgradeReplicas)
	x := &torture{T: t, fleet: f}
	defer func() { x.must(f.close()) }()
	x.must(err)
	for _, sql := range steadySchema() {
		_, err := rowsOf(t.Context(), f.nodes[0].at, sql)
		x.must(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var asked, moved atomic.Int64
	var work sync.WaitGroup
	defer work.Wait()
	defer stop() // also where x.must ends the test
	for i := range askers {
		work.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for ctx.Err() == nil {
				sql := slowFacts
				if i > 0 {
					sql = steady[r.IntN(len(steady))]
				}
				if strings.Contains(sql, "clusterAllReplicas") {
					continue // there is no other replica of a node itself
				}
				again, err := x.askAny(r, sql)
				asked.Add(1)
				moved.Add(int64(again))
				if err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		})
	}
	for range restartRounds {
		for _, n := range f.nodes {
			start := time.Now()
			_, err := quit(f, n, nil)
			x.must(err)
			took := time.Since(start)
			x.must(f.start(n, nil))
			x.must(n.server().Wait())
			x.must(x.whole(n))
			t.Logf("%s: ended after %s, %d statements so far", n.name, took.Round(time.Millisecond), asked.Load())
		}
	}
	stop()
	work.Wait()
	t.Logf("%d statements, %d of them let in by another node than the first", asked.Load(), moved.Load())
}

// askAny asks a node, and another once if that one is not there to be asked.
func (x *torture) askAny(r *rand.Rand, sql string) (again int, err error) {
	first := r.IntN(nodeCount)
	for ; ; again++ {
		start := time.Now()
		n := x.fleet.nodes[(first+again)%nodeCount]
		ctx, cancel := context.WithTimeout(x.Context(), statementPatience)
		_, err = rowsOf(ctx, n.at, sql)
		cancel()
		away := errors.Is(err, syscall.ECONNREFUSED) || (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) && time.Since(start) < turnedAway
		if !away || again > 0 {
			if err != nil {
				err = fmt.Errorf("at %s after %s: %w", n.name, time.Since(start).Round(time.Millisecond), err)
			}
			return again, err
		}
	}
}

// whole waits until all replicas of the cluster are there and have what was committed.
func (x *torture) whole(n *node) error {
	ctx, cancel := context.WithTimeout(x.Context(), recovery)
	defer cancel()
	for {
		rows, err := rowsOf(ctx, n.at, "SELECT countIf(is_caught_up), uniqExactIf(group, leader != '') FROM system.raft_groups")
		if err == nil && fmt.Sprint(rows) == fmt.Sprintf("[[%d %d]]", nodeCount+upgradeShards*upgradeReplicas, 1+upgradeShards) {
			return nil
		}
		if sleep(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("the cluster is not whole %s after %s was started: %q, %w", recovery, n.name, rows, err)
		}
	}
}
