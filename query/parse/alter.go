package parse

import (
	"strconv"

	"github.com/olapd/olapd/query/ast"
)

func (p *parser) alter() ast.Statement {
	start := p.at().start
	p.needWords("ALTER")
	if e := p.accessEntity(); e != "" {
		if s := p.accessStatement(start, "ALTER", e, false); s != nil {
			return s
		}
		return p.otherFrom(start, "ALTER "+e)
	}
	if p.words("DATABASE") {
		return p.otherFrom(start, "ALTER DATABASE")
	}
	p.words("TEMPORARY")
	p.needWords("TABLE")
	s := &ast.Alter{Table: p.tableName(), OnCluster: p.onCluster()}
	for again := true; again; again = p.symbol(",") {
		s.Commands = append(s.Commands, p.alterItem())
	}
	if p.words("SETTINGS") {
		s.Settings = p.settings()
	}
	s.Range = p.from(start)
	return s
}

// alterAhead reports whether the token n places ahead begins a command, so that
// the comma before it ends a list of the command in front.
func (p *parser) alterAhead(n int) bool {
	for _, w := range []string{"ADD", "DROP", "CLEAR", "MODIFY", "RENAME", "COMMENT", "MATERIALIZE", "REMOVE", "RESET", "DELETE", "UPDATE",
		"DETACH", "ATTACH", "REPLACE", "MOVE", "FREEZE", "UNFREEZE", "FETCH", "FORGET", "APPLY"} {
		if p.wordAt(n, w) && p.peek(n+1).kind == tokWord {
			return true
		}
	}
	return false
}

func (p *parser) alterItem() *ast.AlterCommand {
	p.count()
	start := p.at().start
	c := &ast.AlterCommand{}
	if p.symbol("(") { // each command may stand in parentheses
		p.enter()
		c = p.alterItem()
		p.leave()
		p.needSymbol(")")
		return c
	}
	if !p.alterColumn(c) && !p.alterElement(c) && !p.alterTable(c) && !p.alterPartition(c) {
		p.fail()
	}
	c.Range = p.from(start)
	return c
}

func (p *parser) place(c *ast.AlterCommand) {
	switch p.anyWords("FIRST", "AFTER") {
	case "FIRST":
		c.First = true
	case "AFTER":
		c.After = p.compound()
	}
}

// alterColumn takes the commands on columns.
func (p *parser) alterColumn(c *ast.AlterCommand) bool {
	switch w := p.anyWords("ADD COLUMN", "DROP COLUMN", "CLEAR COLUMN", "MODIFY COLUMN", "ALTER COLUMN", "RENAME COLUMN", "COMMENT COLUMN", "MATERIALIZE COLUMN"); w {
	case "ADD COLUMN":
		c.Kind = ast.AlterAddColumn
		c.IfNotExists = p.words("IF NOT EXISTS")
		c.Column = p.column(true)
		p.place(c)
	case "DROP COLUMN", "CLEAR COLUMN":
		c.Kind, c.Clear = ast.AlterDropColumn, w == "CLEAR COLUMN"
		c.IfExists = p.words("IF EXISTS")
		c.Name = p.compound()
		c.Partition = p.inPartition()
	case "MODIFY COLUMN", "ALTER COLUMN":
		p.modifyColumn(c)
	case "RENAME COLUMN":
		c.Kind = ast.AlterRenameColumn
		c.IfExists = p.words("IF EXISTS")
		c.Name = p.compound()
		p.needWords("TO")
		c.NewName = p.compound()
	case "COMMENT COLUMN":
		c.Kind = ast.AlterCommentColumn
		c.IfExists = p.words("IF EXISTS")
		c.Name = p.compound()
		c.Comment = p.stringText()
	case "MATERIALIZE COLUMN":
		c.Kind = ast.AlterMaterializeColumn
		c.Name = p.compound()
		c.Partition = p.inPartition()
	default:
		return false
	}
	return true
}

func (p *parser) modifyColumn(c *ast.AlterCommand) {
	c.Kind = ast.AlterModifyColumn
	c.IfExists = p.words("IF EXISTS")
	if p.isName() && p.wordAt(1, "TYPE") && p.peek(2).kind == tokWord { // ALTER COLUMN c TYPE T
		start := p.at().start
		name := p.ident()
		p.pos++
		t := p.dataType()
		c.Column = &ast.ColumnDef{Name: name, Type: &t}
		for p.columnClause(c.Column) {
		}
		c.Column.Range = p.from(start)
	} else {
		c.Column = p.column(false)
	}
	switch {
	case p.words("REMOVE"):
		c.Remove = p.anyWords("DEFAULT", "MATERIALIZED", "ALIAS", "COMMENT", "CODEC", "TTL", "SETTINGS")
		if c.Remove == "" {
			p.fail()
		}
	case p.words("MODIFY SETTING"):
		c.Settings = p.settings()
	case p.words("RESET SETTING"):
		c.ResetSettings = p.resetSettings()
	}
	p.place(c)
}

func (p *parser) resetSettings() []string {
	list := []string{p.ident()}
	for p.symbolAt(0, ",") && !p.alterAhead(1) {
		p.pos++
		list = append(list, p.ident())
	}
	return list
}

// alterElement takes the commands on indexes, projections and constraints.
func (p *parser) alterElement(c *ast.AlterCommand) bool {
	switch w := p.anyWords("ADD INDEX", "DROP INDEX", "CLEAR INDEX", "MATERIALIZE INDEX", "ADD PROJECTION", "DROP PROJECTION",
		"CLEAR PROJECTION", "MATERIALIZE PROJECTION", "ADD CONSTRAINT", "DROP CONSTRAINT"); w {
	case "ADD INDEX":
		c.Kind, c.IfNotExists = ast.AlterAddIndex, p.words("IF NOT EXISTS")
		c.Index = p.index()
		p.place(c)
	case "ADD PROJECTION":
		c.Kind, c.IfNotExists = ast.AlterAddProjection, p.words("IF NOT EXISTS")
		c.Projection = p.projection()
		p.place(c)
	case "ADD CONSTRAINT":
		c.Kind, c.IfNotExists = ast.AlterAddConstraint, p.words("IF NOT EXISTS")
		c.Constraint = p.constraint()
	case "":
		return false
	default:
		kinds := map[string]ast.AlterKind{
			"DROP INDEX": ast.AlterDropIndex, "CLEAR INDEX": ast.AlterDropIndex, "MATERIALIZE INDEX": ast.AlterMaterializeIndex,
			"DROP PROJECTION": ast.AlterDropProjection, "CLEAR PROJECTION": ast.AlterDropProjection,
			"MATERIALIZE PROJECTION": ast.AlterMaterializeProjection, "DROP CONSTRAINT": ast.AlterDropConstraint,
		}
		c.Kind, c.Clear = kinds[w], w[0] == 'C'
		c.IfExists = p.words("IF EXISTS")
		c.Name = p.ident()
		c.Partition = p.inPartition()
	}
	return true
}

// alterTable takes the commands on a table as a whole and on its rows.
func (p *parser) alterTable(c *ast.AlterCommand) bool {
	switch p.anyWords("MODIFY TTL", "REMOVE TTL", "MATERIALIZE TTL", "MODIFY SETTING", "RESET SETTING", "MODIFY ORDER BY", "MODIFY SAMPLE BY",
		"REMOVE SAMPLE BY", "MODIFY COMMENT", "MODIFY QUERY", "MODIFY REFRESH", "DELETE", "UPDATE", "APPLY DELETED MASK") {
	case "MODIFY TTL":
		c.Kind, c.TTL = ast.AlterModifyTTL, p.ttl()
	case "REMOVE TTL":
		c.Kind = ast.AlterRemoveTTL
	case "MATERIALIZE TTL":
		c.Kind, c.Partition = ast.AlterMaterializeTTL, p.inPartition()
	case "MODIFY SETTING":
		c.Kind, c.Settings = ast.AlterModifySetting, p.settings()
	case "RESET SETTING":
		c.Kind, c.ResetSettings = ast.AlterResetSetting, p.resetSettings()
	case "MODIFY ORDER BY":
		c.Kind, c.Expr = ast.AlterModifyOrderBy, p.expr()
	case "MODIFY SAMPLE BY":
		c.Kind, c.Expr = ast.AlterModifySampleBy, p.expr()
	case "REMOVE SAMPLE BY":
		c.Kind = ast.AlterRemoveSampleBy
	case "MODIFY COMMENT":
		c.Kind, c.Comment = ast.AlterModifyComment, p.stringText()
	case "MODIFY QUERY":
		c.Kind, c.Query = ast.AlterModifyQuery, p.union()
	case "MODIFY REFRESH":
		c.Kind, c.Refresh = ast.AlterModifyRefresh, p.refresh()
	case "DELETE":
		c.Kind, c.Partition = ast.AlterDelete, p.inPartition()
		p.needWords("WHERE")
		c.Expr = p.expr()
	case "UPDATE":
		c.Kind, c.Assignments = ast.AlterUpdate, p.assignments()
		c.Partition = p.inPartition()
		p.needWords("WHERE")
		c.Expr = p.expr()
	case "APPLY DELETED MASK":
		c.Kind, c.Partition = ast.AlterApplyDeletedMask, p.inPartition()
	default:
		return false
	}
	return true
}

// alterPartition takes the commands on partitions and parts.
func (p *parser) alterPartition(c *ast.AlterCommand) bool {
	switch p.anyWords("DROP DETACHED", "DROP", "DETACH", "ATTACH", "REPLACE", "MOVE", "FREEZE", "UNFREEZE", "FETCH", "FORGET") {
	case "DROP DETACHED":
		c.Kind, c.Detached = ast.AlterDropPartition, true
	case "DROP":
		c.Kind = ast.AlterDropPartition
	case "DETACH":
		c.Kind = ast.AlterDetachPartition
	case "ATTACH":
		c.Kind = ast.AlterAttachPartition
	case "REPLACE":
		c.Kind = ast.AlterReplacePartition
	case "MOVE":
		c.Kind = ast.AlterMovePartition
	case "FREEZE":
		c.Kind = ast.AlterFreezePartition
	case "UNFREEZE":
		c.Kind = ast.AlterUnfreezePartition
	case "FETCH":
		c.Kind = ast.AlterFetchPartition
	case "FORGET":
		c.Kind = ast.AlterForgetPartition
	default:
		return false
	}
	c.Partition = p.partition()
	if c.Partition == nil && c.Kind != ast.AlterFreezePartition && c.Kind != ast.AlterUnfreezePartition {
		p.fail()
	}
	p.partitionTarget(c)
	return true
}

// partitionTarget takes FROM, TO and WITH NAME after a partition.
func (p *parser) partitionTarget(c *ast.AlterCommand) {
	switch c.Kind {
	case ast.AlterReplacePartition:
		p.needWords("FROM")
		t := p.tableName()
		c.FromTable = &t
	case ast.AlterAttachPartition:
		if p.words("FROM") {
			t := p.tableName()
			c.FromTable = &t
		}
	case ast.AlterMovePartition:
		p.needWords("TO")
		switch w := p.anyWords("TABLE", "DISK", "VOLUME", "SHARD"); w {
		case "TABLE":
			t := p.tableName()
			c.ToTable = &t
		case "":
			p.fail()
		case "SHARD":
			if c.TargetKind = w; p.at().kind == tokNumber {
				c.Target = strconv.FormatUint(p.uint(), 10)
			} else {
				c.Target = p.stringText()
			}
		default:
			c.TargetKind, c.Target = w, p.stringText()
		}
	case ast.AlterFreezePartition, ast.AlterUnfreezePartition:
		if p.words("WITH NAME") {
			c.Name = p.stringText()
		}
	case ast.AlterFetchPartition:
		p.needWords("FROM")
		c.Name = p.stringText()
	}
}
