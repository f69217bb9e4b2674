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
		&Scalar{Name: "substring", Aliases: []string{"substr", "mid", "byteSlice"}, CaseInsensitive: true, MinArgs: 2, MaxArgs: 3, Resolve: fixed("substring", types.TString, anyOf(isStr, isEnum), isPlainNum), Eval: evalSubstring(false), Family: "strings", Doc: "Returns bytes from a position (from 1; from the end if negative) on.", Example: "substring('hello', 2, 3) → ell"},
		&Scalar{Name: "substringUTF8", Aliases: []string{"substrUTF8"}, MinArgs: 2, MaxArgs: 3, Resolve: fixed("substringUTF8", types.TString, anyOf(isStr, isEnum), isPlainNum), Eval: evalSubstring(true), Family: "strings", Doc: "Returns code points from a position on.", Example: "substringUTF8('héllo', 2, 3) → éll"},
		&Scalar{Name: "left", CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed("left", types.TString, isStr, isPlainNum), Eval: evalLeftRight(false, false), Family: "strings", Doc: "Returns the first bytes; with a negative length all but the last.", Example: "left('hello', 2) → he"},
		&Scalar{Name: "right", CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed("right", types.TString, isStr, isPlainNum), Eval: evalLeftRight(true, false), Family: "strings", Doc: "Returns the last bytes; with a negative length all but the first.", Example: "right('hello', 2) → lo"},
		&Scalar{Name: "leftUTF8", MinArgs: 2, MaxArgs: 2, Resolve: fixed("leftUTF8", types.TString, isStr, isPlainNum), Eval: evalLeftRight(false, true), Family: "strings", Doc: "Returns the first code points.", Example: "leftUTF8('héllo', 2) → hé"},
		&Scalar{Name: "rightUTF8", MinArgs: 2, MaxArgs: 2, Resolve: fixed("rightUTF8", types.TString, isStr, isPlainNum), Eval: evalLeftRight(true, true), Family: "strings", Doc: "Returns the last code points.", Example: "rightUTF8('hellé', 2) → lé"},
		pad("leftPad", []string{"lpad"}, true, false), pad("rightPad", []string{"rpad"}, false, false), pad("leftPadUTF8", nil, true, true), pad("rightPadUTF8", nil, false, true),
		trim("trimLeft", []string{"ltrim"}, true, false), trim("trimRight", []string{"rtrim"}, false, true), trim("trimBoth", []string{"trim"}, true, true),
	)
}

func isEnum(t *types.Type) bool { return t.IsEnum() }

// testPairs is the Eval of a predicate of two strings.
func testPairs(f func(a, b []byte) bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		a, b, out := stringsOf(c.Args[0]), stringsOf(c.Args[1]), make([]uint8, c.Rows)
		for i := range out {
			out[i] = b2u(f(a.row(i), b.row(i)))
		}
		return column.NewBools(out), nil
	}
}

// units is the length of s in bytes or code points.
func units(s []byte, chars bool) int64 {
	if chars {
		return int64(utf8.RuneCount(s))
	}
	return int64(len(s))
}

// cut returns units [from, to) of s.
func cut(s []byte, from, to int64, chars bool) []byte {
	n := units(s, chars)
	from, to = min(max(from, 0), n), min(max(to, 0), n)
	if from >= to {
		return nil
	}
	if !chars {
		return s[from:to]
	}
	return s[charOffset(s, from):charOffset(s, to)]
}

// charOffset is the byte offset of code point n.
func charOffset(s []byte, n int64) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, w := utf8.DecodeRune(s[at:])
		at += w
	}
	return at
}

func evalSubstring(chars bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		v, err := Cast(c.Env, c.Args[0], types.TString)
		if c.Types[0].IsString() {
			v, err = c.Args[0], nil
		}
		if err != nil {
			return nil, err
		}
		s, start := stringsOf(v), numArg[int64](c.Args[1], c.Rows)
		length := broadcast[int64]{[]int64{1 << 40}, 0}
		if len(c.Args) > 2 {
			length = numArg[int64](c.Args[2], c.Rows)
		}
		out, chars := piecesOf(s, c.Rows), chars && !s.allASCII(c.Rows)
		for i := range c.Rows {
			b := s.row(i)
			from, to := sliceBounds(start.at(i), length.at(i), units(b, chars))
			out.add(cut(b, from, to, chars))
		}
		return out.strings(c, "substring")
	}
}

// sliceBounds turns ClickHouse's offset (from 1, or from the end) and length (negative: up to that far
// from the end) over n elements into a half-open range.
func sliceBounds(start, length, n int64) (from, to int64) {
	switch {
	case start > 0:
		from = start - 1
	case start < 0:
		from = n + start
	default:
		return 0, 0
	}
	switch {
	case length < 0:
		to = n + length
	case length > n:
		to = max(from, 0) + n
		if start < 0 && from < 0 {
			to = from + length
		}
	default:
		to = from + length
	}
	return max(from, 0), min(to, n)
}

func evalLeftRight(right, chars bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, n := stringsOf(c.Args[0]), numArg[int64](c.Args[1], c.Rows)
		out, chars := piecesOf(s, c.Rows), chars && !s.allASCII(c.Rows)
		for i := range c.Rows {
			b, k := s.row(i), n.at(i)
			size := units(b, chars)
			if k < 0 {
				k = max(size+k, 0)
			}
			if right {
				out.add(cut(b, size-min(k, size), size, chars))
			} else {
				out.add(cut(b, 0, k, chars))
			}
		}
		return out.strings(c, "left")
	}
}

// maxPad bounds the length that padding makes, as ClickHouse does.
const maxPad = 1_000_000

func pad(name string, aliases []string, left, chars bool) *Scalar {
	return &Scalar{Name: name, Aliases: aliases, CaseInsensitive: len(aliases) > 0, MinArgs: 2, MaxArgs: 3, Family: "strings", Doc: "Pads, or cuts, to a length.",
		Resolve: fixed(name, types.TString, isStr, isPlainInt, isStr),
		Eval: func(c *Call) (column.Vector, error) {
			s, n, out := stringsOf(c.Args[0]), numArg[int64](c.Args[1], c.Rows), stringResult(c)
			fill := stringsOf(&column.Const{Value: column.NewStrings(" "), N: c.Rows})
			if len(c.Args) > 2 {
				fill = stringsOf(c.Args[2])
			}
			for i := range c.Rows {
				if n.at(i) < 0 {
					return nil, sqlerr.New(sqlerr.IndexOfPositionalArgumentIsOutOfRange, "Padding length must not be negative, got %d", n.at(i))
				}
				if n.at(i) > maxPad {
					return nil, sqlerr.New(sqlerr.TooLargeStringSize, "Too large padding length %d, maximum is %d", n.at(i), maxPad)
				}
				b := s.row(i)
				missing := n.at(i) - units(b, chars)
				if missing <= 0 {
					out.Append(cut(b, 0, n.at(i), chars))
					continue
				}
				f := fill.row(i)
				if len(f) == 0 {
					f = []byte{' '}
				}
				if !left {
					out.Data = append(out.Data, b...)
				}
				out.Data = appendFill(out.Data, f, missing, chars)
				if left {
					out.Data = append(out.Data, b...)
				}
				if err := c.endBounded(out, name); err != nil {
					return nil, err
				}
			}
			return out, nil
		}}
}

func appendFill(dst, fill []byte, n int64, chars bool) []byte {
	per := units(fill, chars)
	for ; n >= per; n -= per {
		dst = append(dst, fill...)
	}
	return append(dst, cut(fill, 0, n, chars)...)
}

func trim(name string, aliases []string, left, right bool) *Scalar {
	return &Scalar{Name: name, Aliases: aliases, CaseInsensitive: true, MinArgs: 1, MaxArgs: 2, Family: "strings", Doc: "Removes spaces, or the characters of the second argument, from the ends.",
		Resolve: fixed(name, types.TString, isStr),
		Eval: func(c *Call) (column.Vector, error) {
			s := stringsOf(c.Args[0])
			out := piecesOf(s, c.Rows)
			chars := stringsOf(&column.Const{Value: column.NewStrings(" "), N: c.Rows})
			if len(c.Args) > 1 {
				chars = stringsOf(c.Args[1])
			}
			for i := range c.Rows {
				b, set := s.row(i), chars.row(i)
				for left && len(b) > 0 && bytes.IndexByte(set, b[0]) >= 0 {
					b = b[1:]
				}
				for right && len(b) > 0 && bytes.IndexByte(set, b[len(b)-1]) >= 0 {
					b = b[:len(b)-1]
				}
				out.add(b)
			}
			return out.strings(c, name)
		}}
}
