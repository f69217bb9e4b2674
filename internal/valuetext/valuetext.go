// Package valuetext turns values into ClickHouse's text and back.
//
// AppendText writes a value as toString and TabSeparated (before escaping) show it: strings
// as they are, numbers in their shortest form, dates as 2020-01-02, arrays as ['a','b'],
// tuples as (1,'a'), maps as {'k':1}. AppendQuoted writes it as it stands inside an array or
// a SQL literal: strings, dates, UUIDs, addresses and enum names in quotes with backslash escapes.
//
// ParseInto reads the form AppendText writes into a builder, with the codes ClickHouse
// has for each kind of bad text; ScanQuoted reads the quoted form off the front of a text.
//
// Nothing here allocates per value except maps and errors. A *time.Location argument is the
// zone of DateTime and DateTime64 types that declare none; nil is UTC.
package valuetext

import (
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// AppendText appends value i of v as toString shows it. NULL is NULL at every depth;
// formats that write it otherwise at the top ask column.IsNull first.
func AppendText(dst []byte, v column.Vector, i int, loc *time.Location) []byte {
	return appendValue(dst, v, i, loc, false)
}

// AppendQuoted appends value i of v as it stands inside an array, tuple or map, and in SQL.
func AppendQuoted(dst []byte, v column.Vector, i int, loc *time.Location) []byte {
	return appendValue(dst, v, i, loc, true)
}

// IsQuoted reports whether AppendQuoted puts a value of t between quotes.
func IsQuoted(t *types.Type) bool {
	t = t.Inner()
	return t.IsString() || t.IsDateOrTime() || t.IsTime() || t.IsEnum() || t.Kind == types.UUID || t.Kind == types.IPv4 || t.Kind == types.IPv6 ||
		t.Kind == types.AggregateFunction
}

func appendValue(dst []byte, v column.Vector, i int, loc *time.Location, quoted bool) []byte {
	switch v := v.(type) {
	case *column.Const:
		return appendValue(dst, v.Value, 0, loc, quoted)
	case *column.Dict:
		return appendValue(dst, v.Values, int(v.Codes[i]), loc, quoted)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, "NULL"...)
		}
		return appendValue(dst, v.Inner, i, loc, quoted)
	case *column.Str:
		return appendBytes(dst, v.Typ, v.At(i), quoted)
	case *column.Array:
		return appendArray(dst, v, i, loc)
	case *column.Map:
		if v.Typ.Kind == types.JSON {
			return appendObject(dst, v, i, loc, quoted)
		}
		return appendMap(dst, v, i, loc)
	case *column.Tuple:
		return appendTuple(dst, v, i, loc)
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return append(dst, "NULL"...)
		}
		return appendValue(dst, in, at, loc, quoted)
	}
	if quoted && IsQuoted(v.Type()) {
		if t := v.Type(); t.IsEnum() {
			name, _ := t.EnumName(enumAt(v, i))
			return AppendQuotedString(dst, name)
		}
		dst = append(dst, '\'')
		dst = appendNum(dst, v, i, loc)
		return append(dst, '\'')
	}
	return appendNum(dst, v, i, loc)
}

func appendBytes(dst []byte, t *types.Type, s []byte, quoted bool) []byte {
	if t.Kind == types.IPv6 {
		if quoted {
			dst = append(dst, '\'')
		}
		dst = AppendIPv6(dst, s)
		if quoted {
			dst = append(dst, '\'')
		}
		return dst
	}
	if quoted {
		return AppendQuotedString(dst, s)
	}
	return append(dst, s...)
}

func appendArray(dst []byte, v *column.Array, i int, loc *time.Location) []byte {
	dst = append(dst, '[')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v.Elem, int(j), loc, true)
	}
	return append(dst, ']')
}

func appendMap(dst []byte, v *column.Map, i int, loc *time.Location) []byte {
	dst = append(dst, '{')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v.Keys, int(j), loc, true)
		dst = append(dst, ':')
		dst = appendValue(dst, v.Vals, int(j), loc, true)
	}
	return append(dst, '}')
}

func appendTuple(dst []byte, v *column.Tuple, i int, loc *time.Location) []byte {
	dst = append(dst, '(')
	for j, e := range v.Elems {
		if j > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, e, i, loc, true)
	}
	return append(dst, ')')
}

func enumAt(v column.Vector, i int) int16 {
	if e, ok := v.(*column.Num[int8]); ok {
		return int16(e.Data[i])
	}
	return v.(*column.Num[int16]).Data[i]
}

// appendNum writes a fixed-width value by its type, without quotes.
func appendNum(dst []byte, v column.Vector, i int, loc *time.Location) []byte {
	switch v := v.(type) {
	case *column.Num[uint8]:
		if v.Typ.Kind == types.Bool {
			return strconv.AppendBool(dst, v.Data[i] != 0)
		}
		return strconv.AppendUint(dst, uint64(v.Data[i]), 10)
	case *column.Num[uint16]:
		if v.Typ.Kind == types.Date {
			return AppendDate(dst, int64(v.Data[i]))
		}
		return strconv.AppendUint(dst, uint64(v.Data[i]), 10)
	case *column.Num[uint32]:
		switch v.Typ.Kind {
		case types.DateTime:
			return AppendDateTime(dst, int64(v.Data[i]), zoneOf(v.Typ, loc))
		case types.IPv4:
			return AppendIPv4(dst, v.Data[i])
		}
		return strconv.AppendUint(dst, uint64(v.Data[i]), 10)
	case *column.Num[uint64]:
		return strconv.AppendUint(dst, v.Data[i], 10)
	case *column.Num[types.U128]:
		if v.Typ.Kind == types.UUID {
			return AppendUUID(dst, v.Data[i])
		}
		return AppendUint128(dst, v.Data[i])
	case *column.Num[int8]:
		if v.Typ.Kind == types.Enum8 {
			return appendEnum(dst, v.Typ, int16(v.Data[i]))
		}
		return strconv.AppendInt(dst, int64(v.Data[i]), 10)
	case *column.Num[int16]:
		if v.Typ.Kind == types.Enum16 {
			return appendEnum(dst, v.Typ, v.Data[i])
		}
		return strconv.AppendInt(dst, int64(v.Data[i]), 10)
	case *column.Num[int32]:
		switch v.Typ.Kind {
		case types.Date32:
			return AppendDate(dst, int64(v.Data[i]))
		case types.Time:
			return AppendTime(dst, int64(v.Data[i]), 0)
		case types.Decimal:
			return AppendDecimal64(dst, int64(v.Data[i]), v.Typ.Scale)
		}
		return strconv.AppendInt(dst, int64(v.Data[i]), 10)
	case *column.Num[int64]:
		switch v.Typ.Kind {
		case types.Time64:
			return AppendTime(dst, v.Data[i], v.Typ.Scale)
		case types.DateTime64:
			return AppendDateTime64(dst, v.Data[i], v.Typ.Scale, zoneOf(v.Typ, loc))
		case types.Decimal:
			return AppendDecimal64(dst, v.Data[i], v.Typ.Scale)
		}
		return strconv.AppendInt(dst, v.Data[i], 10)
	case *column.Num[types.I128]:
		return AppendDecimal128(dst, v.Data[i], v.Typ.Scale)
	case *column.Num[types.U256]:
		return AppendDecimal256(dst, v.Data[i], false, v.Typ.Scale)
	case *column.Num[types.I256]:
		return AppendDecimal256(dst, types.U256(v.Data[i]), v.Data[i].Negative(), v.Typ.Scale)
	case *column.Num[float32]:
		return AppendFloat32(dst, v.Data[i])
	case *column.Num[float64]:
		return AppendFloat64(dst, v.Data[i])
	}
	panic("valuetext: unknown vector of type " + v.Type().String())
}

func appendEnum(dst []byte, t *types.Type, v int16) []byte {
	name, ok := t.EnumName(v)
	if !ok {
		return strconv.AppendInt(dst, int64(v), 10)
	}
	return append(dst, name...)
}

// zoneOf is the zone in which values of t are shown.
func zoneOf(t *types.Type, session *time.Location) *civil.Zone {
	if t.Zone != nil {
		return civil.ZoneOf(t.Zone)
	}
	return civil.ZoneOf(session)
}

// AppendQuotedString appends s between single quotes, escaped as ClickHouse writes strings in arrays.
func AppendQuotedString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case 0:
			dst = append(dst, '\\', '0')
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '\'')
}

// appendObject writes a value of JSON as its text, or that as a string.
func appendObject(dst []byte, v *column.Map, i int, loc *time.Location, quoted bool) []byte {
	if quoted {
		return AppendQuotedString(dst, AppendJSON(nil, v, i, loc))
	}
	return AppendJSON(dst, v, i, loc)
}
