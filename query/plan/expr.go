package plan

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
)

// Expr is a typed expression over the columns of one input. Immutable.
type Expr interface {
	// Type is the declared type of the value, LowCardinality included.
	Type() *types.Type
	// String prints the expression for EXPLAIN and as a key: equal texts over one input are equal expressions.
	String() string
}

// Col reads column Index of the input.
type Col struct {
	Index int
	Name  string
	T     *types.Type
}

// Const is a constant: Value is a flat vector of length 1.
type Const struct {
	Value column.Vector
	T     *types.Type
}

// Call calls a scalar function. If the function takes a lambda, Args[0] is a *Lambda.
type Call struct {
	Fn   *function.Bound
	Args []Expr
}

// Lambda is the argument of a higher-order function. In Body, a *Param reads a
// parameter of this or an enclosing lambda and a *Col a column of the input as elsewhere.
type Lambda struct {
	Params []*Param
	Body   Expr
}

// Param is a parameter of a lambda, known by identity (the pointer).
type Param struct {
	Name string
	T    *types.Type
}

// In tests whether the tuple of Args is in Set. The result is UInt8, or Nullable where
// transform_null_in is off and an argument is nullable.
type In struct {
	Args []Expr
	Set  *Set
	Not  bool
	T    *types.Type
}

// Set is the right side of IN: constant rows, or a subquery run once before the pipeline.
type Set struct {
	Types  []*types.Type // of the set's columns, as the arguments are compared
	Values *column.Block // constant rows, flat; nil if Input is set
	Input  Node
	// ID tells the subqueries of one statement apart; 0 for constant rows.
	ID int
}

// Type implements Expr.
func (e *Col) Type() *types.Type    { return e.T }
func (e *Const) Type() *types.Type  { return e.T }
func (e *Call) Type() *types.Type   { return e.Fn.Result }
func (e *Lambda) Type() *types.Type { return e.Body.Type() }
func (e *Param) Type() *types.Type  { return e.T }
func (e *In) Type() *types.Type     { return e.T }

// String implements Expr.
func (e *Col) String() string   { return e.Name }
func (e *Const) String() string { return constText(e.Value, e.T) }
func (e *Param) String() string { return e.Name }

// String implements Expr. Constants that are secrets stand as hashes, which tell them apart and nothing else.
func (e *Call) String() string {
	n := ast.SecretFrom(e.Fn.Func.Name)
	if n < 0 || n >= len(e.Args) {
		return e.Fn.Func.Name + "(" + joinExprs(e.Args) + ")"
	}
	parts := make([]string, len(e.Args))
	for i, a := range e.Args {
		parts[i] = a.String()
		if _, is := a.(*Const); is && i >= n {
			parts[i] = fmt.Sprintf("'%s #%016x'", ast.Hidden, maphash.String(secretSeed, parts[i]))
		}
	}
	return e.Fn.Func.Name + "(" + strings.Join(parts, ", ") + ")"
}

// secretSeed makes the hashes of secrets of no use outside of the process.
var secretSeed = maphash.MakeSeed()

// String implements Expr.
func (e *Lambda) String() string {
	names := make([]string, len(e.Params))
	for i, p := range e.Params {
		names[i] = p.Name
	}
	return "lambda((" + strings.Join(names, ", ") + "), " + e.Body.String() + ")"
}

// String implements Expr.
func (e *In) String() string {
	name := "in("
	if e.Not {
		name = "notIn("
	}
	return name + joinExprs(e.Args) + ", " + e.Set.String() + ")"
}

// String prints the constant rows, or which subquery it is. Different sets print differently:
// a long list is cut for EXPLAIN and ends in a hash of all its rows.
func (s *Set) String() string {
	if s.Values == nil {
		return "subquery " + strconv.Itoa(s.ID)
	}
	const show = 10 // rows of a long list that EXPLAIN prints
	var b strings.Builder
	b.WriteByte('(')
	for i := 0; i < s.Values.N && i < show; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		for j, c := range s.Values.Cols {
			if j > 0 {
				b.WriteString(" ")
			}
			b.WriteString(constText(c.Slice(i, i+1), c.Type()))
		}
	}
	if s.Values.N > show {
		fmt.Fprintf(&b, ", … %d rows #%016x", s.Values.N, rowsHash(s.Values))
	}
	b.WriteByte(')')
	return b.String()
}

func rowsHash(b *column.Block) uint64 {
	h, one := uint64(b.N), make([]uint64, b.N)
	for _, c := range b.Cols {
		column.Hash(c, one)
		for _, x := range one {
			h = column.Combine(h, x)
		}
	}
	return h
}

func joinExprs(es []Expr) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

// Walk calls f for e and, where f returns true, for the expressions in it; not for nodes of subqueries.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	switch e := e.(type) {
	case *Call:
		for _, a := range e.Args {
			Walk(a, f)
		}
	case *Lambda:
		Walk(e.Body, f)
	case *In:
		for _, a := range e.Args {
			Walk(a, f)
		}
	}
}

// Rewrite replaces expressions bottom-up: f gets each expression with its parts already
// rewritten and returns it or another of the same type.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	switch x := e.(type) {
	case *Call:
		e = &Call{Fn: x.Fn, Args: RewriteAll(x.Args, f)}
	case *Lambda:
		e = &Lambda{Params: x.Params, Body: Rewrite(x.Body, f)}
	case *In:
		e = &In{Args: RewriteAll(x.Args, f), Set: x.Set, Not: x.Not, T: x.T}
	}
	return f(e)
}

// RewriteAll is Rewrite over a list.
func RewriteAll(es []Expr, f func(Expr) Expr) []Expr {
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = Rewrite(e, f)
	}
	return out
}

// Columns marks in used the input columns that e reads.
func Columns(e Expr, used map[int]bool) {
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Col); ok {
			used[c.Index] = true
		}
		return true
	})
}
