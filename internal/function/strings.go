package function

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		&Scalar{Name: "length", Aliases: []string{"OCTET_LENGTH", "LENGTH", "CARDINALITY"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("length", types.TUInt64, anyOf(isStr, isArray, isMap)), Eval: evalLength, Family: "strings", Doc: "Returns the length of a string in bytes, or of an array or map.", Example: "length('abc') → 3"},
		&Scalar{Name: "empty", MinArgs: 1, MaxArgs: 1, Resolve: fixed("empty", types.TUInt8, anyOf(isStr, isArray, isMap, isUUIDOrIP)), Eval: evalEmpty(1), Family: "strings", Doc: "Tests for the empty string, array or map.", Example: "empty('') → 1"},
		&Scalar{Name: "notEmpty", MinArgs: 1, MaxArgs: 1, Resolve: fixed("notEmpty", types.TUInt8, anyOf(isStr, isArray, isMap, isUUIDOrIP)), Eval: evalEmpty(0), Family: "strings", Doc: "Tests for a string, array or map that is not empty.", Example: "notEmpty('') → 0"},
		&Scalar{Name: "lengthUTF8", Aliases: []string{"CHAR_LENGTH", "CHARACTER_LENGTH"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("lengthUTF8", types.TUInt64, isStr), Eval: evalLengthUTF8, Family: "strings", Doc: "Returns the length in code points.", Example: "lengthUTF8('é') → 1"},
		keepsType(mapBytes("lower", []string{"lcase"}, "Lower-cases ASCII letters.", appendLower)),
		keepsType(mapBytes("upper", []string{"ucase"}, "Upper-cases ASCII letters.", appendUpper)),
		mapUTF8(mapBytes("lowerUTF8", nil, "Lower-cases letters of every script.", appendLower), appendLowerUTF8),
		mapUTF8(mapBytes("upperUTF8", nil, "Upper-cases letters of every script.", appendUpper), appendUpperUTF8),
		mapStrings("reverseUTF8", nil, "Reverses the code points.", appendReverseUTF8),
		mapUTF8(mapBytes("toValidUTF8", nil, "Replaces invalid UTF-8 by U+FFFD.", func(dst, s []byte) []byte { return append(dst, s...) }), appendValidUTF8),
		keepsType(mapStrings("initcap", nil, "Upper-cases the first letter of each word.", appendInitcap)),
		&Scalar{Name: "reverse", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: sameAs0("reverse", anyOf(isStr, isArray)), Eval: evalReverse, Family: "strings", Doc: "Reverses the bytes of a string or the elements of an array.", Example: "reverse('abc') → cba"},
		&Scalar{Name: "concat", Aliases: []string{"concatAssumeInjective"}, CaseInsensitive: true, MinArgs: 0, MaxArgs: -1, Resolve: resolveConcat, Eval: evalConcat, Family: "strings", Doc: "Joins the texts of its arguments; arrays and maps are joined as such.", Example: "concat('a', 'b') → ab"},
		&Scalar{Name: "concatWithSeparator", Aliases: []string{"concat_ws", "concatWithSeparatorAssumeInjective"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: -1, Resolve: fixed("concatWithSeparator", types.TString, isStr, isAny), Eval: evalConcatWithSeparator, Family: "strings", Doc: "Joins the texts with a separator.", Example: "concatWithSeparator('-', 'a', 'b') → a-b"},
		&Scalar{Name: "repeat", CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Resolve: fixed("repeat", types.TString, isStr, isPlainInt), Eval: evalRepeat, Family: "strings", Doc: "Repeats a string.", Example: "repeat('ab', 2) → abab"},
		&Scalar{Name: "space", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("space", types.TString, isPlainInt), Eval: evalSpace, Family: "strings", Doc: "Returns spaces.", Example: "length(space(3)) → 3"},
		&Scalar{Name: "ascii", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("ascii", types.TInt32, isStr), Eval: evalASCII, Family: "strings", Doc: "Returns the first byte.", Example: "ascii('a') → 97"},
		&Scalar{Name: "char", CaseInsensitive: true, MinArgs: 1, MaxArgs: -1, Resolve: fixed("char", types.TString, isPlainNum), Eval: evalChar, Family: "strings", Doc: "Makes a string of bytes.", Example: "char(104, 105) → hi"},
		&Scalar{Name: "isValidUTF8", MinArgs: 1, MaxArgs: 1, Resolve: fixed("isValidUTF8", types.TUInt8, isStr), Eval: testStrings(utf8.Valid), Family: "strings", Doc: "Tests for valid UTF-8.", Example: "isValidUTF8('a') → 1"},
	)
}

func isUUIDOrIP(t *types.Type) bool {
	return t.Kind == types.UUID || t.Kind == types.IPv4 || t.Kind == types.IPv6
}

// mapStrings is a function from string to string, FixedString included, written as an appender.
func mapStrings(name string, aliases []string, doc string, f func(dst, s []byte) []byte) *Scalar {
	return &Scalar{Name: name, Aliases: aliases, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Family: "strings", Doc: doc,
		Resolve: fixed(name, types.TString, isStr),
		Eval: func(c *Call) (column.Vector, error) {
			s := stringsOf(c.Args[0])
			out := stringResultLike(c, s)
			for i := range c.Rows {
				out.Data = f(out.Data, s.row(i))
				out.EndValue()
			}
			return out, nil
		}}
}

// keepsType makes the result of a FixedString one too: the function keeps lengths.
func keepsType(fn *Scalar) *Scalar {
	fn.Resolve = sameAs0(fn.Name, isStr)
	return fn
}

// mapBytes is mapStrings of an appender that maps each byte, so that all strings are mapped as one.
func mapBytes(name string, aliases []string, doc string, f func(dst, s []byte) []byte) *Scalar {
	fn := mapStrings(name, aliases, doc, f)
	each := fn.Eval
	fn.Eval = func(c *Call) (column.Vector, error) {
		s, ok := c.Args[0].(*column.Str)
		if !ok {
			return each(c)
		}
		from, to := s.Off[0], s.Off[s.Len()]
		out := &column.Str{Typ: c.Result, Off: s.Off, Data: f(make([]byte, 0, to-from), s.Data[from:to])}
		if from > 0 {
			out.Off = make([]uint32, len(s.Off))
			for i, o := range s.Off {
				out.Off[i] = o - from
			}
		}
		return out, nil
	}
	return fn
}

// mapUTF8 makes f the function of strings that are not all ASCII.
func mapUTF8(fn *Scalar, f func(dst, s []byte) []byte) *Scalar {
	ascii, each := fn.Eval, mapStrings(fn.Name, nil, "", f).Eval
	fn.Eval = func(c *Call) (column.Vector, error) {
		if stringsOf(c.Args[0]).allASCII(c.Rows) {
			return ascii(c)
		}
		return each(c)
	}
	return fn
}

func appendValidUTF8(dst, s []byte) []byte {
	if utf8.Valid(s) {
		return append(dst, s...)
	}
	return append(dst, bytes.ToValidUTF8(s, []byte("\uFFFD"))...)
}

// testStrings is the Eval of a predicate of one string.
func testStrings(f func([]byte) bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s, out := stringsOf(c.Args[0]), make([]uint8, c.Rows)
		for i := range out {
			out[i] = b2u(f(s.row(i)))
		}
		return column.NewBools(out), nil
	}
}

func appendLower(dst, s []byte) []byte { return appendFlipped(dst, s, 'A') }

func appendUpper(dst, s []byte) []byte { return appendFlipped(dst, s, 'a') }

// appendFlipped appends s with the 26 letters from first on in the other case, eight bytes at a time.
func appendFlipped(dst, s []byte, first byte) []byte {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	n := len(dst)
	dst = append(dst, s...)
	t := dst[n:]
	above, beyond := ones*uint64(0x80-first), ones*uint64(0x80-first-26)
	for ; len(t) >= 8; t = t[8:] {
		w := binary.LittleEndian.Uint64(t)
		low := w &^ high
		letters := (low + above) &^ (low + beyond) & high &^ w // the high bit of each byte that is a letter
		binary.LittleEndian.PutUint64(t, w^letters>>2)
	}
	for i, c := range t {
		if c-first < 26 {
			t[i] = c ^ 0x20
		}
	}
	return dst
}

func appendReverseUTF8(dst, s []byte) []byte {
	for len(s) > 0 {
		_, n := utf8.DecodeLastRune(s)
		dst = append(dst, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return dst
}

func isAlnum(c byte) bool { return c-'0' < 10 || (c|0x20)-'a' < 26 }

func appendInitcap(dst, s []byte) []byte {
	inWord := false
	for _, c := range s {
		switch {
		case !inWord && c-'a' < 26:
			c &^= 0x20
		case inWord && c-'A' < 26:
			c |= 0x20
		}
		inWord = isAlnum(c)
		dst = append(dst, c)
	}
	return dst
}

// lengthsOf returns the end-start of each value of a string, array or map.
func lengthsOf(v column.Vector) []uint64 {
	var off []uint32
	switch v := v.(type) {
	case *column.Const:
		return lengthsOf(v.Value)
	case *column.Str:
		off = v.Off
	case *column.Array:
		off = v.Off
	case *column.Map:
		off = v.Off
	}
	out := make([]uint64, len(off)-1)
	for i := range out {
		out[i] = uint64(off[i+1] - off[i])
	}
	return out
}

func evalLength(c *Call) (column.Vector, error) {
	return constOrVector(c, newNum(c.Result, lengthsOf(c.Args[0]))), nil
}

func evalEmpty(when uint8) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		if k := c.Types[0].Kind; k == types.UUID || k == types.IPv4 || k == types.IPv6 || k == types.FixedString {
			def := column.NewDefaults(c.Types[0], 1)
			out := make([]uint8, c.Rows)
			for i := range out {
				out[i] = b2u(column.Compare(c.Args[0], i, def, 0) == 0) ^ when ^ 1
			}
			return column.NewBools(out), nil
		}
		n := lengthsOf(c.Args[0])
		out := make([]uint8, len(n))
		for i, x := range n {
			out[i] = b2u(x == 0) ^ when ^ 1
		}
		return constOrVector(c, column.NewBools(out)), nil
	}
}

func evalLengthUTF8(c *Call) (column.Vector, error) {
	s := stringsOf(c.Args[0])
	if s.allASCII(c.Rows) {
		return evalLength(c)
	}
	out := make([]uint64, c.Rows)
	for i := range out {
		out[i] = codePoints(s.row(i))
	}
	return newNum(c.Result, out), nil
}

func evalReverse(c *Call) (column.Vector, error) {
	if c.Types[0].Kind == types.Array {
		return evalArrayReverse(c)
	}
	s := stringsOf(c.Args[0])
	out := stringResultLike(c, s)
	for i := range c.Rows {
		n := len(out.Data)
		out.Data = append(out.Data, s.row(i)...)
		slices.Reverse(out.Data[n:])
		out.EndValue()
	}
	return out, nil
}

func resolveConcat(_ *Env, args []Arg) (*types.Type, error) {
	if len(args) > 0 && (isArray(args[0].Type) || isMap(args[0].Type)) {
		return commonType(args, allPositions(args))
	}
	return types.TString, nil
}

func allPositions(args []Arg) []int {
	at := make([]int, len(args))
	for i := range at {
		at[i] = i
	}
	return at
}

// texts converts arguments to strings.
func texts(c *Call, args []column.Vector) ([]strArg, error) {
	out := make([]strArg, len(args))
	for i, a := range args {
		if a.Type().Kind != types.FixedString { // whose zero bytes stay
			var err error
			if a, err = Cast(c.Env, a, types.TString); err != nil {
				return nil, err
			}
		}
		out[i] = stringsOf(a)
	}
	return out, nil
}

func evalConcat(c *Call) (column.Vector, error) {
	if isArray(c.Result) {
		return evalArrayConcat(c)
	}
	if isMap(c.Result) {
		return evalMapConcat(c)
	}
	return joined(c, c.Args, nil)
}

func evalConcatWithSeparator(c *Call) (column.Vector, error) {
	sep := stringsOf(c.Args[0])
	return joined(c, c.Args[1:], &sep)
}

func joined(c *Call, args []column.Vector, sep *strArg) (column.Vector, error) {
	parts, err := texts(c, args)
	if err != nil {
		return nil, err
	}
	out := stringResultLike(c, parts...)
	for i := range c.Rows {
		for k, p := range parts {
			if k > 0 && sep != nil {
				out.Data = append(out.Data, sep.row(i)...)
			}
			out.Data = append(out.Data, p.row(i)...)
		}
		if err := c.endBounded(out, "concat"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxRepeat is ClickHouse's limit of repeat's count.
const maxRepeat = 1_000_000

func evalRepeat(c *Call) (column.Vector, error) {
	s, n, out := stringsOf(c.Args[0]), countArg(c.Args[1], c.Rows), stringResult(c)
	for i := range c.Rows {
		k, b := max(n.at(i), 0), s.row(i)
		if k > maxRepeat {
			return nil, sqlerr.New(sqlerr.TooLargeStringSize, "Too many times to repeat (%d), maximum is: %d", k, maxRepeat)
		}
		if err := c.checkSize(out, k*int64(len(b)), "repeat"); err != nil {
			return nil, err
		}
		for ; k > 0; k-- {
			out.Data = append(out.Data, b...)
		}
		out.EndValue()
	}
	return out, nil
}

func evalSpace(c *Call) (column.Vector, error) {
	n, out := countArg(c.Args[0], c.Rows), stringResult(c)
	for i := range c.Rows {
		k := max(n.at(i), 0)
		if k > maxRepeat {
			return nil, sqlerr.New(sqlerr.TooLargeStringSize, "Too many spaces (%d), maximum is: %d", k, maxRepeat)
		}
		if err := c.checkSize(out, k, "space"); err != nil {
			return nil, err
		}
		out.Append(bytes.Repeat([]byte{' '}, int(k)))
	}
	return out, nil
}

func evalASCII(c *Call) (column.Vector, error) {
	s, out := stringsOf(c.Args[0]), make([]int32, c.Rows)
	for i := range out {
		if b := s.row(i); len(b) > 0 {
			out[i] = int32(int8(b[0]))
		}
	}
	return newNum(c.Result, out), nil
}

func evalChar(c *Call) (column.Vector, error) {
	cols := make([]broadcast[int64], len(c.Args))
	for k, a := range c.Args {
		cols[k] = numArg[int64](a, c.Rows)
	}
	out := stringResult(c)
	for i := range c.Rows {
		for _, col := range cols {
			out.Data = append(out.Data, byte(col.at(i)))
		}
		out.EndValue()
	}
	return out, nil
}
