package function

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "finalizeAggregation", MinArgs: 1, MaxArgs: 1, Resolve: resolveFinalize("finalizeAggregation"), Eval: evalFinalize, Family: "states", Doc: "Returns the result of a state of an aggregate function.", Example: "finalizeAggregation(initializeAggregation('sumState', 5)) → 5"},
		&Scalar{Name: "initializeAggregation", MinArgs: 2, MaxArgs: -1, Nulls: NullCustom, ConstArgs: []int{0}, Resolve: resolveInitialize, Eval: evalInitialize, Family: "states", Doc: "Returns what an aggregate function makes of one row.", Example: "initializeAggregation('uniq', 'a') → 1"},
		&Scalar{Name: "runningAccumulate", MinArgs: 1, MaxArgs: 2, Volatile: true, Resolve: resolveRunning("runningAccumulate", resolveFinalize("runningAccumulate")), Eval: evalRunningAccumulate, Family: "states", Doc: "Returns the result of the states of a block up to each row; of each run of equal second arguments anew."},
	)
}

// stateFunction is the aggregate function whose states a type holds.
func stateFunction(env *Env, t *types.Type) (Aggregate, error) {
	params, err := parseParams(t.Params)
	if err != nil {
		return nil, err
	}
	return BindAggregate(env, t.Func, params, t.Elems, false)
}

func resolveFinalize(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		if args[0].Type.Kind != types.AggregateFunction {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Argument for function %s must have type AggregateFunction - state of aggregate function. Got %s.", name, args[0].Type)
		}
		f, err := stateFunction(env, args[0].Type)
		if err != nil {
			return nil, err
		}
		return f.Result(), nil
	}
}

func evalFinalize(c *Call) (column.Vector, error) {
	f, err := stateFunction(c.Env, c.Types[0])
	if err != nil {
		return nil, err
	}
	s := f.New()
	s.Grow(c.Rows)
	if err := s.Load(rowNumbers(c.Rows), column.Flatten(c.Args[0]).(*column.Str)); err != nil {
		return nil, err
	}
	return s.Finish(0, c.Rows)
}

// rowNumbers is 0 to n-1: each row a group of its own.
func rowNumbers(n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(i)
	}
	return out
}

func resolveInitialize(env *Env, args []Arg) (*types.Type, error) {
	f, err := initialized(env, args)
	if err != nil {
		return nil, err
	}
	return f.Result(), nil
}

func initialized(env *Env, args []Arg) (Aggregate, error) {
	text, ok := constString(args, 0)
	if !ok {
		return nil, illegal("initializeAggregation", 0, args[0].Type)
	}
	name, params, err := parseReducer("initializeAggregation", text)
	if err != nil {
		return nil, err
	}
	ts := make([]*types.Type, len(args)-1)
	for i, a := range args[1:] {
		ts[i] = a.Type
	}
	return BindAggregate(env, name, params, ts, false)
}

func evalInitialize(c *Call) (column.Vector, error) {
	args := make([]Arg, len(c.Args))
	for i, t := range c.Types {
		args[i].Type = t
	}
	args[0].Const = c.Args[0]
	f, err := initialized(c.Env, args)
	if err != nil {
		return nil, err
	}
	s := f.New()
	s.Grow(c.Rows)
	if err := s.Add(rowNumbers(c.Rows), c.Args[1:], c.Rows); err != nil {
		return nil, err
	}
	return s.Finish(0, c.Rows)
}

// deprecatedWindows is the setting that allows functions whose results depend on how rows fall into blocks.
const deprecatedWindows = "allow_deprecated_error_prone_window_functions"

// resolveRunning refuses a function over the rows of a block unless the setting allows it.
func resolveRunning(name string, resolve func(*Env, []Arg) (*types.Type, error)) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		allowed := ""
		if env != nil && env.Setting != nil {
			allowed, _ = env.Setting(deprecatedWindows)
		}
		if allowed != "1" && !strings.EqualFold(allowed, "true") {
			return nil, sqlerr.New(sqlerr.DeprecatedFunction, "Function %s is deprecated since its usage is error-prone (see docs). Please use proper window function or set `%s` setting to enable it", name, deprecatedWindows)
		}
		return resolve(env, args)
	}
}

func evalRunningAccumulate(c *Call) (column.Vector, error) {
	f, err := stateFunction(c.Env, c.Types[0])
	if err != nil {
		return nil, err
	}
	states, out := column.Flatten(c.Args[0]).(*column.Str), column.New(c.Result, c.Rows)
	var s States
	for i := range c.Rows {
		if s == nil || len(c.Args) > 1 && column.Compare(c.Args[1], i, c.Args[1], i-1) != 0 {
			s = f.New()
			s.Grow(1)
		}
		if err := s.Load(nil, states.Slice(i, i+1).(*column.Str)); err != nil {
			return nil, err
		}
		v, err := s.Finish(0, 1)
		if err != nil {
			return nil, err
		}
		out.AppendFrom(column.Flatten(v), 0)
	}
	return out, nil
}
