package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/ast"
	"github.com/olapd/olapd/query/plan"
)

// maxCubeKeys bounds CUBE, which has a grouping set for every subset of its keys.
const maxCubeKeys = 12

// grouping is GROUP BY resolved.
type grouping struct {
	keys []plan.Expr
	sets [][]int // nil: one set of all keys
}

// group plans GROUP BY, if there is one or an aggregate asks for it, and rewrites exprs over its result.
func (b *builder) group() error {
	g, err := b.groupKeys()
	if err != nil {
		return err
	}
	for _, k := range g.keys {
		if err := b.a.ownTypesInKey(k.Type(), "GROUP BY", "allow_suspicious_types_in_group_by"); err != nil {
			return err
		}
	}
	aggs := collect(b.exprs, isAgg)
	grouped := len(aggs) > 0 || len(b.sel.GroupBy) > 0 || len(b.sel.Sets) > 0 || b.sel.GroupByAll || b.sel.GroupMode != ast.GroupPlain || b.sel.WithTotals
	if !grouped {
		if found := collect(b.exprs, isGrouping); len(found) > 0 {
			return sqlerr.New(sqlerr.IllegalAggregation, "GROUPING function %s is found in SELECT without GROUP BY in query", found[0])
		}
		return nil
	}
	if b.sel.WithTotals && b.sel.GroupMode == ast.GroupingSets {
		return sqlerr.New(sqlerr.NotImplemented, "WITH TOTALS and GROUPING SETS are not supported together")
	}
	if err := b.subqueriesBelow(g, aggs); err != nil {
		return err
	}
	if err := b.unfoldBelow(g, collect(b.exprs, isAgg)); err != nil {
		return err
	}
	aggs = collect(b.exprs, isAgg)
	n := &plan.Aggregate{Input: b.node, Totals: b.sel.WithTotals, GroupingSets: g.sets}
	to := map[string]*plan.Col{}
	nulls := g.sets != nil && b.a.flag("group_by_use_nulls", false)
	for _, k := range g.keys {
		key := k
		if nulls {
			if key, err = b.cast(k, nullableScalar(k.Type())); err != nil {
				return err
			}
		}
		to[k.String()] = &plan.Col{Index: len(n.Fields), Name: k.String(), T: key.Type()}
		n.Keys = append(n.Keys, key)
		n.Fields = append(n.Fields, column.Field{Name: k.String(), Type: key.Type()})
	}
	for _, e := range aggs {
		call := e.(*aggExpr).call
		to[e.String()] = &plan.Col{Index: len(n.Fields), Name: e.String(), T: e.Type()}
		n.Aggs = append(n.Aggs, call)
		n.Fields = append(n.Fields, column.Field{Name: e.String(), Type: e.Type()})
	}
	if g.sets != nil && len(collect(b.exprs, isGrouping)) > 0 {
		n.SetNumber = true
		n.Fields = append(n.Fields, column.Field{Name: "__grouping_set", Type: types.TUInt64})
	}
	b.node = n
	return b.rewriteAbove(g, to)
}

// groupingValue is grouping(args): of each key a bit, the last one's the lowest, that is 1 where the row's grouping set leaves the key out.
func (b *builder) groupingValue(g *grouping, e *groupingExpr) (plan.Expr, error) {
	var keys []int
	for _, a := range e.args {
		i := slices.IndexFunc(g.keys, func(k plan.Expr) bool { return k.String() == a.String() })
		if _, isConst := a.(*plan.Const); i < 0 && !isConst {
			return nil, sqlerr.New(sqlerr.BadArguments, "GROUPING function argument %s is not in GROUP BY keys", a)
		}
		keys = append(keys, i)
	}
	left := uint64(1)
	if !b.a.flag("force_grouping_standard_compatibility", true) {
		left = 0
	}
	bits := func(set []int) (v uint64) {
		for _, k := range keys {
			v = v<<1 | 1 - left
			if k >= 0 && !slices.Contains(set, k) {
				v = v&^1 | left
			}
		}
		return v
	}
	if g.sets == nil {
		return constant(types.TUInt64, bits(identity(len(g.keys)))), nil
	}
	var values []any
	for _, set := range g.sets {
		values = append(values, bits(set))
	}
	fields := b.node.Schema()
	number := &plan.Col{Index: len(fields) - 1, Name: fields[len(fields)-1].Name, T: types.TUInt64}
	at, err := b.call("plus", number, unsigned(1))
	if err != nil {
		return nil, err
	}
	return b.call("arrayElement", constant(types.NewArray(types.TUInt64), values), at)
}

// rewriteAbove replaces keys and aggregates in exprs by columns; a column of the input that is left is NotAnAggregate.
func (b *builder) rewriteAbove(g *grouping, to map[string]*plan.Col) error {
	var err error
	b.exprs, err = b.rewriter(func(e plan.Expr) (plan.Expr, error) {
		switch e := e.(type) {
		case *plan.Const, *plan.Param:
			return e, nil
		case *groupingExpr:
			return b.groupingValue(g, e)
		}
		if c := to[e.String()]; c != nil {
			return c, nil
		}
		if c, ok := e.(*plan.Col); ok {
			return nil, sqlerr.New(sqlerr.NotAnAggregate, "Column '%s' is not under aggregate function and not in GROUP BY keys", c.Name)
		}
		return nil, nil
	}).all(b.exprs)
	return err
}

// subqueriesBelow joins the correlated subqueries in keys and in arguments of aggregates before the rows are grouped.
func (b *builder) subqueriesBelow(g *grouping, aggs []plan.Expr) error {
	found := collect(append(slices.Clone(g.keys), aggs...), isSubquery)
	if len(found) == 0 {
		return nil
	}
	all := append(slices.Clone(b.exprs), g.keys...)
	n, all, err := b.applySubqueries(b.node, all, found)
	if err != nil {
		return err
	}
	b.node, b.exprs, g.keys = n, all[:len(b.exprs)], all[len(b.exprs):]
	return nil
}

// unfoldBelow computes the arrayJoin calls in keys and in arguments of aggregates before the rows are grouped.
func (b *builder) unfoldBelow(g *grouping, aggs []plan.Expr) error {
	below := append(slices.Clone(g.keys), aggs...)
	found := collect(below, isUnfold)
	if len(found) == 0 {
		return nil
	}
	all := append(slices.Clone(b.exprs), g.keys...)
	n, all, err := b.applyUnfolds(b.node, all, found)
	if err != nil {
		return err
	}
	b.node, b.exprs, g.keys = n, all[:len(b.exprs)], all[len(b.exprs):]
	return nil
}

// groupKeys resolves GROUP BY into distinct keys and grouping sets.
func (b *builder) groupKeys() (*grouping, error) {
	g := &grouping{}
	var lists [][]int
	if b.sel.GroupByAll {
		for _, e := range b.exprs[:len(b.items)] {
			b.keysOf(g, e)
		}
		return b.expand(g, [][]int{identity(len(g.keys))})
	}
	source := [][]ast.Expr{b.sel.GroupBy}
	if b.sel.GroupMode == ast.GroupingSets {
		source = b.sel.Sets
	}
	for _, es := range source {
		var list []int
		for _, e := range es {
			at, err := b.groupItem(g, e)
			if err != nil {
				return nil, err
			}
			list = append(list, at...)
		}
		lists = append(lists, list)
	}
	return b.expand(g, lists)
}

// expand makes the grouping sets of the mode. A constant is no key: it makes no groups, whether it is in a set or not.
func (b *builder) expand(g *grouping, lists [][]int) (*grouping, error) {
	if b.sel.GroupMode == ast.GroupPlain {
		return b.plainKeys(g), nil
	}
	for i, list := range lists {
		lists[i] = slices.DeleteFunc(list, func(k int) bool { _, isConst := g.keys[k].(*plan.Const); return isConst })
	}
	switch {
	case b.sel.GroupMode == ast.GroupingSets:
		g.sets = lists
	case len(lists[0]) == 0:
		return b.plainKeys(g), nil
	case b.sel.GroupMode == ast.GroupRollup:
		for n := len(lists[0]); n >= 0; n-- {
			g.sets = append(g.sets, lists[0][:n])
		}
	default:
		return g, g.cube(lists[0])
	}
	return g, nil
}

// groupItem resolves one item of GROUP BY: a position, an expression, or a tuple of them.
func (b *builder) groupItem(g *grouping, e ast.Expr) ([]int, error) {
	i, err := b.positional(e)
	if err != nil {
		return nil, err
	}
	if c, ok := e.(*ast.FuncCall); ok && c.Name == "tuple" && c.Syntax == ast.SyntaxTuple {
		var out []int
		for _, a := range c.Args {
			at, err := b.groupItem(g, a)
			if err != nil {
				return nil, err
			}
			out = append(out, at...)
		}
		return out, nil
	}
	var xs []plan.Expr
	if i >= 0 {
		xs = []plan.Expr{b.exprs[i]}
	} else if xs, err = b.resolveAll([]ast.Expr{e}); err != nil {
		return nil, err
	}
	var out []int
	for _, x := range xs {
		if err := scalarOnly(x, "GROUP BY"); err != nil {
			return nil, at(err, e)
		}
		out = append(out, g.add(x))
	}
	return out, nil
}

// add makes e a key, shared with an equal one.
func (g *grouping) add(e plan.Expr) int {
	key := e.String()
	for i, k := range g.keys {
		if k.String() == key {
			return i
		}
	}
	g.keys = append(g.keys, e)
	return len(g.keys) - 1
}

// cube makes a set of every subset, the largest first.
func (g *grouping) cube(keys []int) error {
	if len(keys) > maxCubeKeys {
		return sqlerr.New(sqlerr.TooManyColumns, "CUBE of %d keys has too many grouping sets. Maximum: %d keys", len(keys), maxCubeKeys)
	}
	for mask := 1<<len(keys) - 1; mask >= 0; mask-- {
		var set []int
		for i, k := range keys {
			if mask&(1<<(len(keys)-1-i)) != 0 {
				set = append(set, k)
			}
		}
		g.sets = append(g.sets, set)
	}
	return nil
}

// plainKeys drops constant keys, which make no groups, but leaves one where there are no others: it
// tells GROUP BY over no rows, which has no groups, from no GROUP BY.
func (b *builder) plainKeys(g *grouping) *grouping {
	var keys []plan.Expr
	for _, k := range g.keys {
		if _, isConst := k.(*plan.Const); !isConst {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 && len(g.keys) > 0 {
		keys = g.keys[:1]
	}
	g.keys = keys
	return g
}

// keysOf adds what GROUP BY ALL groups by: the largest parts of e without aggregates that read columns.
func (b *builder) keysOf(g *grouping, e plan.Expr) {
	if !contains(e, func(e plan.Expr) bool { return isAgg(e) || isWindow(e) }) {
		if contains(e, isColumn) {
			g.add(e)
		}
		return
	}
	if isAgg(e) || isWindow(e) {
		return
	}
	for _, p := range parts(e) {
		b.keysOf(g, p)
	}
}
