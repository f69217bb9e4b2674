package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		op      arithOp
		aliases []string
		example string
	}{
		{opDivide, nil, "divideOrNull(1, 0) → NULL"},
		{opIntDiv, nil, "intDivOrNull(7, 0) → NULL"},
		{opModulo, []string{"modOrNull"}, "moduloOrNull(7, 0) → NULL"},
		{opPositiveModulo, []string{"pmodOrNull", "positive_modulo_or_null"}, "positiveModuloOrNull(-7, 3) → 2"},
	} {
		name := f.op.String() + "OrNull"
		register(&Scalar{Name: name, Aliases: f.aliases, CaseInsensitive: f.aliases != nil, MinArgs: 2, MaxArgs: 2, Resolve: resolveOrNull(name, f.op), Eval: evalArithOrNull(f.op), Family: "arithmetic", Doc: "Is " + f.op.String() + ", but NULL where that has no result.", Example: f.example})
	}
	register(&Scalar{Name: "ifNotFinite", MinArgs: 2, MaxArgs: 2, Resolve: resolveIfNotFinite, Eval: evalIfNotFinite, Family: "arithmetic", Doc: "Returns the second argument where the first is infinite or no number.", Example: "ifNotFinite(1 / 0, 42) → 42"})
}

func resolveOrNull(name string, op arithOp) func(*Env, []Arg) (*types.Type, error) {
	resolve := resolveArith(op)
	return func(env *Env, args []Arg) (*types.Type, error) {
		for i, a := range args {
			if !isPlainNum(a.Type) {
				return nil, illegal(name, i, a.Type)
			}
		}
		t, err := resolve(env, args)
		if err != nil {
			return nil, err
		}
		return types.NewNullable(t), nil
	}
}

func evalArithOrNull(op arithOp) func(*Call) (column.Vector, error) {
	eval := evalArith(op)
	return func(c *Call) (column.Vector, error) {
		a, b := column.Flatten(c.Args[0]), column.Flatten(c.Args[1])
		nulls, any := undivided(op, a, b, c)
		if any { // where there is no result, one of a division by 1 is left out
			one, err := Cast(c.Env, newNum(types.TUInt8, []uint8{1}), c.Types[1])
			if err != nil {
				return nil, err
			}
			if b, err = selectRows(c, c.Types[1], nulls, []column.Vector{b, column.Flatten(&column.Const{Value: column.Flatten(one), N: c.Rows})}); err != nil {
				return nil, err
			}
		}
		v, err := eval(&Call{Env: c.Env, Args: []column.Vector{a, b}, Types: c.Types, Result: c.Result.Elem(), Rows: c.Rows})
		if err != nil {
			return nil, err
		}
		return column.NewNullable(nulls, column.Flatten(v)), nil
	}
}

// undivided marks the rows without a result: division by 0, and of the least integer by -1.
func undivided(op arithOp, a, b column.Vector, c *Call) (nulls []uint8, any bool) {
	nulls = make([]uint8, c.Rows)
	for i, y := range numsOf[float64](b) {
		if y == 0 {
			nulls[i], any = 1, true
		}
	}
	if op == opDivide || !c.Types[0].IsSigned() || !c.Types[1].IsSigned() {
		return nulls, any
	}
	least := int64(-1) << (8*c.Types[0].Width() - 1)
	x := numsOf[int64](a)
	for i, y := range numsOf[int64](b) {
		if y == -1 && x[i] == least {
			nulls[i], any = 1, true
		}
	}
	return nulls, any
}

func resolveIfNotFinite(_ *Env, args []Arg) (*types.Type, error) {
	if !isAnyNumber(args[0].Type) {
		return nil, illegal("ifNotFinite", 0, args[0].Type)
	}
	return types.Supertype(args[0].Type, args[1].Type)
}

func evalIfNotFinite(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	if !c.Types[0].IsFloat() {
		return vals[0], nil
	}
	choice := make([]uint8, c.Rows)
	for i, x := range fullNums[float64](c.Args[0], c.Rows) {
		choice[i] = b2u(x-x != 0)
	}
	return selectRows(c, c.Result, choice, vals)
}

func init() {
	register(
		&Scalar{Name: "clamp", MinArgs: 3, MaxArgs: 3, Resolve: func(_ *Env, args []Arg) (*types.Type, error) { return commonType(args, allPositions(args)) }, Eval: evalClamp, Family: "conditional", Doc: "Returns a value, or the bound that it is beyond.", Example: "clamp(5, 2, 3) → 3"},
		&Scalar{Name: "firstNonDefault", CaseInsensitive: true, MaxArgs: -1, Nulls: NullCustom, Resolve: resolveFirstNonDefault, Eval: evalFirstNonDefault, Family: "null", Doc: "Returns the first argument that is neither NULL nor its type's default.", Example: "firstNonDefault(0, 2, 3) → 2"},
		&Scalar{Name: "isNullable", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: fixed("isNullable", types.TUInt8), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(types.TUInt8, b2u(c.Types[0].WithoutLowCardinality().Kind == types.Nullable), c.Rows), nil
		}, Family: "null", Doc: "Tests whether a type has NULL.", Example: "isNullable(1) → 0"},
	)
}

func evalClamp(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	choice := make([]uint8, c.Rows)
	for i := range choice {
		switch {
		case column.Compare(vals[1], i, vals[2], i) > 0:
			return nil, sqlerr.New(sqlerr.BadArguments, "The minimum value cannot be greater than the maximum value for function clamp")
		case column.Compare(vals[0], i, vals[1], i) < 0:
			choice[i] = 1
		case column.Compare(vals[0], i, vals[2], i) > 0:
			choice[i] = 2
		}
	}
	return selectRows(c, c.Result, choice, vals)
}

// maxFirstNonDefault is how many arguments, and none of them, a byte tells apart.
const maxFirstNonDefault = 255

func resolveFirstNonDefault(_ *Env, args []Arg) (*types.Type, error) {
	switch {
	case len(args) == 0:
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function firstNonDefault requires at least one argument")
	case len(args) > maxFirstNonDefault:
		return nil, sqlerr.New(sqlerr.TooManyArgumentsForFunction, "Function firstNonDefault takes at most %d arguments", maxFirstNonDefault)
	}
	return commonType(args, allPositions(args))
}

func evalFirstNonDefault(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	def := column.NewDefaults(c.Result.WithoutNullable(), 1)
	choice := make([]uint8, c.Rows)
	for k := len(vals) - 1; k >= 0; k-- {
		inner, _, allNull := splitNulls(vals[k], c.Rows)
		nullable := c.Types[k].Kind == types.Nullable // whose default is NULL
		for i := range choice {
			if !allNull && !column.IsNull(vals[k], i) && (nullable || column.Compare(inner, i, def, 0) != 0) {
				choice[i] = uint8(k)
			} else if k == len(vals)-1 {
				choice[i] = uint8(len(vals))
			}
		}
	}
	return selectRows(c, c.Result, choice, append(vals, column.NewDefaults(c.Result, c.Rows)))
}
