package ast

// Ident is a possibly compound identifier, such as db.table.column.
type Ident struct {
	Range
	Parts []Name
}

// LiteralKind says which field of a Literal holds its value.
type LiteralKind uint8

// The kinds of literals.
const (
	LiteralNull LiteralKind = iota
	LiteralBool
	LiteralUint
	// LiteralInt is always negative; a non-negative integer is LiteralUint.
	LiteralInt
	LiteralFloat
	LiteralString
	// LiteralBigInt is an integer outside of 64 bits. ClickHouse reads
	// it as Float64; Float holds that, Text the exact digits.
	LiteralBigInt
)

// Literal is a constant of the query text.
type Literal struct {
	Range
	Kind  LiteralKind
	Bool  bool
	Uint  uint64
	Int   int64
	Float float64
	// Str is the value of a string literal, escapes undone.
	Str string
	// Text is a number exactly as written (with its sign), for exact decimals.
	Text string
}

// Syntax is the spelling a FuncCall had in the query text.
type Syntax uint8

// The spellings.
const (
	SyntaxCall     Syntax = iota // f(x)
	SyntaxOperator               // a + b, a AND b, NOT a, a IS NULL, a IN b, a LIKE b, a[1], t.1
	SyntaxArray                  // [a, b]
	SyntaxTuple                  // (a, b)
	SyntaxCast                   // x::T, CAST(x AS T)
	SyntaxCase                   // CASE ... END
	SyntaxSpecial                // INTERVAL 1 DAY, EXTRACT(...), DATE '...', a ? b : c, EXISTS (...)
)

// NullsAction is the treatment of NULL arguments a call asks for.
type NullsAction uint8

// The treatments.
const (
	NullsDefault NullsAction = iota
	RespectNulls
	IgnoreNulls
)

// FuncCall is a call of a scalar, aggregate or window function or of an
// operator. In an IN call the second argument is a *Subquery, an *Ident (a table
// or a column), a tuple or array call, or the single value of x IN (1).
type FuncCall struct {
	Range
	Name string // as written for calls; ClickHouse's name for operators
	// Params are the parameters of f(params)(args); nil without them.
	Params   []Expr
	Args     []Expr
	Distinct bool // f(DISTINCT x)
	Filter   Expr // FILTER (WHERE cond), nil without it
	Nulls    NullsAction
	Over     *Window // OVER, nil without it
	Syntax   Syntax
	// Parens says that the call stood in parentheses, so that a AND (b AND c) is told from a AND b AND c.
	Parens bool
}

// Window is OVER name or OVER (spec).
type Window struct {
	Range
	// Name is the window of OVER name; Base the one a spec starts from.
	Name, Base  string
	PartitionBy []Expr
	OrderBy     []*OrderItem
	Frame       *Frame // nil for the default
}

// FrameUnit is ROWS, RANGE or GROUPS.
type FrameUnit uint8

// The units.
const (
	FrameRows FrameUnit = iota
	FrameRange
	FrameGroups
)

// BoundKind is one end of a frame.
type BoundKind uint8

// The kinds of bounds.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// FrameBound is one end of a frame. Offset is set for Preceding and Following.
type FrameBound struct {
	Kind   BoundKind
	Offset Expr
}

// Frame is the frame of a window. When only one bound is written, To is CURRENT ROW.
type Frame struct {
	Range
	Unit     FrameUnit
	From, To FrameBound
}

// Lambda is (params) -> body.
type Lambda struct {
	Range
	Params []string
	Body   Expr
}

// Alias is expr AS name, which may stand anywhere in an expression.
type Alias struct {
	Range
	Expr Expr
	Name string
}

// Subquery is (SELECT ...) as an expression.
type Subquery struct {
	Range
	Query *SelectUnion
}

// QueryParam is {name:Type}.
type QueryParam struct {
	Range
	Name string
	Type DataType
}

// Asterisk is * with its transformers.
type Asterisk struct {
	Range
	Transformers []*Transformer
}

// QualifiedAsterisk is qualifier.*.
type QualifiedAsterisk struct {
	Range
	Qualifier    *Ident
	Transformers []*Transformer
}

// ColumnsMatcher is [qualifier.]COLUMNS('regexp') or COLUMNS(a, b).
type ColumnsMatcher struct {
	Range
	Qualifier    *Ident // nil without one
	Pattern      string
	List         []*Ident // set instead of Pattern
	Transformers []*Transformer
}

// TransformerKind is APPLY, EXCEPT or REPLACE.
type TransformerKind uint8

// The transformers.
const (
	TransformApply TransformerKind = iota
	TransformExcept
	TransformReplace
)

// Transformer changes the columns an asterisk or COLUMNS stands for.
type Transformer struct {
	Range
	Kind   TransformerKind
	Strict bool // EXCEPT STRICT, REPLACE STRICT
	// Function and Params, or Lambda, or for APPLY.
	Function string
	Params   []Expr
	Lambda   *Lambda
	Prefix   string // APPLY(f, 'prefix')
	// Columns or Pattern for EXCEPT.
	Columns []string
	Pattern string
	// Replace holds expr AS column for REPLACE.
	Replace []*Alias
}

func (*Ident) expr()             {}
func (*Literal) expr()           {}
func (*FuncCall) expr()          {}
func (*Lambda) expr()            {}
func (*Alias) expr()             {}
func (*Subquery) expr()          {}
func (*QueryParam) expr()        {}
func (*Asterisk) expr()          {}
func (*QualifiedAsterisk) expr() {}
func (*ColumnsMatcher) expr()    {}

// Unalias returns e without its alias, and the alias or "".
func Unalias(e Expr) (Expr, string) {
	if a, ok := e.(*Alias); ok {
		return a.Expr, a.Name
	}
	return e, ""
}

// Call makes a call of an unparenthesised function.
func Call(name string, args ...Expr) *FuncCall {
	return &FuncCall{Name: name, Args: args}
}

// Last returns the last part of the identifier.
func (i *Ident) Last() string { return i.Parts[len(i.Parts)-1].Text }
