package function

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, k := range []struct {
		suffix, doc string
		weighted    bool
		rank        func(n int, q float64) int
	}{
		{"Exact", "exactly, as a value that occurs", false, floorRank},
		{"ExactLow", "exactly, the lower of two middle values", false, lowRank},
		{"ExactHigh", "exactly, the higher of two middle values", false, floorRank},
		{"ExactWeighted", "exactly, each value counted as often as its weight says", true, nil},
	} {
		many, single, median := "quantiles"+k.suffix, "quantile"+k.suffix, "median"+k.suffix
		resolve := func(name string, several bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
			return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
				levels, err := quantileLevels(name, several, params)
				if err != nil {
					return nil, err
				}
				if k.weighted && !args[1].IsUnsigned() {
					return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Second argument (weight) for function %s must be unsigned integer, but it has type %s", name, args[1])
				}
				return exactQuantile(name, args[0], exactLevels{levels: levels, many: several, weighted: k.weighted, rank: k.rank})
			}
		}
		args, example := 1, "(x) → "
		if k.weighted {
			args, example = 2, "(x, w) → "
		}
		registerAggregates(
			&AggregateFamily{Name: single, Aliases: []string{median}, MinArgs: args, MaxArgs: args, EmptyNull: true, Parametric: true,
				Resolve: resolve(single, false), Doc: "Returns a quantile " + k.doc + ".", Example: single + "(0.5)" + example + "2"},
			&AggregateFamily{Name: many, MinArgs: args, MaxArgs: args, EmptyNull: true, Parametric: true,
				Resolve: resolve(many, true), Doc: "Returns several quantiles " + k.doc + ".", Example: many + "(0.5, 0.9)" + example + "[2,3]"},
		)
	}
}

// exactLevels is what an exact quantile is asked for.
type exactLevels struct {
	levels   []float64
	many     bool // several, as an array
	weighted bool
	rank     func(n int, q float64) int // of a level among n sorted values
}

func exactQuantile(name string, t *types.Type, l exactLevels) (Aggregate, error) {
	if !t.IsNumeric() && !t.IsDateOrTime() {
		return nil, badArg(name, t)
	}
	switch t.Phys() {
	case types.PUInt8:
		return exactNumbers[uint8](t, l), nil
	case types.PUInt16:
		return exactNumbers[uint16](t, l), nil
	case types.PUInt32:
		return exactNumbers[uint32](t, l), nil
	case types.PUInt64:
		return exactNumbers[uint64](t, l), nil
	case types.PInt8:
		return exactNumbers[int8](t, l), nil
	case types.PInt16:
		return exactNumbers[int16](t, l), nil
	case types.PInt32:
		return exactNumbers[int32](t, l), nil
	case types.PInt64:
		return exactNumbers[int64](t, l), nil
	case types.PFloat32:
		return exactNumbers[float32](t, l), nil
	case types.PFloat64:
		return exactNumbers[float64](t, l), nil
	case types.PInt128:
		return foldExact(t, l, types.I128.Cmp, appendI128, readI128), nil
	case types.PInt256:
		return foldExact(t, l, types.I256.Cmp, appendI256, readI256), nil
	case types.PUInt256:
		return foldExact(t, l, types.U256.Cmp,
			func(dst []byte, x types.U256) []byte { return appendI256(dst, types.I256(x)) },
			func(r *reader) types.U256 { return types.U256(readI256(r)) }), nil
	}
	return foldExact(t, l, types.U128.Cmp,
		func(dst []byte, x types.U128) []byte { return appendU64(appendU64(dst, x.Lo), x.Hi) },
		func(r *reader) types.U128 { lo := r.u64(); return types.U128{Lo: lo, Hi: r.u64()} }), nil
}

func exactNumbers[T number](t *types.Type, l exactLevels) Aggregate {
	return foldExact(t, l, cmp.Compare[T], appendNumber[T], readNumber[T])
}

// weightedValue is a value and how often it counts.
type weightedValue[T column.Elem] struct {
	v T
	w uint64
}

// sortedValues is all values of a group; merged, and sorted as far as needed, only when asked.
type sortedValues[T column.Elem] struct {
	values []weightedValue[T]
	sorted bool
}

func (s *sortedValues[T]) push(v T, w uint64) int64 {
	before := cap(s.values)
	s.values, s.sorted = append(s.values, weightedValue[T]{v, w}), false
	return int64(cap(s.values) - before)
}

func foldExact[T column.Elem](t *types.Type, l exactLevels, compare func(a, b T) int, put func([]byte, T) []byte, get func(*reader) T) Aggregate {
	result, width := t, int64(t.Width())+8
	if l.many {
		result = types.NewArray(t)
	}
	return &fold[sortedValues[T]]{
		result: result,
		add: func(s *foldStates[sortedValues[T]], groups []uint32, args []column.Vector, _ int) error {
			var weights []uint64
			if l.weighted {
				weights = toBits(args[1])
			}
			for i, x := range data[T](args[0]) {
				w := uint64(1)
				if weights != nil {
					w = weights[i]
				}
				if x == x && w > 0 { // not NaN
					s.extra += width * s.s[groups[i]].push(x, w)
				}
			}
			return nil
		},
		merge: func(s *foldStates[sortedValues[T]], a, b *sortedValues[T]) {
			before := cap(a.values)
			a.values, a.sorted = append(a.values, b.values...), false
			s.extra += width * int64(cap(a.values)-before)
		},
		save: func(dst []byte, s *sortedValues[T]) []byte {
			dst = binary.AppendUvarint(dst, uint64(len(s.values)))
			for _, x := range s.values {
				if dst = put(dst, x.v); l.weighted {
					dst = appendU64(dst, x.w)
				}
			}
			return dst
		},
		load: func(s *sortedValues[T], r *reader) error {
			for n := r.count(8); n > 0 && !r.bad; n-- {
				v, w := get(r), uint64(1)
				if l.weighted {
					w = r.u64()
				}
				s.push(v, w)
			}
			return nil
		},
		finish: func(out column.Builder, s *sortedValues[T]) error {
			s.arrange(l, func(a, b weightedValue[T]) int { return compare(a.v, b.v) })
			target := out
			if l.many {
				target = out.(*column.Array).Elem.(column.Builder)
			}
			for _, q := range l.levels {
				s.pushLevel(target, l, q)
			}
			if l.many {
				out.(*column.Array).EndValue()
			}
			return nil
		},
	}
}

// arrange brings the values that the levels ask for to their ranks; weighted ones are sorted.
func (s *sortedValues[T]) arrange(l exactLevels, compare func(a, b weightedValue[T]) int) {
	if s.sorted || len(s.values) == 0 {
		return
	}
	if l.weighted {
		slices.SortFunc(s.values, compare)
		s.sorted = true
		return
	}
	ranks := make([]int, len(l.levels))
	for i, q := range l.levels {
		ranks[i] = l.rank(len(s.values), q)
	}
	slices.Sort(ranks)
	from := 0
	for _, k := range ranks {
		if k >= from {
			selectRank(s.values[from:], k-from, compare)
			from = k + 1
		}
	}
}

// pushLevel appends the value at a level; of nothing NaN, or 0 where there is no NaN.
func (s *sortedValues[T]) pushLevel(out column.Builder, l exactLevels, q float64) {
	switch {
	case len(s.values) == 0:
		pushFloat(out, math.NaN())
	case l.weighted:
		push(out, s.weightedAt(q))
	default:
		push(out, s.values[l.rank(len(s.values), q)].v)
	}
}

// weightedAt is the first value up to which the weights reach the level's share of their sum.
func (s *sortedValues[T]) weightedAt(q float64) T {
	total, seen := uint64(0), uint64(0)
	for _, x := range s.values {
		total += x.w
	}
	want := uint64(math.Ceil(float64(total) * q))
	for _, x := range s.values {
		if seen += x.w; seen >= want {
			return x.v
		}
	}
	return s.values[len(s.values)-1].v
}
