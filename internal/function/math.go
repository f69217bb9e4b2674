package function

import (
	"math"
	"math/big"

	"github.com/olapd/olapd/internal/civil"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name    string
		aliases []string
		f       func(float64) float64
		doc     string
	}{
		{"exp", nil, math.Exp, "Returns e to the power of x."}, {"exp2", nil, math.Exp2, "Returns 2 to the power of x."}, {"exp10", nil, func(x float64) float64 { return math.Pow(10, x) }, "Returns 10 to the power of x."},
		{"log", []string{"ln"}, math.Log, "Returns the natural logarithm."}, {"log2", nil, math.Log2, "Returns the binary logarithm."}, {"log10", nil, math.Log10, "Returns the decimal logarithm."}, {"log1p", nil, math.Log1p, "Returns log(1 + x)."},
		{"sqrt", nil, math.Sqrt, "Returns the square root."}, {"cbrt", nil, math.Cbrt, "Returns the cube root."},
		{"sin", nil, math.Sin, "Returns the sine."}, {"cos", nil, math.Cos, "Returns the cosine."}, {"tan", nil, math.Tan, "Returns the tangent."},
		{"asin", nil, math.Asin, "Returns the arc sine."}, {"acos", nil, math.Acos, "Returns the arc cosine."}, {"atan", nil, math.Atan, "Returns the arc tangent."},
		{"sinh", nil, math.Sinh, "Returns the hyperbolic sine."}, {"cosh", nil, math.Cosh, "Returns the hyperbolic cosine."}, {"tanh", nil, math.Tanh, "Returns the hyperbolic tangent."},
		{"asinh", nil, math.Asinh, "Returns the inverse hyperbolic sine."}, {"acosh", nil, math.Acosh, "Returns the inverse hyperbolic cosine."}, {"atanh", nil, math.Atanh, "Returns the inverse hyperbolic tangent."},
		{"degrees", nil, func(x float64) float64 { return x * (180 / math.Pi) }, "Converts radians to degrees."}, {"radians", nil, func(x float64) float64 { return x * (math.Pi / 180) }, "Converts degrees to radians."},
		{"erf", nil, math.Erf, "Returns the error function."}, {"erfc", nil, math.Erfc, "Returns the complementary error function."}, {"tgamma", nil, math.Gamma, "Returns the gamma function."}, {"lgamma", nil, func(x float64) float64 { y, _ := math.Lgamma(x); return y }, "Returns the logarithm of the gamma function."},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Family: "mathematical", Doc: f.doc, Resolve: fixed(f.name, types.TFloat64, isAnyNumber), Eval: mapFloats(f.f)})
	}
	for _, f := range []struct {
		name    string
		aliases []string
		f       func(a, b float64) float64
		doc     string
	}{
		{"pow", []string{"power"}, math.Pow, "Returns x to the power of y."}, {"atan2", nil, math.Atan2, "Returns the angle of a point."}, {"hypot", nil, math.Hypot, "Returns the length of the hypotenuse."},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Family: "mathematical", Doc: f.doc, Resolve: fixed(f.name, types.TFloat64, isAnyNumber), Eval: mapFloatPairs(f.f)})
	}
	for _, f := range []struct {
		name string
		v    float64
	}{{"pi", math.Pi}, {"e", math.E}} {
		register(&Scalar{Name: f.name, CaseInsensitive: f.name == "pi", Family: "mathematical", Doc: "Returns the constant.", Resolve: fixed(f.name, types.TFloat64),
			Eval: func(c *Call) (column.Vector, error) { return column.NewConst(types.TFloat64, f.v, c.Rows), nil }})
	}
	for _, f := range []struct {
		name string
		f    func(float64) bool
	}{
		{"isFinite", func(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }}, {"isInfinite", func(x float64) bool { return math.IsInf(x, 0) }}, {"isNaN", math.IsNaN},
	} {
		register(&Scalar{Name: f.name, CaseInsensitive: f.name == "isNaN", MinArgs: 1, MaxArgs: 1, Family: "mathematical", Doc: "Tests a float.", Resolve: fixed(f.name, types.TUInt8, isPlainNum),
			Eval: func(c *Call) (column.Vector, error) {
				x, out := numArg[float64](c.Args[0], c.Rows), make([]uint8, c.Rows)
				for i := range out {
					out[i] = b2u(f.f(x.at(i)))
				}
				return column.NewBools(out), nil
			}})
	}
	for _, f := range []struct {
		name    string
		aliases []string
		mode    roundMode
	}{
		{"round", nil, roundHalf}, {"roundBankers", nil, roundEven}, {"floor", nil, roundFloor}, {"ceil", []string{"ceiling"}, roundCeil}, {"trunc", []string{"truncate"}, roundTrunc},
	} {
		register(&Scalar{Name: f.name, Aliases: f.aliases, CaseInsensitive: true, MinArgs: 1, MaxArgs: 2, Family: "rounding", Doc: "Rounds to a number of digits behind the point (or before, if negative).", Example: f.name + "(1.25, 1) → " + map[roundMode]string{roundHalf: "1.2", roundEven: "1.2", roundFloor: "1.2", roundCeil: "1.3", roundTrunc: "1.2"}[f.mode],
			Resolve: sameAs0(f.name, isAnyNumber, isPlainInt), Eval: evalRound(f.mode)})
	}
	register(
		&Scalar{Name: "greatest", CaseInsensitive: true, MinArgs: 1, MaxArgs: maxBranches / 2, Nulls: NullCustom, Resolve: resolveExtreme(1), Eval: evalExtreme(1), Family: "conditional", Doc: "Returns the greatest argument that is not NULL.", Example: "greatest(1, 2) → 2"},
		&Scalar{Name: "least", CaseInsensitive: true, MinArgs: 1, MaxArgs: maxBranches / 2, Nulls: NullCustom, Resolve: resolveExtreme(-1), Eval: evalExtreme(-1), Family: "conditional", Doc: "Returns the least argument that is not NULL.", Example: "least(1, 2) → 1"},
		&Scalar{Name: "roundToExp2", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("roundToExp2", isPlainNum), Eval: evalRoundToExp2, Family: "rounding", Doc: "Rounds down to a power of two.", Example: "roundToExp2(5) → 4"},
	)
}

func mapFloats(f func(float64) float64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		data := floatsOf(c.Args[0], c.Types[0])
		out := make([]float64, len(data))
		for i, x := range data {
			out[i] = f(x)
		}
		return constOrVector(c, newNum(c.Result, out)), nil
	}
}

func mapFloatPairs(f func(a, b float64) float64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		a, b := newBroadcast(floatsOf(c.Args[0], c.Types[0]), c.Rows), newBroadcast(floatsOf(c.Args[1], c.Types[1]), c.Rows)
		out := make([]float64, c.Rows)
		for i := range out {
			out[i] = f(a.at(i), b.at(i))
		}
		return newNum(c.Result, out), nil
	}
}

type roundMode uint8

const (
	roundHalf roundMode = iota // floats: half to even, as ClickHouse; integers and decimals: half away from zero
	roundEven
	roundFloor
	roundCeil
	roundTrunc
)

// maxRoundDigits bounds the second argument, as in ClickHouse.
const maxRoundDigits = 32767

func evalRound(mode roundMode) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		digits := broadcast[int64]{[]int64{0}, 0}
		if len(c.Args) > 1 {
			digits = numArg[int64](c.Args[1], c.Rows)
		}
		for _, d := range digits.data {
			if d > maxRoundDigits || d < -maxRoundDigits {
				return nil, sqlerr.New(sqlerr.ArgumentOutOfBound, "Scale argument for rounding function is too large: %d", d)
			}
		}
		t := c.Types[0]
		switch {
		case t.IsFloat():
			return roundFloats(c, mode, digits), nil
		case t.Kind == types.Decimal, isWideInt(t):
			return roundDecimals(c, mode, digits), nil
		}
		return roundInts(c, mode, digits), nil
	}
}

func roundFloats(c *Call, mode roundMode, digits broadcast[int64]) column.Vector {
	x := numArg[float64](c.Args[0], c.Rows)
	out := make([]float64, c.Rows)
	f := map[roundMode]func(float64) float64{roundHalf: math.RoundToEven, roundEven: math.RoundToEven, roundFloor: math.Floor, roundCeil: math.Ceil, roundTrunc: math.Trunc}[mode]
	for i := range out {
		switch d := digits.at(i); {
		case d == 0:
			out[i] = f(x.at(i))
		case d > 0:
			p := math.Pow10(int(min(d, 400)))
			y := f(x.at(i)*p) / p
			if math.IsNaN(y) || math.IsInf(y, 0) {
				y = x.at(i)
			}
			out[i] = y
		default:
			p := math.Pow10(int(min(-d, 400)))
			out[i] = f(x.at(i)/p) * p
			if math.IsInf(p, 0) {
				out[i] = 0
			}
		}
	}
	return narrowFloat(c.Result, out)
}

func roundInts(c *Call, mode roundMode, digits broadcast[int64]) column.Vector {
	if len(digits.data) == 1 && digits.data[0] >= 0 {
		return c.Args[0]
	}
	x := numArg[int64](c.Args[0], c.Rows)
	unsigned := c.Types[0].IsUnsigned()
	out := make([]int64, c.Rows)
	for i := range out {
		v, d := x.at(i), -digits.at(i)
		switch {
		case d <= 0:
			out[i] = v
		case d > 18:
		case mode == roundHalf && v < 0 && !unsigned:
			p := pow10Int(int(d))
			out[i] = wrapSigned(v-p/2, c.Types[0].Width()) / p * p
		case unsigned && v < 0: // over 2^63
			p := uint64(pow10Int(int(d)))
			out[i] = int64((uint64(v) + p/2) / p * p)
		default:
			out[i] = roundTo(v, pow10Int(int(d)), mode)
		}
	}
	return narrow(c.Result, out)
}

// wrapSigned is the low width bytes of v as a signed integer.
func wrapSigned(v int64, width int) int64 {
	shift := 64 - 8*width
	return v << shift >> shift
}

// roundTo rounds v to a multiple of p.
func roundTo(v, p int64, mode roundMode) int64 {
	down := civil.FloorDiv(v, p) * p
	rest := v - down
	up := false
	switch mode {
	case roundFloor:
	case roundCeil:
		up = rest > 0
	case roundTrunc:
		up = v < 0 && rest > 0
	case roundHalf:
		up = rest > p/2 || rest == p/2 && v > 0
	case roundEven:
		up = rest > p/2 || rest == p/2 && (down/p)%2 != 0
	}
	if up {
		return down + p
	}
	return down
}

func roundDecimals(c *Call, mode roundMode, digits broadcast[int64]) column.Vector {
	if len(digits.data) == 1 {
		if rounded := roundScaled(c, mode, digits.data[0]); rounded != nil {
			return rounded
		}
	}
	return roundByBig(c, mode, digits)
}

func roundByBig(c *Call, mode roundMode, digits broadcast[int64]) column.Vector {
	t := c.Types[0]
	x := newBroadcast(widesOf(c.Args[0]), c.Rows)
	out := make([]types.I256, c.Rows)
	for i := range out {
		d := int64(scaleOf(t)) - digits.at(i)
		switch {
		case d <= 0:
			out[i] = x.at(i)
		case d > types.MaxPrecision256:
		default:
			out[i] = roundBig(bigOf(x.at(i), t), int(d), mode)
		}
	}
	return storeWide(c.Result, out)
}

func roundBig(v *big.Int, d int, mode roundMode) types.I256 {
	p := pow10Big(d)
	q, r := new(big.Int).QuoRem(v, p, new(big.Int)) // towards zero
	neg := v.Sign() < 0
	half := new(big.Int).Mul(r, big.NewInt(2)).CmpAbs(p)
	away := false
	switch mode {
	case roundFloor:
		away = neg && r.Sign() != 0
	case roundCeil:
		away = !neg && r.Sign() != 0
	case roundHalf:
		away = half >= 0
	case roundEven:
		away = half > 0 || half == 0 && q.Bit(0) == 1
	}
	if away {
		if neg {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	rounded, _ := types.I256FromBig(q.Mul(q, p))
	return rounded
}

func evalRoundToExp2(c *Call) (column.Vector, error) {
	if c.Types[0].IsFloat() {
		x := numArg[float64](c.Args[0], c.Rows)
		out := make([]float64, c.Rows)
		for i := range out {
			if v := x.at(i); v != 0 && !math.IsInf(v, 0) && !math.IsNaN(v) {
				_, e := math.Frexp(v)
				out[i] = math.Copysign(math.Ldexp(1, e-1), v)
			}
		}
		return narrowFloat(c.Result, out), nil
	}
	x := numArg[int64](c.Args[0], c.Rows)
	out := make([]int64, c.Rows)
	for i := range out {
		v := x.at(i)
		if v < 0 && !c.Types[0].IsUnsigned() {
			out[i] = -highBit(-v)
			continue
		}
		out[i] = highBit(v)
	}
	return narrow(c.Result, out), nil
}

func highBit(v int64) int64 {
	b := new(big.Int).SetUint64(uint64(v)).BitLen()
	if b == 0 {
		return 0
	}
	return int64(uint64(1) << (b - 1))
}

// resolveExtreme types greatest (a sign of 1) and least (-1). Of UInt64 and a signed type, which have no common one, it is the type that has the extreme, as
// ClickHouse has it.
func resolveExtreme(sign int) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		t, err := commonType(args, allPositions(args))
		switch {
		case err == nil:
			return t.WithoutLowCardinality(), nil
		case len(args) != 2 || args[0].Type.Kind == types.Nullable || args[1].Type.Kind == types.Nullable || !allNumbers(args):
			return nil, err
		}
		if t := mixedExtreme(args[0].Type.Inner(), args[1].Type.Inner(), sign); t != nil {
			return t, nil
		}
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of functions greatest and least", args[0].Type, args[1].Type)
	}
}

// mixedExtreme is the type of the extreme of UInt64 and a signed type; nil for others.
func mixedExtreme(a, b *types.Type, sign int) *types.Type {
	if a.IsSigned() {
		a, b = b, a
	}
	switch {
	case a.Kind != types.UInt64 || !b.IsInteger() || !b.IsSigned():
		return nil
	case b.Kind != types.Int64:
		return types.TInt128
	case sign < 0:
		return types.TInt64
	}
	return types.TUInt64
}

func allNumbers(args []Arg) bool {
	for _, a := range args {
		if t := a.Type.Inner(); !t.IsInteger() && !t.IsFloat() {
			return false
		}
	}
	return true
}

func evalExtreme(sign int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		vals, err := castAll(c, allArgs(c), c.Result)
		if err != nil {
			return nil, err
		}
		if v := extremeWords(c, vals, sign); v != nil {
			return v, nil
		}
		choice := make([]uint8, c.Rows)
		pair := len(vals) == 2 // whose comparison with NaN is false, so that the second is taken
		for k := 1; k < len(vals); k++ {
			_, other := splitNullable(vals[k])
			for i := range choice {
				best := vals[choice[i]]
				switch {
				case other.at(i) != 0:
				case column.IsNull(best, i):
					choice[i] = uint8(k)
				default:
					op := extremeCompare(c, int(choice[i]), k, i, best, vals[k])
					if op*sign < 0 || pair && (isNaNAt(best, i) || isNaNAt(vals[k], i)) {
						choice[i] = uint8(k)
					}
				}
			}
		}
		return selectRows(c, c.Result, choice, vals)
	}
}

// extremeWords is the extreme of two floats, or of integers, decimals or times in at most 64 bits whose common type orders them as they are; nil for others.
func extremeWords(c *Call, vals []column.Vector, sign int) column.Vector {
	t := c.Result
	if t.Kind == types.Float64 && len(vals) == 2 {
		return newNum(t, floatExtremes(vals[0], vals[1], c.Rows, sign))
	}
	if !t.IsInteger() && t.Kind != types.Decimal && !t.IsDateOrTime() || t.Kind == types.Bool {
		return nil
	}
	if wraps(c) {
		return nil
	}
	switch t.Phys() {
	case types.PUInt8:
		return newNum(t, rowExtremes[uint8](vals, c.Rows, sign))
	case types.PUInt16:
		return newNum(t, rowExtremes[uint16](vals, c.Rows, sign))
	case types.PUInt32:
		return newNum(t, rowExtremes[uint32](vals, c.Rows, sign))
	case types.PUInt64:
		return newNum(t, rowExtremes[uint64](vals, c.Rows, sign))
	case types.PInt8:
		return newNum(t, rowExtremes[int8](vals, c.Rows, sign))
	case types.PInt16:
		return newNum(t, rowExtremes[int16](vals, c.Rows, sign))
	case types.PInt32:
		return newNum(t, rowExtremes[int32](vals, c.Rows, sign))
	case types.PInt64:
		return newNum(t, rowExtremes[int64](vals, c.Rows, sign))
	}
	return nil
}

// rowExtremes is the greatest of each row's values, or with a sign of less than 0 the least.
func rowExtremes[T integer](vals []column.Vector, rows, sign int) []T {
	out, first := make([]T, rows), numArg[T](vals[0], rows)
	for i := range out {
		out[i] = first.at(i)
	}
	for _, v := range vals[1:] {
		other := numArg[T](v, rows)
		if sign < 0 {
			for i, x := range out {
				out[i] = min(x, other.at(i))
			}
		} else {
			for i, x := range out {
				out[i] = max(x, other.at(i))
			}
		}
	}
	return out
}

// floatExtremes is rowExtremes of two floats: beside NaN it is the second.
func floatExtremes(a, b column.Vector, rows, sign int) []float64 {
	out, x, y := make([]float64, rows), numArg[float64](a, rows), numArg[float64](b, rows)
	for i := range out {
		p, q := x.at(i), y.at(i)
		if out[i] = q; sign < 0 && p <= q || sign >= 0 && p >= q {
			out[i] = p
		}
	}
	return out
}

// wraps reports whether the result's type has not the values of all arguments: of UInt64 and Int64.
func wraps(c *Call) bool {
	for _, from := range c.Types {
		if t := c.Result.Inner().Kind; t == types.UInt64 && from.Inner().IsSigned() || t == types.Int64 && from.Inner().Kind == types.UInt64 {
			return true
		}
	}
	return false
}

// extremeCompare compares by value, even where the result's type wraps.
func extremeCompare(c *Call, a, b, i int, va, vb column.Vector) int {
	if wraps(c) {
		ta, tb := c.Types[a].Inner(), c.Types[b].Inner()
		x, _ := splitNullable(c.Args[a])
		y, _ := splitNullable(c.Args[b])
		var less, eq [1]uint8
		compareNumbers(cmpLt, less[:], x.Slice(i, i+1), ta, y.Slice(i, i+1), tb)
		compareNumbers(cmpEq, eq[:], x.Slice(i, i+1), ta, y.Slice(i, i+1), tb)
		return 1 - 2*int(less[0]) - int(eq[0])
	}
	return column.Compare(va, i, vb, i)
}
