package function

import (
	"math"
	"math/big"
	"math/bits"
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	pair := func(name, doc, example string, f func(a, b float64) float64) {
		register(&Scalar{Name: name, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed(name, types.TFloat64, isNumeric), Eval: func(c *Call) (column.Vector, error) {
			a, b, out := newBroadcast(floatsOf(c.Args[0], c.Types[0]), c.Rows), newBroadcast(floatsOf(c.Args[1], c.Types[1]), c.Rows), make([]float64, c.Rows)
			for i := range out {
				out[i] = f(a.at(i), b.at(i))
			}
			return newNum(c.Result, out), nil
		}, Family: "mathematical", Doc: doc, Example: example})
	}
	pair("max2", "Returns the greater of two numbers as Float64.", "max2(1, 2.5) → 2.5", func(a, b float64) float64 {
		if a > b {
			return a
		}
		return b
	})
	pair("min2", "Returns the lesser of two numbers as Float64.", "min2(1, 2.5) → 1", func(a, b float64) float64 {
		if a < b {
			return a
		}
		return b
	})
	register(
		&Scalar{Name: "sqr", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: func(env *Env, args []Arg) (*types.Type, error) {
			return resolveArith(opMultiply)(env, []Arg{args[0], args[0]})
		}, Eval: func(c *Call) (column.Vector, error) {
			twice := *c
			twice.Args, twice.Types = []column.Vector{c.Args[0], c.Args[0]}, []*types.Type{c.Types[0], c.Types[0]}
			return evalArith(opMultiply)(&twice)
		}, Family: "mathematical", Doc: "Multiplies a number by itself.", Example: "sqr(3) → 9"},
		&Scalar{Name: "factorial", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("factorial", types.TUInt64, isPlainInt), Eval: evalFactorial, Family: "mathematical", Doc: "Returns the factorial of a number of at most 20; of a negative one 1.", Example: "factorial(5) → 120"},
		&Scalar{Name: "intExp2", MinArgs: 1, MaxArgs: 1, Resolve: resolveIntExp("intExp2"), Eval: evalIntExp("intExp2", powersOf(2)), Family: "mathematical", Doc: "Returns a power of 2 as an integer; the greatest one if it is too large.", Example: "intExp2(3) → 8"},
		&Scalar{Name: "intExp10", MinArgs: 1, MaxArgs: 1, Resolve: resolveIntExp("intExp10"), Eval: evalIntExp("intExp10", powersOf(10)), Family: "mathematical", Doc: "Returns a power of 10 as an integer; the greatest one if it is too large.", Example: "intExp10(3) → 1000"},
		&Scalar{Name: "isPrime", MinArgs: 1, MaxArgs: 1, Resolve: fixed("isPrime", types.TUInt8, isUInt), Eval: evalIsPrime, Family: "mathematical", Doc: "Tests for a prime number.", Example: "isPrime(7) → 1"},
		&Scalar{Name: "isProbablePrime", MinArgs: 1, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("isProbablePrime", types.TUInt8, func(t *types.Type) bool { return t.IsInteger() && t.IsUnsigned() }, isUInt), Eval: evalIsPrime, Family: "mathematical", Doc: "Tests for a prime number of up to 256 bits, where it is very probable beyond 64.", Example: "isProbablePrime(561) → 0"},
		&Scalar{Name: "sigmoid", MinArgs: 1, MaxArgs: 1, Resolve: fixed("sigmoid", types.TFloat64, isNumeric), Eval: func(c *Call) (column.Vector, error) {
			x := floatsOf(c.Args[0], c.Types[0])
			out := make([]float64, len(x))
			for i, v := range x {
				out[i] = 1 / (1 + math.Exp(-v))
			}
			return constOrVector(c, newNum(c.Result, out)), nil
		}, Family: "mathematical", Doc: "Returns 1 / (1 + e^-x).", Example: "sigmoid(0) → 0.5"},
		&Scalar{Name: "widthBucket", Aliases: []string{"width_bucket"}, CaseInsensitive: true, MinArgs: 4, MaxArgs: 4, Resolve: resolveWidthBucket, Eval: evalWidthBucket, Family: "mathematical", Doc: "Returns the number of the bucket, of so many equal ones between two bounds, that a value falls into: 0 below, one more than there are above.", Example: "widthBucket(10.15, -8.6, 23, 10) → 6"},
		&Scalar{Name: "roundDown", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: resolveRoundDown, Eval: evalRoundDown, Family: "rounding", Doc: "Rounds down to an element of an array; to the least if there is none below.", Example: "roundDown(6, [1, 3, 5]) → 5"},
		&Scalar{Name: "byteSwap", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: resolveByteSwap, Eval: evalByteSwap, Family: "arithmetic", Doc: "Reverses the bytes of an integer.", Example: "byteSwap(3351772109) → 3455829959"},
	)
}

// factorials holds those that fit 64 bits.
var factorials = func() (f [21]uint64) {
	f[0] = 1
	for i := 1; i < len(f); i++ {
		f[i] = f[i-1] * uint64(i)
	}
	return f
}()

func evalFactorial(c *Call) (column.Vector, error) {
	n := countArg(c.Args[0], c.Rows)
	out := make([]uint64, c.Rows)
	for i := range out {
		x := max(n.at(i), 0)
		if x >= int64(len(factorials)) {
			return nil, sqlerr.New(sqlerr.BadArguments, "The maximum value for the input argument of function factorial is %d", len(factorials)-1)
		}
		out[i] = factorials[x]
	}
	return newNum(c.Result, out), nil
}

// powersOf lists those that fit 64 bits.
func powersOf(base uint64) []uint64 {
	out := []uint64{1}
	for {
		hi, next := bits.Mul64(out[len(out)-1], base)
		if hi != 0 {
			return out
		}
		out = append(out, next)
	}
}

func resolveIntExp(name string) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		switch t := args[0].Type; {
		case isWideInt(t):
			return nil, sqlerr.New(sqlerr.NotImplemented, "%s is not implemented for big integers", name)
		case !isPlainNum(t):
			return nil, illegal(name, 0, t)
		}
		return types.TUInt64, nil
	}
}

func evalIntExp(name string, powers []uint64) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		x, out := numArg[float64](c.Args[0], c.Rows), make([]uint64, c.Rows)
		for i := range out {
			switch v := x.at(i); {
			case math.IsNaN(v):
				return nil, sqlerr.New(sqlerr.BadArguments, "%s must not be called with nan", name)
			case v < 0:
			case v >= float64(len(powers)):
				out[i] = math.MaxUint64
			default:
				out[i] = powers[int(v)]
			}
		}
		return newNum(c.Result, out), nil
	}
}

// evalIsPrime decides up to 64 bits; beyond, a Baillie-PSW test with so many Miller-Rabin rounds more.
func evalIsPrime(c *Call) (column.Vector, error) {
	out := make([]uint8, c.Rows)
	if !isWideInt(c.Types[0]) {
		for i, n := range fullNums[uint64](c.Args[0], c.Rows) {
			out[i] = b2u(isPrime(n))
		}
		return column.NewBools(out), nil
	}
	rounds := 0
	if len(c.Args) > 1 {
		rounds = int(min(numsOf[uint64](c.Args[1])[0], maxPrimeRounds))
	}
	for i, n := range spread(widesOf(c.Args[0]), c.Rows) {
		if err := c.Env.Ctx.Err(); err != nil {
			return nil, err
		}
		x := new(big.Int).SetUint64(n[3])
		for k := 2; k >= 0; k-- {
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(n[k]))
		}
		out[i] = b2u(x.ProbablyPrime(rounds))
	}
	return column.NewBools(out), nil
}

// maxPrimeRounds bounds what each number may cost; no number is known that passes even without a round.
const maxPrimeRounds = 1000

// isPrime is the test of Miller and Rabin with bases that leave out no number of 64 bits.
func isPrime(n uint64) bool {
	bases := [...]uint64{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}
	for _, p := range bases {
		if n%p == 0 {
			return n == p
		}
	}
	if n < 2 {
		return false
	}
	shift := bits.TrailingZeros64(n - 1)
	odd := (n - 1) >> shift
	for _, a := range bases {
		x := powModulo(a, odd, n)
		if x == 1 || x == n-1 {
			continue
		}
		k := 1
		for ; k < shift && x != n-1; k++ {
			x = mulModulo(x, x, n)
		}
		if x != n-1 {
			return false
		}
	}
	return true
}

func mulModulo(a, b, n uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, n)
}

func powModulo(a, e, n uint64) uint64 {
	r := uint64(1)
	for a %= n; e > 0; e >>= 1 {
		if e&1 != 0 {
			r = mulModulo(r, a, n)
		}
		a = mulModulo(a, a, n)
	}
	return r
}

func resolveWidthBucket(_ *Env, args []Arg) (*types.Type, error) {
	if err := checkTypes("widthBucket", args, isPlainNum, isPlainNum, isPlainNum, isUInt); err != nil {
		return nil, err
	}
	return intOf(false, doubled(args[3].Type.Width())), nil
}

func evalWidthBucket(c *Call) (column.Vector, error) {
	x, lo, hi, n := numArg[float64](c.Args[0], c.Rows), numArg[float64](c.Args[1], c.Rows), numArg[float64](c.Args[2], c.Rows), numArg[uint64](c.Args[3], c.Rows)
	out := make([]uint64, c.Rows)
	for i := range out {
		v, from, to, count := x.at(i), lo.at(i), hi.at(i), n.at(i)
		switch {
		case count == 0:
			return nil, sqlerr.New(sqlerr.BadArguments, "Last argument (count) for function widthBucket cannot be 0")
		case v != v || from != from || to != to:
			return nil, sqlerr.New(sqlerr.BadArguments, "The first three arguments (operand, low, high) cannot be NaN in function widthBucket")
		case v < from || from >= to:
		case v >= to:
			out[i] = count + 1
		default:
			out[i] = uint64((v-from)/(to-from)*float64(count)) + 1
		}
	}
	return narrow(c.Result, out), nil
}

func resolveRoundDown(_ *Env, args []Arg) (*types.Type, error) {
	x, steps := args[0].Type, args[1].Type
	if !isNumeric(x) {
		return nil, illegal("roundDown", 0, x)
	}
	if !isArray(steps) || !isNumeric(steps.Elem()) {
		return nil, illegal("roundDown", 1, steps)
	}
	return types.Supertype(x, steps.Elem())
}

func evalRoundDown(c *Call) (column.Vector, error) {
	x, err := Cast(c.Env, column.Flatten(c.Args[0]), c.Result)
	if err != nil {
		return nil, err
	}
	arr := arraysOf(c.Args[1])
	steps, err := Cast(c.Env, arr.Elem, c.Result)
	if err != nil {
		return nil, err
	}
	from, to := arr.bounds(0)
	if from == to {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Second argument of function roundDown must not be empty")
	}
	order := make([]int, to-from)
	for k := range order {
		order[k] = from + k
	}
	slices.SortStableFunc(order, func(a, b int) int { return column.Compare(steps, a, steps, b) })
	out := column.New(c.Result, c.Rows)
	for i := range c.Rows {
		at, found := slices.BinarySearchFunc(order, i, func(k, i int) int { return column.Compare(steps, k, x, i) })
		if !found {
			at = max(at-1, 0)
		}
		out.AppendFrom(steps, order[at])
	}
	return out, nil
}

func resolveByteSwap(_ *Env, args []Arg) (*types.Type, error) {
	switch t := args[0].Type; {
	case t.IsFloat():
		return nil, sqlerr.New(sqlerr.NotImplemented, "byteSwap is not implemented for float datatype")
	case !t.IsInteger():
		return nil, illegal("byteSwap", 0, t)
	default:
		return t, nil
	}
}

func evalByteSwap(c *Call) (column.Vector, error) {
	w := c.Result.Width()
	if w > 8 {
		out := slices.Clone(widesOf(c.Args[0]))
		for i, x := range out {
			out[i] = types.I256{}
			for k := range w / 8 {
				out[i][k] = bits.ReverseBytes64(x[w/8-1-k])
			}
		}
		return constOrVector(c, storeWide(c.Result, out)), nil
	}
	out := slices.Clone(numsOf[uint64](c.Args[0]))
	for i, x := range out {
		out[i] = bits.ReverseBytes64(x << (64 - 8*w))
	}
	return constOrVector(c, narrow(c.Result, out)), nil
}
