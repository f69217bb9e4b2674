package optimize

import (
	"github.com/olapd/olapd/query/plan"
)

// simplifyConditions drops what is known of filters: constant parts of and, or and if, double
// negation. A filter that is always true goes, one that is never true makes the input empty.
func simplifyConditions(n plan.Node) plan.Node {
	return plan.Transform(n, func(n plan.Node) plan.Node {
		f, ok := n.(*plan.Filter)
		if !ok {
			return n
		}
		cond := condition(f.Cond)
		if value, known := truth(cond); known {
			if value {
				return f.Input
			}
			if hasTotals(f) {
				return f
			}
			return empty(f.Schema())
		}
		if cond == f.Cond {
			return f
		}
		return &plan.Filter{Input: f.Input, Cond: cond}
	})
}

// condition returns an expression that is true for the same rows as e; where e is 0 or NULL it may be the other of the two.
func condition(e plan.Expr) plan.Expr {
	c, ok := e.(*plan.Call)
	if !ok {
		return e
	}
	switch c.Fn.Func.Name {
	case "and":
		return connective(c, false)
	case "or":
		return connective(c, true)
	case "not":
		if inner, ok := isCall(c.Args[0], "not"); ok && isCondition(inner[0]) {
			return condition(inner[0])
		}
	case "if":
		if value, known := truth(c.Args[0]); known {
			branch := c.Args[2]
			if value {
				branch = c.Args[1]
			}
			if isCondition(branch) {
				return condition(branch)
			}
		}
	}
	return e
}

// connective simplifies and (decides: false) and or (decides: true): a constant part equal to
// decides is the answer, the other constant parts go, and those that stand there already.
func connective(c *plan.Call, decides bool) plan.Expr {
	var rest []plan.Expr
	changed, seen := false, map[string]bool{}
	for _, a := range c.Args {
		s := condition(a)
		if text := s.String(); !volatile(s) {
			if seen[text] {
				changed = true
				continue
			}
			seen[text] = true
		}
		value, known := truth(s)
		if known && value == decides {
			return s
		}
		changed = changed || known || s != a
		if !known {
			rest = append(rest, s)
		}
	}
	switch {
	case !changed:
		return c
	case len(rest) == 0:
		return condition(c.Args[len(c.Args)-1])
	case len(rest) == 1 && isCondition(rest[0]):
		return rest[0]
	case len(rest) > 1:
		if s := call(c.Fn.Func.Name, rest...); s != nil {
			return s
		}
	}
	return c
}

// isCondition reports whether e can stand alone as a filter: UInt8 or Bool, perhaps Nullable.
func isCondition(e plan.Expr) bool {
	t := e.Type().Inner()
	return t.Width() == 1 && t.IsUnsigned()
}

// hasTotals reports whether there are totals below n, which come even if no rows do.
func hasTotals(n plan.Node) bool {
	if a, ok := n.(*plan.Aggregate); ok && a.Totals {
		return true
	}
	for _, in := range n.Inputs() {
		if hasTotals(in) {
			return true
		}
	}
	return false
}
