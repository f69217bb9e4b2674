package function

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "arrayFold", MinArgs: 3, MaxArgs: -1, Lambda: foldParameters, Resolve: resolveArrayFold, Eval: evalArrayFold, Family: "arrays", Doc: "Folds arrays from the left by a function of the accumulator and the elements.", Example: "arrayFold((acc, x) -> acc + x, [1, 2], toInt64(0)) → 3"},
		&Scalar{Name: "arrayReduce", MinArgs: 2, MaxArgs: -1, ConstArgs: []int{0}, Resolve: resolveArrayReduce, Eval: evalArrayReduce, Family: "arrays", Doc: "Applies an aggregate function to the elements of arrays.", Example: "arrayReduce('sum', [1, 2]) → 3"},
	)
}

// foldParameters are the accumulator, which stands last in the call, and the arrays' elements.
func foldParameters(args []Arg, n int) ([]*types.Type, error) {
	if len(args) < 2 || n != len(args) {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Lambda of function arrayFold takes %d arguments, but %d are given", n, len(args))
	}
	last := len(args) - 1
	out := []*types.Type{args[last].Type.WithoutLowCardinality()}
	for i, a := range args[:last] {
		t := a.Type.WithoutLowCardinality()
		if !isArray(t) {
			return nil, illegal("arrayFold", i+1, t)
		}
		out = append(out, t.Elem())
	}
	return out, nil
}

func resolveArrayFold(_ *Env, args []Arg) (*types.Type, error) {
	if !args[0].Lambda {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "First argument for function arrayFold must be a lambda")
	}
	for i, a := range args[1 : len(args)-1] {
		if !isArray(a.Type) {
			return nil, illegal("arrayFold", i+1, a.Type)
		}
	}
	acc := args[len(args)-1].Type
	if t := args[0].Type.WithoutLowCardinality(); !t.Equal(acc) {
		return nil, sqlerr.New(sqlerr.TypeMismatch, "Return type of lambda function must be the same as the accumulator type, inferred return type of lambda: %s, inferred type of accumulator: %s", t, acc)
	}
	return acc, nil
}

// evalArrayFold goes through the arrays position by position, over all rows that are as long.
func evalArrayFold(c *Call) (column.Vector, error) {
	last := len(c.Args) - 1
	a, err := alignArrays("arrayFold", c.Args[1:last], c.Rows)
	if err != nil {
		return nil, err
	}
	acc := column.Flatten(c.Args[last])
	for step := uint32(0); ; step++ {
		if err := c.Env.Ctx.Err(); err != nil {
			return nil, err
		}
		var rows, at []uint32
		for i := range c.Rows {
			if a.off[i]+step < a.off[i+1] {
				rows, at = append(rows, uint32(i)), append(at, a.off[i]+step)
			}
		}
		if len(rows) == 0 {
			return acc, nil
		}
		params := []column.Vector{column.Flatten(column.Gather(acc, rows))}
		for _, e := range a.elems {
			params = append(params, column.Flatten(column.Gather(e, at)))
		}
		next, err := c.Lambda(params, rows)
		if err != nil {
			return nil, err
		}
		acc = overwritten(acc, rows, column.Flatten(next))
	}
}

// overwritten is v with the rows replaced by the values of with, one after the other.
func overwritten(v column.Vector, rows []uint32, with column.Vector) column.Vector {
	if len(rows) == v.Len() {
		return with
	}
	b, k := column.New(v.Type(), v.Len()), 0
	for i := range v.Len() {
		if k < len(rows) && int(rows[k]) == i {
			b.AppendFrom(with, k)
			k++
			continue
		}
		b.AppendFrom(v, i)
	}
	return b
}

func resolveArrayReduce(env *Env, args []Arg) (*types.Type, error) {
	for i, a := range args[1:] {
		if !isArray(a.Type) {
			return nil, illegal("arrayReduce", i+1, a.Type)
		}
	}
	name, ok := constString(args, 0)
	if !ok {
		return nil, illegal("arrayReduce", 0, args[0].Type)
	}
	agg, err := reducer(env, name, args[1:])
	if err != nil {
		return nil, err
	}
	return agg.Result(), nil
}

// reducer binds an aggregate function written as name or name(parameters) to the elements of arrays.
func reducer(env *Env, text string, arrays []Arg) (Aggregate, error) {
	name, params, err := parseReducer("arrayReduce", text)
	if err != nil {
		return nil, err
	}
	ts := make([]*types.Type, len(arrays))
	for i, a := range arrays {
		ts[i] = a.Type.Elem()
	}
	return BindAggregate(env, name, params, ts, false)
}

// parseReducer reads the name of an aggregate function with its parameters, for the function named first.
func parseReducer(function, text string) (name string, params []column.Vector, err error) {
	name, rest, parametric := strings.Cut(strings.TrimSpace(text), "(")
	name = strings.TrimSpace(name)
	if name == "" {
		return "", nil, sqlerr.New(sqlerr.BadArguments, "First argument for function %s (name of aggregate function) cannot be empty.", function)
	}
	if !parametric {
		return name, nil, nil
	}
	inside, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return "", nil, sqlerr.New(sqlerr.BadArguments, "Incorrect aggregate function name in %s: %s", function, text)
	}
	for _, p := range strings.Split(inside, ",") {
		v, err := reducerParameter(strings.TrimSpace(p))
		if err != nil {
			return "", nil, err
		}
		params = append(params, v)
	}
	return name, params, nil
}

// reducerParameter reads a number or a quoted string.
func reducerParameter(s string) (column.Vector, error) {
	if n, err := strconv.ParseUint(s, 10, 64); err == nil {
		return newNum(types.TUInt64, []uint64{n}), nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return newNum(types.TInt64, []int64{n}), nil
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return newNum(types.TFloat64, []float64{f}), nil
	}
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return column.Flatten(column.NewConst(types.TString, s[1:len(s)-1], 1)), nil
	}
	return nil, sqlerr.New(sqlerr.BadArguments, "Parameter %s of an aggregate function in arrayReduce is not a literal", s)
}

func evalArrayReduce(c *Call) (column.Vector, error) {
	name, _ := stringConst(c.Args[0])
	args := make([]Arg, len(c.Types)-1)
	for i := range args {
		args[i].Type = c.Types[i+1]
	}
	agg, err := reducer(c.Env, name, args)
	if err != nil {
		return nil, err
	}
	a, err := alignArrays("arrayReduce", c.Args[1:], c.Rows)
	if err != nil {
		return nil, err
	}
	groups := make([]uint32, a.off[c.Rows])
	for i := range c.Rows {
		for k := a.off[i]; k < a.off[i+1]; k++ {
			groups[k] = uint32(i)
		}
	}
	st := agg.New()
	st.Grow(c.Rows)
	if err := st.Add(groups, a.elems, len(groups)); err != nil {
		return nil, err
	}
	return st.Finish(0, c.Rows)
}
