package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "isNotDistinctFrom", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveDistinctFrom, Eval: evalDistinctFrom(1), Family: "comparison", Doc: "Compares for equality; NULL equals NULL.", Example: "isNotDistinctFrom(NULL, NULL) → 1"},
		&Scalar{Name: "isDistinctFrom", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveDistinctFrom, Eval: evalDistinctFrom(0), Family: "comparison", Doc: "Compares for inequality; NULL equals NULL.", Example: "isDistinctFrom(NULL, 1) → 1"},
	)
}

func resolveDistinctFrom(env *Env, args []Arg) (*types.Type, error) {
	_, err := Bind(env, "equals", args)
	return types.TUInt8, err
}

func evalDistinctFrom(when uint8) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out, err := sameRows(c, c.Args[0], c.Args[1])
		if err != nil {
			return nil, err
		}
		for i := range out {
			out[i] ^= when ^ 1
		}
		return column.NewBools(out), nil
	}
}

// sameRows is 1 where a equals b or both are NULL.
func sameRows(c *Call, a, b column.Vector) ([]uint8, error) {
	eq, err := invoke(c.Env, "equals", c.Rows, a, b)
	if err != nil {
		return nil, err
	}
	out := make([]uint8, c.Rows)
	if eq.Type().Inner().Kind != types.Nothing {
		chooseTrue(out, eq, 1)
	}
	_, na := splitNullable(a)
	_, nb := splitNullable(b)
	for i := range out {
		out[i] |= na.at(i) & nb.at(i)
	}
	return out, nil
}
