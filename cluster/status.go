package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/feature"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Status describes a group on this node, for system tables and metrics.
type Status struct {
	Group            uint64
	Term             uint64 // in which this node leads; 0: it does not
	Leader           string // as far as this node knows
	Members          []GroupMember
	Applied          uint64 // log index
	Committed        uint64 // log index
	Schema           uint64 // catalog version
	LogBytes         int64  // since the last Raft snapshot
	Proposals        int    // under way
	ProposalBytes    int64
	DiskFull         bool
	MemtablePressure float64       // of a shard: 1 holds writers
	Agreed           uint64        // log index at which a shard's state was last found equal to its leader's; 0: never since the start
	Missing          int           // segments of a shard whose files are still to come
	Damaged          int           // segments of a shard whose files were found damaged and not repaired so far
	CaughtUp         bool          // it has all that was committed, as far as it knows
	Err              error         `json:"-"` // why the replica has stopped
	Error            string        // its text
	Level            feature.Level `json:",omitempty"` // of the node's build; on the meta group's
}

// GroupMember is a member of a group as its log says.
type GroupMember struct {
	Node  string
	Votes bool
}

// Status describes all groups, the meta group first.
func (n *Node) Status() []Status {
	out := []Status{n.meta.g.status()}
	out[0].Schema = n.meta.Catalog().Version
	out[0].Level = n.cfg.level()
	for _, s := range n.Shards() {
		st := s.g.status()
		st.Schema, st.MemtablePressure, st.Missing = s.Schema(), s.store.Pressure(), len(s.store.Absent())
		st.Agreed, st.Damaged = s.fsm.comparison.agreedAt(), len(s.store.Damaged())
		out = append(out, st)
	}
	return out
}

func (g *group) status() Status {
	st := Status{Group: g.id, Committed: g.raft.CommitIndex(), LogBytes: g.machine.logBytes.Load(), DiskFull: g.full(), Err: g.machine.err(), CaughtUp: g.caughtUp()}
	st.Term, _ = g.leading()
	_, leader := g.raft.LeaderWithID()
	st.Leader = string(leader)
	st.Applied, _ = g.machine.appliedIndex()
	st.Proposals, st.ProposalBytes = g.window.use()
	if st.Err != nil {
		st.Error = st.Err.Error()
	}
	for _, s := range g.members() {
		st.Members = append(st.Members, GroupMember{Node: string(s.ID), Votes: votesOf(s)})
	}
	return st
}

// methodStatus answers an empty request with the JSON of Status.
const methodStatus = "cluster.status"

func (n *Node) serveStatus(_ context.Context, _ string, s rpc.Stream) error {
	if !n.serving.Load() {
		return sqlerr.Wrap(ErrNotLeader, sqlerr.NotALeader, "Node %s is starting", n.cfg.Node)
	}
	text, err := json.Marshal(n.Status())
	if err != nil {
		return err
	}
	return s.Send(text)
}

// StatusOf asks a node for its Status.
func (n *Node) StatusOf(ctx context.Context, node string) ([]Status, error) {
	if node == n.cfg.Node {
		return n.Status(), nil
	}
	text, err := n.ask(ctx, node, methodStatus)
	if err != nil {
		return nil, err
	}
	var out []Status
	return out, json.Unmarshal(text, &out)
}

// ask opens a stream without a request and returns the one message that comes back.
func (n *Node) ask(ctx context.Context, node, method string) ([]byte, error) {
	if n.cfg.Network == nil {
		return nil, rpc.ErrUnreachable
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := n.cfg.Network.Open(ctx, node, method)
	if err != nil {
		return nil, err
	}
	if err := s.CloseSend(); err != nil {
		return nil, err
	}
	b, err := s.Recv()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}
