package ast

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *SelectUnion:
		p.union(s)
	case *CreateDatabase:
		p.createDatabase(s)
	case *CreateTable:
		p.createTable(s)
	case *CreateFunction:
		p.createFunction(s)
	case *CreateDictionary:
		p.createDictionary(s)
	case *Alter:
		p.alter(s)
	case *Insert:
		p.insert(s)
	case *Drop:
		p.drop(s)
	case *Rename:
		p.rename(s)
	case *Show:
		p.show(s)
	case *Delete:
		p.put("DELETE FROM ", s.Table.format())
		p.onCluster(s.OnCluster)
		p.inPartition(s.Partition)
		p.mutationTail(s.Where, s.Settings)
	case *Update:
		p.put("UPDATE ", s.Table.format())
		p.onCluster(s.OnCluster)
		p.put(" SET ")
		p.assignments(s.Set)
		p.inPartition(s.Partition)
		p.mutationTail(s.Where, s.Settings)
	case *Explain:
		p.explain(s)
	default:
		if !p.access(s) {
			p.smallStatement(s)
		}
	}
}

func (p *printer) smallStatement(s Statement) {
	switch s := s.(type) {
	case *Attach:
		p.put("ATTACH ", objectNames[s.Kind], " ")
		p.when(s.IfNotExists, "IF NOT EXISTS ")
		p.put(s.Name.format())
		p.onCluster(s.OnCluster)
	case *Undrop:
		p.put("UNDROP TABLE ", s.Name.format())
		p.when(s.UUID != "", " UUID "+QuoteString(s.UUID))
		p.onCluster(s.OnCluster)
	case *Optimize:
		p.optimize(s)
	case *Describe:
		p.put("DESCRIBE TABLE ")
		p.table(s.Table)
		p.output(s.Output)
	case *Exists:
		p.put("EXISTS ")
		p.when(s.Temporary, "TEMPORARY ")
		p.put(objectNames[s.Kind], " ", s.Name.format())
		p.output(s.Output)
	case *Use:
		p.put("USE ", s.Database.format())
	case *Set:
		p.put("SET ")
		p.settings(s.Settings)
	case *Kill:
		p.kill(s)
	case *System:
		p.put("SYSTEM ", s.Command)
		if !s.Table.Table.IsZero() {
			p.put(" ", s.Table.format())
		}
		p.when(s.Args != "", " "+s.Args)
		p.onCluster(s.OnCluster)
	case *Check:
		p.put("CHECK TABLE ", s.Table.format())
		p.partition(s.Partition)
		p.when(len(s.Settings) > 0, " SETTINGS ")
		p.settings(s.Settings)
		p.output(s.Output)
	case *Parallel:
		for i, part := range s.Statements {
			p.when(i > 0, " PARALLEL WITH ")
			p.statement(part)
		}
	case *Backup:
		p.backup(s)
	case *Other:
		p.put(s.Text)
	}
}

func (p *printer) mutationTail(where Expr, settings []Setting) {
	p.clause(" WHERE ", where)
	p.when(len(settings) > 0, " SETTINGS ")
	p.settings(settings)
}

// insert prints the statement without its inline data.
func (p *printer) insert(s *Insert) {
	p.put("INSERT INTO ")
	if s.Function != nil {
		p.put("FUNCTION ")
		p.tableCall(s.Function, nil)
	} else {
		p.put("TABLE ", s.Table.format())
	}
	p.clause(" PARTITION BY ", s.PartitionBy)
	if s.Columns != nil {
		p.put(" (")
		p.exprs(s.Columns)
		p.put(")")
	}
	if s.Infile != nil {
		p.put(" FROM INFILE ", QuoteString(s.Infile.Str))
		p.when(s.Compression != "", " COMPRESSION "+QuoteString(s.Compression))
	}
	if len(s.Settings) > 0 {
		p.put(" SETTINGS ")
		p.settings(s.Settings)
	}
	switch {
	case s.Select != nil:
		p.put(" ")
		p.union(s.Select)
		p.when(s.Format != "", " FORMAT "+QuoteIdent(s.Format))
	case s.Format == "Values":
		p.put(" VALUES")
	case s.Format != "":
		p.put(" FORMAT ", QuoteIdent(s.Format))
	}
}

var objectNames = [...]string{
	ObjectTable: "TABLE", ObjectDatabase: "DATABASE", ObjectView: "VIEW",
	ObjectDictionary: "DICTIONARY", ObjectFunction: "FUNCTION", ObjectRollup: "ROLLUP",
}

// String returns the object's keyword.
func (k ObjectKind) String() string { return objectNames[k] }

var dropNames = [...]string{ActionDrop: "DROP ", ActionTruncate: "TRUNCATE ", ActionDetach: "DETACH "}

func (p *printer) drop(s *Drop) {
	p.put(dropNames[s.Action])
	p.when(s.Temporary, "TEMPORARY ")
	if s.AllTables {
		p.put("ALL TABLES FROM ")
	} else {
		p.put(objectNames[s.Kind], " ")
	}
	p.when(s.IfExists, "IF EXISTS ")
	p.when(s.IfEmpty, "IF EMPTY ")
	for i, n := range s.Names {
		p.when(i > 0, ", ")
		p.put(n.format())
	}
	p.like(s.Like != "", s.NotLike, s.ILike, s.Like)
	p.onCluster(s.OnCluster)
	p.when(s.Permanently, " PERMANENTLY")
	p.when(s.NoDelay, " NO DELAY")
	p.when(s.Sync, " SYNC")
}

func (p *printer) like(has, not, caseless bool, pattern string) {
	if !has {
		return
	}
	p.when(not, " NOT")
	if caseless {
		p.put(" ILIKE ", QuoteString(pattern))
		return
	}
	p.put(" LIKE ", QuoteString(pattern))
}

func (p *printer) rename(s *Rename) {
	verb, between := "RENAME ", " TO "
	plural := ""
	if s.Exchange {
		verb, between = "EXCHANGE ", " AND "
		plural = "S"
		if s.Kind == ObjectDictionary {
			p.put("EXCHANGE DICTIONARIES ")
			verb = ""
		}
	}
	if verb != "" {
		p.put(verb, objectNames[s.Kind], plural, " ")
	}
	p.when(s.IfExists, "IF EXISTS ")
	for i, pair := range s.Pairs {
		p.when(i > 0, ", ")
		p.put(pair.From.format(), between, pair.To.format())
	}
	p.onCluster(s.OnCluster)
}

func (p *printer) optimize(s *Optimize) {
	p.put("OPTIMIZE TABLE ", s.Table.format())
	p.onCluster(s.OnCluster)
	p.partition(s.Partition)
	p.when(s.Final, " FINAL")
	p.when(s.Deduplicate, " DEDUPLICATE")
	if s.DeduplicateBy != nil {
		p.put(" BY ")
		p.exprs(s.DeduplicateBy)
	}
	p.when(s.Cleanup, " CLEANUP")
	p.when(len(s.Settings) > 0, " SETTINGS ")
	p.settings(s.Settings)
}

var showNames = [...]string{
	ShowDatabases: "DATABASES", ShowTables: "TABLES", ShowDictionaries: "DICTIONARIES", ShowViews: "VIEWS", ShowCreate: "CREATE",
	ShowColumns: "COLUMNS", ShowIndexes: "INDEXES", ShowProcesslist: "PROCESSLIST", ShowFunctions: "FUNCTIONS",
	ShowSettings: "SETTINGS", ShowSetting: "SETTING", ShowEngines: "ENGINES", ShowClusters: "CLUSTERS", ShowCluster: "CLUSTER",
	ShowMerges: "MERGES", ShowRollups: "ROLLUPS",
}

func (p *printer) show(s *Show) {
	p.put("SHOW ")
	p.when(s.Extended, "EXTENDED ")
	p.when(s.Full, "FULL ")
	p.when(s.Changed, "CHANGED ")
	p.when(s.Temporary && s.Kind != ShowCreate, "TEMPORARY ")
	p.put(showNames[s.Kind])
	switch {
	case s.Kind == ShowCreate:
		p.when(s.Temporary, " TEMPORARY")
		p.put(" ", objectNames[s.Object], " ", s.Name.format())
	case s.Kind == ShowColumns || s.Kind == ShowIndexes:
		p.put(" FROM ", s.Name.format())
	case !s.Name.Table.IsZero():
		p.put(" ", s.Name.format())
	}
	if !s.From.IsZero() {
		p.put(" FROM ", s.From.format())
	}
	p.like(s.HasLike, s.NotLike, s.ILike, s.Like)
	p.clause(" WHERE ", s.Where)
	p.clause(" LIMIT ", s.Limit)
	p.output(s.Output)
}

var explainNames = [...]string{
	ExplainPlan: "PLAN", ExplainAST: "AST", ExplainSyntax: "SYNTAX", ExplainQueryTree: "QUERY TREE", ExplainPipeline: "PIPELINE",
	ExplainEstimate: "ESTIMATE", ExplainAnalyze: "ANALYZE", ExplainTableOverride: "TABLE OVERRIDE", ExplainCurrentTransaction: "CURRENT TRANSACTION",
}

// String returns the words after EXPLAIN.
func (k ExplainKind) String() string { return explainNames[k] }

func (p *printer) explain(s *Explain) {
	p.put("EXPLAIN ", explainNames[s.Kind], " ")
	p.settings(s.Settings)
	p.when(len(s.Settings) > 0, " ")
	if s.Statement != nil {
		p.statement(s.Statement)
	}
	p.output(s.Output)
}

func (p *printer) kill(s *Kill) {
	p.put("KILL ")
	if s.Kind == KillMutation {
		p.put("MUTATION")
	} else {
		p.put("QUERY")
	}
	p.onCluster(s.OnCluster)
	p.clause(" WHERE ", s.Where)
	p.when(s.Sync, " SYNC")
	p.when(s.Test, " TEST")
	p.output(s.Output)
}
