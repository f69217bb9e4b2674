package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// operand takes a literal, a name, a call, or something in brackets.
func (p *parser) operand() ast.Expr {
	t := p.at()
	switch t.kind {
	case tokNumber:
		return p.number(t.start, false)
	case tokString:
		return p.stringLiteral()
	case tokQuoted:
		return p.identOrCall()
	case tokWord:
		return p.wordOperand()
	case tokSymbol:
		switch t.symbol {
		case "(":
			return p.parenthesised()
		case "[":
			return p.array()
		case "*":
			p.pos++
			p.count()
			return &ast.Asterisk{Transformers: p.transformers(), Range: p.from(t.start)}
		case "{":
			return p.queryParam()
		case "@@":
			return p.globalVariable()
		}
	}
	p.failWant("expression")
	return nil
}

// globalVariable takes @@name, which MySQL's clients ask for.
func (p *parser) globalVariable() ast.Expr {
	start := p.advance().start
	name := &ast.Literal{Kind: ast.LiteralString, Str: p.compound()}
	name.Range = p.from(start)
	c := p.operator("globalVariable", start, name)
	c.Syntax = ast.SyntaxCall
	return c
}

func (p *parser) wordOperand() ast.Expr {
	t := p.at()
	if p.symbolAt(1, "(") {
		if notAFunction[strings.ToUpper(p.src(t))] {
			p.failWant("expression")
		}
		if e := p.specialCall(); e != nil {
			return e
		}
		return p.identOrCall()
	}
	if !p.symbolAt(1, ".") {
		if l := p.wordLiteral(); l != nil {
			return l
		}
		if e := p.keywordOperand(); e != nil {
			return e
		}
	}
	return p.identOrCall()
}

// identOrCall takes a compound identifier with what may follow: (args), .*, .COLUMNS(...).
func (p *parser) identOrCall() ast.Expr {
	start := p.at().start
	id := &ast.Ident{Parts: []ast.Name{p.name()}}
	for p.symbolAt(0, ".") || p.objectArrays(id) {
		if !p.symbolAt(0, ".") {
			break
		}
		next := p.peek(1)
		if p.symbolAt(1, "*") {
			p.pos += 2
			id.Range = p.from(start)
			p.count()
			return &ast.QualifiedAsterisk{Qualifier: id, Transformers: p.transformers(), Range: p.from(start)}
		}
		if p.wordAt(1, "COLUMNS") && p.symbolAt(2, "(") {
			id.Range = p.from(start)
			p.pos++
			return p.columns(id, start)
		}
		if p.jsonPart(id) {
			continue
		}
		if next.kind != tokWord && next.kind != tokQuoted {
			break
		}
		p.pos++
		id.Parts = append(id.Parts, p.name())
	}
	id.Range = p.from(start)
	if p.symbolAt(0, "(") {
		return p.call(joinName(id), start)
	}
	p.count()
	return id
}

// jsonPart takes .:Type and .^path of a JSON column's sub-column.
func (p *parser) jsonPart(id *ast.Ident) bool {
	switch {
	case p.symbolAt(1, ":") && (p.peek(2).kind == tokWord || p.peek(2).kind == tokQuoted):
		p.pos += 2
		var text string
		if t := p.at(); t.kind == tokQuoted {
			text = p.ident()
		} else {
			text = p.dataType().Text
		}
		id.Parts = append(id.Parts, ast.Name{Text: ":`" + text + "`", Quoted: true})
		return true
	case p.symbolAt(1, "^") && (p.peek(2).kind == tokWord || p.peek(2).kind == tokQuoted):
		p.pos += 2
		id.Parts = append(id.Parts, ast.Name{Text: "^`" + p.ident() + "`", Quoted: true})
		return true
	}
	return false
}

// objectArrays takes the [] behind a path of a JSON column: its value as arrays of objects.
func (p *parser) objectArrays(id *ast.Ident) bool {
	depth := 0
	for len(id.Parts) > 1 && p.symbolAt(0, "[") && p.symbolAt(1, "]") {
		p.pos += 2
		depth++
	}
	if depth > 0 {
		id.Parts = append(id.Parts, ast.Name{Text: ":`" + strings.Repeat("Array(", depth) + "JSON" + strings.Repeat(")", depth) + "`", Quoted: true})
	}
	return depth > 0
}

func joinName(id *ast.Ident) string {
	parts := make([]string, len(id.Parts))
	for i, n := range id.Parts {
		parts[i] = n.Text
	}
	return strings.Join(parts, ".")
}

// parenthesised takes (query), (), (expr) or (a, b).
func (p *parser) parenthesised() ast.Expr {
	start := p.at().start
	if p.queryAhead(0) {
		return p.subquery()
	}
	p.needSymbol("(")
	if p.symbol(")") {
		c := p.operator("tuple", start)
		c.Syntax = ast.SyntaxTuple
		return c
	}
	first := p.aliased(false)
	if !p.isSymbol(",") {
		p.needSymbol(")")
		return inParens(first)
	}
	items := []ast.Expr{first}
	for p.symbol(",") {
		if p.isSymbol(")") {
			break
		}
		items = append(items, p.aliased(false))
	}
	p.needSymbol(")")
	c := &ast.FuncCall{Range: p.from(start), Name: "tuple", Args: items, Syntax: ast.SyntaxTuple}
	p.countBrackets(c)
	return c
}

// inParens marks a call as parenthesised. The node is new, so nobody else sees the write.
func inParens(e ast.Expr) ast.Expr {
	if c, ok := e.(*ast.FuncCall); ok {
		c.Parens = true
	}
	return e
}

// countBrackets counts a tuple or array, unless it is a constant: a set of a million literals is one value.
func (p *parser) countBrackets(c *ast.FuncCall) {
	for _, a := range c.Args {
		if _, ok := a.(*ast.Literal); !ok {
			p.count()
			return
		}
	}
}

func (p *parser) array() ast.Expr {
	start := p.at().start
	p.needSymbol("[")
	var items []ast.Expr
	if !p.isSymbol("]") {
		items = p.exprList()
	}
	p.needSymbol("]")
	c := &ast.FuncCall{Range: p.from(start), Name: "array", Args: items, Syntax: ast.SyntaxArray}
	p.countBrackets(c)
	return c
}

// queryParam takes {name:Type}.
func (p *parser) queryParam() ast.Expr {
	start := p.at().start
	p.needSymbol("{")
	if p.at().kind != tokWord {
		p.failWant("substitution name (identifier)")
	}
	q := &ast.QueryParam{Name: p.src(p.advance())}
	p.needSymbol(":")
	q.Type = p.dataType()
	p.needSymbol("}")
	q.Range = p.from(start)
	p.count()
	if q.Type.Text == "Identifier" {
		return p.paramIdent(q, start)
	}
	return q
}

// paramIdent goes on with an identifier that begins with a parameter.
func (p *parser) paramIdent(q *ast.QueryParam, start int) ast.Expr {
	id := &ast.Ident{Parts: []ast.Name{{Text: q.Name, Param: true}}}
	for p.symbolAt(0, ".") && !p.symbolAt(1, "*") && p.peek(1).kind != tokNumber {
		p.pos++
		id.Parts = append(id.Parts, p.name())
	}
	id.Range = p.from(start)
	return id
}

// queryAhead reports whether, n tokens on, an opening parenthesis holds a query. ((SELECT 1) UNION ALL
// ...) and ((SELECT 1)) are queries; ((SELECT 1) + 1) and ((SELECT 1), 2) are not.
func (p *parser) queryAhead(n int) bool {
	if !p.symbolAt(n, "(") {
		return false
	}
	for n++; p.symbolAt(n, "("); n++ {
		after := p.closing(n) + 1
		if !p.symbolAt(after, ")") && !p.wordAt(after, "UNION") && !p.wordAt(after, "INTERSECT") && !p.wordAt(after, "EXCEPT") {
			return false
		}
	}
	return p.bareQueryAhead(n)
}

// bareQueryAhead reports whether a query begins n tokens on.
func (p *parser) bareQueryAhead(n int) bool {
	next := p.peek(n + 1)
	switch {
	case p.wordAt(n, "SELECT"):
		return !p.symbolAt(n+1, ")") && !p.symbolAt(n+1, ",") && !p.symbolAt(n+1, ".")
	case p.wordAt(n, "WITH"):
		return next.kind != tokEnd && (next.kind != tokSymbol || p.symbolAt(n+1, "(") || p.symbolAt(n+1, "[") || p.symbolAt(n+1, "{"))
	case p.wordAt(n, "FROM"):
		return next.kind == tokWord || next.kind == tokQuoted || p.symbolAt(n+1, "(")
	}
	return false
}

// closing returns how far on the partner of the opening parenthesis n tokens on is, or
// the end of the tokens. Partners are remembered, so that nested parentheses are scanned once.
func (p *parser) closing(n int) int {
	if end, ok := p.partners[p.pos+n]; ok {
		return end - p.pos
	}
	if p.partners == nil {
		p.partners = map[int]int{}
	}
	var open []int
	for i := n; ; i++ {
		t := p.peek(i)
		switch {
		case t.kind == tokEnd || t.kind == tokInvalid:
			for _, o := range open {
				p.partners[o] = p.pos + i
			}
			return i
		case t.kind == tokSymbol && t.symbol == "(":
			open = append(open, p.pos+i)
		case t.kind == tokSymbol && t.symbol == ")":
			p.partners[open[len(open)-1]] = p.pos + i
			open = open[:len(open)-1]
			if len(open) == 0 {
				return i
			}
		}
	}
}

// subquery takes (query).
func (p *parser) subquery() *ast.Subquery {
	start := p.at().start
	p.needSymbol("(")
	q := p.union()
	p.needSymbol(")")
	p.count()
	return &ast.Subquery{Range: p.from(start), Query: q}
}

// columns takes COLUMNS(...); qualifier is nil without one.
func (p *parser) columns(qualifier *ast.Ident, start int) ast.Expr {
	p.needWords("COLUMNS")
	p.needSymbol("(")
	m := &ast.ColumnsMatcher{Qualifier: qualifier}
	if p.at().kind == tokString {
		m.Pattern = p.stringText()
	} else {
		for {
			s := p.at().start
			id := &ast.Ident{Parts: []ast.Name{p.name()}}
			for p.symbol(".") {
				id.Parts = append(id.Parts, p.name())
			}
			id.Range = p.from(s)
			m.List = append(m.List, id)
			if !p.symbol(",") {
				break
			}
		}
	}
	p.needSymbol(")")
	m.Transformers = p.transformers()
	m.Range = p.from(start)
	p.count()
	return m
}

// transformers takes APPLY, EXCEPT and REPLACE after an asterisk or COLUMNS.
func (p *parser) transformers() []*ast.Transformer {
	var list []*ast.Transformer
	for {
		start := p.at().start
		var t *ast.Transformer
		switch {
		case p.wordAt(0, "APPLY") && (p.symbolAt(1, "(") || p.peek(1).kind == tokWord):
			p.pos++
			t = p.applyTransformer()
		case p.wordAt(0, "EXCEPT") && p.exceptAhead():
			p.pos++
			t = p.exceptTransformer()
		case p.words("REPLACE"):
			t = p.replaceTransformer()
		default:
			return list
		}
		t.Range = p.from(start)
		p.count()
		list = append(list, t)
	}
}

// exceptAhead tells * EXCEPT (columns) from SELECT * EXCEPT SELECT.
func (p *parser) exceptAhead() bool {
	return !p.wordAt(1, "SELECT") && !p.wordAt(1, "DISTINCT") && !p.wordAt(1, "WITH") && !p.wordAt(1, "ALL") && !p.queryAhead(1)
}

func (p *parser) applyTransformer() *ast.Transformer {
	t := &ast.Transformer{Kind: ast.TransformApply}
	brackets := p.symbol("(")
	if p.symbolAt(1, "->") || p.symbolAt(0, "(") {
		e := p.expr()
		l, ok := e.(*ast.Lambda)
		if !ok {
			p.failWant("lambda")
		}
		t.Lambda = l
	} else {
		t.Function = p.ident()
		if p.symbol("(") {
			t.Params = p.argsUntilClose()
		}
	}
	if brackets {
		if p.symbol(",") {
			t.Prefix = p.stringText()
		}
		p.needSymbol(")")
	}
	return t
}

func (p *parser) exceptTransformer() *ast.Transformer {
	t := &ast.Transformer{Kind: ast.TransformExcept, Strict: p.words("STRICT")}
	if !p.symbolAt(0, "(") {
		if p.at().kind == tokString {
			t.Pattern = p.stringText()
			return t
		}
		t.Columns = []string{p.compound()}
		return t
	}
	if p.peek(1).kind == tokString {
		p.pos++
		t.Pattern = p.stringText()
		p.needSymbol(")")
		return t
	}
	t.Columns = p.identList()
	return t
}

func (p *parser) replaceTransformer() *ast.Transformer {
	t := &ast.Transformer{Kind: ast.TransformReplace, Strict: p.words("STRICT")}
	brackets := p.symbol("(")
	for {
		a, ok := p.aliased(true).(*ast.Alias)
		if !ok {
			p.failWant("AS")
		}
		t.Replace = append(t.Replace, a)
		if !brackets || !p.symbol(",") {
			break
		}
	}
	if brackets {
		p.needSymbol(")")
	}
	return t
}
