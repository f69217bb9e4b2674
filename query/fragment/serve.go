package fragment

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// Runner runs fragments on the node that was asked.
type Runner interface {
	// RunFragment runs a task until its end. Errors carry codes.
	RunFragment(ctx context.Context, t *Task) error
	// Shuffles is where fragments meet on this node, those of its own queries too. It does not change.
	Shuffles() *Shuffles
}

// Task is a fragment to be run here for another node.
type Task struct {
	*Request
	// From is the name of the node that asks.
	From    string
	Storage exec.Storage
	// Rows receives the next rows of a Broadcast of the fragment and its number, or a nil block when all are there. What it returns is the caller's to hold.
	Rows func() (number int, b *column.Block, err error)
	// Peers are the nodes that run it together, if it has plan.Shuffles; else nil.
	Peers exec.Peers
	// Choice lets the rows of a late top-k be chosen; nil: it is not late.
	Choice *exec.Choice
	// Emit sends rows back; columns that were not asked for may be nil.
	Emit func(*column.Block) error
	// Read counts what was read, Planned what is to be, for the node that asks. They may be called from any goroutine.
	Read    func(rows, bytes int64)
	Planned func(rows int64)
	// Report tells, at the end, what was done.
	Report func(exec.RemoteReport) error
}

// Server answers the streams that other nodes' queries open. It is safe for concurrent use.
type Server struct {
	cluster Cluster
	runner  Runner
	clock   clock.Clock
	mu      struct {
		sync.Mutex
		pins     map[pinKey]*pin
		held     int           // pins that have not been released in full
		draining bool          // pins of other nodes are refused
		empty    chan struct{} // closed when none is held; nil: nobody waits
	}
}

// NewServer returns a server. It starts nothing.
func NewServer(c Cluster, r Runner, clk clock.Clock) *Server {
	s := &Server{cluster: c, runner: r, clock: clk}
	s.mu.pins = map[pinKey]*pin{}
	return s
}

type pinKey struct {
	from string
	linkKey
}

// pin is rows pinned for a link of a query, held by its streams.
type pin struct {
	Pinned
	ready chan struct{} // closed when there is Pinned
	refs  int           // guarded by the server's lock
	set   bool          // so
	parts []*part       // of fragments that ran; guarded by the server's lock
}

// Serve answers one stream from a node, until its end.
func (s *Server) Serve(ctx context.Context, from string, st Stream) error {
	c := &conn{s: st}
	k, body, err := c.recv()
	if err != nil {
		return err
	}
	switch k {
	case msgPin:
		return s.servePin(ctx, from, c, body)
	case msgRequest:
		req, err := decodeRequest(body)
		if err != nil {
			return err
		}
		key := pinKey{from, req.linkKey}
		p, err := s.await(ctx, key)
		if err != nil {
			return err
		}
		defer s.release(key, p)
		return s.run(ctx, from, c, req, p)
	case msgShuffle:
		return s.runner.Shuffles().serve(ctx, from, c, body)
	}
	return corrupt("a stream that begins with a message of kind %d", k)
}

// servePin pins what a link reads and keeps it until the stream ends.
func (s *Server) servePin(ctx context.Context, from string, c *conn, body []byte) error {
	req, err := decodePin(body)
	if err != nil {
		return err
	}
	key := pinKey{from, req.linkKey}
	p := s.begin(key)
	if p == nil {
		return sqlerr.New(sqlerr.AllConnectionTriesFailed, "Node %s is shutting down", s.cluster.Self())
	}
	defer s.release(key, p)
	got, err := s.cluster.Pin(ctx, req.PinRequest)
	if err != nil {
		return err
	}
	if !s.put(p, got) {
		got.Storage.Close()
		return corrupt("query %s of %s pins twice", req.Query, from)
	}
	if err := c.send(msgPinned, encodeIndices(got.Indices)); err != nil {
		return err
	}
	k, _, err := c.recv()
	switch {
	case err == nil:
		return corrupt("a message of kind %d behind a pin", k)
	case err == io.EOF || ctx.Err() != nil:
		return nil
	}
	return err
}

// Drain refuses pins of other nodes' queries from now on, which therefore turn to other replicas, and waits until those that are there have been
// released, for patience at most. Queries of this node go on as before.
func (s *Server) Drain(patience time.Duration) {
	s.mu.Lock()
	s.mu.draining = true
	if s.mu.held == 0 {
		s.mu.Unlock()
		return
	}
	if s.mu.empty == nil {
		s.mu.empty = make(chan struct{})
	}
	empty := s.mu.empty
	s.mu.Unlock()
	t := s.clock.NewTimer(patience)
	defer t.Stop()
	select {
	case <-empty:
	case <-t.C():
	}
}

// begin is take for who pins; nil if that is refused.
func (s *Server) begin(key pinKey) *pin {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.draining && key.from != s.cluster.Self() {
		return nil
	}
	return s.takeLocked(key)
}

// take returns the pin of a link and holds it; who comes first, its fragment or its pin, makes it.
func (s *Server) take(key pinKey) *pin {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.takeLocked(key)
}

func (s *Server) takeLocked(key pinKey) *pin {
	p := s.mu.pins[key]
	if p == nil {
		p = &pin{ready: make(chan struct{})}
		s.mu.pins[key] = p
		s.mu.held++
	}
	p.refs++
	return p
}

// put makes a pin ready; false if it was.
func (s *Server) put(p *pin, got Pinned) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.set {
		return false
	}
	p.Pinned, p.set = got, true
	close(p.ready)
	return true
}

// await returns the pin of a link when it is ready, and holds it.
func (s *Server) await(ctx context.Context, key pinKey) (*pin, error) {
	p := s.take(key)
	t := s.clock.NewTimer(openTimeout)
	defer t.Stop()
	select {
	case <-p.ready:
		return p, nil
	case <-t.C():
		s.release(key, p)
		return nil, sqlerr.New(sqlerr.QueryWasCancelled, "Query %s of %s has ended, or has pinned nothing here", key.Query, key.from)
	case <-ctx.Done():
		s.release(key, p)
		return nil, context.Cause(ctx)
	}
}

func (s *Server) release(key pinKey, p *pin) {
	s.mu.Lock()
	p.refs--
	last := p.refs == 0
	if last {
		delete(s.mu.pins, key)
	}
	s.mu.Unlock()
	if !last {
		return
	}
	for _, x := range p.parts {
		s.runner.Shuffles().leave(x)
	}
	if p.set {
		p.Storage.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.held--; s.mu.held == 0 && s.mu.empty != nil {
		close(s.mu.empty)
		s.mu.empty = nil
	}
}

func (s *Server) run(ctx context.Context, from string, c *conn, req *Request, p *pin) error {
	t := &Task{Request: req, From: from, Storage: p.Storage}
	sideways := &Traffic{}
	if m := req.Meeting; m != nil {
		x, err := s.runner.Shuffles().enter(from, req.Query, *m, sideways)
		if err != nil {
			return err
		}
		s.mu.Lock()
		p.parts = append(p.parts, x)
		s.mu.Unlock()
		defer x.ended()
		t.Peers = x
	}
	t.Rows = func() (int, *column.Block, error) {
		k, body, err := c.recv()
		switch {
		case err == io.EOF:
			return 0, nil, corrupt("the stream ends before the fragment starts")
		case err != nil:
			return 0, nil, err
		case k == msgStart:
			return 0, nil, nil
		case k != msgRows:
			return 0, nil, corrupt("a message of kind %d before the start", k)
		}
		return decodeRows(body, req.Broadcasts)
	}
	if req.Late {
		t.Choice = &exec.Choice{Of: func(_ context.Context, keys *column.Block) ([]uint32, error) { return c.offer(keys) }}
	}
	rep := newReporter(ctx, c, s.clock)
	t.Read, t.Planned = rep.read, rep.plan
	t.Emit = func(b *column.Block) error {
		if len(b.Cols) != len(req.Columns) {
			return sqlerr.New(sqlerr.LogicalError, "A fragment of %d columns yields %d", len(req.Columns), len(b.Cols))
		}
		return c.sendBlock(b, req.Columns)
	}
	t.Report = func(r exec.RemoteReport) error {
		if err := rep.flush(); err != nil {
			return err
		}
		r.Sideways = sideways.Sent.Load()
		return c.send(msgReport, encodeReport(r))
	}
	defer rep.stop()
	return sqlerr.Guard(func() error { return s.runner.RunFragment(ctx, t) })
}
