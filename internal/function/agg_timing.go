package function

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// The shape of quantileTiming's histogram, in milliseconds, as ClickHouse has it.
const (
	timingFine = 1024
	timingStep = 16
	timingMax  = 30000
	timingBig  = (timingMax - timingFine) / timingStep
	// timingFew is how many values are kept as they are: an eighth of the histogram's memory.
	timingFew = (1 + timingFine + timingBig) * 8 / 2 / 4
)

// timing keeps values up to timingMax (larger ones count as that) while they are few, then counts them.
type timing struct {
	few    []uint16
	counts []uint64 // by slot; nil while few
	total  uint64
}

func (s *timing) add(x float64) {
	switch {
	case !(x > -1): // negative times and NaN do not count
		return
	case x >= timingMax:
		x = timingMax
	case x < 0:
		return
	}
	s.put(uint16(x))
}

// fewWeights is how many values, each as often as it counts, are kept as they are.
const fewWeights = 31

// addChosen adds a value of a weight.
func (s *timing) addChosen(x float64, weight uint64) {
	if s.counts == nil && uint64(len(s.few))+weight <= fewWeights {
		for range weight {
			s.add(x)
		}
		return
	}
	if !(x >= 0) {
		return
	}
	if s.counts == nil {
		s.spread()
	}
	s.count(timingSlot(uint16(min(x, timingMax))), weight)
}

func (s *timing) put(x uint16) {
	if s.counts == nil {
		if s.few = append(s.few, x); len(s.few) >= timingFew {
			s.spread()
		}
		return
	}
	s.count(timingSlot(x), 1)
}

// spread turns the values kept into counts.
func (s *timing) spread() {
	few := s.few
	s.few, s.counts = nil, make([]uint64, timingFine+timingBig+1)
	for _, x := range few {
		s.count(timingSlot(x), 1)
	}
}

func (s *timing) count(slot int, n uint64) {
	s.counts[slot] += n
	s.total += n
}

// timingSlot is the place of a value: one each below timingFine, then one for timingStep, and a last one for all above.
func timingSlot(x uint16) int {
	if x < timingFine {
		return int(x)
	}
	return min(timingFine+int(x-timingFine)/timingStep, timingFine+timingBig)
}

// timingValue is a value of the slot: spread over the step by a hash, so that quantiles do not fall on its multiples.
func timingValue(slot int) float64 {
	if slot < timingFine {
		return float64(slot)
	}
	if slot == timingFine+timingBig {
		return timingMax
	}
	big := slot - timingFine
	return float64(big*timingStep+timingFine) + float64(uint32(column.Mix(uint64(big)))%timingStep)
}

func (s *timing) merge(b quantiler) {
	o := b.(*timing)
	for _, x := range o.few {
		s.put(x)
	}
	if o.counts == nil {
		return
	}
	if s.counts == nil {
		s.spread()
	}
	for slot, n := range o.counts {
		s.count(slot, n)
	}
}

func (s *timing) bytes() int64 { return 2*int64(cap(s.few)) + 8*int64(cap(s.counts)) }

func (s *timing) save(dst []byte) []byte {
	if s.counts == nil {
		dst = binary.AppendUvarint(append(dst, 0), uint64(len(s.few)))
		for _, x := range s.few {
			dst = binary.LittleEndian.AppendUint16(dst, x)
		}
		return dst
	}
	used := 0
	for _, n := range s.counts {
		if n > 0 {
			used++
		}
	}
	dst = binary.AppendUvarint(append(dst, 1), uint64(used))
	for slot, n := range s.counts {
		if n > 0 {
			dst = appendU64(binary.LittleEndian.AppendUint16(dst, uint16(slot)), n)
		}
	}
	return dst
}

func (s *timing) load(r *reader) {
	switch r.u8() {
	case 0:
		for n := r.count(2); n > 0; n-- {
			s.put(min(uint16(r.uint(2)), timingMax))
		}
	case 1:
		s.spread()
		for n := r.count(10); n > 0; n-- {
			slot := int(r.uint(2))
			if slot >= len(s.counts) {
				r.fail()
				return
			}
			s.count(slot, r.u64())
		}
	default:
		r.fail()
	}
}

func (s *timing) level(q float64) float64 {
	if s.counts == nil {
		if len(s.few) == 0 {
			return math.NaN()
		}
		slices.Sort(s.few)
		return float64(s.few[floorRank(len(s.few), q)])
	}
	want, seen := uint64(math.Ceil(float64(s.total)*q)), uint64(0)
	for slot, n := range s.counts {
		if seen += n; n > 0 && seen >= want {
			return timingValue(slot)
		}
	}
	return timingMax
}
