package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "neighbor", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, Volatile: true, KeepConst: true, Resolve: resolveRunning("neighbor", resolveNeighbor), Eval: evalNeighbor, Family: "other", Doc: "Returns the value so many rows behind (or before) in the same block."},
		&Scalar{Name: "runningDifference", MinArgs: 1, MaxArgs: 1, Volatile: true, KeepConst: true, Resolve: resolveRunning("runningDifference", resolveDifference("runningDifference")), Eval: evalRunningDifference(false), Family: "other", Doc: "Returns the difference from the row before in the same block; 0 for the first."},
		&Scalar{Name: "runningDifferenceStartingWithFirstValue", MinArgs: 1, MaxArgs: 1, Volatile: true, KeepConst: true, Resolve: resolveRunning("runningDifferenceStartingWithFirstValue", resolveDifference("runningDifferenceStartingWithFirstValue")), Eval: evalRunningDifference(true), Family: "other", Doc: "Returns the difference from the row before in the same block; the value itself for the first."},
	)
}

func resolveNeighbor(_ *Env, args []Arg) (*types.Type, error) {
	if !isPlainInt(args[1].Type) {
		return nil, illegal("neighbor", 1, args[1].Type)
	}
	if args[1].Const != nil {
		if by := numsOf[int64](args[1].Const)[0]; by > maxNeighbor || by < -maxNeighbor {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Offset %d of function neighbor is out of range", by)
		}
	}
	if len(args) == 3 {
		return commonType(args, []int{0, 2})
	}
	return args[0].Type, nil
}

// maxNeighbor bounds an offset: no block is as large.
const maxNeighbor = 1 << 32

func evalNeighbor(c *Call) (column.Vector, error) {
	v, err := Cast(c.Env, c.Args[0], c.Result)
	if err != nil {
		return nil, err
	}
	v = column.Flatten(v)
	var other column.Vector
	if len(c.Args) == 3 {
		if other, err = Cast(c.Env, c.Args[2], c.Result); err != nil {
			return nil, err
		}
		other = column.Flatten(other)
	}
	by, out := numArg[int64](c.Args[1], c.Rows), column.New(c.Result, c.Rows)
	for i := range c.Rows {
		switch at := int64(i) + by.at(i); {
		case at >= 0 && at < int64(c.Rows):
			out.AppendFrom(v, int(at))
		case other != nil:
			out.AppendFrom(other, i)
		default:
			out.AppendDefault()
		}
	}
	return out, nil
}

func resolveDifference(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		switch t := args[0].Type; {
		case t.IsFloat():
			return types.TFloat64, nil
		case t.Kind == types.Date:
			return types.TInt32, nil
		case t.Kind == types.DateTime:
			return types.TInt64, nil
		case isPlainInt(t):
			return intOf(true, min(2*t.Width(), 8)), nil
		}
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Argument for function %s must have numeric type", name)
	}
}

func evalRunningDifference(first bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		if c.Result.IsFloat() {
			return newNum(c.Result, runDifferences(fullNums[float64](c.Args[0], c.Rows), first)), nil
		}
		return narrow(c.Result, runDifferences(fullNums[int64](c.Args[0], c.Rows), first)), nil
	}
}

func runDifferences[T int64 | float64](data []T, first bool) []T {
	out := make([]T, len(data))
	for i := range out {
		switch {
		case i > 0:
			out[i] = data[i] - data[i-1]
		case first:
			out[i] = data[i]
		}
	}
	return out
}
