// Package plan is the typed logical plan: what a statement computes, with every
// name resolved, every function bound and every type known, and no word on how.
//
// A plan is a tree of Nodes, immutable once built; the optimizer makes new trees.
// Every node has a Schema, and expressions of a node refer to the columns of its input
// by position (Col.Index); a join's expressions see the left columns, then the right ones.
package plan

import (
	"slices"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
)

// Node is a relational operation.
type Node interface {
	// Schema is the columns the node yields. Names may repeat.
	Schema() column.Schema
	// Inputs are the nodes it reads.
	Inputs() []Node
}

// Table is something a Scan reads: a table of the catalog, a system table, a table function.
type Table interface {
	// Name is the full name for EXPLAIN and messages.
	Name() string
	// Schema is all columns that can be read, ALIAS columns not included, virtual ones included.
	Schema() column.Schema
	// Catalog is the table's entry, or nil for what the catalog does not hold.
	Catalog() *catalog.Table
}

// Scan reads columns of a table. Filter, if set, is over the scan's own Schema and may be
// used to skip segments and granules; the scan yields exactly the rows that pass it.
type Scan struct {
	Table   Table
	Columns []int // positions in Table.Schema, in the order of this node's Schema
	Filter  Expr  // WHERE and PREWHERE conditions pushed down, or nil
	Final   bool
	Sample  float64 // 0: all rows
	// Limit is the number of rows after which the reader may stop, in any order; 0: none.
	Limit uint64
	// Parts are the sub-columns that are read of the last of Columns, one each, in place of the whole. Plans have none until a pipeline is built of them.
	Parts []Part

	schema column.Schema
}

// Part is a sub-column of a column of JSON.
type Part struct {
	Column int    // in the scan's Columns: where the whole is
	Name   string // as getSubcolumn takes it
	Type   *types.Type
}

// String is the part of a column as an expression.
func (p Part) String(whole string) string {
	return "getSubcolumn(" + whole + ", " + types.QuoteString(p.Name) + ")"
}

// WithParts returns a copy that also reads sub-columns, behind its other columns.
func (n *Scan) WithParts(parts []Part) *Scan {
	c := *n
	c.Columns, c.schema, c.Parts = slices.Clone(n.Columns), slices.Clone(n.schema), parts
	for _, p := range parts {
		c.Columns = append(c.Columns, n.Columns[p.Column])
		c.schema = append(c.schema, column.Field{Name: p.String(n.schema[p.Column].Name), Type: p.Type})
	}
	return &c
}

// Part returns the sub-column that column i is; nil if it is a whole one.
func (n *Scan) Part(i int) *Part {
	if k := i - len(n.Columns) + len(n.Parts); k >= 0 {
		return &n.Parts[k]
	}
	return nil
}

// NewScan returns a scan of the columns at the given positions.
func NewScan(t Table, columns []int) *Scan {
	all := t.Schema()
	s := &Scan{Table: t, Columns: columns}
	for _, c := range columns {
		s.schema = append(s.schema, all[c])
	}
	return s
}

// With returns a copy with another filter, and a limit.
func (n *Scan) With(filter Expr, limit uint64) *Scan {
	c := *n
	c.Filter, c.Limit = filter, limit
	return &c
}

// Values yields constant rows.
type Values struct {
	Block  *column.Block
	Fields column.Schema
}

// Filter yields the input's rows for which Cond is true (not 0, not NULL).
type Filter struct {
	Input Node
	Cond  Expr
}

// Project computes expressions.
type Project struct {
	Input  Node
	Exprs  []Expr
	Fields column.Schema // names and types, one per expression
}

// Aggregate groups by Keys; its schema is the keys, then the aggregates. Without keys it yields one row,
// unless EmptyOnEmpty; with GroupingSets, one group of rows per set (positions in Keys) with the other keys at their defaults.
type Aggregate struct {
	Input        Node
	Keys         []Expr
	Aggs         []AggCall
	Totals       bool    // WITH TOTALS: also one row over everything
	GroupingSets [][]int // nil: one set of all keys
	// SetNumber says that there is one more column: which of the GroupingSets a row is of, as UInt64; of totals it is the last.
	SetNumber bool
	Fields    column.Schema
	// Partial says that the output is states, to be merged by an Aggregate with Merge: of each call as a column of the function's PlainType, if its field has
	// that, else as bytes.
	Partial, Merge bool
}

// StateType is the type of call i's states, of a Partial aggregate.
func (n *Aggregate) StateType(i int) *types.Type { return n.Fields[len(n.Keys)+i].Type }

// Plain reports whether call i's states are a column of its function's PlainType.
func (n *Aggregate) Plain(i int) bool {
	p := function.PlainType(n.Aggs[i].Fn)
	return p != nil && p.Equal(n.StateType(i))
}

// AggCall is one aggregate of an Aggregate.
type AggCall struct {
	Name string // as EXPLAIN prints it
	Fn   function.Aggregate
	Args []Expr
	// Func, Params and Distinct are what Fn was bound from, beside the types of Args: rules recognise count, min, max by Func, which ends in
	// "Distinct" where that stood in the call.
	Func     string
	Params   []column.Vector // flat, of length 1
	Distinct bool
}

// SortKey is one column of ORDER BY, as a position in the input.
type SortKey struct {
	Index int
	column.Order
}

// Fill is ORDER BY … WITH FILL: it yields the rows of its input, which is sorted by Prefix and Keys, and between them rows for the
// values of Keys that are missing. Such a row has the prefix of the row before, Interpolate's values, and defaults elsewhere.
type Fill struct {
	Input       Node
	Prefix      []int // sort keys before the first of Keys: each group of equal ones is filled for itself
	Keys        []FillKey
	Interpolate []Interpolation
}

// FillKey is a sort key WITH FILL: constants of the key's type, nil where not given. Step and Staleness are of Int64, of Float64 for keys of floats.
type FillKey struct {
	Index           int
	Desc            bool
	From, To        column.Vector
	Step, Staleness column.Vector
	StepUnit        *types.Unit // of an INTERVAL
	StalenessUnit   *types.Unit
}

// Interpolation computes a column of an added row from the row before.
type Interpolation struct {
	Column int
	Expr   Expr
}

// Sort orders rows. Limit, if not 0, is how many of the first rows are wanted (a top-k).
type Sort struct {
	Input Node
	Keys  []SortKey
	Limit uint64
}

// Limit yields N rows behind the first Offset; WithTies goes on while the sort keys equal those of the last row.
type Limit struct {
	Input    Node
	N        uint64 // NoLimit: all
	Offset   uint64
	WithTies []SortKey
}

// NoLimit is Limit.N of a query with OFFSET only.
const NoLimit = ^uint64(0)

// LimitBy yields, of each group of equal key columns (positions), N rows behind the first Offset, in input order.
type LimitBy struct {
	Input  Node
	Keys   []int
	N      uint64
	Offset uint64
}

// Distinct yields the first row of each group of equal key columns (positions).
type Distinct struct {
	Input Node
	Keys  []int
}

// Union yields the rows of all inputs, which have the types of Fields.
type Union struct {
	All    []Node
	Fields column.Schema
}

// JoinKind is which rows without a partner a join keeps.
type JoinKind uint8

// The kinds of join. Semi and Anti are by the left side unless RightSemi, RightAnti.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
	Cross
	Semi
	Anti
	RightSemi
	RightAnti
)

// Strictness is how many partners a row gets.
type Strictness uint8

// The strictnesses.
const (
	All Strictness = iota
	Any
	Asof
)

// Join joins rows with equal keys. Schema: the left columns, then the right ones (made Nullable
// by the analyzer with join_use_nulls; else rows without a partner hold defaults).
type Join struct {
	Left, Right         Node
	Kind                JoinKind
	Strictness          Strictness
	LeftKeys, RightKeys []Expr // equally long; each over its own side, of one common type
	// Cond is the rest of ON, over both sides' columns; nil if there is none.
	Cond Expr
	// AsofLess, for Asof: the last key pair is the inequality; the operator's name (lessOrEquals …).
	AsofOp string
	Fields column.Schema
}

// ArrayJoin repeats each row once per element of the arrays at Columns (positions), which it replaces by their elements.
type ArrayJoin struct {
	Input   Node
	Columns []int
	Left    bool // rows with empty arrays are kept, with defaults
	Fields  column.Schema
}

// Window computes window functions behind the input's columns.
type Window struct {
	Input     Node
	Calls     []WindowCall
	Fields    column.Schema
	Unordered bool // the one call is row_number() without ORDER BY, and the rows may come in any order; fragments do without it
}

// WindowCall is one function over a window.
type WindowCall struct {
	AggCall
	PartitionBy []int
	OrderBy     []SortKey
	Frame       Frame
}

// Frame is a window frame; a nil bound is unbounded.
type Frame struct {
	Rows       bool // ROWS; else RANGE
	Start, End *int64
}

// Schema implements Node.
func (n *Scan) Schema() column.Schema      { return n.schema }
func (n *Values) Schema() column.Schema    { return n.Fields }
func (n *Filter) Schema() column.Schema    { return n.Input.Schema() }
func (n *Project) Schema() column.Schema   { return n.Fields }
func (n *Aggregate) Schema() column.Schema { return n.Fields }
func (n *Sort) Schema() column.Schema      { return n.Input.Schema() }
func (n *Fill) Schema() column.Schema      { return n.Input.Schema() }
func (n *Slice) Schema() column.Schema     { return n.Input.Schema() }
func (n *Limit) Schema() column.Schema     { return n.Input.Schema() }
func (n *LimitBy) Schema() column.Schema   { return n.Input.Schema() }
func (n *Distinct) Schema() column.Schema  { return n.Input.Schema() }
func (n *Union) Schema() column.Schema     { return n.Fields }
func (n *Join) Schema() column.Schema      { return n.Fields }
func (n *ArrayJoin) Schema() column.Schema { return n.Fields }
func (n *Window) Schema() column.Schema    { return n.Fields }

// Inputs implements Node.
func (n *Scan) Inputs() []Node      { return nil }
func (n *Values) Inputs() []Node    { return nil }
func (n *Filter) Inputs() []Node    { return []Node{n.Input} }
func (n *Project) Inputs() []Node   { return []Node{n.Input} }
func (n *Aggregate) Inputs() []Node { return []Node{n.Input} }
func (n *Sort) Inputs() []Node      { return []Node{n.Input} }
func (n *Fill) Inputs() []Node      { return []Node{n.Input} }
func (n *Slice) Inputs() []Node     { return []Node{n.Input} }
func (n *Limit) Inputs() []Node     { return []Node{n.Input} }
func (n *LimitBy) Inputs() []Node   { return []Node{n.Input} }
func (n *Distinct) Inputs() []Node  { return []Node{n.Input} }
func (n *Union) Inputs() []Node     { return n.All }
func (n *Join) Inputs() []Node      { return []Node{n.Left, n.Right} }
func (n *ArrayJoin) Inputs() []Node { return []Node{n.Input} }
func (n *Window) Inputs() []Node    { return []Node{n.Input} }
