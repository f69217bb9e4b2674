package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// decimalIn128 computes with decimals and integers of at most 128 bits whose result has 128; nil where one does not fit, which is then
// computed with, or refused, by big integers.
func decimalIn128(op arithOp, c *Call) (column.Vector, error) {
	a, okA := longsOf(c.Args[0], c.Types[0])
	b, okB := longsOf(c.Args[1], c.Types[1])
	if !okA || !okB || c.Result.Width() != 16 {
		return nil, nil
	}
	upA, upB := decimalScales(op, c.Types[0], c.Types[1], c.Result)
	a, okA = longsUp(a, upA)
	b, okB = longsUp(b, upB)
	if !okA || !okB {
		return nil, nil
	}
	dst, x, y, ok := make([]types.I128, c.Rows), newBroadcast(a, c.Rows), newBroadcast(b, c.Rows), false
	switch op {
	case opPlus, opMinus:
		ok = addLongs(dst, x, y, op == opMinus)
	case opMultiply:
		ok = multiplyLongs(dst, x, y)
	default:
		var err error
		if ok, err = divideLongs(op, dst, x, y); err != nil {
			return nil, err
		}
	}
	if !ok || !longsUnder(dst, pow10Long(types.MaxPrecision128)) {
		return nil, nil
	}
	return newNum(c.Result, dst), nil
}

func addLongs(dst []types.I128, x, y broadcast[types.I128], minus bool) bool {
	ok := false
	for i := range dst {
		if minus {
			dst[i], ok = x.at(i).SubChecked(y.at(i))
		} else {
			dst[i], ok = x.at(i).AddChecked(y.at(i))
		}
		if !ok {
			return false
		}
	}
	return true
}

func multiplyLongs(dst []types.I128, x, y broadcast[types.I128]) bool {
	ok := false
	for i := range dst {
		if dst[i], ok = x.at(i).MulChecked(y.at(i)); !ok {
			return false
		}
	}
	return true
}

// divideLongs computes quotients and remainders; false if one does not fit.
func divideLongs(op arithOp, dst []types.I128, x, y broadcast[types.I128]) (bool, error) {
	for i := range dst {
		d := y.at(i)
		if d == (types.I128{}) {
			if op == opIntDivOrZero || op == opModuloOrZero {
				continue
			}
			return false, divisionByZero()
		}
		q, r, ok := x.at(i).QuoRem(d)
		if !ok {
			return false, nil
		}
		switch op {
		case opDivide, opIntDiv, opIntDivOrZero:
			dst[i] = q
			continue
		case opPositiveModulo:
			if r.Hi < 0 {
				if d.Hi < 0 {
					d = d.Neg()
				}
				r = r.Add(d)
			}
		}
		dst[i] = r
	}
	return true, nil
}
