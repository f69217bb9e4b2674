package raftnet

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// The methods on the network.
const (
	// ControlMethod carries heartbeats and votes.
	ControlMethod  = "raft.control"
	methodAppend   = "raft.append"
	methodSnapshot = "raft.snapshot"
)

// errClosed ends what waits when a transport or the mux is closed.
var errClosed = errors.New("raftnet: closed")

// Mux is what all groups of a node share: the network, the streams for control messages, and which group an incoming message is
// for. All methods may be called from any goroutine.
type Mux struct {
	net  rpc.Network
	clk  clock.Clock
	ctx  context.Context // ends with Close
	end  context.CancelCauseFunc
	work sync.WaitGroup // of control streams

	mu struct {
		sync.Mutex
		groups map[uint64]*Transport
		peers  map[string]*control // usable ones
	}
}

// New returns a mux and handles its methods on the network.
func New(n rpc.Network, clk clock.Clock) *Mux {
	m := &Mux{net: n, clk: clk}
	m.ctx, m.end = context.WithCancelCause(context.Background())
	m.mu.groups, m.mu.peers = map[uint64]*Transport{}, map[string]*control{}
	n.Handle(ControlMethod, m.serveControl)
	n.Handle(methodAppend, m.serveAppend)
	n.Handle(methodSnapshot, m.serveSnapshot)
	return m
}

// Group returns the transport of a group, in place of an earlier one. Raft closes it; closing it early lets raft shut down without
// waiting for its peers.
func (m *Mux) Group(id uint64) *Transport {
	t := &Transport{mux: m, group: id, consumer: make(chan raft.RPC)}
	t.ctx, t.end = context.WithCancelCause(m.ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.groups[id] = t
	return t
}

// Close closes all transports and ends all streams of the node.
func (m *Mux) Close() {
	m.mu.Lock()
	m.end(errClosed)
	m.mu.Unlock()
	m.work.Wait()
}

// errNoGroup refuses a message for a group that this node does not have, or not yet.
func errNoGroup(group uint64) error { return fmt.Errorf("raftnet: no group %d here", group) }

// transport returns the group that a message from a node is for.
func (m *Mux) transport(from string, msg message) (*Transport, error) {
	if h, ok := msg.body.(raft.WithRPCHeader); ok && string(h.GetRPCHeader().ID) != from {
		return nil, fmt.Errorf("raftnet: a message of %q came from %q", h.GetRPCHeader().ID, from)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.mu.groups[msg.group]; t != nil {
		return t, nil
	}
	return nil, errNoGroup(msg.group)
}

// forget takes a closed transport out.
func (m *Mux) forget(t *Transport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.groups[t.group] == t {
		delete(m.mu.groups, t.group)
	}
}

// answer makes the answer to a request of what raft, or the mux, says to it.
func answer(req message, r raft.RPCResponse) ([]byte, error) {
	out := message{kind: kindAnswer | req.kind, id: req.id, group: req.group, body: r.Response}
	if r.Error != nil {
		out.kind, out.body = kindRefusal, r.Error.Error()
	}
	return appendMessage(nil, out)
}

// settle puts an answer where raft wants it.
func settle(got message, into any) error {
	if text, refused := got.body.(string); refused {
		return errors.New(text)
	}
	switch to := into.(type) {
	case *raft.AppendEntriesResponse:
		return put(to, got.body)
	case *raft.RequestVoteResponse:
		return put(to, got.body)
	case *raft.RequestPreVoteResponse:
		return put(to, got.body)
	case *raft.TimeoutNowResponse:
		return put(to, got.body)
	case *raft.InstallSnapshotResponse:
		return put(to, got.body)
	}
	return fmt.Errorf("raftnet: an answer is wanted as %T", into)
}

func put[T any](to *T, body any) error {
	from, ok := body.(*T)
	if !ok {
		return fmt.Errorf("raftnet: the answer is a %T, not a %T", body, to)
	}
	*to = *from
	return nil
}
