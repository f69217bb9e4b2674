package column

import (
	"fmt"
	"math"

	"github.com/olapd/olapd/internal/types"
	"github.com/zeebo/xxh3"
)

// hashNull is the hash of NULL: any constant that numbers seldom hash to.
const hashNull = 0x9e3779b97f4a7c15

// Mix finalises a 64-bit key: murmur3's two-multiply finaliser, whose low and high bits are both good.
func Mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Combine joins the hash of one more column to a row's hash.
func Combine(h, next uint64) uint64 { return Mix(h*0x9ddfea08eb382d69 + next) }

// Hash writes a 64-bit hash of each value of v to dst, which has v's length; equal values of
// one type have equal hashes in every physical form. It is for hash tables, not for storage.
func Hash(v Vector, dst []uint64) {
	switch v := v.(type) {
	case *Const:
		var one [1]uint64
		Hash(v.Value, one[:])
		for i := range dst {
			dst[i] = one[0]
		}
	case *Dict:
		if v.Hashes != nil {
			for i, c := range v.Codes {
				dst[i] = v.Hashes[c]
			}
			return
		}
		hashes := make([]uint64, v.Values.Len())
		if len(hashes) > 2*len(dst) {
			Hash(Gather(v.Values, v.Codes), dst)
			return
		}
		Hash(v.Values, hashes)
		for i, c := range v.Codes {
			dst[i] = hashes[c]
		}
	case *Num[uint8]:
		hashInts(v.Data, dst)
	case *Num[uint16]:
		hashInts(v.Data, dst)
	case *Num[uint32]:
		hashInts(v.Data, dst)
	case *Num[uint64]:
		hashInts(v.Data, dst)
	case *Num[int8]:
		hashInts(v.Data, dst)
	case *Num[int16]:
		hashInts(v.Data, dst)
	case *Num[int32]:
		hashInts(v.Data, dst)
	case *Num[int64]:
		hashInts(v.Data, dst)
	case *Num[float32]:
		for i, x := range v.Data {
			dst[i] = hashFloat(float64(x))
		}
	case *Num[float64]:
		for i, x := range v.Data {
			dst[i] = hashFloat(x)
		}
	case *Num[types.U128]:
		for i, x := range v.Data {
			dst[i] = Combine(Mix(x.Lo), x.Hi)
		}
	case *Num[types.I128]:
		for i, x := range v.Data {
			dst[i] = Combine(Mix(x.Lo), uint64(x.Hi))
		}
	case *Num[types.U256]:
		hashWide(v.Data, dst)
	case *Num[types.I256]:
		hashWide(v.Data, dst)
	case *Str:
		for i := range dst {
			dst[i] = xxh3.Hash(v.Data[v.Off[i]:v.Off[i+1]])
		}
	case *Nullable:
		Hash(v.Inner, dst)
		for i, n := range v.Nulls {
			if n != 0 {
				dst[i] = hashNull
			}
		}
	case *Array:
		hashRuns(v.Off, dst, v.Elem)
	case *Map:
		hashRuns(v.Off, dst, v.Keys, v.Vals)
	case *Tuple:
		hashTuple(v, dst)
	case *Variant:
		hashVariant(v, dst)
	default:
		panic(fmt.Sprintf("column: hashing %T", v))
	}
}

func hashInts[T uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](data []T, dst []uint64) {
	for i, x := range data {
		dst[i] = Mix(uint64(x))
	}
}

func hashWide[T types.U256 | types.I256](data []T, dst []uint64) {
	for i, x := range data {
		dst[i] = Combine(Combine(Combine(Mix(x[0]), x[1]), x[2]), x[3])
	}
}

// hashFloat gives -0 and 0 one hash, and all NaNs one.
func hashFloat(x float64) uint64 {
	switch {
	case x == 0:
		return Mix(0)
	case math.IsNaN(x):
		return hashNull + 1
	}
	return Mix(math.Float64bits(x))
}

func hashRuns(off []uint32, dst []uint64, parts ...Vector) {
	from, to := int(off[0]), int(off[len(off)-1])
	hashes := make([]uint64, to-from)
	for k, p := range parts {
		Hash(p.Slice(from, to), hashes)
		for i := range dst {
			h := Mix(uint64(off[i+1]-off[i]) + 1)
			if k > 0 {
				h = dst[i]
			}
			for _, e := range hashes[int(off[i])-from : int(off[i+1])-from] {
				h = Combine(h, e)
			}
			dst[i] = h
		}
	}
}

func hashTuple(v *Tuple, dst []uint64) {
	clear(dst)
	one := make([]uint64, len(dst))
	for _, e := range v.Elems {
		Hash(e, one)
		for i, h := range one {
			dst[i] = Combine(dst[i], h)
		}
	}
}

// hashVariant mixes the name of each value's type into its hash: alternatives have no numbers that mean something elsewhere.
func hashVariant(v *Variant, dst []uint64) {
	for i := range dst {
		dst[i] = hashNull
	}
	for k, alt := range v.Alts {
		rows, values := v.Rows(k)
		if len(rows) == 0 {
			continue
		}
		name := xxh3.HashString(alt.Type().String())
		hashes := make([]uint64, len(rows))
		Hash(values, hashes)
		for i, r := range rows {
			dst[r] = Combine(name, hashes[i])
		}
	}
}
