package analyze

import (
	"strings"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// item is a resolved expression and the name its column has in a result.
type item struct {
	e    plan.Expr
	name string
}

// The expressions below stand for what a step of the plan computes; planning a SELECT replaces
// them by columns of that step, so none is left in a finished plan.

// aggExpr is a call of an aggregate function over the rows of a group.
type aggExpr struct {
	call plan.AggCall
}

// windowExpr is a call of a function over a window. Its expressions are over the step below the windows.
type windowExpr struct {
	call      plan.AggCall
	t         *types.Type
	partition []plan.Expr
	order     []orderKey
	frame     plan.Frame
}

// unfoldExpr is arrayJoin(x): one row per element.
type unfoldExpr struct {
	array plan.Expr
	t     *types.Type
}

// groupingExpr is grouping(keys): which of the keys a grouping set leaves out.
type groupingExpr struct {
	args []plan.Expr
}

// orderKey is a sort key before its expression has a position.
type orderKey struct {
	e plan.Expr
	column.Order
	fill *plan.FillKey
}

// Type implements plan.Expr.
func (e *aggExpr) Type() *types.Type      { return e.call.Fn.Result() }
func (e *windowExpr) Type() *types.Type   { return e.t }
func (e *unfoldExpr) Type() *types.Type   { return e.t }
func (e *groupingExpr) Type() *types.Type { return types.TUInt64 }

// String implements plan.Expr.
func (e *aggExpr) String() string    { return e.call.String() }
func (e *unfoldExpr) String() string { return "arrayJoin(" + e.array.String() + ")" }

// String implements plan.Expr.
func (e *groupingExpr) String() string {
	parts := make([]string, len(e.args))
	for i, a := range e.args {
		parts[i] = a.String()
	}
	return "grouping(" + strings.Join(parts, ", ") + ")"
}

// String implements plan.Expr.
func (e *windowExpr) String() string {
	var b strings.Builder
	b.WriteString(e.call.String() + " over (")
	for _, p := range e.partition {
		b.WriteString(p.String() + ", ")
	}
	b.WriteString("; ")
	for _, o := range e.order {
		b.WriteString(o.e.String())
		if o.Desc {
			b.WriteString(" desc")
		}
		if o.NullsFirst {
			b.WriteString(" nulls first")
		}
		b.WriteString(", ")
	}
	return b.String() + e.frame.String() + ")"
}

// parts returns the expressions directly in e.
func parts(e plan.Expr) []plan.Expr {
	switch e := e.(type) {
	case *plan.Call:
		return e.Args
	case *plan.Lambda:
		return []plan.Expr{e.Body}
	case *plan.In:
		return e.Args
	case *aggExpr:
		return e.call.Args
	case *unfoldExpr:
		return []plan.Expr{e.array}
	case *groupingExpr:
		return e.args
	case *subqueryExpr:
		return e.outer
	case *windowExpr:
		out := append(append([]plan.Expr(nil), e.call.Args...), e.partition...)
		for _, o := range e.order {
			out = append(out, o.e)
		}
		return out
	}
	return nil
}

// walk calls f for e and, where f returns true, for all expressions in it, each shared one once.
func walk(e plan.Expr, f func(plan.Expr) bool) {
	seen := map[plan.Expr]bool{}
	var step func(plan.Expr)
	step = func(e plan.Expr) {
		if seen[e] {
			return
		}
		seen[e] = true
		if !f(e) {
			return
		}
		for _, p := range parts(e) {
			step(p)
		}
	}
	step(e)
}

// contains reports whether f holds for e or an expression in it.
func contains(e plan.Expr, f func(plan.Expr) bool) bool {
	found := false
	walk(e, func(e plan.Expr) bool {
		found = found || f(e)
		return !found
	})
	return found
}

func isAgg(e plan.Expr) bool      { _, ok := e.(*aggExpr); return ok }
func isWindow(e plan.Expr) bool   { _, ok := e.(*windowExpr); return ok }
func isUnfold(e plan.Expr) bool   { _, ok := e.(*unfoldExpr); return ok }
func isGrouping(e plan.Expr) bool { _, ok := e.(*groupingExpr); return ok }
func isColumn(e plan.Expr) bool   { _, ok := e.(*plan.Col); return ok }

// rewriter replaces expressions top-down: where f answers, that is taken as it is; else the parts
// are rewritten. Calls whose arguments change their types are bound anew.
type rewriter struct {
	s    *scope
	f    func(plan.Expr) (plan.Expr, error) // nil, nil: go on
	done map[plan.Expr]plan.Expr
}

func (s *scope) rewriter(f func(plan.Expr) (plan.Expr, error)) *rewriter {
	return &rewriter{s: s, f: f, done: map[plan.Expr]plan.Expr{}}
}

func (r *rewriter) all(es []plan.Expr) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		x, err := r.one(e)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func (r *rewriter) one(e plan.Expr) (plan.Expr, error) {
	if x, ok := r.done[e]; ok {
		return x, nil
	}
	x, err := r.f(e)
	if err == nil && x == nil {
		x, err = r.inside(e)
	}
	if err != nil {
		return nil, err
	}
	r.done[e] = x
	return x, nil
}

func (r *rewriter) inside(e plan.Expr) (plan.Expr, error) {
	args, err := r.all(parts(e))
	if err != nil || same(args, parts(e)) {
		return e, err
	}
	switch e := e.(type) {
	case *plan.Call:
		return r.s.rebind(e, args)
	case *plan.Lambda:
		return &plan.Lambda{Params: e.Params, Body: args[0]}, nil
	case *plan.In:
		return &plan.In{Args: args, Set: e.Set, Not: e.Not, T: inType(args)}, nil
	case *aggExpr:
		c := *e
		c.call.Args = args
		return &c, nil
	case *unfoldExpr:
		return &unfoldExpr{array: args[0], t: e.t}, nil
	case *groupingExpr:
		return &groupingExpr{args: args}, nil
	case *subqueryExpr:
		c := *e
		c.outer = args
		return &c, nil
	case *windowExpr:
		c := *e
		n, m := len(e.call.Args), len(e.call.Args)+len(e.partition)
		c.call.Args, c.partition = args[:n], args[n:m]
		c.order = append([]orderKey(nil), e.order...)
		for i := range c.order {
			c.order[i].e = args[m+i]
		}
		return &c, nil
	}
	return e, nil
}

func same(a, b []plan.Expr) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
