package function

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// combinators are the suffixes of aggregate functions, tried longest first.
var combinators = []string{"SimpleState", "MergeState", "OrDefault", "Distinct", "Resample", "ForEach", "OrNull", "ArgMin", "ArgMax", "Merge", "State", "Array", "Tuple", "Map", "If"}

// maxCombinators bounds a name such as sumIfIfIf….
const maxCombinators = 8

// IsAggregate reports whether a name is an aggregate function, combinators included.
func IsAggregate(name string) bool {
	for range maxCombinators {
		if LookupAggregate(name) != nil {
			return true
		}
		base, _ := cutCombinator(name)
		if base == "" {
			return false
		}
		name = base
	}
	return false
}

func cutCombinator(name string) (base, combinator string) {
	for _, c := range combinators {
		if b, ok := strings.CutSuffix(name, c); ok {
			return b, c
		}
	}
	return "", ""
}

// BindAggregate returns the aggregate of that name, with combinators, for parameters (flat vectors of
// length 1) and declared argument types. distinct says DISTINCT stood in the call.
// UnknownAggregateFunction, NumberOfArgumentsDoesntMatch, IllegalTypeOfArgument.
func BindAggregate(env *Env, name string, params []column.Vector, args []*types.Type, distinct bool) (Aggregate, error) {
	if distinct {
		if f := LookupAggregate(name); f != nil && f.Name == "count" && len(args) > 0 {
			name = "uniqExact"
			if env != nil && env.Setting != nil {
				if impl, ok := env.Setting("count_distinct_implementation"); ok && LookupAggregate(impl) != nil {
					name = impl
				}
			}
		} else {
			name += "Distinct"
		}
	}
	plain := make([]*types.Type, len(args))
	for i, t := range args {
		plain[i] = t.WithoutLowCardinality()
	}
	return bindName(env, name, params, plain, 0)
}

func bindName(env *Env, name string, params []column.Vector, args []*types.Type, depth int) (Aggregate, error) {
	if f := LookupAggregate(name); f != nil {
		return bindFamily(env, f, params, args)
	}
	base, c := cutCombinator(name)
	if base == "" || depth >= maxCombinators || !IsAggregate(base) {
		return nil, sqlerr.New(sqlerr.UnknownAggregateFunction, "Aggregate function with name '%s' does not exist", name)
	}
	inner := func(args []*types.Type) (Aggregate, error) { return bindName(env, base, params, args, depth+1) }
	switch c {
	case "If":
		return bindIf(name, args, inner)
	case "State", "SimpleState":
		return bindState(name, c == "SimpleState", base, params, args, inner)
	case "Merge", "MergeState":
		return bindMerge(env, name, c == "MergeState", base, args)
	case "OrNull", "OrDefault":
		if plain, ok := strings.CutSuffix(base, "If"); ok && LookupAggregate(base) == nil && plain != "" {
			return bindName(env, plain+c+"If", params, args, depth+1) // rows that do not pass are no rows
		}
		return bindOr(c == "OrNull", args, inner)
	case "Distinct":
		return bindDistinct(args, inner)
	case "Array":
		return bindArray(name, args, inner)
	case "ForEach":
		return bindForEach(name, args, inner)
	case "Tuple":
		return bindTuple(name, args, inner)
	case "ArgMin":
		return bindAtExtreme(name, -1, args, inner)
	case "ArgMax":
		return bindAtExtreme(name, 1, args, inner)
	case "Resample":
		return bindResample(name, params, args, func(params []column.Vector, args []*types.Type) (Aggregate, error) {
			return bindName(env, base, params, args, depth+1)
		})
	}
	return resolveByKey(env, name, base, args)
}

func bindFamily(env *Env, f *AggregateFamily, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(args) < f.MinArgs || f.MaxArgs >= 0 && len(args) > f.MaxArgs {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires %s arguments, got %d",
			f.Name, arity(&Scalar{MinArgs: f.MinArgs, MaxArgs: f.MaxArgs}), len(args))
	}
	if len(params) > 0 && !f.Parametric {
		return nil, sqlerr.New(sqlerr.AggregateFunctionDoesntAllowParameters, "Aggregate function %s cannot have parameters", f.Name)
	}
	if f.NullArgs {
		return f.Resolve(env, params, args)
	}
	plain := make([]*types.Type, len(args))
	nullable, nothing := false, false
	for i, t := range args {
		plain[i] = t.WithoutNullable()
		nullable = nullable || t.Kind == types.Nullable
		nothing = nothing || plain[i].Kind == types.Nothing
	}
	if nothing {
		stand := types.TUInt8 // over the literal NULL no row counts: any type will do, best that of another argument
		for _, t := range plain {
			if t.Kind != types.Nothing {
				stand = t
				break
			}
		}
		for i := range plain {
			if plain[i].Kind == types.Nothing {
				plain[i] = stand
			}
		}
	}
	fn, err := f.Resolve(env, params, plain)
	if err != nil || !nullable {
		return fn, err
	}
	skip := &nullSkip{inner: fn, result: fn.Result()}
	switch {
	case nothing && (f.EmptyNull || fn.Result().Kind == types.Array):
		skip.result, skip.null = types.TNull, true
	case f.EmptyNull && fn.Result().CanBeNullable():
		skip.result, skip.null = types.NewNullable(fn.Result()), true
	}
	return skip, nil
}

// BindState returns the aggregate whose states a column of type AggregateFunction(f, …) holds, or
// for SimpleAggregateFunction(f, T) the aggregate that merges its values.
func BindState(t *types.Type) (Aggregate, error) {
	switch t.Kind {
	case types.SimpleAggregateFunction:
		return BindAggregate(nil, t.Func, nil, t.Elems, false)
	case types.AggregateFunction:
		params, err := parseParams(t.Params)
		if err != nil {
			return nil, err
		}
		return BindAggregate(nil, t.Func, params, t.Elems, false)
	}
	return nil, sqlerr.New(sqlerr.LogicalError, "%s is not the type of a state", t)
}
