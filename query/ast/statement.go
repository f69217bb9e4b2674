package ast

// Insert is INSERT INTO. Exactly one of Table and Function is set, and at most
// one of Select, Format and Infile; with none of them the data follows out of band.
type Insert struct {
	Range
	Table    *TableName
	Function *FuncCall
	// Columns is nil when no list was given. Items are *Ident, or asterisks and COLUMNS with EXCEPT.
	Columns     []Expr
	PartitionBy Expr
	Settings    []Setting
	Select      *SelectUnion
	// Input says that Select reads the data of the INSERT, by the table function input.
	Input bool
	// Format is the format's name; "Values" for VALUES; "" when not given.
	Format string
	// DataStart is the offset in the text at which inline data begins, -1 when the statement
	// has no inline data (INSERT SELECT without input, or FORMAT at the end of the text). The data is not read by the parser.
	DataStart int
	// DataEnd is the end of the text.
	DataEnd     int
	Infile      *Literal
	Compression string
}

// ObjectKind is what DROP, EXISTS, SHOW CREATE, DETACH and their kin speak of.
type ObjectKind uint8

// The kinds of objects.
const (
	ObjectTable ObjectKind = iota
	ObjectDatabase
	ObjectView
	ObjectDictionary
	ObjectFunction
	ObjectRollup
)

// DropAction is DROP, TRUNCATE or DETACH.
type DropAction uint8

// The actions.
const (
	ActionDrop DropAction = iota
	ActionTruncate
	ActionDetach
)

// Drop is DROP, TRUNCATE or DETACH of tables, views, dictionaries, databases and functions.
type Drop struct {
	Range
	Action      DropAction
	Kind        ObjectKind
	Temporary   bool
	IfExists    bool
	IfEmpty     bool
	Names       []TableName // for databases and functions only Table is set
	OnCluster   string
	Permanently bool
	// AllTables is TRUNCATE [ALL] TABLES FROM database, with its pattern.
	AllTables bool
	NotLike   bool
	ILike     bool
	Like      string
	Sync      bool
	NoDelay   bool
}

// Attach is ATTACH of something that was detached, without a definition.
type Attach struct {
	Range
	Kind        ObjectKind
	IfNotExists bool
	Name        TableName
	OnCluster   string
}

// Undrop is UNDROP TABLE.
type Undrop struct {
	Range
	Name      TableName
	UUID      string
	OnCluster string
}

// Rename is RENAME or EXCHANGE.
type Rename struct {
	Range
	Exchange  bool
	Kind      ObjectKind
	IfExists  bool
	Pairs     []RenamePair
	OnCluster string
}

// RenamePair is from TO to, or one AND other.
type RenamePair struct {
	From, To TableName
}

// Delete is the lightweight DELETE FROM.
type Delete struct {
	Range
	Table     TableName
	OnCluster string
	Partition *Partition
	Where     Expr
	Settings  []Setting
}

// Update is UPDATE table SET ... WHERE.
type Update struct {
	Range
	Table     TableName
	OnCluster string
	Set       []*Assignment
	Partition *Partition
	Where     Expr
	Settings  []Setting
}

// Optimize is OPTIMIZE TABLE.
type Optimize struct {
	Range
	Table         TableName
	OnCluster     string
	Partition     *Partition
	Final         bool
	Cleanup       bool
	Deduplicate   bool
	DeduplicateBy []Expr
	Settings      []Setting
}

// Describe is DESCRIBE of a table, a table function or a subquery.
type Describe struct {
	Range
	Table TableExpr
	Output
}

// ShowKind says what a SHOW shows.
type ShowKind uint8

// The kinds.
const (
	ShowDatabases ShowKind = iota
	ShowTables
	ShowDictionaries
	ShowViews
	ShowCreate
	ShowColumns
	ShowIndexes
	ShowProcesslist
	ShowFunctions
	ShowSettings
	ShowSetting
	ShowEngines
	ShowClusters
	ShowCluster
	ShowMerges
	ShowRollups
)

// Show is any SHOW.
type Show struct {
	Range
	Kind      ShowKind
	Full      bool
	Extended  bool
	Temporary bool
	Changed   bool // SHOW CHANGED SETTINGS
	// Object is what ShowCreate shows.
	Object ObjectKind
	// Name is the table of ShowCreate, ShowColumns and ShowIndexes, the setting of ShowSetting, the cluster of ShowCluster.
	Name TableName
	// From is the database of FROM or IN.
	From    Name
	NotLike bool
	ILike   bool
	HasLike bool
	Like    string
	Where   Expr
	Limit   Expr
	Output
}

// Exists is EXISTS [TABLE|DATABASE|...] name.
type Exists struct {
	Range
	Kind      ObjectKind
	Temporary bool
	Name      TableName
	Output
}

// ExplainKind is what an EXPLAIN explains.
type ExplainKind uint8

// The kinds. ExplainPlan is the default.
const (
	ExplainPlan ExplainKind = iota
	ExplainAST
	ExplainSyntax
	ExplainQueryTree
	ExplainPipeline
	ExplainEstimate
	ExplainAnalyze
	ExplainTableOverride
	ExplainCurrentTransaction
)

// Explain is EXPLAIN.
type Explain struct {
	Range
	Kind      ExplainKind
	Settings  []Setting
	Statement Statement // nil for ExplainCurrentTransaction
	Output
}

// Use is USE database.
type Use struct {
	Range
	Database Name
}

// Set is SET name = value, ...
type Set struct {
	Range
	Settings []Setting
}

// KillKind is QUERY, MUTATION and so on.
type KillKind uint8

// The kinds.
const (
	KillQuery KillKind = iota
	KillMutation
)

// Kill is KILL QUERY or KILL MUTATION.
type Kill struct {
	Range
	Kind      KillKind
	OnCluster string
	Where     Expr
	Sync      bool
	Test      bool
	Output
}

// System is SYSTEM command. Command is upper case with single spaces,
// such as "FLUSH LOGS"; Table is what follows it, zero without.
type System struct {
	Range
	Command   string
	Table     TableName
	OnCluster string
	// Args is the text of further arguments.
	Args string
}

// Check is CHECK TABLE.
type Check struct {
	Range
	Table     TableName
	Partition *Partition
	Part      string
	Settings  []Setting
	Output
}

// Other is a statement that is recognised and balanced but not taken apart: access
// control, dictionaries, backups, transactions. Feature names it, for the error that it is not supported.
type Other struct {
	Range
	Feature string // such as "CREATE USER", "GRANT", "BACKUP"
	Text    string
}

// Parallel is statements joined by PARALLEL WITH. None of them yields rows.
type Parallel struct {
	Range
	Statements []Statement
}

func (*Parallel) statement() {}
func (*Insert) statement()   {}
func (*Drop) statement()     {}
func (*Attach) statement()   {}
func (*Undrop) statement()   {}
func (*Rename) statement()   {}
func (*Delete) statement()   {}
func (*Update) statement()   {}
func (*Optimize) statement() {}
func (*Describe) statement() {}
func (*Show) statement()     {}
func (*Exists) statement()   {}
func (*Explain) statement()  {}
func (*Use) statement()      {}
func (*Set) statement()      {}
func (*Kill) statement()     {}
func (*System) statement()   {}
func (*Check) statement()    {}
func (*Other) statement()    {}
