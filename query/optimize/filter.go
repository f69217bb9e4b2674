package optimize

import (
	"slices"

	"github.com/olapd/olapd/query/plan"
)

// pushFilters moves the parts of conditions as near to the tables as they go: into scans, where
// they skip segments and granules, through projections, unions and sorts, to the side of a join
// they speak of, and below aggregates where they read only keys. An equality between the two sides
// of a cross or inner join becomes a join key.
func pushFilters(n plan.Node) plan.Node { return push(n, nil) }

// push returns n with the conditions, which are over n's schema, applied to its rows.
func push(n plan.Node, conds []plan.Expr) plan.Node {
	switch n := n.(type) {
	case *plan.Filter:
		return pushFilter(n, conds)
	case *plan.Project:
		return pushProject(n, conds)
	case *plan.Scan:
		return pushScan(n, conds)
	case *plan.Union:
		return pushUnion(n, conds)
	case *plan.Join:
		return pushJoin(n, conds)
	case *plan.Aggregate:
		return pushAggregate(n, conds)
	case *plan.Recursive: // a row that does not pass may lead to others that do
		return filter(plan.WithInputs(n, []plan.Node{push(n.Anchor, nil), push(n.Step, nil)}), conds)
	}
	down, stay := partition(conds, func(c plan.Expr) bool { return passes(n, c) })
	in := n.Inputs()
	if len(in) == 0 {
		return filter(n, conds)
	}
	return filter(plan.WithInputs(n, []plan.Node{push(in[0], down)}), stay)
}

// passes reports whether a condition over n's rows may be applied before n, whose columns
// at the same positions mean the same.
func passes(n plan.Node, c plan.Expr) bool {
	if volatile(c) {
		return false
	}
	switch n := n.(type) {
	case *plan.Sort:
		return n.Limit == 0
	case *plan.Distinct:
		return readsOnly(c, n.Keys)
	case *plan.LimitBy:
		return readsOnly(c, n.Keys)
	case *plan.ArrayJoin:
		used := columns(c)
		return !slices.ContainsFunc(n.Columns, func(i int) bool { return used[i] })
	case *plan.Window:
		for _, w := range n.Calls {
			if !readsOnly(c, w.PartitionBy) {
				return false
			}
		}
		return true
	}
	return false
}

// readsOnly reports whether c reads at least one column and none but those given.
func readsOnly(c plan.Expr, cols []int) bool {
	used := columns(c)
	for i := range used {
		if !slices.Contains(cols, i) {
			return false
		}
	}
	return len(used) > 0
}

func partition(conds []plan.Expr, f func(plan.Expr) bool) (yes, no []plan.Expr) {
	for _, c := range conds {
		if f(c) {
			yes = append(yes, c)
		} else {
			no = append(no, c)
		}
	}
	return yes, no
}

// pushFilter joins a filter's own conditions and those from above; past a volatile one nothing moves.
func pushFilter(n *plan.Filter, conds []plan.Expr) plan.Node {
	own := conjuncts(n.Cond)
	if anyVolatile(own) {
		return filter(filter(push(n.Input, nil), own), conds)
	}
	return push(n.Input, append(own, conds...))
}

func pushProject(n *plan.Project, conds []plan.Expr) plan.Node {
	down, stay := partition(conds, func(c plan.Expr) bool {
		if volatile(c) {
			return false
		}
		for i := range columns(c) {
			if volatile(n.Exprs[i]) {
				return false
			}
		}
		return true
	})
	for i, c := range down {
		down[i] = substitute(c, n.Exprs)
	}
	return filter(&plan.Project{Input: push(n.Input, down), Exprs: n.Exprs, Fields: n.Fields}, stay)
}

// pushScan gives a scan its filter. Under FINAL only conditions on sort key columns may come before
// rows of equal keys are merged, since another version of a row may not match.
func pushScan(n *plan.Scan, conds []plan.Expr) plan.Node {
	down, stay := partition(conds, func(c plan.Expr) bool {
		return !volatile(c) && (!n.Final || readsSortKey(n, c))
	})
	if len(down) == 0 {
		return filter(n, stay)
	}
	if n.Filter != nil {
		down = append(conjuncts(n.Filter), down...)
	}
	f, ok := filter(n, down).(*plan.Filter)
	if !ok || f.Input != plan.Node(n) {
		return filter(n, conds)
	}
	return filter(n.With(f.Cond, 0), stay)
}

func readsSortKey(n *plan.Scan, c plan.Expr) bool {
	t := n.Table.Catalog()
	if t == nil {
		return false
	}
	for i := range columns(c) {
		if !slices.Contains(t.SortKey, n.Schema()[i].Name) {
			return false
		}
	}
	return true
}

func pushUnion(n *plan.Union, conds []plan.Expr) plan.Node {
	down, stay := partition(conds, func(c plan.Expr) bool { return !volatile(c) })
	all := make([]plan.Node, len(n.All))
	for i, in := range n.All {
		cols := colsOf(in.Schema())
		own := make([]plan.Expr, len(down))
		for j, c := range down {
			own[j] = substitute(c, cols)
		}
		all[i] = push(in, own)
	}
	return filter(&plan.Union{All: all, Fields: n.Fields}, stay)
}

// pushAggregate pushes conditions on keys: they drop whole groups. With totals or several grouping
// sets the rows are also counted elsewhere; without keys there is a row for no rows.
func pushAggregate(n *plan.Aggregate, conds []plan.Expr) plan.Node {
	keys := make([]int, len(n.Keys))
	for i := range keys {
		keys[i] = i
	}
	down, stay := partition(conds, func(c plan.Expr) bool {
		return !n.Totals && n.GroupingSets == nil && readsOnly(c, keys) && !volatile(c) && !anyVolatile(n.Keys)
	})
	for i, c := range down {
		down[i] = substitute(c, n.Keys)
	}
	return filter(plan.WithInputs(n, []plan.Node{push(n.Input, down)}), stay)
}
