package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// canonicalNames are the functions ClickHouse's parser renames, by upper-cased name.
var canonicalNames = map[string]string{
	"LTRIM": "trimLeft", "RTRIM": "trimRight", "TRIM": "trimBoth",
	"SUBSTRING": "substring", "POSITION": "position", "CAST": "CAST",
	"DATEDIFF": "dateDiff", "DATE_DIFF": "dateDiff", "TIMESTAMPDIFF": "dateDiff", "TIMESTAMP_DIFF": "dateDiff",
}

// call takes the parenthesised arguments of the function name and what follows a call.
func (p *parser) call(name string, start int) ast.Expr {
	p.enter()
	defer p.leave()
	p.count()
	c := &ast.FuncCall{Name: name}
	p.needSymbol("(")
	c.Distinct = p.distinctArguments()
	c.Args = p.argsUntilClose()
	if p.symbolAt(0, "(") {
		p.pos++
		c.Params = c.Args
		if c.Params == nil {
			c.Params = []ast.Expr{}
		}
		c.Distinct = p.distinctArguments()
		c.Args = p.argsUntilClose()
	}
	p.callTail(c)
	c.Range = p.from(start)
	return c
}

// distinctArguments takes DISTINCT in front of arguments.
func (p *parser) distinctArguments() bool {
	if p.wordAt(0, "DISTINCT") && !p.symbolAt(1, ",") && !p.symbolAt(1, ")") {
		p.pos++
		return true
	}
	if p.wordAt(0, "ALL") && (p.peek(1).kind == tokWord || p.peek(1).kind == tokQuoted) {
		p.pos++
	}
	return false
}

// argsUntilClose takes arguments and the closing parenthesis.
func (p *parser) argsUntilClose() []ast.Expr {
	var args []ast.Expr
	if !p.isSymbol(")") {
		args = p.exprList()
	}
	p.needSymbol(")")
	return args
}

// callTail takes RESPECT NULLS, FILTER and OVER.
func (p *parser) callTail(c *ast.FuncCall) {
	switch {
	case p.words("RESPECT NULLS"):
		c.Nulls = ast.RespectNulls
	case p.words("IGNORE NULLS"):
		c.Nulls = ast.IgnoreNulls
	}
	if p.wordAt(0, "FILTER") && p.symbolAt(1, "(") && p.wordAt(2, "WHERE") {
		p.pos += 3
		c.Filter = p.expr()
		p.needSymbol(")")
	}
	if p.wordAt(0, "OVER") && (p.symbolAt(1, "(") || p.peek(1).kind == tokWord || p.peek(1).kind == tokQuoted) {
		p.pos++
		c.Over = p.over()
	}
}

func (p *parser) over() *ast.Window {
	start := p.at().start
	if !p.isSymbol("(") {
		name := p.ident()
		return &ast.Window{Name: name, Range: p.from(start)}
	}
	return p.windowSpec()
}

// windowSpec takes (spec).
func (p *parser) windowSpec() *ast.Window {
	start := p.at().start
	p.needSymbol("(")
	w := &ast.Window{}
	if p.isName() && !p.isWords("PARTITION BY") && !p.isWords("ORDER BY") && !p.frameAhead() {
		w.Base = p.ident()
	}
	if p.words("PARTITION BY") {
		w.PartitionBy = p.exprList()
	}
	if p.words("ORDER BY") {
		w.OrderBy = p.orderItems()
	}
	if p.frameAhead() {
		w.Frame = p.frame()
	}
	p.needSymbol(")")
	w.Range = p.from(start)
	p.count()
	return w
}

func (p *parser) frameAhead() bool {
	return (p.isWords("ROWS") || p.isWords("RANGE") || p.isWords("GROUPS")) && p.peek(1).kind != tokSymbol
}

func (p *parser) frame() *ast.Frame {
	f := &ast.Frame{}
	start := p.at().start
	switch p.anyWords("ROWS", "RANGE", "GROUPS") {
	case "RANGE":
		f.Unit = ast.FrameRange
	case "GROUPS":
		f.Unit = ast.FrameGroups
	}
	if p.words("BETWEEN") {
		f.From = p.frameBound()
		p.needWords("AND")
		f.To = p.frameBound()
	} else {
		f.From = p.frameBound()
		f.To = ast.FrameBound{Kind: ast.CurrentRow}
	}
	f.Range = p.from(start)
	return f
}

func (p *parser) frameBound() ast.FrameBound {
	switch p.anyWords("CURRENT ROW", "UNBOUNDED PRECEDING", "UNBOUNDED FOLLOWING") {
	case "CURRENT ROW":
		return ast.FrameBound{Kind: ast.CurrentRow}
	case "UNBOUNDED PRECEDING":
		return ast.FrameBound{Kind: ast.UnboundedPreceding}
	case "UNBOUNDED FOLLOWING":
		return ast.FrameBound{Kind: ast.UnboundedFollowing}
	}
	b := ast.FrameBound{Kind: ast.Preceding, Offset: p.binding(bindBetween + 1)}
	if p.words("FOLLOWING") {
		b.Kind = ast.Following
		return b
	}
	p.needWords("PRECEDING")
	return b
}

// specialCall takes the calls whose arguments have a grammar of their own, or
// returns nil if the word before the parenthesis is an ordinary function.
func (p *parser) specialCall() ast.Expr {
	start := p.at().start
	name := strings.ToUpper(p.src(p.at()))
	switch name {
	case "COLUMNS":
		return p.columns(nil, start)
	case "NOT", "INTERVAL", "CASE":
		if name == "INTERVAL" {
			return p.keywordOperand()
		}
		return nil
	case "EXISTS":
		if !p.queryAhead(1) {
			return nil
		}
		p.pos++
		c := p.operator("exists", start, p.subquery())
		c.Syntax, c.Range = ast.SyntaxSpecial, p.from(start)
		return c
	case "CAST", "TRY_CAST":
		return p.castCall(start)
	case "EXTRACT":
		return p.extract(start)
	case "SUBSTRING":
		return p.keywordArguments("substring", start, "FROM", "FOR")
	case "OVERLAY":
		return p.keywordArguments("overlay", start, "PLACING", "FROM", "FOR")
	case "POSITION":
		return p.position(start)
	case "TRIM", "LTRIM", "RTRIM":
		return p.trim(name, start)
	case "DATE_ADD", "DATEADD", "TIMESTAMP_ADD", "TIMESTAMPADD":
		return p.dateArithmetic("plus", start)
	case "DATE_SUB", "DATESUB", "TIMESTAMP_SUB", "TIMESTAMPSUB":
		return p.dateArithmetic("minus", start)
	case "DATE_DIFF", "DATEDIFF", "TIMESTAMP_DIFF", "TIMESTAMPDIFF", "AGE":
		return p.dateDiff(name, start)
	}
	return nil
}

// special makes the call of a special form.
func (p *parser) special(name string, start int, args ...ast.Expr) ast.Expr {
	c := p.operator(name, start, args...)
	c.Syntax = ast.SyntaxSpecial
	return c
}

// castCall takes CAST(x AS T) or CAST(x, 'T').
func (p *parser) castCall(start int) ast.Expr {
	try := p.wordAt(0, "TRY_CAST")
	p.pos += 2
	e := p.expr()
	if !p.isWords("AS") {
		p.needSymbol(",")
		t := p.expr()
		p.needSymbol(")")
		c := p.operator("CAST", start, e, t)
		if try {
			c.Name = "accurateCastOrNull"
		}
		c.Syntax = ast.SyntaxCall
		return c
	}
	if p.castAlias() {
		p.pos++
		e = &ast.Alias{Expr: e, Name: p.ident(), Range: p.from(e.Span().Start)}
		if p.symbol(",") {
			t := p.expr()
			p.needSymbol(")")
			return p.operator("CAST", start, e, t)
		}
	}
	p.needWords("AS")
	t := p.dataType()
	p.needSymbol(")")
	c := p.cast(e, t, start).(*ast.FuncCall)
	if try {
		c.Name = "accurateCastOrNull"
	}
	return c
}

// castAlias tells CAST(x AS y AS T) and CAST(x AS y, 'T') from CAST(x AS T).
func (p *parser) castAlias() bool {
	k := p.peek(1).kind
	return (k == tokWord || k == tokQuoted) && (p.wordAt(2, "AS") || p.symbolAt(2, ","))
}

// extractOnly are what EXTRACT takes beside units.
var extractOnly = map[string]string{
	"CENTURY": "", "DECADE": "", "MILLENNIUM": "", "EPOCH": "toUnixTimestamp", "DOW": "toDayOfWeek", "ISODOW": "toDayOfWeek", "DOY": "toDayOfYear", "ISOYEAR": "toISOYear",
}

// extract takes EXTRACT(unit FROM x), or returns nil for the function extract(haystack, pattern).
func (p *parser) extract(start int) ast.Expr {
	word := strings.ToUpper(p.src(p.peek(2)))
	function, ok := extractOnly[word]
	if u, isUnit := units[word]; isUnit {
		function, ok = u.extract, true
	}
	if !ok || !p.wordAt(3, "FROM") {
		return nil
	}
	p.pos += 4
	args := []ast.Expr{p.expr()}
	if word == "DOW" { // Sunday is 0
		args = append(args, &ast.Literal{Kind: ast.LiteralUint, Uint: 2, Range: p.from(p.at().start)})
	}
	p.needSymbol(")")
	if function == "" {
		return p.yearPart(word, start, args[0])
	}
	return p.special(function, start, args...)
}

// yearPart makes what counts years: decades from 0, centuries and millennia from 1.
func (p *parser) yearPart(word string, start int, date ast.Expr) ast.Expr {
	number := func(n uint64) ast.Expr { return &ast.Literal{Kind: ast.LiteralUint, Uint: n, Range: p.from(start)} }
	year := p.special("toYear", start, date)
	if word == "DECADE" {
		return p.special("intDiv", start, year, number(10))
	}
	size := uint64(100)
	if word == "MILLENNIUM" {
		size = 1000
	}
	whole := p.special("intDiv", start, p.special("minus", start, year, number(1)), number(size))
	return p.special("plus", start, whole, number(1))
}

// keywordArguments takes arguments that are separated by commas or by the keywords in their order.
func (p *parser) keywordArguments(name string, start int, seps ...string) ast.Expr {
	p.pos += 2
	var args []ast.Expr
	for !p.isSymbol(")") {
		args = append(args, p.aliased(false))
		if p.symbol(",") {
			continue
		}
		if sep := p.anyWords(seps...); sep == "" {
			break
		}
	}
	if name == "substring" && len(args) < 2 {
		p.failWant("FROM")
	}
	p.needSymbol(")")
	return p.special(name, start, args...)
}

// position takes POSITION(needle IN haystack) or position(haystack, needle).
func (p *parser) position(start int) ast.Expr {
	p.pos += 2
	first := p.binding(bindCompare + 1)
	if p.words("IN") {
		second := p.expr()
		p.needSymbol(")")
		return p.special("position", start, second, first)
	}
	if p.symbol(",") {
		args := append([]ast.Expr{first}, p.argsUntilClose()...)
		return p.special("position", start, args...)
	}
	p.needSymbol(")")
	return p.special("position", start, first)
}

// trim takes TRIM([BOTH|LEADING|TRAILING] chars FROM s) and its plain forms.
func (p *parser) trim(name string, start int) ast.Expr {
	p.pos += 2
	function := canonicalNames[name]
	if name == "TRIM" && p.peek(1).kind != tokSymbol {
		switch p.anyWords("BOTH", "LEADING", "TRAILING") {
		case "LEADING":
			function = "trimLeft"
		case "TRAILING":
			function = "trimRight"
		}
	}
	args := []ast.Expr{p.expr()}
	if p.words("FROM") {
		args = []ast.Expr{p.expr(), args[0]}
	}
	for p.symbol(",") {
		args = append(args, p.expr())
	}
	p.needSymbol(")")
	return p.special(function, start, args...)
}

// dateArithmetic takes DATE_ADD(unit, n, date) or date_add(date, INTERVAL n unit).
func (p *parser) dateArithmetic(function string, start int) ast.Expr {
	if u, ok := p.unitArgument(2); ok {
		p.pos += 4
		n := p.expr()
		p.needSymbol(",")
		date := p.expr()
		p.needSymbol(")")
		return p.special(function, start, date, p.special(u.interval, start, n))
	}
	p.pos += 2
	args := p.argsUntilClose()
	return p.special(function, start, args...)
}

// unitArgument reports whether the token n places ahead is a unit, bare or quoted, followed by a comma.
func (p *parser) unitArgument(n int) (unit, bool) {
	t := p.peek(n)
	if t.kind != tokWord && t.kind != tokString || !p.symbolAt(n+1, ",") {
		return unit{}, false
	}
	u, ok := units[strings.ToUpper(strings.Trim(p.src(t), "'"))]
	return u, ok
}

// dateDiff takes dateDiff(unit, a, b[, zone]) with a bare unit; otherwise it is an ordinary call.
func (p *parser) dateDiff(name string, start int) ast.Expr {
	function := canonicalNames[name]
	if name == "AGE" {
		function = "age"
	}
	u, ok := p.unitArgument(2)
	if !ok {
		return nil
	}
	t := p.peek(2)
	p.pos += 4
	lit := &ast.Literal{Range: ast.Range{Start: t.start, End: t.end}, Kind: ast.LiteralString, Str: u.name}
	if t.kind == tokString {
		lit.Str = p.unquote(t)
	}
	args := append([]ast.Expr{lit}, p.argsUntilClose()...)
	return p.special(function, start, args...)
}
