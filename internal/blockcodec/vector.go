package blockcodec

import (
	"encoding/binary"
	"fmt"
	"unsafe"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// appendVector appends the raw form of a flat vector.
func appendVector(dst []byte, v column.Vector) []byte {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return append(dst, v.Data...)
	case *column.Num[uint16]:
		return appendNums(dst, v.Data)
	case *column.Num[uint32]:
		return appendNums(dst, v.Data)
	case *column.Num[uint64]:
		return appendNums(dst, v.Data)
	case *column.Num[types.U128]:
		return appendNums(dst, v.Data)
	case *column.Num[types.U256]:
		return appendNums(dst, v.Data)
	case *column.Num[int8]:
		return appendNums(dst, v.Data)
	case *column.Num[int16]:
		return appendNums(dst, v.Data)
	case *column.Num[int32]:
		return appendNums(dst, v.Data)
	case *column.Num[int64]:
		return appendNums(dst, v.Data)
	case *column.Num[types.I128]:
		return appendNums(dst, v.Data)
	case *column.Num[types.I256]:
		return appendNums(dst, v.Data)
	case *column.Num[float32]:
		return appendNums(dst, v.Data)
	case *column.Num[float64]:
		return appendNums(dst, v.Data)
	case *column.Str:
		if v.Typ.Width() == 0 {
			dst = appendLengths(dst, v.Off)
		}
		return append(dst, v.Data[v.Off[0]:v.Off[len(v.Off)-1]]...)
	case *column.Nullable:
		return appendVector(append(dst, v.Nulls...), column.Flatten(withoutNulls(v)))
	case *column.Array:
		dst = appendLengths(dst, v.Off)
		return appendVector(dst, column.Flatten(elems(v.Off, v.Elem)))
	case *column.Map:
		dst = appendLengths(dst, v.Off)
		dst = appendVector(dst, column.Flatten(elems(v.Off, v.Keys)))
		return appendVector(dst, column.Flatten(elems(v.Off, v.Vals)))
	case *column.Variant:
		return appendVariant(dst, v.Dense())
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = appendVector(dst, column.Flatten(e))
		}
		return dst
	}
	panic(fmt.Sprintf("blockcodec: no form for %T", v))
}

func elems(off []uint32, v column.Vector) column.Vector {
	return v.Slice(int(off[0]), int(off[len(off)-1]))
}

// appendNums appends the values as they lie in memory: every platform Go builds olapd for is little-endian.
func appendNums[T column.Elem](dst []byte, src []T) []byte { return append(dst, bytesOf(src)...) }

func bytesOf[T column.Elem](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

func appendLengths(dst []byte, off []uint32) []byte {
	for i := 1; i < len(off); i++ {
		dst = binary.LittleEndian.AppendUint32(dst, off[i]-off[i-1])
	}
	return dst
}

// withoutNulls is the inner vector with its type's default where the value is NULL: the bytes
// depend on the values alone.
func withoutNulls(v *column.Nullable) column.Vector {
	b := column.New(v.Inner.Type(), v.Len())
	for i := 0; i < v.Len(); {
		j := i + 1
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

// readVector reads n values of type t; on failure in.err is set and the result is meaningless.
func readVector(in *input, t *types.Type, n int) column.Vector {
	switch t.Phys() {
	case types.PUInt8:
		return readNums[uint8](in, t, n)
	case types.PUInt16:
		return readNums[uint16](in, t, n)
	case types.PUInt32:
		return readNums[uint32](in, t, n)
	case types.PUInt64:
		return readNums[uint64](in, t, n)
	case types.PUInt128:
		return readNums[types.U128](in, t, n)
	case types.PUInt256:
		return readNums[types.U256](in, t, n)
	case types.PInt8:
		return readNums[int8](in, t, n)
	case types.PInt16:
		return readNums[int16](in, t, n)
	case types.PInt32:
		return readNums[int32](in, t, n)
	case types.PInt64:
		return readNums[int64](in, t, n)
	case types.PInt128:
		return readNums[types.I128](in, t, n)
	case types.PInt256:
		return readNums[types.I256](in, t, n)
	case types.PFloat32:
		return readNums[float32](in, t, n)
	case types.PFloat64:
		return readNums[float64](in, t, n)
	case types.PBytes:
		return readStrings(in, t, n)
	case types.PNullable:
		nulls := readFlags(in, n)
		inner := readVector(in, t.Elem().WithoutLowCardinality(), n)
		if in.err != nil {
			return nil
		}
		return column.NewNullable(nulls, inner)
	case types.PArray:
		off := in.offsets(n)
		return &column.Array{Typ: t, Off: off, Elem: readElems(in, t.Elem(), off)}
	case types.PVariant:
		return readVariant(in, t, n)
	case types.PMap:
		off := in.offsets(n)
		return &column.Map{Typ: t, Off: off, Keys: readElems(in, t.Elems[0], off), Vals: readElems(in, t.Elems[1], off)}
	}
	out := &column.Tuple{Typ: t, Elems: make([]column.Vector, len(t.Elems)), N: n}
	for i, e := range t.Elems {
		out.Elems[i] = readVector(in, e.WithoutLowCardinality(), n)
	}
	return out
}

func readElems(in *input, t *types.Type, off []uint32) column.Vector {
	if in.err != nil {
		return nil
	}
	n := int(off[len(off)-1])
	if n > MaxRaw {
		in.err = corrupt("%d elements", n)
		return nil
	}
	return readVector(in, t.WithoutLowCardinality(), n)
}

func readNums[T column.Elem](in *input, t *types.Type, n int) column.Vector {
	var x T
	b := in.take(n * int(unsafe.Sizeof(x)))
	if in.err != nil {
		return nil
	}
	data := make([]T, n)
	copy(bytesOf(data), b)
	return column.NewNum(t, data)
}

func readStrings(in *input, t *types.Type, n int) column.Vector {
	var off []uint32
	if w := t.Width(); w > 0 {
		if uint64(n)*uint64(w) > uint64(len(in.b)) { // before anything is allocated
			in.err = corrupt("%d values of %s", n, t)
			return nil
		}
		off = make([]uint32, n+1)
		for i := range off {
			off[i] = uint32(i * w)
		}
	} else {
		off = in.offsets(n)
	}
	if in.err != nil {
		return nil
	}
	data := in.take(int(off[n]))
	if in.err != nil {
		return nil
	}
	return &column.Str{Typ: t, Off: off, Data: append([]byte(nil), data...)}
}

func readFlags(in *input, n int) []uint8 {
	b := in.take(n)
	for _, f := range b {
		if f > 1 {
			in.err = corrupt("a null flag of %d", f)
			return nil
		}
	}
	return append([]uint8(nil), b...)
}

// input reads from the front of a byte slice; after the first failure every read gives zero and err stays.
type input struct {
	b     []byte
	err   error
	depth int // Dynamics around what is read: their values have types of their own
}

func (in *input) take(n int) []byte {
	if in.err == nil && (n < 0 || n > len(in.b)) {
		in.err = corrupt("%d bytes wanted, %d left", n, len(in.b))
	}
	if in.err != nil {
		return nil
	}
	out := in.b[:n:n]
	in.b = in.b[n:]
	return out
}

func (in *input) u8() uint8 {
	if b := in.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (in *input) uvarint(limit uint64) uint64 {
	x, n := binary.Uvarint(in.b)
	if in.err == nil && (n <= 0 || x > limit) {
		in.err = corrupt("a number over %d", limit)
	}
	if in.err != nil {
		return 0
	}
	in.b = in.b[n:]
	return x
}

// offsets reads n u32 lengths as n+1 offsets from 0 on.
func (in *input) offsets(n int) []uint32 {
	b := in.take(4 * n)
	if in.err != nil {
		return nil
	}
	off := make([]uint32, n+1)
	total := uint64(0)
	for i := range n {
		if total += uint64(binary.LittleEndian.Uint32(b[4*i:])); total > MaxRaw {
			in.err = corrupt("lengths of more than %d in total", int64(MaxRaw))
			return nil
		}
		off[i+1] = uint32(total)
	}
	return off
}
