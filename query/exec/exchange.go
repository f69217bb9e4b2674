package exec

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// Remotes runs fragments of one query on other nodes, beside this one.
type Remotes interface {
	// Local reports whether some of the shards, nil: of all, are read on this node, so that a fragment runs here too. It does not change.
	Local(shards []uint64) bool
	// Start runs a fragment on the other nodes and returns what each yields; and, if it has Shuffles and runs here too, the nodes as Peers of this one.
	// Nothing is left of it when the context has ended and all RemoteRows are closed.
	Start(ctx context.Context, f RemoteFragment) ([]RemoteRows, Peers, error)
}

// RemoteFragment is a fragment to run on other nodes.
type RemoteFragment struct {
	Plan plan.Node
	// Shards are those that it need run for; nil: all.
	Shards []uint64
	// Columns marks those of the plan's schema that are read; the others may be nil in the blocks.
	Columns []bool
	// Broadcasts are the rows of plan.Broadcasts(Plan), as blocks.
	Broadcasts [][]*column.Block
	// Late says that the nodes may offer sort keys before they yield rows; nil: they may not.
	Late *Late
	// Read hears of rows and bytes that the other nodes have read, as increments, and Planned of rows that they are to read. An error of
	// Read ends the fragment.
	Read    func(rows, bytes int64) error
	Planned func(rows int64)
}

// RemoteRows is what a fragment yields on one node. Next and Close are called by one goroutine at a time.
type RemoteRows interface {
	// Next returns the next block, or nil at the end.
	Next(ctx context.Context) (*column.Block, error)
	// Offers returns the sort keys of the rows that are held back, of a Late fragment, if any are: of one node, or of those that took its place. It is called
	// before Next, and what Take of each is called with decides what Next returns.
	Offers(ctx context.Context) ([]Offer, error)
	// Close ends the fragment there, if it has not ended.
	Close()
	// Reports tells what was done, once Next has returned nil: of one node, or of those that took its place.
	Reports() []RemoteReport
}

// RemoteReport tells what a fragment did on a node.
type RemoteReport struct {
	Node string
	// Lines describe the operators as Pipeline.Explain does.
	Lines []string
	// Sorted is how many rows the fragment's sort with a limit saw.
	Sorted int64
	// Sent and Received are the bytes that went to the node and came from it for the fragment.
	Sent, Received int64
	// Sideways is the bytes that the node sent to third ones for it.
	Sideways int64
}

// Exchange yields the rows of a fragment: those of this node's shards, by operators of this pipeline, and those of other nodes.
type Exchange struct {
	base
	remotes    Remotes
	fragment   RemoteFragment
	broadcasts []*Broadcast
	local      Operator // nil: no shard is here
	rows       []RemoteRows
	mesh       *Mesh
	// otherwise makes the operator that yields the same rows where some that are joined are more than may be sent, or is nil.
	otherwise func(large []bool) (Operator, []SetSource, error)
	taken     bool // by it
}

// NewExchange returns an Exchange. Broadcasts are those of the plan; those that operators of the local part read share what they gather. The
// mesh is that of the local part's Shuffles.
func NewExchange(remotes Remotes, n *plan.Exchange, columns []bool, local Operator, broadcasts []*Broadcast, mesh *Mesh) *Exchange {
	e := &Exchange{remotes: remotes, fragment: RemoteFragment{Plan: n.Input, Shards: n.Shards, Columns: columns}, local: local, broadcasts: broadcasts, mesh: mesh}
	if local != nil {
		e.inputs = append(e.inputs, local)
	}
	for _, b := range broadcasts {
		e.inputs = append(e.inputs, b)
	}
	return e
}

// Otherwise sets what makes the operator that takes the place of the fragment when the rows of some Broadcasts, of which it is told which, are more than
// Limits.BytesToBroadcast or RowsToBroadcast. It may read the Broadcasts, and drop those that it does not read.
// With the operator come the sets that it needs and that were not filled before.
func (e *Exchange) Otherwise(f func(large []bool) (Operator, []SetSource, error)) { e.otherwise = f }

// Late lets the nodes offer sort keys first; the choice is that of the local part.
func (e *Exchange) Late(l *Late) { e.fragment.Late = l }

// Describe implements Operator.
func (e *Exchange) Describe() string {
	if e.taken {
		return "Exchange, in another way: what would have been sent to all nodes is too large"
	}
	text := "Exchange, of this node and others"
	if e.local == nil {
		text = "Exchange, of other nodes"
	}
	if e.fragment.Late != nil {
		text += ", of sort keys first"
	}
	return text
}

// Totals implements Operator: a fragment has none.
func (e *Exchange) Totals() (*column.Block, error) { return nil, nil }

func (e *Exchange) streams(r *run) ([]Stream, error) {
	if ss, err := e.gather(r); ss != nil || err != nil {
		return ss, err
	}
	e.fragment.Read = func(rows, bytes int64) error {
		_, err := r.countRead(rows, bytes)
		return err
	}
	e.fragment.Planned = r.opts.Planned
	var all []Stream
	rows, peers, err := e.remotes.Start(r.ctx, e.fragment) // before this node's part: they work while it does
	if err != nil {
		return nil, err
	}
	e.rows, e.mesh.Peers = rows, peers
	r.atEnd(func() error {
		for _, x := range rows {
			x.Close()
		}
		return nil
	})
	if e.local != nil {
		if all, err = open(r, e.local); err != nil {
			return nil, err
		}
	}
	if e.fragment.Late != nil {
		return []Stream{&lateStream{e: e, r: r, local: all, held: r.reservation()}}, nil
	}
	for _, x := range rows {
		all = append(all, &remoteStream{rows: x, held: r.reservation()})
	}
	if len(all) == 0 {
		return []Stream{&chain{}}, nil
	}
	return dealStreams(all, r.opts.Threads), nil
}

// gather gathers the rows of the Broadcasts; or it opens what takes the place of the fragment, if they are too many.
func (e *Exchange) gather(r *run) ([]Stream, error) {
	large, some := make([]bool, len(e.broadcasts)), false
	for i, b := range e.broadcasts {
		l := broadcastLimit{}
		if e.otherwise != nil && b.joined {
			l = broadcastLimit{rows: r.opts.Limits.RowsToBroadcast, bytes: r.opts.Limits.BytesToBroadcast}
		}
		blocks, more, err := b.shared.gather(r, l)
		if err != nil {
			return nil, err
		}
		large[i], some = more, some || more
		e.fragment.Broadcasts = append(e.fragment.Broadcasts, blocks)
	}
	if !some {
		return nil, nil
	}
	op, sets, err := e.otherwise(large)
	if err != nil {
		return nil, err
	}
	e.taken, e.inputs, e.fragment.Broadcasts = true, []Operator{op}, nil
	for _, s := range sets {
		e.inputs = append(e.inputs, s.Root)
		if err := fillSet(r, s); err != nil {
			return nil, err
		}
	}
	return open(r, op)
}

// dealStreams makes at most n streams of many, each of which yields the rows of some of them, one after the other.
func dealStreams(all []Stream, n int) []Stream {
	out := make([]Stream, min(n, len(all)))
	for i := range out {
		c := &chain{}
		for k := i; k < len(all); k += len(out) {
			c.in = append(c.in, all[k])
		}
		out[i] = c
	}
	return out
}

// remoteStream yields the rows of another node.
type remoteStream struct {
	rows RemoteRows
	held *reservation // of the block the reader has
}

func (s *remoteStream) Next(ctx context.Context) (*column.Block, error) {
	b, err := s.rows.Next(ctx)
	if err != nil || b == nil {
		s.held.release()
		return nil, err
	}
	return b, s.held.set(blockBytes(b))
}

func (s *remoteStream) stop() { s.rows.Close() }

// sorted returns how many rows the fragment's sort with a limit saw on all nodes; false if it has none.
func (e *Exchange) sorted() (int64, bool) {
	top, ok := e.fragment.Plan.(*plan.Sort)
	if !ok || top.Limit == 0 {
		return 0, false
	}
	n := int64(0)
	if e.local != nil {
		if s := sortBelow(e.local); s != nil {
			n = s.rowsIn()
		}
	}
	for _, x := range e.rows {
		for _, rep := range x.Reports() {
			n += rep.Sorted
		}
	}
	return n, true
}

// exchangeBelow is the Exchange whose rows a sort takes, or nil.
func exchangeBelow(op Operator) *Exchange {
	for {
		switch x := op.(type) {
		case *Exchange:
			if !x.taken {
				return x
			}
			op = x.inputs[0]
		case *Sort, *Project, *Fetch:
			op = x.Inputs()[0]
		default:
			return nil
		}
	}
}

// lines prints what other nodes did.
func (e *Exchange) lines(pad string) []string {
	var out []string
	for _, x := range e.rows {
		for _, rep := range x.Reports() {
			out = append(out, fmt.Sprintf("%sOn %s (%d bytes sent, %d received)", pad, rep.Node, rep.Sent, rep.Received))
			for _, l := range rep.Lines {
				out = append(out, pad+"  "+l)
			}
		}
	}
	return out
}

// Broadcast yields rows that are gathered once, for all that read them here and on other nodes.
type Broadcast struct {
	base
	shared *SharedRows
	joined bool
}

// NewBroadcast returns a Broadcast of rows that others may share; joined says that it is the side of a join.
func NewBroadcast(s *SharedRows, joined bool) *Broadcast {
	return &Broadcast{base: base{inputs: []Operator{s.in}}, shared: s, joined: joined}
}

// Describe implements Operator.
func (b *Broadcast) Describe() string { return "Broadcast" }

// Totals implements Operator: rows that travel have none.
func (b *Broadcast) Totals() (*column.Block, error) { return nil, nil }

func (b *Broadcast) streams(r *run) ([]Stream, error) {
	blocks, more, err := b.shared.gather(r, broadcastLimit{})
	if err != nil {
		return nil, err
	}
	out := make([]Stream, 0, len(blocks)+1)
	for _, x := range blocks {
		out = append(out, &valuesStream{rest: blocksOf{b: x, size: r.opts.MaxBlockSize}})
	}
	if more {
		out = append(out, b.shared.rest)
	}
	if len(out) == 0 {
		out = append(out, &chain{})
	}
	return dealStreams(out, r.opts.Threads), nil
}

// SharedRows is the rows of an operator, gathered once in a run.
type SharedRows struct {
	in     Operator
	once   once
	blocks []*column.Block
	held   *reservation
	rest   Stream // behind the blocks, if they are not all
	err    error
}

// broadcastLimit is how many rows and bytes are gathered; 0 is any.
type broadcastLimit struct{ rows, bytes int64 }

// Drop ends what was begun, of rows that nobody reads any more.
func (s *SharedRows) Drop() {
	if s.rest != nil {
		stop(s.rest)
	}
	s.blocks, s.rest = nil, nil
	if s.held != nil {
		s.held.release()
	}
}

// NewSharedRows returns the rows of in, which nobody else opens.
func NewSharedRows(in Operator) *SharedRows { return &SharedRows{in: in, once: newOnce()} }

// gather returns the rows, whose memory is held until the end of the run. They are read only. Once they are more than the limit, it stops:
// more says that there is a rest. Only the first call's limit counts; of rows with a rest there is one reader.
func (s *SharedRows) gather(r *run, limit broadcastLimit) (blocks []*column.Block, more bool, err error) {
	s.once.do(func() {
		var in Stream
		if in, s.err = single(r, s.in); s.err != nil {
			return
		}
		s.held = r.reservation()
		for rows := int64(0); ; {
			var b *column.Block
			if b, s.err = in.Next(r.ctx); b == nil || s.err != nil {
				return
			}
			s.blocks = append(s.blocks, b)
			rows += int64(b.N)
			if s.err = s.held.add(blockBytes(b)); s.err != nil {
				return
			}
			if limit.bytes > 0 && s.held.held > limit.bytes || limit.rows > 0 && rows > limit.rows {
				s.rest = in
				return
			}
		}
	})
	return s.blocks, s.rest != nil, s.err
}
