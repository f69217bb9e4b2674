package mergetree

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/segment"
)

// source yields the sorted rows of one input as blocks of the columns that the merge reads.
type source interface {
	// next returns the next rows, nil at the end.
	next(ctx context.Context) (*column.Block, error)
	close() error
}

// segmentSource reads a segment.
type segmentSource struct {
	spec   *Spec
	cols   []int // positions in spec.Columns
	r      *segment.Reader
	stream *segment.Stream // of a merge; nil for readers
	read   []int           // columns of the reader
	have   column.Schema   // theirs
	at     int             // next row
	step   int             // rows of a block
}

func newSegmentSource(spec *Spec, cols []int, r *segment.Reader, rows int) *segmentSource {
	s := &segmentSource{spec: spec, cols: cols, r: r}
	schema := r.Schema()
	for i, f := range schema {
		// With Missing, whatever the segment has may be needed to compute what it lacks.
		if spec.Missing != nil || slices.ContainsFunc(cols, func(c int) bool { return spec.Columns[c].Name == f.Name }) {
			s.read, s.have = append(s.read, i), append(s.have, f)
		}
	}
	perRow := r.Meta().RawBytes/max(int64(r.Rows()), 1) + 1
	s.step = int(min(max(mergeBytes/perRow, 1), int64(rows)))
	return s
}

func (s *segmentSource) next(ctx context.Context) (*column.Block, error) {
	n := min(s.step, s.r.Rows()-s.at)
	if n <= 0 {
		return nil, nil
	}
	b := &column.Block{N: n}
	for _, c := range s.read {
		v, err := s.column(ctx, c, n)
		if err != nil {
			return nil, err
		}
		b.Cols = append(b.Cols, v)
	}
	s.at += n
	return conformTo(s.spec, s.cols, s.have, b)
}

// column reads the next n rows of a column of the reader.
func (s *segmentSource) column(ctx context.Context, c, n int) (column.Vector, error) {
	if s.stream != nil {
		return s.stream.ReadColumn(ctx, c, s.at, s.at+n)
	}
	return s.r.ReadColumn(ctx, c, s.at, s.at+n)
}

// startStream reads all rows for a merge, and returns the memory that this takes. With whole every row is written as it is: dictionaries that nothing
// looks into but the writer leave their values in the file.
func (s *segmentSource) startStream(whole bool) (bytes int64) {
	values := make([]bool, len(s.r.Schema()))
	if whole && s.keyColumnsOnly() && len(s.cols) == len(s.spec.Columns) && sameSchema(s.spec.Columns, s.have) {
		for i, f := range s.have {
			values[s.read[i]] = !slices.Contains(s.spec.KeyColumns, f.Name) && !slices.Contains(s.spec.SortKey, f.Name)
		}
	}
	s.stream = s.r.NewStream(values)
	return s.stream.Bytes()
}

// keyColumnsOnly reports whether the expressions read KeyColumns alone: those of an index may read any column.
func (s *segmentSource) keyColumnsOnly() bool {
	return !slices.ContainsFunc(s.spec.Exprs, func(e column.Field) bool { return !slices.Contains(s.spec.SortKey, e.Name) })
}

func (s *segmentSource) close() error { return s.r.Release() }

// blockSource hands out one sorted block.
type blockSource struct{ b *column.Block }

func (s *blockSource) next(context.Context) (*column.Block, error) {
	b := s.b
	s.b = nil
	return b, nil
}

func (s *blockSource) close() error { return nil }

// cursor stands on a row of a source.
type cursor struct {
	src   source
	order int // of commit among the sources
	b     *column.Block
	keys  []column.Vector
	pos   int
}

// cursors is a heap by key, then by order of commit.
type cursors []*cursor

func (h cursors) Len() int           { return len(h) }
func (h cursors) Less(i, j int) bool { return h[i].before(h[j]) }
func (h cursors) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}

func (c *cursor) before(o *cursor) bool {
	if k := compareRows(c.keys, c.pos, o.keys, o.pos); k != 0 {
		return k < 0
	}
	return c.order < o.order
}

// run returns the end of the rows from pos on that come before the row that o stands on.
func (c *cursor) run(o *cursor) int {
	ahead := func(i int) bool {
		k := compareRows(c.keys, i, o.keys, o.pos)
		return k < 0 || k == 0 && c.order < o.order
	}
	if ahead(c.b.N - 1) {
		return c.b.N
	}
	step := 1 // gallop, then search: runs are short where inputs interleave
	for c.pos+step < c.b.N && ahead(c.pos+step) {
		step *= 2
	}
	low := c.pos + step/2
	return low + sort.Search(min(step, c.b.N-low), func(i int) bool { return !ahead(low + i) })
}

// piece is a run of rows of one block.
type piece struct {
	b        *column.Block
	from, to int
}

// mergeIter merges sources by sort key and collapses groups by the table's mode.
type mergeIter struct {
	spec *Spec
	cols []int
	rows int // of a block, about
	runs []piece
	heap cursors
	all  []source
	coll *collapser
	// distinct leaves equal rows out behind that; nil: they stay.
	distinct *distinct
	final    bool          // for a reader: leave deleted rows out
	carry    *column.Block // the last group so far, one row
	ready    bool
}

// newMergeIter takes the sources over, oldest commits first.
func newMergeIter(spec *Spec, cols []int, sources []source, rows int, final bool) *mergeIter {
	m := &mergeIter{spec: spec, cols: cols, rows: rows, all: sources, coll: newCollapser(spec, cols), final: final}
	for i, src := range sources {
		m.heap = append(m.heap, &cursor{src: src, order: i})
	}
	return m
}

func (m *mergeIter) close() error {
	var err error
	for _, s := range m.all {
		err = errors.Join(err, s.close())
	}
	m.all, m.heap = nil, nil
	if m.distinct != nil {
		m.distinct.close()
	}
	return err
}

// next returns the next rows in order of the sort key; nil at the end.
func (m *mergeIter) next(ctx context.Context) (*column.Block, error) {
	for {
		b, err := m.collapsed(ctx)
		if err != nil || b == nil || m.distinct == nil {
			return b, err
		}
		keys, err := m.keys(b)
		if err != nil {
			return nil, err
		}
		if b, err = m.distinct.take(b, keys); err != nil || b.N > 0 {
			return b, err
		}
	}
}

// collapsed returns the next rows, those of one key collapsed by the table's mode.
func (m *mergeIter) collapsed(ctx context.Context) (*column.Block, error) {
	for {
		b, err := m.merged(ctx)
		if err != nil || m.coll == nil {
			return b, err
		}
		if b == nil {
			last := m.carry
			if m.carry = nil; last == nil {
				return nil, nil
			}
			if b = m.coll.finalize(last, m.final); b.N > 0 {
				return b, nil
			}
			return nil, nil
		}
		if b, err = m.collapse(b); err != nil || b.N > 0 {
			return b, err
		}
	}
}

// collapse reduces the rows together with the carried group, and carries the last group on.
func (m *mergeIter) collapse(b *column.Block) (*column.Block, error) {
	if m.carry != nil {
		b = concatBlocks([]*column.Block{m.carry, b})
	}
	keys, err := m.keys(b)
	if err != nil {
		return nil, err
	}
	out, err := m.coll.collapse(b, groupStarts(keys, b.N))
	if err != nil {
		return nil, err
	}
	m.carry = out.Slice(out.N-1, out.N)
	return m.coll.finalize(out.Slice(0, out.N-1), m.final), nil
}

// merged returns the next rows of all sources in order.
func (m *mergeIter) merged(ctx context.Context) (*column.Block, error) {
	pieces, n, err := m.pieces(ctx)
	if err != nil || n == 0 {
		return nil, err
	}
	return assemble(pieces, n), nil
}

// pieces returns where the next rows of all sources lie, in order, and how many they are; 0 at the end. The slice is good until the next call.
func (m *mergeIter) pieces(ctx context.Context) ([]piece, int, error) {
	if err := m.start(ctx); err != nil {
		return nil, 0, err
	}
	pieces, n := m.runs[:0], 0
	for n < m.rows && len(m.heap) > 0 {
		c := m.heap[0]
		end := c.b.N
		if o := m.second(); o != nil {
			end = c.run(o)
		}
		pieces = append(pieces, piece{c.b, c.pos, end})
		n += end - c.pos
		c.pos = end
		if err := m.advance(ctx, c); err != nil {
			return nil, 0, err
		}
	}
	m.runs = pieces
	return pieces, n, nil
}

// second returns the cursor that comes after the first.
func (m *mergeIter) second() *cursor {
	switch {
	case len(m.heap) < 2:
		return nil
	case len(m.heap) == 2 || m.heap[1].before(m.heap[2]):
		return m.heap[1]
	}
	return m.heap[2]
}

// start loads the first block of every source.
func (m *mergeIter) start(ctx context.Context) error {
	if m.ready {
		return nil
	}
	m.ready = true
	live := m.heap[:0]
	for _, c := range m.heap {
		if err := m.load(ctx, c); err != nil {
			return err
		}
		if c.b != nil {
			live = append(live, c)
		}
	}
	m.heap = live
	heap.Init(&m.heap)
	return nil
}

// advance restores the heap after its first cursor moved.
func (m *mergeIter) advance(ctx context.Context, c *cursor) error {
	if c.pos == c.b.N {
		if err := m.load(ctx, c); err != nil {
			return err
		}
		if c.b == nil {
			heap.Pop(&m.heap)
			return nil
		}
	}
	heap.Fix(&m.heap, 0)
	return nil
}

// load puts a cursor on the first row of its source's next block.
func (m *mergeIter) load(ctx context.Context, c *cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := c.src.next(ctx)
	if err != nil {
		return err
	}
	c.b, c.pos, c.keys = b, 0, nil
	if b != nil {
		c.keys, err = m.keys(b)
	}
	return err
}

// keys computes the sort key of a block of m.cols.
func (m *mergeIter) keys(b *column.Block) ([]column.Vector, error) {
	return m.spec.keysOf(m.cols, b)
}

// keysOf computes the sort key of a block of some columns, which hold all that the key reads.
func (spec *Spec) keysOf(cols []int, b *column.Block) ([]column.Vector, error) {
	if len(cols) == len(spec.Columns) {
		return spec.keys(b)
	}
	full := &column.Block{Cols: make([]column.Vector, len(spec.Columns)), N: b.N}
	for i, c := range cols {
		full.Cols[c] = b.Cols[i]
	}
	for i, v := range full.Cols {
		if v == nil {
			full.Cols[i] = column.NewDefaults(spec.Columns[i].Type, b.N)
		}
	}
	return spec.keys(full)
}

// assemble copies pieces into one block; a single piece is shared.
func assemble(pieces []piece, n int) *column.Block {
	if len(pieces) == 1 {
		p := pieces[0]
		return p.b.Slice(p.from, p.to)
	}
	out := &column.Block{Cols: make([]column.Vector, len(pieces[0].b.Cols)), N: n}
	for c := range out.Cols {
		dst := column.New(pieces[0].b.Cols[c].Type(), n)
		for _, p := range pieces {
			dst.AppendRange(p.b.Cols[c], p.from, p.to)
		}
		out.Cols[c] = dst
	}
	return out
}
