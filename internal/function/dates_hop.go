package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "hop", MinArgs: 3, MaxArgs: 4, Resolve: resolveHop, Eval: evalHop, Family: "dates", Doc: "Returns the start and the end of the first hopping window that holds a time.", Example: "hop(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1), toIntervalHour(2)) → ('2020-02-05 13:00:00','2020-02-05 15:00:00')"},
		windowEnd("hopStart", 3, 0, resolveHop, evalHop, "hopStart(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1), toIntervalHour(2)) → 2020-02-05 13:00:00"),
		windowEnd("hopEnd", 3, 1, resolveHop, evalHop, "hopEnd(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1), toIntervalHour(2)) → 2020-02-05 15:00:00"),
		windowEnd("tumbleStart", 2, 0, resolveTumble, evalTumble, "tumbleStart(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1)) → 2020-02-05 14:00:00"),
		windowEnd("tumbleEnd", 2, 1, resolveTumble, evalTumble, "tumbleEnd(toDateTime('2020-02-05 14:47:06'), toIntervalHour(1)) → 2020-02-05 15:00:00"),
	)
}

// windowEnd declares the start (0) or the end (1) of a window, which is given as a tuple or as the arguments of the window's function.
func windowEnd(name string, minArgs, part int, resolve func(*Env, []Arg) (*types.Type, error), eval func(*Call) (column.Vector, error), example string) *Scalar {
	doc := "Returns the start of a window of time."
	if part == 1 {
		doc = "Returns the end of a window of time."
	}
	isWindow := func(t *types.Type) bool {
		return isTuple(t) && len(t.Elems) == 2 && t.Elems[0].IsDateOrTime() && t.Elems[1].IsDateOrTime()
	}
	return &Scalar{Name: name, MinArgs: 1, MaxArgs: minArgs + 1, Family: "dates", Doc: doc, Example: example,
		Resolve: func(env *Env, args []Arg) (*types.Type, error) {
			if len(args) == 1 {
				if !isWindow(args[0].Type) {
					return nil, illegal(name, 0, args[0].Type)
				}
				return args[0].Type.Elems[part], nil
			}
			if len(args) < minArgs {
				return nil, wrongCount(name, len(args), minArgs)
			}
			t, err := resolve(env, args)
			if err != nil {
				return nil, err
			}
			return t.Elems[part], nil
		},
		Eval: func(c *Call) (column.Vector, error) {
			window := c.Args[0]
			if len(c.Args) > 1 {
				in := *c
				in.Result = types.NewTuple([]*types.Type{c.Result, c.Result}, nil)
				var err error
				if window, err = eval(&in); err != nil {
					return nil, err
				}
			}
			return column.Flatten(window).(*column.Tuple).Elems[part], nil
		}}
}

// hopArgs are the arguments without the size of the window: those of a tumbling one.
func hopArgs[T any](args []T) []T { return append(append([]T(nil), args[:2]...), args[3:]...) }

func resolveHop(env *Env, args []Arg) (*types.Type, error) {
	t, err := resolveTumble(env, hopArgs(args))
	if err != nil {
		return nil, err
	}
	if args[2].Type.Kind != types.Interval || args[2].Type.Unit != args[1].Type.Unit {
		return nil, illegal("hop", 2, args[2].Type)
	}
	return t, nil
}

// evalHop takes the window that ends where the hop that holds the time does.
func evalHop(c *Call) (column.Vector, error) {
	in := *c
	in.Args, in.Types = hopArgs(c.Args), hopArgs(c.Types)
	cell, err := evalTumble(&in)
	if err != nil {
		return nil, err
	}
	end := column.Flatten(cell).(*column.Tuple).Elems[1]
	start, err := invoke(c.Env, "minus", c.Rows, end, c.Args[2])
	if err != nil {
		return nil, err
	}
	if start, err = Cast(c.Env, start, c.Result.Elems[0]); err != nil {
		return nil, err
	}
	return &column.Tuple{Typ: c.Result, Elems: []column.Vector{column.Flatten(start), end}, N: c.Rows}, nil
}
