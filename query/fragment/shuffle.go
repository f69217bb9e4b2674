package fragment

import (
	"context"
	"io"
	"sync"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/exec"
)

// Shuffles is where the fragments that run on a node meet the rows that other nodes send them: a fragment with plan.Shuffles runs on several nodes, each of which
// has a part of the rows. It is safe for concurrent use.
type Shuffles struct {
	cluster Cluster
	clock   clock.Clock
	mu      struct {
		sync.Mutex
		parts map[partKey]*part
		wake  chan struct{} // closed when a part has come
	}
}

// NewShuffles returns none. It starts nothing.
func NewShuffles(c Cluster, clk clock.Clock) *Shuffles {
	s := &Shuffles{cluster: c, clock: clk}
	s.mu.parts, s.mu.wake = map[partKey]*part{}, make(chan struct{})
	return s
}

// partKey names a part: of which node's query, which of its fragments, and which part of that.
type partKey struct {
	From, Query string
	Session     uint64
	Own         int
}

// part is this node's part of a fragment. It implements exec.Peers.
type part struct {
	all *Shuffles
	key partKey
	meeting
	// traffic counts, on the node that has the query, what goes to other nodes and comes from them; on others what goes to third ones.
	traffic *Traffic
	mu      struct {
		sync.Mutex
		boxes map[int]*box
	}
	over   chan struct{} // closed when the fragment has ended: rows that come then are dropped
	closed sync.Once
}

// box is where the rows of one shuffle go.
type box struct {
	ready  chan struct{} // closed when there is what follows
	fields column.Schema
	put    func(*column.Block) error
	end    func(error)
	came   map[int]bool // parts whose rows come, guarded by the part's lock
}

// enter makes this node's part of a fragment, which is known until leave.
func (s *Shuffles) enter(from, query string, m meeting, traffic *Traffic) (*part, error) {
	p := &part{traffic: traffic, all: s, key: partKey{from, query, m.Session, m.Own}, meeting: m, over: make(chan struct{})}
	p.mu.boxes = map[int]*box{}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.parts[p.key] != nil {
		return nil, corrupt("part %d of fragment %d of query %s of %s comes twice", m.Own, m.Session, query, from)
	}
	s.mu.parts[p.key] = p
	close(s.mu.wake)
	s.mu.wake = make(chan struct{})
	return p, nil
}

// ended tells that the fragment has ended here: what others still send for it is not wanted.
func (p *part) ended() { p.closed.Do(func() { close(p.over) }) }

// leave forgets a part, when its query is over.
func (s *Shuffles) leave(p *part) {
	p.ended()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.mu.parts, p.key)
}

// find returns a part of this node's, and waits for it: other nodes may begin before this one.
func (s *Shuffles) find(ctx context.Context, k partKey) (*part, error) {
	t := s.clock.NewTimer(openTimeout)
	defer t.Stop()
	for {
		s.mu.Lock()
		p, wake := s.mu.parts[k], s.mu.wake
		s.mu.Unlock()
		if p != nil {
			return p, nil
		}
		select {
		case <-wake:
		case <-t.C():
			return nil, sqlerr.New(sqlerr.QueryWasCancelled, "Query %s of %s has ended, or its fragment has not begun here", k.Query, k.From)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// box returns where the rows of a shuffle go.
func (p *part) box(shuffle int) *box {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.mu.boxes[shuffle]
	if b == nil {
		b = &box{ready: make(chan struct{}), came: map[int]bool{}}
		p.mu.boxes[shuffle] = b
	}
	return b
}

// Parts implements exec.Peers.
func (p *part) Parts() (n, own int) { return len(p.Nodes), p.Own }

// Receive implements exec.Peers.
func (p *part) Receive(shuffle int, fields column.Schema, put func(*column.Block) error, end func(error)) {
	b := p.box(shuffle)
	b.fields, b.put, b.end = fields, put, end
	close(b.ready)
}

// incoming is the rows of one shuffle from one other part, as they arrive.
type incoming struct {
	p   *part
	box *box // nil: they are not wanted any more
}

// arrive begins to take rows of a shuffle from another part, once the fragment here is there to take them.
func (p *part) arrive(ctx context.Context, shuffle, sender int) (*incoming, error) {
	if shuffle < 0 || shuffle >= maxShuffles || sender < 0 || sender >= len(p.Nodes) || sender == p.Own {
		return nil, corrupt("rows of shuffle %d from part %d of %d at part %d", shuffle, sender, len(p.Nodes), p.Own)
	}
	b := p.box(shuffle)
	p.mu.Lock()
	again := b.came[sender]
	b.came[sender] = true
	p.mu.Unlock()
	if again {
		return nil, corrupt("rows of shuffle %d from part %d come twice", shuffle, sender)
	}
	select {
	case <-b.ready:
		return &incoming{p, b}, nil
	case <-p.over:
		return &incoming{p: p}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (in *incoming) put(b *column.Block) error {
	if in.box == nil {
		return nil
	}
	return in.box.put(b)
}

func (in *incoming) end(err error) {
	if in.box != nil {
		in.box.end(err)
	}
}

// Send implements exec.Peers.
func (p *part) Send(ctx context.Context, shuffle, to int, fields column.Schema) (exec.RowSender, error) {
	node, key := p.Nodes[to], p.key
	key.Own = to
	if node == p.all.cluster.Self() { // has two parts
		other, err := p.all.find(ctx, key)
		if err != nil {
			return nil, err
		}
		in, err := other.arrive(ctx, shuffle, p.Own)
		if err != nil {
			return nil, err
		}
		return &nearSender{in}, nil
	}
	way, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { // the other side is told why, before the way ends
		if p.all.clock.Sleep(way, lastWord) == nil {
			end()
		}
	})
	st, err := p.all.cluster.Open(way, node)
	if err != nil {
		end()
		return nil, err
	}
	traffic := p.traffic
	if node == p.key.From {
		traffic = &Traffic{} // counted there
	}
	s := &farSender{conn: &conn{s: &counted{Stream: st, own: &Traffic{}, all: traffic}}, node: node, end: end, columns: make([]bool, len(fields))}
	for i := range s.columns {
		s.columns[i] = true
	}
	m := shuffleMessage{key, shuffle, p.Own}
	if err := s.send(msgShuffle, m.encode()); err != nil {
		if cerr := s.Close(err); cerr != nil { // why the other side has ended the stream
			err = cerr
		}
		return nil, s.broken(err)
	}
	return s, nil
}

// nearSender sends rows to another part on this node.
type nearSender struct{ in *incoming }

func (s *nearSender) Send(b *column.Block) error { return s.in.put(b) }

func (s *nearSender) Close(why error) error {
	s.in.end(why)
	return nil
}

// farSender sends rows to another node.
type farSender struct {
	*conn
	node    string
	end     context.CancelFunc
	columns []bool
}

// Send implements exec.RowSender.
func (s *farSender) Send(b *column.Block) error {
	err := s.sendBlock(b, s.columns)
	if err == io.EOF { // the other side has ended the stream, and says why
		_, err = s.s.Recv()
	}
	return s.broken(err)
}

// Close implements exec.RowSender.
func (s *farSender) Close(why error) error {
	defer s.end()
	err := s.send(msgEnd, encodeEnd(why))
	if err == nil {
		err = s.s.CloseSend()
	}
	if err == nil || err == io.EOF {
		if _, err = s.s.Recv(); err == io.EOF {
			return nil
		}
	}
	return s.broken(err)
}

// broken is the error of a stream that did not end as it should.
func (s *farSender) broken(err error) error {
	if err == io.EOF {
		return sqlerr.New(sqlerr.NetworkError, "Node %s has ended the stream before all rows of a shuffle were there", s.node)
	}
	return err
}

// serve takes the rows of a shuffle that another node sends.
func (s *Shuffles) serve(ctx context.Context, from string, c *conn, body []byte) error {
	m, err := decodeShuffle(body)
	if err != nil {
		return err
	}
	p, err := s.find(ctx, m.partKey)
	if err != nil {
		return err
	}
	if m.From == s.cluster.Self() { // the query is here, and counts what comes
		c.s = &counted{Stream: c.s, own: &Traffic{}, all: p.traffic}
	}
	in, err := p.arrive(ctx, m.shuffle, m.sender)
	if err != nil {
		return err
	}
	end, err := in.take(c)
	if err != nil && !sqlerr.Is(err, sqlerr.CorruptedData) {
		end = sqlerr.Wrap(err, sqlerr.NetworkError, "The rows of a shuffle from node %s end too early", from)
	} else if err != nil {
		end = err
	}
	in.end(end)
	return err
}

// take takes rows until the last; end is the sender's error, if it had one, err that of the stream.
func (in *incoming) take(c *conn) (end, err error) {
	for {
		k, body, err := c.recv()
		switch {
		case err == io.EOF:
			return nil, corrupt("a shuffle ends without saying so")
		case err != nil:
			return nil, err
		case k == msgEnd:
			return decodeEnd(body)
		case k != msgBlock:
			return nil, corrupt("a message of kind %d among the rows of a shuffle", k)
		case in.box == nil:
			continue
		}
		b, err := decodeBlock(body, in.box.fields)
		if err != nil {
			return nil, err
		}
		for i, v := range b.Cols {
			if v == nil {
				return nil, corrupt("rows of a shuffle without column %s", in.box.fields[i].Name)
			}
		}
		if err := in.put(b); err != nil {
			return nil, err
		}
	}
}
