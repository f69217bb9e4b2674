package types

import (
	"math/big"
	"math/bits"
)

// U256 is an unsigned 256-bit integer, its lowest 64 bits first.
type U256 [4]uint64

// I256 is a signed 256-bit integer in two's complement, its lowest 64 bits first.
type I256 [4]uint64

// Cmp compares as -1, 0 or +1.
func (a U256) Cmp(b U256) int {
	for i := 3; i > 0; i-- {
		if a[i] != b[i] {
			return cmp64(a[i], b[i])
		}
	}
	return cmp64(a[0], b[0])
}

// Cmp compares as -1, 0 or +1.
func (a I256) Cmp(b I256) int {
	if na, nb := a.Negative(), b.Negative(); na != nb {
		if na {
			return -1
		}
		return 1
	}
	return U256(a).Cmp(U256(b))
}

// I256From widens v.
func I256From(v int64) I256 {
	s := uint64(v >> 63)
	return I256{uint64(v), s, s, s}
}

// Wide widens a.
func (a I128) Wide() I256 {
	s := uint64(a.Hi >> 63)
	return I256{a.Lo, uint64(a.Hi), s, s}
}

// Wide widens a.
func (a U128) Wide() I256 { return I256{a.Lo, a.Hi} }

// Low returns a modulo 2^128.
func (a I256) Low() I128 { return I128{Lo: a[0], Hi: int64(a[1])} }

// Negative reports whether a is less than zero.
func (a I256) Negative() bool { return int64(a[3]) < 0 }

// Add returns a+b modulo 2^256.
func (a I256) Add(b I256) I256 {
	var r I256
	var c uint64
	for i := range r {
		r[i], c = bits.Add64(a[i], b[i], c)
	}
	return r
}

// Sub returns a-b modulo 2^256.
func (a I256) Sub(b I256) I256 {
	var r I256
	var c uint64
	for i := range r {
		r[i], c = bits.Sub64(a[i], b[i], c)
	}
	return r
}

// Neg returns -a modulo 2^256.
func (a I256) Neg() I256 { return I256{}.Sub(a) }

// Mul returns a*b modulo 2^256.
func (a I256) Mul(b I256) I256 {
	var r I256
	for i, x := range a {
		var carry uint64
		for j := 0; i+j < len(r); j++ {
			hi, lo := bits.Mul64(x, b[j])
			var c uint64
			lo, c = bits.Add64(lo, r[i+j], 0)
			hi += c
			r[i+j], c = bits.Add64(lo, carry, 0)
			carry = hi + c
		}
	}
	return r
}

// Lsh returns a shifted left by n < 256 bits.
func (a I256) Lsh(n uint) I256 {
	words, n := int(n/64), n%64
	var r I256
	for i := 3; i >= words; i-- {
		r[i] = a[i-words] << n
		if n > 0 && i > words {
			r[i] |= a[i-words-1] >> (64 - n)
		}
	}
	return r
}

// Rsh returns a shifted right by n < 256 bits, the sign kept.
func (a I256) Rsh(n uint) I256 {
	words, n := int(n/64), n%64
	fill := uint64(int64(a[3]) >> 63)
	r := I256{fill, fill, fill, fill}
	for i := 0; i+words < 4; i++ {
		next := fill
		if i+words < 3 {
			next = a[i+words+1]
		}
		r[i] = a[i+words]
		if n > 0 {
			r[i] = r[i]>>n | next<<(64-n)
		}
	}
	return r
}

// Big returns a as a big integer.
func (a U256) Big() *big.Int {
	v := new(big.Int)
	for i := 3; i >= 0; i-- {
		v.Lsh(v, 64)
		v.Or(v, new(big.Int).SetUint64(a[i]))
	}
	return v
}

// Big returns a as a big integer.
func (a I256) Big() *big.Int {
	if a.Negative() {
		v := U256(a.Neg()).Big()
		return v.Neg(v)
	}
	return U256(a).Big()
}

// String returns the decimal digits.
func (a U256) String() string { return a.Big().String() }

// String returns the decimal digits.
func (a I256) String() string { return a.Big().String() }

// Float64 returns the nearest float.
func (a U256) Float64() float64 {
	f, _ := new(big.Float).SetInt(a.Big()).Float64()
	return f
}

// Float64 returns the nearest float.
func (a I256) Float64() float64 {
	if a == I256From(int64(a[0])) {
		return float64(int64(a[0]))
	}
	f, _ := new(big.Float).SetInt(a.Big()).Float64()
	return f
}

// I256FromBig returns v modulo 2^256 and whether it fits.
func I256FromBig(v *big.Int) (I256, bool) {
	fits := v.BitLen() <= 255 || v.Sign() < 0 && v.BitLen() == 256 && v.TrailingZeroBits() == 255
	var r I256
	abs, mask := new(big.Int).Abs(v), new(big.Int).SetUint64(^uint64(0))
	for i := range r {
		r[i] = new(big.Int).And(abs, mask).Uint64()
		abs.Rsh(abs, 64)
	}
	if v.Sign() < 0 {
		r = r.Neg()
	}
	return r, fits
}

// U256FromBig returns v modulo 2^256 and whether it fits.
func U256FromBig(v *big.Int) (U256, bool) {
	fits := v.Sign() >= 0 && v.BitLen() <= 256
	r, _ := I256FromBig(v)
	return U256(r), fits
}
