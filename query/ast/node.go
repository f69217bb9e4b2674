// Package ast holds the syntax tree of olapd's SQL dialect.
//
// The tree is what the parser saw, with operators already written as the
// ClickHouse functions they stand for: a + 1 is plus(a, 1), CASE is multiIf or
// caseWithExpression, x BETWEEN l AND h is and(greaterOrEquals(x, l),
// lessOrEquals(x, h)), x::T is CAST(x, 'T'), t.1 is tupleElement(t, 1). An analyzer therefore
// meets one form of call, FuncCall; its Syntax field remembers the spelling
// for Format and ColumnName only. AND, OR and || are n-ary. No name is resolved and no type is parsed here.
//
// Every node knows the bytes of the query text it came from (Span). Nodes
// are plain values: nobody writes to a node after the parser has returned it,
// so trees are shared between goroutines; Rewrite copies what it changes.
// BETWEEN shares its left operand between the two comparisons.
package ast

// Range is a half-open byte range of the query text. Nodes embed it.
type Range struct {
	Start, End int
}

// Span returns the bytes of the query text the node came from. A node made by
// a rewrite may have an empty Range.
func (r Range) Span() Range { return r }

// Node is any part of a tree.
type Node interface {
	Span() Range
}

// Expr is an expression. The implementations are *Ident, *Literal, *FuncCall,
// *Lambda, *Alias, *Subquery, *Asterisk, *QualifiedAsterisk, *ColumnsMatcher
// and *QueryParam.
type Expr interface {
	Node
	expr()
}

// Statement is one SQL statement.
type Statement interface {
	Node
	statement()
}

// TableExpr is what may stand in FROM: *TableRef, *TableFunction,
// *SubqueryTable, *Join or *ArrayJoin.
type TableExpr interface {
	Node
	tableExpr()
}

// Name is one identifier as written.
type Name struct {
	// Text is the identifier without quotes and with escapes undone. For a
	// parameter it is the parameter's name.
	Text string
	// Quoted says that it stood in backticks or double quotes.
	Quoted bool
	// Param says that it was {Text:Identifier}; the engine substitutes it.
	Param bool
}

// IsZero reports whether no name was given.
func (n Name) IsZero() bool { return n.Text == "" }

// TableName is [database.]table.
type TableName struct {
	Range
	Database Name // zero when not given
	Table    Name
}

// DataType is the text of a data type: the words as written, spaced as ClickHouse prints
// them, such as Decimal(10, 2) and Enum8('a' = 1). Aliases such as INT UNSIGNED and VARCHAR(255) are kept.
type DataType struct {
	Range
	Text string
}

// Setting is one name = value of a SETTINGS clause or a SET statement.
type Setting struct {
	Range
	Name string
	// Value is a *Literal, or a *FuncCall array, tuple or map of literals, or a *QueryParam.
	// It is nil for name = DEFAULT.
	Value Expr
}
