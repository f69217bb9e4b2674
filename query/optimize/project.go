package optimize

import (
	"github.com/olapd/olapd/query/plan"
)

// mergeProjections computes two projections on top of each other in one, where no inner expression
// other than a column or a constant would be computed twice.
func mergeProjections(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		p, ok := n.(*plan.Project)
		if !ok {
			return n
		}
		inner, ok := p.Input.(*plan.Project)
		if ok && mergeable(p, inner) {
			exprs := make([]plan.Expr, len(p.Exprs))
			for i, e := range p.Exprs {
				exprs[i] = substitute(e, inner.Exprs)
			}
			p = &plan.Project{Input: inner.Input, Exprs: exprs, Fields: p.Fields}
		}
		return p
	})
}

// dropIdle removes the projections that change nothing, now that their inputs yield no more than is needed.
func dropIdle(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		if p, ok := n.(*plan.Project); ok && changesNothing(p) {
			return p.Input
		}
		return n
	})
}

func mergeable(outer, inner *plan.Project) bool {
	uses := make([]int, len(inner.Exprs))
	for _, e := range outer.Exprs {
		plan.Walk(e, func(e plan.Expr) bool {
			if c, ok := e.(*plan.Col); ok {
				uses[c.Index]++
			}
			return true
		})
	}
	for i, e := range inner.Exprs {
		switch e.(type) {
		case *plan.Col, *plan.Const:
		default:
			if uses[i] > 1 || volatile(e) {
				return false
			}
		}
	}
	return true
}

// changesNothing reports whether a projection yields its input's columns, in order, under their names.
func changesNothing(p *plan.Project) bool {
	in := p.Input.Schema()
	if len(in) != len(p.Exprs) {
		return false
	}
	for i, e := range p.Exprs {
		c, ok := e.(*plan.Col)
		if !ok || c.Index != i || in[i].Name != p.Fields[i].Name || !in[i].Type.Equal(p.Fields[i].Type) {
			return false
		}
	}
	return true
}
