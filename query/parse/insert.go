package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// insert takes INSERT INTO, up to where inline data begins.
func (p *parser) insert() ast.Statement {
	start := p.at().start
	p.needWords("INSERT INTO")
	s := &ast.Insert{DataStart: -1, DataEnd: len(p.text)}
	p.insertTarget(s)
	if p.words("PARTITION BY") {
		s.PartitionBy = p.expr()
	}
	if p.symbolAt(0, "(") && !p.queryAhead(0) {
		s.Columns = p.insertColumns()
	}
	if p.words("FROM INFILE") {
		s.Infile = p.stringLiteral()
		if p.words("COMPRESSION") {
			s.Compression = p.stringText()
		}
	}
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
	p.insertSource(s)
	s.Range = p.from(start)
	return s
}

func (p *parser) insertTarget(s *ast.Insert) {
	start := p.at().start
	if p.wordAt(0, "FUNCTION") && p.peek(1).kind == tokWord && p.symbolAt(2, "(") {
		p.pos++
		start = p.at().start
		name := p.ident()
		s.Function, _ = p.tableCall(name, start)
		return
	}
	if p.wordAt(0, "TABLE") && (p.peek(1).kind == tokWord && !p.wordAt(1, "VALUES") && !p.wordAt(1, "FORMAT") && !p.wordAt(1, "SELECT") || p.peek(1).kind == tokQuoted || p.symbolAt(1, "{")) {
		p.pos++
		if p.wordAt(0, "FUNCTION") && p.peek(1).kind == tokWord && p.symbolAt(2, "(") {
			p.insertTarget(s)
			return
		}
	}
	n := p.tableName()
	s.Table = &n
}

// insertColumns takes (a, b), (* EXCEPT(c)) and the like.
func (p *parser) insertColumns() []ast.Expr {
	p.needSymbol("(")
	var list []ast.Expr
	for again := true; again; again = !p.isSymbol(")") {
		start := p.at().start
		switch {
		case p.isName() && !(p.wordAt(0, "COLUMNS") && p.symbolAt(1, "(")) && !p.qualifiedAsterisk():
			id := &ast.Ident{Parts: []ast.Name{p.name()}}
			for p.symbol(".") {
				id.Parts = append(id.Parts, p.name())
			}
			id.Range = p.from(start)
			list = append(list, id)
		default:
			list = append(list, p.operand())
		}
		if !p.symbol(",") {
			break
		}
	}
	p.needSymbol(")")
	return list
}

func (p *parser) qualifiedAsterisk() bool { return p.symbolAt(1, ".") && p.symbolAt(2, "*") }

// insertSource takes VALUES, FORMAT name or a query.
func (p *parser) insertSource(s *ast.Insert) {
	switch {
	case p.words("VALUES"):
		s.Format = "Values"
		p.inlineData(s)
	case p.isWords("FORMAT"):
		p.pos++
		s.Format = p.ident()
		if s.Infile == nil {
			p.formatData(s)
		}
	case p.isWords("SELECT") || p.isWords("WITH") || p.isWords("FROM") || p.queryAhead(0):
		s.Select = p.union()
		s.Input = readsInput(s.Select)
		if s.Input && p.words("FORMAT") {
			s.Format = p.ident()
			p.formatData(s)
			return
		}
		p.output(&s.Select.Output)
	case s.Infile == nil:
		p.fail()
	}
}

// readsInput reports whether a query reads the data that is inserted: input('a UInt8, …') in FROM.
func readsInput(q *ast.SelectUnion) bool {
	found := false
	ast.Walk(q, func(n ast.Node) bool {
		if t, ok := n.(*ast.TableFunction); ok && t.Call.Name == "input" {
			found = true
		}
		return !found
	})
	return found
}

// formatData finds where the data of INSERT ... FORMAT name begins. Settings may stand between.
func (p *parser) formatData(s *ast.Insert) {
	if s.Settings == nil && p.settingsAfterFormat() {
		p.pos++
		s.Settings = p.settings()
	}
	p.inlineData(s)
}

// settingsAfterFormat looks at the raw text, since data may not be cut into tokens.
func (p *parser) settingsAfterFormat() bool {
	return p.wordAt(0, "SETTINGS") && p.peek(1).kind == tokWord && p.symbolAt(2, "=")
}

// inlineData sets the range of the data. It begins after the white space behind the last
// token, of which at most one line end is skipped, since blank lines may be data.
func (p *parser) inlineData(s *ast.Insert) {
	pos := p.toks[p.pos-1].end
	for pos < len(p.text) && (p.text[pos] == ' ' || p.text[pos] == '\t' || p.text[pos] == '\f' || p.text[pos] == '\v') {
		pos++
	}
	rest := p.text[pos:]
	switch {
	case strings.HasPrefix(rest, ";"):
		pos++
		for pos < len(p.text) && (p.text[pos] == ' ' || p.text[pos] == '\t') {
			pos++
		}
		pos += lineEnd(p.text[pos:])
	default:
		pos += lineEnd(rest)
	}
	if strings.Trim(p.text[pos:], "; \t\r\n") != "" {
		s.DataStart = pos
	}
}

func lineEnd(s string) int {
	switch {
	case strings.HasPrefix(s, "\r\n"):
		return 2
	case strings.HasPrefix(s, "\n"):
		return 1
	}
	return 0
}
