package function

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	unbin := mapStrings("unbin", nil, "Reads binary digits as bytes.", appendUnbin)
	unbin.Family, unbin.Example = "encoding", "unbin('01100001') → a"
	register(
		unbin,
		&Scalar{Name: "bin", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: resolveBin, Eval: evalBin, Family: "encoding", Doc: "Writes bytes or a number in binary.", Example: "bin(14) → 00001110"},
		&Scalar{Name: "conv", CaseInsensitive: true, MinArgs: 3, MaxArgs: 3, Resolve: fixed("conv", types.TString, anyOf(isStr, isPlainNum), isPlainInt), Eval: evalConv, Family: "encoding", Doc: "Writes a number of one base in another.", Example: "conv('ff', 16, 10) → 255"},
	)
}

func resolveBin(_ *Env, args []Arg) (*types.Type, error) {
	switch t := args[0].Type; {
	case t.Kind == types.DateTime64:
		return nil, sqlerr.New(sqlerr.IllegalColumn, "Illegal column %s of argument of function bin", t)
	case t.IsString(), isAnyNumber(t), t.Kind == types.Date, t.Kind == types.DateTime, isUUIDOrIP(t):
		return types.TString, nil
	default:
		return nil, illegal("bin", 0, t)
	}
}

// evalBin writes each hexadecimal digit as four binary ones.
func evalBin(c *Call) (column.Vector, error) {
	v, err := evalHex(c)
	if err != nil {
		return nil, err
	}
	digits, out := v.(*column.Str), stringResult(c)
	for i := range c.Rows {
		s := digits.At(i)
		if err := c.checkSize(out, 4*int64(len(s)), "bin"); err != nil {
			return nil, err
		}
		for _, h := range s {
			d := unhexDigit(h)
			out.Data = append(out.Data, '0'+d>>3, '0'+d>>2&1, '0'+d>>1&1, '0'+d&1)
		}
		out.EndValue()
	}
	return out, nil
}

// appendUnbin takes what is no 0 for a 1. The first byte may have fewer than eight digits, and goes if it is 0 and others follow.
func appendUnbin(dst, s []byte) []byte {
	b := byte(0)
	for i, c := range s {
		if b <<= 1; c != '0' {
			b |= 1
		}
		if (len(s)-i)%8 != 1 {
			continue
		}
		if b != 0 || i+1 >= 8 || i+1 == len(s) {
			dst = append(dst, b)
		}
		b = 0
	}
	return dst
}

// The bases that conv takes.
const (
	minBase = 2
	maxBase = 36
)

func evalConv(c *Call) (column.Vector, error) {
	parts, err := texts(c, c.Args[:1])
	if err != nil {
		return nil, err
	}
	s, from, to, out := parts[0], numArg[int64](c.Args[1], c.Rows), numArg[int64](c.Args[2], c.Rows), stringResult(c)
	for i := range c.Rows {
		f, t := from.at(i), to.at(i)
		if min(f, t) < minBase || max(f, t) > maxBase {
			return nil, sqlerr.New(sqlerr.BadArguments, "Base is less than %d or greater than %d which is not supported", minBase, maxBase)
		}
		text := s.row(i)
		if len(text) == 0 {
			return nil, sqlerr.New(sqlerr.BadArguments, "Number for conversion is empty")
		}
		n := len(out.Data)
		out.Data = strconv.AppendUint(out.Data, parsedInBase(text, uint64(f)), int(t))
		for k, d := range out.Data[n:] {
			if d >= 'a' {
				out.Data[n+k] = d - 32
			}
		}
		out.EndValue()
	}
	return out, nil
}

// parsedInBase reads the digits in front: as much as 64 bits hold, a negative number as its complement.
func parsedInBase(s []byte, base uint64) uint64 {
	for len(s) > 0 && isSpaceByte(s[0]) {
		s = s[1:]
	}
	negative := len(s) > 0 && s[0] == '-'
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	x := uint64(0)
	for _, c := range s {
		d := digitOf(c)
		if d >= base {
			break
		}
		hi, lo := bits.Mul64(x, base)
		sum, carry := bits.Add64(lo, d, 0)
		if hi|carry != 0 {
			x = math.MaxUint64
			break
		}
		x = sum
	}
	if negative {
		return -x
	}
	return x
}

// digitOf is the value of a digit or letter, else more than any base.
func digitOf(c byte) uint64 {
	switch {
	case c-'0' < 10:
		return uint64(c - '0')
	case c|32-'a' < 26:
		return uint64(c|32-'a') + 10
	}
	return math.MaxUint64
}
