package function

import (
	"slices"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Bound is a scalar function bound to argument types. It is safe for concurrent use.
type Bound struct {
	Func   *Scalar
	Result *types.Type // declared: may be LowCardinality or Nullable

	args  []*types.Type // as Resolve saw them
	inner *types.Type   // what Eval returns
	own   *ownCall      // set if an argument is a Variant or Dynamic and the function knows nothing of them
}

// Bind types a call: UnknownFunction, NumberOfArgumentsDoesntMatch, IllegalColumn (an argument
// that must be constant is not) and whatever Resolve returns.
func Bind(env *Env, name string, args []Arg) (*Bound, error) {
	f := Lookup(name)
	if f == nil {
		return nil, sqlerr.New(sqlerr.UnknownFunction, "Function with name `%s` does not exist", name)
	}
	if err := checkArgs(f, args); err != nil {
		return nil, err
	}
	if err := refuseFixed(f.Name, args); err != nil {
		return nil, err
	}
	if i := ownArg(f, args); i >= 0 {
		return bindOwn(env, f, args, i)
	}
	b := &Bound{Func: f}
	plain := make([]Arg, len(args))
	nullable, allNull, nothing, low := false, false, false, lowCardinality(args)
	for i, a := range args {
		nothing = nothing || a.Type.Kind == types.Nothing && !a.Lambda
		if !f.ExactType {
			a.Type = a.Type.WithoutLowCardinality()
		}
		if f.Nulls == NullPropagate && a.Type.Kind == types.Nullable && !a.Lambda {
			nullable = true
			allNull = allNull || a.Type.Elem().Kind == types.Nothing
			a.Type = a.Type.Elem()
			a.Const = constWithoutNull(a.Const)
		}
		plain[i] = a
		b.args = append(b.args, a.Type)
	}
	if allNull {
		b.Result, b.inner = types.TNull, types.TNothing
		return b, nil
	}
	if nothing && f.Nulls == NullPropagate && !f.ExactType {
		b.Result, b.inner = types.TNothing, types.TNothing
		return b, nil
	}
	t, err := f.Resolve(env, plain)
	if err != nil {
		return nil, err
	}
	b.inner, b.Result = t, t
	if nullable && t.CanBeNullable() {
		b.Result = types.NewNullable(t)
	}
	if low && !f.Volatile && !f.ExactType && !plainOfLow[f.Name] && canBeLowCardinality(b.Result) {
		b.Result = types.NewLowCardinality(b.Result)
	}
	return b, nil
}

func checkArgs(f *Scalar, args []Arg) error {
	if len(args) < f.MinArgs || f.MaxArgs >= 0 && len(args) > f.MaxArgs {
		code := sqlerr.NumberOfArgumentsDoesntMatch
		if f.MaxArgs < 0 {
			code = sqlerr.TooFewArgumentsForFunction
		}
		return sqlerr.New(code, "Number of arguments for function %s doesn't match: passed %d, should be %s", f.Name, len(args), arity(f))
	}
	for _, i := range f.ConstArgs {
		if i < len(args) && args[i].Const == nil {
			return sqlerr.New(sqlerr.IllegalColumn, "Argument %d of function %s must be constant", i+1, f.Name)
		}
	}
	for i, a := range args {
		if a.Lambda && (i > 0 || f.Lambda == nil) {
			return sqlerr.New(sqlerr.IllegalTypeOfArgument, "Argument %d of function %s cannot be a lambda", i+1, f.Name)
		}
	}
	return nil
}

// constWithoutNull strips Nullable off a constant; the constant NULL itself is no constant of the inner type.
func constWithoutNull(v column.Vector) column.Vector {
	n, ok := v.(*column.Nullable)
	if !ok {
		return v
	}
	if n.Nulls[0] != 0 {
		return nil
	}
	return n.Inner
}

// lowCardinality reports whether the result keeps LowCardinality: exactly one argument has it and the others are constant.
func lowCardinality(args []Arg) bool {
	n := 0
	for _, a := range args {
		switch {
		case a.Lambda:
			return false
		case a.Type.Kind == types.LowCardinality:
			n++
		case a.Const == nil:
			return false
		}
	}
	return n == 1
}

// plainOfLow are the functions whose results are never LowCardinality, as in ClickHouse.
var plainOfLow = map[string]bool{
	"and": true, "or": true, "xor": true, "if": true, "multiIf": true, "ignore": true, "has": true, "indexOf": true, "countEqual": true, "mapContains": true,
	"JSONExtractBool": true, "JSONExtractFloat": true, "JSONExtractInt": true, "JSONExtractUInt": true, "JSONExtractRaw": true, "JSONExtractString": true,
	"JSONHas": true, "JSONLength": true, "isValidJSON": true,
}

func canBeLowCardinality(t *types.Type) bool {
	switch in := t.WithoutNullable(); {
	case in.IsString(), in.IsInteger() && in.Kind != types.Bool, in.IsFloat(), in.IsDate(), in.Kind == types.DateTime:
		return true
	}
	return false
}

// Call evaluates the function on args, each of n values; a lambda's place is nil.
func (b *Bound) Call(env *Env, args []column.Vector, lambda func([]column.Vector, []uint32) (column.Vector, error), n int) (column.Vector, error) {
	switch {
	case b.inner.Kind == types.Nothing && b.Result.Kind == types.Nullable:
		return column.NewNulls(n), nil
	case b.inner.Kind == types.Nothing && slices.Contains(b.args, types.TNothing): // of elements of an empty array: there are no rows
		nothing := column.New(b.inner, 1)
		nothing.AppendDefault()
		return &column.Const{Value: nothing, N: n}, nil
	}
	if lambda == nil && !b.Func.Volatile && !b.Func.KeepConst && len(args) > 0 && allConst(args) {
		one, err := b.propagate(env, sliceAll(args, 1), nil, 1)
		if err != nil {
			return nil, err
		}
		return &column.Const{Value: column.Flatten(one), N: n}, nil
	}
	return b.propagate(env, args, lambda, n)
}

func allConst(args []column.Vector) bool {
	for _, a := range args {
		if _, ok := a.(*column.Const); !ok {
			return false
		}
	}
	return true
}

func sliceAll(args []column.Vector, n int) []column.Vector {
	out := make([]column.Vector, len(args))
	for i, a := range args {
		out[i] = a.Slice(0, n)
	}
	return out
}

// propagate applies NullPropagate, then evaluates.
func (b *Bound) propagate(env *Env, args []column.Vector, lambda func([]column.Vector, []uint32) (column.Vector, error), n int) (column.Vector, error) {
	if b.own != nil {
		return b.callOwn(env, args, n)
	}
	plain := make([]column.Vector, len(args))
	var nulls []uint8
	for i, a := range args {
		if a == nil {
			continue
		}
		if b.Func.Nulls == NullPropagate {
			inner, mask, allNull := splitNulls(a, n)
			if allNull {
				return &column.Const{Value: nullOf(b.inner), N: n}, nil
			}
			nulls, a = orMask(nulls, mask), inner
		}
		if d, ok := a.(*column.Dict); ok {
			a = column.Flatten(d)
		}
		plain[i] = a
	}
	r, err := b.Func.Eval(&Call{Env: env, Args: plain, Types: b.args, Result: b.inner, Rows: n, Lambda: lambda})
	if err == nil {
		if size := r.Bytes(); size > smallResult {
			err = env.room(size)
		}
	}
	if err != nil || b.Result.WithoutLowCardinality().Kind != types.Nullable || b.inner.Kind == types.Nullable && nulls == nil {
		return r, err
	}
	if nulls == nil {
		nulls = make([]uint8, n)
	}
	return withNulls(r, nulls), nil
}

// splitNulls takes Nullable apart; allNull says that a constant is NULL.
func splitNulls(v column.Vector, n int) (inner column.Vector, mask []uint8, allNull bool) {
	switch v := v.(type) {
	case *column.Nullable:
		return v.Inner, v.Nulls, false
	case *column.Const:
		if c, ok := v.Value.(*column.Nullable); ok {
			return &column.Const{Value: c.Inner, N: n}, nil, c.Nulls[0] != 0
		}
	}
	return v, nil, false
}

func orMask(a, b []uint8) []uint8 {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	out := make([]uint8, len(a))
	for i := range out {
		out[i] = a[i] | b[i]
	}
	return out
}

// withNulls puts a null mask over v, on top of v's own.
func withNulls(v column.Vector, nulls []uint8) column.Vector {
	v = column.Flatten(v)
	if own, ok := v.(*column.Nullable); ok {
		return column.NewNullable(orMask(own.Nulls, nulls), own.Inner)
	}
	return column.NewNullable(nulls, v)
}

// nullOf is one NULL of Nullable(t), or t's default where t cannot be NULL.
func nullOf(t *types.Type) column.Vector {
	if t.CanBeNullable() {
		t = types.NewNullable(t)
	}
	b := column.New(t, 1)
	b.AppendDefault()
	return b
}

func arity(f *Scalar) string {
	switch {
	case f.MaxArgs < 0:
		return "at least " + strconv.Itoa(f.MinArgs)
	case f.MinArgs == f.MaxArgs:
		return strconv.Itoa(f.MinArgs)
	}
	return strconv.Itoa(f.MinArgs) + " to " + strconv.Itoa(f.MaxArgs)
}
