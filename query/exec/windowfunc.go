package exec

import (
	"context"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// framePairs is how many (frame, row) pairs an aggregate over sliding frames is fed at once.
const framePairs = 65536

// compute returns the call's values by position in f.
func (c *WindowCall) compute(ctx context.Context, f *frames, args []column.Vector) (column.Vector, error) {
	in := make([]column.Vector, len(c.Args)) // in the window's order
	for i, a := range c.Args {
		in[i] = column.Gather(args[a], f.order)
	}
	if c.Fn != nil {
		return c.aggregate(ctx, f, in)
	}
	n := len(f.order)
	switch c.Func {
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
	out := column.New(c.Result, len(f.order))
	for k := range f.order {
		off := int64(1)
		if len(in) > 1 {
			var ok bool
			if off, ok = integer(in[1], k); !ok || off < 0 || c.Func == "nth_value" && off == 0 {
				return nil, sqlerr.New(sqlerr.BadArguments, "The offset of %s must be a natural number", c.Func)
			}
		}
		from, lo, hi := k, int(f.partFrom[k]), int(f.partTo[k])
		if c.Func != "lag" && c.Func != "lead" {
			lo, hi = f.frame(k, c.Frame)
		}
		switch c.Func {
		case "lag", "lagInFrame":
			off = -off
		case "nth_value":
			from, off = lo, off-1
		}
		switch at := int64(from) + off; {
		case at >= int64(lo) && at < int64(hi):
			out.AppendFrom(in[0], int(at))
		case len(in) > 2:
			out.AppendFrom(in[2], k)
		default:
			out.AppendDefault()
		}
	}
	return out, nil
}

// integer returns an integer value; false for NULL and other types.
func integer(v column.Vector, i int) (int64, bool) {
	switch x := column.Value(v, i).(type) {
	case uint8, uint16, uint32, uint64, int8, int16, int32, int64:
		var n int64
		_, err := fmt.Sscan(fmt.Sprint(x), &n)
		return n, err == nil
	}
	return 0, false
}

// aggregate computes an aggregate function over frames.
func (c *WindowCall) aggregate(ctx context.Context, f *frames, in []column.Vector) (column.Vector, error) {
	if c.Frame.Start == nil {
		return c.growing(ctx, f, in)
	}
	return c.sliding(ctx, f, in)
}

// growing is for frames that begin with their partition: one state takes the rows as they come.
func (c *WindowCall) growing(ctx context.Context, f *frames, in []column.Vector) (column.Vector, error) {
	out := column.New(c.Result, len(f.order))
	var last column.Vector
	states := c.Fn.New()
	for k, done := 0, 0; k < len(f.order); k++ {
		if k == int(f.partFrom[k]) {
			states, last, done = c.Fn.New(), nil, k
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
func (c *WindowCall) sliding(ctx context.Context, f *frames, in []column.Vector) (column.Vector, error) {
	states := c.Fn.New()
	states.Grow(len(f.order))
	var rows, groups []uint32
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := states.Add(groups, gatherAll(in, rows), len(rows))
		rows, groups = rows[:0], groups[:0]
		return err
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
	return states.Finish(0, len(f.order))
}
