package cluster

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/raft"
)

// steward is the work of the meta group's leader: who belongs to it, which nodes are lost, and where replicas are wanted.
func (n *Node) steward(ctx context.Context) {
	for {
		changed, next := n.meta.Changed(), memberInterval
		switch n.tend(ctx) {
		case stepMade:
			next = 0
		case stepWaits:
			next = voterPoll
		}
		if !n.awaitStep(ctx, changed, next) {
			return
		}
	}
}

func (n *Node) tend(ctx context.Context) step {
	n.raiseLevel(ctx)
	g, t := n.meta.g, n.Topology()
	voters := wantedVoters(t, g.members())
	var others []string
	for _, m := range t.Nodes {
		if !slices.Contains(voters, m.Name) && m.State == Active {
			others = append(others, m.Name)
		}
	}
	made := n.stepMembers(ctx, g, voters, others)
	gone := n.gone(t)
	left := n.left(ctx, t)
	probe := t.clone()
	if !amend(probe, gone, left) {
		return made
	}
	_, err := n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) { return !amend(t, gone, left), nil })
	if err != nil && ctx.Err() == nil {
		g.log.Warn("changing the topology", "error", err)
	}
	return made
}

// amend marks the nodes that are gone as lost, removes those that have left, and places replicas; it reports whether anything changed.
func amend(t *Topology, gone, left []string) bool {
	changed := false
	for i := range t.Nodes {
		if m := &t.Nodes[i]; m.State == Active && slices.Contains(gone, m.Name) {
			m.State, changed = Lost, true
		}
	}
	for _, name := range left {
		if m := t.Member(name); m != nil && m.State != Active && !t.wants(name) {
			t.removeMember(name)
			changed = true
		}
	}
	return placeReplicas(t) || changed
}

// wants reports whether a replica is wanted on a node.
func (t *Topology) wants(name string) bool {
	return slices.ContainsFunc(t.Shards, func(s Placement) bool { return slices.Contains(s.Replicas, name) })
}

// gone are the active nodes that have not been heard of for ReplaceAfter.
func (n *Node) gone(t *Topology) []string {
	var out []string
	for _, m := range t.Nodes {
		since, gone := n.meta.g.contacts.since(m.Name)
		if gone && t.ReplaceAfter > 0 && m.State == Active && n.cfg.Clock.Since(since) >= t.ReplaceAfter {
			out = append(out, m.Name)
		}
	}
	return out
}

// left are the nodes that are to go and belong to no group any more, as the groups' leaders say.
func (n *Node) left(ctx context.Context, t *Topology) []string {
	var candidates []string
	for _, m := range t.Nodes {
		if m.State != Active && !t.wants(m.Name) {
			candidates = append(candidates, m.Name)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	member, complete := n.membership(ctx, t)
	if !complete {
		return nil
	}
	return slices.DeleteFunc(candidates, func(name string) bool { return member[name] })
}

// membership asks all active nodes for the groups that they lead, and returns who belongs to one; complete if every group had a leader.
func (n *Node) membership(ctx context.Context, t *Topology) (member map[string]bool, complete bool) {
	member, led := map[string]bool{}, map[uint64]bool{}
	for _, m := range t.Nodes {
		if m.State != Active {
			continue
		}
		all, err := n.StatusOf(ctx, m.Name)
		if err != nil {
			continue
		}
		for _, s := range all {
			if s.Term == 0 {
				continue
			}
			led[s.Group] = true
			for _, x := range s.Members {
				member[x.Node] = true
			}
		}
	}
	return member, len(led) == len(t.Shards)+1
}

// follow opens and closes this node's replicas as the topology says.
func (n *Node) follow(ctx context.Context) {
	tick := n.cfg.Clock.NewTicker(memberInterval)
	defer tick.Stop()
	for {
		changed := n.meta.Changed()
		if err := n.reconcile(ctx); err != nil && ctx.Err() == nil {
			n.cfg.Logger.Error("opening and closing replicas", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C():
		}
	}
}

// reconcile opens the replicas that are wanted here, and lets go of those that are neither wanted nor members of their group.
func (n *Node) reconcile(ctx context.Context) error {
	if !n.meta.g.caughtUp() {
		return nil
	}
	t := n.Topology()
	var errs []error
	for i := range t.Shards {
		p := &t.Shards[i]
		if slices.Contains(p.Replicas, n.cfg.Node) {
			errs = append(errs, n.openWanted(ctx, p))
		}
	}
	for _, s := range n.Shards() {
		p := t.Shard(s.g.id)
		if p != nil && !slices.Contains(p.Replicas, n.cfg.Node) && (s.outside(n.cfg.Node) || n.expelled(ctx, p, s)) {
			errs = append(errs, n.dropShard(ctx, s))
		}
	}
	return errors.Join(errs...)
}

// openWanted opens a replica that is not open, which its founder begins with; that it has done so is then known for ever. Telling it may fail: it is told
// again until the topology says so, for nobody joins the group before.
func (n *Node) openWanted(ctx context.Context, p *Placement) error {
	found := !p.Founded && p.Founder == n.cfg.Node
	if n.Shard(p.ID) == nil {
		if err := n.openShard(p.ID, found); err != nil {
			return err
		}
	}
	if !found {
		return nil
	}
	_, err := n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		was := t.Shards[p.ID-1].Founded
		t.Shards[p.ID-1].Founded = true
		return was, nil
	})
	return err
}

// outside reports whether the replica's own log says that the node is no member of the group.
func (s *Shard) outside(node string) bool {
	members := s.g.members()
	return len(members) > 0 && !slices.ContainsFunc(members, func(m raft.Server) bool { return string(m.ID) == node })
}

// expelled reports whether the group's leader says that this node is no member: the last entry that a member is sent is its removal, which may
// not arrive.
func (n *Node) expelled(ctx context.Context, p *Placement, s *Shard) bool {
	if s.g.leader() != "" {
		return false
	}
	for _, replica := range p.Replicas {
		all, err := n.StatusOf(ctx, replica)
		if err != nil {
			continue
		}
		i := slices.IndexFunc(all, func(st Status) bool { return st.Group == p.ID && st.Term != 0 })
		if i >= 0 && len(all[i].Members) > 0 {
			return !slices.ContainsFunc(all[i].Members, func(m GroupMember) bool { return m.Node == n.cfg.Node })
		}
	}
	return false
}

// dropShard ends a replica that its group has removed, and deletes its data: only when the meta group's leader confirms the placement.
func (n *Node) dropShard(ctx context.Context, s *Shard) error {
	if err := n.meta.Barrier(ctx); err != nil {
		return err
	}
	if p := n.Topology().Shard(s.g.id); p == nil || slices.Contains(p.Replicas, n.cfg.Node) {
		return nil
	}
	n.setShards(func(all []*Shard) []*Shard { return slices.DeleteFunc(all, func(x *Shard) bool { return x == s }) })
	n.cfg.Logger.Info("a replica has moved away: deleting its data", "shard", s.g.id)
	if err := s.close(); err != nil {
		return err
	}
	if err := n.log.Group(s.g.id).Drop(); err != nil {
		return err
	}
	return errors.Join(n.cfg.FS.RemoveAll(n.cfg.snapshotsDir(s.g.id)), n.cfg.FS.RemoveAll(n.shardDir(s.g.id)))
}
