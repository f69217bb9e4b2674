package cluster

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Founding is what makes a node alone the first of a cluster.
type Founding struct {
	Cluster string // its name, unique among clusters
	Address string // of this node for others, host:port
	// Shards and Replicas are what the cluster should have; 0: as many as now.
	Shards, Replicas int
	ReplaceAfter     time.Duration // see Topology
	CA, CAKey        []byte        // PEM
	Tokens           []identity.Grant
}

// Found makes this node the first of a cluster that others can join, and returns when its shards are there. Code BadArguments if it belongs to
// one already.
func (n *Node) Found(ctx context.Context, f Founding) error {
	_, err := n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		if !t.Alone() {
			return false, sqlerr.New(sqlerr.BadArguments, "The node belongs to the cluster %s already", t.Cluster)
		}
		t.Cluster, t.ReplaceAfter, t.Trust = f.Cluster, f.ReplaceAfter, Trust{CA: f.CA, CAKey: f.CAKey, Tokens: f.Tokens}
		if f.Replicas > 0 {
			t.Replicas = f.Replicas
		}
		t.Member(n.cfg.Node).Address = f.Address
		return false, t.addShards(f.Shards)
	})
	if err != nil {
		return err
	}
	return n.awaitShards(ctx)
}

// SetShards raises the number of shards, and returns when they are there. Rows stay where they are, new ones go to the new shards too;
// Kafka partitions move; tables with a sharding key stay on as many shards as they lie on. Code BadArguments while a Kafka table feeds one of those, if not all
// nodes are of builds with feature.StoppedSources.
func (n *Node) SetShards(ctx context.Context, shards int) error {
	_, err := n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		if shards <= len(t.Shards) {
			return true, nil
		}
		return false, t.addShards(shards)
	})
	if err != nil {
		return err
	}
	return n.awaitShards(ctx)
}

// addShards adds shards up to a number, each founded by the active node with the fewest replicas.
func (t *Topology) addShards(want int) error {
	if want > MaxShards {
		return sqlerr.New(sqlerr.BadArguments, "%d shards: the limit is %d", want, MaxShards)
	}
	load := loads(t)
	for len(t.Shards) < want {
		p := Placement{ID: uint64(len(t.Shards)) + 1}
		if p.Founder = emptiest(t, &p, load); p.Founder == "" {
			return sqlerr.New(sqlerr.BadArguments, "No node of the cluster is active")
		}
		p.Replicas = []string{p.Founder}
		load[p.Founder]++
		t.Shards = append(t.Shards, p)
	}
	return nil
}

// awaitShards waits until all shards have been founded.
func (n *Node) awaitShards(ctx context.Context) error {
	for {
		changed := n.meta.Changed()
		waiting := uint64(0)
		for _, s := range n.Topology().Shards {
			if !s.Founded && waiting == 0 {
				waiting = s.ID
			}
		}
		if waiting == 0 {
			return n.awaitOpened(ctx)
		}
		if err := n.meta.g.wait(ctx, changed); err != nil {
			return fmt.Errorf("cluster: shard %d is still to be founded: %w", waiting, err)
		}
	}
}

// awaitOpened waits until this node's replicas are open and have caught up.
func (n *Node) awaitOpened(ctx context.Context) error {
	for _, s := range n.Shards() {
		if err := s.awaitReady(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Join adds a node to the topology under a new name, which it returns.
func (m *Meta) Join(ctx context.Context, address string, level feature.Level) (name string, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		name, err = t.join(address, level)
		return false, err
	})
	return name, err
}

// join adds a node, on a copy.
func (t *Topology) join(address string, level feature.Level) (string, error) {
	if t.Alone() {
		return "", sqlerr.New(sqlerr.BadArguments, "The node has founded no cluster that another could join; see olapd cluster init")
	}
	if level < t.Level {
		return "", tooOld(level, t.Level)
	}
	name := fmt.Sprint("node-", t.NextNode)
	t.NextNode++
	t.setMember(Member{Name: name, Address: address, State: Active, Level: level})
	return name, nil
}

// Admit redeems a token, in one change with the node's admission: a token works once. A node of a build older than the cluster's level is refused, with
// code UnsupportedMethod, and may come again with a newer one.
func (m *Meta) Admit(ctx context.Context, secret, address string, level feature.Level) (*identity.Admission, error) {
	a, hash := &identity.Admission{Peers: map[string]string{}}, identity.HashSecret(secret)
	t, err := m.ChangeTopology(ctx, func(t *Topology) (_ bool, err error) {
		at := slices.IndexFunc(t.Trust.Tokens, func(g identity.Grant) bool { return g.Hash == hash })
		if at < 0 || m.g.clk.Now().UnixNano() > t.Trust.Tokens[at].Expires {
			return false, sqlerr.New(sqlerr.AuthenticationFailed, "The token is not known: it has been redeemed, has expired or belongs to another cluster")
		}
		t.Trust.Tokens = slices.Delete(t.Trust.Tokens, at, at+1)
		a.Node, err = t.join(address, level)
		return false, err
	})
	if err != nil {
		return nil, err
	}
	a.Cluster, a.CA, a.CAKey = t.Cluster, t.Trust.CA, t.Trust.CAKey
	for _, n := range t.Nodes {
		if n.Address != "" && n.Name != a.Node {
			a.Peers[n.Name] = n.Address
		}
	}
	return a, nil
}

// Grant makes a token for one more node to join; expired ones are forgotten.
func (m *Meta) Grant(ctx context.Context) (token string, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		if t.Alone() {
			return false, sqlerr.New(sqlerr.BadArguments, "The node has founded no cluster that another could join; see olapd cluster init")
		}
		now := m.g.clk.Now()
		t.Trust.Tokens = slices.DeleteFunc(t.Trust.Tokens, func(g identity.Grant) bool { return g.Expires < now.UnixNano() })
		if len(t.Trust.Tokens) >= maxNodes {
			return false, sqlerr.New(sqlerr.BadArguments, "%d tokens have not been redeemed yet: the limit is %d", len(t.Trust.Tokens), maxNodes)
		}
		var g identity.Grant
		if token, g, err = identity.NewToken(t.Cluster, t.Trust.CA, now); err != nil {
			return false, err
		}
		t.Trust.Tokens = append(t.Trust.Tokens, g)
		return false, nil
	})
	return token, err
}

// Rebalance places replicas anew until nothing more is to be moved, in one change, and returns how many move.
func (m *Meta) Rebalance(ctx context.Context) (moved int, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		before := t.clone()
		for range len(t.Shards) * maxReplicas { // more than there are replicas
			if !placeReplicas(t) {
				break
			}
		}
		moved = 0
		for i := range t.Shards {
			for _, r := range t.Shards[i].Replicas {
				if !slices.Contains(before.Shards[i].Replicas, r) {
					moved++
				}
			}
		}
		return !slices.ContainsFunc(t.Shards, func(p Placement) bool { return !slices.Equal(p.Replicas, before.Shards[p.ID-1].Replicas) }), nil
	})
	return moved, err
}

// Announce tells the cluster where a node is reached.
func (m *Meta) Announce(ctx context.Context, name, address, http, native string) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		was, err := t.member(name)
		if err != nil {
			return false, err
		}
		now := *was
		now.HTTP, now.Native = http, native
		if address != "" {
			now.Address = address
		}
		same := now == *was
		*was = now
		return same, nil
	})
	return err
}

func (t *Topology) member(name string) (*Member, error) {
	if m := t.Member(name); m != nil {
		return m, nil
	}
	return nil, sqlerr.New(sqlerr.BadArguments, "The cluster has no node %q", name)
}

// SetState says what is to become of a node: Leaving moves its replicas elsewhere and then removes it, Lost does so although it is gone,
// Active takes either back.
func (m *Meta) SetState(ctx context.Context, name string, state MemberState) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		was, err := t.member(name)
		if err != nil {
			return false, err
		}
		same := was.State == state
		was.State = state
		if len(loads(t)) == 0 {
			return false, sqlerr.New(sqlerr.BadArguments, "%s is the last node of the cluster: its data would go with it", name)
		}
		if len(loads(t)) < t.Replicas && state == Leaving {
			return false, sqlerr.New(sqlerr.BadArguments, "%d nodes would be left for %d replicas of each shard: add a node first, or set fewer replicas", len(loads(t)), t.Replicas)
		}
		return same, nil
	})
	return err
}

// SetReplicas changes how many replicas each shard should have.
func (m *Meta) SetReplicas(ctx context.Context, replicas int) error {
	_, err := m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		same := t.Replicas == replicas
		t.Replicas = replicas
		return same, nil
	})
	return err
}
