package valuetext

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/sqlerr"
)

// maxJSONDepth bounds objects and arrays within each other.
const maxJSONDepth = 1000

func tooDeepJSON() error {
	return sqlerr.New(sqlerr.TooDeepRecursion, "JSON is nested deeper than %d", maxJSONDepth)
}

// jsonText reads JSON off a text that is all there.
type jsonText struct {
	s []byte
	i int
}

func (in *jsonText) space() {
	for in.i < len(in.s) && (in.s[in.i] == ' ' || in.s[in.i] == '\t' || in.s[in.i] == '\n' || in.s[in.i] == '\r') {
		in.i++
	}
}

func (in *jsonText) bad(want string) error {
	return sqlerr.New(sqlerr.IncorrectData, "Cannot parse JSON object here: expected %s at position %d of %s", want, in.i, clip(in.s))
}

func (in *jsonText) take(c byte) bool {
	if in.space(); in.i < len(in.s) && in.s[in.i] == c {
		in.i++
		return true
	}
	return false
}

// object reads the members of an object: member reads the value behind its key, which is good until then.
func (in *jsonText) object(member func(key []byte) error) error {
	if !in.take('{') {
		return in.bad("{")
	}
	for first := true; !in.take('}'); first = false {
		if !first && !in.take(',') {
			return in.bad(", or }")
		}
		key, err := in.str()
		if err != nil {
			return err
		}
		if !in.take(':') {
			return in.bad(":")
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return nil
}

// array reads the elements of an array, each by element.
func (in *jsonText) array(element func() error) error {
	if !in.take('[') {
		return in.bad("[")
	}
	for first := true; !in.take(']'); first = false {
		if !first && !in.take(',') {
			return in.bad(", or ]")
		}
		if err := element(); err != nil {
			return err
		}
	}
	return nil
}

// value reads one value and returns its text.
func (in *jsonText) value(depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return nil, tooDeepJSON()
	}
	in.space()
	from := in.i
	if from >= len(in.s) {
		return nil, in.bad("a value")
	}
	var err error
	switch in.s[from] {
	case '"':
		err = in.skipString()
	case '{':
		err = in.object(func([]byte) error { _, err := in.value(depth + 1); return err })
	case '[':
		err = in.array(func() error { _, err := in.value(depth + 1); return err })
	default:
		err = in.word()
	}
	return in.s[from:in.i], err
}

// word reads a number, true, false or null.
func (in *jsonText) word() error {
	from := in.i
	for in.i < len(in.s) && bytes.IndexByte([]byte(",]}: \t\r\n\"[{"), in.s[in.i]) < 0 {
		in.i++
	}
	switch w := in.s[from:in.i]; {
	case len(w) == 0:
		return in.bad("a value")
	case string(w) == "true" || string(w) == "false" || string(w) == "null" || GuessNumber(w) != nil:
		return nil
	}
	in.i = from
	return in.bad("a value")
}

func (in *jsonText) skipString() error {
	for j := in.i + 1; j < len(in.s); j++ {
		switch in.s[j] {
		case '\\':
			j++
		case '"':
			in.i = j + 1
			return nil
		}
	}
	return in.bad("a closing quote")
}

// str reads a string; it shares memory with the text if nothing in it is escaped.
func (in *jsonText) str() ([]byte, error) {
	if in.space(); in.i >= len(in.s) || in.s[in.i] != '"' {
		return nil, in.bad("a string")
	}
	from := in.i
	if err := in.skipString(); err != nil {
		return nil, err
	}
	return unquoteJSON(in.s[from:in.i])
}

// unquoteJSON is what a string between its quotes stands for.
func unquoteJSON(s []byte) ([]byte, error) {
	s = s[1 : len(s)-1]
	n := bytes.IndexByte(s, '\\')
	if n < 0 {
		return s, nil
	}
	out := append(make([]byte, 0, len(s)), s[:n]...)
	for i := n; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case 'u':
			r, n := unicodeEscape(s[i+1:])
			if n == 0 {
				return nil, sqlerr.New(sqlerr.CannotParseEscapeSequence, "Cannot parse escape sequence in %q", clip(s))
			}
			out, i = utf8.AppendRune(out, r), i+n
		case '"', '\\', '/':
			out = append(out, c)
		default:
			j := bytes.IndexByte([]byte("bfnrt"), c)
			if j < 0 {
				return nil, sqlerr.New(sqlerr.CannotParseEscapeSequence, "Cannot parse escape sequence in %q", clip(s))
			}
			out = append(out, "\b\f\n\r\t"[j])
		}
	}
	return out, nil
}

// unicodeEscape is the character behind \u, of a pair of surrogates too, and how many bytes it takes; 0 if it is none.
func unicodeEscape(s []byte) (rune, int) {
	hex := func(s []byte) rune {
		if len(s) < 4 {
			return -1
		}
		x, err := strconv.ParseUint(string(s[:4]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(x)
	}
	r := hex(s)
	switch {
	case r < 0:
		return 0, 0
	case r >= 0xd800 && r < 0xdc00 && len(s) >= 10 && s[4] == '\\' && s[5] == 'u':
		if low := hex(s[6:]); low >= 0xdc00 && low < 0xe000 {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 10
		}
	}
	return r, 4
}
