package page

import (
	"math"
	"unsafe"

	"github.com/olapd/olapd/internal/kernel"
)

// maxDigits is the most digits behind the point that the decimal encoding tries.
const maxDigits = 8

// maxExact is where float64 stops holding every integer.
const maxExact = 1 << 53

var powers = [maxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// appendFloats appends src as a stream: as scaled integers if every value is a decimal number of few digits, bit for bit, and
// that is smaller; else as the integers of the same bits.
func appendFloats[F kernel.Float, B uint32 | uint64](dst []byte, src []F) []byte {
	start := len(dst)
	dst = AppendInts(dst, cast[B](src))
	size := len(dst) - start
	if size < lz4Min || dst[start] == howDict {
		return dst
	}
	scaled, digits, ok := decimals(src)
	if !ok {
		return dst
	}
	out := AppendInts([]byte{howDecimal, digits}, scaled)
	if len(out) >= size {
		return dst
	}
	return append(dst[:start], out...)
}

// decimals returns src as integers of a number of digits behind the point, if that gives back every bit.
func decimals[F kernel.Float](src []F) (scaled []int64, digits uint8, ok bool) {
	scaled = make([]int64, len(src))
	for i := 0; i < len(src); {
		v, exact := scale(src[i], digits)
		if exact {
			scaled[i] = v
			i++
			continue
		}
		if digits == maxDigits {
			return nil, 0, false
		}
		digits++ // and once more from the front: most data shows its digits in the first values
		i = 0
	}
	return scaled, digits, true
}

// scale returns x in units of 10^-digits, and whether unscale gives x again. NaN, infinities and -0 do not.
func scale[F kernel.Float](x F, digits uint8) (int64, bool) {
	f := math.Round(float64(x) * powers[digits])
	if !(f > -maxExact && f < maxExact) {
		return 0, false
	}
	v := int64(f)
	return v, math.Float64bits(float64(unscale[F](v, digits))) == math.Float64bits(float64(x))
}

func unscale[F kernel.Float](v int64, digits uint8) F { return F(float64(v) / powers[digits]) }

// decodeFloats decodes values [from, from+len(dst)) of a stream of n floats.
func decodeFloats[F kernel.Float, B uint32 | uint64](dst []F, stream []byte, n, from int) error {
	if len(stream) < 2 || stream[0] != howDecimal {
		return Ints(cast[B](dst), stream, n, from)
	}
	digits := stream[1]
	if digits > maxDigits {
		return corrupt("%d digits", digits)
	}
	var scaled []int64
	if unsafe.Sizeof(F(0)) == 8 {
		scaled = cast[int64](dst) // in place
	} else {
		scaled = kernel.Dirty[int64](len(dst))
		defer kernel.Recycle(scaled)
	}
	if err := Ints(scaled, stream[2:], n, from); err != nil {
		return err
	}
	p := powers[digits]
	for i, v := range scaled {
		dst[i] = F(float64(v) / p)
	}
	return nil
}
