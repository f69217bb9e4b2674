package parse

import "github.com/olapd/olapd/query/ast"

// tables takes what follows FROM: tables joined in any way, to the left.
func (p *parser) tables() ast.TableExpr {
	start := p.at().start
	left := p.tableExpr()
	for n := 0; ; n++ {
		if n > p.limits.Depth {
			p.enterTooDeep()
		}
		next := p.joinClause(left, start)
		if next == nil {
			return left
		}
		left = next
	}
}

// tableExpr takes a table, a table function, a query in parentheses or joined tables in parentheses.
func (p *parser) tableExpr() ast.TableExpr {
	p.enter()
	defer p.leave()
	p.count()
	start := p.at().start
	switch {
	case p.queryAhead(0):
		t := &ast.SubqueryTable{Query: p.subquery().Query}
		t.Final, t.Sample, t.Alias = p.tableTail()
		if t.Alias != "" && p.symbolAt(0, "(") {
			t.Columns = p.identList()
		}
		t.Range = p.from(start)
		return t
	case p.symbol("("):
		t := p.tables()
		p.needSymbol(")")
		return t
	}
	name := p.tableName()
	if p.symbolAt(0, "(") {
		return p.tableFunction(name, start)
	}
	t := &ast.TableRef{Name: name}
	t.Final, t.Sample, t.Alias = p.tableTail()
	t.Range = p.from(start)
	return t
}

func (p *parser) tableFunction(name ast.TableName, start int) ast.TableExpr {
	call, settings := p.tableCall(name.Table.Text, start)
	t := &ast.TableFunction{Database: name.Database, Call: call, Settings: settings}
	t.Final, t.Sample, t.Alias = p.tableTail()
	t.Range = p.from(start)
	return t
}

// tableCall takes the arguments of a table function, which may be a bare query and end in SETTINGS.
func (p *parser) tableCall(name string, start int) (*ast.FuncCall, []ast.Setting) {
	c := &ast.FuncCall{Name: name}
	var settings []ast.Setting
	p.needSymbol("(")
	for !p.isSymbol(")") {
		if p.wordAt(0, "SETTINGS") && p.peek(1).kind == tokWord {
			p.pos++
			settings = p.settings()
			break
		}
		c.Args = append(c.Args, p.tableArgument())
		if !p.symbol(",") {
			break
		}
	}
	p.needSymbol(")")
	c.Range = p.from(start)
	return c, settings
}

func (p *parser) tableArgument() ast.Expr {
	if p.wordAt(0, "SELECT") || p.wordAt(0, "WITH") && p.peek(1).kind != tokSymbol {
		start := p.at().start
		q := p.union()
		return &ast.Subquery{Range: p.from(start), Query: q}
	}
	return p.aliased(false)
}

// tableTail takes FINAL, SAMPLE and the alias, in the orders ClickHouse allows.
func (p *parser) tableTail() (final bool, sample *ast.SampleRatio, alias string) {
	alias = p.alias(true)
	final = p.words("FINAL")
	if p.words("SAMPLE") {
		sample = &ast.SampleRatio{Ratio: p.binding(bindAdd)}
		if p.words("OFFSET") {
			sample.Offset = p.binding(bindAdd)
		}
	}
	if alias == "" && (final || sample != nil) {
		alias = p.alias(true)
	}
	return final, sample, alias
}

// joinClause takes one join to the tables at its left, or returns nil.
func (p *parser) joinClause(left ast.TableExpr, start int) ast.TableExpr {
	if p.symbol(",") {
		right := p.tableExpr()
		return &ast.Join{Left: left, Right: right, Kind: ast.JoinComma, Range: p.from(start)}
	}
	if isLeft := p.words("LEFT ARRAY JOIN"); isLeft || p.words("ARRAY JOIN") || p.words("INNER ARRAY JOIN") {
		a := &ast.ArrayJoin{Input: left, Left: isLeft, Exprs: p.aliasedList(true, nil)}
		a.Range = p.from(start)
		return a
	}
	j := &ast.Join{Left: left}
	mark := p.pos
	switch p.anyWords("GLOBAL", "LOCAL") {
	case "GLOBAL":
		j.Global = true
	case "LOCAL":
		j.Local = true
	}
	if !p.joinWords(j) {
		p.pos = mark
		return nil
	}
	j.Right = p.tableExpr()
	p.joinCondition(j)
	j.Range = p.from(start)
	return j
}

// joinWords takes strictness and kind in either order, and JOIN.
func (p *parser) joinWords(j *ast.Join) bool {
	p.strictness(j)
	kinds := map[string]ast.JoinKind{"LEFT": ast.JoinLeft, "RIGHT": ast.JoinRight, "FULL": ast.JoinFull, "CROSS": ast.JoinCross, "PASTE": ast.JoinPaste}
	k := p.anyWords("INNER", "LEFT", "RIGHT", "FULL", "CROSS", "PASTE")
	j.Kind = kinds[k]
	if j.Strictness == ast.StrictDefault {
		p.strictness(j)
	}
	if k == "" && (j.Strictness == ast.StrictSemi || j.Strictness == ast.StrictAnti) {
		j.Kind = ast.JoinLeft
	}
	if k == "LEFT" || k == "RIGHT" || k == "FULL" {
		p.words("OUTER")
	}
	return p.words("JOIN")
}

func (p *parser) strictness(j *ast.Join) {
	switch p.anyWords("ANY", "ALL", "ASOF", "SEMI", "ANTI") {
	case "ANY":
		j.Strictness = ast.StrictAny
	case "ALL":
		j.Strictness = ast.StrictAll
	case "ASOF":
		j.Strictness = ast.StrictAsof
	case "SEMI":
		j.Strictness = ast.StrictSemi
	case "ANTI":
		j.Strictness = ast.StrictAnti
	}
}

func (p *parser) joinCondition(j *ast.Join) {
	if j.Kind == ast.JoinCross || j.Kind == ast.JoinPaste {
		return
	}
	switch {
	case p.words("ON"):
		j.On = p.aliased(false)
	case p.words("USING"):
		if p.symbol("(") {
			j.Using = p.aliasedList(true, nil)
			p.needSymbol(")")
			return
		}
		j.Using = p.aliasedList(false, nil)
	default:
		p.fail()
	}
}
