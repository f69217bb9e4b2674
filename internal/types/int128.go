package types

import (
	"math/big"
	"math/bits"
)

// U128 is an unsigned 128-bit integer; also a UUID, whose first 8 bytes as printed are Hi.
type U128 struct{ Lo, Hi uint64 }

// I128 is a signed 128-bit integer in two's complement.
type I128 struct {
	Lo uint64
	Hi int64
}

// Cmp compares as -1, 0 or +1.
func (a U128) Cmp(b U128) int {
	if a.Hi != b.Hi {
		return cmp64(a.Hi, b.Hi)
	}
	return cmp64(a.Lo, b.Lo)
}

// Cmp compares as -1, 0 or +1.
func (a I128) Cmp(b I128) int {
	if a.Hi != b.Hi {
		if a.Hi < b.Hi {
			return -1
		}
		return 1
	}
	return cmp64(a.Lo, b.Lo)
}

func cmp64(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// I128From widens v.
func I128From(v int64) I128 { return I128{Lo: uint64(v), Hi: v >> 63} }

// Add returns a+b modulo 2^128.
func (a I128) Add(b I128) I128 {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), c)
	return I128{Lo: lo, Hi: int64(hi)}
}

// Neg returns -a modulo 2^128.
func (a I128) Neg() I128 {
	lo, b := bits.Sub64(0, a.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(a.Hi), b)
	return I128{Lo: lo, Hi: int64(hi)}
}

// Sub returns a-b modulo 2^128.
func (a I128) Sub(b I128) I128 { return a.Add(b.Neg()) }

// Mul returns a*b modulo 2^128.
func (a I128) Mul(b I128) I128 {
	hi, lo := bits.Mul64(a.Lo, b.Lo)
	hi += a.Lo*uint64(b.Hi) + uint64(a.Hi)*b.Lo
	return I128{Lo: lo, Hi: int64(hi)}
}

// Big returns a as a big integer.
func (a I128) Big() *big.Int {
	neg := a.Hi < 0
	if neg {
		a = a.Neg()
	}
	v := U128{Lo: a.Lo, Hi: uint64(a.Hi)}.Big()
	if neg {
		v.Neg(v)
	}
	return v
}

// Big returns a as a big integer.
func (a U128) Big() *big.Int {
	v := new(big.Int).SetUint64(a.Hi)
	v.Lsh(v, 64)
	return v.Or(v, new(big.Int).SetUint64(a.Lo))
}

// String returns the decimal digits.
func (a I128) String() string { return a.Big().String() }

// String returns the decimal digits.
func (a U128) String() string { return a.Big().String() }

// Float64 returns the nearest float.
func (a I128) Float64() float64 {
	f, _ := new(big.Float).SetInt(a.Big()).Float64()
	return f
}

// I128FromBig returns v modulo 2^128 and whether it fits.
func I128FromBig(v *big.Int) (I128, bool) {
	fits := v.BitLen() <= 127 || v.Sign() < 0 && v.BitLen() == 128 && v.TrailingZeroBits() == 127
	abs := new(big.Int).Abs(v)
	mask := new(big.Int).SetUint64(^uint64(0))
	lo := new(big.Int).And(abs, mask).Uint64()
	hi := new(big.Int).And(new(big.Int).Rsh(abs, 64), mask).Uint64()
	r := I128{Lo: lo, Hi: int64(hi)}
	if v.Sign() < 0 {
		r = r.Neg()
	}
	return r, fits
}

// U128FromBig returns v modulo 2^128 and whether it fits.
func U128FromBig(v *big.Int) (U128, bool) {
	fits := v.Sign() >= 0 && v.BitLen() <= 128
	r, _ := I128FromBig(v)
	return U128{Lo: r.Lo, Hi: uint64(r.Hi)}, fits
}
