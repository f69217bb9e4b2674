package rpc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/olapd/olapd/internal/clock"
	"github.com/olapd/olapd/internal/sqlerr"
)

// BreakAfter is how long the link between two nodes may be cut before the streams over it break, as keepalives of a
// real connection would have it.
const BreakAfter = 10 * time.Second

// Latency is how long one message takes, drawn anew for each. Messages of a stream stay in their order.
type Latency func(*rand.Rand) time.Duration

// Uniform is a Latency between two times.
func Uniform(lo, hi time.Duration) Latency {
	return func(r *rand.Rand) time.Duration { return lo + time.Duration(r.Int64N(int64(hi-lo)+1)) }
}

// Memory is a network within a process, for tests: its messages take time, its links can be cut in one direction or both, its streams
// break, its nodes die. What is sent over a cut link waits, as with TCP, until the link is healed or the stream
// breaks, BreakAfter later. All methods may be called from any goroutine.
type Memory struct {
	clk clock.Clock
	mu  struct {
		sync.Mutex
		rng        *rand.Rand
		nodes      map[string]*MemoryNode // the last of each name, also when it is dead
		cuts       map[link]chan struct{} // closed when healed
		streams    map[*memoryStream]struct{}
		latency    Latency
		breaks     float64
		duplicates map[string]float64 // by method
	}
}

// link is a direction between two nodes.
type link struct{ from, to string }

// NewMemory returns a network without latency or faults. The seed decides latencies and random faults.
func NewMemory(clk clock.Clock, seed uint64) *Memory {
	m := &Memory{clk: clk}
	m.mu.rng = rand.New(rand.NewPCG(seed, 0))
	m.mu.nodes = map[string]*MemoryNode{}
	m.mu.cuts = map[link]chan struct{}{}
	m.mu.streams = map[*memoryStream]struct{}{}
	m.mu.duplicates = map[string]float64{}
	m.mu.latency = func(*rand.Rand) time.Duration { return 0 }
	return m
}

// Node returns a node of the network: made on the first call for its name, and made anew, without handlers, on the first one after it was
// killed or closed.
func (m *Memory) Node(name string) *MemoryNode {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := m.mu.nodes[name]; n != nil && n.ctx.Err() == nil {
		return n
	}
	n := &MemoryNode{net: m, name: name, handlers: map[string]Handler{}}
	n.ctx, n.end = context.WithCancelCause(context.Background())
	m.mu.nodes[name] = n
	return n
}

// SetLatency sets how long messages take from now on.
func (m *Memory) SetLatency(l Latency) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.latency = l
}

// SetBreakRate makes a share of the messages break their stream instead of being delivered.
func (m *Memory) SetBreakRate(share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.breaks = share
}

// SetDuplicateRate makes a share of the messages of a method's streams, to the handler and back, arrive twice: for methods whose
// messages may.
func (m *Memory) SetDuplicateRate(method string, share float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.duplicates[method] = share
}

// Cut lets nothing through from one node to another.
func (m *Memory) Cut(from, to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := link{from, to}
	if m.mu.cuts[l] == nil {
		healed := make(chan struct{})
		m.mu.cuts[l] = healed
		go m.breakLater(l, healed)
	}
}

// breakLater breaks the streams over a link that stays cut, and again those opened since.
func (m *Memory) breakLater(l link, healed <-chan struct{}) {
	for {
		t := m.clk.NewTimer(BreakAfter)
		select {
		case <-healed:
			t.Stop()
			return
		case <-t.C():
			m.breakStreams(func(s *memoryStream) bool {
				return s.over(l) && m.clk.Since(s.opened) >= BreakAfter
			})
		}
	}
}

// Partition cuts both directions between two nodes.
func (m *Memory) Partition(a, b string) {
	m.Cut(a, b)
	m.Cut(b, a)
}

// Isolate cuts a node off from all others.
func (m *Memory) Isolate(name string) {
	for _, other := range m.names() {
		if other != name {
			m.Partition(name, other)
		}
	}
}

func (m *Memory) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.mu.nodes {
		names = append(names, name)
	}
	return names
}

// Heal undoes Cut.
func (m *Memory) Heal(from, to string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.healLocked(link{from, to})
}

// HealAll undoes all cuts.
func (m *Memory) HealAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for l := range m.mu.cuts {
		m.healLocked(l)
	}
}

func (m *Memory) healLocked(l link) {
	if healed := m.mu.cuts[l]; healed != nil {
		close(healed)
		delete(m.mu.cuts, l)
	}
}

// cut returns what is closed when a link is healed, nil if it is whole.
func (m *Memory) cut(l link) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.cuts[l]
}

// Kill ends a node like the death of its process: its streams break, and its handlers' contexts end.
func (m *Memory) Kill(name string) {
	m.mu.Lock()
	n := m.mu.nodes[name]
	if n == nil {
		m.mu.Unlock()
		return
	}
	n.end(fmt.Errorf("%w: %s was killed", ErrUnreachable, name))
	m.mu.Unlock()
	m.breakStreams(func(s *memoryStream) bool { return s.client.node == n || s.server.node == n })
}

// BreakStreams breaks all streams between two nodes, as a reset connection does. Empty names stand for any node.
func (m *Memory) BreakStreams(a, b string) {
	is := func(want, name string) bool { return want == "" || want == name }
	m.breakStreams(func(s *memoryStream) bool {
		c, h := s.client.node.name, s.server.node.name
		return is(a, c) && is(b, h) || is(a, h) && is(b, c)
	})
}

func (m *Memory) breakStreams(which func(*memoryStream) bool) {
	m.mu.Lock()
	var hit []*memoryStream
	for s := range m.mu.streams {
		if which(s) {
			hit = append(hit, s)
		}
	}
	m.mu.Unlock()
	for _, s := range hit {
		s.breakUp()
	}
}

// fate is what becomes of a message: when it arrives, or whether its stream breaks, or whether it arrives twice.
func (m *Memory) fate(method string) (delay time.Duration, breaks, twice bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.mu.rng
	return m.mu.latency(r), m.mu.breaks > 0 && r.Float64() < m.mu.breaks, r.Float64() < m.mu.duplicates[method]
}

// MemoryNode is a Memory network as one node sees it.
type MemoryNode struct {
	net  *Memory
	name string
	ctx  context.Context // ends when the node is killed or closed
	end  context.CancelCauseFunc
	work sync.WaitGroup // handlers

	mu       sync.RWMutex
	handlers map[string]Handler
}

var _ Network = (*MemoryNode)(nil)

// Self implements Network.
func (n *MemoryNode) Self() string { return n.name }

// Handle implements Network.
func (n *MemoryNode) Handle(method string, h Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.handlers[method] = h
}

func (n *MemoryNode) handler(method string) Handler {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if h := n.handlers[method]; h != nil {
		return h
	}
	return func(context.Context, string, Stream) error {
		return sqlerr.New(sqlerr.UnsupportedMethod, "Node %s has no method %s", n.name, method)
	}
}

// Open implements Network.
func (n *MemoryNode) Open(ctx context.Context, node, method string) (Stream, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	m := n.net
	m.mu.Lock()
	to := m.mu.nodes[node]
	if to == nil || to.ctx.Err() != nil || n.ctx.Err() != nil {
		m.mu.Unlock()
		return nil, unreachable(node, nil)
	}
	s := newMemoryStream(ctx, m, n, to, method)
	m.mu.streams[s] = struct{}{}
	to.work.Add(1)
	m.mu.Unlock()
	context.AfterFunc(ctx, s.forget)
	go s.serve(to)
	return &s.client, nil
}

// Close ends the node: its streams break, and its handlers have returned.
func (n *MemoryNode) Close() error {
	if n.ctx.Err() == nil {
		n.net.Kill(n.name)
	}
	n.work.Wait()
	return nil
}

// unreachable is an error of the network itself.
func unreachable(node string, cause error) error {
	if cause == nil {
		return sqlerr.Wrap(ErrUnreachable, sqlerr.NetworkError, "Node %s", node)
	}
	return sqlerr.Wrap(fmt.Errorf("%w: %w", ErrUnreachable, cause), sqlerr.NetworkError, "Node %s", node)
}
