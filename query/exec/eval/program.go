// Package eval computes typed expressions over blocks.
//
// A Program is compiled once from a list of expressions and shared by all workers; equal
// sub-expressions are computed once per block, one call per vector. What reads one dictionary-coded column is
// computed once per entry instead (derive.go).
//
// # Short circuit
//
// if, multiIf, and, or protect their later arguments: if(x = 0, 0, intDiv(1, x)) is no error. All
// arguments are first computed for all rows, which is fastest and nearly always right; only
// where that fails is the block computed again, each argument for just the rows that need it.
package eval

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/olapd/olapd/internal/column"
	"github.com/olapd/olapd/internal/function"
	"github.com/olapd/olapd/internal/types"
	"github.com/olapd/olapd/query/plan"
)

// Program computes expressions. It is safe for concurrent use.
type Program struct {
	env      *function.Env
	nodes    []*node
	roots    []int
	args     int          // of all nodes
	used     map[int]bool // input columns read
	columns  []int        // the same, ascending
	volatile bool
	branches bool        // has if, multiIf, and, or
	lazy     atomic.Bool // a block needed its arguments computed for just the rows that need them
	frames   sync.Pool   // of *frame
	expected func(n int) int64
}

// node is one distinct expression; its arguments have lower numbers.
type node struct {
	kind   nodeKind
	column int               // column
	value  column.Vector     // constant, of length 1
	call   *plan.Call        // call
	lambda *lambda           // call with one; its place in args is -1
	set    *Set              // in
	in     *plan.In          // in
	cast   []*function.Bound // in: per argument, to the set's type, or nil
	args   []int
	at     int // of the arguments in a frame
	// only is the input column that the value is a function of, or readsNothing, readsMore.
	only    int
	derived derivations
	choice  *choice // call of if, multiIf between strings
}

type nodeKind uint8

const (
	columnNode nodeKind = iota
	constNode
	callNode
	inNode
)

// Compile makes a program of expressions over one input. Subquery sets are taken from sets and must
// be filled before the first Run.
func Compile(env *function.Env, exprs []plan.Expr, sets *Sets) (*Program, error) {
	p := &Program{env: env, used: map[int]bool{}}
	c := &compiler{p: p, sets: sets, seen: map[string]int{}, columns: func(e *plan.Col) int { return e.Index }}
	for _, e := range exprs {
		r, err := c.compile(e)
		if err != nil {
			return nil, err
		}
		p.roots = append(p.roots, r)
	}
	p.finish()
	return p, nil
}

// finish prepares a program whose nodes are complete.
func (p *Program) finish() {
	for i := range p.nodes {
		p.nodes[i].at = p.args
		p.args += len(p.nodes[i].args)
	}
	for i := range p.used {
		p.columns = append(p.columns, i)
	}
	slices.Sort(p.columns)
}

// Uses reports whether the program reads input column i.
func (p *Program) Uses(i int) bool { return p.used[i] }

// Columns returns the input columns the program reads, ascending; the slice is the program's own.
func (p *Program) Columns() []int { return p.columns }

// Column returns the input column that result i is, if it is one as it stands.
func (p *Program) Column(i int) (c int, ok bool) {
	n := p.nodes[p.roots[i]]
	return n.column, n.kind == columnNode
}

// Volatile reports whether equal inputs may give different results.
func (p *Program) Volatile() bool { return p.volatile }

// compiler numbers expressions, equal ones alike.
type compiler struct {
	p       *Program
	sets    *Sets
	seen    map[string]int
	columns func(*plan.Col) int   // the input's position of a column
	params  func(*plan.Param) int // of a lambda's parameter; nil outside lambdas
}

func (c *compiler) compile(e plan.Expr) (int, error) {
	n, key, err := c.node(e)
	if err != nil {
		return 0, err
	}
	if key != "" {
		if i, ok := c.seen[key]; ok {
			return i, nil
		}
		c.seen[key] = len(c.p.nodes)
	}
	n.derived.kept = c.sets.kept
	if n.choice != nil {
		n.choice.kept = c.sets.kept
	}
	c.p.nodes = append(c.p.nodes, n)
	return len(c.p.nodes) - 1, nil
}

// node compiles the parts of e and returns its node and key: equal keys are equal values.
func (c *compiler) node(e plan.Expr) (*node, string, error) {
	switch e := e.(type) {
	case *plan.Col:
		return c.input(c.columns(e))
	case *plan.Param:
		if c.params == nil {
			return nil, "", fmt.Errorf("eval: parameter %s outside its lambda", e.Name)
		}
		return c.input(c.params(e))
	case *plan.Const:
		return &node{kind: constNode, only: readsNothing, value: column.Flatten(e.Value)}, constKey(e), nil
	case *plan.Call:
		return c.call(e)
	case *plan.In:
		return c.in(e)
	}
	return nil, "", fmt.Errorf("eval: cannot compute %T %s", e, e)
}

func (c *compiler) input(i int) (*node, string, error) {
	c.p.used[i] = true
	return &node{kind: columnNode, column: i, only: i}, fmt.Sprintf("#%d", i), nil
}

// constKey is empty for composite values, whose text need not tell them apart.
func constKey(e *plan.Const) string {
	switch e.T.Inner().Kind {
	case types.Array, types.Tuple, types.Map, types.AggregateFunction:
		return ""
	}
	return e.T.String() + ":" + e.String()
}

func (c *compiler) call(e *plan.Call) (*node, string, error) {
	n := &node{kind: callNode, call: e, only: readsNothing, choice: newChoice(c.p.env, e)}
	key := fmt.Sprintf("%s:%s", e.Fn.Func.Name, e.Fn.Result)
	for _, a := range e.Args {
		if l, ok := a.(*plan.Lambda); ok {
			sub, err := c.lambda(l)
			if err != nil {
				return nil, "", err
			}
			n.lambda, n.args, key = sub, append(n.args, -1), key+fmt.Sprintf(" λ%p", l)
			for _, outer := range sub.captures {
				n.only = reads(n.only, outer)
			}
			continue
		}
		i, err := c.compile(a)
		if err != nil {
			return nil, "", err
		}
		n.args, key = append(n.args, i), key+fmt.Sprintf(" %d", i)
		n.only = reads(n.only, c.p.nodes[i].only)
	}
	if e.Fn.Func.Volatile || n.lambda != nil && n.lambda.body.volatile {
		n.only = readsMore
	}
	c.p.volatile = c.p.volatile || e.Fn.Func.Volatile
	c.p.branches = c.p.branches || isBranch(e)
	return n, key, nil
}

func (c *compiler) in(e *plan.In) (*node, string, error) {
	set, err := c.sets.Get(e.Set)
	if err != nil {
		return nil, "", err
	}
	n := &node{kind: inNode, set: set, in: e, only: readsNothing}
	key := fmt.Sprintf("in %v %p", e.Not, e.Set)
	for k, a := range e.Args {
		i, err := c.compile(a)
		if err != nil {
			return nil, "", err
		}
		n.args, key = append(n.args, i), key+fmt.Sprintf(" %d", i)
		n.only = reads(n.only, c.p.nodes[i].only)
		cast, err := castTo(c.p.env, a.Type(), set.types[k])
		if err != nil {
			return nil, "", err
		}
		n.cast = append(n.cast, cast)
	}
	return n, key, nil
}
