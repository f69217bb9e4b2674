package function

import (
	"encoding/binary"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, t := range []*types.Type{
		types.TUInt8, types.TUInt16, types.TUInt32, types.TUInt64, types.TInt8, types.TInt16, types.TInt32, types.TInt64, types.TUInt128, types.TInt128, types.TUInt256, types.TInt256, types.TFloat32, types.TFloat64, types.TDate, types.TDateTime, types.TUUID,
	} {
		register(&Scalar{Name: "reinterpretAs" + t.String(), MinArgs: 1, MaxArgs: 1, Family: "conversion", Doc: "Reads the bytes of the argument, in little-endian order, as " + t.String() + ".",
			Resolve: fixed("reinterpretAs"+t.String(), t, isFixedOrString), Eval: evalReinterpret})
	}
	register(&Scalar{Name: "reinterpretAsString", MinArgs: 1, MaxArgs: 1, Family: "conversion", Doc: "Returns the bytes of the argument, zero bytes at the end left out.",
		Resolve: fixed("reinterpretAsString", types.TString, isFixedOrString), Eval: evalReinterpretString})
}

func isFixedOrString(t *types.Type) bool { return t.IsString() || t.Width() > 0 }

// littleEndian appends the memory of value i of a flat vector.
func littleEndian(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Str:
		return append(dst, v.At(i)...)
	case *column.Num[types.U128]:
		x := v.Data[i]
		if v.Typ.Kind == types.UUID { // the first half comes first
			return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, x.Hi), x.Lo)
		}
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, x.Lo), x.Hi)
	case *column.Num[types.I128]:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.Data[i].Lo), uint64(v.Data[i].Hi))
	case *column.Num[types.U256]:
		return appendI256(dst, types.I256(v.Data[i]))
	case *column.Num[types.I256]:
		return appendI256(dst, v.Data[i])
	case *column.Num[float32]:
		if v.Typ.Kind == types.BFloat16 {
			return binary.LittleEndian.AppendUint16(dst, types.BFloat16Bits(v.Data[i]))
		}
	}
	full := binary.LittleEndian.AppendUint64(dst, bitsAt(v, i))
	return full[:len(dst)+v.Type().Width()]
}

// evalReinterpret cuts the bytes, or fills them with zeros, to the result's width.
func evalReinterpret(c *Call) (column.Vector, error) {
	v := column.Flatten(c.Args[0])
	words := make([]types.I256, c.Rows)
	for i := range words {
		var buf [32]byte
		copy(buf[:], littleEndian(nil, v, i))
		for k := range words[i] {
			words[i][k] = binary.LittleEndian.Uint64(buf[8*k:])
		}
	}
	switch c.Result.Phys() {
	case types.PUInt128:
		out := make([]types.U128, c.Rows)
		for i, w := range words {
			out[i] = types.U128{Lo: w[0], Hi: w[1]}
			if c.Result.Kind == types.UUID { // the first half comes first
				out[i] = types.U128{Hi: w[0], Lo: w[1]}
			}
		}
		return newNum(c.Result, out), nil
	case types.PInt128, types.PInt256, types.PUInt256:
		return storeWide(c.Result, words), nil
	case types.PFloat32:
		out := make([]float32, c.Rows)
		for i := range out {
			out[i] = math.Float32frombits(uint32(words[i][0]))
		}
		return newNum(c.Result, out), nil
	case types.PFloat64:
		out := make([]float64, c.Rows)
		for i := range out {
			out[i] = math.Float64frombits(words[i][0])
		}
		return newNum(c.Result, out), nil
	}
	return storeWide(c.Result, words), nil
}

func evalReinterpretString(c *Call) (column.Vector, error) {
	v, out := column.Flatten(c.Args[0]), stringResult(c)
	for i := range c.Rows {
		out.Append(trimZeros(littleEndian(nil, v, i)))
	}
	return out, nil
}

// bitsAt is the memory of a value of at most 8 bytes.
func bitsAt(v column.Vector, i int) uint64 {
	switch v := v.(type) {
	case *column.Num[float32]:
		if v.Typ.Kind == types.BFloat16 {
			return uint64(types.BFloat16Bits(v.Data[i]))
		}
		return uint64(math.Float32bits(v.Data[i]))
	case *column.Num[float64]:
		return math.Float64bits(v.Data[i])
	}
	return numsOf[uint64](v.Slice(i, i+1))[0]
}

// allBits is bitsAt of each value of a vector of numbers of up to 64 bits; ok is false if it is none.
func allBits(v column.Vector) (data []uint64, ok bool) {
	switch v := v.(type) {
	case *column.Str, *column.Nullable, *column.Array, *column.Map, *column.Tuple, *column.Num[types.U128], *column.Num[types.I128], *column.Num[types.U256], *column.Num[types.I256]:
		return nil, false
	case *column.Num[float32]:
		data = make([]uint64, len(v.Data))
		for i, x := range v.Data {
			data[i] = uint64(math.Float32bits(x))
		}
		return data, true
	case *column.Num[float64]:
		data = make([]uint64, len(v.Data))
		for i, x := range v.Data {
			data[i] = math.Float64bits(x)
		}
		return data, true
	}
	return numsOf[uint64](v), true
}
