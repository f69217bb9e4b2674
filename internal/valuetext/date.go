package valuetext

import (
	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Ranges of the date types: ClickHouse clamps what lies outside.
const (
	MaxDate       = 1<<16 - 1                        // 2149-06-06
	MinDate32     = -719528                          // 0000-01-01
	MaxDate32     = 2932896                          // 9999-12-31
	MaxDateTime   = 1<<32 - 1                        // 2106-02-07 06:28:15
	MinDateTime64 = -25567 * civil.Day               // 1900-01-01, in seconds
	MaxDateTime64 = 120529*civil.Day + civil.Day - 1 // 2299-12-31, in seconds
)

var pow10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// AppendDate appends a day number as 2020-01-02.
func AppendDate(dst []byte, days int64) []byte {
	y, m, d := civil.FromDays(days)
	return appendYMD(dst, y, m, d)
}

func appendYMD(dst []byte, y, m, d int) []byte {
	var text [10]byte
	writeYMD(&text, y, m, d)
	return append(dst, text[:]...)
}

func writeYMD(text *[10]byte, y, m, d int) {
	year := uint(min(max(y, 0), 9999))
	text[4], text[7] = '-', '-'
	writeTwo(text[0:2], year/100)
	writeTwo(text[2:4], year%100)
	writeTwo(text[5:7], uint(m))
	writeTwo(text[8:10], uint(d))
}

// twoDigits are 00 to 99.
var twoDigits = func() (digits [200]byte) {
	for i := range 100 {
		digits[2*i], digits[2*i+1] = byte('0'+i/10), byte('0'+i%10)
	}
	return digits
}()

// writeTwo writes a number under 100.
func writeTwo(text []byte, n uint) { text[0], text[1] = twoDigits[2*n], twoDigits[2*n+1] }

// AppendLocal appends local seconds (see package civil) as 2020-01-02 03:04:05.
func AppendLocal(dst []byte, local int64) []byte {
	days := civil.FloorDiv(local, civil.Day)
	s := uint(local - days*civil.Day)
	y, m, d := civil.FromDays(days)
	var text [19]byte
	writeYMD((*[10]byte)(text[:10]), y, m, d)
	text[10], text[13], text[16] = ' ', ':', ':'
	writeTwo(text[11:13], s/3600)
	writeTwo(text[14:16], s/60%60)
	writeTwo(text[17:19], s%60)
	return append(dst, text[:]...)
}

// AppendDateTime appends a unix second as its wall clock time in the zone.
func AppendDateTime(dst []byte, unix int64, z *civil.Zone) []byte {
	return AppendLocal(dst, unix+z.Offset(unix))
}

// AppendDateTime64 appends ticks of 10^-scale seconds as wall clock time with scale digits of fraction.
func AppendDateTime64(dst []byte, ticks int64, scale int, z *civil.Zone) []byte {
	sec := civil.FloorDiv(ticks, pow10[scale])
	dst = AppendDateTime(dst, sec, z)
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	frac := ticks - sec*pow10[scale]
	for k := scale - 1; k >= 0; k-- {
		dst = append(dst, byte('0'+frac/pow10[k]%10))
	}
	return dst
}

// digitsAt reads up to limit digits at s[i:].
func digitsAt(s []byte, i, limit int) (v, n int) {
	for n < limit && i+n < len(s) && s[i+n]-'0' < 10 {
		v = v*10 + int(s[i+n]-'0')
		n++
	}
	return v, n
}

// scanYMD reads YYYY-MM-DD (any separator that is no digit, one or two digits) or YYYYMMDD.
func scanYMD(s []byte) (y, m, d, n int, ok bool) {
	y, n = digitsAt(s, 0, 4)
	if n != 4 || len(s) < 5 {
		return
	}
	i := 4
	if s[i]-'0' < 10 {
		var nm, nd int
		m, nm = digitsAt(s, 4, 2)
		d, nd = digitsAt(s, 6, 2)
		return y, m, d, 8, nm == 2 && nd == 2
	}
	var k int
	if m, k = digitsAt(s, i+1, 2); k == 0 {
		return
	}
	i += 1 + k
	if i >= len(s) || s[i]-'0' < 10 {
		return
	}
	if d, k = digitsAt(s, i+1, 2); k == 0 {
		return
	}
	return y, m, d, i + 1 + k, true
}

// scanHMS reads hh:mm or hh:mm:ss.
func scanHMS(s []byte) (sec int64, n int, ok bool) {
	if len(s) < 5 || s[2] != ':' {
		return
	}
	h, a := digitsAt(s, 0, 2)
	m, b := digitsAt(s, 3, 2)
	if a != 2 || b != 2 {
		return
	}
	n, sec = 5, int64(h)*3600+int64(m)*60
	if len(s) >= 8 && s[5] == ':' {
		if x, c := digitsAt(s, 6, 2); c == 2 {
			sec += int64(x)
			n = 8
		}
	}
	return sec, n, true
}

// daysOf is the day number of a date as written; of one that cannot be (month 13) the epoch, as ClickHouse has it.
func daysOf(y, m, d int) int64 {
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return 0
	}
	return civil.ToDays(y, m, d)
}

// ScanDate reads a date off the front of s as a day number, clamped to the range of t, Date or Date32.
func ScanDate(s []byte, t *types.Type) (int64, int, error) {
	y, m, d, n, ok := scanYMD(s)
	if !ok {
		return 0, 0, sqlerr.New(sqlerr.CannotParseDate, "Cannot parse %s from %q", t, clip(s))
	}
	return ClampDays(daysOf(y, m, d), t), n, nil
}

// ClampDays moves a day number into the range of t, Date or Date32.
func ClampDays(days int64, t *types.Type) int64 {
	if t.Kind == types.Date32 {
		return min(max(days, MinDate32), MaxDate32)
	}
	return min(max(days, 0), MaxDate)
}

// ScanDateTime reads a date with time, a date alone, or a unix timestamp of 5 or more digits off the front of s: seconds and
// nanoseconds, and how many bytes it took. Not clamped.
func ScanDateTime(s []byte, z *civil.Zone) (unix int64, nanos int32, n int, err error) {
	mag, neg, over, k := scanInt(s)
	if k > 0 && (k >= len(s) || s[k] == '.' || s[k] < '-' || s[k] == 'Z') && (k > 4 && k != 8 && k != 14 || neg) {
		if over || mag > 1<<62 {
			return 0, 0, 0, badDateTime(s)
		}
		unix = int64(mag)
		f, fn := scanFraction(s[k:])
		if neg {
			unix = -unix
			if f > 0 {
				unix, f = unix-1, 1e9-f
			}
		}
		return unix, f, k + fn, nil
	}
	y, m, d, i, ok := scanYMD(s)
	if !ok || m < 1 || m > 12 || d < 1 || d > 31 {
		return 0, 0, 0, badDateTime(s)
	}
	local := civil.ToDays(y, m, d) * civil.Day
	if i < len(s) && (s[i] == ' ' || s[i] == 'T' || s[i] == 't') {
		sec, hn, ok := scanHMS(s[i+1:])
		if !ok {
			return 0, 0, 0, badDateTime(s)
		}
		local += sec
		i += 1 + hn
		f, fn := scanFraction(s[i:])
		nanos, i = f, i+fn
	}
	if i < len(s) && s[i] == 'Z' {
		return local, nanos, i + 1, nil
	}
	return z.Unix(local), nanos, i, nil
}

// scanFraction reads ".123" as nanoseconds; digits beyond the ninth are dropped.
func scanFraction(s []byte) (nanos int32, n int) {
	if len(s) == 0 || s[0] != '.' {
		return 0, 0
	}
	v, k := digitsAt(s, 1, 9)
	for j := k; j < 9; j++ {
		v *= 10
	}
	n = 1 + k
	for n < len(s) && s[n]-'0' < 10 {
		n++
	}
	return int32(v), n
}

// Ticks makes DateTime64 ticks of seconds and nanoseconds, clamped to the range of the type and of int64.
func Ticks(unix int64, nanos int32, scale int) int64 {
	unix = min(max(unix, MinDateTime64), MaxDateTime64)
	if scale == 9 { // int64 nanoseconds end in 2262
		const last = 9223372036
		unix = min(unix, last-1)
	}
	return unix*pow10[scale] + int64(nanos)/pow10[9-scale]
}

func badDateTime(s []byte) error {
	return sqlerr.New(sqlerr.CannotParseDatetime, "Cannot parse DateTime from %q", clip(s))
}
