package function

import (
	"bytes"
	"html"
	"unicode/utf8"

	"github.com/olapd/olapd/internal/types"
)

func init() {
	for _, f := range []struct {
		name, doc, example string
		do                 func(dst, s []byte) []byte
	}{
		{"encodeXMLComponent", "Escapes <, >, &, \" and ' as XML does.", "encodeXMLComponent('<a>') → &lt;a&gt;", appendXMLEncoded},
		{"decodeXMLComponent", "Replaces XML's five entities and those of numbers.", "decodeXMLComponent('&lt;&#33;') → <!", func(dst, s []byte) []byte { return appendEntities(dst, s, xmlEntity) }},
		{"decodeHTMLComponent", "Replaces HTML's entities and those of numbers.", "decodeHTMLComponent('&eacute;') → é", func(dst, s []byte) []byte { return appendEntities(dst, s, htmlEntity) }},
		{"extractTextFromHTML", "Returns the text of HTML without tags, comments, scripts and styles, white space collapsed.", "extractTextFromHTML('<p>a  <b>b</b></p>') → a b", appendHTMLText},
	} {
		fn := mapStrings(f.name, nil, f.doc, f.do)
		fn.CaseInsensitive, fn.Example = false, f.example
		fn.Resolve = fixed(f.name, types.TString, isText)
		register(fn)
	}
}

func appendXMLEncoded(dst, s []byte) []byte {
	for _, c := range s {
		switch c {
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '&':
			dst = append(dst, "&amp;"...)
		case '"':
			dst = append(dst, "&quot;"...)
		case '\'':
			dst = append(dst, "&apos;"...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// maxEntity is more than the longest name of an entity has.
const maxEntity = 40

// appendEntities replaces what stands between & and ; where it is a number or named knows it.
func appendEntities(dst, s []byte, named func(name []byte) string) []byte {
	for {
		amp := bytes.IndexByte(s, '&')
		if amp < 0 {
			return append(dst, s...)
		}
		dst, s = append(dst, s[:amp]...), s[amp:]
		end := bytes.IndexByte(s[:min(len(s), maxEntity)], ';')
		if next := bytes.IndexByte(s[1:min(len(s), maxEntity)], '&'); end < 0 || next >= 0 && next+1 < end {
			dst, s = append(dst, '&'), s[1:]
			continue
		}
		name := s[1:end]
		if code, ok := numericEntity(name); ok {
			dst = appendCodePoint(dst, code)
		} else if text := named(name); text != "" {
			dst = append(dst, text...)
		} else {
			dst = append(dst, s[:end+1]...)
		}
		s = s[end+1:]
	}
}

// numericEntity reads #65 or #x41.
func numericEntity(name []byte) (code rune, ok bool) {
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	base := rune(10)
	if name = name[1:]; name[0]|32 == 'x' {
		base, name = 16, name[1:]
	}
	for _, c := range name {
		d := digitOf(c)
		if d >= uint64(base) {
			return 0, false
		}
		if code = code*base + rune(d); code > utf8.MaxRune {
			return 0, false
		}
	}
	return code, len(name) > 0
}

// appendCodePoint is utf8.AppendRune that writes surrogates as they are.
func appendCodePoint(dst []byte, r rune) []byte {
	if r >= 0xD800 && r < 0xE000 {
		return append(dst, 0xE0|byte(r>>12), 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
	}
	return utf8.AppendRune(dst, r)
}

func xmlEntity(name []byte) string {
	switch string(name) {
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "amp":
		return "&"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	return ""
}

// htmlEntity is the text of a whole name: html.UnescapeString also takes names that begin with a known one, and leaves the rest.
func htmlEntity(name []byte) string {
	switch {
	case string(name) == "semi":
		return ";"
	case len(name) == 0 || name[0] == '#':
		return ""
	}
	text := html.UnescapeString("&" + string(name) + ";")
	if text[len(text)-1] == ';' {
		return ""
	}
	return text
}

// appendHTMLText takes text up to the next <, then what begins there.
func appendHTMLText(dst, s []byte) []byte {
	start := len(dst)
	for len(s) > 0 {
		lt := bytes.IndexByte(s, '<')
		if lt < 0 {
			lt = len(s)
		}
		dst = appendCollapsed(dst, s[:lt], len(dst) > start && dst[len(dst)-1] != ' ')
		if s = s[lt:]; len(s) > 0 {
			dst, s = appendElement(dst, s)
		}
	}
	return dst
}

// appendCollapsed writes words with one space between them, and one in front of the first if space is set.
func appendCollapsed(dst, s []byte, space bool) []byte {
	for {
		for len(s) > 0 && isSpaceByte(s[0]) {
			s = s[1:]
		}
		if len(s) == 0 {
			return dst
		}
		if space {
			dst = append(dst, ' ')
		}
		n := 0
		for n < len(s) && !isSpaceByte(s[n]) {
			n++
		}
		dst, s, space = append(dst, s[:n]...), s[n:], true
	}
}

// appendElement skips the comment, script, style or tag at the front of s; of CDATA it writes what is inside.
func appendElement(dst, s []byte) ([]byte, []byte) {
	if rest, ok := bytes.CutPrefix(s, []byte("<!--")); ok {
		_, rest, _ = bytes.Cut(rest, []byte("-->"))
		return dst, rest
	}
	if rest, ok := bytes.CutPrefix(s, []byte("<![CDATA[")); ok {
		if text, behind, ended := bytes.Cut(rest, []byte("]]>")); ended {
			return append(dst, text...), behind
		}
		return dst, rest
	}
	for _, name := range [...]string{"script", "style"} {
		if rest, ok := skipHTMLElement(s, name); ok {
			return dst, rest
		}
	}
	_, rest, _ := bytes.Cut(s, []byte(">"))
	return dst, rest
}

// skipHTMLElement returns what stands behind the end tag of an element with that name.
func skipHTMLElement(s []byte, name string) (rest []byte, ok bool) {
	inside, ok := bytes.CutPrefix(s[1:], []byte(name))
	if !ok || len(inside) == 0 || inside[0] != '>' && !isSpaceByte(inside[0]) {
		return nil, false
	}
	_, inside, ok = bytes.Cut(inside, []byte(">"))
	for ok && len(inside) > 0 {
		_, inside, ok = bytes.Cut(inside, []byte("</"))
		after, named := bytes.CutPrefix(inside, []byte(name))
		if !named {
			continue
		}
		if after = bytes.TrimLeft(after, " \t\n\r\f\v"); len(after) > 0 && after[0] == '>' {
			return after[1:], true
		}
	}
	return nil, true
}
