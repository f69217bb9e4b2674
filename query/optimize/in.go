package optimize

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// inOfOne turns IN of one constant that is not NULL into a comparison, which filters, indexes and joins know better.
func inOfOne(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		return plan.MapExprs(n, func(e plan.Expr) plan.Expr { return plan.Rewrite(e, oneValue) })
	})
}

func oneValue(e plan.Expr) plan.Expr {
	in, ok := e.(*plan.In)
	if !ok || in.Set.Values == nil || in.Set.Values.N != 1 || len(in.Args) != 1 {
		return e
	}
	v := in.Set.Values.Cols[0]
	if column.IsNull(v, 0) || !sameVector(in.Args[0].Type().WithoutLowCardinality().WithoutNullable(), in.Set.Types[0].WithoutNullable()) {
		return e
	}
	name := "equals"
	if in.Not {
		name = "notEquals"
	}
	c := call(name, in.Args[0], &plan.Const{Value: column.Flatten(v), T: in.Set.Types[0]})
	if c == nil || !c.Type().Equal(in.T) {
		return e
	}
	return c
}
