package function

import (
	"math"
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "sum", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveSum,
			Doc: "Adds the values; integers wrap around at 64 bits.", Example: "sum(x) → 6"},
		&AggregateFamily{Name: "sumWithOverflow", MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveSumOverflow,
			Doc: "Adds the values in the type of the argument.", Example: "sumWithOverflow(x) → 6"},
		&AggregateFamily{Name: "sumKahan", MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveKahan,
			Doc: "Adds floating-point values with compensation of rounding errors.", Example: "sumKahan(0.1) → 0.1"},
		&AggregateFamily{Name: "avg", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, EmptyNull: true, Resolve: resolveAvg,
			Doc: "Averages the values.", Example: "avg(x) → 2"},
		&AggregateFamily{Name: "sumCount", MinArgs: 1, MaxArgs: 1, Resolve: resolveSumCount,
			Doc: "Returns the sum and the number of values.", Example: "sumCount(x) → (6,3)"},
		&AggregateFamily{Name: "avgWeighted", MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveAvgWeighted,
			Doc: "Averages the values, each with its weight.", Example: "avgWeighted(x, w) → 2"},
	)
}

// number is the fixed-width values that convert to each other.
type number interface {
	uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64 | float32 | float64
}

func resolveSum(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	switch {
	case t.Kind == types.Decimal:
		return sumWide(t, decimalSum(t)), nil
	case isWideInt(t):
		return sumWide(t, t), nil
	case t.IsUnsigned():
		return sumOf[uint64](t, types.TUInt64), nil
	case t.IsSigned(), t.IsEnum(), t.Kind == types.Interval:
		res := types.TInt64
		if t.Kind == types.Interval {
			res = t
		}
		return sumOf[int64](t, res), nil
	case t.IsFloat():
		return sumOf[float64](t, types.TFloat64), nil
	}
	return nil, badArg("sum", t)
}

func resolveSumOverflow(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	switch {
	case t.Kind == types.Bool:
		return sumOf[uint8](t, types.TUInt8), nil
	case t.IsEnum():
		t = types.Simple(map[types.Kind]types.Kind{types.Enum8: types.Int8, types.Enum16: types.Int16}[t.Kind])
	case !t.IsNumeric():
		return nil, badArg("sumWithOverflow", t)
	}
	switch t.Phys() {
	case types.PUInt8:
		return sumOf[uint8](t, t), nil
	case types.PUInt16:
		return sumOf[uint16](t, t), nil
	case types.PUInt32:
		return sumOf[uint32](t, t), nil
	case types.PInt8:
		return sumOf[int8](t, t), nil
	case types.PInt16:
		return sumOf[int16](t, t), nil
	case types.PInt32:
		return sumOf[int32](t, t), nil
	case types.PFloat32:
		if t.Kind == types.Float32 {
			return sumOf[float32](t, t), nil
		}
	}
	if t.Kind == types.Decimal {
		return sumWide(t, t), nil
	}
	return resolveSum(env, params, args)
}

// sumOf returns the sum of values of t, added as A, of type res.
func sumOf[A number](t, res *types.Type) Aggregate {
	f := &fold[A]{
		result:   res,
		merge:    func(_ *foldStates[A], a, b *A) { *a += *b },
		mergeAll: addEach[A],
		plain:    plainSum[A](typeOf[A]()),
		save:     func(dst []byte, s *A) []byte { return appendNumber(dst, *s) },
		load:     func(s *A, r *reader) error { *s = readNumber[A](r); return nil },
		finish:   func(out column.Builder, s *A) error { push(out, *s); return nil },
		values:   func(s []A) column.Vector { return column.NewNum(res, slices.Clone(s)) },
	}
	switch t.Phys() {
	case types.PUInt8:
		f.add, f.addAll = addSum[uint8, A], sumAll[uint8, A]
	case types.PUInt16:
		f.add, f.addAll = addSum[uint16, A], sumAll[uint16, A]
	case types.PUInt32:
		f.add, f.addAll = addSum[uint32, A], sumAll[uint32, A]
	case types.PUInt64:
		f.add, f.addAll = addSum[uint64, A], sumAll[uint64, A]
	case types.PInt8:
		f.add, f.addAll = addSum[int8, A], sumAll[int8, A]
	case types.PInt16:
		f.add, f.addAll = addSum[int16, A], sumAll[int16, A]
	case types.PInt32:
		f.add, f.addAll = addSum[int32, A], sumAll[int32, A]
	case types.PInt64:
		f.add, f.addAll = addSum[int64, A], sumAll[int64, A]
	case types.PFloat32:
		f.add, f.addAll = addSum[float32, A], sumAll[float32, A]
	case types.PFloat64:
		f.add, f.addAll = addSum[float64, A], sumAll[float64, A]
	}
	return f
}

// sumAll is addSum into one state.
func sumAll[T, A number](_ *foldStates[A], one *A, args []column.Vector, n int) error {
	*one += total[T, A](args[0], n)
	return nil
}

// fewFloats is up to how many floats are added in order, as ClickHouse does; more go into interleaved sums.
const fewFloats = 16

// total is the sum of n values of v as A.
func total[T, A number](v column.Vector, n int) A {
	if c, ok := v.(*column.Const); ok && A(1)/A(2) == 0 {
		return A(data[T](c.Value)[0]) * A(n)
	}
	values := data[T](column.Flatten(v))
	if A(1)/A(2) != 0 && n < fewFloats {
		var sum A
		for _, x := range values {
			sum += A(x)
		}
		return sum
	}
	switch x := any(values).(type) {
	case []uint8:
		return A(kernel.SumUint(x))
	case []uint16:
		return A(kernel.SumUint(x))
	case []uint32:
		return A(kernel.SumUint(x))
	case []uint64:
		return A(kernel.SumUint(x))
	case []int8:
		return A(kernel.SumInt(x))
	case []int16:
		return A(kernel.SumInt(x))
	case []int32:
		return A(kernel.SumInt(x))
	case []int64:
		return A(kernel.SumInt(x))
	case []float32:
		return A(kernel.SumFloat(x))
	case []float64:
		return A(kernel.SumFloat(x))
	}
	return 0
}

func addSum[T, A number](s *foldStates[A], groups []uint32, args []column.Vector, _ int) error {
	values := data[T](args[0])
	acc := s.s
	if inRuns(groups) {
		sumRuns(acc, groups, values)
		return nil
	}
	for i, x := range values {
		acc[groups[i]] += A(x)
	}
	return nil
}

// appendNumber and readNumber keep floats as their bits and integers as 64-bit numbers.
func appendNumber[A number](dst []byte, x A) []byte {
	if A(1)/A(2) != 0 {
		return appendF64(dst, float64(x))
	}
	return appendU64(dst, uint64(int64(x)))
}

func readNumber[A number](r *reader) A {
	if A(1)/A(2) != 0 {
		return A(r.f64())
	}
	return A(r.u64())
}

// addI128 adds rows of a Decimal or 128-bit column through f.
func addI128[S any](f func(s *S, x types.I128)) func(*foldStates[S], []uint32, []column.Vector, int) error {
	return func(s *foldStates[S], groups []uint32, args []column.Vector, _ int) error {
		switch v := args[0].(type) {
		case *column.Num[int32]:
			for i, x := range v.Data {
				f(&s.s[groups[i]], types.I128From(int64(x)))
			}
		case *column.Num[int64]:
			for i, x := range v.Data {
				f(&s.s[groups[i]], types.I128From(x))
			}
		case *column.Num[types.I128]:
			for i, x := range v.Data {
				f(&s.s[groups[i]], x)
			}
		case *column.Num[types.U128]:
			for i, x := range v.Data {
				f(&s.s[groups[i]], types.I128{Lo: x.Lo, Hi: int64(x.Hi)})
			}
		}
		return nil
	}
}

// sumLongs adds rows of a Decimal or 128-bit column to 128-bit sums.
func sumLongs(s *foldStates[types.I128], groups []uint32, args []column.Vector, _ int) error {
	switch v := args[0].(type) {
	case *column.Num[int32]:
		addLongSums(s.s, groups, v.Data)
	case *column.Num[int64]:
		addLongSums(s.s, groups, v.Data)
	case *column.Num[types.I128]:
		for i, x := range v.Data {
			s.s[groups[i]] = s.s[groups[i]].Add(x)
		}
	case *column.Num[types.U128]:
		for i, x := range v.Data {
			s.s[groups[i]] = s.s[groups[i]].Add(types.I128{Lo: x.Lo, Hi: int64(x.Hi)})
		}
	}
	return nil
}

func addLongSums[T int32 | int64](states []types.I128, groups []uint32, data []T) {
	groups = groups[:len(data)]
	for i, x := range data {
		s := &states[groups[i]]
		lo, carry := bits.Add64(s.Lo, uint64(x), 0)
		s.Lo, s.Hi = lo, s.Hi+int64(x)>>63+int64(carry)
	}
}

// sumAllLongs is sumLongs into one state.
func sumAllLongs(s *foldStates[types.I128], one *types.I128, args []column.Vector, n int) error {
	switch v := args[0].(type) {
	case *column.Num[int32]:
		*one = one.Add(types.I128From(kernel.SumInt(v.Data)))
	case *column.Num[int64]:
		*one = one.Add(longSum(v.Data))
	default:
		return sumLongs(s, s.zeroGroups(n), []column.Vector{column.Flatten(v)}, n)
	}
	return nil
}

// longSum adds the high and the low halves of the numbers, of which no sum of under 2^31 overflows.
func longSum(data []int64) types.I128 {
	var high, low int64
	for _, x := range data {
		high += x >> 32
		low += x & math.MaxUint32
	}
	return types.I128{Lo: uint64(high) << 32, Hi: high >> 32}.Add(types.I128From(low))
}

func foldI128(res *types.Type, finish func(out column.Builder, s *types.I128) error) Aggregate {
	return &fold[types.I128]{
		result: res,
		add:    sumLongs,
		addAll: sumAllLongs,
		merge:  func(_ *foldStates[types.I128], a, b *types.I128) { *a = a.Add(*b) },
		plain:  plainWide(types.TInt128, func(a, b *types.I128) { *a = a.Add(*b) }),
		save:   func(dst []byte, s *types.I128) []byte { return appendI128(dst, *s) },
		load:   func(s *types.I128, r *reader) error { *s = readI128(r); return nil },
		finish: finish,
	}
}

func appendI128(dst []byte, x types.I128) []byte {
	return appendU64(appendU64(dst, x.Lo), uint64(x.Hi))
}

func readI128(r *reader) types.I128 {
	lo := r.u64()
	return types.I128{Lo: lo, Hi: int64(r.u64())}
}

// sumWide adds decimals and integers of more than 64 bits, of type t, as res.
func sumWide(t, res *types.Type) Aggregate {
	if t.Width() > 16 {
		return &fold[types.I256]{
			result: res,
			add:    addI256(func(s *types.I256, x types.I256) { *s = s.Add(x) }),
			merge:  func(_ *foldStates[types.I256], a, b *types.I256) { *a = a.Add(*b) },
			save:   func(dst []byte, s *types.I256) []byte { return appendI256(dst, *s) },
			load:   func(s *types.I256, r *reader) error { *s = readI256(r); return nil },
			finish: func(out column.Builder, s *types.I256) error { pushWide(out, *s); return nil },
		}
	}
	return foldI128(res, func(out column.Builder, s *types.I128) error {
		pushWide(out, s.Wide())
		return nil
	})
}

// decimalSum is the type of a sum of decimals.
func decimalSum(t *types.Type) *types.Type {
	p := types.MaxPrecision128
	if t.N > p {
		p = types.MaxPrecision256
	}
	return types.NewDecimal(p, t.Scale)
}

// addI256 adds rows of a Decimal or of integers of more than 64 bits through f.
func addI256[S any](f func(s *S, x types.I256)) func(*foldStates[S], []uint32, []column.Vector, int) error {
	return func(s *foldStates[S], groups []uint32, args []column.Vector, _ int) error {
		for i, x := range widesOf(args[0]) {
			f(&s.s[groups[i]], x)
		}
		return nil
	}
}

func appendI256(dst []byte, x types.I256) []byte {
	for _, w := range x {
		dst = appendU64(dst, w)
	}
	return dst
}

func readI256(r *reader) (x types.I256) {
	for i := range x {
		x[i] = r.u64()
	}
	return x
}

type kahan struct{ sum, lost float64 }

func (k *kahan) add(x float64) {
	y := x - k.lost
	t := k.sum + y
	k.lost = (t - k.sum) - y
	k.sum = t
}

func resolveKahan(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	switch t := args[0]; {
	case t.Kind == types.Decimal:
		return resolveSum(env, params, args)
	case !t.IsNumeric() && !t.IsEnum():
		return nil, badArg("sumKahan", t)
	}
	return &fold[kahan]{
		result: types.TFloat64,
		add: func(s *foldStates[kahan], groups []uint32, args []column.Vector, _ int) error {
			for i, x := range toFloats(args[0]) {
				s.s[groups[i]].add(x)
			}
			return nil
		},
		merge:  func(_ *foldStates[kahan], a, b *kahan) { a.add(b.sum); a.add(-b.lost) },
		save:   func(dst []byte, s *kahan) []byte { return appendF64(appendF64(dst, s.sum), s.lost) },
		load:   func(s *kahan, r *reader) error { s.sum = r.f64(); s.lost = r.f64(); return nil },
		finish: func(out column.Builder, s *kahan) error { push(out, s.sum); return nil },
	}, nil
}

// avgState adds in the widest type of the argument's kind, as ClickHouse does.
type avgState[A number] struct {
	sum A
	n   uint64
}

func resolveAvg(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	t := args[0]
	switch {
	case t.Width() > 16:
		return avgWidest(t), nil
	case t.Kind == types.Decimal, isWideInt(t):
		return avgDecimal(t), nil
	case t.IsUnsigned():
		return avgOf[uint64](t), nil
	case t.IsSigned():
		return avgOf[int64](t), nil
	case t.IsFloat():
		return avgOf[float64](t), nil
	case t.IsDateOrTime():
		return avgTime(t, math.Round), nil
	case t.IsTime():
		return avgTime(t, math.Trunc), nil
	}
	return nil, badArg("avg", t)
}

// avgTime is the average date or time, brought to the precision of the type by round.
func avgTime(t *types.Type, round func(float64) float64) Aggregate {
	f := avgOf[int64](t).(*fold[avgState[int64]])
	f.result = t
	f.values = nil
	f.finish = func(out column.Builder, s *avgState[int64]) error {
		if s.n == 0 {
			out.AppendDefault()
			return nil
		}
		pushBits(out, uint64(int64(round(float64(s.sum)/float64(s.n)))))
		return nil
	}
	return f
}

func avgOf[A number](t *types.Type) Aggregate {
	f := &fold[avgState[A]]{
		result:   types.TFloat64,
		merge:    func(_ *foldStates[avgState[A]], a, b *avgState[A]) { a.sum += b.sum; a.n += b.n },
		save:     func(dst []byte, s *avgState[A]) []byte { return appendU64(appendNumber(dst, s.sum), s.n) },
		load:     func(s *avgState[A], r *reader) error { s.sum = readNumber[A](r); s.n = r.u64(); return nil },
		finish:   func(out column.Builder, s *avgState[A]) error { push(out, float64(s.sum)/float64(s.n)); return nil },
		values:   averages[A],
		mergeAll: addAverages[A],
		plain:    plainAverage[A](typeOf[A]()),
	}
	switch t.Phys() {
	case types.PUInt8:
		f.add, f.addAll = addAvg[uint8, A], avgAll[uint8, A]
	case types.PUInt16:
		f.add, f.addAll = addAvg[uint16, A], avgAll[uint16, A]
	case types.PUInt32:
		f.add, f.addAll = addAvg[uint32, A], avgAll[uint32, A]
	case types.PUInt64:
		f.add, f.addAll = addAvg[uint64, A], avgAll[uint64, A]
	case types.PInt8:
		f.add, f.addAll = addAvg[int8, A], avgAll[int8, A]
	case types.PInt16:
		f.add, f.addAll = addAvg[int16, A], avgAll[int16, A]
	case types.PInt32:
		f.add, f.addAll = addAvg[int32, A], avgAll[int32, A]
	case types.PInt64:
		f.add, f.addAll = addAvg[int64, A], avgAll[int64, A]
	case types.PFloat32:
		f.add, f.addAll = addAvg[float32, A], avgAll[float32, A]
	case types.PFloat64:
		f.add, f.addAll = addAvg[float64, A], avgAll[float64, A]
	}
	return f
}

func averages[A number](s []avgState[A]) column.Vector {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = float64(s[i].sum) / float64(s[i].n)
	}
	return column.NewNum(types.TFloat64, out)
}

func addAverages[A number](dst, src []avgState[A], groups, sel []uint32) {
	if sel == nil {
		groups = groups[:len(src)]
	}
	for i, g := range groups {
		from := i
		if sel != nil {
			from = int(sel[i])
		}
		dst[g].sum += src[from].sum
		dst[g].n += src[from].n
	}
}

// avgAll is addAvg into one state.
func avgAll[T, A number](_ *foldStates[avgState[A]], one *avgState[A], args []column.Vector, n int) error {
	one.sum += total[T, A](args[0], n)
	one.n += uint64(n)
	return nil
}

func addAvg[T, A number](s *foldStates[avgState[A]], groups []uint32, args []column.Vector, _ int) error {
	if inRuns(groups) {
		averageRuns(s.s, groups, data[T](args[0]))
		return nil
	}
	for i, x := range data[T](args[0]) {
		a := &s.s[groups[i]]
		a.sum += A(x)
		a.n++
	}
	return nil
}

type avgDec struct {
	sum types.I128
	n   uint64
}

func avgDecimal(t *types.Type) Aggregate {
	scale := pow10f(t.Scale)
	return &fold[avgDec]{
		result: types.TFloat64,
		add:    addI128(func(s *avgDec, x types.I128) { s.sum = s.sum.Add(x); s.n++ }),
		merge:  func(_ *foldStates[avgDec], a, b *avgDec) { a.sum = a.sum.Add(b.sum); a.n += b.n },
		save:   func(dst []byte, s *avgDec) []byte { return appendU64(appendI128(dst, s.sum), s.n) },
		load:   func(s *avgDec, r *reader) error { s.sum = readI128(r); s.n = r.u64(); return nil },
		finish: func(out column.Builder, s *avgDec) error {
			push(out, s.sum.Float64()/scale/float64(s.n)) // in ClickHouse's order: another rounds otherwise
			return nil
		},
	}
}

type avgWide struct {
	sum types.I256
	n   uint64
}

// avgWidest is avgDecimal of 256 bits.
func avgWidest(t *types.Type) Aggregate {
	scale := pow10f(scaleOf(t))
	return &fold[avgWide]{
		result: types.TFloat64,
		add:    addI256(func(s *avgWide, x types.I256) { s.sum = s.sum.Add(x); s.n++ }),
		merge:  func(_ *foldStates[avgWide], a, b *avgWide) { a.sum = a.sum.Add(b.sum); a.n += b.n },
		save:   func(dst []byte, s *avgWide) []byte { return appendU64(appendI256(dst, s.sum), s.n) },
		load:   func(s *avgWide, r *reader) error { s.sum = readI256(r); s.n = r.u64(); return nil },
		finish: func(out column.Builder, s *avgWide) error {
			sum := s.sum.Float64()
			if t.Kind == types.UInt256 {
				sum = types.U256(s.sum).Float64()
			}
			push(out, sum/scale/float64(s.n))
			return nil
		},
	}
}

type weighted struct{ sum, weight float64 }

func resolveAvgWeighted(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	for _, t := range args {
		if !t.IsNumeric() {
			return nil, badArg("avgWeighted", t)
		}
	}
	return &fold[weighted]{
		result: types.TFloat64,
		add: func(s *foldStates[weighted], groups []uint32, args []column.Vector, _ int) error {
			w := toFloats(args[1])
			for i, x := range toFloats(args[0]) {
				a := &s.s[groups[i]]
				a.sum += x * w[i]
				a.weight += w[i]
			}
			return nil
		},
		merge:  func(_ *foldStates[weighted], a, b *weighted) { a.sum += b.sum; a.weight += b.weight },
		save:   func(dst []byte, s *weighted) []byte { return appendF64(appendF64(dst, s.sum), s.weight) },
		load:   func(s *weighted, r *reader) error { s.sum = r.f64(); s.weight = r.f64(); return nil },
		finish: func(out column.Builder, s *weighted) error { push(out, s.sum/s.weight); return nil },
	}, nil
}

func pow10f(n int) float64 {
	p := 1.0
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

// toFloats converts a flat numeric vector, Decimal and dates included.
func toFloats(v column.Vector) []float64 {
	scale := 1.0
	if t := v.Type(); t.Kind == types.Decimal {
		scale = pow10f(t.Scale)
	}
	switch v := v.(type) {
	case *column.Num[uint8]:
		return floats(v.Data, scale)
	case *column.Num[uint16]:
		return floats(v.Data, scale)
	case *column.Num[uint32]:
		return floats(v.Data, scale)
	case *column.Num[uint64]:
		return floats(v.Data, scale)
	case *column.Num[int8]:
		return floats(v.Data, scale)
	case *column.Num[int16]:
		return floats(v.Data, scale)
	case *column.Num[int32]:
		return floats(v.Data, scale)
	case *column.Num[int64]:
		return floats(v.Data, scale)
	case *column.Num[float32]:
		return floats(v.Data, scale)
	case *column.Num[float64]:
		return v.Data
	case *column.Num[types.I128]:
		out := make([]float64, len(v.Data))
		for i, x := range v.Data {
			out[i] = x.Float64() / scale
		}
		return out
	case *column.Num[types.U128]:
		out := make([]float64, len(v.Data))
		for i, x := range v.Data {
			out[i] = float64(x.Hi)*0x1p64 + float64(x.Lo)
		}
		return out
	case *column.Num[types.I256], *column.Num[types.U256]:
		return floatsOf(v, v.Type())
	}
	return make([]float64, v.Len())
}

func floats[T number](data []T, scale float64) []float64 {
	out := make([]float64, len(data))
	if scale == 1 {
		for i, x := range data {
			out[i] = float64(x)
		}
		return out
	}
	for i, x := range data {
		out[i] = float64(x) / scale
	}
	return out
}

// sumCount is the sum and the number of values, as avg keeps them.
func resolveSumCount(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	sum, err := resolveSum(env, params, args)
	if err != nil || !args[0].IsNumeric() || args[0].Width() > 8 && args[0].Kind != types.Decimal {
		return nil, badArg("sumCount", args[0])
	}
	result := types.NewTuple([]*types.Type{sum.Result(), types.TUInt64}, nil)
	avg, err := resolveAvg(env, params, args)
	if err != nil {
		return nil, err
	}
	switch f := avg.(type) {
	case *fold[avgState[uint64]]:
		pairs(f, result)
	case *fold[avgState[int64]]:
		pairs(f, result)
	case *fold[avgState[float64]]:
		pairs(f, result)
	case *fold[avgDec]:
		f.result = result
		f.finish = func(out column.Builder, s *avgDec) error { pushPair(out, s.sum, s.n); return nil }
	case *fold[avgWide]:
		f.result = result
		f.finish = func(out column.Builder, s *avgWide) error { pushPair(out, s.sum, s.n); return nil }
	}
	return avg, nil
}

func pairs[A number](f *fold[avgState[A]], result *types.Type) {
	f.values = nil
	f.result = result
	f.finish = func(out column.Builder, s *avgState[A]) error { pushPair(out, s.sum, s.n); return nil }
}

func pushPair[A column.Elem](out column.Builder, sum A, n uint64) {
	t := out.(*column.Tuple)
	push(t.Elems[0].(column.Builder), sum)
	push(t.Elems[1].(column.Builder), n)
	t.N++
}
