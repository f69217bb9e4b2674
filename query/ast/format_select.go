package ast

var setOpNames = [...]string{
	SetNone: "", SetUnion: " UNION ", SetUnionAll: " UNION ALL ", SetUnionDistinct: " UNION DISTINCT ",
	SetIntersect: " INTERSECT ", SetIntersectDistinct: " INTERSECT DISTINCT ", SetExcept: " EXCEPT ", SetExceptDistinct: " EXCEPT DISTINCT ",
}

func (p *printer) union(u *SelectUnion) {
	for i, item := range u.Items {
		if i > 0 {
			p.put(setOpNames[item.Op])
		}
		if item.Nested != nil {
			p.put("(")
			p.union(item.Nested)
			p.put(")")
			continue
		}
		p.selectQuery(item.Select)
	}
	p.output(u.Output)
}

func (p *printer) output(o Output) {
	if o.OutFile != nil {
		p.put(" INTO OUTFILE ", QuoteString(o.OutFile.Str))
		if o.OutAppend {
			p.put(" APPEND")
		}
		if o.OutTruncate {
			p.put(" TRUNCATE")
		}
		if o.Compression != "" {
			p.put(" COMPRESSION ", QuoteString(o.Compression))
		}
	}
	if o.Format != "" {
		p.put(" FORMAT ", QuoteIdent(o.Format))
	}
	if len(o.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(o.Settings)
	}
}

func (p *printer) clause(word string, e Expr) {
	if e != nil {
		p.put(word)
		p.expr(e)
	}
}

func (p *printer) selectQuery(s *Select) {
	p.with(s)
	p.put("SELECT ")
	if s.Distinct {
		p.put("DISTINCT ")
	}
	if s.DistinctOn != nil {
		p.put("ON (")
		p.exprs(s.DistinctOn)
		p.put(") ")
	}
	p.items(s.Exprs)
	if s.From != nil {
		p.put(" FROM ")
		p.table(s.From)
	}
	p.clause(" PREWHERE ", s.Prewhere)
	p.clause(" WHERE ", s.Where)
	p.groupBy(s)
	p.clause(" HAVING ", s.Having)
	for i, w := range s.Windows {
		if i == 0 {
			p.put(" WINDOW ")
		} else {
			p.put(", ")
		}
		p.put(QuoteIdent(w.Name), " AS ")
		p.window(w.Spec)
	}
	p.clause(" QUALIFY ", s.Qualify)
	p.orderBy(s)
	p.limits(s)
	if len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(s.Settings)
	}
}

func (p *printer) with(s *Select) {
	for i, w := range s.With {
		switch {
		case i > 0:
			p.put(", ")
		case s.Recursive:
			p.put("WITH RECURSIVE ")
		default:
			p.put("WITH ")
		}
		if w.Query == nil {
			p.expr(w.Expr)
			if w.Name != "" {
				p.put(" AS ", QuoteIdent(w.Name))
			}
			continue
		}
		p.put(QuoteIdent(w.Name))
		if w.Columns != nil {
			p.put(" (", quoteAll(w.Columns), ")")
		}
		p.put(" AS ")
		if w.Materialized {
			p.put("MATERIALIZED ")
		}
		p.put("(")
		p.union(w.Query)
		p.put(")")
	}
	if len(s.With) > 0 {
		p.put(" ")
	}
}

func (p *printer) groupBy(s *Select) {
	switch {
	case s.GroupMode == GroupingSets:
		p.put(" GROUP BY GROUPING SETS (")
		for i, set := range s.Sets {
			if i > 0 {
				p.put(", ")
			}
			p.put("(")
			p.exprs(set)
			p.put(")")
		}
		p.put(")")
	case s.GroupByAll || len(s.GroupBy) > 0:
		p.put(" GROUP BY ")
		if p.exprs(s.GroupBy); s.GroupByAll {
			p.put("ALL")
		}
		switch s.GroupMode {
		case GroupRollup:
			p.put(" WITH ROLLUP")
		case GroupCube:
			p.put(" WITH CUBE")
		}
	}
	if s.WithTotals {
		p.put(" WITH TOTALS")
	}
}

func (p *printer) order(items []*OrderItem) {
	for i, o := range items {
		if i > 0 {
			p.put(", ")
		}
		if o.Expr == nil {
			p.put("ALL")
		} else {
			p.expr(o.Expr)
		}
		p.put(o.modifiers(false))
		if o.Fill != nil {
			p.put(" WITH FILL")
			p.clause(" FROM ", o.Fill.From)
			p.clause(" TO ", o.Fill.To)
			p.clause(" STEP ", o.Fill.Step)
			p.clause(" STALENESS ", o.Fill.Staleness)
		}
	}
}

func (p *printer) orderBy(s *Select) {
	if len(s.OrderBy) == 0 {
		return
	}
	p.put(" ORDER BY ")
	p.order(s.OrderBy)
	if !s.HasInterpolate {
		return
	}
	p.put(" INTERPOLATE")
	if len(s.Interpolate) == 0 {
		return
	}
	p.put(" (")
	for i, a := range s.Interpolate {
		if i > 0 {
			p.put(", ")
		}
		p.put(QuoteIdent(a.Name), " AS ")
		p.expr(a.Expr)
	}
	p.put(")")
}

func (p *printer) limits(s *Select) {
	if b := s.LimitBy; b != nil {
		p.clause(" LIMIT ", b.Limit)
		p.clause(" OFFSET ", b.Offset)
		p.put(" BY ")
		if b.All {
			p.put("ALL")
		}
		p.exprs(b.By)
	}
	p.clause(" LIMIT ", s.Limit)
	if s.LimitTies {
		p.put(" WITH TIES")
	}
	p.clause(" OFFSET ", s.Offset)
}

func (p *printer) table(t TableExpr) {
	switch t := t.(type) {
	case *TableRef:
		p.put(t.Name.format())
		p.tableTail(t.Alias, nil, t.Final, t.Sample)
	case *TableFunction:
		if !t.Database.IsZero() {
			p.put(t.Database.format(), ".")
		}
		p.tableCall(t.Call, t.Settings)
		p.tableTail(t.Alias, nil, t.Final, t.Sample)
	case *SubqueryTable:
		p.put("(")
		p.union(t.Query)
		p.put(")")
		p.tableTail(t.Alias, t.Columns, t.Final, t.Sample)
	case *Join:
		p.join(t)
	case *ArrayJoin:
		if t.Input != nil {
			p.table(t.Input)
		}
		if t.Left {
			p.put(" LEFT")
		}
		p.put(" ARRAY JOIN ")
		p.items(t.Exprs)
	}
}

// tableCall prints a table function, whose arguments may be a bare query.
func (p *printer) tableCall(c *FuncCall, settings []Setting) {
	p.put(quoteFunction(c.Name), "(")
	for i, a := range c.Args {
		if i > 0 {
			p.put(", ")
		}
		if q, ok := a.(*Subquery); ok {
			p.union(q.Query)
			continue
		}
		p.expr(a)
	}
	if len(settings) > 0 {
		if len(c.Args) > 0 {
			p.put(", ")
		}
		p.put("SETTINGS ")
		p.settings(settings)
	}
	p.put(")")
}

func (p *printer) tableTail(alias string, columns []string, final bool, s *SampleRatio) {
	if alias != "" {
		p.put(" AS ", QuoteIdent(alias))
	}
	if columns != nil {
		p.put(" (", quoteAll(columns), ")")
	}
	if final {
		p.put(" FINAL")
	}
	if s != nil {
		p.ratio(" SAMPLE ", s.Ratio)
		p.ratio(" OFFSET ", s.Offset)
	}
}

// ratio prints the number or fraction of a SAMPLE, which ClickHouse reads in no other form.
func (p *printer) ratio(word string, e Expr) {
	c, ok := e.(*FuncCall)
	if !ok || c.Name != "divide" || len(c.Args) != 2 {
		p.clause(word, e)
		return
	}
	p.clause(word, c.Args[0])
	p.clause(" / ", c.Args[1])
}

var (
	joinNames       = [...]string{JoinInner: "INNER", JoinLeft: "LEFT", JoinRight: "RIGHT", JoinFull: "FULL", JoinCross: "CROSS", JoinPaste: "PASTE", JoinComma: ","}
	strictnessNames = [...]string{StrictDefault: "", StrictAll: "ALL ", StrictAny: "ANY ", StrictAsof: "ASOF ", StrictSemi: "SEMI ", StrictAnti: "ANTI "}
)

func (p *printer) join(j *Join) {
	p.table(j.Left)
	if j.Kind == JoinComma {
		p.put(", ")
		p.table(j.Right)
		return
	}
	p.put(" ")
	if j.Global {
		p.put("GLOBAL ")
	}
	if j.Local {
		p.put("LOCAL ")
	}
	p.put(strictnessNames[j.Strictness], joinNames[j.Kind], " JOIN ")
	p.table(j.Right)
	p.clause(" ON ", j.On)
	if j.Using != nil {
		p.put(" USING (")
		p.items(j.Using)
		p.put(")")
	}
}
