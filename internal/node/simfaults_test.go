package node

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/vfs"
)

// oneFault makes something happen to a node, waits, and undoes it.
func (x *simRun) oneFault() {
	names := []string{"node-1", "node-2", "node-3"}
	victim := names[x.r.IntN(3)]
	if leader, err := x.s.nodes[names[x.r.IntN(3)]].shards.leaderOf(x.t.Context(), 1+x.r.Uint64N(2)); err == nil && x.r.IntN(2) == 0 {
		victim = leader
	}
	other := names[(slices.Index(names, victim)+1+x.r.IntN(2))%3]
	dead := false
	switch x.r.IntN(12) {
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
	case 9, 10:
		x.swing(victim, other)
		x.totals.swings++
	case 11:
		x.s.disks[victim].SetDelay(time.Duration(20+x.r.IntN(280)) * time.Millisecond)
		x.totals.sluggish++
	}
	x.watch(time.Duration(500+x.r.IntN(9000)) * time.Millisecond)
	x.s.net.HealAll()
	x.s.net.SetLatency(simLatency)
	if dead {
		x.revive(victim)
	} else {
		x.s.disks[victim].SetCapacity(math.MaxInt64)
		x.s.disks[victim].SetDelay(0)
	}
	x.watch(time.Duration(x.r.IntN(3000)) * time.Millisecond)
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

// swing takes the leaderships from a node, and then from the other that has most of them: they often come back to where they were.
func (x *simRun) swing(first, second string) {
	for _, name := range []string{first, second} {
		x.s.net.Isolate(name)
		x.watch(time.Duration(1500+x.r.IntN(1500)) * time.Millisecond)
		x.s.net.HealAll()
		x.watch(time.Duration(x.r.IntN(1000)) * time.Millisecond)
	}
}

// pause lets a proposal stand still now and then, as a process does that gets no time.
func (x *simRun) pause() {
	if rand.IntN(x.pauses) == 0 {
		time.Sleep(time.Duration(rand.Int64N(int64(longestPause))))
	}
}

// longestPause is about as long as a leadership takes to go to another node and come back.
const longestPause = 9 * time.Second
