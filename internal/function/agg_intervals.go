package function

import (
	"cmp"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "intervalLengthSum", MinArgs: 2, MaxArgs: 2, Resolve: resolveIntervalLength,
			Doc: "Adds the lengths of intervals, what they share counted once.", Example: "intervalLengthSum(start, end) → 6"},
		&AggregateFamily{Name: "maxIntersections", MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveIntersections("maxIntersections", false),
			Doc: "Returns how many of the intervals overlap at most.", Example: "maxIntersections(start, end) → 2"},
		&AggregateFamily{Name: "maxIntersectionsPosition", MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveIntersections("maxIntersectionsPosition", true),
			Doc: "Returns where most of the intervals overlap first.", Example: "maxIntersectionsPosition(start, end) → 2"},
	)
}

// interval is from a start to before an end.
type interval[T number] struct{ from, to T }

// takesIntervals dispatches on the type of numbers of the ends, which are of one type.
func takesIntervals(name string, args []*types.Type, dates bool, of func(float bool, t *types.Type) Aggregate) (Aggregate, error) {
	for _, t := range args {
		if !(t.Width() <= 8 && (t.IsInteger() || t.IsFloat())) && !(dates && (t.IsDate() || t.Kind == types.DateTime)) {
			return nil, badArg(name, t)
		}
	}
	if args[0].Phys() != args[1].Phys() {
		return nil, badArg(name, args[1])
	}
	return of(args[0].IsFloat(), args[0]), nil
}

func resolveIntervalLength(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	return takesIntervals("intervalLengthSum", args, true, func(float bool, t *types.Type) Aggregate {
		switch {
		case float:
			return foldLengths(types.TFloat64, toFloats)
		case t.IsInteger() && t.IsUnsigned():
			return foldLengths(types.TUInt64, toBits)
		}
		return foldLengths(types.TUInt64, signed64)
	})
}

func signed64(v column.Vector) []int64 { return numsOf[int64](v) }

// intervals is those of a group.
type intervals[T number] []interval[T]

// union adds the lengths of what the intervals cover.
func (s intervals[T]) union() T {
	slices.SortFunc(s, func(a, b interval[T]) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var sum T
	for i := 0; i < len(s); {
		from, to := s[i].from, s[i].to
		for i++; i < len(s) && s[i].from <= to; i++ {
			to = max(to, s[i].to)
		}
		sum += to - from
	}
	return sum
}

// foldIntervals collects intervals; those that end before they begin are left out.
func foldIntervals[T number](result *types.Type, read func(column.Vector) []T, finish func(out column.Builder, s intervals[T])) Aggregate {
	return &fold[intervals[T]]{
		result: result,
		add: func(s *foldStates[intervals[T]], groups []uint32, args []column.Vector, _ int) error {
			ends := read(args[1])
			for i, from := range read(args[0]) {
				if !(from <= ends[i]) {
					continue
				}
				list := &s.s[groups[i]]
				before := cap(*list)
				*list = append(*list, interval[T]{from, ends[i]})
				s.extra += 16 * int64(cap(*list)-before)
			}
			return nil
		},
		merge: func(s *foldStates[intervals[T]], a, b *intervals[T]) {
			before := cap(*a)
			*a = append(*a, *b...)
			s.extra += 16 * int64(cap(*a)-before)
		},
		save: func(dst []byte, s *intervals[T]) []byte {
			for _, x := range *s {
				dst = appendNumber(appendNumber(dst, x.from), x.to)
			}
			return dst
		},
		load: func(s *intervals[T], r *reader) error {
			for len(r.b) > 0 && !r.bad {
				*s = append(*s, interval[T]{readNumber[T](r), readNumber[T](r)})
			}
			return nil
		},
		finish: func(out column.Builder, s *intervals[T]) error { finish(out, *s); return nil },
	}
}

func foldLengths[T number](result *types.Type, read func(column.Vector) []T) Aggregate {
	return foldIntervals(result, read, func(out column.Builder, s intervals[T]) {
		if sum := s.union(); result.IsFloat() {
			push(out, float64(sum))
		} else {
			push(out, uint64(sum))
		}
	})
}

func resolveIntersections(name string, position bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
		return takesIntervals(name, args, false, func(float bool, t *types.Type) Aggregate {
			result := types.TUInt64
			if position {
				result = t
			}
			switch {
			case float:
				return foldOverlaps(result, position, toFloats)
			case t.IsUnsigned():
				return foldOverlaps(result, position, toBits)
			}
			return foldOverlaps(result, position, signed64)
		})
	}
}

func foldOverlaps[T number](result *types.Type, position bool, read func(column.Vector) []T) Aggregate {
	return foldIntervals(result, read, func(out column.Builder, s intervals[T]) {
		most, at := s.overlap()
		switch {
		case !position:
			push(out, most)
		case result.IsFloat():
			pushFloat(out, float64(at))
		default:
			pushBits(out, uint64(at))
		}
	})
}

// overlap is how many intervals overlap at most, and where they begin to.
func (s intervals[T]) overlap() (most uint64, at T) {
	type end struct {
		at   T
		step int
	}
	ends := make([]end, 0, 2*len(s))
	for _, x := range s {
		ends = append(ends, end{x.from, 1}, end{x.to, -1})
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.step, b.step)) })
	open := 0
	for _, e := range ends {
		if open += e.step; open > int(most) {
			most, at = uint64(open), e.at
		}
	}
	return most, at
}
