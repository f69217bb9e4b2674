package mergetree

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/segment"
)

// Mutation says how the stored rows of a table change.
type Mutation struct {
	// Partition is the ID of the partition whose rows change; empty: all.
	Partition string
	// May reports whether a segment can have rows that Rows changes, as its indexes tell; nil: any can.
	May func(ctx context.Context, r *segment.Reader) (bool, error)
	// Rows returns what becomes of a block with the spec's columns: the block itself if nothing changes, else another with as many rows
	// or fewer, in their order, whose values of Spec.KeyColumns are as they were. Nil: rows stay, and segments of an older schema get the present one.
	// It is called from one goroutine, perhaps again for the same rows, and must be a function of them.
	Rows func(ctx context.Context, b *column.Block) (*column.Block, error)
}

// MutationResult counts what a mutation has done.
type MutationResult struct {
	Segments int    // rewritten
	Rows     uint64 // read of them
	Removed  uint64 // rows that are gone
}

// Mutate changes the rows that are committed when it begins, in one edit of cause mutation: all of them at once, or none. Rows
// committed later stay as they are. Merges of the table wait meanwhile; where the segments change all the same, as by a dropped partition, it starts again.
// Its edit goes through c, which may add to it what makes a repeat take effect once.
func (s *Store) Mutate(ctx context.Context, c Committer, id catalog.TableID, m Mutation) (MutationResult, error) {
	if err := s.bg.begin(); err != nil {
		return MutationResult{}, err
	}
	defer s.bg.work.Done()
	if err := s.bg.beginMutation(ctx, id); err != nil {
		return MutationResult{}, err
	}
	defer s.bg.endMutation(id)
	var done MutationResult
	err := retried(func() error {
		if err := s.Flush(ctx, c, id); err != nil {
			return err
		}
		e, res, err := s.buildMutation(ctx, id, m)
		if err != nil {
			s.removeFiles(e.Add)
			return err
		}
		if done = res; len(e.Remove) == 0 {
			return nil
		}
		return s.commit(ctx, c, e)
	})
	return done, err
}

// beginMutation keeps merges of the table, and other mutations, from beginning, and waits for those under way.
func (b *background) beginMutation(ctx context.Context, id catalog.TableID) error {
	mine := false
	err := b.until(ctx, func() bool {
		if !mine && !b.mu.mutating[id] {
			b.mu.mutating[id], mine = true, true
		}
		return mine && b.mu.merging[id] == 0
	})
	if err != nil && mine {
		b.endMutation(id)
	}
	return err
}

func (b *background) endMutation(id catalog.TableID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mu.mutating, id)
	b.changedLocked()
	b.wake()
}

// buildMutation rewrites the segments that change. With an error, the edit's segments are to be deleted.
func (s *Store) buildMutation(ctx context.Context, id catalog.TableID, m Mutation) (Edit, MutationResult, error) {
	e, res := Edit{Table: id, Cause: CauseMutation}, MutationResult{}
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return e, res, unknownTable(id)
	}
	if v.Spec().Mode == Memory {
		return e, res, sqlerr.New(sqlerr.NotImplemented, "Mutations of table %s, which keeps its rows in memory, are not supported", v.Spec().Name)
	}
	for _, f := range v.live.segs {
		if m.Partition != "" && f.seg.Partition != m.Partition {
			continue
		}
		w := &rewriting{s: s, v: v, f: f, m: &m}
		seg, changed, err := w.run(ctx)
		if err != nil {
			return e, res, fmt.Errorf("mergetree: mutating segment %s of %s: %w", f.seg.ID, v.Spec().Name, err)
		}
		if !changed {
			continue
		}
		e.Remove = append(e.Remove, f.seg.ID)
		res.Segments, res.Rows, res.Removed = res.Segments+1, res.Rows+f.seg.Rows, res.Removed+f.seg.Rows
		if seg != nil {
			e.Add = append(e.Add, *seg)
			res.Removed -= seg.Rows
		}
	}
	return e, res, nil
}

// rewriting is a segment being mutated.
type rewriting struct {
	s *Store
	v *TableView
	f *segFile
	m *Mutation
}

// run writes the segment as it becomes; nil if no row is left.
func (w *rewriting) run(ctx context.Context) (seg *Segment, changed bool, err error) {
	r, err := w.s.open(w.f)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, r.Release()) }()
	if changed, err = w.changes(ctx, r); err != nil || !changed {
		return nil, false, err
	}
	seg, err = w.write(ctx, r, CauseMutation)
	return seg, true, err
}

// write writes what becomes of the segment's rows, under the same sequence numbers; nil if no row is left.
func (w *rewriting) write(ctx context.Context, r *segment.Reader, cause Cause) (*Segment, error) {
	info := &MergeInfo{Table: w.v.Spec().ID, Cause: cause, Partition: w.f.seg.Partition, Inputs: []Segment{w.f.seg},
		Rows: w.f.seg.Rows, Bytes: w.f.seg.Bytes, Started: w.s.clk.Now()}
	in := w.f.seg
	out, err := w.s.newOutput(w.v.Spec(), Segment{Partition: in.Partition, First: in.First, Last: in.Last, Level: in.Level},
		r.Meta().Partition, runtime.GOMAXPROCS(0), false)
	if err != nil {
		return nil, err
	}
	info.Result = out.seg.ID
	w.s.bg.started(info)
	defer w.s.bg.ended(info)
	err = w.each(ctx, r, func(_, after *column.Block) (bool, error) { return true, out.append(after) })
	if err != nil {
		return nil, errors.Join(err, out.abort())
	}
	return out.finish(ctx)
}

// changes reports whether the segment does: it reads it up to the first block that does.
func (w *rewriting) changes(ctx context.Context, r *segment.Reader) (bool, error) {
	if w.m.Rows == nil {
		return !sameSchema(w.v.Spec().Columns, r.Schema()), nil
	}
	if w.m.May != nil {
		if may, err := w.m.May(ctx, r); err != nil || !may {
			return false, err
		}
	}
	changes := false
	err := w.each(ctx, r, func(before, after *column.Block) (bool, error) {
		changes = after != before
		return !changes, nil
	})
	return changes, err
}

// each calls f with the blocks of the segment and what becomes of them, while it returns true.
func (w *rewriting) each(ctx context.Context, r *segment.Reader, f func(before, after *column.Block) (bool, error)) error {
	spec := w.v.Spec()
	src := newSegmentSource(spec, spec.allColumns(), r, w.s.opts.tune.mergeRows)
	memory := src.startStream(false)
	if err := w.s.opts.Budget.Reserve(memory); err != nil {
		return err
	}
	defer w.s.opts.Budget.Release(memory)
	for {
		b, err := src.next(ctx)
		if err != nil || b == nil {
			return err
		}
		after := b
		if w.m.Rows != nil {
			if after, err = w.m.Rows(ctx, b); err != nil {
				return err
			}
			if err := w.check(b, after); err != nil {
				return err
			}
		}
		if more, err := f(b, after); err != nil || !more {
			return err
		}
	}
}

// check refuses what a mutation must not do.
func (w *rewriting) check(before, after *column.Block) error {
	if after == before {
		return nil
	}
	if after.N > before.N {
		return sqlerr.New(sqlerr.LogicalError, "A mutation made %d rows of %d", after.N, before.N)
	}
	return checkBlock(w.v.Spec(), after)
}
