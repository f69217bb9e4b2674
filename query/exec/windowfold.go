package exec

import (
	"context"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Functions of numbers that are computed by loops over the frames instead of states: a frame that begins where the one before it did goes on
// from its value, another one begins anew, which adds the same numbers in the same order as a state would.

// maxFoldRows is after how many rows such a loop sees whether its query has ended.
const maxFoldRows = 1 << 20

// folded returns the values of a function over frames [lo, hi); nil if it is none of those of numbers, or of others whose values are some row's.
func (c *WindowCall) folded(ctx context.Context, lo, hi []uint32, in []column.Vector) (column.Vector, error) {
	if c.Func == "count" && len(in) == 0 {
		return column.NewNum(types.TUInt64, counted(lo, hi, nil)), nil
	}
	if len(in) != 1 {
		return nil, nil
	}
	v := column.Flatten(in[0])
	nulls, inner := []uint8(nil), v
	if n, ok := v.(*column.Nullable); ok {
		nulls, inner = n.Nulls, column.Flatten(n.Inner)
	}
	if c.Func == "count" {
		return column.NewNum(types.TUInt64, counted(lo, hi, nulls)), nil
	}
	if nulls == nil && c.Result.Equal(v.Type()) {
		switch c.Func {
		case "any":
			return gatherOr(v, firstRows(lo, hi), nil), nil
		case "anyLast":
			return gatherOr(v, lastRows(lo, hi), nil), nil
		}
	}
	var out column.Vector
	var err error
	switch x := inner.(type) {
	case *column.Num[uint8]:
		out, err = foldNums[uint8, uint64](ctx, c, lo, hi, x, nulls)
	case *column.Num[uint16]:
		out, err = foldNums[uint16, uint64](ctx, c, lo, hi, x, nulls)
	case *column.Num[uint32]:
		out, err = foldNums[uint32, uint64](ctx, c, lo, hi, x, nulls)
	case *column.Num[uint64]:
		out, err = foldNums[uint64, uint64](ctx, c, lo, hi, x, nulls)
	case *column.Num[int8]:
		out, err = foldNums[int8, int64](ctx, c, lo, hi, x, nulls)
	case *column.Num[int16]:
		out, err = foldNums[int16, int64](ctx, c, lo, hi, x, nulls)
	case *column.Num[int32]:
		out, err = foldNums[int32, int64](ctx, c, lo, hi, x, nulls)
	case *column.Num[int64]:
		out, err = foldNums[int64, int64](ctx, c, lo, hi, x, nulls)
	case *column.Num[float32]:
		out, err = foldNums[float32, float64](ctx, c, lo, hi, x, nulls)
	case *column.Num[float64]:
		out, err = foldNums[float64, float64](ctx, c, lo, hi, x, nulls)
	}
	if out == nil || err != nil || nulls == nil {
		return out, err
	}
	isNull := make([]uint8, len(lo))
	for k, n := range counted(lo, hi, nulls) {
		if n == 0 {
			isNull[k] = 1
		}
	}
	return column.NewNullable(isNull, out), nil
}

// foldNums computes sums, averages and extremes of numbers that add up as S.
func foldNums[T kernel.Number, S uint64 | int64 | float64](ctx context.Context, c *WindowCall, lo, hi []uint32, v *column.Num[T], nulls []uint8) (column.Vector, error) {
	result, arg := c.Result, v.Typ
	if result.IsNullable() != (nulls != nil) {
		return nil, nil
	}
	if nulls != nil {
		result = result.Elem()
	}
	number := arg.Kind != types.Decimal && (arg.IsUnsigned() || arg.IsSigned() || arg.IsFloat())
	switch {
	case c.Func == "sum" && number && result.Equal(typeOfSum[S]()):
		sums, err := summed[T, S](ctx, lo, hi, v.Data, nulls)
		return column.NewNum(result, sums), err
	case c.Func == "avg" && number && result.Equal(types.TFloat64):
		sums, err := summed[T, S](ctx, lo, hi, v.Data, nulls)
		if err != nil {
			return nil, err
		}
		out := make([]float64, len(sums))
		for k, n := range counted(lo, hi, nulls) {
			out[k] = float64(sums[k]) / float64(n)
		}
		return column.NewNum(result, out), nil
	case (c.Func == "min" || c.Func == "max") && result.Equal(arg):
		out, err := extremes(ctx, lo, hi, v.Data, nulls, c.Func == "max")
		return column.NewNum(result, out), err
	}
	return nil, nil
}

func typeOfSum[S uint64 | int64 | float64]() *types.Type {
	switch any(S(0)).(type) {
	case uint64:
		return types.TUInt64
	case int64:
		return types.TInt64
	}
	return types.TFloat64
}

// counted is how many rows of each frame are not NULL.
func counted(lo, hi []uint32, nulls []uint8) []uint64 {
	out := make([]uint64, len(lo))
	if nulls == nil {
		for k := range out {
			out[k] = uint64(hi[k] - lo[k])
		}
		return out
	}
	before := make([]uint32, len(nulls)+1)
	for i, isNull := range nulls {
		before[i+1] = before[i] + uint32(1-isNull)
	}
	for k := range out {
		out[k] = uint64(before[hi[k]] - before[lo[k]])
	}
	return out
}

// summed adds up each frame.
func summed[T kernel.Number, S uint64 | int64 | float64](ctx context.Context, lo, hi []uint32, data []T, nulls []uint8) ([]S, error) {
	out := make([]S, len(lo))
	var from, to uint32 // of which sum is
	var sum S
	for k, work := 0, 0; k < len(out); k++ {
		if lo[k] != from || hi[k] < to {
			from, to, sum = lo[k], lo[k], 0
		}
		if work += int(hi[k] - to); work > maxFoldRows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			work = 0
		}
		for ; to < hi[k]; to++ {
			if nulls == nil || nulls[to] == 0 {
				sum += S(data[to])
			}
		}
		out[k] = sum
	}
	return out, nil
}

// extremes finds the least or greatest value of each frame, of none 0; NaN only where there is nothing else.
func extremes[T kernel.Number](ctx context.Context, lo, hi []uint32, data []T, nulls []uint8, greatest bool) ([]T, error) {
	out := make([]T, len(lo))
	var from, to uint32 // of which best is
	var best T
	found := false
	for k, work := 0, 0; k < len(out); k++ {
		if lo[k] != from || hi[k] < to {
			from, to, best, found = lo[k], lo[k], 0, false
		}
		if work += int(hi[k] - to); work > maxFoldRows {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			work = 0
		}
		for ; to < hi[k]; to++ {
			if nulls != nil && nulls[to] != 0 {
				continue
			}
			if x := data[to]; !found || best != best || greatest && x > best || !greatest && x < best {
				best, found = x, true
			}
		}
		out[k] = best
	}
	return out, nil
}

// firstRows are those that frames begin with.
func firstRows(lo, hi []uint32) []uint32 {
	rows := slices.Clone(lo)
	for k := range rows {
		if lo[k] == hi[k] {
			rows[k] = noRow
		}
	}
	return rows
}

// lastRows are those that frames end with.
func lastRows(lo, hi []uint32) []uint32 {
	rows := slices.Clone(hi)
	for k := range rows {
		if rows[k]--; lo[k] == hi[k] {
			rows[k] = noRow
		}
	}
	return rows
}

// noRow is in place of a row for a value that is none's.
const noRow = 1<<32 - 1

// gatherOr gathers the values at rows; where there is none that of or at the same position, without or the type's default. It changes rows.
func gatherOr(v column.Vector, rows []uint32, or column.Vector) column.Vector {
	v = column.Flatten(v)
	n, missing := uint32(v.Len()), false
	for k, row := range rows {
		if row == noRow {
			missing = true
			if rows[k] = n; or != nil {
				rows[k] += uint32(k)
			}
		}
	}
	if missing {
		if or == nil {
			or = column.NewDefaults(v.Type(), 1)
		}
		v = column.Concat(v, column.Flatten(or))
	}
	return column.Gather(v, rows)
}
