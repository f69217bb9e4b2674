package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "if", CaseInsensitive: true, MinArgs: 3, MaxArgs: 3, Nulls: NullCustom, Resolve: resolveMultiIf("if"), Eval: evalIf, Family: "conditional", Doc: "Chooses the second argument where the first is true, else the third.", Example: "if(1, 'a', 'b') → a"},
		&Scalar{Name: "multiIf", Aliases: []string{"caseWithoutExpression", "caseWithoutExpr"}, CaseInsensitive: true, MinArgs: 3, MaxArgs: maxBranches, Nulls: NullCustom, Resolve: resolveMultiIf("multiIf"), Eval: evalMultiIf, Family: "conditional", Doc: "Chooses the value behind the first true condition, else the last argument.", Example: "multiIf(0, 'a', 1, 'b', 'c') → b"},
		&Scalar{Name: "caseWithExpression", Aliases: []string{"caseWithExpr"}, MinArgs: 4, MaxArgs: maxBranches, Nulls: NullCustom, Resolve: resolveCase, Eval: evalCase, Family: "conditional", Doc: "Chooses the value behind the first argument equal to the first one, else the last argument.", Example: "caseWithExpression(2, 1, 'a', 2, 'b', 'c') → b"},
		&Scalar{Name: "isNull", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: fixed("isNull", types.TUInt8), Eval: evalIsNull(1), Family: "null", Doc: "Tests for NULL.", Example: "isNull(NULL) → 1"},
		&Scalar{Name: "isNotNull", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, ExactType: true, Resolve: fixed("isNotNull", types.TUInt8), Eval: evalIsNull(0), Family: "null", Doc: "Tests for not NULL.", Example: "isNotNull(NULL) → 0"},
		&Scalar{Name: "isZeroOrNull", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: fixed("isZeroOrNull", types.TUInt8, isNullableNumber), Eval: evalIsZeroOrNull, Family: "null", Doc: "Tests for 0 or NULL.", Example: "isZeroOrNull(0) → 1"},
		&Scalar{Name: "coalesce", CaseInsensitive: true, MinArgs: 0, MaxArgs: maxBranches / 2, Nulls: NullCustom, Resolve: resolveCoalesce(types.Supertype), Eval: evalCoalesce, Family: "null", Doc: "Returns the first argument that is not NULL.", Example: "coalesce(NULL, 1) → 1"},
		&Scalar{Name: "ifNull", CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveCoalesce(types.SupertypeOrVariant), Eval: evalCoalesce, Family: "null", Doc: "Returns the second argument where the first is NULL.", Example: "ifNull(NULL, 1) → 1"},
		&Scalar{Name: "nullIf", CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveNullIf, Eval: evalNullIf, Family: "null", Doc: "Returns NULL where both arguments are equal, else the first.", Example: "nullIf(1, 1) → NULL"},
		&Scalar{Name: "assumeNotNull", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveAssumeNotNull, Eval: evalAssumeNotNull, Family: "null", Doc: "Drops Nullable; what stands for NULL is unspecified.", Example: "assumeNotNull(toNullable(1)) → 1"},
		&Scalar{Name: "toNullable", MinArgs: 1, MaxArgs: 1, Nulls: NullCustom, Resolve: resolveToNullable, Eval: evalToNullable, Family: "null", Doc: "Makes the type Nullable.", Example: "toTypeName(toNullable(1)) → Nullable(UInt8)"},
	)
}

// maxBranches bounds the arguments of conditionals: a branch's number is stored in a byte.
const maxBranches = 500

func isNullableNumber(t *types.Type) bool {
	return isNumeric(t.WithoutNullable()) || t.Inner().Kind == types.Nothing
}

// multiIfValues are the positions of the values among the arguments of if and multiIf.
func multiIfValues(n int) []int {
	var at []int
	for i := 1; i < n; i += 2 {
		at = append(at, i)
	}
	return append(at, n-1)
}

func resolveMultiIf(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if len(args)%2 == 0 {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Invalid number of arguments for function %s: %d", name, len(args))
		}
		for i := 0; i+1 < len(args); i += 2 {
			if t := args[i].Type.WithoutNullable(); !isPlainInt(t) && t.Kind != types.Nothing || t.Width() > 1 || t.IsSigned() {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument (condition) of function %s, must be UInt8", args[i].Type, name)
			}
		}
		return branchType(args, multiIfValues(len(args)))
	}
}

func commonType(args []Arg, at []int) (*types.Type, error) {
	return types.Supertype(typesAt(args, at)...)
}

// branchType is commonType, a Variant where there is none in common.
func branchType(args []Arg, at []int) (*types.Type, error) {
	return types.SupertypeOrVariant(typesAt(args, at)...)
}

func typesAt(args []Arg, at []int) []*types.Type {
	ts := make([]*types.Type, len(at))
	for i, k := range at {
		ts[i] = args[k].Type
	}
	return ts
}

// castAll converts the arguments at the given positions to t.
func castAll(c *Call, at []int, t *types.Type) ([]column.Vector, error) {
	out := make([]column.Vector, len(at))
	for i, k := range at {
		in := caster{env: c.Env, asIs: true}
		v, err := in.cast(c.Args[k], t.WithoutLowCardinality())
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// evalIf keeps the zero bytes at the end of a FixedString that becomes a String, as ClickHouse's if does and its multiIf does not.
func evalIf(c *Call) (column.Vector, error) {
	if c.Result.WithoutLowCardinality().Kind == types.String {
		in := *c
		in.Args = append([]column.Vector(nil), c.Args...)
		for i := 1; i < len(in.Args); i++ {
			in.Args[i] = withZeros(in.Args[i])
		}
		c = &in
	}
	return evalMultiIf(c)
}

// withZeros is a vector of FixedString as one of String of the same bytes; others it returns as they are.
func withZeros(v column.Vector) column.Vector {
	if v.Type().Kind == types.FixedString {
		return column.WithType(v, types.TString)
	}
	return v
}

func evalMultiIf(c *Call) (column.Vector, error) {
	at := multiIfValues(len(c.Args))
	vals, err := castAll(c, at, c.Result)
	if err != nil {
		return nil, err
	}
	choice := make([]uint8, c.Rows)
	for i := range choice {
		choice[i] = uint8(len(at) - 1)
	}
	for k := len(at) - 2; k >= 0; k-- {
		chooseTrue(choice, c.Args[2*k], uint8(k))
	}
	return selectRows(c, c.Result, choice, vals)
}

// chooseTrue sets choice to k where cond is true.
func chooseTrue(choice []uint8, cond column.Vector, k uint8) {
	val, nulls := truth(cond)
	if len(val) == 1 && len(choice) != 1 {
		if val[0] != 0 && (nulls == nil || nulls[0] == 0) {
			for i := range choice {
				choice[i] = k
			}
		}
		return
	}
	if nulls == nil {
		choice = choice[:len(val)]
		for i, x := range val { // without a branch: which rows are true is hard to foretell
			is := -b2u(x != 0)
			choice[i] = choice[i]&^is | k&is
		}
		return
	}
	for i, x := range val {
		if x != 0 && nulls[i] == 0 {
			choice[i] = k
		}
	}
}

// caseValues are the positions of the values of CASE x WHEN a THEN v … ELSE e.
func caseValues(n int) []int {
	var at []int
	for i := 2; i < n-1; i += 2 {
		at = append(at, i)
	}
	return append(at, n-1)
}

func resolveCase(_ *Env, args []Arg) (*types.Type, error) {
	if len(args)%2 != 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Invalid number of arguments for function caseWithExpression: %d", len(args))
	}
	return branchType(args, caseValues(len(args)))
}

func evalCase(c *Call) (column.Vector, error) {
	at := caseValues(len(c.Args))
	vals, err := castAll(c, at, c.Result)
	if err != nil {
		return nil, err
	}
	choice := make([]uint8, c.Rows)
	for i := range choice {
		choice[i] = uint8(len(at) - 1)
	}
	for k := len(at) - 2; k >= 0; k-- {
		same, err := sameRows(c, c.Args[0], c.Args[1+2*k])
		if err != nil {
			return nil, err
		}
		for i, x := range same {
			if x != 0 {
				choice[i] = uint8(k)
			}
		}
	}
	return selectRows(c, c.Result, choice, vals)
}

func evalIsNull(when uint8) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := make([]uint8, c.Rows)
		if c.Types[0].IsUnion() {
			for i := range out {
				out[i] = b2u(column.IsNull(c.Args[0], i)) ^ when ^ 1
			}
			return column.NewBools(out), nil
		}
		_, nulls := splitNullable(c.Args[0])
		for i := range out {
			out[i] = nulls.at(i) ^ when ^ 1
		}
		return column.NewBools(out), nil
	}
}

func evalIsZeroOrNull(c *Call) (column.Vector, error) {
	val, nulls := truth(c.Args[0])
	out := make([]uint8, c.Rows)
	for i, x := range spread(val, c.Rows) {
		out[i] = x ^ 1
	}
	if nulls != nil {
		out = orMask(out, spread(nulls, c.Rows))
	}
	return column.NewBools(out), nil
}

// resolveCoalesce: NULL literals drop out, and what stands behind the first argument that cannot be NULL does not matter.
func resolveCoalesce(common func(...*types.Type) (*types.Type, error)) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		used := coalesceArgs(args)
		if len(used) == 0 {
			return types.TNull, nil
		}
		ts := make([]*types.Type, len(used))
		for i, k := range used {
			ts[i] = args[k].Type
			if i < len(used)-1 {
				ts[i] = ts[i].WithoutNullable()
			}
		}
		return common(ts...)
	}
}

// coalesceArgs are the positions that matter.
func coalesceArgs(args []Arg) []int {
	var used []int
	for i, a := range args {
		if a.Type.Inner().Kind == types.Nothing {
			continue
		}
		used = append(used, i)
		if a.Type.Kind != types.Nullable {
			break
		}
	}
	return used
}

func evalCoalesce(c *Call) (column.Vector, error) {
	args := make([]Arg, len(c.Types))
	for i, t := range c.Types {
		args[i] = Arg{Type: t}
	}
	used := coalesceArgs(args)
	if len(used) == 0 {
		return column.NewNulls(c.Rows), nil
	}
	choice := make([]uint8, c.Rows)
	for i := range choice {
		choice[i] = uint8(len(used) - 1)
	}
	vals := make([]column.Vector, len(used))
	for k := len(used) - 1; k >= 0; k-- {
		v := c.Args[used[k]]
		inner, nulls := splitNullable(v)
		if k < len(used)-1 {
			for i := range choice {
				if nulls.at(i) == 0 {
					choice[i] = uint8(k)
				}
			}
			v = inner
		}
		var err error
		if vals[k], err = Cast(c.Env, v, c.Result); err != nil {
			return nil, err
		}
	}
	return selectRows(c, c.Result, choice, vals)
}

func resolveNullIf(env *Env, args []Arg) (*types.Type, error) {
	if _, err := Bind(env, "equals", args); err != nil {
		return nil, err
	}
	if !args[0].Type.CanBeNullable() && args[0].Type.Kind != types.Nullable {
		return nil, illegal("nullIf", 0, args[0].Type)
	}
	return types.NewNullable(args[0].Type), nil
}

func evalNullIf(c *Call) (column.Vector, error) {
	if c.Types[0].Inner().Kind == types.Nothing {
		return c.Args[0], nil
	}
	eq, err := invoke(c.Env, "equals", c.Rows, c.Args[0], c.Args[1])
	if err != nil {
		return nil, err
	}
	nulls := make([]uint8, c.Rows)
	chooseTrue(nulls, eq, 1)
	return withNulls(c.Args[0], nulls), nil
}

func resolveAssumeNotNull(_ *Env, args []Arg) (*types.Type, error) {
	return args[0].Type.WithoutNullable(), nil
}

func evalAssumeNotNull(c *Call) (column.Vector, error) {
	if c.Result.Kind == types.Nothing {
		return nil, sqlerr.New(sqlerr.IllegalColumn, "Cannot create non-empty column with type Nothing")
	}
	inner, _ := splitNullable(c.Args[0])
	return inner, nil
}

func resolveToNullable(_ *Env, args []Arg) (*types.Type, error) {
	if t := args[0].Type; !t.CanBeNullable() && t.Kind != types.Nullable {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Nested type %s cannot be inside Nullable type", t)
	}
	return types.NewNullable(args[0].Type), nil
}

func evalToNullable(c *Call) (column.Vector, error) {
	return Cast(c.Env, c.Args[0], c.Result)
}
