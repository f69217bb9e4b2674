package cluster

import (
	"context"
	"fmt"
	"time"

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
}

// Found makes this node the first of a cluster that others can join, and returns when its shards are there. Code BadArguments if it belongs to
// one already.
func (n *Node) Found(ctx context.Context, f Founding) error {
	_, err := n.meta.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		if !t.Alone() {
			return false, sqlerr.New(sqlerr.BadArguments, "The node belongs to the cluster %s already", t.Cluster)
		}
		t.Cluster, t.ReplaceAfter, t.Trust.CA, t.Trust.CAKey = f.Cluster, f.ReplaceAfter, f.CA, f.CAKey
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
// Kafka partitions move. Code BadArguments while a table has a sharding key.
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
func (m *Meta) Join(ctx context.Context, address string) (name string, err error) {
	_, err = m.ChangeTopology(ctx, func(t *Topology) (bool, error) {
		if t.Alone() {
			return false, sqlerr.New(sqlerr.BadArguments, "The node has founded no cluster that another could join; see olapd cluster init")
		}
		name = fmt.Sprint("node-", t.NextNode)
		t.NextNode++
		t.setMember(Member{Name: name, Address: address, State: Active})
		return false, nil
	})
	return name, err
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
