// Package optimize rewrites logical plans into cheaper ones that yield the same rows.
//
// A rule is a function from plan to plan in a file of its own; the ordered list is here.
// Rules know nothing of storage or of how operators run: they move work down and out
// of the way. Every rule keeps the names and types of the root's schema, the multiset of
// rows and, where a sort is visible, their order; NULL in a condition means "no" and is treated so only where a
// filter asks for it. Expressions with volatile functions (rand …) are never moved.
package optimize

import (
	"github.com/olapd/olapd/query/plan"
)

// rule is one rewriting of a whole tree.
type rule struct {
	name string
	run  func(plan.Node) plan.Node
}

// rules is the order: conditions are simplified before they travel, projections are merged once
// nothing stands between them, and columns are dropped late, when every reader of them is in its place.
var rules = []rule{
	{"chains of equalities", orChains},
	{"simplify conditions", simplifyConditions},
	{"push filters down", pushFilters},
	{"remove sorts nobody sees", removeSorts},
	{"in of one value", inOfOne},
	{"count rows", countRows},
	{"aggregates of keys", aggregatesOfKeys},
	{"linear aggregates", linearAggregates},
	{"fewer keys", fewerKeys},
	{"merge projections", mergeProjections},
	{"push limits down", pushLimits},
	{"prune columns", pruneColumns},
	{"drop idle projections", dropIdle},
}

// Run applies all rules in order to the plan and to the subqueries of its sets. A set that
// several expressions share stays shared.
func Run(n plan.Node) plan.Node {
	return (&runner{sets: map[*plan.Set]*plan.Set{}}).run(n)
}

type runner struct {
	sets map[*plan.Set]*plan.Set // done, by what they were
}

func (r *runner) run(n plan.Node) plan.Node {
	for _, rule := range rules {
		n = rule.run(n)
	}
	return plan.Transform(n, func(n plan.Node) plan.Node {
		if len(plan.Subqueries(n)) == 0 {
			return n
		}
		return plan.MapExprs(n, func(e plan.Expr) plan.Expr { return plan.Rewrite(e, r.subquery) })
	})
}

func (r *runner) subquery(e plan.Expr) plan.Expr {
	in, ok := e.(*plan.In)
	if !ok || in.Set.Input == nil {
		return e
	}
	s := r.sets[in.Set]
	if s == nil {
		c := *in.Set
		c.Input = r.run(stripSort(c.Input))
		s = &c
		r.sets[in.Set] = s
	}
	return &plan.In{Args: in.Args, Set: s, Not: in.Not, T: in.T}
}
