package types

import "strings"

// Pretty returns the name with each element of a named tuple on a line of its own, as toTypeName and DESCRIBE show it.
func (t *Type) Pretty() string { return string(t.appendPretty(nil, 0)) }

func (t *Type) appendPretty(dst []byte, depth int) []byte {
	switch t.Kind {
	case Tuple, Array, Map, Nullable:
	default:
		return append(dst, t.name...)
	}
	if t.custom {
		return append(dst, t.name...)
	}
	dst = append(dst, t.name[:strings.IndexByte(t.name, '(')+1]...)
	for i, e := range t.Elems {
		if i > 0 {
			dst = append(dst, ',')
		}
		switch {
		case t.Kind == Tuple && t.Names != nil:
			dst = append(append(dst, '\n'), strings.Repeat("    ", depth+1)...)
			dst = append(append(dst, quoteIdent(t.Names[i])...), ' ')
			dst = e.appendPretty(dst, depth+1)
		case i > 0:
			dst = e.appendPretty(append(dst, ' '), depth)
		default:
			dst = e.appendPretty(dst, depth)
		}
	}
	return append(dst, ')')
}
