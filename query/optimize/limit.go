package optimize

import (
	"math"

	"github.com/olapd/olapd/query/plan"
)

// pushLimits tells sorts how many rows are wanted of them, which makes them a top-k, and scans without
// a filter when they may stop; LIMIT 0 reads nothing.
func pushLimits(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		l, ok := n.(*plan.Limit)
		if !ok {
			return n
		}
		if l.N == 0 && !hasTotals(l) {
			return empty(l.Schema())
		}
		if l.WithTies != nil || l.N > math.MaxUint64-l.Offset {
			return n
		}
		return plan.WithInputs(n, []plan.Node{atMost(l.Input, l.N+l.Offset)})
	})
}

// atMost returns n, of which only the first k rows are looked at.
func atMost(n plan.Node, k uint64) plan.Node {
	switch n := n.(type) {
	case *plan.Project:
		if !anyVolatile(n.Exprs) {
			return plan.WithInputs(n, []plan.Node{atMost(n.Input, k)})
		}
	case *plan.Sort:
		if n.Limit == 0 || n.Limit > k {
			return &plan.Sort{Input: n.Input, Keys: n.Keys, Limit: k}
		}
	case *plan.Scan:
		if n.Filter == nil && (n.Limit == 0 || n.Limit > k) {
			return n.With(nil, k)
		}
	case *plan.Union:
		all := make([]plan.Node, len(n.All))
		for i, in := range n.All {
			all[i] = atMost(in, k)
		}
		return plan.WithInputs(n, all)
	}
	return n
}
