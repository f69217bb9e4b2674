package build

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

// aggregationOrder is how the rows of a GROUP BY come by the sort key of the table below: its first elements are among the keys.
type aggregationOrder struct {
	by   []plan.SortKey // over the input
	keys []int          // which keys these are
	f    *following
}

// aggregationOrder returns the order in which n can have its rows, by as many keys as possible; nil if there is none, or it is not asked for.
func (b *builder) aggregationOrder(n *plan.Aggregate) *aggregationOrder {
	if !b.enabled("optimize_aggregation_in_order") || len(n.Keys) == 0 || n.GroupingSets != nil || n.SetNumber || n.Totals || n.Partial || n.Merge ||
		b.o.Options.Limits.RowsToGroupBy > 0 {
		return nil
	}
	o := &aggregationOrder{}
	for b.extend(o, n) {
	}
	if o.f == nil {
		return nil
	}
	return o
}

// extend adds a key that goes on the order.
func (b *builder) extend(o *aggregationOrder, n *plan.Aggregate) bool {
	for i, k := range n.Keys {
		c, ok := k.(*plan.Col)
		if !ok || slices.Contains(o.keys, i) {
			continue
		}
		by := append(slices.Clone(o.by), plan.SortKey{Index: c.Index})
		if f := b.sequenceBelow(&plan.Sort{Input: n.Input, Keys: by}); f != nil {
			o.by, o.keys, o.f = by, append(o.keys, i), f
			return true
		}
	}
	return false
}

// sort has the rows of in, which is n's input built, come in that order.
func (o *aggregationOrder) sort(b *builder, n *plan.Aggregate, in exec.Operator) exec.Operator {
	s := exec.NewSort(in, o.by, 0, n.Input.Schema())
	o.f.apply(s, scanUnder(in), o.by)
	return s
}

// sortedGroups returns the rows of in, which is n's input built, as many as n wants, where they are groups that come in the order of n as it is; else nil.
func (b *builder) sortedGroups(n *plan.Sort, in exec.Operator) exec.Operator {
	cols := make([]int, len(n.Keys)) // of the sort keys, in what the operator yields
	for i, k := range n.Keys {
		if cols[i] = k.Index; k.Order != (column.Order{}) {
			return nil
		}
	}
	op := in
	for node := n.Input; ; op = op.Inputs()[0] {
		switch x := node.(type) {
		case *plan.Aggregate:
			a, ok := op.(*exec.Aggregate)
			if !ok || a.Order == nil || len(cols) > len(a.Order.Keys) || !slices.Equal(cols, a.Order.Keys[:len(cols)]) {
				return nil
			}
			if n.Limit > 0 {
				return exec.NewLimit(in, n.Limit, 0, nil)
			}
			return in
		case *plan.Filter:
			node = x.Input
		case *plan.Project:
			for i, c := range cols {
				col, ok := x.Exprs[c].(*plan.Col)
				if !ok {
					return nil
				}
				cols[i] = col.Index
			}
			node = x.Input
		default:
			return nil
		}
	}
}
