package parse

import (
	"strconv"
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// unquote undoes the escapes of a string or quoted identifier token.
func (p *parser) unquote(t token) string {
	s := p.src(t)
	switch {
	case s[0] == '$':
		tag := strings.IndexByte(s[1:], '$') + 2
		return s[tag : len(s)-tag]
	case s[0]|32 == 'x' && len(s) > 1 && s[1] == '\'':
		return p.radixString(t, s[2:len(s)-1], 16)
	case s[0]|32 == 'b' && len(s) > 1 && s[1] == '\'':
		return p.radixString(t, s[2:len(s)-1], 2)
	}
	return unescape(s[1:len(s)-1], s[0])
}

// radixString reads the bytes of x'..' and b'..'. Digits missing in front are zeros.
func (p *parser) radixString(t token, s string, base int) string {
	width := 2
	if base == 2 {
		width = 8
	}
	if rest := len(s) % width; rest != 0 {
		s = strings.Repeat("0", width-rest) + s
	}
	var out []byte
	for i := 0; i < len(s); i += width {
		n, err := strconv.ParseUint(s[i:i+width], base, 8)
		if err != nil {
			p.failAt(t, "Expected a string of digits to the base "+strconv.Itoa(base))
		}
		out = append(out, byte(n))
	}
	return string(out)
}

func unescape(s string, quote byte) string {
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, quote) < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == quote {
			i++ // the second of a doubled quote
		}
		if c != '\\' || i+1 >= len(s) {
			out = append(out, c)
			continue
		}
		i++
		out, i = appendEscape(out, s, i)
	}
	return string(out)
}

// appendEscape appends what the escape whose letter is s[i] stands for, and returns the index of its last byte.
func appendEscape(out []byte, s string, i int) ([]byte, int) {
	const from, to = "abefnrtv0", "\a\b\x1b\f\n\r\t\v\x00"
	if k := strings.IndexByte(from, s[i]); k >= 0 {
		return append(out, to[k]), i
	}
	switch c := s[i]; c {
	case 'N': // \N is nothing in a string
		return out, i
	case 'x':
		if i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				return append(out, byte(n)), i + 2
			}
		}
		return append(out, '\\', 'x'), i
	case '\\', '\'', '"', '`', '/', '=':
		return append(out, c), i
	default:
		return append(out, '\\', c), i
	}
}

// isName reports whether an identifier is next.
func (p *parser) isName() bool {
	k := p.at().kind
	return k == tokWord || k == tokQuoted
}

// name takes an identifier, quoted or not, or {name:Identifier}.
func (p *parser) name() ast.Name {
	t := p.at()
	switch {
	case t.kind == tokWord:
		p.pos++
		return ast.Name{Text: p.src(t)}
	case t.kind == tokQuoted:
		p.pos++
		return ast.Name{Text: p.unquote(t), Quoted: true}
	case p.symbolAt(0, "{") && p.peek(1).kind == tokWord && p.symbolAt(2, ":") && p.wordAt(3, "IDENTIFIER") && p.symbolAt(4, "}"):
		n := ast.Name{Text: p.src(p.peek(1)), Param: true}
		p.pos += 5
		return n
	}
	p.failWant("identifier")
	return ast.Name{}
}

// ident takes an identifier's text.
func (p *parser) ident() string {
	if !p.isName() {
		p.failWant("identifier")
	}
	return p.name().Text
}

// identOrString takes an identifier or a string, as ON CLUSTER and collations do.
func (p *parser) identOrString() string {
	if p.at().kind == tokString {
		return p.unquote(p.advance())
	}
	return p.ident()
}

// nonEmptyName is identOrString without the empty string.
func (p *parser) nonEmptyName() string {
	if p.at().kind == tokString {
		return p.nonEmptyText()
	}
	return p.ident()
}

// compound takes an identifier with dots, such as n.x of a nested column, as one text.
func (p *parser) compound() string {
	s := p.ident()
	for p.symbolAt(0, ".") && (p.peek(1).kind == tokWord || p.peek(1).kind == tokQuoted) {
		p.pos++
		s += "." + p.ident()
	}
	return s
}

func (p *parser) tableName() ast.TableName {
	start := p.at().start
	n := ast.TableName{Table: p.name()}
	if p.symbol(".") {
		n.Database = n.Table
		n.Table = p.name()
	}
	n.Range = p.from(start)
	return n
}

func (p *parser) stringLiteral() *ast.Literal {
	t := p.at()
	if t.kind != tokString {
		p.failWant("string literal")
	}
	p.pos++
	return &ast.Literal{Range: p.from(t.start), Kind: ast.LiteralString, Str: p.unquote(t)}
}

func (p *parser) stringText() string { return p.stringLiteral().Str }

func (p *parser) uint() uint64 {
	t := p.at()
	if t.kind == tokNumber {
		if n, err := strconv.ParseUint(p.src(t), 10, 64); err == nil {
			p.pos++
			return n
		}
	}
	p.failWant("unsigned integer")
	return 0
}

// identList takes (a, b, c).
func (p *parser) identList() []string {
	p.needSymbol("(")
	list := []string{p.compound()}
	for p.symbol(",") {
		list = append(list, p.compound())
	}
	p.needSymbol(")")
	return list
}
