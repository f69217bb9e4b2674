package valuetext

import (
	"math"
	"strconv"
	"time"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// AppendJSON appends value i of v as JSON: numbers bare (64-bit integers too; inf and nan as null), tuples with
// names and maps as objects, what else AppendQuoted quotes as strings.
func AppendJSON(dst []byte, v column.Vector, i int, loc *time.Location) []byte {
	switch v := v.(type) {
	case *column.Const:
		return AppendJSON(dst, v.Value, 0, loc)
	case *column.Dict:
		return AppendJSON(dst, v.Values, int(v.Codes[i]), loc)
	case *column.Nullable:
		if v.Nulls[i] != 0 {
			return append(dst, "null"...)
		}
		return AppendJSON(dst, v.Inner, i, loc)
	case *column.Array:
		dst = append(dst, '[')
		for j := v.Off[i]; j < v.Off[i+1]; j++ {
			if j > v.Off[i] {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, v.Elem, int(j), loc)
		}
		return append(dst, ']')
	case *column.Map:
		if v.Typ.Kind == types.JSON {
			return AppendObject(dst, v, i, -1, func(dst []byte, v column.Vector, i, _ int) []byte { return AppendJSON(dst, v, i, loc) })
		}
		return appendJSONMap(dst, v, i, loc)
	case *column.Tuple:
		return appendJSONTuple(dst, v, i, loc)
	case *column.Variant:
		in, at := v.Value(i)
		if in == nil {
			return append(dst, "null"...)
		}
		return AppendJSON(dst, in, at, loc)
	case *column.Num[float64]:
		if math.IsNaN(v.Data[i]) || math.IsInf(v.Data[i], 0) {
			return append(dst, "null"...)
		}
	case *column.Num[float32]:
		if x := float64(v.Data[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			return append(dst, "null"...)
		}
	}
	if IsQuoted(v.Type()) {
		return AppendJSONString(dst, AppendText(nil, v, i, loc))
	}
	return AppendText(dst, v, i, loc)
}

func appendJSONMap(dst []byte, v *column.Map, i int, loc *time.Location) []byte {
	dst = append(dst, '{')
	for j := v.Off[i]; j < v.Off[i+1]; j++ {
		if j > v.Off[i] {
			dst = append(dst, ',')
		}
		dst = AppendJSONString(dst, AppendText(nil, v.Keys, int(j), loc))
		dst = append(dst, ':')
		dst = AppendJSON(dst, v.Vals, int(j), loc)
	}
	return append(dst, '}')
}

func appendJSONTuple(dst []byte, v *column.Tuple, i int, loc *time.Location) []byte {
	open, end := byte('['), byte(']')
	if v.Typ.Kind == types.Tuple && v.Typ.Names != nil {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for j, e := range v.Elems {
		if j > 0 {
			dst = append(dst, ',')
		}
		if open == '{' {
			dst = append(AppendJSONString(dst, v.Typ.Names[j]), ':')
		}
		dst = AppendJSON(dst, e, i, loc)
	}
	return append(dst, end)
}

// AppendJSONString appends s between double quotes, escaped as ClickHouse escapes JSON strings.
func AppendJSONString[S ~string | ~[]byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\\':
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
		case '/':
			dst = append(dst, '\\', '/')
		default:
			if c < ' ' {
				dst = append(dst, `\u00`...)
				dst = append(dst, strconv.FormatUint(uint64(c)|0x100, 16)[1:]...)
				continue
			}
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
