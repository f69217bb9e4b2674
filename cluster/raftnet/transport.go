package raftnet

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Transport is raft's transport of one group. Nodes are found by their server ID, which is their name; addresses are
// not looked at.
type Transport struct {
	mux       *Mux
	group     uint64
	consumer  chan raft.RPC
	heartbeat atomic.Pointer[func(raft.RPC)]
	hurried   atomic.Int32    // see Hurry
	doubts    atomic.Uint64   // heartbeats of this node that were not taken
	ctx       context.Context // ends with Close
	end       context.CancelCauseFunc
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)

// Consumer implements raft.Transport.
func (t *Transport) Consumer() <-chan raft.RPC { return t.consumer }

// LocalAddr implements raft.Transport: the node's name.
func (t *Transport) LocalAddr() raft.ServerAddress { return raft.ServerAddress(t.mux.net.Self()) }

// EncodePeer implements raft.Transport: a node's name stands for its address.
func (t *Transport) EncodePeer(id raft.ServerID, _ raft.ServerAddress) []byte { return []byte(id) }

// DecodePeer implements raft.Transport.
func (t *Transport) DecodePeer(name []byte) raft.ServerAddress { return raft.ServerAddress(name) }

// SetHeartbeatHandler implements raft.Transport.
func (t *Transport) SetHeartbeatHandler(handle func(rpc raft.RPC)) { t.heartbeat.Store(&handle) }

// Close implements raft.WithClose: what waits for other nodes ends, and nothing comes in any more.
func (t *Transport) Close() error {
	t.end(errClosed)
	t.mux.forget(t)
	return nil
}

// RequestVote implements raft.Transport.
func (t *Transport) RequestVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestVoteRequest, resp *raft.RequestVoteResponse) error {
	return t.control(id, kindRequestVote, args, resp)
}

// RequestPreVote implements raft.WithPreVote.
func (t *Transport) RequestPreVote(id raft.ServerID, _ raft.ServerAddress, args *raft.RequestPreVoteRequest, resp *raft.RequestPreVoteResponse) error {
	return t.control(id, kindRequestPreVote, args, resp)
}

// TimeoutNow implements raft.Transport.
func (t *Transport) TimeoutNow(id raft.ServerID, _ raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	return t.control(id, kindTimeoutNow, args, resp)
}

// AppendEntries implements raft.Transport. A heartbeat goes its own way.
func (t *Transport) AppendEntries(id raft.ServerID, _ raft.ServerAddress, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if isHeartbeat(args) {
		return t.beat(id, args, resp)
	}
	return t.appendOnce(string(id), args, resp)
}

// beat sends a heartbeat. Raft takes any answer to it for a sign of life, and looks at nothing else in it: that there is a later term it learns of
// the next message of entries, which is therefore not left out.
func (t *Transport) beat(id raft.ServerID, args *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	err := t.control(id, kindAppendEntries, args, resp)
	if err != nil || !resp.Success {
		t.doubts.Add(1)
	}
	return err
}

// Hurry has heartbeats sent at once until the returned function is called: raft has been asked whether it still leads, and someone waits for the
// answer.
func (t *Transport) Hurry() (calm func()) {
	t.hurried.Add(1)
	t.mux.hurry()
	return func() { t.hurried.Add(-1) }
}

// isHeartbeat tells what raft's heartbeats leave empty.
func isHeartbeat(a *raft.AppendEntriesRequest) bool {
	return a.PrevLogEntry == 0 && a.PrevLogTerm == 0 && a.LeaderCommitIndex == 0 && len(a.Entries) == 0
}

// handle lets raft answer a request that came in. It waits no longer than ctx and the transport live.
func (t *Transport) handle(ctx context.Context, rpc raft.RPC) raft.RPCResponse {
	answered := make(chan raft.RPCResponse, 1)
	rpc.RespChan = answered
	if beat := t.beatHandler(rpc.Command); beat != nil {
		beat(rpc)
	} else {
		select {
		case t.consumer <- rpc:
		case <-ctx.Done():
			return raft.RPCResponse{Error: context.Cause(ctx)}
		case <-t.ctx.Done():
			return raft.RPCResponse{Error: errNoGroup(t.group)}
		}
	}
	select {
	case r := <-answered:
		return r
	case <-ctx.Done():
		return raft.RPCResponse{Error: context.Cause(ctx)}
	case <-t.ctx.Done():
		return raft.RPCResponse{Error: errNoGroup(t.group)}
	}
}

// beatHandler is what answers a request at once; nil unless it is a heartbeat, and raft has opened the group.
func (t *Transport) beatHandler(request any) func(raft.RPC) {
	beat := t.heartbeat.Load()
	if a, ok := request.(*raft.AppendEntriesRequest); ok && isHeartbeat(a) && beat != nil {
		return *beat
	}
	return nil
}

// within returns a context that ends after a time by the mux's clock.
func (m *Mux) within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		if m.clk.Sleep(ctx, d) == nil {
			end(context.DeadlineExceeded)
		}
	}()
	return ctx, func() { end(context.Canceled) }
}

// Committed gives raft what a leader's answer to another question says: an entry of its present term is committed. It is a message
// of the leader's like any other, with nothing but its commit index: raft refuses it if it has heard of a later term, and
// ignores it if it does not have the entry yet.
func (t *Transport) Committed(ctx context.Context, leader string, term, index uint64) {
	ctx, cancel := t.mux.within(ctx, controlTimeout)
	defer cancel()
	t.handle(ctx, raft.RPC{Command: &raft.AppendEntriesRequest{
		RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(leader), Addr: []byte(leader)},
		Leader:    []byte(leader), Term: term, PrevLogEntry: index, PrevLogTerm: term, LeaderCommitIndex: index,
	}})
}
