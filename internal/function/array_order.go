package function

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
)

// ranked is an element to sort: its place in the order, and where it is.
type ranked struct {
	key uint64
	at  uint32
}

// shortRun is the number of elements up to which a run is sorted by insertion.
const shortRun = 24

// sortedRuns returns the positions of the values of by in an order in which each run of off is sorted: ascending or descending, NULL and NaN last, equal values as they were.
func sortedRuns(by column.Vector, off []uint32, desc bool) []uint32 {
	sel := make([]uint32, by.Len())
	if keys := rankKeys(by, desc); keys != nil {
		sortRanked(sel, keys, off)
		return sel
	}
	for i := range sel {
		sel[i] = uint32(i)
	}
	less := func(x, y uint32) int {
		return column.CompareOrder(by, int(x), by, int(y), column.Order{Desc: desc})
	}
	if s, ok := by.(*column.Str); ok {
		less = func(x, y uint32) int { return bytes.Compare(s.At(int(x)), s.At(int(y))) }
		if desc {
			less = func(x, y uint32) int { return bytes.Compare(s.At(int(y)), s.At(int(x))) }
		}
	}
	for i := 0; i+1 < len(off); i++ {
		if off[i+1]-off[i] > 1 {
			slices.SortStableFunc(sel[off[i]:off[i+1]], less)
		}
	}
	return sel
}

// sortRanked writes the positions of keys, each run of off sorted by them, to sel.
func sortRanked(sel []uint32, keys []uint64, off []uint32) {
	var run []ranked
	for i := 0; i+1 < len(off); i++ {
		from, to := off[i], off[i+1]
		run = run[:0]
		for k := from; k < to; k++ {
			run = append(run, ranked{keys[k], k})
		}
		if len(run) <= shortRun {
			insertRanked(run)
		} else {
			slices.SortFunc(run, func(a, b ranked) int {
				if c := cmp.Compare(a.key, b.key); c != 0 {
					return c
				}
				return cmp.Compare(a.at, b.at)
			})
		}
		for k, r := range run {
			sel[int(from)+k] = r.at
		}
	}
}

func insertRanked(run []ranked) {
	for i := 1; i < len(run); i++ {
		x, j := run[i], i
		for ; j > 0 && run[j-1].key > x.key; j-- {
			run[j] = run[j-1]
		}
		run[j] = x
	}
}

// rankKeys returns numbers that are in the order of the values of v, NaN last, or nil unless v holds numbers of at most 64 bits.
func rankKeys(v column.Vector, desc bool) []uint64 {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return intRanks(v.Data, 0, desc)
	case *column.Num[uint16]:
		return intRanks(v.Data, 0, desc)
	case *column.Num[uint32]:
		return intRanks(v.Data, 0, desc)
	case *column.Num[uint64]:
		return intRanks(v.Data, 0, desc)
	case *column.Num[int8]:
		return intRanks(v.Data, 1<<63, desc)
	case *column.Num[int16]:
		return intRanks(v.Data, 1<<63, desc)
	case *column.Num[int32]:
		return intRanks(v.Data, 1<<63, desc)
	case *column.Num[int64]:
		return intRanks(v.Data, 1<<63, desc)
	case *column.Num[float32]:
		return floatRanks(v.Data, desc)
	case *column.Num[float64]:
		return floatRanks(v.Data, desc)
	}
	return nil
}

// intRanks flips the sign bit where there is one, and all bits for the descending order.
func intRanks[T integer](data []T, flip uint64, desc bool) []uint64 {
	if desc {
		flip = ^flip
	}
	out := kernel.Dirty[uint64](len(data))
	for i, x := range data {
		out[i] = uint64(x) ^ flip
	}
	return out
}

func floatRanks[T float32 | float64](data []T, desc bool) []uint64 {
	out := kernel.Dirty[uint64](len(data))
	for i, x := range data {
		bits := math.Float64bits(float64(x) + 0) // the two zeros are equal
		bits ^= uint64(int64(bits)>>63) | 1<<63
		if desc {
			bits = ^bits
		}
		if x != x {
			bits = math.MaxUint64
		}
		out[i] = bits
	}
	return out
}
