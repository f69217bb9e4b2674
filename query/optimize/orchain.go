package optimize

import (
	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// minEqualities is from how many on a chain of equalities is looked up at once.
const minEqualities = 3

// orChains turns x = 1 OR x = 2 OR x = 3 into x IN (1, 2, 3), which is one look-up, and one that indexes know. Equal parts
// of OR and AND are computed once anyway, so that only equalities of one expression with constants of its own type matter.
func orChains(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		return plan.MapExprs(n, func(e plan.Expr) plan.Expr { return plan.Rewrite(e, orChain) })
	})
}

func orChain(e plan.Expr) plan.Expr {
	if _, ok := isCall(e, "or"); !ok {
		return e
	}
	groups := map[string][]*plan.Const{}
	var order []disjunct
	for _, p := range disjuncts(e) {
		x, c := equalsConst(p)
		if x == nil {
			order = append(order, disjunct{e: p})
			continue
		}
		key := x.String()
		if groups[key] == nil {
			order = append(order, disjunct{x, key})
		}
		groups[key] = append(groups[key], c)
	}
	var rest []plan.Expr
	changed := false
	for _, d := range order {
		cs := groups[d.key]
		switch {
		case d.key == "":
			rest = append(rest, d.e)
		case len(cs) < minEqualities:
			for _, c := range cs {
				rest = append(rest, call("equals", d.e, c))
			}
		default:
			rest, changed = append(rest, inConstants(d.e, cs)), true
		}
	}
	if !changed {
		return e
	}
	out := rest[0]
	if len(rest) > 1 {
		out = call("or", rest...)
	}
	if out == nil || !out.Type().Equal(e.Type()) {
		return e
	}
	return out
}

// disjunct is a part of OR, or with a key what several equalities compare.
type disjunct struct {
	e   plan.Expr
	key string
}

// disjuncts splits nested ors into their parts, in order.
func disjuncts(e plan.Expr) []plan.Expr {
	args, ok := isCall(e, "or")
	if !ok {
		return []plan.Expr{e}
	}
	var out []plan.Expr
	for _, a := range args {
		out = append(out, disjuncts(a)...)
	}
	return out
}

// equalsConst takes x = c apart where c, which is not NULL, is a value of x's type, or an integer that is; nil if e is nothing of the kind.
func equalsConst(e plan.Expr) (plan.Expr, *plan.Const) {
	args, ok := isCall(e, "equals")
	if !ok {
		return nil, nil
	}
	x := args[0]
	c, ok := args[1].(*plan.Const)
	if !ok {
		x = args[1]
		c, ok = args[0].(*plan.Const)
	}
	if _, both := x.(*plan.Const); !ok || both || volatile(x) || c.T.IsNullable() {
		return nil, nil
	}
	t := x.Type().Inner()
	switch {
	case t.Kind == types.String && c.T.Kind == types.String:
		return x, c
	case isInt(t) && isInt(c.T):
		if c = intOfType(c, t); c != nil {
			return x, c
		}
	}
	return nil, nil
}

// intOfType is a constant integer as one of type t, or nil if t does not hold it.
func intOfType(c *plan.Const, t *types.Type) *plan.Const {
	bits := intBits(c)
	if c.T.IsSigned() && int64(bits) < 0 && t.IsUnsigned() || c.T.IsUnsigned() && int64(bits) < 0 && (t.IsSigned() || t.Width() < 8) {
		return nil
	}
	k := call("to"+t.String(), c)
	if k == nil {
		return nil
	}
	fn := k.(*plan.Call).Fn
	v, err := fn.Call(bindEnv, []column.Vector{&column.Const{Value: c.Value, N: 1}}, nil, 1)
	if err != nil {
		return nil
	}
	out := &plan.Const{Value: column.Flatten(v), T: t}
	if intBits(out) != bits {
		return nil
	}
	return out
}

// inConstants is x IN the constants, which are of x's type.
func inConstants(x plan.Expr, cs []*plan.Const) plan.Expr {
	t := x.Type().Inner()
	values := column.New(t, len(cs))
	for _, c := range cs {
		values.AppendFrom(c.Value, 0)
	}
	result := types.TUInt8
	if x.Type().IsNullable() {
		result = types.NewNullable(result)
	}
	return &plan.In{Args: []plan.Expr{x}, Set: &plan.Set{Types: []*types.Type{t}, Values: column.NewBlock(values)}, T: result}
}
