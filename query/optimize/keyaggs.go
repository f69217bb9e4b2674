package optimize

import (
	"github.com/olapd/olapd/query/plan"
)

// aggregatesOfKeys reads a group's key where an aggregate would find nothing else: min(k), max(k), any(k) by k are k.
func aggregatesOfKeys(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		a, ok := n.(*plan.Aggregate)
		if !ok || !regroupable(a) || len(a.Keys) == 0 {
			return n
		}
		r := regroup(a, a.Keys)
		exprs := make([]plan.Expr, 0, len(a.Fields))
		for i := range a.Keys {
			exprs = append(exprs, r.key(i))
		}
		for _, c := range a.Aggs {
			e := keyOf(a, c)
			if e == nil {
				e = r.call(c)
			}
			exprs = append(exprs, e)
		}
		return r.finish(exprs)
	})
}

// keyOf returns the key that an aggregate's value is, or nil. Floats stay: equal keys (0 and -0) are not one value.
func keyOf(a *plan.Aggregate, c plan.AggCall) plan.Expr {
	switch c.Func {
	case "min", "max", "any", "anyLast":
	default:
		return nil
	}
	if len(c.Args) != 1 || c.Fn.Result().Inner().IsFloat() || volatile(c.Args[0]) {
		return nil
	}
	text := c.Args[0].String()
	for i, k := range a.Keys {
		if k.String() == text && k.Type().Equal(c.Fn.Result()) {
			return &plan.Col{Index: i, Name: text, T: k.Type()}
		}
	}
	return nil
}
