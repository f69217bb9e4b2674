package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// stat is a statistic of moments.
type stat uint8

const (
	statVarPop stat = iota
	statVarSamp
	statStddevPop
	statStddevSamp
	statCovarPop
	statCovarSamp
	statCorr
)

func init() {
	for _, f := range []struct {
		name    string
		stat    stat
		args    int
		doc     string
		aliases []string
	}{
		{"varPop", statVarPop, 1, "Returns the variance of the population", []string{"VAR_POP"}},
		{"varSamp", statVarSamp, 1, "Returns the variance of the sample", []string{"VAR_SAMP"}},
		{"stddevPop", statStddevPop, 1, "Returns the standard deviation of the population", []string{"STDDEV_POP", "STD"}},
		{"stddevSamp", statStddevSamp, 1, "Returns the standard deviation of the sample", []string{"STDDEV_SAMP", "STDDEV"}},
		{"covarPop", statCovarPop, 2, "Returns the covariance of the population", []string{"COVAR_POP"}},
		{"covarSamp", statCovarSamp, 2, "Returns the covariance of the sample", []string{"COVAR_SAMP"}},
		{"corr", statCorr, 2, "Returns Pearson's correlation", nil},
	} {
		example := f.name + "(x) → 1"
		if f.args == 2 {
			example = f.name + "(x, y) → 1"
		}
		family := func(name, how string, resolve func(*Env, []column.Vector, []*types.Type) (Aggregate, error), aliases ...string) *AggregateFamily {
			return &AggregateFamily{Name: name, Aliases: aliases, CaseInsensitive: len(aliases) > 0 || name == "corr", MinArgs: f.args, MaxArgs: f.args,
				EmptyNull: true, Resolve: resolve, Doc: f.doc + how, Example: example}
		}
		registerAggregates(
			family(f.name, ", from the sums of the values and of their products.", resolveStat(f.name, f.stat), f.aliases...),
			family(f.name+"Stable", ", by an algorithm that stays exact where sums of squares cancel.", resolveStable(f.name+"Stable", f.stat)),
		)
	}
	for name, order := range map[string]int{"skewPop": 3, "skewSamp": 3, "kurtPop": 4, "kurtSamp": 4} {
		registerAggregates(higherMoment(name, order))
	}
}

// countsAsNumber: what statistics take: numbers, and Enums as theirs.
func countsAsNumber(t *types.Type) bool { return t.IsNumeric() || t.IsEnum() }

func checkStat(name string, args []*types.Type) error {
	for _, t := range args {
		if !countsAsNumber(t) {
			return badArg(name, t)
		}
	}
	return nil
}

func resolveStat(name string, k stat) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
		if err := checkStat(name, args); err != nil {
			return nil, err
		}
		for _, t := range args {
			if t.Kind != types.Float32 {
				return foldMoments[float64](types.TFloat64, k), nil
			}
		}
		return foldMoments[float32](types.TFloat32, k), nil
	}
}

// moments is the sums ClickHouse keeps, in its precision: Float32 stays Float32.
type moments[A float32 | float64] struct{ n, x, y, xx, yy, xy A }

func (m *moments[A]) add(x, y A) {
	m.n++
	m.x += x
	m.y += y
	m.xx += x * x
	m.yy += y * y
	m.xy += x * y
}

func (m *moments[A]) fields() [6]*A { return [6]*A{&m.n, &m.x, &m.y, &m.xx, &m.yy, &m.xy} }

// variance is at least 0: rounding errors, and NaN, come out as 0.
func (m *moments[A]) variance(over A) A {
	if v := (m.xx - m.x*m.x/m.n) / over; v > 0 {
		return v
	}
	return 0
}

func (m *moments[A]) result(k stat) A {
	nan := A(math.NaN())
	if m.n == 0 {
		return nan
	}
	over := m.n
	if k == statVarSamp || k == statStddevSamp || k == statCovarSamp {
		if over = m.n - 1; over == 0 {
			return nan
		}
	}
	switch k {
	case statVarPop, statVarSamp:
		return m.variance(over)
	case statStddevPop, statStddevSamp:
		return A(math.Sqrt(float64(m.variance(over))))
	case statCovarPop, statCovarSamp:
		return (m.xy - m.x*m.y/m.n) / over
	}
	return (m.n*m.xy - m.x*m.y) / A(math.Sqrt(float64((m.n*m.xx-m.x*m.x)*(m.n*m.yy-m.y*m.y))))
}

func foldMoments[A float32 | float64](result *types.Type, k stat) Aggregate {
	return &fold[moments[A]]{
		result: result,
		add: func(s *foldStates[moments[A]], groups []uint32, args []column.Vector, _ int) error {
			xs := toFloats(args[0])
			ys := xs
			if len(args) == 2 {
				ys = toFloats(args[1])
			}
			for i, x := range xs {
				s.s[groups[i]].add(A(x), A(ys[i]))
			}
			return nil
		},
		merge: func(_ *foldStates[moments[A]], a, b *moments[A]) {
			from := b.fields()
			for i, x := range a.fields() {
				*x += *from[i]
			}
		},
		save: func(dst []byte, s *moments[A]) []byte {
			for _, x := range s.fields() {
				dst = appendF64(dst, float64(*x))
			}
			return dst
		},
		load: func(s *moments[A], r *reader) error {
			for _, x := range s.fields() {
				*x = A(r.f64())
			}
			return nil
		},
		finish: func(out column.Builder, s *moments[A]) error { push(out, s.result(k)); return nil },
	}
}

// threeHalves is v to the power of 1.5, rounded once: the errors of the root and of the product are added back.
func threeHalves(v float64) float64 {
	root := math.Sqrt(v)
	product := v * root
	return product + (math.FMA(v, root, -product) + v*math.FMA(-root, root, v)/(2*root))
}

// powers is the sums of x, x², x³ and x⁴, as ClickHouse keeps them for skewness and kurtosis.
type powers [5]float64

func higherMoment(name string, order int) *AggregateFamily {
	samp := name == "skewSamp" || name == "kurtSamp"
	finish := func(p *powers) float64 {
		n := p[0]
		if n == 0 || samp && n < 2 {
			return math.NaN()
		}
		variance := (p[2] - p[1]*p[1]/n) / n
		if samp {
			variance = (p[2] - p[1]*p[1]/n) / (n - 1)
		}
		if !(variance > 0) {
			return math.NaN()
		}
		if order == 3 {
			return (p[3] - (3*p[2]-2*p[1]*p[1]/n)*p[1]/n) / n / threeHalves(variance)
		}
		return (p[4] - (4*p[3]-(6*p[2]-3*p[1]*p[1]/n)*p[1]/n)*p[1]/n) / n / (variance * variance)
	}
	return &AggregateFamily{Name: name, MinArgs: 1, MaxArgs: 1, EmptyNull: true, Doc: "Returns the " + map[int]string{3: "skewness", 4: "kurtosis"}[order] + ".", Example: name + "(x) → 0",
		Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
			if !countsAsNumber(args[0]) {
				return nil, badArg(name, args[0])
			}
			f := foldPowers(finish).(*fold[powers])
			if args[0].Kind == types.Float32 {
				f.result = types.TFloat32
				f.finish = func(out column.Builder, s *powers) error { push(out, float32(finish(s))); return nil }
			}
			return f, nil
		}}
}

func foldPowers(finish func(*powers) float64) Aggregate {
	return &fold[powers]{
		result: types.TFloat64,
		add: func(s *foldStates[powers], groups []uint32, args []column.Vector, _ int) error {
			for i, x := range toFloats(args[0]) {
				p := &s.s[groups[i]]
				p[0]++
				p[1] += x
				p[2] += x * x
				p[3] += x * x * x
				p[4] += x * x * x * x
			}
			return nil
		},
		merge: func(_ *foldStates[powers], a, b *powers) {
			for i := range a {
				a[i] += b[i]
			}
		},
		save: func(dst []byte, s *powers) []byte {
			for _, x := range s {
				dst = appendF64(dst, x)
			}
			return dst
		},
		load: func(s *powers, r *reader) error {
			for i := range s {
				s[i] = r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *powers) error { push(out, finish(s)); return nil },
	}
}
