package function

import (
	"encoding/binary"
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// appendValue appends value i of a flat vector in the form readValue reads: numbers in
// their width, little endian; byte strings and arrays with their length in front; a byte before a nullable value.
func appendValue(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return append(dst, v.Data[i])
	case *column.Num[int8]:
		return append(dst, uint8(v.Data[i]))
	case *column.Num[uint16]:
		return binary.LittleEndian.AppendUint16(dst, v.Data[i])
	case *column.Num[int16]:
		return binary.LittleEndian.AppendUint16(dst, uint16(v.Data[i]))
	case *column.Num[uint32]:
		return binary.LittleEndian.AppendUint32(dst, v.Data[i])
	case *column.Num[int32]:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.Data[i]))
	case *column.Num[uint64]:
		return appendU64(dst, v.Data[i])
	case *column.Num[int64]:
		return appendU64(dst, uint64(v.Data[i]))
	case *column.Num[float32]:
		return appendF64(dst, float64(v.Data[i]))
	case *column.Num[float64]:
		return appendF64(dst, v.Data[i])
	case *column.Num[types.U128]:
		return appendU64(appendU64(dst, v.Data[i].Lo), v.Data[i].Hi)
	case *column.Num[types.I128]:
		return appendI128(dst, v.Data[i])
	case *column.Num[types.U256]:
		return appendI256(dst, types.I256(v.Data[i]))
	case *column.Num[types.I256]:
		return appendI256(dst, v.Data[i])
	case *column.Str:
		return appendBytes(dst, v.At(i))
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, 1)
		}
		return appendValue(append(dst, 0), v.Inner, i)
	case *column.Array:
		dst = binary.AppendUvarint(dst, uint64(v.Off[i+1]-v.Off[i]))
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			dst = appendValue(dst, v.Elem, int(j))
		}
		return dst
	case *column.Map:
		dst = binary.AppendUvarint(dst, uint64(v.Off[i+1]-v.Off[i]))
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			dst = appendValue(appendValue(dst, v.Keys, int(j)), v.Vals, int(j))
		}
		return dst
	case *column.Tuple:
		for _, e := range v.Elems {
			dst = appendValue(dst, e, i)
		}
		return dst
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return appendBytes(dst, nil)
		}
		return appendValue(appendBytes(dst, []byte(in.Type().String())), in, at)
	}
	panic(fmt.Sprintf("function: saving %T", v))
}

// readValue appends one value to b; what it appended after a failure of r is of no meaning.
func readValue(b column.Builder, r *reader) {
	switch v := b.(type) {
	case *column.Num[uint8]:
		v.Data = append(v.Data, r.u8())
	case *column.Num[int8]:
		v.Data = append(v.Data, int8(r.u8()))
	case *column.Num[uint16]:
		v.Data = append(v.Data, uint16(r.uint(2)))
	case *column.Num[int16]:
		v.Data = append(v.Data, int16(r.uint(2)))
	case *column.Num[uint32]:
		v.Data = append(v.Data, uint32(r.uint(4)))
	case *column.Num[int32]:
		v.Data = append(v.Data, int32(r.uint(4)))
	case *column.Num[uint64]:
		v.Data = append(v.Data, r.u64())
	case *column.Num[int64]:
		v.Data = append(v.Data, int64(r.u64()))
	case *column.Num[float32]:
		v.Data = append(v.Data, float32(r.f64()))
	case *column.Num[float64]:
		v.Data = append(v.Data, r.f64())
	case *column.Num[types.U128]:
		x := readI128(r)
		v.Data = append(v.Data, types.U128{Lo: x.Lo, Hi: uint64(x.Hi)})
	case *column.Num[types.I128]:
		v.Data = append(v.Data, readI128(r))
	case *column.Num[types.U256]:
		v.Data = append(v.Data, types.U256(readI256(r)))
	case *column.Num[types.I256]:
		v.Data = append(v.Data, readI256(r))
	case *column.Str:
		s := r.bytes()
		if n := v.Typ.Width(); n > 0 && len(s) != n {
			r.fail()
		}
		v.Append(s)
	case *column.Nullable:
		if r.u8() != 0 {
			v.AppendNull()
			return
		}
		readValue(v.Inner.(column.Builder), r)
		v.Nulls = append(v.Nulls, 0)
	case *column.Array:
		for n := r.count(1); n > 0 && !r.bad; n-- {
			readValue(v.Elem.(column.Builder), r)
		}
		v.EndValue()
	case *column.Map:
		for n := r.count(1); n > 0 && !r.bad; n-- {
			readValue(v.Keys.(column.Builder), r)
			readValue(v.Vals.(column.Builder), r)
		}
		v.EndValue()
	case *column.Tuple:
		for _, e := range v.Elems {
			readValue(e.(column.Builder), r)
		}
		v.N++
	case *column.Variant:
		readOwn(v, r)
	default:
		panic(fmt.Sprintf("function: loading %T", b))
	}
}

// uint reads n little-endian bytes.
func (r *reader) uint(n int) uint64 {
	if len(r.b) < n {
		r.fail()
		return 0
	}
	x := uint64(0)
	for i := n - 1; i >= 0; i-- {
		x = x<<8 | uint64(r.b[i])
	}
	r.b = r.b[n:]
	return x
}

// maxOwnDepth bounds Dynamics within values of Dynamic.
const maxOwnDepth = 1024

// readOwn reads a value of a Variant or Dynamic behind the name of its type; an empty name is NULL.
func readOwn(v *column.Variant, r *reader) {
	name := string(r.bytes())
	if name == "" {
		v.AppendNull()
		return
	}
	t, err := types.Parse(name)
	if r.own++; err != nil || t.IsNullable() || t.IsUnion() || r.own > maxOwnDepth {
		r.fail()
		v.AppendNull()
		return
	}
	defer func() { r.own-- }()
	k := v.Alt(t)
	if k < 0 {
		r.fail()
		v.AppendNull()
		return
	}
	readValue(v.Alts[k].(column.Builder), r)
	v.EndValue(k)
}
