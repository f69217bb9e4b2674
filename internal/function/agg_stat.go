package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	one := func(name, doc string, finish func(m *moments) float64, aliases ...string) *AggregateFamily {
		return &AggregateFamily{Name: name, Aliases: aliases, MinArgs: 1, MaxArgs: 1, EmptyNull: true, CaseInsensitive: len(aliases) > 0,
			Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
				return foldMoments(name, finish, args)
			},
			Doc: doc, Example: name + "(x) → 1"}
	}
	two := func(name, doc string, finish func(m *moments) float64, aliases ...string) *AggregateFamily {
		f := one(name, doc, finish, aliases...)
		f.MinArgs, f.MaxArgs = 2, 2
		f.CaseInsensitive = len(aliases) > 0 || name == "corr"
		return f
	}
	registerAggregates(
		one("varPop", "Returns the variance of the population.", func(m *moments) float64 { return m.xx / m.n }, "VAR_POP"),
		one("varSamp", "Returns the variance of the sample.", func(m *moments) float64 { return sampled(m.xx, m.n) }, "VAR_SAMP", "VARIANCE"),
		one("stddevPop", "Returns the standard deviation of the population.", func(m *moments) float64 { return math.Sqrt(m.xx / m.n) }, "STDDEV_POP", "STD", "STDDEV"),
		one("stddevSamp", "Returns the standard deviation of the sample.", func(m *moments) float64 { return math.Sqrt(sampled(m.xx, m.n)) }, "STDDEV_SAMP"),
		two("covarPop", "Returns the covariance of the population.", func(m *moments) float64 { return m.xy / m.n }, "COVAR_POP"),
		two("covarSamp", "Returns the covariance of the sample.", func(m *moments) float64 { return sampled(m.xy, m.n) }, "COVAR_SAMP"),
		two("corr", "Returns Pearson's correlation.", func(m *moments) float64 { return m.xy / math.Sqrt(m.xx*m.yy) }),
	)
	for name, order := range map[string]int{"skewPop": 3, "skewSamp": 3, "kurtPop": 4, "kurtSamp": 4} {
		registerAggregates(higherMoment(name, order))
	}
}

func sampled(sum, n float64) float64 {
	if n < 2 {
		return math.NaN()
	}
	return sum / (n - 1)
}

// moments is Welford's running sums of squares: they stay exact where sums of squares cancel.
type moments struct{ n, mx, my, xx, yy, xy float64 }

func (m *moments) add(x, y float64) {
	m.n++
	dx, dy := x-m.mx, y-m.my
	m.mx += dx / m.n
	m.my += dy / m.n
	m.xx += dx * (x - m.mx)
	m.yy += dy * (y - m.my)
	m.xy += dx * (y - m.my)
}

func (m *moments) merge(b *moments) {
	if b.n == 0 {
		return
	}
	if m.n == 0 {
		*m = *b
		return
	}
	n := m.n + b.n
	dx, dy, w := b.mx-m.mx, b.my-m.my, m.n*b.n/n
	m.xx += b.xx + dx*dx*w
	m.yy += b.yy + dy*dy*w
	m.xy += b.xy + dx*dy*w
	m.mx += dx * b.n / n
	m.my += dy * b.n / n
	m.n = n
}

func foldMoments(name string, finish func(*moments) float64, args []*types.Type) (Aggregate, error) {
	for _, t := range args {
		if !t.IsNumeric() {
			return nil, badArg(name, t)
		}
	}
	return &fold[moments]{
		result: types.TFloat64,
		add: func(s *foldStates[moments], groups []uint32, args []column.Vector, _ int) error {
			xs := toFloats(args[0])
			ys := xs
			if len(args) == 2 {
				ys = toFloats(args[1])
			}
			for i, x := range xs {
				s.s[groups[i]].add(x, ys[i])
			}
			return nil
		},
		merge: func(_ *foldStates[moments], a, b *moments) { a.merge(b) },
		save: func(dst []byte, s *moments) []byte {
			for _, x := range []float64{s.n, s.mx, s.my, s.xx, s.yy, s.xy} {
				dst = appendF64(dst, x)
			}
			return dst
		},
		load: func(s *moments, r *reader) error {
			for _, x := range []*float64{&s.n, &s.mx, &s.my, &s.xx, &s.yy, &s.xy} {
				*x = r.f64()
			}
			return nil
		},
		finish: func(out column.Builder, s *moments) error { push(out, finish(s)); return nil },
	}, nil
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
		mean := p[1] / n
		variance := (p[2] - p[1]*mean) / n
		if samp {
			variance = variance * n / (n - 1)
		}
		if variance <= 0 {
			return math.NaN()
		}
		if order == 3 {
			m3 := (p[3] - mean*(3*p[2]-2*n*mean*mean)) / n
			return m3 / math.Pow(variance, 1.5)
		}
		m4 := (p[4] - mean*(4*p[3]-mean*(6*p[2]-3*n*mean*mean))) / n
		return m4 / (variance * variance)
	}
	return &AggregateFamily{Name: name, MinArgs: 1, MaxArgs: 1, EmptyNull: true, Doc: "Returns the " + map[int]string{3: "skewness", 4: "kurtosis"}[order] + ".", Example: name + "(x) → 0",
		Resolve: func(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
			if !args[0].IsNumeric() {
				return nil, badArg(name, args[0])
			}
			return foldPowers(finish), nil
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
