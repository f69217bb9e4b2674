package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "deltaSum", MinArgs: 1, MaxArgs: 1, Resolve: resolveDeltaSum,
			Doc: "Adds the rises between consecutive rows; falls do not count.", Example: "deltaSum(x) → 5"},
		&AggregateFamily{Name: "deltaSumTimestamp", MinArgs: 2, MaxArgs: 2, Resolve: resolveDeltaSumTimestamp,
			Doc: "Adds the rises between consecutive rows, and puts partial sums in the order of the second argument.", Example: "deltaSumTimestamp(x, t) → 5"},
		&AggregateFamily{Name: "boundingRatio", MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveBoundingRatio,
			Doc: "Returns the slope between the points of the least and the greatest x.", Example: "boundingRatio(x, y) → 2"},
		&AggregateFamily{Name: "simpleLinearRegression", MinArgs: 2, MaxArgs: 2, Resolve: resolveRegression,
			Doc: "Fits a line to points: its slope and where it cuts the axis.", Example: "simpleLinearRegression(x, y) → (2,1)"},
	)
}

// rises is the sum of the rises of a run of rows, its ends, and the times of those.
type rises[T number] struct {
	sum, first, last T
	from, to         float64
	has              bool
}

func (s *rises[T]) add(x T, at float64) {
	if s.has && x > s.last {
		s.sum += x - s.last
	}
	if !s.has {
		s.first, s.from, s.has = x, at, true
	}
	s.last, s.to = x, at
}

// merge puts b behind s, or before it if timed and b is the earlier.
func (s *rises[T]) merge(b *rises[T], timed bool) {
	switch {
	case !b.has:
		return
	case !s.has:
		*s = *b
		return
	case timed && (b.to < s.from || b.to == s.from && (b.to < s.to || b.from < s.from)):
		*s, *b = *b, *s
	}
	if b.first > s.last {
		s.sum += b.first - s.last
	}
	s.sum += b.sum
	s.last, s.to = b.last, b.to
}

func resolveDeltaSum(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	return riseOf("deltaSum", args)
}

func resolveDeltaSumTimestamp(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	if t := args[1]; t.Width() > 8 || !t.IsInteger() && !t.IsFloat() && !t.IsDateOrTime() {
		return nil, badArg("deltaSumTimestamp", t)
	}
	return riseOf("deltaSumTimestamp", args)
}

func riseOf(name string, args []*types.Type) (Aggregate, error) {
	t, timed := args[0], len(args) == 2
	if !t.IsInteger() && !t.IsFloat() {
		return nil, badArg(name, t)
	}
	switch t.Phys() {
	case types.PUInt8:
		return foldRises[uint8](t, timed), nil
	case types.PUInt16:
		return foldRises[uint16](t, timed), nil
	case types.PUInt32:
		return foldRises[uint32](t, timed), nil
	case types.PUInt64:
		return foldRises[uint64](t, timed), nil
	case types.PInt8:
		return foldRises[int8](t, timed), nil
	case types.PInt16:
		return foldRises[int16](t, timed), nil
	case types.PInt32:
		return foldRises[int32](t, timed), nil
	case types.PInt64:
		return foldRises[int64](t, timed), nil
	case types.PFloat32:
		return foldRises[float32](t, timed), nil
	case types.PFloat64:
		return foldRises[float64](t, timed), nil
	}
	return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal type %s of argument for aggregate function %s", t, name)
}

func foldRises[T number](t *types.Type, timed bool) Aggregate {
	return &fold[rises[T]]{
		result: t,
		add: func(s *foldStates[rises[T]], groups []uint32, args []column.Vector, _ int) error {
			if len(args) == 1 {
				for i, x := range data[T](args[0]) {
					s.s[groups[i]].add(x, 0)
				}
				return nil
			}
			at := toFloats(args[1])
			for i, x := range data[T](args[0]) {
				s.s[groups[i]].add(x, at[i])
			}
			return nil
		},
		merge: func(_ *foldStates[rises[T]], a, b *rises[T]) { a.merge(b, timed) },
		save: func(dst []byte, s *rises[T]) []byte {
			if !s.has {
				return append(dst, 0)
			}
			dst = appendNumber(appendNumber(appendNumber(append(dst, 1), s.sum), s.first), s.last)
			return appendF64(appendF64(dst, s.from), s.to)
		},
		load: func(s *rises[T], r *reader) error {
			if s.has = r.u8() == 1; s.has {
				s.sum, s.first, s.last = readNumber[T](r), readNumber[T](r), readNumber[T](r)
				s.from, s.to = r.f64(), r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *rises[T]) error { push(out, s.sum); return nil },
	}
}

// bounds is the points of the least and the greatest x.
type bounds struct {
	x0, y0, x1, y1 float64
	has            bool
}

func (s *bounds) add(x, y float64) {
	if !s.has || x < s.x0 {
		s.x0, s.y0 = x, y
	}
	if !s.has || x > s.x1 {
		s.x1, s.y1 = x, y
	}
	s.has = true
}

func resolveBoundingRatio(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	for _, t := range args {
		if !t.IsNumeric() {
			return nil, sqlerr.New(sqlerr.BadArguments, "Illegal types of arguments of aggregate function boundingRatio, must have number representation")
		}
	}
	return &fold[bounds]{
		result: types.TFloat64,
		add: func(s *foldStates[bounds], groups []uint32, args []column.Vector, _ int) error {
			ys := toFloats(args[1])
			for i, x := range toFloats(args[0]) {
				s.s[groups[i]].add(x, ys[i])
			}
			return nil
		},
		merge: func(_ *foldStates[bounds], a, b *bounds) {
			if b.has {
				a.add(b.x0, b.y0)
				a.add(b.x1, b.y1)
			}
		},
		save: func(dst []byte, s *bounds) []byte {
			if !s.has {
				return append(dst, 0)
			}
			return appendF64(appendF64(appendF64(appendF64(append(dst, 1), s.x0), s.y0), s.x1), s.y1)
		},
		load: func(s *bounds, r *reader) error {
			if s.has = r.u8() == 1; s.has {
				s.x0, s.y0, s.x1, s.y1 = r.f64(), r.f64(), r.f64(), r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *bounds) error {
			if !s.has {
				push(out, math.NaN())
				return nil
			}
			push(out, (s.y1-s.y0)/(s.x1-s.x0))
			return nil
		},
	}, nil
}

func resolveRegression(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	for _, t := range args {
		if !t.IsInteger() && !t.IsFloat() {
			return nil, badArg("simpleLinearRegression", t)
		}
	}
	f := foldMoments[float64](nil, statCorr).(*fold[moments[float64]])
	f.result = types.NewTuple([]*types.Type{types.TFloat64, types.TFloat64}, []string{"k", "b"})
	f.finish = func(out column.Builder, m *moments[float64]) error {
		k, b := math.NaN(), math.NaN()
		if divisor := m.xx*m.n - m.x*m.x; m.n > 0 && divisor != 0 {
			k = (m.xy*m.n - m.x*m.y) / divisor
			b = (m.y - k*m.x) / m.n
		}
		t := out.(*column.Tuple)
		push(t.Elems[0].(column.Builder), k)
		push(t.Elems[1].(column.Builder), b)
		t.N++
		return nil
	}
	return f, nil
}
