package function

import (
	"bytes"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/column"
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
		var p *likePattern
		for i := range out {
			if i == 0 || !pattern.isConst() {
				var err error
				if p, err = compileLike(pattern.row(i), fold); err != nil {
					return nil, err
				}
			}
			s := h.row(i)
			if fold {
				s = lowerAny(s)
			}
			out[i] = b2u(p.match(s) != not)
		}
		return column.NewBools(out), nil
	}
}

// lowerAny lower-cases letters of every script.
func lowerAny(s []byte) []byte {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return bytes.ToLower(s)
		}
	}
	return folded(s, true)
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
		pattern = lowerAny(pattern)
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
