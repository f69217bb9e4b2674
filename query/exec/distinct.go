package exec

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/grouping"
)

// Distinct keeps the first row of each key. Each worker drops what it has seen itself, then one
// stream drops what several workers saw.
type Distinct struct {
	base
	keys   []int
	schema column.Schema
}

// NewDistinct returns a Distinct by the columns at keys.
func NewDistinct(in Operator, keys []int, schema column.Schema) *Distinct {
	return &Distinct{base: base{inputs: []Operator{in}}, keys: keys, schema: schema}
}

// Describe implements Operator.
func (d *Distinct) Describe() string { return "Distinct " + columnNames(d.schema, d.keys) }

func columnNames(s column.Schema, cols []int) string {
	text := ""
	for i, c := range cols {
		if i > 0 {
			text += ", "
		}
		text += s[c].Name
	}
	return text
}

func columnTypes(s column.Schema, cols []int) []*types.Type {
	out := make([]*types.Type, len(cols))
	for i, c := range cols {
		out[i] = s[c].Type
	}
	return out
}

func (d *Distinct) streams(r *run) ([]Stream, error) {
	in, err := open(r, d.inputs[0])
	if err != nil {
		return nil, err
	}
	var ended atomic.Bool
	if len(in) > 1 {
		for i, s := range in {
			in[i] = d.stream(r, s, &ended)
		}
	}
	return []Stream{d.stream(r, r.gather(in), &ended)}, nil
}

func (d *Distinct) stream(r *run, in Stream, ended *atomic.Bool) Stream {
	return &distinctStream{d: d, r: r, in: in, held: r.reservation(), ended: ended,
		table: grouping.New(columnTypes(d.schema, d.keys), r.opts.CollideHashes).Share(r.opts.Unions)}
}

type distinctStream struct {
	d     *Distinct
	r     *run
	in    Stream
	held  *reservation
	table *grouping.Table
	ended *atomic.Bool // a limit in break mode
}

func (s *distinctStream) stop() { stop(s.in) }

func (s *distinctStream) Next(ctx context.Context) (*column.Block, error) {
	for !s.ended.Load() {
		b, err := s.in.Next(ctx)
		if err != nil || b == nil {
			return nil, err
		}
		if b, err = s.fresh(b); err != nil || b.N > 0 {
			return b, err
		}
	}
	return nil, nil
}

// fresh returns the rows whose key is new.
func (s *distinctStream) fresh(b *column.Block) (*column.Block, error) {
	known := uint32(s.table.Len())
	ids := make([]uint32, b.N)
	if err := s.held.set(s.table.Bytes() + s.table.Growth(b.N)); err != nil {
		return nil, err
	}
	if err := s.table.Insert(pick(b, s.d.keys), ids); err != nil {
		return nil, err
	}
	if err := s.held.set(s.table.Bytes()); err != nil {
		return nil, err
	}
	l := &s.r.opts.Limits
	end, err := check(l.DistinctMode, sqlerr.SetSizeLimitExceeded, "DISTINCT-set",
		int64(s.table.Len()), l.RowsInDistinct, s.table.Bytes(), l.BytesInDistinct)
	if err != nil {
		return nil, err
	}
	if end {
		s.ended.Store(true)
	}
	var sel []uint32
	for i, id := range ids {
		if id >= known { // numbers are given in order: this row is the first of its key
			sel, known = append(sel, uint32(i)), id+1
		}
	}
	if len(sel) == b.N {
		return b, nil
	}
	return gatherBlock(b, sel), nil
}

// LimitBy yields, of each group of equal keys, n rows behind the first offset ones.
type LimitBy struct {
	base
	keys      []int
	n, offset uint64
	schema    column.Schema
}

// NewLimitBy returns a LimitBy.
func NewLimitBy(in Operator, keys []int, n, offset uint64, schema column.Schema) *LimitBy {
	return &LimitBy{base: base{inputs: []Operator{in}}, keys: keys, n: n, offset: offset, schema: schema}
}

// Describe implements Operator.
func (l *LimitBy) Describe() string {
	return fmt.Sprintf("Limit %d offset %d by %s", l.n, l.offset, columnNames(l.schema, l.keys))
}

func (l *LimitBy) streams(r *run) ([]Stream, error) {
	in, err := single(r, l.inputs[0])
	if err != nil {
		return nil, err
	}
	table, held := grouping.New(columnTypes(l.schema, l.keys), r.opts.CollideHashes).Share(r.opts.Unions), r.reservation()
	var counts []uint64
	return []Stream{&mapped{in: in, f: func(b *column.Block) (*column.Block, error) {
		ids := make([]uint32, b.N)
		if err := held.set(table.Bytes() + table.Growth(b.N) + 8*int64(cap(counts)+b.N)); err != nil {
			return nil, err
		}
		if err := table.Insert(pick(b, l.keys), ids); err != nil {
			return nil, err
		}
		counts = append(counts, make([]uint64, table.Len()-len(counts))...)
		var sel []uint32
		for i, id := range ids {
			c := counts[id]
			counts[id]++
			if c >= l.offset && c-l.offset < l.n {
				sel = append(sel, uint32(i))
			}
		}
		return gatherBlock(b, sel), held.set(table.Bytes() + 8*int64(cap(counts)))
	}}}, nil
}
