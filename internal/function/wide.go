package function

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

// Integers of 128 and 256 bits, and decimals, are computed with as 256-bit integers: modulo 2^256 where ClickHouse wraps, else as
// big integers. An unsigned one of 256 bits keeps its bits; every other value is widened as it is.

// widesOf returns the integers of a vector of integers, or the unscaled ones of decimals; of a Const one value.
func widesOf(v column.Vector) []types.I256 {
	switch v := v.(type) {
	case *column.Const:
		return widesOf(v.Value)
	case *column.Num[types.I256]:
		return v.Data
	case *column.Num[types.U256]:
		return widened(v.Data, func(x types.U256) types.I256 { return types.I256(x) })
	case *column.Num[types.I128]:
		return widened(v.Data, types.I128.Wide)
	case *column.Num[types.U128]:
		return widened(v.Data, types.U128.Wide)
	case *column.Num[uint64]:
		return widened(v.Data, func(x uint64) types.I256 { return types.I256{x} })
	}
	return widened(numsOf[int64](v), types.I256From)
}

func widened[T any](data []T, wide func(T) types.I256) []types.I256 {
	out := make([]types.I256, len(data))
	for i, x := range data {
		out[i] = wide(x)
	}
	return out
}

// bigOf is one of widesOf a vector of t.
func bigOf(x types.I256, t *types.Type) *big.Int {
	if t.Kind == types.UInt256 {
		return types.U256(x).Big()
	}
	return x.Big()
}

// storeWide stores integers as t, an integer or a decimal, modulo its width.
func storeWide(t *types.Type, data []types.I256) column.Vector {
	switch t.Phys() {
	case types.PInt256:
		return newNum(t, data)
	case types.PUInt256:
		out := make([]types.U256, len(data))
		for i, x := range data {
			out[i] = types.U256(x)
		}
		return newNum(t, out)
	case types.PInt128:
		out := make([]types.I128, len(data))
		for i, x := range data {
			out[i] = x.Low()
		}
		return newNum(t, out)
	case types.PUInt128:
		out := make([]types.U128, len(data))
		for i, x := range data {
			out[i] = types.U128{Lo: x[0], Hi: x[1]}
		}
		return newNum(t, out)
	}
	return narrow(t, lowNums[int64](data, func(x types.I256) int64 { return int64(x[0]) }))
}

// pushWide appends x to a builder of integers or decimals of 32 bits or more.
func pushWide(out column.Builder, x types.I256) {
	switch v := out.(type) {
	case *column.Num[int32]:
		v.Data = append(v.Data, int32(x[0]))
	case *column.Num[int64]:
		v.Data = append(v.Data, int64(x[0]))
	case *column.Num[types.I128]:
		v.Data = append(v.Data, x.Low())
	case *column.Num[types.U128]:
		v.Data = append(v.Data, types.U128{Lo: x[0], Hi: x[1]})
	case *column.Num[types.I256]:
		v.Data = append(v.Data, x)
	case *column.Num[types.U256]:
		v.Data = append(v.Data, types.U256(x))
	default:
		panic(fmt.Sprintf("function: %T holds no wide integers", out))
	}
}

// evalWideArith is the arithmetic of integers one of which has more than 64 bits.
func evalWideArith(op arithOp, c *Call) (column.Vector, error) {
	ta, tb := c.Types[0], c.Types[1]
	if op == opDivide || ta.IsFloat() || tb.IsFloat() {
		return evalAsFloats(op, c)
	}
	a, b := newBroadcast(widesOf(c.Args[0]), c.Rows), newBroadcast(widesOf(c.Args[1]), c.Rows)
	out := make([]types.I256, c.Rows)
	for i := range out {
		switch op {
		case opPlus:
			out[i] = a.at(i).Add(b.at(i))
		case opMinus:
			out[i] = a.at(i).Sub(b.at(i))
		case opMultiply:
			out[i] = a.at(i).Mul(b.at(i))
		default:
			x, err := wideDivision(op, a.at(i), ta, b.at(i), tb)
			if err != nil {
				return nil, err
			}
			out[i], _ = types.I256FromBig(x)
		}
	}
	return storeWide(c.Result, out), nil
}

// evalAsFloats computes in Float64.
func evalAsFloats(op arithOp, c *Call) (column.Vector, error) {
	x, y := column.NewNum(types.TFloat64, floatsOf(c.Args[0], c.Types[0])), column.NewNum(types.TFloat64, floatsOf(c.Args[1], c.Types[1]))
	f := &Call{Env: c.Env, Args: []column.Vector{x, y}, Types: []*types.Type{types.TFloat64, types.TFloat64}, Result: c.Result, Rows: c.Rows}
	return evalPlainArith(op, f)
}

func wideDivision(op arithOp, a types.I256, ta *types.Type, b types.I256, tb *types.Type) (*big.Int, error) {
	x, y := bigOf(a, ta), bigOf(b, tb)
	switch op {
	case opGcd, opLcm:
		g := new(big.Int).GCD(nil, nil, new(big.Int).Abs(x), new(big.Int).Abs(y))
		if op == opLcm && g.Sign() != 0 {
			g.Mul(x.Quo(x.Abs(x), g), y.Abs(y))
		}
		return g, nil
	case opModulo, opModuloOrZero:
		if ta.IsUnsigned() && tb.IsSigned() { // the divisor is converted
			y = types.U256(b).Big()
		}
	case opIntDiv:
		if tb.IsSigned() && y.IsInt64() && y.Int64() == -1 && ta.IsSigned() && x.Sign() < 0 && !fitsInt(new(big.Int).Neg(x), ta) {
			return nil, divisionOverflow()
		}
	}
	return x, decimalOp(op, x, y)
}

// evalWideBits is evalBits of integers one of which has more than 64 bits.
func evalWideBits(op bitOp, c *Call) (column.Vector, error) {
	a, out := newBroadcast(widesOf(c.Args[0]), c.Rows), make([]types.I256, c.Rows)
	if op == bitShiftLeft || op == bitShiftRight {
		by := numArg[int64](c.Args[1], c.Rows)
		width := int64(8 * c.Result.Width())
		for i := range out {
			switch n := by.at(i); {
			case n < 0 || n >= width:
			case op == bitShiftLeft:
				out[i] = a.at(i).Lsh(uint(n))
			case c.Result.Kind == types.UInt256:
				out[i] = wideUnsignedRsh(a.at(i), uint(n))
			default:
				out[i] = a.at(i).Rsh(uint(n))
			}
		}
		return storeWide(c.Result, out), nil
	}
	b := newBroadcast(widesOf(c.Args[1]), c.Rows)
	for i := range out {
		x, y := a.at(i), b.at(i)
		for k := range x {
			switch op {
			case bitAnd:
				x[k] &= y[k]
			case bitOr:
				x[k] |= y[k]
			default:
				x[k] ^= y[k]
			}
		}
		out[i] = x
	}
	return storeWide(c.Result, out), nil
}

func wideUnsignedRsh(x types.I256, n uint) types.I256 {
	if n == 0 {
		return x
	}
	x = x.Rsh(1)
	x[3] &^= 1 << 63
	return x.Rsh(n - 1)
}

func wideNot(c *Call) column.Vector {
	data := widesOf(c.Args[0])
	out := make([]types.I256, len(data))
	for i, x := range data {
		for k := range x {
			out[i][k] = ^x[k]
		}
	}
	return constOrVector(c, storeWide(c.Result, out))
}

// wideOnes counts the bits that are 1 in the width of t.
func wideOnes(x types.I256, t *types.Type) int {
	n := 0
	for _, w := range x[:t.Width()/8] {
		n += bits.OnesCount64(w)
	}
	return n
}
