package exec

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
)

// refShift is where a reference to a row divides into the number of its morsel and its position there.
const refShift = 32

// Fetch reads, of the rows that a Scan with Refs let pass and that operators between the two have sorted and cut down, the columns
// that are wanted: its blocks have the scan's columns, those not wanted nil, in the order of its input.
type Fetch struct {
	base
	scan *Scan
	ref  int // the input's column of references
	cols []int
}

// NewFetch returns a Fetch of columns cols of the scan; ref is the input's column of references.
func NewFetch(in Operator, scan *Scan, ref int, cols []int) *Fetch {
	return &Fetch{base: base{inputs: []Operator{in}}, scan: scan, ref: ref, cols: cols}
}

// Describe implements Operator.
func (f *Fetch) Describe() string { return fmt.Sprintf("Fetch %d columns", len(f.cols)) }

func (f *Fetch) streams(r *run) ([]Stream, error) {
	in, err := single(r, f.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&fetchStream{f: f, r: r, in: in}}, nil
}

type fetchStream struct {
	f  *Fetch
	r  *run
	in Stream
}

func (s *fetchStream) stop() { stop(s.in) }

func (s *fetchStream) Next(ctx context.Context) (*column.Block, error) {
	b, err := s.in.Next(ctx)
	if err != nil || b == nil {
		return nil, err
	}
	refs, ok := column.Flatten(b.Cols[s.f.ref]).(*column.Num[uint64])
	if !ok {
		return nil, sqlerr.New(sqlerr.LogicalError, "Row references of type %s", b.Cols[s.f.ref].Type())
	}
	return s.fetch(ctx, refs.Data)
}

// fetch reads morsel by morsel, in parallel, and then restores the order.
func (s *fetchStream) fetch(ctx context.Context, refs []uint64) (*column.Block, error) {
	order := make([]uint32, len(refs)) // positions in refs, by reference
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(refs[a], refs[b]) })
	groups := groupRefs(refs, order)
	parts := make([][]column.Vector, len(s.f.cols)) // of each column, per group
	for i := range parts {
		parts[i] = make([]column.Vector, len(groups))
	}
	var next atomic.Int64
	err := s.r.parallel(ctx, min(s.r.opts.Threads, len(groups)), func(ctx context.Context, _ int) error {
		for {
			g := int(next.Add(1)) - 1
			if g >= len(groups) {
				return nil
			}
			if err := s.group(ctx, groups[g], g, parts); err != nil {
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	back := make([]uint32, len(refs))
	for i, p := range order {
		back[p] = uint32(i)
	}
	out := &column.Block{Cols: make([]column.Vector, len(s.f.scan.Output)), N: len(refs)}
	for i, c := range s.f.cols {
		out.Cols[c] = column.Gather(column.Concat(parts[i]...), back)
	}
	return out, nil
}

// refGroup is rows of one morsel, ascending.
type refGroup struct {
	morsel int
	rows   []uint32
}

func groupRefs(refs []uint64, order []uint32) []refGroup {
	var out []refGroup
	for _, p := range order {
		id := int(refs[p] >> refShift)
		if n := len(out); n == 0 || out[n-1].morsel != id {
			out = append(out, refGroup{morsel: id})
		}
		g := &out[len(out)-1]
		g.rows = append(g.rows, uint32(refs[p]))
	}
	return out
}

func (s *fetchStream) group(ctx context.Context, g refGroup, at int, parts [][]column.Vector) error {
	q := &s.f.scan.queue
	q.mu.Lock()
	view := morselView{m: q.mu.taken[g.morsel], lengths: s.f.scan.Lengths, parts: s.f.scan.Parts, sel: g.rows}
	q.mu.Unlock()
	bytes := int64(0)
	for i, c := range s.f.cols {
		v, err := view.column(ctx, c)
		if err != nil {
			return err
		}
		parts[i][at] = v
		bytes += vectorBytes(v)
	}
	_, err := s.r.countRead(0, bytes)
	return err
}
