package function

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(&AggregateFamily{Name: "histogram", MinArgs: 1, MaxArgs: 1, Parametric: true, Resolve: resolveHistogram,
		Doc: "Returns at most so many bins that fit the values: from, to, height.", Example: "histogram(2)(x) → [(1,28.166666666666668,2.875),(28.166666666666668,60,2.125)]"})
}

// maxBins is the most bins of a histogram, as in ClickHouse.
const maxBins = 250

// bins are points of the distribution, merged where they are nearest when they become twice as many as the bins.
type bins struct {
	points    []centroid
	low, high float64
}

func (s *bins) add(c centroid, limit int) {
	if len(s.points) == 0 {
		s.low, s.high = c.mean, c.mean
	}
	s.low, s.high = min(s.low, c.mean), max(s.high, c.mean)
	if s.points = append(s.points, c); len(s.points) >= 2*limit {
		s.compress(limit)
	}
}

// compress merges the nearest neighbours until there are as many points as bins.
func (s *bins) compress(limit int) {
	slices.SortStableFunc(s.points, func(a, b centroid) int {
		switch {
		case a.mean < b.mean:
			return -1
		case a.mean > b.mean:
			return 1
		}
		return 0
	})
	s.points = joinEqual(s.points)
	for len(s.points) > limit {
		best := 0
		for i := 1; i+1 < len(s.points); i++ {
			if s.points[i+1].mean-s.points[i].mean < s.points[best+1].mean-s.points[best].mean {
				best = i
			}
		}
		l, r := s.points[best], s.points[best+1]
		n := l.count + r.count
		s.points[best] = centroid{l.mean + (r.mean-l.mean)*(r.count/n), n}
		s.points = slices.Delete(s.points, best+1, best+2)
	}
}

// joinEqual merges neighbours of the same mean.
func joinEqual(sorted []centroid) []centroid {
	out := sorted[:0]
	for _, c := range sorted {
		if n := len(out); n > 0 && out[n-1].mean == c.mean {
			out[n-1].count += c.count
			continue
		}
		out = append(out, c)
	}
	return out
}

// each calls f with the bins: each reaches to the middle between its point and the next, and the weight between two points is spread evenly.
func (s *bins) each(f func(from, to, height float64)) {
	p := s.points
	from := s.low
	for i, c := range p {
		to, height := s.high, c.count/2
		if i > 0 {
			height = (c.count + (p[i-1].count+c.count)/2) / 4
		}
		if i+1 < len(p) {
			to = (c.mean + p[i+1].mean) / 2
			height += (c.count + (p[i+1].count+c.count)/2) / 4
		} else {
			height += c.count / 2
		}
		f(from, to, height)
		from = to
	}
}

func resolveHistogram(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) != 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Function histogram requires single parameter: bins count")
	}
	if !params[0].Type().IsUnsigned() {
		return nil, sqlerr.New(sqlerr.UnsupportedParameter, "Invalid type for bins count")
	}
	n, err := wholeParam("histogram", params[0])
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Bin count must be greater than zero")
	}
	if n > maxBins {
		return nil, sqlerr.New(sqlerr.ParameterOutOfBound, "Unsupported bins count: %d, at most %d", n, maxBins)
	}
	if !args[0].IsNumeric() || args[0].Kind == types.Decimal {
		return nil, badArg("histogram", args[0])
	}
	return foldBins(int(n)), nil
}

func foldBins(limit int) Aggregate {
	f := types.TFloat64
	return &fold[bins]{
		result: types.NewArray(types.NewTuple([]*types.Type{f, f, f}, nil)),
		add: func(s *foldStates[bins], groups []uint32, args []column.Vector, _ int) error {
			for i, x := range toFloats(args[0]) {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					return sqlerr.New(sqlerr.IncorrectData, "Invalid value (inf or nan) for aggregation. Only finite values are allowed")
				}
				b := &s.s[groups[i]]
				before := cap(b.points)
				b.add(centroid{x, 1}, limit)
				s.extra += 16 * int64(cap(b.points)-before)
			}
			return nil
		},
		merge: func(s *foldStates[bins], a, b *bins) {
			if len(b.points) == 0 {
				return
			}
			before := cap(a.points)
			empty := len(a.points) == 0
			for _, c := range b.points {
				a.add(c, limit)
			}
			if empty {
				a.low, a.high = b.low, b.high
			}
			a.low, a.high = min(a.low, b.low), max(a.high, b.high)
			s.extra += 16 * int64(cap(a.points)-before)
		},
		save: func(dst []byte, s *bins) []byte {
			dst = binary.AppendUvarint(dst, uint64(len(s.points)))
			dst = appendF64(appendF64(dst, s.low), s.high)
			for _, c := range s.points {
				dst = appendF64(appendF64(dst, c.mean), c.count)
			}
			return dst
		},
		load: func(s *bins, r *reader) error {
			n := r.count(16)
			low, high := r.f64(), r.f64()
			for ; n > 0 && !r.bad; n-- {
				s.add(centroid{r.f64(), r.f64()}, limit)
			}
			s.low, s.high = low, high
			return nil
		},
		finish: func(out column.Builder, s *bins) error {
			a := out.(*column.Array)
			t := a.Elem.(*column.Tuple)
			s.compress(limit)
			s.each(func(from, to, height float64) {
				for k, x := range [...]float64{from, to, height} {
					push(t.Elems[k].(column.Builder), x)
				}
				t.N++
			})
			a.EndValue()
			return nil
		},
	}
}
