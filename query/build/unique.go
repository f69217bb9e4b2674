package build

import (
	"slices"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// mergesCheaply are the aggregates whose states for every distinct row of a group cost about as much as the row.
var mergesCheaply = []string{"count", "sum", "avg", "min", "max", "any"}

// uniqueArgs returns the arguments of the calls that count distinct rows exactly, if all of them have the same and counting
// can be by groups: see exec.AggregateSpec.Unique. Else nil.
func (b *builder) uniqueArgs(n *plan.Aggregate) []plan.Expr {
	if n.Partial || n.Merge || n.Totals || n.GroupingSets != nil || b.o.Limits.RowsToGroupBy > 0 {
		return nil
	}
	var args []plan.Expr
	for _, c := range n.Aggs {
		switch {
		case function.CountsDistinct(c.Fn):
			if args != nil && !slices.EqualFunc(args, c.Args, sameColumn) {
				return nil
			}
			args = c.Args
		case !slices.Contains(mergesCheaply, c.Func):
			return nil
		}
	}
	return args
}

func sameColumn(a, b plan.Expr) bool {
	x, ok := a.(*plan.Col)
	y, ok2 := b.(*plan.Col)
	return a == b || ok && ok2 && x.Index == y.Index
}

// sortedAggregate returns the aggregate whose groups n sorts, all of them, and the column of its result that is the first
// sort key; nil if it is not so.
func sortedAggregate(n *plan.Sort, in exec.Operator) (*exec.Aggregate, int) {
	if n.Limit == 0 || n.Limit > exec.MaxTopBound || len(n.Keys) == 0 {
		return nil, 0
	}
	col := n.Keys[0].Index
	if p, ok := n.Input.(*plan.Project); ok {
		c, ok := p.Exprs[col].(*plan.Col)
		if !ok {
			return nil, 0
		}
		col, in = c.Index, in.Inputs()[0]
	}
	a, ok := in.(*exec.Aggregate)
	if !ok || a.WithTotals || a.Partial || a.SetNumber {
		return nil, 0
	}
	return a, col
}
