package optimize

import (
	"github.com/olapd/olapd/query/plan"
)

// countRows turns count(x) of a value that is never NULL into count(), which reads no column.
func countRows(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		a, ok := n.(*plan.Aggregate)
		if !ok || a.Merge {
			return n
		}
		c := *a
		c.Aggs = make([]plan.AggCall, len(a.Aggs))
		for i, call := range a.Aggs {
			if call.Func == "count" && len(call.Args) == 1 && !call.Args[0].Type().IsNullable() && !volatile(call.Args[0]) {
				call.Args = nil
			}
			c.Aggs[i] = call
		}
		return &c
	})
}
