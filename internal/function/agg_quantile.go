package function

import (
	"encoding/binary"
	"math"
	"slices"

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
		exact       bool // the result has the argument's type
		extra       int  // arguments behind the value
		make        func() quantiler
	}{
		{"", "by a reservoir of 8,192 values, interpolated", false, 0, func() quantiler { return newReservoir() }},
		{"Exact", "exactly, as a value that occurs", true, 0, func() quantiler { return &exactValues{pick: floorRank} }},
		{"ExactLow", "exactly, the lower of two middle values", true, 0, func() quantiler { return &exactValues{pick: lowRank} }},
		{"ExactHigh", "exactly, the higher of two middle values", true, 0, func() quantiler { return &exactValues{pick: floorRank} }},
		{"ExactInclusive", "exactly, interpolated", false, 0, func() quantiler { return &exactValues{interpolate: true} }},
		{"TDigest", "by a t-digest", false, 0, func() quantiler { return &tdigest{} }},
		{"Timing", "for times in milliseconds, exactly up to 1,024 and in steps of 16 to 30,000", false, 0, func() quantiler { return &timing{} }},
		{"Deterministic", "by a sample chosen by the second argument", false, 1, func() quantiler { return newReservoir() }},
	} {
		many, single, median := "quantiles"+k.suffix, "quantile"+k.suffix, "median"+k.suffix
		resolve := resolveQuantile(k.exact, k.suffix == "Timing" || k.suffix == "TDigest", k.extra, k.make)
		registerAggregates(
			&AggregateFamily{Name: single, Aliases: []string{median}, MinArgs: 1 + k.extra, MaxArgs: 1 + k.extra, EmptyNull: true,
				Resolve: resolve(single, false), Doc: "Estimates a quantile " + k.doc + ".", Example: single + "(0.5)(x) → 2"},
			&AggregateFamily{Name: many, MinArgs: 1 + k.extra, MaxArgs: 1 + k.extra, EmptyNull: true,
				Resolve: resolve(many, true), Doc: "Estimates several quantiles " + k.doc + ".", Example: many + "(0.5, 0.9)(x) → [2,3]"},
		)
	}
}

func resolveQuantile(exact, float32Result bool, _ int, make func() quantiler) func(string, bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(name string, many bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
		return func(_ *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
			levels, err := quantileLevels(name, many, params)
			if err != nil {
				return nil, err
			}
			t := args[0]
			if !t.IsNumeric() && !t.IsDateOrTime() {
				return nil, badArg(name, t)
			}
			one := types.TFloat64
			switch {
			case exact, t.IsDateOrTime(), t.Kind == types.Decimal:
				one = t
			case float32Result:
				one = types.TFloat32
			}
			return foldQuantile(one, many, levels, make), nil
		}
	}
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
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Quantile level must be a number, got %s", p.Type())
		}
		q := toFloats(column.Flatten(p))[0]
		if !(q >= 0 && q <= 1) {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Quantile level is out of range [0..1]: %v", q)
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
	scale := 1.0
	if one.Kind == types.Decimal {
		scale = pow10f(one.Scale)
	}
	return &fold[quantilerState]{
		result: result,
		add: func(s *foldStates[quantilerState], groups []uint32, args []column.Vector, _ int) error {
			for i, x := range toFloats(args[0]) {
				st := &s.s[groups[i]]
				if st.q == nil {
					st.q = make()
				}
				before := st.q.bytes()
				st.q.add(x)
				s.extra += st.q.bytes() - before
			}
			return nil
		},
		merge: func(_ *foldStates[quantilerState], a, b *quantilerState) {
			switch {
			case b.q == nil:
			case a.q == nil:
				a.q = b.q
			default:
				a.q.merge(b.q)
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
				pushFloat(target, x, scale)
			}
			if many {
				out.(*column.Array).EndValue()
			}
			return nil
		},
	}
}

type quantilerState struct{ q quantiler }

// pushFloat appends x as the builder's type: NaN becomes 0 of integers, Decimals are scaled.
func pushFloat(out column.Builder, x, scale float64) {
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
		v.Data = append(v.Data, int32(math.Round(x*scale)))
	case *column.Num[int64]:
		v.Data = append(v.Data, int64(math.Round(x*scale)))
	case *column.Num[types.I128]:
		v.Data = append(v.Data, types.I128From(int64(math.Round(x*scale))))
	default:
		out.AppendDefault()
	}
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

// exactValues keeps every value.
type exactValues struct {
	values      []float64
	sorted      bool
	interpolate bool
	pick        func(n int, q float64) int
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
	if s.interpolate {
		return interpolated(s.values, q)
	}
	return s.values[s.pick(len(s.values), q)]
}

// The shape of quantileTiming's histogram, in milliseconds, as ClickHouse has it.
const (
	timingFine = 1024
	timingStep = 16
	timingMax  = 30000
)

// timing counts values up to timingMax; larger ones count as timingMax.
type timing struct {
	counts map[uint16]uint64
	total  uint64
}

func timingBucket(x float64) uint16 {
	switch {
	case x < 0:
		return 0
	case x >= timingMax:
		return timingMax
	case x >= timingFine:
		return uint16(x) / timingStep * timingStep
	}
	return uint16(x)
}

func (s *timing) add(x float64) {
	if math.IsNaN(x) {
		return
	}
	s.count(timingBucket(x), 1)
}

func (s *timing) count(b uint16, n uint64) {
	if s.counts == nil {
		s.counts = map[uint16]uint64{}
	}
	s.counts[b] += n
	s.total += n
}

func (s *timing) merge(b quantiler) {
	for k, n := range b.(*timing).counts {
		s.count(k, n)
	}
}

func (s *timing) bytes() int64 { return 32 * int64(len(s.counts)) }

func (s *timing) buckets() []uint16 {
	keys := make([]uint16, 0, len(s.counts))
	for k := range s.counts {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *timing) save(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.counts)))
	for _, k := range s.buckets() {
		dst = appendU64(binary.LittleEndian.AppendUint16(dst, k), s.counts[k])
	}
	return dst
}

func (s *timing) load(r *reader) {
	for n := r.count(10); n > 0; n-- {
		k := uint16(r.uint(2))
		s.count(min(k, timingMax), r.u64())
	}
}

func (s *timing) level(q float64) float64 {
	if s.total == 0 {
		return math.NaN()
	}
	want := uint64(floorRank(int(s.total), q))
	seen := uint64(0)
	for _, k := range s.buckets() {
		if seen += s.counts[k]; seen > want {
			return float64(k)
		}
	}
	return timingMax
}
