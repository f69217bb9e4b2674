package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Decimals and integers of at most 128 bits are compared, converted and rounded in words of 64 or 128 bits, a batch at
// a time. Each of these functions says false where one value does not fit: then big integers compute, or refuse, the batch.

// maxScale64 and maxScale128 are the greatest powers of ten in 64 and in 128 bits.
const (
	maxScale64  = 18
	maxScale128 = 38
)

// pow10Long is a power of ten up to maxScale128.
func pow10Long(n int) types.I128 {
	x := types.I128From(1)
	for ; n > 0; n-- {
		x = x.Mul(types.I128From(10))
	}
	return x
}

// wordsOf returns integers or decimals of type t as 64-bit numbers; of a Const one value.
func wordsOf(v column.Vector, t *types.Type) ([]int64, bool) {
	if t.Width() > 8 || t.IsFloat() {
		return nil, false
	}
	data := numsOf[int64](v)
	return data, t.Phys() != types.PUInt64 || noneNegative(data)
}

func noneNegative(data []int64) bool {
	var all int64
	for _, x := range data {
		all |= x
	}
	return all >= 0
}

// longsOf returns integers or decimals of type t as 128-bit numbers; of a Const one value.
func longsOf(v column.Vector, t *types.Type) ([]types.I128, bool) {
	if c, ok := v.(*column.Const); ok {
		return longsOf(c.Value, t)
	}
	if t.Width() > 16 || t.IsFloat() || t.Phys() == types.PUInt128 {
		return nil, false
	}
	switch v := v.(type) {
	case *column.Nullable:
		return longsOf(v.Inner, t)
	case *column.Num[types.I128]:
		return v.Data, true
	case *column.Num[uint64]:
		out := make([]types.I128, len(v.Data))
		for i, x := range v.Data {
			out[i].Lo = x
		}
		return out, true
	}
	data := numsOf[int64](v)
	out := make([]types.I128, len(data))
	for i, x := range data {
		out[i] = types.I128From(x)
	}
	return out, true
}

// wordsUp multiplies by ten to the n.
func wordsUp(data []int64, n int) ([]int64, bool) {
	if n == 0 {
		return data, true
	}
	if n > maxScale64 {
		return nil, false
	}
	up := pow10Int(n)
	limit := uint64(math.MaxInt64 / up)
	out := make([]int64, len(data))
	for i, x := range data {
		if uint64(x)+limit > 2*limit {
			return nil, false
		}
		out[i] = x * up
	}
	return out, true
}

// longsUp multiplies by ten to the n.
func longsUp(data []types.I128, n int) ([]types.I128, bool) {
	if n == 0 {
		return data, true
	}
	if n > maxScale128 {
		return nil, false
	}
	up := pow10Long(n)
	out, ok := make([]types.I128, len(data)), false
	for i, x := range data {
		if out[i], ok = x.MulChecked(up); !ok {
			return nil, false
		}
	}
	return out, true
}

// wordsDown divides by ten to the n, towards zero.
func wordsDown(data []int64, n int) ([]int64, bool) {
	if n > maxScale64 {
		return nil, false
	}
	p := pow10Int(n)
	out := make([]int64, len(data))
	for i, x := range data {
		out[i] = x / p
	}
	return out, true
}

// longsDown divides by ten to the n, towards zero.
func longsDown(data []types.I128, n int) ([]types.I128, bool) {
	if n > maxScale128 {
		return nil, false
	}
	p := pow10Long(n)
	out, ok := make([]types.I128, len(data)), false
	for i, x := range data {
		if out[i], _, ok = x.QuoRem(p); !ok {
			return nil, false
		}
	}
	return out, true
}

// wordsWithin reports whether all lie in [low, high].
func wordsWithin(data []int64, low, high int64) bool {
	span := uint64(high) - uint64(low)
	for _, x := range data {
		if uint64(x)-uint64(low) > span {
			return false
		}
	}
	return true
}

// longsUnder reports whether the magnitudes are less than limit.
func longsUnder(data []types.I128, limit types.I128) bool {
	low := limit.Neg()
	for _, x := range data {
		if x.Cmp(limit) >= 0 || x.Cmp(low) <= 0 {
			return false
		}
	}
	return true
}

// lowWords is data in 64 bits.
func lowWords(data []types.I128) ([]int64, bool) {
	out := make([]int64, len(data))
	for i, x := range data {
		if !x.Fits64() {
			return nil, false
		}
		out[i] = int64(x.Lo)
	}
	return out, true
}

// compareScaled is compareWide of decimals and integers.
func compareScaled(op compareOp, dst []uint8, a column.Vector, ta *types.Type, b column.Vector, tb *types.Type) bool {
	s := max(scaleOf(ta), scaleOf(tb))
	upA, upB := s-scaleOf(ta), s-scaleOf(tb)
	if x, okX := wordsOf(a, ta); okX {
		if y, okY := wordsOf(b, tb); okY {
			x, okX = wordsUp(x, upA)
			y, okY = wordsUp(y, upB)
			if okX && okY {
				compareNums(op, dst, x, y)
				return true
			}
		}
	}
	x, okX := longsOf(a, ta)
	y, okY := longsOf(b, tb)
	if !okX || !okY {
		return false
	}
	x, okX = longsUp(x, upA)
	y, okY = longsUp(y, upB)
	if !okX || !okY {
		return false
	}
	p, q := newBroadcast(x, len(dst)), newBroadcast(y, len(dst))
	for i := range dst {
		dst[i] = b2u(op.holds(p.at(i).Cmp(q.at(i))))
	}
	return true
}

// scaleToDecimal converts integers and decimals of type from; nil where one does not fit.
func scaleToDecimal(v column.Vector, from, to *types.Type) column.Vector {
	if to.Width() > 16 {
		return nil
	}
	by := to.Scale - scaleOf(from)
	if x, ok := wordsOf(v, from); ok && to.Width() <= 8 {
		if by >= 0 {
			x, ok = wordsUp(x, by)
		} else {
			x, ok = wordsDown(x, -by)
		}
		limit := pow10Int(decimalWidth(to))
		if ok && wordsWithin(x, 1-limit, limit-1) {
			return narrow(to, x)
		}
		return nil
	}
	x, ok := longsOf(v, from)
	if !ok {
		return nil
	}
	if by >= 0 {
		x, ok = longsUp(x, by)
	} else {
		x, ok = longsDown(x, -by)
	}
	if !ok || !longsUnder(x, pow10Long(decimalWidth(to))) {
		return nil
	}
	if to.Width() == 16 {
		return newNum(to, x)
	}
	words, _ := lowWords(x) // they fit: the limit does
	return narrow(to, words)
}

// floatsToDecimal converts floats towards zero; nil where one does not fit 64 bits.
func floatsToDecimal(data []float64, to *types.Type) column.Vector {
	if to.Width() > 16 {
		return nil
	}
	up, limit := pow10Float(to.Scale), pow10Float(min(decimalWidth(to), maxScale64))
	out := make([]int64, len(data))
	for i, x := range data {
		y := x * up
		if !(y < limit && y > -limit) {
			return nil
		}
		out[i] = int64(y)
	}
	if to.Width() == 16 {
		longs, _ := longsOf(column.NewNum(types.TInt64, out), types.TInt64)
		return newNum(to, longs)
	}
	return narrow(to, out)
}

// scaleToInt converts decimals to an integer of at most 64 bits, towards zero; nil where one does not fit, or, with exact, has a fraction.
func scaleToInt(v column.Vector, from, to *types.Type, exact bool) column.Vector {
	if to.Width() > 8 || from.Scale > maxScale64 {
		return nil
	}
	x, ok := wordsOf(v, from)
	if !ok {
		longs, okLongs := longsOf(v, from)
		if !okLongs {
			return nil
		}
		if !exact {
			if longs, ok = longsDown(longs, from.Scale); !ok {
				return nil
			}
			x, ok = lowWords(longs)
			return storeWithin(x, ok, to)
		}
		if x, ok = lowWords(longs); !ok {
			return nil
		}
	}
	whole, _ := wordsDown(x, from.Scale)
	if exact {
		p := pow10Int(from.Scale)
		for i, q := range whole {
			if q*p != x[i] {
				return nil
			}
		}
	}
	return storeWithin(whole, true, to)
}

// storeWithin stores data as t, an integer of at most 64 bits; nil if one is out of its range or not ok.
func storeWithin(data []int64, ok bool, t *types.Type) column.Vector {
	low, high := int64(0), int64(math.MaxInt64)
	switch bits := 8 * t.Width(); {
	case !t.IsUnsigned():
		low, high = math.MinInt64>>(64-bits), math.MaxInt64>>(64-bits)
	case bits < 64:
		high = 1<<bits - 1
	}
	if !ok || !wordsWithin(data, low, high) {
		return nil
	}
	return narrow(t, data)
}

// roundScaled is roundDecimals to a constant number of digits; nil where big integers are needed.
func roundScaled(c *Call, mode roundMode, digits int64) column.Vector {
	t := c.Types[0]
	d := int64(scaleOf(t)) - digits
	if d <= 0 {
		return c.Args[0]
	}
	if d <= maxScale64 {
		if x, ok := wordsOf(c.Args[0], t); ok {
			return constOrVector(c, narrow(c.Result, roundWords(x, pow10Int(int(d)), mode)))
		}
	}
	x, ok := longsOf(c.Args[0], t)
	if !ok || t.Width() != 16 || d >= maxScale128 {
		return nil
	}
	if x, ok = roundLongs(x, pow10Long(int(d)), mode); !ok {
		return nil
	}
	return constOrVector(c, newNum(c.Result, x))
}

// roundWords rounds to multiples of p.
func roundWords(data []int64, p int64, mode roundMode) []int64 {
	out := make([]int64, len(data))
	for i, x := range data {
		out[i] = roundTo(x, p, mode)
	}
	return out
}

// roundLongs rounds to multiples of p, a power of ten of which the double fits.
func roundLongs(data []types.I128, p types.I128, mode roundMode) ([]types.I128, bool) {
	out := make([]types.I128, len(data))
	for i, x := range data {
		q, r, ok := x.QuoRem(p)
		if !ok {
			return nil, false
		}
		out[i] = x.Sub(r)
		rest := r
		if r.Hi < 0 {
			rest = r.Neg()
		}
		half, away := rest.Add(rest).Cmp(p), false
		switch mode {
		case roundFloor:
			away = r.Hi < 0
		case roundCeil:
			away = r.Hi >= 0 && r != types.I128{}
		case roundHalf:
			away = half >= 0
		case roundEven:
			away = half > 0 || half == 0 && q.Lo&1 == 1
		}
		switch {
		case !away:
		case r.Hi < 0:
			out[i], ok = out[i].SubChecked(p)
		default:
			out[i], ok = out[i].AddChecked(p)
		}
		if !ok {
			return nil, false
		}
	}
	return out, true
}
