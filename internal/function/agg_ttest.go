package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	registerAggregates(
		&AggregateFamily{Name: "studentTTest", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveTTest("studentTTest", (*samplePair).student),
			Doc: "Tests whether two samples of equal variance have equal means (Student's t-test): the statistic and its p-value, and with a confidence level the interval of the difference. A second argument other than 0 marks the second sample.", Example: "studentTTest(x, second) → (-0.67,0.55)"},
		&AggregateFamily{Name: "welchTTest", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveTTest("welchTTest", (*samplePair).welch),
			Doc: "Tests whether two samples have equal means (Welch's t-test), as studentTTest does for equal variances.", Example: "welchTTest(x, second) → (-0.71,0.54)"},
		&AggregateFamily{Name: "studentTTestOneSample", MinArgs: 0, MaxArgs: -1, Parametric: true, EmptyNull: true, Resolve: resolveOneSample,
			Doc: "Tests whether a sample has the mean that is the second argument.", Example: "studentTTestOneSample(x, 0) → (3,0.2)"},
		&AggregateFamily{Name: "meanZTest", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveZTest,
			Doc: "Tests whether two samples of known variances, the first two parameters, have equal means, and returns the interval of the difference at the confidence level, the third.", Example: "meanZTest(1., 1., 0.95)(x, second) → (-0.7,0.48,-3.8,1.8)"},
	)
}

// samplePair is the number of values of two samples, their sums and the sums of their squares.
type samplePair struct{ nx, ny, x, y, xx, yy float64 }

func (s *samplePair) fields() [6]*float64 {
	return [6]*float64{&s.nx, &s.ny, &s.x, &s.y, &s.xx, &s.yy}
}

// squaredSpread is the sum of the squared distances of n values from their mean, of their sum and that of their squares.
func squaredSpread(n, x, xx float64) float64 {
	mean := x / n
	return xx + n*mean*mean - 2*mean*x
}

// standardError is that of the difference of the means where variances may differ.
func (s *samplePair) standardError() float64 {
	return math.Sqrt(squaredSpread(s.nx, s.x, s.xx)/(s.nx-1)/s.nx + squaredSpread(s.ny, s.y, s.yy)/(s.ny-1)/s.ny)
}

// constant: the values of each sample are the same, but for rounding.
func (s *samplePair) constant() bool {
	const epsilon = 0x1p-52
	return s.standardError() < 10*epsilon*max(math.Abs(s.x/s.nx), math.Abs(s.y/s.ny))
}

// student is the statistic and its degrees of freedom; false: there are too few values.
func (s *samplePair) student() (t, freedom float64, ok bool) {
	if !(s.nx > 0 && s.ny > 0 && s.nx+s.ny > 2) || s.constant() {
		return 0, 0, false
	}
	freedom = s.nx + s.ny - 2
	variance := (squaredSpread(s.nx, s.x, s.xx) + squaredSpread(s.ny, s.y, s.yy)) / freedom
	return (s.x/s.nx - s.y/s.ny) / math.Sqrt(variance*(1/s.nx+1/s.ny)), freedom, true
}

// welch is student for samples of different variances.
func (s *samplePair) welch() (t, freedom float64, ok bool) {
	if !(s.nx > 1 && s.ny > 1) || s.constant() {
		return 0, 0, false
	}
	vx := squaredSpread(s.nx, s.x, s.xx) / (s.nx - 1) / s.nx
	vy := squaredSpread(s.ny, s.y, s.yy) / (s.ny - 1) / s.ny
	freedom = (vx + vy) * (vx + vy) / (vx*vx/(s.nx-1) + vy*vy/(s.ny-1))
	return (s.x/s.nx - s.y/s.ny) / s.standardError(), freedom, true
}

// isSecond tells which rows are of the second sample: those whose mark is not 0 once it is cut off to a whole number.
func isSecond(v column.Vector) []bool {
	marks := toFloats(v)
	out := make([]bool, len(marks))
	for i, x := range marks {
		out[i] = math.Trunc(x) != 0
	}
	return out
}

// checkMark refuses what is no whole number when it is cut off.
func checkMark(name string, t *types.Type) error {
	if t.Kind == types.Decimal {
		return sqlerr.New(sqlerr.NotImplemented, "A sample index of type %s is not supported by aggregate function %s", t, name)
	}
	return nil
}

// testResult is the type of the result of a test: a statistic of that name, its p-value, and an interval if there is one.
func testResult(statistic string, interval bool) *types.Type {
	names := []string{statistic, "p_value", "confidence_interval_low", "confidence_interval_high"}
	if !interval {
		names = names[:2]
	}
	elems := make([]*types.Type, len(names))
	for i := range elems {
		elems[i] = types.TFloat64
	}
	return types.NewTuple(elems, names)
}

// pushTuple appends a tuple of floats, as many as it has elements.
func pushTuple(out column.Builder, xs ...float64) {
	t := out.(*column.Tuple)
	for i, e := range t.Elems {
		push(e.(column.Builder), xs[i])
	}
	t.N++
}

// probability cuts off what rounding has added; NaN is 0, as in ClickHouse.
func probability(p float64) float64 {
	if !(p > 0) {
		return 0
	}
	return min(p, 1)
}

// testLevel reads the confidence level of a t-test, if there is one.
func testLevel(name string, params []column.Vector, args []*types.Type) (level float64, ok bool, err error) {
	if len(params) > 1 {
		return 0, false, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires zero or one parameter.", name)
	}
	if err := checkTestArgs(name, args); err != nil || len(params) == 0 {
		return 0, false, err
	}
	if level, err = floatParam(name, params[0]); err != nil {
		return 0, false, err
	}
	return level, true, checkLevel(name, level)
}

func checkTestArgs(name string, args []*types.Type) error {
	for _, t := range args {
		if !t.IsNumeric() {
			return sqlerr.New(sqlerr.BadArguments, "Aggregate function %s only supports numerical types", name)
		}
	}
	return nil
}

// floatParam reads a parameter that has to be written as a Float64 and be finite.
func floatParam(name string, p column.Vector) (float64, error) {
	if p.Type().Kind != types.Float64 {
		return 0, sqlerr.New(sqlerr.BadGet, "Bad get: has %s, requested Float64 in the parameters of %s", p.Type(), name)
	}
	x := toFloats(column.Flatten(p))[0]
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s requires finite parameter values.", name)
	}
	return x, nil
}

func checkLevel(name string, level float64) error {
	if level <= 0 || level >= 1 {
		return sqlerr.New(sqlerr.BadArguments, "Confidence level parameter must be between 0 and 1 in aggregate function %s.", name)
	}
	return nil
}

// pushTTest appends a t-test's result: the statistic, and the interval around the difference if there is a level.
func pushTTest(out column.Builder, t, freedom, difference, standardError, level float64, interval bool) error {
	p := math.NaN()
	if !math.IsNaN(t) && !math.IsInf(t, 0) {
		p = 2 * studentCDF(-math.Abs(t), freedom)
	} else {
		t = math.NaN()
	}
	if !interval {
		pushTuple(out, t, probability(p))
		return nil
	}
	if !(freedom > 0) || math.IsInf(freedom, 0) {
		return sqlerr.New(sqlerr.BadArguments, "Cannot calculate p_value, because the t-distribution has inappropriate value of degrees of freedom (=%v). It should be > 0", freedom)
	}
	reach := studentAbove((1-level)/2, freedom) * standardError
	pushTuple(out, t, probability(p), difference-reach, difference+reach)
	return nil
}

func resolveTTest(name string, test func(*samplePair) (t, freedom float64, ok bool)) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		level, interval, err := testLevel(name, params, args)
		if err == nil {
			err = checkMark(name, args[1])
		}
		if err != nil {
			return nil, err
		}
		return foldPair(testResult("t_statistic", interval), func(out column.Builder, s *samplePair) error {
			t, freedom, ok := test(s)
			if !ok {
				nan := math.NaN()
				pushTuple(out, nan, nan, nan, nan)
				return nil
			}
			return pushTTest(out, t, freedom, s.x/s.nx-s.y/s.ny, s.standardError(), level, interval)
		}), nil
	}
}

func foldPair(result *types.Type, finish func(out column.Builder, s *samplePair) error) Aggregate {
	return &fold[samplePair]{
		result: result,
		add: func(s *foldStates[samplePair], groups []uint32, args []column.Vector, _ int) error {
			second := isSecond(args[1])
			for i, x := range toFloats(args[0]) {
				p := &s.s[groups[i]]
				if second[i] {
					p.ny, p.y, p.yy = p.ny+1, p.y+x, p.yy+x*x
				} else {
					p.nx, p.x, p.xx = p.nx+1, p.x+x, p.xx+x*x
				}
			}
			return nil
		},
		merge: func(_ *foldStates[samplePair], a, b *samplePair) {
			from := b.fields()
			for i, x := range a.fields() {
				*x += *from[i]
			}
		},
		save: func(dst []byte, s *samplePair) []byte {
			for _, x := range s.fields() {
				dst = appendF64(dst, *x)
			}
			return dst
		},
		load: func(s *samplePair, r *reader) error {
			for _, x := range s.fields() {
				*x = r.f64()
			}
			return nil
		},
		finish: finish,
	}
}

func resolveZTest(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "meanZTest"
	if len(params) != 3 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires three parameter.", name)
	}
	if err := checkTestArgs(name, args); err != nil {
		return nil, err
	}
	if err := checkMark(name, args[1]); err != nil {
		return nil, err
	}
	var p [3]float64
	for i, v := range params {
		x, err := floatParam(name, v)
		if err != nil {
			return nil, err
		}
		p[i] = x
	}
	if p[0] < 0 || p[1] < 0 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Population variance parameters must be larger than or equal to zero in aggregate function %s.", name)
	}
	if err := checkLevel(name, p[2]); err != nil {
		return nil, err
	}
	above := normalAbove((1 - p[2]) / 2)
	return foldPair(testResult("z_statistic", true), func(out column.Builder, s *samplePair) error {
		difference := s.x/s.nx - s.y/s.ny
		standardError := math.Sqrt(p[0]/s.nx + p[1]/s.ny)
		z, chance := difference/standardError, math.NaN()
		if math.IsInf(z, 0) {
			z = math.NaN()
		}
		if z == z {
			chance = 2 * normalCDF(-math.Abs(z))
		}
		reach := above * standardError
		pushTuple(out, z, probability(chance), difference-reach, difference+reach)
		return nil
	}), nil
}

// oneSample is a sample, and the mean that it is compared with, that of the first row.
type oneSample struct{ n, x, xx, mean float64 }

func resolveOneSample(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "studentTTestOneSample"
	if len(args) != 2 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s requires two arguments: sample_data and population_mean.", name)
	}
	level, interval, err := testLevel(name, params, args)
	if err != nil {
		return nil, err
	}
	return &fold[oneSample]{
		result: testResult("t_statistic", interval),
		add: func(s *foldStates[oneSample], groups []uint32, args []column.Vector, _ int) error {
			means := toFloats(args[1])
			for i, x := range toFloats(args[0]) {
				o := &s.s[groups[i]]
				if o.n == 0 {
					o.mean = means[i]
				}
				o.n, o.x, o.xx = o.n+1, o.x+x, o.xx+x*x
			}
			return nil
		},
		merge: func(_ *foldStates[oneSample], a, b *oneSample) {
			if a.n == 0 {
				a.mean = b.mean
			}
			a.n, a.x, a.xx = a.n+b.n, a.x+b.x, a.xx+b.xx
		},
		save: func(dst []byte, s *oneSample) []byte {
			return appendF64(appendF64(appendF64(appendF64(dst, s.n), s.x), s.xx), s.mean)
		},
		load: func(s *oneSample, r *reader) error {
			s.n, s.x, s.xx, s.mean = r.f64(), r.f64(), r.f64(), r.f64()
			return nil
		},
		finish: func(out column.Builder, s *oneSample) error {
			const epsilon = 0x1p-52
			mean := s.x / s.n
			standardError := math.Sqrt(squaredSpread(s.n, s.x, s.xx) / (s.n - 1) / s.n)
			if !(s.n > 1) || standardError < 10*epsilon*max(math.Abs(mean), math.Abs(s.mean)) {
				nan := math.NaN()
				pushTuple(out, nan, nan, nan, nan)
				return nil
			}
			return pushTTest(out, (mean-s.mean)/standardError, s.n-1, mean, standardError, level, interval)
		},
	}, nil
}
