package analyze

import (
	"slices"
	"strconv"
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// A subquery that reads columns of the query around it is analyzed with a parameter for each, and becomes an expression of its
// own (subqueryExpr). When the clause it stands in is planned, the parameters become columns of the subquery's rows (decorrelate.go), and
// the subquery is joined to the rows around it by them: the first match gives EXISTS or the value, no match 0 or NULL. So a scalar subquery
// that counts yields NULL, not 0, where there is nothing to count, as in ClickHouse.

// correlation is a subquery being analyzed: what it reads of the scope around it.
type correlation struct {
	scope  *scope
	params []*plan.Param
	outer  []plan.Expr // what the parameters stand for, over the scope's FROM
}

// param is the parameter that stands for an expression of the enclosing query.
func (c *correlation) param(e plan.Expr) *plan.Param {
	key := e.String()
	for i, o := range c.outer {
		if o.String() == key {
			return c.params[i]
		}
	}
	p := &plan.Param{Name: "outer " + key, T: e.Type().WithoutLowCardinality()}
	c.params, c.outer = append(c.params, p), append(c.outer, e)
	return p
}

// subqueryExpr is a correlated subquery: EXISTS, or its value.
type subqueryExpr struct {
	id     int
	exists bool
	input  plan.Node
	params []*plan.Param
	outer  []plan.Expr
	t      *types.Type
}

// Type implements plan.Expr.
func (e *subqueryExpr) Type() *types.Type { return e.t }

// String implements plan.Expr.
func (e *subqueryExpr) String() string {
	parts := make([]string, len(e.outer))
	for i, o := range e.outer {
		parts[i] = o.String()
	}
	return "subquery " + strconv.Itoa(e.id) + " of (" + strings.Join(parts, ", ") + ")"
}

func isSubquery(e plan.Expr) bool { _, ok := e.(*subqueryExpr); return ok }

// outerColumn is a column of an enclosing query as a subquery reads it.
func (s *scope) outerColumn(p *scope, it *item, path []string) (*item, error) {
	name := strings.Join(path, ".")
	n := len(s.a.correlations)
	if !p.correlates || n == 0 || s.a.correlations[n-1].scope != p || contains(it.e, func(e plan.Expr) bool { return isWindow(e) || isUnfold(e) || isSubquery(e) }) {
		return nil, sqlerr.New(sqlerr.NotImplemented, "Correlated subqueries are not supported in this place: '%s' is a column of an enclosing query", name)
	}
	return &item{e: s.a.correlations[n-1].param(it.e), name: it.name}, nil
}

// inner analyzes a subquery of this scope; the correlation tells what it reads of it.
func (s *scope) inner(q *ast.Subquery) (plan.Node, *correlation, error) {
	c := &correlation{scope: s}
	s.a.correlations = append(s.a.correlations, c)
	n, err := s.a.union(q.Query, s)
	s.a.correlations = s.a.correlations[:len(s.a.correlations)-1]
	return n, c, err
}

// correlated makes an expression of a subquery that reads columns of this scope.
func (s *scope) correlated(n plan.Node, c *correlation, exists bool) (*subqueryExpr, error) {
	s.a.sets++
	x := &subqueryExpr{id: s.a.sets, exists: exists, input: n, params: c.params, outer: c.outer, t: types.TUInt8}
	if !exists {
		fields := n.Schema()
		if len(fields) != 1 {
			return nil, sqlerr.New(sqlerr.NotImplemented, "A correlated subquery of %d columns as a value is not supported", len(fields))
		}
		x.t = nullableScalar(fields[0].Type.WithoutLowCardinality())
	}
	return x, s.a.grow(x)
}

// inCorrelated is left IN of a correlated subquery: EXISTS of its rows that equal the left side.
func (s *scope) inCorrelated(left plan.Expr, n plan.Node, c *correlation, not bool) (plan.Expr, error) {
	args, err := s.leftColumns(left, len(n.Schema()))
	if err != nil {
		return nil, err
	}
	var conds []plan.Expr
	for i, col := range columnsOf(n.Schema()) {
		eq, err := s.call("equals", col, c.param(args[i]))
		if err != nil {
			return nil, err
		}
		conds = append(conds, eq)
	}
	cond, err := s.and(conds)
	if err != nil {
		return nil, err
	}
	x, err := s.correlated(&plan.Filter{Input: n, Cond: cond}, c, true)
	if err != nil || !not {
		return x, err
	}
	return s.call("not", x)
}

// applySubqueries joins the correlated subqueries among es to n, and returns es over what that yields.
func (s *scope) applySubqueries(n plan.Node, es []plan.Expr, found []plan.Expr) (plan.Node, []plan.Expr, error) {
	to := map[string]plan.Expr{}
	for _, f := range found {
		x := f.(*subqueryExpr)
		at := len(n.Schema())
		var err error
		if n, err = s.joinSubquery(n, x); err != nil {
			return nil, nil, err
		}
		to[x.String()] = &plan.Col{Index: at, Name: x.String(), T: x.t}
	}
	if len(found) == 0 {
		return n, es, nil
	}
	out, err := s.rewriter(func(e plan.Expr) (plan.Expr, error) {
		if isSubquery(e) {
			return to[e.String()], nil
		}
		return nil, nil
	}).all(es)
	return n, out, err
}

// joinSubquery adds the value of a correlated subquery to n, as its last column.
func (s *scope) joinSubquery(n plan.Node, x *subqueryExpr) (plan.Node, error) {
	d := &decorrelation{s: s, params: x.params, outer: x.outer, around: n}
	sub, err := d.node(x.input)
	if err != nil {
		return nil, err
	}
	width, fields := len(x.input.Schema()), sub.Schema()
	value := plan.Expr(constant(types.TUInt8, uint8(1)))
	if !x.exists {
		if value, err = s.cast(columnsOf(fields)[0], x.t); err != nil {
			return nil, err
		}
	}
	p := &plan.Project{Input: sub, Exprs: []plan.Expr{value}, Fields: column.Schema{{Name: x.String(), Type: x.t}}}
	for i := range x.params {
		c := columnsOf(fields)[width+i]
		p.Exprs, p.Fields = append(p.Exprs, c), append(p.Fields, fields[width+i])
	}
	j := &plan.Join{Left: n, Right: p, Kind: plan.Left, Strictness: plan.Any}
	for i, o := range x.outer {
		both, err := s.common(o, &plan.Col{Index: 1 + i, Name: p.Fields[1+i].Name, T: p.Fields[1+i].Type})
		if err != nil {
			return nil, err
		}
		j.LeftKeys, j.RightKeys = append(j.LeftKeys, both[0]), append(j.RightKeys, both[1])
	}
	j.Fields = append(slices.Clone(n.Schema()), p.Fields...)
	at := len(n.Schema()) + 1
	return &plan.Project{Input: j, Exprs: columnsOf(j.Fields)[:at], Fields: j.Fields[:at:at]}, nil
}
