package function

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "MACNumToString", MinArgs: 1, MaxArgs: 1, Resolve: fixed("MACNumToString", types.TString, func(t *types.Type) bool { return t.Kind == types.UInt64 }), Eval: evalMACToString, Family: "other", Doc: "Writes a number as a MAC address.", Example: "MACNumToString(149809441867716) → 88:40:3A:91:07:C4"},
		&Scalar{Name: "MACStringToNum", MinArgs: 1, MaxArgs: 1, Resolve: fixed("MACStringToNum", types.TUInt64, isText), Eval: evalMACFromString(6, 17, 17), Family: "other", Doc: "Reads a MAC address as a number; 0 if it is none.", Example: "MACStringToNum('01:02:03:04:05:06') → 1108152157446"},
		&Scalar{Name: "MACStringToOUI", MinArgs: 1, MaxArgs: 1, Resolve: fixed("MACStringToOUI", types.TUInt64, isText), Eval: evalMACFromString(3, 8, 17), Family: "other", Doc: "Reads the maker's part, the first three bytes, of a MAC address; 0 if it is none.", Example: "MACStringToOUI('01:02:03:04:05:06') → 66051"},
	)
}

func evalMACToString(c *Call) (column.Vector, error) {
	n, out := numArg[uint64](c.Args[0], c.Rows), stringResult(c)
	for i := range c.Rows {
		x := n.at(i)
		for shift := 40; shift >= 0; shift -= 8 {
			b := byte(x >> shift)
			out.Data = append(out.Data, upperHex[b>>4], upperHex[b&15])
			if shift > 0 {
				out.Data = append(out.Data, ':')
			}
		}
		out.EndValue()
	}
	return out, nil
}

// evalMACFromString reads so many bytes, three characters each whatever the third, of texts of a length within bounds.
func evalMACFromString(bytes, least, most int) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), make([]uint64, c.Rows)
		for i := range out {
			b := s.row(i)
			if len(b) < least || len(b) > most {
				continue
			}
			for k := range bytes {
				out[i] = out[i]<<8 | uint64(unhexDigit(b[3*k])<<4+unhexDigit(b[3*k+1]))
			}
		}
		return newNum(c.Result, out), nil
	}
}
