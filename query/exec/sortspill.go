package exec

import (
	"context"
	"errors"
	"sync"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec/spill"
)

const (
	// itemBytes is a sortItem and its copy while counting.
	itemBytes = 2 * 16
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
		out := gatherBlock(b, rowsOf(items[:n]))
		items = items[n:]
		return out, nil
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
		m, err := t.mergeFiles(files[:fan], limit)
		if err != nil {
			return err
		}
		f, err := writeRun(ctx, t.r.opts.Temp, func() (*column.Block, error) { return m.next(ctx) })
		if err = errors.Join(err, m.close()); err != nil {
			return err
		}
		files = append(files[fan:], f)
	}
	var err error
	if t.merging, err = t.mergeFiles(files, limit); err == nil {
		t.r.atEnd(t.merging.close)
	}
	return err
}

// mergeFiles begins to merge; close ends it, and removes the files.
func (t *sortStream) mergeFiles(files []*spill.File, limit int64) (*merging, error) {
	m := newMerging(t.s, t.r)
	m.bytes = max(limit/4, 1<<20)
	for _, f := range files {
		in, err := f.Open()
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		m.add(&fileInput{in: in, file: f})
	}
	return m, nil
}

// fileInput is a sorted file, which is removed when it has been read.
type fileInput struct {
	in   *spill.Reader
	file *spill.File
}

func (f *fileInput) next(context.Context) (*column.Block, error) { return f.in.Next() }
func (f *fileInput) least() sortItem                             { return sortItem{} }
func (f *fileInput) close() error                                { return errors.Join(f.in.Close(), f.file.Remove()) }
