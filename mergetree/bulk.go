package mergetree

import (
	"context"
	"errors"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/mem"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/segment"
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

// Discard deletes the files of built segments that will not be committed. Those that have been, by an attempt whose outcome was
// unknown, stay.
func (s *Store) Discard(segs []Segment) { s.removeFiles(segs) }

// bulk is a bulk insert being built: one run is gathered while the one before it is sorted and written.
type bulk struct {
	s        *Store
	spec     *Spec
	budget   *mem.Budget
	gathered []*column.Block // of the run being gathered
	rows     int
	bytes    int64        // reserved for it: the rows and, while sorting, their copy
	writing  chan written // result of the run being written; nil if none is
	done     []Segment
}

// written is what came of a run.
type written struct {
	segs  []Segment
	err   error
	bytes int64 // reserved for the run
}

// run takes all blocks. Nothing is being written any more when it returns.
func (b *bulk) run(ctx context.Context, next func(context.Context) (*column.Block, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := b.gather(ctx, next)
	if err != nil {
		cancel()
	}
	return errors.Join(err, b.wait())
}

func (b *bulk) gather(ctx context.Context, next func(context.Context) (*column.Block, error)) error {
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

// flush starts to write the gathered run, once the one before it is written.
func (b *bulk) flush(ctx context.Context) error {
	if b.rows == 0 {
		return nil
	}
	if err := b.wait(); err != nil {
		return err
	}
	run, bytes, to := b.gathered, b.bytes, make(chan written, 1)
	b.gathered, b.rows, b.bytes, b.writing = nil, 0, 0, to
	go func() {
		w := written{bytes: bytes}
		w.err = sqlerr.Guard(func() (err error) {
			w.segs, err = b.s.writeSorted(ctx, b.spec, joinRun(run, b.spec.Partition == nil), Segment{})
			return err
		})
		to <- w
	}()
	return nil
}

// wait takes the result of the run being written.
func (b *bulk) wait() error {
	if b.writing == nil {
		return nil
	}
	w := <-b.writing
	b.writing = nil
	b.done = append(b.done, w.segs...)
	b.budget.Release(w.bytes)
	return w.err
}

// joinRun is concatBlocks, a column at a time: those joined already need no memory in pieces any more. run is its own, the
// blocks are not. encode lets strings become codes: not where each of many partitions would have to look through a dictionary of all.
func joinRun(run []*column.Block, encode bool) *column.Block {
	if len(run) == 1 {
		return run[0]
	}
	for i, b := range run {
		run[i] = &column.Block{N: b.N, Cols: slices.Clone(b.Cols)}
	}
	out := &column.Block{Cols: make([]column.Vector, len(run[0].Cols))}
	parts := make([]column.Vector, len(run))
	for c := range out.Cols {
		for i, b := range run {
			parts[i], b.Cols[c] = b.Cols[c], nil
		}
		out.Cols[c] = joinColumn(parts, encode)
	}
	for _, b := range run {
		out.N += b.N
	}
	return out
}

// joinColumn joins the parts of a column: codes and most strings as codes, which the writer takes in any order in less time than strings.
func joinColumn(parts []column.Vector, encode bool) column.Vector {
	if v := joinCoded(parts); v != nil {
		return v
	}
	if encode {
		if v := encoded(parts); v != nil {
			return v
		}
	}
	return column.Concat(parts...)
}

// encoded joins strings by segment.Encode; nil if that gains nothing, or they are not all strings.
func encoded(parts []column.Vector) column.Vector {
	texts := make([]*column.Str, len(parts))
	for i, p := range parts {
		text, ok := p.(*column.Str)
		if !ok {
			return nil
		}
		texts[i] = text
	}
	if d := segment.Encode(texts); d != nil {
		return d
	}
	return nil
}

// codedShare is the rows for one entry of a dictionary from which on a column joined from parts over several stays coded: the writer looks
// each entry up once, in place of each row's string.
const codedShare = 4

// joinCoded joins coded parts into one over the values of all their dictionaries; nil if they are not all coded, or repeat too few values.
func joinCoded(parts []column.Vector) column.Vector {
	base := map[column.Vector]uint32{}
	var values []column.Vector
	rows, entries := 0, 0
	for _, p := range parts {
		d, ok := p.(*column.Dict)
		if !ok {
			return nil
		}
		rows += len(d.Codes)
		if _, known := base[d.Values]; !known {
			base[d.Values] = uint32(entries)
			values = append(values, d.Values)
			entries += d.Values.Len()
		}
	}
	if len(values) > 1 && entries > rows/codedShare {
		return nil
	}
	codes := make([]uint32, 0, rows)
	for _, p := range parts {
		d := p.(*column.Dict)
		add := base[d.Values]
		for _, c := range d.Codes {
			codes = append(codes, c+add)
		}
	}
	if len(values) == 1 {
		return parts[0].(*column.Dict).With(codes)
	}
	return &column.Dict{Codes: codes, Values: column.Concat(values...)}
}
