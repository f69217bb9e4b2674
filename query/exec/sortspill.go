package exec

import (
	"context"
	"errors"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/spill"
)

const (
	// itemBytes is a sortItem, its copy while counting, and that of the second key.
	itemBytes = 3 * 16
	// spillRows is how many sorted rows are gathered and written at once.
	spillRows = 8192
	// mostRuns and leastRuns bound how many files are merged at once; more take several passes.
	mostRuns, leastRuns = 64, 2
	// frameCopies is how often a frame of a file being merged is in memory: compressed, decoded, joined and in order.
	frameCopies = 4
)

// sortMemory is what the workers of a Sort hold together, and what they wrote where that was too much.
type sortMemory struct {
	area  *spill.Area
	limit int64 // bytes from which a worker writes its rows; 0: it never does
	mu    struct {
		sync.Mutex
		files       []*spill.File
		rows, bytes int64 // written
	}
}

func newSortMemory(r *run) *sortMemory {
	m := &sortMemory{area: r.opts.Temp}
	if m.area != nil {
		m.limit = r.opts.Limits.SortSpill
	}
	return m
}

// spilled reports whether anything was written.
func (m *sortMemory) spilled() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.mu.files) > 0
}

// need is the memory that sorting rows takes: them, their copy in order, and items.
func need(rows int, bytes int64) int64 { return 2*bytes + itemBytes*int64(rows) }

// spill writes the worker's rows as one sorted file.
func (k *keeper) spill(ctx context.Context) error {
	if k.rows == 0 {
		return nil
	}
	rows, bytes := k.rows, k.size
	b := concatBlocks(k.blocks)
	k.blocks, k.rows, k.size = nil, 0, 0
	items := sortedItems(b, k.s.keys)
	if n := k.s.limit; n > 0 && uint64(len(items)) > n {
		items = items[:n]
	}
	f, err := writeRun(ctx, k.m.area, func() (*column.Block, error) {
		n := min(len(items), spillRows)
		if n == 0 {
			return nil, nil
		}
		sel := make([]uint32, n)
		for i, it := range items[:n] {
			sel[i] = it.row
		}
		items = items[n:]
		return gatherBlock(b, sel), nil
	})
	if err != nil {
		return err
	}
	k.m.mu.Lock()
	k.m.mu.files = append(k.m.mu.files, f)
	k.m.mu.rows, k.m.mu.bytes = k.m.mu.rows+int64(rows), k.m.mu.bytes+bytes
	k.m.mu.Unlock()
	return k.held.set(0)
}

// writeRun writes the blocks that next yields, nil at the end.
func writeRun(ctx context.Context, area *spill.Area, next func() (*column.Block, error)) (*spill.File, error) {
	w, err := area.Create()
	if err != nil {
		return nil, err
	}
	for {
		b, err := next()
		if err == nil && b == nil {
			return w.Finish()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = w.Write(b)
		}
		if err != nil {
			return nil, errors.Join(err, w.Abort())
		}
	}
}

// merging merges sorted files.
type merging struct {
	s     *Sort
	heap  []*mergeCursor // the first is the next; the others in heap order
	size  int            // rows of a block at most
	bytes int64          // of the blocks taken from at which a block ends
	left  uint64         // rows still to yield; of a Sort without limit more than there are
	batch []*column.Block
	sel   []uint32
	rows  int   // of the batch
	taken int64 // bytes of the batch
}

// mergeCursor is a place in one sorted file.
type mergeCursor struct {
	in    *spill.Reader
	file  *spill.File
	run   int // its number, which decides ties
	b     *column.Block
	ord   *rowOrder
	items []sortItem
	at    int
	base  int // of b in the batch; -1: it is not in it
}

// mergeFiles begins to merge; close ends it, and removes the files.
func (s *Sort) mergeFiles(r *run, files []*spill.File, limit int64) (*merging, error) {
	m := &merging{s: s, size: r.opts.MaxBlockSize, bytes: max(limit/4, 1<<20), left: s.limit}
	if m.left == 0 {
		m.left = ^uint64(0)
	}
	for i, f := range files {
		in, err := f.Open()
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		c := &mergeCursor{in: in, file: f, run: i, base: -1}
		m.heap = append(m.heap, c)
		if err := c.fill(s); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	for i := 0; i < len(m.heap); i++ {
		if m.heap[i].b == nil {
			if err := m.drop(i); err != nil {
				return nil, errors.Join(err, m.close())
			}
			i--
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// fill reads the next block of the file; b is nil at its end.
func (c *mergeCursor) fill(s *Sort) error {
	b, err := c.in.Next()
	if err != nil {
		return err
	}
	c.b, c.at, c.base = b, 0, -1
	if b != nil {
		c.ord, c.items = newRowOrder(b, s.keys)
	}
	return nil
}

func (c *mergeCursor) close() error { return errors.Join(c.in.Close(), c.file.Remove()) }

// less orders the cursors by their rows.
func (c *mergeCursor) less(d *mergeCursor) bool {
	r := c.ord.compareTo(c.items[c.at], d.ord, d.items[d.at])
	return r < 0 || r == 0 && c.run < d.run
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

func (m *merging) drop(i int) error {
	c := m.heap[i]
	m.heap[i] = m.heap[len(m.heap)-1]
	m.heap = m.heap[:len(m.heap)-1]
	return c.close()
}

// next returns the next rows in order, or nil at the end.
func (m *merging) next() (*column.Block, error) {
	for len(m.heap) > 0 && len(m.sel) < m.size && m.taken < m.bytes && m.left > 0 {
		if err := m.take(); err != nil {
			return nil, err
		}
	}
	if len(m.sel) == 0 {
		return nil, nil
	}
	out := gatherBlock(concatBlocks(m.batch), m.sel)
	for _, c := range m.heap {
		c.base = -1
	}
	m.batch, m.sel, m.rows, m.taken = nil, nil, 0, 0
	return out, nil
}

// take takes rows of the first cursor for as long as it stays the first.
func (m *merging) take() error {
	c := m.heap[0]
	if c.base < 0 {
		c.base = m.rows
		m.batch = append(m.batch, c.b)
		m.rows += c.b.N
		m.taken += blockBytes(c.b)
	}
	var second *mergeCursor
	if len(m.heap) > 1 {
		second = m.heap[1]
		if len(m.heap) > 2 && m.heap[2].less(second) {
			second = m.heap[2]
		}
	}
	for {
		m.sel = append(m.sel, uint32(c.base+c.at))
		c.at++
		m.left--
		if c.at == c.b.N || len(m.sel) == m.size || m.left == 0 || second != nil && second.less(c) {
			break
		}
	}
	if c.at == c.b.N {
		if err := c.fill(m.s); err != nil {
			return err
		}
		if c.b == nil {
			if err := m.drop(0); err != nil {
				return err
			}
		}
	}
	m.down(0)
	return nil
}

func (m *merging) close() error {
	var errs []error
	for _, c := range m.heap {
		errs = append(errs, c.close())
	}
	m.heap = nil
	return errors.Join(errs...)
}

// merge begins to merge the files of a sort that did not fit in memory, in several passes if they are many.
func (t *sortStream) merge(ctx context.Context, files []*spill.File, limit int64) error {
	frame := int64(1)
	for _, f := range files {
		frame = max(frame, f.FrameBytes())
	}
	fan := int(min(max(limit/(frameCopies*frame), leastRuns), mostRuns))
	if err := t.r.reservation().set(int64(min(fan, len(files)))*frameCopies*frame + 2*max(limit/4, 1<<20)); err != nil {
		return err
	}
	for len(files) > fan {
		m, err := t.s.mergeFiles(t.r, files[:fan], limit)
		if err != nil {
			return err
		}
		f, err := writeRun(ctx, t.r.opts.Temp, m.next)
		if err = errors.Join(err, m.close()); err != nil {
			return err
		}
		files = append(files[fan:], f)
	}
	var err error
	if t.merging, err = t.s.mergeFiles(t.r, files, limit); err == nil {
		t.r.atEnd(t.merging.close)
	}
	return err
}
