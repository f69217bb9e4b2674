package types

import "math/bits"

// Fits64 reports whether a is an int64.
func (a I128) Fits64() bool { return a.Hi == int64(a.Lo)>>63 }

// Magnitude returns the absolute value, of the least number too.
func (a I128) Magnitude() U128 {
	if a.Hi < 0 {
		a = a.Neg()
	}
	return U128{Lo: a.Lo, Hi: uint64(a.Hi)}
}

// signed is a with a sign; false if it does not fit. The least number is taken as not fitting.
func (a U128) signed(negative bool) (I128, bool) {
	r := I128{Lo: a.Lo, Hi: int64(a.Hi)}
	if r.Hi < 0 {
		return I128{}, false
	}
	if negative {
		r = r.Neg()
	}
	return r, true
}

// AddChecked returns a+b; false if it does not fit.
func (a I128) AddChecked(b I128) (I128, bool) {
	r := a.Add(b)
	return r, (a.Hi^r.Hi)&(b.Hi^r.Hi) >= 0
}

// SubChecked returns a-b; false if it does not fit.
func (a I128) SubChecked(b I128) (I128, bool) {
	r := a.Sub(b)
	return r, (a.Hi^b.Hi)&(a.Hi^r.Hi) >= 0
}

// MulChecked returns a*b; false if it does not fit, and for the least number.
func (a I128) MulChecked(b I128) (I128, bool) {
	x, y := a.Magnitude(), b.Magnitude()
	if x.Hi != 0 && y.Hi != 0 {
		return I128{}, false
	}
	if y.Hi != 0 {
		x, y = y, x
	}
	hi, lo := bits.Mul64(x.Lo, y.Lo)
	if x.Hi != 0 {
		over, more := bits.Mul64(x.Hi, y.Lo)
		sum, carry := bits.Add64(hi, more, 0)
		if over|carry != 0 {
			return I128{}, false
		}
		hi = sum
	}
	return U128{Lo: lo, Hi: hi}.signed((a.Hi ^ b.Hi) < 0)
}

// QuoRem returns the quotient towards zero and the remainder, which has the sign of a; false if the quotient
// does not fit, and for the least number. b is not 0.
func (a I128) QuoRem(b I128) (q, r I128, ok bool) {
	quotient, rest := a.Magnitude().QuoRem(b.Magnitude())
	q, okQ := quotient.signed((a.Hi ^ b.Hi) < 0)
	r, okR := rest.signed(a.Hi < 0)
	return q, r, okQ && okR
}

// QuoRem returns the quotient and the remainder; b is not 0.
func (a U128) QuoRem(b U128) (q, r U128) {
	if b.Hi == 0 {
		var rest uint64
		if a.Hi == 0 {
			return U128{Lo: a.Lo / b.Lo}, U128{Lo: a.Lo % b.Lo}
		}
		q.Hi = a.Hi / b.Lo
		q.Lo, rest = bits.Div64(a.Hi%b.Lo, a.Lo, b.Lo)
		return q, U128{Lo: rest}
	}
	// The quotient has 64 bits: that of the highest 64 bits of b is at most one too large.
	n := uint(bits.LeadingZeros64(b.Hi))
	high := b.Hi<<n | b.Lo>>1>>(63-n)
	guess, _ := bits.Div64(a.Hi>>1, a.Hi<<63|a.Lo>>1, high)
	guess = guess >> (63 - n)
	if guess != 0 {
		guess--
	}
	over, lo := bits.Mul64(guess, b.Lo)
	r.Lo, over = sub64(a.Lo, lo, over)
	r.Hi = a.Hi - guess*b.Hi - over
	if r.Cmp(b) >= 0 {
		guess++
		var borrow uint64
		r.Lo, borrow = bits.Sub64(r.Lo, b.Lo, 0)
		r.Hi -= b.Hi + borrow
	}
	return U128{Lo: guess}, r
}

// sub64 is a-b and what is to be taken from the next word, to which more is added.
func sub64(a, b, more uint64) (diff, next uint64) {
	diff, borrow := bits.Sub64(a, b, 0)
	return diff, more + borrow
}
