package mergetree

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
)

// packedKeys is sort keys as one number a row: the keys' own numbers side by side, the first key's on top. Rows of different
// numbers are in their order; those of equal numbers in that of rest.
type packedKeys struct {
	keys []uint64
	bits int // all of keys are below 1<<bits
	rest []column.Vector
}

// packKeys packs as many keys as have numbers and fit. A range of times and the ranks of some countries take a few bits each.
func packKeys(keys []column.Vector, n int) packedKeys {
	p := packedKeys{keys: make([]uint64, n), rest: keys}
	for k, v := range keys {
		nums, whole := ordinals(column.Flatten(v), n)
		if nums == nil {
			return p
		}
		low, width := rangeOf(nums)
		if free := 64 - p.bits; width > free { // the upper bits at least
			p.add(nums, low, width-free, free)
			return p
		}
		p.add(nums, low, 0, width)
		if !whole {
			return p
		}
		p.rest = keys[k+1:]
	}
	return p
}

// add puts width bits of nums, counted from low, below those there are.
func (p *packedKeys) add(nums []uint64, low uint64, shift, width int) {
	if width == 0 {
		return
	}
	if p.bits == 0 {
		for i, x := range nums {
			p.keys[i] = (x - low) >> (shift & 63)
		}
	} else {
		for i, x := range nums {
			p.keys[i] = p.keys[i]<<(width&63) | (x-low)>>(shift&63)
		}
	}
	p.bits += width
}

// rangeOf is the least number and the bits that the distances from it take.
func rangeOf(nums []uint64) (low uint64, width int) {
	low, high := uint64(math.MaxUint64), uint64(0)
	for _, x := range nums {
		low, high = min(low, x), max(high, x)
	}
	return low, bits.Len64(high - low)
}

// sorted reports whether the rows are in order as they are.
func (p *packedKeys) sorted() bool {
	for i := 1; i < len(p.keys); i++ {
		if p.keys[i-1] > p.keys[i] || p.keys[i-1] == p.keys[i] && compareRows(p.rest, i-1, p.rest, i) > 0 {
			return false
		}
	}
	return true
}

// ordinals returns numbers that order as the values of the flat v do, except that different values may share one;
// whole says that they do not. Nil if the type has no such numbers.
func ordinals(v column.Vector, n int) (nums []uint64, whole bool) {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return widened(v.Data, 0), true
	case *column.Num[uint16]:
		return widened(v.Data, 0), true
	case *column.Num[uint32]:
		return widened(v.Data, 0), true
	case *column.Num[uint64]:
		return v.Data, true
	case *column.Num[int8]:
		return widened(v.Data, 1<<63), true
	case *column.Num[int16]:
		return widened(v.Data, 1<<63), true
	case *column.Num[int32]:
		return widened(v.Data, 1<<63), true
	case *column.Num[int64]:
		return widened(v.Data, 1<<63), true
	case *column.Num[float64]:
		out := make([]uint64, n)
		for i, x := range v.Data {
			out[i] = floatPrefix(x)
		}
		return out, true
	case *column.Str:
		if nums = ranks(v, n); nums != nil {
			return nums, true
		}
		out := make([]uint64, n)
		for i := range out {
			out[i] = bytesPrefix(v.At(i))
		}
		return out, false
	}
	return nil, false
}

// maxRanked is the most distinct strings that are ranked: beyond, looking them up costs more than comparing prefixes.
const maxRanked = 4096

// ranks returns each string's place among the distinct ones in order; nil if those are too many.
func ranks(v *column.Str, n int) []uint64 {
	codes := make(map[string]uint32, 64)
	var values []string
	out := make([]uint64, n)
	for i := range out {
		text := v.At(i)
		if i > 0 && bytes.Equal(text, v.At(i-1)) {
			out[i] = out[i-1]
			continue
		}
		c, ok := codes[string(text)]
		if !ok {
			if len(values) == maxRanked {
				return nil
			}
			c = uint32(len(values))
			values = append(values, string(text))
			codes[values[c]] = c
		}
		out[i] = uint64(c)
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	rank := make([]uint64, len(values))
	for r, s := range sorted {
		rank[codes[s]] = uint64(r)
	}
	for i, c := range out {
		out[i] = rank[c]
	}
	return out
}

// widened adds bias, which moves negative numbers below positive ones.
func widened[T uint8 | uint16 | uint32 | int8 | int16 | int32 | int64](src []T, bias uint64) []uint64 {
	out := make([]uint64, len(src))
	for i, x := range src {
		out[i] = uint64(int64(x)) + bias
	}
	return out
}

// floatPrefix orders as column.Compare: -0 equals 0, NaN is greatest.
func floatPrefix(x float64) uint64 {
	if x != x {
		return math.MaxUint64
	}
	b := math.Float64bits(x + 0) // -0 + 0 = 0
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func bytesPrefix(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var pad [8]byte
	copy(pad[:], b)
	return binary.BigEndian.Uint64(pad[:])
}
