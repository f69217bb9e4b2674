package valuetext

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// MaxTime is the largest Time in seconds, 999:59:59; the smallest is its negative.
const MaxTime = 999*3600 + 59*60 + 59

// AppendTime appends ticks of 10^-scale seconds as [-]hh:mm:ss with scale digits of fraction; hours have two digits or more.
func AppendTime(dst []byte, ticks int64, scale int) []byte {
	u := uint64(ticks)
	if ticks < 0 {
		dst = append(dst, '-')
		u = -u
	}
	unit := uint64(pow10[scale])
	s, frac := u/unit, u%unit
	h, m := s/3600, s/60%60
	s %= 60
	if h < 10 {
		dst = append(dst, '0')
	}
	dst = AppendUint128(dst, types.U128{Lo: h})
	dst = append(dst, ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10))
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	for k := scale - 1; k >= 0; k-- {
		dst = append(dst, byte('0'+frac/uint64(pow10[k])%10))
	}
	return dst
}

// ScanTime reads [-]hhh:mm:ss, mm:ss or ss off the front of s, for a Time64 with a fraction, as ticks of t within its range, and
// returns how many bytes it took.
func ScanTime(s []byte, t *types.Type) (ticks int64, n int, err error) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		n = 1
	}
	digits := 0
	for n+digits < len(s) && digits < 3 && s[n+digits]-'0' < 10 {
		digits++
	}
	if digits == 0 {
		return 0, 0, sqlerr.New(sqlerr.CannotParseDatetime, "Cannot parse %s from %q", t, clip(s))
	}
	sec, k := scanClock(s[n:], digits)
	n += k
	var nanos int32
	if t.Kind == types.Time64 {
		f, fn := scanFraction(s[n:])
		nanos, n = f, n+fn
	}
	ticks = ClampTime(sec*pow10[t.Scale]+int64(nanos)/pow10[9-t.Scale], t.Scale)
	if neg {
		ticks = -ticks
	}
	return ticks, n, nil
}

// scanClock reads the seconds of a time that begins with so many digits, at most three.
func scanClock(s []byte, digits int) (sec int64, n int) {
	first, _ := digitsAt(s, 0, digits)
	a, ok := colonPair(s[digits:])
	if !ok || digits > 2 {
		b, both := 0, false
		if ok {
			b, both = colonPair(s[digits+3:])
		}
		if both {
			return int64(first)*3600 + int64(a)*60 + int64(b), digits + 6
		}
		first, n = digitsAt(s, 0, 2)
		return int64(first), n
	}
	if b, both := colonPair(s[digits+3:]); both {
		return int64(first)*3600 + int64(a)*60 + int64(b), digits + 6
	}
	return int64(first)*60 + int64(a), digits + 3
}

// colonPair reads ":12".
func colonPair(s []byte) (int, bool) {
	if len(s) < 3 || s[0] != ':' {
		return 0, false
	}
	v, n := digitsAt(s, 1, 2)
	return v, n == 2
}

// ClampTime moves ticks of 10^-scale seconds into the range of Time64(scale); of scale 0, of Time. What is a second or more beyond
// MaxTime becomes MaxTime.
func ClampTime(ticks int64, scale int) int64 {
	unit := pow10[scale]
	switch {
	case ticks >= (MaxTime+1)*unit:
		return MaxTime * unit
	case ticks <= -(MaxTime+1)*unit:
		return -MaxTime * unit
	}
	return ticks
}
