package function

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// deterministic is ClickHouse's deterministic reservoir: it keeps the values whose determinator hashes to a multiple of
// 2^skip, so that the same rows give the same sample in whatever order and however split they come.
type deterministic struct {
	values []determined
	skip   uint8
	sorted bool
}

type determined struct {
	x float64
	h uint32
}

// chooser is a quantiler whose second argument chooses the sample.
type chooser interface{ addChosen(x float64, by uint64) }

// maxDeterministicSkip is where thinning ends: 32 bits of hash leave one value then.
const maxDeterministicSkip = 32

func (s *deterministic) good(h uint32) bool { return uint64(h)>>s.skip<<s.skip == uint64(h) }

// addChosen implements chooser.
func (s *deterministic) addChosen(x float64, by uint64) {
	if !math.IsNaN(x) {
		s.insert(determined{x, uint32(column.Mix(by))})
	}
}

func (s *deterministic) insert(v determined) {
	if !s.good(v.h) {
		return
	}
	s.values = append(s.values, v)
	s.sorted = false
	for len(s.values) > reservoirSize && s.skip < maxDeterministicSkip {
		s.skip++
		s.values = slices.DeleteFunc(s.values, func(v determined) bool { return !s.good(v.h) })
	}
}

// add implements quantiler, for a value without a determinator of its own.
func (s *deterministic) add(x float64) { s.addChosen(x, math.Float64bits(x)) }

func (s *deterministic) merge(o quantiler) {
	b := o.(*deterministic)
	if b.skip > s.skip {
		s.skip = b.skip
		s.values = slices.DeleteFunc(s.values, func(v determined) bool { return !s.good(v.h) })
	}
	for _, v := range b.values {
		s.insert(v)
	}
}

func (s *deterministic) bytes() int64 { return 16 * int64(cap(s.values)) }

func (s *deterministic) save(dst []byte) []byte {
	dst = binary.AppendUvarint(append(dst, s.skip), uint64(len(s.values)))
	for _, v := range s.values {
		dst = binary.LittleEndian.AppendUint32(appendF64(dst, v.x), v.h)
	}
	return dst
}

func (s *deterministic) load(r *reader) {
	if s.skip = r.u8(); s.skip > maxDeterministicSkip {
		r.fail()
		return
	}
	for n := r.count(12); n > 0 && !r.bad; n-- {
		v := determined{x: r.f64()}
		v.h = uint32(r.uint(4))
		s.insert(v)
	}
}

func (s *deterministic) level(q float64) float64 {
	if !s.sorted {
		slices.SortFunc(s.values, func(a, b determined) int { return compareFloats(a.x, b.x) })
		s.sorted = true
	}
	if len(s.values) == 0 {
		return math.NaN()
	}
	index := math.Max(0, math.Min(float64(len(s.values)-1), q*float64(len(s.values)-1)))
	left := int(index)
	if left+1 == len(s.values) {
		return s.values[left].x
	}
	return s.values[left].x*(float64(left+1)-index) + s.values[left+1].x*(index-float64(left))
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
