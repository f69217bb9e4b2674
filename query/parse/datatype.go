package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// typeSuffixes are the words that go on with a type's name, such as INT UNSIGNED.
var typeSuffixes = map[string][]string{
	"DOUBLE":   {"PRECISION"},
	"CHAR":     {"LARGE OBJECT", "VARYING"},
	"NCHAR":    {"LARGE OBJECT", "VARYING"},
	"BINARY":   {"LARGE OBJECT", "VARYING"},
	"NATIONAL": {"CHARACTER LARGE OBJECT", "CHARACTER VARYING", "CHAR VARYING", "CHARACTER", "CHAR"},
}

func init() {
	typeSuffixes["CHARACTER"] = typeSuffixes["CHAR"]
	for _, w := range strings.Fields("TINYINT SMALLINT INT INTEGER BIGINT INT1 MEDIUMINT") {
		typeSuffixes[w] = []string{"UNSIGNED", "SIGNED"}
	}
}

// dataType takes a data type as text: a name, words that belong to it, and its balanced arguments.
func (p *parser) dataType() ast.DataType {
	start := p.at().start
	if !p.isName() {
		p.failWant("data type")
	}
	var b strings.Builder
	b.WriteString(p.src(p.advance()))
	p.typeWords(&b)
	if p.symbolAt(0, "(") {
		p.typeArguments(&b)
		p.typeWords(&b) // INT(11) UNSIGNED
	}
	return ast.DataType{Range: p.from(start), Text: b.String()}
}

func (p *parser) typeWords(b *strings.Builder) {
	first, _, _ := strings.Cut(b.String(), "(")
	for _, s := range typeSuffixes[strings.ToUpper(first)] {
		if n := p.pos; p.words(s) {
			for ; n < p.pos; n++ {
				b.WriteString(" " + p.src(p.toks[n]))
			}
			return
		}
	}
}

// typeArguments copies a balanced argument list, spaced as ClickHouse prints it.
func (p *parser) typeArguments(b *strings.Builder) {
	level := 0
	wordBefore := false
	for {
		t := p.at()
		isWord := t.kind != tokSymbol
		switch {
		case t.kind == tokEnd || t.kind == tokInvalid:
			p.failWant("closing parenthesis of the data type")
		case t.symbol == "(" || t.symbol == "[":
			level++
		case t.symbol == ")" || t.symbol == "]":
			level--
		case isWord && wordBefore:
			b.WriteByte(' ')
		}
		switch {
		case level > p.limits.Depth:
			p.enterTooDeep()
		case t.symbol == "," && !isWord:
			b.WriteString(", ")
		case t.symbol == "=" && !isWord:
			b.WriteString(" = ")
		default:
			b.WriteString(p.src(t))
		}
		wordBefore = isWord
		p.pos++
		if level == 0 {
			return
		}
	}
}

func (p *parser) enterTooDeep() {
	p.depth = p.limits.Depth
	p.enter()
}
