package optimize

import (
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// extreme is min or max of x ± c, c - x or x * c, made from that of x. Where x ± c wraps, and of no rows (min is 0 then, and min(x + 1) is 1), the result is
// ClickHouse's, which rewrites alike.
func (l *linear) extreme(c plan.AggCall) plan.Expr {
	e := c.Args[0]
	x, k, flipped, ok := constantOperand(e)
	if !ok || !isMovable(x.Type()) || k.T.IsNullable() || !isInt(k.T) && !k.T.IsFloat() {
		return nil
	}
	op, name := e.(*plan.Call).Fn.Func.Name, c.Func
	reversed := op == "minus" && flipped
	if op == "multiply" {
		if !isInt(k.T) {
			return nil
		}
		reversed = k.T.IsSigned() && int64(intBits(k)) < 0
	}
	if reversed {
		name = map[string]string{"min": "max", "max": "min"}[name]
	}
	fn, err := function.BindAggregate(bindEnv, name, nil, []*types.Type{x.Type()}, false)
	if err != nil {
		return nil
	}
	inner := plan.AggCall{Name: name, Func: name, Fn: fn, Args: []plan.Expr{x}}
	got := l.extreme(inner) // min(x + 1 - 2)
	if got == nil {
		got = l.call(inner)
	}
	if flipped {
		return call(op, k, got)
	}
	return call(op, got, k)
}

// isMovable reports whether the order of values stays, or turns around, where a constant is added to them.
func isMovable(t *types.Type) bool {
	t = t.Inner()
	return isInt(t) || t.IsFloat() || t.Kind == types.Decimal || t.IsDateOrTime()
}

// constantOperand takes x op c or c op x apart, for plus, minus and multiply; flipped says that the constant comes first.
func constantOperand(e plan.Expr) (x plan.Expr, c *plan.Const, flipped, ok bool) {
	call, is := e.(*plan.Call)
	if !is || len(call.Args) != 2 {
		return nil, nil, false, false
	}
	switch call.Fn.Func.Name {
	case "plus", "minus", "multiply":
	default:
		return nil, nil, false, false
	}
	x = call.Args[0]
	if c, ok = call.Args[1].(*plan.Const); !ok {
		if c, flipped = x.(*plan.Const); !flipped {
			return nil, nil, false, false
		}
		x = call.Args[1]
	}
	_, both := x.(*plan.Const)
	return x, c, flipped, !both
}
