package valuetext

import (
	"math"
	"math/big"
	"strconv"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// Exponents at which floats change from plain digits to e-notation, as ClickHouse prints them.
const (
	floatPlainMin = 1e-6
	floatPlainMax = 1e21
)

// AppendFloat64 appends the shortest digits that read back as x; inf, -inf and nan by name.
func AppendFloat64(dst []byte, x float64) []byte { return appendFloat(dst, x, 64) }

// AppendFloat32 appends the shortest digits that read back as x; inf, -inf and nan by name.
func AppendFloat32(dst []byte, x float32) []byte { return appendFloat(dst, float64(x), 32) }

func appendFloat(dst []byte, x float64, bits int) []byte {
	switch {
	case math.IsNaN(x):
		return append(dst, "nan"...)
	case math.IsInf(x, 1):
		return append(dst, "inf"...)
	case math.IsInf(x, -1):
		return append(dst, "-inf"...)
	}
	abs := math.Abs(x)
	if bits == 32 {
		abs = float64(float32(abs))
	}
	if abs == 0 || abs >= floatPlainMin && abs < floatPlainMax {
		return strconv.AppendFloat(dst, x, 'f', -1, bits)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, x, 'e', -1, bits)
	return shortenExponent(dst, n)
}

// shortenExponent turns 1e+21 and 1e-07 into 1e21 and 1e-7.
func shortenExponent(dst []byte, from int) []byte {
	for i := len(dst) - 1; i >= from; i-- {
		if dst[i] != 'e' {
			continue
		}
		w := i + 1
		r := i + 1
		if dst[r] == '-' {
			w++
		}
		r++
		for r < len(dst)-1 && dst[r] == '0' {
			r++
		}
		w += copy(dst[w:], dst[r:])
		return dst[:w]
	}
	return dst
}

// AppendUint128 appends the decimal digits of v.
func AppendUint128(dst []byte, v types.U128) []byte {
	if v.Hi == 0 {
		return strconv.AppendUint(dst, v.Lo, 10)
	}
	return v.Big().Append(dst, 10)
}

// AppendDecimal64 appends v / 10^scale without zeros at the end of the fraction.
func AppendDecimal64(dst []byte, v int64, scale int) []byte {
	u := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		u = -u
	}
	var buf [20]byte
	return appendScaled(dst, strconv.AppendUint(buf[:0], u, 10), scale)
}

// AppendDecimal128 appends v / 10^scale without zeros at the end of the fraction.
func AppendDecimal128(dst []byte, v types.I128, scale int) []byte {
	if v.Hi < 0 {
		dst = append(dst, '-')
		v = v.Neg()
	}
	var buf [40]byte
	return appendScaled(dst, AppendUint128(buf[:0], types.U128{Lo: v.Lo, Hi: uint64(v.Hi)}), scale)
}

// AppendDecimal256 appends v / 10^scale without zeros at the end of the fraction; if neg, v is in two's complement.
func AppendDecimal256(dst []byte, v types.U256, neg bool, scale int) []byte {
	if neg {
		dst = append(dst, '-')
		v = types.U256(types.I256(v).Neg())
	}
	var buf [80]byte
	if v[1]|v[2]|v[3] == 0 {
		return appendScaled(dst, strconv.AppendUint(buf[:0], v[0], 10), scale)
	}
	return appendScaled(dst, v.Big().Append(buf[:0], 10), scale)
}

func appendScaled(dst, digits []byte, scale int) []byte {
	if scale == 0 {
		return append(dst, digits...)
	}
	whole := len(digits) - scale
	if whole <= 0 {
		dst = append(dst, '0')
	} else {
		dst = append(dst, digits[:whole]...)
	}
	end := len(digits)
	for end > max(whole, 0) && digits[end-1] == '0' {
		end--
	}
	if end == max(whole, 0) {
		return dst
	}
	dst = append(dst, '.')
	for ; whole < 0; whole++ {
		dst = append(dst, '0')
	}
	return append(dst, digits[whole:end]...)
}

// scanInt reads [+-]digits off the front of s as a magnitude modulo 2^64; over reports overflow of 64 bits.
func scanInt(s []byte) (mag uint64, neg, over bool, n int) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	start := i
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		d := uint64(s[i] - '0')
		if mag > (math.MaxUint64-d)/10 {
			over = true
		}
		mag = mag*10 + d
	}
	if i == start {
		return 0, neg, false, 0
	}
	return mag, neg, over, i
}

// ScanInt64 reads an integer of t off the front of s, modulo 2^64 as ClickHouse does, and returns how many bytes it took.
// exact is false if the value is outside t.
func ScanInt64(s []byte, t *types.Type) (v int64, exact bool, n int, err error) {
	mag, neg, over, n := scanInt(s)
	switch {
	case n == 0 && len(s) == 0:
		return 0, false, 0, sqlerr.New(sqlerr.AttemptToReadAfterEof, "Attempt to read after eof while reading %s", t)
	case neg && t.IsUnsigned():
		return 0, false, 0, sqlerr.New(sqlerr.CannotParseNumber, "Unsigned type %s must not contain '-' symbol", t)
	case n == 0:
		return 0, false, 0, badText(s, t, 0)
	}
	v = int64(mag)
	if neg {
		v = -v
	}
	return v, !over && fits(mag, neg, t), n, nil
}

func fits(mag uint64, neg bool, t *types.Type) bool {
	bits := uint(t.Width()) * 8
	switch {
	case t.Kind == types.Bool:
		return mag <= 1
	case bits > 64:
		return true
	case t.IsUnsigned():
		return bits == 64 || mag < 1<<bits
	case neg:
		return mag <= 1<<(bits-1)
	}
	return mag < 1<<(bits-1)
}

// scanBig reads an integer of 128 or 256 bits off the front of s.
func scanBig(s []byte, t *types.Type) (*big.Int, int, error) {
	_, neg, _, n := scanInt(s)
	switch {
	case n == 0 && len(s) == 0:
		return nil, 0, sqlerr.New(sqlerr.AttemptToReadAfterEof, "Attempt to read after eof while reading %s", t)
	case neg && t.IsUnsigned():
		return nil, 0, sqlerr.New(sqlerr.CannotParseNumber, "Unsigned type %s must not contain '-' symbol", t)
	case n == 0 || n > maxNumberText:
		return nil, 0, badText(s, t, 0)
	}
	b, _ := new(big.Int).SetString(string(s[:n]), 10)
	return b, n, nil
}

// maxNumberText bounds the digits of a number read by the slow paths, against quadratic work.
const maxNumberText = 4096

// ScanFloat reads a float off the front of s and returns how many bytes it took. Too large values are infinite, as in ClickHouse.
func ScanFloat(s []byte, bits int) (float64, int, error) {
	n := floatLen(s)
	if n == 0 {
		return 0, 0, sqlerr.New(sqlerr.CannotParseNumber, "Cannot read floating point value: %q", clip(s))
	}
	if n < 0 { // inf, infinity, nan
		return specialFloat(s[:-n]), -n, nil
	}
	x, err := strconv.ParseFloat(bytesString(s[:n]), bits)
	if err != nil && x == 0 {
		return 0, 0, sqlerr.New(sqlerr.CannotParseNumber, "Cannot read floating point value: %q", clip(s))
	}
	return x, n, nil
}

// floatLen is the length of the float at the front of s; negative for a name such as inf.
func floatLen(s []byte) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for _, name := range []string{"infinity", "inf", "nan"} {
		if len(s) >= i+len(name) && equalFold(s[i:i+len(name)], name) {
			return -(i + len(name))
		}
	}
	digits := 0
	for ; i < len(s) && s[i]-'0' < 10; i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		i++
		for ; i < len(s) && s[i]-'0' < 10; i++ {
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		j := i + 1
		if j < len(s) && (s[j] == '-' || s[j] == '+') {
			j++
		}
		start := j
		for ; j < len(s) && s[j]-'0' < 10; j++ {
		}
		if j > start {
			i = j
		}
	}
	return i
}

func specialFloat(s []byte) float64 {
	sign := 1
	if s[0] == '-' || s[0] == '+' {
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	if s[0]|0x20 == 'n' {
		return math.Float64frombits(0x7ff8000000000000) // the bits that hashes and hex see in ClickHouse
	}
	return math.Inf(sign)
}

// equalFold compares ASCII text with a lower-case name.
func equalFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range s {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// maxExponent bounds the exponent of a decimal in e-notation: beyond it no Decimal256 digit is left.
const maxExponent = 200

// ScanDecimal reads a decimal off the front of s as an integer scaled by 10^scale and returns how many bytes it took.
// Digits beyond the scale are cut off; a value of more than precision digits is ArgumentOutOfBound.
func ScanDecimal(s []byte, precision, scale int) (types.I256, int, error) {
	i, neg := 0, false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	var buf [160]byte
	digits, point, seen, more := buf[:0], 0, false, false
	for ; i < len(s) && (s[i]-'0' < 10 || s[i] == '.' && !more); i++ {
		switch {
		case s[i] == '.':
			more = true
			continue
		case len(digits) == 0 && s[i] == '0':
			seen = true
			if more {
				point--
			}
			continue
		}
		seen = true
		if !more {
			point++
		}
		if len(digits) < cap(buf) {
			digits = append(digits, s[i])
		}
	}
	if !seen {
		if len(s) == i {
			return types.I256{}, 0, sqlerr.New(sqlerr.AttemptToReadAfterEof, "Attempt to read after eof while reading a decimal value")
		}
		return types.I256{}, 0, sqlerr.New(sqlerr.CannotParseText, "Cannot parse a decimal value from %q", clip(s))
	}
	exp, n := scanExponent(s[i:])
	i += n
	v, ok := assemble(digits, point+exp+scale, precision)
	if !ok {
		return types.I256{}, 0, sqlerr.New(sqlerr.ArgumentOutOfBound, "Decimal value is too big: %q does not fit Decimal(%d, %d)", clip(s), precision, scale)
	}
	if neg {
		v = v.Neg()
	}
	return v, i, nil
}

func scanExponent(s []byte) (exp, n int) {
	if len(s) == 0 || s[0]|0x20 != 'e' {
		return 0, 0
	}
	mag, neg, over, n := scanInt(s[1:])
	if n == 0 {
		return 0, 0
	}
	if over || mag > maxExponent {
		mag = maxExponent
	}
	if neg {
		return -int(mag), n + 1
	}
	return int(mag), n + 1
}

// maxChunk is the power of ten up to which digits are joined in 64 bits.
const maxChunk = 1e18

// assemble makes the integer of the first n digits, zeros appended where there are fewer.
func assemble(digits []byte, n, precision int) (types.I256, bool) {
	if n <= 0 || len(digits) == 0 {
		return types.I256{}, true
	}
	if n > precision {
		return types.I256{}, false
	}
	var v types.I256
	for k := 0; k < n; {
		chunk, up := uint64(0), uint64(1)
		for ; k < n && up < maxChunk; k++ {
			chunk, up = chunk*10, up*10
			if k < len(digits) {
				chunk += uint64(digits[k] - '0')
			}
		}
		v = v.Mul(types.I256{up}).Add(types.I256{chunk})
	}
	return v, true
}
