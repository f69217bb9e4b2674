package parse

import (
	"strings"

	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
)

// Binding powers; see the package comment.
const (
	bindLambda   = 1
	bindTernary  = 2
	bindOr       = 3
	bindAnd      = 4
	bindNot      = 5
	bindIs       = 6
	bindBetween  = 7
	bindCompare  = 9
	bindConcat   = 10
	bindAdd      = 11
	bindMultiply = 12
	bindNegate   = 13
)

// binary is an infix operator: its spelling, its function and how tightly it binds.
type binary struct {
	function string
	bind     int
}

var symbolOperators = map[string]binary{
	"<=>": {"isNotDistinctFrom", bindCompare},
	"=":   {"equals", bindCompare}, "==": {"equals", bindCompare},
	"!=": {"notEquals", bindCompare}, "<>": {"notEquals", bindCompare},
	"<": {"less", bindCompare}, ">": {"greater", bindCompare},
	"<=": {"lessOrEquals", bindCompare}, ">=": {"greaterOrEquals", bindCompare},
	"||": {"concat", bindConcat},
	"+":  {"plus", bindAdd}, "-": {"minus", bindAdd},
	"*": {"multiply", bindMultiply}, "/": {"divide", bindMultiply}, "%": {"modulo", bindMultiply},
}

// wordOperator is an infix or postfix operator of keywords.
type wordOperator struct {
	words string
	binary
}

// wordOperators by their first word; the longer of two with a common beginning stands first.
var wordOperators = map[string][]wordOperator{
	"OR":  {{"OR", binary{"or", bindOr}}},
	"AND": {{"AND", binary{"and", bindAnd}}},
	"IS": {
		{"IS NOT DISTINCT FROM", binary{"isNotDistinctFrom", bindIs}},
		{"IS DISTINCT FROM", binary{"isDistinctFrom", bindIs}},
		{"IS NOT NULL", binary{"isNotNull", bindIs}},
		{"IS NULL", binary{"isNull", bindIs}},
		{"IS NOT UNKNOWN", binary{"isNotNull", bindIs}},
		{"IS UNKNOWN", binary{"isNull", bindIs}},
		{"IS NOT TRUE", binary{"isNotTrue", bindIs}},
		{"IS TRUE", binary{"isTrue", bindIs}},
		{"IS NOT FALSE", binary{"isNotFalse", bindIs}},
		{"IS FALSE", binary{"isFalse", bindIs}},
	},
	"BETWEEN": {{"BETWEEN", binary{"between", bindBetween}}},
	"LIKE":    {{"LIKE", binary{"like", bindCompare}}},
	"ILIKE":   {{"ILIKE", binary{"ilike", bindCompare}}},
	"REGEXP":  {{"REGEXP", binary{"match", bindCompare}}},
	"IN":      {{"IN", binary{"in", bindCompare}}},
	"NOT": {
		{"NOT BETWEEN", binary{"notBetween", bindBetween}},
		{"NOT LIKE", binary{"notLike", bindCompare}},
		{"NOT ILIKE", binary{"notILike", bindCompare}},
		{"NOT IN", binary{"notIn", bindCompare}},
	},
	"GLOBAL": {
		{"GLOBAL NOT IN", binary{"globalNotIn", bindCompare}},
		{"GLOBAL IN", binary{"globalIn", bindCompare}},
	},
	"DIV": {{"DIV", binary{"intDiv", bindMultiply}}},
	"MOD": {{"MOD", binary{"modulo", bindMultiply}}},
}

// nary holds the operators whose chain is one call.
var nary = map[string]bool{"or": true, "and": true, "concat": true}

// expr takes an expression without an alias.
func (p *parser) expr() ast.Expr { return p.binding(bindLambda) }

// binding takes an expression of operators that bind at least as tightly as least.
func (p *parser) binding(least int) ast.Expr {
	p.enter()
	defer p.leave()
	start := p.at().start
	left := p.prefix(least)
	for chain := 0; ; chain++ {
		if p.depth+chain > p.limits.Depth && !p.flat(left) {
			panic(bail{sqlerr.At(start, sqlerr.TooDeepAST, "AST is too deep. Maximum: %d", p.limits.Depth)})
		}
		next := p.infix(left, start, least)
		if next == nil {
			return left
		}
		left = next
	}
}

// flat reports whether e is an n-ary chain, which grows in width and not in depth.
func (p *parser) flat(e ast.Expr) bool {
	c, ok := e.(*ast.FuncCall)
	return ok && nary[c.Name]
}

// prefix takes NOT, unary minus and plus, or an operand.
func (p *parser) prefix(least int) ast.Expr {
	start := p.at().start
	switch {
	case p.wordAt(0, "NOT") && !p.symbolAt(1, "."):
		p.pos++
		return p.operator("not", start, p.binding(bindNot))
	case p.isSymbol("-"):
		if l := p.negativeNumber(); l != nil {
			return p.postfix(l, start)
		}
		p.pos++
		return p.operator("negate", start, p.binding(bindNegate))
	case p.symbolAt(0, "+"):
		p.pos++
		return p.binding(bindNegate)
	}
	return p.postfix(p.operand(), start)
}

// negativeNumber takes - and a number, or returns nil.
func (p *parser) negativeNumber() ast.Expr {
	start := p.at().start
	if p.peek(1).kind == tokNumber {
		p.pos++
		return p.number(start, true)
	}
	if p.wordAt(1, "INF") || p.wordAt(1, "NAN") || p.wordAt(1, "INFINITY") {
		p.pos++
		l := p.wordLiteral()
		l.Float, l.Start = -l.Float, start
		return l
	}
	return nil
}

// operator makes the call an operator stands for.
func (p *parser) operator(name string, start int, args ...ast.Expr) *ast.FuncCall {
	p.count()
	return &ast.FuncCall{Range: p.from(start), Name: name, Args: args, Syntax: ast.SyntaxOperator}
}

// infix takes one infix or postfix operator with its right side, or returns nil.
func (p *parser) infix(left ast.Expr, start, least int) ast.Expr {
	t := p.at()
	switch t.kind {
	case tokSymbol:
		switch {
		case t.symbol == "->" && least <= bindLambda:
			return p.lambda(left, start)
		case t.symbol == "?" && least <= bindTernary:
			return p.ternary(left, start)
		}
		op, ok := symbolOperators[t.symbol]
		if !ok || op.bind < least {
			return nil
		}
		p.pos++
		return p.right(op, left, start)
	case tokWord:
		if t.end-t.start > len("BETWEEN") {
			return nil
		}
		for _, op := range wordOperators[strings.ToUpper(p.src(t))] {
			if op.function == "in" && p.wordAt(1, "PARTITION") && p.peek(2).kind != tokEnd && !p.symbolAt(2, ",") && !p.symbolAt(2, ")") {
				return nil // the IN PARTITION of a mutation
			}
			if op.bind >= least && p.words(op.words) {
				return p.right(op.binary, left, start)
			}
		}
	}
	p.want("operator")
	return nil
}

// right takes the right side of an operator that has been taken, and joins both.
func (p *parser) right(op binary, left ast.Expr, start int) ast.Expr {
	switch op.function {
	case "isNull", "isNotNull":
		return p.operator(op.function, start, left)
	case "isTrue", "isFalse", "isNotTrue", "isNotFalse":
		return p.isBool(op.function, left, start)
	case "between":
		return p.between(left, start, "and", "greaterOrEquals", "lessOrEquals")
	case "notBetween":
		return p.between(left, start, "or", "less", "greater")
	case "in", "notIn", "globalIn", "globalNotIn":
		return p.operator(op.function, start, left, p.binding(bindCompare+1))
	}
	if op.bind == bindCompare && p.quantifierAhead() {
		return p.quantified(op.function, left, start)
	}
	right := p.binding(op.bind + 1)
	if c, ok := left.(*ast.FuncCall); ok && nary[op.function] && c.Name == op.function && c.Syntax == ast.SyntaxOperator && !c.Parens {
		// left was made by this chain and nobody else holds it.
		c.Args = append(c.Args, right)
		c.Range = p.from(start)
		return c
	}
	return p.operator(op.function, start, left, right)
}

// isBool makes x IS [NOT] TRUE and x IS [NOT] FALSE.
func (p *parser) isBool(form string, left ast.Expr, start int) ast.Expr {
	r := p.from(p.toks[p.pos-1].start)
	value := &ast.Literal{Range: r, Kind: ast.LiteralBool, Bool: strings.HasSuffix(form, "True")}
	if strings.HasPrefix(form, "isNot") {
		return p.operator("isDistinctFrom", start, left, value)
	}
	return p.operator("isNotDistinctFrom", start, left, value)
}

// quantifierAhead reports whether ANY (query), SOME (query) or ALL (query) is next.
func (p *parser) quantifierAhead() bool {
	return (p.wordAt(0, "ANY") || p.wordAt(0, "SOME") || p.wordAt(0, "ALL")) && p.queryAhead(1)
}

// quantifiedForms are the comparisons with all or any rows of a query: the function that compares, and the
// aggregate of the query's column it compares with; "" stands for the query itself.
var quantifiedForms = map[string]struct{ function, aggregate string }{
	"equals ANY": {"in", ""}, "notEquals ALL": {"notIn", ""},
	"equals ALL": {"in", "singleValueOrNull"}, "notEquals ANY": {"notIn", "singleValueOrNull"},
	"less ANY": {"less", "max"}, "lessOrEquals ANY": {"lessOrEquals", "max"},
	"greater ANY": {"greater", "min"}, "greaterOrEquals ANY": {"greaterOrEquals", "min"},
	"less ALL": {"less", "min"}, "lessOrEquals ALL": {"lessOrEquals", "min"},
	"greater ALL": {"greater", "max"}, "greaterOrEquals ALL": {"greaterOrEquals", "max"},
}

// quantified takes ANY (query) or ALL (query) on the right of a comparison.
func (p *parser) quantified(function string, left ast.Expr, start int) ast.Expr {
	word := "ANY"
	if p.wordAt(0, "ALL") {
		word = "ALL"
	}
	form, ok := quantifiedForms[function+" "+word]
	if !ok {
		p.failWant("expression")
	}
	p.pos++
	q := p.subquery()
	if form.aggregate != "" {
		all := &ast.Asterisk{Range: q.Range}
		call := &ast.FuncCall{Range: q.Range, Name: form.aggregate, Args: []ast.Expr{all}}
		s := &ast.Select{Range: q.Range, Exprs: []ast.Expr{call}, From: &ast.SubqueryTable{Range: q.Range, Query: q.Query}}
		q = &ast.Subquery{Range: q.Range, Query: &ast.SelectUnion{Range: q.Range, Items: []ast.UnionItem{{Select: s}}}}
	}
	return p.operator(form.function, start, left, q)
}

func (p *parser) between(left ast.Expr, start int, join, low, high string) ast.Expr {
	lo := p.binding(bindBetween + 1)
	p.needWords("AND")
	hi := p.binding(bindBetween + 1)
	c := p.operator(join, start, p.operator(low, start, left, lo), p.operator(high, start, left, hi))
	c.Parens = true // a AND after it is another call
	return c
}

func (p *parser) ternary(cond ast.Expr, start int) ast.Expr {
	p.needSymbol("?")
	then := p.binding(bindTernary)
	p.needSymbol(":")
	otherwise := p.binding(bindTernary)
	c := p.operator("if", start, cond, then, otherwise)
	c.Syntax = ast.SyntaxSpecial
	return c
}

// lambda takes -> body; left holds the parameters.
func (p *parser) lambda(left ast.Expr, start int) ast.Expr {
	arrow := p.at()
	items := []ast.Expr{left}
	if c, ok := left.(*ast.FuncCall); ok && c.Name == "tuple" {
		items = c.Args
	}
	params := make([]string, len(items))
	for i, e := range items {
		id, ok := e.(*ast.Ident)
		if !ok || len(id.Parts) != 1 {
			p.failAt(arrow, "The parameters of a lambda must be identifiers")
		}
		params[i] = id.Parts[0].Text
	}
	p.needSymbol("->")
	body := p.binding(bindLambda)
	p.count()
	return &ast.Lambda{Range: p.from(start), Params: params, Body: body}
}

// postfix takes [index], .1, .name and ::Type after an operand.
func (p *parser) postfix(e ast.Expr, start int) ast.Expr {
	for chain := 0; ; chain++ {
		if p.depth+chain > p.limits.Depth {
			panic(bail{sqlerr.At(start, sqlerr.TooDeepAST, "AST is too deep. Maximum: %d", p.limits.Depth)})
		}
		switch {
		case p.symbol("["):
			e = p.operator("arrayElement", start, e, p.expr())
			p.needSymbol("]")
			e.(*ast.FuncCall).Range = p.from(start)
		case p.symbolAt(0, ".") && p.peek(1).kind == tokNumber:
			p.pos++
			index := p.number(p.at().start, false)
			e = p.operator("tupleElement", start, e, index)
		case p.symbolAt(0, ".") && (p.peek(1).kind == tokWord || p.peek(1).kind == tokQuoted):
			p.pos++
			t := p.at()
			name := &ast.Literal{Kind: ast.LiteralString, Str: p.ident(), Range: ast.Range{Start: t.start, End: t.end}}
			e = p.operator("tupleElement", start, e, name)
		case p.symbol("::"):
			e = p.castTo(e, start)
		default:
			return e
		}
	}
}

// castTo takes the type after ::. A literal is cast from its text, so that decimals keep their digits.
func (p *parser) castTo(e ast.Expr, start int) ast.Expr {
	t := p.dataType()
	if isConstant(e) {
		if l, ok := e.(*ast.Literal); !ok || l.Kind != ast.LiteralString && l.Kind != ast.LiteralNull && l.Kind != ast.LiteralBool {
			r := e.Span()
			e = &ast.Literal{Range: r, Kind: ast.LiteralString, Str: p.text[r.Start:r.End]}
		}
	}
	return p.cast(e, t, start)
}

func (p *parser) cast(e ast.Expr, t ast.DataType, start int) ast.Expr {
	c := p.operator("CAST", start, e, &ast.Literal{Range: t.Range, Kind: ast.LiteralString, Str: t.Text})
	c.Syntax = ast.SyntaxCast
	return c
}

// isConstant reports whether e is a literal, or an array or tuple of literals in brackets.
func isConstant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Literal:
		return true
	case *ast.FuncCall:
		if e.Syntax != ast.SyntaxArray && e.Syntax != ast.SyntaxTuple {
			return false
		}
		for _, a := range e.Args {
			if !isConstant(a) {
				return false
			}
		}
		return true
	}
	return false
}

// notAnAlias are the words that go on with the query after an expression or a table, so that they are no alias without AS.
var notAnAlias = wordSet(`ALL AND ANTI ANY APPLY ARRAY AS ASC ASCENDING ASOF BETWEEN BY COLLATE COMMENT CROSS DEDUPLICATE DESC DESCENDING DIV ELSE END EXCEPT FETCH FINAL
	FOR FORMAT FROM FULL GLOBAL GROUP HAVING ILIKE IN INNER INTERPOLATE INTERSECT INTO IS JOIN LEFT LIKE LIMIT LOCAL MOD NOT NULLS OFFSET ON ONLY OR ORDER
	OUTER OVER PARALLEL PASTE PREWHERE QUALIFY REGEXP REPLACE RIGHT SAMPLE SELECT SEMI SET SETTINGS STEP THEN TO TTL UNION USING VALUES WHEN WHERE WINDOW WITH`)

// notAFunction are those of them that are no function either, when a parenthesis follows.
var notAFunction = wordSet(`AS BETWEEN ELSE FROM HAVING INTO IS JOIN ON PREWHERE SELECT THEN UNION USING WHEN WHERE`)

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// aliased takes expr [[AS] alias]. AS may be left out if bare.
func (p *parser) aliased(bare bool) ast.Expr {
	start := p.at().start
	e := p.expr()
	if name := p.alias(bare); name != "" {
		p.count()
		return &ast.Alias{Range: p.from(start), Expr: e, Name: name}
	}
	return e
}

// alias takes [AS] name, or returns "".
func (p *parser) alias(bare bool) string {
	next := p.peek(1)
	if p.wordAt(0, "AS") && !p.wordAt(1, "SELECT") && (next.kind == tokWord || next.kind == tokQuoted || next.kind == tokEnd) {
		p.pos++
		return p.ident()
	}
	t := p.at()
	switch {
	case !bare:
	case t.kind == tokQuoted:
		return p.ident()
	case t.kind == tokWord && (!notAnAlias[strings.ToUpper(p.src(t))] || p.softAlias(t)):
		return p.ident()
	}
	return ""
}

// softAliases are those of notAnAlias that are an alias all the same if the list or the query ends behind them.
var softAliases = wordSet(`APPLY BY COMMENT DEDUPLICATE DESC DESCENDING ASC ASCENDING END FETCH FOR INTERPOLATE IS LOCAL OUTER OVER REPLACE SET STEP TO TTL VALUES WHEN`)

func (p *parser) softAlias(t token) bool {
	if !softAliases[strings.ToUpper(p.src(t))] {
		return false
	}
	return p.peek(1).kind == tokEnd || p.symbolAt(1, ",") || p.symbolAt(1, ")") || p.symbolAt(1, ";") || p.wordAt(1, "FROM") || p.wordAt(1, "WHERE")
}

// aliasedList takes expressions separated by commas. A trailing comma before stop is fine if stop is not nil.
func (p *parser) aliasedList(bare bool, stop func() bool) []ast.Expr {
	list := []ast.Expr{p.aliased(bare)}
	for p.symbol(",") {
		if stop != nil && stop() {
			break
		}
		list = append(list, p.aliased(bare))
	}
	return list
}

func (p *parser) exprList() []ast.Expr { return p.aliasedList(false, nil) }
