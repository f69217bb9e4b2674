package function

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	register(
		splitter("splitByChar", 0, func(sep []byte) error {
			if len(sep) != 1 {
				return sqlerr.New(sqlerr.BadArguments, "Illegal separator for function splitByChar. Must be exactly one byte.")
			}
			return nil
		}, splitString),
		splitter("splitByString", 0, nil, splitString),
		splitter("splitByRegexp", 0, nil, splitRegexp),
		splitter("splitByWhitespace", -1, nil, splitWhitespace),
		splitter("splitByNonAlpha", -1, nil, splitNonAlpha),
		alias("splitByAlpha", splitter("alphaTokens", -1, nil, alphaTokens)),
		&Scalar{Name: "arrayStringConcat", Aliases: []string{"array_to_string"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 2, Resolve: resolveArrayStringConcat, Eval: evalArrayStringConcat, Family: "arrays", Doc: "Joins an array's texts with a separator.", Example: "arrayStringConcat(['a', 'b'], '-') → a-b"},
		base64Encoder(),
		&Scalar{Name: "base64Decode", Aliases: []string{"FROM_BASE64"}, CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("base64Decode", types.TString, isStr), Eval: evalBase64Decode(false), Family: "strings", Doc: "Decodes base 64.", Example: "base64Decode('YQ==') → a"},
		&Scalar{Name: "tryBase64Decode", MinArgs: 1, MaxArgs: 1, Resolve: fixed("tryBase64Decode", types.TString, isStr), Eval: evalBase64Decode(true), Family: "strings", Doc: "Decodes base 64; the empty string if it is none.", Example: "tryBase64Decode('YQ==') → a"},
		&Scalar{Name: "hex", CaseInsensitive: true, MinArgs: 1, MaxArgs: 1, Resolve: fixed("hex", types.TString, anyOf(isStr, isNumeric, isDateOrTime, isUUIDOrIP, isWideInt)), Eval: evalHex, Family: "strings", Doc: "Writes bytes or a number in hexadecimal.", Example: "hex(255) → FF"},
		mapStrings("unhex", nil, "Reads hexadecimal digits as bytes.", appendUnhex),
	)
}

// maxSplits bounds the pieces of one string.
const maxSplits = 1 << 24

// splitter is a function (separator, string[, max]) or, with sep -1, (string[, max]).
func splitter(name string, sep int, check func([]byte) error, split func(dst *pieces, sep, s []byte, limit int) error) *Scalar {
	minArgs, at := 2, 1
	if sep < 0 {
		minArgs, at = 1, 0
	}
	return &Scalar{Name: name, MinArgs: minArgs, MaxArgs: minArgs + 1, Family: "strings", Doc: "Splits a string into an array.",
		Resolve: func(_ *Env, args []Arg) (*types.Type, error) {
			for i := range args {
				if t := args[i].Type; i < minArgs && !t.IsString() || i == minArgs && !isPlainInt(t) {
					return nil, illegal(name, i, t)
				}
			}
			return types.NewArray(types.TString), nil
		},
		Eval: func(c *Call) (column.Vector, error) {
			s := stringsOf(c.Args[at])
			out, ends := piecesOf(s, c.Rows), make([]uint32, 1, c.Rows+1)
			limits := broadcast[int64]{[]int64{0}, 0}
			if len(c.Args) > minArgs {
				limits = numArg[int64](c.Args[minArgs], c.Rows)
			}
			var separators strArg
			if sep >= 0 {
				separators = stringsOf(c.Args[sep])
			}
			for i := range c.Rows {
				var by []byte
				if sep >= 0 {
					by = separators.row(i)
				}
				if check != nil && (i == 0 || !separators.isConst()) {
					if err := check(by); err != nil {
						return nil, err
					}
				}
				limit := maxSplits
				if l := limits.at(i); l > 0 {
					limit = int(min(l, maxSplits))
				}
				if err := split(out, by, s.row(i), limit); err != nil {
					return nil, err
				}
				ends = append(ends, out.count())
			}
			return out.arrays(c, name, ends)
		}}
}

func splitString(dst *pieces, sep, s []byte, limit int) error {
	if len(sep) == 0 {
		for ; len(s) > 0 && limit > 0; limit-- {
			_, n := utf8.DecodeRune(s)
			dst.add(s[:n])
			s = s[n:]
		}
		return nil
	}
	for ; limit > 0; limit-- {
		at := bytes.Index(s, sep)
		if at < 0 {
			dst.add(s)
			return nil
		}
		dst.add(s[:at])
		s = s[at+len(sep):]
	}
	return nil
}

// manyTexts says of a separator, which is constant as a rule, that an automaton pays.
const manyTexts = 1 << 16

func splitRegexp(dst *pieces, sep, s []byte, limit int) error {
	if len(sep) == 0 {
		return splitString(dst, nil, s, limit)
	}
	m, err := compileRegexp(sep)
	if err != nil {
		return err
	}
	from := 0
	f := m.Finder(manyTexts)
	for loc := f.First(s); loc != nil; loc = f.Next() {
		if limit == 0 {
			return nil
		}
		if loc[1] == loc[0] {
			continue
		}
		dst.add(s[from:loc[0]])
		from = loc[1]
		limit--
	}
	if limit > 0 {
		dst.add(s[from:])
	}
	return nil
}

// byteSet is a set of bytes.
type byteSet [256]bool

func bytesThat(in func(byte) bool) (set byteSet) {
	for c := range set {
		set[c] = in(byte(c))
	}
	return set
}

// What words are made of, to the functions that split texts into words.
var (
	darkBytes   = bytesThat(func(c byte) bool { return !isSpaceByte(c) })
	wordBytes   = bytesThat(func(c byte) bool { return !isSpaceByte(c) && !isPunct(c) })
	letterBytes = bytesThat(func(c byte) bool { return (c|0x20)-'a' < 26 })
	tokenBytes  = bytesThat(isTokenByte)
)

// splitRuns adds the runs of bytes of a set.
func splitRuns(dst *pieces, s []byte, limit int, keep *byteSet) {
	for i := 0; i < len(s) && limit > 0; {
		if !keep[s[i]] {
			i++
			continue
		}
		from := i
		for i < len(s) && keep[s[i]] {
			i++
		}
		dst.add(s[from:i])
		limit--
	}
}

func isSpaceByte(c byte) bool { return c == ' ' || c-'\t' < 5 }

func splitWhitespace(dst *pieces, _, s []byte, limit int) error {
	splitRuns(dst, s, limit, &darkBytes)
	return nil
}

func isPunct(c byte) bool { return c > ' ' && c < 0x7f && !isAlnum(c) }

func splitNonAlpha(dst *pieces, _, s []byte, limit int) error {
	splitRuns(dst, s, limit, &wordBytes)
	return nil
}

func alphaTokens(dst *pieces, _, s []byte, limit int) error {
	splitRuns(dst, s, limit, &letterBytes)
	return nil
}

func resolveArrayStringConcat(_ *Env, args []Arg) (*types.Type, error) {
	if !isArray(args[0].Type) {
		return nil, illegal("arrayStringConcat", 0, args[0].Type)
	}
	if len(args) > 1 && !args[1].Type.IsString() {
		return nil, illegal("arrayStringConcat", 1, args[1].Type)
	}
	return types.TString, nil
}

func evalArrayStringConcat(c *Call) (column.Vector, error) {
	arr, out := arraysOf(c.Args[0]), stringResult(c)
	elems, nulls := splitNullable(arr.Elem)
	v, err := Cast(c.Env, elems, types.TString)
	if elems.Type().Kind == types.FixedString {
		v, err = elems, nil
	}
	if err != nil {
		return nil, err
	}
	s := stringsOf(v)
	sep := stringsOf(&column.Const{Value: column.NewStrings(""), N: c.Rows})
	if len(c.Args) > 1 {
		sep = stringsOf(c.Args[1])
	}
	for i := range c.Rows {
		from, to := arr.bounds(i)
		first := true
		for k := from; k < to; k++ {
			if nulls.at(k) != 0 {
				continue
			}
			if !first {
				out.Data = append(out.Data, sep.row(i)...)
			}
			out.Data, first = append(out.Data, s.row(k)...), false
		}
		if err := c.endBounded(out, "arrayStringConcat"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func base64Encoder() *Scalar {
	fn := mapStrings("base64Encode", []string{"TO_BASE64"}, "Encodes in base 64.", nil)
	fn.Eval = evalBase64Encode
	return fn
}

func evalBase64Encode(c *Call) (column.Vector, error) {
	s, out, size := stringsOf(c.Args[0]), stringResult(c), int64(0)
	for i := range c.Rows {
		size += int64(base64.StdEncoding.EncodedLen(len(s.row(i))))
	}
	if err := c.checkSum(out, size, "base64Encode"); err != nil {
		return nil, err
	}
	text := kernel.Dirty[byte](int(size))
	at := 0
	for i := range c.Rows {
		at += encodeBase64(text[at:], s.row(i))
		out.Off = append(out.Off, uint32(at))
	}
	out.Data = text
	return out, nil
}

// base64Pairs are the two digits of base 64 of each number of 12 bits, the first in the low byte.
var base64Pairs = func() (pairs [1 << 12]uint16) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	for i := range pairs {
		pairs[i] = uint16(digits[i>>6]) | uint16(digits[i&63])<<8
	}
	return pairs
}()

// encodeBase64 writes s in base 64, three bytes by two steps in a table and the last ones by the standard library, and returns the length.
func encodeBase64(text, s []byte) int {
	n := 0
	for ; len(s) >= 3; s = s[3:] {
		x := uint(s[0])<<16 | uint(s[1])<<8 | uint(s[2])
		binary.LittleEndian.PutUint32(text[n:], uint32(base64Pairs[x>>12])|uint32(base64Pairs[x&0xfff])<<16)
		n += 4
	}
	base64.StdEncoding.Encode(text[n:], s)
	return n + base64.StdEncoding.EncodedLen(len(s))
}

func evalBase64Decode(try bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		s := stringsOf(c.Args[0])
		out := stringResultLike(c, s)
		for i := range c.Rows {
			n := len(out.Data)
			var err error
			if out.Data, err = base64.StdEncoding.AppendDecode(out.Data, s.row(i)); err != nil {
				if !try {
					return nil, sqlerr.New(sqlerr.IncorrectData, "Failed to base64Decode input %q", s.row(i))
				}
				out.Data = out.Data[:n]
			}
			out.EndValue()
		}
		return out, nil
	}
}

const upperHex = "0123456789ABCDEF"

func evalHex(c *Call) (column.Vector, error) {
	out := stringResult(c)
	v := column.Flatten(c.Args[0])
	t := c.Types[0]
	if s, ok := v.(*column.Str); ok && s.Bytes() <= maxReserved {
		return hexStrings(c, s), nil
	}
	if isPlainInt(t) || t.IsDate() || t.Kind == types.DateTime {
		width := t.Width()
		for _, u := range numsOf[uint64](v) {
			if width < 8 {
				u &= 1<<(8*width) - 1
			}
			out.Data = appendHexNumber(out.Data, u)
			out.EndValue()
		}
		return out, nil
	}
	for i := range c.Rows {
		switch x := column.Value(v, i).(type) {
		case string:
			for k := range len(x) {
				out.Data = append(out.Data, upperHex[x[k]>>4], upperHex[x[k]&15])
			}
		case float32:
			if t.Kind == types.BFloat16 {
				out.Data = appendHexBytes(out.Data, uint64(types.BFloat16Bits(x)), 2)
				break
			}
			out.Data = appendHexBytes(out.Data, uint64(math.Float32bits(x)), 4)
		case float64:
			out.Data = appendHexBytes(out.Data, math.Float64bits(x), 8)
		case types.U128:
			if t.Kind == types.UUID {
				out.Data = appendHexWord(appendHexWord(out.Data, x.Hi), x.Lo)
			} else {
				out.Data = hexWords(out.Data, x.Hi, x.Lo)
			}
		case types.I128:
			if t.Kind == types.Decimal {
				out.Data = appendHexBytes(appendHexBytes(out.Data, x.Lo, 8), uint64(x.Hi), 8)
			} else {
				out.Data = hexWords(out.Data, uint64(x.Hi), x.Lo)
			}
		case types.U256:
			out.Data = hexWords(out.Data, x[3], x[2], x[1], x[0])
		case types.I256:
			if t.Kind != types.Decimal {
				out.Data = hexWords(out.Data, x[3], x[2], x[1], x[0])
				break
			}
			for _, w := range x {
				out.Data = appendHexBytes(out.Data, w, 8)
			}
		default:
			u := numsOf[uint64](v.Slice(i, i+1))[0]
			if w := t.Width(); w < 8 {
				u &= 1<<(8*w) - 1
			}
			if t.Kind == types.Decimal {
				out.Data = appendHexBytes(out.Data, u, t.Width())
			} else {
				out.Data = appendHexNumber(out.Data, u)
			}
		}
		out.EndValue()
	}
	return out, nil
}

// hexStrings writes all bytes of s as one run: each becomes two.
func hexStrings(c *Call, s *column.Str) column.Vector {
	from, n := s.Off[0], s.Len()
	bytes := s.Data[from:s.Off[n]]
	out := &column.Str{Typ: c.Result, Off: make([]uint32, n+1), Data: make([]byte, 2*len(bytes))}
	for i, b := range bytes {
		out.Data[2*i], out.Data[2*i+1] = upperHex[b>>4], upperHex[b&15]
	}
	for i, o := range s.Off[:n+1] {
		out.Off[i] = 2 * (o - from)
	}
	return out
}

// hexWords writes a number of words, the highest first, from its highest byte that is not 0.
func hexWords(dst []byte, words ...uint64) []byte {
	for len(words) > 1 && words[0] == 0 {
		words = words[1:]
	}
	dst = appendHexNumber(dst, words[0])
	for _, w := range words[1:] {
		dst = appendHexWord(dst, w)
	}
	return dst
}

// appendHexWord writes all sixteen digits.
func appendHexWord(dst []byte, w uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[w>>shift&15])
	}
	return dst
}

// appendHexNumber writes a number from its highest byte that is not 0.
func appendHexNumber(dst []byte, u uint64) []byte {
	started := false
	for shift := 56; shift >= 0; shift -= 8 {
		b := byte(u >> shift)
		if b == 0 && !started && shift > 0 {
			continue
		}
		started = true
		dst = append(dst, upperHex[b>>4], upperHex[b&15])
	}
	return dst
}

// appendHexBytes writes n bytes as they lie in memory.
func appendHexBytes(dst []byte, u uint64, n int) []byte {
	for ; n > 0; n-- {
		dst = append(dst, upperHex[byte(u)>>4], upperHex[u&15])
		u >>= 8
	}
	return dst
}

func appendUnhex(dst, s []byte) []byte {
	if len(s)%2 == 1 {
		s = append([]byte{'0'}, s...)
	}
	dst = slices.Grow(dst, len(s)/2)
	to := dst[len(dst) : len(dst)+len(s)/2]
	for i := range to {
		to[i] = hexDigits[s[2*i]]<<4 + hexDigits[s[2*i+1]]
	}
	return dst[:len(dst)+len(to)]
}

// unhexDigit is 0xff for what is no digit, as in ClickHouse.
func unhexDigit(c byte) byte {
	switch {
	case c-'0' < 10:
		return c - '0'
	case (c|0x20)-'a' < 6:
		return (c | 0x20) - 'a' + 10
	}
	return 0xff
}

// hexDigits is unhexDigit of every byte.
var hexDigits = func() (table [256]byte) {
	for c := range table {
		table[c] = unhexDigit(byte(c))
	}
	return table
}()
