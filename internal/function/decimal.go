package function

import (
	"math/big"

	"github.com/olapd/olapd/internal/column"
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
		case t.N > types.MaxPrecision128:
			p = types.MaxPrecision256
		case t.N > types.MaxPrecision64:
			p = max(p, types.MaxPrecision128)
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

// floatsOf returns the values of any numeric vector as floats; of a Const one value.
func floatsOf(v column.Vector, t *types.Type) []float64 {
	if t.Kind != types.Decimal && t.Width() <= 8 {
		return numsOf[float64](v)
	}
	div := pow10Float(scaleOf(t))
	if t.Width() <= 8 {
		out := numsOf[float64](v) // converted: no memory of v's
		for i, x := range out {
			out[i] = x / div
		}
		return out
	}
	data := widesOf(v)
	out := make([]float64, len(data))
	for i, x := range data {
		if t.Kind == types.UInt256 {
			out[i] = types.U256(x).Float64()
		} else {
			out[i] = x.Float64() / div
		}
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

func evalDecimalArith(op arithOp, c *Call) (column.Vector, error) {
	ta, tb := c.Types[0], c.Types[1]
	if ta.IsFloat() || tb.IsFloat() {
		return evalAsFloats(op, c)
	}
	if v, err := decimalIn64(op, c); v != nil || err != nil {
		return v, err
	}
	if v, err := decimalIn128(op, c); v != nil || err != nil {
		return v, err
	}
	return decimalInBig(op, c)
}

// decimalInBig computes with big integers: of any width, and with errors.
func decimalInBig(op arithOp, c *Call) (column.Vector, error) {
	ta, tb := c.Types[0], c.Types[1]
	a, b := newBroadcast(decimalOperand(c, 0), c.Rows), newBroadcast(decimalOperand(c, 1), c.Rows)
	scaleA, scaleB := decimalScales(op, ta, tb, c.Result)
	upA, upB := pow10Big(scaleA), pow10Big(scaleB)
	out := make([]types.I256, c.Rows)
	limit, wraps := pow10Big(types.MaxPrecision128), c.Result.Width() > 16 // the widest ones are not checked
	for i := range out {
		x, y := bigOf(a.at(i), ta), bigOf(b.at(i), tb)
		x, y = x.Mul(x, upA), y.Mul(y, upB)
		if err := decimalOp(op, x, y); err != nil {
			return nil, err
		}
		v, ok := types.I256FromBig(x)
		if !wraps && (!ok || x.CmpAbs(limit) >= 0 || !fitsDecimal(v, c.Result)) {
			return nil, sqlerr.New(sqlerr.DecimalOverflow, "Decimal math overflow")
		}
		out[i] = v
	}
	return storeWide(c.Result, out), nil
}

// decimalOperand is widesOf an argument; if the result has 64 bits or fewer, UInt64 is taken for Int64, as ClickHouse does.
func decimalOperand(c *Call, arg int) []types.I256 {
	if c.Types[arg].Phys() == types.PUInt64 && c.Result.Width() <= 8 {
		return widened(numsOf[int64](c.Args[arg]), types.I256From)
	}
	return widesOf(c.Args[arg])
}

// decimalScales are the exponents of ten by whose powers operands are scaled up first.
func decimalScales(op arithOp, a, b, result *types.Type) (upA, upB int) {
	sa, sb := scaleOf(a), scaleOf(b)
	switch op {
	case opMultiply, opModulo, opModuloOrZero, opPositiveModulo: // a remainder is that of the unscaled integers
		return 0, 0
	case opDivide:
		return max(scaleOf(result)-sa+sb, 0), 0
	}
	s := max(sa, sb)
	return s - sa, s - sb
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
func fitsDecimal(v types.I256, t *types.Type) bool {
	switch t.Width() {
	case 4:
		return v == types.I256From(int64(int32(v[0])))
	case 8:
		return v == types.I256From(int64(v[0]))
	}
	return true
}
