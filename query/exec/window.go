package exec

import (
	"context"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// WindowCall is one function over a window.
type WindowCall struct {
	Func        string             // row_number, lag …
	Fn          function.Aggregate // for an aggregate; else nil
	Args        []int              // positions in the program's results
	PartitionBy []int
	OrderBy     []plan.SortKey
	Frame       plan.Frame
	Result      *types.Type
}

// Window computes functions over windows of all its input, which it holds in memory. It yields the rows in
// the order of the last call's window.
type Window struct {
	base
	args   *eval.Program
	calls  []WindowCall
	schema column.Schema // of the input
	text   string
}

// NewWindow returns a Window; args computes the calls' arguments.
func NewWindow(in Operator, args *eval.Program, calls []WindowCall, schema column.Schema, text string) *Window {
	return &Window{base: base{inputs: []Operator{in}}, args: args, calls: calls, schema: schema, text: text}
}

// Describe implements Operator.
func (w *Window) Describe() string { return strings.TrimSpace(w.text) }

func (w *Window) streams(r *run) ([]Stream, error) {
	in, err := single(r, w.inputs[0])
	if err != nil {
		return nil, err
	}
	return []Stream{&windowStream{w: w, r: r, in: in}}, nil
}

type windowStream struct {
	w    *Window
	r    *run
	in   Stream
	done bool
	rest blocksOf
}

func (s *windowStream) Next(ctx context.Context) (*column.Block, error) {
	if !s.done {
		s.done = true
		b, err := s.compute(ctx)
		if err != nil {
			return nil, err
		}
		s.rest = blocksOf{b: b, size: s.r.opts.MaxBlockSize}
	}
	return s.rest.next(), nil
}

func (s *windowStream) compute(ctx context.Context) (*column.Block, error) {
	var blocks []*column.Block
	held := s.r.reservation()
	err := drain(ctx, s.in, func(b *column.Block) error {
		blocks = append(blocks, b)
		return held.add(2 * blockBytes(b)) // joined, and joined again in order
	})
	if err != nil || len(blocks) == 0 {
		return nil, err
	}
	all := concatBlocks(blocks)
	if all.N == 0 {
		return nil, nil
	}
	args, err := s.w.args.Run(all)
	if err != nil {
		return nil, err
	}
	for _, v := range args {
		if err := held.add(vectorBytes(v)); err != nil {
			return nil, err
		}
	}
	last := &s.w.calls[len(s.w.calls)-1]
	var f *frames
	values := make([]column.Vector, len(s.w.calls))
	for i := range s.w.calls {
		c := &s.w.calls[i]
		if err := held.add((frameRowBytes + itemBytes) * int64(all.N)); err != nil { // of one call at a time
			return nil, err
		}
		if i == 0 || !c.sameOrder(&s.w.calls[i-1]) {
			if f, err = newFrames(ctx, s.r, all, c); err != nil {
				return nil, err
			}
		}
		f.ranges(all, c)
		v, err := c.compute(ctx, s.r, f, args)
		if err != nil {
			return nil, err
		}
		if err := held.add(2*vectorBytes(v) - (frameRowBytes+itemBytes)*int64(all.N)); err != nil { // in this order, and in the last call's
			return nil, err
		}
		if values[i] = v; !c.sameOrder(last) {
			back := make([]uint32, all.N)
			for k, r := range f.order {
				back[r] = uint32(k)
			}
			values[i] = column.Gather(v, back)
		}
	}
	out := gatherBlock(all, f.order)
	for i, v := range values {
		if !s.w.calls[i].sameOrder(last) { // else it is in that order
			v = column.Gather(v, f.order)
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

// sameOrder reports whether two calls have the same partitions in the same order.
func (c *WindowCall) sameOrder(d *WindowCall) bool {
	return slices.Equal(c.PartitionBy, d.PartitionBy) && slices.Equal(c.OrderBy, d.OrderBy)
}

// frameRowBytes are a row's numbers in frames, the key of a RANGE, where its frame begins and ends, where its value is from or how many are in
// its frame, and whether it differs from the row before it.
const frameRowBytes = (8+2+2+2)*4 + 1

// frames is the rows in the order of a window, with the partition and the peers of each.
type frames struct {
	order []uint32 // position → row
	// Of each position: where its partition begins and ends, where its peers do, and how many groups of peers
	// are before it in the partition.
	partFrom, partTo, peerFrom, peerTo, peersBefore []uint32
	// Where a RANGE with offsets begins and ends; nil where a bound is none.
	lo, hi []uint32
}

// newFrames orders the rows, of which there is one at least.
func newFrames(ctx context.Context, r *run, b *column.Block, c *WindowCall) (*frames, error) {
	keys := make([]plan.SortKey, 0, len(c.PartitionBy)+len(c.OrderBy))
	for _, p := range c.PartitionBy {
		keys = append(keys, plan.SortKey{Index: p})
	}
	keys = append(keys, c.OrderBy...)
	b = &column.Block{Cols: slices.Clone(b.Cols), N: b.N} // of which sorting makes dictionaries flat
	items, err := sortRows(ctx, r, b, keys, 0)
	if err != nil {
		return nil, err
	}
	n := len(items)
	f := &frames{order: rowsOf(items), partFrom: make([]uint32, n), partTo: make([]uint32, n),
		peerFrom: make([]uint32, n), peerTo: make([]uint32, n), peersBefore: make([]uint32, n)}
	changed := make([]uint8, n)
	changed[0] = 1
	markChanges(changed, b, keys[:len(c.PartitionBy)], f.order)
	runBounds(f.partFrom, f.partTo, changed)
	markChanges(changed, b, keys[len(c.PartitionBy):], f.order)
	runBounds(f.peerFrom, f.peerTo, changed)
	for k := 1; k < n; k++ {
		switch {
		case f.partFrom[k] == uint32(k):
		case f.peerFrom[k] == uint32(k):
			f.peersBefore[k] = f.peersBefore[k-1] + 1
		default:
			f.peersBefore[k] = f.peersBefore[k-1]
		}
	}
	return f, nil
}

// frame returns the positions [lo, hi) of the frame of position k.
func (f *frames) frame(k int, fr plan.Frame) (lo, hi int) {
	if f.lo != nil || f.hi != nil {
		return f.offsetFrame(k, fr)
	}
	from, to := int(f.partFrom[k]), int(f.partTo[k])
	lo, hi = from, to
	if fr.Start != nil {
		if lo = int(f.peerFrom[k]); fr.Rows {
			lo = clamp(k, *fr.Start, from, to)
		}
	}
	if fr.End != nil {
		if hi = int(f.peerTo[k]); fr.Rows {
			hi = clamp(k, *fr.End, from-1, to-1) + 1
		}
	}
	return lo, max(lo, hi)
}

// frames returns where the frame of each position begins and ends. They are not to be changed.
func (f *frames) frames(fr plan.Frame) (lo, hi []uint32) {
	if !fr.Rows && f.lo == nil && f.hi == nil || fr.Start == nil && fr.End == nil {
		lo, hi = f.partFrom, f.partTo
		if fr.Start != nil {
			lo = f.peerFrom
		}
		if fr.End != nil {
			hi = f.peerTo
		}
		return lo, hi
	}
	lo, hi = make([]uint32, len(f.order)), make([]uint32, len(f.order))
	for k := range lo {
		from, to := f.frame(k, fr)
		lo[k], hi[k] = uint32(from), uint32(to)
	}
	return lo, hi
}

// clamp returns k+d within [lo, hi], also where that overflows.
func clamp(k int, d int64, lo, hi int) int {
	switch {
	case d > int64(hi-k):
		return hi
	case d < int64(lo-k):
		return lo
	}
	return k + int(d)
}
