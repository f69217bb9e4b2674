package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "translate", MinArgs: 3, MaxArgs: 3, Resolve: fixed("translate", types.TString, isStr), Eval: evalTranslate(byteRunes), Family: "strings", Doc: "Replaces each byte found in the second argument by that of the third at the same place; those without one go.", Example: "translate('abc', 'ab', 'xy') → xyc"},
		&Scalar{Name: "translateUTF8", MinArgs: 3, MaxArgs: 3, Resolve: fixed("translateUTF8", types.TString, isStr), Eval: evalTranslate(bytes.Runes), Family: "strings", Doc: "Replaces each code point found in the second argument by that of the third at the same place; those without one go.", Example: "translateUTF8('日本', '本', 'x') → 日x"},
		&Scalar{Name: "substringIndex", Aliases: []string{"SUBSTRING_INDEX"}, CaseInsensitive: true, MinArgs: 3, MaxArgs: 3, ConstArgs: []int{1}, Resolve: fixed("substringIndex", types.TString, isStr, isStr, isPlainInt), Eval: evalSubstringIndex, Family: "strings", Doc: "Returns what stands before the nth delimiter, or behind the nth from the end if n is negative.", Example: "substringIndex('a.b.c', '.', 2) → a.b"},
	)
}

// byteRunes takes each byte for a character.
func byteRunes(s []byte) []rune {
	out := make([]rune, len(s))
	for i, c := range s {
		out[i] = rune(c)
	}
	return out
}

// dropped marks a character that translate removes.
const dropped rune = -1

func translation(from, to []rune) map[rune]rune {
	m := make(map[rune]rune, len(from))
	for i, r := range from {
		m[r] = dropped
		if i < len(to) {
			m[r] = to[i]
		}
	}
	return m
}

func evalTranslate(split func([]byte) []rune) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, from, to, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), stringsOf(c.Args[2]), stringResult(c)
		constant := isConstVector(c.Args[1]) && isConstVector(c.Args[2])
		var m map[rune]rune
		wide := len(split([]byte("é"))) == 1
		for i := range c.Rows {
			if m == nil || !constant {
				m = translation(split(from.row(i)), split(to.row(i)))
			}
			for _, r := range split(s.row(i)) {
				if x, ok := m[r]; ok {
					r = x
				}
				switch {
				case r == dropped:
				case wide:
					out.Data = utf8.AppendRune(out.Data, r)
				default:
					out.Data = append(out.Data, byte(r))
				}
			}
			out.EndValue()
		}
		return out, nil
	}
}

func evalSubstringIndex(c *Call) (column.Vector, error) {
	if d := stringsOf(c.Args[1]).row(0); len(d) != 1 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second argument to substringIndex must be a single character")
	}
	return cutAtDelimiter(c)
}

func cutAtDelimiter(c *Call) (column.Vector, error) {
	s, delim, count, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), numArg[int64](c.Args[2], c.Rows), stringResult(c)
	for i := range c.Rows {
		out.Append(substringIndex(s.row(i), delim.row(i), count.at(i)))
	}
	return out, nil
}

func substringIndex(s, delim []byte, n int64) []byte {
	if n == 0 || len(delim) == 0 {
		return nil
	}
	if n > 0 {
		for at := 0; ; n-- {
			k := bytes.Index(s[at:], delim)
			switch {
			case k < 0:
				return s
			case n == 1:
				return s[:at+k]
			}
			at += k + len(delim)
		}
	}
	for end := len(s); ; n++ {
		k := bytes.LastIndex(s[:end], delim)
		switch {
		case k < 0:
			return s
		case n == -1:
			return s[k+len(delim):]
		}
		end = k
	}
}
