package plan

import "fmt"

// WithInputs returns a copy of n that reads other inputs, of the same schemas. It returns n itself if nothing changed.
func WithInputs(n Node, in []Node) Node {
	same := true
	for i, old := range n.Inputs() {
		same = same && old == in[i]
	}
	if same {
		return n
	}
	switch n := n.(type) {
	case *Filter:
		return &Filter{Input: in[0], Cond: n.Cond}
	case *Project:
		return &Project{Input: in[0], Exprs: n.Exprs, Fields: n.Fields}
	case *Aggregate:
		c := *n
		c.Input = in[0]
		return &c
	case *Sort:
		return &Sort{Input: in[0], Keys: n.Keys, Limit: n.Limit}
	case *Fill:
		c := *n
		c.Input = in[0]
		return &c
	case *Recursive:
		c := *n
		c.Anchor, c.Step = in[0], in[1]
		return &c
	case *Slice:
		c := *n
		c.Input = in[0]
		return &c
	case *Limit:
		c := *n
		c.Input = in[0]
		return &c
	case *LimitBy:
		c := *n
		c.Input = in[0]
		return &c
	case *Distinct:
		return &Distinct{Input: in[0], Keys: n.Keys}
	case *Union:
		return &Union{All: in, Fields: n.Fields}
	case *Join:
		c := *n
		c.Left, c.Right = in[0], in[1]
		return &c
	case *ArrayJoin:
		c := *n
		c.Input = in[0]
		return &c
	case *Window:
		return &Window{Input: in[0], Calls: n.Calls, Fields: n.Fields, Unordered: n.Unordered}
	case *Exchange:
		return &Exchange{Input: in[0], Shards: n.Shards, Why: n.Why}
	case *Broadcast:
		return &Broadcast{Input: in[0], OrShuffle: n.OrShuffle}
	case *Shuffle:
		return &Shuffle{Input: in[0], Keys: n.Keys, Why: n.Why}
	}
	panic(fmt.Sprintf("plan: %T has no inputs to replace", n))
}

// Transform rebuilds a tree bottom-up: f gets each node with its inputs already
// transformed and returns it or another node of the same schema types. It does not enter the subqueries of sets.
func Transform(n Node, f func(Node) Node) Node {
	old := n.Inputs()
	if len(old) > 0 {
		in := make([]Node, len(old))
		for i, c := range old {
			in[i] = Transform(c, f)
		}
		n = WithInputs(n, in)
	}
	return f(n)
}

// Exprs calls f for each expression a node itself holds.
func Exprs(n Node, f func(Expr)) {
	each := func(es []Expr) {
		for _, e := range es {
			f(e)
		}
	}
	switch n := n.(type) {
	case *Scan:
		if n.Filter != nil {
			f(n.Filter)
		}
	case *Filter:
		f(n.Cond)
	case *Project:
		each(n.Exprs)
	case *Aggregate:
		each(n.Keys)
		for _, a := range n.Aggs {
			each(a.Args)
		}
	case *Join:
		each(n.LeftKeys)
		each(n.RightKeys)
		if n.Cond != nil {
			f(n.Cond)
		}
	case *Fill:
		for _, i := range n.Interpolate {
			f(i.Expr)
		}
	case *Window:
		for _, c := range n.Calls {
			each(c.Args)
		}
	case *Shuffle:
		each(n.Keys)
	}
}

// MapExprs returns a copy of n with each expression it holds replaced by f's answer, of the same type.
func MapExprs(n Node, f func(Expr) Expr) Node {
	each := func(es []Expr) []Expr {
		out := make([]Expr, len(es))
		for i, e := range es {
			out[i] = f(e)
		}
		return out
	}
	switch n := n.(type) {
	case *Scan:
		if n.Filter != nil {
			return n.With(f(n.Filter), n.Limit)
		}
	case *Filter:
		return &Filter{Input: n.Input, Cond: f(n.Cond)}
	case *Project:
		return &Project{Input: n.Input, Exprs: each(n.Exprs), Fields: n.Fields}
	case *Aggregate:
		c := *n
		c.Keys = each(n.Keys)
		c.Aggs = make([]AggCall, len(n.Aggs))
		for i, a := range n.Aggs {
			a.Args = each(a.Args)
			c.Aggs[i] = a
		}
		return &c
	case *Join:
		c := *n
		c.LeftKeys, c.RightKeys = each(n.LeftKeys), each(n.RightKeys)
		if n.Cond != nil {
			c.Cond = f(n.Cond)
		}
		return &c
	case *Fill:
		c := *n
		c.Interpolate = make([]Interpolation, len(n.Interpolate))
		for i, x := range n.Interpolate {
			c.Interpolate[i] = Interpolation{Column: x.Column, Expr: f(x.Expr)}
		}
		return &c
	case *Window:
		c := *n
		c.Calls = make([]WindowCall, len(n.Calls))
		for i, w := range n.Calls {
			w.Args = each(w.Args)
			c.Calls[i] = w
		}
		return &c
	case *Shuffle:
		return &Shuffle{Input: n.Input, Keys: each(n.Keys)}
	}
	return n
}
