package exec

import (
	"context"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// A top-k over several nodes goes in two steps where its rows are wide: each node sorts and offers the sort keys of its first k rows; of all of these the first k are
// chosen; and each node fetches the other columns of those of its rows that are among them. A node may also do without the offer, and yield k rows.

// Late is a fragment that ends with a top-k whose other columns are fetched when the rows are chosen.
type Late struct {
	// Keys are the fields of the sort keys, and By how they sort: positions in Keys. Limit is k.
	Keys  column.Schema
	By    []plan.SortKey
	Limit int
	// Choice chooses for the rows of this node.
	Choice *Choice
}

// NewLate returns what a sort with a limit offers, under another.
func NewLate(n *plan.Sort) *Late {
	l := &Late{Limit: int(n.Limit), Choice: &Choice{}}
	for i, k := range n.Keys {
		l.Keys = append(l.Keys, n.Schema()[k.Index])
		k.Index = i
		l.By = append(l.By, k)
	}
	return l
}

// Choice chooses among rows that were sorted on this node.
type Choice struct {
	// Of returns the positions of the rows that are wanted, given the sort keys of all, nil if there are none; a nil Of wants all.
	Of func(ctx context.Context, keys *column.Block) ([]uint32, error)
	// Asked says that there is a Pick that asks.
	Asked bool
}

// Offer is the sort keys of rows that another node holds back. Take is called once, and tells it the positions of those that are wanted.
type Offer struct {
	Keys *column.Block
	Take func(positions []uint32) error
}

// Pick hands on those of its input's rows that a Choice wants. The first columns of the input are the sort keys.
type Pick struct {
	base
	keys   int
	choice *Choice
}

// NewPick returns a Pick of rows with so many sort keys.
func NewPick(in Operator, keys int, c *Choice) *Pick {
	c.Asked = true
	return &Pick{base: base{inputs: []Operator{in}}, keys: keys, choice: c}
}

// Describe implements Operator.
func (p *Pick) Describe() string { return "Pick of all nodes' rows" }

func (p *Pick) streams(r *run) ([]Stream, error) {
	in, err := single(r, p.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&pickStream{p: p, in: in}}, nil
}

type pickStream struct {
	p    *Pick
	in   Stream
	over bool
}

func (s *pickStream) stop() { stop(s.in) }

func (s *pickStream) Next(ctx context.Context) (*column.Block, error) {
	if s.p.choice.Of == nil {
		return s.in.Next(ctx)
	}
	if s.over {
		return nil, nil
	}
	s.over = true
	var blocks []*column.Block // at most MaxTopBound rows, which the sort holds
	if err := drain(ctx, s.in, func(b *column.Block) error { blocks = append(blocks, b.Flatten()); return nil }); err != nil {
		return nil, err
	}
	if len(blocks) == 0 {
		_, err := s.p.choice.Of(ctx, nil)
		return nil, err
	}
	b := concatBlocks(blocks)
	at, err := s.p.choice.Of(ctx, &column.Block{N: b.N, Cols: b.Cols[:s.p.keys]})
	if err != nil || len(at) == 0 {
		return nil, err
	}
	return gatherBlock(b, at), nil
}

// lateStream yields the rows of an Exchange that is Late.
type lateStream struct {
	e       *Exchange
	r       *run
	local   []Stream // of this node; nil: it has none
	started bool
	rest    []*column.Block
	mu      sync.Mutex
	held    *reservation // guarded by mu: of the blocks
}

func (s *lateStream) Next(ctx context.Context) (*column.Block, error) {
	if !s.started {
		s.started = true
		if err := s.gather(ctx); err != nil {
			return nil, err
		}
	}
	if len(s.rest) == 0 {
		return nil, nil
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b, nil
}

// gather has all nodes offer, and takes in what is chosen.
func (s *lateStream) gather(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var nodes []func(context.Context, *choosing) error
	if s.local != nil {
		nodes = append(nodes, s.here)
	}
	for _, x := range s.e.rows {
		nodes = append(nodes, func(ctx context.Context, c *choosing) error { return s.there(ctx, c, x) })
	}
	c := &choosing{late: s.e.fragment.Late, open: len(nodes), done: make(chan struct{})}
	var wg sync.WaitGroup
	for _, f := range nodes {
		wg.Go(func() {
			if err := sqlerr.Guard(func() error { return f(ctx, c) }); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// here runs this node's part, which asks for the choice when it has sorted.
func (s *lateStream) here(ctx context.Context, c *choosing) error {
	choice := s.e.fragment.Late.Choice
	if !choice.Asked {
		if _, err := c.choose(ctx, nil); err != nil {
			return err
		}
	}
	choice.Of = func(ctx context.Context, keys *column.Block) ([]uint32, error) {
		var all []*column.Block
		if keys != nil {
			all = append(all, keys)
		}
		at, err := c.choose(ctx, all)
		if err != nil || len(at) == 0 {
			return nil, err
		}
		return at[0], nil
	}
	return drain(ctx, s.r.gather(s.local), s.keep)
}

// there passes another node's offers on and takes its rows in.
func (s *lateStream) there(ctx context.Context, c *choosing, x RemoteRows) error {
	offers, err := x.Offers(ctx)
	if err != nil {
		return err
	}
	keys := make([]*column.Block, len(offers))
	for i, o := range offers {
		keys[i] = o.Keys
	}
	at, err := c.choose(ctx, keys)
	if err != nil {
		return err
	}
	for i, o := range offers {
		if err := o.Take(at[i]); err != nil {
			return err
		}
	}
	for {
		b, err := x.Next(ctx)
		if b == nil || err != nil {
			return err
		}
		if err := s.keep(b); err != nil {
			return err
		}
	}
}

func (s *lateStream) keep(b *column.Block) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rest = append(s.rest, b)
	return s.held.add(blockBytes(b))
}

// choosing is the choice among the rows that all nodes offer.
type choosing struct {
	late *Late
	mu   sync.Mutex
	open int // nodes that have not offered
	keys []*column.Block
	at   [][]uint32    // by block of keys, after done
	done chan struct{} // closed when all have
}

// choose offers blocks of sort keys and returns, when all nodes have offered theirs, which rows of each are wanted.
func (c *choosing) choose(ctx context.Context, keys []*column.Block) ([][]uint32, error) {
	c.mu.Lock()
	first := len(c.keys)
	c.keys = append(c.keys, keys...)
	if c.open--; c.open == 0 {
		c.at = c.late.first(c.keys)
		close(c.done)
	}
	c.mu.Unlock()
	select {
	case <-c.done:
		return c.at[first : first+len(keys)], nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// first returns the positions in each block of those of its rows that are among the first of all.
func (l *Late) first(keys []*column.Block) [][]uint32 {
	at := make([][]uint32, len(keys))
	if len(keys) == 0 {
		return at
	}
	var from, row []uint32 // of each row of all
	for i, b := range keys {
		for k := range b.N {
			from, row = append(from, uint32(i)), append(row, uint32(k))
		}
	}
	items := sortedItems(concatBlocks(keys), l.By)
	for _, it := range items[:min(l.Limit, len(items))] {
		at[from[it.row]] = append(at[from[it.row]], row[it.row])
	}
	return at
}
