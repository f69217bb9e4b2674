package exec

import (
	"context"
	"errors"
	"math"
	"slices"
	"sort"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
)

// mergeInput yields rows in the order of a Sort.
type mergeInput interface {
	// next returns the next rows, nil at the end.
	next(ctx context.Context) (*column.Block, error)
	// least is before all rows to come, or equal to the first of them, by the first key; the zero value if nothing is known.
	least() sortItem
	close() error
}

// merging merges inputs of which each is in order. Rows of an input are read once none of another sorts before the least that they can be.
type merging struct {
	s     *Sort
	r     *run
	heap  []*mergeCursor // the first is the next; the others in heap order
	added int
	size  int    // rows of a block at most
	bytes int64  // of the blocks taken from at which a block ends
	left  uint64 // rows still to yield; of a Sort without limit more than there are
	width int    // inputs that are read from at the same time
	// held is the memory of the blocks; nil: it is reserved otherwise.
	held *reservation

	batch  []*column.Block
	pieces []mergePart
	rows   int   // of pieces
	taken  int64 // bytes of the batch
}

// mergePart is rows [from, to) of a block of the batch.
type mergePart struct{ block, from, to int }

// mergeCursor is a place in one input.
type mergeCursor struct {
	in    mergeInput
	run   int // its number, which decides ties
	b     *column.Block
	ord   *rowOrder
	items []sortItem
	at    int
	bytes int64
	batch int      // where b is in the batch; -1: it is not in it
	next  sortItem // without b: before what is to come
	end   bool     // without b: nothing is to come
}

func newMerging(s *Sort, r *run) *merging {
	m := &merging{s: s, r: r, size: r.opts.MaxBlockSize, bytes: math.MaxInt64, left: s.limit, width: 1}
	if m.left == 0 {
		m.left = math.MaxUint64
	}
	return m
}

// add adds an input, which it owns.
func (m *merging) add(in mergeInput) {
	m.heap = append(m.heap, &mergeCursor{in: in, run: m.added, batch: -1, next: in.least()})
	m.added++
	for i := len(m.heap) - 1; i > 0 && m.heap[i].less(m.heap[(i-1)/2]); i = (i - 1) / 2 {
		m.heap[i], m.heap[(i-1)/2] = m.heap[(i-1)/2], m.heap[i]
	}
}

// fill reads the next block of the input.
func (c *mergeCursor) fill(ctx context.Context, s *Sort) error {
	b, err := c.in.next(ctx)
	if err != nil {
		return err
	}
	c.b, c.at, c.batch, c.end = b, 0, -1, b == nil
	if b != nil {
		c.ord, c.items = newRowOrder(b, s.keys)
		c.bytes = blockBytes(b) + int64(b.N)*int64(unsafe.Sizeof(sortItem{}))
	}
	return nil
}

// leave forgets the block.
func (c *mergeCursor) leave() {
	c.b, c.ord, c.items, c.bytes = nil, nil, nil, 0
	c.next = c.in.least()
}

// less orders the cursors by their rows; one that has none comes before the rows that those to be read may equal.
func (c *mergeCursor) less(d *mergeCursor) bool {
	switch {
	case c.b != nil && d.b != nil:
		r := c.ord.compareTo(c.items[c.at], d.ord, d.items[d.at])
		return r < 0 || r == 0 && c.run < d.run
	case c.b != nil:
		return c.items[c.at].before(d.next)
	case d.b != nil:
		return !d.items[d.at].before(c.next)
	}
	return c.next.before(d.next) || !d.next.before(c.next) && c.run < d.run
}

func (m *merging) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(m.heap); k++ {
			if m.heap[k].less(m.heap[least]) {
				least = k
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// next returns the next rows in order, or nil at the end.
func (m *merging) next(ctx context.Context) (*column.Block, error) {
	for len(m.heap) > 0 && m.rows < m.size && m.taken < m.bytes && m.left > 0 {
		if m.heap[0].b == nil {
			if err := m.load(ctx); err != nil {
				return nil, err
			}
			continue
		}
		m.take()
	}
	if m.rows == 0 {
		return nil, nil
	}
	out := m.assemble()
	for _, c := range m.heap {
		c.batch = -1
	}
	clear(m.batch)
	m.batch, m.pieces, m.rows, m.taken = m.batch[:0], m.pieces[:0], 0, 0
	return out, nil
}

// load reads from the first cursor and, at the same time, from those that come next to be read from: twice as many each time, so that a merge that soon has
// its rows has read little else, up to one a worker.
func (m *merging) load(ctx context.Context) error {
	var waiting []*mergeCursor
	for _, c := range m.heap {
		if c.b == nil {
			waiting = append(waiting, c)
		}
	}
	slices.SortFunc(waiting, func(a, b *mergeCursor) int {
		if a.less(b) {
			return -1
		}
		return 1
	})
	waiting = waiting[:min(len(waiting), m.width)]
	m.width = min(2*m.width, m.r.opts.Threads)
	err := m.r.parallel(ctx, len(waiting), func(ctx context.Context, i int) error { return waiting[i].fill(ctx, m.s) })
	if err != nil {
		return err
	}
	live := m.heap[:0]
	var errs []error
	for _, c := range m.heap {
		if c.end {
			errs = append(errs, c.in.close())
			continue
		}
		live = append(live, c)
	}
	clear(m.heap[len(live):])
	m.heap = live
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return errors.Join(append(errs, m.reserve())...)
}

// reserve accounts for the blocks, and those that the rows taken are in.
func (m *merging) reserve() error {
	if m.held == nil {
		return nil
	}
	n := 2 * m.taken
	for _, c := range m.heap {
		n += c.bytes
	}
	return m.held.set(n)
}

// take takes the rows of the first cursor that come before those of all others.
func (m *merging) take() {
	c := m.heap[0]
	if c.batch < 0 {
		c.batch = len(m.batch)
		m.batch = append(m.batch, c.b)
		m.taken += c.bytes
	}
	end := c.b.N
	if second := m.second(); second != nil {
		end = c.ahead(second)
	}
	end = min(end, c.at+m.size-m.rows)
	if uint64(end-c.at) > m.left {
		end = c.at + int(m.left)
	}
	m.pieces = append(m.pieces, mergePart{c.batch, c.at, end})
	m.rows += end - c.at
	m.left -= uint64(end - c.at)
	if c.at = end; c.at == c.b.N {
		c.leave()
	}
	m.down(0)
}

// second returns the cursor that comes after the first.
func (m *merging) second() *mergeCursor {
	switch {
	case len(m.heap) < 2:
		return nil
	case len(m.heap) == 2 || m.heap[1].less(m.heap[2]):
		return m.heap[1]
	}
	return m.heap[2]
}

// ahead returns up to which of its rows a cursor is before another, which is behind the first of them. Mostly that is soon, or at the end.
func (c *mergeCursor) ahead(d *mergeCursor) int {
	from, n := c.at, c.b.N
	before := func(i int) bool {
		c.at = i
		is := c.less(d)
		c.at = from
		return is
	}
	if before(n - 1) {
		return n
	}
	step := 1
	for from+step < n && before(from+step) {
		step *= 2
	}
	low := from + step/2
	return low + sort.Search(min(step, n-low), func(i int) bool { return !before(low + i) })
}

// assemble returns the rows taken, in order.
func (m *merging) assemble() *column.Block {
	if len(m.pieces) == 1 {
		p := m.pieces[0]
		return sliceBlock(m.batch[p.block], p.from, p.to)
	}
	// What is taken of a block lies together: that is joined, and put in order.
	type span struct{ from, to, at int }
	spans := make([]span, len(m.batch))
	for _, p := range m.pieces {
		if s := &spans[p.block]; s.to == 0 {
			s.from, s.to = p.from, p.to
		} else {
			s.to = p.to
		}
	}
	parts, at := make([]*column.Block, len(m.batch)), 0
	for i, s := range spans {
		spans[i].at = at - s.from
		parts[i] = sliceBlock(m.batch[i], s.from, s.to)
		at += s.to - s.from
	}
	sel, ordered := make([]uint32, 0, m.rows), true
	for i, p := range m.pieces {
		ordered = ordered && (i == 0 || p.block >= m.pieces[i-1].block)
		base := uint32(spans[p.block].at)
		for row := p.from; row < p.to; row++ {
			sel = append(sel, base+uint32(row))
		}
	}
	all := concatBlocks(parts)
	if ordered {
		return all
	}
	return gatherBlock(all, sel)
}

func (m *merging) close() error {
	var errs []error
	for _, c := range m.heap {
		errs = append(errs, c.in.close())
	}
	m.heap = nil
	return errors.Join(errs...)
}

// follow merges the streams of the scan's Sequence, those behind them sorted first.
func (s *Sort) follow(r *run, in []Stream) Stream {
	m := newMerging(s, r)
	m.held = r.reservation()
	for i, w := range s.seq.streams {
		m.add(&streamInput{in: in[i], from: w})
	}
	if rest := in[len(s.seq.streams):]; len(rest) > 0 {
		m.add(&streamInput{in: &sortStream{s: s, r: r, in: rest}})
	}
	return &followStream{m: m, in: in}
}

// followStream is the stream of a Sort that follows the sort key.
type followStream struct {
	m  *merging
	in []Stream
}

func (f *followStream) Next(ctx context.Context) (*column.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f.m.next(ctx)
}

func (f *followStream) stop() {
	for _, s := range f.in {
		stop(s)
	}
}

// streamInput is a stream of rows in order.
type streamInput struct {
	in   Stream
	from *scanStream // where they come from; nil: nothing is known of them
}

func (s *streamInput) next(ctx context.Context) (*column.Block, error) { return s.in.Next(ctx) }
func (s *streamInput) close() error                                    { return nil }

func (s *streamInput) least() sortItem {
	if s.from == nil {
		return sortItem{}
	}
	return s.from.least()
}
