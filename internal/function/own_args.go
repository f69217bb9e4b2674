package function

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Functions that know nothing of Variant and Dynamic are applied to the values of each type by themselves. The result is of the one type that
// all of them give, made Nullable, because a Variant may be NULL; else of a Variant or Dynamic of what they give.

// ownCall is such a call.
type ownCall struct {
	args []Arg
	at   int // the argument
}

// knowsOwn are the functions that take a Variant or Dynamic as it is, besides those that see NULLs themselves.
var knowsOwn = map[string]bool{"toString": true, "ignore": true, "isNotDistinctFrom": true, "isDistinctFrom": true}

// ownArg is the first argument of a Variant or Dynamic that f knows nothing of, or -1.
func ownArg(f *Scalar, args []Arg) int {
	if f.Nulls != NullPropagate || f.ExactType || knowsOwn[f.Name] || slices.ContainsFunc(args, func(a Arg) bool { return a.Lambda }) {
		return -1
	}
	return slices.IndexFunc(args, func(a Arg) bool { return a.Type.IsUnion() })
}

// dynamicProbes are types that a Dynamic's values may have: what a function gives for them tells the type of its result.
var dynamicProbes = []*types.Type{types.TInt64, types.TFloat64, types.TString, types.TDate, types.TDateTime, types.TBool}

func bindOwn(env *Env, f *Scalar, args []Arg, at int) (*Bound, error) {
	b := &Bound{Func: f, own: &ownCall{args: args, at: at}}
	probes := args[at].Type.Elems
	if args[at].Type.Kind == types.Dynamic {
		probes = dynamicProbes
	}
	var results []*types.Type
	var refused error
	for _, p := range probes {
		in, err := Bind(env, f.Name, b.own.with(p, nil))
		if err != nil {
			if refused == nil {
				refused = err
			}
			continue
		}
		if t := in.Result.WithoutLowCardinality().WithoutNullable(); t.Kind != types.Nothing {
			results = append(results, t)
		}
	}
	if len(results) == 0 && refused != nil {
		return nil, refused
	}
	b.Result = ownResult(results, args[at].Type.Kind)
	b.inner = b.Result
	return b, nil
}

func ownResult(results []*types.Type, kind types.Kind) *types.Type {
	if len(results) == 0 {
		return types.TNull
	}
	same := !slices.ContainsFunc(results, func(t *types.Type) bool { return !t.Equal(results[0]) })
	var flat []*types.Type
	for _, t := range results {
		switch t.Kind {
		case types.Dynamic:
			return types.TDynamic
		case types.Variant:
			flat = append(flat, t.Elems...)
		default:
			flat = append(flat, t)
		}
	}
	switch {
	case same && results[0].CanBeNullable():
		return types.NewNullable(results[0])
	case same:
		return results[0]
	case kind == types.Dynamic:
		return types.TDynamic
	}
	return types.NewVariant(flat)
}

// with is the arguments with a type in the place of the Variant or Dynamic. value is its constant, or nil.
func (o *ownCall) with(t *types.Type, value column.Vector) []Arg {
	args := slices.Clone(o.args)
	args[o.at].Type, args[o.at].Const = t, value
	return args
}

// callOwn evaluates the function on the values of each type.
func (b *Bound) callOwn(env *Env, args []column.Vector, n int) (column.Vector, error) {
	v := column.Flatten(args[b.own.at]).(*column.Variant)
	g := gathering{result: b.Result, rows: n}
	for k := range v.Alts {
		rows, values := v.Rows(k)
		if len(rows) == 0 {
			continue
		}
		var value column.Vector
		if b.own.args[b.own.at].Const != nil {
			value = values.Slice(0, 1)
		}
		in, err := Bind(env, b.Func.Name, b.own.with(v.AltType(k), value))
		if err != nil {
			return nil, err
		}
		some := make([]column.Vector, len(args))
		for i, a := range args {
			if some[i] = values; i != b.own.at {
				some[i] = column.Gather(a, rows)
			}
		}
		r, err := in.Call(env, some, nil, len(rows))
		if err != nil {
			return nil, err
		}
		if r, err = (&caster{env: env, asIs: true}).cast(r, b.Result); err != nil {
			return nil, err
		}
		g.add(rows, r)
	}
	return g.vector(), nil
}
