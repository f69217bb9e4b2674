package function

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	isUTF8Cut := fixed("substringIndexUTF8", types.TString, isText, isText, isPlainInt)
	register(
		exampled(partOf("basename", nil, "Returns what stands behind the last slash or backslash.", baseName), "basename('/a/b.txt') → b.txt"),
		exampled(partOf("firstLine", nil, "Returns the first line of a text.", func(s []byte) []byte { return untilAny(s, "\r\n") }), "firstLine('a\\nb') → a"),
		exampled(mapStrings("initcapUTF8", nil, "Upper-cases the first letter of each word of any script, lower-cases the others.", appendInitcapUTF8), "initcapUTF8('привет мир') → Привет Мир"),
		exampled(partOf("toStringCutToZero", nil, "Returns a string up to its first zero byte.", func(s []byte) []byte { return untilAny(s, "\x00") }), "toStringCutToZero('a\\0b') → a"),
		&Scalar{Name: "appendTrailingCharIfAbsent", MinArgs: 2, MaxArgs: 2, ConstArgs: []int{1}, Resolve: fixed("appendTrailingCharIfAbsent", types.TString, isText), Eval: evalTrailingChar, Family: "strings", Doc: "Appends a character to strings that do not end in it and are not empty.", Example: "appendTrailingCharIfAbsent('a', '/') → a/"},
		&Scalar{Name: "isValidASCII", Aliases: []string{"isASCII"}, MinArgs: 1, MaxArgs: 1, Resolve: fixed("isValidASCII", types.TUInt8, isStr), Eval: testStrings(onlyASCII), Family: "strings", Doc: "Tests for bytes below 128 only.", Example: "isValidASCII('é') → 0"},
		&Scalar{Name: "substringIndexUTF8", MinArgs: 3, MaxArgs: 3, ConstArgs: []int{1}, Resolve: isUTF8Cut, Eval: evalSubstringIndexUTF8, Family: "strings", Doc: "Returns what stands before the nth delimiter, or behind the nth from the end if n is negative; the delimiter is one code point.", Example: "substringIndexUTF8('aябяв', 'я', 1) → a"},
		&Scalar{Name: "compareSubstrings", MinArgs: 5, MaxArgs: 5, ConstArgs: []int{2, 3, 4}, Resolve: fixed("compareSubstrings", types.TInt8, isStr, isStr, isUInt), Eval: evalCompareSubstrings, Family: "strings", Doc: "Compares so many bytes of two strings from two offsets on: -1, 0 or 1.", Example: "compareSubstrings('Saxony', 'Anglo-Saxon', 0, 6, 5) → 0"},
	)
	for _, chars := range []bool{false, true} {
		name := "overlay"
		if chars {
			name += "UTF8"
		}
		register(&Scalar{Name: name, CaseInsensitive: !chars, MinArgs: 3, MaxArgs: 4, Resolve: fixed(name, types.TString, isText, isText, isPlainInt), Eval: evalOverlay(chars), Family: "strings", Doc: "Replaces a part of a string, from a position on and as long as the replacement if no length is given.", Example: name + "('abcd', 'XY', 2) → aXYd"})
	}
}

// alias gives a function another name.
func alias(name string, fn *Scalar) *Scalar {
	fn.Aliases = append(fn.Aliases, name)
	return fn
}

// exampled gives a function an example of use.
func exampled(fn *Scalar, example string) *Scalar {
	fn.CaseInsensitive, fn.Example = false, example
	return fn
}

func isUInt(t *types.Type) bool { return isPlainInt(t) && t.IsUnsigned() }

func baseName(s []byte) []byte { return s[bytes.LastIndexAny(s, `/\`)+1:] }

func appendInitcapUTF8(dst, s []byte) []byte {
	inWord := false
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst, inWord = append(dst, s[0]), false
		case inWord:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		default:
			dst = utf8.AppendRune(dst, unicode.ToUpper(r))
		}
		inWord = unicode.IsLetter(r) && hasCase(r) || unicode.IsDigit(r) && r < 0x80
		s = s[n:]
	}
	return dst
}

func hasCase(r rune) bool { return unicode.ToLower(r) != r || unicode.ToUpper(r) != r }

func evalTrailingChar(c *Call) (column.Vector, error) {
	s := stringsOf(c.Args[0])
	tail := stringsOf(c.Args[1]).row(0)
	if len(tail) != 1 {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second argument of function appendTrailingCharIfAbsent must be a one-character string")
	}
	out := stringResultLike(c, s)
	for i := range c.Rows {
		b := s.row(i)
		out.Data = append(out.Data, b...)
		if len(b) > 0 && b[len(b)-1] != tail[0] {
			out.Data = append(out.Data, tail[0])
		}
		if err := c.endBounded(out, "appendTrailingCharIfAbsent"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func evalSubstringIndexUTF8(c *Call) (column.Vector, error) {
	delim := stringsOf(c.Args[1]).row(0)
	if _, n := utf8.DecodeRune(delim); n == 0 || n != len(delim) {
		return nil, sqlerr.New(sqlerr.BadArguments, "Second argument to substringIndexUTF8 must be a single UTF-8 character")
	}
	return cutAtDelimiter(c)
}

func evalCompareSubstrings(c *Call) (column.Vector, error) {
	a, b, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]int8, c.Rows)
	at, bt, n := numsOf[uint64](c.Args[2])[0], numsOf[uint64](c.Args[3])[0], numsOf[uint64](c.Args[4])[0]
	for i := range out {
		out[i] = int8(bytes.Compare(piece(a.row(i), at, n), piece(b.row(i), bt, n)))
	}
	return newNum(c.Result, out), nil
}

// piece is as much of s[from:from+n] as there is.
func piece(s []byte, from, n uint64) []byte {
	s = s[min(from, uint64(len(s))):]
	return s[:min(n, uint64(len(s)))]
}

func evalOverlay(chars bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, with, at := stringsOf(c.Args[0]), stringsOf(c.Args[1]), numArg[int64](c.Args[2], c.Rows)
		length := broadcast[int64]{[]int64{-1}, 0}
		if len(c.Args) > 3 {
			length = countArg(c.Args[3], c.Rows)
		}
		out := stringResultLike(c, s, with)
		for i := range c.Rows {
			b, r, n := s.row(i), with.row(i), length.at(i)
			size, from := units(b, chars), at.at(i)
			switch {
			case from > 0:
				from = min(from-1, size)
			case from == 0:
				from = size
			default:
				from = max(size+from, 0)
			}
			if n < 0 {
				n = units(r, chars)
			}
			out.Data = append(append(out.Data, cut(b, 0, from, chars)...), r...)
			if n < size-from {
				out.Data = append(out.Data, cut(b, from+n, size, chars)...)
			}
			if err := c.endBounded(out, "overlay"); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}
