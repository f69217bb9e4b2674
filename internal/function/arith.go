package function

import (
	"math"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "plus", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opPlus), Eval: evalArith(opPlus), Family: "arithmetic", Doc: "Adds.", Example: "plus(1, 2) → 3"},
		&Scalar{Name: "minus", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opMinus), Eval: evalArith(opMinus), Family: "arithmetic", Doc: "Subtracts.", Example: "minus(1, 2) → -1"},
		&Scalar{Name: "multiply", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opMultiply), Eval: evalArith(opMultiply), Family: "arithmetic", Doc: "Multiplies.", Example: "multiply(3, 2) → 6"},
		&Scalar{Name: "divide", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opDivide), Eval: evalArith(opDivide), Family: "arithmetic", Doc: "Divides as Float64; decimals stay decimals.", Example: "divide(1, 2) → 0.5"},
		&Scalar{Name: "intDiv", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opIntDiv), Eval: evalArith(opIntDiv), Family: "arithmetic", Doc: "Divides integers, rounding towards zero.", Example: "intDiv(7, 2) → 3"},
		&Scalar{Name: "intDivOrZero", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opIntDivOrZero), Eval: evalArith(opIntDivOrZero), Family: "arithmetic", Doc: "Divides integers; division by zero gives 0.", Example: "intDivOrZero(7, 0) → 0"},
		&Scalar{Name: "modulo", Aliases: []string{"mod"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opModulo), Eval: evalArith(opModulo), Family: "arithmetic", Doc: "Returns the remainder, with the dividend's sign.", Example: "modulo(7, 2) → 1"},
		&Scalar{Name: "moduloOrZero", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opModuloOrZero), Eval: evalArith(opModuloOrZero), Family: "arithmetic", Doc: "Returns the remainder; division by zero gives 0.", Example: "moduloOrZero(7, 0) → 0"},
		&Scalar{Name: "positiveModulo", Aliases: []string{"pmod", "positive_modulo"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opPositiveModulo), Eval: evalArith(opPositiveModulo), Family: "arithmetic", Doc: "Returns the remainder, never negative.", Example: "positiveModulo(-7, 3) → 2"},
		&Scalar{Name: "gcd", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opGcd), Eval: evalArith(opGcd), Family: "arithmetic", Doc: "Returns the greatest common divisor.", Example: "gcd(12, 18) → 6"},
		&Scalar{Name: "lcm", MinArgs: 2, MaxArgs: 2, Resolve: resolveArith(opLcm), Eval: evalArith(opLcm), Family: "arithmetic", Doc: "Returns the least common multiple.", Example: "lcm(4, 6) → 12"},
	)
}

type arithOp uint8

const (
	opPlus arithOp = iota
	opMinus
	opMultiply
	opDivide
	opIntDiv
	opIntDivOrZero
	opModulo
	opModuloOrZero
	opPositiveModulo
	opGcd
	opLcm
)

var arithNames = [...]string{"plus", "minus", "multiply", "divide", "intDiv", "intDivOrZero", "modulo", "moduloOrZero", "positiveModulo", "gcd", "lcm"}

func (op arithOp) String() string { return arithNames[op] }

func resolveArith(op arithOp) func(*Env, []Arg) (*types.Type, error) {
	return func(env *Env, args []Arg) (*types.Type, error) {
		a, b := args[0].Type, args[1].Type
		switch {
		case isPlainNum(a) && isPlainNum(b):
			return arithResult(op, a, b)
		case a.IsInteger() && b.IsInteger():
			return arithResult(op, a, b)
		case isWideInt(a) && b.IsFloat() || a.IsFloat() && isWideInt(b):
			if op == opDivide || op == opModulo {
				return types.TFloat64, nil
			}
		case isAnyNumber(a) && isAnyNumber(b):
			return decimalResult(op, a, b)
		case isTuple(a) || isTuple(b):
			if compose := tupleOperator(op, a, b); compose != nil {
				return composedType(env, compose, args)
			}
		case moduloOfDate(op, a) && isPlainNum(b):
			return arithResult(op, dateNumber(a), b)
		case op == opPlus || op == opMinus:
			if t := dateArithResult(op, a, b); t != nil {
				return t, nil
			}
		}
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of function %s", a, b, op)
	}
}

// moduloOfDate reports whether op takes the number of a day or a second of type a.
func moduloOfDate(op arithOp, a *types.Type) bool {
	return (op == opModulo || op == opPositiveModulo) && (a.IsDate() || a.Kind == types.DateTime)
}

// dateNumber is the type of the number that a date or a time is.
func dateNumber(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Date:
		return types.TUInt16
	case types.Date32:
		return types.TInt32
	}
	return types.TUInt32
}

// intOf is the integer type of a sign and a width in bytes.
func intOf(signed bool, width int) *types.Type {
	k := 0
	for 1<<k < width && k < 5 {
		k++
	}
	if signed {
		return [...]*types.Type{types.TInt8, types.TInt16, types.TInt32, types.TInt64, types.TInt128, types.TInt256}[k]
	}
	return [...]*types.Type{types.TUInt8, types.TUInt16, types.TUInt32, types.TUInt64, types.TUInt128, types.TUInt256}[k]
}

// doubled is twice a width, up to 64 bits; a larger one stays.
func doubled(width int) int { return max(min(2*width, 8), width) }

// arithResult follows ClickHouse's NumberTraits.
func arithResult(op arithOp, a, b *types.Type) (*types.Type, error) {
	float := a.IsFloat() || b.IsFloat()
	signed := !a.IsUnsigned() || !b.IsUnsigned()
	wide := doubled(max(a.Width(), b.Width()))
	switch op {
	case opPlus, opMultiply, opGcd, opLcm:
		if float {
			if op == opGcd || op == opLcm {
				return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s and %s of arguments of function %s", a, b, op)
			}
			return floatResult(a, b), nil
		}
		return intOf(signed, wide), nil
	case opMinus:
		if float {
			return floatResult(a, b), nil
		}
		return intOf(true, wide), nil
	case opDivide:
		return types.TFloat64, nil
	case opIntDiv, opIntDivOrZero:
		return intOf(signed, a.Width()), nil
	}
	if float {
		return types.TFloat64, nil
	}
	if op == opPositiveModulo {
		return intOf(false, b.Width()), nil
	}
	if a.IsSigned() {
		return intOf(true, doubled(b.Width())), nil
	}
	return intOf(false, b.Width()), nil
}

// floatResult is the float of twice the width of the wider operand: Float32 of a BFloat16 and another of up to 16 bits, else Float64.
func floatResult(a, b *types.Type) *types.Type {
	narrow := func(t *types.Type) bool { return t.Kind == types.BFloat16 || t.IsInteger() && t.Width() <= 2 }
	if narrow(a) && narrow(b) {
		return types.TFloat32
	}
	return types.TFloat64
}

func evalArith(op arithOp) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		a, b := c.Types[0], c.Types[1]
		switch {
		case isPlainNum(a) && isPlainNum(b):
			return evalPlainArith(op, c)
		case isWideInt(a) && !isDecimal(b), isWideInt(b) && !isDecimal(a):
			return evalWideArith(op, c)
		case isAnyNumber(a) && isAnyNumber(b):
			return evalDecimalArith(op, c)
		case isTuple(a) || isTuple(b):
			return composedValue(tupleOperator(op, a, b), c)
		case moduloOfDate(op, a):
			in := *c
			in.Types = []*types.Type{dateNumber(a), b}
			in.Args = []column.Vector{column.WithType(c.Args[0], in.Types[0]), c.Args[1]}
			return evalPlainArith(op, &in)
		}
		return evalDateArith(op, c)
	}
}

func evalPlainArith(op arithOp, c *Call) (column.Vector, error) {
	switch op {
	case opPlus, opMinus, opMultiply:
		switch c.Result.Kind {
		case types.UInt16:
			return simpleArith[uint16](op, c), nil
		case types.UInt32:
			return simpleArith[uint32](op, c), nil
		case types.UInt64:
			return simpleArith[uint64](op, c), nil
		case types.Int16:
			return simpleArith[int16](op, c), nil
		case types.Int32:
			return simpleArith[int32](op, c), nil
		case types.Int64:
			return simpleArith[int64](op, c), nil
		case types.Float32:
			return simpleArith[float32](op, c), nil
		}
		return simpleArith[float64](op, c), nil
	case opDivide:
		dst := kernel.Dirty[float64](c.Rows)
		kernel.Div(dst, numsOf[float64](c.Args[0]), numsOf[float64](c.Args[1]))
		return newNum(c.Result, dst), nil
	case opGcd, opLcm:
		return evalGcd(op, c)
	}
	return evalDivision(op, c)
}

func simpleArith[T num](op arithOp, c *Call) column.Vector {
	dst := kernel.Dirty[T](c.Rows)
	var a, b []T // one of them may be dst
	if isConstVector(c.Args[0]) {
		a, b = numsOf[T](c.Args[0]), numsInto(dst, c.Args[1])
	} else {
		a, b = numsInto(dst, c.Args[0]), numsOf[T](c.Args[1])
	}
	switch op {
	case opPlus:
		kernel.Add(dst, a, b)
	case opMinus:
		kernel.Sub(dst, a, b)
	default:
		kernel.Mul(dst, a, b)
	}
	return newNum(c.Result, dst)
}

func divisionByZero() error {
	return sqlerr.New(sqlerr.IllegalDivision, "Division by zero")
}

func divisionOverflow() error {
	return sqlerr.New(sqlerr.IllegalDivision, "Division of minimal signed number by minus one")
}

// evalDivision does intDiv and modulo: floats, else in 64 bits of the sign that fits.
func evalDivision(op arithOp, c *Call) (column.Vector, error) {
	ta, tb := c.Types[0], c.Types[1]
	switch {
	case ta.IsFloat() || tb.IsFloat():
		return floatDivision(op, c)
	case ta.IsUnsigned() && tb.IsUnsigned():
		out, err := unsignedDivision(op, c)
		if err != nil {
			return nil, err
		}
		return narrow(c.Result, out), nil
	}
	out, err := signedDivision(op, c)
	if err != nil {
		return nil, err
	}
	return narrow(c.Result, out), nil
}

func unsignedDivision(op arithOp, c *Call) ([]uint64, error) {
	dst, a, b := make([]uint64, c.Rows), numArg[uint64](c.Args[0], c.Rows), numArg[uint64](c.Args[1], c.Rows)
	div := op == opIntDiv || op == opIntDivOrZero
	if b.mask == 0 && b.data[0] != 0 {
		y := b.data[0]
		for i := range dst {
			if div {
				dst[i] = a.at(i) / y
			} else {
				dst[i] = a.at(i) % y
			}
		}
		return dst, nil
	}
	for i := range dst {
		y := b.at(i)
		switch {
		case y == 0 && (op == opIntDivOrZero || op == opModuloOrZero):
		case y == 0:
			return nil, divisionByZero()
		case div:
			dst[i] = a.at(i) / y
		default:
			dst[i] = a.at(i) % y
		}
	}
	return dst, nil
}

func signedDivision(op arithOp, c *Call) ([]int64, error) {
	dst, a, b := make([]int64, c.Rows), numArg[int64](c.Args[0], c.Rows), numArg[int64](c.Args[1], c.Rows)
	minimal := int64(math.MinInt64) >> (64 - 8*c.Types[0].Width())
	for i := range dst {
		x, y := a.at(i), b.at(i)
		switch {
		case y == 0 && (op == opIntDivOrZero || op == opModuloOrZero):
		case y == 0:
			return nil, divisionByZero()
		case y == -1 && x == minimal && !c.Types[0].IsUnsigned():
			if op == opIntDiv || op == opModulo {
				return nil, divisionOverflow()
			}
		case op == opIntDiv || op == opIntDivOrZero:
			dst[i] = x / y
		case op == opPositiveModulo:
			r := x % y
			if r < 0 {
				r += max(y, -y)
			}
			dst[i] = r
		default:
			dst[i] = x % y
		}
	}
	return dst, nil
}

func floatDivision(op arithOp, c *Call) (column.Vector, error) {
	a, b := numArg[float64](c.Args[0], c.Rows), numArg[float64](c.Args[1], c.Rows)
	if op == opIntDiv || op == opIntDivOrZero {
		dst := make([]int64, c.Rows)
		for i := range dst {
			q := a.at(i) / b.at(i)
			if math.IsNaN(q) || math.IsInf(q, 0) {
				if op == opIntDivOrZero {
					continue
				}
				return nil, sqlerr.New(sqlerr.IllegalDivision, "Cannot perform integer division, because it will produce infinite or too large number")
			}
			dst[i] = int64(q)
		}
		return narrow(c.Result, dst), nil
	}
	dst := make([]float64, c.Rows)
	for i := range dst {
		x, y := a.at(i), b.at(i)
		dst[i] = x - float64(math.Trunc(x/y)*y) // as ClickHouse: of a large quotient the remainder is not exact
		if op == opPositiveModulo && dst[i] < 0 {
			dst[i] += math.Abs(y)
		}
	}
	return newNum(c.Result, dst), nil
}

// narrow stores 64-bit results as the integer type t.
func narrow[S integer](t *types.Type, data []S) column.Vector {
	switch t.Phys() {
	case types.PUInt8:
		return newNum(t, narrowed[uint8](data))
	case types.PUInt16:
		return newNum(t, narrowed[uint16](data))
	case types.PUInt32:
		return newNum(t, narrowed[uint32](data))
	case types.PUInt64:
		return newNum(t, narrowed[uint64](data))
	case types.PInt8:
		return newNum(t, narrowed[int8](data))
	case types.PInt16:
		return newNum(t, narrowed[int16](data))
	case types.PInt32:
		return newNum(t, narrowed[int32](data))
	case types.PInt64:
		return newNum(t, narrowed[int64](data))
	case types.PFloat32:
		return newNum(t, narrowed[float32](data))
	case types.PFloat64:
		return newNum(t, narrowed[float64](data))
	}
	panic("function: " + t.String() + " is no integer type")
}

// narrowed is data as T: data itself if that is its type.
func narrowed[T num, S integer](data []S) []T {
	if same, ok := any(data).([]T); ok {
		return same
	}
	return convertNums[T](data)
}

func evalGcd(op arithOp, c *Call) (column.Vector, error) {
	dst, a, b := make([]uint64, c.Rows), numArg[int64](c.Args[0], c.Rows), numArg[int64](c.Args[1], c.Rows)
	unsigned := c.Types[0].IsUnsigned() && c.Types[1].IsUnsigned()
	for i := range dst {
		x, y := uint64(a.at(i)), uint64(b.at(i))
		if !unsigned {
			x, y = absInt(int64(x)), absInt(int64(y))
		}
		g := gcd(x, y)
		switch {
		case op == opGcd:
			dst[i] = g
		case g == 0:
		default:
			dst[i] = x / g * y
		}
	}
	return narrow(c.Result, dst), nil
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func absInt(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

// invoke binds and calls a function on vectors, for functions made of others.
func invoke(env *Env, name string, n int, args ...column.Vector) (column.Vector, error) {
	typed := make([]Arg, len(args))
	for i, a := range args {
		typed[i] = Arg{Type: a.Type()}
		if k, ok := a.(*column.Const); ok {
			typed[i].Const = k.Value
		}
	}
	f, err := Bind(env, name, typed)
	if err != nil {
		return nil, err
	}
	return f.Call(env, args, nil, n)
}
