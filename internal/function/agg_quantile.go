package function

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// quantiler collects values of one group and answers for levels 0..1.
type quantiler interface {
	add(x float64)
	merge(b quantiler)
	save(dst []byte) []byte
	load(r *reader)
	level(q float64) float64 // NaN of nothing
	bytes() int64
}

func init() {
	for _, k := range []struct {
		suffix, doc string
		args        int
		result      func(*types.Type) *types.Type // of an argument's type; nil if it is not taken
		make        func() quantiler
	}{
		{"", "by a reservoir of 8,192 values, interpolated", 1, quantileType, func() quantiler { return newReservoir() }},
		{"ExactInclusive", "exactly, interpolated so that 0 and 1 are the least and the greatest value", 1, floatQuantile, func() quantiler { return &exactValues{at: inclusive} }},
		{"ExactExclusive", "exactly, interpolated so that the least and the greatest value lie inside 0 and 1", 1, floatQuantile, func() quantiler { return &exactValues{at: exclusive} }},
		{"TDigest", "by a t-digest", 1, digestType, func() quantiler { return &tdigest{} }},
		{"Timing", "for times in milliseconds: exactly while few, then in steps of 16 from 1,024 to 30,000", 1, timingType, func() quantiler { return &timing{} }},
		{"TDigestWeighted", "of weighted values by a t-digest", 2, digestType, func() quantiler { return &tdigest{} }},
		{"TimingWeighted", "of weighted times in milliseconds, as quantileTiming does", 2, timingType, func() quantiler { return &timing{} }},
		{"InterpolatedWeighted", "of weighted values exactly, interpolated between them", 2, plainQuantile, func() quantiler { return &weightedMiddles{} }},
		{"Deterministic", "by a sample chosen by the second argument", 2, quantileType, func() quantiler { return &deterministic{} }},
	} {
		many, single, median := "quantiles"+k.suffix, "quantile"+k.suffix, "median"+k.suffix
		resolve := resolveQuantile(k.result, k.make)
		registerAggregates(
			&AggregateFamily{Name: single, Aliases: []string{median}, MinArgs: k.args, MaxArgs: k.args, EmptyNull: true, Parametric: true,
				Resolve: resolve(single, false), Doc: "Estimates a quantile " + k.doc + ".", Example: single + "(0.5)(x) → 2"},
			&AggregateFamily{Name: many, MinArgs: k.args, MaxArgs: k.args, EmptyNull: true, Parametric: true,
				Resolve: resolve(many, true), Doc: "Estimates several quantiles " + k.doc + ".", Example: many + "(0.5, 0.9)(x) → [2,3]"},
		)
	}
}

func resolveQuantile(typ func(*types.Type) *types.Type, make func() quantiler) func(string, bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(name string, many bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
		return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
			levels, err := quantileLevels(name, many, params)
			if err != nil {
				return nil, err
			}
			one := typ(args[0])
			if one == nil {
				return nil, badArg(name, args[0])
			}
			if len(args) > 1 && (!args[1].IsInteger() || args[1].Width() > 8 || strings.HasSuffix(name, "Weighted") && !args[1].IsUnsigned()) {
				return nil, badArg(name, args[1])
			}
			if err := checkExclusive(name, levels); err != nil {
				return nil, err
			}
			return foldQuantile(one, many, levels, make), nil
		}
	}
}

// quantileType: what is interpolated is a Float64, but for dates and decimals, which stay what they are.
func quantileType(t *types.Type) *types.Type {
	switch {
	case t.IsDateOrTime(), t.Kind == types.Decimal:
		return t
	case t.IsNumeric():
		return types.TFloat64
	}
	return nil
}

// plainQuantile: what is interpolated is cut off to the type of the values.
func plainQuantile(t *types.Type) *types.Type {
	if t.IsNumeric() && t.Width() <= 8 || t.IsDateOrTime() {
		return t
	}
	return nil
}

func floatQuantile(t *types.Type) *types.Type {
	if t.Kind == types.Decimal {
		return nil
	}
	return quantileType(t)
}

func digestType(t *types.Type) *types.Type {
	switch {
	case timingType(t) == nil:
		return nil
	case t.IsDateOrTime():
		return t
	}
	return types.TFloat32
}

func timingType(t *types.Type) *types.Type {
	if t.Width() <= 8 && (t.IsInteger() || t.IsFloat()) || t.Kind == types.Date || t.Kind == types.DateTime {
		return types.TFloat32
	}
	return nil
}

// checkExclusive refuses the levels that an exclusive quantile has no value for.
func checkExclusive(name string, levels []float64) error {
	if strings.HasSuffix(name, "Exclusive") && (slices.Contains(levels, 0) || slices.Contains(levels, 1)) {
		return sqlerr.New(sqlerr.BadArguments, "%s cannot interpolate for the percentiles 1 and 0", name)
	}
	return nil
}

func quantileLevels(name string, many bool, params []column.Vector) ([]float64, error) {
	if len(params) == 0 {
		if many {
			return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires at least one parameter", name)
		}
		return []float64{0.5}, nil
	}
	if !many && len(params) > 1 {
		return nil, sqlerr.New(sqlerr.NumberOfArgumentsDoesntMatch, "Aggregate function %s requires one level parameter or less", name)
	}
	var levels []float64
	for _, p := range params {
		if !p.Type().IsNumeric() {
			return nil, sqlerr.New(sqlerr.CannotConvertType, "Cannot convert %s to double", p.Type())
		}
		q := toFloats(column.Flatten(p))[0]
		if !(q >= 0 && q <= 1) {
			return nil, sqlerr.New(sqlerr.ParameterOutOfBound, "Quantile level is out of range [0..1]: %v", q)
		}
		levels = append(levels, q)
	}
	return levels, nil
}

func foldQuantile(one *types.Type, many bool, levels []float64, make func() quantiler) Aggregate {
	result := one
	if many {
		result = types.NewArray(one)
	}
	return &fold[quantilerState]{
		result: result,
		add: func(s *foldStates[quantilerState], groups []uint32, args []column.Vector, _ int) error {
			var by []uint64
			if len(args) > 1 {
				by = toBits(args[1])
			}
			for i, x := range unscaled(args[0]) {
				st := &s.s[groups[i]]
				if st.q == nil {
					st.q = make()
				}
				before := st.q.bytes()
				if c, ok := st.q.(chooser); ok && by != nil {
					c.addChosen(x, by[i])
				} else {
					st.q.add(x)
				}
				s.extra += st.q.bytes() - before
			}
			return nil
		},
		merge: func(s *foldStates[quantilerState], a, b *quantilerState) {
			switch {
			case b.q == nil:
			case a.q == nil:
				a.q = b.q
				s.extra += a.q.bytes()
			default:
				before := a.q.bytes()
				a.q.merge(b.q)
				s.extra += a.q.bytes() - before
			}
		},
		save: func(dst []byte, s *quantilerState) []byte {
			if s.q == nil {
				return append(dst, 0)
			}
			return s.q.save(append(dst, 1))
		},
		load: func(s *quantilerState, r *reader) error {
			if r.u8() == 1 {
				s.q = make()
				s.q.load(r)
			}
			return nil
		},
		finish: func(out column.Builder, s *quantilerState) error {
			target := out
			if many {
				target = out.(*column.Array).Elem.(column.Builder)
			}
			for _, q := range levels {
				x := math.NaN()
				if s.q != nil {
					x = s.q.level(q)
				}
				pushFloat(target, x)
			}
			if many {
				out.(*column.Array).EndValue()
			}
			return nil
		},
	}
}

type quantilerState struct{ q quantiler }

// unscaled is toFloats, but Decimals are the integers they are stored as.
func unscaled(v column.Vector) []float64 {
	switch d := v.(type) {
	case *column.Num[int32]:
		return floats(d.Data, 1)
	case *column.Num[int64]:
		return floats(d.Data, 1)
	case *column.Num[types.I128]:
		out := make([]float64, len(d.Data))
		for i, x := range d.Data {
			out[i] = x.Float64()
		}
		return out
	case *column.Num[types.I256]:
		out := make([]float64, len(d.Data))
		for i, x := range d.Data {
			out[i] = x.Float64()
		}
		return out
	}
	return toFloats(v)
}

// pushFloat appends x as the builder's type, cut off: NaN becomes 0 of integers.
func pushFloat(out column.Builder, x float64) {
	if _, ok := out.(*column.Num[float64]); !ok && math.IsNaN(x) {
		if f, ok := out.(*column.Num[float32]); ok {
			f.Data = append(f.Data, float32(x))
			return
		}
		out.AppendDefault()
		return
	}
	switch v := out.(type) {
	case *column.Num[float64]:
		v.Data = append(v.Data, x)
	case *column.Num[float32]:
		v.Data = append(v.Data, float32(x))
	case *column.Num[uint8]:
		v.Data = append(v.Data, uint8(x))
	case *column.Num[uint16]:
		v.Data = append(v.Data, uint16(x))
	case *column.Num[uint32]:
		v.Data = append(v.Data, uint32(x))
	case *column.Num[uint64]:
		v.Data = append(v.Data, uint64(x))
	case *column.Num[int8]:
		v.Data = append(v.Data, int8(x))
	case *column.Num[int16]:
		v.Data = append(v.Data, int16(x))
	case *column.Num[int32]:
		v.Data = append(v.Data, int32(x))
	case *column.Num[int64]:
		v.Data = append(v.Data, int64(x))
	case *column.Num[types.I128]:
		v.Data = append(v.Data, wideOf(x).Low())
	case *column.Num[types.I256]:
		v.Data = append(v.Data, wideOf(x))
	default:
		out.AppendDefault()
	}
}

// wideOf cuts x off to an integer, modulo 2^256; what is not finite is 0.
func wideOf(x float64) types.I256 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return types.I256{}
	}
	b, _ := new(big.Float).SetFloat64(x).Int(nil)
	v, _ := types.I256FromBig(b)
	return v
}

// reservoirSize is ClickHouse's: quantile is exact (but for interpolation) up to as many values.
const reservoirSize = 8192

// reservoir is ClickHouse's reservoir sampler with its random generator (pcg32_fast, seed 123456),
// so that one thread's result is the same.
type reservoir struct {
	values []float64
	total  uint64
	rng    uint64
	sorted bool
}

func newReservoir() *reservoir { return &reservoir{rng: 123456 | 3} }

func (s *reservoir) next() uint32 {
	x := s.rng
	s.rng *= 6364136223846793005
	shift := x >> 61
	x ^= x >> 22
	return uint32(x >> (22 + shift))
}

func (s *reservoir) random(limit uint64) uint64 {
	if limit <= math.MaxUint32 {
		return uint64(s.next()) % limit
	}
	return (uint64(s.next())<<32 + uint64(s.next())) % limit
}

func (s *reservoir) add(x float64) {
	if math.IsNaN(x) {
		return
	}
	s.total++
	s.sorted = false
	if len(s.values) < reservoirSize {
		s.values = append(s.values, x)
		return
	}
	if i := s.random(s.total); i < reservoirSize {
		s.values[i] = x
	}
}

func (s *reservoir) merge(o quantiler) {
	b := o.(*reservoir)
	if b.total <= uint64(len(b.values)) {
		for _, x := range b.values {
			s.add(x)
		}
		return
	}
	if s.total <= uint64(len(s.values)) {
		mine := s.values
		*s = *b
		for _, x := range mine {
			s.add(x)
		}
		return
	}
	s.sorted = false
	s.total += b.total
	for i := range s.values { // each place from b with the probability of b's share
		if s.random(s.total) < b.total {
			s.values[i] = b.values[i]
		}
	}
}

func (s *reservoir) bytes() int64 { return 8 * int64(cap(s.values)) }

func (s *reservoir) save(dst []byte) []byte {
	dst = appendU64(appendU64(dst, s.total), s.rng)
	return appendFloats(dst, s.values)
}

func (s *reservoir) load(r *reader) {
	s.total, s.rng = r.u64(), r.u64()
	s.values = readFloats(r)
	if len(s.values) > reservoirSize || uint64(len(s.values)) > s.total {
		r.fail()
	}
}

func (s *reservoir) level(q float64) float64 {
	if !s.sorted {
		slices.Sort(s.values)
		s.sorted = true
	}
	return interpolated(s.values, q)
}

// interpolated is the quantile of sorted values between its two neighbours.
func interpolated(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	index := math.Max(0, math.Min(float64(len(values)-1), q*float64(len(values)-1)))
	left := int(index)
	if left+1 == len(values) {
		return values[left]
	}
	return values[left]*(float64(left+1)-index) + values[left+1]*(index-float64(left))
}

func appendFloats(dst []byte, values []float64) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(values)))
	for _, x := range values {
		dst = appendF64(dst, x)
	}
	return dst
}

func readFloats(r *reader) []float64 {
	out := make([]float64, r.count(8))
	for i := range out {
		out[i] = r.f64()
	}
	return out
}

// exactValues keeps every value and interpolates.
type exactValues struct {
	values []float64
	sorted bool
	at     func(values []float64, q float64) float64
}

func inclusive(values []float64, q float64) float64 {
	return between(values, q*float64(len(values)-1)+1)
}
func exclusive(values []float64, q float64) float64 { return between(values, q*float64(len(values)+1)) }

// between is the value at place h, from 1, of sorted values.
func between(values []float64, h float64) float64 {
	n := int(h)
	switch {
	case n >= len(values):
		return values[len(values)-1]
	case n < 1:
		return values[0]
	}
	return values[n-1] + (h-float64(n))*(values[n]-values[n-1])
}

func floorRank(n int, q float64) int {
	if q < 1 {
		return int(q * float64(n))
	}
	return n - 1
}

func lowRank(n int, q float64) int {
	if q == 0.5 {
		return (n - 1) / 2
	}
	return floorRank(n, q)
}

func (s *exactValues) add(x float64) {
	if !math.IsNaN(x) {
		s.values = append(s.values, x)
		s.sorted = false
	}
}

func (s *exactValues) merge(b quantiler) {
	s.values = append(s.values, b.(*exactValues).values...)
	s.sorted = false
}

func (s *exactValues) bytes() int64           { return 8 * int64(cap(s.values)) }
func (s *exactValues) save(dst []byte) []byte { return appendFloats(dst, s.values) }
func (s *exactValues) load(r *reader)         { s.values = readFloats(r) }

func (s *exactValues) level(q float64) float64 {
	if len(s.values) == 0 {
		return math.NaN()
	}
	if !s.sorted {
		slices.Sort(s.values)
		s.sorted = true
	}
	return s.at(s.values, q)
}
