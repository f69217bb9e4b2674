package ast

import "strings"

func (p *printer) onCluster(name string) {
	if name != "" {
		p.put(" ON CLUSTER ", QuoteIdent(name))
	}
}

func (p *printer) comment(c string) {
	if c != "" {
		p.put(" COMMENT ", QuoteString(c))
	}
}

// when prints word if cond holds.
func (p *printer) when(cond bool, word string) {
	if cond {
		p.put(word)
	}
}

func createVerb(attach bool) string {
	if attach {
		return "ATTACH "
	}
	return "CREATE "
}

func (p *printer) createDatabase(s *CreateDatabase) {
	p.put(createVerb(s.Attach), "DATABASE ")
	p.when(s.IfNotExists, "IF NOT EXISTS ")
	p.put(s.Name.format())
	if s.UUID != "" {
		p.put(" UUID ", QuoteString(s.UUID))
	}
	p.onCluster(s.OnCluster)
	p.engine(s.Engine)
	if len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(s.Settings)
	}
	p.comment(s.Comment)
}

func (p *printer) engine(e *Engine) {
	if e == nil {
		return
	}
	p.put(" ENGINE = ", QuoteIdent(e.Name))
	if e.Parens {
		p.put("(")
		p.exprs(e.Args)
		p.put(")")
	}
}

var tableKinds = [...]string{KindTable: "TABLE ", KindView: "VIEW ", KindMaterializedView: "MATERIALIZED VIEW ", KindRollup: "ROLLUP "}

func (p *printer) createTable(s *CreateTable) {
	if s.Replace {
		p.put("REPLACE ")
	} else {
		p.put(createVerb(s.Attach))
	}
	p.when(s.OrReplace, "OR REPLACE ")
	p.when(s.Temporary, "TEMPORARY ")
	p.put(tableKinds[s.Kind])
	p.when(s.IfNotExists, "IF NOT EXISTS ")
	p.put(s.Name.format())
	if s.UUID != "" {
		p.put(" UUID ", QuoteString(s.UUID))
	}
	p.onCluster(s.OnCluster)
	if s.Refresh != nil {
		p.put(" REFRESH ")
		p.refresh(s.Refresh)
	}
	if s.To != nil {
		p.put(" TO ", s.To.format())
	}
	p.elements(s)
	p.storage(&s.Storage)
	p.when(s.Populate, " POPULATE")
	p.when(s.Definer != "", " "+s.Definer)
	p.when(s.Empty, " EMPTY")
	p.when(s.Clone, " CLONE")
	switch {
	case s.AsTable != nil:
		p.put(" AS ", s.AsTable.format())
	case s.AsFunction != nil:
		p.put(" AS ")
		p.tableCall(s.AsFunction, nil)
	case s.AsSelect != nil:
		p.put(" AS ")
		p.union(s.AsSelect)
	}
	p.comment(s.Comment)
}

func (p *printer) elements(s *CreateTable) {
	sep := " ("
	next := func(word string) {
		p.put(sep, word)
		sep = ", "
	}
	for _, c := range s.Columns {
		next("")
		p.column(c)
	}
	for _, x := range s.Indexes {
		next("INDEX ")
		p.index(x)
	}
	for _, x := range s.Projections {
		next("PROJECTION ")
		p.projection(x)
	}
	for _, x := range s.Constraints {
		next("CONSTRAINT ")
		p.constraint(x)
	}
	p.when(sep == ", ", ")")
}

func (p *printer) index(x *IndexDef) {
	p.put(QuoteIdent(x.Name), " ")
	p.expr(x.Expr)
	p.put(" TYPE ")
	p.typeCall(x.Type)
	if x.Granularity != 0 {
		p.put(" GRANULARITY ", uintText(x.Granularity))
	}
}

// typeCall prints a codec or index type, whose parentheses are optional.
func (p *printer) typeCall(c *FuncCall) {
	p.put(QuoteIdent(c.Name))
	if len(c.Args) == 0 {
		return
	}
	p.put("(")
	for i, a := range c.Args {
		p.when(i > 0, ", ")
		if f, ok := a.(*FuncCall); ok && f.Syntax == SyntaxCall {
			p.typeCall(f)
			continue
		}
		p.expr(a)
	}
	p.put(")")
}

func (p *printer) typeCalls(list []*FuncCall) {
	p.put("(")
	for i, c := range list {
		p.when(i > 0, ", ")
		p.typeCall(c)
	}
	p.put(")")
}

func (p *printer) projection(x *ProjectionDef) {
	p.put(QuoteIdent(x.Name), " (")
	p.selectQuery(x.Query)
	p.put(")")
}

func (p *printer) constraint(x *ConstraintDef) {
	p.put(QuoteIdent(x.Name))
	if x.Assume {
		p.put(" ASSUME ")
	} else {
		p.put(" CHECK ")
	}
	p.expr(x.Expr)
}

var defaultWords = [...]string{
	DefaultNone: "", DefaultValue: " DEFAULT", DefaultMaterialized: " MATERIALIZED",
	DefaultAlias: " ALIAS", DefaultEphemeral: " EPHEMERAL",
}

func (p *printer) column(c *ColumnDef) {
	p.put(QuoteIdent(c.Name))
	if c.Type != nil {
		p.put(" ", c.Type.Text)
	}
	switch c.Null {
	case Null:
		p.put(" NULL")
	case NotNull:
		p.put(" NOT NULL")
	}
	p.when(c.Collate != "", " COLLATE "+QuoteIdent(c.Collate))
	p.put(defaultWords[c.DefaultKind])
	p.clause(" ", c.Default)
	if c.Comment != nil {
		p.put(" COMMENT ", QuoteString(c.Comment.Str))
	}
	if c.Codecs != nil {
		p.put(" CODEC")
		p.typeCalls(c.Codecs)
	}
	if c.Statistics != nil {
		p.put(" STATISTICS")
		p.typeCalls(c.Statistics)
	}
	p.clause(" TTL ", c.TTL)
	p.when(c.PrimaryKey, " PRIMARY KEY")
	if len(c.Settings) > 0 {
		p.put(" SETTINGS (")
		p.settings(c.Settings)
		p.put(")")
	}
}

func (p *printer) storage(s *Storage) {
	p.engine(s.Engine)
	p.clause(" PARTITION BY ", s.PartitionBy)
	p.clause(" PRIMARY KEY ", s.PrimaryKey)
	if s.OrderBy != nil {
		p.put(" ORDER BY ")
		p.orderKey(s.OrderBy, s.OrderDesc)
	}
	p.clause(" SAMPLE BY ", s.SampleBy)
	if s.TTL != nil {
		p.put(" TTL ")
		p.ttl(s.TTL)
	}
	if len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(s.Settings)
	}
}

func (p *printer) orderKey(e Expr, desc []bool) {
	if desc == nil {
		p.expr(e)
		return
	}
	items := []Expr{e}
	if c, ok := e.(*FuncCall); ok && c.Syntax == SyntaxTuple {
		items = c.Args
	}
	p.put("(")
	for i, item := range items {
		p.when(i > 0, ", ")
		p.expr(item)
		p.when(i < len(desc) && desc[i], " DESC")
	}
	p.put(")")
}

func (p *printer) ttl(items []*TTLItem) {
	for i, t := range items {
		p.when(i > 0, ", ")
		p.expr(t.Expr)
		switch t.Action {
		case TTLToDisk:
			p.ttlTarget(" TO DISK ", t)
		case TTLToVolume:
			p.ttlTarget(" TO VOLUME ", t)
		case TTLRecompress:
			p.put(" RECOMPRESS CODEC")
			p.typeCalls(t.Codecs)
		case TTLGroupBy:
			p.put(" GROUP BY ")
			p.exprs(t.GroupBy)
			if t.Set != nil {
				p.put(" SET ")
				p.assignments(t.Set)
			}
		}
		p.clause(" WHERE ", t.Where)
	}
}

func (p *printer) ttlTarget(word string, t *TTLItem) {
	p.put(word)
	p.when(t.IfExists, "IF EXISTS ")
	p.put(QuoteString(t.Target))
}

func (p *printer) assignments(list []*Assignment) {
	for i, a := range list {
		p.when(i > 0, ", ")
		p.put(QuoteIdent(a.Column), " = ")
		p.expr(a.Value)
	}
}

func (p *printer) createFunction(s *CreateFunction) {
	p.put("CREATE ")
	p.when(s.OrReplace, "OR REPLACE ")
	p.put("FUNCTION ")
	p.when(s.IfNotExists, "IF NOT EXISTS ")
	p.put(QuoteIdent(s.Name))
	p.onCluster(s.OnCluster)
	p.put(" AS ")
	p.expr(s.Lambda)
}

func (p *printer) partition(x *Partition) {
	switch {
	case x == nil:
	case x.Part != "":
		p.put(" PART ", QuoteString(x.Part))
	case x.All:
		p.put(" PARTITION ALL")
	case x.ID != "":
		p.put(" PARTITION ID ", QuoteString(x.ID))
	default:
		p.clause(" PARTITION ", x.Expr)
	}
}

func (p *printer) alter(s *Alter) {
	p.put("ALTER TABLE ", s.Table.format())
	p.onCluster(s.OnCluster)
	for i, c := range s.Commands {
		p.when(i > 0, ",")
		p.put(" ")
		p.alterCommand(c)
	}
	if len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(s.Settings)
	}
}

var alterWords = [...]string{
	AlterAddColumn: "ADD COLUMN", AlterDropColumn: "DROP COLUMN", AlterModifyColumn: "MODIFY COLUMN",
	AlterRenameColumn: "RENAME COLUMN", AlterCommentColumn: "COMMENT COLUMN", AlterMaterializeColumn: "MATERIALIZE COLUMN",
	AlterAddIndex: "ADD INDEX", AlterDropIndex: "DROP INDEX", AlterMaterializeIndex: "MATERIALIZE INDEX",
	AlterAddProjection: "ADD PROJECTION", AlterDropProjection: "DROP PROJECTION", AlterMaterializeProjection: "MATERIALIZE PROJECTION",
	AlterAddConstraint: "ADD CONSTRAINT", AlterDropConstraint: "DROP CONSTRAINT",
	AlterModifyTTL: "MODIFY TTL", AlterRemoveTTL: "REMOVE TTL", AlterMaterializeTTL: "MATERIALIZE TTL",
	AlterModifySetting: "MODIFY SETTING", AlterResetSetting: "RESET SETTING", AlterModifyOrderBy: "MODIFY ORDER BY",
	AlterModifySampleBy: "MODIFY SAMPLE BY", AlterRemoveSampleBy: "REMOVE SAMPLE BY", AlterModifyComment: "MODIFY COMMENT",
	AlterModifyQuery: "MODIFY QUERY", AlterDelete: "DELETE", AlterUpdate: "UPDATE", AlterDropPartition: "DROP",
	AlterDetachPartition: "DETACH", AlterAttachPartition: "ATTACH", AlterReplacePartition: "REPLACE", AlterMovePartition: "MOVE",
	AlterFreezePartition: "FREEZE", AlterUnfreezePartition: "UNFREEZE", AlterFetchPartition: "FETCH",
	AlterForgetPartition: "FORGET", AlterApplyDeletedMask: "APPLY DELETED MASK", AlterModifyRefresh: "MODIFY REFRESH",
}

// String returns the command's words, such as ADD COLUMN.
func (k AlterKind) String() string { return alterWords[k] }

func (p *printer) alterCommand(c *AlterCommand) {
	word := alterWords[c.Kind]
	if c.Clear {
		word = strings.Replace(word, "DROP", "CLEAR", 1)
	}
	p.put(word)
	p.when(c.Detached, " DETACHED")
	p.when(c.IfExists, " IF EXISTS")
	p.when(c.IfNotExists, " IF NOT EXISTS")
	p.alterObject(c)
	p.when(c.First, " FIRST")
	if c.After != "" {
		p.put(" AFTER ", QuoteIdent(c.After))
	}
}

func (p *printer) alterObject(c *AlterCommand) {
	switch c.Kind {
	case AlterAddColumn, AlterModifyColumn:
		p.put(" ")
		p.column(c.Column)
		p.alterColumnTail(c)
	case AlterAddIndex:
		p.put(" ")
		p.index(c.Index)
	case AlterAddProjection:
		p.put(" ")
		p.projection(c.Projection)
	case AlterAddConstraint:
		p.put(" ")
		p.constraint(c.Constraint)
	case AlterRenameColumn:
		p.put(" ", QuoteIdent(c.Name), " TO ", QuoteIdent(c.NewName))
	case AlterCommentColumn:
		p.put(" ", QuoteIdent(c.Name), " ", QuoteString(c.Comment))
	case AlterModifyComment:
		p.put(" ", QuoteString(c.Comment))
	case AlterModifyTTL:
		p.put(" ")
		p.ttl(c.TTL)
	case AlterModifySetting:
		p.put(" ")
		p.settings(c.Settings)
	case AlterResetSetting:
		p.put(" ", quoteAll(c.ResetSettings))
	case AlterModifyOrderBy, AlterModifySampleBy:
		p.clause(" ", c.Expr)
	case AlterModifyQuery:
		p.put(" ")
		p.union(c.Query)
	case AlterModifyRefresh:
		p.put(" ")
		p.refresh(c.Refresh)
	case AlterDelete:
		p.inPartition(c.Partition)
		p.clause(" WHERE ", c.Expr)
	case AlterUpdate:
		p.put(" ")
		p.assignments(c.Assignments)
		p.inPartition(c.Partition)
		p.clause(" WHERE ", c.Expr)
	default:
		p.alterPartition(c)
	}
}

func (p *printer) alterColumnTail(c *AlterCommand) {
	p.when(c.Remove != "", " REMOVE "+c.Remove)
	if c.Settings != nil {
		p.put(" MODIFY SETTING ")
		p.settings(c.Settings)
	}
	if c.ResetSettings != nil {
		p.put(" RESET SETTING ", quoteAll(c.ResetSettings))
	}
}

func (p *printer) inPartition(x *Partition) {
	if x != nil {
		p.put(" IN")
		p.partition(x)
	}
}

func (p *printer) alterPartition(c *AlterCommand) {
	switch c.Kind {
	case AlterDropPartition, AlterDetachPartition, AlterForgetPartition:
		p.partition(c.Partition)
	case AlterAttachPartition, AlterReplacePartition:
		p.partition(c.Partition)
		if c.FromTable != nil {
			p.put(" FROM ", c.FromTable.format())
		}
	case AlterMovePartition:
		p.partition(c.Partition)
		if c.ToTable != nil {
			p.put(" TO TABLE ", c.ToTable.format())
		} else {
			p.put(" TO ", c.TargetKind, " ", QuoteString(c.Target))
		}
	case AlterFreezePartition, AlterUnfreezePartition:
		p.partition(c.Partition)
		if c.Name != "" {
			p.put(" WITH NAME ", QuoteString(c.Name))
		}
	case AlterFetchPartition:
		p.partition(c.Partition)
		p.put(" FROM ", QuoteString(c.Name))
	default:
		if c.Name != "" {
			p.put(" ", QuoteIdent(c.Name))
		}
		p.inPartition(c.Partition)
	}
}
