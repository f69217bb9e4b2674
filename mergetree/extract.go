package mergetree

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// Extract writes, of live segments, those rows that rows leaves of a block with the spec's columns: a segment for each that has some, in the order given,
// with its sequence numbers. It changes nothing: the caller commits the segments, or discards them. Without an error they are durable here.
func (s *Store) Extract(ctx context.Context, id catalog.TableID, segments []string, rows func(context.Context, *column.Block) (*column.Block, error)) ([]Segment, error) {
	if err := s.bg.begin(); err != nil {
		return nil, err
	}
	defer s.bg.work.Done()
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return nil, unknownTable(id)
	}
	var out []Segment
	for _, name := range segments {
		seg, err := s.extract(ctx, v, name, &Mutation{Rows: rows})
		if err != nil {
			s.removeFiles(out)
			return nil, fmt.Errorf("mergetree: taking rows of segment %s of %s: %w", name, v.Spec().Name, err)
		}
		if seg != nil {
			out = append(out, *seg)
		}
	}
	return out, nil
}

func (s *Store) extract(ctx context.Context, v *TableView, name string, m *Mutation) (seg *Segment, err error) {
	at := slices.IndexFunc(v.live.segs, func(f *segFile) bool { return f.seg.ID == name })
	if at < 0 {
		return nil, sqlerr.New(sqlerr.LogicalError, "The segment is not live")
	}
	w := &rewriting{s: s, v: v, f: v.live.segs[at], m: m}
	r, err := s.open(w.f)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Release()) }()
	return w.write(ctx, r, CauseMove)
}
