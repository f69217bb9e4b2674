package function

import (
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// A bitmap is a state of groupBitmap: a set of integers.

func init() {
	pair := func(name, doc, example string, f func(a, b []uint64) []uint64) *Scalar {
		return &Scalar{Name: name, MinArgs: 2, MaxArgs: 2, Family: "bitmaps", Doc: doc, Example: example, Resolve: resolveBitmapPair(name, nil),
			Eval: evalBitmaps(func(out *column.Str, a, b []uint64) { appendBitmap(out, f(a, b)) })}
	}
	count := func(name, doc, example string, f func(a, b []uint64) int) *Scalar {
		return &Scalar{Name: name, MinArgs: 2, MaxArgs: 2, Family: "bitmaps", Doc: doc, Example: example, Resolve: resolveBitmapPair(name, types.TUInt64), Eval: evalBitmapCounts(f)}
	}
	test := func(name, doc, example string, f func(a, b []uint64) int) *Scalar {
		s := count(name, doc, example, f)
		s.Resolve = resolveBitmapPair(name, types.TUInt8)
		return s
	}
	register(
		&Scalar{Name: "bitmapBuild", MinArgs: 1, MaxArgs: 1, Resolve: resolveBitmapBuild, Eval: evalBitmapBuild, Family: "bitmaps", Doc: "Makes a bitmap of an array of integers.", Example: "bitmapCardinality(bitmapBuild([1, 2, 2])) → 2"},
		&Scalar{Name: "bitmapToArray", MinArgs: 1, MaxArgs: 1, Resolve: resolveBitmapToArray, Eval: evalBitmapToArray, Family: "bitmaps", Doc: "Returns the integers of a bitmap in order.", Example: "bitmapToArray(bitmapBuild([2, 1])) → [1,2]"},
		&Scalar{Name: "bitmapCardinality", MinArgs: 1, MaxArgs: 1, Resolve: bitmapOf("bitmapCardinality", 1, always64), Eval: evalBitmapNumber(func(a []uint64) uint64 { return uint64(len(a)) }), Family: "bitmaps", Doc: "Counts the integers of a bitmap.", Example: "bitmapCardinality(bitmapBuild([1, 2])) → 2"},
		&Scalar{Name: "bitmapMin", MinArgs: 1, MaxArgs: 1, Resolve: bitmapOf("bitmapMin", 1, always64), Eval: evalBitmapNumber(bitmapMin), Family: "bitmaps", Doc: "Returns the least integer of a bitmap.", Example: "bitmapMin(bitmapBuild([5, 2])) → 2"},
		&Scalar{Name: "bitmapMax", MinArgs: 1, MaxArgs: 1, Resolve: bitmapOf("bitmapMax", 1, always64), Eval: evalBitmapNumber(bitmapMax), Family: "bitmaps", Doc: "Returns the greatest integer of a bitmap.", Example: "bitmapMax(bitmapBuild([5, 2])) → 5"},
		&Scalar{Name: "bitmapContains", MinArgs: 2, MaxArgs: 2, Resolve: bitmapOf("bitmapContains", 2, func(*types.Type) *types.Type { return types.TUInt8 }), Eval: evalBitmapContains, Family: "bitmaps", Doc: "Tests for an integer of a bitmap.", Example: "bitmapContains(bitmapBuild([1, 2]), toUInt32(2)) → 1"},
		&Scalar{Name: "bitmapSubsetInRange", MinArgs: 3, MaxArgs: 3, Resolve: bitmapOf("bitmapSubsetInRange", 3, sameType), Eval: evalBitmapPart(inRange), Family: "bitmaps", Doc: "Keeps the integers of a bitmap from a start to before an end.", Example: "bitmapToArray(bitmapSubsetInRange(bitmapBuild([1, 5, 9]), 2, 9)) → [5]"},
		&Scalar{Name: "bitmapSubsetLimit", MinArgs: 3, MaxArgs: 3, Resolve: bitmapOf("bitmapSubsetLimit", 3, sameType), Eval: evalBitmapPart(fromValue), Family: "bitmaps", Doc: "Keeps the integers of a bitmap from a start on, as many as the third argument says.", Example: "bitmapToArray(bitmapSubsetLimit(bitmapBuild([1, 5, 9]), 2, 1)) → [5]"},
		&Scalar{Name: "subBitmap", MinArgs: 3, MaxArgs: 3, Resolve: bitmapOf("subBitmap", 3, sameType), Eval: evalBitmapPart(fromPlace), Family: "bitmaps", Doc: "Keeps the integers of a bitmap from a place (from 0) on, as many as the third argument says.", Example: "bitmapToArray(subBitmap(bitmapBuild([1, 5, 9]), 1, 2)) → [5,9]"},
		&Scalar{Name: "bitmapTransform", MinArgs: 3, MaxArgs: 3, Resolve: resolveBitmapTransform, Eval: evalBitmapTransform, Family: "bitmaps", Doc: "Replaces integers of a bitmap by others.", Example: "bitmapToArray(bitmapTransform(bitmapBuild([1, 5]), [5], [2])) → [1,2]"},
		pair("bitmapAnd", "Returns the integers that two bitmaps share.", "bitmapToArray(bitmapAnd(bitmapBuild([1, 2]), bitmapBuild([2, 3]))) → [2]", bitmapAnd),
		pair("bitmapOr", "Returns the integers of two bitmaps.", "bitmapToArray(bitmapOr(bitmapBuild([1, 2]), bitmapBuild([2, 3]))) → [1,2,3]", bitmapOr),
		pair("bitmapXor", "Returns the integers of one of two bitmaps.", "bitmapToArray(bitmapXor(bitmapBuild([1, 2]), bitmapBuild([2, 3]))) → [1,3]", bitmapXor),
		pair("bitmapAndnot", "Returns the integers of the first bitmap that are not of the second.", "bitmapToArray(bitmapAndnot(bitmapBuild([1, 2]), bitmapBuild([2, 3]))) → [1]", bitmapAndnot),
		count("bitmapAndCardinality", "Counts the integers that two bitmaps share.", "bitmapAndCardinality(bitmapBuild([1, 2]), bitmapBuild([2, 3])) → 1", func(a, b []uint64) int { return len(bitmapAnd(a, b)) }),
		count("bitmapOrCardinality", "Counts the integers of two bitmaps.", "bitmapOrCardinality(bitmapBuild([1, 2]), bitmapBuild([2, 3])) → 3", func(a, b []uint64) int { return len(bitmapOr(a, b)) }),
		count("bitmapXorCardinality", "Counts the integers of one of two bitmaps.", "bitmapXorCardinality(bitmapBuild([1, 2]), bitmapBuild([2, 3])) → 2", func(a, b []uint64) int { return len(bitmapXor(a, b)) }),
		count("bitmapAndnotCardinality", "Counts the integers of the first bitmap that are not of the second.", "bitmapAndnotCardinality(bitmapBuild([1, 2]), bitmapBuild([2, 3])) → 1", func(a, b []uint64) int { return len(bitmapAndnot(a, b)) }),
		test("bitmapHasAny", "Tests whether two bitmaps share an integer.", "bitmapHasAny(bitmapBuild([1, 2]), bitmapBuild([2, 3])) → 1", func(a, b []uint64) int { return min(len(bitmapAnd(a, b)), 1) }),
		test("bitmapHasAll", "Tests whether the first bitmap has all integers of the second.", "bitmapHasAll(bitmapBuild([1, 2]), bitmapBuild([2])) → 1", func(a, b []uint64) int { return int(b2u(len(bitmapAnd(a, b)) == len(b))) }),
	)
}

func bitmapType(elem *types.Type) *types.Type {
	return types.NewAggregateFunction("groupBitmap", nil, []*types.Type{elem})
}

func isBitmap(t *types.Type) bool {
	return t.Kind == types.AggregateFunction && t.Func == "groupBitmap"
}

func always64(*types.Type) *types.Type        { return types.TUInt64 }
func sameType(bitmap *types.Type) *types.Type { return bitmap }

// bitmapOf is the Resolve of a bitmap and whole numbers.
func bitmapOf(name string, n int, result func(bitmap *types.Type) *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if !isBitmap(args[0].Type) {
			return nil, illegal(name, 0, args[0].Type)
		}
		for i := 1; i < n; i++ {
			if t := args[i].Type; !t.IsUnsigned() || t.Width() > 8 {
				return nil, illegal(name, i, t)
			}
		}
		return result(args[0].Type), nil
	}
}

func resolveBitmapPair(name string, result *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		for i, a := range args {
			if !isBitmap(a.Type) {
				return nil, illegal(name, i, a.Type)
			}
		}
		if !args[0].Type.Equal(args[1].Type) {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "The nested type in bitmaps must be the same, but one is %s, and the other is %s", args[0].Type, args[1].Type)
		}
		if result == nil {
			return args[0].Type, nil
		}
		return result, nil
	}
}

func resolveBitmapBuild(_ *Env, args []Arg) (*types.Type, error) {
	t := args[0].Type
	if !isArray(t) {
		return nil, illegal("bitmapBuild", 0, t)
	}
	if e := t.Elem(); !isPlainInt(e) || e.Kind == types.Bool {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Array argument of function bitmapBuild must be of integers, got %s", t)
	}
	return bitmapType(t.Elem()), nil
}

// appendBitmap appends integers in order as a state of groupBitmap.
func appendBitmap(out *column.Str, list []uint64) {
	out.Data = binary.AppendUvarint(out.Data, uint64(len(list)))
	for _, x := range list {
		out.Data = appendU64(out.Data, x)
	}
	out.EndValue()
}

// readBitmap returns the integers of a state in order.
func readBitmap(state []byte) ([]uint64, error) {
	r := &reader{b: state}
	out := make([]uint64, r.count(8))
	for i := range out {
		out[i] = r.u64()
	}
	slices.Sort(out)
	return out, r.end()
}

func evalBitmapBuild(c *Call) (column.Vector, error) {
	arr, out := arraysOf(c.Args[0]), stringResult(c)
	bits := toBits(column.Flatten(arr.Elem))
	for i := range c.Rows {
		from, to := arr.bounds(i)
		list := slices.Clone(bits[from:to])
		slices.Sort(list)
		appendBitmap(out, slices.Compact(list))
	}
	return out, nil
}

func resolveBitmapToArray(_ *Env, args []Arg) (*types.Type, error) {
	if !isBitmap(args[0].Type) {
		return nil, illegal("bitmapToArray", 0, args[0].Type)
	}
	return types.NewArray(args[0].Type.Elems[0]), nil
}

// eachBitmap calls f with the integers of each row's first argument.
func eachBitmap(c *Call, f func(i int, a []uint64)) error {
	s := stringsOf(c.Args[0])
	for i := range c.Rows {
		a, err := readBitmap(s.row(i))
		if err != nil {
			return err
		}
		f(i, a)
	}
	return nil
}

func evalBitmapToArray(c *Call) (column.Vector, error) {
	out := column.New(c.Result, c.Rows).(*column.Array)
	err := eachBitmap(c, func(_ int, a []uint64) {
		for _, x := range a {
			pushBits(out.Elem.(column.Builder), x)
		}
		out.EndValue()
	})
	return out, err
}

func evalBitmapNumber(f func([]uint64) uint64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := make([]uint64, c.Rows)
		err := eachBitmap(c, func(i int, a []uint64) { out[i] = f(a) })
		return newNum(c.Result, out), err
	}
}

// bitmapMin and bitmapMax are ClickHouse's: of no integers, the greatest number of 32 bits and 0.
func bitmapMin(a []uint64) uint64 {
	if len(a) == 0 {
		return 1<<32 - 1
	}
	return a[0]
}

func bitmapMax(a []uint64) uint64 {
	if len(a) == 0 {
		return 0
	}
	return a[len(a)-1]
}

func evalBitmapContains(c *Call) (column.Vector, error) {
	x, out := numArg[uint64](c.Args[1], c.Rows), make([]uint8, c.Rows)
	err := eachBitmap(c, func(i int, a []uint64) {
		_, found := slices.BinarySearch(a, x.at(i))
		out[i] = b2u(found)
	})
	return column.NewBools(out), err
}

func evalBitmapPart(part func(a []uint64, x, y uint64) []uint64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		x, y := numArg[uint64](c.Args[1], c.Rows), numArg[uint64](c.Args[2], c.Rows)
		out := stringResult(c)
		err := eachBitmap(c, func(i int, a []uint64) { appendBitmap(out, part(a, x.at(i), y.at(i))) })
		return out, err
	}
}

func inRange(a []uint64, start, end uint64) []uint64 {
	from, _ := slices.BinarySearch(a, start)
	to, _ := slices.BinarySearch(a, end)
	return a[from:max(from, to)]
}

func fromValue(a []uint64, start, n uint64) []uint64 {
	from, _ := slices.BinarySearch(a, start)
	return a[from : from+int(min(n, uint64(len(a)-from)))]
}

func fromPlace(a []uint64, place, n uint64) []uint64 {
	from := int(min(place, uint64(len(a))))
	return a[from : from+int(min(n, uint64(len(a)-from)))]
}

func resolveBitmapTransform(_ *Env, args []Arg) (*types.Type, error) {
	if !isBitmap(args[0].Type) {
		return nil, illegal("bitmapTransform", 0, args[0].Type)
	}
	for i, a := range args[1:] {
		if !isArray(a.Type) || !isPlainInt(a.Type.Elem()) {
			return nil, illegal("bitmapTransform", i+1, a.Type)
		}
	}
	return args[0].Type, nil
}

func evalBitmapTransform(c *Call) (column.Vector, error) {
	from, to, out := arraysOf(c.Args[1]), arraysOf(c.Args[2]), stringResult(c)
	fromBits, toValues := toBits(column.Flatten(from.Elem)), toBits(column.Flatten(to.Elem))
	for i := range c.Rows {
		f0, f1 := from.bounds(i)
		t0, t1 := to.bounds(i)
		if f1-f0 != t1-t0 {
			return nil, sqlerr.New(sqlerr.TypeMismatch, "For function bitmapTransform, the sizes of the arrays of old and new values must be equal")
		}
	}
	err := eachBitmap(c, func(i int, a []uint64) {
		f0, f1 := from.bounds(i)
		t0, _ := to.bounds(i)
		for k := f0; k < f1; k++ {
			if at, found := slices.BinarySearch(a, fromBits[k]); found {
				a = slices.Delete(a, at, at+1)
				if at, found = slices.BinarySearch(a, toValues[t0+k-f0]); !found {
					a = slices.Insert(a, at, toValues[t0+k-f0])
				}
			}
		}
		appendBitmap(out, a)
	})
	return out, err
}

// mergeBitmaps walks two sets in order and keeps what keep says of integers that are in the first, the second, both (1, 2, 3).
func mergeBitmaps(a, b []uint64, keep [4]bool) []uint64 {
	out := make([]uint64, 0, max(len(a), len(b)))
	for i, k := 0, 0; i < len(a) || k < len(b); {
		where, x := 3, uint64(0)
		switch {
		case k == len(b) || i < len(a) && a[i] < b[k]:
			where, x = 1, a[i]
			i++
		case i == len(a) || b[k] < a[i]:
			where, x = 2, b[k]
			k++
		default:
			x = a[i]
			i, k = i+1, k+1
		}
		if keep[where] {
			out = append(out, x)
		}
	}
	return out
}

func bitmapAnd(a, b []uint64) []uint64 { return mergeBitmaps(a, b, [4]bool{3: true}) }
func bitmapOr(a, b []uint64) []uint64  { return mergeBitmaps(a, b, [4]bool{1: true, 2: true, 3: true}) }
func bitmapXor(a, b []uint64) []uint64 { return mergeBitmaps(a, b, [4]bool{1: true, 2: true}) }
func bitmapAndnot(a, b []uint64) []uint64 {
	return mergeBitmaps(a, b, [4]bool{1: true})
}

// eachBitmapPair calls f with the integers of both arguments of each row.
func eachBitmapPair(c *Call, f func(i int, a, b []uint64)) error {
	other := stringsOf(c.Args[1])
	var bad error
	err := eachBitmap(c, func(i int, a []uint64) {
		b, err := readBitmap(other.row(i))
		if err != nil {
			bad = err
			return
		}
		f(i, a, b)
	})
	if err == nil {
		err = bad
	}
	return err
}

func evalBitmaps(f func(out *column.Str, a, b []uint64)) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := stringResult(c)
		err := eachBitmapPair(c, func(_ int, a, b []uint64) { f(out, a, b) })
		return out, err
	}
}

func evalBitmapCounts(f func(a, b []uint64) int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := make([]uint64, c.Rows)
		err := eachBitmapPair(c, func(i int, a, b []uint64) { out[i] = uint64(f(a, b)) })
		return narrow(c.Result, out), err
	}
}
