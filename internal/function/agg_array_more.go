package function

import (
	"encoding/binary"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	moving := func(name, doc string, avg bool) *AggregateFamily {
		return &AggregateFamily{Name: name, MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveMoving(name, avg), Doc: doc, Example: name + "(2)(x) → [1,3]"}
	}
	registerAggregates(
		&AggregateFamily{Name: "groupArraySorted", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveGroupArraySorted,
			Doc: "Collects the least values, as many as the parameter says, in order.", Example: "groupArraySorted(2)(x) → [1,2]"},
		&AggregateFamily{Name: "groupArrayInsertAt", MinArgs: 2, MaxArgs: 2, Parametric: true, Resolve: resolveInsertAt,
			Doc: "Puts each value at the place of the second argument, from 0.", Example: "groupArrayInsertAt(x, i) → [0,7]"},
		moving("groupArrayMovingSum", "Returns the sum of each value and those before it, as many as the parameter says.", false),
		moving("groupArrayMovingAvg", "Returns the average of each value and those before it, as many as the parameter says.", true),
	)
}

func resolveGroupArraySorted(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) == 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Parameter for aggregate function groupArraySorted should have limit argument")
	}
	limit, err := sizeParam("groupArraySorted", params)
	if err != nil {
		return nil, err
	}
	t := args[0]
	f := collect(t, types.NewArray(t), 0, false, func(out column.Builder, s *values) error {
		a := out.(*column.Array)
		if s.v != nil {
			a.Elem.(column.Builder).AppendSelected(s.v, leastRows(s.v, limit))
		}
		a.EndValue()
		return nil
	}).(*fold[values])
	add, merge := f.add, f.merge
	f.add = func(s *foldStates[values], groups []uint32, args []column.Vector, n int) error {
		err := add(s, groups, args, n)
		for _, g := range groups {
			s.extra -= s.s[g].keepLeast(t, limit)
		}
		return err
	}
	f.merge = func(s *foldStates[values], a, b *values) {
		merge(s, a, b)
		s.extra -= a.keepLeast(t, limit)
	}
	return f, nil
}

// sortedSlack is how many times the limit a state may hold before it is cut back.
const sortedSlack = 4

// keepLeast cuts the values back to the least ones if they are many more, and returns the memory that became free.
func (s *values) keepLeast(t *types.Type, limit int) int64 {
	if s.v == nil || s.v.Len() < sortedSlack*limit {
		return 0
	}
	before := s.v.Bytes()
	kept := column.New(t, limit)
	kept.AppendSelected(s.v, leastRows(s.v, limit))
	s.v = kept
	return max(0, before-kept.Bytes())
}

// leastRows returns the rows of the least values, in order.
func leastRows(v column.Vector, limit int) []uint32 {
	rows := make([]uint32, v.Len())
	for i := range rows {
		rows[i] = uint32(i)
	}
	slices.SortStableFunc(rows, func(a, b uint32) int { return compareFields(v, int(a), v, int(b)) })
	return rows[:min(limit, len(rows))]
}

// placed is values by their place; v[i] stands at places[i].
type placed struct {
	v      column.Builder
	places map[uint32]uint32
}

// maxPlace bounds the array of groupArrayInsertAt: one value can ask for a whole array of blanks, which
// only takes its memory when the group is finished. ClickHouse's bound is 16 times this.
const maxPlace = 1 << 20

func (s *placed) put(t *types.Type, src column.Vector, i int, at uint64) error {
	if at >= maxPlace {
		return sqlerr.New(sqlerr.TooLargeArraySize, "Too large array size: position argument (%d) is greater or equals to limit (%d)", at, maxPlace)
	}
	if s.v == nil {
		s.v, s.places = column.New(t, 1), map[uint32]uint32{}
	}
	if _, taken := s.places[uint32(at)]; !taken {
		s.places[uint32(at)] = uint32(s.v.Len())
		s.v.AppendFrom(src, i)
	}
	return nil
}

// sorted returns the places in order.
func (s *placed) sorted() []uint32 {
	out := make([]uint32, 0, len(s.places))
	for at := range s.places {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}

func resolveInsertAt(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	t, size := args[0], uint64(0)
	if !args[1].IsUnsigned() || args[1].Width() > 8 {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Second argument of aggregate function groupArrayInsertAt must be unsigned integer")
	}
	blank := column.New(t, 1)
	blank.AppendDefault()
	if len(params) > 0 {
		v, err := Cast(env, params[0], t)
		if err != nil {
			return nil, err
		}
		blank.Truncate(0)
		blank.AppendFrom(v, 0)
	}
	if len(params) > 1 {
		var err error
		if size, err = wholeParam("groupArrayInsertAt", params[1]); err != nil {
			return nil, err
		}
	}
	if len(params) > 2 || size > maxPlace {
		return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function groupArrayInsertAt takes a default and a size of at most %d", maxPlace)
	}
	return foldPlaced(t, blank, size), nil
}

func foldPlaced(t *types.Type, blank column.Vector, size uint64) Aggregate {
	put := func(s *foldStates[placed], to *placed, src column.Vector, i int, at uint64) error {
		if size > 0 && at >= size {
			return nil
		}
		s.extra += 24 + int64(t.Width())
		return to.put(t, src, i, at)
	}
	return &fold[placed]{
		result: types.NewArray(t),
		add: func(s *foldStates[placed], groups []uint32, args []column.Vector, _ int) error {
			for i, at := range toBits(args[1]) {
				if err := put(s, &s.s[groups[i]], args[0], i, at); err != nil {
					return err
				}
			}
			return nil
		},
		merge: func(s *foldStates[placed], a, b *placed) {
			for _, at := range b.sorted() {
				if err := put(s, a, b.v, int(b.places[at]), uint64(at)); err != nil {
					panic(err) // b's places are within bounds
				}
			}
		},
		save: func(dst []byte, s *placed) []byte {
			for _, at := range s.sorted() {
				dst = appendValue(binary.LittleEndian.AppendUint32(dst, at), s.v, int(s.places[at]))
			}
			return dst
		},
		load: func(s *placed, r *reader) error {
			one := column.New(t, 1)
			for len(r.b) > 0 && !r.bad {
				at := r.uint(4)
				one.Truncate(0)
				if readValue(one, r); !r.bad && s.put(t, one, 0, at) != nil {
					r.fail()
				}
			}
			return nil
		},
		finish: func(out column.Builder, s *placed) error {
			a := out.(*column.Array)
			elem, next := a.Elem.(column.Builder), uint64(0)
			for _, at := range s.sorted() {
				for ; next < uint64(at); next++ {
					elem.AppendFrom(blank, 0)
				}
				elem.AppendFrom(s.v, int(s.places[at]))
				next++
			}
			for ; next < size; next++ {
				elem.AppendFrom(blank, 0)
			}
			a.EndValue()
			return nil
		},
	}
}

func resolveMoving(name string, avg bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		window, err := sizeParam(name, params)
		if err != nil {
			return nil, err
		}
		t := args[0]
		sum, err := resolveSum(env, nil, args)
		if err != nil {
			return nil, badArg(name, t)
		}
		elem := sum.Result()
		if avg && elem.Kind != types.Decimal {
			elem = types.TFloat64
		}
		return collect(t, types.NewArray(elem), 0, false, func(out column.Builder, s *values) error {
			a := out.(*column.Array)
			if s.v != nil {
				movingSums(a.Elem.(column.Builder), s.v, window, avg)
			}
			a.EndValue()
			return nil
		}), nil
	}
}

// movingSums appends for each value the sum over the window that ends there (0: over all), or its average.
func movingSums(out column.Builder, v column.Vector, window int, avg bool) {
	n := v.Len()
	size := window
	if size == 0 {
		size = n
	}
	switch o := out.(type) {
	case *column.Num[float64]:
		sum, xs := 0.0, toFloats(v)
		sums := make([]float64, n)
		for i, x := range xs {
			sum += x
			sums[i] = sum
		}
		for i := range sums {
			x := sums[i]
			if i >= size {
				x -= sums[i-size]
			}
			if avg {
				x /= float64(size)
			}
			o.Data = append(o.Data, x)
		}
	case *column.Num[types.I128], *column.Num[types.U128], *column.Num[types.I256], *column.Num[types.U256]:
		sums, sum := make([]types.I256, n), types.I256{}
		for i, x := range widesOf(v) {
			sum = sum.Add(x)
			sums[i] = sum
		}
		for i, x := range sums {
			if i >= size {
				x = x.Sub(sums[i-size])
			}
			if avg {
				x = wideOf(x.Float64() / float64(size))
			}
			pushWide(out, x)
		}
	default:
		sum, sums := uint64(0), make([]uint64, n)
		for i, x := range toBits(v) {
			sum += x
			sums[i] = sum
		}
		for i, x := range sums {
			if i >= size {
				x -= sums[i-size]
			}
			pushBits(out, x)
		}
	}
}
