package cluster

import (
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/raft"
)

// leave hands the leaderships of this node to other replicas before it closes: from its silence they would learn of it later only.
func (n *Node) leave() {
	groups := []*group{}
	for _, s := range n.Shards() {
		groups = append(groups, s.g)
	}
	if n.meta != nil {
		groups = append(groups, n.meta.g)
	}
	ctx, cancel := withTimeout(context.Background(), n.cfg.Clock, leaveTimeout)
	defer cancel()
	var all sync.WaitGroup
	for _, g := range groups {
		all.Go(func() { g.leave(ctx) })
	}
	all.Wait()
}

// leave hands the leadership, if it is this node's, to whichever voter has most.
func (g *group) leave(ctx context.Context) {
	other := func(s raft.Server) bool { return votesOf(s) && string(s.ID) != g.node }
	if g.raft.State() != raft.Leader || !slices.ContainsFunc(g.members(), other) {
		return
	}
	if err := g.awaitFuture(ctx, g.raft.LeadershipTransfer()); err != nil {
		g.log.Warn("handing the leadership over at the end", "error", err)
	}
}
