package valuetext

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// ScanQuoted appends the value of t at the front of s, in the form AppendQuoted writes, to b and
// returns the text behind it. On an error b may have grown: the caller truncates.
func (p *Parser) ScanQuoted(b column.Builder, t *types.Type, s []byte) (rest []byte, err error) {
	t = t.WithoutLowCardinality()
	switch {
	case t.Kind == types.Nullable:
		if len(s) >= 4 && equalFold(s[:4], "null") {
			b.(*column.Nullable).AppendNull()
			return s[4:], nil
		}
		n := b.(*column.Nullable)
		rest, err = p.ScanQuoted(n.Inner.(column.Builder), t.Elem(), s)
		if err == nil {
			n.Nulls = append(n.Nulls, 0)
		}
		return rest, err
	case t.Kind == types.Array || t.Kind == types.Tuple || t.Kind == types.Map:
		return p.composite(b, t, s)
	case t.IsUnion():
		return p.scanUnion(b.(*column.Variant), t, s)
	case len(s) > 0 && s[0] == '\'':
		text, rest, err := ScanQuotedString(nil, s)
		if err != nil {
			return s, err
		}
		return rest, p.Into(b, t, text)
	case t.IsString():
		return s, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse quoted string: expected opening quote ''', got %q", clip(s))
	case t.Kind == types.Bool || t.IsEnum() || t.Kind == types.IPv4 || t.Kind == types.IPv6:
		n := 0
		for n < len(s) && s[n] != ',' && s[n] != ']' && s[n] != ')' && s[n] != '}' && !isSpace(s[n]) {
			n++
		}
		return s[n:], p.Into(b, t, s[:n])
	}
	return p.plain(b, t, s)
}

// ScanQuotedString reads a string between single quotes with backslash escapes or doubled quotes off
// the front of s, appending its bytes to dst.
func ScanQuotedString(dst, s []byte) (text, rest []byte, err error) {
	if len(s) == 0 || s[0] != '\'' {
		return dst, s, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse quoted string: expected opening quote ''', got %q", clip(s))
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' && i+1 < len(s) && s[i+1] == '\'':
			dst = append(dst, c)
			i++
		case c == '\'':
			return dst, s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			var n int
			dst, n = AppendUnescaped(dst, s[i:])
			i += n - 1
		default:
			dst = append(dst, c)
		}
	}
	return dst, s, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse quoted string: expected closing quote '''")
}

// AppendUnescaped appends what the backslash escape at the front of s stands for, and
// returns the length of the escape. An unknown escape stands for itself, backslash included.
func AppendUnescaped(dst, s []byte) ([]byte, int) {
	if len(s) < 2 {
		return append(dst, s...), len(s)
	}
	switch c := s[1]; c {
	case 'n':
		return append(dst, '\n'), 2
	case 't':
		return append(dst, '\t'), 2
	case 'r':
		return append(dst, '\r'), 2
	case 'b':
		return append(dst, '\b'), 2
	case 'f':
		return append(dst, '\f'), 2
	case 'a':
		return append(dst, '\a'), 2
	case 'v':
		return append(dst, '\v'), 2
	case 'e':
		return append(dst, 0x1b), 2
	case '0':
		return append(dst, 0), 2
	case 'N':
		return dst, 2
	case 'x':
		if len(s) >= 4 {
			hi, ok1 := unhex(s[2])
			lo, ok2 := unhex(s[3])
			if ok1 && ok2 {
				return append(dst, hi<<4|lo), 4
			}
		}
		return append(dst, s[:2]...), 2
	case '\\', '\'', '"', '`', '/', '=':
		return append(dst, c), 2
	default:
		return append(dst, '\\', c), 2
	}
}

// composite reads an array, tuple or map off the front of s.
func (p *Parser) composite(b column.Builder, t *types.Type, s []byte) ([]byte, error) {
	switch b := b.(type) {
	case *column.Array:
		rest, err := p.list(s, '[', ']', -1, func(s []byte, _ int) ([]byte, error) {
			return p.ScanQuoted(b.Elem.(column.Builder), t.Elem(), s)
		})
		if err == nil {
			b.EndValue()
		}
		return rest, err
	case *column.Tuple:
		for _, e := range b.Elems { // after an earlier error the elements may differ in length
			e.(column.Builder).Truncate(b.N)
		}
		rest, err := p.list(s, '(', ')', len(t.Elems), func(s []byte, i int) ([]byte, error) {
			return p.ScanQuoted(b.Elems[i].(column.Builder), t.Elems[i], s)
		})
		if err == nil {
			b.N++
		}
		return rest, err
	case *column.Map:
		rest, err := p.list(s, '{', '}', -1, func(s []byte, _ int) ([]byte, error) {
			s, err := p.ScanQuoted(b.Keys.(column.Builder), t.Elems[0], s)
			if err != nil {
				return s, err
			}
			s = trimLeft(s)
			if len(s) == 0 || s[0] != ':' {
				return s, expected(':', s, sqlerr.CannotParseInputAssertionFailed)
			}
			return p.ScanQuoted(b.Vals.(column.Builder), t.Elems[1], trimLeft(s[1:]))
		})
		if err == nil {
			b.EndValue()
		}
		return rest, err
	}
	return s, sqlerr.New(sqlerr.LogicalError, "No composite builder for %s", t)
}

// list reads open item , item … close; count < 0 takes any number.
func (p *Parser) list(s []byte, open, end byte, count int, item func(s []byte, i int) ([]byte, error)) ([]byte, error) {
	code := sqlerr.CannotReadArrayFromText
	if open != '[' {
		code = sqlerr.CannotParseInputAssertionFailed
	}
	if len(s) == 0 || s[0] != open {
		return s, expected(open, s, code)
	}
	s = trimLeft(s[1:])
	for i := 0; ; i++ {
		if len(s) > 0 && s[0] == end && (count < 0 && i == 0 || i == count) {
			return s[1:], nil
		}
		if count >= 0 && i >= count {
			return s, expected(end, s, code)
		}
		var err error
		if s, err = item(s, i); err != nil {
			if code == sqlerr.CannotReadArrayFromText && sqlerr.Is(err, sqlerr.CannotParseText) {
				err = sqlerr.Wrap(err, code, "Cannot read array from text")
			}
			return s, err
		}
		s = trimLeft(s)
		switch {
		case len(s) > 0 && s[0] == ',' && (count < 0 || i+1 < count || open == '(' && count == 1):
			s = trimLeft(s[1:])
		case len(s) > 0 && s[0] == end && (count < 0 || i+1 == count):
			return s[1:], nil
		default:
			return s, expected(end, s, code)
		}
	}
}

func expected(c byte, s []byte, code sqlerr.Code) error {
	return sqlerr.New(code, "Cannot parse text: expected %q before %q", string(c), clip(s))
}

func trimLeft(s []byte) []byte {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}
