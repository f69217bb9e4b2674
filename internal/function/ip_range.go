package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/internal/valuetext"
)

func init() {
	six := types.NewFixedString(16)
	register(
		&Scalar{Name: "IPv4CIDRToRange", MinArgs: 2, MaxArgs: 2, Resolve: resolveCIDR("IPv4CIDRToRange", types.IPv4, types.TIPv4), Eval: evalCIDR4, Family: "ip", Doc: "Returns the first and the last address of the network of an address and the length of its prefix.", Example: "IPv4CIDRToRange(toIPv4('192.168.5.2'), 16) → ('192.168.0.0','192.168.255.255')"},
		&Scalar{Name: "IPv6CIDRToRange", MinArgs: 2, MaxArgs: 2, Resolve: resolveCIDR("IPv6CIDRToRange", types.IPv6, types.TIPv6), Eval: evalCIDR6, Family: "ip", Doc: "Returns the first and the last address of the network of an address and the length of its prefix.", Example: "IPv6CIDRToRange(toIPv6('2001:db8::1'), 32) → ('2001:db8::','2001:db8:ffff:ffff:ffff:ffff:ffff:ffff')"},
		&Scalar{Name: "IPv6StringToNum", Aliases: []string{"INET6_ATON"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv6StringToNum", six, isStr), Eval: evalIPv6FromString(false), Family: "ip", Doc: "Reads an IPv6 or IPv4 address as 16 bytes.", Example: "hex(IPv6StringToNum('::1')) → 00000000000000000000000000000001"},
		&Scalar{Name: "IPv6StringToNumOrDefault", MinArgs: 1, MaxArgs: 1, Resolve: fixed("IPv6StringToNumOrDefault", six, isStr), Eval: evalIPv6FromString(true), Family: "ip", Doc: "Reads an IPv6 or IPv4 address as 16 bytes; zeros if it is none."},
	)
}

func resolveCIDR(name string, kind types.Kind, address *types.Type) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		if t := args[0].Type; t.Kind != kind && !(kind == types.IPv4 && t.Kind == types.UInt32) && !(kind == types.IPv6 && t.Kind == types.FixedString && t.N == 16) {
			return nil, illegal(name, 0, t)
		}
		if args[1].Type.Kind != types.UInt8 {
			return nil, illegal(name, 1, args[1].Type)
		}
		return types.NewTuple([]*types.Type{address, address}, nil), nil
	}
}

func evalCIDR4(c *Call) (column.Vector, error) {
	a, bits := fullNums[uint32](c.Args[0], c.Rows), numArg[uint8](c.Args[1], c.Rows)
	first, last := make([]uint32, c.Rows), make([]uint32, c.Rows)
	for i, x := range a {
		mask := ^uint32(0) >> min(bits.at(i), 32)
		if bits.at(i) >= 32 {
			mask = 0
		}
		first[i], last[i] = x&^mask, x|mask
	}
	t := c.Result.Elems[0]
	return &column.Tuple{Typ: c.Result, N: c.Rows, Elems: []column.Vector{newNum(t, first), newNum(t, last)}}, nil
}

func evalCIDR6(c *Call) (column.Vector, error) {
	a, bits := stringsOf(c.Args[0]), numArg[uint8](c.Args[1], c.Rows)
	t := c.Result.Elems[0]
	first, last := column.NewStr(t, c.Rows), column.NewStr(t, c.Rows)
	for i := range c.Rows {
		for k, b := range a.row(i) {
			mask := byte(0xff) >> max(0, min(int(bits.at(i))-8*k, 8))
			first.Data, last.Data = append(first.Data, b&^mask), append(last.Data, b|mask)
		}
		first.EndValue()
		last.EndValue()
	}
	return &column.Tuple{Typ: c.Result, N: c.Rows, Elems: []column.Vector{first, last}}, nil
}

func evalIPv6FromString(orDefault bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), stringResult(c)
		for i := range c.Rows {
			a, err := parseAnyIP(s.row(i))
			if err != nil && !orDefault {
				return nil, err
			}
			out.Append(a[:])
		}
		return out, nil
	}
}

// mappedIPv4 is an IPv4 address as one of IPv6.
func mappedIPv4(a uint32) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: byte(a >> 24), 13: byte(a >> 16), 14: byte(a >> 8), 15: byte(a)}
}

// parseAnyIP reads an IPv6 address, or an IPv4 one as such.
func parseAnyIP(text []byte) ([16]byte, error) {
	if four, err := valuetext.ParseIPv4(text); err == nil {
		return mappedIPv4(four), nil
	}
	return valuetext.ParseIPv6(text)
}
