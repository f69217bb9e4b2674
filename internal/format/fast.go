package format

import (
	"math"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

// The common spellings of the common types, read without the general parser of valuetext, which stays the judge of everything
// else: a reader here answers false to what it does not know for certain, and appends nothing.

// fastValue appends plain integers, short decimals to Float64, and dates and times in full.
func fastValue(b column.Builder, t *types.Type, text []byte, o *Options) bool {
	switch t.Kind {
	case types.Float64:
		x, ok := shortDecimal(text)
		if v, is := b.(*column.Num[float64]); is && ok {
			v.Data = append(v.Data, x)
			return true
		}
		return false
	case types.Date:
		days, ok := isoDate(text)
		if v, is := b.(*column.Num[uint16]); is && ok {
			v.Data = append(v.Data, uint16(valuetext.ClampDays(days, t)))
			return true
		}
		return false
	case types.DateTime:
		local, ok := isoDateTime(text)
		if v, is := b.(*column.Num[uint32]); is && ok {
			loc := t.Zone
			if loc == nil {
				loc = o.Zone
			}
			v.Data = append(v.Data, uint32(min(max(civil.ZoneOf(loc).Unix(local), 0), valuetext.MaxDateTime)))
			return true
		}
		return false
	}
	return fastInteger(b, t, text)
}

// maxFastDigits is how many characters always fit an int64.
const maxFastDigits = 18

// fastInteger appends plain integers within the range of their type.
func fastInteger(b column.Builder, t *types.Type, text []byte) bool {
	if len(text) == 0 || len(text) > maxFastDigits+1 {
		return false
	}
	switch v := b.(type) {
	case *column.Num[uint64]:
		return t.Kind == types.UInt64 && appendDigits(&v.Data, text, false, math.MaxInt64)
	case *column.Num[uint32]:
		return t.Kind == types.UInt32 && appendDigits(&v.Data, text, false, math.MaxUint32)
	case *column.Num[uint16]:
		return t.Kind == types.UInt16 && appendDigits(&v.Data, text, false, math.MaxUint16)
	case *column.Num[uint8]:
		return t.Kind == types.UInt8 && appendDigits(&v.Data, text, false, math.MaxUint8)
	case *column.Num[int64]:
		return t.Kind == types.Int64 && appendDigits(&v.Data, text, true, math.MaxInt64)
	case *column.Num[int32]:
		return t.Kind == types.Int32 && appendDigits(&v.Data, text, true, math.MaxInt32)
	case *column.Num[int16]:
		return t.Kind == types.Int16 && appendDigits(&v.Data, text, true, math.MaxInt16)
	case *column.Num[int8]:
		return t.Kind == types.Int8 && appendDigits(&v.Data, text, true, math.MaxInt8)
	}
	return false
}

func appendDigits[T uint8 | uint16 | uint32 | uint64 | int8 | int16 | int32 | int64](dst *[]T, text []byte, signed bool, limit int64) bool {
	neg := signed && text[0] == '-'
	if neg {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > maxFastDigits {
		return false
	}
	x := int64(0)
	for _, c := range text {
		d := c - '0'
		if d > 9 {
			return false
		}
		x = x*10 + int64(d)
	}
	if x > limit {
		return false
	}
	if neg {
		x = -x
	}
	*dst = append(*dst, T(x))
	return true
}

// powers are the powers of ten by which an integer of maxExactDigits digits may be divided.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// maxExactDigits is how many decimal digits a float64 holds exactly: the quotient of two exact floats is rounded once, and so
// is the float nearest to the decimal.
const maxExactDigits = 15

// shortDecimal reads [-]digits[.digits] of at most maxExactDigits digits.
func shortDecimal(text []byte) (float64, bool) {
	neg := len(text) > 0 && text[0] == '-'
	if neg {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > maxExactDigits+1 || text[len(text)-1] == '.' || text[0] == '.' {
		return 0, false
	}
	mantissa, point := int64(0), -1
	for i, c := range text {
		switch d := c - '0'; {
		case d <= 9:
			mantissa = mantissa*10 + int64(d)
		case c == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	if point < 0 && len(text) > maxExactDigits {
		return 0, false
	}
	x := float64(mantissa)
	if point >= 0 {
		x /= powers[len(text)-point-1]
	}
	if neg {
		x = -x
	}
	return x, true
}

// twoDigits reads two digits; more than 99 if they are not.
func twoDigits(s []byte) int {
	a, b := s[0]-'0', s[1]-'0'
	if a > 9 || b > 9 {
		return 100
	}
	return int(a)*10 + int(b)
}

// isoDate reads YYYY-MM-DD of a day that exists.
func isoDate(s []byte) (days int64, ok bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, year, month, day := twoDigits(s), twoDigits(s[2:]), twoDigits(s[5:]), twoDigits(s[8:])
	if century > 99 || year > 99 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year += 100 * century
	if day > 28 && day > civil.MonthDays(year, month) {
		return 0, false
	}
	return civil.ToDays(year, month, day), true
}

// isoDateTime reads "YYYY-MM-DD hh:mm:ss" as seconds of local time.
func isoDateTime(s []byte) (local int64, ok bool) {
	if len(s) != len("2006-01-02 15:04:05") || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	days, ok := isoDate(s[:10])
	hour, minute, second := twoDigits(s[11:]), twoDigits(s[14:]), twoDigits(s[17:])
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return days*civil.Day + int64(hour*3600+minute*60+second), true
}
