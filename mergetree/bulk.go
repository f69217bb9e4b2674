package mergetree

import (
	"context"
	"errors"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
)

// BuildSegments turns a stream of blocks into durable segments, a sorted run at a time, without holding them in memory: for
// an insert too large for the log. next returns nil at the end. The caller commits the segments as the
// Add of one edit of cause CauseInsert, together with whatever else the commit carries, or gives them to Discard.
// On error nothing is left. The blocks have the columns of the table's spec.
func (s *Store) BuildSegments(ctx context.Context, id catalog.TableID, next func(context.Context) (*column.Block, error)) ([]Segment, error) {
	if err := s.bg.begin(); err != nil {
		return nil, err
	}
	defer s.bg.work.Done()
	snap := s.Snapshot()
	v := snap.Table(id)
	snap.Close() // the spec outlives the snapshot
	if v == nil {
		return nil, unknownTable(id)
	}
	b := &bulk{s: s, spec: v.Spec(), budget: s.opts.Budget}
	err := b.run(ctx, next)
	b.budget.Release(b.bytes)
	if err != nil {
		s.removeFiles(b.done)
		return nil, err
	}
	return b.done, nil
}

// Discard deletes the files of built segments that will not be committed.
func (s *Store) Discard(segs []Segment) { s.removeFiles(segs) }

// bulk is a bulk insert being built.
type bulk struct {
	s        *Store
	spec     *Spec
	budget   *mem.Budget
	gathered []*column.Block // of the run being gathered
	rows     int
	bytes    int64 // reserved: the run and, while sorting, its copy
	done     []Segment
}

func (b *bulk) run(ctx context.Context, next func(context.Context) (*column.Block, error)) error {
	for {
		blk, err := next(ctx)
		if err != nil {
			return err
		}
		if blk == nil {
			return b.flush(ctx)
		}
		if err := errors.Join(ctx.Err(), b.add(ctx, blk)); err != nil {
			return err
		}
	}
}

func (b *bulk) add(ctx context.Context, blk *column.Block) error {
	if err := checkBlock(b.spec, blk); err != nil {
		return err
	}
	if blk.N == 0 {
		return nil
	}
	n := 2 * blk.Bytes() // the rows and their sorted copy
	if err := b.budget.Reserve(n); err != nil {
		return err
	}
	b.gathered, b.rows, b.bytes = append(b.gathered, blk), b.rows+blk.N, b.bytes+n
	if b.rows >= b.s.opts.tune.runRows || b.bytes >= 2*runBytes {
		return b.flush(ctx)
	}
	return nil
}

// flush writes the gathered run.
func (b *bulk) flush(ctx context.Context) error {
	if b.rows == 0 {
		return nil
	}
	segs, err := b.s.writeSorted(ctx, b.spec, concatBlocks(b.gathered), Segment{})
	b.done = append(b.done, segs...)
	b.budget.Release(b.bytes)
	b.gathered, b.rows, b.bytes = nil, 0, 0
	return err
}
