package function

import (
	"math"
	"math/rand/v2"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "rand", Aliases: []string{"rand32"}, CaseInsensitive: true, MaxArgs: 1, Volatile: true, Resolve: fixed("rand", types.TUInt32), Eval: randomNums(func() uint32 { return rand.Uint32() }), Family: "random", Doc: "Returns random 32-bit integers."},
		&Scalar{Name: "rand64", MaxArgs: 1, Volatile: true, Resolve: fixed("rand64", types.TUInt64), Eval: randomNums(rand.Uint64), Family: "random", Doc: "Returns random 64-bit integers."},
		&Scalar{Name: "randCanonical", MaxArgs: 1, Volatile: true, Resolve: fixed("randCanonical", types.TFloat64), Eval: randomNums(rand.Float64), Family: "random", Doc: "Returns random floats of [0, 1)."},
		&Scalar{Name: "randUniform", MinArgs: 2, MaxArgs: 3, Volatile: true, Resolve: fixed("randUniform", types.TFloat64, isPlainNum), Eval: func(c *Call) (column.Vector, error) {
			lo, hi, out := numArg[float64](c.Args[0], c.Rows), numArg[float64](c.Args[1], c.Rows), make([]float64, c.Rows)
			for i := range out {
				out[i] = lo.at(i) + rand.Float64()*(hi.at(i)-lo.at(i))
			}
			return newNum(c.Result, out), nil
		}, Family: "random", Doc: "Returns random floats of a range."},
		&Scalar{Name: "generateUUIDv4", MaxArgs: 1, Volatile: true, Resolve: fixed("generateUUIDv4", types.TUUID), Eval: randomNums(func() types.U128 {
			return types.U128{Hi: rand.Uint64()&^0xf000 | 0x4000, Lo: rand.Uint64()&^(3<<62) | 1<<63}
		}), Family: "random", Doc: "Returns random UUIDs."},
		&Scalar{Name: "generateUUIDv7", MaxArgs: 1, Volatile: true, Resolve: fixed("generateUUIDv7", types.TUUID), Eval: func(c *Call) (column.Vector, error) {
			ms := uint64(c.Env.Now.UnixMilli())
			return randomNums(func() types.U128 {
				return types.U128{Hi: ms<<16 | 0x7000 | rand.Uint64()&0xfff, Lo: rand.Uint64()&^(3<<62) | 1<<63}
			})(c)
		}, Family: "random", Doc: "Returns UUIDs that begin with the query's time."},
		&Scalar{Name: "randomString", MinArgs: 1, MaxArgs: 2, Volatile: true, Resolve: fixed("randomString", types.TString, isPlainInt, isAny), Eval: randomBytes(func() byte { return byte(rand.Uint32()) }), Family: "random", Doc: "Returns random bytes."},
		&Scalar{Name: "randomPrintableASCII", MinArgs: 1, MaxArgs: 2, Volatile: true, Resolve: fixed("randomPrintableASCII", types.TString, isPlainInt, isAny), Eval: randomBytes(func() byte { return ' ' + byte(rand.IntN(95)) }), Family: "random", Doc: "Returns random printable characters."},
	)
}

func randomNums[T column.Elem](f func() T) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		out := make([]T, c.Rows)
		for i := range out {
			out[i] = f()
		}
		return newNum(c.Result, out), nil
	}
}

// maxRandomString is ClickHouse's limit of one random string.
const maxRandomString = math.MaxInt32 >> 7

func randomBytes(f func() byte) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		n, out := numArg[int64](c.Args[0], c.Rows), stringResult(c)
		for i := range c.Rows {
			k := n.at(i)
			if k < 0 || k > maxRandomString {
				return nil, sqlerr.New(sqlerr.TooLargeStringSize, "Too large string size %d, the maximum is %d", k, maxRandomString)
			}
			if err := c.checkSize(out, k, "randomString"); err != nil {
				return nil, err
			}
			for ; k > 0; k-- {
				out.Data = append(out.Data, f())
			}
			out.EndValue()
		}
		return out, nil
	}
}
