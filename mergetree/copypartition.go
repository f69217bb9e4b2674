package mergetree

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/segment"
)

// CopyPartition builds durable segments of table to of the rows that a partition of table from (empty: each), with columns of the same types, has in segments. The caller, who has
// flushed from, commits add as an edit of cause CauseInsert, or gives them to Discard; rows are the IDs of the segments that were read, for an edit
// that removes them: in one commit with the first, the rows have moved. On error nothing is left.
func (s *Store) CopyPartition(ctx context.Context, from, to catalog.TableID, part string) (add []Segment, rows []string, err error) {
	snap := s.Snapshot()
	defer snap.Close()
	v, target := snap.Table(from), snap.Table(to)
	switch {
	case v == nil:
		return nil, nil, unknownTable(from)
	case target == nil:
		return nil, nil, unknownTable(to)
	case !sameTypes(v.Spec().Columns, target.Spec().Columns):
		return nil, nil, sqlerr.New(sqlerr.IncompatibleColumns, "Tables %s and %s have different structure", v.Spec().Name, target.Spec().Name)
	case v.Spec().Mode == Memory || target.Spec().Mode == Memory:
		return nil, nil, sqlerr.New(sqlerr.NotImplemented, "Partitions of a table that keeps its rows in memory cannot be moved or copied")
	}
	p := &copiedRows{s: s, v: v}
	for _, f := range v.live.segs {
		if part == "" || f.seg.Partition == part {
			p.left, rows = append(p.left, f), append(rows, f.seg.ID)
		}
	}
	slices.SortFunc(p.left, func(a, b *segFile) int { return cmp.Compare(a.seg.First, b.seg.First) }) // so that the last of equal keys stays the last
	add, err = s.BuildSegments(ctx, to, p.next)
	if err = errors.Join(err, p.close()); err != nil {
		s.removeFiles(add)
		return nil, nil, err
	}
	return add, rows, nil
}

// sameTypes compares columns by their places: under what names rows are held is each table's own business.
func sameTypes(a, b column.Schema) bool {
	return slices.EqualFunc(a, b, func(x, y column.Field) bool { return x.Type.Equal(y.Type) })
}

// Partition returns the IDs of the segments that a table has of a partition (empty: of each).
func (s *Store) Partition(id catalog.TableID, part string) ([]string, error) {
	snap := s.Snapshot()
	defer snap.Close()
	v := snap.Table(id)
	if v == nil {
		return nil, unknownTable(id)
	}
	var out []string
	for _, seg := range v.refs() {
		if part == "" || seg.Partition == part {
			out = append(out, seg.ID)
		}
	}
	return out, nil
}

// copiedRows yields the rows of segments one behind the other. Readers stay open until close: blocks may be held until then.
type copiedRows struct {
	s    *Store
	v    *TableView
	left []*segFile
	open []*segment.Reader
	src  *segmentSource // nil: the next segment is to be opened
}

// next returns the next rows, nil at the end.
func (p *copiedRows) next(ctx context.Context) (*column.Block, error) {
	for {
		if p.src == nil {
			if len(p.left) == 0 {
				return nil, nil
			}
			r, err := p.s.open(p.left[0])
			if err != nil {
				return nil, fmt.Errorf("mergetree: copying segment %s of %s: %w", p.left[0].seg.ID, p.v.Spec().Name, err)
			}
			spec := p.v.Spec()
			p.open, p.left, p.src = append(p.open, r), p.left[1:], newSegmentSource(spec, spec.allColumns(), r, p.s.opts.tune.mergeRows)
		}
		b, err := p.src.next(ctx)
		if err != nil || b != nil {
			return b, err
		}
		p.src = nil
	}
}

func (p *copiedRows) close() error {
	var errs []error
	for _, r := range p.open {
		errs = append(errs, r.Release())
	}
	return errors.Join(errs...)
}
