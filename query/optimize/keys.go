package optimize

import (
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// fewerKeys groups by less: a key that maps different values of x to different ones gives way to x, and keys that are functions of
// other keys, or constants, are computed from the groups. GROUP BY a, a - 1, a - 2 groups by a.
//
// Floats stay as they are: equal keys there (0 and -0) are not the same value to every function.
func fewerKeys(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		if f, ok := n.(*plan.Filter); ok {
			return havingBelow(f)
		}
		a, ok := n.(*plan.Aggregate)
		if !ok || !regroupable(a) && !plainTotals(a) || anyVolatile(a.Keys) {
			return n
		}
		kept := a.Keys
		if !a.Totals {
			kept = injected(kept)
		}
		kept = independent(kept)
		if sameExprs(kept, a.Keys) {
			return n
		}
		r := regroup(a, kept)
		exprs := make([]plan.Expr, 0, len(a.Fields))
		for _, k := range a.Keys {
			e := overKeys(k, kept)
			if e == nil || !e.Type().Equal(k.Type()) {
				return n
			}
			exprs = append(exprs, e)
		}
		for _, c := range a.Aggs {
			exprs = append(exprs, r.call(c))
		}
		return r.finish(exprs)
	})
}

// plainTotals reports whether a is an aggregate that would be regroupable but for its totals: their row, in which keys are defaults, has then what functions
// of keys make of those, as in ClickHouse.
func plainTotals(a *plan.Aggregate) bool {
	return a.Totals && a.GroupingSets == nil && !a.Partial && !a.Merge
}

// havingBelow moves a condition below the projection that fewerKeys has put on an aggregate with totals, which count only the groups that pass.
func havingBelow(f *plan.Filter) plan.Node {
	p, ok := f.Input.(*plan.Project)
	if !ok || volatile(f.Cond) {
		return f
	}
	if a, ok := p.Input.(*plan.Aggregate); !ok || !a.Totals {
		return f
	}
	return plan.WithInputs(p, []plan.Node{&plan.Filter{Input: p.Input, Cond: substitute(f.Cond, p.Exprs)}})
}

func sameExprs(a, b []plan.Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// injected replaces each key by what it is an injective function of.
func injected(keys []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, k := range keys {
		out = append(out, preimage(k)...)
	}
	return out
}

// preimage returns expressions whose values tell apart exactly what e's do.
func preimage(e plan.Expr) []plan.Expr {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) == 0 {
		return []plan.Expr{e}
	}
	switch name := c.Fn.Func.Name; name {
	case "plus", "minus":
		if x, _, _, ok := linearParts(e); ok {
			return preimage(x)
		}
	case "negate":
		if isInt(c.Args[0].Type()) {
			return preimage(c.Args[0])
		}
	case "toString", "hex", "reverse":
		if t := c.Args[0].Type().Inner(); len(c.Args) == 1 && (isInt(t) || t.IsDate() || t.Kind == types.String) {
			return preimage(c.Args[0])
		}
	case "tuple":
		return injected(c.Args)
	}
	return []plan.Expr{e}
}

// independent drops the keys that are computed from the others, and all constants but a last one: without any key there
// would be a group of no rows.
func independent(keys []plan.Expr) []plan.Expr {
	kept := append([]plan.Expr(nil), keys...)
	for i := len(kept) - 1; i >= 0 && len(kept) > 1; i-- {
		others := append(append([]plan.Expr(nil), kept[:i]...), kept[i+1:]...)
		if overKeys(kept[i], others) != nil {
			kept = others
		}
	}
	return kept
}

// overKeys returns e computed over the columns of the keys, or nil if e needs anything else of the rows.
func overKeys(e plan.Expr, keys []plan.Expr) plan.Expr {
	text := e.String()
	for i, k := range keys {
		if k.String() == text && k.Type().Equal(e.Type()) {
			return &plan.Col{Index: i, Name: text, T: e.Type()}
		}
	}
	switch e := e.(type) {
	case *plan.Const:
		return e
	case *plan.Call:
		args := allOverKeys(e.Args, keys)
		if args == nil {
			return nil
		}
		return &plan.Call{Fn: e.Fn, Args: args}
	case *plan.In:
		args := allOverKeys(e.Args, keys)
		if args == nil {
			return nil
		}
		return &plan.In{Args: args, Set: e.Set, Not: e.Not, T: e.T}
	}
	return nil // another column, a lambda
}

func allOverKeys(es, keys []plan.Expr) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		if e.Type().Inner().IsFloat() && len(columns(e)) > 0 {
			return nil
		}
		if out[i] = overKeys(e, keys); out[i] == nil {
			return nil
		}
	}
	return out
}
