package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// selectNode analyzes one SELECT. with are the WITH items of the first SELECT of a union, which hold for all of it.
func (a *analyzer) selectNode(sel *ast.Select, parent *scope, with []*ast.WithItem) (n plan.Node, err error) {
	err = a.withSettings(sel.Settings, func() error {
		b := &builder{scope: a.scope(parent), sel: sel}
		n, err = b.build(with)
		return err
	})
	return n, err
}

// builder plans one SELECT: the clauses' expressions, all over node, which grows clause by clause.
type builder struct {
	*scope
	sel   *ast.Select
	node  plan.Node
	items []item // the SELECT list; its expressions are exprs[:len(items)]
	// exprs are all expressions computed above GROUP BY, rewritten together as node grows; the ranges of the clauses follow.
	exprs           []plan.Expr
	having, qualify int // positions in exprs, or -1
	order           []orderKey
	orderAt         []int
	limitBy         []int
	limit           limits
}

func (b *builder) build(with []*ast.WithItem) (plan.Node, error) {
	for _, step := range []func() error{
		func() error { return b.names(with) },
		b.fromClause,
		b.where,
		b.list,
		b.clauses,
		b.group,
		b.above,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.finish()
}

// names registers what WITH, the SELECT list and the other clauses name.
func (b *builder) names(with []*ast.WithItem) error {
	sel := b.sel
	for _, list := range [][]*ast.WithItem{sel.With, with} {
		for _, w := range list {
			if err := b.withItem(w); err != nil {
				return err
			}
		}
	}
	var nodes []ast.Node
	for _, es := range [][]ast.Expr{sel.Exprs, sel.DistinctOn, {sel.Prewhere, sel.Where, sel.Having, sel.Qualify}, sel.GroupBy} {
		for _, e := range es {
			if e != nil {
				nodes = append(nodes, e)
			}
		}
	}
	for _, set := range sel.Sets {
		for _, e := range set {
			nodes = append(nodes, e)
		}
	}
	for _, o := range sel.OrderBy {
		nodes = append(nodes, o)
	}
	for _, n := range nodes {
		if err := b.collect(n); err != nil {
			return err
		}
	}
	for _, w := range sel.Windows {
		spec := w.Spec
		if spec.Name != "" || spec.Base != "" {
			var err error
			if spec, err = b.windowSpec(spec); err != nil {
				return err
			}
		}
		b.windows[w.Name] = spec
	}
	return nil
}

func (b *builder) withItem(w *ast.WithItem) error {
	if w.Query != nil {
		if b.ctes[w.Name] == nil {
			b.ctes[w.Name] = &cte{query: w.Query, columns: w.Columns, scope: b.scope, recursive: b.sel.Recursive}
		}
		return nil
	}
	if w.Name != "" {
		if b.aliases[w.Name] != nil {
			return nil // this SELECT's own goes before that of the union's first
		}
		inner, _ := ast.Unalias(w.Expr)
		if err := b.define(w.Name, inner); err != nil {
			return at(err, w)
		}
	}
	return b.collect(w.Expr)
}

func (b *builder) fromClause() error {
	f, err := b.table(b.sel.From)
	if err != nil {
		return err
	}
	b.from, b.node = f, f.node
	b.correlates = true
	for _, al := range b.aliases { // what JOIN … ON resolved saw only a part of FROM
		al.done, al.err = nil, nil
	}
	return nil
}

// where applies PREWHERE and WHERE, which mean the same here: the optimizer moves conditions where they are cheap.
func (b *builder) where() error {
	for _, c := range []struct {
		e      ast.Expr
		clause string
	}{{b.sel.Prewhere, "PREWHERE"}, {b.sel.Where, "WHERE"}} {
		if c.e == nil {
			continue
		}
		x, err := b.resolve(c.e)
		if err == nil {
			err = scalarOnly(x, c.clause)
		}
		if err == nil {
			x, err = b.condition(x, c.clause)
		}
		if err != nil {
			return at(err, c.e)
		}
		if found := collect([]plan.Expr{x}, isUnfold); len(found) > 0 {
			return sqlerr.At(c.e.Span().Start, sqlerr.NotImplemented, "arrayJoin in %s is not supported", c.clause)
		}
		n, xs, err := b.applySubqueries(b.node, []plan.Expr{x}, collect([]plan.Expr{x}, isSubquery))
		if err != nil {
			return at(err, c.e)
		}
		b.node = &plan.Filter{Input: n, Cond: xs[0]}
	}
	return nil
}

// list resolves the SELECT list.
func (b *builder) list() error {
	for _, e := range b.sel.Exprs {
		its, err := b.listItem(e)
		if err != nil {
			return at(err, e)
		}
		b.items = append(b.items, its...)
		if len(b.items) > maxResultColumns {
			return sqlerr.New(sqlerr.TooManyColumns, "SELECT yields more than %d columns", maxResultColumns)
		}
	}
	if len(b.items) == 0 {
		return sqlerr.New(sqlerr.EmptyListOfColumnsQueried, "Empty list of columns in projection")
	}
	for _, it := range b.items {
		b.exprs = append(b.exprs, it.e)
	}
	return nil
}

func (b *builder) listItem(e ast.Expr) ([]item, error) {
	inner, alias := ast.Unalias(e)
	switch x := inner.(type) {
	case *ast.Asterisk, *ast.QualifiedAsterisk, *ast.ColumnsMatcher:
		return b.matched(x)
	case *ast.FuncCall:
		if x.Name == "untuple" {
			return b.untuple(x, alias)
		}
	}
	x, err := b.resolve(e)
	if err != nil {
		return nil, err
	}
	return []item{{x, b.columnName(e)}}, nil
}

// untuple makes each element of a tuple a column.
func (b *builder) untuple(c *ast.FuncCall, alias string) ([]item, error) {
	args, err := b.resolveAll(c.Args)
	if err != nil {
		return nil, err
	}
	if len(args) != 1 || args[0].Type().Kind != types.Tuple {
		return nil, sqlerr.New(sqlerr.IllegalTypeOfArgument, "Function untuple expects a tuple")
	}
	t := args[0].Type()
	var out []item
	for i := range t.Elems {
		e, err := b.call("tupleElement", args[0], unsigned(uint64(i+1)))
		if err != nil {
			return nil, err
		}
		n := unsigned(uint64(i + 1)).String()
		if t.Names != nil {
			n = t.Names[i]
		}
		name := alias + "." + n
		if alias == "" {
			name = "tupleElement(" + b.columnName(c.Args[0]) + ", " + types.QuoteString(n) + ")"
		}
		out = append(out, item{e, name})
	}
	return out, nil
}

// clauses resolves what stands above GROUP BY beside the SELECT list.
func (b *builder) clauses() error {
	if err := firstError(b.orderClause(), b.limitClauses()); err != nil {
		return err
	}
	b.having, b.qualify = -1, -1
	for _, c := range []struct {
		e      ast.Expr
		at     *int
		clause string
	}{{b.sel.Having, &b.having, "HAVING"}, {b.sel.Qualify, &b.qualify, "QUALIFY"}} {
		if c.e == nil {
			continue
		}
		x, err := b.resolve(c.e)
		if err == nil {
			x, err = b.condition(x, c.clause)
		}
		if err == nil && c.clause == "HAVING" && contains(x, isWindow) {
			err = sqlerr.New(sqlerr.IllegalAggregation, "Window function is found in HAVING")
		}
		if err != nil {
			return at(err, c.e)
		}
		*c.at = len(b.exprs) // never shared: it is gone once it has filtered
		b.exprs = append(b.exprs, x)
	}
	return nil
}

// add makes an expression one of exprs, shared with an equal one there.
func (b *builder) add(e plan.Expr) int {
	key := e.String()
	for i, x := range b.exprs {
		if x == e || x.String() == key {
			return i
		}
	}
	b.exprs = append(b.exprs, e)
	return len(b.exprs) - 1
}

// above plans what comes between GROUP BY and the SELECT list: HAVING, windows, QUALIFY, arrayJoin.
func (b *builder) above() error {
	var err error
	if b.node, b.exprs, err = b.applySubqueries(b.node, b.exprs, collect(b.exprs, isSubquery)); err != nil {
		return err
	}
	if b.having >= 0 {
		b.node = &plan.Filter{Input: b.node, Cond: b.exprs[b.having]}
		b.exprs[b.having] = unsigned(1)
	}
	if b.node, b.exprs, err = b.planWindows(b.node, b.exprs); err != nil {
		return err
	}
	if b.qualify >= 0 {
		b.node = &plan.Filter{Input: b.node, Cond: b.exprs[b.qualify]}
		b.exprs[b.qualify] = unsigned(1)
	}
	b.node, b.exprs, err = b.applyUnfolds(b.node, b.exprs, collect(b.exprs, isUnfold))
	return err
}

// finish projects the list and what the clauses behind it need, and applies them: DISTINCT, ORDER BY, LIMIT BY, LIMIT.
func (b *builder) finish() (plan.Node, error) {
	width := len(b.items)
	p := &plan.Project{Input: b.node}
	at := make([]int, len(b.exprs)) // where each expression is in the projection; -1: it was a filter
	for i, e := range b.exprs {
		at[i] = -1
		if i >= width && !slices.Contains(b.orderAt, i) && !slices.Contains(b.limitBy, i) {
			continue
		}
		at[i] = len(p.Exprs)
		name := e.String()
		if i < width {
			name = b.items[i].name
		}
		p.Exprs = append(p.Exprs, e)
		p.Fields = append(p.Fields, column.Field{Name: name, Type: e.Type()})
	}
	n := plan.Node(p)
	if b.sel.Distinct {
		n = &plan.Distinct{Input: n, Keys: identity(width)}
	}
	n, keys := b.planOrder(n, at)
	n, err := b.planFill(b.planLimitBy(n, at), keys)
	if err != nil {
		return nil, err
	}
	n = b.planLimit(n, keys)
	if len(p.Exprs) > width {
		exprs := columnsOf(p.Fields)[:width]
		n = &plan.Project{Input: n, Exprs: exprs, Fields: p.Fields[:width:width]}
	}
	return n, nil
}
