package format

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

// jsonScan reads JSON values straight into builders. data and pos are the input and the place in it; eof says
// that the input ends where data does.
type jsonScan struct {
	data []byte
	pos  int
	eof  bool
	o    *Options
	tmp  []byte
	// strings says that values are strings of their text, NULL included.
	strings bool
}

// quotedNull is NULL as a string, as formats of strings write it.
const quotedNull = "\"ᴺᵁᴸᴸ\""

func (s *jsonScan) bad(what string) error {
	if s.pos >= len(s.data) && !s.eof {
		return errShort
	}
	got := "end of input"
	if s.pos < len(s.data) {
		got = strconv.QuoteRune(rune(s.data[s.pos]))
	}
	return sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse JSON: expected %s, got %s", what, got)
}

func (s *jsonScan) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// take skips white space and c; false if something else stands there.
func (s *jsonScan) take(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c { // compact input has no white space
		s.pos++
		return true
	}
	s.space()
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *jsonScan) need(c byte) error {
	if !s.take(c) {
		return s.bad("'" + string(c) + "'")
	}
	return nil
}

// word takes a literal such as null.
func (s *jsonScan) word(w string) bool {
	if len(s.data)-s.pos >= len(w) && string(s.data[s.pos:s.pos+len(w)]) == w {
		s.pos += len(w)
		return true
	}
	return false
}

// str reads a string; the result is valid until the next call.
func (s *jsonScan) str() ([]byte, error) {
	s.space()
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return nil, s.bad("'\"'")
	}
	start := s.pos + 1
	if i := quoteOrEscape(s.data[start:]); i >= 0 {
		if s.data[start+i] == '"' {
			s.pos = start + i + 1
			return s.data[start : start+i], nil
		}
		s.tmp = append(s.tmp[:0], s.data[start:start+i]...)
		return s.escaped(start + i)
	}
	if s.eof {
		return nil, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse JSON string: expected closing quote")
	}
	return nil, errShort
}

// quoteOrEscape returns the place of the first double quote or backslash, or -1. It looks at eight bytes at a time: a byte of x
// that is zero, and maybe some behind it, have their high bit set in (x-ones) &^ x & highs.
func quoteOrEscape(data []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		q, e := w^('"'*ones), w^('\\'*ones)
		if found := ((q-ones)&^q | (e-ones)&^e) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if data[i] == '"' || data[i] == '\\' {
			return i
		}
	}
	return -1
}

// escaped goes on with a string from its first backslash.
func (s *jsonScan) escaped(i int) ([]byte, error) {
	for i < len(s.data) {
		c := s.data[i]
		switch {
		case c == '"':
			s.pos = i + 1
			return s.tmp, nil
		case c != '\\':
			next := quoteOrEscape(s.data[i:])
			if next < 0 {
				next = len(s.data) - i
			}
			s.tmp = append(s.tmp, s.data[i:i+next]...)
			i += next
			continue
		case i+1 >= len(s.data):
			i++
			continue
		}
		c = s.data[i+1]
		i += 2
		switch c {
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'u':
			n, err := s.unicode(i)
			if err != nil {
				return nil, err
			}
			i += n
			continue
		}
		s.tmp = append(s.tmp, c)
	}
	if s.eof {
		return nil, sqlerr.New(sqlerr.CannotParseQuotedString, "Cannot parse JSON string: expected closing quote")
	}
	return nil, errShort
}

// unicode appends the character of \uXXXX, whose digits are at i, with its second half if it is a surrogate; it returns the digits' length.
func (s *jsonScan) unicode(i int) (int, error) {
	r, err := s.hex4(i)
	if err != nil {
		return 0, err
	}
	n := 4
	if utf16.IsSurrogate(r) {
		if !s.eof && i+10 > len(s.data) {
			return 0, errShort
		}
		if i+10 <= len(s.data) && s.data[i+4] == '\\' && s.data[i+5] == 'u' {
			low, err := s.hex4(i + 6)
			if err != nil {
				return 0, err
			}
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				r, n = pair, 10
			}
		}
	}
	s.tmp = utf8.AppendRune(s.tmp, r)
	return n, nil
}

func (s *jsonScan) hex4(i int) (rune, error) {
	if i+4 > len(s.data) {
		if s.eof {
			return 0, sqlerr.New(sqlerr.CannotParseEscapeSequence, "Cannot parse escape sequence: less than four hex digits behind \\u")
		}
		return 0, errShort
	}
	x, err := strconv.ParseUint(string(s.data[i:i+4]), 16, 32)
	if err != nil {
		return 0, sqlerr.New(sqlerr.CannotParseEscapeSequence, "Cannot parse escape sequence: bad hex digits behind \\u")
	}
	return rune(x), nil
}

// raw returns the text of one value of any kind.
func (s *jsonScan) raw() ([]byte, error) {
	s.space()
	start := s.pos
	if err := s.skipValue(0); err != nil {
		return nil, err
	}
	return s.data[start:s.pos], nil
}

func (s *jsonScan) skipValue(depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "JSON is nested deeper than %d", maxDepth)
	}
	s.space()
	if s.pos >= len(s.data) {
		return s.bad("a value")
	}
	switch s.data[s.pos] {
	case '"':
		_, err := s.str()
		return err
	case '{', '[':
		return s.skipGroup(depth)
	}
	_, err := s.scalar()
	return err
}

func (s *jsonScan) skipGroup(depth int) error {
	object := s.data[s.pos] == '{'
	end := byte(']')
	if object {
		end = '}'
	}
	s.pos++
	for first := true; !s.take(end); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return err
			}
		}
		if object {
			if _, err := s.str(); err != nil {
				return err
			}
			if err := s.need(':'); err != nil {
				return err
			}
		}
		if err := s.skipValue(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// jsonDelimiter tells the bytes that end a number or word.
var jsonDelimiter = [256]bool{',': true, '}': true, ']': true, ' ': true, '\n': true, '\r': true, '\t': true, ':': true, '"': true, '{': true, '[': true}

// scalar returns the text of a number or word up to the next delimiter.
func (s *jsonScan) scalar() ([]byte, error) {
	s.space()
	i := s.pos
	for ; i < len(s.data); i++ {
		if jsonDelimiter[s.data[i]] {
			if i == s.pos {
				return nil, s.bad("a value")
			}
			out := s.data[s.pos:i]
			s.pos = i
			return out, nil
		}
	}
	if !s.eof {
		return nil, errShort
	}
	if i == s.pos {
		return nil, s.bad("a value")
	}
	out := s.data[s.pos:i]
	s.pos = i
	return out, nil
}

// null takes the word null.
func (s *jsonScan) null() bool {
	s.space()
	return s.pos < len(s.data) && s.data[s.pos] == 'n' && s.word("null")
}

// value appends one value to b, a builder of t.
func (s *jsonScan) value(b column.Builder, t *types.Type, depth int) error {
	if depth > maxDepth {
		return sqlerr.New(sqlerr.TooDeepRecursion, "JSON is nested deeper than %d", maxDepth)
	}
	t = t.WithoutLowCardinality()
	s.space()
	switch {
	case s.pos >= len(s.data):
		return s.bad("a value")
	case s.data[s.pos] == 'n' && len(s.data)-s.pos < len("null") && !s.eof:
		return errShort
	}
	switch v := b.(type) {
	case *column.Nullable:
		if s.null() || s.strings && s.word(quotedNull) {
			v.AppendNull()
			return nil
		}
		if err := s.value(v.Inner.(column.Builder), t.Elem(), depth+1); err != nil {
			return err
		}
		v.Nulls = append(v.Nulls, 0)
		return nil
	case *column.Array:
		return s.array(v, t, depth)
	case *column.Variant:
		return s.variant(v, t)
	case *column.Map:
		if t.Kind == types.JSON {
			return s.object(v, t)
		}
		return s.mapping(v, t, depth)
	case *column.Tuple:
		return s.tuple(v, t, depth)
	case *column.Str:
		if t.Kind == types.String {
			return s.stringInto(v)
		}
	}
	if s.null() {
		if !s.o.NullAsDefault {
			return sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse null as %s", t)
		}
		b.AppendDefault()
		return nil
	}
	return s.plain(b, t)
}

// plainString appends the string without escapes that stands at the place; false, with nothing appended, if there is none.
func (s *jsonScan) plainString(v *column.Str) bool {
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return false
	}
	text := s.data[s.pos+1:]
	n := quoteOrEscape(text)
	if n < 0 || text[n] != '"' {
		return false
	}
	v.Append(text[:n])
	s.pos += n + 2
	return true
}

// stringInto appends a string; numbers, booleans and whole objects keep their text.
func (s *jsonScan) stringInto(v *column.Str) error {
	var text []byte
	var err error
	switch c := s.data[s.pos]; {
	case c == '"':
		text, err = s.str()
	case s.null():
		if !s.o.NullAsDefault {
			return sqlerr.New(sqlerr.CannotParseInputAssertionFailed, "Cannot parse null as String")
		}
	default:
		text, err = s.raw()
	}
	if err != nil {
		return err
	}
	v.Append(text)
	return nil
}

// plain appends a value of one of the types written as a number, word or string.
func (s *jsonScan) plain(b column.Builder, t *types.Type) error {
	var text []byte
	var err error
	quoted := s.data[s.pos] == '"'
	if quoted {
		text, err = s.str()
	} else {
		if s.data[s.pos] == '{' || s.data[s.pos] == '[' {
			return s.bad("a value of type " + t.String())
		}
		text, err = s.scalar()
	}
	if err != nil {
		return err
	}
	if fastValue(b, t, text, s.o) {
		return nil
	}
	if !quoted && t.IsInteger() && t.Kind != types.Bool {
		if ok := looseInteger(b, t, text); ok {
			return nil
		}
	}
	return parseText(b, t, text, s.o)
}

// looseInteger takes true, false and numbers with a fraction or exponent for integer columns, as ClickHouse does.
func looseInteger(b column.Builder, t *types.Type, text []byte) bool {
	x := 0.0
	switch string(text) {
	case "true":
		x = 1
	case "false":
	default:
		if bytes.IndexAny(text, ".eE") < 0 {
			return false
		}
		f, err := strconv.ParseFloat(string(text), 64)
		if err != nil || math.Abs(f) > 1<<53 {
			return false
		}
		x = math.Trunc(f)
	}
	return fastInteger(b, t, strconv.AppendInt(nil, int64(x), 10))
}

func (s *jsonScan) array(v *column.Array, t *types.Type, depth int) error {
	if s.null() {
		v.AppendDefault()
		return nil
	}
	if s.data[s.pos] == '"' { // '[1,2]' as text
		text, err := s.str()
		if err != nil {
			return err
		}
		return parseText(v, t, text, s.o)
	}
	if err := s.need('['); err != nil {
		return err
	}
	elem, et := v.Elem.(column.Builder), t.Elem()
	text, _ := elem.(*column.Str)
	if et.WithoutLowCardinality().Kind != types.String {
		text = nil
	}
	for first := true; !s.take(']'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return err
			}
		}
		if text != nil && s.plainString(text) {
			continue
		}
		if err := s.value(elem, et, depth+1); err != nil {
			return err
		}
	}
	v.EndValue()
	return nil
}

func (s *jsonScan) mapping(v *column.Map, t *types.Type, depth int) error {
	if s.null() {
		v.AppendDefault()
		return nil
	}
	if err := s.need('{'); err != nil {
		return err
	}
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return err
			}
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if err := parseText(v.Keys.(column.Builder), t.Elems[0], key, s.o); err != nil {
			return err
		}
		if err := s.need(':'); err != nil {
			return err
		}
		if err := s.value(v.Vals.(column.Builder), t.Elems[1], depth+1); err != nil {
			return err
		}
	}
	v.EndValue()
	return nil
}

// tuple reads an array, or for a named tuple an object.
func (s *jsonScan) tuple(v *column.Tuple, t *types.Type, depth int) error {
	if t.Names != nil && s.pos < len(s.data) && s.data[s.pos] == '{' {
		return s.namedTuple(v, t, depth)
	}
	if err := s.need('['); err != nil {
		return err
	}
	for i, e := range v.Elems {
		if i > 0 {
			if err := s.need(','); err != nil {
				return err
			}
		}
		if err := s.value(e.(column.Builder), t.Elems[i], depth+1); err != nil {
			return err
		}
	}
	v.N++
	return s.need(']')
}

func (s *jsonScan) namedTuple(v *column.Tuple, t *types.Type, depth int) error {
	seen := make([]bool, len(t.Names))
	s.pos++
	for first := true; !s.take('}'); first = false {
		if !first {
			if err := s.need(','); err != nil {
				return err
			}
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		at := -1
		for i, n := range t.Names {
			if n == string(key) && !seen[i] {
				at = i
			}
		}
		if err := s.need(':'); err != nil {
			return err
		}
		if at < 0 {
			if !s.o.SkipUnknown {
				return sqlerr.New(sqlerr.IncorrectData, "Unknown or repeated element of the tuple: '%s'", key)
			}
			if err := s.skipValue(depth + 1); err != nil {
				return err
			}
			continue
		}
		seen[at] = true
		if err := s.value(v.Elems[at].(column.Builder), t.Elems[at], depth+1); err != nil {
			return err
		}
	}
	for i, ok := range seen {
		if !ok {
			v.Elems[i].(column.Builder).AppendDefault()
		}
	}
	v.N++
	return nil
}
