package segment

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

// nanHash is the hash of every NaN.
const nanHash = 0x7ff8000000000001

// hashScalars returns the hashes that Bloom filters store, one per value of a flat vector of scalars without NULL. Part of the
// file format: integers are Mix of their sign-extended bits, floats of their float64 bits (-0 as 0), 128-bit
// values Combine(Mix(low), high), 256-bit ones so word by word, strings xxh3.
func hashScalars(v column.Vector) []uint64 {
	dst := make([]uint64, v.Len())
	switch v := v.(type) {
	case *column.Num[uint8]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[uint16]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[uint32]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[uint64]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[int8]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[int16]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[int32]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[int64]:
		kernel.HashInts(dst, v.Data)
	case *column.Num[float32]:
		hashFloats(dst, v.Data)
	case *column.Num[float64]:
		hashFloats(dst, v.Data)
	case *column.Num[types.U128]:
		for i, x := range v.Data {
			dst[i] = kernel.Combine(kernel.Mix(x.Lo), x.Hi)
		}
	case *column.Num[types.I128]:
		for i, x := range v.Data {
			dst[i] = kernel.Combine(kernel.Mix(x.Lo), uint64(x.Hi))
		}
	case *column.Num[types.U256]:
		hashWide(dst, v.Data)
	case *column.Num[types.I256]:
		hashWide(dst, v.Data)
	case *column.Str:
		for i := range dst {
			dst[i] = xxh3.Hash(v.At(i))
		}
	case *column.Dict:
		if v.Values.Len() <= 2*len(v.Codes) {
			kernel.Gather(dst, hashScalars(v.Values), v.Codes)
			return dst
		}
		return hashScalars(column.Flatten(v))
	default:
		return hashScalars(column.Flatten(v))
	}
	return dst
}

func hashWide[T types.U256 | types.I256](dst []uint64, src []T) {
	for i, x := range src {
		dst[i] = kernel.Combine(kernel.Combine(kernel.Combine(kernel.Mix(x[0]), x[1]), x[2]), x[3])
	}
}

func hashFloats[T kernel.Float](dst []uint64, src []T) {
	for i, x := range src {
		switch f := float64(x); {
		case f == 0:
			dst[i] = kernel.Mix(0)
		case f != f:
			dst[i] = nanHash
		default:
			dst[i] = kernel.Mix(math.Float64bits(f))
		}
	}
}

// splitNulls returns a vector's null mask, nil if nothing is NULL, and the values beside it.
func splitNulls(v column.Vector) (nulls []uint8, inner column.Vector) {
	switch v := v.(type) {
	case *column.Nullable:
		if kernel.Count(v.Nulls) == 0 {
			return nil, v.Inner
		}
		return v.Nulls, v.Inner
	case *column.Const:
		if n, ok := v.Value.(*column.Nullable); ok {
			inner := &column.Const{Value: n.Inner, N: v.N}
			if n.Nulls[0] == 0 {
				return nil, inner
			}
			nulls = make([]uint8, v.N)
			kernel.Not(nulls, nulls)
			return nulls, inner
		}
	}
	return nil, v
}

// scalars returns the scalar values of v without NULL: for arrays, of their elements.
func scalars(v column.Vector) column.Vector {
	nulls, inner := splitNulls(v)
	if nulls != nil {
		keep := make([]uint8, len(nulls))
		kernel.Not(keep, nulls)
		inner = column.Gather(inner, kernel.AppendSelected(nil, keep, 0))
	}
	if a, ok := column.Flatten(inner).(*column.Array); ok {
		return scalars(a.Elem.Slice(int(a.Off[0]), int(a.Off[len(a.Off)-1])))
	}
	return inner
}

// withoutRepeats returns the values of v that differ from the one before, or more of them: the same values, each less often.
func withoutRepeats(v column.Vector) column.Vector {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return withoutRuns(v)
	case *column.Num[uint16]:
		return withoutRuns(v)
	case *column.Num[uint32]:
		return withoutRuns(v)
	case *column.Num[uint64]:
		return withoutRuns(v)
	case *column.Num[int8]:
		return withoutRuns(v)
	case *column.Num[int16]:
		return withoutRuns(v)
	case *column.Num[int32]:
		return withoutRuns(v)
	case *column.Num[int64]:
		return withoutRuns(v)
	}
	return v
}

func withoutRuns[T column.Elem](v *column.Num[T]) column.Vector {
	runs := kernel.CountRuns(v.Data)
	if 2*runs > len(v.Data) {
		return v
	}
	out := make([]T, 0, runs)
	for i, x := range v.Data {
		if i == 0 || x != v.Data[i-1] {
			out = append(out, x)
		}
	}
	return column.NewNum(v.Typ, out)
}
