package exec

import (
	"context"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// framePairs is how many (frame, row) pairs an aggregate over sliding frames is fed at once.
const framePairs = 65536

// compute returns the call's values by position in f.
func (c *WindowCall) compute(ctx context.Context, r *run, f *frames, args []column.Vector) (column.Vector, error) {
	in := make([]column.Vector, len(c.Args)) // in the window's order
	for i, a := range c.Args {
		in[i] = column.Gather(args[a], f.order)
	}
	if c.Fn != nil {
		return c.aggregate(ctx, r, f, in)
	}
	n := len(f.order)
	name := c.Func
	if c.Frame.Rows && (name == "rank" || name == "dense_rank" || name == "denseRank") { // there a row has no peers
		name = "row_number"
	}
	switch name {
	case "row_number":
		return c.count(n, func(k int) uint64 { return uint64(k) - uint64(f.partFrom[k]) + 1 }), nil
	case "rank":
		return c.count(n, func(k int) uint64 { return uint64(f.peerFrom[k]-f.partFrom[k]) + 1 }), nil
	case "dense_rank", "denseRank":
		return c.count(n, func(k int) uint64 { return uint64(f.peersBefore[k]) + 1 }), nil
	case "percent_rank", "percentRank":
		return c.ratio(n, func(k int) (uint32, uint32) { return f.peerFrom[k] - f.partFrom[k], f.partTo[k] - f.partFrom[k] - 1 }), nil
	case "cume_dist":
		return c.ratio(n, func(k int) (uint32, uint32) { return f.peerTo[k] - f.partFrom[k], f.partTo[k] - f.partFrom[k] }), nil
	case "ntile":
		return c.ntile(f, in[0])
	case "lag", "lead", "lagInFrame", "leadInFrame", "nth_value":
		return c.shifted(f, in)
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Window function %s is not implemented", c.Func)
}

func (c *WindowCall) count(n int, f func(k int) uint64) column.Vector {
	data := make([]uint64, n)
	for k := range data {
		data[k] = f(k)
	}
	return column.NewNum(types.TUInt64, data)
}

// ratio divides, 0 by 0 being 0.
func (c *WindowCall) ratio(n int, f func(k int) (a, b uint32)) column.Vector {
	data := make([]float64, n)
	for k := range data {
		if a, b := f(k); b != 0 {
			data[k] = float64(a) / float64(b)
		}
	}
	return column.NewNum(types.TFloat64, data)
}

// ntile deals each partition out to buckets, the first ones one row larger.
func (c *WindowCall) ntile(f *frames, buckets column.Vector) (column.Vector, error) {
	var bad error
	v := c.count(len(f.order), func(k int) uint64 {
		b, ok := integer(buckets, k)
		if !ok || b <= 0 {
			bad = sqlerr.New(sqlerr.BadArguments, "Argument of ntile must be a positive number")
			return 0
		}
		i, n := int64(k)-int64(f.partFrom[k]), int64(f.partTo[k]-f.partFrom[k])
		small, large := n/b, n%b
		if i < large*(small+1) {
			return uint64(i/(small+1)) + 1
		}
		return uint64(large+(i-large*(small+1))/small) + 1
	})
	return v, bad
}

// shifted takes each value from another row of the partition or frame.
func (c *WindowCall) shifted(f *frames, in []column.Vector) (column.Vector, error) {
	offsets, err := c.offsets(in)
	if err != nil {
		return nil, err
	}
	lo, hi := f.partFrom, f.partTo
	if c.Func != "lag" && c.Func != "lead" {
		lo, hi = f.frames(c.Frame)
	}
	rows, off := make([]uint32, len(f.order)), offsets[0]
	for k := range rows {
		if len(offsets) > 1 {
			off = offsets[k]
		}
		at := int64(k) + off
		switch c.Func {
		case "lag", "lagInFrame":
			at = int64(k) - off
		case "nth_value":
			at = int64(lo[k]) + off - 1
		}
		if rows[k] = noRow; at >= int64(lo[k]) && at < int64(hi[k]) {
			rows[k] = uint32(at)
		}
	}
	var or column.Vector
	if len(in) > 2 {
		or = in[2]
	}
	return gatherOr(in[0], rows, or), nil
}

// offsets are the distances of the rows that values are taken from: one for all, or one each.
func (c *WindowCall) offsets(in []column.Vector) ([]int64, error) {
	if len(in) < 2 {
		return []int64{1}, nil
	}
	v := in[1]
	if d, ok := v.(*column.Const); ok {
		v = d.Value
	}
	out := make([]int64, v.Len())
	for k := range out {
		off, ok := integer(v, k)
		if !ok || off < 0 || c.Func == "nth_value" && off == 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "The offset of %s must be a natural number", c.Func)
		}
		out[k] = off
	}
	return out, nil
}

// integer returns an integer value; false for NULL, other types and what is beyond int64.
func integer(v column.Vector, i int) (int64, bool) {
	switch x := column.Value(v, i).(type) {
	case uint8:
		return int64(x), true
	case uint16:
		return int64(x), true
	case uint32:
		return int64(x), true
	case uint64:
		return int64(x), x <= math.MaxInt64
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

// aggregate computes an aggregate function over frames.
func (c *WindowCall) aggregate(ctx context.Context, r *run, f *frames, in []column.Vector) (column.Vector, error) {
	lo, hi := f.frames(c.Frame)
	if v, err := c.folded(ctx, lo, hi, in); v != nil || err != nil {
		return v, err
	}
	switch {
	case c.Frame.Start == nil && c.Frame.End == nil:
		return c.whole(ctx, r, f, in)
	case c.Frame.Start == nil:
		return c.growing(ctx, f, in)
	}
	return c.sliding(ctx, r, f, in)
}

// whole is for frames that are their partition: each has a state.
func (c *WindowCall) whole(ctx context.Context, r *run, f *frames, in []column.Vector) (column.Vector, error) {
	parts, n := make([]uint32, len(f.order)), 0
	for k := range parts {
		if k > 0 && f.partFrom[k] == uint32(k) {
			n++
		}
		parts[k] = uint32(n)
	}
	states, held := c.Fn.New(), r.reservation()
	states.Grow(n + 1)
	for from := 0; from < len(parts); from += framePairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+framePairs, len(parts))
		if err := states.Add(parts[from:to], sliceAll(in, from, to), to-from); err != nil {
			return nil, err
		}
		if err := held.set(states.Bytes()); err != nil {
			return nil, err
		}
	}
	v, err := states.Finish(0, n+1)
	if err != nil {
		return nil, err
	}
	return column.Gather(v, parts), held.set(0)
}

// growing is for frames that begin with their partition: one state takes the rows as they come.
func (c *WindowCall) growing(ctx context.Context, f *frames, in []column.Vector) (column.Vector, error) {
	out := column.New(c.Result, len(f.order))
	var last column.Vector
	var states function.States
	for k, done := 0, 0; k < len(f.order); k++ {
		if k == int(f.partFrom[k]) {
			if old, ok := states.(function.Reusable); ok {
				old.Reset()
			} else {
				states = c.Fn.New()
			}
			last, done = nil, k
			states.Grow(1)
		}
		if _, hi := f.frame(k, c.Frame); hi > done || last == nil {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if hi > done {
				if err := states.Add(nil, sliceAll(in, done, hi), hi-done); err != nil {
					return nil, err
				}
				done = hi
			}
			v, err := states.Finish(0, 1)
			if err != nil {
				return nil, err
			}
			last = v
		}
		out.AppendFrom(last, 0)
	}
	return out, nil
}

func sliceAll(in []column.Vector, from, to int) []column.Vector {
	out := make([]column.Vector, len(in))
	for i, v := range in {
		out[i] = v.Slice(from, to)
	}
	return out
}

// sliding feeds each frame's rows to a state of its own.
func (c *WindowCall) sliding(ctx context.Context, r *run, f *frames, in []column.Vector) (column.Vector, error) {
	states, held := c.Fn.New(), r.reservation()
	states.Grow(len(f.order))
	var rows, groups []uint32
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := states.Add(groups, gatherAll(in, rows), len(rows)); err != nil {
			return err
		}
		rows, groups = rows[:0], groups[:0]
		return held.set(states.Bytes())
	}
	for k := range f.order {
		lo, hi := f.frame(k, c.Frame)
		for i := lo; i < hi; i++ {
			rows, groups = append(rows, uint32(i)), append(groups, uint32(k))
			if len(rows) == framePairs {
				if err := flush(); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	v, err := states.Finish(0, len(f.order))
	if err != nil {
		return nil, err
	}
	return v, held.set(0)
}
