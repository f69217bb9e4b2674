package function

import (
	"cmp"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "largestTriangleThreeBuckets", Aliases: []string{"lttb"}, MinArgs: 2, MaxArgs: 2, Parametric: true, Resolve: resolveTriangles,
			Doc: "Returns so many of the points that a line through them looks as one through all.", Example: "largestTriangleThreeBuckets(4)(x, y) → [(0,0),(2,4),(7,0),(9,4)]"},
		&AggregateFamily{Name: "sparkbar", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveSparkbar,
			Doc: "Draws y over x as bars, as many as the first parameter says; from the second to the third, if given.", Example: "sparkbar(5)(x, y) → ▁▃▄▆█"},
	)
}

// point is a pair of numbers.
type point struct{ x, y float64 }

type points []point

// foldPoints collects points.
func foldPoints(result *types.Type, read func(v column.Vector) []float64, finish func(out column.Builder, p points)) Aggregate {
	return &fold[points]{
		result: result,
		add: func(s *foldStates[points], groups []uint32, args []column.Vector, _ int) error {
			ys := read(args[1])
			for i, x := range read(args[0]) {
				p := &s.s[groups[i]]
				before := cap(*p)
				*p = append(*p, point{x, ys[i]})
				s.extra += 16 * int64(cap(*p)-before)
			}
			return nil
		},
		merge: func(s *foldStates[points], a, b *points) {
			before := cap(*a)
			*a = append(*a, *b...)
			s.extra += 16 * int64(cap(*a)-before)
		},
		save: func(dst []byte, s *points) []byte {
			for _, p := range *s {
				dst = appendF64(appendF64(dst, p.x), p.y)
			}
			return dst
		},
		load: func(s *points, r *reader) error {
			for len(r.b) > 0 {
				*s = append(*s, point{r.f64(), r.f64()})
			}
			return nil
		},
		finish: func(out column.Builder, s *points) error { finish(out, *s); return nil },
	}
}

func resolveTriangles(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "largestTriangleThreeBuckets"
	if len(params) != 1 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s requires one parameter", name)
	}
	n, err := wholeParam(name, params[0])
	if err != nil {
		return nil, err
	}
	ends := make([]*types.Type, 2)
	for i, t := range args {
		switch {
		case t.IsInteger() && t.Width() <= 8, t.IsFloat():
			ends[i] = types.TFloat64
		case t.IsDateOrTime():
			ends[i] = t
		default:
			return nil, badArg(name, t)
		}
	}
	return foldPoints(types.NewArray(types.NewTuple(ends, nil)), unscaled, func(out column.Builder, p points) {
		a := out.(*column.Array)
		t := a.Elem.(*column.Tuple)
		for _, q := range p.reduce(int(min(n, uint64(len(p))))) {
			pushFloat(t.Elems[0].(column.Builder), q.x)
			pushFloat(t.Elems[1].(column.Builder), q.y)
			t.N++
		}
		a.EndValue()
	}), nil
}

// reduce keeps the first and the last point and of each bucket between them the one that makes the largest triangle with the
// one kept before and the middle of the next bucket.
func (p points) reduce(n int) points {
	slices.SortStableFunc(p, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	if n >= len(p) || n < 1 {
		return p[:min(len(p), max(n, 0))]
	}
	if n <= 2 {
		return append(points{p[0]}, p[len(p)-1:]...)[:n]
	}
	size := float64(len(p)-2) / float64(n-2)
	edge := func(i int) int { return min(1+int(math.Floor(size*float64(i))), len(p)) }
	out := points{p[0]}
	for i := range n - 2 {
		last := out[len(out)-1]
		next := p[edge(i+1):edge(i+2)]
		if len(next) == 0 {
			next = p[len(p)-1:]
		}
		var mid point
		for _, q := range next {
			mid.x, mid.y = mid.x+q.x/float64(len(next)), mid.y+q.y/float64(len(next))
		}
		best, area := p[edge(i)], -1.0
		for _, q := range p[edge(i):edge(i+1)] {
			if a := math.Abs(0.5 * ((last.x-mid.x)*(q.y-last.y) - (last.x-q.x)*(mid.y-last.y))); a > area {
				best, area = q, a
			}
		}
		out = append(out, best)
	}
	return append(out, p[len(p)-1])
}

// sparkLevels are the bars by height.
var sparkLevels = []rune("▁▂▃▄▅▆▇█")

// maxSparkbar is the most bars, as in ClickHouse.
const maxSparkbar = 1024

func resolveSparkbar(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	if len(params) != 1 && len(params) != 3 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "The number of params does not match for aggregate function 'sparkbar', expected 1 or 3, got %d", len(params))
	}
	if t := args[0]; !(t.IsUnsigned() && t.Width() <= 8) && t.Kind != types.Date && t.Kind != types.DateTime {
		return nil, badArg("sparkbar", t)
	}
	if t := args[1]; !t.IsNumeric() || t.Width() > 8 {
		return nil, badArg("sparkbar", t)
	}
	width, err := wholeParam("sparkbar", params[0])
	if err != nil {
		return nil, err
	}
	if width < 2 || width > maxSparkbar {
		return nil, sqlerr.New(sqlerr.BadArguments, "Parameter width of sparkbar must be in range [2, %d]", maxSparkbar)
	}
	s := sparkbar{width: int(width), whole: args[1].IsInteger(), to: math.Inf(1)}
	if len(params) == 3 {
		s.ranged = true
		s.from, s.to = unscaled(column.Flatten(params[1]))[0], unscaled(column.Flatten(params[2]))[0]
		if s.from >= s.to {
			return nil, sqlerr.New(sqlerr.BadArguments, "Parameter min_x should be less than max_x in sparkbar")
		}
	}
	return foldPoints(types.TString, unscaled, func(out column.Builder, p points) {
		b := out.(*column.Str)
		b.Data = s.draw(b.Data, p)
		b.EndValue()
	}), nil
}

// sparkbar is how a drawing is to be.
type sparkbar struct {
	width    int
	from, to float64
	ranged   bool
	whole    bool // y are integers, and so are averages
}

func (s sparkbar) draw(dst []byte, p points) []byte {
	at := map[float64]float64{}
	from, to := math.Inf(1), math.Inf(-1)
	for _, q := range p {
		if q.x >= s.from && q.x <= s.to && !math.IsInf(q.x, 0) && q.y == q.y && !math.IsInf(q.y, 0) {
			at[q.x] += q.y
			from, to = min(from, q.x), max(to, q.x)
		}
	}
	if len(at) == 0 {
		return dst
	}
	if s.ranged {
		from, to = s.from, s.to
	}
	bars := s.bars(at, from, to)
	highest := slices.Max(bars)
	for _, y := range bars {
		if !(y > 0) {
			dst = append(dst, ' ')
			continue
		}
		level := y*float64(len(sparkLevels)-1)/highest + 1
		dst = append(dst, string(sparkLevels[max(0, min(int(level), len(sparkLevels))-1)])...)
	}
	return dst
}

// bars is the height of each bar: the average of the values that fall into its part of the range.
func (s sparkbar) bars(at map[float64]float64, from, to float64) []float64 {
	sum, n := make([]float64, s.width), make([]float64, s.width)
	for x, y := range at {
		bar := max(0, min(int((x-from)*float64(s.width)/(to-from+1)), s.width-1))
		if y > 0 {
			sum[bar] += y
			n[bar]++
		}
	}
	for i := range sum {
		if n[i] > 0 {
			if sum[i] /= n[i]; s.whole {
				sum[i] = math.Floor(sum[i])
			}
		}
	}
	return sum
}
