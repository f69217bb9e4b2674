package function

import (
	"math"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
)

// decimalIn64 computes with decimals and integers of at most 64 bits whose result has as many; nil where one does not fit, which is then
// computed with, or refused, by big integers.
func decimalIn64(op arithOp, c *Call) (column.Vector, error) {
	if c.Result.Width() > 8 || c.Types[0].Width() > 8 || c.Types[1].Width() > 8 {
		return nil, nil
	}
	scaleA, scaleB := decimalScales(op, c.Types[0], c.Types[1], c.Result)
	if scaleA > maxScale64 || scaleB > maxScale64 {
		return nil, nil
	}
	dst, x, y := make([]int64, c.Rows), numArg[int64](c.Args[0], c.Rows), numArg[int64](c.Args[1], c.Rows)
	upA, upB, ok := pow10Int(scaleA), pow10Int(scaleB), false
	switch op {
	case opPlus, opMinus:
		ok = addDecimals(dst, x, y, upA, upB, op == opMinus)
	case opMultiply:
		ok = multiplyDecimals(dst, x, y)
	default:
		var err error
		if ok, err = divideDecimals(op, dst, x, y, upA, upB); err != nil {
			return nil, err
		}
	}
	if !ok || c.Result.Width() == 4 && !fits32(dst) {
		return nil, nil
	}
	return narrow(c.Result, dst), nil
}

func fits32(data []int64) bool {
	for _, x := range data {
		if x != int64(int32(x)) {
			return false
		}
	}
	return true
}

// addDecimals computes x·upA ± y·upB; false if that overflows.
func addDecimals(dst []int64, x, y broadcast[int64], upA, upB int64, minus bool) bool {
	for i := range dst {
		p, okP := times(x.at(i), upA)
		q, okQ := times(y.at(i), upB)
		if !okP || !okQ {
			return false
		}
		r := p + q
		overflow := (p ^ r) & (q ^ r)
		if minus {
			r = p - q
			overflow = (p ^ q) & (p ^ r)
		}
		if overflow < 0 {
			return false
		}
		dst[i] = r
	}
	return true
}

func multiplyDecimals(dst []int64, x, y broadcast[int64]) bool {
	for i := range dst {
		r, ok := times(x.at(i), y.at(i))
		if !ok {
			return false
		}
		dst[i] = r
	}
	return true
}

// times is a product, false if it overflows.
func times(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(x), uint64(y))
	signedHi := int64(hi) - x>>63&y - y>>63&x // of the product of the signed numbers
	return int64(lo), signedHi == int64(lo)>>63
}

// divideDecimals computes quotients and remainders; false if one overflows.
func divideDecimals(op arithOp, dst []int64, x, y broadcast[int64], upA, upB int64) (bool, error) {
	for i := range dst {
		p, q := x.at(i), y.at(i)
		if q == 0 {
			if op == opIntDivOrZero || op == opModuloOrZero {
				continue
			}
			return false, divisionByZero()
		}
		q, ok := times(q, upB)
		if !ok || q == math.MinInt64 {
			return false, nil
		}
		switch op {
		case opDivide, opIntDiv, opIntDivOrZero:
			if dst[i], ok = timesOver(p, upA, q); !ok {
				return false, nil
			}
			continue
		}
		if p, ok = times(p, upA); !ok {
			return false, nil
		}
		if q != -1 { // there the remainder is 0, and the least number has no quotient
			dst[i] = p % q
		}
		if op == opPositiveModulo && dst[i] < 0 {
			dst[i] += max(q, -q)
		}
	}
	return true, nil
}

// timesOver is x·up / y towards zero, of which the product may have 128 bits; false if it overflows. up is positive, y not 0.
func timesOver(x, up, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), uint64(up))
	d := magnitude(y)
	if hi >= d {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, d)
	if q > math.MaxInt64 {
		return 0, false
	}
	if x^y < 0 {
		return -int64(q), true
	}
	return int64(q), true
}

func magnitude(x int64) uint64 { return uint64(x^x>>63) - uint64(x>>63) }
