package exec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
)

// Rows that go to one part are gathered up to so many, or so many bytes, before they are sent: with many parts each block has few for each.
const (
	shuffleRows  = 8192
	shuffleBytes = 256 << 10
)

// Shuffle yields this node's part of the rows that all nodes' inputs together have; see plan.Shuffle.
type Shuffle struct {
	base
	keys   *eval.Program
	types  []*types.Type // of the keys, without Nullable and LowCardinality
	fields column.Schema
	number int
	mesh   *Mesh
	text   string
	sent   atomic.Int64 // rows to other parts
}

// NewShuffle returns shuffle number n of the fragment, of rows of the fields by results of keys, which have types of their own.
func NewShuffle(in Operator, keys *eval.Program, ts []*types.Type, fields column.Schema, n int, mesh *Mesh, text string) *Shuffle {
	s := &Shuffle{base: base{inputs: []Operator{in}}, keys: keys, fields: fields, number: n, mesh: mesh, text: text}
	for _, t := range ts {
		s.types = append(s.types, t.Inner())
	}
	return s
}

// Describe implements Operator.
func (s *Shuffle) Describe() string {
	if s.mesh.Peers == nil {
		return s.text
	}
	n, own := s.mesh.Peers.Parts()
	return fmt.Sprintf("%s, part %d of %d, %d rows to others", s.text, own+1, n, s.sent.Load())
}

// Totals implements Operator: a fragment has none.
func (s *Shuffle) Totals() (*column.Block, error) { return nil, nil }

func (s *Shuffle) streams(r *run) ([]Stream, error) {
	in, err := open(r, s.inputs[0])
	if err != nil {
		return nil, err
	}
	n, own := s.mesh.Peers.Parts()
	box := newInbox(r, n)
	s.mesh.Peers.Receive(s.number, s.fields, box.put, box.end)
	d := &dealing{s: s, r: r, held: r.reservation(), outs: make([]outbox, n)}
	d.outs[own].send = box.put
	ended := make(chan struct{})
	r.wg.Go(func() {
		defer close(ended)
		box.end(d.run(in, own))
	})
	if s.mesh.Finish {
		r.beforeEnd(func(ctx context.Context) error {
			select {
			case <-ended:
				return d.err
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}
	out := make([]Stream, r.opts.Threads)
	for i := range out {
		out[i] = &inboxStream{box}
	}
	return out, nil
}

// dealing sends the rows of this node to where they belong.
type dealing struct {
	s    *Shuffle
	r    *run
	outs []outbox // by part
	err  error    // after the end
	mu   sync.Mutex
	held *reservation // guarded by mu: of the rows in outs
}

// outbox gathers the rows of one part.
type outbox struct {
	mu     sync.Mutex
	blocks []*column.Block
	rows   int
	bytes  int64
	send   func(*column.Block) error // of rows that are enough; called by one goroutine at a time
	way    sync.Mutex                // of send
	sender RowSender                 // nil: of this node
}

// run deals all rows out and tells the other parts the end, good or bad.
func (d *dealing) run(in []Stream, own int) (err error) {
	err = d.connect(own)
	if err == nil {
		err = d.r.parallel(d.r.ctx, len(in), func(ctx context.Context, i int) error { return drain(ctx, in[i], d.deal) })
	}
	for i := range d.outs {
		if o := &d.outs[i]; err == nil {
			err = d.flush(o, o.take(true))
		}
	}
	if err != nil && d.r.ctx.Err() != nil {
		err = context.Cause(d.r.ctx)
	}
	if cerr := d.close(err); err == nil {
		err = cerr
	}
	d.err = err
	return err
}

// connect opens the ways to the other parts.
func (d *dealing) connect(own int) error {
	for i := range d.outs {
		if i == own {
			continue
		}
		s, err := d.s.mesh.Peers.Send(d.r.ctx, d.s.number, i, d.s.fields)
		if err != nil {
			return err
		}
		d.outs[i].sender, d.outs[i].send = s, func(b *column.Block) error {
			d.s.sent.Add(int64(b.N))
			return s.Send(b)
		}
	}
	return nil
}

// close ends the ways, all at once: each waits for the other side.
func (d *dealing) close(why error) error {
	errs := make([]error, len(d.outs))
	var wg sync.WaitGroup
	for i := range d.outs {
		if s := d.outs[i].sender; s != nil {
			wg.Go(func() { errs[i] = s.Close(why) })
		}
	}
	wg.Wait()
	return errors.Join(errs...)
}

// deal gives the rows of a block to their parts.
func (d *dealing) deal(b *column.Block) error {
	keys, err := d.s.keys.Run(b)
	if err != nil {
		return err
	}
	for part, rows := range partsOf(keys, d.s.types, b.N, len(d.outs)) {
		if len(rows) == 0 {
			continue
		}
		o, some := &d.outs[part], gatherBlock(b, rows)
		if err := d.hold(blockBytes(some)); err != nil {
			return err
		}
		o.mu.Lock()
		o.blocks, o.rows, o.bytes = append(o.blocks, some), o.rows+some.N, o.bytes+blockBytes(some)
		o.mu.Unlock()
		if err := d.flush(o, o.take(false)); err != nil {
			return err
		}
	}
	return nil
}

func (d *dealing) hold(n int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held.add(n)
}

// take returns the rows gathered if they are enough, or all are wanted.
func (o *outbox) take(all bool) []*column.Block {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !all && o.rows < shuffleRows && o.bytes < shuffleBytes {
		return nil
	}
	out := o.blocks
	o.blocks, o.rows, o.bytes = nil, 0, 0
	return out
}

// flush sends rows that were taken.
func (d *dealing) flush(o *outbox, blocks []*column.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	held := int64(0)
	for _, b := range blocks {
		held += blockBytes(b)
	}
	o.way.Lock()
	err := o.send(concatBlocks(blocks))
	o.way.Unlock()
	return errors.Join(err, d.hold(-held))
}

// nullPart is what a NULL key has for a hash: the value beside it may be any.
const nullPart = 0x9e3779b97f4a7c15

// hashKey writes the hashes of the values of a key to dst; nulls marks those that are NULL.
func hashKey(k column.Vector, nulls []uint8, dst []uint64) {
	column.Hash(k, dst)
	for r, null := range nulls {
		if null != 0 {
			dst[r] = nullPart
		}
	}
}

// partsOf returns the rows of each of n parts by the hash of keys. It takes other bits of the hash than a join by parts does.
func partsOf(keys []column.Vector, ts []*types.Type, rows, n int) [][]uint32 {
	hashes, next, nulls := make([]uint64, rows), make([]uint64, rows), make([]uint8, rows)
	for i, k := range keys {
		clear(nulls)
		hashKey(eval.StripNulls(k, nulls, ts[i]), nulls, next)
		if i == 0 {
			copy(hashes, next)
			continue
		}
		for r := range hashes {
			hashes[r] = column.Combine(hashes[r], next[r])
		}
	}
	out := make([][]uint32, n)
	for r, h := range hashes {
		part := (column.Mix(h) & (1<<32 - 1)) * uint64(n) >> 32
		out[part] = append(out[part], uint32(r))
	}
	return out
}
