package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "analysisOfVariance", Aliases: []string{"anova"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveVarianceAnalysis,
			Doc: "Tests whether groups, numbered by the second argument, have equal means (one-way analysis of variance): the F statistic and its p-value.", Example: "analysisOfVariance(x, g) → (0.25,0.63)"},
		&AggregateFamily{Name: "categoricalInformationValue", MinArgs: 2, MaxArgs: -1, Resolve: resolveInformationValue,
			Doc: "Returns for each of some conditions how much it tells of the last argument (information value).", Example: "categoricalInformationValue(a, b, target) → [0.83,0]"},
	)
}

// groupMoments is the number of values of each group, their sum and that of their squares.
type groupMoments struct{ n, x, xx []float64 }

// maxVarianceGroups is how many groups there may be, as in ClickHouse.
const maxVarianceGroups = 1 << 20

// grow makes room for a number of groups and returns how many bytes that took.
func (g *groupMoments) grow(n int) int64 {
	if n <= len(g.n) {
		return 0
	}
	before := cap(g.n)
	for _, v := range []*[]float64{&g.n, &g.x, &g.xx} {
		*v = append(*v, make([]float64, n-len(*v))...)
	}
	return 24 * int64(cap(g.n)-before)
}

func resolveVarianceAnalysis(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "analysisOfVariance"
	if !args[0].IsNumeric() {
		return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s only supports numerical argument types", name)
	}
	if t := args[1]; !t.IsUnsigned() || t.Width() > 8 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second argument of aggregate function %s should be a native unsigned integer", name)
	}
	return &fold[groupMoments]{
		result: testResult("f_statistic", false),
		add: func(s *foldStates[groupMoments], groups []uint32, args []column.Vector, _ int) error {
			of := toBits(args[1])
			for i, x := range toFloats(args[0]) {
				if of[i] >= maxVarianceGroups {
					return sqlerr.New(sqlerr.BadArguments, "Too many groups for analysis of variance (should be no more than %d, got %d)", maxVarianceGroups, of[i]+1)
				}
				g, k := &s.s[groups[i]], int(of[i])
				s.extra += g.grow(k + 1)
				g.n[k]++
				g.x[k] += x
				g.xx[k] += x * x
			}
			return nil
		},
		merge: func(s *foldStates[groupMoments], a, b *groupMoments) {
			s.extra += a.grow(len(b.n))
			for k := range b.n {
				a.n[k] += b.n[k]
				a.x[k] += b.x[k]
				a.xx[k] += b.xx[k]
			}
		},
		save: func(dst []byte, s *groupMoments) []byte {
			for k := range s.n {
				dst = appendF64(appendF64(appendF64(dst, s.n[k]), s.x[k]), s.xx[k])
			}
			return dst
		},
		load: func(s *groupMoments, r *reader) error {
			if len(r.b) > 24*maxVarianceGroups {
				r.fail()
			}
			for len(r.b) > 0 {
				s.n, s.x, s.xx = append(s.n, r.f64()), append(s.x, r.f64()), append(s.xx, r.f64())
			}
			return nil
		},
		finish: func(out column.Builder, s *groupMoments) error { return s.finish(out) },
	}, nil
}

func (g *groupMoments) finish(out column.Builder) error {
	count, sum := 0.0, 0.0
	for k, n := range g.n {
		count += n
		sum += g.x[k]
	}
	groups := float64(len(g.n))
	switch {
	case groups == 1:
		return sqlerr.New(sqlerr.BadArguments, "There should be more than one group to calculate f-statistics")
	case groups == count:
		return sqlerr.New(sqlerr.BadArguments, "There is only one observation in each group")
	}
	between, within := 0.0, 0.0
	for k, n := range g.n {
		if n == 0 {
			return sqlerr.New(sqlerr.BadArguments, "There is no observations for group %d", k)
		}
		away := g.x[k]/n - sum/count
		between += n * away * away
		within += squaredSpread(n, g.x[k], g.xx[k])
	}
	f := between * (count - groups) / (within * (groups - 1))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		pushTuple(out, math.NaN(), math.NaN())
		return nil
	}
	pushTuple(out, f, probability(1-fisherCDF(f, groups-1, count-groups)))
	return nil
}

// yesNo counts the rows on which each condition holds, by the target; the last are those of all rows.
type yesNo struct{ no, yes []uint64 }

func resolveInformationValue(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "categoricalInformationValue"
	for _, t := range args {
		if t.Kind != types.UInt8 && t.Kind != types.Bool {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "All the arguments of aggregate function %s should be UInt8", name)
		}
	}
	width := len(args)
	return &fold[yesNo]{
		result: types.NewArray(types.TFloat64),
		add: func(s *foldStates[yesNo], groups []uint32, args []column.Vector, n int) error {
			target := data[uint8](args[width-1])
			for k := range width {
				for i := range n {
					if k < width-1 && data[uint8](args[k])[i] == 0 {
						continue
					}
					c := &s.s[groups[i]]
					s.extra += c.grow(width)
					if target[i] != 0 {
						c.yes[k]++
					} else {
						c.no[k]++
					}
				}
			}
			return nil
		},
		merge: func(s *foldStates[yesNo], a, b *yesNo) {
			if b.no == nil {
				return
			}
			s.extra += a.grow(width)
			for k := range width {
				a.no[k] += b.no[k]
				a.yes[k] += b.yes[k]
			}
		},
		save: func(dst []byte, s *yesNo) []byte {
			for k := range s.no {
				dst = appendU64(appendU64(dst, s.no[k]), s.yes[k])
			}
			return dst
		},
		load: func(s *yesNo, r *reader) error {
			if len(r.b) == 0 {
				return nil
			}
			s.grow(width)
			for k := range width {
				s.no[k], s.yes[k] = r.u64(), r.u64()
			}
			return nil
		},
		finish: func(out column.Builder, s *yesNo) error {
			s.grow(width)
			a := out.(*column.Array)
			allNo, allYes := float64(s.no[width-1]), float64(s.yes[width-1])
			for k := range width - 1 {
				no, yes := float64(s.no[k])/allNo, float64(s.yes[k])/allYes
				push(a.Elem.(column.Builder), (no-yes)*math.Log(no/yes))
			}
			a.EndValue()
			return nil
		},
	}, nil
}

// grow makes the counters and returns how many bytes that took.
func (c *yesNo) grow(width int) int64 {
	if c.no != nil {
		return 0
	}
	c.no, c.yes = make([]uint64, width), make([]uint64, width)
	return 16 * int64(width)
}
