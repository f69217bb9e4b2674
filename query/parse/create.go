package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// create takes CREATE, ATTACH and REPLACE.
func (p *parser) create() ast.Statement {
	start := p.at().start
	verb := p.anyWords("CREATE", "ATTACH", "REPLACE")
	orReplace := verb == "CREATE" && p.words("OR REPLACE")
	if e := p.accessEntity(); e != "" {
		if s := p.accessStatement(start, verb, e, orReplace); s != nil {
			return s
		}
		return p.otherFrom(start, verb+" "+e)
	}
	temporary := p.words("TEMPORARY")
	s := &ast.CreateTable{Attach: verb == "ATTACH", Replace: verb == "REPLACE", OrReplace: orReplace, Temporary: temporary}
	switch p.anyWords("DATABASE", "TABLE", "VIEW", "MATERIALIZED VIEW", "ROLLUP", "FUNCTION", "DICTIONARY", "LIVE VIEW", "WINDOW VIEW") {
	case "DATABASE":
		if verb == "REPLACE" || orReplace {
			p.pos--
			p.failWant("TABLE")
		}
		return p.createDatabase(s, start)
	case "TABLE":
	case "VIEW":
		s.Kind = ast.KindView
	case "MATERIALIZED VIEW":
		s.Kind = ast.KindMaterializedView
	case "ROLLUP":
		s.Kind = ast.KindRollup
	case "FUNCTION":
		return p.createFunction(orReplace, start)
	case "DICTIONARY":
		return p.createDictionary(s, start)
	case "LIVE VIEW":
		return p.otherFrom(start, "LIVE VIEW")
	case "WINDOW VIEW":
		return p.otherFrom(start, "WINDOW VIEW")
	default:
		p.fail()
	}
	return p.createTable(s, start)
}

func (p *parser) attach(kind ast.ObjectKind, start int) ast.Statement {
	a := &ast.Attach{Kind: kind, IfNotExists: p.words("IF NOT EXISTS"), Name: p.tableName(), OnCluster: p.onCluster()}
	a.Range = p.from(start)
	return a
}

func (p *parser) createDatabase(t *ast.CreateTable, start int) ast.Statement {
	s := &ast.CreateDatabase{Attach: t.Attach, IfNotExists: p.words("IF NOT EXISTS"), Name: p.name()}
	if p.words("UUID") {
		s.UUID = p.stringText()
	}
	s.OnCluster = p.onCluster()
	for {
		switch {
		case s.Engine == nil && p.words("ENGINE"):
			s.Engine = p.engine()
		case s.Settings == nil && p.words("SETTINGS"):
			s.Settings = p.settings()
		case s.Comment == "" && p.words("COMMENT"):
			s.Comment = p.stringText()
		default:
			s.Range = p.from(start)
			return s
		}
	}
}

func (p *parser) createFunction(orReplace bool, start int) ast.Statement {
	s := &ast.CreateFunction{OrReplace: orReplace, IfNotExists: p.words("IF NOT EXISTS"), Name: p.ident(), OnCluster: p.onCluster()}
	p.needWords("AS")
	s.Lambda = p.expr()
	s.Range = p.from(start)
	return s
}

var attachable = map[ast.TableKind]ast.ObjectKind{ast.KindTable: ast.ObjectTable, ast.KindView: ast.ObjectView, ast.KindMaterializedView: ast.ObjectView, ast.KindRollup: ast.ObjectRollup}

// createTable takes everything after TABLE, VIEW, MATERIALIZED VIEW or ROLLUP.
func (p *parser) createTable(s *ast.CreateTable, start int) ast.Statement {
	s.IfNotExists = p.words("IF NOT EXISTS")
	s.Name = p.tableName()
	if p.words("UUID") {
		s.UUID = p.stringText()
	}
	s.OnCluster = p.onCluster()
	if t := p.at(); s.Attach && (t.kind == tokEnd || p.symbolAt(0, ";")) {
		return &ast.Attach{Range: p.from(start), Kind: attachable[s.Kind], IfNotExists: s.IfNotExists, Name: s.Name, OnCluster: s.OnCluster}
	}
	s.Definer = p.definer()
	if (s.Kind == ast.KindMaterializedView || s.Kind == ast.KindRollup) && p.words("REFRESH") {
		s.Refresh = p.refresh()
	}
	if p.words("TO INNER UUID") {
		p.stringText()
	} else if p.words("TO") {
		to := p.tableName()
		s.To = &to
	}
	if p.symbolAt(0, "(") && !p.queryAhead(0) {
		p.elements(s)
	}
	p.createTail(s)
	s.Range = p.from(start)
	return s
}

// createTail takes storage, POPULATE, AS and COMMENT.
func (p *parser) createTail(s *ast.CreateTable) {
	p.storage(&s.Storage)
	for {
		switch p.anyWords("POPULATE", "EMPTY", "CLONE") {
		case "POPULATE":
			s.Populate = true
			continue
		case "EMPTY":
			s.Empty = true
			continue
		case "CLONE":
			s.Clone = true
			continue
		}
		break
	}
	if s.Definer == "" {
		s.Definer = p.definer()
	}
	if p.words("COMMENT") {
		s.Comment = p.stringText()
	}
	if p.words("AS") {
		p.createAs(s)
	} else if s.Kind != ast.KindTable {
		p.fail()
	}
	if s.Comment == "" && p.words("COMMENT") {
		s.Comment = p.stringText()
	}
}

// createAs takes a query, a table or a table function. Storage may follow a table.
func (p *parser) createAs(s *ast.CreateTable) {
	switch {
	case p.queryAhead(0), p.wordAt(0, "SELECT"), p.wordAt(0, "WITH"), p.wordAt(0, "FROM"):
		s.AsSelect = p.union()
		if p.words("SETTINGS") {
			s.AsSelect.Settings = p.settings()
		}
	case s.Kind != ast.KindTable:
		p.failWant("SELECT")
	case p.isName() && p.symbolAt(1, "("):
		start := p.at().start
		s.AsFunction, _ = p.tableCall(p.ident(), start)
	default:
		t := p.tableName()
		s.AsTable = &t
		p.storage(&s.Storage)
	}
}

// definer takes DEFINER = user and SQL SECURITY kind as text.
func (p *parser) definer() string {
	start := p.at().start
	found := false
	for {
		switch {
		case p.words("DEFINER"):
			p.symbol("=")
			p.identOrString()
		case p.words("SQL SECURITY"):
			p.ident()
		default:
			if !found {
				return ""
			}
			return p.text[start:p.from(start).End]
		}
		found = true
	}
}

// elements takes the parenthesised columns, indexes, projections and constraints.
func (p *parser) elements(s *ast.CreateTable) {
	p.needSymbol("(")
	for !p.isSymbol(")") {
		p.element(s)
		if !p.symbol(",") {
			break
		}
	}
	p.needSymbol(")")
}

func (p *parser) element(s *ast.CreateTable) {
	next := p.peek(1).kind
	named := next == tokWord || next == tokQuoted
	switch {
	case p.wordAt(0, "INDEX") && named && !p.symbolAt(2, ",") && !p.symbolAt(2, ")") && !p.symbolAt(2, "(") || p.wordAt(0, "INDEX") && named && p.indexCallAhead():
		p.pos++
		s.Indexes = append(s.Indexes, p.index())
	case p.wordAt(0, "PROJECTION") && named && p.symbolAt(2, "("):
		p.pos++
		s.Projections = append(s.Projections, p.projection())
	case p.wordAt(0, "CONSTRAINT") && named:
		p.pos++
		s.Constraints = append(s.Constraints, p.constraint())
	case p.wordAt(0, "PRIMARY") && p.wordAt(1, "KEY"):
		p.pos += 2
		s.PrimaryKey = p.expr()
	default:
		s.Columns = append(s.Columns, p.column(true))
	}
}

// indexCallAhead reports whether INDEX name (expr) TYPE is next, rather than a column called index.
func (p *parser) indexCallAhead() bool {
	if !p.symbolAt(2, "(") {
		return false
	}
	level := 0
	for n := 2; ; n++ {
		switch t := p.peek(n); {
		case t.kind == tokEnd || t.kind == tokInvalid:
			return false
		case t.kind == tokSymbol && t.symbol == "(":
			level++
		case t.kind == tokSymbol && t.symbol == ")":
			if level--; level == 0 {
				return !p.symbolAt(n+1, ",") && !p.symbolAt(n+1, ")")
			}
		}
	}
}

func (p *parser) index() *ast.IndexDef {
	start := p.at().start
	x := &ast.IndexDef{Name: p.ident(), Expr: p.expr()}
	p.needWords("TYPE")
	x.Type = p.typeCall()
	if p.words("GRANULARITY") {
		x.Granularity = p.uint()
	}
	x.Range = p.from(start)
	return x
}

func (p *parser) projection() *ast.ProjectionDef {
	start := p.at().start
	x := &ast.ProjectionDef{Name: p.ident()}
	p.needSymbol("(")
	x.Query = p.selectQuery()
	p.needSymbol(")")
	x.Range = p.from(start)
	return x
}

func (p *parser) constraint() *ast.ConstraintDef {
	start := p.at().start
	x := &ast.ConstraintDef{Name: p.ident()}
	if p.words("ASSUME") {
		x.Assume = true
	} else {
		p.needWords("CHECK")
	}
	x.Expr = p.expr()
	x.Range = p.from(start)
	return x
}

// typeCall takes a codec or index type: a name with optional arguments.
func (p *parser) typeCall() *ast.FuncCall {
	start := p.at().start
	c := &ast.FuncCall{Name: p.ident()}
	if p.symbol("(") {
		c.Args = p.argsUntilClose()
	}
	c.Range = p.from(start)
	return c
}

func (p *parser) typeCalls() []*ast.FuncCall {
	p.needSymbol("(")
	list := []*ast.FuncCall{p.typeCall()}
	for p.symbol(",") {
		list = append(list, p.typeCall())
	}
	p.needSymbol(")")
	return list
}

// columnClauses are the words that may follow a column's name in place of its type.
var columnClauses = []string{"DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL", "CODEC", "TTL", "COMMENT", "REMOVE", "MODIFY SETTING", "RESET SETTING",
	"FIRST", "AFTER", "NULL", "NOT NULL", "PRIMARY KEY", "STATISTICS", "SETTINGS"}

// column takes a column's definition. needed says that it must have a type or a default.
func (p *parser) column(needed bool) *ast.ColumnDef {
	start := p.at().start
	p.count()
	c := &ast.ColumnDef{Name: p.compound()}
	if p.isName() && !p.columnClauseAhead() {
		t := p.dataType()
		c.Type = &t
	}
	for p.columnClause(c) {
	}
	if needed && c.Type == nil && c.DefaultKind == ast.DefaultNone {
		p.failWant("data type")
	}
	c.Range = p.from(start)
	return c
}

func (p *parser) columnClauseAhead() bool {
	for _, w := range columnClauses {
		if p.isWords(w) {
			return true
		}
	}
	return false
}

// columnClause takes one clause of a column's definition.
func (p *parser) columnClause(c *ast.ColumnDef) bool {
	switch {
	case p.words("NOT NULL"):
		c.Null = ast.NotNull
	case p.words("NULL"):
		c.Null = ast.Null
	case p.words("COLLATE"):
		c.Collate = p.identOrString()
	case c.DefaultKind == ast.DefaultNone && p.defaultClause(c):
	case p.isWords("COMMENT") && p.peek(1).kind == tokString:
		p.pos++
		c.Comment = p.stringLiteral()
	case p.isWords("CODEC") && p.symbolAt(1, "("):
		p.pos++
		c.Codecs = p.typeCalls()
	case p.isWords("STATISTICS") && p.symbolAt(1, "("):
		p.pos++
		c.Statistics = p.typeCalls()
	case p.words("TTL"):
		c.TTL = p.expr()
	case p.words("PRIMARY KEY"):
		c.PrimaryKey = true
	case p.isWords("SETTINGS") && p.symbolAt(1, "("):
		p.pos += 2
		c.Settings = p.settings()
		p.needSymbol(")")
	default:
		return false
	}
	return true
}

func (p *parser) defaultClause(c *ast.ColumnDef) bool {
	switch p.anyWords("DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL") {
	case "DEFAULT":
		c.DefaultKind = ast.DefaultValue
	case "MATERIALIZED":
		c.DefaultKind = ast.DefaultMaterialized
	case "ALIAS":
		c.DefaultKind = ast.DefaultAlias
	case "EPHEMERAL":
		c.DefaultKind = ast.DefaultEphemeral
		if t := p.at(); p.symbolAt(0, ",") || p.symbolAt(0, ")") || t.kind == tokEnd || p.columnClauseAhead() {
			return true
		}
	default:
		return false
	}
	c.Default = p.expr()
	return true
}

func (p *parser) engine() *ast.Engine {
	start := p.at().start
	p.symbol("=")
	e := &ast.Engine{Name: p.ident()}
	if p.symbol("(") {
		e.Parens = true
		e.Args = p.argsUntilClose()
	}
	e.Range = p.from(start)
	return e
}

// storage takes the clauses of a table's storage, in any order, each once.
func (p *parser) storage(s *ast.Storage) {
	for {
		switch {
		case s.Engine == nil && p.words("ENGINE"):
			s.Engine = p.engine()
		case s.PartitionBy == nil && p.words("PARTITION BY"):
			s.PartitionBy = p.expr()
		case s.PrimaryKey == nil && p.words("PRIMARY KEY"):
			s.PrimaryKey = p.expr()
		case s.OrderBy == nil && p.words("ORDER BY"):
			s.OrderBy, s.OrderDesc = p.orderKey()
		case s.SampleBy == nil && p.words("SAMPLE BY"):
			s.SampleBy = p.expr()
		case s.TTL == nil && p.words("TTL"):
			s.TTL = p.ttl()
		case s.Settings == nil && p.words("SETTINGS"):
			s.Settings = p.settings()
		default:
			return
		}
	}
}

// orderKey takes the expression of ORDER BY, whose parts may have a direction.
func (p *parser) orderKey() (ast.Expr, []bool) {
	start := p.at().start
	if !p.directionAhead() {
		e := p.expr()
		switch p.anyWords("DESC", "ASC") {
		case "DESC":
			return e, []bool{true}
		}
		return e, nil
	}
	p.needSymbol("(")
	c := &ast.FuncCall{Name: "tuple", Syntax: ast.SyntaxTuple}
	var desc []bool
	for again := true; again; again = p.symbol(",") {
		c.Args = append(c.Args, p.expr())
		desc = append(desc, strings.HasPrefix(p.anyWords("DESCENDING", "DESC", "ASCENDING", "ASC"), "DESC"))
	}
	p.needSymbol(")")
	c.Range = p.from(start)
	if len(c.Args) == 1 {
		return c.Args[0], desc
	}
	return c, desc
}

// directionAhead reports whether the parenthesis that is next holds ASC or DESC at its top level.
func (p *parser) directionAhead() bool {
	if !p.symbolAt(0, "(") {
		return false
	}
	level := 0
	for n := 0; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tokEnd || t.kind == tokInvalid:
			return false
		case t.kind == tokSymbol && t.symbol == "(":
			level++
		case t.kind == tokSymbol && t.symbol == ")":
			if level--; level == 0 {
				return false
			}
		case level == 1 && n > 1 && (p.wordAt(n, "DESC") || p.wordAt(n, "ASC")) && (p.symbolAt(n+1, ",") || p.symbolAt(n+1, ")")) && !p.symbolAt(n-1, ","):
			return true
		}
	}
}

func (p *parser) ttl() []*ast.TTLItem {
	list := []*ast.TTLItem{p.ttlItem()}
	for p.symbolAt(0, ",") && !p.alterAhead(1) {
		p.pos++
		list = append(list, p.ttlItem())
	}
	return list
}

func (p *parser) ttlItem() *ast.TTLItem {
	start := p.at().start
	t := &ast.TTLItem{Expr: p.expr()}
	switch p.anyWords("DELETE", "TO DISK", "TO VOLUME", "RECOMPRESS", "GROUP BY") {
	case "TO DISK":
		t.Action = ast.TTLToDisk
		t.IfExists = p.words("IF EXISTS")
		t.Target = p.stringText()
	case "TO VOLUME":
		t.Action = ast.TTLToVolume
		t.IfExists = p.words("IF EXISTS")
		t.Target = p.stringText()
	case "RECOMPRESS":
		t.Action = ast.TTLRecompress
		p.needWords("CODEC")
		t.Codecs = p.typeCalls()
	case "GROUP BY":
		t.Action = ast.TTLGroupBy
		t.GroupBy = p.exprList()
		if p.words("SET") {
			t.Set = p.assignments()
		}
	}
	if p.words("WHERE") {
		t.Where = p.expr()
	}
	t.Range = p.from(start)
	return t
}
