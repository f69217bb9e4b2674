package function

import (
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// higher declares a function of an optional lambda and arrays.
type higher struct {
	name, doc, example string
	needLambda         bool
	predicate          bool // the lambda's result is a condition
	// result is the type for elements of type e (the lambda's result, or the first array's element) and the first array's element type.
	result func(e, first *types.Type) (*types.Type, error)
	// eval computes the result from the lambda's results (or the first array's elements) f.
	eval func(c *Call, a aligned, f column.Vector) (column.Vector, error)
}

func init() {
	for _, h := range []higher{
		{name: "arrayMap", needLambda: true, doc: "Applies a function to each element.", example: "arrayMap(x -> x + 1, [1, 2]) → [2,3]", result: arrayOfElem, eval: evalArrayMap},
		{name: "arrayFilter", needLambda: true, predicate: true, doc: "Keeps elements for which the function is true.", example: "arrayFilter(x -> x > 1, [1, 2]) → [2]", result: arrayOfFirst, eval: evalArrayFilter},
		{name: "arrayExists", predicate: true, doc: "Tests whether the function is true for any element.", example: "arrayExists(x -> x > 1, [1, 2]) → 1", result: always(types.TUInt8), eval: evalArrayCounts(func(hit, n uint64) uint64 { return min(hit, 1) })},
		{name: "arrayAll", predicate: true, doc: "Tests whether the function is true for all elements.", example: "arrayAll(x -> x > 1, [1, 2]) → 0", result: always(types.TUInt8), eval: evalArrayCounts(func(hit, n uint64) uint64 { return uint64(b2u(hit == n)) })},
		{name: "arrayCount", predicate: true, doc: "Counts elements for which the function is true.", example: "arrayCount(x -> x > 1, [1, 2]) → 1", result: always(types.TUInt32), eval: evalArrayCounts(func(hit, n uint64) uint64 { return hit })},
		{name: "arrayFirst", needLambda: true, predicate: true, doc: "Returns the first element for which the function is true, or the default.", example: "arrayFirst(x -> x > 1, [1, 2]) → 2", result: elemOfFirst, eval: evalArrayFirst(false, false)},
		{name: "arrayLast", needLambda: true, predicate: true, doc: "Returns the last element for which the function is true, or the default.", example: "arrayLast(x -> x > 0, [1, 2]) → 2", result: elemOfFirst, eval: evalArrayFirst(true, false)},
		{name: "arrayFirstIndex", needLambda: true, predicate: true, doc: "Returns the position of the first element for which the function is true, or 0.", example: "arrayFirstIndex(x -> x > 1, [1, 2]) → 2", result: always(types.TUInt32), eval: evalArrayFirst(false, true)},
		{name: "arrayLastIndex", needLambda: true, predicate: true, doc: "Returns the position of the last element for which the function is true, or 0.", example: "arrayLastIndex(x -> x > 0, [1, 2]) → 2", result: always(types.TUInt32), eval: evalArrayFirst(true, true)},
		{name: "arraySum", doc: "Adds elements.", example: "arraySum([1, 2]) → 3", result: sumType, eval: evalArraySum(false)},
		{name: "arrayProduct", doc: "Multiplies elements.", example: "arrayProduct([2, 3]) → 6", result: always(types.TFloat64), eval: evalArrayProduct},
		{name: "arrayAvg", doc: "Averages elements.", example: "arrayAvg([1, 2]) → 1.5", result: always(types.TFloat64), eval: evalArrayAvg},
		{name: "arrayMin", doc: "Returns the least element.", example: "arrayMin([2, 1]) → 1", result: elemOfLambda, eval: evalArrayExtreme(-1)},
		{name: "arrayMax", doc: "Returns the greatest element.", example: "arrayMax([2, 1]) → 2", result: elemOfLambda, eval: evalArrayExtreme(1)},
		{name: "arrayCumSum", doc: "Returns running sums.", example: "arrayCumSum([1, 2]) → [1,3]", result: arrayOfSum, eval: evalCumSum(false)},
		{name: "arrayCumSumNonNegative", doc: "Returns running sums that do not fall below 0.", example: "arrayCumSumNonNegative([1, -2, 3]) → [1,0,3]", result: arrayOfSum, eval: evalCumSum(true)},
		{name: "arrayDifference", doc: "Returns the differences of neighbours.", example: "arrayDifference([1, 3]) → [0,2]", result: differenceType, eval: evalDifference},
		{name: "arraySort", doc: "Sorts ascending, by the function's result if one is given.", example: "arraySort([2, 1]) → [1,2]", result: arrayOfFirst, eval: evalArraySort(1)},
		{name: "arrayReverseSort", doc: "Sorts descending, by the function's result if one is given.", example: "arrayReverseSort([1, 2]) → [2,1]", result: arrayOfFirst, eval: evalArraySort(-1)},
		{name: "arrayFill", needLambda: true, predicate: true, doc: "Replaces elements for which the function is false by the one before.", example: "arrayFill(x -> x > 0, [1, 0, 2]) → [1,1,2]", result: arrayOfFirst, eval: evalArrayFill},
		{name: "arraySplit", needLambda: true, predicate: true, doc: "Splits before elements for which the function is true.", example: "arraySplit(x -> x = 2, [1, 2, 3]) → [[1],[2,3]]", result: func(_, first *types.Type) (*types.Type, error) { return types.NewArray(types.NewArray(first)), nil }, eval: evalArraySplit},
	} {
		registerHigher(h)
	}
}

func always(t *types.Type) func(e, first *types.Type) (*types.Type, error) {
	return func(_, _ *types.Type) (*types.Type, error) { return t, nil }
}

func arrayOfElem(e, _ *types.Type) (*types.Type, error) {
	return types.NewArray(e.WithoutLowCardinality()), nil
}
func arrayOfFirst(_, first *types.Type) (*types.Type, error) { return types.NewArray(first), nil }
func elemOfFirst(_, first *types.Type) (*types.Type, error)  { return first, nil }
func elemOfLambda(e, _ *types.Type) (*types.Type, error)     { return e, nil }

func sumType(e, _ *types.Type) (*types.Type, error) {
	switch e = e.WithoutNullable(); {
	case e.IsFloat():
		return types.TFloat64, nil
	case e.Kind == types.Decimal:
		return decimalSum(e), nil
	case isWideInt(e):
		return e, nil
	case e.IsUnsigned():
		return types.TUInt64, nil
	case isPlainInt(e):
		return types.TInt64, nil
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "array aggregation function cannot be performed on type %s", e)
}

func arrayOfSum(e, first *types.Type) (*types.Type, error) {
	t, err := sumType(e, first)
	if err != nil {
		return nil, err
	}
	return types.NewArray(t), nil
}

func differenceType(e, _ *types.Type) (*types.Type, error) {
	switch {
	case e.IsFloat(), e.Kind == types.Decimal:
		return types.NewArray(e), nil
	case e.IsInteger():
		return types.NewArray(intOf(true, doubled(e.Width()))), nil
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "arrayDifference cannot process values of type %s", e)
}

func registerHigher(h higher) {
	register(&Scalar{Name: h.name, MinArgs: 1 + int(b2u(h.needLambda)), MaxArgs: -1, Family: "arrays", Doc: h.doc, Example: h.example,
		Lambda: func(args []Arg, n int) ([]*types.Type, error) { return lambdaTypes(h.name, args, n) },
		Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			at := int(b2u(args[0].Lambda))
			if h.needLambda && at == 0 {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "First argument for function %s must be a lambda", h.name)
			}
			for i := at; i < len(args); i++ {
				if !isArray(args[i].Type) && !isMap(args[i].Type) {
					return nil, illegal(h.name, i, args[i].Type)
				}
			}
			if len(args) <= at || at == 0 && len(args) > 1 {
				return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function %s needs one array, or a lambda and arrays", h.name)
			}
			first := args[at].Type
			if !isArray(first) {
				return nil, illegal(h.name, at, first)
			}
			e := first.Elem()
			if at == 1 {
				e = args[0].Type
			}
			if t := e.Inner(); h.predicate && t.Kind != types.UInt8 && t.Kind != types.Bool && t.Kind != types.Nothing {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Unexpected type of filter column: %s. Expected UInt8", e)
			}
			return h.result(e, first.Elem())
		},
		Eval: func(c *Call) (column.Vector, error) { return evalHigher(h, c) }})
}

func lambdaTypes(name string, args []Arg, n int) ([]*types.Type, error) {
	if n != len(args) {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Lambda of function %s takes %d arguments, but %d arrays are given", name, n, len(args))
	}
	out := make([]*types.Type, n)
	for i, a := range args {
		t := a.Type.WithoutLowCardinality()
		if !isArray(t) {
			return nil, illegal(name, i+1, t)
		}
		out[i] = t.Elem()
	}
	return out, nil
}

func evalHigher(h higher, c *Call) (column.Vector, error) {
	at := 0
	if c.Lambda != nil {
		at = 1
	}
	a, err := alignArrays(h.name, c.Args[at:], c.Rows)
	if err != nil {
		return nil, err
	}
	if at == 0 {
		return h.eval(c, a, a.elems[0])
	}
	rows := kernel.Dirty[uint32](int(a.off[c.Rows]))
	for i := range c.Rows {
		for k := a.off[i]; k < a.off[i+1]; k++ {
			rows[k] = uint32(i)
		}
	}
	f, err := c.Lambda(a.elems, rows)
	if err != nil {
		return nil, err
	}
	return h.eval(c, a, column.Flatten(f))
}

func evalArrayMap(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	return &column.Array{Typ: c.Result, Off: a.off, Elem: f}, nil
}

// hits is a mask of the elements whose condition holds; NULL does not.
func hits(f column.Vector, n int) []uint8 {
	out := make([]uint8, n)
	if f.Type().Inner().Kind != types.Nothing {
		chooseTrue(out, f, 1)
	}
	return out
}

func evalArrayFilter(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	mask := hits(f, a.elems[0].Len())
	sel := kernel.Dirty[uint32](len(mask))
	off := make([]uint32, c.Rows+1)
	n := uint32(0)
	for i := range c.Rows {
		for k := a.off[i]; k < a.off[i+1]; k++ {
			sel[n] = k
			n += uint32(mask[k])
		}
		off[i+1] = n
	}
	sel = sel[:n]
	return &column.Array{Typ: c.Result, Off: off, Elem: column.Flatten(column.Gather(a.elems[0], sel))}, nil
}

func evalArrayCounts(f func(hit, n uint64) uint64) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, v column.Vector) (column.Vector, error) {
		mask := hits(v, a.elems[0].Len())
		out := make([]uint64, c.Rows)
		for i := range out {
			hit := uint64(0)
			for _, m := range mask[a.off[i]:a.off[i+1]] {
				hit += uint64(m)
			}
			out[i] = f(hit, uint64(a.off[i+1]-a.off[i]))
		}
		return narrow(c.Result, out), nil
	}
}

func evalArrayFirst(last, index bool) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, v column.Vector) (column.Vector, error) {
		mask := hits(v, a.elems[0].Len())
		pos := make([]uint32, c.Rows) // from 1
		for i := range pos {
			for k := a.off[i]; k < a.off[i+1] && (last || pos[i] == 0); k++ {
				if mask[k] != 0 {
					pos[i] = k - a.off[i] + 1
				}
			}
		}
		if index {
			return newNum(c.Result, pos), nil
		}
		b := column.New(c.Result, c.Rows)
		for i, p := range pos {
			if p == 0 {
				b.AppendDefault()
			} else {
				b.AppendFrom(a.elems[0], int(a.off[i]+p-1))
			}
		}
		return b, nil
	}
}

func evalArraySum(_ bool) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, f column.Vector) (column.Vector, error) {
		f, _ = splitNullable(f)
		switch c.Result.Kind {
		case types.Float64:
			return newNum(c.Result, runSums(a.off, numsOf[float64](f))), nil
		case types.Decimal, types.Int128, types.UInt128, types.Int256, types.UInt256:
			data := widesOf(f)
			out := make([]types.I256, c.Rows)
			for i := range out {
				for _, x := range data[a.off[i]:a.off[i+1]] {
					out[i] = out[i].Add(x)
				}
			}
			return storeWide(c.Result, out), nil
		case types.UInt64:
			return newNum(c.Result, runSums(a.off, numsOf[uint64](f))), nil
		}
		return newNum(c.Result, runSums(a.off, numsOf[int64](f))), nil
	}
}

func runSums[T num](off []uint32, data []T) []T {
	out := make([]T, len(off)-1)
	for i := range out {
		for _, x := range data[off[i]:off[i+1]] {
			out[i] += x
		}
	}
	return out
}

// elementFloats reads the elements as floats.
func elementFloats(f column.Vector) ([]float64, error) {
	f, _ = splitNullable(f)
	if !isAnyNumber(f.Type()) {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "array aggregation function cannot be performed on type %s", f.Type())
	}
	return floatsOf(f, f.Type()), nil
}

func evalArrayProduct(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	data, err := elementFloats(f)
	if err != nil {
		return nil, err
	}
	out := make([]float64, c.Rows)
	for i := range out {
		out[i] = 1
		for _, x := range data[a.off[i]:a.off[i+1]] {
			out[i] *= x
		}
	}
	return newNum(c.Result, out), nil
}

func evalArrayAvg(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	data, err := elementFloats(f)
	if err != nil {
		return nil, err
	}
	out := runSums(a.off, data)
	for i := range out {
		if n := a.off[i+1] - a.off[i]; n > 0 {
			out[i] /= float64(n)
		} else {
			out[i] = math.NaN()
		}
	}
	return newNum(c.Result, out), nil
}

func evalArrayExtreme(sign int) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, f column.Vector) (column.Vector, error) {
		if out := extremeNums(c.Result, a.off, f, sign); out != nil {
			return out, nil
		}
		b := column.New(c.Result, c.Rows)
		for i := range c.Rows {
			if a.off[i] == a.off[i+1] {
				b.AppendDefault()
				continue
			}
			best := int(a.off[i])
			for k := best + 1; k < int(a.off[i+1]); k++ {
				if !column.IsNull(f, k) && (column.IsNull(f, best) || column.Compare(f, k, f, best)*sign > 0) {
					best = k
				}
			}
			b.AppendFrom(f, best)
		}
		return b, nil
	}
}

// extremeNums returns the least (sign -1) or greatest (sign 1) number of each run of off, or nil unless f holds numbers of at most 64 bits.
func extremeNums(t *types.Type, off []uint32, f column.Vector, sign int) column.Vector {
	if !isPlainNum(t) { // the default of an Enum is not 0
		return nil
	}
	switch f := f.(type) {
	case *column.Num[uint8]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[uint16]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[uint32]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[uint64]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[int8]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[int16]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[int32]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[int64]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[float32]:
		return newNum(t, extremes(off, f.Data, sign))
	case *column.Num[float64]:
		return newNum(t, extremes(off, f.Data, sign))
	}
	return nil
}

// extremes is 0 for an empty run, and NaN only for one of nothing else.
func extremes[T num](off []uint32, data []T, sign int) []T {
	out := make([]T, len(off)-1)
	for i := range out {
		run := data[off[i]:off[i+1]]
		if len(run) == 0 {
			continue
		}
		best := run[0]
		if sign < 0 {
			for _, x := range run {
				if x < best || best != best {
					best = x
				}
			}
		} else {
			for _, x := range run {
				if x > best || best != best {
					best = x
				}
			}
		}
		out[i] = best
	}
	return out
}

func evalCumSum(nonNegative bool) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, f column.Vector) (column.Vector, error) {
		out := &column.Array{Typ: c.Result, Off: a.off}
		f, _ = splitNullable(f)
		switch t := c.Result.Elem(); t.Kind {
		case types.Float64:
			out.Elem = newNum(t, cumulate(a.off, numsOf[float64](f), nonNegative))
		case types.UInt64:
			out.Elem = newNum(t, cumulate(a.off, numsOf[uint64](f), nonNegative))
		case types.Int64:
			out.Elem = newNum(t, cumulate(a.off, numsOf[int64](f), nonNegative))
		default:
			data := slices.Clone(widesOf(f))
			for i := range c.Rows {
				for k := a.off[i] + 1; k < a.off[i+1]; k++ {
					data[k] = data[k].Add(data[k-1])
				}
			}
			out.Elem = storeWide(t, data)
		}
		return out, nil
	}
}

func cumulate[T num](off []uint32, data []T, nonNegative bool) []T {
	out := make([]T, len(data))
	for i := 0; i+1 < len(off); i++ {
		var sum T
		for k := off[i]; k < off[i+1]; k++ {
			sum += data[k]
			if nonNegative && sum < 0 {
				sum = 0
			}
			out[k] = sum
		}
	}
	return out
}

func evalDifference(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	out := &column.Array{Typ: c.Result, Off: a.off}
	switch t := c.Result.Elem(); {
	case isPlainInt(t) || t.Kind == types.Decimal && t.Width() <= 8:
		out.Elem = narrow(t, differences(a.off, numsOf[int64](f)))
	case t.Kind == types.Float64:
		out.Elem = newNum(t, differences(a.off, numsOf[float64](f)))
	case t.Kind == types.Float32:
		out.Elem = newNum(t, differences(a.off, numsOf[float32](f)))
	case t.Width() > 8:
		data := widesOf(f)
		diffs := make([]types.I256, len(data))
		for i := 0; i+1 < len(a.off); i++ {
			for k := a.off[i] + 1; k < a.off[i+1]; k++ {
				diffs[k] = data[k].Sub(data[k-1])
			}
		}
		out.Elem = storeWide(t, diffs)
	default:
		return nil, sqlerr.New(sqlerr.NotImplemented, "arrayDifference of %s is not supported", t)
	}
	return out, nil
}

func differences[T num](off []uint32, data []T) []T {
	out := make([]T, len(data))
	for i := 0; i+1 < len(off); i++ {
		for k := off[i] + 1; k < off[i+1]; k++ {
			out[k] = data[k] - data[k-1]
		}
	}
	return out
}

func evalArraySort(sign int) func(*Call, aligned, column.Vector) (column.Vector, error) {
	return func(c *Call, a aligned, f column.Vector) (column.Vector, error) {
		sel := sortedRuns(column.Flatten(f), a.off, sign < 0)
		return &column.Array{Typ: c.Result, Off: a.off, Elem: column.Flatten(column.Gather(a.elems[0], sel))}, nil
	}
}

func evalArrayFill(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	mask := hits(f, a.elems[0].Len())
	sel := make([]uint32, len(mask))
	for i := range c.Rows {
		for k := a.off[i]; k < a.off[i+1]; k++ {
			sel[k] = k
			if mask[k] == 0 && k > a.off[i] {
				sel[k] = sel[k-1]
			}
		}
	}
	return &column.Array{Typ: c.Result, Off: a.off, Elem: column.Flatten(column.Gather(a.elems[0], sel))}, nil
}

func evalArraySplit(c *Call, a aligned, f column.Vector) (column.Vector, error) {
	mask := hits(f, a.elems[0].Len())
	inner := &column.Array{Typ: c.Result.Elem(), Off: []uint32{0}, Elem: column.Flatten(a.elems[0])}
	out := &column.Array{Typ: c.Result, Off: make([]uint32, 1, c.Rows+1), Elem: inner}
	for i := range c.Rows {
		for k := a.off[i]; k < a.off[i+1]; k++ {
			if k > a.off[i] && mask[k] != 0 {
				inner.Off = append(inner.Off, k)
			}
		}
		if a.off[i+1] > a.off[i] {
			inner.Off = append(inner.Off, a.off[i+1])
		}
		out.EndValue()
	}
	return out, nil
}
