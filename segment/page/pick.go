package page

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// Pick is Vector for the values at the positions at alone, which ascend. It is nil for what must be decoded whole to find them.
func Pick(t *types.Type, b []byte, n int, at []uint32) (column.Vector, error) {
	t = t.WithoutLowCardinality()
	switch t.Phys() {
	case types.PUInt8:
		return pick[uint8](t, b, n, at)
	case types.PUInt16:
		return pick[uint16](t, b, n, at)
	case types.PUInt32:
		return pick[uint32](t, b, n, at)
	case types.PUInt64:
		return pick[uint64](t, b, n, at)
	case types.PInt8:
		return pick[int8](t, b, n, at)
	case types.PInt16:
		return pick[int16](t, b, n, at)
	case types.PInt32:
		return pick[int32](t, b, n, at)
	case types.PInt64:
		return pick[int64](t, b, n, at)
	}
	return nil, nil
}

func pick[T interface {
	kernel.Int
	column.Elem
}](t *types.Type, b []byte, n int, at []uint32) (column.Vector, error) {
	data, err := PickInts[T](b, n, at)
	if data == nil || err != nil {
		return nil, err
	}
	return column.NewNum(t, data), nil
}

// PickInts is Ints for the values at the positions at alone, which ascend. It is nil for encodings that have no place for a value, such as the
// sums of deltas.
func PickInts[T kernel.Int](stream []byte, n int, at []uint32) ([]T, error) {
	if len(at) == 0 || int(at[len(at)-1]) >= n {
		return nil, corrupt("%d positions in %d values", len(at), n)
	}
	in := &input{b: stream}
	switch how := in.u8(); {
	case in.err != nil:
		return nil, in.err
	case how == howRaw:
		return pickPacked[T](in, n, 8*width[T](), 0, at)
	case how == howPacked:
		base, w := rawValue[T](in), int(in.u8())
		return pickPacked(in, n, w, base, at)
	case how == howRuns:
		values, ends, err := runs[T](in, n, 0)
		if err != nil {
			return nil, err
		}
		defer kernel.Recycle(values)
		defer kernel.Recycle(ends)
		return pickRuns(values, ends, at), nil
	case how == howPatched:
		return pickPatched[T](in, n, at)
	}
	return nil, nil
}

func pickPacked[T kernel.Int](in *input, n, w int, base T, at []uint32) ([]T, error) {
	if in.err == nil && w > 64 {
		in.err = corrupt("values of %d bits", w)
	}
	b := in.take(kernel.PackedLen(n, w))
	if in.err != nil {
		return nil, in.err
	}
	out := kernel.Dirty[T](len(at))
	kernel.UnpackAt(out, b, at, w, base)
	return out, nil
}

// pickRuns takes the values of the runs that the positions are in; the last run ends behind all of them.
func pickRuns[T kernel.Int](values []T, ends, at []uint32) []T {
	out, k := kernel.Dirty[T](len(at)), 0
	for i, x := range at {
		for ends[k] <= x {
			k++
		}
		out[i] = values[k]
	}
	return out
}
