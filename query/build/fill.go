package build

import (
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func (b *builder) fill(n *plan.Fill, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	spec := exec.FillSpec{Prefix: n.Prefix, Keys: n.Keys, Zone: b.o.Env.Zone, Fields: n.Schema(), Text: plan.Describe(n)}
	var exprs []plan.Expr
	for _, x := range n.Interpolate {
		if c, ok := x.Expr.(*plan.Col); ok && c.Index == x.Column {
			spec.Copied = append(spec.Copied, x.Column)
			continue
		}
		spec.Computed = append(spec.Computed, x.Column)
		exprs = append(exprs, x.Expr)
	}
	if spec.Program, err = b.program(exprs...); err != nil {
		return nil, err
	}
	return exec.NewFill(in, spec), nil
}

func (b *builder) slice(n *plan.Slice, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	if n.By != nil {
		return exec.NewSliceBy(in, n.By, n.Limit, n.Offset, n.Schema(), plan.Describe(n)), nil
	}
	return exec.NewSlice(in, n.Limit, n.Offset, n.WithTies, plan.Describe(n)), nil
}
