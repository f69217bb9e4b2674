package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "and", CaseInsensitive: true, MinArgs: 2, MaxArgs: -1, Nulls: NullCustom, Resolve: resolveLogic("and"), Eval: evalAnd, Family: "logical", Doc: "Is true if all arguments are; NULL is unknown.", Example: "and(1, NULL) → NULL"},
		&Scalar{Name: "or", CaseInsensitive: true, MinArgs: 2, MaxArgs: -1, Nulls: NullCustom, Resolve: resolveLogic("or"), Eval: evalOr, Family: "logical", Doc: "Is true if any argument is; NULL is unknown.", Example: "or(1, NULL) → 1"},
		&Scalar{Name: "xor", CaseInsensitive: true, MinArgs: 2, MaxArgs: -1, Resolve: resolveLogic("xor"), Eval: evalXor, Family: "logical", Doc: "Is true if an odd number of arguments is.", Example: "xor(1, 0) → 1"},
		&Scalar{Name: "not", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: resolveLogic("not"), Eval: evalNot, Family: "logical", Doc: "Negates.", Example: "not(1) → 0"},
	)
}

// resolveLogic takes numbers; the result is Bool if an argument is, Nullable if one is.
func resolveLogic(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		result, nullable := types.TUInt8, false
		for i, a := range args {
			t := a.Type
			if t.Kind == types.Nullable {
				nullable = true
				t = t.Elem()
			}
			switch {
			case t.Kind == types.Bool:
				result = types.TBool
			case t.Kind != types.Nothing && !isPlainNum(t):
				return nil, illegal(name, i, a.Type)
			}
		}
		if nullable {
			return types.NewNullable(result), nil
		}
		return result, nil
	}
}

// truth returns 1 where v is not zero, of a Const for one row; nulls is nil if v has none.
func truth(v column.Vector) (val, nulls []uint8) {
	switch v := v.(type) {
	case *column.Const:
		return truth(v.Value)
	case *column.Nullable:
		val, _ = truth(v.Inner)
		return val, v.Nulls
	case *column.Dict:
		return truth(column.Flatten(v))
	case *column.Num[uint8]:
		return nonZero(v.Data), nil
	case *column.Num[float32]:
		return nonZero(v.Data), nil
	case *column.Num[float64]:
		return nonZero(v.Data), nil
	case *column.Num[int8]:
		return nonZero(v.Data), nil
	}
	return nonZero(numsOf[int64](v)), nil
}

func nonZero[T num](a []T) []uint8 {
	out := make([]uint8, len(a))
	for i, x := range a {
		out[i] = b2u(x != 0)
	}
	return out
}

// evalAnd and evalOr fold the arguments pairwise. The value under a NULL is forced to the neutral
// element, so that val alone says whether the deciding value was seen.
func evalAnd(c *Call) (column.Vector, error) { return foldLogic(c, 1) }

func evalOr(c *Call) (column.Vector, error) { return foldLogic(c, 0) }

func foldLogic(c *Call, neutral uint8) (column.Vector, error) {
	acc := make([]uint8, c.Rows)
	for i := range acc {
		acc[i] = neutral
	}
	var unknown []uint8
	for _, a := range c.Args {
		val, nulls := truth(a)
		val = spread(val, c.Rows)
		if nulls != nil {
			nulls = spread(nulls, c.Rows)
			masked := make([]uint8, c.Rows)
			for i, n := range nulls {
				masked[i] = val[i]&(n^1) | neutral&n
			}
			val, unknown = masked, orMask(unknown, nulls)
		}
		foldBits(acc, val, neutral)
	}
	inner := column.NewNum(c.Result.WithoutNullable(), acc)
	if c.Result.Kind != types.Nullable {
		return inner, nil
	}
	out := make([]uint8, c.Rows)
	for i := range unknown {
		out[i] = unknown[i] & (acc[i] ^ neutral ^ 1)
	}
	return column.NewNullable(out, inner), nil
}

func foldBits(acc, val []uint8, neutral uint8) {
	val = val[:len(acc)]
	if neutral == 1 {
		for i := range acc {
			acc[i] &= val[i]
		}
		return
	}
	for i := range acc {
		acc[i] |= val[i]
	}
}

func evalXor(c *Call) (column.Vector, error) {
	acc := make([]uint8, c.Rows)
	for _, a := range c.Args {
		val, _ := truth(a)
		val = spread(val, c.Rows)
		for i := range acc {
			acc[i] ^= val[i]
		}
	}
	return newNum(c.Result, acc), nil
}

func evalNot(c *Call) (column.Vector, error) {
	val, _ := truth(c.Args[0])
	acc := make([]uint8, c.Rows)
	for i, x := range spread(val, c.Rows) {
		acc[i] = x ^ 1
	}
	return newNum(c.Result, acc), nil
}
