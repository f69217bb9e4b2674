package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	defaults := func(c *Call) (column.Vector, error) {
		return &column.Const{Value: column.NewDefaults(c.Result.WithoutLowCardinality(), 1), N: c.Rows}, nil
	}
	register(
		&Scalar{Name: "defaultValueOfArgumentType", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: sameAs0("defaultValueOfArgumentType"), Eval: defaults, Family: "other", Doc: "Returns the default of the argument's type.", Example: "defaultValueOfArgumentType(5) → 0"},
		&Scalar{Name: "defaultValueOfTypeName", MinArgs: 1, MaxArgs: 1, ConstArgs: []int{0}, ExactType: true, Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			name, ok := constString(args, 0)
			if !ok {
				return nil, sqlerr.New(sqlerr.IllegalColumn, "The argument of function defaultValueOfTypeName must be a constant string describing type")
			}
			return types.Parse(name)
		}, Eval: defaults, Family: "other", Doc: "Returns the default of a type.", Example: "defaultValueOfTypeName('Array(String)') → []"},
		&Scalar{Name: "getSizeOfEnumType", MinArgs: 1, MaxArgs: 1, Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			switch t := args[0].Type; t.Kind {
			case types.Enum8:
				return types.TUInt8, nil
			case types.Enum16:
				return types.TUInt16, nil
			default:
				return nil, illegal("getSizeOfEnumType", 0, t)
			}
		}, Eval: func(c *Call) (column.Vector, error) {
			one := narrow(c.Result, []uint64{uint64(len(c.Types[0].Enum))})
			return &column.Const{Value: one, N: c.Rows}, nil
		}, Family: "other", Doc: "Returns how many values an Enum has.", Example: "getSizeOfEnumType(CAST('a', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)')) → 2"},
		&Scalar{Name: "getSettingOrDefault", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, ConstArgs: []int{0, 1}, Resolve: func(env *Env, args []Arg) (*types.Type, error) {
			name, ok := constString(args, 0)
			if !ok {
				return nil, illegal("getSettingOrDefault", 0, args[0].Type)
			}
			if v, err := setting(env, name); err == nil {
				return v.Type(), nil
			}
			return args[1].Type, nil
		}, Eval: func(c *Call) (column.Vector, error) {
			name, _ := stringConst(c.Args[0])
			if v, err := setting(c.Env, name); err == nil {
				return &column.Const{Value: v, N: c.Rows}, nil
			}
			return c.Args[1], nil
		}, Family: "other", Doc: "Returns a setting's value, or the second argument if there is no setting of that name.", Example: "getSettingOrDefault('no_such_setting', 5) → 5"},
		&Scalar{Name: "indexHint", MaxArgs: -1, Nulls: NullCustom, KeepConst: true, Resolve: fixed("indexHint", types.TUInt8), Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TUInt8, uint8(1), c.Rows), nil }, Family: "other", Doc: "Returns 1 whatever its arguments.", Example: "indexHint(0) → 1"},
		&Scalar{Name: "initialQueryStartTime", Aliases: []string{"initial_query_start_time"}, CaseInsensitive: true, Resolve: fixed("initialQueryStartTime", types.TDateTime), Eval: func(c *Call) (column.Vector, error) {
			return column.NewConst(c.Result, clampDateTime(c.Env.Now.Unix()), c.Rows), nil
		}, Family: "other", Doc: "Returns when the query began."},
		&Scalar{Name: "currentSchemas", Aliases: []string{"current_schemas"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, ConstArgs: []int{0}, Resolve: fixed("currentSchemas", types.NewArray(types.TString), func(t *types.Type) bool { return t.Kind == types.Bool }), Eval: func(c *Call) (column.Vector, error) {
			one := newStringArrays(&Call{Result: c.Result, Rows: 1})
			one.Elem.(*column.Str).Append([]byte(c.Env.Database))
			one.EndValue()
			return &column.Const{Value: one, N: c.Rows}, nil
		}, Family: "other", Doc: "Returns an array of the session's database."},
		&Scalar{Name: "isDecimalOverflow", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("isDecimalOverflow", types.TUInt8, isDecimal, isUInt), Eval: evalDecimalOverflow, Family: "other", Doc: "Tests for a decimal with more digits than its type, or the second argument, says.", Example: "isDecimalOverflow(toDecimal32(100, 0), 2) → 1"},
	)
}

// maxDecimalDigits is what the widest decimal holds.
const maxDecimalDigits = 76

func evalDecimalOverflow(c *Call) (column.Vector, error) {
	precision := uint64(c.Types[0].N)
	if len(c.Args) > 1 {
		precision = numsOf[uint64](c.Args[1])[0]
	}
	out := make([]uint8, c.Rows)
	if precision > maxDecimalDigits {
		return column.NewBools(out), nil
	}
	limit, _ := types.I256FromBig(pow10Big(int(precision)))
	for i, x := range spread(widesOf(c.Args[0]), c.Rows) {
		if x.Negative() {
			x = x.Neg()
		}
		out[i] = b2u(x.Cmp(limit) >= 0)
	}
	return column.NewBools(out), nil
}
