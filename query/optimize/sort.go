package optimize

import (
	"slices"

	"github.com/olapd/olapd/query/plan"
)

// removeSorts drops the sorts of subqueries whose order cannot be seen: below another sort, below
// aggregates that do not depend on order, and on the side of a join that is built into a table.
func removeSorts(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		switch n := n.(type) {
		case *plan.Sort:
			return plan.WithInputs(n, []plan.Node{stripSort(n.Input)})
		case *plan.Aggregate:
			if !slices.ContainsFunc(n.Aggs, dependsOnOrder) {
				return plan.WithInputs(n, []plan.Node{stripSort(n.Input)})
			}
		case *plan.Join:
			if n.Strictness != plan.All {
				return n // the first partner is taken
			}
			return plan.WithInputs(n, []plan.Node{n.Left, stripSort(n.Right)})
		}
		return n
	})
}

// orderFree are the aggregates whose value is a function of the multiset of rows.
var orderFree = []string{
	"count", "sum", "sumWithOverflow", "avg", "min", "max", "uniq", "uniqExact", "uniqCombined", "uniqCombined64", "uniqHLL12",
	"quantileExact", "quantilesExact", "varPop", "varSamp", "stddevPop", "stddevSamp", "covarPop", "covarSamp", "corr",
	"groupBitAnd", "groupBitOr", "groupBitXor", "countDistinct",
}

func dependsOnOrder(a plan.AggCall) bool { return !slices.Contains(orderFree, a.Func) }

// stripSort removes the sorts that nothing between them and n makes visible.
func stripSort(n plan.Node) plan.Node {
	switch n := n.(type) {
	case *plan.Sort:
		if n.Limit == 0 {
			return stripSort(n.Input)
		}
	case *plan.Project:
		if !anyVolatile(n.Exprs) {
			return plan.WithInputs(n, []plan.Node{stripSort(n.Input)})
		}
	case *plan.Filter:
		if !volatile(n.Cond) {
			return plan.WithInputs(n, []plan.Node{stripSort(n.Input)})
		}
	}
	return n
}
