package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "has", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("has", types.TUInt8), Eval: evalHas(findAny), Family: "arrays", Doc: "Tests whether an array has an element, or a map a key.", Example: "has([1, 2], 2) → 1"},
		&Scalar{Name: "indexOf", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("indexOf", types.TUInt64), Eval: evalHas(findFirst), Family: "arrays", Doc: "Returns the position of the first equal element, or 0.", Example: "indexOf([1, 2], 2) → 2"},
		&Scalar{Name: "countEqual", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("countEqual", types.TUInt64), Eval: evalHas(findCount), Family: "arrays", Doc: "Counts equal elements.", Example: "countEqual([1, 1], 1) → 2"},
		&Scalar{Name: "hasAll", MinArgs: 2, MaxArgs: 2, Resolve: resolveArrays("hasAll", types.TUInt8), Eval: evalHasSet(true), Family: "arrays", Doc: "Tests whether an array has all elements of another.", Example: "hasAll([1, 2], [2]) → 1"},
		&Scalar{Name: "hasAny", MinArgs: 2, MaxArgs: 2, Resolve: resolveArrays("hasAny", types.TUInt8), Eval: evalHasSet(false), Family: "arrays", Doc: "Tests whether arrays share an element.", Example: "hasAny([1, 2], [2, 3]) → 1"},
		&Scalar{Name: "arrayIntersect", MinArgs: 1, MaxArgs: -1, Resolve: resolveArrayConcat, Eval: evalIntersect, Family: "arrays", Doc: "Returns the elements that all arrays have.", Example: "arrayIntersect([1, 2], [2, 3]) → [2]"},
		&Scalar{Name: "arrayDistinct", MinArgs: 1, MaxArgs: 1, Resolve: resolveDistinct, Eval: evalDistinct, Family: "arrays", Doc: "Drops repeated elements and NULL.", Example: "arrayDistinct([1, 1, 2]) → [1,2]"},
		&Scalar{Name: "arrayCompact", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("arrayCompact", isArray), Eval: evalCompact, Family: "arrays", Doc: "Drops elements equal to the one before.", Example: "arrayCompact([1, 1, 2, 1]) → [1,2,1]"},
		&Scalar{Name: "arrayUniq", MinArgs: 1, MaxArgs: -1, Resolve: fixed("arrayUniq", types.TUInt32, isArray), Eval: evalArrayUniq, Family: "arrays", Doc: "Counts distinct elements, or tuples of elements.", Example: "arrayUniq([1, 1, 2]) → 2"},
		&Scalar{Name: "arrayEnumerate", MinArgs: 1, MaxArgs: 1, Resolve: fixed("arrayEnumerate", types.NewArray(types.TUInt32), isArray), Eval: evalEnumerate, Family: "arrays", Doc: "Returns the positions 1 to n.", Example: "arrayEnumerate(['a', 'b']) → [1,2]"},
		&Scalar{Name: "arrayEnumerateUniq", MinArgs: 1, MaxArgs: -1, Resolve: fixed("arrayEnumerateUniq", types.NewArray(types.TUInt32), isArray), Eval: evalEnumerateUniq, Family: "arrays", Doc: "Returns for each element how often it has occurred so far.", Example: "arrayEnumerateUniq([5, 5, 6]) → [1,2,1]"},
	)
}

func resolveHas(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		t := args[0].Type
		if isMap(t) && name == "has" {
			t = types.NewArray(t.Elems[0])
		}
		if !isArray(t) {
			return nil, illegal(name, 0, t)
		}
		_, err := elementType(t.Elem(), args[1].Type)
		return result, err
	}
}

// elementType is the type in which an array's elements are compared with a value.
func elementType(elem, x *types.Type) (*types.Type, error) {
	t, err := types.Supertype(elem, x)
	if err != nil && elem.Inner().IsInteger() && x.Inner().IsInteger() {
		t, err = types.NewNullable(types.TInt256), nil
	}
	if err != nil && isAnyNumber(elem.Inner()) && isAnyNumber(x.Inner()) {
		t, err = types.NewNullable(types.TFloat64), nil
	}
	if err != nil {
		return nil, sqlerr.New(sqlerr.NoCommonType, "Types of array and 2nd argument do not match: %s and %s", elem, x)
	}
	return t.WithoutLowCardinality(), nil
}

func evalHas(find finding) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		v := c.Args[0]
		if isMap(c.Types[0]) {
			v = keysOf(v)
		}
		arr := arraysOf(v)
		t, err := elementType(arr.Typ.Elem(), c.Types[1])
		if err != nil {
			return nil, err
		}
		elems, err := Cast(c.Env, arr.Elem, t)
		if err != nil {
			return nil, err
		}
		x, err := Cast(c.Env, c.Args[1], t)
		if err != nil {
			return nil, err
		}
		out := make([]uint64, c.Rows)
		findAll(out, arr, column.Flatten(elems), x, find)
		return narrow(c.Result, out), nil
	}
}

func resolveArrays(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if err := checkTypes(name, args, isArray); err != nil {
			return nil, err
		}
		_, err := elementType(args[0].Type.Elem(), args[1].Type.Elem())
		return result, err
	}
}

func evalHasSet(all bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		t, err := elementType(c.Types[0].Elem(), c.Types[1].Elem())
		if err != nil {
			return nil, err
		}
		k, err := numberElements(c, []column.Vector{c.Args[1], c.Args[0]}, t, true, true)
		if err != nil {
			return nil, err
		}
		set, sought := k.arrays[1], k.arrays[0]
		out := make([]uint8, c.Rows)
		in := make([]uint32, k.distinct) // number → the last row, from 1, whose first array has it
		for i := range out {
			row := uint32(i) + 1
			from, to := set.bounds(i)
			for _, id := range k.ids[1][from:to] {
				in[id] = row
			}
			from, to = sought.bounds(i)
			found := 0
			for _, id := range k.ids[0][from:to] {
				if in[id] == row {
					found++
				}
			}
			out[i] = b2u(all && found == to-from || !all && found > 0)
		}
		return column.NewBools(out), nil
	}
}

func evalIntersect(c *Call) (column.Vector, error) {
	k, err := numberElements(c, c.Args, c.Result.Elem(), false, false)
	if err != nil {
		return nil, err
	}
	first, err := Cast(c.Env, c.Args[0], c.Result)
	if err != nil {
		return nil, err
	}
	arr := arraysOf(first)
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	all := uint64(len(k.arrays))
	in := make([]uint64, k.distinct) // number → row*(all+1) + the number of the row's arrays, from the first, that have it
	for i := range c.Rows {
		row := (uint64(i) + 1) * (all + 1)
		for n := range k.arrays {
			from, to := k.arrays[n].bounds(i)
			for _, id := range k.ids[n][from:to] {
				if n == 0 || in[id] == row+uint64(n) {
					in[id] = row + uint64(n) + 1
				}
			}
		}
		from, to := k.arrays[0].bounds(i)
		afrom, _ := arr.bounds(i)
		for e := from; e < to; e++ {
			if id := k.ids[0][e]; in[id] == row+all {
				sel = append(sel, uint32(afrom+e-from))
				in[id] = row
			}
		}
		off = append(off, uint32(len(sel)))
	}
	return pickElements(c.Result, arr, sel, off), nil
}

func resolveDistinct(_ *Env, args []Arg) (*types.Type, error) {
	if !isArray(args[0].Type) {
		return nil, illegal("arrayDistinct", 0, args[0].Type)
	}
	return types.NewArray(args[0].Type.Elem().WithoutNullable()), nil
}

func evalDistinct(c *Call) (column.Vector, error) {
	k, err := numberElements(c, c.Args, c.Types[0].Elem(), false, false)
	if err != nil {
		return nil, err
	}
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	in := make([]uint32, k.distinct) // number → the last row, from 1, that has it
	for i := range c.Rows {
		row := uint32(i) + 1
		from, to := k.arrays[0].bounds(i)
		for e := from; e < to; e++ {
			if id := k.ids[0][e]; in[id] != row && k.nulls[0].at(e) == 0 {
				in[id] = row
				sel = append(sel, uint32(e))
			}
		}
		off = append(off, uint32(len(sel)))
	}
	elems, _ := splitNullable(k.arrays[0].Elem)
	return &column.Array{Typ: c.Result, Off: off, Elem: column.Flatten(column.Gather(elems, sel))}, nil
}

func evalCompact(c *Call) (column.Vector, error) {
	arr := arraysOf(c.Args[0])
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	same := repeated(arr.Elem)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		for e := from; e < to; e++ {
			if e == from || same[e] == 0 {
				sel = append(sel, uint32(e))
			}
		}
		off = append(off, uint32(len(sel)))
	}
	return pickElements(c.Result, arr, sel, off), nil
}

// rowIDs numbers the tuples of elements of equally long arrays, and returns how many numbers there are.
func rowIDs(name string, c *Call) (a aligned, ids []uint32, distinct int, err error) {
	if a, err = alignArrays(name, c.Args, c.Rows); err != nil {
		return a, nil, 0, err
	}
	seen := newNumbering()
	if len(a.elems) == 1 {
		ids = seen.number(column.Flatten(a.elems[0]))
		return a, ids, seen.count, nil
	}
	elems := make([]*types.Type, len(a.elems))
	t := &column.Tuple{N: a.elems[0].Len()}
	for i, e := range a.elems {
		elems[i] = e.Type()
		t.Elems = append(t.Elems, column.Flatten(e))
	}
	t.Typ = types.NewTuple(elems, nil)
	ids = seen.number(t)
	return a, ids, seen.count, nil
}

func evalArrayUniq(c *Call) (column.Vector, error) {
	a, ids, distinct, err := rowIDs("arrayUniq", c)
	if err != nil {
		return nil, err
	}
	out := make([]uint32, c.Rows)
	in := make([]uint32, distinct) // number → the last row, from 1, that has it
	for i := range out {
		row := uint32(i) + 1
		for _, id := range ids[a.off[i]:a.off[i+1]] {
			if in[id] != row {
				in[id] = row
				out[i]++
			}
		}
	}
	return newNum(c.Result, out), nil
}

func evalEnumerate(c *Call) (column.Vector, error) {
	arr := fullArray(c.Args[0])
	off := rebase(arr.Off)
	data := make([]uint32, off[len(off)-1])
	for i := range c.Rows {
		for k := off[i]; k < off[i+1]; k++ {
			data[k] = k - off[i] + 1
		}
	}
	return &column.Array{Typ: c.Result, Off: off, Elem: newNum(types.TUInt32, data)}, nil
}

func evalEnumerateUniq(c *Call) (column.Vector, error) {
	a, ids, distinct, err := rowIDs("arrayEnumerateUniq", c)
	if err != nil {
		return nil, err
	}
	data := make([]uint32, len(ids))
	times := make([]uint32, distinct) // number → how often the row has it so far; zeros between rows
	for i := range c.Rows {
		row := ids[a.off[i]:a.off[i+1]]
		for k, id := range row {
			times[id]++
			data[int(a.off[i])+k] = times[id]
		}
		for _, id := range row {
			times[id] = 0
		}
	}
	return &column.Array{Typ: c.Result, Off: a.off, Elem: newNum(types.TUInt32, data)}, nil
}
