package fragment

import (
	"slices"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// Cut returns the plan with an Exchange over each part that the shards run. It yields the same rows where each stored row is in exactly
// one shard, in another order where the plan asks for none. A plan that is cut already stays as it is.
func Cut(n plan.Node, at Placement) plan.Node {
	c := &cutter{at: at, sets: map[*plan.Set]*plan.Set{}, sent: map[*plan.Set]*plan.Set{}}
	return c.whole(n)
}

// cutter cuts one plan. Sets that several expressions share stay shared.
type cutter struct {
	at Placement
	// steps counts the steps of recursions around a node: what such a step reads differs each time, so that nothing is sent with its fragments.
	steps int
	// shuffles counts the joins that were shuffled.
	shuffles int
	sets     map[*plan.Set]*plan.Set // done, of expressions that are evaluated where the query is
	sent     map[*plan.Set]*plan.Set // done, of expressions in fragments
}

// whole is a part of a plan that runs where the query is, with its fragments under Exchanges.
func (c *cutter) whole(n plan.Node) plan.Node {
	n, s := c.cut(n)
	if s != nil {
		return c.exchange(n)
	}
	return n
}

// exchange ends a fragment: the sets of its expressions are computed once and sent.
func (c *cutter) exchange(n plan.Node) *plan.Exchange {
	return &plan.Exchange{Input: c.sending(n), Shards: c.shards(n)}
}

func (c *cutter) sending(n plan.Node) plan.Node {
	if _, ok := n.(*plan.Broadcast); ok {
		return n
	}
	if in := n.Inputs(); len(in) > 0 {
		out := make([]plan.Node, len(in))
		for i, x := range in {
			out[i] = c.sending(x)
		}
		n = plan.WithInputs(n, out)
	}
	return c.withSets(n, c.sent, func(in plan.Node) plan.Node { return &plan.Broadcast{Input: c.whole(in)} })
}

// withSets replaces the subqueries of a node's own sets by what f makes of them, once each.
func (c *cutter) withSets(n plan.Node, done map[*plan.Set]*plan.Set, f func(plan.Node) plan.Node) plan.Node {
	if len(plan.Subqueries(n)) == 0 {
		return n
	}
	return plan.MapExprs(n, func(e plan.Expr) plan.Expr {
		return plan.Rewrite(e, func(e plan.Expr) plan.Expr {
			in, ok := e.(*plan.In)
			if !ok || in.Set.Input == nil {
				return e
			}
			s := done[in.Set]
			if s == nil {
				copied := *in.Set
				copied.Input = f(in.Set.Input)
				s = &copied
				done[in.Set] = s
			}
			return &plan.In{Args: in.Args, Set: s, Not: in.Not, T: in.T}
		})
	})
}

// cut returns n, and how it is spread. What is not spread has Exchanges below; what is has none, and its sets are still to be looked at.
func (c *cutter) cut(n plan.Node) (plan.Node, *spread) {
	switch n := n.(type) {
	case *plan.Exchange:
		return n, nil
	case *plan.Scan:
		return c.scan(n)
	case *plan.Filter:
		return c.row(n, func(i int) int { return i })
	case *plan.Project:
		return c.row(n, positionIn(n.Exprs))
	case *plan.ArrayJoin:
		return c.row(n, func(i int) int {
			if slices.Contains(n.Columns, i) {
				return -1
			}
			return i
		})
	case *plan.Union:
		return c.union(n)
	case *plan.Join:
		return c.join(n)
	case *plan.Aggregate:
		return c.aggregate(n)
	case *plan.Sort:
		return c.twice(n, n.Limit != 0, n), nil
	case *plan.Limit:
		below := &plan.Limit{Input: n.Input, N: n.N + n.Offset}
		return c.twice(n, n.N != plan.NoLimit && n.WithTies == nil && below.N >= n.N, below), nil
	case *plan.LimitBy:
		below := &plan.LimitBy{Input: n.Input, Keys: n.Keys, N: n.N + n.Offset}
		return c.within(n, n.Keys, below.N >= n.N, below)
	case *plan.Distinct:
		return c.within(n, n.Keys, true, n)
	case *plan.Window:
		return c.window(n)
	case *plan.Recursive:
		return c.recursive(n), nil
	}
	return c.apart(n), nil
}

// row is a node that makes of each row what it makes, where that is; at tells where columns of its input are.
func (c *cutter) row(n plan.Node, at func(int) int) (plan.Node, *spread) {
	in, s := c.cut(n.Inputs()[0])
	if s != nil && !c.movable(n) {
		in, s = c.exchange(in), nil
	}
	out := plan.WithInputs(n, []plan.Node{in})
	if s == nil {
		out = c.here(out)
	}
	return out, s.mapped(at)
}

// scan is spread if its table is stored. Conditions that cannot move are tested behind the Exchange.
func (c *cutter) scan(n *plan.Scan) (plan.Node, *spread) {
	switch {
	case n.Table.Catalog() == nil:
		return c.here(n), nil
	case !c.movable(n):
		return c.here(&plan.Filter{Input: c.exchange(n.With(nil, 0)), Cond: n.Filter}), nil
	}
	return n, c.placed(n)
}

// here is a node that is run where the query is, whose inputs are done.
func (c *cutter) here(n plan.Node) plan.Node { return c.withSets(n, c.sets, c.whole) }

// apart is a node that is run where the query is.
func (c *cutter) apart(n plan.Node) plan.Node {
	if in := n.Inputs(); len(in) > 0 {
		out := make([]plan.Node, len(in))
		for i, x := range in {
			out[i] = c.whole(x)
		}
		n = plan.WithInputs(n, out)
	}
	return c.here(n)
}

// twice is a node of one input that keeps some of its rows: below does so for each shard, where that can be, before n does it for all.
func (c *cutter) twice(n plan.Node, can bool, below plan.Node) plan.Node {
	in, s := c.cut(n.Inputs()[0])
	return c.again(n, in, s, can, below)
}

func (c *cutter) again(n, in plan.Node, s *spread, can bool, below plan.Node) plan.Node {
	if s != nil {
		if can {
			in = plan.WithInputs(below, []plan.Node{in})
		}
		in = c.exchange(in)
	}
	return c.here(plan.WithInputs(n, []plan.Node{in}))
}

// within is twice for a node that keeps some rows of each group of equal keys, unless each group is in one shard.
func (c *cutter) within(n plan.Node, keys []int, can bool, below plan.Node) (plan.Node, *spread) {
	in, s := c.cut(n.Inputs()[0])
	if s != nil && s.within(keys) {
		return plan.WithInputs(n, []plan.Node{in}), s
	}
	return c.again(n, in, s, can, below), nil
}

// window is spread if each of its partitions is in one shard.
func (c *cutter) window(n *plan.Window) (plan.Node, *spread) {
	in, s := c.cut(n.Input)
	apart := func(w plan.WindowCall) bool { return !s.within(w.PartitionBy) }
	if s != nil && c.movable(n) && !slices.ContainsFunc(n.Calls, apart) {
		return plan.WithInputs(n, []plan.Node{in}), s
	}
	if s != nil {
		in = c.exchange(in)
	}
	return c.here(plan.WithInputs(n, []plan.Node{in})), nil
}

// union is spread if all its inputs are: each shard's rows of all of them are all the rows.
func (c *cutter) union(n *plan.Union) (plan.Node, *spread) {
	in, spreads := make([]plan.Node, len(n.All)), make([]*spread, len(n.All))
	for i, x := range n.All {
		in[i], spreads[i] = c.cut(x)
	}
	if !slices.Contains(spreads, nil) {
		return plan.WithInputs(n, in), anywhere
	}
	for i, s := range spreads {
		if s != nil {
			in[i] = c.exchange(in[i])
		}
	}
	return plan.WithInputs(n, in), nil
}

// join is spread if both sides are and rows with equal keys are in one shard, or are brought together by a shuffle; or if the left side is, and each
// row comes from one row of that: then the right side is sent to all shards.
func (c *cutter) join(n *plan.Join) (plan.Node, *spread) {
	left, l := c.cut(n.Left)
	right, r := c.cut(n.Right)
	can := c.movable(n)
	if l != nil && r != nil && can && together(n, l, r) {
		return plan.WithInputs(n, []plan.Node{left, right}), joinedSpread(n, l, r)
	}
	if l != nil && r != nil && can {
		if j, s := c.shuffled(n, left, right); j != nil {
			return j, s
		}
	}
	orShuffle := r != nil && !c.at.Joins.Never && c.canShuffle(n)
	if r != nil {
		right = c.exchange(right)
	}
	if l != nil && can && c.steps == 0 && byLeftRows(n) {
		return plan.WithInputs(n, []plan.Node{left, &plan.Broadcast{Input: right, OrShuffle: orShuffle}}), l
	}
	if l != nil {
		left = c.exchange(left)
	}
	return c.here(plan.WithInputs(n, []plan.Node{left, right})), nil
}

// byLeftRows reports whether what a join yields for a row of its left side does not depend on the other rows there.
func byLeftRows(n *plan.Join) bool {
	switch n.Kind {
	case plan.Inner: // ANY takes each row of the right side once
		return n.Strictness != plan.Any
	case plan.Left, plan.Cross, plan.Semi, plan.Anti:
		return true
	}
	return false
}

// aggregate is spread if each group is in one shard. Else it is done by each shard up to states, by all keys at once; then states are merged: where they
// are shuffled to, each group on one node, or where the query is, by the grouping sets.
func (c *cutter) aggregate(n *plan.Aggregate) (plan.Node, *spread) {
	in, s := c.cut(n.Input)
	switch {
	case s == nil:
		return c.here(plan.WithInputs(n, []plan.Node{in})), nil
	case n.Partial || n.Merge || !c.movable(n):
		return c.here(plan.WithInputs(n, []plan.Node{c.exchange(in)})), nil
	case !n.Totals && n.GroupingSets == nil && s.within(columnsOf(n.Keys)):
		return plan.WithInputs(n, []plan.Node{in}), s.mapped(positionIn(n.Keys))
	}
	below := &plan.Aggregate{Input: in, Keys: n.Keys, Aggs: n.Aggs, Partial: true}
	above := &plan.Aggregate{GroupingSets: n.GroupingSets, SetNumber: n.SetNumber, Totals: n.Totals, Merge: true, Fields: n.Fields}
	for i, k := range n.Keys {
		f := column.Field{Name: n.Fields[i].Name, Type: k.Type()}
		below.Fields = append(below.Fields, f)
		above.Keys = append(above.Keys, &plan.Col{Index: i, Name: f.Name, T: f.Type})
	}
	for i, a := range n.Aggs {
		f := column.Field{Name: n.Fields[len(n.Keys)+i].Name, Type: stateType(a.Fn)}
		below.Fields = append(below.Fields, f)
		a.Args = []plan.Expr{&plan.Col{Index: len(n.Keys) + i, Name: f.Name, T: f.Type}}
		above.Aggs = append(above.Aggs, a)
	}
	shuffle, why := c.shufflesGroups(n)
	if shuffle {
		c.shuffles++
		above.Input = &plan.Shuffle{Input: below, Keys: above.Keys, Why: why}
		return above, c.spreadByGroups(len(n.Keys))
	}
	x := c.exchange(below)
	x.Why = why
	above.Input = x
	return above, nil
}

// stateType is the type of states as they travel.
func stateType(f function.Aggregate) *types.Type {
	if t := function.PlainType(f); t != nil {
		return t
	}
	return types.TString
}

// recursive cuts the step of a recursion anew each time it is done.
func (c *cutter) recursive(n *plan.Recursive) plan.Node {
	anchor := c.whole(n.Anchor)
	c.steps++
	step := c.whole(n.Step)
	c.steps--
	return plan.WithInputs(n, []plan.Node{anchor, step})
}

// movable reports whether a node's expressions may be evaluated in a fragment: not those that may give another value each time, as the number of a row,
// which are evaluated where the query is, over all rows; nor those with a subquery in a step of a recursion.
func (c *cutter) movable(n plan.Node) bool {
	if c.steps > 0 && len(plan.Subqueries(n)) > 0 {
		return false
	}
	volatile := false
	plan.Exprs(n, func(e plan.Expr) {
		plan.Walk(e, func(e plan.Expr) bool {
			f, ok := e.(*plan.Call)
			volatile = volatile || ok && f.Fn.Func.Volatile
			return !volatile
		})
	})
	return !volatile
}
