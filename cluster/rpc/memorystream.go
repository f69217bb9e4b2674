package rpc

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/sqlerr"
)

// memoryWindow is how many bytes of a direction may be under way before Send waits: as much as a stream of the real network.
const memoryWindow = 1 << 20

// memoryStream is a stream of a Memory network: two pipes, and their two ends.
type memoryStream struct {
	net            *Memory
	method         string
	opened         time.Time
	client, server memoryEnd
}

// memoryEnd is one side of a stream.
type memoryEnd struct {
	node    *MemoryNode
	ctx     context.Context
	end     context.CancelCauseFunc
	in, out *pipe
}

func newMemoryStream(ctx context.Context, m *Memory, from, to *MemoryNode, method string) *memoryStream {
	s := &memoryStream{net: m, method: method, opened: m.clk.Now()}
	there := newPipe(s, link{from.name, to.name})
	back := newPipe(s, link{to.name, from.name})
	s.client = memoryEnd{node: from, in: back, out: there}
	s.client.ctx, s.client.end = context.WithCancelCause(ctx)
	s.server = memoryEnd{node: to, in: there, out: back}
	s.server.ctx, s.server.end = context.WithCancelCause(to.ctx)
	return s
}

func (s *memoryStream) over(l link) bool { return s.client.out.link == l || s.client.in.link == l }

// serve runs the handler, and carries the end of each side to the other.
func (s *memoryStream) serve(to *MemoryNode) {
	defer to.work.Done()
	ctx := s.server.ctx
	if deadline, ok := s.client.ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	s.server.ctx = ctx
	gone := make(chan struct{})
	stop := context.AfterFunc(s.client.ctx, func() {
		defer close(gone)
		if s.client.out.travel(s.server.ctx) == nil {
			s.server.end(context.Canceled)
		}
	})
	err := s.server.in.travel(ctx) // the opening itself takes its time
	if err == nil {
		err = to.handler(s.method)(ctx, s.client.node.name, &s.server)
	}
	s.client.in.finish(asRemote(err))
	s.client.out.refuse()
	s.server.end(io.EOF)
	if !stop() {
		<-gone
	}
}

// forget takes the stream out of the reach of faults: it has ended, and the one who opened it knows.
func (s *memoryStream) forget() {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	delete(s.net.mu.streams, s)
}

// breakUp ends both sides at once; what is under way is lost.
func (s *memoryStream) breakUp() {
	for _, e := range []struct {
		end  *memoryEnd
		peer string
	}{{&s.client, s.server.node.name}, {&s.server, s.client.node.name}} {
		err := unreachable(e.peer, errors.New("the stream broke"))
		e.end.in.fail(err)
		e.end.end(err)
	}
	s.forget()
}

// asRemote is a handler's error as the other side sees it: a code and a text.
func asRemote(err error) error {
	if err == nil {
		return nil
	}
	return &sqlerr.Error{Code: sqlerr.CodeOf(err), Msg: err.Error(), Pos: -1}
}

// Send implements Stream.
func (e *memoryEnd) Send(message []byte) error { return e.out.send(e.ctx, message) }

// Recv implements Stream.
func (e *memoryEnd) Recv() ([]byte, error) { return e.in.recv(e.ctx) }

// CloseSend implements Stream.
func (e *memoryEnd) CloseSend() error {
	e.out.finish(nil)
	return nil
}

// pipe is one direction of a stream.
type pipe struct {
	stream *memoryStream
	link   link
	mu     struct {
		sync.Mutex
		items   []parcel
		bytes   int
		last    time.Time     // when the last parcel arrives
		changed chan struct{} // closed and replaced with every change
		sealed  bool          // nothing more is sent
		refused bool          // the other side takes nothing any more
		over    error         // what Recv returns from now on
	}
}

// parcel is a message under way, or the end behind the last one.
type parcel struct {
	message []byte
	at      time.Time
	end     error
}

func newPipe(s *memoryStream, l link) *pipe {
	p := &pipe{stream: s, link: l}
	p.mu.changed = make(chan struct{})
	return p
}

func (p *pipe) changeLocked() {
	close(p.mu.changed)
	p.mu.changed = make(chan struct{})
}

func (p *pipe) putLocked(x parcel, delay time.Duration) {
	x.at = p.stream.net.clk.Now().Add(delay)
	if x.at.Before(p.mu.last) {
		x.at = p.mu.last
	}
	p.mu.last = x.at
	p.mu.items = append(p.mu.items, x)
	p.mu.bytes += len(x.message)
	p.changeLocked()
}

// send queues a message once there is room.
func (p *pipe) send(ctx context.Context, message []byte) error {
	if len(message) > MaxMessage {
		return tooLong(len(message))
	}
	delay, breaks, twice := p.stream.net.fate(p.stream.method)
	if breaks {
		p.stream.breakUp()
	}
	for {
		p.mu.Lock()
		switch {
		case context.Cause(ctx) != nil:
			p.mu.Unlock()
			return context.Cause(ctx)
		case p.mu.refused || p.mu.sealed:
			p.mu.Unlock()
			return io.EOF
		case len(p.mu.items) == 0 || p.mu.bytes+len(message) <= memoryWindow:
			p.putLocked(parcel{message: message}, delay)
			if twice {
				p.putLocked(parcel{message: append([]byte(nil), message...)}, delay)
			}
			p.mu.Unlock()
			return nil
		}
		changed := p.mu.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// finish says that nothing more comes, and how the stream ended: nil for its plain end.
func (p *pipe) finish(err error) {
	if err == nil {
		err = io.EOF
	}
	delay, _, _ := p.stream.net.fate(p.stream.method)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.mu.sealed {
		p.mu.sealed = true
		p.putLocked(parcel{end: err}, delay)
	}
}

// refuse lets senders know that nobody receives any more.
func (p *pipe) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.refused, p.mu.sealed = true, true
	p.changeLocked()
}

// fail ends the direction now.
func (p *pipe) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.over == nil {
		p.mu.over, p.mu.items, p.mu.sealed = err, nil, true
		p.changeLocked()
	}
}

// recv returns the next message when it has arrived.
func (p *pipe) recv(ctx context.Context) ([]byte, error) {
	for {
		p.mu.Lock()
		if p.mu.over != nil {
			defer p.mu.Unlock()
			return nil, p.mu.over
		}
		if err := context.Cause(ctx); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		var next *parcel
		wait := time.Duration(0)
		if len(p.mu.items) > 0 {
			next = &p.mu.items[0]
			wait = next.at.Sub(p.stream.net.clk.Now())
		}
		cut := p.stream.net.cut(p.link)
		if next != nil && wait <= 0 && cut == nil {
			defer p.mu.Unlock()
			return p.takeLocked()
		}
		changed := p.mu.changed
		p.mu.Unlock()
		if cut != nil {
			wait = 0 // the link must heal first
		}
		p.await(ctx, changed, cut, wait)
	}
}

func (p *pipe) takeLocked() ([]byte, error) {
	next := p.mu.items[0]
	p.mu.items = p.mu.items[1:]
	p.mu.bytes -= len(next.message)
	p.changeLocked()
	if next.end != nil {
		p.mu.over = next.end
		if p == p.stream.client.in {
			p.stream.forget()
		}
		return nil, next.end
	}
	return next.message, nil
}

// await waits for a change of the pipe, its link's healing, or a time if it is not 0.
func (p *pipe) await(ctx context.Context, changed, healed <-chan struct{}, wait time.Duration) {
	var due <-chan time.Time
	if wait > 0 {
		t := p.stream.net.clk.NewTimer(wait)
		defer t.Stop()
		due = t.C()
	}
	select {
	case <-changed:
	case <-healed:
	case <-due:
	case <-ctx.Done():
	}
}

// travel waits as long as a message would take, until ctx ends.
func (p *pipe) travel(ctx context.Context) error {
	delay, _, _ := p.stream.net.fate(p.stream.method)
	if err := p.stream.net.clk.Sleep(ctx, delay); err != nil {
		return err
	}
	for {
		cut := p.stream.net.cut(p.link)
		if cut == nil {
			return context.Cause(ctx)
		}
		select {
		case <-cut:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func tooLong(n int) error {
	return sqlerr.New(sqlerr.TooLargeSizeCompressed, "A message of %d bytes: the limit is %d", n, MaxMessage)
}
