package format

import (
	"encoding/binary"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/parquet-go/parquet-go"
)

// write writes n values of v, which is flat.
func (s *parquetSink) write(v column.Vector, n int, writers []*parquet.ColumnWriter) error {
	for from := 0; from < n; from += parquetPieceRows {
		to := min(from+parquetPieceRows, n)
		if err := s.prepare(v.Slice(from, to)); err != nil {
			return err
		}
		for i := range to - from {
			s.emit(i, 0, 0, 0)
		}
		if err := s.flush(writers); err != nil {
			return err
		}
	}
	return nil
}

// flush hands the rows of all leaves to their writers.
func (s *parquetSink) flush(writers []*parquet.ColumnWriter) error {
	for _, k := range s.kids {
		if err := k.flush(writers); err != nil {
			return err
		}
	}
	if s.leaf < 0 {
		return nil
	}
	err := safely(func() error {
		_, err := writers[s.leaf].WriteRowValues(s.row)
		return err
	})
	s.row = s.row[:0]
	return err
}

// prepare turns the values of a vector into the library's, leaf by leaf.
func (s *parquetSink) prepare(v column.Vector) error {
	switch v := v.(type) {
	case *column.Array:
		from, to := v.Off[0], v.Off[len(v.Off)-1]
		s.off = v.Off
		return s.kids[0].prepare(v.Elem.Slice(int(from), int(to)))
	case *column.Map:
		from, to := v.Off[0], v.Off[len(v.Off)-1]
		s.off = v.Off
		if err := s.kids[0].prepare(v.Keys.Slice(int(from), int(to))); err != nil {
			return err
		}
		return s.kids[1].prepare(v.Vals.Slice(int(from), int(to)))
	case *column.Tuple:
		for i, e := range v.Elems {
			if err := s.kids[i].prepare(e); err != nil {
				return err
			}
		}
		return nil
	}
	var err error
	s.vals, err = parquetValues(s.vals[:0], v, s.typ.WithoutNullable())
	return err
}

// emit appends value i to the rows of the leaves. rep and def are the levels up to here, depth the repeated groups around.
func (s *parquetSink) emit(i, rep, def, depth int) {
	switch {
	case s.leaf >= 0:
		v := s.vals[i]
		if s.optional && !v.IsNull() {
			def++
		}
		s.row = append(s.row, v.Level(rep, def, s.leaf))
	case s.typ.Kind == types.Tuple:
		for _, k := range s.kids {
			k.emit(i, rep, def, depth)
		}
	default:
		from, to := int(s.off[i]-s.off[0]), int(s.off[i+1]-s.off[0])
		for _, k := range s.kids {
			if from == to {
				k.none(rep, def)
			}
			r := rep
			for e := from; e < to; e++ {
				k.emit(e, r, def+1, depth+1)
				r = depth + 1
			}
		}
	}
}

// none marks the place of an empty group in the leaves.
func (s *parquetSink) none(rep, def int) {
	if s.leaf >= 0 {
		s.row = append(s.row, parquet.Value{}.Level(rep, def, s.leaf))
	}
	for _, k := range s.kids {
		k.none(rep, def)
	}
}

// tupleName is the name of a tuple's element, its number if it has none.
func tupleName(t *types.Type, i int) string {
	if t.Names != nil {
		return t.Names[i]
	}
	return strconv.Itoa(i + 1)
}

// parquetValues appends the values of a flat vector of t as they are written.
func parquetValues(dst []parquet.Value, v column.Vector, t *types.Type) ([]parquet.Value, error) {
	switch v := v.(type) {
	case *column.Nullable:
		start := len(dst)
		dst, err := parquetValues(dst, v.Inner, t)
		for i, null := range v.Nulls {
			if null != 0 && err == nil {
				dst[start+i] = parquet.Value{}
			}
		}
		return dst, err
	case *column.Str:
		for i := range v.Len() {
			if t.Kind == types.String {
				dst = append(dst, parquet.ByteArrayValue(v.At(i)))
			} else {
				dst = append(dst, parquet.FixedLenByteArrayValue(v.At(i)))
			}
		}
		return dst, nil
	case *column.Num[uint8]:
		if t.Kind == types.Bool {
			for _, x := range v.Data {
				dst = append(dst, parquet.BooleanValue(x != 0))
			}
			return dst, nil
		}
		return int32Values(dst, v.Data), nil
	case *column.Num[int8]:
		if t.Kind == types.Enum8 {
			return enumValues(dst, v.Data, t), nil
		}
		return int32Values(dst, v.Data), nil
	case *column.Num[int16]:
		if t.Kind == types.Enum16 {
			return enumValues(dst, v.Data, t), nil
		}
		return int32Values(dst, v.Data), nil
	}
	return parquetWide(dst, v, t)
}

// parquetWide is parquetValues for numbers of more than 16 bits.
func parquetWide(dst []parquet.Value, v column.Vector, t *types.Type) ([]parquet.Value, error) {
	switch v := v.(type) {
	case *column.Num[uint16]:
		return int32Values(dst, v.Data), nil
	case *column.Num[uint32]:
		if t.Kind == types.DateTime {
			return int64Values(dst, v.Data, 1000), nil
		}
		return int32Values(dst, v.Data), nil
	case *column.Num[int32]:
		if t.Kind == types.Decimal {
			return decimalValues(dst, v.Data, 4), nil
		}
		return int32Values(dst, v.Data), nil
	case *column.Num[uint64]:
		return int64Values(dst, v.Data, 1), nil
	case *column.Num[int64]:
		switch t.Kind {
		case types.Decimal:
			return decimalValues(dst, v.Data, 8), nil
		case types.DateTime64:
			return int64Values(dst, v.Data, int64(powers[3*timeUnit(t)+3-t.Scale])), nil
		}
		return int64Values(dst, v.Data, 1), nil
	case *column.Num[float32]:
		for _, x := range v.Data {
			dst = append(dst, parquet.FloatValue(x))
		}
		return dst, nil
	case *column.Num[float64]:
		for _, x := range v.Data {
			dst = append(dst, parquet.DoubleValue(x))
		}
		return dst, nil
	case *column.Num[types.I128]:
		for _, x := range v.Data {
			dst = append(dst, wideValue(uint64(x.Hi), x.Lo, t))
		}
		return dst, nil
	case *column.Num[types.U128]:
		for _, x := range v.Data {
			dst = append(dst, wideValue(x.Hi, x.Lo, t))
		}
		return dst, nil
	case *column.Num[types.I256]:
		for _, x := range v.Data {
			dst = append(dst, widestValue(types.U256(x), t))
		}
		return dst, nil
	case *column.Num[types.U256]:
		for _, x := range v.Data {
			dst = append(dst, widestValue(x, t))
		}
		return dst, nil
	}
	return nil, sqlerr.New(sqlerr.NotImplemented, "Type %s is not supported in Parquet", t)
}

func int32Values[T integer](dst []parquet.Value, data []T) []parquet.Value {
	for _, x := range data {
		dst = append(dst, parquet.Int32Value(int32(x)))
	}
	return dst
}

func int64Values[T integer](dst []parquet.Value, data []T, scale int64) []parquet.Value {
	for _, x := range data {
		dst = append(dst, parquet.Int64Value(int64(x)*scale))
	}
	return dst
}

// decimalValues writes numbers in width bytes, the highest first.
func decimalValues[T int32 | int64](dst []parquet.Value, data []T, width int) []parquet.Value {
	buf := make([]byte, 0, 8*len(data))
	for _, x := range data {
		buf = binary.BigEndian.AppendUint64(buf, uint64(int64(x)))
		dst = append(dst, parquet.FixedLenByteArrayValue(buf[len(buf)-width:]))
	}
	return dst
}

// wideValue writes 128 bits: decimals and UUIDs with the highest byte first, integers, as ClickHouse does, with the lowest.
func wideValue(hi, lo uint64, t *types.Type) parquet.Value {
	b := make([]byte, 0, 16)
	if t.Kind == types.Decimal || t.Kind == types.UUID {
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, hi), lo)
	} else {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, lo), hi)
	}
	return parquet.FixedLenByteArrayValue(b)
}

// widestValue writes 256 bits: decimals with the highest byte first, integers with the lowest.
func widestValue(x types.U256, t *types.Type) parquet.Value {
	b := make([]byte, 0, 32)
	if t.Kind != types.Decimal {
		return parquet.FixedLenByteArrayValue(appendWords(b, x))
	}
	for i := 3; i >= 0; i-- {
		b = binary.BigEndian.AppendUint64(b, x[i])
	}
	return parquet.FixedLenByteArrayValue(b)
}

func enumValues[T int8 | int16](dst []parquet.Value, data []T, t *types.Type) []parquet.Value {
	names := make(map[T]parquet.Value, len(t.Enum))
	for _, e := range t.Enum {
		names[T(e.Value)] = parquet.ByteArrayValue([]byte(e.Name))
	}
	for _, x := range data {
		v, ok := names[x]
		if !ok { // no name: ClickHouse keeps such values as the empty string
			v = parquet.ByteArrayValue(nil)
		}
		dst = append(dst, v)
	}
	return dst
}
