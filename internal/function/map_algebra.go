package function

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "mapAdd", MinArgs: 2, MaxArgs: -1, Resolve: resolveMapSum("mapAdd"), Eval: evalMapSum(1), Family: "maps", Doc: "Adds the values of maps by key.", Example: "mapAdd(map('a', 1), map('a', 2)) → {'a':3}"},
		&Scalar{Name: "mapSubtract", MinArgs: 2, MaxArgs: -1, Resolve: resolveMapSum("mapSubtract"), Eval: evalMapSum(-1), Family: "maps", Doc: "Subtracts the values of maps by key.", Example: "mapSubtract(map('a', 3), map('a', 2)) → {'a':1}"},
		&Scalar{Name: "mapUpdate", MinArgs: 2, MaxArgs: 2, Resolve: resolveMapUpdate, Eval: evalMapUpdate, Family: "maps", Doc: "Returns the first map with the entries of the second.", Example: "mapUpdate(map('a', 1), map('a', 2)) → {'a':2}"},
		&Scalar{Name: "mapContainsValue", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveMapContainsValue, Eval: evalMapContainsValue, Family: "maps", Doc: "Tests for a value.", Example: "mapContainsValue(map('a', 1), 1) → 1"},
		&Scalar{Name: "mapSort", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("mapSort", isMap), Eval: evalMapSort(1), Family: "maps", Doc: "Orders a map by key.", Example: "mapSort(map('b', 1, 'a', 2)) → {'a':2,'b':1}"},
		&Scalar{Name: "mapReverseSort", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("mapReverseSort", isMap), Eval: evalMapSort(-1), Family: "maps", Doc: "Orders a map by key, the greatest first.", Example: "mapReverseSort(map('a', 1, 'b', 2)) → {'b':2,'a':1}"},
		mapLambda("mapFilter", "Keeps the entries for which the condition holds.", "mapFilter((k, v) -> v > 1, map('a', 1, 'b', 2)) → {'b':2}", mapOfFirst, evalMapFilter),
		mapLambda("mapApply", "Makes a map of the pairs that the function makes of each entry.", "mapApply((k, v) -> (k, v * 2), map('a', 1)) → {'a':2}", mapOfPairs, evalMapApply),
		mapLambda("mapExists", "Tests whether the condition holds for an entry.", "mapExists((k, v) -> v > 1, map('a', 1)) → 0", mapCondition, evalMapCount(func(hit, _ uint32) bool { return hit > 0 })),
		mapLambda("mapAll", "Tests whether the condition holds for every entry.", "mapAll((k, v) -> v > 0, map('a', 1)) → 1", mapCondition, evalMapCount(func(hit, n uint32) bool { return hit == n })),
	)
}

// mapSumType is the type that values of t are added as.
func mapSumType(name string, t *types.Type) (*types.Type, error) {
	switch {
	case t.IsFloat():
		return types.TFloat64, nil
	case t.Kind == types.Decimal:
		return decimalSum(t), nil
	case isWideInt(t):
		return t, nil
	case isPlainInt(t) && t.IsUnsigned():
		return types.TUInt64, nil
	case isPlainInt(t):
		return types.TInt64, nil
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "The value type %s of maps of function %s cannot be added", t, name)
}

// mapParts are the key and value types of a map, or of a tuple of two arrays.
func mapParts(t *types.Type) (key, value *types.Type, ok bool) {
	switch {
	case isMap(t):
		return t.Elems[0], t.Elems[1], true
	case isTuple(t) && len(t.Elems) == 2 && isArray(t.Elems[0]) && isArray(t.Elems[1]):
		return t.Elems[0].Elem(), t.Elems[1].Elem(), true
	}
	return nil, nil, false
}

func resolveMapSum(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		var keys, values []*types.Type
		for i, a := range args {
			k, v, ok := mapParts(a.Type)
			if !ok || isMap(a.Type) != isMap(args[0].Type) {
				return nil, illegal(name, i, a.Type)
			}
			sum, err := mapSumType(name, v)
			if err != nil {
				return nil, err
			}
			keys, values = append(keys, k), append(values, sum)
		}
		k, err := types.Supertype(keys...)
		if err != nil {
			return nil, err
		}
		v, err := types.Supertype(values...)
		if err != nil {
			return nil, err
		}
		if isMap(args[0].Type) {
			return types.NewMap(k, v), nil
		}
		return types.NewTuple([]*types.Type{types.NewArray(k), types.NewArray(v)}, nil), nil
	}
}

// asMap returns a vector of maps, or of tuples of keys and values, as maps of keys and values of the types.
func asMap(c *Call, v column.Vector, key, value *types.Type) (*column.Map, error) {
	v = column.Flatten(v)
	out := &column.Map{Typ: types.NewMap(key, value)}
	var ks, vs column.Vector
	if m, ok := v.(*column.Map); ok {
		out.Off, ks, vs = m.Off, m.Keys, m.Vals
	} else {
		a, err := alignArrays("mapAdd", v.(*column.Tuple).Elems, c.Rows)
		if err != nil {
			return nil, err
		}
		out.Off, ks, vs = a.off, a.elems[0], a.elems[1]
	}
	k, err := Cast(c.Env, ks, key)
	if err != nil {
		return nil, err
	}
	w, err := Cast(c.Env, vs, value)
	if err != nil {
		return nil, err
	}
	out.Keys, out.Vals = column.Flatten(k), column.Flatten(w)
	return out, nil
}

func evalMapSum(sign int64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		key, value, _ := mapParts(c.Result)
		maps := make([]*column.Map, len(c.Args))
		for i, a := range c.Args {
			m, err := asMap(c, a, key, value)
			if err != nil {
				return nil, err
			}
			maps[i] = m
		}
		out := column.New(types.NewMap(key, value), c.Rows).(*column.Map)
		for row := range c.Rows {
			addMaps(out, maps, row, sign)
		}
		if isMap(c.Result) {
			return out, nil
		}
		return &column.Tuple{Typ: c.Result, N: c.Rows, Elems: []column.Vector{
			&column.Array{Typ: c.Result.Elems[0], Off: out.Off, Elem: out.Keys}, &column.Array{Typ: c.Result.Elems[1], Off: out.Off, Elem: out.Vals}}}, nil
	}
}

// mapEntry is an entry of one of several maps.
type mapEntry struct{ of, at int }

// addMaps appends the sum of the maps of a row, in the order of keys; all but the first are multiplied by sign.
func addMaps(out *column.Map, maps []*column.Map, row int, sign int64) {
	var list []mapEntry
	for of, m := range maps {
		for at := int(m.Off[row]); at < int(m.Off[row+1]); at++ {
			list = append(list, mapEntry{of, at})
		}
	}
	compare := func(a, b mapEntry) int { return column.Compare(maps[a.of].Keys, a.at, maps[b.of].Keys, b.at) }
	slices.SortStableFunc(list, compare)
	for i, e := range list {
		factor := int64(1)
		if e.of > 0 {
			factor = sign
		}
		if i == 0 || compare(list[i-1], e) != 0 {
			out.Keys.(column.Builder).AppendFrom(maps[e.of].Keys, e.at)
			out.Vals.(column.Builder).AppendDefault()
		}
		addToLast(out.Vals, maps[e.of].Vals, e.at, factor)
	}
	out.EndValue()
}

// addToLast adds a value, times a factor, to the last value of sums.
func addToLast(sums, v column.Vector, i int, factor int64) {
	switch s := sums.(type) {
	case *column.Num[uint64]:
		s.Data[len(s.Data)-1] += data[uint64](v)[i] * uint64(factor)
	case *column.Num[int64]:
		s.Data[len(s.Data)-1] += data[int64](v)[i] * factor
	case *column.Num[float64]:
		s.Data[len(s.Data)-1] += data[float64](v)[i] * float64(factor)
	default:
		n := sums.Len() - 1
		sum, x := widesOf(sums.Slice(n, n+1))[0], widesOf(v.Slice(i, i+1))[0]
		if factor < 0 {
			x = x.Neg()
		}
		s.(column.Builder).Truncate(n)
		pushWide(s.(column.Builder), sum.Add(x))
	}
}

func resolveMapUpdate(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("mapUpdate", args, isMap); err != nil {
		return nil, err
	}
	return types.Supertype(args[0].Type, args[1].Type)
}

func evalMapUpdate(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	a, b := column.Flatten(vals[0]).(*column.Map), column.Flatten(vals[1]).(*column.Map)
	out := column.New(c.Result, c.Rows).(*column.Map)
	ks, vs := out.Keys.(column.Builder), out.Vals.(column.Builder)
	for i := range c.Rows {
		from, to := int(b.Off[i]), int(b.Off[i+1])
		taken := make([]bool, to-from)
		for k := int(a.Off[i]); k < int(a.Off[i+1]); k++ {
			at := from
			for at < to && column.Compare(b.Keys, at, a.Keys, k) != 0 {
				at++
			}
			ks.AppendFrom(a.Keys, k)
			if at == to {
				vs.AppendFrom(a.Vals, k)
				continue
			}
			vs.AppendFrom(b.Vals, at)
			taken[at-from] = true
		}
		for at := from; at < to; at++ {
			if !taken[at-from] {
				ks.AppendFrom(b.Keys, at)
				vs.AppendFrom(b.Vals, at)
			}
		}
		out.EndValue()
	}
	return out, nil
}

func resolveMapContainsValue(_ *Env, args []Arg) (*types.Type, error) {
	if !isMap(args[0].Type) {
		return nil, illegal("mapContainsValue", 0, args[0].Type)
	}
	_, err := elementType(args[0].Type.Elems[1], args[1].Type)
	return types.TUInt8, err
}

func evalMapContainsValue(c *Call) (column.Vector, error) {
	in := *c
	in.Args = []column.Vector{valuesOf(c.Args[0]), c.Args[1]}
	in.Types = []*types.Type{types.NewArray(c.Types[0].Elems[1]), c.Types[1]}
	return evalHas(findAny)(&in)
}

func evalMapSort(sign int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		m := column.Flatten(c.Args[0]).(*column.Map)
		rows := make([]uint32, 0, m.Keys.Len())
		off := make([]uint32, 1, c.Rows+1)
		for i := range c.Rows {
			from := len(rows)
			for k := m.Off[i]; k < m.Off[i+1]; k++ {
				rows = append(rows, k)
			}
			slices.SortStableFunc(rows[from:], func(a, b uint32) int { return sign * column.Compare(m.Keys, int(a), m.Keys, int(b)) })
			off = append(off, uint32(len(rows)))
		}
		return &column.Map{Typ: c.Result, Off: off, Keys: column.Flatten(column.Gather(m.Keys, rows)), Vals: column.Flatten(column.Gather(m.Vals, rows))}, nil
	}
}

// mapLambda is a function of a lambda over keys and values, and a map.
func mapLambda(name, doc, example string, result func(name string, lambda, m *types.Type) (*types.Type, error), eval func(c *Call, m *column.Map, f column.Vector) (column.Vector, error)) *Scalar {
	return &Scalar{Name: name, MinArgs: 2, MaxArgs: 2, Family: "maps", Doc: doc, Example: example,
		Lambda: func(args []Arg, n int) ([]*types.Type, error) {
			if len(args) != 1 || n != 2 {
				return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function %s takes a lambda of a key and a value, and a map", name)
			}
			t := args[0].Type.WithoutLowCardinality()
			if !isMap(t) {
				return nil, illegal(name, 1, t)
			}
			return []*types.Type{t.Elems[0], t.Elems[1]}, nil
		},
		Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			if !args[0].Lambda {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "First argument for function %s must be a lambda", name)
			}
			return result(name, args[0].Type, args[1].Type)
		},
		Eval: func(c *Call) (column.Vector, error) {
			m := column.Flatten(c.Args[1]).(*column.Map)
			from, to := int(m.Off[0]), int(m.Off[c.Rows])
			rows := make([]uint32, 0, to-from)
			off := make([]uint32, c.Rows+1)
			for i := range c.Rows {
				for k := m.Off[i]; k < m.Off[i+1]; k++ {
					rows = append(rows, uint32(i))
				}
				off[i+1] = uint32(len(rows))
			}
			m = &column.Map{Typ: m.Typ, Off: off, Keys: m.Keys.Slice(from, to), Vals: m.Vals.Slice(from, to)}
			f, err := c.Lambda([]column.Vector{m.Keys, m.Vals}, rows)
			if err != nil {
				return nil, err
			}
			return eval(c, m, column.Flatten(f))
		}}
}

func mapOfFirst(name string, lambda, m *types.Type) (*types.Type, error) {
	if _, err := mapCondition(name, lambda, m); err != nil {
		return nil, err
	}
	return m, nil
}

func mapCondition(name string, lambda, _ *types.Type) (*types.Type, error) {
	if t := lambda.Inner(); t.Kind != types.UInt8 && t.Kind != types.Bool && t.Kind != types.Nothing {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Unexpected type of filter column: %s. Expected UInt8", lambda)
	}
	return types.TUInt8, nil
}

func mapOfPairs(name string, lambda, _ *types.Type) (*types.Type, error) {
	if !isTuple(lambda) || len(lambda.Elems) != 2 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Expected return type is tuple of two, got %s", lambda)
	}
	if lambda.Elems[0].IsNullable() {
		return nil, sqlerr.New(sqlerr.BadArguments, "Map cannot have a key of type %s", lambda.Elems[0])
	}
	return types.NewMap(lambda.Elems[0], lambda.Elems[1]), nil
}

func evalMapFilter(c *Call, m *column.Map, f column.Vector) (column.Vector, error) {
	mask := hits(f, m.Keys.Len())
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	for i := range c.Rows {
		for k := m.Off[i]; k < m.Off[i+1]; k++ {
			if mask[k] != 0 {
				sel = append(sel, k)
			}
		}
		off = append(off, uint32(len(sel)))
	}
	return &column.Map{Typ: c.Result, Off: off, Keys: column.Flatten(column.Gather(m.Keys, sel)), Vals: column.Flatten(column.Gather(m.Vals, sel))}, nil
}

func evalMapApply(c *Call, m *column.Map, f column.Vector) (column.Vector, error) {
	pairs := f.(*column.Tuple)
	return &column.Map{Typ: c.Result, Off: m.Off, Keys: column.Flatten(pairs.Elems[0]), Vals: column.Flatten(pairs.Elems[1])}, nil
}

func evalMapCount(test func(hit, n uint32) bool) func(*Call, *column.Map, column.Vector) (column.Vector, error) {
	return func(c *Call, m *column.Map, f column.Vector) (column.Vector, error) {
		mask, out := hits(f, m.Keys.Len()), make([]uint8, c.Rows)
		for i := range out {
			hit := uint32(0)
			for _, x := range mask[m.Off[i]:m.Off[i+1]] {
				hit += uint32(x)
			}
			out[i] = b2u(test(hit, m.Off[i+1]-m.Off[i]))
		}
		return column.NewBools(out), nil
	}
}
