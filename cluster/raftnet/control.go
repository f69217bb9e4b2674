package raftnet

import (
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
)

// control is the stream of control messages to one node: requests of all groups, answered in any order.
type control struct {
	requests chan []byte
	ctx      context.Context // ends when the stream has
	end      context.CancelCauseFunc

	mu struct {
		sync.Mutex
		last    uint64
		pending map[uint64]chan message
	}
}

// control asks a node and waits for its answer.
func (t *Transport) control(id raft.ServerID, k kind, args, resp any) error {
	c := t.mux.peer(string(id))
	timer := t.mux.clk.NewTimer(controlTimeout)
	defer timer.Stop()
	request, answered := c.expect()
	defer c.drop(request)
	b, err := appendMessage(nil, message{kind: k, id: request, group: t.group, body: args})
	if err != nil {
		return err
	}
	send := c.requests
	for {
		select {
		case send <- b:
			send = nil
		case m := <-answered:
			return settle(m, resp)
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		case <-t.ctx.Done():
			return context.Cause(t.ctx)
		case <-timer.C():
			return context.DeadlineExceeded
		}
	}
}

// expect makes room for an answer.
func (c *control) expect() (uint64, <-chan message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.last++
	answered := make(chan message, 1)
	c.mu.pending[c.mu.last] = answered
	return c.mu.last, answered
}

func (c *control) drop(request uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mu.pending, request)
}

// answered hands an answer to the one who waits; nobody does for one that came too late, or twice.
func (c *control) answered(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to := c.mu.pending[m.id]; to != nil {
		delete(c.mu.pending, m.id)
		to <- m
	}
}

// peer returns the stream to a node, a new one if there is none that works.
func (m *Mux) peer(name string) *control {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.mu.peers[name]; c != nil && c.ctx.Err() == nil {
		return c
	}
	c := &control{requests: make(chan []byte)}
	c.mu.pending = map[uint64]chan message{}
	c.ctx, c.end = context.WithCancelCause(m.ctx)
	m.mu.peers[name] = c
	if m.ctx.Err() == nil { // else Close waits no more
		m.work.Go(func() { m.runControl(name, c) })
	}
	return c
}

// runControl opens the stream and carries requests and answers until it breaks.
func (m *Mux) runControl(name string, c *control) {
	s, err := m.net.Open(c.ctx, name, ControlMethod)
	if err != nil {
		c.end(err)
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { c.end(c.receive(s)) })
	for {
		select {
		case b := <-c.requests:
			if err := s.Send(b); err != nil {
				c.end(err)
				return
			}
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *control) receive(s rpc.Stream) error {
	for {
		b, err := s.Recv()
		if err != nil {
			return errors.Join(errors.New("raftnet: the control stream has ended"), err)
		}
		m, err := decodeMessage(b)
		if err != nil {
			return err
		}
		c.answered(m)
	}
}

// serveControl answers a node's control messages, each in its own time.
func (m *Mux) serveControl(ctx context.Context, from string, s rpc.Stream) error {
	ctx, end := context.WithCancelCause(ctx)
	answers := make(chan []byte)
	places := make(chan struct{}, maxControl)
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { end(sendAll(ctx, s, answers)) })
	for {
		b, err := s.Recv()
		if err != nil {
			end(err)
			return nil
		}
		req, err := decodeMessage(b)
		if err != nil {
			end(err)
			return err
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		work.Go(func() {
			defer func() { <-places }()
			m.answerControl(ctx, from, req, answers)
		})
	}
}

// answerControl answers one control message; too late an answer is left out.
func (m *Mux) answerControl(ctx context.Context, from string, req message, answers chan<- []byte) {
	ctx, cancel := m.within(ctx, controlTimeout)
	defer cancel()
	b, err := answer(req, m.handle(ctx, from, req))
	if err != nil || ctx.Err() != nil {
		return
	}
	select {
	case answers <- b:
	case <-ctx.Done():
	}
}

// handle lets the group that a request is for answer it.
func (m *Mux) handle(ctx context.Context, from string, req message) raft.RPCResponse {
	t, err := m.transport(from, req)
	if err != nil {
		return raft.RPCResponse{Error: err}
	}
	return t.handle(ctx, raft.RPC{Command: req.body})
}

// sendAll sends messages until ctx ends or the stream breaks.
func sendAll(ctx context.Context, s rpc.Stream, messages <-chan []byte) error {
	for {
		select {
		case b := <-messages:
			if err := s.Send(b); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
