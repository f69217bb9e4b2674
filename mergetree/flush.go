package mergetree

import (
	"context"
	"errors"
	"slices"
	"sort"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
)

// Flush turns the memtable rows that a table has now into segments and commits the edit; nil if there are none. It waits for
// a flush of the table that is running. A rejected edit is not retried.
func (s *Store) Flush(ctx context.Context, c Committer, id catalog.TableID) error {
	if err := s.bg.begin(); err != nil {
		return err
	}
	defer s.bg.work.Done()
	if err := s.bg.beginFlush(ctx, id); err != nil {
		return err
	}
	defer s.bg.endFlush(id)
	target, more := uint64(0), true
	for more {
		var err error
		if target, more, err = s.flushOnce(ctx, c, id, target); err != nil {
			return err
		}
	}
	return nil
}

// flushOnce flushes as many rows committed at or before target (0: the last one now) as one flush takes, and reports
// whether more are left.
func (s *Store) flushOnce(ctx context.Context, c Committer, id catalog.TableID, target uint64) (uint64, bool, error) {
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return 0, false, unknownTable(id)
	}
	if v.MemtableRows() == 0 || v.Spec().Mode == Memory {
		return target, false, nil
	}
	if target == 0 {
		target = v.live.lastIndex()
	}
	if v.live.mem[0].firstIndex() > target {
		return target, false, nil
	}
	e, err := s.buildFlush(ctx, v)
	if err != nil {
		return target, false, err
	}
	return target, e.Watermark < target, s.commit(ctx, c, e)
}

// lastIndex is the log index of the last memtable row; there is one.
func (t *tableVersion) lastIndex() uint64 {
	last := t.mem[len(t.mem)-1]
	return last.indexAt(last.Rows.N - 1)
}

func (b *background) beginFlush(ctx context.Context, id catalog.TableID) error {
	return b.until(ctx, func() bool {
		free := !b.mu.flushing[id]
		b.mu.flushing[id] = true
		return free
	})
}

func (b *background) endFlush(id catalog.TableID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mu.flushing, id)
	b.changedLocked()
}

// commit hands an edit to the committer. The files of a rejected edit are deleted; where the outcome is unknown they stay.
func (s *Store) commit(ctx context.Context, c Committer, e Edit) error {
	err := c.CommitEdit(ctx, e)
	switch {
	case errors.Is(err, ErrEditRejected):
		s.removeFiles(e.Add)
	case err != nil:
		s.Release(e.Add)
	}
	return err
}

// buildFlush writes the memtable of a view as segments.
func (s *Store) buildFlush(ctx context.Context, v *TableView) (Edit, error) {
	t := v.live
	e := Edit{Table: t.id, Cause: CauseFlush, From: t.flushed, Watermark: t.flushWatermark(s.opts.tune.flushRows)}
	info := &MergeInfo{Table: t.id, Cause: CauseFlush, Rows: uint64(t.memRows), Bytes: uint64(t.memBytes), Started: s.clk.Now()}
	s.bg.started(info)
	defer s.bg.ended(info)
	for _, g := range t.commitGroups(e.Watermark) {
		b, err := g.block(t.spec, t.spec.allColumns())
		if err != nil {
			return e, err
		}
		segs, err := s.reserved(b.Bytes(), func() ([]Segment, error) {
			return s.writeSorted(ctx, t.spec, b, Segment{First: SeqAt(g.first, 0), Last: SeqAt(g.last, maxOrdinal)})
		})
		if err != nil {
			s.removeFiles(e.Add)
			return e, err
		}
		e.Add = append(e.Add, segs...)
	}
	return e, nil
}

// reserved runs f with the memory of a sorted copy counted in the budget.
func (s *Store) reserved(bytes int64, f func() ([]Segment, error)) ([]Segment, error) {
	if err := s.opts.Budget.Reserve(bytes); err != nil {
		return nil, err
	}
	defer s.opts.Budget.Release(bytes)
	return f()
}

// flushWatermark is the log index up to which one flush takes rows: the last one, or where limit rows are reached.
func (t *tableVersion) flushWatermark(limit int) uint64 {
	n, last := 0, uint64(0)
	for _, m := range t.mem {
		for _, r := range m.commits {
			if n+r.end-m.from > limit && last > 0 {
				return last
			}
			last = r.index
		}
		n += m.Rows.N
	}
	return last
}

// commitGroup is memtable rows between which no segment was committed.
type commitGroup struct {
	first, last uint64 // log indexes
	chunks      []*MemChunk
	from, to    []int // rows of each chunk
}

// commitGroups cuts the memtable rows up to the watermark at the segments that were committed behind some of them.
func (t *tableVersion) commitGroups(watermark uint64) []commitGroup {
	cuts := []uint64{watermark}
	for _, f := range t.segs {
		if i := f.seg.First.Index(); i > t.flushed && i < watermark {
			cuts = append(cuts, i)
		}
	}
	slices.Sort(cuts)
	var out []commitGroup
	low := t.flushed
	for _, cut := range slices.Compact(cuts) {
		g := commitGroup{}
		for _, m := range t.mem {
			if from, to := m.upTo(low), m.upTo(cut); from < to {
				g.chunks, g.from, g.to = append(g.chunks, m), append(g.from, from), append(g.to, to)
				if g.first == 0 {
					g.first = m.indexAt(from)
				}
				g.last = m.indexAt(to - 1)
			}
		}
		if low = cut; len(g.chunks) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// indexAt is the log index of row i of Rows.
func (m *MemChunk) indexAt(i int) uint64 {
	k := sort.Search(len(m.commits), func(k int) bool { return m.commits[k].end > m.from+i })
	return m.commits[k].index
}

// block returns the group's rows of the columns of spec at the positions cols.
func (g *commitGroup) block(spec *Spec, cols []int) (*column.Block, error) {
	blocks := make([]*column.Block, len(g.chunks))
	for i, m := range g.chunks {
		var err error
		if blocks[i], err = conformTo(spec, cols, m.Schema, m.Rows.Slice(g.from[i], g.to[i])); err != nil {
			return nil, err
		}
	}
	return concatBlocks(blocks), nil
}
