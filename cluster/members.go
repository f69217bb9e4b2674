package cluster

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// members returns who belongs to the group, as the log says.
func (g *group) members() []raft.Server {
	f := g.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}

func votesOf(s raft.Server) bool { return s.Suffrage == raft.Voter }

// alone reports whether this node is the group.
func (g *group) alone() bool {
	m := g.members()
	return len(m) == 1 && string(m[0].ID) == g.node
}

// caughtUp reports whether the replica has all that was committed, as far as it knows: it leads, or has once had all that its leader had
// since its start, and has applied all that the leader has told it of since.
func (g *group) caughtUp() bool {
	if term, _ := g.leading(); term != 0 {
		return true
	}
	leader := g.leader()
	applied, _ := g.machine.appliedIndex()
	return g.confirmed.Load() && leader != "" && leader != g.node && applied >= g.raft.CommitIndex()
}

// confirm waits until the replica has all that the group's leader had at a time after the start, this node's own term included. What raft says by
// itself is too little: behind a Raft snapshot its commit index is the snapshot's until it hears of another.
func (g *group) confirm(ctx context.Context) {
	for ctx.Err() == nil {
		if term, _ := g.leading(); term != 0 || !g.leadsHere() && g.barrierOnce(ctx) == nil {
			g.confirmed.Store(true)
			return
		}
		if g.clk.Sleep(ctx, catchUpPoll) != nil {
			return
		}
	}
}

// awaitCaughtUp waits for that: without an end while the node is the group, for openPatience otherwise.
func (g *group) awaitCaughtUp(ctx context.Context) error {
	deadline := g.clk.Now().Add(openPatience)
	for !g.caughtUp() {
		if !g.alone() && !g.clk.Now().Before(deadline) {
			g.log.Warn("no leader has been found so far: what this node knows may be old")
			return nil
		}
		_, changed := g.leading()
		select {
		case <-changed:
		case <-g.clk.After(catchUpPoll):
		case <-g.machine.failed:
			return g.machine.err()
		case <-g.closing:
			return closed()
		case <-ctx.Done():
			return ctxErr(ctx)
		}
	}
	return nil
}

// contacts is since when followers have not answered this node's heartbeats.
type contacts struct {
	mu   sync.Mutex
	lost map[raft.ServerID]time.Time
}

func newContacts() *contacts { return &contacts{lost: map[raft.ServerID]time.Time{}} }

func (c *contacts) observe(o *raft.Observation) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch d := o.Data.(type) {
	case raft.FailedHeartbeatObservation:
		if c.lost[d.PeerID].IsZero() {
			c.lost[d.PeerID] = d.LastContact
		}
	case raft.ResumedHeartbeatObservation:
		delete(c.lost, d.PeerID)
	case raft.RaftState: // a new leader begins to count anew
		clear(c.lost)
	}
	return false // nothing is sent on: the filter is the observer
}

// since returns when a follower was last heard of, and whether it has not been since.
func (c *contacts) since(name string) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, gone := c.lost[raft.ServerID(name)]
	return t, gone
}

// keepMembers brings the shard's members to what the topology wants, while this node leads it, and hands the leadership to the preferred
// replica.
func (n *Node) keepMembers(ctx context.Context, g *group) {
	for {
		changed, next := n.meta.Changed(), memberInterval
		if p := n.Topology().Shard(g.id); p != nil && p.Founded {
			if n.stepMembers(ctx, g, p.Replicas, nil) == stepMade {
				next = 0
			} else {
				n.preferLeader(ctx, g, p.Replicas[0])
			}
		}
		if !n.awaitStep(ctx, changed, next) {
			return
		}
	}
}

// awaitStep waits until members are to be looked at again, after a time or a change of the topology. It reports whether ctx goes on.
func (n *Node) awaitStep(ctx context.Context, changed <-chan struct{}, after time.Duration) bool {
	timer := n.cfg.Clock.NewTimer(after)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C():
	}
	return ctx.Err() == nil
}

// step is what a look at a group's members came to.
type step int

const (
	stepNone  step = iota // they are as they should be, or no step can be made
	stepMade              // the next may be due
	stepWaits             // for a node to have all that was committed
)

// stepMembers makes one change of the group's members, if one is due.
func (n *Node) stepMembers(ctx context.Context, g *group, voters, others []string) step {
	have := g.members()
	if len(have) == 0 || len(voters) == 0 {
		return stepNone
	}
	c := nextChange(have, voters, others, g.node, func(name string) bool { return n.holdsAll(ctx, g, name) })
	switch c.do {
	case noChange:
		return stepNone
	case notReady:
		return stepWaits
	}
	if c.do != handOver {
		if err := g.voting.change(ctx, g.closing); err != nil {
			return stepNone
		}
		defer g.voting.changed()
	}
	id, address := raft.ServerID(c.node), raft.ServerAddress(c.node)
	var f raft.Future
	switch c.do {
	case addNonvoter:
		f = g.raft.AddNonvoter(id, address, 0, memberTimeout)
	case addVoter:
		f = g.raft.AddVoter(id, address, 0, memberTimeout)
	case demote:
		f = g.raft.DemoteVoter(id, 0, memberTimeout)
	case remove:
		f = g.raft.RemoveServer(id, 0, memberTimeout)
	case handOver:
		f = g.raft.LeadershipTransferToServer(id, address)
	}
	if err := g.awaitFuture(ctx, f); err != nil {
		g.log.Warn("changing the group's members", "step", c.do.String(), "node", c.node, "error", err)
		return stepNone
	}
	g.log.Info("the group's members have changed", "step", c.do.String(), "node", c.node)
	g.recheckNow()
	if c.do == handOver {
		return stepNone // what is due is the next leader's
	}
	return stepMade
}

var changeNames = [...]string{"none", "not ready", "add", "promote", "demote", "remove", "hand over"}

func (k changeKind) String() string { return changeNames[k] }

// awaitFuture waits for raft, which may never answer once it has been shut down.
func (g *group) awaitFuture(ctx context.Context, f raft.Future) error {
	end := make(chan error, 1)
	go func() { end <- f.Error() }()
	select {
	case err := <-end:
		return err
	case <-ctx.Done():
		return ctxErr(ctx)
	case <-g.down:
		return closed()
	}
}

// holdsAll asks a node whether its replica has all that was committed when holdsAll was called. One that is behind by a little is asked again:
// followers learn of a commit with the next message only.
func (n *Node) holdsAll(ctx context.Context, g *group, name string) bool {
	if name == g.node {
		return true
	}
	committed := g.raft.CommitIndex()
	for range lagLooks {
		all, err := n.StatusOf(ctx, name)
		if err != nil {
			return false
		}
		i := slices.IndexFunc(all, func(s Status) bool { return s.Group == g.id })
		if i < 0 || all[i].Error != "" || all[i].Missing > 0 {
			return false
		}
		if all[i].Applied >= committed {
			return true
		}
		if all[i].Applied+maxInflight < committed || n.cfg.Clock.Sleep(ctx, voterPoll) != nil {
			return false
		}
	}
	return false
}

// preferLeader hands the leadership to the preferred replica, when that votes, is there and has everything.
func (n *Node) preferLeader(ctx context.Context, g *group, name string) {
	if name == g.node || n.cfg.Clock.Since(g.ledSince()) < handOverAfter {
		return
	}
	if _, gone := g.contacts.since(name); gone {
		return
	}
	member := slices.ContainsFunc(g.members(), func(s raft.Server) bool { return string(s.ID) == name && votesOf(s) })
	if !member || !n.holdsAll(ctx, g, name) {
		return
	}
	if err := g.awaitFuture(ctx, g.raft.LeadershipTransferToServer(raft.ServerID(name), raft.ServerAddress(name))); err != nil {
		g.log.Debug("handing the leadership to the preferred replica", "node", name, "error", err)
	}
}
