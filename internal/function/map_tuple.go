package function

import (
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "tuple", MinArgs: 0, MaxArgs: -1, Nulls: NullCustom, ExactType: true, Resolve: resolveTuple, Eval: evalTuple, Family: "tuples", Doc: "Makes a tuple.", Example: "tuple(1, 'a') → (1,'a')"},
		&Scalar{Name: "tupleElement", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, ConstArgs: []int{1}, Resolve: resolveTupleElement, Eval: evalTupleElement, Family: "tuples", Doc: "Returns an element by position or name.", Example: "tupleElement((1, 'a'), 2) → a"},
		&Scalar{Name: "map", MinArgs: 0, MaxArgs: -1, Nulls: NullCustom, Resolve: resolveMapLiteral, Eval: evalMapLiteral, Family: "maps", Doc: "Makes a map of keys and values.", Example: "map('a', 1) → {'a':1}"},
		&Scalar{Name: "mapFromArrays", Aliases: []string{"MAP_FROM_ARRAYS"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: resolveMapFromArrays, Eval: evalMapFromArrays, Family: "maps", Doc: "Makes a map of an array of keys and one of values.", Example: "mapFromArrays(['a'], [1]) → {'a':1}"},
		&Scalar{Name: "mapKeys", MinArgs: 1, MaxArgs: 1, Resolve: resolveMapPart("mapKeys", 0), Eval: func(c *Call) (column.Vector, error) { return keysOf(c.Args[0]), nil }, Family: "maps", Doc: "Returns a map's keys.", Example: "mapKeys(map('a', 1)) → ['a']"},
		&Scalar{Name: "mapValues", MinArgs: 1, MaxArgs: 1, Resolve: resolveMapPart("mapValues", 1), Eval: func(c *Call) (column.Vector, error) { return valuesOf(c.Args[0]), nil }, Family: "maps", Doc: "Returns a map's values.", Example: "mapValues(map('a', 1)) → [1]"},
		&Scalar{Name: "mapContains", Aliases: []string{"mapContainsKey"}, MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveMapContains, Eval: evalMapContains, Family: "maps", Doc: "Tests for a key.", Example: "mapContains(map('a', 1), 'a') → 1"},
	)
}

func resolveTuple(_ *Env, args []Arg) (*types.Type, error) {
	elems := make([]*types.Type, len(args))
	for i, a := range args {
		elems[i] = a.Type
	}
	return types.NewTuple(elems, nil), nil
}

func evalTuple(c *Call) (column.Vector, error) {
	out := &column.Tuple{Typ: c.Result, N: c.Rows}
	for _, a := range c.Args {
		out.Elems = append(out.Elems, column.Flatten(a))
	}
	return out, nil
}

// tupleIndex finds the element a constant names, from 0; -1 if there is none.
func tupleIndex(t *types.Type, k column.Vector) int {
	if s, ok := stringConst(k); ok {
		for i, n := range t.Names {
			if n == s {
				return i
			}
		}
		if t.Names == nil {
			if i, err := strconv.Atoi(s); err == nil && i >= 1 && i <= len(t.Elems) {
				return i - 1
			}
		}
		return -1
	}
	i := countArg(k, 1).at(0)
	if i < 0 {
		i += int64(len(t.Elems)) + 1
	}
	if i < 1 || i > int64(len(t.Elems)) {
		return -1
	}
	return int(i - 1)
}

func resolveTupleElement(_ *Env, args []Arg) (*types.Type, error) {
	t, depth := args[0].Type, 0
	for isArray(t) {
		t = t.Elem()
		depth++
	}
	if !isTuple(t) {
		return nil, illegal("tupleElement", 0, args[0].Type)
	}
	if k := args[1].Type; !k.IsString() && !isPlainInt(k) {
		return nil, illegal("tupleElement", 1, k)
	}
	i := tupleIndex(t, args[1].Const)
	if i < 0 {
		if len(args) == 3 {
			return args[2].Type, nil
		}
		if args[1].Type.IsString() {
			return nil, sqlerr.New(sqlerr.BadArguments, "Tuple doesn't have element with name %s", column.Value(args[1].Const, 0))
		}
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Tuple doesn't have element with index %v", column.Value(args[1].Const, 0))
	}
	t = t.Elems[i]
	for ; depth > 0; depth-- {
		t = types.NewArray(t)
	}
	return t, nil
}

func evalTupleElement(c *Call) (column.Vector, error) {
	t := c.Types[0]
	for isArray(t) {
		t = t.Elem()
	}
	i := tupleIndex(t, c.Args[1])
	if i < 0 {
		return c.Args[2], nil
	}
	return elementOf(c.Args[0], i, c.Result), nil
}

// elementOf takes element i out of tuples, through arrays around them.
func elementOf(v column.Vector, i int, t *types.Type) column.Vector {
	switch v := v.(type) {
	case *column.Const:
		return &column.Const{Value: elementOf(v.Value, i, t), N: v.N}
	case *column.Array:
		return &column.Array{Typ: t, Off: v.Off, Elem: elementOf(v.Elem, i, t.Elem())}
	case *column.Tuple:
		return v.Elems[i]
	}
	return elementOf(column.Flatten(v), i, t)
}

func resolveMapLiteral(_ *Env, args []Arg) (*types.Type, error) {
	if len(args)%2 != 0 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function map requires even number of arguments, but %d given", len(args))
	}
	keys, vals := everyOther(args, 0), everyOther(args, 1)
	k, err := types.SupertypeOrVariant(keys...)
	if err != nil {
		return nil, err
	}
	v, err := types.SupertypeOrVariant(vals...)
	if err != nil {
		return nil, err
	}
	if k.Kind == types.Nullable {
		return nil, sqlerr.New(sqlerr.BadArguments, "Map cannot have a key of type %s", k)
	}
	return types.NewMap(k, v), nil
}

func everyOther(args []Arg, from int) []*types.Type {
	var out []*types.Type
	for i := from; i < len(args); i += 2 {
		out = append(out, args[i].Type)
	}
	return out
}

func evalMapLiteral(c *Call) (column.Vector, error) {
	out := column.New(c.Result, c.Rows).(*column.Map)
	vals := make([]column.Vector, len(c.Args))
	for i, a := range c.Args {
		v, err := Cast(c.Env, a, c.Result.Elems[i%2])
		if err != nil {
			return nil, err
		}
		vals[i] = v
	}
	for i := range c.Rows {
		for k := 0; k < len(vals); k += 2 {
			out.Keys.(column.Builder).AppendFrom(vals[k], i)
			out.Vals.(column.Builder).AppendFrom(vals[k+1], i)
		}
		out.EndValue()
	}
	return out, nil
}

func resolveMapFromArrays(_ *Env, args []Arg) (*types.Type, error) {
	for i, a := range args {
		if !isArray(a.Type) {
			return nil, illegal("mapFromArrays", i, a.Type)
		}
	}
	if args[0].Type.Elem().Kind == types.Nullable {
		return nil, sqlerr.New(sqlerr.BadArguments, "Map cannot have a key of type %s", args[0].Type.Elem())
	}
	return types.NewMap(args[0].Type.Elem(), args[1].Type.Elem()), nil
}

func evalMapFromArrays(c *Call) (column.Vector, error) {
	a, err := alignArrays("mapFromArrays", c.Args, c.Rows)
	if err != nil {
		return nil, err
	}
	return &column.Map{Typ: c.Result, Off: a.off, Keys: column.Flatten(a.elems[0]), Vals: column.Flatten(a.elems[1])}, nil
}

func resolveMapPart(name string, part int) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if !isMap(args[0].Type) {
			return nil, illegal(name, 0, args[0].Type)
		}
		return types.NewArray(args[0].Type.Elems[part]), nil
	}
}

// keysOf and valuesOf are a map's parts as arrays, sharing memory.
func keysOf(v column.Vector) column.Vector {
	if c, ok := v.(*column.Const); ok {
		return &column.Const{Value: keysOf(c.Value), N: c.N}
	}
	m := v.(*column.Map)
	return &column.Array{Typ: types.NewArray(m.Typ.Elems[0]), Off: m.Off, Elem: m.Keys}
}

func valuesOf(v column.Vector) column.Vector {
	if c, ok := v.(*column.Const); ok {
		return &column.Const{Value: valuesOf(c.Value), N: c.N}
	}
	m := v.(*column.Map)
	return &column.Array{Typ: types.NewArray(m.Typ.Elems[1]), Off: m.Off, Elem: m.Vals}
}

func resolveMapContains(_ *Env, args []Arg) (*types.Type, error) {
	if !isMap(args[0].Type) {
		return nil, illegal("mapContains", 0, args[0].Type)
	}
	_, err := elementType(args[0].Type.Elems[0], args[1].Type)
	return types.TUInt8, err
}

func evalMapContains(c *Call) (column.Vector, error) { return evalHas(findAny)(c) }

func evalMapElement(c *Call) (column.Vector, error) {
	keys, vals := arraysOf(keysOf(c.Args[0])), arraysOf(valuesOf(c.Args[0]))
	t, err := elementType(keys.Typ.Elem(), c.Types[1])
	if err != nil {
		return nil, err
	}
	ks, err := Cast(c.Env, keys.Elem, t)
	if err != nil {
		return nil, err
	}
	x, err := Cast(c.Env, c.Args[1], t)
	if err != nil {
		return nil, err
	}
	b := column.New(c.Result, c.Rows)
	for i := range c.Rows {
		from, to := keys.bounds(i)
		k := from
		for k < to && column.Compare(ks, k, x, i) != 0 {
			k++
		}
		if k == to {
			b.AppendDefault()
		} else {
			b.AppendFrom(vals.Elem, k)
		}
	}
	return b, nil
}

func evalMapConcat(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	out := column.New(c.Result, c.Rows).(*column.Map)
	for i := range c.Rows {
		for _, v := range vals {
			m := column.Flatten(v).(*column.Map)
			out.Keys.(column.Builder).AppendRange(m.Keys, int(m.Off[i]), int(m.Off[i+1]))
			out.Vals.(column.Builder).AppendRange(m.Vals, int(m.Off[i]), int(m.Off[i+1]))
		}
		out.EndValue()
	}
	return out, nil
}
