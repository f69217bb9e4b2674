// Package analyze turns syntax trees into typed logical plans: names are resolved, functions
// bound, types inferred, constants folded, clauses put in their order.
//
// # Names
//
// An expression's alias is visible everywhere in its SELECT and goes before a column of the same
// name, except inside of its own expression. An identifier means, in this order: a lambda's parameter, an alias, a
// column of FROM, an alias of an enclosing query's WITH. A column may be qualified by alias, by table and by
// database and table; where one join has the name on both sides the left one is meant, among more tables it
// is ambiguous. A result column is named by its alias, else by its expression written with function names, and a
// qualifier stays in a name only where it is needed to tell tables apart.
//
// # Order of clauses
//
//	FROM → ARRAY JOIN → PREWHERE, WHERE → GROUP BY → HAVING → windows → QUALIFY
//	→ SELECT → DISTINCT → ORDER BY → LIMIT BY → LIMIT
//
// Expressions of a SELECT are resolved over the columns of FROM first, with aggregates and window
// functions as opaque parts (see expr.go); clause by clause they are then rewritten over what the step below
// yields. A column that is left over above GROUP BY is an error.
package analyze

import (
	"context"

	"github.com/olapd/olapd/internal/catalog"
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// Options is what a statement is analyzed against. A field without a comment on nil must be set.
type Options struct {
	Catalog  *catalog.Catalog
	Database string // of names without one
	Env      *function.Env
	// Params are the query parameters {name:Type} as escaped text (TSV).
	Params map[string]string
	// Setting returns a setting's value as text; nil means Env.Setting.
	Setting func(name string) (string, bool)
	// Virtual returns a table the catalog does not hold, such as system.tables, or nil. May be nil.
	Virtual func(database, name string) plan.Table
	// VirtualTables describes the tables that Virtual knows of itself: database, name and columns, of which those that an asterisk leaves
	// out are ALIAS. The caller changes nothing of them. May be nil.
	VirtualTables func() []*catalog.Table
	// Table wraps a stored table for reading; nil means plan.NewTable.
	Table func(t *catalog.Table) (plan.Table, error)
	// TableFunction returns what a table function yields; nil, nil if there is no such function. May be nil.
	TableFunction func(ctx context.Context, call TableCall) (plan.Table, error)
	// Cluster checks a call of cluster or clusterAllReplicas and says what it yields. Nil: there is no cluster.
	Cluster func(ctx context.Context, call ClusterCall) (ClusterTable, error)
	// Scalar runs a plan whose rows are needed during analysis: a scalar subquery or EXISTS. It is
	// given at most two rows' worth of plan (a Limit on top). Nil refuses scalar subqueries.
	Scalar func(ctx context.Context, n plan.Node) (*column.Block, error)
	// Rows is about how many rows a table has, which SAMPLE n needs; nil refuses that.
	Rows func(t *catalog.Table) (uint64, error)
	// Filters are conditions (SQL) that hold for every read of a table, by database.table, table or its alias.
	Filters map[string]string
	// Reads is asked whether a table may be read before anything runs, and for the same table again as more of it turns out to be
	// read; its error is the analysis'. Nil allows all.
	Reads func(r Reads) error
	// Policies returns conditions (SQL) under which rows of a table or rollup show, all of which must hold; nil shows all.
	Policies func(t *catalog.Table) ([]string, error)
}

// TableCall is a call of a table function.
type TableCall struct {
	Name string
	Args []TableArg
}

// TableArg is one argument of a table function.
type TableArg struct {
	// Name is that of an argument name = value; empty: it is known by its place.
	Name string
	// Value is the constant, a flat vector of length 1; nil if the argument is an identifier or a query.
	Value column.Vector
	// Ident is the path of an identifier, such as a table's name.
	Ident []string
	// Query is a subquery's plan.
	Query plan.Node
	// Call is a call of what is no function, such as headers('name' = 'value').
	Call *TableCall
}

// Query analyzes a SELECT. The plan's schema has ClickHouse's column names and types.
func Query(ctx context.Context, q *ast.SelectUnion, opts Options) (plan.Node, error) {
	a := newAnalyzer(ctx, opts)
	n, err := a.union(q, nil)
	if err != nil {
		return nil, err
	}
	if err := a.checkReads(); err != nil {
		return nil, err
	}
	return a.resultLimit(n)
}

// Table resolves what may stand in FROM, for DESCRIBE: the plan yields the columns of SELECT *.
func Table(ctx context.Context, t ast.TableExpr, opts Options) (plan.Node, error) {
	q := &ast.SelectUnion{Items: []ast.UnionItem{{Select: &ast.Select{Exprs: []ast.Expr{&ast.Asterisk{}}, From: t}}}}
	a := newAnalyzer(ctx, opts)
	n, err := a.union(q, nil)
	if err == nil {
		err = a.checkReads()
	}
	return n, err
}

// Call resolves the arguments of a table function that rows are inserted into.
func Call(ctx context.Context, c *ast.FuncCall, opts Options) (TableCall, error) {
	return newAnalyzer(ctx, opts).scope(nil).tableCall(c)
}

// Exprs resolves expressions over one row's columns: defaults, keys, TTL and constraints of a table. Aliases given
// in one expression are visible in the others; aggregates are IllegalAggregation.
func Exprs(ctx context.Context, es []ast.Expr, schema column.Schema, opts Options) ([]plan.Expr, error) {
	a := newAnalyzer(ctx, opts)
	s := a.scope(nil)
	s.from = frameOf(&plan.Values{Fields: schema, Block: &column.Block{}}, "", schema)
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		if err := s.collect(e); err != nil {
			return nil, err
		}
		x, err := s.resolve(e)
		if err == nil {
			err = scalarOnly(x, "an expression of a table")
		}
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, a.checkReads()
}

// Expr is Exprs of one expression.
func Expr(ctx context.Context, e ast.Expr, schema column.Schema, opts Options) (plan.Expr, error) {
	es, err := Exprs(ctx, []ast.Expr{e}, schema, opts)
	if err != nil {
		return nil, err
	}
	return es[0], nil
}

// Const evaluates a constant expression; BadArguments if it is not constant.
func Const(ctx context.Context, e ast.Expr, opts Options) (*plan.Const, error) {
	x, err := Expr(ctx, e, nil, opts)
	if err != nil {
		return nil, err
	}
	c, ok := x.(*plan.Const)
	if !ok {
		return nil, sqlerr.At(e.Span().Start, sqlerr.BadArguments, "Element of expression is not constant: %s", x)
	}
	return c, nil
}

// analyzer is what the scopes of one statement share. One goroutine uses it.
type analyzer struct {
	ctx        context.Context
	opts       Options
	env        *function.Env
	depth      int // of nested subqueries
	subqueries int // numbered so far, for names
	sets       int // numbered so far
	sizes      map[plan.Expr]int
	views      []catalog.TableID // being expanded
	defined    []string          // functions that SQL defines, being expanded
	// correlations are the subqueries being analyzed, innermost last.
	correlations []*correlation
	overlay      map[string]string // settings of enclosing SETTINGS clauses
	reads        []*source         // of tables that the user may or may not be allowed to read
	secrets      map[string]int    // the numbers of constants that names of columns do not show
}

func newAnalyzer(ctx context.Context, opts Options) *analyzer {
	if opts.Env == nil {
		opts.Env = &function.Env{Ctx: ctx}
	}
	if opts.Setting == nil {
		opts.Setting = opts.Env.Setting
	}
	return &analyzer{ctx: ctx, opts: opts, env: opts.Env, sizes: map[plan.Expr]int{}, secrets: map[string]int{}}
}
