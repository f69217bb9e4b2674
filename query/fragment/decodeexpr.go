package fragment

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// nothing stands for an expression that could not be read.
func nothing() plan.Expr { return &plan.Const{Value: column.NewNulls(1), T: types.TNull} }

func (d *decoder) exprs(in column.Schema) []plan.Expr {
	n := d.count()
	var out []plan.Expr
	for range n {
		e := d.expr(in)
		if d.err != nil {
			return out
		}
		out = append(out, e)
	}
	return out
}

// optional reads an expression or that there is none.
func (d *decoder) optional(in column.Schema) plan.Expr {
	if len(d.b) > 0 && exprKind(d.b[0]) == exprNone {
		d.u8()
		return nil
	}
	return d.expr(in)
}

// expr reads an expression over columns.
func (d *decoder) expr(in column.Schema) plan.Expr {
	defer func() { d.depth-- }()
	if !d.enter() {
		return nothing()
	}
	e := d.exprOf(exprKind(d.u8()), in)
	if d.err != nil {
		return nothing()
	}
	return e
}

func (d *decoder) exprOf(k exprKind, in column.Schema) plan.Expr {
	switch k {
	case exprCol:
		c := &plan.Col{Index: d.index(len(in)), Name: d.text(), T: d.typ()}
		if d.err == nil && !samePhys(c.T, in[c.Index].Type) {
			d.fail(corrupt("column %s of type %s is read as %s", c.Name, in[c.Index].Type, c.T))
		}
		return c
	case exprConst:
		t := d.typ()
		return &plan.Const{T: t, Value: d.vector(t)}
	case exprCall:
		return d.scalar(in)
	case exprLambda:
		return d.lambda(in)
	case exprParam:
		if i := d.index(len(d.params)); d.err == nil {
			return d.params[i]
		}
		return nothing()
	case exprIn:
		return d.in(in)
	}
	d.fail(corrupt("an expression of kind %d", k))
	return nothing()
}

func (d *decoder) scalar(in column.Schema) plan.Expr {
	s := function.Signature{Name: d.text()}
	n := d.count()
	for range n {
		s.Args = append(s.Args, d.typ())
		if d.err != nil {
			return nothing()
		}
	}
	s.Inner, s.Result = d.typ(), d.typ()
	args := d.exprs(in)
	if d.err != nil {
		return nothing()
	}
	fn, err := function.Rebind(d.from.Env, s, argsOf(args))
	if err != nil {
		d.fail(err)
		return nothing()
	}
	if !d.fits(fn, s, args) {
		d.fail(corrupt("function %s is called with other arguments than it was bound to", s.Name))
	}
	return &plan.Call{Fn: fn, Args: args}
}

// fits reports whether the arguments are what a function was bound to.
func (d *decoder) fits(fn *function.Bound, s function.Signature, args []plan.Expr) bool {
	if len(args) != len(s.Args) {
		return false
	}
	for i, a := range args {
		if _, ok := a.(*plan.Lambda); ok && (i > 0 || fn.Func.Lambda == nil) {
			return false
		}
		if have, want := a.Type().Inner(), s.Args[i].Inner(); have.Phys() != want.Phys() && have.Kind != types.Nothing {
			return false
		}
	}
	for _, i := range fn.Func.ConstArgs {
		if _, ok := args[min(i, len(args)-1)].(*plan.Const); i < len(args) && !ok {
			return false
		}
	}
	return true
}

func (d *decoder) lambda(in column.Schema) plan.Expr {
	n := d.count()
	l := &plan.Lambda{}
	for range n {
		l.Params = append(l.Params, &plan.Param{Name: d.text(), T: d.typ()})
		if d.err != nil {
			return nothing()
		}
	}
	d.params = append(d.params, l.Params...)
	l.Body = d.expr(in)
	d.params = d.params[:len(d.params)-len(l.Params)]
	return l
}

func (d *decoder) in(in column.Schema) plan.Expr {
	e := &plan.In{Args: d.exprs(in), Not: d.flag(), T: d.typ(), Set: &plan.Set{}}
	n := d.count()
	for range n {
		e.Set.Types = append(e.Set.Types, d.typ())
		if d.err != nil {
			return nothing()
		}
	}
	e.Set.ID = int(d.uv() & (1<<31 - 1))
	width := 0
	if d.flag() {
		e.Set.Input = d.node()
		width = len(e.Set.Input.Schema())
	} else if e.Set.Values = d.block(); d.err == nil {
		width = len(e.Set.Values.Cols)
	}
	if d.err == nil && (len(e.Args) != len(e.Set.Types) || width != len(e.Args) || valueType(e.T).Inner().Kind != types.UInt8) {
		d.fail(corrupt("IN of %d arguments in a set of %d types and %d columns", len(e.Args), len(e.Set.Types), width))
	}
	return e
}

// argsOf describes the arguments of a call.
func argsOf(es []plan.Expr) []function.Arg {
	out := make([]function.Arg, len(es))
	for i, e := range es {
		out[i].Type = e.Type()
		switch e := e.(type) {
		case *plan.Const:
			out[i].Const = e.Value
		case *plan.Lambda:
			out[i].Lambda = true
		}
	}
	return out
}
