package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	isSmallUInt := func(t *types.Type) bool { return isUInt(t) && t.Width() <= 4 }
	isSix := func(t *types.Type) bool { return t.Kind == types.IPv6 || t.Kind == types.FixedString && t.N == 16 }
	isByte := func(t *types.Type) bool { return t.Kind == types.UInt8 }
	register(
		&Scalar{Name: "IPv4NumToStringClassC", MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv4NumToStringClassC", types.TString, anyOf(isSmallUInt, isIPv4)), Eval: evalIPv4ClassC, Family: "ip", Doc: "Writes an IPv4 address with xxx for its last byte.", Example: "IPv4NumToStringClassC(toIPv4('1.2.3.4')) → 1.2.3.xxx"},
		&Scalar{Name: "IPv4StringToNumOrNull", MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv4StringToNumOrNull", types.NewNullable(types.TUInt32), isText), Eval: evalIPv4OrNull, Family: "ip", Doc: "Reads an IPv4 address as a number; NULL if it is none.", Example: "IPv4StringToNumOrNull('x') → NULL"},
		&Scalar{Name: "IPv6StringToNumOrNull", MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv6StringToNumOrNull", types.NewNullable(types.NewFixedString(16)), isText), Eval: evalIPv6OrNull, Family: "ip", Doc: "Reads an IPv6 or IPv4 address as 16 bytes; NULL if it is none.", Example: "IPv6StringToNumOrNull('x') → NULL"},
		&Scalar{Name: "IPv4ToIPv6", MinArgs: 1, MaxArgs: 1, Resolve: resolveIPv4ToIPv6, Eval: evalIPv4ToIPv6, Family: "ip", Doc: "Returns an IPv4 address as one of IPv6.", Example: "IPv4ToIPv6(toIPv4('1.2.3.4')) → ::ffff:1.2.3.4"},
		&Scalar{Name: "cutIPv6", MinArgs: 3, MaxArgs: 3, ConstArgs: []int{1, 2}, Resolve: fixed("cutIPv6", types.TString, isSix, isByte), Eval: evalCutIPv6, Family: "ip", Doc: "Writes an IPv6 address with its last bytes 0: as many as the second argument says, or the third if it is an IPv4 address.", Example: "cutIPv6(toIPv6('2001:db8::1:2'), 2, 0) → 2001:db8::1:0"},
	)
}

func evalIPv4ClassC(c *Call) (column.Vector, error) {
	a, out := numArg[uint32](c.Args[0], c.Rows), stringResult(c)
	for i := range c.Rows {
		out.Data = valuetext.AppendIPv4(out.Data, a.at(i)&^0xff)
		out.Data = append(out.Data[:len(out.Data)-1], "xxx"...)
		out.EndValue()
	}
	return out, nil
}

func evalIPv4OrNull(c *Call) (column.Vector, error) {
	s, out, nulls := stringsOf(c.Args[0]), make([]uint32, c.Rows), make([]uint8, c.Rows)
	for i := range out {
		a, err := valuetext.ParseIPv4(s.row(i))
		out[i], nulls[i] = a, b2u(err != nil)
	}
	return column.NewNullable(nulls, newNum(types.TUInt32, out)), nil
}

func evalIPv6OrNull(c *Call) (column.Vector, error) {
	s, out, nulls := stringsOf(c.Args[0]), column.NewStr(c.Result.Elem(), c.Rows), make([]uint8, c.Rows)
	for i := range c.Rows {
		a, err := parseAnyIP(s.row(i))
		nulls[i] = b2u(err != nil)
		out.Append(a[:])
	}
	return column.NewNullable(nulls, out), nil
}

func resolveIPv4ToIPv6(_ *Env, args []Arg) (*types.Type, error) {
	switch t := args[0].Type; t.Kind {
	case types.IPv4:
		return types.TIPv6, nil
	case types.UInt32:
		return types.NewFixedString(16), nil
	default:
		return nil, illegal("IPv4ToIPv6", 0, t)
	}
}

func evalIPv4ToIPv6(c *Call) (column.Vector, error) {
	a, out := numArg[uint32](c.Args[0], c.Rows), column.NewStr(c.Result, c.Rows)
	for i := range c.Rows {
		b := mappedIPv4(a.at(i))
		out.Append(b[:])
	}
	return out, nil
}

func evalCutIPv6(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), stringResult(c)
	var n [2]int
	for k := range n {
		if n[k] = int(numsOf[uint8](c.Args[k+1])[0]); n[k] > 16 {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal value %d for argument %d of function cutIPv6", n[k], k+2)
		}
	}
	four := mappedIPv4(0)
	for i := range c.Rows {
		var b [16]byte
		copy(b[:], s.row(i))
		if [12]byte(b[:12]) == [12]byte(four[:12]) {
			clear(b[16-n[1]:])
		} else {
			clear(b[16-n[0]:])
		}
		out.Data = valuetext.AppendIPv6(out.Data, b[:])
		out.EndValue()
	}
	return out, nil
}
