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
	for _, f := range []struct {
		name, doc, example string
		end, fold, chars   bool
	}{
		{"startsWith", "Tests for a prefix of a string or an array.", "startsWith('abc', 'ab') → 1", false, false, false},
		{"startsWithUTF8", "Tests for a prefix of UTF-8.", "startsWithUTF8('привет', 'при') → 1", false, false, true},
		{"startsWithCaseInsensitive", "Tests for a prefix, ASCII letters in any case.", "startsWithCaseInsensitive('ABC', 'ab') → 1", false, true, false},
		{"startsWithCaseInsensitiveUTF8", "Tests for a prefix of UTF-8 in any case.", "startsWithCaseInsensitiveUTF8('ПРИВЕТ', 'при') → 1", false, true, true},
		{"endsWith", "Tests for a suffix of a string or an array.", "endsWith('abc', 'bc') → 1", true, false, false},
		{"endsWithUTF8", "Tests for a suffix of UTF-8.", "endsWithUTF8('привет', 'вет') → 1", true, false, true},
		{"endsWithCaseInsensitive", "Tests for a suffix, ASCII letters in any case.", "endsWithCaseInsensitive('ABC', 'bc') → 1", true, true, false},
		{"endsWithCaseInsensitiveUTF8", "Tests for a suffix of UTF-8 in any case.", "endsWithCaseInsensitiveUTF8('ПРИВЕТ', 'вет') → 1", true, true, true},
	} {
		register(&Scalar{Name: f.name, MinArgs: 2, MaxArgs: 2, Resolve: resolveAffix(f.name, f.chars), Eval: evalAffix(f.end, f.fold, f.chars), Family: "strings", Doc: f.doc, Example: f.example})
	}
}

func resolveAffix(name string, chars bool) func(*Env, []Arg) (*types.Type, error) {
	return func(_ *Env, args []Arg) (*types.Type, error) {
		a, b := args[0].Type, args[1].Type
		if isArray(a) && isArray(b) {
			_, err := types.Supertype(a, b)
			return types.TUInt8, err
		}
		check := isStr
		if chars {
			check = func(t *types.Type) bool { return t.Kind == types.String }
		}
		if !check(a) || !check(b) {
			return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Illegal types %s %s of arguments of function %s: both must be strings or arrays", a, b, name)
		}
		return types.TUInt8, nil
	}
}

func evalAffix(end, fold, chars bool) func(*Call) (column.Vector, error) {
	test := bytes.HasPrefix
	switch {
	case fold && chars:
		test = func(s, affix []byte) bool { return hasFoldedAffix(s, affix, end) }
	case fold:
		test = func(s, affix []byte) bool {
			return len(s) >= len(affix) && equalFoldASCII(atEnd(s, len(affix), end), affix)
		}
	case end:
		test = bytes.HasSuffix
	}
	texts := testPairs(test)
	return func(c *Call) (column.Vector, error) {
		if isArray(c.Types[0]) {
			return evalArrayAffix(c, end)
		}
		return texts(c)
	}
}

// atEnd returns n bytes of one end of s, which has as many.
func atEnd(s []byte, n int, end bool) []byte {
	if end {
		return s[len(s)-n:]
	}
	return s[:n]
}

func equalFoldASCII(a, b []byte) bool {
	for i, c := range a {
		d := b[i]
		if c != d && (c|32 != d|32 || c|32-'a' >= 26) {
			return false
		}
	}
	return true
}

// hasFoldedAffix compares code point by code point from one end.
func hasFoldedAffix(s, affix []byte, end bool) bool {
	decode := utf8.DecodeRune
	if end {
		decode = utf8.DecodeLastRune
	}
	for len(affix) > 0 {
		x, n := decode(s)
		y, m := decode(affix)
		if n == 0 || x != y && unicode.ToLower(x) != unicode.ToLower(y) || x == utf8.RuneError && n != m {
			return false
		}
		if end {
			s, affix = s[:len(s)-n], affix[:len(affix)-m]
		} else {
			s, affix = s[n:], affix[m:]
		}
	}
	return true
}

func evalArrayAffix(c *Call, end bool) (column.Vector, error) {
	t, err := types.Supertype(c.Types[0], c.Types[1])
	if err != nil {
		return nil, err
	}
	both := [2]arrayArg{}
	for k := range both {
		v, err := Cast(c.Env, c.Args[k], t)
		if err != nil {
			return nil, err
		}
		both[k] = arraysOf(v)
	}
	out := make([]uint8, c.Rows)
	for i := range out {
		from, to := both[0].bounds(i)
		first, last := both[1].bounds(i)
		if to-from < last-first {
			continue
		}
		if end {
			from = to - (last - first)
		}
		k := first
		for k < last && column.Compare(both[0].Elem, from+k-first, both[1].Elem, k) == 0 {
			k++
		}
		out[i] = b2u(k == last)
	}
	return column.NewBools(out), nil
}
