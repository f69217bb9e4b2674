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
	family := func(name, doc string, many bool, resolve func(name string, many bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error), args int, aliases ...string) {
		registerAggregates(&AggregateFamily{Name: name, Aliases: aliases, MinArgs: args, MaxArgs: args, EmptyNull: true, Parametric: true, Resolve: resolve(name, many), Doc: doc})
	}
	brief := resolveQuantile(floatQuantile, func() quantiler { return &briefFloats{} })
	family("quantileBFloat16", "Estimates a quantile from the values cut to 16 bits.", false, brief, 1, "medianBFloat16")
	family("quantilesBFloat16", "Estimates several quantiles from the values cut to 16 bits.", true, brief, 1)
	family("quantileBFloat16Weighted", "Estimates a quantile of weighted values cut to 16 bits.", false, brief, 2, "medianBFloat16Weighted")
	family("quantilesBFloat16Weighted", "Estimates several quantiles of weighted values cut to 16 bits.", true, brief, 2)
	family("quantileDD", "Estimates a quantile with a relative error of at most the first parameter.", false, resolveDD, 1, "medianDD")
	family("quantilesDD", "Estimates several quantiles with a relative error of at most the first parameter.", true, resolveDD, 1)
}

// briefFloats counts values by the upper 16 bits of their Float32.
type briefFloats struct {
	counts map[uint16]uint64
	total  uint64
}

func (s *briefFloats) add(x float64) { s.addChosen(x, 1) }

// addChosen adds a value of a weight.
func (s *briefFloats) addChosen(x float64, weight uint64) {
	if math.IsNaN(x) || weight == 0 {
		return
	}
	if s.counts == nil {
		s.counts = map[uint16]uint64{}
	}
	s.counts[uint16(math.Float32bits(float32(x))>>16)] += weight
	s.total += weight
}

func (s *briefFloats) merge(b quantiler) {
	for k, n := range b.(*briefFloats).counts {
		if s.counts == nil {
			s.counts = map[uint16]uint64{}
		}
		s.counts[k] += n
		s.total += n
	}
}

func (s *briefFloats) bytes() int64 { return 48 * int64(len(s.counts)) }

// ordered is the keys by their values.
func (s *briefFloats) ordered() []uint16 {
	keys := make([]uint16, 0, len(s.counts))
	for k := range s.counts {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b uint16) int {
		if x, y := briefValue(a), briefValue(b); x < y || x == y && a > b {
			return -1
		}
		return 1
	})
	return keys
}

func briefValue(k uint16) float32 { return math.Float32frombits(uint32(k) << 16) }

func (s *briefFloats) save(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.counts)))
	for _, k := range s.ordered() {
		dst = appendU64(binary.LittleEndian.AppendUint16(dst, k), s.counts[k])
	}
	return dst
}

func (s *briefFloats) load(r *reader) {
	for n := r.count(10); n > 0 && !r.bad; n-- {
		k := uint16(r.uint(2))
		s.addChosen(float64(briefValue(k)), r.u64())
	}
}

func (s *briefFloats) level(q float64) float64 {
	if s.total == 0 {
		return math.NaN()
	}
	want, seen := q*float64(s.total), uint64(0)
	keys := s.ordered()
	for _, k := range keys {
		if seen += s.counts[k]; float64(seen) >= want {
			return float64(briefValue(k))
		}
	}
	return float64(briefValue(keys[len(keys)-1]))
}

func resolveDD(name string, many bool) func(*Env, []column.Vector, []*types.Type) (Aggregate, error) {
	return func(env *Env, params []column.Vector, args []*types.Type) (Aggregate, error) {
		if len(params) == 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s requires relative accuracy parameter with Float64 type", name)
		}
		if !params[0].Type().IsFloat() {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Aggregate function %s requires relative accuracy parameter with Float64 type", name)
		}
		accuracy := toFloats(column.Flatten(params[0]))[0]
		if !(accuracy > 0 && accuracy < 1) {
			return nil, sqlerr.New(sqlerr.BadArguments, "Aggregate function %s requires relative accuracy parameter with value between 0 and 1 but is %v", name, accuracy)
		}
		if t := args[0]; t.Width() > 8 || !t.IsInteger() && !t.IsFloat() && !t.IsDate() && t.Kind != types.DateTime {
			return nil, badArg(name, t)
		}
		gamma := (1 + accuracy) / (1 - accuracy)
		lnGamma := math.Log(gamma)
		return resolveQuantile(floatQuantile, func() quantiler { return &relative{accuracy: accuracy, lnGamma: lnGamma} })(name, many)(env, params[1:], args)
	}
}

// relative is a sketch (DDSketch) that counts values in cells as wide as the accuracy asks for, relative to the values.
type relative struct {
	accuracy, lnGamma float64
	above, below      map[int32]float64 // counts by cell, of values above and of negated values below zero
	zeros             float64
}

func (s *relative) add(x float64) {
	switch {
	case math.IsNaN(x):
	case x > 0:
		s.count(&s.above, s.cell(x), 1)
	case x < 0:
		s.count(&s.below, s.cell(-x), 1)
	default:
		s.zeros++
	}
}

// cell is the cell of a value above zero.
func (s *relative) cell(x float64) int32 {
	at := math.Trunc(math.Log(min(x, math.MaxFloat64)) / s.lnGamma)
	return int32(max(math.MinInt32, min(at, math.MaxInt32)))
}

func (s *relative) value(cell int32) float64 {
	return math.Exp(float64(cell)*s.lnGamma) * (1 + s.accuracy)
}

func (s *relative) count(of *map[int32]float64, cell int32, n float64) {
	if *of == nil {
		*of = map[int32]float64{}
	}
	(*of)[cell] += n
}

func (s *relative) merge(b quantiler) {
	o := b.(*relative)
	for cell, n := range o.above {
		s.count(&s.above, cell, n)
	}
	for cell, n := range o.below {
		s.count(&s.below, cell, n)
	}
	s.zeros += o.zeros
}

func (s *relative) bytes() int64 { return 48 * int64(len(s.above)+len(s.below)) }

func sortedCells(of map[int32]float64) []int32 {
	out := make([]int32, 0, len(of))
	for cell := range of {
		out = append(out, cell)
	}
	slices.Sort(out)
	return out
}

func (s *relative) save(dst []byte) []byte {
	dst = appendF64(dst, s.zeros)
	for _, of := range []map[int32]float64{s.above, s.below} {
		dst = binary.AppendUvarint(dst, uint64(len(of)))
		for _, cell := range sortedCells(of) {
			dst = appendF64(binary.LittleEndian.AppendUint32(dst, uint32(cell)), of[cell])
		}
	}
	return dst
}

// maxCount bounds the counts of a saved state: more rows than there can be.
const maxCount = 1 << 63

func (s *relative) load(r *reader) {
	if s.zeros = r.f64(); !(s.zeros >= 0 && s.zeros < maxCount && s.zeros == math.Trunc(s.zeros)) {
		r.fail()
		return
	}
	for _, of := range []*map[int32]float64{&s.above, &s.below} {
		for n := r.count(12); n > 0 && !r.bad; n-- {
			cell, count := int32(r.uint(4)), r.f64()
			if !(count >= 1 && count < maxCount && count == math.Trunc(count)) {
				r.fail()
				return
			}
			s.count(of, cell, count)
		}
	}
}

func (s *relative) level(q float64) float64 {
	above, below := sortedCells(s.above), sortedCells(s.below)
	negative, total := 0.0, s.zeros
	for _, n := range s.below {
		negative += n
	}
	total += negative
	for _, n := range s.above {
		total += n
	}
	if total == 0 {
		return math.NaN()
	}
	rank := q * max(0, total-1)
	switch {
	case rank < negative:
		return -s.value(cellAt(below, s.below, func(seen float64) bool { return seen >= negative-rank }))
	case rank < negative+s.zeros:
		return 0
	}
	return s.value(cellAt(above, s.above, func(seen float64) bool { return seen > rank-negative-s.zeros }))
}

// cellAt is the first cell at which enough was seen.
func cellAt(cells []int32, of map[int32]float64, enough func(float64) bool) int32 {
	seen := 0.0
	for _, cell := range cells {
		if seen += of[cell]; enough(seen) {
			return cell
		}
	}
	return cells[len(cells)-1]
}
