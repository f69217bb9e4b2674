package parse

import (
	"strings"

	"github.com/olapd/olapd/query/ast"
)

// starters are the statements by their first word.
var starters map[string]func(*parser) ast.Statement

func init() {
	starters = map[string]func(*parser) ast.Statement{
		"SELECT": (*parser).selectStatement, "WITH": (*parser).selectStatement, "FROM": (*parser).selectStatement,
		"INSERT": (*parser).insert, "CREATE": (*parser).create, "ATTACH": (*parser).create, "REPLACE": (*parser).create,
		"DROP": (*parser).drop, "TRUNCATE": (*parser).drop, "DETACH": (*parser).drop, "UNDROP": (*parser).undrop,
		"RENAME": (*parser).rename, "EXCHANGE": (*parser).rename, "ALTER": (*parser).alter,
		"DELETE": (*parser).deleteFrom, "UPDATE": (*parser).update, "OPTIMIZE": (*parser).optimize,
		"DESCRIBE": (*parser).describe, "DESC": (*parser).describe, "SHOW": (*parser).show, "EXISTS": (*parser).exists,
		"EXPLAIN": (*parser).explain, "USE": (*parser).use, "SET": (*parser).set, "KILL": (*parser).kill,
		"SYSTEM": (*parser).system, "CHECK": (*parser).check,
		"GRANT": (*parser).grant, "REVOKE": (*parser).grant, "BACKUP": (*parser).backup, "RESTORE": (*parser).backup,
		"WATCH": (*parser).other, "BEGIN": (*parser).other, "COMMIT": (*parser).other, "ROLLBACK": (*parser).other,
		"MOVE": (*parser).other, "EXECUTE": (*parser).other,
	}
}

// statement takes one statement without its semicolon.
func (p *parser) statement() ast.Statement {
	p.enter()
	defer p.leave()
	p.count()
	if p.symbolAt(0, "(") && p.queryAhead(0) {
		return p.selectStatement()
	}
	t := p.at()
	if t.kind == tokWord {
		if f := starters[strings.ToUpper(p.src(t))]; f != nil {
			return f(p)
		}
	}
	p.failWant("Query, one of: SELECT, WITH, FROM, INSERT, CREATE, ATTACH, DROP, TRUNCATE, DETACH, RENAME, EXCHANGE, ALTER, DELETE, UPDATE, OPTIMIZE, " +
		"DESCRIBE, SHOW, EXISTS, EXPLAIN, USE, SET, KILL, SYSTEM, CHECK, GRANT, REVOKE, BACKUP, RESTORE")
	return nil
}

func (p *parser) selectStatement() ast.Statement {
	u := p.union()
	p.output(&u.Output)
	u.End = p.from(u.Start).End
	return u
}

// other takes a statement that is not taken apart, up to its semicolon.
func (p *parser) other() ast.Statement {
	return p.otherFrom(p.at().start, strings.ToUpper(p.src(p.at())))
}

func (p *parser) otherFrom(start int, feature string) ast.Statement {
	level := 0
	for {
		t := p.at()
		switch {
		case t.kind == tokInvalid, t.kind == tokEnd && level > 0:
			p.failWant("closing bracket")
		case t.kind == tokEnd, level == 0 && t.symbol == ";" && t.kind == tokSymbol:
			r := p.from(start)
			return &ast.Other{Range: r, Feature: feature, Text: p.text[r.Start:r.End]}
		case t.kind == tokSymbol && (t.symbol == "(" || t.symbol == "[" || t.symbol == "{"):
			level++
		case t.kind == tokSymbol && (t.symbol == ")" || t.symbol == "]" || t.symbol == "}"):
			level--
			if level < 0 {
				p.fail()
			}
		}
		p.pos++
	}
}

// objectKinds are the keywords of objects; the empty string stands for none of them.
var objectKinds = map[string]ast.ObjectKind{
	"": ast.ObjectTable, "TABLE": ast.ObjectTable, "DATABASE": ast.ObjectDatabase, "VIEW": ast.ObjectView,
	"DICTIONARY": ast.ObjectDictionary, "FUNCTION": ast.ObjectFunction, "ROLLUP": ast.ObjectRollup,
}

// objectKind takes an object's keyword if one is next and a name follows it.
func (p *parser) objectKind() (ast.ObjectKind, bool) {
	if p.peek(1).kind != tokWord && p.peek(1).kind != tokQuoted && !p.symbolAt(1, "{") {
		return ast.ObjectTable, false
	}
	w := p.anyWords("TABLE", "DATABASE", "VIEW", "DICTIONARY", "FUNCTION", "ROLLUP")
	return objectKinds[w], w != ""
}

func (p *parser) onCluster() string {
	if p.words("ON CLUSTER") {
		if p.symbolAt(0, "{") {
			return p.name().Text
		}
		return p.nonEmptyName()
	}
	return ""
}

func (p *parser) accessEntity() string {
	return p.anyWords("USER", "ROLE", "QUOTA", "ROW POLICY", "POLICY", "SETTINGS PROFILE", "PROFILE", "NAMED COLLECTION",
		"MASKING POLICY", "WORKLOAD", "RESOURCE", "HYPOTHETICAL INDEX", "INDEX", "UNIQUE INDEX")
}

func (p *parser) drop() ast.Statement {
	start := p.at().start
	actions := map[string]ast.DropAction{"DROP": ast.ActionDrop, "TRUNCATE": ast.ActionTruncate, "DETACH": ast.ActionDetach}
	verb := p.anyWords("DROP", "TRUNCATE", "DETACH")
	s := &ast.Drop{Action: actions[verb]}
	if verb == "DROP" {
		if e := p.accessEntity(); e != "" {
			if s := p.accessStatement(start, verb, e, false); s != nil {
				return s
			}
			return p.otherFrom(start, "DROP "+e)
		}
	}
	s.Temporary = p.words("TEMPORARY")
	if verb == "TRUNCATE" && p.anyWords("ALL TABLES FROM", "TABLES FROM", "ALL TABLES IN", "TABLES IN") != "" {
		s.AllTables = true
	} else {
		kind, ok := p.objectKind()
		if !ok && verb != "TRUNCATE" {
			p.fail()
		}
		s.Kind = kind
	}
	s.IfExists = p.words("IF EXISTS")
	s.IfEmpty = p.words("IF EMPTY")
	for again := true; again; again = p.symbol(",") {
		if s.Kind == ast.ObjectDatabase || s.Kind == ast.ObjectFunction || s.AllTables {
			t := p.at()
			n := p.name()
			s.Names = append(s.Names, ast.TableName{Range: p.from(t.start), Table: n})
			continue
		}
		s.Names = append(s.Names, p.tableName())
	}
	if s.AllTables {
		_, s.NotLike, s.ILike, s.Like = p.like()
	}
	s.OnCluster = p.onCluster()
	p.dropTail(s)
	s.Range = p.from(start)
	return s
}

func (p *parser) dropTail(s *ast.Drop) {
	for {
		switch p.anyWords("PERMANENTLY", "SYNC", "NO DELAY") {
		case "PERMANENTLY":
			s.Permanently = true
		case "SYNC":
			s.Sync = true
		case "NO DELAY":
			s.NoDelay = true
		default:
			if p.words("SETTINGS") {
				p.settings()
			}
			return
		}
	}
}

func (p *parser) undrop() ast.Statement {
	start := p.at().start
	p.needWords("UNDROP TABLE")
	s := &ast.Undrop{Name: p.tableName()}
	if p.words("UUID") {
		s.UUID = p.stringText()
	}
	s.OnCluster = p.onCluster()
	s.Range = p.from(start)
	return s
}

func (p *parser) rename() ast.Statement {
	start := p.at().start
	s := &ast.Rename{Exchange: p.words("EXCHANGE")}
	between := "TO"
	if s.Exchange {
		between = "AND"
		if p.words("DICTIONARIES") {
			s.Kind = ast.ObjectDictionary
		} else {
			p.needWords("TABLES")
		}
	} else {
		p.needWords("RENAME")
		kind, ok := p.objectKind()
		s.Kind = kind
		if e := ""; !ok {
			if e = p.accessEntity(); e != "" {
				return p.otherFrom(start, "RENAME "+e)
			}
		}
	}
	s.IfExists = p.words("IF EXISTS")
	for again := true; again; again = p.symbol(",") {
		from := p.tableName()
		p.needWords(between)
		s.Pairs = append(s.Pairs, ast.RenamePair{From: from, To: p.tableName()})
	}
	s.OnCluster = p.onCluster()
	s.Range = p.from(start)
	return s
}

func (p *parser) deleteFrom() ast.Statement {
	start := p.at().start
	p.needWords("DELETE FROM")
	s := &ast.Delete{Table: p.tableName(), OnCluster: p.onCluster()}
	s.Partition = p.inPartition()
	p.needWords("WHERE")
	s.Where = p.expr()
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
	s.Range = p.from(start)
	return s
}

func (p *parser) update() ast.Statement {
	start := p.at().start
	p.needWords("UPDATE")
	s := &ast.Update{Table: p.tableName(), OnCluster: p.onCluster()}
	p.needWords("SET")
	s.Set = p.assignments()
	s.Partition = p.inPartition()
	p.needWords("WHERE")
	s.Where = p.expr()
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
	s.Range = p.from(start)
	return s
}

func (p *parser) assignments() []*ast.Assignment {
	list := []*ast.Assignment{p.assignment()}
	for p.symbolAt(0, ",") && !p.alterAhead(1) {
		p.pos++
		list = append(list, p.assignment())
	}
	return list
}

func (p *parser) assignment() *ast.Assignment {
	start := p.at().start
	a := &ast.Assignment{Column: p.compound()}
	p.needSymbol("=")
	a.Value = p.expr()
	a.Range = p.from(start)
	return a
}

func (p *parser) optimize() ast.Statement {
	start := p.at().start
	p.needWords("OPTIMIZE TABLE")
	s := &ast.Optimize{Table: p.tableName(), OnCluster: p.onCluster()}
	s.Partition = p.partition()
	s.Final = p.words("FINAL")
	p.words("FORCE")
	if p.words("DEDUPLICATE") {
		s.Deduplicate = true
		if p.words("BY") {
			s.DeduplicateBy = p.exprList()
		}
	}
	s.Cleanup = p.words("CLEANUP")
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
	s.Range = p.from(start)
	return s
}

// partition takes PARTITION ... or PART '...', or returns nil.
func (p *parser) partition() *ast.Partition {
	start := p.at().start
	x := &ast.Partition{}
	switch {
	case p.words("PART"):
		x.Part = p.nonEmptyText()
	case p.words("PARTITION ALL"):
		x.All = true
	case p.words("PARTITION ID"):
		x.ID = p.nonEmptyText()
	case p.words("PARTITION"):
		x.Expr = p.binding(bindAdd)
	default:
		return nil
	}
	x.Range = p.from(start)
	return x
}

// nonEmptyText takes a string that names something.
func (p *parser) nonEmptyText() string {
	t := p.at()
	s := p.stringText()
	if s == "" {
		p.failAt(t, "Expected a name")
	}
	return s
}

func (p *parser) inPartition() *ast.Partition {
	if p.isWords("IN PARTITION") {
		p.pos++
		return p.partition()
	}
	return nil
}

func (p *parser) describe() ast.Statement {
	start := p.at().start
	p.anyWords("DESCRIBE", "DESC")
	if p.wordAt(0, "TABLE") && (p.peek(1).kind == tokWord || p.peek(1).kind == tokQuoted || p.symbolAt(1, "(") || p.symbolAt(1, "{")) {
		p.pos++
	}
	s := &ast.Describe{}
	if !p.symbolAt(0, "(") && p.wordAt(0, "SELECT") {
		u := p.union()
		s.Table = &ast.SubqueryTable{Range: u.Range, Query: u}
	} else {
		s.Table = p.tableExpr()
	}
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

func (p *parser) exists() ast.Statement {
	start := p.at().start
	p.needWords("EXISTS")
	s := &ast.Exists{Temporary: p.words("TEMPORARY")}
	s.Kind, _ = p.objectKind()
	s.Name = p.tableName()
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

var explainKinds = map[string]ast.ExplainKind{
	"": ast.ExplainPlan, "PLAN": ast.ExplainPlan, "AST": ast.ExplainAST, "SYNTAX": ast.ExplainSyntax, "QUERY TREE": ast.ExplainQueryTree,
	"PIPELINE": ast.ExplainPipeline, "ESTIMATE": ast.ExplainEstimate, "ANALYZE": ast.ExplainAnalyze,
	"TABLE OVERRIDE": ast.ExplainTableOverride, "CURRENT TRANSACTION": ast.ExplainCurrentTransaction,
}

func (p *parser) explain() ast.Statement {
	start := p.at().start
	p.needWords("EXPLAIN")
	w := p.anyWords("PLAN", "AST", "SYNTAX", "QUERY TREE", "PIPELINE", "ESTIMATE", "ANALYZE", "TABLE OVERRIDE", "CURRENT TRANSACTION")
	s := &ast.Explain{Kind: explainKinds[w]}
	if s.Kind == ast.ExplainTableOverride {
		return p.otherFrom(start, "EXPLAIN TABLE OVERRIDE")
	}
	if p.isName() && (p.symbolAt(1, "=") || p.symbolAt(1, ",")) {
		s.Settings = p.settings()
	}
	if s.Kind == ast.ExplainCurrentTransaction {
		s.Range = p.from(start)
		return s
	}
	s.Statement = p.statement()
	s.Range = p.from(start)
	return s
}

func (p *parser) use() ast.Statement {
	start := p.at().start
	p.needWords("USE")
	if p.wordAt(0, "DATABASE") && p.peek(1).kind == tokWord {
		p.pos++
	}
	s := &ast.Use{Database: p.name()}
	s.Range = p.from(start)
	return s
}

func (p *parser) set() ast.Statement {
	start := p.at().start
	p.needWords("SET")
	if w := p.anyWords("ROLE", "DEFAULT ROLE", "TRANSACTION"); w != "" && !p.symbolAt(0, "=") {
		if w != "TRANSACTION" {
			return p.setRole(start, w == "DEFAULT ROLE")
		}
		return p.otherFrom(start, "SET "+w)
	} else if w != "" {
		p.pos -= strings.Count(w, " ") + 1
	}
	s := &ast.Set{Settings: p.settings()}
	s.Range = p.from(start)
	return s
}

func (p *parser) kill() ast.Statement {
	start := p.at().start
	p.needWords("KILL")
	s := &ast.Kill{}
	switch p.anyWords("QUERY", "MUTATION") {
	case "":
		return p.otherFrom(start, "KILL of anything but QUERY and MUTATION")
	case "MUTATION":
		s.Kind = ast.KillMutation
	}
	s.OnCluster = p.onCluster()
	p.needWords("WHERE")
	s.Where = p.expr()
	switch p.anyWords("SYNC", "ASYNC", "TEST") {
	case "SYNC":
		s.Sync = true
	case "TEST":
		s.Test = true
	}
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}

// systemTables are the SYSTEM commands that may name a table.
var systemTables = []string{
	"FLUSH TABLE", "STOP MERGES", "START MERGES", "STOP TTL MERGES", "START TTL MERGES", "STOP MOVES", "START MOVES", "STOP FETCHES", "START FETCHES",
	"STOP REPLICATED SENDS", "START REPLICATED SENDS", "STOP REPLICATION QUEUES", "START REPLICATION QUEUES",
	"STOP DISTRIBUTED SENDS", "START DISTRIBUTED SENDS", "FLUSH DISTRIBUTED", "SYNC REPLICA", "RESTART REPLICA", "RESTORE REPLICA",
	"STOP VIEW", "START VIEW", "PAUSE VIEW", "STOP REPLICATED VIEW", "START REPLICATED VIEW", "REFRESH VIEW", "WAIT VIEW", "CANCEL VIEW", "STOP CLEANUP", "START CLEANUP",
	"RELOAD DICTIONARY", "UNFREEZE", "SYNC DATABASE REPLICA", "SCRUB",
}

func (p *parser) system() ast.Statement {
	start := p.at().start
	p.needWords("SYSTEM")
	s := &ast.System{}
	if w := p.anyWords(systemTables...); w != "" {
		s.Command = w
		s.OnCluster = p.onCluster()
		if p.isName() && !p.isWords("ON CLUSTER") {
			s.Table = p.tableName()
		}
	} else {
		s.Command = p.systemWords()
	}
	if s.OnCluster == "" {
		s.OnCluster = p.onCluster()
	}
	args := p.at().start
	for p.at().kind != tokEnd && p.at().kind != tokInvalid && !p.symbolAt(0, ";") {
		p.pos++
	}
	if r := p.from(args); r.End > args {
		s.Args = p.text[args:r.End]
	}
	s.Range = p.from(start)
	return s
}

// systemWords takes the words of a command, such as FLUSH LOGS, up to anything else.
func (p *parser) systemWords() string {
	var words []string
	for p.at().kind == tokWord && !p.wordAt(0, "ON") && len(words) < maxSystemWords {
		words = append(words, strings.ToUpper(p.src(p.advance())))
	}
	if words == nil {
		p.failWant("SYSTEM command")
	}
	return strings.Join(words, " ")
}

// maxSystemWords is more than the longest command has.
const maxSystemWords = 8

func (p *parser) check() ast.Statement {
	start := p.at().start
	p.needWords("CHECK")
	if !p.words("TABLE") {
		return p.otherFrom(start, "CHECK of anything but TABLE")
	}
	s := &ast.Check{Table: p.tableName()}
	s.Partition = p.partition()
	if s.Partition != nil {
		s.Part = s.Partition.Part
	}
	p.output(&s.Output)
	s.Range = p.from(start)
	return s
}
