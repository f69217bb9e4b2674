package function

import (
	"math/bits"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

type bitOp uint8

const (
	bitAnd bitOp = iota
	bitOr
	bitXor
	bitShiftLeft
	bitShiftRight
	bitRotateLeft
	bitRotateRight
)

func init() {
	for _, f := range []struct {
		name string
		op   bitOp
	}{
		{"bitAnd", bitAnd}, {"bitOr", bitOr}, {"bitXor", bitXor}, {"bitShiftLeft", bitShiftLeft}, {"bitShiftRight", bitShiftRight},
		{"bitRotateLeft", bitRotateLeft}, {"bitRotateRight", bitRotateRight},
	} {
		register(&Scalar{Name: f.name, MinArgs: 2, MaxArgs: 2, Family: "bits", Doc: "Combines the bits of two integers.", Resolve: resolveBits(f.name, f.op), Eval: evalBits(f.op)})
	}
	register(
		&Scalar{Name: "bitNot", MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("bitNot", (*types.Type).IsInteger), Eval: func(c *Call) (column.Vector, error) {
			if isWideInt(c.Result) {
				return wideNot(c), nil
			}
			data := numsOf[int64](c.Args[0])
			out := make([]int64, len(data))
			for i, x := range data {
				out[i] = ^x
			}
			return constOrVector(c, narrow(c.Result, out)), nil
		}, Family: "bits", Doc: "Inverts the bits.", Example: "bitNot(toUInt8(1)) → 254"},
		&Scalar{Name: "bitTest", MinArgs: 2, MaxArgs: 2, Resolve: fixed("bitTest", types.TUInt8, isPlainInt), Eval: func(c *Call) (column.Vector, error) {
			x, k, out := numArg[uint64](c.Args[0], c.Rows), numArg[uint64](c.Args[1], c.Rows), make([]uint8, c.Rows)
			for i := range out {
				if last := uint64(8*c.Types[0].Width() - 1); k.at(i) > last {
					return nil, sqlerr.New(sqlerr.ParameterOutOfBound, "The bit to test, %d, is none of an integer with bits 0 to %d", k.at(i), last)
				}
				out[i] = uint8(x.at(i) >> k.at(i) & 1)
			}
			return column.NewBools(out), nil
		}, Family: "bits", Doc: "Returns a bit by its number from 0.", Example: "bitTest(43, 1) → 1"},
		&Scalar{Name: "bitCount", MinArgs: 1, MaxArgs: 1, Resolve: resolveBitCount, Eval: func(c *Call) (column.Vector, error) {
			v := column.Flatten(c.Args[0])
			if isWideInt(c.Types[0]) {
				ones := make([]uint16, c.Rows)
				for i, x := range widesOf(v) {
					ones[i] = uint16(wideOnes(x, c.Types[0]))
				}
				return newNum(c.Result, ones), nil
			}
			out := make([]uint8, c.Rows)
			w := c.Types[0].Width()
			for i := range out {
				u := bitsAt(v, i)
				if w < 8 {
					u &= 1<<(8*w) - 1
				}
				out[i] = uint8(bits.OnesCount64(u))
			}
			return column.NewBools(out), nil
		}, Family: "bits", Doc: "Counts the bits that are 1.", Example: "bitCount(7) → 3"},
		&Scalar{Name: "bitHammingDistance", MinArgs: 2, MaxArgs: 2, Resolve: fixed("bitHammingDistance", types.TUInt8, isPlainInt), Eval: func(c *Call) (column.Vector, error) {
			a, b, out := numArg[uint64](c.Args[0], c.Rows), numArg[uint64](c.Args[1], c.Rows), make([]uint8, c.Rows)
			for i := range out {
				out[i] = uint8(bits.OnesCount64(a.at(i) ^ b.at(i)))
			}
			return column.NewBools(out), nil
		}, Family: "bits", Doc: "Counts the bits in which two integers differ.", Example: "bitHammingDistance(1, 2) → 2"},
	)
}

func resolveBits(name string, op bitOp) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if err := checkTypes(name, args, (*types.Type).IsInteger); err != nil {
			return nil, err
		}
		a, b := args[0].Type, args[1].Type
		if op >= bitRotateLeft && (isWideInt(a) || isWideInt(b)) {
			return nil, sqlerr.New(sqlerr.NotImplemented, "Bit rotate is not implemented for big integers")
		}
		if op >= bitShiftLeft && isWideInt(b) {
			return nil, sqlerr.New(sqlerr.NotImplemented, "%s is not implemented for big integers as second argument", name)
		}
		if op >= bitShiftLeft {
			return intOf(!a.IsUnsigned(), a.Width()), nil
		}
		return intOf(!a.IsUnsigned() || !b.IsUnsigned(), max(a.Width(), b.Width())), nil
	}
}

func resolveBitCount(_ *Env, args []Arg) (*types.Type, error) {
	switch t := args[0].Type; {
	case isWideInt(t):
		return types.TUInt16, nil
	case isPlainNum(t):
		return types.TUInt8, nil
	default:
		return nil, illegal("bitCount", 0, t)
	}
}

func evalBits(op bitOp) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		if isWideInt(c.Types[0]) || isWideInt(c.Types[1]) {
			return evalWideBits(op, c)
		}
		a, b, out := numArg[int64](c.Args[0], c.Rows), numArg[int64](c.Args[1], c.Rows), make([]int64, c.Rows)
		width := 8 * c.Result.Width()
		for i := range out {
			x, y := a.at(i), b.at(i)
			switch op {
			case bitAnd:
				out[i] = x & y
			case bitOr:
				out[i] = x | y
			case bitXor:
				out[i] = x ^ y
			default:
				out[i] = shift(op, x, y, width, c.Result.IsUnsigned())
			}
		}
		return narrow(c.Result, out), nil
	}
}

func shift(op bitOp, x, y int64, width int, unsigned bool) int64 {
	mask := uint64(1)<<(width-1)<<1 - 1
	u := uint64(x) & mask
	switch op {
	case bitShiftLeft:
		if y < 0 || y >= int64(width) {
			return 0
		}
		return int64(u << y)
	case bitShiftRight:
		if y < 0 || y >= int64(width) {
			return 0
		}
		if unsigned {
			return int64(u >> y)
		}
		return x >> y
	case bitRotateRight:
		y = -y
	}
	k := uint64(y) % uint64(width)
	return int64(u<<k | u>>(uint64(width)-k))
}
