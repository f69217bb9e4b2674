package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "negate", MinArgs: 1, MaxArgs: 1, Resolve: resolveNegate, Eval: evalNegate, Family: "arithmetic", Doc: "Changes the sign.", Example: "negate(1) → -1"},
		&Scalar{Name: "abs", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: resolveAbs, Eval: evalAbs, Family: "arithmetic", Doc: "Returns the absolute value.", Example: "abs(-1) → 1"},
		&Scalar{Name: "sign", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("sign", types.TInt8, isAnyNumber), Eval: evalSign, Family: "mathematical", Doc: "Returns -1, 0 or 1.", Example: "sign(-5) → -1"},
	)
}

func resolveNegate(env *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	switch {
	case isTuple(t):
		return composedType(env, negatedTuple, args)
	case t.IsFloat() && t.Kind != types.BFloat16, t.Kind == types.Decimal, t.Kind == types.Interval, t.IsSigned():
		return t, nil
	case t.IsInteger():
		return intOf(true, doubled(t.Width())), nil
	}
	return nil, illegal("negate", 0, t)
}

func evalNegate(c *Call) (column.Vector, error) {
	if isTuple(c.Types[0]) {
		return composedValue(negatedTuple, c)
	}
	v := column.Flatten(c.Args[0])
	switch c.Result.Phys() {
	case types.PFloat32:
		return newNum(c.Result, negated(numsOf[float32](v))), nil
	case types.PFloat64:
		return newNum(c.Result, negated(numsOf[float64](v))), nil
	case types.PInt128, types.PInt256:
		data := widesOf(v)
		out := make([]types.I256, len(data))
		for i, x := range data {
			out[i] = x.Neg()
		}
		return storeWide(c.Result, out), nil
	}
	return narrow(c.Result, negated(numsOf[int64](v))), nil
}

func negated[T int64 | float32 | float64](a []T) []T {
	out := make([]T, len(a))
	for i, x := range a {
		out[i] = -x
	}
	return out
}

func resolveAbs(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	switch {
	case t.IsFloat() && t.Kind != types.BFloat16, t.Kind == types.Decimal, t.IsUnsigned():
		return t, nil
	case t.IsInteger():
		return intOf(false, t.Width()), nil
	}
	return nil, illegal("abs", 0, t)
}

func evalAbs(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0])
	switch c.Result.Phys() {
	case types.PFloat32:
		return newNum(c.Result, convertNums[float32](absFloats(numsOf[float64](v)))), nil
	case types.PFloat64:
		return newNum(c.Result, absFloats(numsOf[float64](v))), nil
	}
	if c.Types[0].IsUnsigned() {
		return v, nil
	}
	if c.Result.Width() > 8 {
		data := widesOf(v)
		out := make([]types.I256, len(data))
		for i, x := range data {
			if x.Negative() {
				x = x.Neg()
			}
			out[i] = x
		}
		return storeWide(c.Result, out), nil
	}
	data := numsOf[int64](v)
	out := make([]uint64, len(data))
	for i, x := range data {
		out[i] = absInt(x)
	}
	return narrow(c.Result, out), nil
}

func absFloats(a []float64) []float64 {
	out := make([]float64, len(a))
	for i, x := range a {
		out[i] = math.Abs(x)
	}
	return out
}

func evalSign(c *Call) (column.Vector, error) {
	data := floatsOf(column.Flatten(c.Args[0]), c.Types[0])
	out := make([]int8, len(data))
	for i, x := range data {
		switch {
		case x > 0:
			out[i] = 1
		case x < 0:
			out[i] = -1
		}
	}
	return newNum(c.Result, out), nil
}
