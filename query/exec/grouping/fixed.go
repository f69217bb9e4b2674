package grouping

import (
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// packColumn packs a flat fixed-width vector.
func packColumn(words []uint64, stride int, c *keyColumn, v column.Vector, nulls []uint8) {
	switch v := v.(type) {
	case *column.Num[uint8]:
		pack(words, stride, c.at, v.Data, nulls)
	case *column.Num[int8]:
		pack(words, stride, c.at, reinterpret[uint8](v.Data), nulls)
	case *column.Num[uint16]:
		pack(words, stride, c.at, v.Data, nulls)
	case *column.Num[int16]:
		pack(words, stride, c.at, reinterpret[uint16](v.Data), nulls)
	case *column.Num[uint32]:
		pack(words, stride, c.at, v.Data, nulls)
	case *column.Num[int32]:
		pack(words, stride, c.at, reinterpret[uint32](v.Data), nulls)
	case *column.Num[float32]:
		pack(words, stride, c.at, reinterpret[uint32](v.Data), nulls)
	case *column.Num[uint64]:
		pack(words, stride, c.at, v.Data, nulls)
	case *column.Num[int64]:
		pack(words, stride, c.at, reinterpret[uint64](v.Data), nulls)
	case *column.Num[float64]:
		pack(words, stride, c.at, reinterpret[uint64](v.Data), nulls)
	case *column.Num[types.U128]:
		packWide(words, stride, c.at, v.Data, nulls)
	case *column.Num[types.I128]:
		packWide(words, stride, c.at, reinterpret[types.U128](v.Data), nulls)
	case *column.Num[types.U256]:
		packWidest(words, stride, c.at, v.Data, nulls)
	case *column.Num[types.I256]:
		packWidest(words, stride, c.at, reinterpret[types.U256](v.Data), nulls)
	default:
		panic(fmt.Sprintf("grouping: packing %T of %s", v, v.Type()))
	}
}

func packWide(words []uint64, stride int, at place, data []types.U128, nulls []uint8) {
	for i, x := range data {
		if nulls != nil && nulls[i] != 0 {
			x = types.U128{}
		}
		words[i*stride+at.word], words[i*stride+at.word+1] = x.Lo, x.Hi
	}
}

func packWidest(words []uint64, stride int, at place, data []types.U256, nulls []uint8) {
	for i, x := range data {
		if nulls != nil && nulls[i] != 0 {
			x = types.U256{}
		}
		copy(words[i*stride+at.word:], x[:])
	}
}

// unpackColumn is the reverse of packColumn.
func unpackColumn(words []uint64, stride int, c *keyColumn, n int) column.Vector {
	switch c.inner.Phys() {
	case types.PUInt8:
		return unpackAs[uint8, uint8](words, stride, c, n)
	case types.PInt8:
		return unpackAs[int8, uint8](words, stride, c, n)
	case types.PUInt16:
		return unpackAs[uint16, uint16](words, stride, c, n)
	case types.PInt16:
		return unpackAs[int16, uint16](words, stride, c, n)
	case types.PUInt32:
		return unpackAs[uint32, uint32](words, stride, c, n)
	case types.PInt32:
		return unpackAs[int32, uint32](words, stride, c, n)
	case types.PFloat32:
		return unpackAs[float32, uint32](words, stride, c, n)
	case types.PUInt64:
		return unpackAs[uint64, uint64](words, stride, c, n)
	case types.PInt64:
		return unpackAs[int64, uint64](words, stride, c, n)
	case types.PFloat64:
		return unpackAs[float64, uint64](words, stride, c, n)
	case types.PUInt256:
		return column.NewNum(c.inner, unpackWidest(words, stride, c, n))
	case types.PInt256:
		return column.NewNum(c.inner, reinterpret[types.I256](unpackWidest(words, stride, c, n)))
	}
	data := make([]types.U128, n)
	for i := range data {
		w := words[i*stride+c.at.word:]
		data[i] = types.U128{Lo: w[0], Hi: w[1]}
	}
	if c.inner.Phys() == types.PInt128 {
		return column.NewNum(c.inner, reinterpret[types.I128](data))
	}
	return column.NewNum(c.inner, data)
}

func unpackWidest(words []uint64, stride int, c *keyColumn, n int) []types.U256 {
	data := make([]types.U256, n)
	for i := range data {
		copy(data[i][:], words[i*stride+c.at.word:])
	}
	return data
}

func unpackAs[T column.Elem, U uint8 | uint16 | uint32 | uint64](words []uint64, stride int, c *keyColumn, n int) column.Vector {
	data := make([]U, n)
	unpack(data, words, stride, c.at)
	return column.NewNum(c.inner, reinterpret[T](data))
}
