package exec

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// rangeKey is the ORDER BY column of a RANGE frame with offsets, by position: numbers of which greater ones come later.
type rangeKey struct {
	ints   []int64 // of keys of whole numbers, dates and times
	floats []float64
	nulls  []uint8 // nil: there are none
}

// newRangeKey reads the column in the order of the window. A descending key is negated, so that values grow with positions.
func newRangeKey(v column.Vector, order []uint32, desc bool) *rangeKey {
	v = column.Flatten(column.Gather(v, order))
	k := &rangeKey{}
	if n, ok := v.(*column.Nullable); ok {
		k.nulls, v = n.Nulls, column.Flatten(n.Inner)
	}
	switch v := v.(type) {
	case *column.Num[uint8]:
		k.ints = widened(v.Data, desc)
	case *column.Num[uint16]:
		k.ints = widened(v.Data, desc)
	case *column.Num[uint32]:
		k.ints = widened(v.Data, desc)
	case *column.Num[uint64]:
		k.ints = make([]int64, len(v.Data))
		for i, x := range v.Data {
			if k.ints[i] = int64(x ^ 1<<63); desc {
				k.ints[i] = ^k.ints[i]
			}
		}
	case *column.Num[int8]:
		k.ints = widened(v.Data, desc)
	case *column.Num[int16]:
		k.ints = widened(v.Data, desc)
	case *column.Num[int32]:
		k.ints = widened(v.Data, desc)
	case *column.Num[int64]:
		k.ints = widened(v.Data, desc)
	case *column.Num[float32]:
		k.floats = floating(v.Data, desc)
	case *column.Num[float64]:
		k.floats = floating(v.Data, desc)
	}
	return k
}

// widened are the values as int64; with desc their complements, whose order is the other way round.
func widened[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32](data []T, desc bool) []int64 {
	out := make([]int64, len(data))
	for i, x := range data {
		if out[i] = int64(x); desc {
			out[i] = ^out[i]
		}
	}
	return out
}

func floating[T float32 | float64](data []T, desc bool) []float64 {
	out := make([]float64, len(data))
	for i, x := range data {
		if out[i] = float64(x); desc {
			out[i] = -out[i]
		}
	}
	return out
}

// isNull reports whether the key of a position is NULL.
func (k *rangeKey) isNull(i int) bool { return k.nulls != nil && k.nulls[i] != 0 }

// before reports whether position i lies before the value of position at plus d, or, with equal, on it.
func (k *rangeKey) before(i, at int, d int64, equal bool) bool {
	if k.floats != nil {
		x, end := k.floats[i], k.floats[at]+float64(d)
		return x < end || equal && x == end
	}
	x, end := k.ints[i], k.ints[at]+d
	switch {
	case d > 0 && end < k.ints[at]: // beyond int64: all lie before
		return true
	case d < 0 && end > k.ints[at]:
		return false
	}
	return x < end || equal && x == end
}

// ranges computes the frames of a RANGE with offsets: the position from which, or up to which, keys are within the distance. As positions grow,
// so do both.
func (f *frames) ranges(b *column.Block, c *WindowCall) {
	fr := c.Frame
	f.lo, f.hi = nil, nil
	if fr.Rows || (fr.Start == nil || *fr.Start == 0) && (fr.End == nil || *fr.End == 0) {
		return
	}
	key := newRangeKey(b.Cols[c.OrderBy[0].Index], f.order, c.OrderBy[0].Desc)
	if d := fr.Start; d != nil && *d != 0 {
		f.lo = f.scan(key, func(i, at int) bool { return key.before(i, at, *d, false) }, false)
	}
	if d := fr.End; d != nil && *d != 0 {
		f.hi = f.scan(key, func(i, at int) bool { return key.before(i, at, *d, true) }, true)
	}
}

// scan moves one pointer over each partition's keys; of NULLs it is where their peers begin, or with end where they end.
func (f *frames) scan(key *rangeKey, before func(i, at int) bool, end bool) []uint32 {
	out := make([]uint32, len(f.order))
	p := 0
	for k := range out {
		from, to := int(f.partFrom[k]), int(f.partTo[k])
		if k == from {
			p = from
		}
		if key.isNull(k) {
			if out[k] = f.peerFrom[k]; end {
				out[k] = f.peerTo[k]
			}
			continue
		}
		if p == from {
			for p < to && key.isNull(p) { // NULLS FIRST
				p++
			}
		}
		for p < to && !key.isNull(p) && before(p, k) {
			p++
		}
		out[k] = uint32(p)
	}
	return out
}

// offsetFrame is the frame of position k where a bound is an offset of values.
func (f *frames) offsetFrame(k int, fr plan.Frame) (lo, hi int) {
	lo, hi = int(f.partFrom[k]), int(f.partTo[k])
	switch {
	case f.lo != nil:
		lo = int(f.lo[k])
	case fr.Start != nil:
		lo = int(f.peerFrom[k])
	}
	switch {
	case f.hi != nil:
		hi = int(f.hi[k])
	case fr.End != nil:
		hi = int(f.peerTo[k])
	}
	return lo, max(lo, hi)
}
