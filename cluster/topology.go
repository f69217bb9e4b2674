package cluster

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/olapd/olapd/cluster/identity"
	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Topology is the meta group's picture of the cluster beside the catalog: its nodes, its shards and where their replicas are
// wanted. Immutable: a change makes a new one with the next Version. Its JSON form is stored.
type Topology struct {
	Version uint64 `json:"version"`
	// Cluster names the cluster; empty for a node alone, which nobody can join.
	Cluster string `json:"cluster,omitempty"`
	// Replicas is how many replicas a shard should have, as far as there are nodes.
	Replicas int `json:"replicas"`
	// ReplaceAfter is how long a node may be gone before its replicas are made elsewhere; 0: for ever.
	ReplaceAfter time.Duration `json:"replace_after,omitempty"`
	Nodes        []Member      `json:"nodes"`  // by name
	Shards       []Placement   `json:"shards"` // by ID, which is the position plus one
	// NextNode is the number of the next node to join: names are never used again.
	NextNode int `json:"next_node"`
	// Moves are under way or waiting, by number; PastMoves the last ones that ended.
	Moves     []Move `json:"moves,omitempty"`
	PastMoves []Move `json:"past_moves,omitempty"`
	NextMove  uint64 `json:"next_move,omitempty"`
	// Moved is, by table, the version as of which the last move of its rows has begun: what changes all rows of it and has begun before must not go on.
	Moved map[catalog.TableID]uint64 `json:"moved,omitempty"`
	// Spread is, for tables that are older than the last shards, how many shards there were: by that, rows with a sharding key and commits
	// with a token have found their shard, and go on to. Other tables go by all shards.
	Spread map[catalog.TableID]int `json:"spread,omitempty"`
	// Grown is, for tables whose rows have come to lie on more shards than Spread says, how they find them now.
	Grown map[catalog.TableID]Grown `json:"grown,omitempty"`
	// Growths are of tables whose rows are about to lie on more shards.
	Growths []Growth `json:"growths,omitempty"`
	// Level is what all nodes understand: see package feature. It changes by LevelRise only.
	Level feature.Level `json:"level,omitempty"`
	// Trust is what nodes know each other by; see Identity.
	Trust Trust `json:"trust,omitzero"`
}

// Trust is the cluster's certificate authority and the tokens with which nodes may join.
type Trust struct {
	CA     []byte           `json:"ca,omitempty"`     // certificate, PEM
	CAKey  []byte           `json:"ca_key,omitempty"` // private key, PEM
	Tokens []identity.Grant `json:"tokens,omitempty"` // not yet redeemed
}

// MemberState is what is to become of a node.
type MemberState string

// The states of members.
const (
	Active  MemberState = "active"
	Leaving MemberState = "leaving" // its replicas are being made elsewhere; then it is removed
	Lost    MemberState = "lost"    // it was gone for too long, or replaced: it gets no replicas
)

// Member is a node of the cluster.
type Member struct {
	Name    string      `json:"name"`
	Address string      `json:"address,omitempty"` // host:port for other nodes; empty for a node alone
	HTTP    string      `json:"http,omitempty"`    // host:port for clients; empty: none
	Native  string      `json:"native,omitempty"`
	State   MemberState `json:"state"`
	// Level is what its build understands, as last heard of; builds that announce none leave it out.
	Level feature.Level `json:"level,omitempty"`
}

// Placement is where the replicas of a shard are wanted.
type Placement struct {
	ID uint64 `json:"id"`
	// Founder is the node that starts the group with itself alone, until it is Founded: only once, or a founder that lost its
	// disk would begin a second history.
	Founder  string   `json:"founder"`
	Founded  bool     `json:"founded"`
	Replicas []string `json:"replicas"` // names, the preferred leader first
	// ReadFrom is the log index that a replica must have applied to be read: rows have come or gone there.
	ReadFrom uint64 `json:"read_from,omitempty"`
}

// FirstNode is the name of a node alone, which is the first of its cluster when it founds one.
const FirstNode = "node-1"

// newTopology is that of a node alone. Every meta group begins with it.
func newTopology() *Topology {
	return &Topology{Version: 1, Replicas: 1, NextNode: 2, Nodes: []Member{{Name: FirstNode, State: Active}},
		Shards: []Placement{{ID: 1, Founder: FirstNode, Replicas: []string{FirstNode}}}}
}

// Member returns a node, or nil.
func (t *Topology) Member(name string) *Member {
	for i := range t.Nodes {
		if t.Nodes[i].Name == name {
			return &t.Nodes[i]
		}
	}
	return nil
}

// Shard returns where a shard is, or nil.
func (t *Topology) Shard(id uint64) *Placement {
	if id == 0 || id > uint64(len(t.Shards)) {
		return nil
	}
	return &t.Shards[id-1]
}

// SpreadOf is how rows of a table find their shards by their sharding key, and commits by their tokens.
func (t *Topology) SpreadOf(table catalog.TableID) catalog.Spread {
	if g, ok := t.Grown[table]; ok {
		return g.Spread
	}
	if n := t.Spread[table]; n > 0 {
		return catalog.Spread{n}
	}
	return catalog.Spread{len(t.Shards)}
}

// Alone reports whether this is a node that has founded no cluster.
func (t *Topology) Alone() bool { return t.Cluster == "" }

// clone returns a copy with the next version, to be changed.
func (t *Topology) clone() *Topology {
	n := *t
	n.Version++
	n.Nodes, n.Shards, n.Trust.Tokens = slices.Clone(t.Nodes), slices.Clone(t.Shards), slices.Clone(t.Trust.Tokens)
	for i := range n.Shards {
		n.Shards[i].Replicas = slices.Clone(n.Shards[i].Replicas)
	}
	n.cloneMoves()
	return &n
}

// check refuses a topology that contradicts itself: what the state machine takes can be relied on.
func (t *Topology) check() error {
	if t.Replicas < 1 || t.Replicas > maxReplicas || len(t.Shards) == 0 || len(t.Shards) > MaxShards || len(t.Nodes) > maxNodes {
		return sqlerr.New(sqlerr.BadArguments, "A cluster of %d nodes with %d shards of %d replicas: the limits are %d, %d and %d", len(t.Nodes), len(t.Shards), t.Replicas, maxNodes, MaxShards, maxReplicas)
	}
	if !slices.IsSortedFunc(t.Nodes, func(a, b Member) int { return strings.Compare(a.Name, b.Name) }) {
		return sqlerr.New(sqlerr.LogicalError, "The nodes of a topology are not in order")
	}
	for i, n := range t.Nodes {
		if n.Name == "" || len(n.Name) > maxName || i > 0 && n.Name == t.Nodes[i-1].Name {
			return sqlerr.New(sqlerr.LogicalError, "The topology has a node %q twice, or without a name", n.Name)
		}
	}
	if err := errors.Join(t.checkMoves(), t.checkGrowths()); err != nil {
		return err
	}
	for i, s := range t.Shards {
		if s.ID != uint64(i)+1 || len(s.Replicas) == 0 {
			return sqlerr.New(sqlerr.LogicalError, "Shard %d of a topology is number %d and has %d replicas", s.ID, i+1, len(s.Replicas))
		}
		for _, r := range s.Replicas {
			if t.Member(r) == nil {
				return sqlerr.New(sqlerr.LogicalError, "Shard %d has a replica on %q, which is no node", s.ID, r)
			}
		}
	}
	return nil
}

// setMember adds or replaces a node, of a copy.
func (t *Topology) setMember(m Member) {
	i, found := slices.BinarySearchFunc(t.Nodes, m.Name, func(a Member, name string) int { return strings.Compare(a.Name, name) })
	if found {
		t.Nodes[i] = m
	} else {
		t.Nodes = slices.Insert(t.Nodes, i, m)
	}
}

// removeMember removes a node that has no replica, of a copy.
func (t *Topology) removeMember(name string) {
	t.Nodes = slices.DeleteFunc(t.Nodes, func(m Member) bool { return m.Name == name })
}
