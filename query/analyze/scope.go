package analyze

import (
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// scope is what names mean inside of one SELECT (or one standalone expression).
type scope struct {
	a       *analyzer
	parent  *scope // the query this one is a subquery of, or nil
	from    *frame // nil until FROM is analyzed
	aliases map[string]*alias
	ctes    map[string]*cte
	windows map[string]*ast.Window
	params  []binding // lambda parameters, innermost last
	sets    map[string]*plan.Set
	scalars map[*ast.Subquery]plan.Expr
	current *alias          // the one being resolved
	skipped map[*alias]bool // other busy aliases whose name was taken for a column while it is
	looked  int             // how often aliases have been resolved
	exist   map[*ast.FuncCall]uint64
	names   map[ast.Expr]string // of identifiers and subqueries, for ast.ColumnNameWith
	depth   int                 // of the expression being resolved
	// correlates says that subqueries may read the columns of from: what plans the expressions knows how to join them.
	correlates bool
}

// alias is a named expression of a SELECT, resolved when first used.
type alias struct {
	name string
	expr ast.Expr
	busy bool // being resolved: its own name means a column inside of it
	done plan.Expr
	err  error
}

// cte is WITH name AS (SELECT …).
type cte struct {
	query   *ast.SelectUnion
	columns []string
	scope   *scope // where its own names are looked up
	busy    bool
	// recursive says that WITH RECURSIVE holds it; self is what its name means inside of it, while its steps are analyzed.
	recursive bool
	self      *plan.Working
}

// binding is a lambda's parameter: a Param, or, where a lambda is called by its alias, the argument itself.
type binding struct {
	name string
	e    plan.Expr
}

func (a *analyzer) scope(parent *scope) *scope {
	return &scope{a: a, parent: parent, aliases: map[string]*alias{}, ctes: map[string]*cte{}, windows: map[string]*ast.Window{},
		sets: map[string]*plan.Set{}, scalars: map[*ast.Subquery]plan.Expr{}, names: map[ast.Expr]string{}, skipped: map[*alias]bool{}, exist: map[*ast.FuncCall]uint64{}}
}

// collect registers the aliases in e and below, but not those of subqueries.
// MultipleExpressionsForAlias if one name stands for two expressions.
func (s *scope) collect(e ast.Node) error {
	var err error
	ast.Walk(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Subquery, *ast.SelectUnion:
			return false
		case *ast.Alias:
			if e := s.define(n.Name, n.Expr); e != nil && err == nil {
				err = sqlerr.At(n.Span().Start, sqlerr.MultipleExpressionsForAlias, "%s", e.Error())
			}
		}
		return err == nil
	})
	return err
}

func (s *scope) define(name string, e ast.Expr) error {
	old := s.aliases[name]
	if old == nil {
		s.aliases[name] = &alias{name: name, expr: e}
		return nil
	}
	if ast.Format(old.expr) != ast.Format(e) {
		return sqlerr.New(sqlerr.MultipleExpressionsForAlias, "Multiple expressions %s and %s for alias %s", ast.Shown(e), ast.Shown(old.expr), name)
	}
	return nil
}

// resolveAlias returns the expression an alias of this scope stands for.
// The answer is kept, unless it came about because another alias was being resolved and its name meant a column.
func (s *scope) resolveAlias(al *alias) (plan.Expr, error) {
	if _, ok := al.expr.(*ast.Subquery); ok && al.done != nil {
		s.a.nextSubquery(1) // ClickHouse numbers each use
	}
	if al.done != nil || al.err != nil {
		return al.done, al.err
	}
	if s.looked++; s.looked > maxAliasLookups {
		return nil, sqlerr.New(sqlerr.TooBigAST, "Aliases use each other more than %d times", maxAliasLookups)
	}
	params, skipped, current := s.params, s.skipped, s.current
	s.params, s.skipped = nil, map[*alias]bool{} // a lambda's parameters are not visible in a named expression outside of it
	al.busy, s.current = true, al
	e, err := s.resolve(al.expr)
	al.busy = false
	if len(s.skipped) == 0 {
		al.done, al.err = e, err
	}
	for o := range s.skipped {
		skipped[o] = true
	}
	s.params, s.skipped, s.current = params, skipped, current
	return e, err
}

// columnName is the name of the result column of e, which has been resolved. EXISTS has the name of its answer.
func (s *scope) columnName(e ast.Expr) string {
	if len(s.exist) > 0 {
		e = ast.Rewrite(e, func(e ast.Expr) ast.Expr {
			if c, ok := e.(*ast.FuncCall); ok {
				if v, ok := s.exist[c]; ok {
					return &ast.Literal{Kind: ast.LiteralUint, Uint: v}
				}
			}
			return e
		})
	}
	return ast.ColumnNameWith(e, func(e ast.Expr) string { return s.names[e] }, s.a.secrets)
}

// cte finds a CTE by name in this scope or an enclosing one; one that is being expanded is not visible in itself.
func (s *scope) cte(name string) *cte {
	for ; s != nil; s = s.parent {
		if c := s.ctes[name]; c != nil && (!c.busy || c.self != nil) {
			return c
		}
	}
	return nil
}

// enter counts the depth of nested subqueries; the caller calls the returned function when it is done.
func (a *analyzer) enter() (func(), error) {
	a.depth++
	if limit := a.number("max_subquery_depth", maxSubqueryDepth); uint64(a.depth) > limit+1 {
		a.depth--
		return nil, sqlerr.New(sqlerr.TooDeepSubqueries, "Too deep subqueries. Maximum: %d", limit)
	}
	if err := a.ctx.Err(); err != nil {
		a.depth--
		return nil, err
	}
	return func() { a.depth-- }, nil
}
