package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/kernel"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name, doc string
		fold, not bool
	}{
		{"like", "Tests a string against a pattern with % and _.", false, false}, {"notLike", "Negates like.", false, true},
		{"ilike", "Is like in any case.", true, false}, {"notILike", "Negates ilike.", true, true},
	} {
		register(&Scalar{Name: f.name, CaseInsensitive: true, MinArgs: 2, MaxArgs: 2, Family: "search", Doc: f.doc, Example: "like('abc', 'a%') → 1",
			Resolve: fixed(f.name, types.TUInt8, anyOf(isStr, isEnum), isStr), Eval: evalLike(f.fold, f.not)})
	}
}

func evalLike(fold, not bool) func(*Call) (column.Vector, error) {
	return func(c *Call) (column.Vector, error) {
		v := c.Args[0]
		if isEnum(c.Types[0]) {
			var err error
			if v, err = Cast(c.Env, v, types.TString); err != nil {
				return nil, err
			}
		}
		h, pattern, out := stringsOf(v), stringsOf(c.Args[1]), make([]uint8, c.Rows)
		if pattern.isConst() && !h.isConst() && c.Rows > 0 {
			p, err := compileLike(pattern.row(0), fold)
			if err != nil {
				return nil, err
			}
			p.matchAll(out, h.Str, fold)
		} else if err := likeRows(out, h, pattern, fold); err != nil {
			return nil, err
		}
		if not {
			for i, x := range out {
				out[i] = x ^ 1
			}
		}
		return column.NewBools(out), nil
	}
}

// likeRows matches each row against a pattern of its own.
func likeRows(out []uint8, h, pattern strArg, fold bool) error {
	var p *likePattern
	for i := range out {
		if i == 0 || !pattern.isConst() {
			var err error
			if p, err = compileLike(pattern.row(i), fold); err != nil {
				return err
			}
		}
		s := h.row(i)
		if fold {
			s = lowerAny(nil, s)
		}
		out[i] = b2u(p.match(s))
	}
	return nil
}

// matchAll matches all strings of h: by their starts if the pattern begins with text; else, where all that match hold some text, the strings are
// searched for it as one text first.
func (p *likePattern) matchAll(out []uint8, h *column.Str, fold bool) {
	text, exact := p.needle()
	switch {
	case !fold && !p.openStart && len(p.parts) > 0 && p.parts[0].any == nil:
		kernel.HasPrefix(out, h.Off, h.Data, p.parts[0].text)
		exact = p.openEnd && len(p.parts) == 1
	case len(text) > 0 && !fold:
		kernel.Contains(out, h.Off, h.Data, text)
	case len(text) > 0 && foldsAsASCII(text, h):
		kernel.ContainsFold(out, h.Off, h.Data, text)
	default:
		exact = false
		for i := range out {
			out[i] = 1
		}
	}
	if exact {
		return
	}
	var buf []byte
	for i, candidate := range out {
		if candidate == 0 {
			continue
		}
		s := h.At(i)
		if fold {
			buf = lowerAny(buf[:0], s)
			s = buf
		}
		out[i] = b2u(p.match(s))
	}
}

// needle returns the longest text that whatever matches holds, and whether all that holds it matches.
func (p *likePattern) needle() (text []byte, exact bool) {
	for _, part := range p.parts {
		from := 0
		for i := range len(part.text) + 1 {
			if i < len(part.text) && (i >= len(part.any) || !part.any[i]) {
				continue
			}
			if i-from > len(text) {
				text = part.text[from:i]
			}
			from = i + 1
		}
	}
	return text, p.openStart && p.openEnd && len(p.parts) == 1 && p.parts[0].any == nil
}

// foldsAsASCII reports whether a lower-case text is found in lower-cased strings exactly where it is found without regard to the case of
// ASCII letters: it is ASCII itself, and no other letter of the strings has one of its letters as lower case.
func foldsAsASCII(text []byte, h *column.Str) bool {
	hasSpecial := false
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
		hasSpecial = hasSpecial || c == 'k' || c == 'i'
	}
	data := h.Data[h.Off[0]:h.Off[h.Len()]]
	return !hasSpecial || !bytes.Contains(data, []byte("\u212A")) && !bytes.Contains(data, []byte("İ"))
}

// lowerAny appends s with letters of every script in lower case.
func lowerAny(dst, s []byte) []byte {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return append(dst, bytes.ToLower(s)...)
		}
	}
	return appendLower(dst, s)
}

// likePattern is a LIKE pattern cut at its percent signs: text that the parts cover one after the
// other, the first at the start unless openStart, the last at the end unless openEnd.
type likePattern struct {
	parts              []likePart
	openStart, openEnd bool
}

// likePart is text without %; any[i] says that byte i stands for any one code point.
type likePart struct {
	text []byte
	any  []bool // nil: none
}

func compileLike(pattern []byte, fold bool) (*likePattern, error) {
	if fold {
		pattern = lowerAny(nil, pattern)
	}
	p := &likePattern{}
	var part likePart
	percent := false
	flush := func() {
		if len(part.text) > 0 {
			p.parts = append(p.parts, part)
		}
		part = likePart{}
	}
	add := func(c byte, wild bool) {
		if wild && part.any == nil || part.any != nil {
			for len(part.any) < len(part.text) {
				part.any = append(part.any, false)
			}
			part.any = append(part.any, wild)
		}
		part.text = append(part.text, c)
		percent = false
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '%':
			if len(p.parts) == 0 && len(part.text) == 0 {
				p.openStart = true
			}
			flush()
			percent = true
		case c == '_':
			add(c, true)
		case c == '\\':
			i++
			if i == len(pattern) {
				return nil, sqlerr.New(sqlerr.CannotParseEscapeSequence, "Cannot parse escape sequence at the end of LIKE pattern")
			}
			if n := pattern[i]; n != '%' && n != '_' && n != '\\' {
				add('\\', false)
			}
			add(pattern[i], false)
		default:
			add(c, false)
		}
	}
	flush()
	p.openEnd = percent
	return p, nil
}

func (p *likePattern) match(s []byte) bool {
	parts := p.parts
	if len(parts) == 0 {
		return p.openEnd || len(s) == 0
	}
	if !p.openStart {
		n, ok := parts[0].prefix(s)
		if !ok {
			return false
		}
		s, parts = s[n:], parts[1:]
		if len(parts) == 0 {
			return p.openEnd || len(s) == 0
		}
	}
	var last *likePart
	if !p.openEnd {
		last, parts = &parts[len(parts)-1], parts[:len(parts)-1]
	}
	for k := range parts {
		at, n := parts[k].find(s)
		if at < 0 {
			return false
		}
		s = s[at+n:]
	}
	return last == nil || last.suffix(s)
}

// prefix matches at the start of s and returns the length of what matched.
func (p *likePart) prefix(s []byte) (int, bool) {
	if p.any == nil {
		return len(p.text), bytes.HasPrefix(s, p.text)
	}
	at := 0
	for i, c := range p.text {
		if at >= len(s) {
			return 0, false
		}
		if i < len(p.any) && p.any[i] {
			_, w := utf8.DecodeRune(s[at:])
			at += w
			continue
		}
		if s[at] != c {
			return 0, false
		}
		at++
	}
	return at, true
}

func (p *likePart) find(s []byte) (at, n int) {
	if p.any == nil {
		return bytes.Index(s, p.text), len(p.text)
	}
	for at = 0; at <= len(s); at++ {
		if n, ok := p.prefix(s[at:]); ok {
			return at, n
		}
	}
	return -1, 0
}

func (p *likePart) suffix(s []byte) bool {
	if p.any == nil {
		return bytes.HasSuffix(s, p.text)
	}
	for at := len(s); at >= 0; at-- {
		if n, ok := p.prefix(s[at:]); ok && at+n == len(s) {
			return true
		}
	}
	return false
}
