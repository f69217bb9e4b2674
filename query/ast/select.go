package ast

// SetOp joins a select with what stands before it.
type SetOp uint8

// The set operations. SetUnion without ALL or DISTINCT follows the setting union_default_mode.
const (
	SetNone SetOp = iota // the first select
	SetUnion
	SetUnionAll
	SetUnionDistinct
	SetIntersect
	SetIntersectDistinct
	SetExcept
	SetExceptDistinct
)

// SelectUnion is a list of selects and, at the top of a statement, what
// applies to the whole of it. INTERSECT binds tighter than UNION and EXCEPT: the
// parser nests, so that Items associates to the left.
type SelectUnion struct {
	Range
	Items []UnionItem // at least one
	Output
}

// UnionItem is one operand. Exactly one of Select and Nested is set.
type UnionItem struct {
	Op     SetOp
	Select *Select
	Nested *SelectUnion // in parentheses, or nested for precedence
}

// Output is the tail every statement with a result may have.
type Output struct {
	OutFile     *Literal // INTO OUTFILE 'name', nil without it
	OutAppend   bool
	OutTruncate bool
	Compression string
	Format      string // FORMAT name, "" without it
	// Settings that stand after FORMAT.
	Settings []Setting
}

// GroupMode is what follows GROUP BY.
type GroupMode uint8

// The modes.
const (
	GroupPlain GroupMode = iota
	GroupRollup
	GroupCube
	GroupingSets
)

// Select is one SELECT. A nil or empty field is a clause that was not given.
type Select struct {
	Range
	Recursive  bool
	With       []*WithItem
	Distinct   bool
	DistinctOn []Expr
	// Exprs holds *Alias for named items.
	Exprs          []Expr
	From           TableExpr
	Prewhere       Expr
	Where          Expr
	GroupBy        []Expr
	GroupByAll     bool // GROUP BY ALL
	GroupMode      GroupMode
	Sets           [][]Expr // for GroupingSets
	WithTotals     bool
	Having         Expr
	Windows        []*NamedWindow
	Qualify        Expr
	OrderBy        []*OrderItem
	OrderByAll     bool // ORDER BY ALL; OrderBy[0] holds direction only, with a nil Expr
	Interpolate    []*Alias
	HasInterpolate bool
	LimitBy        *LimitBy
	Limit          Expr
	Offset         Expr
	LimitTies      bool // WITH TIES
	Settings       []Setting
}

// WithItem is name AS (SELECT ...) or expr AS name. Exactly one of Query and Expr is set.
type WithItem struct {
	Range
	Name         string
	Columns      []string
	Materialized bool
	Query        *SelectUnion
	Expr         Expr
}

// NamedWindow is one item of WINDOW.
type NamedWindow struct {
	Range
	Name string
	Spec *Window
}

// NullsOrder is NULLS FIRST or LAST.
type NullsOrder uint8

// The orders of NULL. The default is NULLS LAST for both directions.
const (
	NullsUnspecified NullsOrder = iota
	NullsFirst
	NullsLast
)

// OrderItem is one key of ORDER BY.
type OrderItem struct {
	Range
	Expr    Expr
	Desc    bool
	Nulls   NullsOrder
	Collate string
	Fill    *WithFill
}

// WithFill is WITH FILL.
type WithFill struct {
	From, To, Step, Staleness Expr
}

// LimitBy is LIMIT [offset,] limit BY exprs.
type LimitBy struct {
	Limit, Offset Expr
	By            []Expr
	All           bool // BY ALL
}

// SampleRatio is SAMPLE ratio [OFFSET ratio].
type SampleRatio struct {
	Ratio, Offset Expr
}

// TableRef is a table by name.
type TableRef struct {
	Range
	Name   TableName
	Alias  string
	Final  bool
	Sample *SampleRatio
}

// TableFunction is a table function, such as numbers(10).
type TableFunction struct {
	Range
	// Database of a view called with parameters; zero for table functions.
	Database Name
	Call     *FuncCall
	// Settings inside of the parentheses.
	Settings []Setting
	Alias    string
	Final    bool
	Sample   *SampleRatio
}

// SubqueryTable is (SELECT ...) in FROM.
type SubqueryTable struct {
	Range
	Query   *SelectUnion
	Alias   string
	Columns []string // AS alias(columns)
	Final   bool
	Sample  *SampleRatio
}

// JoinKind is the side kept by a join.
type JoinKind uint8

// The kinds.
const (
	JoinInner JoinKind = iota
	JoinLeft
	JoinRight
	JoinFull
	JoinCross
	JoinComma // a, b
	JoinPaste
)

// Strictness is how many matches a row gets.
type Strictness uint8

// The strictnesses. StrictDefault follows the setting join_default_strictness.
const (
	StrictDefault Strictness = iota
	StrictAll
	StrictAny
	StrictAsof
	StrictSemi
	StrictAnti
)

// Join is left JOIN right.
type Join struct {
	Range
	Left, Right TableExpr
	Kind        JoinKind
	Strictness  Strictness
	Global      bool
	Local       bool
	On          Expr
	Using       []Expr // identifiers, possibly *Alias
}

// ArrayJoin is input [LEFT] ARRAY JOIN exprs.
type ArrayJoin struct {
	Range
	Input TableExpr // nil: over the one-row table
	Left  bool
	Exprs []Expr
}

func (*SelectUnion) statement()   {}
func (*TableRef) tableExpr()      {}
func (*TableFunction) tableExpr() {}
func (*SubqueryTable) tableExpr() {}
func (*Join) tableExpr()          {}
func (*ArrayJoin) tableExpr()     {}
