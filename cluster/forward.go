package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
)

// commit proposes here if this node leads, or lets the leader propose, and returns when the entry has been applied here. While nobody leads it
// is made again, for leaderPatience, and when it is safe also after an attempt whose outcome is unknown: because a
// token makes it take effect once.
func (g *group) commit(ctx context.Context, p proposal) (response, error) {
	start, unsure := g.clk.Now(), false
	for attempt := 1; ; attempt++ {
		r, err := g.offer(ctx, p)
		if err == nil {
			err = r.err
		}
		unsure = unsure || errors.Is(err, ErrUnknown)
		if unsure {
			err = stillUnknown(err)
		}
		again := errors.Is(err, ErrNotLeader) && !unsure || p.token && errors.Is(err, ErrUnknown) && g.net != nil
		if !again || p.term != 0 || ctx.Err() != nil || g.patienceEnds(start, attempt) {
			return r, err
		}
		g.recheckNow()
		if g.clk.Sleep(ctx, retryPause) != nil {
			return r, err
		}
	}
}

// stillUnknown is the error of an attempt after one whose outcome is unknown: that this one had no effect says nothing of that.
func stillUnknown(err error) error {
	if err == nil || errors.Is(err, ErrUnknown) {
		return err
	}
	return unknown(err)
}

// patienceEnds reports whether enough attempts were made: some, where there is no other node; all within leaderPatience, where one
// may be about to lead.
func (g *group) patienceEnds(start time.Time, attempt int) bool {
	if g.net == nil {
		return attempt >= attempts
	}
	return g.clk.Since(start) >= leaderPatience
}

// leader returns the name of the group's leader, as far as this node knows; empty: none.
func (g *group) leader() string {
	_, id := g.raft.LeaderWithID()
	return string(id)
}

// leadsHere reports whether proposals are this node's to make.
func (g *group) leadsHere() bool { return g.net == nil || g.raft.State() == raft.Leader }

// offer makes one attempt.
func (g *group) offer(ctx context.Context, p proposal) (response, error) {
	if g.leadsHere() {
		return g.propose(ctx, p)
	}
	if err := g.refusal(); err != nil {
		return response{}, err
	}
	leader := g.leader()
	if leader == "" || leader == g.node {
		return response{}, notLeader(g)
	}
	coded, err := p.body.append(nil)
	if err != nil {
		return response{}, err
	}
	if len(coded) > MaxEntryBytes {
		return response{}, tooLargeEntry(len(coded))
	}
	q := &forwardRequest{what: askPropose, group: g.id, kind: p.body.kind(), term: p.term, schema: p.schema, coded: coded}
	ctx, cancel := g.whileLeading(ctx, leader)
	defer cancel()
	a := ask(ctx, g.net, leader, q)
	if a.err != nil {
		return response{err: a.err}, nil
	}
	if err := g.learn(ctx, leader, a); err != nil {
		return response{}, unknown(err)
	}
	return response{value: a.result}, nil
}

// learn waits until what the leader has committed is applied here. The leader's answer says as much as one of its messages with the
// commit index would, so it is given to raft as one, rather than waited for.
func (g *group) learn(ctx context.Context, leader string, a *forwardAnswer) error {
	if t, ok := g.transport.(interface {
		Committed(ctx context.Context, leader string, term, index uint64)
	}); ok {
		t.Committed(ctx, leader, a.term, a.index)
	}
	err := g.waitApplied(ctx, a.index)
	if errors.Is(err, ErrStopped) {
		return nil // it is committed, and visible on the others
	}
	return err
}

// whileLeading returns a context that ends when the group has another leader than this one, or after forwardTimeout.
func (g *group) whileLeading(ctx context.Context, leader string) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		deadline := g.clk.Now().Add(forwardTimeout)
		for g.clk.Sleep(ctx, leaderPoll) == nil {
			if now := g.leader(); now != "" && now != leader {
				end(fmt.Errorf("cluster: group %d is led by %s meanwhile, no longer by %s", g.id, now, leader))
			}
			if !g.clk.Now().Before(deadline) {
				end(context.DeadlineExceeded)
			}
		}
	}()
	return ctx, func() { end(context.Canceled) }
}

// ask puts a request to a node. What is not answered with ErrNotLeader or another refusal may have taken effect; only a node that could
// not be reached at all has not heard of it.
func ask(ctx context.Context, n rpc.Network, node string, q *forwardRequest) *forwardAnswer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := n.Open(ctx, node, methodForward)
	if err != nil {
		if ctx.Err() != nil {
			return &forwardAnswer{err: ctxErr(ctx)}
		}
		return &forwardAnswer{err: sqlerr.Wrap(errors.Join(ErrNotLeader, err), sqlerr.AllConnectionTriesFailed, "Node %s, which should lead group %d", node, q.group)}
	}
	b, err := askStream(s, q)
	if err != nil {
		return &forwardAnswer{err: unanswered(ctx, q, err)}
	}
	a, err := decodeAnswer(b)
	if err != nil {
		return &forwardAnswer{err: unknown(err)}
	}
	a.err = going(node, q, a.err)
	return a
}

// going says that a node which is shutting down, or whose replica has stopped, does not lead any more: another will, and what this one has refused had no effect.
func going(node string, q *forwardRequest, err error) error {
	if errors.Is(err, ErrUnknown) || !errors.Is(err, ErrClosed) && !errors.Is(err, ErrStopped) {
		return err
	}
	return sqlerr.Wrap(errors.Join(ErrNotLeader, err), sqlerr.NotALeader, "Node %s, which led group %d", node, q.group)
}

func askStream(s rpc.Stream, q *forwardRequest) ([]byte, error) {
	if err := s.Send(q.append(nil)); err != nil && err != io.EOF {
		return nil, err
	}
	if err := s.CloseSend(); err != nil {
		return nil, err
	}
	b, err := s.Recv()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// unanswered says what the end of a stream without an answer means.
func unanswered(ctx context.Context, q *forwardRequest, err error) error {
	switch {
	case q.what == askReadIndex:
		return sqlerr.Wrap(errors.Join(ErrNotLeader, err), sqlerr.NotALeader, "Group %d", q.group)
	case ctx.Err() != nil:
		return unknown(ctxErr(ctx))
	case errors.Is(err, rpc.ErrUnreachable), errors.Is(err, io.ErrUnexpectedEOF):
		return unknown(err)
	case sqlerr.Is(err, sqlerr.UnsupportedMethod): // the node is starting
		return sqlerr.Wrap(errors.Join(ErrNotLeader, err), sqlerr.NotALeader, "Group %d", q.group)
	}
	return err // the request was refused before it was looked at
}

// barrier waits until all that was acknowledged when it was called is applied here: also by other nodes, where another leads.
func (g *group) barrier(ctx context.Context) error {
	start := g.clk.Now()
	for attempt := 1; ; attempt++ {
		err := g.barrierOnce(ctx)
		if !errors.Is(err, ErrNotLeader) || ctx.Err() != nil || g.net == nil || g.patienceEnds(start, attempt) {
			return err
		}
		if err := g.clk.Sleep(ctx, retryPause); err != nil {
			return err
		}
	}
}

func (g *group) barrierOnce(ctx context.Context) error {
	if g.leadsHere() {
		index, _, err := g.readIndex(ctx)
		if err != nil {
			return err
		}
		return g.waitApplied(ctx, index)
	}
	leader := g.leader()
	if leader == "" || leader == g.node {
		return notLeader(g)
	}
	watched, cancel := g.whileLeading(ctx, leader)
	defer cancel()
	a := ask(watched, g.net, leader, &forwardRequest{what: askReadIndex, group: g.id})
	if a.err != nil && ctx.Err() == nil && watched.Err() != nil {
		return notLeader(g)
	}
	if a.err != nil {
		return a.err
	}
	return g.learn(ctx, leader, a)
}

// RemoteShard is a shard of which this node has no replica: what changes it goes to its leader. All methods may be called from any
// goroutine; errors are as a Shard's.
type RemoteShard struct {
	Writer
	id       uint64
	net      rpc.Network
	clk      clock.Clock
	replicas func() []string // by the topology
	hint     chan string     // who led last: holds one name, or none
}

func newRemoteShard(id uint64, net rpc.Network, clk clock.Clock, replicas func() []string) *RemoteShard {
	s := &RemoteShard{id: id, net: net, clk: clk, replicas: replicas, hint: make(chan string, 1)}
	s.Writer = Writer{id: id, commit: s.commit}
	return s
}

// Writer returns what changes a shard: through this node's replica while it has one, or else as a RemoteShard.
func (n *Node) Writer(id uint64) *Writer {
	return &Writer{id: id, commit: func(ctx context.Context, p proposal) (Result, error) {
		s := n.Shard(id)
		if s == nil {
			return n.Remote(id).commit(ctx, p)
		}
		r, err := s.commit(ctx, p)
		unsure := errors.Is(err, ErrUnknown)
		if !errors.Is(err, ErrClosed) || unsure && !p.token || n.Shard(id) == s {
			return r, err
		} // else the replica has just moved away
		if r, err = n.Remote(id).commit(ctx, p); unsure {
			err = stillUnknown(err)
		}
		return r, err
	}}
}

// Remote returns a shard as one of which this node has no replica.
func (n *Node) Remote(id uint64) *RemoteShard {
	return newRemoteShard(id, n.cfg.Network, n.cfg.Clock, func() []string {
		if p := n.Topology().Shard(id); p != nil {
			return p.Replicas
		}
		return nil
	})
}

// commit asks one replica after the other, beginning with the one that led last.
func (s *RemoteShard) commit(ctx context.Context, p proposal) (Result, error) {
	coded, err := p.body.append(nil)
	if err != nil {
		return Result{}, err
	}
	if len(coded) > MaxEntryBytes {
		return Result{}, tooLargeEntry(len(coded))
	}
	a, err := s.askLeader(ctx, &forwardRequest{what: askPropose, group: s.id, kind: p.body.kind(), term: p.term, schema: p.schema, coded: coded}, p.token)
	if err != nil {
		return Result{}, err
	}
	return a.result, nil
}

// ReadIndex returns the log index that a replica must have applied to see all that was acknowledged before the call.
func (s *RemoteShard) ReadIndex(ctx context.Context) (uint64, error) {
	a, err := s.askLeader(ctx, &forwardRequest{what: askReadIndex, group: s.id}, true)
	if err != nil {
		return 0, err
	}
	return a.index, nil
}

// askLeader asks until the leader answers, for leaderPatience; again after an unknown outcome only if that is safe.
func (s *RemoteShard) askLeader(ctx context.Context, q *forwardRequest, safe bool) (*forwardAnswer, error) {
	start, unsure := s.clk.Now(), false
	tried := 0
	for {
		replicas := s.replicas()
		if len(replicas) == 0 {
			return nil, sqlerr.New(sqlerr.AllConnectionTriesFailed, "Shard %d has no replica", s.id)
		}
		node := replicas[tried%len(replicas)]
		select {
		case node = <-s.hint:
		default:
			tried++
		}
		attempt, cancel := withTimeout(ctx, s.clk, forwardTimeout)
		a := ask(attempt, s.net, node, q)
		cancel()
		if a.err == nil {
			s.led(node)
			return a, nil
		}
		unsure = unsure || errors.Is(a.err, ErrUnknown)
		if unsure {
			a.err = stillUnknown(a.err)
		}
		again := errors.Is(a.err, ErrNotLeader) && !unsure || safe && errors.Is(a.err, ErrUnknown)
		if !again || q.term != 0 || ctx.Err() != nil || s.clk.Since(start) >= leaderPatience {
			return nil, fmt.Errorf("cluster: shard %d, replicas %v: %w", s.id, replicas, a.err)
		}
		if a.leader != "" && a.leader != node {
			s.led(a.leader)
		} else if tried%len(replicas) == 0 {
			if err := s.clk.Sleep(ctx, retryPause); err != nil {
				return nil, a.err
			}
		}
	}
}

// led remembers who leads.
func (s *RemoteShard) led(node string) {
	select {
	case <-s.hint:
	default:
	}
	select {
	case s.hint <- node:
	default:
	}
}

// withTimeout is context.WithTimeout by a clock.
func withTimeout(ctx context.Context, clk clock.Clock, d time.Duration) (context.Context, context.CancelFunc) {
	return withTimeoutCause(ctx, clk, d, context.DeadlineExceeded)
}

// withTimeoutCause is context.WithTimeoutCause by a clock.
func withTimeoutCause(ctx context.Context, clk clock.Clock, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	go func() {
		if clk.Sleep(ctx, d) == nil {
			end(cause)
		}
	}()
	return ctx, func() { end(context.Canceled) }
}
