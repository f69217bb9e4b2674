package format

import (
	"encoding/binary"
	"math"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// plainField reads a column's common spellings where they stand in a row, without looking for their end first.
type plainField struct {
	kind types.Kind // Nothing: the column has none
	zone *civil.Zone
	t    *types.Type
}

// plainFields are those of a schema.
func plainFields(schema column.Schema, o *Options) []plainField {
	out := make([]plainField, len(schema))
	for i, f := range schema {
		t := f.Type.WithoutLowCardinality()
		switch t.Kind {
		case types.DateTime:
			loc := t.Zone
			if loc == nil {
				loc = o.Zone
			}
			out[i].zone = civil.ZoneOf(loc)
		case types.UInt8, types.UInt16, types.UInt32, types.UInt64, types.Int8, types.Int16, types.Int32, types.Int64, types.Float64, types.Date:
		default:
			continue
		}
		out[i].kind, out[i].t = t.Kind, t
	}
	return out
}

// byteSet tells the bytes that end a field.
type byteSet [256]bool

func bytesOf(s string) *byteSet {
	var set byteSet
	for i := range len(s) {
		set[s[i]] = true
	}
	return &set
}

// take appends the value that data begins with and returns its length; 0, with nothing appended, if it is not a plain one that a
// byte of ends follows.
func (f *plainField) take(b column.Builder, data []byte, ends *byteSet) int {
	switch f.kind {
	case types.UInt8:
		return takeInt(b.(*column.Num[uint8]), data, ends, false, math.MaxUint8)
	case types.UInt16:
		return takeInt(b.(*column.Num[uint16]), data, ends, false, math.MaxUint16)
	case types.UInt32:
		return takeInt(b.(*column.Num[uint32]), data, ends, false, math.MaxUint32)
	case types.UInt64:
		return takeInt(b.(*column.Num[uint64]), data, ends, false, math.MaxUint64)
	case types.Int8:
		return takeInt(b.(*column.Num[int8]), data, ends, true, math.MaxInt8)
	case types.Int16:
		return takeInt(b.(*column.Num[int16]), data, ends, true, math.MaxInt16)
	case types.Int32:
		return takeInt(b.(*column.Num[int32]), data, ends, true, math.MaxInt32)
	case types.Int64:
		return takeInt(b.(*column.Num[int64]), data, ends, true, math.MaxInt64)
	case types.Float64:
		return takeDecimal(b.(*column.Num[float64]), data, ends)
	case types.Date:
		const n = len("2006-01-02")
		if len(data) <= n || !ends[data[n]] {
			return 0
		}
		days, ok := isoDate(data[:n])
		if !ok {
			return 0
		}
		v := b.(*column.Num[uint16])
		v.Data = append(v.Data, uint16(valuetext.ClampDays(days, f.t)))
		return n
	case types.DateTime:
		const n = len("2006-01-02 15:04:05")
		if len(data) <= n || !ends[data[n]] {
			return 0
		}
		local, ok := isoDateTime(data[:n])
		if !ok {
			return 0
		}
		v := b.(*column.Num[uint32])
		v.Data = append(v.Data, uint32(min(max(f.zone.Unix(local), 0), valuetext.MaxDateTime)))
		return n
	}
	return 0
}

// maxIntDigits is how many digits always fit a uint64.
const maxIntDigits = 19

func takeInt[T integer](v *column.Num[T], data []byte, ends *byteSet, signed bool, limit uint64) int {
	i := 0
	neg := signed && len(data) > 0 && data[0] == '-'
	if neg {
		i = 1
	}
	start, x := i, uint64(0)
	for i+8 <= len(data) {
		w := binary.LittleEndian.Uint64(data[i:])
		if !eightDigits(w) || i-start > maxIntDigits-8 {
			break
		}
		x = x*1e8 + ofEightDigits(w)
		i += 8
	}
	for ; i < len(data) && i-start <= maxIntDigits; i++ {
		d := data[i] - '0'
		if d > 9 {
			break
		}
		x = x*10 + uint64(d)
	}
	if n := i - start; n == 0 || n > maxIntDigits || i == len(data) || !ends[data[i]] || x > limit {
		return 0
	}
	if neg {
		x = -x
	}
	v.Data = append(v.Data, T(x))
	return i
}

// eightDigits reports whether all bytes of w are digits: their upper halves are 3, and still are with 6 added.
func eightDigits(w uint64) bool {
	const upper, threes = 0xF0F0F0F0F0F0F0F0, 0x3030303030303030
	return w&upper == threes && (w+0x0606060606060606)&upper == threes
}

// ofEightDigits is the number that eight digits spell, the first in the lowest byte: pairs, then fours, then all.
func ofEightDigits(w uint64) uint64 {
	w -= 0x3030303030303030
	w = w*10 + w>>8
	return (w&0x000000FF000000FF*(100+1000000<<32) + w>>16&0x000000FF000000FF*(1+10000<<32)) >> 32
}

// takeDecimal reads [-]digits[.digits] of at most maxExactDigits digits.
func takeDecimal(v *column.Num[float64], data []byte, ends *byteSet) int {
	i := 0
	neg := len(data) > 0 && data[0] == '-'
	if neg {
		i = 1
	}
	start, x, point := i, int64(0), -1
	for ; i < len(data) && i-start <= maxExactDigits+1; i++ {
		d := data[i] - '0'
		if d <= 9 {
			x = x*10 + int64(d)
			continue
		}
		if data[i] != '.' || point >= 0 {
			break
		}
		point = i
	}
	digits, behind := i-start, 0
	if point >= 0 {
		digits, behind = digits-1, i-point-1
	}
	if i == len(data) || !ends[data[i]] || digits == 0 || digits > maxExactDigits || point == start || point >= 0 && behind == 0 {
		return 0
	}
	f := float64(x) / powers[behind]
	if neg {
		f = -f
	}
	v.Data = append(v.Data, f)
	return i
}
