package ast

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	Range
	Attach      bool
	IfNotExists bool
	Name        Name
	UUID        string
	OnCluster   string
	Engine      *Engine
	Settings    []Setting
	Comment     string
}

// TableKind tells apart what CREATE TABLE and its kin make.
type TableKind uint8

// The kinds.
const (
	KindTable TableKind = iota
	KindView
	KindMaterializedView
	// KindRollup is CREATE ROLLUP: a materialized view with its own table.
	KindRollup
)

// CreateTable is CREATE (or ATTACH) TABLE, VIEW, MATERIALIZED VIEW and ROLLUP.
type CreateTable struct {
	Range
	Kind        TableKind
	Attach      bool
	OrReplace   bool
	Replace     bool // REPLACE TABLE
	Temporary   bool
	IfNotExists bool
	Name        TableName
	UUID        string
	OnCluster   string
	// To is the target of a materialized view, nil for its own table.
	To *TableName
	// Refresh is nil without it.
	Refresh     *Refresh
	Columns     []*ColumnDef
	Indexes     []*IndexDef
	Projections []*ProjectionDef
	Constraints []*ConstraintDef
	Storage
	Populate bool
	// Empty is CREATE TABLE ... EMPTY AS SELECT.
	Empty bool
	// Clone is CREATE TABLE ... CLONE AS table.
	Clone      bool
	AsTable    *TableName
	AsFunction *FuncCall
	AsSelect   *SelectUnion
	// Definer is the text of DEFINER = ... SQL SECURITY ...
	Definer string
	Comment string
}

// Engine is a table or database engine.
type Engine struct {
	Range
	Name   string
	Args   []Expr
	Parens bool // Name() rather than Name
}

// Storage is how a table is stored.
type Storage struct {
	Engine      *Engine
	PartitionBy Expr
	// OrderBy and PrimaryKey are nil when not given; tuple() is a call without arguments.
	// ORDER BY (a, b DESC) keeps the direction in OrderDesc, one for each element of the tuple.
	OrderBy    Expr
	OrderDesc  []bool
	PrimaryKey Expr
	SampleBy   Expr
	TTL        []*TTLItem
	Settings   []Setting
}

// DefaultKind is the kind of a column's default.
type DefaultKind uint8

// The kinds.
const (
	DefaultNone DefaultKind = iota
	DefaultValue
	DefaultMaterialized
	DefaultAlias
	DefaultEphemeral
)

// NullModifier is NULL or NOT NULL after a column's type.
type NullModifier uint8

// The modifiers.
const (
	NullUnspecified NullModifier = iota
	Null
	NotNull
)

// ColumnDef is one column. Only Name is set when an ALTER leaves the rest out.
type ColumnDef struct {
	Range
	Name        string
	Type        *DataType // nil when left to the default expression
	Null        NullModifier
	DefaultKind DefaultKind
	Default     Expr // nil for a bare EPHEMERAL
	Comment     *Literal
	// Codecs are the calls inside CODEC(...).
	Codecs     []*FuncCall
	Statistics []*FuncCall
	TTL        Expr
	Collate    string
	PrimaryKey bool
	Settings   []Setting
}

// IndexDef is INDEX name expr TYPE type GRANULARITY n.
type IndexDef struct {
	Range
	Name        string
	Expr        Expr
	Type        *FuncCall
	Granularity uint64 // 0 when not given
}

// ProjectionDef is PROJECTION name (SELECT ...).
type ProjectionDef struct {
	Range
	Name  string
	Query *Select // without FROM
}

// ConstraintDef is CONSTRAINT name CHECK expr or ASSUME expr.
type ConstraintDef struct {
	Range
	Name   string
	Assume bool
	Expr   Expr
}

// TTLAction is what happens when a TTL passes.
type TTLAction uint8

// The actions.
const (
	TTLDelete TTLAction = iota
	TTLToDisk
	TTLToVolume
	TTLRecompress
	TTLGroupBy
)

// TTLItem is one element of a table's TTL.
type TTLItem struct {
	Range
	Expr     Expr
	Action   TTLAction
	Target   string // disk or volume
	IfExists bool
	Codecs   []*FuncCall
	Where    Expr
	GroupBy  []Expr
	Set      []*Assignment
}

// Assignment is column = expr.
type Assignment struct {
	Range
	Column string
	Value  Expr
}

// CreateFunction is CREATE FUNCTION name AS lambda.
type CreateFunction struct {
	Range
	OrReplace   bool
	IfNotExists bool
	Name        string
	OnCluster   string
	Lambda      Expr
}

func (*CreateDatabase) statement() {}
func (*CreateTable) statement()    {}
func (*CreateFunction) statement() {}
