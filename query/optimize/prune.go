package optimize

import (
	"fmt"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/query/plan"
)

// pruneColumns drops the columns and expressions nobody reads, down to the scans: count() reads no column.
func pruneColumns(n plan.Node) plan.Node {
	need := all(len(n.Schema()))
	out, at := prune(n, need)
	return narrow(out, at, need, n.Schema())
}

// prune returns a node that yields at least the columns of n that are needed, and where each column of n
// went: a position in the new schema or -1. Columns the node itself needs may come along.
func prune(n plan.Node, need []bool) (plan.Node, []int) {
	switch n := n.(type) {
	case *plan.Scan:
		return pruneScan(n, need)
	case *plan.Values:
		return pruneValues(n, need)
	case *plan.Filter:
		in, at := prune(n.Input, with(need, n.Cond))
		return &plan.Filter{Input: in, Cond: renumber(n.Cond, at)}, at
	case *plan.Project:
		return pruneProject(n, need)
	case *plan.Aggregate:
		return pruneAggregate(n, need)
	case *plan.Sort:
		in, at := prune(n.Input, withKeys(need, n.Keys))
		return &plan.Sort{Input: in, Keys: moveKeys(n.Keys, at), Limit: n.Limit}, at
	case *plan.Fill:
		in, at := prune(n.Input, all(len(need)))
		return plan.WithInputs(n, []plan.Node{in}), at
	case *plan.Recursive:
		l, _ := prune(n.Anchor, all(len(need)))
		r, _ := prune(n.Step, all(len(need)))
		return plan.WithInputs(n, []plan.Node{l, r}), identity(len(need))
	case *plan.Working:
		return n, identity(len(need))
	case *plan.Slice:
		in, at := prune(n.Input, withColumns(withKeys(need, n.WithTies), n.By))
		return &plan.Slice{Input: in, Limit: n.Limit, Offset: n.Offset, WithTies: moveKeys(n.WithTies, at), By: move(n.By, at)}, at
	case *plan.Limit:
		in, at := prune(n.Input, withKeys(need, n.WithTies))
		return &plan.Limit{Input: in, N: n.N, Offset: n.Offset, WithTies: moveKeys(n.WithTies, at)}, at
	case *plan.LimitBy:
		in, at := prune(n.Input, withColumns(need, n.Keys))
		return &plan.LimitBy{Input: in, Keys: move(n.Keys, at), N: n.N, Offset: n.Offset}, at
	case *plan.Distinct:
		in, at := prune(n.Input, withColumns(need, n.Keys))
		return &plan.Distinct{Input: in, Keys: move(n.Keys, at)}, at
	case *plan.Union:
		return pruneUnion(n, need)
	case *plan.Join:
		return pruneJoin(n, need)
	case *plan.ArrayJoin:
		in, at := prune(n.Input, withColumns(need, n.Columns))
		return &plan.ArrayJoin{Input: in, Columns: move(n.Columns, at), Left: n.Left, Fields: kept(n.Fields, at, len(in.Schema()))}, at
	case *plan.Window:
		return pruneWindow(n, need)
	}
	panic(fmt.Sprintf("optimize: pruning %T", n))
}

// narrow projects n to exactly the needed columns of the old schema, unless it has them so already.
func narrow(n plan.Node, at []int, need []bool, old column.Schema) plan.Node {
	var exprs []plan.Expr
	var fields column.Schema
	in := n.Schema()
	same := true
	for i, f := range old {
		if need[i] {
			same = same && at[i] == len(exprs)
			exprs = append(exprs, &plan.Col{Index: at[i], Name: in[at[i]].Name, T: f.Type})
			fields = append(fields, f)
		}
	}
	if same && len(exprs) == len(in) {
		return n
	}
	return &plan.Project{Input: n, Exprs: exprs, Fields: fields}
}

func pruneScan(n *plan.Scan, need []bool) (plan.Node, []int) {
	if n.Filter != nil {
		need = with(need, n.Filter)
	}
	at, count := compact(need)
	if count == len(need) {
		return n, at
	}
	cols := make([]int, 0, count)
	for i, c := range n.Columns {
		if need[i] {
			cols = append(cols, c)
		}
	}
	s := plan.NewScan(n.Table, cols)
	s.Final, s.Sample = n.Final, n.Sample
	var f plan.Expr
	if n.Filter != nil {
		f = renumber(n.Filter, at)
	}
	return s.With(f, n.Limit), at
}

func pruneValues(n *plan.Values, need []bool) (plan.Node, []int) {
	at, count := compact(need)
	if count == len(need) {
		return n, at
	}
	b := &column.Block{N: n.Block.N}
	for i, c := range n.Block.Cols {
		if need[i] {
			b.Cols = append(b.Cols, c)
		}
	}
	return &plan.Values{Block: b, Fields: kept(n.Fields, at, count)}, at
}

func pruneProject(n *plan.Project, need []bool) (plan.Node, []int) {
	at, count := compact(need)
	below := make([]bool, len(n.Input.Schema()))
	for i, e := range n.Exprs {
		if need[i] {
			below = with(below, e)
		}
	}
	in, from := prune(n.Input, below)
	exprs := make([]plan.Expr, 0, count)
	for i, e := range n.Exprs {
		if need[i] {
			exprs = append(exprs, renumber(e, from))
		}
	}
	return &plan.Project{Input: in, Exprs: exprs, Fields: kept(n.Fields, at, count)}, at
}

// pruneAggregate drops aggregates; keys make the groups and stay.
func pruneAggregate(n *plan.Aggregate, need []bool) (plan.Node, []int) {
	need = append([]bool(nil), need...)
	below := make([]bool, len(n.Input.Schema()))
	for i, k := range n.Keys {
		need[i] = true
		below = with(below, k)
	}
	for i, a := range n.Aggs {
		if need[len(n.Keys)+i] {
			below = with(below, a.Args...)
		}
	}
	at, count := compact(need)
	in, from := prune(n.Input, below)
	c := *n
	c.Input, c.Fields = in, kept(n.Fields, at, count)
	c.SetNumber = n.SetNumber && need[len(need)-1]
	c.Keys = renumberAll(n.Keys, from)
	c.Aggs = nil
	for i, a := range n.Aggs {
		if need[len(n.Keys)+i] {
			a.Args = renumberAll(a.Args, from)
			c.Aggs = append(c.Aggs, a)
		}
	}
	return &c, at
}

func pruneUnion(n *plan.Union, need []bool) (plan.Node, []int) {
	at, count := compact(need)
	inputs := make([]plan.Node, len(n.All))
	for i, in := range n.All {
		pruned, from := prune(in, need)
		inputs[i] = narrow(pruned, from, need, in.Schema())
	}
	return &plan.Union{All: inputs, Fields: kept(n.Fields, at, count)}, at
}

func pruneJoin(n *plan.Join, need []bool) (plan.Node, []int) {
	left := len(n.Left.Schema())
	if n.Cond != nil {
		need = with(need, n.Cond)
	}
	l, lat := prune(n.Left, with(need[:left], n.LeftKeys...))
	r, rat := prune(n.Right, with(need[left:], n.RightKeys...))
	c := *n
	c.Left, c.Right = l, r
	c.LeftKeys, c.RightKeys = renumberAll(n.LeftKeys, lat), renumberAll(n.RightKeys, rat)
	at := append([]int(nil), lat...)
	for _, p := range rat {
		if p >= 0 {
			p += len(l.Schema())
		}
		at = append(at, p)
	}
	if n.Cond != nil {
		c.Cond = renumber(n.Cond, at)
	}
	c.Fields = kept(n.Fields, at, len(l.Schema())+len(r.Schema()))
	return &c, at
}

func pruneWindow(n *plan.Window, need []bool) (plan.Node, []int) {
	width := len(n.Input.Schema())
	below := append([]bool(nil), need[:width]...)
	for i, w := range n.Calls {
		if need[width+i] {
			below = withKeys(withColumns(with(below, w.Args...), w.PartitionBy), w.OrderBy)
		}
	}
	in, at := prune(n.Input, below)
	c := &plan.Window{Input: in, Unordered: n.Unordered}
	next := len(in.Schema())
	for i, w := range n.Calls {
		if !need[width+i] {
			at = append(at, -1)
			continue
		}
		w.Args = renumberAll(w.Args, at)
		w.PartitionBy, w.OrderBy = move(w.PartitionBy, at), moveKeys(w.OrderBy, at)
		c.Calls = append(c.Calls, w)
		at = append(at, next)
		next++
	}
	if len(c.Calls) == 0 {
		return in, at
	}
	c.Fields = kept(n.Fields, at, next)
	return c, at
}

func all(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = true
	}
	return out
}

// with returns need and the columns that the expressions read.
func with(need []bool, es ...plan.Expr) []bool {
	out := append([]bool(nil), need...)
	for _, e := range es {
		for i := range columns(e) {
			out[i] = true
		}
	}
	return out
}

func withColumns(need []bool, cols []int) []bool {
	out := append([]bool(nil), need...)
	for _, c := range cols {
		out[c] = true
	}
	return out
}

func withKeys(need []bool, keys []plan.SortKey) []bool {
	out := append([]bool(nil), need...)
	for _, k := range keys {
		out[k.Index] = true
	}
	return out
}

// compact numbers the needed columns from 0; the others get -1.
func compact(need []bool) (at []int, count int) {
	at = make([]int, len(need))
	for i, n := range need {
		at[i] = -1
		if n {
			at[i] = count
			count++
		}
	}
	return at, count
}

// kept is the schema of count columns that is left of old.
func kept(old column.Schema, at []int, count int) column.Schema {
	out := make(column.Schema, count)
	for i, p := range at {
		if p >= 0 {
			out[p] = old[i]
		}
	}
	return out
}

func renumberAll(es []plan.Expr, to []int) []plan.Expr {
	out := make([]plan.Expr, len(es))
	for i, e := range es {
		out[i] = renumber(e, to)
	}
	return out
}

func move(cols, at []int) []int {
	if cols == nil {
		return nil
	}
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = at[c]
	}
	return out
}

func moveKeys(keys []plan.SortKey, at []int) []plan.SortKey {
	if keys == nil {
		return nil
	}
	out := make([]plan.SortKey, len(keys))
	for i, k := range keys {
		k.Index = at[k.Index]
		out[i] = k
	}
	return out
}

// identity numbers columns that stay where they are.
func identity(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
