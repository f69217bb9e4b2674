package raftnet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/olapd/olapd/cluster/rpc"
	"github.com/olapd/olapd/internal/clock"
)

// control is the stream of control messages to one node: requests of all groups, answered in any order.
type control struct {
	requests chan []byte
	beats    chan []byte     // requests that may be held for beatHold
	hurry    chan struct{}   // somebody waits for one of these
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
	if k == kindAppendEntries && t.hurried.Load() == 0 {
		send = c.beats
	}
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
	c := &control{requests: make(chan []byte), beats: make(chan []byte), hurry: make(chan struct{}, 1)}
	c.mu.pending = map[uint64]chan message{}
	c.ctx, c.end = context.WithCancelCause(m.ctx)
	m.mu.peers[name] = c
	if m.ctx.Err() == nil { // else Close waits no more
		m.work.Go(func() { m.runControl(name, c) })
	}
	return c
}

// hurry ends the waiting of heartbeats to all nodes.
func (m *Mux) hurry() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.mu.peers {
		select {
		case c.hurry <- struct{}{}:
		default:
		}
	}
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
	if err := c.sendRequests(m.clk, s); err != nil {
		c.end(err)
	}
}

// sendRequests sends requests until the stream breaks. Heartbeats it keeps back for beatHold, to send all that have come by then at once.
func (c *control) sendRequests(clk clock.Clock, s rpc.Stream) error {
	var held [][]byte
	var due <-chan time.Time // for what is held
	for {
		select {
		case b := <-c.requests:
			if err := s.Send(b); err != nil {
				return err
			}
			continue
		case b := <-c.beats:
			if held = append(held, b); due == nil {
				due = clk.After(beatHold)
			}
			continue
		case <-c.hurry:
		case <-due:
		case <-c.ctx.Done():
			return nil
		}
		for _, b := range held {
			if err := s.Send(b); err != nil {
				return err
			}
		}
		clear(held)
		held, due = held[:0], nil
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

// answerControl answers one control message; too late an answer is left out. What is answered at once needs no watching of the time.
func (m *Mux) answerControl(ctx context.Context, from string, req message, answers chan<- []byte) {
	if t, err := m.transport(from, req); err == nil && t.beatHandler(req.body) == nil {
		var cancel context.CancelFunc
		ctx, cancel = m.within(ctx, controlTimeout)
		defer cancel()
	}
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
