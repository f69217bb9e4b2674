package parse

import "github.com/olapd/olapd/query/ast"

// union takes selects joined by set operations. INTERSECT binds tighter than UNION and EXCEPT.
func (p *parser) union() *ast.SelectUnion {
	p.enter()
	defer p.leave()
	start := p.at().start
	u := &ast.SelectUnion{Items: []ast.UnionItem{p.unionItem(ast.SetNone)}}
	for {
		op := p.setOp()
		if op == ast.SetNone {
			break
		}
		item := p.unionItem(op)
		last := len(u.Items) - 1
		if isIntersect(op) && last > 0 && !isIntersect(u.Items[last].Op) {
			u.Items[last] = nestIntersect(u.Items[last], item)
			continue
		}
		u.Items = append(u.Items, item)
	}
	u.Range = p.from(start)
	return u
}

func isIntersect(op ast.SetOp) bool {
	return op == ast.SetIntersect || op == ast.SetIntersectDistinct
}

// nestIntersect makes one operand of left and the operand that INTERSECT joins to it.
func nestIntersect(left, right ast.UnionItem) ast.UnionItem {
	op := left.Op
	left.Op = ast.SetNone
	n := &ast.SelectUnion{Items: []ast.UnionItem{left, right}}
	n.Start, n.End = itemSpan(left).Start, itemSpan(right).End
	return ast.UnionItem{Op: op, Nested: n}
}

func itemSpan(i ast.UnionItem) ast.Range {
	if i.Nested != nil {
		return i.Nested.Range
	}
	return i.Select.Range
}

func (p *parser) setOp() ast.SetOp {
	switch p.anyWords("UNION ALL", "UNION DISTINCT", "UNION", "INTERSECT DISTINCT", "INTERSECT ALL", "INTERSECT",
		"EXCEPT DISTINCT", "EXCEPT ALL", "EXCEPT") {
	case "UNION ALL":
		return ast.SetUnionAll
	case "UNION DISTINCT":
		return ast.SetUnionDistinct
	case "UNION":
		return ast.SetUnion
	case "INTERSECT DISTINCT":
		return ast.SetIntersectDistinct
	case "INTERSECT ALL", "INTERSECT":
		return ast.SetIntersect
	case "EXCEPT DISTINCT":
		return ast.SetExceptDistinct
	case "EXCEPT ALL", "EXCEPT":
		return ast.SetExcept
	}
	return ast.SetNone
}

func (p *parser) unionItem(op ast.SetOp) ast.UnionItem {
	if !p.isSymbol("(") {
		return ast.UnionItem{Op: op, Select: p.selectQuery()}
	}
	p.needSymbol("(")
	u := p.union()
	p.needSymbol(")")
	if len(u.Items) == 1 {
		item := u.Items[0]
		item.Op = op
		return item
	}
	return ast.UnionItem{Op: op, Nested: u}
}

// output takes INTO OUTFILE, FORMAT and SETTINGS at the end of a statement.
func (p *parser) output(o *ast.Output) {
	if p.words("INTO OUTFILE") {
		o.OutFile = p.stringLiteral()
		o.OutAppend = p.words("APPEND")
		o.OutTruncate = p.words("TRUNCATE")
		p.words("AND STDOUT")
		if p.words("COMPRESSION") {
			o.Compression = p.stringText()
			if p.words("LEVEL") {
				p.uint()
			}
		}
	}
	if p.words("FORMAT") {
		o.Format = p.ident()
	}
	if p.words("SETTINGS") {
		o.Settings = append(o.Settings, p.settings()...)
	}
}

func (p *parser) settings() []ast.Setting {
	list := []ast.Setting{p.setting()}
	for p.symbolAt(0, ",") && !p.alterAhead(1) {
		p.pos++
		list = append(list, p.setting())
	}
	return list
}

func (p *parser) setting() ast.Setting {
	start := p.at().start
	s := ast.Setting{Name: p.compound()}
	if !p.symbol("=") { // a bare name switches a setting on
		s.Value = &ast.Literal{Kind: ast.LiteralUint, Uint: 1, Range: p.from(start)}
		s.Range = p.from(start)
		return s
	}
	if p.wordAt(0, "DEFAULT") {
		p.pos++
		s.Range = p.from(start)
		return s
	}
	s.Value = p.settingValue()
	s.Range = p.from(start)
	return s
}

// settingValue takes a constant. A bare word is its own text.
func (p *parser) settingValue() ast.Expr {
	t := p.at()
	if t.kind == tokWord && !p.symbolAt(1, "(") {
		if l := p.wordLiteral(); l != nil {
			return l
		}
		return &ast.Literal{Kind: ast.LiteralString, Str: p.compound(), Range: p.from(t.start)}
	}
	if p.symbolAt(0, "{") && p.peek(1).kind != tokWord {
		return p.settingMap()
	}
	return p.binding(bindAdd)
}

// settingMap takes {'key': 'value', …} as a call of map.
func (p *parser) settingMap() ast.Expr {
	start := p.at().start
	p.needSymbol("{")
	m := &ast.FuncCall{Name: "map"}
	for again := !p.isSymbol("}"); again; again = p.symbol(",") {
		m.Args = append(m.Args, p.binding(bindAdd))
		p.needSymbol(":")
		m.Args = append(m.Args, p.binding(bindAdd))
	}
	p.needSymbol("}")
	m.Range = p.from(start)
	return m
}

// selectQuery takes one SELECT with all of its clauses. FROM may come first.
func (p *parser) selectQuery() *ast.Select {
	p.enter()
	defer p.leave()
	p.count()
	start := p.at().start
	s := &ast.Select{}
	if p.words("WITH") {
		s.Recursive = p.words("RECURSIVE")
		s.With = p.withItems()
	}
	if p.words("FROM") {
		s.From = p.tables()
	}
	p.needWords("SELECT")
	p.selectList(s)
	if s.From == nil && p.words("FROM") {
		s.From = p.tables()
	}
	p.filters(s)
	p.tail(s)
	s.Range = p.from(start)
	return s
}

func (p *parser) selectList(s *ast.Select) {
	switch {
	case p.words("DISTINCT ON"):
		p.needSymbol("(")
		s.Distinct = true
		s.DistinctOn = p.argsUntilClose()
	case p.wordAt(0, "DISTINCT") && !p.symbolAt(1, ","):
		p.pos++
		s.Distinct = true
	case p.wordAt(0, "ALL") && p.peek(1).kind != tokEnd && !p.symbolAt(1, ","):
		p.pos++
	}
	if p.wordAt(0, "TOP") && p.peek(1).kind == tokNumber {
		p.pos++
		s.Limit = p.operand()
		s.LimitTies = p.words("WITH TIES")
	}
	s.Exprs = p.aliasedList(true, p.endOfList)
}

// endOfList tells a trailing comma of a select list.
func (p *parser) endOfList() bool {
	return p.at().kind == tokEnd || p.symbolAt(0, ")") || p.symbolAt(0, ";") || p.wordAt(0, "FROM") && !p.symbolAt(1, ",")
}

func (p *parser) withItems() []*ast.WithItem {
	list := []*ast.WithItem{p.withItem()}
	for p.symbol(",") {
		if p.wordAt(0, "SELECT") {
			break
		}
		list = append(list, p.withItem())
	}
	return list
}

// withItem takes name [(columns)] AS (query) or expr AS name.
func (p *parser) withItem() *ast.WithItem {
	start := p.at().start
	p.count()
	w := &ast.WithItem{}
	switch {
	case p.isName() && p.wordAt(1, "AS") && (p.queryAhead(2) || p.wordAt(2, "MATERIALIZED") || p.wordAt(2, "NOT") && p.wordAt(3, "MATERIALIZED")):
		w.Name = p.ident()
	case p.isName() && p.symbolAt(1, "(") && p.cteColumnsAhead():
		w.Name = p.ident()
		w.Columns = p.identList()
	default:
		w.Expr, w.Name = ast.Unalias(p.aliased(false))
		w.Range = p.from(start)
		return w
	}
	p.needWords("AS")
	w.Materialized = p.anyWords("NOT MATERIALIZED", "MATERIALIZED") == "MATERIALIZED"
	w.Query = p.subquery().Query
	w.Range = p.from(start)
	return w
}

// cteColumnsAhead reports whether name (a, b) AS (query) is next.
func (p *parser) cteColumnsAhead() bool {
	n := 2
	for p.peek(n).kind == tokWord || p.peek(n).kind == tokQuoted || p.symbolAt(n, ",") {
		n++
	}
	return p.symbolAt(n, ")") && p.wordAt(n+1, "AS") && p.queryAhead(n+2)
}

// filters takes PREWHERE to QUALIFY.
func (p *parser) filters(s *ast.Select) {
	if p.words("PREWHERE") {
		s.Prewhere = p.aliased(false)
	}
	if p.words("WHERE") {
		s.Where = p.aliased(false)
	}
	if p.words("GROUP BY") {
		p.groupBy(s)
	}
	p.groupModifiers(s)
	if p.words("HAVING") {
		s.Having = p.aliased(false)
	}
	if p.words("WINDOW") {
		s.Windows = append(s.Windows, p.namedWindow())
		for p.symbol(",") {
			s.Windows = append(s.Windows, p.namedWindow())
		}
	}
	if p.words("QUALIFY") {
		s.Qualify = p.aliased(false)
	}
}

func (p *parser) namedWindow() *ast.NamedWindow {
	start := p.at().start
	name := p.ident()
	p.needWords("AS")
	spec := p.windowSpec()
	return &ast.NamedWindow{Range: p.from(start), Name: name, Spec: spec}
}

func (p *parser) groupBy(s *ast.Select) {
	switch {
	case p.wordAt(0, "ALL") && !p.symbolAt(1, ",") && !p.symbolAt(1, "("):
		p.pos++
		s.GroupByAll = true
	case p.words("GROUPING SETS"):
		s.GroupMode = ast.GroupingSets
		p.needSymbol("(")
		for again := true; again; again = p.symbol(",") {
			s.Sets = append(s.Sets, p.groupingSet())
		}
		p.needSymbol(")")
	case p.wordAt(0, "ROLLUP") && p.symbolAt(1, "("):
		p.pos += 2
		s.GroupMode, s.GroupBy = ast.GroupRollup, p.argsUntilClose()
	case p.wordAt(0, "CUBE") && p.symbolAt(1, "("):
		p.pos += 2
		s.GroupMode, s.GroupBy = ast.GroupCube, p.argsUntilClose()
	default:
		s.GroupBy = p.exprList()
	}
}

func (p *parser) groupingSet() []ast.Expr {
	if p.symbol("(") {
		set := p.argsUntilClose()
		if set == nil {
			set = []ast.Expr{}
		}
		return set
	}
	return []ast.Expr{p.expr()}
}

func (p *parser) groupModifiers(s *ast.Select) {
	for {
		switch {
		case s.GroupMode == ast.GroupPlain && (s.GroupByAll || len(s.GroupBy) > 0) && p.words("WITH ROLLUP"):
			s.GroupMode = ast.GroupRollup
		case s.GroupMode == ast.GroupPlain && (s.GroupByAll || len(s.GroupBy) > 0) && p.words("WITH CUBE"):
			s.GroupMode = ast.GroupCube
		case !s.WithTotals && p.words("WITH TOTALS"):
			s.WithTotals = true
		default:
			return
		}
	}
}

// tail takes ORDER BY to SETTINGS.
func (p *parser) tail(s *ast.Select) {
	if p.words("ORDER BY") {
		p.orderBy(s)
	}
	if p.words("LIMIT") {
		p.limit(s)
	}
	if s.LimitBy != nil && p.words("LIMIT") {
		p.limit(s)
	}
	p.offset(s)
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
}

func (p *parser) orderBy(s *ast.Select) {
	if p.wordAt(0, "ALL") && !p.symbolAt(1, ",") && !p.symbolAt(1, "(") {
		start := p.advance().start
		o := &ast.OrderItem{}
		p.direction(o)
		o.Range = p.from(start)
		s.OrderByAll, s.OrderBy = true, []*ast.OrderItem{o}
		return
	}
	s.OrderBy = p.orderItems()
	if !p.words("INTERPOLATE") {
		return
	}
	s.HasInterpolate = true
	if !p.symbol("(") {
		return
	}
	for !p.isSymbol(")") {
		start := p.at().start
		a := &ast.Alias{Name: p.compound()}
		if p.words("AS") {
			a.Expr = p.expr()
		} else {
			a.Expr = &ast.Ident{Range: p.from(start), Parts: []ast.Name{{Text: a.Name}}}
		}
		a.Range = p.from(start)
		s.Interpolate = append(s.Interpolate, a)
		if !p.symbol(",") {
			break
		}
	}
	p.needSymbol(")")
}

func (p *parser) orderItems() []*ast.OrderItem {
	list := []*ast.OrderItem{p.orderItem()}
	for p.symbol(",") {
		list = append(list, p.orderItem())
	}
	return list
}

func (p *parser) orderItem() *ast.OrderItem {
	start := p.at().start
	o := &ast.OrderItem{Expr: p.aliased(false)}
	p.direction(o)
	if p.words("WITH FILL") {
		o.Fill = p.withFill()
	}
	o.Range = p.from(start)
	return o
}

func (p *parser) direction(o *ast.OrderItem) {
	switch p.anyWords("ASCENDING", "ASC", "DESCENDING", "DESC") {
	case "DESCENDING", "DESC":
		o.Desc = true
	}
	switch p.anyWords("NULLS FIRST", "NULLS LAST") {
	case "NULLS FIRST":
		o.Nulls = ast.NullsFirst
	case "NULLS LAST":
		o.Nulls = ast.NullsLast
	}
	if p.words("COLLATE") {
		o.Collate = p.identOrString()
	}
}

func (p *parser) withFill() *ast.WithFill {
	f := &ast.WithFill{}
	if p.words("FROM") {
		f.From = p.expr()
	}
	if p.words("TO") {
		f.To = p.expr()
	}
	if p.words("STEP") {
		f.Step = p.expr()
	}
	if p.words("STALENESS") {
		f.Staleness = p.expr()
	}
	return f
}

// limit takes what follows LIMIT: n, m,n, n OFFSET m, and WITH TIES or BY.
func (p *parser) limit(s *ast.Select) {
	limit := p.expr()
	var offset ast.Expr
	switch {
	case p.symbol(","):
		offset, limit = limit, p.expr()
	case p.words("OFFSET"):
		offset = p.expr()
	}
	if s.LimitBy == nil && p.words("BY") {
		b := &ast.LimitBy{Limit: limit, Offset: offset}
		if p.wordAt(0, "ALL") && !p.symbolAt(1, ",") {
			p.pos++
			b.All = true
		} else {
			b.By = p.exprList()
		}
		s.LimitBy = b
		return
	}
	s.Limit, s.Offset = limit, offset
	s.LimitTies = p.words("WITH TIES")
}

// offset takes OFFSET m [ROWS] [FETCH FIRST n ROWS [ONLY|WITH TIES]].
func (p *parser) offset(s *ast.Select) {
	if s.Offset == nil && p.words("OFFSET") {
		s.Offset = p.expr()
		p.anyWords("ROWS", "ROW")
	}
	if s.Limit == nil && p.anyWords("FETCH FIRST", "FETCH NEXT") != "" {
		s.Limit = &ast.Literal{Kind: ast.LiteralUint, Uint: 1, Range: p.from(p.at().start)}
		if !p.isWords("ROW") && !p.isWords("ROWS") {
			s.Limit = p.expr()
		}
		p.anyWords("ROWS", "ROW")
		if !p.words("ONLY") {
			p.needWords("WITH TIES")
			s.LimitTies = true
		}
	}
}
