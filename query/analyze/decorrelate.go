package analyze

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/sqlerr"
	"github.com/olapd/olapd/query/plan"
)

// decorrelation turns the parameters of a correlated subquery into columns. Each node of the subquery yields, behind its own columns, one
// for each parameter; below it all, the values come from the conditions that equal a parameter to an expression of the subquery, or else
// from the distinct values around it, with which the subquery's rows are multiplied.
type decorrelation struct {
	s      *scope
	params []*plan.Param
	outer  []plan.Expr
	around plan.Node
}

func (d *decorrelation) isParam(e plan.Expr) bool {
	p, ok := e.(*plan.Param)
	return ok && slices.Contains(d.params, p)
}

// reads reports whether a parameter stands in a tree, its subqueries not included.
func (d *decorrelation) reads(n plan.Node) bool {
	found := false
	plan.Exprs(n, func(e plan.Expr) { found = found || contains(e, d.isParam) })
	for _, in := range n.Inputs() {
		found = found || d.reads(in)
	}
	return found
}

// columns are the parameters' columns behind the first width ones.
func (d *decorrelation) columns(n plan.Node, width int) []plan.Expr {
	return columnsOf(n.Schema())[width:]
}

// over replaces the parameters in e by columns behind the first width ones of n.
func (d *decorrelation) over(e plan.Expr, n plan.Node, width int) (plan.Expr, error) {
	cols := d.columns(n, width)
	return d.s.rewriter(func(e plan.Expr) (plan.Expr, error) {
		if p, ok := e.(*plan.Param); ok {
			if i := slices.Index(d.params, p); i >= 0 {
				return cols[i], nil
			}
		}
		return nil, nil
	}).one(e)
}

func (d *decorrelation) allOver(es []plan.Expr, n plan.Node, width int) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = d.over(e, n, width); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fields adds the parameters' columns of n to a schema.
func (d *decorrelation) fields(own column.Schema, n plan.Node, width int) column.Schema {
	return append(slices.Clone(own), n.Schema()[width:]...)
}

func unsupported(n plan.Node) error {
	return sqlerr.New(sqlerr.NotImplemented, "A correlated subquery with %s is not supported", plan.Describe(n))
}

// node returns n with the parameters' columns behind its own.
func (d *decorrelation) node(n plan.Node) (plan.Node, error) {
	if len(plan.Subqueries(n)) > 0 {
		for _, set := range plan.Subqueries(n) {
			if d.reads(set.Input) {
				return nil, unsupported(n)
			}
		}
	}
	if !d.reads(n) {
		return d.product(n), nil
	}
	switch n := n.(type) {
	case *plan.Filter:
		return d.filter(n)
	case *plan.Aggregate:
		return d.aggregate(n)
	case *plan.Window:
		return d.window(n)
	case *plan.Join:
		return d.join(n)
	case *plan.Union:
		return d.union(n)
	case *plan.Project, *plan.Sort, *plan.Limit, *plan.LimitBy, *plan.Slice, *plan.Distinct, *plan.ArrayJoin:
		in, err := d.node(n.Inputs()[0])
		if err != nil {
			return nil, err
		}
		return d.simple(n, in)
	}
	return nil, unsupported(n)
}

// product multiplies rows that depend on no parameter with the distinct values of the parameters.
func (d *decorrelation) product(n plan.Node) plan.Node {
	p := &plan.Project{Input: d.around, Exprs: d.outer}
	for i, o := range d.outer {
		p.Fields = append(p.Fields, column.Field{Name: d.params[i].Name, Type: o.Type()})
	}
	values := &plan.Distinct{Input: p, Keys: identity(len(d.outer))}
	return &plan.Join{Left: n, Right: values, Kind: plan.Cross, Fields: append(slices.Clone(n.Schema()), p.Fields...)}
}

// simple is for nodes of one input whose own columns stay where they are; in is the input done.
func (d *decorrelation) simple(n, in plan.Node) (plan.Node, error) {
	width := len(n.Inputs()[0].Schema())
	by := identity(len(in.Schema()))[width:]
	switch n := n.(type) {
	case *plan.Project:
		exprs, err := d.allOver(n.Exprs, in, width)
		return &plan.Project{Input: in, Exprs: append(exprs, d.columns(in, width)...), Fields: d.fields(n.Fields, in, width)}, err
	case *plan.Sort:
		return &plan.Sort{Input: in, Keys: n.Keys}, nil
	case *plan.Limit:
		if n.WithTies != nil {
			return nil, unsupported(n)
		}
		return &plan.LimitBy{Input: in, Keys: by, N: n.N, Offset: n.Offset}, nil
	case *plan.LimitBy:
		return &plan.LimitBy{Input: in, Keys: append(slices.Clone(n.Keys), by...), N: n.N, Offset: n.Offset}, nil
	case *plan.Slice:
		if n.WithTies != nil {
			return nil, unsupported(n)
		}
		return &plan.Slice{Input: in, Limit: n.Limit, Offset: n.Offset, By: append(slices.Clone(n.By), by...)}, nil
	case *plan.Distinct:
		return &plan.Distinct{Input: in, Keys: append(slices.Clone(n.Keys), by...)}, nil
	case *plan.ArrayJoin:
		return &plan.ArrayJoin{Input: in, Columns: n.Columns, Left: n.Left, Fields: d.fields(n.Fields, in, width)}, nil
	}
	return nil, unsupported(n)
}

// filter takes the parameters' values from equalities where it can: the rows then need no product.
func (d *decorrelation) filter(n *plan.Filter) (plan.Node, error) {
	width := len(n.Input.Schema())
	conds := conjuncts(n.Cond)
	var in plan.Node
	if !d.reads(n.Input) {
		in, conds = d.equated(n.Input, conds)
	}
	if in == nil {
		var err error
		if in, err = d.node(n.Input); err != nil {
			return nil, err
		}
	}
	if len(conds) == 0 {
		return in, nil
	}
	conds, err := d.allOver(conds, in, width)
	if err != nil {
		return nil, err
	}
	cond, err := d.s.and(conds)
	return &plan.Filter{Input: in, Cond: cond}, err
}

// equated adds to n, for each parameter, the expression a condition equals it to, and returns the other conditions; nil if not all have one.
func (d *decorrelation) equated(n plan.Node, conds []plan.Expr) (plan.Node, []plan.Expr) {
	exprs, fields := columnsOf(n.Schema()), slices.Clone(n.Schema())
	rest := slices.Clone(conds)
	for _, p := range d.params {
		at := -1
		var x plan.Expr
		for i, c := range rest {
			if e := d.equals(c, p); e != nil {
				at, x = i, e
				break
			}
		}
		if at < 0 {
			return nil, conds
		}
		rest = slices.Delete(rest, at, at+1)
		exprs, fields = append(exprs, x), append(fields, column.Field{Name: p.Name, Type: x.Type()})
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: fields}, rest
}

// equals returns what a condition equals a parameter to, of the same type but for Nullable; nil if it does not.
func (d *decorrelation) equals(c plan.Expr, p *plan.Param) plan.Expr {
	call, ok := c.(*plan.Call)
	if !ok || call.Fn.Func.Name != "equals" {
		return nil
	}
	for i, a := range call.Args {
		x := call.Args[1-i]
		if a == plan.Expr(p) && !contains(x, d.isParam) && x.Type().Inner().Equal(p.T.Inner()) {
			return x
		}
	}
	return nil
}

// aggregate groups by the parameters too. A group without rows is none.
func (d *decorrelation) aggregate(n *plan.Aggregate) (plan.Node, error) {
	if n.GroupingSets != nil || n.Totals {
		return nil, unsupported(n)
	}
	in, err := d.node(n.Input)
	if err != nil {
		return nil, err
	}
	width, keys := len(n.Input.Schema()), len(n.Keys)
	a := &plan.Aggregate{Input: in}
	if a.Keys, err = d.allOver(n.Keys, in, width); err != nil {
		return nil, err
	}
	a.Keys = append(a.Keys, d.columns(in, width)...)
	for _, c := range n.Aggs {
		if c.Args, err = d.allOver(c.Args, in, width); err != nil {
			return nil, err
		}
		a.Aggs = append(a.Aggs, c)
	}
	a.Fields = append(append(slices.Clone(n.Fields[:keys]), in.Schema()[width:]...), n.Fields[keys:]...)
	return d.toEnd(a, keys, n.Fields), nil
}

// toEnd moves the parameters' columns, which begin at from, behind the others.
func (d *decorrelation) toEnd(n plan.Node, from int, own column.Schema) plan.Node {
	cols, count := columnsOf(n.Schema()), len(d.params)
	exprs := append(slices.Concat(cols[:from], cols[from+count:]), cols[from:from+count]...)
	return &plan.Project{Input: n, Exprs: exprs, Fields: append(slices.Clone(own), n.Schema()[from:from+count]...)}
}

// window computes the functions for each value of the parameters alone.
func (d *decorrelation) window(n *plan.Window) (plan.Node, error) {
	in, err := d.node(n.Input)
	if err != nil {
		return nil, err
	}
	width := len(n.Input.Schema())
	w := &plan.Window{Input: in, Unordered: n.Unordered, Fields: append(slices.Clone(in.Schema()), n.Fields[width:]...)}
	for _, c := range n.Calls {
		if c.Args, err = d.allOver(c.Args, in, width); err != nil {
			return nil, err
		}
		c.PartitionBy = append(slices.Clone(c.PartitionBy), identity(len(in.Schema()))[width:]...)
		w.Calls = append(w.Calls, c)
	}
	return d.toEnd(w, width, n.Fields), nil
}

// join lets the parameters' columns come from the left side. Rows of the right side alone have none.
func (d *decorrelation) join(n *plan.Join) (plan.Node, error) {
	if d.reads(n.Right) || slices.Contains([]plan.JoinKind{plan.Right, plan.Full, plan.RightSemi, plan.RightAnti}, n.Kind) {
		return nil, unsupported(n)
	}
	left, err := d.node(n.Left)
	if err != nil {
		return nil, err
	}
	width, count := len(n.Left.Schema()), len(d.params)
	j := *n
	j.Left = left
	if j.LeftKeys, err = d.allOver(n.LeftKeys, left, width); err != nil {
		return nil, err
	}
	if n.Cond != nil {
		moved := plan.Rewrite(n.Cond, func(e plan.Expr) plan.Expr {
			if c, ok := e.(*plan.Col); ok && c.Index >= width {
				return &plan.Col{Index: c.Index + count, Name: c.Name, T: c.T}
			}
			return e
		})
		if j.Cond, err = d.over(moved, left, width); err != nil {
			return nil, err
		}
	}
	j.Fields = append(append(slices.Clone(n.Fields[:width]), left.Schema()[width:]...), n.Fields[width:]...)
	return d.toEnd(&j, width, n.Fields), nil
}

func (d *decorrelation) union(n *plan.Union) (plan.Node, error) {
	u := &plan.Union{}
	for _, c := range n.All {
		in, err := d.node(c)
		if err != nil {
			return nil, err
		}
		exprs, fields := columnsOf(in.Schema()), slices.Clone(in.Schema())
		for i, p := range d.params { // of one type in all
			k := len(n.Fields) + i
			if exprs[k], err = d.s.cast(exprs[k], nullableScalar(p.T)); err != nil {
				return nil, err
			}
			fields[k] = column.Field{Name: p.Name, Type: exprs[k].Type()}
		}
		u.All = append(u.All, &plan.Project{Input: in, Exprs: exprs, Fields: fields})
		u.Fields = append(slices.Clone(n.Fields), fields[len(n.Fields):]...)
	}
	return u, nil
}
