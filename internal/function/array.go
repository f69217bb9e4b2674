package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "array", MinArgs: 0, MaxArgs: -1, Nulls: NullCustom, Resolve: resolveArrayLiteral, Eval: evalArrayLiteral, Family: "arrays", Doc: "Makes an array of its arguments.", Example: "array(1, 2) → [1,2]"},
		&Scalar{Name: "range", MinArgs: 1, MaxArgs: 3, Resolve: resolveRange, Eval: evalRange, Family: "arrays", Doc: "Makes an array of numbers from a start (0) to before an end by a step (1).", Example: "range(3) → [0,1,2]"},
		&Scalar{Name: "arrayElement", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveArrayElement, Eval: evalArrayElement, Family: "arrays", Doc: "Returns an element by position (from 1, or from the end) or a map's value by key.", Example: "arrayElement([1, 2], -1) → 2"},
		&Scalar{Name: "arrayConcat", MinArgs: 1, MaxArgs: -1, Resolve: resolveArrayConcat, Eval: evalArrayConcat, Family: "arrays", Doc: "Joins arrays.", Example: "arrayConcat([1], [2]) → [1,2]"},
		&Scalar{Name: "arrayPushBack", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolvePush("arrayPushBack"), Eval: evalPush(false), Family: "arrays", Doc: "Appends an element.", Example: "arrayPushBack([1], 2) → [1,2]"},
		&Scalar{Name: "arrayPushFront", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolvePush("arrayPushFront"), Eval: evalPush(true), Family: "arrays", Doc: "Prepends an element.", Example: "arrayPushFront([2], 1) → [1,2]"},
		&Scalar{Name: "arrayPopBack", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("arrayPopBack", isArray), Eval: evalSliceBy(func(n int) (int, int) { return 0, max(n-1, 0) }), Family: "arrays", Doc: "Drops the last element.", Example: "arrayPopBack([1, 2]) → [1]"},
		&Scalar{Name: "arrayPopFront", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("arrayPopFront", isArray), Eval: evalSliceBy(func(n int) (int, int) { return min(1, n), n }), Family: "arrays", Doc: "Drops the first element.", Example: "arrayPopFront([1, 2]) → [2]"},
		&Scalar{Name: "arraySlice", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, Resolve: sameAs0("arraySlice", isArray, isNullableInt), Eval: evalArraySlice, Family: "arrays", Doc: "Returns elements from a position on.", Example: "arraySlice([1, 2, 3], 2, 1) → [2]"},
		&Scalar{Name: "arrayReverse", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("arrayReverse", isArray), Eval: evalArrayReverse, Family: "arrays", Doc: "Reverses an array.", Example: "arrayReverse([1, 2]) → [2,1]"},
		&Scalar{Name: "arrayResize", MinArgs: 2, MaxArgs: 3, Nulls: NullCustom, Resolve: resolveResize, Eval: evalResize, Family: "arrays", Doc: "Cuts or fills an array to a length.", Example: "arrayResize([1], 3) → [1,0,0]"},
		&Scalar{Name: "arrayFlatten", Aliases: []string{"flatten"}, MinArgs: 1, MaxArgs: 1, Resolve: resolveFlatten, Eval: evalArrayFlatten, Family: "arrays", Doc: "Joins nested arrays into one.", Example: "arrayFlatten([[1], [2]]) → [1,2]"},
		&Scalar{Name: "arrayZip", MinArgs: 1, MaxArgs: -1, Resolve: resolveZip, Eval: evalZip, Family: "arrays", Doc: "Makes an array of tuples of equally long arrays.", Example: "arrayZip([1], ['a']) → [(1,'a')]"},
		&Scalar{Name: "arrayWithConstant", MinArgs: 2, MaxArgs: 2, Nulls: NullCustom, Resolve: resolveWithConstant, Eval: evalWithConstant, Family: "arrays", Doc: "Makes an array of one value repeated.", Example: "arrayWithConstant(2, 'a') → ['a','a']"},
		&Scalar{Name: "emptyArrayToSingle", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("emptyArrayToSingle", isArray), Eval: evalEmptyToSingle, Family: "arrays", Doc: "Makes an empty array one of a default value.", Example: "emptyArrayToSingle(emptyArrayUInt8()) → [0]"},
	)
	for _, t := range []*types.Type{
		types.TUInt8, types.TUInt16, types.TUInt32, types.TUInt64, types.TInt8, types.TInt16, types.TInt32, types.TInt64,
		types.TFloat32, types.TFloat64, types.TString, types.TDate, types.TDateTime,
	} {
		array := types.NewArray(t)
		register(&Scalar{Name: "emptyArray" + t.String(), MaxArgs: 0, Family: "arrays", Doc: "Returns an empty array of " + t.String() + ".",
			Resolve: func(*Env, []Arg) (*types.Type, error) { return array, nil },
			Eval:    func(c *Call) (column.Vector, error) { return column.NewDefaults(array, c.Rows), nil }})
	}
}

func isNullableInt(t *types.Type) bool {
	t = t.WithoutNullable()
	return isPlainInt(t) || t.Kind == types.Nothing
}

// ClickHouse's limit of an array's length, and of the elements that range makes in one block.
const (
	maxArrayLength  = 1 << 30
	maxRangeInBlock = 500_000_000
)

func tooLargeArray(name string, n int64) error {
	return sqlerr.New(sqlerr.TooLargeArraySize, "Too large array size in function %s: %d", name, n)
}

func resolveArrayLiteral(_ *Env, args []Arg) (*types.Type, error) {
	if len(args) == 0 {
		return types.NewArray(types.TNothing), nil
	}
	t, err := branchType(args, allPositions(args))
	if err != nil {
		return nil, err
	}
	return types.NewArray(t.WithoutLowCardinality()), nil
}

func evalArrayLiteral(c *Call) (column.Vector, error) {
	elem := c.Result.Elem()
	vals, err := castAll(c, allArgs(c), elem)
	if err != nil {
		return nil, err
	}
	out := column.New(c.Result, c.Rows).(*column.Array)
	b := out.Elem.(column.Builder)
	if len(vals) == 1 {
		b.AppendRange(vals[0], 0, c.Rows)
		for i := range c.Rows {
			out.Off = append(out.Off, uint32(i)+1)
		}
		return out, nil
	}
	for i := range c.Rows {
		for _, v := range vals {
			b.AppendFrom(v, i)
		}
		out.EndValue()
	}
	return out, nil
}

func allArgs(c *Call) []int {
	at := make([]int, len(c.Args))
	for i := range at {
		at[i] = i
	}
	return at
}

func resolveRange(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("range", args, isPlainInt); err != nil {
		return nil, err
	}
	t, err := commonType(args, allPositions(args))
	if err != nil {
		return nil, err
	}
	return types.NewArray(t), nil
}

func evalRange(c *Call) (column.Vector, error) {
	start, step := broadcast[int64]{[]int64{0}, 0}, broadcast[int64]{[]int64{1}, 0}
	end := countArg(c.Args[0], c.Rows)
	if len(c.Args) > 1 {
		start, end = end, countArg(c.Args[1], c.Rows)
	}
	if len(c.Args) > 2 {
		step = countArg(c.Args[2], c.Rows)
	}
	off, total := make([]uint32, c.Rows+1), int64(0)
	for i := range c.Rows {
		s, e, d := start.at(i), end.at(i), step.at(i)
		if d == 0 {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "A call to function range overflows, the 3rd argument step can't be less or equal to zero")
		}
		if len(c.Args) == 1 && e < 0 {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "The only argument of function range must not be negative, got %d", e)
		}
		n := int64(0)
		switch {
		case d > 0 && e > s:
			n = int64((uint64(e-s) + uint64(d) - 1) / uint64(d))
		case d < 0 && e < s:
			n = int64((uint64(s-e) + uint64(-d) - 1) / uint64(-d))
		}
		if n < 0 || total+n > maxRangeInBlock {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "A call to function range would produce %d array elements, which is greater than the allowed maximum of %d", n, maxRangeInBlock)
		}
		total += n
		off[i+1] = uint32(total)
	}
	if err := c.fits(8 * total); err != nil {
		return nil, err
	}
	data := kernel.Dirty[int64](int(total))
	for i := range c.Rows {
		s, d := start.at(i), step.at(i)
		for k := off[i]; k < off[i+1]; k++ {
			data[k] = s
			s += d
		}
	}
	return &column.Array{Typ: c.Result, Off: off, Elem: narrow(c.Result.Elem(), data)}, nil
}

func resolveArrayElement(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	switch {
	case t.Kind == types.Map:
		if _, err := types.Supertype(t.Elems[0], args[1].Type); err != nil && !comparable(t.Elems[0].Inner(), args[1].Type.Inner()) {
			return nil, illegal("arrayElement", 1, args[1].Type)
		}
		return t.Elems[1], nil
	case !isArray(t):
		return nil, illegal("arrayElement", 0, t)
	case !isNullableInt(args[1].Type):
		return nil, illegal("arrayElement", 1, args[1].Type)
	}
	r := t.Elem()
	if args[1].Type.Kind == types.Nullable && r.CanBeNullable() {
		r = types.NewNullable(r)
	}
	return r, nil
}

func evalArrayElement(c *Call) (column.Vector, error) {
	if isMap(c.Types[0]) {
		return evalMapElement(c)
	}
	inner, nulls := splitNullable(c.Args[1])
	if inner.Type().Kind == types.Nothing {
		return column.NewDefaults(c.Result, c.Rows), nil
	}
	arr, at := arraysOf(c.Args[0]), countArg(inner, c.Rows)
	elem, err := Cast(c.Env, arr.Elem, c.Result)
	if err != nil {
		return nil, err
	}
	b := column.New(c.Result, c.Rows)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		k := at.at(i)
		n := int64(to - from)
		switch {
		case nulls.at(i) != 0:
			b.AppendDefault()
			continue
		case k > 0:
			k--
		case k < 0:
			k += n
		default:
			k = n
		}
		if k < 0 || k >= n {
			b.AppendDefault()
		} else {
			b.AppendFrom(elem, from+int(k))
		}
	}
	return b, nil
}

func resolveArrayConcat(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("arrayConcat", args, isArray); err != nil {
		return nil, err
	}
	return commonType(args, allPositions(args))
}

func evalArrayConcat(c *Call) (column.Vector, error) {
	vals, err := castAll(c, allArgs(c), c.Result)
	if err != nil {
		return nil, err
	}
	out := column.New(c.Result, c.Rows).(*column.Array)
	arrays := make([]arrayArg, len(vals))
	for k, v := range vals {
		arrays[k] = arraysOf(v)
	}
	for i := range c.Rows {
		for _, a := range arrays {
			from, to := a.bounds(i)
			out.Elem.(column.Builder).AppendRange(a.Elem, from, to)
		}
		if int64(out.Elem.Len()) > maxArrayLength {
			return nil, tooLargeArray("arrayConcat", int64(out.Elem.Len()))
		}
		out.EndValue()
	}
	return out, nil
}

func resolvePush(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if !isArray(args[0].Type) {
			return nil, illegal(name, 0, args[0].Type)
		}
		t, err := types.Supertype(args[0].Type.Elem(), args[1].Type)
		if err != nil {
			return nil, err
		}
		return types.NewArray(t), nil
	}
}

func evalPush(front bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		av, err := Cast(c.Env, c.Args[0], c.Result)
		if err != nil {
			return nil, err
		}
		x, err := Cast(c.Env, c.Args[1], c.Result.Elem())
		if err != nil {
			return nil, err
		}
		arr := arraysOf(av)
		out := column.New(c.Result, c.Rows).(*column.Array)
		b := out.Elem.(column.Builder)
		for i := range c.Rows {
			from, to := arr.bounds(i)
			if front {
				b.AppendFrom(x, i)
			}
			b.AppendRange(arr.Elem, from, to)
			if !front {
				b.AppendFrom(x, i)
			}
			out.EndValue()
		}
		return out, nil
	}
}

// evalSliceBy keeps the elements [from, to) that f says of n.
func evalSliceBy(f func(n int) (from, to int)) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		arr := arraysOf(c.Args[0])
		out := column.New(c.Result, c.Rows).(*column.Array)
		for i := range c.Rows {
			at, end := arr.bounds(i)
			from, to := f(end - at)
			out.Elem.(column.Builder).AppendRange(arr.Elem, at+from, at+to)
			out.EndValue()
		}
		return out, nil
	}
}

func evalArraySlice(c *Call) (column.Vector, error) {
	arr := arraysOf(c.Args[0])
	sv, snull := splitNullable(c.Args[1])
	start, length, lnull := broadcast[int64]{[]int64{1}, 0}, broadcast[int64]{[]int64{1 << 40}, 0}, broadcast[uint8]{[]uint8{0}, 0}
	if sv.Type().Kind != types.Nothing {
		start = numArg[int64](sv, c.Rows)
	}
	if len(c.Args) > 2 {
		var lv column.Vector
		if lv, lnull = splitNullable(c.Args[2]); lv.Type().Kind != types.Nothing {
			length = numArg[int64](lv, c.Rows)
		}
	}
	out := column.New(c.Result, c.Rows).(*column.Array)
	for i := range c.Rows {
		at, end := arr.bounds(i)
		s, l := start.at(i), length.at(i)
		if snull.at(i) != 0 {
			s = 1
		}
		if lnull.at(i) != 0 {
			l = 1 << 40
		}
		from, to := sliceBounds(s, l, int64(end-at))
		if from < to {
			out.Elem.(column.Builder).AppendRange(arr.Elem, at+int(from), at+int(to))
		}
		out.EndValue()
	}
	return out, nil
}

// pickElements returns arrays made of the elements of arr at sel, with the ends of each row's elements in off.
func pickElements(t *types.Type, arr arrayArg, sel, off []uint32) column.Vector {
	return &column.Array{Typ: t, Off: off, Elem: column.Flatten(column.Gather(arr.Elem, sel))}
}

func evalArrayReverse(c *Call) (column.Vector, error) {
	arr := arraysOf(c.Args[0])
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		for k := to - 1; k >= from; k-- {
			sel = append(sel, uint32(k))
		}
		off = append(off, uint32(len(sel)))
	}
	return pickElements(c.Result, arr, sel, off), nil
}

func resolveResize(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if !isArray(t) {
		return nil, illegal("arrayResize", 0, t)
	}
	if !isPlainInt(args[1].Type) {
		return nil, illegal("arrayResize", 1, args[1].Type)
	}
	if len(args) < 3 {
		return t, nil
	}
	e, err := types.Supertype(t.Elem(), args[2].Type)
	if err != nil {
		return nil, err
	}
	return types.NewArray(e), nil
}

func evalResize(c *Call) (column.Vector, error) {
	av, err := Cast(c.Env, c.Args[0], c.Result)
	if err != nil {
		return nil, err
	}
	fill := column.NewDefaults(c.Result.Elem(), c.Rows)
	if len(c.Args) > 2 {
		if fill, err = Cast(c.Env, c.Args[2], c.Result.Elem()); err != nil {
			return nil, err
		}
	}
	arr, size := arraysOf(av), numArg[int64](c.Args[1], c.Rows)
	out := column.New(c.Result, c.Rows).(*column.Array)
	b, added := out.Elem.(column.Builder), int64(0)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		n := size.at(i)
		want := maxArrayLength + 1
		if n > -maxArrayLength && n < maxArrayLength {
			want = int(max(n, -n))
		}
		if int64(want)+int64(b.Len()) > maxArrayLength {
			return nil, tooLargeArray("arrayResize", n)
		}
		if added += int64(want) * sized(fill, i); added > 0 {
			if err := c.fits(added); err != nil {
				return nil, err
			}
		}
		missing := max(want-(to-from), 0)
		keep := min(want, to-from)
		if n < 0 {
			for range missing {
				b.AppendFrom(fill, i)
			}
			b.AppendRange(arr.Elem, to-keep, to)
		} else {
			b.AppendRange(arr.Elem, from, from+keep)
			for range missing {
				b.AppendFrom(fill, i)
			}
		}
		out.EndValue()
	}
	return out, nil
}

func resolveFlatten(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if !isArray(t) {
		return nil, illegal("arrayFlatten", 0, t)
	}
	for isArray(t.Elem()) {
		t = t.Elem()
	}
	return t, nil
}

func evalArrayFlatten(c *Call) (column.Vector, error) {
	arr := fullArray(c.Args[0])
	off := arr.Off
	for isArray(arr.Typ.Elem()) {
		inner := arr.Elem.(*column.Array)
		next := make([]uint32, len(off))
		for i, o := range off {
			next[i] = inner.Off[o]
		}
		off, arr = next, inner
	}
	return &column.Array{Typ: c.Result, Off: off, Elem: arr.Elem}, nil
}

func resolveZip(_ *Env, args []Arg) (*types.Type, error) {
	elems := make([]*types.Type, len(args))
	for i, a := range args {
		if !isArray(a.Type) {
			return nil, illegal("arrayZip", i, a.Type)
		}
		elems[i] = a.Type.Elem()
	}
	return types.NewArray(types.NewTuple(elems, nil)), nil
}

func evalZip(c *Call) (column.Vector, error) {
	arrays, err := alignArrays("arrayZip", c.Args, c.Rows)
	if err != nil {
		return nil, err
	}
	t := &column.Tuple{Typ: c.Result.Elem(), N: int(arrays.off[len(arrays.off)-1])}
	for _, e := range arrays.elems {
		t.Elems = append(t.Elems, column.Flatten(e))
	}
	return &column.Array{Typ: c.Result, Off: arrays.off, Elem: t}, nil
}

// aligned is a set of array columns whose rows are equally long.
type aligned struct {
	off   []uint32 // from 0
	elems []column.Vector
}

// alignArrays brings arrays over one set of offsets; rows of different length are SizesOfArraysDontMatch.
func alignArrays(name string, args []column.Vector, n int) (aligned, error) {
	var out aligned
	for k, v := range args {
		a := fullArray(v)
		off := rebase(a.Off)
		if k == 0 {
			out.off = off
		}
		for i := range n {
			if off[i+1] != out.off[i+1] {
				return out, sqlerr.New(sqlerr.SizesOfArraysDontMatch, "Arrays passed to %s must have equal size", name)
			}
		}
		out.elems = append(out.elems, a.Elem.Slice(int(a.Off[0]), int(a.Off[n])))
	}
	return out, nil
}

func resolveWithConstant(_ *Env, args []Arg) (*types.Type, error) {
	if !isPlainInt(args[0].Type) {
		return nil, illegal("arrayWithConstant", 0, args[0].Type)
	}
	return types.NewArray(args[1].Type), nil
}

func evalWithConstant(c *Call) (column.Vector, error) {
	n, bytes := numArg[int64](c.Args[0], c.Rows), int64(0)
	var sel []uint32
	off := make([]uint32, 1, c.Rows+1)
	for i := range c.Rows {
		k := n.at(i)
		if k < 0 || int64(len(sel))+k > maxArrayLength {
			return nil, tooLargeArray("arrayWithConstant", k)
		}
		if bytes += k * (4 + sized(c.Args[1], i)); bytes > 0 {
			if err := c.fits(bytes); err != nil {
				return nil, err
			}
		}
		for ; k > 0; k-- {
			sel = append(sel, uint32(i))
		}
		off = append(off, uint32(len(sel)))
	}
	return &column.Array{Typ: c.Result, Off: off, Elem: column.Flatten(column.Gather(c.Args[1], sel))}, nil
}

func evalEmptyToSingle(c *Call) (column.Vector, error) {
	arr := arraysOf(c.Args[0])
	out := column.New(c.Result, c.Rows).(*column.Array)
	for i := range c.Rows {
		from, to := arr.bounds(i)
		if from == to {
			out.Elem.(column.Builder).AppendDefault()
		}
		out.Elem.(column.Builder).AppendRange(arr.Elem, from, to)
		out.EndValue()
	}
	return out, nil
}
