package page

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/types"
)

// AppendVector appends the values of v, which may be of any physical form.
func AppendVector(dst []byte, v column.Vector) ([]byte, error) {
	switch v := column.Flatten(v).(type) {
	case *column.Num[uint8]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[uint16]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[uint32]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[uint64]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[int8]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[int16]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[int32]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[int64]:
		return AppendInts(dst, v.Data), nil
	case *column.Num[float32]:
		return appendFloats[float32, uint32](dst, v.Data), nil
	case *column.Num[float64]:
		return appendFloats[float64, uint64](dst, v.Data), nil
	case *column.Num[types.U128]:
		return appendHalves(dst, cast[types.U128](v.Data)), nil
	case *column.Num[types.I128]:
		return appendHalves(dst, cast[types.U128](v.Data)), nil
	case *column.Num[types.U256]:
		return appendQuarters(dst, v.Data), nil
	case *column.Num[types.I256]:
		return appendQuarters(dst, v.Data), nil
	case *column.Str:
		return appendText(dst, v)
	case *column.Nullable:
		return appendNullable(dst, v)
	case *column.Array:
		from, to := v.Off[0], v.Off[len(v.Off)-1]
		dst = appendLengths(AppendU32(dst, to-from), v.Off)
		return AppendVector(dst, v.Elem.Slice(int(from), int(to)))
	case *column.Map:
		from, to := int(v.Off[0]), int(v.Off[len(v.Off)-1])
		dst = appendLengths(AppendU32(dst, uint32(to-from)), v.Off)
		dst, err := appendSizedVector(dst, v.Keys.Slice(from, to))
		if err != nil {
			return dst, err
		}
		return AppendVector(dst, v.Vals.Slice(from, to))
	case *column.Variant:
		return appendVariant(dst, v.Dense())
	case *column.Tuple:
		for _, e := range v.Elems {
			var err error
			if dst, err = appendSizedVector(dst, e); err != nil {
				return dst, err
			}
		}
		return dst, nil
	default:
		panic(fmt.Sprintf("page: no encoding for %T", v))
	}
}

// AppendU32 appends x.
func AppendU32(dst []byte, x uint32) []byte { return binary.LittleEndian.AppendUint32(dst, x) }

// AppendSizedInts appends a stream[n].
func AppendSizedInts[T kernel.Int](dst []byte, src []T) []byte {
	return appendSized(dst, func(b []byte) []byte { return AppendInts(b, src) })
}

// AppendSizedVector appends a vector behind its u32 length.
func AppendSizedVector(dst []byte, v column.Vector) ([]byte, error) { return appendSizedVector(dst, v) }

func appendSizedVector(dst []byte, v column.Vector) (out []byte, err error) {
	out = appendSized(dst, func(b []byte) []byte {
		b, err = AppendVector(b, v)
		return b
	})
	return out, err
}

func appendHalves(dst []byte, src []types.U128) []byte {
	half := make([]uint64, len(src))
	for i, x := range src {
		half[i] = x.Lo
	}
	dst = AppendSizedInts(dst, half)
	for i, x := range src {
		half[i] = x.Hi
	}
	return AppendSizedInts(dst, half)
}

func appendQuarters[T types.U256 | types.I256](dst []byte, src []T) []byte {
	quarter := make([]uint64, len(src))
	for k := range 4 {
		for i, x := range src {
			quarter[i] = x[k]
		}
		dst = AppendSizedInts(dst, quarter)
	}
	return dst
}

func appendNullable(dst []byte, v *column.Nullable) ([]byte, error) {
	dst = AppendSizedInts(dst, v.Nulls)
	inner := v.Inner
	if kernel.Count(v.Nulls) > 0 {
		inner = withoutNulls(v)
	}
	return AppendVector(dst, inner)
}

// withoutNulls is the inner vector with zero where the value is NULL, whatever stood there: the bytes depend on the values alone.
func withoutNulls(v *column.Nullable) column.Vector {
	b := column.New(v.Inner.Type(), v.Len())
	for i := 0; i < v.Len(); {
		j := i
		for j < v.Len() && v.Nulls[j] == v.Nulls[i] {
			j++
		}
		if v.Nulls[i] == 0 {
			b.AppendRange(v.Inner, i, j)
			i = j
		}
		for ; i < j; i++ {
			b.AppendDefault()
		}
	}
	return b
}

// cast views values as others of the same size.
func cast[To, From any](src []From) []To {
	if len(src) == 0 {
		return nil
	}
	return unsafe.Slice((*To)(unsafe.Pointer(&src[0])), len(src))
}
