package function

import (
	"sort"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "has", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("has", types.TUInt8), Eval: evalHas(hasElement), Family: "arrays", Doc: "Tests whether an array has an element, or a map a key.", Example: "has([1, 2], 2) → 1"},
		&Scalar{Name: "indexOf", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("indexOf", types.TUInt64), Eval: evalHas(indexElement), Family: "arrays", Doc: "Returns the position of the first equal element, or 0.", Example: "indexOf([1, 2], 2) → 2"},
		&Scalar{Name: "countEqual", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveHas("countEqual", types.TUInt64), Eval: evalHas(countElement), Family: "arrays", Doc: "Counts equal elements.", Example: "countEqual([1, 1], 1) → 2"},
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

// elementTest says whether element k equals the value of row i; rows are those of the call.
type elementTest func(k, i int) bool

func hasElement(from, to, i int, eq elementTest) uint64 {
	for k := from; k < to; k++ {
		if eq(k, i) {
			return 1
		}
	}
	return 0
}

func indexElement(from, to, i int, eq elementTest) uint64 {
	for k := from; k < to; k++ {
		if eq(k, i) {
			return uint64(k-from) + 1
		}
	}
	return 0
}

func countElement(from, to, i int, eq elementTest) uint64 {
	n := uint64(0)
	for k := from; k < to; k++ {
		if eq(k, i) {
			n++
		}
	}
	return n
}

func evalHas(count func(from, to, i int, eq elementTest) uint64) func(*Call) (column.Vector, error) {
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
		eq := elementTest(func(k, i int) bool { return column.Compare(elems, k, x, i) == 0 })
		out := make([]uint64, c.Rows)
		for i := range out {
			from, to := arr.bounds(i)
			out[i] = count(from, to, i, eq)
		}
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

// keyed is array columns whose elements are numbered so that equal ones, across the columns, have equal numbers.
type keyed struct {
	arrays []arrayArg
	ids    [][]uint32
	nulls  []broadcast[uint8]
}

// numberElements casts the arrays to one element type and numbers their elements.
func numberElements(c *Call, args []column.Vector, t *types.Type) (*keyed, error) {
	out := &keyed{}
	seen := newNumbering()
	for _, a := range args {
		arr := arraysOf(a)
		e, err := Cast(c.Env, arr.Elem, t)
		if err != nil {
			return nil, err
		}
		e = column.Flatten(e)
		_, nulls := splitNullable(e)
		out.arrays, out.ids, out.nulls = append(out.arrays, arr), append(out.ids, seen.number(e)), append(out.nulls, nulls)
	}
	return out, nil
}

// numbering gives equal values equal numbers by hash and comparison.
type numbering struct {
	heads map[uint64]uint32 // hash → last number with it, plus one
	next  []uint32          // number → an earlier one of the same hash, plus one
	vecs  []column.Vector
	rows  []uint32
}

func newNumbering() *numbering { return &numbering{heads: map[uint64]uint32{}} }

func (s *numbering) number(v column.Vector) []uint32 {
	hashes := make([]uint64, v.Len())
	column.Hash(v, hashes)
	ids := make([]uint32, v.Len())
	for i, h := range hashes {
		ids[i] = s.find(h, v, i)
	}
	return ids
}

func (s *numbering) find(h uint64, v column.Vector, i int) uint32 {
	for k := s.heads[h]; k != 0; k = s.next[k-1] {
		if column.Compare(s.vecs[k-1], int(s.rows[k-1]), v, i) == 0 {
			return k - 1
		}
	}
	s.next = append(s.next, s.heads[h])
	s.vecs, s.rows = append(s.vecs, v), append(s.rows, uint32(i))
	s.heads[h] = uint32(len(s.rows))
	return uint32(len(s.rows)) - 1
}

func evalHasSet(all bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		t, err := elementType(c.Types[0].Elem(), c.Types[1].Elem())
		if err != nil {
			return nil, err
		}
		k, err := numberElements(c, c.Args, t)
		if err != nil {
			return nil, err
		}
		out := make([]uint8, c.Rows)
		have := map[uint32]bool{}
		for i := range out {
			clear(have)
			from, to := k.arrays[0].bounds(i)
			for _, id := range k.ids[0][from:to] {
				have[id] = true
			}
			from, to = k.arrays[1].bounds(i)
			found := 0
			for _, id := range k.ids[1][from:to] {
				if have[id] {
					found++
				}
			}
			out[i] = b2u(all && found == to-from || !all && found > 0)
		}
		return column.NewBools(out), nil
	}
}

func evalIntersect(c *Call) (column.Vector, error) {
	k, err := numberElements(c, c.Args, c.Result.Elem())
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
	count := map[uint32]int{}
	for i := range c.Rows {
		clear(count)
		for n := range k.arrays {
			from, to := k.arrays[n].bounds(i)
			for _, id := range k.ids[n][from:to] {
				if count[id] == n {
					count[id] = n + 1
				}
			}
		}
		from, to := k.arrays[0].bounds(i)
		afrom, _ := arr.bounds(i)
		for e := from; e < to; e++ {
			if id := k.ids[0][e]; count[id] == len(k.arrays) {
				sel = append(sel, uint32(afrom+e-from))
				count[id] = -1
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
	k, err := numberElements(c, c.Args, c.Types[0].Elem())
	if err != nil {
		return nil, err
	}
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	seen := map[uint32]bool{}
	for i := range c.Rows {
		clear(seen)
		from, to := k.arrays[0].bounds(i)
		for e := from; e < to; e++ {
			if id := k.ids[0][e]; !seen[id] && k.nulls[0].at(e) == 0 {
				seen[id] = true
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
	for i := range c.Rows {
		from, to := arr.bounds(i)
		for e := from; e < to; e++ {
			if e == from || column.Compare(arr.Elem, e, arr.Elem, e-1) != 0 {
				sel = append(sel, uint32(e))
			}
		}
		off = append(off, uint32(len(sel)))
	}
	return pickElements(c.Result, arr, sel, off), nil
}

// rowIDs numbers the tuples of elements of equally long arrays.
func rowIDs(name string, c *Call) (aligned, []uint32, error) {
	a, err := alignArrays(name, c.Args, c.Rows)
	if err != nil {
		return a, nil, err
	}
	elems := make([]*types.Type, len(a.elems))
	t := &column.Tuple{N: a.elems[0].Len()}
	for i, e := range a.elems {
		elems[i] = e.Type()
		t.Elems = append(t.Elems, column.Flatten(e))
	}
	t.Typ = types.NewTuple(elems, nil)
	return a, newNumbering().number(t), nil
}

func evalArrayUniq(c *Call) (column.Vector, error) {
	a, ids, err := rowIDs("arrayUniq", c)
	if err != nil {
		return nil, err
	}
	out := make([]uint32, c.Rows)
	seen := map[uint32]bool{}
	for i := range out {
		clear(seen)
		for k := a.off[i]; k < a.off[i+1]; k++ {
			seen[ids[k]] = true
		}
		out[i] = uint32(len(seen))
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
	a, ids, err := rowIDs("arrayEnumerateUniq", c)
	if err != nil {
		return nil, err
	}
	data := make([]uint32, len(ids))
	seen := map[uint32]uint32{}
	for i := range c.Rows {
		clear(seen)
		for k := a.off[i]; k < a.off[i+1]; k++ {
			seen[ids[k]]++
			data[k] = seen[ids[k]]
		}
	}
	return &column.Array{Typ: c.Result, Off: a.off, Elem: newNum(types.TUInt32, data)}, nil
}

// sortRuns sorts the positions sel within each run of off by less, stably.
func sortRuns(sel, off []uint32, less func(a, b uint32) bool) {
	for i := 0; i+1 < len(off); i++ {
		run := sel[off[i]:off[i+1]]
		sort.SliceStable(run, func(x, y int) bool { return less(run[x], run[y]) })
	}
}
