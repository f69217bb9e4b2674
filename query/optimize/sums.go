package optimize

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// linearAggregates moves constants out of aggregates, so that sum(x), sum(x + 1), … sum(x + 89) read x once:
//
//	sum(x ± c)     sum(x) ± c * count(x)
//	sum(c - x)     c * count(x) - sum(x)
//	sum(x * c)     sum(x) * c
//	sum(c)         c * count()
//	min(x ± c)     min(x) ± c     (max alike; min(c - x) is c - max(x), min(x * c) is min(x) * c or max(x) * c)
//
// Sums are of integers only, where all of it is exact: a sum whose type has fewer than 64 bits never wraps, and at 64 bits both sides wrap
// alike.
func linearAggregates(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		a, ok := n.(*plan.Aggregate)
		if !ok || !regroupable(a) {
			return n
		}
		l := &linear{regroup(a, a.Keys)}
		exprs := make([]plan.Expr, 0, len(a.Fields))
		for i := range a.Keys {
			exprs = append(exprs, l.key(i))
		}
		for i, c := range a.Aggs {
			e := l.of(c)
			if e == nil || !e.Type().Equal(a.Fields[len(a.Keys)+i].Type) {
				e = l.call(c)
			}
			exprs = append(exprs, e)
		}
		return l.finish(exprs)
	})
}

type linear struct{ *regrouped }

// of returns what c is computed from, or nil if nothing is gained. It adds calls only where it returns an expression.
func (l *linear) of(c plan.AggCall) plan.Expr {
	if len(c.Args) != 1 || volatile(c.Args[0]) {
		return nil
	}
	switch c.Func {
	case "sum":
		if !isInt(c.Args[0].Type()) || !isLinear(c.Args[0]) {
			return nil
		}
		return l.sum(c.Args[0], c.Fn.Result().WithoutNullable())
	case "min", "max":
		return l.extreme(c)
	}
	return nil
}

// isLinear reports whether e is a constant, or a sum or product with one.
func isLinear(e plan.Expr) bool {
	if _, ok := e.(*plan.Const); ok {
		return true
	}
	_, _, _, ok := linearParts(e)
	return ok
}

// linearParts is constantOperand of integers.
func linearParts(e plan.Expr) (x plan.Expr, c *plan.Const, flipped, ok bool) {
	x, c, flipped, ok = constantOperand(e)
	if !ok || !isInt(x.Type()) || !isInt(c.T) || c.T.IsNullable() {
		return nil, nil, false, false
	}
	return x, c, flipped, true
}

// sum returns an expression of type t (Nullable where e is) that equals sum(e), e being an integer.
func (l *linear) sum(e plan.Expr, t *types.Type) plan.Expr {
	if c, ok := e.(*plan.Const); ok && !c.T.IsNullable() {
		return product(constAs(c, t), as(l.count(nil), t))
	}
	x, c, flipped, ok := linearParts(e)
	if !ok {
		fn, err := function.BindAggregate(bindEnv, "sum", nil, []*types.Type{e.Type()}, false)
		if err != nil {
			return nil
		}
		return as(l.call(plan.AggCall{Name: "sum", Func: "sum", Fn: fn, Args: []plan.Expr{e}}), t)
	}
	total, k := l.sum(x, t), constAs(c, t)
	name := e.(*plan.Call).Fn.Func.Name
	if name == "multiply" {
		return product(total, k)
	}
	shift := product(k, as(l.count(x), t))
	if flipped {
		total, shift = shift, total
	}
	return as(call(name, total, shift), t)
}

// count is count() of the rows where x, which is nil for all rows, is not NULL.
func (l *linear) count(x plan.Expr) plan.Expr {
	var args []plan.Expr
	var ts []*types.Type
	if x != nil && x.Type().IsNullable() {
		args, ts = []plan.Expr{x}, []*types.Type{x.Type()}
	}
	fn, err := function.BindAggregate(bindEnv, "count", nil, ts, false)
	if err != nil {
		return nil
	}
	return l.call(plan.AggCall{Name: "count", Func: "count", Fn: fn, Args: args})
}

func product(a, b plan.Expr) plan.Expr {
	if a == nil || b == nil {
		return nil
	}
	return call("multiply", a, b)
}

// as converts an integer to t, UInt64 or Int64, modulo 2⁶⁴.
func as(e plan.Expr, t *types.Type) plan.Expr {
	if e == nil || e.Type().Inner().Equal(t) {
		return e
	}
	return call("to"+t.String(), e)
}

// constAs is a constant integer as t, UInt64 or Int64, modulo 2⁶⁴.
func constAs(c *plan.Const, t *types.Type) plan.Expr {
	x := intBits(c)
	if t.IsUnsigned() {
		return &plan.Const{Value: column.NewNum(t, []uint64{x}), T: t}
	}
	return &plan.Const{Value: column.NewNum(t, []int64{int64(x)}), T: t}
}

// intBits is a constant integer modulo 2⁶⁴.
func intBits(c *plan.Const) uint64 {
	switch x := column.Value(c.Value, 0).(type) {
	case uint8:
		return uint64(x)
	case uint16:
		return uint64(x)
	case uint32:
		return uint64(x)
	case uint64:
		return x
	case int8:
		return uint64(x)
	case int16:
		return uint64(x)
	case int32:
		return uint64(x)
	case int64:
		return uint64(x)
	}
	panic("optimize: " + c.String() + " is no integer")
}
