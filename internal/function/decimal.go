package function

import (
	"math/big"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// scaleOf is a decimal's scale, 0 of an integer.
func scaleOf(t *types.Type) int {
	if t.Kind == types.Decimal {
		return t.Scale
	}
	return 0
}

// decimalWidth is the largest precision of the storage class of the wider decimal.
func decimalWidth(ts ...*types.Type) int {
	p := types.MaxPrecision32
	for _, t := range ts {
		switch {
		case t.Kind != types.Decimal:
		case t.N > types.MaxPrecision64:
			p = types.MaxPrecision128
		case t.N > types.MaxPrecision32:
			p = max(p, types.MaxPrecision64)
		}
	}
	return p
}

// decimalResult is the type of an operation with a decimal operand.
func decimalResult(op arithOp, a, b *types.Type) (*types.Type, error) {
	if a.IsFloat() || b.IsFloat() {
		if op == opGcd || op == opLcm || op == opIntDiv || op == opIntDivOrZero {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of function %s", a, b, op)
		}
		return types.TFloat64, nil
	}
	p, sa, sb := decimalWidth(a, b), scaleOf(a), scaleOf(b)
	scale := 0
	switch op {
	case opPlus, opMinus, opModulo, opModuloOrZero, opPositiveModulo:
		scale = max(sa, sb)
	case opMultiply:
		scale = sa + sb
	case opDivide:
		scale = sa
		if a.Kind != types.Decimal {
			scale = sb
		} else if sb > sa {
			return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Decimal result's scale is less than argument's one")
		}
	case opIntDiv, opIntDivOrZero:
		w := b
		if a.Kind == types.Decimal {
			w = a
		}
		if w.Width() > 8 {
			return types.TInt128, nil
		}
		return intOf(true, w.Width()), nil
	default:
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of function %s", a, b, op)
	}
	switch { // an integer operand does not widen a decimal
	case a.Kind != types.Decimal:
		p = b.N
	case b.Kind != types.Decimal:
		p = a.N
	}
	if scale > p {
		return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale %d of the result of %s is larger than its precision %d", scale, op, p)
	}
	return types.NewDecimal(p, scale), nil
}

// i128sOf returns the unscaled integers of a decimal or integer vector; of a Const one value.
func i128sOf(v column.Vector) []types.I128 {
	switch v := v.(type) {
	case *column.Const:
		return i128sOf(v.Value)
	case *column.Num[types.I128]:
		return v.Data
	case *column.Num[uint64]:
		out := make([]types.I128, len(v.Data))
		for i, x := range v.Data {
			out[i] = types.I128{Lo: x}
		}
		return out
	case *column.Num[types.U128]:
		out := make([]types.I128, len(v.Data))
		for i, x := range v.Data {
			out[i] = types.I128{Lo: x.Lo, Hi: int64(x.Hi)}
		}
		return out
	}
	data := numsOf[int64](v)
	out := make([]types.I128, len(data))
	for i, x := range data {
		out[i] = types.I128From(x)
	}
	return out
}

// floatsOf returns the values of any numeric vector as floats; of a Const one value.
func floatsOf(v column.Vector, t *types.Type) []float64 {
	if t.Kind != types.Decimal && t.Width() <= 8 {
		return numsOf[float64](v)
	}
	data := i128sOf(v)
	out := make([]float64, len(data))
	div := pow10Float(scaleOf(t))
	for i, x := range data {
		out[i] = x.Float64() / div
	}
	return out
}

func pow10Float(n int) float64 {
	f := 1.0
	for ; n > 0; n-- {
		f *= 10
	}
	return f
}

func pow10Big(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// pow10I128 is 10^n, n ≤ 38.
func pow10I128(n int) types.I128 {
	v := types.I128From(1)
	for ; n > 0; n-- {
		v = v.Mul(types.I128From(10))
	}
	return v
}

func evalDecimalArith(op arithOp, c *Call) (column.Vector, error) {
	ta, tb := c.Types[0], c.Types[1]
	if ta.IsFloat() || tb.IsFloat() {
		x, y := column.NewNum(types.TFloat64, floatsOf(c.Args[0], ta)), column.NewNum(types.TFloat64, floatsOf(c.Args[1], tb))
		f := &Call{Env: c.Env, Args: []column.Vector{x, y}, Types: []*types.Type{types.TFloat64, types.TFloat64}, Result: c.Result, Rows: c.Rows}
		return evalPlainArith(op, f)
	}
	if v := fastDecimalSum(op, c); v != nil {
		return v, nil
	}
	a, b := newBroadcast(i128sOf(c.Args[0]), c.Rows), newBroadcast(i128sOf(c.Args[1]), c.Rows)
	upA, upB := decimalFactors(op, ta, tb, c.Result)
	out := make([]types.I128, c.Rows)
	limit := pow10Big(38)
	for i := range out {
		x, y := new(big.Int).Mul(a.at(i).Big(), upA), new(big.Int).Mul(b.at(i).Big(), upB)
		if err := decimalOp(op, x, y); err != nil {
			return nil, err
		}
		v, ok := types.I128FromBig(x)
		if !ok || x.CmpAbs(limit) >= 0 || !fitsDecimal(v, c.Result) {
			return nil, sqlerr.New(sqlerr.DecimalOverflow, "Decimal math overflow")
		}
		out[i] = v
	}
	return decimalVector(c.Result, out), nil
}

// fastDecimalSum adds and subtracts decimals of equal scale stored in 64 bits; nil if it cannot.
func fastDecimalSum(op arithOp, c *Call) column.Vector {
	if op != opPlus && op != opMinus || c.Result.Width() != 8 || scaleOf(c.Types[0]) != scaleOf(c.Types[1]) {
		return nil
	}
	dst, a, b := make([]int64, c.Rows), numsOf[int64](c.Args[0]), numsOf[int64](c.Args[1])
	x, y := newBroadcast(a, c.Rows), newBroadcast(b, c.Rows)
	if op == opPlus {
		kernel.Add(dst, a, b)
		for i, r := range dst {
			if (x.at(i)^r)&(y.at(i)^r) < 0 {
				return nil
			}
		}
	} else {
		kernel.Sub(dst, a, b)
		for i, r := range dst {
			if p := x.at(i); (p^y.at(i))&(p^r) < 0 {
				return nil
			}
		}
	}
	return newNum(c.Result, dst)
}

// decimalFactors are the powers of ten by which operands are scaled up first.
func decimalFactors(op arithOp, a, b, result *types.Type) (upA, upB *big.Int) {
	sa, sb := scaleOf(a), scaleOf(b)
	switch op {
	case opMultiply, opModulo, opModuloOrZero, opPositiveModulo: // a remainder is that of the unscaled integers
		return big.NewInt(1), big.NewInt(1)
	case opDivide:
		return pow10Big(max(scaleOf(result)-sa+sb, 0)), big.NewInt(1)
	}
	s := max(sa, sb)
	return pow10Big(s - sa), pow10Big(s - sb)
}

// decimalOp computes x = x op y.
func decimalOp(op arithOp, x, y *big.Int) error {
	switch op {
	case opPlus:
		x.Add(x, y)
		return nil
	case opMinus:
		x.Sub(x, y)
		return nil
	case opMultiply:
		x.Mul(x, y)
		return nil
	}
	if y.Sign() == 0 {
		if op == opIntDivOrZero || op == opModuloOrZero {
			x.SetInt64(0)
			return nil
		}
		return divisionByZero()
	}
	switch op {
	case opDivide, opIntDiv, opIntDivOrZero:
		x.Quo(x, y)
	case opPositiveModulo:
		x.Mod(x, y)
	default:
		x.Rem(x, y)
	}
	return nil
}

// fitsDecimal reports whether v fits the storage of t.
func fitsDecimal(v types.I128, t *types.Type) bool {
	switch t.Width() {
	case 4:
		return v == types.I128From(int64(int32(v.Lo)))
	case 8:
		return v == types.I128From(int64(v.Lo))
	}
	return true
}

// decimalVector stores unscaled integers in the width of t.
func decimalVector(t *types.Type, data []types.I128) column.Vector {
	switch t.Phys() {
	case types.PInt128:
		return newNum(t, data)
	case types.PInt64:
		return newNum(t, lowNums[int64](data, func(x types.I128) int64 { return int64(x.Lo) }))
	}
	return narrow(t, lowNums[int64](data, func(x types.I128) int64 { return int64(x.Lo) }))
}
