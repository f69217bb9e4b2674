package optimize

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// bindEnv is for binding and, or and equals over types known to fit: they need nothing of the query.
var bindEnv = &function.Env{}

// call binds a function over arguments; nil if it does not bind.
func call(name string, args ...plan.Expr) plan.Expr {
	fargs := make([]function.Arg, len(args))
	for i, a := range args {
		fargs[i].Type = a.Type()
		if c, ok := a.(*plan.Const); ok {
			fargs[i].Const = c.Value
		}
	}
	b, err := function.Bind(bindEnv, name, fargs)
	if err != nil {
		return nil
	}
	return &plan.Call{Fn: b, Args: args}
}

// isCall returns the arguments if e calls the function.
func isCall(e plan.Expr, name string) ([]plan.Expr, bool) {
	c, ok := e.(*plan.Call)
	if !ok || c.Fn.Func.Name != name {
		return nil, false
	}
	return c.Args, true
}

// conjuncts splits nested ands into their parts, in order.
func conjuncts(e plan.Expr) []plan.Expr {
	args, ok := isCall(e, "and")
	if !ok {
		return []plan.Expr{e}
	}
	var out []plan.Expr
	for _, a := range args {
		out = append(out, conjuncts(a)...)
	}
	return out
}

// filter puts the conditions, each over n's schema, on top of n; n itself if there are none.
func filter(n plan.Node, conds []plan.Expr) plan.Node {
	switch len(conds) {
	case 0:
		return n
	case 1:
		return &plan.Filter{Input: n, Cond: conds[0]}
	}
	if all := call("and", conds...); all != nil {
		return &plan.Filter{Input: n, Cond: all}
	}
	for _, c := range conds {
		n = &plan.Filter{Input: n, Cond: c}
	}
	return n
}

// volatile reports whether e may give another value each time it is evaluated.
func volatile(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && c.Fn.Func.Volatile {
			found = true
		}
		return !found
	})
	return found
}

func anyVolatile(es []plan.Expr) bool {
	for _, e := range es {
		if volatile(e) {
			return true
		}
	}
	return false
}

// substitute replaces column i by exprs[i].
func substitute(e plan.Expr, exprs []plan.Expr) plan.Expr {
	return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.Col); ok {
			return exprs[c.Index]
		}
		return e
	})
}

// renumber replaces column i by column to[i].
func renumber(e plan.Expr, to []int) plan.Expr {
	return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.Col); ok && to[c.Index] != c.Index {
			return &plan.Col{Index: to[c.Index], Name: c.Name, T: c.T}
		}
		return e
	})
}

// columns returns the set of columns e reads.
func columns(e plan.Expr) map[int]bool {
	used := map[int]bool{}
	plan.Columns(e, used)
	return used
}

// truth is the value of a constant as a condition; known is false if e is no constant.
func truth(e plan.Expr) (value, known bool) {
	c, ok := e.(*plan.Const)
	if !ok {
		return false, false
	}
	if column.IsNull(c.Value, 0) {
		return false, true
	}
	if n, ok := c.Value.(*column.Nullable); ok {
		return truth(&plan.Const{Value: n.Inner, T: n.Inner.Type()})
	}
	if n, ok := c.Value.(*column.Num[uint8]); ok {
		return n.Data[0] != 0, true
	}
	return false, false
}

// colsOf returns one Col per column of a schema.
func colsOf(s column.Schema) []plan.Expr {
	out := make([]plan.Expr, len(s))
	for i, f := range s {
		out[i] = &plan.Col{Index: i, Name: f.Name, T: f.Type}
	}
	return out
}

// empty yields no rows of the schema.
func empty(s column.Schema) plan.Node {
	b := &column.Block{Cols: make([]column.Vector, len(s))}
	for i, f := range s {
		b.Cols[i] = column.New(f.Type, 0)
	}
	return &plan.Values{Block: b, Fields: s}
}

// sameVector reports whether two types are stored and compared alike: equal but for LowCardinality.
func sameVector(a, b *types.Type) bool {
	return a.WithoutLowCardinality().Equal(b.WithoutLowCardinality())
}
