package analyze

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/query/exec/eval"
	"github.com/olapd/olapd/query/plan"
)

// fold evaluates a call of constants; nil if it is not one or must be evaluated per query block.
func (a *analyzer) fold(b *function.Bound, args []plan.Expr) (plan.Expr, error) {
	if b.Func.Volatile || b.Func.KeepConst {
		return nil, nil
	}
	vs := make([]column.Vector, len(args))
	higher := false
	for i, e := range args {
		switch e := e.(type) {
		case *plan.Const:
			vs[i] = &column.Const{Value: e.Value, N: 1}
		case *plan.Lambda:
			if !closed(e) {
				return nil, nil
			}
			higher = true
		default:
			return nil, nil
		}
	}
	var v column.Vector
	var err error
	if higher {
		v, err = a.evaluate(&plan.Call{Fn: b, Args: args})
	} else {
		v, err = b.Call(a.env, vs, nil, 1)
	}
	if err != nil {
		return nil, err
	}
	return &plan.Const{Value: column.Flatten(v), T: b.Result}, nil
}

// evaluate computes an expression that reads no columns.
func (a *analyzer) evaluate(e plan.Expr) (column.Vector, error) {
	p, err := eval.Compile(a.env, []plan.Expr{e}, eval.NewSets(a.env, false))
	if err != nil {
		return nil, err
	}
	return p.Run1(&column.Block{N: 1})
}

// closed reports whether a lambda reads nothing but its parameters and constants, so that its results depend on its arguments alone.
func closed(l *plan.Lambda) bool {
	own := map[*plan.Param]bool{}
	ok := true
	walk(l, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Lambda:
			for _, p := range e.Params {
				own[p] = true
			}
		case *plan.Param:
			ok = ok && own[e]
		case *plan.Call:
			ok = ok && !e.Fn.Func.Volatile
		case *plan.Const:
		default:
			ok = false
		}
		return ok
	})
	return ok
}
