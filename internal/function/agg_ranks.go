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
	registerAggregates(
		&AggregateFamily{Name: "mannWhitneyUTest", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveMannWhitney,
			Doc: "Tests by ranks whether two samples are of one distribution (Mann and Whitney): the statistic and its p-value. Parameters are the alternative, 'two-sided', 'less' or 'greater', and whether to correct for continuity.", Example: "mannWhitneyUTest('two-sided')(x, second) → (4,0.66)"},
		&AggregateFamily{Name: "kolmogorovSmirnovTest", MinArgs: 2, MaxArgs: 2, Parametric: true, EmptyNull: true, Resolve: resolveKolmogorovSmirnov,
			Doc: "Tests whether two samples are of one continuous distribution (Kolmogorov and Smirnov): the statistic and its p-value. Parameters are the alternative, 'two-sided', 'less' or 'greater', and the method, 'auto', 'exact' or 'asymp'.", Example: "kolmogorovSmirnovTest('less', 'exact')(x, second) → (0.25,0.8)"},
		&AggregateFamily{Name: "rankCorr", MinArgs: 2, MaxArgs: 2, EmptyNull: true, Resolve: resolveRankCorr,
			Doc: "Returns Spearman's correlation of ranks.", Example: "rankCorr(x, y) → 1"},
	)
}

// samples are the values of two samples.
type samples struct{ x, y []float64 }

// alternative is what a test holds against the two distributions being equal.
type alternative uint8

const (
	twoSided alternative = iota
	less
	greater
)

// checkNumbers: tests by ranks take numbers.
func checkNumbers(name string, args []*types.Type) error {
	for _, t := range args {
		if !t.IsNumeric() {
			return sqlerr.New(sqlerr.NotImplemented, "Aggregate function %s only supports numerical types, not %s", name, t)
		}
	}
	if name == "rankCorr" {
		return nil
	}
	return checkMark(name, args[1])
}

func readAlternative(name string, p column.Vector) (alternative, error) {
	text, ok := stringConst(p)
	if !ok {
		return 0, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function %s require first parameter to be a String", name)
	}
	switch text {
	case "two-sided":
		return twoSided, nil
	case "less":
		return less, nil
	case "greater":
		return greater, nil
	}
	return 0, sqlerr.New(sqlerr.BadArguments, "Unknown parameter in aggregate function %s. It must be one of: 'two-sided', 'less', 'greater'", name)
}

// foldSamples collects two samples, without NaN: split by the second argument, or that argument being the second one.
func foldSamples(result *types.Type, split bool, finish func(out column.Builder, s *samples) error) Aggregate {
	return &fold[samples]{
		result: result,
		add: func(s *foldStates[samples], groups []uint32, args []column.Vector, _ int) error {
			xs := toFloats(args[0])
			if split {
				second := isSecond(args[1])
				for i, x := range xs {
					if x != x { // NaN is of no sample
						continue
					}
					to := &s.s[groups[i]].x
					if second[i] {
						to = &s.s[groups[i]].y
					}
					s.extra += appendCounted(to, x)
				}
				return nil
			}
			for i, y := range toFloats(args[1]) {
				g := &s.s[groups[i]]
				if xs[i] == xs[i] {
					s.extra += appendCounted(&g.x, xs[i])
				}
				if y == y {
					s.extra += appendCounted(&g.y, y)
				}
			}
			return nil
		},
		merge: func(s *foldStates[samples], a, b *samples) {
			s.extra += appendCounted(&a.x, b.x...) + appendCounted(&a.y, b.y...)
		},
		save: func(dst []byte, s *samples) []byte {
			dst = binary.AppendUvarint(dst, uint64(len(s.x)))
			for _, x := range s.x {
				dst = appendF64(dst, x)
			}
			for _, y := range s.y {
				dst = appendF64(dst, y)
			}
			return dst
		},
		load: func(s *samples, r *reader) error {
			for n := r.count(8); n > 0; n-- {
				s.x = append(s.x, r.f64())
			}
			for len(r.b) > 0 {
				s.y = append(s.y, r.f64())
			}
			return nil
		},
		finish: finish,
	}
}

// appendCounted appends and returns how many bytes the memory has grown by.
func appendCounted(to *[]float64, xs ...float64) int64 {
	before := cap(*to)
	*to = append(*to, xs...)
	return 8 * int64(cap(*to)-before)
}

// ranks are the places of values in their order, from 1 on, equal ones sharing their mean; ties is 1 less the share of pairs that are equal.
func ranks(values []float64) (out []float64, ties float64) {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out = make([]float64, len(values))
	equal := 0.0
	for left := 0; left < len(order); {
		right := left + 1
		for right < len(order) && values[order[left]] == values[order[right]] {
			right++
		}
		for _, i := range order[left:right] {
			out[i] = float64(left+right+1) / 2
		}
		n := float64(right - left)
		equal += n*n*n - n
		left = right
	}
	n := float64(len(values))
	return out, 1 - equal/(n*n*n-n)
}

func resolveRankCorr(_ *Env, _ []column.Vector, args []*types.Type) (Aggregate, error) {
	if err := checkNumbers("rankCorr", args); err != nil {
		return nil, err
	}
	return foldSamples(types.TFloat64, false, func(out column.Builder, s *samples) error {
		rx, _ := ranks(s.x)
		ry, _ := ranks(s.y)
		size := min(len(rx), len(ry)) // they differ where NaN was left out
		sum, n := 0.0, float64(size)
		for i := range size {
			sum += (rx[i] - ry[i]) * (rx[i] - ry[i])
		}
		push(out, 1-sum*6/(n*(n*n-1)))
		return nil
	}), nil
}

func bothSamples(name string, s *samples) error {
	if len(s.x) == 0 || len(s.y) == 0 {
		return sqlerr.New(sqlerr.BadArguments, "Aggregate function %s require both samples to be non empty", name)
	}
	return nil
}

func resolveMannWhitney(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "mannWhitneyUTest"
	if len(params) > 2 {
		return nil, sqlerr.New(sqlerr.TooManyArgumentsForFunction, "Aggregate function %s require two parameter or less", name)
	}
	if err := checkNumbers(name, args); err != nil {
		return nil, err
	}
	against, correction := twoSided, 0.5
	if len(params) > 0 {
		var err error
		if against, err = readAlternative(name, params[0]); err != nil {
			return nil, err
		}
	}
	if len(params) > 1 {
		if !params[1].Type().IsUnsigned() {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function %s require second parameter to be a UInt64", name)
		}
		if toFloats(column.Flatten(params[1]))[0] == 0 {
			correction = 0
		}
	}
	return foldSamples(testResult("u_statistic", false), true, func(out column.Builder, s *samples) error {
		if err := bothSamples(name, s); err != nil {
			return err
		}
		u, p := s.mannWhitney(against, correction)
		pushTuple(out, u, probability(p))
		return nil
	}), nil
}

func (s *samples) mannWhitney(against alternative, correction float64) (u, p float64) {
	r, ties := ranks(slices.Concat(s.x, s.y))
	n1, n2, r1 := float64(len(s.x)), float64(len(s.y)), 0.0
	for _, x := range r[:len(s.x)] {
		r1 += x
	}
	u1 := n1*n2 + n1*(n1+1)/2 - r1
	u2 := n1*n2 - u1
	u = u2
	switch against {
	case twoSided:
		u = max(u1, u2)
	case less:
		u = u1
	}
	z := 0.0
	if sd := math.Sqrt(ties * n1 * n2 * (n1 + n2 + 1) / 12); sd > 0 { // else all values are equal
		z = (u - (n1*n2/2 + correction)) / sd
	}
	if against == twoSided {
		return u2, 2 - 2*normalCDF(math.Abs(z))
	}
	return u2, 1 - normalCDF(z)
}

// The methods of kolmogorovSmirnovTest. The exact one takes as many steps as there are pairs: auto takes it for samples of up to exactSamples
// values, and exactSteps is what it may take at all, about a minute.
const (
	exactSamples = 10_000
	exactSteps   = 20_000_000_000
)

func resolveKolmogorovSmirnov(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
	const name = "kolmogorovSmirnovTest"
	if len(params) > 2 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s require two parameter or less", name)
	}
	if err := checkNumbers(name, args); err != nil {
		return nil, err
	}
	against, method := twoSided, "auto"
	if len(params) > 0 {
		var err error
		if against, err = readAlternative(name, params[0]); err != nil {
			return nil, err
		}
	}
	if len(params) > 1 {
		var ok bool
		if method, ok = stringConst(params[1]); !ok {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function %s require second parameter to be a String", name)
		}
		if !slices.Contains([]string{"auto", "exact", "asymp", "asymptotic"}, method) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Unknown method in aggregate function %s. It must be one of: 'auto', 'exact', 'asymp' (or 'asymptotic')", name)
		}
	}
	return foldSamples(testResult("d_statistic", false), true, func(out column.Builder, s *samples) error {
		if err := bothSamples(name, s); err != nil {
			return err
		}
		d := s.distance(against)
		n, m := float64(min(len(s.x), len(s.y))), float64(max(len(s.x), len(s.y)))
		exact := method == "exact" && commonSteps(len(s.x), len(s.y)) < math.MaxInt32 || method == "auto" && m <= exactSamples
		if exact && n*m > exactSteps {
			return sqlerr.New(sqlerr.TooSlow, "The exact method of %s is too slow for samples of %d and %d values; use 'asymp'", name, len(s.x), len(s.y))
		}
		p := 0.0
		switch {
		case exact:
			p = exactDistance(d, n, m, against)
		case against == twoSided:
			p = 1 - kolmogorov(math.Sqrt(n*m/(n+m))*d)
		default:
			z := math.Sqrt(n*m/(n+m)) * d
			p = math.Exp(-2*z*z - 2*z*(m+2*n)/math.Sqrt(m*n*(m+n))/3)
		}
		pushTuple(out, d, probability(p))
		return nil
	}), nil
}

// commonSteps is the least common multiple of the sizes over their greatest common divisor.
func commonSteps(n, m int) float64 {
	a, b := n, m
	for b != 0 {
		a, b = b, a%b
	}
	return float64(n/a) * float64(m/a)
}

// sameValue is the distance up to which values of samples count as equal, as in ClickHouse.
const sameValue = 1e-7

// distance is the greatest distance of the empirical distributions, in the direction that the alternative names. It sorts the samples.
func (s *samples) distance(against alternative) float64 {
	slices.Sort(s.x)
	slices.Sort(s.y)
	highest, lowest, now := 0x1p-1022, math.MaxFloat64, 0.0
	dx, dy := 1/float64(len(s.x)), 1/float64(len(s.y))
	i, j := 0, 0
	for i < len(s.x) && j < len(s.y) {
		switch {
		case !(math.Abs(s.x[i]-s.y[j]) >= sameValue): // NaN is like everything, as in ClickHouse
			n, m := sameRun(s.x[i:]), sameRun(s.y[j:])
			now += dx * float64(n)
			now -= dy * float64(m)
			i, j = i+n, j+m
		case s.x[i] < s.y[j]:
			now += dx
			i++
		default:
			now -= dy
			j++
		}
		highest, lowest = max(highest, now), min(lowest, now)
	}
	now += dx*float64(len(s.x)-i) - dy*float64(len(s.y)-j)
	highest, lowest = max(highest, now), min(lowest, now)
	switch against {
	case less:
		return -lowest
	case greater:
		return highest
	}
	return max(math.Abs(highest), math.Abs(lowest))
}

// sameRun is how many values at the beginning count as equal to the first.
func sameRun(x []float64) int {
	n := 1
	for n < len(x) && math.Abs(x[n]-x[0]) <= sameValue {
		n++
	}
	return n
}

// exactDistance is the probability of a distance of d or more of two samples of n ≤ m values of one distribution: the share of the paths
// through their common order that reach it, counted step by step (Schröer and Trenkler; Viehmann).
func exactDistance(d, n, m float64, against alternative) float64 {
	limit := (0.5 + math.Floor(d*n*m-sameValue)) / (n * m)
	reached := func(r, s float64) bool {
		if against == twoSided {
			return math.Abs(r-s) >= limit
		}
		return r-s >= limit
	}
	c := make([]float64, int(m)+1)
	for j := 1; j <= int(m); j++ {
		c[j] = c[j-1]
		if reached(0, float64(j)/m) {
			c[j] = 1
		}
	}
	for i := 1; i <= int(n); i++ {
		share := float64(i) / n
		if reached(share, 0) {
			c[0] = 1
		}
		for j := 1; j <= int(m); j++ {
			if reached(share, float64(j)/m) {
				c[j] = 1
				continue
			}
			all := float64(i + j)
			c[j] = float64(i)/all*c[j] + float64(j)/all*c[j-1]
		}
	}
	return c[int(m)]
}

// kolmogorov is the limiting distribution of the scaled distance, to the tolerance that ClickHouse has.
func kolmogorov(z float64) float64 {
	if z < 1 {
		steps := int(math.Sqrt(2 - math.Log(sameValue)))
		at, w, sum := -(math.Pi/2*math.Pi/4)/(z*z), math.Log(z), 0.0
		for k := 1; k < steps; k += 2 {
			sum += math.Exp(float64(k*k)*at - w)
		}
		return sum / 0.398942280401432677939946059934 // 1/√(2π)
	}
	at, sign, before, sum := -2*z*z, -1.0, 0.0, 1.0
	for k := 1; math.Abs(before-sum) > sameValue; k++ {
		before = sum
		sum += 2 * sign * math.Exp(at*float64(k)*float64(k))
		sign = -sign
	}
	return sum
}
