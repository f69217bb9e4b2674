package build

import (
	"maps"

	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/exec"
	"github.com/olapd/olapd/query/plan"
)

func (b *builder) filter(n *plan.Filter, use needed, depth int) (exec.Operator, error) {
	if a, ok := n.Input.(*plan.Aggregate); ok && a.Totals {
		return b.aggregate(a, n.Cond, depth) // totals count only the groups that pass HAVING
	}
	if use != nil {
		use = maps.Clone(use)
		plan.Columns(n.Cond, use)
	}
	in, err := b.node(n.Input, use, depth)
	if err != nil {
		return nil, err
	}
	cond, err := b.program(n.Cond)
	if err != nil {
		return nil, err
	}
	return exec.NewFilter(in, cond, n.Cond.String()), nil
}

func (b *builder) project(n *plan.Project, use needed, depth int) (exec.Operator, error) {
	in, exprs, err := b.input(n.Input, n.Exprs, depth)
	if err != nil {
		return nil, err
	}
	prog, err := b.programOver(in, exprs...)
	if err != nil {
		return nil, err
	}
	return exec.NewProject(in, prog, exprList(exprs)), nil
}

func exprList(es []plan.Expr) string {
	text := ""
	for i, e := range es {
		if i > 0 {
			text += ", "
		}
		text += e.String()
	}
	return text
}

func (b *builder) aggregate(n *plan.Aggregate, having plan.Expr, depth int) (exec.Operator, error) {
	exprs := append([]plan.Expr(nil), n.Keys...)
	spec := exec.AggregateSpec{
		Keys: n.Fields[:len(n.Keys)], Sets: n.GroupingSets, SetNumber: n.SetNumber, Partial: n.Partial, Merge: n.Merge, WithTotals: n.Totals,
	}
	order := b.aggregationOrder(n)
	unique := b.uniqueArgs(n)
	for _, a := range unique {
		spec.Unique = append(spec.Unique, a.Type())
		exprs = append(exprs, a)
	}
	var names []string
	for i, c := range n.Aggs {
		call := exec.AggCall{Name: c.Name, Fn: c.Fn, Unique: unique != nil && function.CountsDistinct(c.Fn), Plain: n.Partial && n.Plain(i)}
		for _, a := range c.Args {
			if call.Unique {
				break
			}
			call.Args = append(call.Args, len(exprs))
			exprs = append(exprs, a)
		}
		spec.Calls = append(spec.Calls, call)
		names = append(names, c.String())
	}
	in, exprs, err := b.input(n.Input, exprs, depth)
	if err != nil {
		return nil, err
	}
	if spec.Program, err = b.programOver(in, exprs...); err != nil {
		return nil, err
	}
	if having != nil {
		if spec.Having, err = b.program(having); err != nil {
			return nil, err
		}
	}
	keys := make([]string, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = k.String()
	}
	if order != nil {
		in = order.sort(b, n, in)
		spec.Order = &exec.AggOrder{By: order.by, Keys: order.keys}
	}
	spec.Text = exec.DescribeAggregate(keys, names)
	return b.summarized(n, exec.NewAggregate(in, spec)), nil
}

func (b *builder) sort(n *plan.Sort, depth int) (exec.Operator, error) {
	if op, err := b.lateSort(n, depth); op != nil || err != nil {
		return op, err
	}
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	if op := b.sortedGroups(n, in); op != nil {
		return op, nil
	}
	s := exec.NewSort(in, n.Keys, n.Limit, n.Schema())
	if b.exactCount() {
		return s, nil
	}
	if f := b.sequenceBelow(n); f != nil {
		f.apply(s, scanUnder(in), n.Keys)
	} else if scan, col := sortedScan(n, in); scan != nil {
		s.Bind(scan, col)
	} else if a, col := sortedAggregate(n, in); a != nil {
		a.Bind(s, col)
	}
	return s, nil
}

func (b *builder) limit(n *plan.Limit, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewLimit(in, n.N, n.Offset, n.WithTies), nil
}

func (b *builder) union(n *plan.Union, depth int) (exec.Operator, error) {
	var ins []exec.Operator
	for _, c := range n.All {
		in, err := b.node(c, nil, depth)
		if err != nil {
			return nil, err
		}
		ins = append(ins, in)
	}
	return exec.NewUnion(ins...), nil
}

func (b *builder) limitBy(n *plan.LimitBy, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewLimitBy(in, n.Keys, n.N, n.Offset, n.Schema()), nil
}

func (b *builder) distinct(n *plan.Distinct, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewDistinct(in, n.Keys, n.Schema()), nil
}

func (b *builder) arrayJoin(n *plan.ArrayJoin, depth int) (exec.Operator, error) {
	in, err := b.node(n.Input, nil, depth)
	if err != nil {
		return nil, err
	}
	return exec.NewArrayJoin(in, n.Columns, n.Left, n.Fields), nil
}
