package format

import (
	"encoding/binary"
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	define(&Format{Name: "MsgPack", ContentType: "application/x-msgpack",
		out: func(w *output, s column.Schema, o Options) Writer { return &msgpackWriter{output: w, schema: s} },
		in:  func(s column.Schema, o Options) rowFormat { return &msgpackReader{schema: s, o: o} }})
}

// msgPackUUID is the type of extension that UUIDs are.
const msgPackUUID = 2

// msgpackWriter writes the values of each row one after the other as MessagePack has them: strings as binary, dates, times, Bool and decimals as
// the numbers that they are stored as, numbers of more than 64 bits as their bytes, the lowest first.
type msgpackWriter struct {
	*output
	schema column.Schema
}

// Write implements Writer.
func (w *msgpackWriter) Write(b *column.Block) error {
	cols := make([]column.Vector, len(b.Cols))
	for c, v := range b.Cols {
		cols[c] = column.Flatten(v)
	}
	for i := range b.N {
		for c, v := range cols {
			var err error
			if w.buf, err = appendMsgPack(w.buf, v, i, w.schema[c].Type.WithoutLowCardinality()); err != nil {
				return inField(err, w.schema[c])
			}
		}
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// Totals implements Writer.
func (w *msgpackWriter) Totals(*column.Block) error { return nil }

// Extremes implements Writer.
func (w *msgpackWriter) Extremes(*column.Block) error { return nil }

// Close implements Writer.
func (w *msgpackWriter) Close(Stats) error { return w.Flush() }

// appendMsgPack appends value i of a flat vector.
func appendMsgPack(dst []byte, v column.Vector, i int, t *types.Type) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, 0xc0), nil
		}
		return appendMsgPack(dst, v.Inner, i, t.Elem())
	case *column.Array:
		dst = msgPackHead(dst, int(v.Off[i+1]-v.Off[i]), 0x90, 16, 0xdc)
		for k := v.Off[i]; k < v.Off[i+1] && err == nil; k++ {
			dst, err = appendMsgPack(dst, v.Elem, int(k), t.Elem().WithoutLowCardinality())
		}
		return dst, err
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return append(dst, 0xc0), nil
		}
		return appendMsgPack(dst, in, at, in.Type())
	case *column.Map:
		if t.Kind == types.JSON {
			break
		}
		dst = msgPackHead(dst, int(v.Off[i+1]-v.Off[i]), 0x80, 16, 0xde)
		for k := v.Off[i]; k < v.Off[i+1] && err == nil; k++ {
			if dst, err = appendMsgPack(dst, v.Keys, int(k), t.Elems[0].WithoutLowCardinality()); err == nil {
				dst, err = appendMsgPack(dst, v.Vals, int(k), t.Elems[1].WithoutLowCardinality())
			}
		}
		return dst, err
	case *column.Tuple:
		dst = msgPackHead(dst, len(v.Elems), 0x90, 16, 0xdc)
		for k := 0; k < len(v.Elems) && err == nil; k++ {
			dst, err = appendMsgPack(dst, v.Elems[k], i, t.Elems[k].WithoutLowCardinality())
		}
		return dst, err
	case *column.Str:
		if t.Kind != types.AggregateFunction {
			return append(msgPackBinary(dst, len(v.At(i))), v.At(i)...), nil
		}
	case *column.Num[float32]:
		if t.Kind == types.BFloat16 {
			break
		}
		return binary.BigEndian.AppendUint32(append(dst, 0xca), math.Float32bits(v.Data[i])), nil
	case *column.Num[float64]:
		return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(v.Data[i])), nil
	}
	switch {
	case t.Kind == types.UUID:
		return appendBigEndianUUID(append(dst, 0xd8, msgPackUUID), v.(*column.Num[types.U128]).Data[i]), nil
	case t.Kind == types.Interval:
		return dst, sqlerr.New(sqlerr.IllegalColumn, "Type %s is not supported for MsgPack output format", t)
	case t.Width() > 8:
		return appendBinary(msgPackBinary(dst, t.Width()), v, i), nil
	}
	if x, ok := unsignedAt(v, i); ok && !t.IsTime() {
		return msgPackUnsigned(dst, x), nil
	}
	if x, ok := signedAt(v, i); ok && !t.IsTime() {
		return msgPackSigned(dst, x), nil
	}
	return dst, sqlerr.New(sqlerr.IllegalColumn, "Type %s is not supported for MsgPack output format", t)
}

func unsignedAt(v column.Vector, i int) (uint64, bool) {
	switch v := v.(type) {
	case *column.Num[uint8]:
		return uint64(v.Data[i]), true
	case *column.Num[uint16]:
		return uint64(v.Data[i]), true
	case *column.Num[uint32]:
		return uint64(v.Data[i]), true
	case *column.Num[uint64]:
		return v.Data[i], true
	}
	return 0, false
}

func signedAt(v column.Vector, i int) (int64, bool) {
	switch v := v.(type) {
	case *column.Num[int8]:
		return int64(v.Data[i]), true
	case *column.Num[int16]:
		return int64(v.Data[i]), true
	case *column.Num[int32]:
		return int64(v.Data[i]), true
	case *column.Num[int64]:
		return v.Data[i], true
	}
	return 0, false
}

// msgPackHead begins an array or a map of n elements: in one byte up to a limit, else in the two forms from wide on.
func msgPackHead(dst []byte, n int, short byte, limit int, wide byte) []byte {
	switch {
	case n < limit:
		return append(dst, short|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, wide), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, wide+1), uint32(n))
}

func msgPackBinary(dst []byte, n int) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(dst, 0xc4, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xc5), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, 0xc6), uint32(n))
}

func msgPackUnsigned(dst []byte, x uint64) []byte {
	switch {
	case x < 1<<7:
		return append(dst, byte(x))
	case x <= math.MaxUint8:
		return append(dst, 0xcc, byte(x))
	case x <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(x))
	case x <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(x))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), x)
}

func msgPackSigned(dst []byte, x int64) []byte {
	switch {
	case x >= 0:
		return msgPackUnsigned(dst, uint64(x))
	case x >= -32:
		return append(dst, byte(x))
	case x >= math.MinInt8:
		return append(dst, 0xd0, byte(x))
	case x >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(x))
	case x >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(x))
	}
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(x))
}
